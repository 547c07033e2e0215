"""What every measuring command does with its folder: plots, and wandb if asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def plot_and_log(folder: Path, wandb: str | None, say: Callable[[str], None]) -> None:
    """Draw all plots that a folder supports, and log it to a project of wandb if one is named."""
    from raif.plots import plots_of

    plots = plots_of(folder)
    say(f"wrote {len(plots)} plots to {folder / 'plots'}")
    if wandb:
        from raif.evaluation.artifacts import log_artifacts

        say(f"wandb {log_artifacts(folder, wandb)}")
