"""A file of demonstrations: where the rows of each instruction begin, read when they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from data_gen.experts.sources import FileExperts
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.think_styles import CLOSE


class DemonstrationFile:
    """The rows of a JSONL file by instruction; only the places of the rows are held in memory.

    Args:
        source: the file and its columns.

    Raises:
        RaifError: if there is no such file, or a row names no instruction or holds no demonstration.
    """

    def __init__(self, source: FileExperts) -> None:
        self.source, self.path = source, source.path
        if not self.path.is_file():
            raise RaifError(f"no demonstrations at {self.path}; give an existing JSONL file as `path`.")
        self._places: dict[bytes, list[int]] = defaultdict(list)
        self._used: set[int] = set()
        self._rows = 0
        for place, row in self._read():
            self._places[self._key(row)].append(place)
            self._rows += 1
        if not self._rows:
            raise RaifError(f"{self.path} holds no demonstrations; it needs one JSON object a line.")

    @property
    def unused(self) -> int:
        """How many rows have belonged to no instruction that was asked for."""
        return self._rows - len(self._used)

    def find(self, task: Instruction) -> list[Response]:
        """Return the demonstrations of an instruction, by its id and by its prompt, in the order of the file."""
        keys = (_digest("id", task.id), _digest("prompt", task.prompt_text))
        places = sorted({place for key in keys for place in self._places.get(key, ())})
        self._used.update(places)
        if not places:
            return []
        with self.path.open("rb") as file:
            return [self._parse(_line_at(file, place)) for place in places]

    def _read(self) -> Iterator[tuple[int, dict[str, Any]]]:
        place = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield place, self._checked(line, f"{self.path}:{number}")
                place += len(line)

    def _checked(self, line: bytes, where: str) -> dict[str, Any]:
        """Return a row that names its instruction and holds a demonstration."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RaifError(f"{where} is not JSON ({error}); repair or remove the line.") from error
        if not isinstance(row, dict):
            raise RaifError(f"{where} is a {type(row).__name__}, not an object with columns.")
        column = self.source.column
        joins = [column("instruction_id"), column("prompt")]
        if not any(row.get(name) for name in joins):
            raise RaifError(f"{where} has neither {joins[0]!r} nor {joins[1]!r}; {self._advice(row)}")
        said = [column("answer"), column("completion")]
        if not any(isinstance(row.get(name), str) for name in said):
            raise RaifError(f"{where} has neither {said[0]!r} nor {said[1]!r} with a text; {self._advice(row)}")
        return row

    def _advice(self, row: dict[str, Any]) -> str:
        return f"it has: {', '.join(map(str, row))}. Map the names with `fields`, for example {{answer: output}}."

    def _key(self, row: dict[str, Any]) -> bytes:
        name = row.get(self.source.column("instruction_id"))
        if name:
            return _digest("id", str(name))
        return _digest("prompt", _prompt_text(row[self.source.column("prompt")]))

    def _parse(self, row: dict[str, Any]) -> Response:
        column = self.source.column
        truncated = row.get(column("finish_reason")) == "length"
        answer, thinking = row.get(column("answer")), row.get(column("thinking"))
        if isinstance(answer, str):
            return Response(thinking if isinstance(thinking, str) else None, answer, truncated)
        text = str(row[column("completion")])
        style = self.source.think_style
        return Response.split(text, style=style, prefilled=CLOSE in text, truncated=truncated)


def _digest(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=16).digest()


def _prompt_text(prompt: Any) -> str:
    """Return a prompt as `rewards.instruction.prompt_text` does; a conversation is a list of messages."""
    if isinstance(prompt, list):
        return "\n\n".join(str(turn.get("content", "")) for turn in prompt if isinstance(turn, dict))
    return str(prompt)


def _line_at(file: Any, place: int) -> dict[str, Any]:
    file.seek(place)
    row: dict[str, Any] = json.loads(file.readline())
    return row
