"""Child processes that answer requests one at a time. One that is late or dies costs its request, and is replaced.

Every child is an interpreter of its own with a pipe of its own, started from a command line and not by
`multiprocessing`: nothing is shared that a killed process could leave locked, the caller's main module is not run
again, and children of other pools may have pools.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Generic, NamedTuple, TypeVar

from rewards.errors import RaifError

STARTUP_SECONDS = 300.0
CLOSING_SECONDS = 3.0
GARBAGE = 20_000  # new containers before rubbish is looked for
_COMMAND = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
    "from rewards.worker_pool import serve; serve(int(sys.argv[1]))"
)
K = TypeVar("K")
Handler = Callable[[Any], Any]


class Answer(NamedTuple, Generic[K]):
    """What became of a request: a value, or the problem that its process met."""

    key: K
    value: Any
    problem: str = ""


class WorkerPool(Generic[K]):
    """Processes that each call `make(argument)` once, and the handler that it returns for every request.

    Args:
        make: a module-level function; found by its name in the child.
        argument: anything that pickles.
        workers: how many processes.

    Raises:
        RaifError: from `receive`, if a handler cannot be made.

    Example:
        >>> import operator
        >>> with WorkerPool(operator.itemgetter, 1, workers=1) as pool:
        ...     while not pool.idle:
        ...         answers = pool.receive()
        ...     pool.send("the key", ["zero", "one"], seconds=60)
        ...     pool.receive()
        [Answer(key='the key', value='one', problem='')]
    """

    def __init__(self, make: Callable[[Any], Handler], argument: Any, workers: int) -> None:
        self._task = make, argument
        self._workers: list[_Worker[K]] = []
        try:
            for _ in range(workers):
                self._workers.append(_Worker(self._task))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> WorkerPool[K]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def idle(self) -> int:
        """How many requests can be sent now."""
        return sum(worker.is_idle for worker in self._workers)

    def send(self, key: K, request: Any, seconds: float) -> None:
        """Give a request to an idle process, which has so many seconds for it."""
        next(worker for worker in self._workers if worker.is_idle).send(key, request, seconds)

    def receive(self) -> list[Answer[K]]:
        """Wait until something happens and return the answers that came; none when a process has just become ready."""
        first = min(worker.end for worker in self._workers)
        timeout = None if first == float("inf") else max(0.0, first - time.monotonic())
        ready = set(wait([worker.pipe for worker in self._workers], timeout))
        answers = []
        for place, worker in enumerate(self._workers):
            if worker.pipe in ready:
                answer = worker.receive()
            elif worker.is_late:
                answer = worker.give_up()
            else:
                continue
            if answer is not None:
                answers.append(answer)
            if worker.is_dead:
                self._workers[place] = _Worker(self._task)
        return answers

    def close(self) -> None:
        """End all processes; idle ones by themselves, the others by force."""
        for worker in self._workers:
            worker.pipe.close()
        end = time.monotonic() + CLOSING_SECONDS
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(0 if worker.is_busy else max(0.0, end - time.monotonic()))
            worker.kill()
        self._workers = []


class _Worker(Generic[K]):
    """One process: starting, idle, busy with one request, or dead."""

    def __init__(self, task: tuple[Callable[[Any], Handler], Any]) -> None:
        self.pipe, theirs = Pipe()
        self.is_starting, self.is_dead = True, False
        self._keys: list[K] = []
        self.seconds = STARTUP_SECONDS
        self.end = time.monotonic() + self.seconds
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno()), json.dumps(sys.path)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a handler prints is no output of the caller
                start_new_session=True,  # killed together with the children that it has
            )
        with suppress(BrokenPipeError):  # the death of a process is noticed when it is listened to
            self.pipe.send(task)

    @property
    def is_busy(self) -> bool:
        return bool(self._keys)

    @property
    def is_late(self) -> bool:
        return self.end <= time.monotonic()

    @property
    def is_idle(self) -> bool:
        return not (self.is_starting or self.is_dead or self._keys)

    def send(self, key: K, request: Any, seconds: float) -> None:
        self._keys, self.seconds = [key], seconds
        self.end = time.monotonic() + seconds
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send((request, seconds))

    def receive(self) -> Answer[K] | None:
        try:
            value = self.pipe.recv()
        except (EOFError, OSError):
            return self.give_up()
        self.end = float("inf")
        if self.is_starting:
            if value:
                raise RaifError(value)
            self.is_starting = False
            return None
        return Answer(self._keys.pop(), value)

    def give_up(self) -> Answer[K] | None:
        """Kill the process and return its request with what became of it."""
        problem = f"took longer than {self.seconds:g} s" if self.is_late else f"the worker died ({self._exit_code()})"
        self.kill()
        self.is_dead = True
        if self.is_starting:
            raise RaifError(f"a worker process did not start: {problem}. Its messages are above.")
        return Answer(self._keys.pop(), None, problem) if self._keys else None

    def _exit_code(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(CLOSING_SECONDS)
            return signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return "its pipe is closed"

    def kill(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.pipe.close()


def serve(descriptor: int) -> None:
    """Answer requests until the other end of the pipe is closed; this runs in the child, and ends it."""
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as pipe, open(os.devnull, "w") as nowhere:
        try:
            make, argument = pipe.recv()
            handler = make(argument)
        except Exception as error:
            _say(pipe, str(error) or repr(error))
            return
        gc.freeze()  # what is loaded stays; to look through it again and again takes a tenth of the time
        gc.set_threshold(GARBAGE)
        _say(pipe, "")
        while (message := _heard(pipe)) is not None:
            request, seconds = message
            # The caller keeps the time. Should it be gone, nobody else ends a process that hangs; this needs no lock
            # of the interpreter, which a regular expression never lets go.
            faulthandler.dump_traceback_later(seconds + CLOSING_SECONDS, exit=True, file=nowhere)
            answer = handler(request)
            faulthandler.cancel_dump_traceback_later()
            _say(pipe, answer)
    sys.stdout.flush()
    os._exit(0)  # as the children of multiprocessing end: to take the interpreter apart would take longer


def _heard(pipe: Connection) -> tuple[Any, float] | None:
    with suppress(EOFError, ConnectionResetError):
        return pipe.recv()  # type: ignore[no-any-return]
    return None


def _say(pipe: Connection, answer: Any) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.send(answer)
