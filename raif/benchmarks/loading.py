"""Find and read the official files of a benchmark (a file, a folder, or a data set of the hub), and stored rows."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from raif.benchmarks.items import QuestionItem
from rewards.errors import RaifError

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_SHOWN = 60  # characters of a wrong value that an error quotes
T = TypeVar("T")


def locate(data: str, names: Sequence[str], where: str) -> Path:
    """Return the first of `names` (with or without .gz) in a folder or hub data set; a file is taken as it is.

    Args:
        data: what `--data` says.
        names: paths inside the folder, in the order in which they are tried.
        where: what the error says about where to get the file.

    Raises:
        RaifError: if none is there.
    """
    if Path(data).is_file():
        return Path(data)
    folder = folder_of(data, where)
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise RaifError(f"{data} holds no {' or '.join(names)}. {where}")


def folder_of(data: str, where: str) -> Path:
    """Return the folder that `--data` names; a data set of the hub is fetched.

    Raises:
        RaifError: if there is none.
    """
    return Path(data) if Path(data).is_dir() else _download(data, where)


def _download(data: str, where: str) -> Path:
    if not _HUB_NAME.fullmatch(data) or data.startswith((".", "/")):
        raise RaifError(f"no benchmark files at {data}. {where}")
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(data, repo_type="dataset", allow_patterns=["*.json*", "*.gz"]))
    except Exception as error:  # the library raises errors of several other libraries
        reason = (str(error).strip().split("\n")[0] or "no reason given").rstrip(".")
        raise RaifError(
            f"{data} is no file or folder here, and could not be fetched from the hub ({type(error).__name__}: "
            f"{reason}). {where}"
        ) from error


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a JSON array of objects, or JSON lines; .gz is unpacked.

    Raises:
        RaifError: naming the place that is not what was expected.
    """
    if path.is_dir():
        raise RaifError(f"{path} is a folder; name the file in it that holds the rows.")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RaifError(f"{path} cannot be read ({error}); fetch it again.") from error
    if text.startswith("version https://git-lfs"):
        raise RaifError(f"{path} is a pointer of Git LFS, not data; fetch the file itself: `git lfs pull`.")
    rows = _array(path, text) if text.lstrip().startswith("[") else _lines(path, text)
    if not rows:
        raise RaifError(f"{path} holds no rows; fetch the file again.")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RaifError(f"{path}, row {number}: expected an object, got {type(row).__name__}.")
    return rows


