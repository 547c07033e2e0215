"""Mathematical correctness: the final answer of a response against the right one.

Most answers are compared exactly and at once (`equal_answers`). What is left goes to child processes that can be
killed: the parent holds one deadline per batch and one limit per item; whatever is late is `None` (unscored), and its
worker is replaced. math-verify guards itself by SIGALRM alone, which only works in a main thread and not in C code.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from rewards.errors import RaifError
from rewards.maths.extract import boxed_answers, extract_answer
from rewards.maths.values import MAX_CHARACTERS, equal_answers, needs_algebra

__all__ = ["MAX_CHARACTERS", "MathVerifier", "equal_answers", "extract_answer", "shared_verifier"]

# The worker needs `rewards.maths` and none of what `import rewards` brings, so that it starts in a tenth of a second.
_BOOT = (
    "import sys, types; package = types.ModuleType('rewards'); package.__path__ = [sys.argv[1]];"
    "sys.modules['rewards'] = package; from rewards.maths.worker import main; main()"
)
_VERDICTS: dict[bytes, bool | None] = {b"1\n": True, b"0\n": False, b"?\n": None}
_MAX_FAILED_STARTS = 3


class _Job(NamedTuple):
    gold: str
    candidate: str
    places: tuple[int, ...]


class MathVerifier:
    """A small pool of killable workers that compare answers; safe to share between threads.

    Args:
        workers: number of child processes, started on first use.
        deadline: seconds allowed for one batch; later items are None.
        seconds_per_item: seconds that one item may keep a worker.
    """

    def __init__(self, workers: int = 1, deadline: float = 20.0, seconds_per_item: float = 5.0) -> None:
        if workers < 1 or not seconds_per_item > 0 or not deadline > 0:
            raise RaifError(
                f"workers {workers}, deadline {deadline}, seconds_per_item {seconds_per_item}: expected at least one "
                f"worker and positive times; the defaults are 1, 20 and 5."
            )
        self.workers, self.deadline, self.seconds_per_item = workers, deadline, seconds_per_item
        self._adopt()

    def _adopt(self) -> None:
        """Begin with an empty pool in this process; one of a parent process stays the parent's."""
        self._pool, self._lock, self._process = list[_Worker](), threading.Lock(), os.getpid()
        weakref.finalize(self, _kill_all, self._pool, self._process)

    def __getstate__(self) -> dict[str, Any]:
        return {"workers": self.workers, "deadline": self.deadline, "seconds_per_item": self.seconds_per_item}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
        """Compare (gold, response text) pairs; True, False, or None for what cannot be decided in time.

        A response without an answer is False, and so is one whose answer is no mathematics.

        Raises:
            RaifError: if workers do not start at all.

        Example:
            >>> MathVerifier().judge([("7", "It is 7."), ("7", "It is 8."), ("7", "Who knows?")])
            [True, False, False]
        """
        end = time.monotonic() + self.deadline
        results: list[bool | None] = [None] * len(pairs)
        open_pairs: dict[tuple[str, str], list[int]] = {}
        for index, (gold, text) in enumerate(pairs):
            if time.monotonic() > end:
                break
            results[index], candidate = _at_once(gold, text)
            if candidate is not None:
                open_pairs.setdefault((gold, candidate), []).append(index)
        if open_pairs:
            jobs = [_Job(*pair, tuple(places)) for pair, places in open_pairs.items()]
            if self._process != os.getpid():
                self._adopt()
            with self._lock:
                self._run(sorted(jobs, key=_cost), results, end)
        return results

    def _run(self, jobs: Sequence[_Job], results: list[bool | None], end: float) -> None:
        """Let the workers judge, the likely quick answers first."""
        queue, failed_starts = list(reversed(jobs)), 0
        while len(self._pool) < min(self.workers, len(jobs)):
            self._pool.append(_Worker())
        while (now := time.monotonic()) < end and (queue or any(worker.job for worker in self._pool)):
            for worker in list(self._pool):
                if worker.is_late(now) or (not worker.job and worker.has_ended()):
                    self._replace(worker)
                elif worker.ready and queue and not worker.job:
                    worker.send(queue.pop(), self.seconds_per_item)
            for worker in _with_news(self._pool, end):
                job, line = worker.job, worker.receive()
                if job and line in _VERDICTS:
                    for place in job.places:
                        results[place] = _VERDICTS[line]
                elif not line:
                    failed_starts += not worker.ready
                    self._replace(worker)
            if failed_starts >= _MAX_FAILED_STARTS:
                raise RaifError(f"no worker starts; run `{sys.executable} -c 'import mpmath, math_verify'` to see why.")
        for worker in list(self._pool):
            if worker.job:
                self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        worker.kill()
        self._pool[self._pool.index(worker)] = _Worker()

    def close(self) -> None:
        """Stop the workers; a later batch starts new ones."""
        with self._lock:
            _kill_all(self._pool, self._process)


def _cost(job: _Job) -> tuple[bool, int]:
    return needs_algebra(job.gold, job.candidate), len(job.candidate)


def _at_once(gold: str, text: str) -> tuple[bool | None, str | None]:
    """Return the verdict that needs no worker, or None with the answer that needs one."""
    candidate = extract_answer(text)
    if not candidate:
        return False, None
    verdict = equal_answers(gold, candidate)
    if verdict is not True and "," in gold:
        together = ", ".join(boxed_answers(text))  # one box for each of several values
        if together not in ("", candidate) and equal_answers(gold, together):
            return True, None
    undecided = verdict is None and len(gold) <= MAX_CHARACTERS
    return verdict, candidate if undecided else None


class _Worker:
    """One child process that answers (gold, candidate) lines; an interpreter of its own, never a fork."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONHASHSEED": "0"},  # sympy's order of terms depends on it
        )
        self.ready, self.limit, self.since = False, 0.0, float("inf")
        self.job: _Job | None = None

    def fileno(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    @property
    def late_at(self) -> float:
        return self.since + self.limit if self.job else float("inf")

    def has_ended(self) -> bool:
        return self.ready and self.process.poll() is not None

    def is_late(self, now: float) -> bool:
        return now > self.late_at

    def send(self, job: _Job, seconds: float) -> None:
        assert self.process.stdin is not None
        self.job, self.limit, self.since = job, seconds, time.monotonic()
        with suppress(BrokenPipeError):  # a dead worker is noticed when its answer is read
            self.process.stdin.write(json.dumps([job.gold, job.candidate, seconds]).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self) -> bytes:
        """Read a line (see `rewards.maths.worker`); it is empty if the process ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line == b"ready\n":
            self.ready = True
        elif line == b"+\n":  # a library begins to load, or has loaded
            self.since = time.monotonic() if self.since == float("inf") else float("inf")
        else:
            self.job = None
        return line

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _with_news(workers: Sequence[_Worker], end: float) -> list[_Worker]:
    """Wait for lines until the batch ends or an item is late."""
    until = min([end, *(worker.late_at for worker in workers)])
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker, selectors.EVENT_READ)
        return [cast(_Worker, key.fileobj) for key, _ in selector.select(max(0.0, until - time.monotonic()) + 0.001)]


def _kill_all(pool: list[_Worker], process: int) -> None:
    if process == os.getpid():
        for worker in pool:
            worker.kill()
    pool.clear()


@lru_cache(maxsize=1)
def shared_verifier() -> MathVerifier:
    """Return the verifier that scorers of this process share."""
    return MathVerifier()
