"""The table of a combined run, comparisons of models, and their page."""

from __future__ import annotations

import gzip
import json
import math
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from raif.benchmarks.figures import Figure, ScoreRow, differences
from raif.benchmarks.table import ALL, OF_RAIF, average, changes, load_table, markdown, remarks, shown_of
from raif.plots.suite import suite_figure
from raif.report import write_report
from rewards.errors import RaifError
from tests.benchmark_judge import completion
from tests.judge_server import Answer
from tests.raif.suite_support import answer_to, served, serving, write_data

PAPER = ["IFEval", "CELLO", "CFBench", "ComplexBench", "FB-Bench", "FollowBench", "InfoBench"]


def estimate(value: float | None, half: float | None = 0.1, n: int = 100) -> dict[str, Any]:
    low, high = (None, None) if half is None or value is None else (value - half, value + half)
    return {"value": value, "low": low, "high": high, "n": n}


def make_row(name: str, value: float | None = 0.5, official: float | None = None, **fields: Any) -> dict[str, Any]:
    profiles = {"strict": estimate(value), "parity": estimate(value if official is None else official)}
    known = {
        "name": name, "title": dict(zip(OF_RAIF, PAPER, strict=True)).get(name, name), "metric": "DRFR",
        "profile": "strict", **profiles["strict"], "profiles": profiles, "truncated": estimate(0.25),
        "policy_tokens": 1200, "judge": "judge", "judge_calls": 30, "judge_tokens": 900, "verdicts": 60,
        "unreadable": 2, "warning": "", "edition": "100 items", "items": f"100:{name}", "note": "",
    }  # fmt: skip
    return {**known, **fields}


