"""The report page and its exports: every kind of run, self-contained, deterministic, safe with hostile text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from data_gen.shards import read_data
from raif.commands.report import report
from raif.report import write_report
from raif.report.page import make_report, write_page
from raif.report.survey import Place, spread
from raif.rollouts import append_jsonl
from rewards.errors import RaifError
from tests.raif.report_support import (
    HOSTILE,
    STEPS,
    Page,
    make_pipeline,
    make_rollout,
    write_ablation,
    write_length_bins,
    write_mathif,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pipeline(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture
def run_folder(made: Path, tmp_path: Path) -> Path:
    """Return the folder of a small run."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def read_page(*runs: Path, out: Path | None = None) -> tuple[str, Page]:
    """Return the text of a page (without the isolation of names) and its parts."""
    text = write_report(list(runs), out).read_text(encoding="utf-8")
    return re.sub("</?bdi>", "", text), Page(text)


def test_page_is_self_contained(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    loads = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")]
    assert all(value is not None and value.startswith("#") for value in loads)
    assert page.count("link") == page.count("img") == page.count("iframe") == 0
    assert not re.search(r"https?://|@import|<svg[^>]* on", text)
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))


def test_hostile_text_stays_data(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    assert page.count("script") == 2 + len(page.data["tasks"]) + len(page.data["rollouts"])
    assert "<b>demo</b>" not in text
    assert "&lt;b&gt;demo&lt;/b&gt;⟦U+202E⟧.yaml" in text
    assert not re.search("[\x00\u202a-\u202e\u2066-\u2069]", text)
    assert HOSTILE in {rollout["answer"] for rollout in page.rollouts}


def test_page_of_a_pipeline_shows_every_source_and_field(run_folder: Path) -> None:
    text, page = read_page(run_folder)
    names = [page.slot(number) for number in range(len(page.rollouts))]
    assert names == ["before"] * 24 + ["after"] * 24 + ["training"] * (STEPS * 8)
    direct = next(r for r in page.rollouts if r["answer"] == "direct words")
    assert direct["thinking"] is None
    cut = next(r for r in page.rollouts if r["thinking"] == "no answer")
    assert cut["answer"] == ""
    assert all(task["prompt"] and task["witness"] for task in page.tasks)
    for said in (
        "Training: 64 of 64",
        "on_truncation: zero",
        "64 tokens",
        "Contrast was off in this run.",
        "1 min 15 s",
    ):
        assert said in text
    assert page.count("svg") == 4  # before and after, constraints, reward, following


def test_bytes_depend_on_the_folder_alone(run_folder: Path) -> None:
    first = write_report(run_folder).read_bytes()
    code = """import sys; from pathlib import Path; from raif.report import write_report
early = "matplotlib" in sys.modules; write_report(Path(sys.argv[1]))
sys.exit(early or any(name in sys.modules for name in ("torch", "trl")))"""
    subprocess.run([sys.executable, "-c", code, str(run_folder)], check=True)
    assert (run_folder / "report.html").read_bytes() == first


def test_missing_parts_leave_a_page(run_folder: Path) -> None:
    for part in ("train", "evaluation", "data"):
        shutil.rmtree(run_folder / part)
    text, page = read_page(run_folder)
    assert "No rollouts were recorded." in text
    assert page.rollouts == page.tasks == []


def test_both_profiles_stand_side_by_side(tmp_path: Path) -> None:
    folder = write_mathif(tmp_path / "mathif")
    text, page = read_page(folder)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["parity"]["hacc"] > metrics["strict"]["hacc"]  # unfinished thinking counts for the official code
    for profile in ("strict", "parity"):
        assert f"Result, {profile}" in text
        assert f"{100 * metrics[profile]['hacc']:.1f}" in text
    assert {slot["name"] for slot in page.index["slots"]} == {"constrained", "unconstrained"}
    assert {profile for profile, _ in page.index["types"]} == {"strict", "parity"}
    assert "power" in text
    assert "No item contradicts itself." in text


def test_every_kind_of_run_has_its_page(tmp_path: Path, run_folder: Path) -> None:
    mathif = write_mathif(tmp_path / "mathif")
    bins, ablation = write_length_bins(mathif), write_ablation(tmp_path / "ablation")
    training, evaluation = run_folder / "train", run_folder / "evaluation" / "after"
    expected = {
        bins: ("Experiment: length-bins", "Rule: ", "Effects", "p (Holm)", "bins of equal width"),
        ablation: ("Ablation: caps", "Contrasts", "seed-2/cap=64", "untrained", "+12.5"),
        training: ("A training of", "Following in training", "Training: 64 of 64"),
        evaluation: ("instructions evaluation", "(strict profile)", "Ceiling", "Breakdowns"),
    }
    for folder, words in expected.items():
        text, _ = read_page(folder)
        assert [word for word in words if word not in text] == []
    text, page = read_page(*expected, out=tmp_path / "all.html")
    assert page.count("article") == len(expected)
    assert "Where the runs differ" in text
    assert page.index["runs"] == [folder.name for folder in expected]


def test_runs_are_compared_over_the_items_they_share(run_folder: Path, tmp_path: Path) -> None:
    sides = [run_folder / "evaluation" / side for side in ("before", "after")]
    out, markdown = tmp_path / "both.html", tmp_path / "both.md"
    write_report(sides, out, markdown=markdown, json=tmp_path / "both.json")
    found = json.loads((tmp_path / "both.json").read_text(encoding="utf-8"))
    changes = next(table for table in found["comparison"] if table["title"].startswith("Changes"))
    hacc = next(row for row in changes["rows"] if row[1] == "HAcc")
    summary = json.loads((run_folder / "summary.json").read_text(encoding="utf-8"))
    assert hacc[2]["value"] == pytest.approx(summary["hacc_gain"])
    assert [hacc[2]["low"], hacc[2]["high"]] == pytest.approx(summary["hacc_gain_ci"])
    assert hacc[2]["n"] == hacc[5] > 20
    assert hacc[3] < hacc[4] < 0.01
    metrics = json.loads((sides[1] / "metrics.json").read_text(encoding="utf-8"))
    assert found["runs"][1]["results"]["HAcc"]["value"] == metrics["strict"]["hacc"]
    assert f"{100 * summary['hacc_gain']:+.1f} [" in markdown.read_text(encoding="utf-8")


def test_exports_hold_every_number_and_no_markup(run_folder: Path, tmp_path: Path) -> None:
    markdown, exported = tmp_path / "report.md", tmp_path / "report.json"
    write_report(run_folder, markdown=markdown, json=exported)
    (run,) = json.loads(exported.read_text(encoding="utf-8"))["runs"]
    summary = json.loads((run_folder / "summary.json").read_text(encoding="utf-8"))
    hacc = run["tables"][0]["rows"][0]
    assert hacc[4]["value"] == pytest.approx(summary["hacc_gain"], abs=0.0005)
    assert {"value", "low", "high", "n"} == set(hacc[3])
    text = markdown.read_text(encoding="utf-8")
    assert "\\<b\\>demo\\</b\\>" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.count("|") - line.count("\\|") > 2
    assert "| HAcc |" in text


def test_long_runs_are_sampled_as_whole_groups(run_folder: Path) -> None:
    task = read_data(run_folder / "data")[0]
    one = make_rollout(task, "x</think>y")
    places = [(step, sample) for step in range(1, 301) for sample in range(4)]
    rows = [one.model_copy(update={"step": step, "sample": sample}) for step, sample in places]
    append_jsonl(run_folder / "train" / "rollouts" / "rank1.jsonl", rows)
    path = write_page(make_report([run_folder], limit=500), run_folder / "part.html")
    page = Page(path.read_text(encoding="utf-8"))
    text = re.sub("</?bdi>", "", path.read_text(encoding="utf-8"))
    shown = [r for number, r in enumerate(page.rollouts) if page.slot(number) == "training" and r["answer"] == "y"]
    assert len(page.rollouts) <= 500
    assert {r["step"] for r in shown} >= {300}
    assert sorted(r["sample"] for r in shown) == sorted(list(range(4)) * (len(shown) // 4))
    assert re.search(r"Training: \d+ of 1,264", text)
    assert "Before: 24 of 24" in text
    assert "skipped at even distances" in text


def test_spread_keeps_ends_and_the_limit() -> None:
    groups = [[Place(0, 0, n, 1)] * 8 for n in range(100)]
    kept = spread(groups, 100)
    assert len(kept) == 12
    assert (kept[0], kept[-1]) == (groups[0], groups[-1])
    assert spread(groups, 800) == groups


def test_a_line_cut_off_by_a_crash_is_left_out_and_another_is_an_error(run_folder: Path) -> None:
    path = run_folder / "train" / "rollouts" / "rank0.jsonl"
    lines = path.read_bytes()
    path.write_bytes(lines + lines[:200])
    assert "Training: 64 of 64" in read_page(run_folder)[0]
    path.write_bytes(b"{}\n" + lines)
    with pytest.raises(RaifError, match=r"rank0\.jsonl:1 is no rollout.*instruction_id"):
        write_report(run_folder)


def test_what_is_no_run_says_what_was_expected(tmp_path: Path, run_folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(
        RaifError, match=r"holds nothing.*summary\.json.*metrics\.json.*experiment\.json.*results\.json"
    ):
        write_report(empty)
    with pytest.raises(RaifError, match="no folder at"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(RaifError, match="named twice"):
        write_report([run_folder, run_folder], tmp_path / "x.html")
    with pytest.raises(RaifError, match=r"--out PAGE\.html"):
        write_report([run_folder, run_folder / "train"])
    with pytest.raises(RaifError, match=r"ends in \.html"):
        write_report(run_folder, tmp_path)


def test_command_writes_all_three(run_folder: Path, tmp_path: Path) -> None:
    wanted = {name: tmp_path / f"out.{name}" for name in ("html", "md", "json")}
    options = [f"--out={wanted['html']}", f"--markdown={wanted['md']}", f"--json={wanted['json']}"]
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(app, [str(run_folder / "train"), str(run_folder), *options])
    assert result.exit_code == 0, result.output
    assert all(path.is_file() and str(path) in result.output for path in wanted.values())
    assert Page(wanted["html"].read_text(encoding="utf-8")).index["runs"] == ["train", "run"]
