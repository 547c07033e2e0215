"""The report page: self-contained, deterministic, safe with hostile text, and alive in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from data_gen.config import load_yaml, parse_config
from data_gen.pipeline import make_dataset
from data_gen.shards import read_data
from raif.evaluation.metrics import floor_and_ceiling, summarize
from raif.report import write_report
from raif.resources import find_recipe
from raif.rollouts import Rollout, append_jsonl
from raif.summary import summarize_run
from rewards.caps import LengthCap
from rewards.entries import parse_rewards
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.reward import ScoredResponse, Scorer

CAP = 64
HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'><!--"
    "\u202eright to left\u202c שלום \u2028\u2029 \x07\x1b[31m & &lt; " + "w" * 600
)
SCORER = Scorer(parse_rewards([{"type": "constraints"}, {"type": "math_answer"}]), LengthCap(limit=CAP))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, chromium-browser or google-chrome on the PATH")
STEPS = 8


def make_rollout(task: Instruction, text: str, tokens: int = 20, direct: bool = False, **fields: Any) -> Rollout:
    response = Response.split(text, style="none" if direct else "think", truncated=tokens >= CAP)
    (reward,) = SCORER.score([ScoredResponse(task, response, tokens)])
    reason = "length" if tokens >= CAP else "stop"
    defaults = {"group": 0, "sample": 0, "direct": direct, "completion": text, "completion_tokens": tokens}
    return Rollout.build(reward, instruction_id=task.id, finish_reason=reason, **{**defaults, **fields})


def write_evaluation(folder: Path, tasks: list[Instruction], texts: list[str]) -> None:
    rollouts = [make_rollout(task, text) for task, text in zip(tasks, texts, strict=True)]
    sampling = {"cap": CAP, "temperature": 1.0, "top_p": 1.0, "seed": 0, "batch_size": 8}
    metrics = {**summarize(rollouts), **floor_and_ceiling(tasks), "sampling": sampling}
    append_jsonl(folder / "rollouts.jsonl", rollouts)
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def write_training(folder: Path, tasks: list[Instruction]) -> None:
    rollouts = []
    for step in range(1, STEPS + 1):
        for group, task in enumerate(tasks[:2]):
            texts = (f"plan</think>{task.witness}", "no answer", "blank</think>")
            for sample, text in enumerate(texts):
                place = {"step": step, "group": group, "sample": sample, "tokens": CAP if sample == 1 else 9}
                rollouts.append(make_rollout(task, text, advantage=0.5 - sample, kept=sample != 2, **place))
            rollouts.append(make_rollout(task, "direct words", direct=True, step=step, group=group))
    append_jsonl(folder / "rollouts" / "rank0.jsonl", rollouts)
    logs = [{"step": step, "reward": step / STEPS, "hacc": None, "sacc": 0.5} for step in range(1, STEPS + 1)]
    append_jsonl(folder / "metrics.jsonl", [*logs, {"step": STEPS, "contrast/keep_ratio": float("nan")}])
    config = {"training": {"on_truncation": "zero", "contrast": "off", "max_completion_length": CAP}, "model": {}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "done.json").write_text(json.dumps({"steps": STEPS, "ranks": 1}), encoding="utf-8")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Return the folder of a small run, made with the writers of a real one."""
    run = tmp_path / "run"
    recipe = {**load_yaml(find_recipe("data/smoke")), "counts": {"train": 4, "test": 24}, "warm_start": None}
    make_dataset(parse_config(recipe, "smoke"), run / "data")
    tasks = read_data(run / "data")
    train, test = ([task for task in tasks if task.split == split] for split in ("train", "test"))
    write_evaluation(run / "evaluation" / "before", test, ["hm</think>."] * len(test))
    after = [f"{HOSTILE}</think>{HOSTILE}", *(f"plan</think>{task.witness}" for task in test[1:])]
    write_evaluation(run / "evaluation" / "after", test, after)
    write_training(run / "train", train)
    summary = summarize_run(run, "recipes/<b>demo</b>.yaml", 0, 75.0)
    (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return run


class Page(HTMLParser):
    """The elements, texts and embedded data of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][1].get("id") == "data" and not self.data:
            self.data = data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def read_page(run: Path) -> tuple[str, Page]:
    text = write_report(run).read_text(encoding="utf-8")
    return text, Page(text)


def test_page_is_self_contained(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    loads = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")]
    assert all(value is not None and value.startswith("#") for value in loads)
    assert page.count("link") == page.count("img") == page.count("iframe") == 0
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text


def test_hostile_text_stays_data(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    assert page.count("script") == 2
    assert "</script><script>" not in text
    assert "<b>demo</b>" not in text
    assert not re.search("[\u2028\u2029\x07<>&]", page.data)
    answers = {rollout["answer"] for rollout in json.loads(page.data)["rollouts"]}
    assert HOSTILE in answers


def test_page_shows_every_source_and_field(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    rollouts = json.loads(page.data)["rollouts"]
    assert [r["source"] for r in rollouts] == ["before"] * 24 + ["after"] * 24 + ["training"] * (STEPS * 8)
    direct = next(r for r in rollouts if r["direct"])
    assert (direct["thinking"], direct["answer"]) == (None, "direct words")
    cut = next(r for r in rollouts if r["truncated"])
    assert (cut["thinking"], cut["answer"]) == ("no answer", "")
    assert "Training: 64 of 64" in text
    assert "on_truncation: zero" in text
    assert "64 tokens" in text
    assert "Contrast was off in this run." in text
    assert "1 min 15 s" in text
    assert page.count("svg") == 3  # before and after, reward, following


def test_bytes_depend_on_the_folder_alone(run_folder: Path) -> None:
    first = write_report(run_folder).read_bytes()
    code = "import sys; from pathlib import Path; from raif.report import write_report; write_report(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(run_folder)], check=True)
    assert (run_folder / "report.html").read_bytes() == first


def test_many_rollouts_are_sampled_as_whole_groups(run_folder: Path) -> None:
    task = read_data(run_folder / "data")[0]
    long = make_rollout(task, "x" * 2_000 + "</think>" + "<" * 2_000)
    places = [(step, sample) for step in range(1, 1_001) for sample in range(4)]
    rows = [long.model_copy(update={"step": step, "sample": sample}) for step, sample in places]
    append_jsonl(run_folder / "train" / "rollouts" / "rank1.jsonl", rows)
    text, page = read_page(run_folder)
    shown = [r for r in json.loads(page.data)["rollouts"] if r["source"] == "training" and r["step"] > STEPS]
    assert len(text.encode()) < 6_000_000
    assert {r["step"] for r in shown} >= {1_000}
    assert sorted(r["sample"] for r in shown) == sorted(list(range(4)) * (len(shown) // 4))
    assert re.search(r"Training: \d+ of 4,064", text)


def test_missing_parts_leave_a_page(run_folder: Path) -> None:
    for part in ("train", "evaluation", "data"):
        shutil.rmtree(run_folder / part)
    text, page = read_page(run_folder)
    assert "No rollouts were recorded." in text
    assert json.loads(page.data) == {"rollouts": [], "instructions": {}}


def test_missing_summary_names_the_file_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"summary\.json.*raif run"):
        write_report(tmp_path)


def test_importing_raif_leaves_matplotlib_alone() -> None:
    code = "import sys, raif, raif.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def dump(page: Path, profile: Path) -> str:
    """Return the DOM of a page after its scripts have run."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"]
    flags += [f"--user-data-dir={profile}", "--virtual-time-budget=5000", "--dump-dom", page.as_uri()]
    assert CHROMIUM is not None
    return subprocess.run([CHROMIUM, *flags], capture_output=True, text=True, check=True, timeout=120).stdout


