"""What the row of a task set becomes, and how its columns are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from data_gen.seeds.mapping import BadRow
from rewards.task_answer import TaskAnswer
from rewards.text import han_share

Columns = Mapping[str, Any]
_KEYS = ("id", "_id", "ID", "unique_id", "task_id")


class Made(NamedTuple):
    """A task without its set: the exact user turn, the ground truth, the language, and what results are told by.

    `passage` is the part of the turn that is shown and asks for nothing, such as the paragraphs of a question.
    """

    request: str
    answer: TaskAnswer
    language: Literal["en", "zh"]
    labels: dict[str, str]
    passage: str = ""


class LeftOut(Exception):
    """A row in good shape that is no task here; its message is the reason that is counted."""


def key_of(columns: Columns, number: int) -> str:
    """Return the row's own key, or its number in the file where it has none.

    Example:
        >>> key_of({"task_id": "HumanEval/7"}, 8), key_of({"question": "Why?"}, 8)
        ('HumanEval/7', '8')
    """
    found = next((columns[name] for name in _KEYS if columns.get(name) not in (None, "")), number)
    return str(found)


def text_of(columns: Columns, *names: str) -> str:
    """Return the text of the first of some columns that the row has; a blank one is an error of the row."""
    name = next(name for name in names if name in columns)
    value = columns[name]
    if isinstance(value, (list, Mapping)):
        raise BadRow(f"nested {name}", f"has a {type(value).__name__} where the text of {name!r} should be")
    text = "" if value is None else str(value).strip()
    if not text:
        raise BadRow(f"blank {name}", f"has a blank {name!r}")
    return text


def nested_value(value: Any) -> Any:
    """Return a nested value; some editions keep it as JSON in a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise BadRow("nested text", f"has a text where a list should be, and it is not JSON ({error})") from error


def language_of(text: str) -> Literal["en", "zh"]:
    return "zh" if han_share(text) > 0.3 else "en"


def labels_of(columns: Columns, names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels that a row has: our name for each of some columns that is not empty."""
    return {ours: str(columns[theirs]) for ours, theirs in names if columns.get(theirs) not in (None, "")}
