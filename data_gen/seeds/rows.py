"""Rows of a file, one at a time: JSON Lines, CSV or parquet, each with the place that error messages name."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rewards.errors import RaifError, unknown_name

INSTALL_PARQUET = 'pip install "pyarrow>=17"'
BATCH = 1024  # parquet rows in memory at a time


class Row(NamedTuple):
    """One row: its number (the line of a text file), the place for messages, and its columns or what is wrong."""

    number: int
    where: str
    columns: dict[str, Any]
    problem: str = ""


def read_rows(path: str | Path, form: str = "") -> Iterator[Row]:
    """Return the rows of a file; `form` (`jsonl`, `csv`, `parquet`) overrides its suffix.

    A row that cannot be read carries its `problem`; what makes the whole file unreadable is a `RaifError`.
    """
    source = Path(path)
    suffix = form or source.suffix.lower().lstrip(".")
    if suffix not in _READERS:
        raise unknown_name("seed file suffix", suffix, _READERS, f"Convert {source} or rename it.")
    if not source.is_file():
        raise RaifError(f"no seed file at {source}; give an existing {suffix.upper()} file to `--seeds`.")
    return _READERS[suffix](source)


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            where = f"{path}:{number}"
            line = _decoded(raw, where, first=number == 1)
            if line.strip():
                yield _json_row(line, number, where)


def _decoded(raw: bytes, where: str, first: bool) -> str:
    try:
        return raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(where, error) from error


def _not_utf8(where: str, error: UnicodeDecodeError) -> RaifError:
    return RaifError(
        f"{where} is not UTF-8 ({error.reason} at byte {error.start}); convert the file, for instance with "
        "`iconv -f GB18030 -t UTF-8` or `iconv -f UTF-16 -t UTF-8`. Nothing was written."
    )


def _json_row(line: str, number: int, where: str) -> Row:
    try:
        columns = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return Row(number, where, {}, f"is not JSON ({error}); repair or remove the line")
    if not isinstance(columns, dict):
        return Row(number, where, {}, f"is a {type(columns).__name__}, not an object with fields")
    return Row(number, where, columns)


def _csv(path: Path, delimiter: str = ",") -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            if len(set(header)) < len(header):
                twice = next(name for name in header if header.count(name) > 1)
                raise RaifError(f"{path}:1 names the column {twice!r} twice; rename one. Nothing was written.")
            for cells in reader:
                if cells:
                    yield _csv_row(path, reader.line_num, header, cells)
        except UnicodeDecodeError as error:
            raise _not_utf8(f"{path}:{reader.line_num + 1}", error) from error
        except csv.Error as error:
            raise RaifError(
                f"{path}:{reader.line_num} is not CSV ({error}); repair it. Nothing was written."
            ) from error


def _csv_row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    where = f"{path}:{line}"
    if len(cells) != len(header):
        return Row(line, where, {}, f"has {len(cells)} cells, the header {len(header)}; quote cells with commas")
    return Row(line, where, dict(zip(header, cells, strict=True)))


def _parquet(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise RaifError(f"reading {path} needs pyarrow; install it: {INSTALL_PARQUET}.") from error
    try:
        file = ParquetFile(path)
    except ArrowInvalid as error:
        raise RaifError(f"{path} is not parquet ({error}); export it again. Nothing was written.") from error
    number = 0
    with file:
        for batch in file.iter_batches(batch_size=BATCH):
            for columns in batch.to_pylist():
                number += 1
                yield Row(number, f"{path}:{number}", columns)


def _tsv(path: Path) -> Iterator[Row]:
    return _csv(path, "\t")


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "csv": _csv,
    "tsv": _tsv,
    "parquet": _parquet,
}
