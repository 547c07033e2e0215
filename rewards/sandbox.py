"""Run an untrusted Python program under bubblewrap: no network, no files but the interpreter's, hard limits.

A program sees a read-only tree of the interpreter and its libraries, a small writable `/tmp`, no `/proc`, no
environment, no other process. It may start threads but no process, open no socket, and gain no privilege. Its limits
are set in the sandbox, before its first line runs, and cannot be raised.

Not bounded but by processor time: kernel records that belong to no size limit (empty files, file locks). Not confined
at all: what a hole in the kernel would give away. Nothing is ever run without the sandbox.
"""

from __future__ import annotations

import marshal
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from itertools import count
from typing import Any, NamedTuple

from rewards.bubblewrap import command
from rewards.errors import RaifError
from rewards.syscalls import filter_program

MIB = 1 << 20
# The modules that run with each, in the order in which they import each other.
_MODULES = {
    "start": ("start",),
    "probe": ("start", "probe"),
    "program": ("start", "wire", "program"),
    "tests": ("start", "wire", "tests"),
}
_START = """
import marshal, sys
with open(int(sys.argv[1]), "rb", buffering=0) as job:
    modules, call = marshal.loads(job.read(int(sys.argv[2])))
    for name, code in modules:
        module = sys.modules[name] = type(sys)(name)
        exec(code, module.__dict__)
    sys.modules["rewards.inside.start"].confine(*call[3:])
    awaited = job.read(1) == b"."
if awaited:
    sys.modules["rewards.inside.start"].begin(*call[:3])
"""
# Kernel accounts of limits are kept per user; this range is set aside for users that exist only while a program runs.
_FIRST_USER, _USERS = 61184, 4336
_launches = count()
_STARTING = 10.0  # seconds within which a sandbox is complete; it takes hundredths


class Status(StrEnum):
    """How a run ended."""

    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"  # of processor time (then it may also read as failed) or of the wall clock
    FLOODED = "flooded"  # more output than is read
    BROKEN = "broken"  # not the program's fault: the sandbox did not start, or the tests cannot be run
    LATE = "late"  # the batch ended first


_EXITS = {0: Status.PASSED, 128 + 24: Status.TIMEOUT}  # 24: SIGXCPU of Linux


class Outcome(NamedTuple):
    """How a run ended, what it printed (or why it failed), and the wall-clock seconds it took."""

    status: Status
    output: str
    seconds: float


@dataclass(frozen=True)
class Limits:
    """What one program may use.

    Args:
        seconds: of processor time; two more on the wall clock.
        memory: bytes of address space, shared by its threads.
        tasks: threads at a time, the first included.
        files: open files.
        file_size: bytes of one file.
        temporary: bytes of `/tmp`.
        output: bytes of output that are read; the program is stopped when there is more.
    """

    seconds: float = 10.0
    memory: int = 512 * MIB
    tasks: int = 16
    files: int = 32
    file_size: int = 8 * MIB
    temporary: int = 16 * MIB
    output: int = MIB // 16

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < math.inf:
                raise RaifError(f"limit {field.name} is {value!r}; it must be a positive number.")
        if self.memory < 64 * MIB:
            raise RaifError(f"limit memory is {self.memory} bytes; the interpreter alone needs {64 * MIB}.")

    @property
    def patience(self) -> float:
        """Return the seconds on the wall clock."""
        return self.seconds + 2.0

    def resources(self) -> dict[str, int]:
        """Return the values of `setrlimit`, by name without RLIMIT_."""
        used = {"AS": self.memory, "NPROC": self.tasks, "NOFILE": self.files, "FSIZE": self.file_size}
        return used | {"CPU": math.ceil(self.seconds), "CORE": 0, "MSGQUEUE": 0, "SIGPENDING": 64}


class Guest:
    """A launched program; `stop` it whatever happens."""

    def __init__(self, process: subprocess.Popen[bytes], job: int, size: int, report: int) -> None:
        self.process, self._job, self._size, self._report = process, job, size, report

    @property
    def started(self) -> bool:
        """Tell whether the limits were set and the program's turn came: only then has it read its job to the end."""
        return os.lseek(self._job, 0, os.SEEK_CUR) > self._size

    def stop(self) -> None:
        """Kill the program and everything in its sandbox.

        Until a program's turn comes, what bubblewrap has made would not die with it: such a program is called off.
        Afterwards the first process inside is killed, and all others with it; bubblewrap sees to their remains.
        """
        os.pwrite(self._job, b"!", self._size)
        end = time.monotonic() + _STARTING
        while not self.started and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        with suppress(subprocess.TimeoutExpired):
            self._kill_first()
            self.process.wait(_STARTING)
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        os.close(self._job)
        os.close(self._report)

    def _kill_first(self) -> None:
        first = re.search(rb'"child-pid": *(\d+)', os.pread(self._report, 4096, 0))
        if self.process.poll() is not None:
            return
        if first is None:
            self.process.kill()
            return
        with suppress(ProcessLookupError):
            os.kill(int(first[1]), signal.SIGKILL)


