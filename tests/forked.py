"""Commands as processes of their own that import nothing heavy again: each is the fork of a process that has done so.

They are as real as any: they have an own pid, environment, folder and output, and can be killed. The process that is
forked has one thread and has run nothing but imports.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[1]
_IMPORTED = (
    "scipy.stats", "matplotlib.figure", "raif.cli", "raif.generation.local", "raif.sustain.runner",
    "raif.benchmarks.suite", "raif.plots", "transformers.models.qwen3.modeling_qwen3",
    "transformers.cli.transformers", "pytest",
)  # fmt: skip
_CACHE = TemporaryDirectory()  # of models: an empty one, whatever this machine has
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([*_IMPORTED])


def start(
    module: str,
    arguments: Sequence[object],
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    errors: Path | None = None,
) -> ForkServerProcess:
    """Start what `python -m MODULE ARGUMENTS` does in the repository.

    What it says goes into `output`, and what it complains of into `errors` if that is another file.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", _CACHE.name)
        forkserver.ensure_running()
    said = str(output or os.devnull)
    asked = (module, [str(each) for each in arguments], (said, str(errors or said)), dict(environment or {}))
    process = _FORKS.Process(target=_become, args=asked)
    process.start()
    return process


def ended(process: ForkServerProcess, seconds: float = 400) -> int:
    """Wait for the end of a process and return its exit status."""
    process.join(seconds)
    assert process.exitcode is not None, "it still runs"
    return process.exitcode


def counted(process: ForkServerProcess, output: Path, enough: int, seconds: float = 120) -> None:
    """Wait until a process that counts on lines of `output` has come so far."""
    deadline = time.monotonic() + seconds
    while not (output.is_file() and any(int(line) >= enough for line in output.read_text().split("\n")[:-1])):
        assert process.is_alive(), "it ended by itself"
        assert time.monotonic() < deadline, "it did not get that far"
        time.sleep(0.01)


def killed(process: ForkServerProcess) -> None:
    """Kill a process (SIGKILL) that still runs."""
    assert process.is_alive(), f"it ended by itself: {process.exitcode}"
    process.kill()
    process.join()


def _become(module: str, arguments: list[str], files: tuple[str, str], environment: dict[str, str]) -> None:
    os.chdir(ROOT)
    os.environ.update(environment)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
