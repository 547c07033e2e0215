"""Judged rollouts: how one is made of the verdicts of both profiles, and how the verdicts are read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from raif.evaluation.records import EvaluatedRollout, Output
from raif.suites.checking import Verdicts, all_followed, share_followed
from raif.suites.splits import Divided
from rewards.judgement import Judgement, LeafVerdict
from rewards.reward import Reward


def strict_outcomes(rollout: EvaluatedRollout) -> list[bool | None]:
    """Return the strict profile's verdicts, check by check."""
    return [None if leaf.status == "unscored" else leaf.status == "satisfied" for leaf in rollout.verdicts]


def official_outcomes(rollout: EvaluatedRollout, protocol: Literal["strict", "loose"] = "strict") -> list[bool | None]:
    """Return the parity profile's verdicts, check by check."""
    return [verdict.strict if protocol == "strict" else verdict.loose for verdict in rollout.official]


def undecided(rollouts: Sequence[EvaluatedRollout]) -> dict[str, str]:
    """Return the items with an official check that has no verdict, with the reason."""
    return {
        rollout.instruction_id: f"{check.id}: {check.reason}"
        for rollout in rollouts
        for check in rollout.official
        if check.strict is None
    }


def assuming(rollouts: Sequence[EvaluatedRollout], followed: bool) -> list[EvaluatedRollout]:
    """Return the rollouts with a verdict in the place of every official one that is missing."""
    return [_assuming(rollout, followed) if undecided([rollout]) else rollout for rollout in rollouts]


def _assuming(rollout: EvaluatedRollout, followed: bool) -> EvaluatedRollout:
    official = tuple(
        check.model_copy(update={"strict": followed, "loose": followed}) if check.strict is None else check
        for check in rollout.official
    )
    outcomes = [check.strict for check in official]
    update = {"official_hard": all_followed(outcomes), "official_soft": share_followed(outcomes)}
    return rollout.model_copy(update={"official": official, **update})


def rollout_of(
    output: Output, group: int, parts: Divided, verdicts: Verdicts, correct: bool | None
) -> EvaluatedRollout:
    official = [check.strict for check in verdicts.official]
    judgement = Judgement(
        tuple(
            LeafVerdict(f"and.{index}", check.id, verdict)
            for index, (check, verdict) in enumerate(zip(verdicts.official, verdicts.strict, strict=True))
        )
    )
    reward = Reward(None, None, {}, correct, parts.response.well_formed, output.ended is False, judgement)
    return EvaluatedRollout.build(
        reward,
        **bookkeeping(output, group, parts),
        loose=tuple(verdicts.loose),
        official=verdicts.official,
        official_hard=all_followed(official),
        official_soft=share_followed(official),
    )


def bookkeeping(output: Output, group: int, parts: Divided) -> dict[str, Any]:
    """Return the fields of an evaluated rollout that no verdict decides."""
    return {
        "instruction_id": output.item.id,
        "group": group,
        "sample": output.sample,
        "completion": output.text,
        "completion_tokens": output.tokens,
        "finish_reason": _finish(output, parts),
        "arm": output.arm,
        "labels": output.item.labels,
        "problem": output.item.problem,
        "prefilled": parts.prefilled,
        "style": output.style,
        "unclosed": parts.unclosed,
    }


def _finish(output: Output, parts: Divided) -> Literal["stop", "length"] | None:
    """Return how the generation ended; where nobody says, unclosed thinking tells that it was cut off."""
    if output.ended is None:
        return "length" if parts.unclosed else None
    return "stop" if output.ended else "length"
