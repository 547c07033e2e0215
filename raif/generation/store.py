"""Completions on disk: what was drawn once is never drawn again, and a kill at any time loses nothing that was kept.

While a run draws, each arrival is one line of `journal.jsonl`; at its end the journal becomes `completions.jsonl`, one
completion a line, in the order of the requests' keys. So the finished file does not show where a run was interrupted.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from raif.generation.prompts import cap_of
from raif.generation.protocol import Completion, Request, Sampling
from rewards.errors import RaifError

FINISHED, JOURNAL, LOCK = "completions.jsonl", "journal.jsonl", "lock"
_CIRCUMSTANCES = ("versions", "device", "base_url")
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})  # what file systems without locks answer


def bound_identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a generator's identity that its completions are bound to.

    Versions of libraries, the device and the address of a server are left out: they change rounding at most, and a run
    must be able to go on after an update, on another machine or at another port. A model with a digest is known by it,
    wherever its folder lies.

    Example:
        >>> bound_identity({"backend": "openai", "model": "qwen", "base_url": "http://127.0.0.1:8000/v1"})
        {'backend': 'openai', 'model': 'qwen'}
    """
    left_out = {*_CIRCUMSTANCES, *(["model"] if identity.get("digest") else [])}
    return {name: value for name, value in identity.items() if name not in left_out}


def completion_key(identity: Mapping[str, Any], request: Request, sampling: Sampling) -> str:
    """Return a digest of everything that determines a completion; the size of the batches is no part of it."""
    drawn = [cap_of(request, sampling), sampling.temperature, sampling.top_p, sampling.seed]
    asked = [request.key, request.messages, request.prefix, list(request.stop), request.think]
    text = json.dumps([1, bound_identity(identity), drawn, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Kept(NamedTuple):
    """A completion as it is kept: its digest, and the key of the request."""

    key: str
    request: str
    completion: Completion

    def record(self) -> dict[str, Any]:
        """Return the line of the file."""
        return {"key": self.key, "request": self.request, **self.completion._asdict()}


class Store:
    """The completions of a folder. One process at a time writes; any number may read.

    Args:
        folder: made when the first completion is kept.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._journal: BinaryIO | None = None
        self._kept: dict[str, Kept] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what is there; a last line that a kill has cut off does not count."""
        for name in (JOURNAL, FINISHED):  # in this order nothing is missed when a writer finishes in between
            with suppress(FileNotFoundError):
                for kept in read_completions(self.folder / name):
                    self._kept.setdefault(kept.key, kept)

    def get(self, key: str) -> Completion | None:
        """Return the completion of a digest, if it is kept."""
        found = self._kept.get(key)
        return found.completion if found else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Allow `put`; at the end the journal becomes the finished file.

        Raises:
            RaifError: if another process writes to the folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("ab") as lock:
            _take(lock, self.folder)
            self.refresh()
            _cut_torn_line(self.folder / JOURNAL)
            try:
                with (self.folder / JOURNAL).open("ab", buffering=0) as self._journal:
                    yield
            finally:
                self._journal = None
                self._finish()

    def put(self, arrived: Sequence[Kept]) -> None:
        """Keep completions that arrived together: all of them survive a kill, or none.

        Raises:
            RaifError: if the disk is full.
        """
        if self._journal is None:
            raise RuntimeError("Store.put is called inside Store.writing()")
        line = json.dumps([kept.record() for kept in arrived]).encode() + b"\n"
        try:
            written = self._journal.write(line)
        except OSError as error:
            raise _no_room(self.folder / JOURNAL) from error
        if written < len(line):
            raise _no_room(self.folder / JOURNAL)
        self._kept.update({kept.key: kept for kept in arrived})

    def _finish(self) -> None:
        rows = sorted(self._kept.values(), key=lambda kept: (kept.request, kept.key))
        partial = self.folder / f"{FINISHED}.partial"
        try:
            partial.write_text("".join(json.dumps(kept.record()) + "\n" for kept in rows), encoding="utf-8")
        except OSError as error:  # the journal still holds everything
            partial.unlink(missing_ok=True)
            raise _no_room(partial) from error
        partial.replace(self.folder / FINISHED)
        (self.folder / JOURNAL).unlink(missing_ok=True)


def _no_room(path: Path) -> RaifError:
    return RaifError(f"no room for {path}; free some space and run the same command again, it goes on.")


def read_completions(path: Path) -> list[Kept]:
    """Read a finished file or a journal.

    Raises:
        RaifError: naming the first line that is no completion.
    """
    return [kept for number, line in enumerate(_whole_lines(path), 1) for kept in _parse(path, number, line)]


def _whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().rpartition(b"\n")[0].split(b"\n")


def _parse(path: Path, number: int, line: bytes) -> list[Kept]:
    if not line.strip():
        return []
    try:
        found = json.loads(line)
        rows = found if isinstance(found, list) else [found]
        return [Kept(row.pop("key"), row.pop("request"), Completion(**row)) for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RaifError(f"{path}:{number} is no completion; remove the line, and it is drawn again.") from error


def _cut_torn_line(path: Path) -> None:
    """Remove what a kill has left of a line, so that the next one does not run into it."""
    if path.is_file():
        whole = len(path.read_bytes().rpartition(b"\n")[0])
        with path.open("r+b") as file:
            file.truncate(whole + bool(whole))


def _take(lock: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RaifError(f"another process writes to {folder}; wait for it, or choose another folder.") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
