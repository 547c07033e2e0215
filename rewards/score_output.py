"""The file of score lines: appended to, continued after a kill, and never mixed from different inputs."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from rewards.errors import RaifError
from rewards.instruction_index import instruction_paths
from rewards.score_rows import RawRow, Scored, ScoreSettings
from rewards.score_summary import Tally, tally_of

Chunk = Sequence[RawRow]
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # what some shared file systems say


def stamp_path(out: Path) -> Path:
    """Return where it is written what a score file was made from."""
    return out.with_suffix(".stamp.json")


def summary_path(out: Path) -> Path:
    """Return where the summary of a finished score file is."""
    return out.with_suffix(".summary.json")


def make_stamp(instructions: Path, rollouts: Path, settings: ScoreSettings) -> dict[str, Any]:
    """Return what decides every byte of a score file: digests of the inputs, and the settings."""
    files = [_digest(path) for path in instruction_paths(instructions)]
    of_instructions = files[0] if len(files) == 1 else hashlib.sha256("".join(files).encode()).hexdigest()
    digests = {"instructions": of_instructions, "rollouts": _digest(rollouts)}
    return {**digests, **settings.model_dump(mode="json"), "schema_version": 1}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ScoreFile:
    """A score file that is open for appending, by one process at a time.

    Args:
        path: the file; its stamp and its summary stand next to it.
        stamp: what the lines are made from.

    Raises:
        RaifError: if the file was made from something else, is no score file or is being written.
    """

    def __init__(self, path: Path, stamp: Mapping[str, Any]) -> None:
        if path.is_dir():
            raise RaifError(f"{path} is a folder; name a file in it, for example {path / 'scores.jsonl'}.")
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab+")
        try:
            self._lock()
            self._claim(stamp)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ScoreFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RaifError(f"{self.path} is being written by another process; wait for it.") from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def _claim(self, stamp: Mapping[str, Any]) -> None:
        """Stamp an empty file; of one with lines, see that its stamp is the same."""
        source = stamp_path(self.path)
        if not self.path.stat().st_size:
            summary_path(self.path).unlink(missing_ok=True)
            write_json(source, stamp)
            return
        if not source.is_file():
            raise RaifError(f"{self.path} exists, but was not made by this command; name another file.")
        found = json.loads(source.read_text(encoding="utf-8"))
        if differing := [name for name in stamp if found.get(name) != stamp[name]]:
            raise RaifError(
                f"{self.path} was made with other {', '.join(differing)}, and scores are never mixed. "
                f"Name another file, or delete {self.path} to score again."
            )

    @property
    def summary(self) -> dict[str, Any] | None:
        """The summary of a finished file, None before."""
        path = summary_path(self.path)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def skip_scored(self, chunks: Iterator[Chunk]) -> tuple[Tally, Iterator[Chunk]]:
        """Take the chunks whose lines are complete; cut off what follows, and return the tally and the other chunks.

        A chunk is scored anew when some of its lines are missing, for its rows are scored together.
        """
        tally, kept = Tally(), 0
        self._file.seek(0)
        for chunk in chunks:
            lines = list(islice(self._file, len(chunk)))
            if len(lines) < len(chunk) or not lines[-1].endswith(b"\n"):
                self._file.truncate(kept)
                return tally, _with_first(chunk, chunks)
            tally.merge(tally_of(self._parse(lines, chunk)))
            kept += sum(map(len, lines))
        if self._file.read(1):
            raise RaifError(f"{self.path} has more lines than its rollouts; it was edited. Delete it and score again.")
        return tally, chunks

    def _parse(self, lines: Sequence[bytes], chunk: Chunk) -> list[dict[str, Any]]:
        for line, (number, _) in zip(lines, chunk, strict=True):
            if not line.startswith(b'{"line": %d, ' % number):
                raise RaifError(f"{self.path} does not continue with rollout line {number}; it was edited. Delete it.")
        return [json.loads(line) for line in lines]

    def append(self, scored: Iterable[Scored]) -> None:
        """Write the lines of a chunk."""
        self._file.write(b"".join(each.lines for each in scored))
        self._file.flush()

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the summary, which marks the file as complete."""
        os.fsync(self._file.fileno())
        write_json(summary_path(self.path), summary)


def _with_first(first: Chunk, rest: Iterator[Chunk]) -> Iterator[Chunk]:
    yield first
    yield from rest


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file under a temporary name, then rename it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
