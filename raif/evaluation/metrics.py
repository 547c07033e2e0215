"""HAcc, SAcc, correctness and truncation of evaluated rollouts, beside the floor and the ceiling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from raif.evaluation.stats import Estimate, mean, paired_gain, proportion
from raif.rollouts import Rollout
from rewards.instruction import Instruction
from rewards.response import Response

FLOOR_ANSWER = "."


def summarize(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Return every metric of one evaluation, one rollout per instruction, each with n and a 95 % interval.

    HAcc is the share of instructions with every constraint satisfied, SAcc the mean satisfied share (MathIF, eq. 1).
    Unscored rollouts are left out of both and counted.
    """
    hard = [r.hard for r in rollouts if r.hard is not None]
    return {
        "n": len(rollouts),
        "unscored": sum(r.hard is None and bool(r.verdicts) for r in rollouts),
        "hacc": proportion(hard)._asdict(),
        "sacc": mean([r.soft for r in rollouts if r.soft is not None])._asdict(),
        "correct": proportion([r.correct for r in rollouts if r.correct is not None])._asdict(),
        "correct_and_hard": proportion(
            [bool(r.correct and r.hard) for r in rollouts if r.correct is not None]
        )._asdict(),
        "truncated": proportion([r.finish_reason == "length" for r in rollouts])._asdict(),
        "well_formed": proportion([r.well_formed for r in rollouts])._asdict(),
        "completion_tokens": mean([float(r.completion_tokens) for r in rollouts])._asdict(),
        "per_constraint": {name: estimate._asdict() for name, estimate in per_constraint(rollouts).items()},
    }


def per_constraint(rollouts: Sequence[Rollout]) -> dict[str, Estimate]:
    """Return the pass rate of every constraint type; blocked leaves count as failed."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for rollout in rollouts:
        for leaf in rollout.verdicts:
            if leaf.status not in ("skipped", "unscored"):
                outcomes[leaf.type].append(leaf.status == "satisfied")
    return {name: proportion(values) for name, values in sorted(outcomes.items())}


def fixed_answer_scores(instructions: Sequence[Instruction], answers: Sequence[str]) -> dict[str, float]:
    """Return HAcc and SAcc of given answers: the floor (a lone full stop) or the ceiling (the witnesses)."""
    judged = [task.evaluate(Response(None, answer)) for task, answer in zip(instructions, answers, strict=True)]
    hard = [float(j.hard) for j in judged if j.hard is not None]
    soft = [j.soft for j in judged if j.soft is not None]
    return {"hacc": sum(hard) / len(hard) if hard else 0.0, "sacc": sum(soft) / len(soft) if soft else 0.0}


def floor_and_ceiling(instructions: Sequence[Instruction]) -> dict[str, dict[str, float]]:
    """Return what saying nothing earns, and what the witnesses earn."""
    return {
        "floor": fixed_answer_scores(instructions, [FLOOR_ANSWER] * len(instructions)),
        "ceiling": fixed_answer_scores(instructions, [task.witness or "" for task in instructions]),
    }


def gain(before: Sequence[Rollout], after: Sequence[Rollout], field: str) -> Estimate:
    """Return the paired change of `hard`, `soft` or `correct` over the items scored both times, joined by id."""
    first = {r.instruction_id: getattr(r, field) for r in before}
    second = {r.instruction_id: getattr(r, field) for r in after}
    shared = [key for key in first if first[key] is not None and second.get(key) is not None]
    return paired_gain([float(first[key]) for key in shared], [float(second[key]) for key in shared])
