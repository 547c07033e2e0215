"""SUSTAIN by dose, by what the items and their constraints are, by how solved tasks were lost, and by arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from raif.evaluation import stats
from raif.sustain.cases import Case
from raif.sustain.estimates import change, share
from raif.sustain.records import ARMS, CONSTRAINED, PLACEBO, Demand, SustainRollout

MIN_GROUP = 30  # items below which a family, source or label has no number
EXAMPLES = 3  # rollouts shown of a class of failures
OTHER = "other"


class Part(NamedTuple):
    """A case, and which of its single constraints belong to a group."""

    case: Case
    places: tuple[int, ...]


# ---- doses --------------------------------------------------------------------------------------------------------


def doses_of(cases: Sequence[Case]) -> list[int]:
    """Return the doses that occur, in order."""
    return sorted({dose for case in cases for arm, dose, _ in case.slots if arm == CONSTRAINED})


def has_dose(case: Case, dose: int) -> bool:
    """Tell whether an item has a dose, decided with and without the constraints."""
    return None not in (case.right(CONSTRAINED, dose), case.right(PLACEBO, dose))


def dose_point(cases: Sequence[Case], dose: int) -> dict[str, Any]:
    """Return the point of a dose curve; at dose 1 it is of the first constraint of each item, which the others add to.

    `comply_each` is the mean share of the constraints that are met, `comply_all` the share of outputs that meet all.
    """
    kept = [case for case in cases if has_dose(case, dose)]
    sustained = [case.right(CONSTRAINED, dose) or 0.0 for case in kept]
    placebo = [case.right(PLACEBO, dose) or 0.0 for case in kept]
    rows = sum(len(case.slots[CONSTRAINED, dose, 0]) for case in kept)
    return {
        "dose": dose,
        "n": len(kept),
        "sustain": share(sustained, rows),
        "placebo": share(placebo, sum(len(case.slots[PLACEBO, dose, 0]) for case in kept)),
        "net": change(sustained, placebo)["estimate"],
        "comply_each": share_of_known([case.met_share(CONSTRAINED, dose) for case in kept], rows),
        "comply_all": share_of_known([case.complied(CONSTRAINED, dose) for case in kept], rows),
    }


# ---- groups -------------------------------------------------------------------------------------------------------


def by_demand(cases: Sequence[Case], name: Callable[[Demand], str]) -> dict[str, Any]:
    """Return the results by what the constraint is; an item with several is in the group of each."""
    found: dict[str, list[Part]] = defaultdict(list)
    for case in cases:
        names = {place: name(case.item.demands[place]) for place in case.places}
        for group in sorted({*names.values()}):
            found[group].append(Part(case, tuple(place for place in names if names[place] == group)))
    return _table(found)


def by_source(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the results by data set and by label of the tasks, such as `hops=2`."""
    found: dict[str, list[Part]] = defaultdict(list)
    for case in cases:
        task = case.item.task
        for name in (task.source, *(f"{label}={value}" for label, value in task.labels.items())):
            found[name].append(Part(case, case.places))
    return _table(found)


def _table(groups: dict[str, list[Part]]) -> dict[str, Any]:
    """Return the results of each group, with p values adjusted for how many groups there are."""
    table = {name: _group(groups[name]) for name in sorted(groups)}
    adjusted = stats.holm({name: row["net"]["p"] for name, row in table.items() if row["net"]["p"] is not None})
    for name, row in table.items():
        row["net"]["p_holm"] = adjusted.get(name)
    return table


def _group(parts: Sequence[Part]) -> dict[str, Any]:
    sustained = [part.case.sustained_at(part.places) or 0.0 for part in parts]
    placebo = [part.case.placebo or 0.0 for part in parts]
    rows = sum(len(part.case.asked_at(part.places)) for part in parts)
    return {
        "n": len(parts),
        "sustain": share(sustained, rows, MIN_GROUP),
        "placebo": share(placebo, sum(part.case.samples(PLACEBO, 1) for part in parts), MIN_GROUP),
        "comply": share_of_known([part.case.complied_at(part.places) for part in parts], rows, MIN_GROUP),
        "net": change(sustained, placebo, MIN_GROUP),
    }


# ---- failures and arms --------------------------------------------------------------------------------------------


def failures(cases: Sequence[Case]) -> dict[str, Any]:
    """Return how solved tasks were lost under one constraint: by class, crossed with whether it was met."""
    lost = [rollout for case in cases for rollout in case.asked if not case.is_right(rollout)]
    classes: dict[str, list[SustainRollout]] = defaultdict(list)
    for rollout in lost:
        classes[rollout.failure or OTHER].append(rollout)
    return {
        name: {
            "n": len(found),
            "met": sum(rollout.met is True for rollout in found),
            "broken": sum(rollout.met is False for rollout in found),
            "share": len(found) / len(lost),
            "examples": [{"id": each.instruction_id, "sample": each.sample} for each in found[:EXAMPLES]],
        }
        for name, found in sorted(classes.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    }


def truncation(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the share of outputs that the cap cut off, by arm, up to dose 1."""
    rates = {}
    for arm in ARMS:
        known = [(r.instruction_id, r.truncated) for r in _of_arm(cases, arm) if r.truncated is not None]
        means = stats.item_means([key for key, _ in known], [float(cut) for _, cut in known])
        rates[arm] = share([*means.values()], len(known))
    return rates


def tokens(cases: Sequence[Case]) -> dict[str, float | None]:
    """Return the mean number of completion tokens, by arm, up to dose 1; None where nobody counted."""
    means = {}
    for arm in ARMS:
        known = [r.completion_tokens for r in _of_arm(cases, arm) if r.completion_tokens is not None]
        means[arm] = sum(known) / len(known) if known else None
    return means


def _of_arm(cases: Sequence[Case], arm: str) -> Iterable[SustainRollout]:
    return (
        rollout
        for case in cases
        for (name, dose, _), rollouts in case.slots.items()
        if name == arm and dose <= 1
        for rollout in rollouts
    )


def share_of_known(values: Sequence[float | None], rows: int, least: int = stats.MIN_ITEMS) -> dict[str, Any]:
    """Return a share over the items that have a value; those without are missing in its `n`."""
    known = [value for value in values if value is not None]
    return share(known, rows * len(known) // max(1, len(values)), least)
