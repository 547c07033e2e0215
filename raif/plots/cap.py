"""Metrics of an ablation against one of its axes, most of all the rollout cap, with the truncation rate beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from raif.plots.marks import (
    METRICS,
    draw_estimate,
    draw_line,
    end_labels,
    highest_of,
    is_number,
    keep_apart,
    percent,
    percent_axis,
    spoken,
    value_of,
)
from raif.plots.style import RC, SMALL, Plot, new_figure, nothing
from rewards.errors import RaifError, unknown_name

Record = Mapping[str, Any]
_BESIDE = 40  # characters of labels that have room beside each other
CAPS = ("cap", "max_completion_length")
FOLLOWED, CUT = ("hacc", "sacc", "correct", "accuracy", "sustain", "comply"), ("truncated", "training_truncated")
_SPOKEN = {"truncated": "cut off at evaluation", "training_truncated": "cut off in training", "correct": "correct"}


class _Points(NamedTuple):
    """The values of an axis with their places, and what was measured there."""

    labels: list[str]
    places: list[float]
    joined: bool
    cells: list[Record]
    runs: list[list[Record]]
    before: list[Record]

    @property
    def unit(self) -> float:
        """About 46 points on the page, in units of the x axis."""
        return max(1.0, len(self.places)) / 5

    @property
    def slot(self) -> float:
        """Where the untrained policy stands, left of the first value at 0."""
        return -1.05 * self.unit


def ablation_figures(results: Record) -> list[Plot]:
    """Return one chart of the first axis with several values for every setting of the other axes."""
    axis = _axis(results, None)
    others = {name: values for name, values in results["axes"].items() if name != axis}
    return [cap_figure(results, axis, dict(zip(others, chosen, strict=True))) for chosen in product(*others.values())]


def cap_figure(results: Record, axis: str | None = None, fixed: Mapping[str, Any] | None = None) -> Plot:
    """Draw HAcc, SAcc and correctness against an axis of an ablation, and the truncation rate beneath.

    Bars are 95 % intervals over seeds, small dots single seeds, dashed lines the untrained policy. Numbers are
    joined by lines, a cap on a scale of base 2; names are points.

    Args:
        results: the content of an ablation's `results.json`.
        axis: what varies; the first axis with several values by default.
        fixed: values of the other axes, where they have more than one.
    """
    axis, fixed = _axis(results, axis), dict(fixed or {})
    told = {key: value for key, value in fixed.items() if len(results["axes"][key]) > 1}
    name = "-".join([axis, *(f"{key}={value}" for key, value in told.items())])
    setting = f" ({', '.join(f'{key} {value}' for key, value in told.items())})" if told else ""
    title = f"Metrics by {'rollout cap' if axis in CAPS else axis}{setting}"
    points = _points(results, axis, fixed)
    panels = [found for wanted in (FOLLOWED, CUT) if (found := _measured(points, wanted))]
    if not panels:
        return nothing(_stem(name), title, "no finished run has a metric to draw.")
    heights = [2.1 if set(found) & set(FOLLOWED) else 1 for found in panels]
    with rc_context(RC):
        figure = new_figure(60 + 88 * sum(heights), title=title, note=_note(results, points, panels))
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, metrics, height in zip(grid, panels, heights, strict=True):
            _draw(axes, points, metrics, 0.15 / height)
        _ticks(grid[-1], axis, points)
        return Plot(_stem(name), title, _describe(axis, points, panels), figure)


# ---- data -------------------------------------------------------------------------------------------------------


def _axis(results: Record, axis: str | None) -> str:
    axes = results["axes"]
    if axis is not None and axis not in axes:
        raise unknown_name("axis", axis, axes, "Name one that the plan varies.")
    if not axes:
        raise RaifError("the ablation has no axis; its plan names at least one, for example `cap: [64, 128]`.")
    return axis or next((name for name, values in axes.items() if len(values) > 1), next(iter(axes)))


def _points(results: Record, axis: str, fixed: Mapping[str, Any]) -> _Points:
    values = list(results["axes"][axis])
    if numeric := all(map(is_number, values)):
        values.sort()
    cells, runs = [], []
    for value in values:
        wanted = {**fixed, axis: value}
        here = [cell for cell in results["cells"] if _agrees(cell["axes"], wanted)]
        if len(here) > 1:
            free = [key for key in results["axes"] if key not in wanted]
            raise RaifError(f"{axis} {value} has {len(here)} cells; say which by fixing {', '.join(free)}.")
        cells.append(here[0] if here else {"metrics": {}})
        runs.append([run for run in results.get("runs", ()) if _agrees(run["axes"], wanted)])
    labels = [f"{value:g}" if is_number(value) else str(value) for value in values]
    places = _places(values, axis) if numeric else [float(index) for index in range(len(values))]
    return _Points(labels, places, numeric and len(values) > 1, cells, runs, list(results.get("before", ())))


def _agrees(axes: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in axes and axes[key] == value for key, value in wanted.items())


def _places(values: Sequence[float], axis: str) -> list[float]:
    """Place numbers from 0 on, about one apart; caps, and what grows more evenly by factors, by logarithm."""
    numbers = np.asarray(values, dtype=float)
    if len(numbers) < 2:
        return [0.0]
    if np.all(numbers > 0) and (axis in CAPS or _spread(np.log2(numbers)) < _spread(numbers)):
        numbers = np.log2(numbers)
    return [float(place) for place in (numbers - numbers[0]) / (numbers[-1] - numbers[0]) * (len(numbers) - 1)]


def _spread(numbers: np.ndarray) -> float:
    steps = np.diff(numbers)
    return float(np.std(steps) / np.mean(steps))


def _measured(points: _Points, metrics: Sequence[str]) -> list[str]:
    return [name for name in metrics if any(value_of(cell["metrics"].get(name)) is not None for cell in points.cells)]


def _untrained(points: _Points, metric: str) -> float | None:
    values = [run["metrics"].get(metric) for run in points.before]
    known = [value for value in values if is_number(value)]
    return float(np.mean(known)) if known else None


# ---- drawing ----------------------------------------------------------------------------------------------------


def _draw(axes: Axes, points: _Points, metrics: Sequence[str], gap: float) -> None:
    """Draw the metrics of one panel; `gap` keeps its labels apart, as a share of its height."""
    shown = [cell["metrics"].get(name) for cell in points.cells for name in metrics]
    single = [run["metrics"].get(name) for runs in points.runs for run in runs for name in metrics]
    untrained = {name: value for name in metrics if (value := _untrained(points, name)) is not None}
    top = max(highest_of(shown), *filter(is_number, single), *untrained.values(), 0.0)
    percent_axis(axes, top)
    gap *= axes.get_ylim()[1]
    for index, name in enumerate(metrics):
        _draw_series(axes, points, name, 0.06 * points.unit * (index - (len(metrics) - 1) / 2))
    _draw_untrained(axes, untrained, points.slot, gap)
    ends = [(_last(points, name), METRICS[name]._replace(label=_label(name))) for name in metrics]
    end_labels(axes, ends, gap)
    axes.set_ylabel("truncated" if set(metrics) & set(CUT) else "share of items")
    axes.grid(axis="x", visible=False)


def _draw_series(axes: Axes, points: _Points, name: str, shift: float) -> None:
    look = METRICS[name]._replace(line="-" if points.joined else "")
    places, dots = [place + shift for place in points.places], 0.13 * points.unit
    estimates = [cell["metrics"].get(name) for cell in points.cells]
    for place, runs in zip(places, points.runs, strict=True):
        seeds = [run["metrics"][name] for run in runs if is_number(run["metrics"].get(name))]
        if len(seeds) > 1:
            axes.plot([place + dots] * len(seeds), seeds, ".", color=look.colour, markersize=4, gid="seed")
    draw_line(axes, places, estimates, look)


def _draw_untrained(axes: Axes, untrained: Mapping[str, float], slot: float, gap: float) -> None:
    labels = keep_apart(list(untrained.values()), gap)
    for (name, value), y in zip(untrained.items(), labels, strict=True):
        look = METRICS[name]
        axes.plot([slot, 100], [value, value], color=look.colour, linewidth=1.1, linestyle=(0, (5, 3)), gid="untrained")
        draw_estimate(axes, slot, {"value": value}, look, hollow=True)
        axes.annotate(
            percent(value), (slot, y), (-7, 0), textcoords="offset points", ha="right", va="center", color=look.colour,
            fontsize=SMALL,
        )  # fmt: skip


def _ticks(axes: Axes, axis: str, points: _Points) -> None:
    places, labels = list(points.places), list(points.labels)
    left = -0.4 * points.unit
    if points.before:
        places, labels, left = [points.slot, *places], ["before", *labels], points.slot - 1.1 * points.unit
    long = sum(map(len, labels)) > _BESIDE
    axes.set_xticks(places, labels, fontsize=10, **({"rotation": 30, "ha": "right"} if long else {}))
    axes.set_xlim(left, max(points.places) + 0.4 * points.unit)
    axes.set_xlabel("rollout cap in training, tokens (log scale)" if axis in CAPS else axis)


def _label(name: str) -> str:
    return "evaluation" if name == "truncated" else METRICS[name].label


def _last(points: _Points, name: str) -> float:
    values = [value_of(cell["metrics"].get(name)) for cell in points.cells]
    return next(value for value in reversed(values) if value is not None)


# ---- words ------------------------------------------------------------------------------------------------------


def _note(results: Record, points: _Points, panels: Sequence[Sequence[str]]) -> str:
    counts = sorted({len(runs) for runs in points.runs})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    text = f"{seeds} {'seed' if seeds == '1' else 'seeds'} a point"
    if counts[-1] > 1:
        text += "; bars: 95 % intervals over seeds, small dots: single seeds"
    if points.before:
        text += "; dashed, hollow: the policy before training"
    if results.get("equal"):
        text += f"; equal {results['equal']} of training"
    missing = "" if any(set(found) & set(CUT) for found in panels) else " Truncation was not recorded."
    return f"{text}.{missing}"


def _describe(axis: str, points: _Points, panels: Sequence[Sequence[str]]) -> str:
    parts = []
    for name in [name for found in panels for name in found]:
        values = [
            f"{label}: {spoken(cell['metrics'].get(name))}{' seeds' if cell['metrics'].get(name) else ''}"
            for label, cell in zip(points.labels, points.cells, strict=True)
        ]
        if (untrained := _untrained(points, name)) is not None:
            values.insert(0, f"untrained: {percent(untrained)}")
        parts.append(f"{_SPOKEN.get(name, METRICS[name].label)} by {axis}: {'; '.join(values)}.")
    return " ".join(parts)


def _stem(name: str) -> str:
    """Return a name that every file system takes."""
    return "".join(char if char.isalnum() or char in "-_=." else "_" for char in name)