class Sandbox:
    """A way to run programs, each in a sandbox of its own.

    Args:
        limits: what one program may use.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def run_python(self, source: str, stdin: str = "") -> Outcome:
        """Run a source as the main program and return how it ended.

        `passed` is exit status 0 and nothing more: a program chooses its own. Whether it is right is decided by
        `rewards.code_runner.run_tests`, out of its reach. Output is standard output and error, in order, UTF-8.

        Errors: `RaifError` where there is no working sandbox.
        """
        require_sandbox()
        return self.run("start", "script", (source.encode("utf-8", "replace").decode(),), stdin)

    def run(self, module: str, function: str, arguments: tuple[Any, ...], stdin: str = "") -> Outcome:
        """Run a function of `rewards.inside` to its end."""
        begun = time.monotonic()
        text = _memory_file(stdin.encode("utf-8", "replace"))
        try:
            guest = self.launch(module, function, arguments, stdin=text, stdout=subprocess.PIPE)
        finally:
            os.close(text)
        try:
            assert guest.process.stdout is not None
            output, status = collect(guest.process.stdout.fileno(), begun + self.limits.patience, self.limits.output)
            if status is Status.PASSED:
                status = _exit(guest.process, begun + self.limits.patience)
            status = status if guest.started else Status.BROKEN
        finally:
            guest.stop()
        return Outcome(status, output.decode("utf-8", "replace"), time.monotonic() - begun)

    def launch(
        self,
        module: str,
        function: str,
        arguments: tuple[Any, ...],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        keep: Sequence[int] = (),
    ) -> Guest:
        """Start a function of `rewards.inside`; standard error goes where standard output goes; `keep` stays open."""
        user = _FIRST_USER + (os.getpid() * 31 + next(_launches)) % _USERS
        call = (f"rewards.inside.{module}", function, arguments, self.limits.resources(), user)
        content = marshal.dumps((_modules(module), call))
        job, calls, report = map(_memory_file, (content + b".", filter_program(), b""))
        try:
            process = subprocess.Popen(
                [*command(self.limits.temporary, calls, report), _START, str(job), str(len(content))],
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                pass_fds=(job, calls, report, *keep),
                env={},
                cwd="/",
            )
        except OSError:
            os.close(job)
            os.close(report)
            raise
        finally:
            os.close(calls)
        return Guest(process, job, len(content), report)


def collect(source: int, end: float, limit: int, mark: bytes = b"") -> tuple[bytes, Status]:
    """Read a pipe to its end, or to a mark.

    `timeout` when the clock (`time.monotonic`) reads `end` first, `flooded` when there are more than `limit` bytes.
    """
    content, poll = bytearray(), select.poll()
    poll.register(source, select.POLLIN | select.POLLHUP)
    while True:
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(math.ceil(left * 1000)):
            return bytes(content), Status.TIMEOUT
        piece = os.read(source, 1 << 16)
        if not piece:
            return bytes(content), Status.PASSED
        content += piece
        if mark and mark in piece:
            return bytes(content.partition(mark)[0]), Status.PASSED
        if len(content) > limit:
            return bytes(content[:limit]), Status.FLOODED


def _exit(process: subprocess.Popen[bytes], end: float) -> Status:
    try:
        code = process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Status.TIMEOUT
    return _EXITS.get(code, Status.FAILED)


def _memory_file(content: bytes) -> int:
    """Return a descriptor of an unnamed file with this content: unlike a pipe it never blocks who writes it."""
    descriptor = os.memfd_create("raif")
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@lru_cache(maxsize=len(_MODULES))
def _modules(module: str) -> tuple[tuple[str, Any], ...]:
    folder = resources.files("rewards.inside")
    return tuple(
        (f"rewards.inside.{name}", compile(folder.joinpath(f"{name}.py").read_text("utf-8"), name, "exec"))
        for name in _MODULES[module]
    )


_ADVICE = (
    "Allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu "
    "`kernel.apparmor_restrict_unprivileged_userns=0`); in a container, start it with `--privileged` or with "
    "`--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined`."
)


def loose_bounds(limits: Limits) -> list[str]:
    """Try each bound from inside, harmlessly, and return those that do not hold; `RaifError` if nothing ran."""
    arguments = (limits.memory, limits.tasks, limits.temporary, __file__)
    outcome = Sandbox(limits).run("probe", "probe", arguments)
    lines = outcome.output.strip().splitlines()
    if outcome.status is not Status.PASSED or lines[-1:] != ["probed"]:
        said = lines[-1] if lines else f"{outcome.status} without a word"
        raise RaifError(f"programs are only run inside bubblewrap, which does not work here: {said}. {_ADVICE}")
    return lines[:-1]


@lru_cache(maxsize=1)
def sandbox_problem() -> str | None:
    """Say why programs cannot be run here and what to do about it, or None; found out once."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return (
            "programs are only run inside bubblewrap, and there is no `bwrap` on the PATH; install version 0.7 or "
            "later on Linux (`apt-get install bubblewrap`)."
        )
    try:
        loose = loose_bounds(Limits(seconds=5.0, memory=256 * MIB, tasks=8, temporary=MIB))
    except (RaifError, OSError) as error:
        return str(error)
    if loose:
        return f"the sandbox of this machine does not bound {', '.join(loose)}, so no program is run. {_ADVICE}"
    return None


def require_sandbox() -> None:
    """Raise `RaifError` with advice where programs cannot be run safely."""
    problem = sandbox_problem()
    if problem is not None:
        raise RaifError(problem)
