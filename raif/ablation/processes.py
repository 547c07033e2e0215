"""Processes of an ablation: each writes to a log, holds the lock of what it works on, and hears of a stop."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
_POLL = 0.2  # seconds


class Stopped(Exception):
    """A signal asked for the end; what was done so far is kept."""


class Failed(Exception):
    """A process ended with an error; `log` says why."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(reason)
        self.log = log


class Processes:
    """Start processes from several threads and, once a signal came, end them in good order.

    SIGTERM, SIGINT and SIGUSR1 are passed on as SIGTERM: a training then saves a checkpoint and ends. A launcher would
    kill its ranks instead, so they get it in its place.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()

    @contextmanager
    def hearing_signals(self) -> Iterator[None]:
        """Pass signals on while the block runs; for the main thread."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(
        self, what: str, command: Sequence[str], log: Path, lock: IO[Any], threads: int, launched: bool = False
    ) -> None:
        """Run a command to its end; it inherits the lock, which so outlives this process.

        Args:
            threads: that libraries may use.
            launched: whether the command is a launcher, whose children do the work.

        Raises:
            Failed: if it ends with an error.
            Stopped: if a signal came.
        """
        self.check()
        environment = {"OMP_NUM_THREADS": str(threads), **os.environ, "TOKENIZERS_PARALLELISM": "false"}
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write(f"$ {' '.join(command)}\n".encode())
            output.flush()
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                pass_fds=[lock.fileno()],
            )  # fmt: skip
        told = False
        while (code := process.poll()) is None:
            if self.stopping.is_set() and not told:
                told = True
                _tell(process, launched)
            time.sleep(_POLL)
        if code and self.stopping.is_set():
            raise Stopped
        if code:
            reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise Failed(f"{what} ended with {reason}", log)

    def check(self) -> None:
        """Raise `Stopped` once a signal came."""
        if self.stopping.is_set():
            raise Stopped

    @contextmanager
    def locked(self, path: Path, busy: Callable[[], None] | None = None) -> Iterator[IO[Any]]:
        """Hold the lock of a path; while another process has it, say so once by `busy` and wait.

        Raises:
            BlockingIOError: if another process has it and `busy` is None.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            said = False
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if busy is None:
                        raise
                    if not said:
                        said = True
                        busy()
                self.check()
                time.sleep(_POLL)
            yield file

    def _stop(self, number: int, _: Any) -> None:
        self.stopping.set()


def _tell(process: subprocess.Popen[bytes], launched: bool) -> None:
    try:
        targets = psutil.Process(process.pid).children() if launched else []
        for target in targets or [process]:
            target.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        return
