"""The numbers of a SUSTAIN evaluation: a pure function of its items and judged rollouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from raif.evaluation import stats
from raif.sustain.breakdowns import (
    by_demand,
    by_source,
    dose_point,
    doses_of,
    failures,
    has_dose,
    share_of_known,
    tokens,
    truncation,
)
from raif.sustain.cases import Case, Rollouts, cases_of
from raif.sustain.estimates import change, counts, macro, power_note, retained, share
from raif.sustain.records import CONSTRAINED, DOMAINS, FIRST, PLACEBO, RETEST, SustainItem

_AVERAGED = ("sustain", "retest", "placebo", "net", "comply", "accuracy", "delta_acc")


def summarize(items: Sequence[SustainItem], rollouts: Rollouts, tau: float = 1.0) -> dict[str, Any]:
    """Return what a run shows, as `{"domains": {domain: record}, "mean": {name: estimate}}`.

    SUSTAIN is the share of outputs that are still right with a self-evident constraint in the prompt, over the tasks
    of D+: those that the model solved without it. Selection and noise alone bring it below 1, to mu + rho (1 - mu) for
    a mean accuracy mu and a correlation rho within items; RETEST tells how far. NET = PLACEBO - SUSTAIN is what the
    constraint costs beyond any text of its length. All shares are fractions; a value is null, with a reason, below 20
    items, and in groups of items below 30.

    Args:
        items: what was read off the first outputs.
        rollouts: all judged outputs, joined to the items by id.
        tau: the score from which an output is right.
    """
    domains: dict[str, Any] = {}
    for domain in DOMAINS:
        of_domain = [item for item in items if item.task.domain == domain]
        if of_domain:
            domains[domain] = _domain(of_domain, cases_of(of_domain, rollouts, tau), tau)
    return {"domains": domains, "mean": _mean(domains)}


def _domain(items: Sequence[SustainItem], cases: Sequence[Case], tau: float) -> dict[str, Any]:
    """Return the record of one domain; `undecided` counts the items of D+ that are in no arm, lacking a verdict."""
    dplus = [case for case in cases if case.item.in_dplus]
    kept = [case for case in cases if case.comparable]
    return {
        **_admission(items, tau),
        "undecided": len(dplus) - len(kept),
        "accuracy": _accuracy(cases, tau),
        **_arms(kept),
        "table": _table(kept, dplus),
        **_doses(kept),
        "by_group": by_demand(kept, lambda demand: demand.group),
        "by_family": by_demand(kept, lambda demand: demand.family),
        "by_source": by_source(kept),
        "by_tightness": by_demand(kept, lambda demand: demand.tightness),
        "failures": failures(kept),
        **_two_sided(cases),
        "graded": _graded(kept),
        "truncation": truncation(cases),
        "tokens": tokens(cases),
    }


def _admission(items: Sequence[SustainItem], tau: float) -> dict[str, Any]:
    """Count how tasks came into D+, or did not."""
    sound = [item for item in items if not item.failed]
    solved = [item for item in sound if item.score is not None and item.score >= tau]
    dplus = [item for item in sound if item.in_dplus]
    read = [item.candidates for item in sound if item.candidates or item.rejects]
    rejects: Counter[str] = Counter()
    for item in sound:
        rejects.update(item.rejects)
    return {
        "n": len(items),
        "n_solved": len(solved),
        "n_dplus": len(dplus),
        "coverage": len(dplus) / len(solved) if solved else None,
        "left_out": _counted(item.left_out for item in sound if item.left_out),
        "failed": len(items) - len(sound),
        "rejects": dict(sorted(rejects.items())),
        "candidates": sum(read) / len(read) if read else None,
        "groups": _counted(item.demands[0].group for item in dplus),
        "tightness": _counted(item.demands[0].tightness for item in dplus),
    }


def _accuracy(cases: Sequence[Case], tau: float) -> dict[str, Any]:
    right = [float(case.item.score >= tau) for case in cases if case.item.score is not None]
    return share(right, len(right))


def _arms(kept: Sequence[Case]) -> dict[str, Any]:
    """Return SUSTAIN with its controls, over the same items."""
    sustained = [case.sustained or 0.0 for case in kept]
    retest = [case.retest or 0.0 for case in kept]
    placebo = [case.placebo or 0.0 for case in kept]
    asked = sum(len(case.asked) for case in kept)
    again = sum(case.samples(RETEST, 0) for case in kept)
    return {
        "sustain": share(sustained, asked),
        "retest": share(retest, again),
        "placebo": share(placebo, sum(case.samples(PLACEBO, 1) for case in kept)),
        "net": {
            "control": PLACEBO,
            **change(sustained, placebo),
            **counts(sustained, placebo),
            "power": power_note(len(kept)),
        },
        "relative": retained(sustained, placebo),
        "comply": share_of_known([case.complied_at(case.places) for case in kept], asked),
        "comply_unasked": share_of_known([case.met_share(RETEST, 0) for case in kept], again),
    }


def _table(kept: Sequence[Case], dplus: Sequence[Case]) -> dict[str, Any]:
    """Count outputs by right or wrong, met or broken; `undecided` are those of D+ that are in no cell.

    The association is over items, so there is one only where each has one output.
    """
    outcomes = [(case.is_right(each), each.met) for case in kept for each in case.asked if each.met is not None]
    cells = Counter(outcomes)
    alone = bool(outcomes) and all(len(case.asked) == 1 for case in kept)
    found = stats.association([right for right, _ in outcomes], [bool(met) for _, met in outcomes]) if alone else None
    return {
        "right_met": cells[True, True],
        "right_broken": cells[True, False],
        "wrong_met": cells[False, True],
        "wrong_broken": cells[False, False],
        "undecided": sum(len(case.asked) for case in dplus) - len(outcomes),
        "association": None if found is None else found._asdict(),
    }


def _doses(kept: Sequence[Case]) -> dict[str, Any]:
    sizes = doses_of(kept)
    points = [dose_point(kept, size) for size in sizes]
    common = [case for case in kept if all(has_dose(case, size) for size in sizes)]
    shared = points if len(common) == len(kept) else [dose_point(common, size) for size in sizes]
    return {"doses": points, "doses_common": shared}


def _two_sided(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the change of accuracy over all items, solved or not: without any effect it is 0 on average.

    An item without a constraint takes its retest output, under the constraint and under the placebo alike.
    """
    decided = []
    for case in cases:
        alone = not case.item.demands
        values = (case.first, case.retest if alone else case.sustained, case.retest if alone else case.placebo)
        if None not in values:
            decided.append((alone, *values))
    first, constrained, placebo = ([float(row[k] or 0.0) for row in decided] for k in (1, 2, 3))
    return {
        "delta_acc": change(first, constrained)["estimate"],
        "delta_placebo": change(first, placebo)["estimate"],
        "delta_net": change(placebo, constrained),
        "delta_without": sum(row[0] for row in decided),
    }


def _graded(kept: Sequence[Case]) -> dict[str, Any] | None:
    """Return the F1 that questions keep, as ratios to the first pass; None for other tasks."""
    arms = {"sustain": (CONSTRAINED, 1), "retest": (RETEST, 0), "placebo": (PLACEBO, 1)}
    rows = [(case.f1(FIRST, 0), {name: case.f1(*arm) for name, arm in arms.items()}) for case in kept]
    known = [(whole, parts) for whole, parts in rows if whole is not None and None not in parts.values()]
    if not known:
        return None
    wholes = [whole for whole, _ in known]
    return {name: retained([parts[name] or 0.0 for _, parts in known], wholes) for name in arms}


def _mean(domains: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain means over the domains that have a value."""
    records = {name: [record[name] for record in domains.values()] for name in _AVERAGED}
    records["net"] = [record["estimate"] for record in records["net"]]
    return {name: macro(records[name]) for name in _AVERAGED}


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