def _array(path: Path, text: str) -> list[Any]:
    try:
        found: list[Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RaifError(f"{path} is no JSON ({error}); fetch the file again.") from error
    return found


def _lines(path: Path, text: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise RaifError(f"{path}:{number} is no JSON ({error}); fetch the file again.") from error
    return rows


def make_items(
    path: Path, rows: Sequence[Mapping[str, Any]], make: Callable[[Mapping[str, Any], int], T], benchmark: str
) -> list[T]:
    """Make an item of every row; a row of another form is an error that names it.

    Raises:
        RaifError: naming the row, and what is missing or wrong.
    """
    items = []
    for number, row in enumerate(rows):
        try:
            items.append(make(row, number))
        except KeyError as error:
            raise RaifError(f"{path}, row {number} is no item of {benchmark}: it has no {error.args[0]!r}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            wrong = f"its {place} is {shown(first['input'])}: " if place else ""
            raise RaifError(f"{path}, row {number} is no item of {benchmark}: {wrong}{first['msg']}.") from error
        except (RaifError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise RaifError(f"{path}, row {number} is no item of {benchmark}: {error}") from error
    return items


# ---- rows of items ------------------------------------------------------------------------------------------------


def id_of(row: Mapping[str, Any], key: str) -> str:
    """Return what a row calls its item, a text or a whole number.

    Raises:
        RaifError: if it is something else.
    """
    found = row[key]
    if type(found) is not int and not (isinstance(found, str) and found.strip()):
        raise RaifError(f"its {key} is {shown(found)}; expected a text or a whole number.")
    return str(found)


def text_of(row: Mapping[str, Any], key: str, *, blank: bool = False) -> str:
    """Return a text of an item's row.

    Args:
        blank: whether it may be empty.

    Raises:
        RaifError: if it is no text, or says nothing.
    """
    found = row[key]
    if not isinstance(found, str) or not (blank or found.strip()):
        raise RaifError(f"its {key} is {shown(found)}; expected a text{'' if blank else ' that is not empty'}.")
    return found


def list_of(row: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list of an item's row.

    Raises:
        RaifError: if it is no list, or empty.
    """
    found = row[key]
    if not isinstance(found, list) or not found:
        raise RaifError(f"its {key} is {shown(found)}; expected a list that is not empty.")
    return found


def shown(value: Any) -> str:
    """Return a value of a file as an error quotes it.

    Example:
        >>> shown(None), shown("T"), shown([True])
        ('null', '"T"', '[true]')
    """
    return json.dumps(value, ensure_ascii=False, default=str)[:_SHOWN]


# ---- rows of published answers and verdicts -----------------------------------------------------------------------


class StoredRow(NamedTuple):
    """A row of published answers, its item, and what errors call it."""

    item: QuestionItem
    row: dict[str, Any]
    where: str


def stored_rows(
    place: Path, known: Mapping[str, QuestionItem], benchmark: str, needs: Sequence[str], expected: str
) -> list[StoredRow]:
    """Read the published rows of one model, each with its item.

    Args:
        known: items by what rows call them.
        needs: columns that each row has; the first says which item it is about.
        expected: the columns in words.

    Raises:
        RaifError: if a row lacks a column, is about no item of this file, or about the same as another.
    """
    found: dict[str, StoredRow] = {}
    for number, row in enumerate(read_rows(place)):
        check_columns(row, needs, f"{place} holds no answers to {benchmark} in a known form: row {number}", expected)
        key = str(row[needs[0]])
        where = f"{place}, row {number}, {needs[0]} {' '.join(key.split())[:_SHOWN]}"
        item = known.get(key)
        if item is None:
            raise RaifError(f"{where} is no item of this file; give the answers and the items of one edition.")
        if item.id in found:
            raise RaifError(f"{where} is there twice; keep one row for each item.")
        found[item.id] = StoredRow(item, row, where)
    return list(found.values())


def check_columns(row: Mapping[str, Any], needs: Sequence[str], where: str, expected: str) -> None:
    """Raise an error that names the columns which a row lacks."""
    if lacking := [name for name in needs if name not in row]:
        raise RaifError(f"{where} has no {' and no '.join(lacking)}, only {', '.join(row)}; expected {expected}.")


def stored_text(row: Mapping[str, Any], key: str, where: str) -> str:
    """Return an answer or a reply as it was stored; null is none."""
    found = row[key]
    if not isinstance(found, str | None):
        raise RaifError(f"{where}: {key} is {shown(found)}; expected a text, or null for none.")
    return found or ""


def stored_verdicts(
    given: Any, name: str, count: int, where: str, known: Sequence[Any] = (True, False, None)
) -> list[Any]:
    """Return stored verdicts.

    Args:
        name: of their column.
        count: of the questions.
        known: what a verdict may be.

    Raises:
        RaifError: if they are not as many, or one is something else.
    """
    if not isinstance(given, list):
        raise RaifError(f"{where}: {name} is {shown(given)}; expected a list of verdicts.")
    if len(given) != count:
        raise RaifError(
            f"{where}: {len(given)} verdicts for {count} questions; they belong to another edition of the items."
        )
    for verdict in given:
        if verdict not in known:
            *others, last = map(shown, known)
            raise RaifError(f"{where}: verdict {shown(verdict)} is neither {', '.join(others)} nor {last}.")
    return given
