"""Open-ended requests as people write them, with slots, and sentences that answer them."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from random import Random
from typing import Any, NamedTuple

from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.table import LANGUAGES, LICENCE, read_table
from rewards.sentences import split_sentences


class _Task(NamedTuple):
    """One task, its slots filled: by language the wordings of its request, and the solutions that fit them."""

    id: str
    topic: str
    tags: tuple[str, ...]
    requests: dict[str, tuple[str, ...]]
    solutions: dict[str, dict[str, Solution]]


class TaskSeeds:
    """Everyday requests of some thirty kinds (an email, a plan, a summary of a text, a story), without ground truth.

    Example:
        >>> seed = TaskSeeds().draw(Random(3), "en")
        >>> seed.answer is None, len(seed.solutions["zh"].optional) >= 3
        (True, True)
    """

    name = "tasks"
    languages = LANGUAGES

    def __init__(self) -> None:
        self._groups = _groups()

    def draw(self, rng: Random, language: str) -> Seed:
        group = self._groups[rng.randrange(len(self._groups))]  # a template with many slots is not drawn more often
        task = group[rng.randrange(len(group))]
        wordings = task.requests[language]
        request = wordings[rng.randrange(len(wordings))]
        return Seed(
            self.name, task.id, language, request, None, task.solutions[language], LICENCE, task.topic, task.tags
        )


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[_Task, ...], ...]:
    return tuple(tuple(_filled(entry)) for entry in read_table("tasks"))


def _filled(entry: dict[str, Any]) -> list[_Task]:
    """Return the tasks of a template, one for each combination of its slots."""
    slots = entry.get("slots", {})
    tasks = []
    for choice in product(*(range(len(options)) for options in slots.values())):
        values = {
            code: {name: options[place][code] for (name, options), place in zip(slots.items(), choice, strict=True)}
            for code in LANGUAGES
        }
        tasks.append(
            _Task(
                "-".join((entry["id"], *map(str, choice))),
                entry["topic"],
                (entry["kind"], *entry.get("tags", ())),
                {code: tuple(wording.format(**values[code]) for wording in entry[code]["ask"]) for code in LANGUAGES},
                _solutions(entry, values),
            )
        )
    return tasks


def _solutions(entry: dict[str, Any], values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Solution]]:
    """Return the solutions by the language of the request; one that is not translated has only its own."""
    own = {code: _solution(entry[code], values[code]) for code in LANGUAGES}
    return {code: own if entry.get("translated", True) else {code: own[code]} for code in LANGUAGES}


def _solution(entry: dict[str, Any], values: dict[str, Any]) -> Solution:
    core = tuple(split_sentences(entry["core"].format(**values)))
    return Solution("", core, tuple(split_sentences(entry["more"].format(**values))))
