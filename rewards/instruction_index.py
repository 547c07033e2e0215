"""Instructions by id from a file that need not fit into memory."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from rewards.errors import RaifError
from rewards.instruction import Instruction

CACHED = 2048
_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"([\w-]+)"')


class _Place(NamedTuple):
    """Where a line begins: the number of its file, and the byte."""

    file: int
    begin: int


class InstructionIndex:
    """Where each instruction of a file or a data folder begins; records are parsed when they are asked for.

    Args:
        path: JSON lines, or a data folder; its files are open as long as the index lives.
        cached: how many parsed instructions are kept.

    Raises:
        RaifError: if there is no such file, a line has no id, or two instructions have the same.
    """

    def __init__(self, path: str | Path, cached: int = CACHED) -> None:
        self._files = [file.open("rb") for file in instruction_paths(path)]
        self._offsets = self._find_offsets()
        self._parsed = lru_cache(maxsize=cached)(self._parse)

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, name: str) -> Instruction:
        """Return an instruction.

        Raises:
            KeyError: if the id is unknown.
            RaifError: if its line is no instruction.
        """
        return self._parsed(self._offsets[name])

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def _find_offsets(self) -> dict[str, _Place]:
        offsets: dict[str, _Place] = {}
        for place, opened in enumerate(self._files):
            begin = 0
            with open(opened.name, "rb") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        where, here = f"{opened.name}:{number}", _Place(place, begin)
                        name = _id_of(line, where)
                        if offsets.setdefault(name, here) != here and self._line(offsets[name]) != line.strip():
                            raise RaifError(f"{where}: another instruction has the id {name!r} too.")
                    begin += len(line)
        if not offsets:
            names = ", ".join(file.name for file in self._files)
            raise RaifError(f"{names} holds no instructions; make them with `python -m data_gen`.")
        return offsets

    def _line(self, place: _Place) -> bytes:
        file = self._files[place.file]
        file.seek(place.begin)
        return file.readline().strip()

    def _parse(self, place: _Place) -> Instruction:
        try:
            return Instruction.model_validate_json(self._line(place))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "line"
            message = first["msg"].removeprefix("Value error, ")
            raise RaifError(f"its instruction is not valid: {field}: {message}") from error


def instruction_paths(source: str | Path) -> list[Path]:
    """Return the files of instructions that a path names: itself, or the shards of a data folder."""
    path = Path(source)
    single = path / "instructions.jsonl"
    if path.is_dir():
        files = [single] if single.is_file() else sorted(path.glob("data/*.jsonl"))
    else:
        files = [path] if path.is_file() else []
    if not files:
        raise RaifError(f"no instructions at {source}; make them with `python -m data_gen --config ... --out DIR`.")
    return files


def _id_of(line: bytes, where: str) -> str:
    """Return the id of a line; it stands first where this library wrote the line, which spares parsing all of it."""
    if found := _ID.match(line):
        return found[1].decode()
    try:
        name = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RaifError(f"{where} is not an instruction: it has no id. Make the file again.") from error
    if not isinstance(name, str):
        raise RaifError(f"{where} is not an instruction: its id is {name!r}. Make the file again.")
    return name
