"""What responses score that follow no instruction: the floors of a set, and the witnesses as its ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_gen.crossed.design import Crossed
from data_gen.crossed.verdicts import Verdicts, verdicts_on


def responses(crossed: Crossed, number: int) -> dict[str, str]:
    """Return trivial responses to a problem under its first constraints, and the witness."""
    problem = crossed.problem
    box = f"\\boxed{{{problem.answer}}}"
    return {
        "dot": ".",
        "boxed_answer": box,
        "question_and_boxed_answer": f"{problem.question}\n{box}",
        "witness": crossed.witnesses[number],
    }


def baseline_scores(sets: Sequence[tuple[Crossed, int]]) -> dict[str, Any]:
    """Score each trivial response on problems under their first constraints.

    Returns:
        By response: hard and soft accuracy (`hacc`, `sacc`) under each profile, as fractions, and how many are
        `correct`; accuracies are None where there are no constraints.
    """
    found: dict[str, list[Verdicts]] = {}
    for crossed, number in sets:
        task = crossed.task(number)
        for name, text in responses(crossed, number).items():
            found.setdefault(name, []).append(verdicts_on(task, text))
    return {name: _score(verdicts) for name, verdicts in found.items()}


def _score(verdicts: Sequence[Verdicts]) -> dict[str, Any]:
    return {
        "parity": _accuracies([each.parity for each in verdicts]),
        "strict": _accuracies([each.strict for each in verdicts]),
        "correct": round(sum(each.correct for each in verdicts) / len(verdicts), 6),
    }


def _accuracies(verdicts: Sequence[tuple[bool, ...]]) -> dict[str, float | None]:
    """Return HAcc and SAcc; an item without constraints has neither."""
    if not all(verdicts):
        return {"hacc": None, "sacc": None}
    hard = sum(map(all, verdicts)) / len(verdicts)
    soft = sum(sum(each) / len(each) for each in verdicts) / len(verdicts)
    return {"hacc": round(hard, 6), "sacc": round(soft, 6)}
