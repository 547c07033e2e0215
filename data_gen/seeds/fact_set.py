"""Short factual questions with the accepted answers and a few true sentences about them."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any

from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.table import LANGUAGES, LICENCE, read_table
from rewards.sentences import split_sentences
from rewards.task_answer import QaAnswer

_CORE = {
    "en": ("The answer is {}.", "So the answer is {}.", "In short, the answer is {}."),
    "zh": ("答案是{}。", "所以答案是{}。", "简单地说，答案是{}。"),
}
_THINKING = {"en": "I recall this: {} The answer is {}.", "zh": "我记得：{}答案是{}。"}


class FactSeeds:
    """Questions of general knowledge, the same ones in English and Chinese.

    Example:
        >>> seed = FactSeeds().draw(Random(0), "en")
        >>> seed.answer.values[0] in seed.solutions["en"].core[0]
        True
    """

    name = "facts"
    languages = LANGUAGES

    def __init__(self) -> None:
        self._seeds = _seeds()

    def draw(self, rng: Random, language: str) -> Seed:
        pool = self._seeds[language]
        return pool[rng.randrange(len(pool))]


@lru_cache(maxsize=1)
def _seeds() -> dict[str, tuple[Seed, ...]]:
    entries = list(read_table("facts"))
    return {code: tuple(_seed(entry, code, number) for number, entry in enumerate(entries)) for code in LANGUAGES}


def _seed(entry: dict[str, Any], language: str, number: int) -> Seed:
    solutions = {code: _solution(entry[code], code, number) for code in LANGUAGES}
    asked = entry[language]
    return Seed(
        set="facts",
        id=entry["id"],
        language=language,
        request=asked["ask"],
        answer=QaAnswer(values=_accepted(entry, language)),
        solutions=solutions,
        licence=LICENCE,
        topic=entry["topic"],
        tags=("question answering", entry["field"]),
    )


def _accepted(entry: dict[str, Any], language: str) -> tuple[str, ...]:
    """Return the accepted answers, those in the other language last: a response may be asked for in it."""
    codes = sorted(LANGUAGES, key=lambda code: code != language)
    return tuple(dict.fromkeys(str(value) for code in codes for value in entry[code]["answers"]))


def _solution(entry: dict[str, Any], language: str, number: int) -> Solution:
    facts = tuple(split_sentences(entry["facts"]))
    wording = _CORE[language][number % len(_CORE[language])]
    thinking = _THINKING[language].format(facts[0], entry["answers"][0])
    return Solution(thinking, (wording.format(entry["answers"][0]),), facts)
