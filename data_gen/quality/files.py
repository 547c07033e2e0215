"""The files of a data set: where its instructions are, line by line, and its manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_gen import shards
from data_gen.shards import MANIFEST as MANIFEST
from data_gen.shards import write_json as write_json
from rewards.errors import RaifError
from rewards.instruction import Instruction, parse_line


def instruction_files(source: str | Path) -> list[Path]:
    """Return the files of instructions of a complete data folder in row order; a path to a file is that file.

    Raises:
        RaifError: if the folder is not complete, or one of its files is missing.
    """
    return [Path(source)] if Path(source).is_file() else shards.instruction_files(source)


def instructions(source: str | Path) -> Iterator[Instruction]:
    """Yield the instructions of a complete data folder or of a file, one at a time."""
    for path in instruction_files(source):
        for number, line in raw_rows(path):
            yield parse_line(_text(line, f"{path}:{number}"), f"{path}:{number}")


def _text(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RaifError(f"{where} is not UTF-8 ({error.reason}); make the file again.") from error


def raw_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers from 1, without reading the file at once."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file; a broken line is an error that names it."""
    for number, line in raw_rows(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RaifError(f"{path}:{number} is not JSON ({error}); repair or remove the line.") from error
        if not isinstance(row, dict):
            raise RaifError(f"{path}:{number} is a {type(row).__name__}, not an object with fields.")
        yield row


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest beside the instructions, or nothing where there is none."""
    path = Path(folder) / MANIFEST
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RaifError(f"{path} is not JSON ({error}); make the data again.") from error
    if not isinstance(content, dict):
        raise RaifError(f"{path} holds no JSON object; make the data again.")
    return content
