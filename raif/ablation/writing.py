"""`results.md` and `results.csv`: the cells with intervals, the contrasts, and one row a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.ablation.plan import BEFORE, SUSTAIN
from raif.evaluation.comparison import cell as in_percent

PERCENT = {
    "hacc": "HAcc", "sacc": "SAcc", "correct": "correct", "correct_unconstrained": "correct, no constraints",
    "accuracy": "accuracy", "sustain": "SUSTAIN", "net": "NET", "comply": "COMPLY", "delta_acc": "change of accuracy",
    "truncated": "truncated", "training_truncated": "truncated in training",
}  # fmt: skip
COUNTS = {
    "completion_tokens": "tokens an answer", "rollout_tokens": "tokens sampled", "steps": "steps", "prompts": "prompts",
}  # fmt: skip


def write_tables(results: Mapping[str, Any], out: Path) -> str:
    """Write `results.md` and `results.csv`; return the former."""
    text = markdown(results)
    (out / "results.md").write_text(text, encoding="utf-8", newline="\n")
    (out / "results.csv").write_text(rows_as_csv(results), encoding="utf-8", newline="\n")
    return text


def markdown(results: Mapping[str, Any]) -> str:
    """Return the cells and the contrasts as Markdown, in percent with 95 % intervals."""
    shown = [name for name in PERCENT if any(_has(cell, name) for cell in results["cells"])]
    counted = [name for name in COUNTS if any(_has(cell, name) for cell in results["cells"])]
    rows = [
        [
            *_axes(results, cell),
            str(len(cell["seeds"])),
            *(_percent(cell["metrics"], name) for name in shown),
            *(_count(cell["metrics"].get(name)) for name in counted),
        ]
        for cell in results["cells"]
    ]
    titles = [*results["axes"], "seeds", *(PERCENT[name] for name in shown), *(COUNTS[name] for name in counted)]
    lines = [f"# {results['name']}", "", _setting(results), "", *_table(titles, rows)]
    if results["missing"]:
        lines += ["", f"Not finished: {', '.join(results['missing'])}."]
    if results["contrasts"]:
        titles = ["from", "to", "metric", "change (items)", "p", "p (Holm)", "change (seeds)"]
        lines += ["", *_table(titles, [_contrast(row) for row in results["contrasts"]])]
    return "\n".join([*lines, "", results["rule"], ""])


def rows_as_csv(results: Mapping[str, Any]) -> str:
    """Return one row for every run, the untrained policies first."""
    runs: Sequence[Mapping[str, Any]] = [*results["before"], *results["runs"]]
    metrics = list(dict.fromkeys(name for run in runs for name in run["metrics"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "seed", *results["axes"], *metrics])
    for run in runs:
        axes = [run["axes"].get(axis, "") for axis in results["axes"]]
        writer.writerow([run["id"], run["seed"], *axes, *(_blank(run["metrics"].get(name)) for name in metrics)])
    return text.getvalue()


def _setting(results: Mapping[str, Any]) -> str:
    plan = results["settings"]["plan"]
    evaluation, budget = plan["evaluate"], results["token_budget"]
    shown = ", or shown in fine-tuning" if results["settings"].get("recipes of arms") else ""
    equal = f"{budget:,} sampled completion tokens{shown}" if budget else "optimiser steps and prompts"
    judged = f"{results['profile']} verdicts"
    if evaluation["suite"] == SUSTAIN:
        options = ", ".join(f"{name} {value}" for name, value in evaluation["options"].items())
        judged = f"tasks {evaluation['data']}" + (f", {options}" if options else "")
    return (
        f"Equal: {equal}, for all runs. Evaluated alike: {evaluation['suite']}, cap {evaluation['cap']}, "
        f"{evaluation['samples']} sample(s) an item, temperature {evaluation['temperature']:g}, "
        f"{judged}. In percent, with 95 % intervals over seeds."
    )


def _axes(results: Mapping[str, Any], cell: Mapping[str, Any]) -> list[str]:
    if not cell["axes"]:
        return [BEFORE, *[""] * (len(results["axes"]) - 1)]
    return [str(cell["axes"][axis]) for axis in results["axes"]]


def _contrast(row: Mapping[str, Any]) -> list[str]:
    change = in_percent(row["estimate"], signed=True)
    seeds = in_percent(row["over_seeds"], signed=True)
    return [row["from"], row["to"], PERCENT[row["metric"]], change, _p(row["p"]), _p(row["p_holm"]), seeds]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]


def _has(cell: Mapping[str, Any], name: str) -> bool:
    return name in cell["metrics"] and cell["metrics"][name]["value"] is not None


def _percent(metrics: Mapping[str, Any], name: str) -> str:
    return in_percent(metrics[name]) if name in metrics else ""


def _count(estimate: Mapping[str, Any] | None) -> str:
    return "" if estimate is None or estimate["value"] is None else f"{estimate['value']:,.0f}"


def _p(value: float | None) -> str:
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _blank(value: Any) -> Any:
    return "" if value is None else value
