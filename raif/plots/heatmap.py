"""Pass rates by constraint and run or condition: a heat map with its numbers in the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from raif.plots.marks import EstimateRecord, short, spoken, value_of
from raif.plots.style import AFTER, INK, LINE, MUTED, RC, Plot, new_figure, nothing, readable

Columns = Mapping[str, Mapping[str, EstimateRecord]]
NAME, CELL, ROW = 150.0, 78.0, 19.0  # points
DARKEST = 0.5  # of the colour, so that the ink on it stays readable in light and dark


def constraint_heatmap(columns: Columns, title: str = "Pass rate by constraint") -> Plot:
    """Draw the pass rate of every constraint (rows) in every run or condition (columns), with n.

    Families stand apart, the one followed least first, and so do constraints within their family.

    Args:
        columns: estimate records by constraint, by the label of the run or condition.
    """
    families = _families(columns)
    if not families:
        return nothing("constraints", title, "no pass rate by constraint was recorded.")
    rows = sum(len(members) + 1.2 for members in families.values())
    width = max(360.0, NAME + CELL * len(columns) + 12)
    note = (
        "Per cent of the responses that had to satisfy it, and their number (n). The stronger the colour, the higher."
    )
    with rc_context({**RC, "axes.grid": False, "axes.spines.bottom": False}):
        figure = new_figure(52 + ROW * rows, width, title, note)
        axes = figure.add_subplot()
        left, y = -NAME * len(columns) / (width - NAME), 0.0
        for family, members in families.items():
            axes.text(
                left,
                y + 0.75,
                short(family.replace("_", " "), 40),
                va="bottom",
                color=INK,
                fontsize=10,
                fontweight="bold",
            )
            axes.plot([left, len(columns)], [y + 0.92, y + 0.92], color=LINE, linewidth=1.0)
            for name in members:
                y += 1
                axes.text(left * 0.95, y + 0.52, _label(name), va="center", fontsize=10)
                for x, column in enumerate(columns.values()):
                    _cell(axes, x, y, column.get(name))
            y += 1.2
        _frame(axes, list(columns), left, y)
        return readable(Plot("constraints", title, _describe(families, columns), figure))


def constraint_rates(metrics: Mapping[str, Any], profile: str = "strict") -> dict[str, EstimateRecord]:
    """Return the pass rate of every constraint of an evaluation (the content of its `metrics.json`)."""
    found: dict[str, EstimateRecord] = {}
    for name, group in ((metrics.get("groups") or {}).get("constraint") or {}).items():
        rates = group.get(profile) or {}
        if isinstance(rates.get("pass_rate"), Mapping):
            found[name] = rates["pass_rate"]
        elif "followed" in rates:
            low, high = rates.get("followed_ci") or (None, None)
            found[name] = {"value": rates["followed"], "low": low, "high": high, "n": group["n"]}
    return found


def _families(columns: Columns) -> dict[str, list[str]]:
    """Return the constraints by family, both from the lowest mean pass rate up."""
    names = {name for column in columns.values() for name, estimate in column.items() if value_of(estimate) is not None}
    means = {name: _mean([value_of(column.get(name)) for column in columns.values()]) for name in names}
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (means[name], name)):
        groups.setdefault(name.partition(":")[0], []).append(name)
    return dict(sorted(groups.items(), key=lambda group: (_mean([means[name] for name in group[1]]), group[0])))


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _label(name: str) -> str:
    return short(name.partition(":")[2].replace("_", " ") or name, 27)


def _cell(axes: Axes, x: int, y: float, estimate: EstimateRecord | None) -> None:
    value = value_of(estimate)
    shade = DARKEST * (value or 0.0)
    axes.add_patch(Rectangle((x + 0.02, y + 0.05), 0.96, 0.9, facecolor=AFTER, alpha=shade, edgecolor="none"))
    if estimate is None or value is None:
        axes.text(x + 0.5, y + 0.5, "–", ha="center", va="center", color=MUTED)
        return
    axes.text(x + 0.42, y + 0.52, f"{100 * value:.0f}", ha="right", va="center", color=INK, fontsize=10.5)
    axes.text(x + 0.5, y + 0.52, f"n {estimate['n']}", ha="left", va="center", color=INK, fontsize=8.5)


def _frame(axes: Axes, labels: Sequence[str], left: float, bottom: float) -> None:
    axes.set_xlim(left, len(labels))
    axes.set_ylim(bottom, 0)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    texts = [short(label, 13) if len(labels) > 1 else label for label in labels]
    axes.set_xticks([x + 0.5 for x in range(len(labels))], texts, fontsize=10)


def _describe(families: Mapping[str, Sequence[str]], columns: Columns) -> str:
    rows = [
        f"{name}: " + "; ".join(f"{label} {spoken(column.get(name))}" for label, column in columns.items())
        for members in families.values()
        for name in members
    ]
    return ". ".join(rows) + "."
