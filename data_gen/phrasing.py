"""Constraint tree -> the prompt a policy sees."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from rewards.constraint import Constraint

BOXED = {"en": "Put the final answer in \\boxed{}.", "zh": "最终答案放在\\boxed{}中。"}
_HEADER = {"en": "Requirements:", "zh": "要求："}
_JOIN = {"en": " ", "zh": ""}
LAYOUTS = ("inline", "list")


def phrase(
    request: str, constraints: Sequence[Constraint], language: str, layout: str, boxed: bool, rng: Random
) -> str:
    """Write the prompt: the request, the answer format of tasks with a ground truth, then the constraints.

    Wordings are drawn from each constraint's own phrases. `layout` is `inline` (one paragraph) or `list`.
    """
    opening = f"{request}{_JOIN[language]}{BOXED[language]}" if boxed else request
    demands = [constraint.describe(language, rng.randrange(8)) for constraint in constraints]
    if layout == "list":
        return "\n".join([opening, _HEADER[language], *(f"- {demand}" for demand in demands)])
    return _JOIN[language].join([opening, *demands])
