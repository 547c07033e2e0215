"""The plots of results as pictures of the page; where there is nothing to draw, a note says why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raif.plots.cap import ablation_figures
from raif.plots.experiments import experiment_figure
from raif.plots.heatmap import constraint_heatmap
from raif.plots.rows import comparison_figure
from raif.plots.style import Plot, inline
from raif.report.document import Note, Picture, Record
from raif.report.runs import read_json


def heatmap(rates: Mapping[str, Mapping[str, Record]]) -> Picture | Note:
    """Return the pass rates of constraints (estimate records) by run or arm."""
    return picture(constraint_heatmap(rates))


def experiment_pictures(found: Record) -> list[Picture | Note]:
    """Return the figure of an experiment."""
    return [picture(experiment_figure(found))]


def ablation_pictures(found: Record) -> list[Picture | Note]:
    """Return the figures of an ablation: metrics against an axis, the truncation rate beneath."""
    return [picture(plot) for plot in ablation_figures(found)]


def comparison_pictures(folders: Mapping[str, Path]) -> list[Picture | Note]:
    """Return the metrics of evaluations (folders by label) beneath each other, profile by profile."""
    known: dict[str, Any] = {label: read_json(folder / "metrics.json") for label, folder in folders.items()}
    known = {label: found for label, found in known.items() if found.get("kind") != "questions"}
    profiles = [profile for profile in ("strict", "parity") if any(found.get(profile) for found in known.values())]
    return [picture(comparison_figure(known, profile)) for profile in profiles] if len(known) > 1 else []


def picture(plot: Plot) -> Picture | Note:
    """Return a chart as it stands on the page, or the reason why there is none."""
    if plot.figure is None:
        return Note(f"{plot.title}: {plot.absent}")
    return Picture(plot.title, inline(plot))
