"""Remember a judge's readings on disk: a folder of JSON Lines, one file for each process that writes.

A line is written at once and read only when it is whole, so a killed process loses nothing but the line it was in.
Several processes, also on several machines, may share a folder: each sees what the others have written when it asks.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock

from rewards.errors import RaifError
from rewards.judge.opinions import Reading


class ReadingCache:
    """Readings by key.

    Args:
        folder: made when the first reading is put.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> folder = TemporaryDirectory()
        >>> ReadingCache(folder.name).put("key", Reading(0.75, None))
        >>> ReadingCache(folder.name).get("key")
        Reading(probability=0.75, yes=None, said='')
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._lock = Lock()
        self._readings: dict[str, Reading] = {}
        self._offsets: dict[str, int] = {}
        self._own: Path | None = None
        self._process = 0
        try:
            self.refresh()
        except OSError as error:
            raise RaifError(f"the judge's cache {folder} cannot be read ({error}); name a folder.") from error

    def get(self, key: str) -> Reading | None:
        """Return the reading of a key, if it is known."""
        return self._readings.get(key)

    def put(self, key: str, reading: Reading) -> None:
        """Remember a reading."""
        line = json.dumps({"key": key, **reading._asdict()}).encode() + b"\n"
        with self._lock:
            self._readings[key] = reading
            with self._file().open("ab", buffering=0) as file:
                file.write(line)

    def refresh(self) -> None:
        """Read what other processes have written since the last time."""
        with self._lock, suppress(FileNotFoundError):
            for entry in os.scandir(self.folder):
                if entry.name.endswith(".jsonl") and entry.stat().st_size > self._offsets.get(entry.name, 0):
                    self._read(Path(entry.path))

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._offsets.get(path.name, 0))
            whole = file.read().rpartition(b"\n")[0]
        self._offsets[path.name] = self._offsets.get(path.name, 0) + len(whole) + bool(whole)
        for line in whole.split(b"\n"):
            with suppress(ValueError, KeyError, TypeError):  # not a line of ours
                record = json.loads(line)
                self._readings[record["key"]] = Reading(record["probability"], record["yes"], record["said"])

    def _file(self) -> Path:
        """Return the file that this process alone appends to; a forked child takes one of its own."""
        if self._own is None or self._process != os.getpid():
            self._process = os.getpid()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._own = self.folder / f"{socket.gethostname()}-{self._process}-{token_hex(4)}.jsonl"
        return self._own
