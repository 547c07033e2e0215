"""One row of a known layout -> an instruction."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from data_gen.export import instruction_from_row
from data_gen.seeds import mapping
from data_gen.seeds.rows import Row
from raif.sources.layouts import BadRow, Layout
from raif.sources.maths import maths_row
from raif.sources.questions import questions_row
from raif.sources.rules import constraints_row
from raif.sources.settings import DataSource
from rewards.errors import RaifError
from rewards.instruction import Instruction

_ROW = re.compile(r"^row '[^']*':? ")
_NO_ROW = re.compile(r"^(not a row of \w+|this is no row of an exported data set)\b.*", re.DOTALL)
_LONGEST_REASON = 120
Read = Callable[[DataSource, Layout, Row], Instruction]


def instruction_of(source: DataSource, layout: Layout, row: Row) -> Instruction:
    """Return the instruction that a row stands for; `row.columns` have our names already.

    Raises:
        BadRow: with the reason under which the row is counted.
    """
    if missing := next((column for column in layout.columns if column not in row.columns), None):
        raise BadRow(f"no column {missing}", f"has no column {missing!r}; it has: {', '.join(row.columns)}")
    try:
        return _READERS[layout.kind](source, layout, row)
    except mapping.BadRow as error:
        raise BadRow(error.reason, error.sentence) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        message = f"{place}: {first['msg'].removeprefix('Value error, ')}"
        raise BadRow(short_reason(f"not valid: {message}"), f"is no instruction: {message}") from error
    except PydanticSerializationError as error:
        raise BadRow("a text is no Unicode", f"holds half of a pair of surrogates: {error}") from error
    except RaifError as error:
        raise BadRow(short_reason(str(error)), f"cannot be imported: {error}") from error


def short_reason(message: str) -> str:
    """Return the part of a message that rows with the same trouble share.

    Example:
        >>> short_reason("row '17': kwargs must be mappings or null; got [1]")
        'kwargs must be mappings or null'
    """
    shared = _NO_ROW.sub(r"\1", _ROW.sub("", message)).partition(";")[0].strip().rstrip(".")
    return shared if len(shared) <= _LONGEST_REASON else f"{shared[: _LONGEST_REASON - 3]}..."


def _ours(source: DataSource, layout: Layout, row: Row) -> Instruction:
    if layout.name == "exported":
        return instruction_from_row(row.columns)
    columns = row.columns
    if source.fields:  # the columns that they name stand under our names, too
        columns = {name: value for name, value in columns.items() if name in Instruction.model_fields}
    return Instruction.model_validate(columns)


_READERS: dict[str, Read] = {
    "instructions": _ours,
    "constraints": constraints_row,
    "questions": questions_row,
    "maths": maths_row,
}
