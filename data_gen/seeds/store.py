"""Where prepared seeds are kept: in memory when they are few, else as JSON Lines with byte offsets on disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from data_gen.seeds.seed import Seed, Solution
from rewards.task_answer import TaskAnswer

ROWS, OFFSETS, REPORT = "seeds.jsonl", "offsets-{}.npy", "report.json"
_ANSWER: TypeAdapter[Any] = TypeAdapter(TaskAnswer)


def dump_seed(seed: Seed) -> bytes:
    """Return a seed as one line of JSON."""
    fields = seed._asdict()
    fields["answer"] = None if seed.answer is None else seed.answer.model_dump()
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def load_seed(line: bytes) -> Seed:
    """Return the seed that `dump_seed` wrote."""
    fields = json.loads(line.decode("utf-8", "surrogatepass"))
    solutions = {
        code: Solution(thinking, tuple(core), tuple(optional))
        for code, (thinking, core, optional) in fields["solutions"].items()
    }
    answer = None if fields["answer"] is None else _ANSWER.validate_python(fields["answer"])
    return Seed(**{**fields, "answer": answer, "solutions": solutions, "tags": tuple(fields["tags"])})


class SpillWriter:
    """Collects seeds in memory, and from a limit on in a file.

    Args:
        cache: where a folder of its own is made when the limit is passed.
        limit: how many seeds memory holds.
    """

    def __init__(self, cache: Path, limit: int) -> None:
        self._cache, self._limit = cache, limit
        self.folder: Path | None = None
        self.rows: list[Seed] = []
        self.offsets = array("q")
        self.size = 0
        self._file: Any = None

    def add(self, seed: Seed) -> None:
        if self._file is None and len(self.rows) < self._limit:
            self.rows.append(seed)
            return
        if self._file is None:
            self.folder = _work_folder(self._cache)
            self._file = (self.folder / ROWS).open("wb")
            for early in self.rows:
                self._write(early)
            self.rows = []
        self._write(seed)

    def _write(self, seed: Seed) -> None:
        self.offsets.append(self.size)
        self.size += self._file.write(dump_seed(seed))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def discard(self) -> None:
        """Remove what was written."""
        self.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class DiskRows:
    """Reads one prepared row at a time; what stays in memory is the page cache's business."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        self.languages: tuple[str, ...] = tuple(self.report["languages"])
        self._offsets = {code: np.load(folder / OFFSETS.format(code), mmap_mode="r") for code in self.languages}
        self._descriptor = os.open(folder / ROWS, os.O_RDONLY)

    def count(self, language: str) -> int:
        return len(self._offsets[language]) if language in self._offsets else 0

    def row(self, language: str, place: int) -> Seed:
        """Return a row by its place among those of a language; processes that share the file do not disturb it."""
        begin, end = (int(value) for value in self._offsets[language][place])
        return load_seed(os.pread(self._descriptor, end - begin, begin))

    def __iter__(self) -> Iterator[Seed]:
        return (self.row(code, place) for code in self.languages for place in range(self.count(code)))

    def __reduce__(self) -> tuple[type[DiskRows], tuple[Path]]:
        return DiskRows, (self.folder,)  # a descriptor means nothing in another process

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class MemoryRows:
    """Holds prepared rows."""

    def __init__(self, seeds: Iterable[Seed], report: dict[str, Any]) -> None:
        self.report = report
        self._pools: dict[str, list[Seed]] = {}
        for seed in seeds:
            self._pools.setdefault(seed.language, []).append(seed)
        self.languages = tuple(sorted(self._pools))

    def count(self, language: str) -> int:
        return len(self._pools.get(language, ()))

    def row(self, language: str, place: int) -> Seed:
        return self._pools[language][place]


def publish(work: Path, target: Path | None, spans: Mapping[str, Sequence[int]], report: Mapping[str, Any]) -> Path:
    """Write offsets and report next to the rows, move the folder to its place in one step, and return the place.

    A folder that another process published meanwhile has the same content, and stays. Without a target the folder
    stays where it is.
    """
    for language, ends in spans.items():
        np.save(work / OFFSETS.format(language), np.array(ends, dtype=np.int64).reshape(-1, 2))
    (work / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")
    if target is None:
        return work
    try:
        work.rename(target)
    except OSError:
        if not (target / REPORT).is_file():
            raise
        shutil.rmtree(work)
    return target


def _work_folder(cache: Path) -> Path:
    """Return a fresh folder in the cache that no other process uses."""
    cache.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="preparing-", dir=cache))
