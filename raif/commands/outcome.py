"""What every measuring command does with its folder: plots, and wandb if asked; and how it ends at a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import typer

from rewards.errors import RaifError

Say = Callable[[str], None]


def plot_and_log(folder: Path, wandb: str | None, say: Say) -> None:
    """Draw all plots that a folder supports, and log it to a project of wandb if one is named."""
    try:
        import_module("matplotlib")
    except ImportError:
        say("no plots: matplotlib is not installed; `pip install 'raif[report]'`, then run the same command again")
        return
    from raif.plots import plots_of

    plots = plots_of(folder)
    say(f"wrote {len(plots)} plots to {folder / 'plots'}")
    if wandb:
        from raif.evaluation.artifacts import log_artifacts

        say(f"wandb {log_artifacts(folder, wandb)}")


def check_wandb() -> None:
    """Refuse to log to wandb where it, or what draws its plots, is not installed, before anything is drawn.

    Raises:
        RaifError: with the extra that brings the package.
    """
    for package, extra in (("wandb", "wandb"), ("matplotlib", "report")):
        try:
            import_module(package)
        except ImportError:
            raise RaifError(
                f"--wandb needs {package}, which is not installed: `pip install 'raif[{extra}]'`, or leave out --wandb."
            ) from None


def quiet_loading(backend: str) -> None:
    """Silence the bars of weights that a library loads in this process; the command has a bar of its own."""
    if backend in ("transformers", "vllm"):
        from transformers.utils import logging

        logging.disable_progress_bar()


@contextmanager
def stoppable(say: Say) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the block with one message and exit code 75 (EX_TEMPFAIL): what was drawn is kept."""
    if threading.current_thread() is not threading.main_thread():  # Python installs handlers nowhere else
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        say("stopped by a signal; what was drawn is kept, and the same command goes on")
        raise typer.Exit(os.EX_TEMPFAIL) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
