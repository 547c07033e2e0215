"""Run a program against tests, each in a sandbox of its own, so that no program can say what its verdict is.

The tests ask the program over two pipes and write the verdict to a third, which the program does not have: leaving
early, closing or flooding its descriptors, patching its interpreter, looking through memory or stack gain it nothing.
Expected values never reach it. What remains is what any function can do: recognise the arguments it is called with, or
change those that can be changed. And where tests compare two of the program's own objects, call a method of one, or
hand an expected value to the program themselves, its word is taken.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple

from rewards.sandbox import Guest, Outcome, Sandbox, Status, collect, require_sandbox


class Job(NamedTuple):
    """A program with its tests.

    Fields:
        units: the sources of the program in order, each with whether it may be left out if it is no complete code.
        tests: code that raises where the program is wrong; it may define `check(candidate)`.
        entry_point: what `candidate` is, as an expression of the program's names; "" if the tests use names.
        prelude: code of which the tests have a copy of their own.
    """

    units: Sequence[tuple[str, bool]]
    tests: str
    entry_point: str = ""
    prelude: str = ""


def run_tests(sandbox: Sandbox, job: Job, end: float = float("inf")) -> Outcome:
    """Run a job and return its verdict.

    `passed` and `failed` are the program's; `timeout` too: it had its time. `late`: the clock (`time.monotonic`)
    read `end` first. `broken`: the tests cannot be run, whatever the program.

    Errors: `RaifError` where there is no working sandbox.
    """
    require_sandbox()
    begun = time.monotonic()
    limit = begun + sandbox.limits.patience
    if begun >= end:
        return Outcome(Status.LATE, "", 0.0)
    guests: list[Guest] = []
    try:
        tests, program = _launch(sandbox, job, guests)
        assert tests.process.stdout is not None
        said, status = collect(tests.process.stdout.fileno(), min(limit, end), sandbox.limits.output, b"\n")
        status, reason = _conclude(said.decode("utf-8", "replace"), status, tests.started and program.started)
    finally:
        for guest in guests:
            guest.stop()
    if status in (Status.TIMEOUT, Status.BROKEN) and end < limit and time.monotonic() >= end:
        status = Status.LATE
    return Outcome(status, reason, time.monotonic() - begun)


def _launch(sandbox: Sandbox, job: Job, guests: list[Guest]) -> tuple[Guest, Guest]:
    """Start both sides; whatever starts is in `guests`."""
    questions, answers = os.pipe(), os.pipe()
    texts = (_encodable(job.prelude), tuple((_encodable(text), optional) for text, optional in job.units))
    arguments = (answers[0], questions[1], *texts, _encodable(job.tests), job.entry_point)
    try:
        ends = (questions[0], answers[1])
        guests.append(sandbox.launch("program", "serve", ends, keep=ends))
        ends = (answers[0], questions[1])
        guests.append(sandbox.launch("tests", "judge", arguments, stdout=subprocess.PIPE, keep=ends))
    finally:
        for end in (*questions, *answers):
            os.close(end)
    return guests[1], guests[0]


def _encodable(text: str) -> str:
    # A lone surrogate is legal in a string but in no source text.
    return text.encode("utf-8", "replace").decode("utf-8")


def _conclude(said: str, status: Status, started: bool) -> tuple[Status, str]:
    word, _, reason = said.partition(": ")
    if not started:
        return Status.BROKEN, f"a sandbox did not start: {said.strip()}"
    if status is Status.TIMEOUT:
        return status, "the program took too long"
    if word in (Status.PASSED, Status.FAILED, Status.BROKEN):
        return Status(word), reason
    return Status.FAILED, "the tests ended without a verdict: time or memory ran out"
