"""Word problems that take two to four operations, in English and Chinese, with exact answers and worked solutions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from data_gen.seeds.problem_numbers import DRAWERS
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.table import LANGUAGES, LICENCE, read_table
from rewards.sentences import split_sentences
from rewards.task_answer import MathAnswer

_NAMES = (
    ("Maya", "李雨", "She", "she", "her", "她"), ("Daniel", "王浩", "He", "he", "his", "他"),
    ("Priya", "陈静", "She", "she", "her", "她"), ("Omar", "张伟", "He", "he", "his", "他"),
    ("Grace", "刘婷", "She", "she", "her", "她"), ("Lucas", "赵磊", "He", "he", "his", "他"),
    ("Hannah", "孙悦", "She", "she", "her", "她"), ("Victor", "周明", "He", "he", "his", "他"),
    ("Elena", "吴霞", "She", "she", "her", "她"), ("Kofi", "郑凯", "He", "he", "his", "他"),
    ("Sofia", "何琳", "She", "she", "her", "她"), ("Peter", "林峰", "He", "he", "his", "他"),
)  # fmt: skip
_BOX = "\\boxed{{{answer}}}"


class _Problem(NamedTuple):
    """A template: how its numbers are drawn, and its sentences by language, with named slots."""

    id: str
    tags: tuple[str, ...]
    numbers: Callable[[Random], dict[str, Any]]
    requests: dict[str, tuple[str, ...]]
    thinking: dict[str, str]
    core: dict[str, tuple[str, ...]]
    optional: dict[str, tuple[str, ...]]


class WordProblemSeeds:
    """Word problems about money, time, rates, fractions, percentages, ages and the like.

    Example:
        >>> seed = WordProblemSeeds().draw(Random(0), "en")
        >>> f"\\\\boxed{{{seed.answer.value}}}" in " ".join(seed.solutions["en"].core)
        True
    """

    name = "word_problems"
    languages = LANGUAGES

    def __init__(self) -> None:
        self._problems = _problems()

    def draw(self, rng: Random, language: str) -> Seed:
        problem = self._problems[rng.randrange(len(self._problems))]
        return _filled(problem, rng, language)


def _filled(problem: _Problem, rng: Random, language: str) -> Seed:
    numbers = problem.numbers(rng)
    who = rng.randrange(len(_NAMES))
    wordings = problem.requests[language]
    wording = wordings[rng.randrange(len(wordings))]
    english, chinese, They, they, their, ta = _NAMES[who]
    people = {"They": They, "they": they, "their": their, "ta": ta}
    slots = {
        "en": {**people, "n": english, **numbers, **numbers.get("en", {})},
        "zh": {**people, "n": chinese, **numbers, **numbers.get("zh", {})},
    }
    given = "-".join(str(value) for key, value in numbers.items() if key not in LANGUAGES)
    solutions = {code: _solution(problem, code, slots[code]) for code in LANGUAGES}
    return Seed(
        "word_problems",
        f"{problem.id}-{given}",  # whoever is named in it, it is the same task
        language,
        wording.format_map(slots[language]),
        MathAnswer(value=str(numbers["answer"])),
        solutions,
        LICENCE,
        "Math skills",
        problem.tags,
    )


def _solution(problem: _Problem, language: str, slots: dict[str, Any]) -> Solution:
    return Solution(
        problem.thinking[language].format_map(slots),
        tuple(sentence.format_map(slots) for sentence in problem.core[language]),
        tuple(sentence.format_map(slots) for sentence in problem.optional[language]),
    )


@lru_cache(maxsize=1)
def _problems() -> tuple[_Problem, ...]:
    return tuple(_problem(entry) for entry in read_table("problems"))


def _problem(entry: dict[str, Any]) -> _Problem:
    return _Problem(
        entry["id"],
        ("math reasoning", *entry["tags"]),
        DRAWERS[entry["id"]],
        {code: tuple(entry[code]["ask"]) for code in LANGUAGES},
        {code: entry[code]["think"] for code in LANGUAGES},
        {code: tuple(split_sentences(entry[code]["core"].replace("[[answer]]", _BOX))) for code in LANGUAGES},
        {code: tuple(split_sentences(entry[code]["more"])) for code in LANGUAGES},
    )
