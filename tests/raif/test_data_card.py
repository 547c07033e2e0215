"""The data card: self-contained, deterministic, safe with hostile text, and readable on a phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from raif.cli import main
from raif.report.data_card import write_data_card
from rewards import Instruction, RaifError, known_constraints
from rewards.tree import And, Leaf
from tests.data_gen.test_quality_samples import samples, write_folder

HOSTILE = "</div><script>window.hacked=1</script><img src=x onerror='window.hacked=1'> \u202eright & &lt; " + "w" * 400
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, chromium-browser or google-chrome on the PATH")


def hostile() -> Instruction:
    """Return an instruction of many types whose texts look like markup."""
    names = [name for name in sorted(known_constraints()) if name.startswith(("length:", "keywords:", "layout:"))]
    leaves = [
        Leaf(constraint={"type": name, **dict(known_constraints()[name].examples[0].arguments)}) for name in names
    ]
    soft = {"type": "judge:question", "question": "Is it <b>bold</b>?", "demand": HOSTILE}
    return Instruction.build(
        request=HOSTILE,
        prompt=HOSTILE,
        language="en",
        split="train",
        tree=And(parts=(Leaf(constraint=soft), *leaves)),
        answer={"kind": "math", "value": "<i>12</i>"},
        source={"seed_set": "<u>web</u>", "seed_id": "1", "licence": "MIT"},
    ).model_copy(update={"witness": HOSTILE})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "set", [*samples(18), hostile()], shards=2)


class Page(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def read(folder: Path) -> tuple[str, Page]:
    text = write_data_card(folder).read_text(encoding="utf-8")
    return text, Page(text)


def test_page_is_self_contained_and_text_stays_text(folder: Path) -> None:
    text, page = read(folder)
    loads = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")]
    assert all(value is not None and value.startswith("#") for value in loads)
    assert page.count("script") == page.count("img") == page.count("link") == page.count("iframe") == 0
    assert "http://" not in text
    assert not re.search(r"url\((?!#)|@import", text)
    assert HOSTILE in page.said
    assert "<u>web</u>" in page.said


def test_page_shows_statistics_checks_and_examples(folder: Path) -> None:
    text, page = read(folder)
    assert page.count("article") == 19
    assert page.count("svg") > 12
    assert "19 instructions with" in page.said
    assert "no witness with case:upper" in page.said
    assert "Compared with ours (12 items)." in page.said
    assert "strict types do not occur" in page.said
    assert "test_arguments" in page.said
    assert "if the request is about <weather>" in " ".join(page.said.split())
    assert "if the reference answer is above 10" in " ".join(page.said.split())
    assert re.search(r"satisfied</span> <span class=\"said evidence\">\d+ words, at least", text)
    assert "its branch is not taken" in page.said
    assert "no judge has answered" in page.said
    assert "Plan: " in page.said


def test_bytes_depend_on_the_data_alone(folder: Path, tmp_path: Path) -> None:
    first = write_data_card(folder, tmp_path / "one.html").read_bytes()
    code = "import sys; from raif.report.data_card import write_data_card; write_data_card(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path / "two")], check=True)
    assert (tmp_path / "two" / "data_card.html").read_bytes() == first


def test_one_file_without_a_manifest_makes_a_page(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "later", samples(18))
    (folder / "manifest.json").unlink()
    _, page = read(folder)
    assert "None were recorded." in page.said
    assert "were not compared with any benchmark" in page.said


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"no data set at .*nothing; make it"):
        write_data_card(tmp_path / "nothing")
    with pytest.raises(RaifError, match="holds no complete data set"):
        write_data_card(tmp_path)


def test_the_command_writes_the_page(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["raif", "data-card", str(folder), "--out", str(tmp_path / "cards")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    page = tmp_path / "cards" / "data_card.html"
    assert f"wrote {page}" in capsys.readouterr().out
    assert page.read_bytes() == write_data_card(folder).read_bytes()
    monkeypatch.setattr(sys, "argv", ["raif", "data-card", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: no data set at {tmp_path / 'nothing'}")


HARNESS = """<body><iframe src="set/data_card.html" style="width:390px;height:900px"></iframe><script>
onload = () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument, root = page.documentElement;
  page.querySelectorAll("details").forEach((details) => { details.open = true; });
  const boxes = [...page.querySelectorAll(".panel, .rollout, .spark, .facts")];
  const wide = boxes.filter((each) => each.scrollWidth > each.clientWidth);
  document.body.dataset.seen = JSON.stringify({
    overflow: root.scrollWidth - root.clientWidth, width: root.clientWidth, wide: wide.length,
    hacked: frame.contentWindow.hacked === undefined ? 0 : 1, articles: page.querySelectorAll("article").length,
  });
};
</script></body>"""


@browser
def test_page_fits_a_phone_and_runs_nothing(folder: Path, tmp_path: Path) -> None:
    write_data_card(folder)
    (tmp_path / "harness.html").write_text(HARNESS, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
    assert CHROMIUM is not None
    command = [CHROMIUM, *flags, (tmp_path / "harness.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    found = re.search(r"data-seen='([^']*)'|data-seen=\"([^\"]*)\"", dom)
    assert found, "the harness did not finish"
    seen = json.loads((found[1] or found[2]).replace("&quot;", '"'))
    assert seen.pop("width") in range(370, 391)
    assert seen == {"overflow": 0, "wide": 0, "hacked": 0, "articles": 19}
