"""Curves of a training log: what each chart shows, how one is drawn, and all of them as one picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from raif.plots.marks import is_number
from raif.plots.style import AFTER, BEFORE, INK, MUTED, RC, SMALL, THIRD, Plot, new_figure, nothing

STYLES = ((AFTER, "-", "solid"), (BEFORE, "--", "dashed"), (THIRD, ":", "dotted"))  # colour, line, its name
Log = Sequence[Mapping[str, Any]]


class Curves(NamedTuple):
    """A chart of the training log: (key, label) of its lines, and what to say where nothing was logged."""

    title: str
    lines: tuple[tuple[str, str], ...]
    absent: str
    unit: str = ""  # "%" for shares of one, "points" for differences of shares
    note: str = ""


class Curve(NamedTuple):
    """One line of a chart: its colour, its line style and the name of that, its label, steps and values."""

    colour: str
    dash: str
    style: str
    label: str
    steps: np.ndarray
    values: np.ndarray

    def ends(self, unit: str) -> tuple[str, str]:
        """Return the smoothed first and last value, written for reading."""
        smoothed = smooth(self.values)
        return number(smoothed[0], unit), number(smoothed[-1], unit)


LENGTH = "Completion length"
CURVES = (
    Curves("Reward", (("reward", "mean reward"),), "No reward was logged."),
    Curves(
        "Following in training",
        (("hacc", "HAcc"), ("sacc", "SAcc"), ("correct", "answer correct")),
        "No rate was logged.",
        "%",
    ),
    Curves(
        "Contrast: rollouts kept",
        (("contrast/keep_ratio", "share kept"),),
        "Contrast was off in this run.",
        "%",
        "The rest got advantage 0, because answering without thinking did better.",
    ),
    Curves(
        "Contrast: thinking minus direct",
        (("contrast/thinking_minus_direct", "HAcc with thinking minus without, points"),),
        "Contrast was off in this run.",
        "points",
        "Above 0, thinking helps.",
    ),
    Curves("Cloning loss", (("cloning/loss", "expert negative log-likelihood"),), "Cloning was off in this run."),
    Curves(
        "Cloning: live groups",
        (("cloning/live_groups", "prompts with a live expert"),),
        "Cloning was off in this run.",
        "%",
        "Groups whose expert completion passed the gate and was cloned.",
    ),
    Curves(
        "Groups without signal",
        (("frac_reward_zero_std", "prompts whose rollouts all earn the same"),),
        "No reward spread was logged.",
        "%",
    ),
    Curves("Truncation", (("completions/clipped_ratio", "rollouts cut at the cap"),), "No truncation was logged.", "%"),
    Curves(LENGTH, (("completions/mean_length", "mean tokens"),), "No length was logged."),
)


def training_figure(rows: Log, cap: float | None = None) -> Plot:
    """Draw every curve that a training log holds, two charts abreast.

    Args:
        rows: the rows of `metrics.jsonl`.
        cap: the rollout cap in tokens, drawn with the completion length.
    """
    charts = [(chart, found) for chart in CURVES if (found := curves_of(chart, rows))]
    if not charts:
        return nothing("training", "Training", "the training log holds none of the curves.")
    height = math.ceil(len(charts) / 2)
    note = "Against optimiser steps. Thin: single steps; thick: moving average, with its first and last value."
    with rc_context({**RC, "font.size": SMALL}):
        figure = new_figure(30 + 118 * height, title="Training", note=note)
        grid = figure.subplots(height, 2, squeeze=False).flatten()
        for axes, (chart, found) in zip(grid, charts, strict=False):
            draw_curves(axes, chart, found, cap if chart.title == LENGTH else None)
            axes.set_title(chart.title, loc="left", fontsize=SMALL, color=INK)
            _legend(axes, chart, found)
        for axes in grid[len(charts) :]:
            axes.set_visible(False)
        words = [f"{chart.title}: {describe(chart, found)}" for chart, found in charts]
        return Plot("training", "Training", " ".join(words), figure)


def curves_of(chart: Curves, rows: Log) -> list[Curve]:
    """Return the lines of a chart that were logged."""
    lines = [(label, *points(rows, key)) for key, label in chart.lines]
    return [Curve(*style, *line) for style, line in zip(STYLES, lines, strict=False) if len(line[1])]


def describe(chart: Curves, curves: Sequence[Curve]) -> str:
    """Say what each line of a chart did."""
    return "; ".join("{} from {} to {}".format(curve.label, *curve.ends(chart.unit)) for curve in curves) + "."


def draw_curves(axes: Axes, chart: Curves, curves: Sequence[Curve], limit: float | None = None) -> None:
    """Draw the lines of a chart; `limit` is the cap in tokens."""
    for curve in curves:
        _draw_line(axes, curve)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if chart.unit == "%":
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    if chart.unit == "points":
        axes.axhline(0, color=MUTED, linewidth=1.2)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=""))
    if limit is not None:
        axes.axhline(limit, color=MUTED, linewidth=1.2, linestyle="--")
        axes.annotate(
            f"cap {limit:g}", (1, limit), (0, -3), axes.get_yaxis_transform(), "offset points", ha="right", va="top"
        )
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("optimiser step")


def points(rows: Iterable[Mapping[str, Any]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and the finite values of a logged key."""
    found = [(row["step"], row[key]) for row in rows if is_number(row.get(key)) and is_number(row.get("step"))]
    return np.array([step for step, _ in found]), np.array([float(value) for _, value in found])


def smooth(values: np.ndarray) -> np.ndarray:
    """Return a centred moving average over about a tenth of the log.

    Example:
        >>> smooth(np.array([1.0, 2.0, 3.0])).tolist()
        [1.0, 2.0, 3.0]
    """
    count, half = len(values), len(values) // 20
    sums = np.concatenate(([0.0], np.cumsum(values)))
    low, high = np.maximum(np.arange(count) - half, 0), np.minimum(np.arange(count) + half + 1, count)
    return np.asarray((sums[high] - sums[low]) / (high - low))


def number(value: float, unit: str) -> str:
    """Write a value for reading: shares in per cent, others with three significant digits.

    Example:
        >>> number(0.25, "%"), number(0.25, "points"), number(123.4, "")
        ('25.0 %', '+25.0', '123')
    """
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit == "points":
        return f"{100 * value:+.1f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _draw_line(axes: Axes, curve: Curve) -> None:
    steps, values = curve.steps, curve.values
    marker = "o" if len(values) <= 12 else ""
    if len(values) >= 20:
        axes.plot(steps, values, color=curve.colour, linewidth=1, alpha=0.28)
        values = smooth(values)
    axes.plot(steps, values, color=curve.colour, linewidth=2.2, linestyle=curve.dash, marker=marker, markersize=4)


def _legend(axes: Axes, chart: Curves, curves: Sequence[Curve]) -> None:
    """Write first and last value beneath a chart, with the names of its lines where it has several."""
    values = ["{} → {}".format(*curve.ends(chart.unit)) for curve in curves]
    axes.set_xlabel(values[0] if len(curves) == 1 else "")
    if len(curves) > 1:
        handles = [Line2D([], [], color=curve.colour, linestyle=curve.dash, linewidth=2) for curve in curves]
        labels = [f"{curve.label} {text}" for curve, text in zip(curves, values, strict=True)]
        axes.legend(
            handles, labels, loc="upper left", bbox_to_anchor=(-0.25, -0.13), frameon=False, fontsize=8.5,
            handlelength=1.8, borderpad=0, labelspacing=0.25,
        )  # fmt: skip
