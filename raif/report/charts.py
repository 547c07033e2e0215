"""Charts as inline SVG: transparent, with real text, coloured by the variables of the page's style sheet."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

# Matplotlib knows no CSS variables: each stand-in colour becomes one in the finished SVG, so charts follow the theme.
PAGE, MUTED, LINE, BEFORE, AFTER, THIRD = "#010101", "#010102", "#010103", "#010104", "#010105", "#010106"
_VARIABLES = {PAGE: "page", MUTED: "muted", LINE: "line", BEFORE: "before", AFTER: "after", THIRD: "third"}
_RC: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 11, "axes.edgecolor": LINE, "axes.linewidth": 1.0, "text.color": MUTED,
    "axes.labelcolor": MUTED, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.major.size": 0, "ytick.major.size": 0, "axes.grid": True,
    "grid.color": LINE, "grid.linewidth": 1.0, "axes.axisbelow": True, "lines.solid_capstyle": "round",
}  # fmt: skip
_STYLES = ((AFTER, "-", "solid"), (BEFORE, "--", "dashed"), (THIRD, ":", "dotted"))
WIDTH = 360.0  # points; a chart is read at 310 to 460 px, so its text keeps its size


class Interval(NamedTuple):
    """A row of the before/after chart; estimates are the mappings of `metrics.json`."""

    label: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    floor: float | None = None
    ceiling: float | None = None


class Curves(NamedTuple):
    """A chart of the training log: (key, label) of its lines, and what to say where nothing was logged."""

    title: str
    lines: tuple[tuple[str, str], ...]
    absent: str
    unit: str = ""  # "%" for shares of one, "points" for differences of shares
    note: str = ""


class Legend(NamedTuple):
    """One line of a chart: its look, its name and its smoothed first and last value."""

    style: str
    label: str
    first: str
    last: str


class Panel(NamedTuple):
    """A training chart as the page shows it; `svg` is None where there is nothing to draw."""

    title: str
    svg: Markup | None
    legend: tuple[Legend, ...]
    note: str


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
    Curves("Completion length", (("completions/mean_length", "mean tokens"),), "No length was logged."),
)


def training_panels(rows: Sequence[Mapping[str, Any]], cap: float | None = None) -> list[Panel]:
    """Return every training chart; one whose keys were never logged says why instead."""
    return [_panel(chart, rows, cap if chart.title == "Completion length" else None) for chart in CURVES]


def _panel(chart: Curves, rows: Sequence[Mapping[str, Any]], limit: float | None) -> Panel:
    lines = [(label, *points(rows, key)) for key, label in chart.lines]
    drawn = [(*style, *line) for style, line in zip(_STYLES, lines, strict=False) if len(line[1])]
    if not drawn:
        return Panel(chart.title, None, (), chart.absent)
    legend = tuple(
        Legend(name, label, _number(smooth(values)[0], chart.unit), _number(smooth(values)[-1], chart.unit))
        for _, _, name, label, _, values in drawn
    )
    text = "; ".join(f"{item.label} from {item.first} to {item.last}" for item in legend)
    with rc_context({**_RC, "svg.hashsalt": chart.title}):
        figure, axes = _figure(WIDTH, 178)
        for colour, dash, _, _, steps, values in drawn:
            _draw_line(axes, steps, values, colour, dash)
        _finish_curves(axes, chart, limit)
        return Panel(chart.title, _svg(figure, f"{chart.title}: {text}."), legend, chart.note)


def points(rows: Iterable[Mapping[str, Any]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and the finite values of a logged key."""
    found = [(row["step"], row[key]) for row in rows if _is_number(row.get(key)) and _is_number(row.get("step"))]
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


def before_after_chart(rows: Sequence[Interval]) -> Markup:
    """Draw a hollow dot (before) and a full one (after) per metric, each with its 95 % interval."""
    with rc_context({**_RC, "svg.hashsalt": "before and after", "axes.grid.axis": "x"}):
        figure, axes = _figure(WIDTH, 40 + 44 * len(rows))
        for index, row in enumerate(rows):
            for estimate, offset, colour in ((row.before, -0.17, BEFORE), (row.after, 0.17, AFTER)):
                _draw_interval(axes, estimate, index + offset, colour, hollow=colour == BEFORE)
            for bound in (row.floor, row.ceiling):
                if bound is not None:
                    axes.plot([bound, bound], [index - 0.36, index + 0.36], color=MUTED, linewidth=1.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        return _svg(figure, "Before and after training: " + "; ".join(map(_spoken, rows)) + ".")


def _spoken(row: Interval) -> str:
    values = (row.before.get("value"), row.after.get("value"))
    before, after = ("unknown" if value is None else _number(value, "%") for value in values)
    return f"{row.label} from {before} to {after}"


def _draw_interval(axes: Axes, estimate: Mapping[str, Any], y: float, colour: str, hollow: bool) -> None:
    if estimate.get("value") is None:
        return
    if estimate.get("low") is not None and estimate.get("high") is not None:
        axes.plot([estimate["low"], estimate["high"]], [y, y], color=colour, linewidth=2.2)
    face = PAGE if hollow else colour
    axes.plot([estimate["value"]], [y], "o", color=colour, markerfacecolor=face, markersize=7, markeredgewidth=2)


def _draw_line(axes: Axes, steps: np.ndarray, values: np.ndarray, colour: str, dash: str) -> None:
    marker = "o" if len(values) <= 12 else ""
    if len(values) >= 20:
        axes.plot(steps, values, color=colour, linewidth=1, alpha=0.28)
        values = smooth(values)
    axes.plot(steps, values, color=colour, linewidth=2.2, linestyle=dash, marker=marker, markersize=4)


def _finish_curves(axes: Axes, chart: Curves, limit: float | None) -> None:
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
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("optimiser step")


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure, label: str) -> Markup:
    """Return a figure as an <svg> element that can share a page with others."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| id="[a-zA-Z]+\w*_\d+(?:\.\d+)?"', "", text)  # ids repeat between charts
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    opening = Markup('<svg role="img" aria-label="{}" ').format(label)
    return Markup(text.replace("<svg ", str(opening), 1).rstrip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _number(value: float, unit: str) -> str:
    """Write a value for reading: shares in percent, others with three significant digits."""
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit == "points":
        return f"{100 * value:+.1f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
