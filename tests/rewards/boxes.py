"""Sandboxes with small limits, given out only after each of their bounds was seen to hold."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import lru_cache

import pytest

from rewards import RaifError
from rewards.sandbox import MIB, Limits, Sandbox, loose_bounds

SMALL = Limits(seconds=1.0, memory=192 * MIB, tasks=8, files=16, file_size=MIB, temporary=MIB, output=4096)
PATIENT = replace(SMALL, seconds=60.0)  # for programs that end by themselves, on however slow a machine


@lru_cache(maxsize=1)
def _loose() -> list[str]:
    return loose_bounds(PATIENT)


def proven_box(limits: Limits = PATIENT) -> Sandbox:
    """Return a sandbox; skip the test where there is none, fail it where it leaks."""
    if shutil.which("bwrap") is None:
        pytest.skip("no bubblewrap: `apt-get install bubblewrap`")
    try:
        loose = _loose()
    except RaifError as error:
        pytest.skip(str(error))
    if loose:
        pytest.fail(f"the sandbox does not bound {loose}: no hostile program is run")
    return Sandbox(limits)
