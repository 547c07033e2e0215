"""Mathematical correctness through math-verify, in child processes that can be killed.

math-verify guards itself with SIGALRM, which only works in a main thread and cannot stop every computation. Here each
worker runs it in its own main thread, the parent holds one deadline per batch, and whatever is late is `None`
(unscored) while its worker is killed and replaced.
"""

from __future__ import annotations

import atexit
import json
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

# Runs in the worker. math-verify raises on text it cannot parse: such an answer does not equal the gold.
_WORKER = """
import json, os, sys
from math_verify import parse, verify
answers = os.fdopen(os.dup(1), "w")
sys.stdout = sys.stderr
for line in sys.stdin:
    try:
        gold, candidate = (parse("\\\\boxed{" + text + "}", parsing_timeout=2) for text in json.loads(line))
        equal = verify(gold, candidate, timeout_seconds=2)
    except Exception:
        equal = False
    answers.write(f"{int(equal)}\\n")
    answers.flush()
"""
MAX_CHARACTERS = 2_000  # an answer longer than this is no final answer
_ANCHOR = re.compile(
    r"(?:answer\s*(?:is|:|=)|####|答案\s*(?:是|为|：|:|=))\s*+\**+\s*+\$?+\s*+([-+]?\\?[\w(\[{][^\n。]*)", re.IGNORECASE
)
_BOX = re.compile(r"\\(?:boxed|fbox)\{", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:/\d+)?")


def extract_answer(text: str) -> str | None:
    """Return the final answer of a response: the last box, else an announced answer, else the last number.

    Boxes are found whatever the case of `\\boxed`, so that an upper-case answer is not lost.

    Example:
        >>> extract_answer("So \\\\boxed{\\\\frac{1}{2}} it is.")
        '\\\\frac{1}{2}'
        >>> extract_answer("The answer is 1,234 apples. I checked 2 times.")
        '1,234'
        >>> extract_answer("No idea.") is None
        True
    """
    box = _last_box(text)
    if box is not None:
        return box
    announced = _ANCHOR.findall(text)
    if announced:
        candidate = announced[-1].strip().rstrip(".*$ ")
        number = _NUMBER.match(candidate)
        return number[0] if number else candidate
    numbers = _NUMBER.findall(text)
    return numbers[-1] if numbers else None


def _last_box(text: str) -> str | None:
    boxes = [match.end() - 1 for match in _BOX.finditer(text)]
    if not boxes:
        return None
    begin, depth = boxes[-1], 0
    for index in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return text[begin + 1 : index].strip()
    return None


def _plain_number(text: str) -> Decimal | None:
    cleaned = text.strip().strip("$").replace(",", "").removesuffix(".").removesuffix("\\%").removesuffix("%")
    return Decimal(cleaned) if re.fullmatch(r"[-+]?\d+(?:\.\d+)?", cleaned) else None


def _quick_verdict(gold: str, candidate: str) -> bool | None:
    """Decide without sympy where both are plain decimals or the same text; None means ask math-verify."""
    if candidate.strip() == gold.strip():
        return True
    left, right = _plain_number(gold), _plain_number(candidate)
    if left is not None and right is not None:
        return left == right
    return None


class MathVerifier:
    """A small pool of killable workers that compare answers.

    Args:
        workers: number of child processes, started on first use.
        deadline: seconds allowed for one batch; later items are None.
    """

    def __init__(self, workers: int = 1, deadline: float = 20.0) -> None:
        self.workers, self.deadline = workers, deadline
        self._pool: list[_Worker] = []
        atexit.register(self.close)

    def __getstate__(self) -> dict[str, Any]:
        return {"workers": self.workers, "deadline": self.deadline}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
        """Compare (gold, response text) pairs; True, False, or None for an item that missed the deadline.

        Example:
            >>> MathVerifier().judge([("7", "It is 7."), ("7", "It is 8."), ("7", "Who knows?")])
            [True, False, False]
        """
        results: list[bool | None] = [None] * len(pairs)
        jobs: list[tuple[int, str, str]] = []
        for index, (gold, text) in enumerate(pairs):
            candidate = extract_answer(text)
            if candidate is None or not candidate or len(candidate) > MAX_CHARACTERS:
                results[index] = False
                continue
            results[index] = _quick_verdict(gold, candidate)
            if results[index] is None:
                jobs.append((index, gold, candidate))
        if jobs:
            self._run(jobs, results)
        return results

    def _run(self, jobs: list[tuple[int, str, str]], results: list[bool | None]) -> None:
        end = time.monotonic() + self.deadline
        queue = list(reversed(jobs))
        while len(self._pool) < min(self.workers, len(jobs)):
            self._pool.append(_Worker())
        idle, busy = list(self._pool), dict[_Worker, int]()
        while queue or busy:
            while idle and queue:
                index, gold, candidate = queue.pop()
                worker = idle.pop()
                worker.send(gold, candidate)
                busy[worker] = index
            ready = _wait(busy, max(0.0, end - time.monotonic()))
            for worker in ready or list(busy):
                index = busy.pop(worker)
                results[index] = worker.receive() if ready else None
                idle.append(worker if ready and worker.alive else self._replace(worker))
            if not ready:
                return

    def _replace(self, worker: _Worker) -> _Worker:
        worker.kill()
        fresh = _Worker()
        self._pool[self._pool.index(worker)] = fresh
        return fresh

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._pool:
            worker.kill()
        self._pool = []


class _Worker:
    """One child process that answers (gold, candidate) lines; an interpreter of its own, never a fork."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.alive = True

    def fileno(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def send(self, gold: str, candidate: str) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # a dead worker is noticed when its answer is read
            self.process.stdin.write(json.dumps([gold, candidate]).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self) -> bool | None:
        """Return the verdict, or None when the worker died on this item."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.alive = bool(line)
        return line == b"1\n" if line else None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _wait(workers: Iterable[_Worker], timeout: float) -> list[_Worker]:
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker, selectors.EVENT_READ)
        return [cast(_Worker, key.fileobj) for key, _ in selector.select(timeout)]


@lru_cache(maxsize=1)
def shared_verifier() -> MathVerifier:
    """Return the verifier that scorers of this process share."""
    return MathVerifier()
