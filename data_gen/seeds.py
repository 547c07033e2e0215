"""Seed tasks: what an instruction asks for before any constraint is added."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

from data_gen.arithmetic import problem
from data_gen.topics import TOPICS
from rewards.errors import RaifError
from rewards.sentences import split_sentences
from rewards.task_answer import MathAnswer, TaskAnswer
from rewards.text import han_share


class Solution(NamedTuple):
    """How a seed is answered in one language: reasoning, sentences that must stay, sentences that may be added."""

    thinking: str
    core: tuple[str, ...]
    optional: tuple[str, ...]


class Seed(NamedTuple):
    """One seed task. `id` is the same for the translations of one task, so that splits never share a task."""

    set: str
    id: str
    language: str
    request: str
    answer: TaskAnswer | None
    solutions: Mapping[str, Solution]


class SeedSet(Protocol):
    """A source of seeds: draws one task of a split, given a random generator."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    def draw(self, rng: Random, language: str) -> Seed:
        """Return a random seed in a language."""


class ArithmeticSeeds:
    """Word problems with one small operation, made from templates, exact answers, English and Chinese.

    Example:
        >>> seed = ArithmeticSeeds().draw(Random(0), "en")
        >>> seed.request, seed.answer.value
        ('Leo fills 4 boxes with 5 apples each. How many apples are there?', '20')
    """

    name = "arithmetic"
    languages = ("en", "zh")

    def draw(self, rng: Random, language: str) -> Seed:
        task = problem(rng)
        solutions = {
            code: Solution(task.thinking, task.core[code], task.optional[code]) for code in ArithmeticSeeds.languages
        }
        return Seed(self.name, task.id, language, task.request[language], MathAnswer(value=str(task.result)), solutions)


class WritingSeeds:
    """Short writing and explaining requests about everyday topics, English and Chinese, without a ground truth.

    Example:
        >>> WritingSeeds().draw(Random(1), "en").request
        'Write a note about a train.'
    """

    name = "writing"
    languages = ("en", "zh")

    def draw(self, rng: Random, language: str) -> Seed:
        topic = TOPICS[rng.randrange(len(TOPICS))]
        request = rng.choice(topic.requests[language])
        solutions = {code: Solution("", facts[:1], facts[1:]) for code, facts in topic.facts.items()}
        return Seed(self.name, topic.id, language, request, None, solutions)


class FileSeeds:
    """Seeds from a JSONL file, with a mapping from our fields to the file's.

    Args:
        path: JSON Lines; blank lines are skipped, a broken line is an error that names it.
        fields: our field -> column. `request` is required; `answer` is a final answer or a worked solution that
            ends in `#### answer` (GSM8K); `solution` is a worked solution; `language` and `id` are optional.
    """

    FIELDS = ("request", "answer", "solution", "language", "id")

    def __init__(self, path: str | Path, fields: Mapping[str, str]) -> None:
        self.path, self.fields = Path(path), dict(fields)
        self.name = self.path.stem
        unknown = sorted(set(self.fields) - set(self.FIELDS))
        if unknown or "request" not in self.fields:
            known = ", ".join(self.FIELDS)
            raise RaifError(f"fields {self.fields!r} must map 'request' and may map only: {known}.")
        self.seeds = list(self._read())
        if not self.seeds:
            raise RaifError(f"seed file {self.path} holds no rows.")
        self.languages = tuple(sorted({seed.language for seed in self.seeds}))

    def draw(self, rng: Random, language: str) -> Seed:
        pool = [seed for seed in self.seeds if seed.language == language] if len(self.languages) > 1 else self.seeds
        return pool[rng.randrange(len(pool))]

    def _read(self) -> Iterator[Seed]:
        if not self.path.is_file():
            raise RaifError(f"no seed file at {self.path}; give an existing JSONL file to `--seeds`.")
        for number, line in enumerate(self.path.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                yield self._parse(line, number)

    def _parse(self, line: str, number: int) -> Seed:
        where = f"{self.path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RaifError(
                f"{where} is not JSON ({error}); repair or remove the line. Nothing was written."
            ) from error
        if not isinstance(row, dict):
            raise RaifError(f"{where} is a {type(row).__name__}, not an object with fields. Nothing was written.")
        missing = [column for column in self.fields.values() if column not in row]
        if missing:
            raise RaifError(
                f"{where} has no field {missing[0]!r}; it has: {', '.join(row)}. "
                "Map the names with `--fields request=...,answer=...`. Nothing was written."
            )
        values = {name: _text(row[column]) for name, column in self.fields.items()}
        if not values["request"].strip():
            raise RaifError(f"{where} has a blank {self.fields['request']!r}. Nothing was written.")
        if values.get("language", "en") not in ("en", "zh", ""):
            raise RaifError(f"{where} has language {values['language']!r}; known: en, zh. Nothing was written.")
        return self._seed(values, number)

    def _seed(self, values: dict[str, str], number: int) -> Seed:
        request = values["request"].strip()
        worked, marker, final = values.get("answer", "").rpartition("####")
        answer = (final if marker else values.get("answer", "")).strip()
        solution = re.sub(r"<<[^>]*>>", "", values.get("solution") or worked).strip()
        language = values.get("language") or ("zh" if han_share(request) > 0.3 else "en")
        seed_id = values.get("id") or str(number)
        core = _closing(answer, language)
        solved = Solution(solution, core, tuple(split_sentences(solution)))
        truth = MathAnswer(value=_without_thousands(answer)) if answer else None
        return Seed(self.name, seed_id, language, request, truth, {language: solved})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _without_thousands(answer: str) -> str:
    """Drop the commas of one number, and never those of a pair such as (1, 2)."""
    grouped = re.fullmatch(r"[-+$]*\d{1,3}(?:,\d{3})+(?:\.\d+)?%?", answer)
    return answer.replace(",", "") if grouped else answer


def _closing(answer: str, language: str) -> tuple[str, ...]:
    if not answer:
        return ("Here is a short answer.",) if language == "en" else ("以下是简短的回答。",)
    return (f"So, the answer is \\boxed{{{answer}}}.",) if language == "en" else (f"所以，答案是\\boxed{{{answer}}}。",)