def make_table(rows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    known = {"suite": "suite", "model": "m", "judge": "judge", "rows": rows, "average": average(rows), "absent": {}}
    return {**known, "failed": {}, "warning": "", "settings": {}, **fields}


def write_run(folder: Path, rows: list[dict[str, Any]], scores: dict[str, list[ScoreRow]]) -> Path:
    folder.mkdir()
    (folder / "table.json").write_text(json.dumps(make_table(rows)), encoding="utf-8")
    lines = [
        json.dumps({"benchmark": name, "profile": profile, **row._asdict()})
        for name, made in scores.items()
        for row in made
        for profile in ("strict", "parity")
    ]
    (folder / "scores.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_seven_come_in_the_papers_order_and_the_numbers_are_the_papers() -> None:
    assert list(OF_RAIF.values()) == PAPER
    assert ALL[7:] == ("ifbench", "mathif")
    shown = {name: shown_of(name).name for name in ALL}
    assert shown == {
        "ifeval": "prompt_loose", "cello": "average", "cfbench": "mean", "complexbench": "drfr", "fbbench": "overall",
        "followbench": "raif_22", "infobench": "drfr", "ifbench": "prompt_loose", "mathif": "hacc",
    }  # fmt: skip


def test_the_average_is_plain_and_its_interval_joins_independent_parts() -> None:
    rows = [make_row(name, 0.1 * number) for number, name in enumerate(OF_RAIF, 1)]
    found = average([*rows, make_row("mathif", 1.0)])
    assert found["title"] == "Avg."
    mean = found["profiles"]["strict"]
    assert mean["value"] == pytest.approx(0.4)
    assert mean["high"] - mean["value"] == pytest.approx(math.sqrt(7 * 0.1**2) / 7)
    assert mean["n"] == 700


def test_the_average_has_its_name_only_if_all_seven_are_whole() -> None:
    rows = [make_row(name) for name in OF_RAIF]
    assert average(rows[1:])["title"] == "Mean of 6 of 7"
    assert average(rows, limited=True)["title"] == "Mean of 7 of 7"
    assert average([make_row("ifeval", None), *rows[1:]])["names"] == [*OF_RAIF][1:]
    none = average([make_row("mathif")])
    assert none["n"] == 0
    assert none["profiles"]["strict"]["value"] is None


def test_an_average_of_parts_without_an_interval_has_none() -> None:
    bare = {"strict": estimate(0.2, None, 5), "parity": estimate(0.2, None, 5)}
    rows = [make_row("ifeval", 0.4), make_row("cello", profiles=bare)]
    found = average(rows)["profiles"]["strict"]
    assert (found["value"], found["low"]) == (pytest.approx(0.3), None)


def test_markdown_has_the_papers_layout_and_says_what_is_missing() -> None:
    rows = [make_row("ifeval", 0.7006), make_row("infobench", 0.8267, 0.9), make_row("mathif", 0.4)]
    table = make_table(rows, absent={"cello": "no\nfile"}, failed={"fbbench": "the judge\nis gone"})
    text = markdown(table)
    assert "| Model | IFEval | InfoBench | Mean of 2 of 7 | mathif |" in text
    assert "| m, strict | 70.06 | 82.67 | 76.36 | 40.00 |" in text
    assert "| m, official | 70.06 | 90.00 | 80.03 | 40.00 |" in text
    assert "82.67 [72.7, 92.7] | 90.00 [80.0, 100.0]" in text
    assert "CELLO is absent: no file" in text
    assert "FB-Bench has failed: the judge is gone" in text
    lines = [line for line in text.splitlines() if line.startswith("| IFEval |")]
    assert lines == ["| IFEval | DRFR | 70.06 [60.1, 80.1] | same | 100 | 25.00 | 1,200 | 30 | 900 | 2 | 100 items |"]


def test_a_judge_of_the_policys_family_is_warned_of() -> None:
    assert "one family" in " ".join(remarks(make_table([make_row("infobench")], warning="of one family (Qwen)")))


def test_changes_are_paired_over_the_same_items(tmp_path: Path) -> None:
    first = [ScoreRow(f"i{n}", {"drfr": (n % 3 == 0, 1)}, {"subset": "easy"}) for n in range(60)]
    second = [ScoreRow(f"i{n}", {"drfr": (n % 2 == 0, 1)}, {"subset": "easy"}) for n in range(60)]
    loose = [ScoreRow(f"i{n}", {"prompt_loose": (n % 2, 1)}) for n in range(40)]
    rows = [make_row("ifeval"), make_row("infobench"), make_row("mathif")]
    one = write_run(tmp_path / "one", rows, {"infobench": first, "ifeval": loose})
    other = [make_row("ifeval"), make_row("infobench"), make_row("mathif", items="90:other")]
    two = write_run(tmp_path / "two", other, {"infobench": second, "ifeval": loose})
    found = changes(one, two)
    expected = differences([Figure("drfr", "DRFR", "drfr")], first, second)["drfr"]
    assert found["infobench"] == expected._asdict()
    assert found["infobench"]["value"] == pytest.approx(10 / 60)
    assert found["ifeval"]["value"] == 0
    assert found["mathif"]["reason"] == "of other items"
    assert found["mean"]["value"] == pytest.approx(5 / 60)
    assert found["mean"]["over"] == 2
    assert found["mean"]["high"] - found["mean"]["value"] >= (expected.high - expected.value) / 2 - 1e-12


def test_a_folder_without_a_table_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="raif evaluate suite"):
        load_table(tmp_path)


def test_the_chart_says_every_number() -> None:
    table = make_table([make_row(name, 0.1 * number, 0.9) for number, name in enumerate(OF_RAIF, 1)])
    plot = suite_figure({"m": table})
    assert (
        "InfoBench, DRFR: strict 70.0 % [60.0, 80.0], n 100; official 90.0 % [80.0, 100.0], n 100." in plot.description
    )
    assert plot.description.count("Avg.") == 1
    assert len(plot.figure.axes[0].get_yticks()) == 8
    several = suite_figure({str(number): table for number in range(5)})
    assert several.figure is None
    assert "too many" in several.absent


# ---- pages --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two finished runs of two models, over items whose ids are the same in every benchmark."""
    folder = tmp_path_factory.mktemp("runs")
    data = str(write_data(folder / "data"))
    with serving() as server:
        assert served(server, folder / "one", data=data, skip_missing=True) == 0
        server.script = lambda number, body: (
            answer_to({**body, "messages": [*body["messages"], {"content": "x"}]})
            if body["model"] == "policy"
            else Answer(completion("NO"))  # so that its verdicts differ
        )
        assert served(server, folder / "two", data=data, skip_missing=True) == 0
    return [folder / "one", folder / "two"]


def packed(page: Path, kind: str) -> list[dict[str, Any]]:
    found = re.findall(rf'<script[^>]*data-pack="{kind}"[^>]*>\s*"([^"]+)"', page.read_text(encoding="utf-8"))
    return [row for chunk in found for row in json.loads(gzip.decompress(b64decode(chunk)))]


def test_the_page_of_a_run_has_the_table_and_the_right_prompts(runs: list[Path], tmp_path: Path) -> None:
    page = write_report(runs[0], tmp_path / "page.html", markdown=tmp_path / "page.md", json=tmp_path / "page.json")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert (
        "| Profile | IFEval | CELLO | CFBench | ComplexBench | FB-Bench | FollowBench | InfoBench | Mean of 2 of 7 |"
        in text
    )
    assert "Policy tokens" in text
    assert "CELLO is absent" in text
    tasks = {row["id"]: row["prompt"] for row in packed(page, "tasks")}
    assert len(tasks) == 90
    for name, word in (("ifeval", "ifeval"), ("ifbench", "ifbench"), ("infobench", "InfoBench")):
        assert tasks[f"{name}/7"].startswith(f"{word} asks")
        assert tasks[f"{name}/7"].endswith("number 7.")
    table = load_table(runs[0])
    shown = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert table["rows"][0]["value"] in _numbers(shown)


def test_the_page_of_two_runs_has_paired_changes(runs: list[Path], tmp_path: Path) -> None:
    write_report(runs, tmp_path / "page.html", markdown=tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "Changes against one, points" in text
    assert "| Run | IFEval | InfoBench | Mean | IFBench |" in text
    found = changes(*runs)
    (line,) = [line for line in text.splitlines() if line.startswith("| two |") and line.count("|") == 6]
    assert f"{100 * found['infobench']['value']:+.1f} [{100 * found['infobench']['low']:+.1f}" in line
    assert found["infobench"]["value"] != 0
    assert "not adjusted" in text
    assert "Pass rates by constraint" not in text.partition("## one")[0]


def _numbers(content: Any) -> list[float]:
    if isinstance(content, dict):
        return [number for value in content.values() for number in _numbers(value)]
    if isinstance(content, list):
        return [number for value in content for number in _numbers(value)]
    return [content] if isinstance(content, float) else []