@browser
def test_browser_renders_rollouts_and_runs_nothing_else(run_folder: Path, tmp_path: Path) -> None:
    dom = dump(write_report(run_folder), tmp_path / "profile")
    assert 'data-ready="true"' in dom
    assert dom.count("<article") == 20
    assert "&lt;/script&gt;&lt;script&gt;window.hacked=1" in dom


HARNESS = """<body><iframe src="run/report.html" style="width:390px;height:900px"></iframe><script>
const seen = {};
onload = () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument, root = page.documentElement;
  const count = () => page.querySelectorAll("article").length;
  const set = (name, value) => {
    const form = page.getElementById("filters");
    form.elements[name].value = value;
    form.dispatchEvent(new Event("input"));
  };
  seen.overflow = root.scrollWidth - root.clientWidth;
  seen.width = root.clientWidth;
  page.querySelectorAll("details").forEach((details) => { details.open = true; });
  seen.overflowOpen = root.scrollWidth - root.clientWidth;
  seen.first = count();
  page.querySelector('[data-turn="1"]').click();
  seen.second = count();
  page.querySelector("article button").click();
  seen.pinned = [...page.querySelectorAll("article h3")].map((h) => h.textContent);
  page.querySelector("#pinned button").click();
  set("text", "window.HACKED");
  seen.text = count();
  set("text", "");
  set("source", "training");
  set("kept", "direct");
  seen.direct = page.querySelector("output").textContent;
  page.querySelector("#filters button[type=reset]").click();
  seen.reset = page.querySelector("output").textContent;
  page.querySelector("[data-constraint]").click();
  seen.violated = [page.getElementById("filters").elements.status.value, count()];
  seen.hacked = frame.contentWindow.hacked === undefined ? 0 : 1;
  document.body.dataset.seen = JSON.stringify(seen);
};
</script></body>"""


@browser
def test_browser_filters_and_fits_a_phone(run_folder: Path, tmp_path: Path) -> None:
    write_report(run_folder)
    (tmp_path / "harness.html").write_text(HARNESS, encoding="utf-8")
    dom = dump(tmp_path / "harness.html", tmp_path / "profile")
    found = re.search(r"data-seen='([^']*)'|data-seen=\"([^\"]*)\"", dom)
    assert found, "the harness did not finish"
    seen = json.loads((found[1] or found[2]).replace("&quot;", '"'))
    assert seen["hacked"] == 0
    assert 370 <= seen["width"] <= 390
    assert seen["overflow"] == seen["overflowOpen"] == 0
    assert (seen["first"], seen["second"], seen["text"]) == (20, 4, 1)
    assert seen["pinned"] == ["Before", "After"]
    assert seen["direct"] == "1 to 16 of 16, page 1 of 1"
    assert seen["reset"] == "1 to 20 of 24, page 1 of 2"
    assert seen["violated"][0] == "violated"
