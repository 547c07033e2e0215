"""Instructions by id from a file that need not fit into memory."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from rewards.errors import RaifError
from rewards.instruction import Instruction

CACHED = 2048
_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"([\w-]+)"')


class InstructionIndex:
    """Where each instruction of an `instructions.jsonl` begins; records are parsed when they are asked for.

    Args:
        path: the file, opened as long as the index lives.
        cached: how many parsed instructions are kept.

    Raises:
        RaifError: if there is no such file, a line has no id, or two instructions have the same.
    """

    def __init__(self, path: str | Path, cached: int = CACHED) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise RaifError(f"no instructions at {path}; make them with `python -m data_gen --config ... --out DIR`.")
        self._file = self.path.open("rb")
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
        """Close the file."""
        self._file.close()

    def _find_offsets(self) -> dict[str, int]:
        offsets: dict[str, int] = {}
        begin = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    name = _id_of(line, f"{self.path}:{number}")
                    if offsets.setdefault(name, begin) != begin and self._line(offsets[name]) != line.strip():
                        raise RaifError(f"{self.path}:{number}: another instruction has the id {name!r} too.")
                begin += len(line)
        if not offsets:
            raise RaifError(f"{self.path} holds no instructions; make them with `python -m data_gen`.")
        return offsets

    def _line(self, begin: int) -> bytes:
        self._file.seek(begin)
        return self._file.readline().strip()

    def _parse(self, begin: int) -> Instruction:
        try:
            return Instruction.model_validate_json(self._line(begin))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "line"
            message = first["msg"].removeprefix("Value error, ")
            raise RaifError(f"its instruction is not valid: {place}: {message}") from error


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
