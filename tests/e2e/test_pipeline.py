"""The main job on a small scale: seeds to report in one command, and a second start that does nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from raif.run import run_pipeline
from rewards.errors import RaifError

PROMISED = {
    "hacc_before", "hacc_after", "hacc_gain_ci", "sacc_before", "sacc_after", "keep_ratio_mean", "cloning_loss_first",
    "cloning_loss_last", "truncation_rate_before", "truncation_rate_after", "floor_hacc", "ceiling_hacc", "n_eval",
    "seconds",
}  # fmt: skip


@pytest.mark.slow
def test_the_pipeline_ends_in_a_summary_and_a_report(tmp_path: Path) -> None:
    train = tmp_path / "train.yaml"
    smoke = Path("recipes/smoke/cpu.yaml").read_text(encoding="utf-8")
    train.write_text(smoke.replace("max_steps: 10", "max_steps: 2").replace("save_steps: 5", "save_steps: 2"))
    recipe = tmp_path / "pipeline.yaml"
    recipe.write_text(f"data: data/smoke\ntrain: {train}\nevaluate: {{limit: 24}}\n", encoding="utf-8")
    out = tmp_path / "run"
    summary = run_pipeline(str(recipe), out, 3, Console(quiet=True))
    assert set(summary) >= PROMISED
    assert summary["n_eval"] == 24
    assert summary["ceiling_hacc"] == 1.0
    assert summary["floor_hacc"] == 0.0
    assert 0 <= summary["keep_ratio_mean"] <= 1
    assert summary["cloning_loss_first"] > 0
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (out / "report.html").stat().st_size > 10_000
    files = {path: path.stat().st_mtime_ns for path in out.rglob("rollouts*/*.jsonl")}
    again = run_pipeline(str(recipe), out, 3, Console(quiet=True))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("rollouts*/*.jsonl")} == files
    with pytest.raises(RaifError, match=r"other settings \(seed differ\)"):
        run_pipeline(str(recipe), out, 4, Console(quiet=True))
    assert {key: again[key] for key in PROMISED - {"seconds"}} == {key: summary[key] for key in PROMISED - {"seconds"}}
