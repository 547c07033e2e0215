"""What did each stage of training change? Several evaluations of the same items, each against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.stats import power_note
from raif.experiments.results import (
    OUTCOMES,
    Effect,
    Rollouts,
    check_profile,
    floor_row,
    main_arm,
    paired_effect,
    result,
    row,
)
from rewards.errors import RaifError

COMPARED = (*OUTCOMES, "tokens", "truncated")
RULE = (
    "Every stage is compared with the first, {first}, on the same items, joined by id; samples of an item are averaged "
    "first. Metrics are those of the profile {profile}. Intervals are bootstrapped over items; p values are those of "
    "McNemar's exact test where every item has one sample and a yes-or-no outcome, else of flipping the signs of the "
    "items' changes. The floor is what a lone full stop earns: stages near it follow nothing. {power}"
)


class Stage(NamedTuple):
    """One checkpoint or model: its name and its evaluation."""

    name: str
    metrics: Mapping[str, Any]
    rollouts: Rollouts


def stages(compared: Sequence[Stage], *, profile: str = "strict") -> dict[str, Any]:
    """Return the result of the experiment on several evaluations, the first being the baseline."""
    if len(compared) < 2:
        raise RaifError("stages compares evaluations: name two folders or more, the first being the baseline.")
    names = [stage.name for stage in compared]
    if len(set(names)) < len(names):
        raise RaifError(f"two stages have the same name ({', '.join(names)}); name them: NAME=FOLDER.")
    drawn = [main_arm(stage.rollouts) for stage in compared]
    for rollouts in drawn:
        check_profile(profile, rollouts)
    _check_items(names, drawn)
    first = compared[0]
    rows = [
        row(stage.name, "treatment" if i else "baseline", i, rollouts, profile)
        for i, (stage, rollouts) in enumerate(zip(compared, drawn, strict=True))
    ]
    if (floor := floor_row(first.metrics, profile, x=len(compared))) is not None:
        rows.append(floor)
    effects = [
        effect
        for stage, rollouts in list(zip(compared, drawn, strict=True))[1:]
        for metric in COMPARED
        if (effect := _effect(f"{stage.name} - {first.name}", drawn[0], rollouts, metric, profile)) is not None
    ]
    n = len({rollout.instruction_id for rollout in drawn[0]})
    return result(
        "stages",
        RULE.format(first=first.name, profile=profile, power=power_note(n)),
        rows,
        effects,
        {"profile": profile, "stages": {stage.name: stage.metrics.get("settings", {}) for stage in compared}},
        first.metrics.get("versions", {}),
    )


def _effect(
    name: str, before: Sequence[EvaluatedRollout], after: Sequence[EvaluatedRollout], metric: str, profile: str
) -> Effect | None:
    """Return a paired effect; None where no item has the metric, such as tokens of stored responses."""
    effect = paired_effect(name, before, after, metric, profile)
    return effect if effect.estimate.n else None


def _check_items(names: Sequence[str], drawn: Sequence[Sequence[EvaluatedRollout]]) -> None:
    """Refuse evaluations of different items, naming these."""
    first = {rollout.instruction_id for rollout in drawn[0]}
    for name, rollouts in list(zip(names, drawn, strict=True))[1:]:
        ids = {rollout.instruction_id for rollout in rollouts}
        if ids != first:
            missing, extra = sorted(first - ids), sorted(ids - first)
            raise RaifError(
                f"stages {names[0]} and {name} have different items: {len(missing)} only in {names[0]} "
                f"({_some(missing)}), {len(extra)} only in {name} ({_some(extra)}). "
                "Evaluate them with the same --data, --split and --limit."
            )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "") if ids else "none"
