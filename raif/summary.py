"""summary.json: what a run did to the policy, in one flat record."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from raif import __version__
from raif.evaluation.comparison import cell, estimate_of, gain
from raif.evaluation.runner import load_evaluation
from raif.evaluation.stats import Estimate
from raif.rollouts import read_jsonl
from raif.versions import commit, versions


def summarize_run(out: Path, recipe: str, seed: int, seconds: float) -> dict[str, Any]:
    """Return the summary of a run folder: metrics before and after, gains, training means, versions."""
    before, first = load_evaluation(out / "evaluation" / "before")
    after, second = load_evaluation(out / "evaluation" / "after")
    gains = {field: gain(first, second, field) for field in ("hard", "soft", "correct")}
    training = read_jsonl(out / "train" / "metrics.jsonl")
    cloning = [row["cloning/loss"] for row in training if row.get("cloning/loss") is not None]
    keep = [row["contrast/keep_ratio"] for row in training if row.get("contrast/keep_ratio") is not None]
    tenth = max(1, len(cloning) // 10)  # one step's experts are few: the ends are means over a tenth of the steps
    return {
        "schema_version": 1,
        "recipe": recipe,
        "seed": seed,
        "n_eval": before["n"],
        "hacc_before": before["strict"]["hacc"],
        "hacc_after": after["strict"]["hacc"],
        "hacc_gain": gains["hard"].value,
        "hacc_gain_ci": [gains["hard"].low, gains["hard"].high],
        "sacc_before": before["strict"]["sacc"],
        "sacc_after": after["strict"]["sacc"],
        "sacc_gain_ci": [gains["soft"].low, gains["soft"].high],
        "correct_before": before["correct"]["value"],
        "correct_after": after["correct"]["value"],
        "keep_ratio_mean": _mean(keep),
        "cloning_loss_first": _mean(cloning[:tenth]),
        "cloning_loss_last": _mean(cloning[-tenth:]),
        "truncation_rate_before": before["truncated"]["value"],
        "truncation_rate_after": after["truncated"]["value"],
        "floor_hacc": before["floor"]["strict"]["hacc"],
        "floor_sacc": before["floor"]["strict"]["sacc"],
        "ceiling_hacc": before["ceiling"]["strict"]["hacc"],
        "ceiling_sacc": before["ceiling"]["strict"]["sacc"],
        "training_steps": json.loads((out / "train" / "done.json").read_text(encoding="utf-8"))["steps"],
        "seconds": seconds,
        "sampling": before["settings"]["sampling"],
        "table": _table(before, after, gains),
        "versions": {"raif": __version__, "python": platform.python_version(), **versions()},
        "commit": commit(),
    }


def _table(before: dict[str, Any], after: dict[str, Any], gains: dict[str, Estimate]) -> list[dict[str, str]]:
    names = {"hacc": ("HAcc", "hard"), "sacc": ("SAcc", "soft"), "correct": ("answer correct", "correct")}
    rows = []
    for key, (label, field) in names.items():
        rows.append(
            {
                "metric": label,
                "floor": _percent(before["floor"]["strict"].get(key)),
                "before": cell(estimate_of(before, key)),
                "after": cell(estimate_of(after, key)),
                "gain": cell(gains[field]._asdict(), signed=True),
                "ceiling": _percent(before["ceiling"]["strict"].get(key)),
            }
        )
    for key, label in (("truncated", "truncated"), ("well_formed", "well-formed")):
        row = {"metric": label, "floor": "", "gain": "", "ceiling": ""}
        rows.append({**row, "before": cell(before[key]), "after": cell(after[key])})
    return rows


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
