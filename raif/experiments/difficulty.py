"""Do harder problems and more constraints cost more? MathIF's figures 2, 3 and 5, paired where the data allow it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from raif.evaluation.records import UNCONSTRAINED, EvaluatedRollout
from raif.evaluation.stats import item_means, paired, record, relative_drop
from raif.experiments.results import (
    PROFILES,
    Effect,
    Rollouts,
    check_profile,
    count_of,
    floor_row,
    main_arm,
    result,
    row,
    source_of,
)

RULE = (
    "Rows by source and by number of constraints, profile {profile}; samples of an item are averaged first. Items "
    "without constraints are a row of their own and in no other. HAcc falls with the count by itself, since all must "
    "hold; SAcc and correctness need not. {count} {drop}"
)
CROSSED = (
    "{n} problems occur under several counts: each further constraint is compared within the problem, everything else "
    "equal (SAcc from one constraint on)."
)
CONFOUNDED = (
    "Every problem occurs under one count: count and problem are confounded, so that differences between counts are "
    "no effect of the count and none is reported. A set that crosses the same problems with 0 to 3 constraints has one."
)
DROP = (
    "The relative drop is 1 - correctness with constraints / correctness without, on the same problems (an item is one "
    "if it does not name another; answers to a problem are averaged first), with Fieller's interval (none where the "
    "latter may be 0) and the p value of the paired absolute change."
)
NO_DROP = "There are no prompts without constraints here, so that there is no relative drop."


def difficulty(metrics: Mapping[str, Any], rollouts: Rollouts, *, profile: str = "strict") -> dict[str, Any]:
    """Return the result of the experiment on one evaluation."""
    shown = main_arm(rollouts)
    check_profile(profile, shown)
    drawn = [rollout for rollout in shown if count_of(rollout)]
    bare = [rollout for rollout in rollouts if rollout.arm == UNCONSTRAINED or not count_of(rollout)]
    with_drop = bool(_correct_by_problem(bare).keys() & _correct_by_problem(drawn).keys())
    rows = [row("all", "baseline", 0, drawn, profile, kind="all")]
    effects: list[Effect] = []
    sources = sorted({source_of(rollout) for rollout in drawn})
    for x, source in enumerate(sources, 1):
        rows.append(row(source, "treatment", x, _of(drawn, source), profile, kind="source"))
    places: list[str | None] = [None, *sources]
    for place, found in zip(places, list(rows), strict=True) if with_drop else ():
        effect = _drop(place, _of(drawn, place), _of(bare, place))
        found["relative_drop"] = record(effect.estimate)
        effects.append(effect)
    for count in sorted({count_of(rollout) for rollout in shown}):
        part = [rollout for rollout in shown if count_of(rollout) == count]
        rows.append(row(f"{count} constraints", "treatment", count, part, profile, kind="count"))
    if (floor := floor_row(metrics, profile)) is not None:
        rows.append({**floor, "kind": "floor"})
    crossed = _crossed(shown)
    effects += _count_effects(crossed, profile)
    return result(
        "difficulty",
        RULE.format(
            profile=profile,
            count=CROSSED.format(n=len(crossed)) if crossed else CONFOUNDED,
            drop=DROP if with_drop else NO_DROP,
        ),
        rows,
        effects,
        {"profile": profile, "crossed_problems": len(crossed), "evaluation": metrics.get("settings", {})},
        metrics.get("versions", {}),
    )


def _of(rollouts: Rollouts, source: str | None) -> list[EvaluatedRollout]:
    return [rollout for rollout in rollouts if source is None or source_of(rollout) == source]


def _drop(source: str | None, drawn: Rollouts, bare: Rollouts) -> Effect:
    without, with_them = _correct_by_problem(bare), _correct_by_problem(drawn)
    shared = [key for key in without if key in with_them]
    before, after = [without[key] for key in shared], [with_them[key] for key in shared]
    name = "relative drop" if source is None else f"relative drop, {source}"
    return Effect(name, "correct", relative_drop(before, after), paired(before, after)[1])


def _correct_by_problem(rollouts: Rollouts) -> dict[str, float]:
    decided = [(r.problem or r.instruction_id, float(r.correct)) for r in rollouts if r.correct is not None]
    return item_means([key for key, _ in decided], [value for _, value in decided])


def _crossed(rollouts: Rollouts) -> dict[str, dict[int, list[EvaluatedRollout]]]:
    """Return rollouts by problem and count, of the problems that have several counts."""
    problems: dict[str, dict[int, list[EvaluatedRollout]]] = defaultdict(lambda: defaultdict(list))
    for rollout in rollouts:
        if rollout.problem is not None:
            problems[rollout.problem][count_of(rollout)].append(rollout)
    return {key: counts for key, counts in problems.items() if len(counts) > 1}


def _count_effects(crossed: Mapping[str, Mapping[int, list[EvaluatedRollout]]], profile: str) -> Iterator[Effect]:
    """Compare each count with the next within problems, and take the mean slope of the problems."""
    for metric, lowest in (("sacc", 1), ("correct", 0)) if crossed else ():
        field = PROFILES[profile].get(metric, metric)
        curves = [_curve(counts, field, lowest) for counts in crossed.values()]
        steps = sorted({count for curve in curves for count in curve})
        for one, two in pairwise(steps):
            both = [curve for curve in curves if one in curve and two in curve]
            yield Effect(
                f"{one} -> {two} constraints, same problem",
                metric,
                *paired([curve[one] for curve in both], [curve[two] for curve in both]),
            )
        slopes = [float(np.polyfit(list(curve), list(curve.values()), 1)[0]) for curve in curves if len(curve) > 1]
        yield Effect("per further constraint, same problem", metric, *paired([0.0] * len(slopes), slopes))


def _curve(counts: Mapping[int, list[EvaluatedRollout]], field: str, lowest: int) -> dict[int, float]:
    """Return the mean of a metric of one problem by count."""
    found = {
        count: [float(value) for r in part if (value := getattr(r, field)) is not None]
        for count, part in sorted(counts.items())
        if count >= lowest
    }
    return {count: float(np.mean(decided)) for count, decided in found.items() if decided}
