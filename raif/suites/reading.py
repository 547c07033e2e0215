"""Read the files of a benchmark as they are: a file, a folder, or a data set of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_gen.seeds.rows import read_rows
from raif.evaluation.records import Item
from rewards.errors import RaifError

SUFFIXES = (".jsonl", ".parquet")
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_WGET_LOG = re.compile(rb"--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--\s+https?://")


class BenchmarkRow(NamedTuple):
    """One row: the name of its file without the suffix, its index there (blank lines not counted), its columns."""

    file: str
    index: int
    where: str
    columns: dict[str, Any]


class Benchmark(NamedTuple):
    """The rows of a benchmark and the digest (SHA-256, 16 digits) of the files they were read from."""

    rows: list[BenchmarkRow]
    digest: str


def read_benchmark(data: str, columns: Sequence[str], home: str) -> Benchmark:
    """Read every row of a benchmark.

    Stored responses that lie beside the items are left out: files whose first row has a `response` but no item.

    Args:
        data: a JSONL or parquet file, a folder of such files (or with a folder `data` of them), or a hub data set.
        columns: what every row must have.
        home: the hub's name of the benchmark, for error messages.

    Raises:
        RaifError: if there is nothing to read, or a file holds no rows of the benchmark.
    """
    digest, rows = hashlib.sha256(), list[BenchmarkRow]()
    for path in _files(data, home):
        content = path.read_bytes()
        _refuse_log(path, content, home)
        found = _rows(path, columns)
        if found:
            rows += found
            digest.update(content)
    if not rows:
        raise RaifError(f"{data} holds no rows with {', '.join(columns)}; give the benchmark's own files.")
    return Benchmark(rows, digest.hexdigest()[:16])


def _files(data: str, home: str) -> list[Path]:
    path = Path(data)
    if path.is_file():
        return [path]
    if not path.is_dir():
        path = _download(data, home)
    for folder in (path, path / "data"):
        found = sorted(file for file in folder.glob("*") if file.suffix in SUFFIXES)
        if found:
            return found
    raise RaifError(f"{data} holds no {' or '.join(SUFFIXES)} file; give the folder that holds the benchmark's files.")


def _download(data: str, home: str) -> Path:
    """Return the folder of a hub data set, fetched at first use."""
    advice = f"give an existing file or folder, or a data set of the Hugging Face hub such as {home}"
    if not _HUB_NAME.fullmatch(data):
        raise RaifError(f"no benchmark files at {data}; {advice}.")
    try:
        from huggingface_hub import snapshot_download

        patterns = [f"{folder}*{suffix}" for folder in ("", "data/") for suffix in SUFFIXES]
        return Path(snapshot_download(data, repo_type="dataset", allow_patterns=patterns))
    except ImportError as error:
        raise RaifError(f"{data} needs huggingface_hub; install it: `pip install huggingface_hub`.") from error
    except Exception as error:  # the library raises errors of several other libraries
        reason = (str(error).strip().split("\n")[0] or "no reason given").rstrip(".")
        raise RaifError(
            f"{data} is no file or folder here, and could not be fetched from the hub ({type(error).__name__}: "
            f"{reason}); {advice}. Without a connection, fetch it elsewhere: "
            f"`hf download --repo-type dataset {home} --local-dir DIR`."
        ) from error


def _refuse_log(path: Path, content: bytes, home: str) -> None:
    if _WGET_LOG.match(content.lstrip()):
        raise RaifError(
            f"{path} is a log of wget, not data: a download script wrote the log (`wget -o`) where the file should be "
            f"(`wget -O`), as in the benchmark's own repository. Fetch the data: "
            f"`hf download --repo-type dataset {home} --local-dir DIR`."
        )


def _rows(path: Path, columns: Sequence[str]) -> list[BenchmarkRow]:
    found: list[BenchmarkRow] = []
    for index, row in enumerate(read_rows(path)):
        if row.problem:
            raise RaifError(f"{row.where} {row.problem}.")
        missing = [name for name in columns if name not in row.columns]
        if missing and index == 0 and "response" in row.columns:
            return []
        if missing:
            raise RaifError(f"{row.where} has no {', '.join(missing)}; it has {', '.join(row.columns)}.")
        try:
            json.dumps(row.columns, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError as error:
            raise RaifError(f"{row.where} holds half a character (a lone surrogate); repair the text.") from error
        found.append(BenchmarkRow(path.stem, index, row.where, row.columns))
    return found


def unique(items: Sequence[Item]) -> list[Item]:
    """Return the items with ids that occur once: the second `7` becomes `7#2`.

    Example:
        >>> [item.id for item in unique([Item(id="7", prompt="a"), Item(id="7", prompt="b")])]
        ['7', '7#2']
    """
    taken, seen, found = {item.id for item in items}, Counter[str](), list[Item]()
    for item in items:
        seen[item.id] += 1
        key = item.id
        while seen[item.id] > 1 and key in taken:
            key = f"{item.id}#{seen[item.id]}"
            seen[item.id] += key in taken
        taken.add(key)
        found.append(item if key == item.id else item.model_copy(update={"id": key}))
    return found


def read_responses(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Read one response for each item from JSON lines of `id` and `response`.

    Raises:
        RaifError: if an id is missing, doubled or unknown; it lists them.
    """
    if not path.is_file():
        raise RaifError(f"no responses at {path}; expected JSON lines with id and response.")
    rows = list(read_rows(path, "jsonl"))
    broken = [row.where for row in rows if row.problem or not isinstance(row.columns.get("response"), str)]
    counts = Counter(str(row.columns.get("id")) for row in rows)
    faults = {
        "without a response": broken,
        "missing": [key for key in ids if key not in counts],
        "doubled": [key for key, count in counts.items() if count > 1],
        "unknown": sorted(set(counts) - set(ids)),
    }
    if any(faults.values()):
        listed = "; ".join(f"{len(keys)} {what}: {', '.join(keys[:20])}" for what, keys in faults.items() if keys)
        raise RaifError(f"{path} must hold one response for each of {len(ids)} items; {listed}.")
    return {str(row.columns["id"]): row.columns["response"] for row in rows}
