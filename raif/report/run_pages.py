"""What the report says of a pipeline run and of a training."""

from __future__ import annotations

import re
from typing import Any

from raif.report.charts import Interval, before_after_chart, training_panels
from raif.report.document import Cell, Note, Panels, Picture, Record, Run, Section, Split, Table, count, name, share
from raif.report.facts import cap, pipeline_facts, training_facts
from raif.report.runs import Folder, read_json
from raif.report.scores import bound, constraint_rates, estimate
from raif.rollouts import read_jsonl

METRICS = {  # label in the summary's table -> key in metrics.json
    "HAcc": "hacc",
    "SAcc": "sacc",
    "answer correct": "correct",
    "truncated": "truncated",
    "well-formed": "well_formed",
}
WORDS = (
    "Brackets are 95 % intervals over instructions; below 20 instructions there are none. HAcc is the share of "
    "instructions with every constraint satisfied, SAcc the mean share of satisfied constraints. The floor is what a "
    "lone full stop earns, the ceiling what the reference answers earn. A rollout cut at the cap inside its thinking "
    "has no answer and satisfies nothing. n leaves out what no checker could decide, and tasks without a known answer."
)
CURVES = "Thin lines are single steps, thick lines a moving average; the figures are its first and last value."
_SIDES = ("floor", "before", "after", "gain", "ceiling")


def pipeline_run(folder: Folder) -> Run:
    """Return the parts of a run of `raif run`."""
    summary = read_json(folder.path / "summary.json")
    before, after = (read_json(folder.path / "evaluation" / side / "metrics.json") for side in ("before", "after"))
    config = read_json(folder.path / "train" / "config.json")
    rows = read_jsonl(folder.path / "train" / "metrics.jsonl")
    sections = [
        Section("result", "Before and after", [Split(_headline(summary, before, after), _chart(before, after))]),
        Section("constraints", "Constraints", [_constraints(before, after)]),
        Section("training", "Training", _training(rows, cap(summary, config))),
    ]
    results = {label: found for label, key in METRICS.items() if (found := estimate(after, key)) is not None}
    facts = pipeline_facts(summary, config)
    return Run("pipeline", folder.label, str(summary.get("recipe")), _lede(summary), facts, sections, results)


def training_run(folder: Folder) -> Run:
    """Return the parts of a training folder."""
    config, done, launch = (read_json(folder.path / f"{stem}.json") for stem in ("config", "done", "launch"))
    rows = read_jsonl(folder.path / "metrics.jsonl")
    blocks = _training(rows, config.get("training", {}).get("max_completion_length"))
    sections = [Section("training", "Training", blocks)]
    for stem, title in (("held_out", "Held-out data"), ("alarms", "Alarms")):
        table = _log(title, read_jsonl(folder.path / f"{stem}.jsonl"))
        sections += [Section(stem, title, [table])] if table else []
    steps = rows[-1].get("step", 0) if rows else 0
    lede = f"A training of {steps:,} logged steps." if rows else "A training that has logged no step yet."
    return Run("training", folder.label, folder.label, lede, training_facts(config, done, launch), sections)


def _training(rows: list[dict[str, Any]], limit: float | None) -> list[Any]:
    return [Note(CURVES), Panels(training_panels(rows, limit))]


def _log(title: str, rows: list[dict[str, Any]]) -> Table | None:
    """Return the last rows of a log as they are; estimates become shares."""
    if not rows:
        return None
    names = list(dict.fromkeys(key for row in rows for key in row))[:12]
    cells = [[_logged(row.get(key)) for key in names] for row in rows[-20:]]
    return Table(title, names, cells, f"The last {len(cells)} of {len(rows)} rows.")


def _logged(value: Any) -> Cell:
    if isinstance(value, dict) and "value" in value:
        return share(value)
    return name(f"{value:.4g}" if isinstance(value, float) else value)


def _lede(summary: Record) -> str:
    """Say in a sentence or two what happened to HAcc."""
    first, last, gain = (summary.get(f"hacc_{name}") for name in ("before", "after", "gain"))
    if first is None or last is None or gain is None:
        return "HAcc could not be compared before and after training."
    head = f"On {summary['n_eval']} held-out instructions, the share with every constraint satisfied (HAcc) went from "
    head += f"{100 * first:.1f} % to {100 * last:.1f} %"
    low, high = summary.get("hacc_gain_ci") or (None, None)
    if low is None or high is None:
        return f"{head}. There are too few instructions for an interval."
    head += f": {100 * gain:+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f}."
    return head if low > 0 or high < 0 else f"{head} That interval includes no change."


def _headline(summary: Record, before: Record, after: Record) -> Table:
    """Return the summary's table with values and intervals apart, and n."""
    rows = []
    for row in summary["table"]:
        key = METRICS.get(row["metric"], "")
        sizes = [found["n"] for metrics in (before, after) if (found := estimate(metrics, key)) is not None]
        cells = [_said(row[side], sizes[-1] if sizes else None, side in ("floor", "ceiling")) for side in _SIDES]
        rows.append([name(row["metric"]), *cells, _sizes(sizes)])
    return Table("Before and after", ("Metric, %", "Floor", "Before", "After", "Gain", "Ceiling", "n"), rows, WORDS)


def _said(text: str, n: int | None, quiet: bool) -> Cell:
    """Return an entry of the summary's table, such as "+9.5 [+2.0, +17.1]" points, with its numbers as shares."""
    head, _, interval = text.partition(" ")
    numbers = [float(number) / 100 for number in re.findall(r"[-+]?\d+(?:\.\d+)?", text)]
    if not numbers:
        return Cell("–", quiet=quiet)
    low, high = numbers[1:] if len(numbers) == 3 else (None, None)
    value = numbers[0] if quiet else {"value": numbers[0], "low": low, "high": high, "n": n}
    return Cell(head, interval, value, quiet=quiet)


def _sizes(sizes: list[int]) -> Cell:
    different = list(dict.fromkeys(sizes))
    if len(different) == 1:
        return count(different[0])
    return Cell(" / ".join(map(str, different)) or "–", value=sizes, quiet=True)


def _chart(before: Record, after: Record) -> Picture | None:
    rows = []
    for label, key in METRICS.items():
        first, last = estimate(before, key), estimate(after, key)
        if first is not None and last is not None:
            rows.append(Interval(label, first, last, bound(before, "floor", key), bound(before, "ceiling", key)))
    return Picture("Before and after", before_after_chart(rows), legend=True) if rows else None


def _constraints(before: Record, after: Record) -> Table | Note:
    """Return pass rates per constraint type, the weakest after training first."""
    first, last = constraint_rates(before), constraint_rates(after)
    names = sorted({**first, **last}, key=lambda key: (_value(last, key) is None, _value(last, key) or 0.0, key))
    if not names:
        return Note("No pass rates were recorded.")
    rows = [
        [name(key, constraint=True), share(first.get(key), bar=True), share(last.get(key), bar=True),
         _change(_value(first, key), _value(last, key)),
         _sizes([side[key]["n"] for side in (first, last) if key in side])]
        for key in names
    ]  # fmt: skip
    note = "Share of verdicts that are satisfied, weakest after training first; the thin line is the 95 % interval. "
    note += "A name shows its violations after training."
    return Table("Pass rates, %", ("Constraint", "Before", "After", "Change", "n"), rows, note)


def _value(rates: Record, key: str) -> float | None:
    found: float | None = (rates.get(key) or {}).get("value")
    return found


def _change(first: float | None, last: float | None) -> Cell:
    if first is None or last is None:
        return Cell("–")
    return Cell(f"{100 * (last - first):+.0f}", value=last - first)
