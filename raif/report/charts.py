"""Charts of the report's own pages as inline SVG; their style is that of every plot (`raif.plots.style`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from raif.plots.marks import Series, draw_estimate, value_of
from raif.plots.style import AFTER, BEFORE, MUTED, RC, WIDTH, inline_svg, new_figure
from raif.plots.training import CURVES, LENGTH, Curves, curves_of, describe, draw_curves, number

__all__ = ["AFTER", "MUTED", "WIDTH", "Interval", "Panel", "before_after_chart", "training_panels"]

_RC = RC
_SIDES = ((Series("before", BEFORE, "o"), -0.17), (Series("after", AFTER, "o"), 0.17))


class Interval(NamedTuple):
    """A row of the before/after chart; estimates are the mappings of `metrics.json`."""

    label: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    floor: float | None = None
    ceiling: float | None = None


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


def training_panels(rows: Sequence[Mapping[str, Any]], cap: float | None = None) -> list[Panel]:
    """Return every training chart; one whose keys were never logged says why instead."""
    return [_panel(chart, rows, cap if chart.title == LENGTH else None) for chart in CURVES]


def _panel(chart: Curves, rows: Sequence[Mapping[str, Any]], limit: float | None) -> Panel:
    curves = curves_of(chart, rows)
    if not curves:
        return Panel(chart.title, None, (), chart.absent)
    legend = tuple(Legend(curve.style, curve.label, *curve.ends(chart.unit)) for curve in curves)
    with rc_context(RC):
        figure, axes = _figure(WIDTH, 178)
        draw_curves(axes, chart, curves, limit)
        return Panel(chart.title, inline_svg(figure, chart.title, describe(chart, curves)), legend, chart.note)


def before_after_chart(rows: Sequence[Interval]) -> Markup:
    """Draw a hollow dot (before) and a full one (after) per metric, each with its 95 % interval."""
    with rc_context({**RC, "axes.grid.axis": "x"}):
        figure, axes = _figure(WIDTH, 40 + 44 * len(rows))
        for index, row in enumerate(rows):
            for estimate, (look, offset) in zip((row.before, row.after), _SIDES, strict=True):
                draw_estimate(axes, index + offset, estimate, look, hollow=look.label == "before", sideways=True)
            for bound in (row.floor, row.ceiling):
                if bound is not None:
                    axes.plot([bound, bound], [index - 0.36, index + 0.36], color=MUTED, linewidth=1.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        return inline_svg(figure, "Before and after training", "; ".join(map(_spoken, rows)) + ".")


def _spoken(row: Interval) -> str:
    values = (value_of(row.before), value_of(row.after))
    before, after = ("unknown" if value is None else number(value, "%") for value in values)
    return f"{row.label} from {before} to {after}"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = new_figure(height, width)
    return figure, figure.add_subplot()


def _svg(figure: Figure, label: str) -> Markup:
    """Return a figure as an <svg> element whose name says all that it shows."""
    return inline_svg(figure, label)
