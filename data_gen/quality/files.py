"""The files of a data set: where its instructions are, line by line, and its manifest."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rewards.errors import RaifError

_SHARD = re.compile(r"([a-z_]+)-\d{5}-of-(\d{5})\.jsonl")
MANIFEST = "manifest.json"


def instruction_files(folder: str | Path) -> list[Path]:
    """Return the files that hold the instructions of a data set, in order.

    They are `instructions.jsonl` or the shards `data/<split>-00000-of-00004.jsonl`; a path to a file is that file.

    Raises:
        RaifError: if there are none, or shards are missing.
    """
    source = Path(folder)
    if source.is_file():
        return [source]
    if (source / "instructions.jsonl").is_file():
        return [source / "instructions.jsonl"]
    shards = sorted(filter(_shard, (source / "data").glob("*.jsonl")))
    if not shards:
        raise RaifError(
            f"no instructions in {source}; expected instructions.jsonl or data/<split>-00000-of-00004.jsonl. "
            "Make them with `python -m data_gen --config ... --out DIR`."
        )
    for (split, total), found in Counter(filter(None, map(_shard, shards))).items():
        if found != total:
            raise RaifError(f"{source / 'data'} holds {found} of {total} shards of {split}; make the others first.")
    return shards


def _shard(path: Path) -> tuple[str, int] | None:
    """Return split and number of shards that the name of a shard tells, or None for another file."""
    match = _SHARD.fullmatch(path.name)
    return (match[1], int(match[2])) if match else None


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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file under a temporary name, then rename it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
