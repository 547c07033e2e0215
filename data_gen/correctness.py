"""Whether a text gives the answer that a task has."""

from __future__ import annotations

from functools import lru_cache

from data_gen.seeds import Seed
from rewards.math_answer import MathVerifier
from rewards.qa_answer import qa_correct
from rewards.task_answer import MathAnswer, QaAnswer, TaskAnswer
from rewards.text import Text, fold


def is_right(answer: TaskAnswer | None, text: str) -> bool:
    """Tell whether a text gives the reference answer; where a task has none, or one to be run, nothing is wrong.

    Example:
        >>> is_right(MathAnswer(value="7"), "It is \\boxed{7}."), is_right(MathAnswer(value="7"), "It is \\boxed{8}.")
        (True, False)
    """
    if isinstance(answer, MathAnswer):
        return _verifier().judge([(answer.value, text)]) == [True]
    return qa_correct(answer.values, text) if isinstance(answer, QaAnswer) else True


def answers(seed: Seed, language: str, text: str) -> bool:
    """Tell whether a text still says what answers its task: half of the words, at least, of the seed's solution."""
    if isinstance(seed.answer, MathAnswer | QaAnswer):
        return is_right(seed.answer, text)
    wanted = {fold(word) for sentence in seed.solutions[language].core for word in Text(sentence).words}
    return 2 * len(wanted & {fold(word) for word in Text(text).words}) >= len(wanted)


@lru_cache(maxsize=1)
def _verifier() -> MathVerifier:
    return MathVerifier()
