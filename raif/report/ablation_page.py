"""What the report says of an ablation: results over seeds for every setting, contrasts, and every single run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, amount, count, name, p_value, share
from raif.report.facts import settings_facts, shown
from raif.report.figures import ablation_pictures
from raif.report.runs import Folder, read_json
from raif.report.sustain_comparison_page import comparison_blocks

SHARES = {
    "hacc": "HAcc",
    "sacc": "SAcc",
    "correct": "answer correct",
    "accuracy": "accuracy",
    "sustain": "SUSTAIN",
    "net": "NET",
    "comply": "COMPLY",
    "delta_acc": "change of accuracy",
    "truncated": "truncated at evaluation",
    "training_truncated": "truncated in training",
}
AMOUNTS = {
    "completion_tokens": "completion tokens",
    "rollout_tokens": "rollout tokens",
    "steps": "steps",
    "prompts": "prompts",
}
NAMES = {**SHARES, **AMOUNTS}
OF_RUNS = ("rollout_tokens", "steps", "prompts")  # the same in every seed, or nearly: in the table of runs
OVER_SEEDS = "Means over seeds with 95 % intervals by Student's t; n is the number of seeds."


def ablation_run(folder: Folder) -> Run:
    """Return the parts of an ablation folder."""
    found = read_json(folder.path / "results.json")
    axes: Mapping[str, Any] = found.get("axes") or {}
    blocks: list[Block] = [*ablation_pictures(found), _cells(found, list(axes))]
    if found.get("contrasts"):
        blocks.append(_contrasts(found["contrasts"]))
    if found.get("rule"):
        blocks.append(Note(f"Rule: {found['rule']}"))
    if found.get("missing"):
        blocks.append(Note("Not finished, and in none of the numbers:", found["missing"]))
    sections = [Section("result", "Result", blocks), Section("runs", "Runs", [_runs(found, list(axes))])]
    if compared := read_json(folder.path / "comparison.json"):
        sections.insert(1, Section("sustain", "SUSTAIN of all runs", comparison_blocks(compared)))
    first = {
        "Ablation": found.get("name"),
        **{f"Axis {axis}": shown(values) for axis, values in axes.items()},
        "Seeds": shown(found.get("seeds")),
        "Equal": f"training {found.get('equal')}" if found.get("equal") else "",
    }
    title = f"Ablation: {found.get('name', folder.label)}"
    return Run("ablation", folder.label, title, _lede(found), settings_facts(found, first), sections)


def _cells(found: Record, axes: list[str]) -> Table:
    cells = list(found["cells"])
    if found.get("before") and all(cell["axes"] for cell in cells):
        cells.insert(0, {"axes": {}, "metrics": _over_seeds(found)})
    measured = [key for key in _measured([cell["metrics"] for cell in cells]) if key not in OF_RUNS]
    rows = []
    for cell in cells:
        start = [name(shown(cell["axes"].get(axis)) or "untrained") for axis in axes]
        seeds = max((_n(value) for value in cell["metrics"].values()), default=0)
        rows.append([*start, *_metrics(cell["metrics"], measured), count(seeds)])
    return Table("By setting", [*axes, *map(_head, measured), "seeds"], rows, OVER_SEEDS)


def _over_seeds(found: Record) -> dict[str, Record]:
    """Return the untrained policy's metrics over seeds."""
    from raif.evaluation.stats import over_seeds

    values: dict[str, list[float]] = {}
    for run in found["before"]:
        for key, value in run["metrics"].items():
            if isinstance(value, int | float):
                values.setdefault(key, []).append(value)
    return {key: over_seeds(seeds)._asdict() for key, seeds in values.items()}


def _contrasts(contrasts: Sequence[Record]) -> Table:
    rows = [_contrast(row) for row in contrasts]
    columns = ("From → to", "Of", "Difference (items)", "p", "p (Holm)", "Difference (seeds)", "n")
    note = (
        "Differences in points, paired by item (see the rule below); p (Holm) is adjusted for all rows of this table."
    )
    return Table("Contrasts", columns, rows, note)


def _contrast(row: Record) -> list[Cell]:
    write = amount if row["metric"] in AMOUNTS else share
    return [
        name(f"{_setting(row['from'])} → {_setting(row['to'])}"),
        name(NAMES.get(row["metric"], row["metric"])),
        write(row["estimate"], signed=True),
        p_value(row.get("p")),
        p_value(row.get("p_holm")),
        write(row.get("over_seeds"), signed=True),
        count((row.get("estimate") or {}).get("n")),
    ]


def _runs(found: Record, axes: list[str]) -> Table:
    runs = [*(found.get("before") or []), *found["runs"]]
    measured = _measured([run["metrics"] for run in runs])
    rows = []
    for run in runs:
        estimates = {**run["metrics"], **(run.get("estimates") or {})}
        settings = [name(shown((run.get("axes") or {}).get(axis)) or "untrained") for axis in axes]
        rows.append([name(run.get("id", "before")), *settings, name(run.get("seed")), *_metrics(estimates, measured)])
    note = "Intervals are over the items of a run."
    return Table("Every run", ["Run", *axes, "Seed", *map(_head, measured)], rows, note, folded=len(rows) > 8)


def _setting(value: Any) -> str:
    return shown(value.get("axes", value) if isinstance(value, Mapping) else value)


def _measured(metrics: Sequence[Record]) -> list[str]:
    return [key for key in (*SHARES, *AMOUNTS) if any(row.get(key) is not None for row in metrics)]


def _metrics(found: Record, measured: Sequence[str]) -> list[Cell]:
    return [(amount if key in AMOUNTS else share)(found.get(key)) for key in measured]


def _head(key: str) -> str:
    return AMOUNTS[key] if key in AMOUNTS else f"{SHARES[key]}, %"


def _n(value: Any) -> int:
    return int(value.get("n") or 0) if isinstance(value, Mapping) else 0


def _lede(found: Record) -> str:
    axes = " x ".join(f"{len(values)} {axis}" for axis, values in (found.get("axes") or {}).items())
    return f"{len(found['runs'])} runs: {axes}, {len(found.get('seeds') or [])} seeds."
