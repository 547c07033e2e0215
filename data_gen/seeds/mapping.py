"""A row of a file or data set -> a seed: columns by name, answers as published, and a first idea of a solution."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from data_gen.seeds.rows import Row
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.source import OUR_FIELDS, AnswerKind
from rewards.errors import RaifError
from rewards.language import LANGUAGES
from rewards.sentences import split_sentences
from rewards.task_answer import MathAnswer, QaAnswer, TaskAnswer
from rewards.text import han_share

_CODES = {english.lower(): code for code, (english, _) in LANGUAGES.items()}
_CALCULATION = re.compile(r"<<[^>]*>>")
_GROUPED = re.compile(r"[-+$]*\d{1,3}(?:,\d{3})+(?:\.\d+)?%?")
_NEUTRAL = {"en": "Here is a short answer.", "zh": "以下是简短的回答。"}
_BOXED = {"en": "So, the answer is \\boxed{{{0}}}.", "zh": "所以，答案是\\boxed{{{0}}}。"}
_PLAIN = {"en": "The answer is {0}.", "zh": "答案是{0}。"}
_ABSENT = object()


class BadRow(Exception):
    """A row in bad shape: a short reason to count, and the sentence that explains it."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


class RowMapping:
    """Makes seeds of rows.

    Args:
        fields: our field -> column, with dots into nested columns.
        answer_kind: `math`, `qa` (one answer, or a list of accepted ones) or `none`.
        optional: our fields that a row may lack.
        licence: of rows that name none.
        detect: tells the language of a request where no column says it.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        answer_kind: AnswerKind = "math",
        optional: tuple[str, ...] = (),
        licence: str = "",
        detect: Callable[[str], str] | None = None,
    ) -> None:
        self._detect = detect or _by_script
        self.fields, self.answer_kind, self.optional, self.licence = dict(fields), answer_kind, optional, licence
        unknown = sorted(set(self.fields) - set(OUR_FIELDS))
        if unknown or "request" not in self.fields:
            known = ", ".join(OUR_FIELDS)
            raise RaifError(f"fields {self.fields!r} must map 'request' and may map only: {known}.")

    def seed(self, set_name: str, row: Row) -> Seed:
        """Return the seed of a row; raises `BadRow` where the mapped columns are missing or blank."""
        if row.problem:
            raise BadRow("unreadable row", row.problem)
        values = self._values(row.columns)
        request = _text(values.get("request")).strip()
        if not request:
            raise BadRow("blank request", f"has a blank {self.fields['request']!r}")
        passage = _text(values.get("passage")).strip()
        if passage:
            request = f"{request}\n\n{passage}"
        language = _code(_text(values.get("language"))) or self._detect(request)
        answer, solution = self._answer(values, language)
        return Seed(
            set_name,
            _text(values.get("id")) or str(row.number),
            language,
            request,
            answer,
            {language: solution},
            _text(values.get("licence")) or self.licence,
            _text(values.get("topic")),
            _tags(values.get("tags")),
        )

    def _values(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        for field, column in self.fields.items():
            value = nested(columns, column)
            if value is _ABSENT:
                if field in self.optional:
                    continue
                raise BadRow(
                    f"no column {column}",
                    f"has no field {column!r}; it has: {', '.join(columns)}. "
                    "Map the names with `--fields request=...,answer=...`",
                )
            values[field] = value
        return values

    def _answer(self, values: Mapping[str, Any], language: str) -> tuple[TaskAnswer | None, Solution]:
        given, solution = values.get("answer"), _text(values.get("solution"))
        if self.answer_kind == "qa":
            return _qa(given, solution, language)
        text = _text(given)
        if self.answer_kind == "none":
            return None, _unproved(solution or text, language)
        worked, marker, final = text.rpartition("####")
        answer = (final if marker else text).strip()
        solution = _CALCULATION.sub("", solution or worked).strip()
        if not answer:
            return None, _unproved(solution, language)
        core = (_BOXED[_written(language)].format(answer),)
        return MathAnswer(value=_without_thousands(answer)), Solution(solution, core, _sentences(solution))


def nested(columns: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path (`conversation.0.content`); a column of that very name comes first.

    Example:
        >>> nested({"turns": [{"text": "Hi."}]}, "turns.0.text")
        'Hi.'
    """
    if path in columns:
        return columns[path]
    value: Any = columns
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value


def is_true(columns: Mapping[str, Any], path: str) -> bool:
    """Tell whether a flag column is set; the texts of CSV files count, an absent column does not."""
    value = nested(columns, path)
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else value in (True, 1)


def _code(given: str) -> str:
    """Return the code of a language that a column gives by code or English name."""
    name = given.strip().lower()
    return _CODES.get(name, name.split("-")[0].split("_")[0])


def _by_script(request: str) -> str:
    return "zh" if han_share(request) > 0.3 else "en"


def _written(language: str) -> str:
    return "zh" if language == "zh" else "en"


def _unproved(solution: str, language: str) -> Solution:
    """Return the solution of a task without ground truth: its own first sentence stays, or a neutral one."""
    sentences = _sentences(solution)
    if not sentences:
        return Solution("", (_NEUTRAL[_written(language)],), ())
    return Solution("", sentences[:1], sentences[1:])


def _qa(given: Any, solution: str, language: str) -> tuple[TaskAnswer | None, Solution]:
    accepted = given if isinstance(given, list) else [given]
    values = tuple(dict.fromkeys(text for text in (_text(value).strip() for value in accepted) if text))
    if not values:
        return None, _unproved(solution, language)
    core = (_PLAIN[_written(language)].format(values[0].rstrip(".。")),)
    return QaAnswer(values=values), Solution(solution, core, _sentences(solution))


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(split_sentences(text))


def _tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(dict.fromkeys(_text(tag) for tag in value))
    return tuple(dict.fromkeys(tag.strip() for tag in re.split("[,;，；]", _text(value)) if tag.strip()))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _without_thousands(answer: str) -> str:
    """Drop the commas of one number, and never those of a pair such as (1, 2)."""
    return answer.replace(",", "") if _GROUPED.fullmatch(answer) else answer
