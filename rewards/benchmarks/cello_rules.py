"""CELLO: what one item demands of an answer, read from a row of the official files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, PositiveInt, TypeAdapter, ValidationError

from rewards.errors import RaifError, unknown_name

Notation = Literal["json", "dict", "list", "tuple", "xml", "yaml"]
Text = Annotated[str, Field(min_length=1)]
# The files write some limits as one value and some as a list. Both are kept as written: the profiles read them apart.
Notations = Notation | Annotated[tuple[Notation, ...], Field(min_length=1)]
Phrases = Text | Annotated[tuple[Text, ...], Field(min_length=1)]

_LISTS = {  # key of the row -> the criteria it may name
    "Answer_format": ("resolve", "keywords"),
    "Input_depdent_query": ("keywords",),  # spelt so in the files
    "Task_prescribed_phrases": ("keywords",),
}
_PHRASES: TypeAdapter[Any] = TypeAdapter(tuple[Phrases, ...])
_UNUSED = "NULL"
_ADVICE = "Check that the file is an official CELLO file."


@dataclass(frozen=True, slots=True)
class Part:
    """What one criterion is worth: `value` in [0, 1], None where the item does not ask for it."""

    value: float | None
    evidence: str = ""


class LengthLimit(BaseModel, frozen=True, extra="forbid"):
    """A limit on the number of Chinese characters (the benchmark's words) or of closed sentences."""

    criterion: Literal["word-max", "word-min", "sentence-max", "sentence-min", "sentence-exact"]
    limit: PositiveInt


class SampleLimit(BaseModel, frozen=True, extra="forbid"):
    """A number of samples: rows of a table, or the highest number the answer counts up to."""

    criterion: Literal["sample-table", "sample-number"]
    limit: PositiveInt


class OccurrenceLimit(BaseModel, frozen=True, extra="forbid"):
    """How often each of some texts must occur; `sample-mins` is how one item of the files spells `sample-min`."""

    criterion: Literal["sample-min", "sample-mins", "sample-exact"]
    limit: Annotated[tuple[tuple[Text, PositiveInt], ...], Field(min_length=1)]


class Revision(BaseModel, frozen=True, extra="forbid"):
    """The answer must be at least as long, or at most as long, as the previous answer of the conversation."""

    criterion: Literal["revise"]
    limit: Literal["longer", "shorter"]


CountLimit = LengthLimit | SampleLimit | OccurrenceLimit | Revision
_COUNT_CRITERIA = [
    name for model in get_args(CountLimit) for name in get_args(model.model_fields["criterion"].annotation)
]
_COUNTS: TypeAdapter[Any] = TypeAdapter(tuple[Annotated[CountLimit, Field(discriminator="criterion")], ...])
_NOTATIONS: TypeAdapter[Any] = TypeAdapter(Notations)


class CelloRules(BaseModel, frozen=True, extra="forbid"):
    """The limits of one CELLO item; what is empty or None is not asked for.

    notation: what the whole answer must parse as. format_phrases, input_phrases, task_phrases: sets of texts the answer
    must contain, alternatives where there are several sets. counts: limits on numbers of things, in the file's order.
    """

    notation: Notations | None = None
    format_phrases: tuple[Phrases, ...] = ()
    input_phrases: tuple[Phrases, ...] = ()
    task_phrases: tuple[Phrases, ...] = ()
    counts: tuple[CountLimit, ...] = ()


def parse_rules(row: Mapping[str, Any]) -> CelloRules:
    """Read the limits of one item of the official files.

    Raises RaifError for a missing list, a criterion or limit the rules do not know, and a language that is not Chinese.

    Example:
        >>> unused = [{"criterion": "NULL", "limit": "NULL"}]
        >>> row = {"Answer_format": unused, "Input_depdent_query": unused, "Task_prescribed_phrases": unused}
        >>> parse_rules(row | {"Count_limit": [{"criterion": "word-max", "limit": 100}]}).counts
        (LengthLimit(criterion='word-max', limit=100),)
    """
    if row.get("lang", "ch") != "ch":
        raise RaifError(
            f"CELLO item {_name(row)}: lang is {row['lang']!r}, but the rules count Chinese text. {_ADVICE}"
        )
    phrases = {key: _limits(row, key, known) for key, known in _LISTS.items()}
    notations = [each["limit"] for each in phrases["Answer_format"] if each["criterion"] == "resolve"]
    if len(notations) > 1:
        raise RaifError(f"CELLO item {_name(row)}: {len(notations)} resolve limits, at most one expected. {_ADVICE}")
    sets = {
        key: [each["limit"] for each in entries if each["criterion"] == "keywords"] for key, entries in phrases.items()
    }
    return CelloRules(
        notation=_valid(row, _NOTATIONS, notations[0]) if notations else None,
        format_phrases=_valid(row, _PHRASES, sets["Answer_format"]),
        input_phrases=_valid(row, _PHRASES, sets["Input_depdent_query"]),
        task_phrases=_valid(row, _PHRASES, sets["Task_prescribed_phrases"]),
        counts=_valid(row, _COUNTS, _limits(row, "Count_limit", _COUNT_CRITERIA)),
    )


def _limits(row: Mapping[str, Any], key: str, known: Sequence[str]) -> list[dict[str, Any]]:
    """Return the entries of one list that ask for something."""
    entries = row.get(key)
    if not isinstance(entries, list) or not all(isinstance(each, dict) and "limit" in each for each in entries):
        found = "missing" if key not in row else repr(entries)[:80]
        raise RaifError(
            f"CELLO item {_name(row)}: {key} is {found}, expected a list of {{criterion, limit}}. {_ADVICE}"
        )
    used = [each for each in entries if each.get("criterion") != _UNUSED]
    for each in used:
        if each.get("criterion") not in known:
            raise unknown_name(f"{key} criterion of CELLO item {_name(row)}", each.get("criterion"), known, _ADVICE)
    return used


def _valid(row: Mapping[str, Any], kind: TypeAdapter[Any], value: object) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise RaifError(f"CELLO item {_name(row)}: limit {value!r} is not known: {first['msg']}. {_ADVICE}") from error


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("Instruction_id", "without Instruction_id"))[:12]
