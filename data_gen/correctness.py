"""Whether a text gives the answer that a task has."""

from __future__ import annotations

from functools import lru_cache

from rewards.math_answer import MathVerifier
from rewards.qa_answer import qa_correct
from rewards.task_answer import MathAnswer, QaAnswer, TaskAnswer


def is_right(answer: TaskAnswer | None, text: str) -> bool:
    """Tell whether a text gives the reference answer; where a task has none, or one to be run, nothing is wrong.

    Example:
        >>> is_right(MathAnswer(value="7"), "It is \\boxed{7}."), is_right(MathAnswer(value="7"), "It is \\boxed{8}.")
        (True, False)
    """
    if isinstance(answer, MathAnswer):
        return _verifier().judge([(answer.value, text)]) == [True]
    return qa_correct(answer.values, text) if isinstance(answer, QaAnswer) else True


@lru_cache(maxsize=1)
def _verifier() -> MathVerifier:
    return MathVerifier()
