"""Are answers that follow the instruction wrong more often? MathIF's figure 4, against independence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.stats import association, paired, share_difference, trend
from raif.experiments.results import (
    PROFILES,
    Effect,
    Rollouts,
    check_profile,
    floor_row,
    main_arm,
    result,
    row,
    source_of,
)
from rewards.errors import RaifError

RULE = (
    "Every rollout whose correctness and constraints are decided falls into one of four cells: correct or wrong, every "
    "constraint followed or not; rollouts that were cut off are a row of their own and in no cell. Followed is "
    "HAcc of the profile {profile}. `expected` is the share of correct and followed if the two were independent. "
    "Were one goal given up for the other, P(followed | correct) - P(followed | wrong) would be below 0; easy problems "
    "may raise both, so that the second effect compares within sources alone. {test}"
)
SINGLE = (
    "One sample an item: Newcombe's interval and Fisher's exact test; within sources the test of Mantel and Haenszel."
)
SEVERAL = (
    "Several samples an item: the first two effects are slopes of an item's followed share on its correct share, with "
    "the test of Mantel; the third compares the correct with the wrong samples of the same item, which holds the "
    "problem itself fixed. The counts of the cells are of samples and have no p value."
)


def errors(metrics: Mapping[str, Any], rollouts: Rollouts, *, profile: str = "strict") -> dict[str, Any]:
    """Return the result of the experiment on one evaluation."""
    drawn = main_arm(rollouts)
    check_profile(profile, drawn)
    field = PROFILES[profile]["hacc"]
    cut = [rollout for rollout in drawn if rollout.truncated]
    whole = [rollout for rollout in drawn if not rollout.truncated]
    decided = [rollout for rollout in whole if rollout.correct is not None and getattr(rollout, field) is not None]
    if not decided:
        raise RaifError(
            "no finished rollout has both an answer that can be graded and decided constraints; "
            "the cells need a suite with answers, such as mathif."
        )
    single = len({rollout.instruction_id for rollout in decided}) == len(decided)
    rows = [row("all in the cells", "baseline", 0, decided, profile)]
    for x, (label, correct) in enumerate((("correct", True), ("wrong", False)), 1):
        rows.append(row(label, "treatment", x, [r for r in decided if r.correct is correct], profile))
    rows.append(row("truncated", "control", 3, cut, profile))
    if (floor := floor_row(metrics, profile)) is not None:
        rows.append(floor)
    undecided = len(whole) - len(decided)
    return result(
        "errors",
        RULE.format(profile=profile, test=SINGLE if single else SEVERAL),
        rows,
        _effects(decided, field, single),
        {"profile": profile, "evaluation": metrics.get("settings", {})},
        metrics.get("versions", {}),
        cells=_cells(decided, cut, field, single),
        left_out={"undecided in correctness or constraints": undecided} if undecided else {},
    )


def _effects(rollouts: Rollouts, field: str, single: bool) -> list[Effect]:
    correct = [bool(rollout.correct) for rollout in rollouts]
    followed = [bool(getattr(rollout, field)) for rollout in rollouts]
    items = [rollout.instruction_id for rollout in rollouts]
    sources = [source_of(rollout) for rollout in rollouts]
    pairs = list(zip(correct, followed, strict=True))
    if single:
        estimate = share_difference([f for c, f in pairs if not c], [f for c, f in pairs if c])
        overall = (estimate, association(correct, followed).p if estimate.low is not None else None)
    else:
        overall = trend(correct, followed, items)
    effects = [
        Effect("P(followed | correct) - P(followed | wrong)", "hacc", *overall),
        Effect("the same within source", "hacc", *trend(correct, followed, items, sources)),
    ]
    if not single:
        effects.append(Effect("the same within item", "hacc", *paired(*_within_items(items, pairs))))
    return effects


def _within_items(items: Sequence[str], pairs: Sequence[tuple[bool, bool]]) -> tuple[list[float], list[float]]:
    """Return the followed share of the wrong and of the correct samples of every item that has both."""
    samples: dict[str, dict[bool, list[bool]]] = defaultdict(lambda: {False: [], True: []})
    for key, (correct, followed) in zip(items, pairs, strict=True):
        samples[key][correct].append(followed)
    both = [one for one in samples.values() if one[False] and one[True]]
    return [fmean(one[False]) for one in both], [fmean(one[True]) for one in both]


def _cells(rollouts: Rollouts, cut: Rollouts, field: str, single: bool) -> dict[str, Any]:
    """Return the four cells and the truncated, over all and by source."""
    groups: dict[str, list[EvaluatedRollout]] = defaultdict(list)
    for rollout in rollouts:
        groups[source_of(rollout)].append(rollout)
    parts = {"all": list(rollouts)} | ({k: groups[k] for k in sorted(groups)} if len(groups) > 1 else {})
    cells = {}
    for name, part in parts.items():
        table = association([bool(r.correct) for r in part], [bool(getattr(r, field)) for r in part])
        cells[name] = {
            "correct_followed": table.both,
            "correct_unfollowed": table.first_only,
            "wrong_followed": table.second_only,
            "wrong_unfollowed": table.neither,
            "truncated": sum(name == "all" or source_of(r) == name for r in cut),
            "share_correct_followed": table.both / len(part),
            "expected": table.expected,
            "phi": table.phi,
            "odds_ratio": table.odds_ratio,
            "fisher_p": table.p if single else None,
            "followed_if_correct": _share(table.both, table.first_only),
            "followed_if_wrong": _share(table.second_only, table.neither),
        }
    return cells


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
