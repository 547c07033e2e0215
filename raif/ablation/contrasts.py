"""Paired contrasts of an ablation: each value of an axis with the one before it, and with the untrained policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from raif.ablation.plan import BEFORE, SUSTAIN, Plan, label
from raif.evaluation.stats import holm, over_seeds, paired, record

if TYPE_CHECKING:
    from raif.ablation.collecting import Collected

METRICS = ("hacc", "sacc", "correct")
OF_SUSTAIN = ("accuracy", "sustain", "net", "comply")
Items = Mapping[str, float]


def contrasts(plan: Plan, found: Sequence[Collected]) -> list[dict[str, Any]]:
    """Return the change of every metric from one cell to another, over the seeds that both have.

    `estimate` and p resample the items and so speak of these very policies; `over_seeds` takes a seed as one
    observation (Student's t) and speaks of the training.
    """
    by_cell: dict[str, dict[int, Collected]] = {}
    for one in found:
        by_cell.setdefault(one.run.id.partition("/")[2], {})[one.run.seed] = one
    rows = []
    metrics = OF_SUSTAIN if plan.evaluate.suite == SUSTAIN else METRICS
    for first, second in pairs(plan):
        runs = [by_cell.get(cell, {}) for cell in (first, second)]
        seeds = [seed for seed in plan.seeds if all(seed in of_cell for of_cell in runs)]
        for metric in metrics if seeds else ():
            changes = pooled([(runs[0][seed].items[metric], runs[1][seed].items[metric]) for seed in seeds])
            estimate, p = paired([0.0] * len(changes), changes)
            by_seed = [pooled([(runs[0][seed].items[metric], runs[1][seed].items[metric])]) for seed in seeds]
            per_seed = over_seeds([fmean(values) for values in by_seed if values])
            row = {"from": first, "to": second, "metric": metric, "seeds": seeds}
            rows.append({**row, "estimate": record(estimate), "over_seeds": record(per_seed), "p": p})
    adjusted = holm({str(number): row["p"] for number, row in enumerate(rows) if row["p"] is not None})
    return [{**row, "p_holm": adjusted.get(str(number))} for number, row in enumerate(rows)]


def pairs(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the labels of the cells that are compared: neighbours and ends of each axis, then all with the start."""
    cells = [axes for axes, _ in plan.cells()]
    for axis in plan.axes:
        values = plan.values(axis)
        steps = [*pairwise(values), *([(values[0], values[-1])] if len(values) > 2 else [])]
        for first, second in steps:
            yield from ((label(axes), label({**axes, axis: second})) for axes in cells if axes[axis] == first)
    for axes in cells if plan.before else ():
        yield BEFORE, label(axes)


def pooled(seeds: Sequence[tuple[Items, Items]]) -> list[float]:
    """Return the change of every item; one that several seeds share is averaged over them: it is one item.

    Example:
        >>> pooled([({"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}), ({"a": 0.0}, {"a": 0.0})])
        [0.5, 0.0]
    """
    changes: dict[str, list[float]] = {}
    for first, second in seeds:
        for key in first:
            if key in second:
                changes.setdefault(key, []).append(second[key] - first[key])
    return [fmean(values) for values in changes.values()]
