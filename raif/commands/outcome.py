"""What every measuring command does with its folder: plots, and wandb if asked; and how it ends at a signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console

from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.evaluation.records import EvaluatedRollout
    from raif.suites.protocol import Suite

Say = Callable[[str], None]
console = Console()


def say(text: str, style: str | None = None) -> None:
    """Print a sentence as it is."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


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


def conclude(
    suite: Suite,
    metrics: Mapping[str, Any],
    rollouts: Sequence[EvaluatedRollout],
    out: Path | None,
    json_file: Path | None,
    wandb: str | None,
) -> None:
    """Say what is odd about the completions, and write and draw what was asked for."""
    if empty := sum(not rollout.completion.strip() for rollout in rollouts):
        say(f"{empty} of {len(rollouts)} completions are empty; look at what the model or its server says", "yellow")
    if json_file:
        from raif.evaluation.runner import export_json

        export_json(suite, metrics, rollouts, json_file)
        say(f"wrote {json_file}")
    if out:
        say(f"wrote {out}; `raif report {out}` makes a page of it")
        plot_and_log(out, wandb, say)
    elif not json_file:
        say("nothing was kept; --out FOLDER or --json FILE keeps metrics and verdicts")


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
