"""Charts of an attention analysis: enrichment of the constraint along the output, and by layer and decile."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from raif.plots.marks import (
    Series,
    draw_line,
    end_labels,
    highest_of,
    interval_of,
    is_number,
    spoken,
    value_of,
)
from raif.plots.style import AFTER, BEFORE, INK, MUTED, RC, SMALL, Plot, new_figure, nothing

Record = Mapping[str, Any]
LABELS = {"solved": "task solved or not", "met": "constraint met or not"}
LOOKS = (Series("", AFTER, "o", "-"), Series("", BEFORE, "s", "--"))
STRONGEST = 0.55  # of the colour of a cell, so that the ink on it stays readable
NUMBERED = 12  # layers up to which the cells hold their numbers
AVERAGE = "1: as much attention as an average token of the prompt."


def attention_figures(analysis: Record) -> list[Plot]:
    """Return the charts of both labels (the content of an analysis' `attention.json`)."""
    return [draw(name, label) for name, label in analysis["labels"].items() for draw in (trace_figure, grid_figure)]


def trace_figure(name: str, label: Record) -> Plot:
    """Draw the enrichment of the constraint's tokens along the output for both groups of outputs."""
    stem, title = f"attention-trace-{name}", f"Attention along the output, {LABELS.get(name, name)}"
    groups = [group for group in label["names"] if _known(label["trace"].get(group) or [])]
    if not groups:
        return nothing(stem, title, "no output has both a label and an enrichment.")
    traces = {group: label["trace"][group] for group in groups}
    with rc_context(RC):
        figure = new_figure(210, title=title, note=f"{AVERAGE} Mean over layers; bars: 95 % intervals over items.")
        axes = figure.add_subplot()
        axes.axhline(1, color=MUTED, linewidth=1.2, gid="average")
        for shift, (group, trace) in zip((-0.08, 0.08), traces.items(), strict=False):
            draw_line(axes, [x + shift for x in range(len(trace))], trace, _look(label, group))
        estimates = [each for trace in traces.values() for each in trace]
        top = max(1.2, 1.08 * highest_of(estimates))
        axes.set_ylim(min(0.0, _lowest(estimates)), top)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        end_labels(axes, [(_known(trace)[-1], _look(label, group)) for group, trace in traces.items()], 0.08 * top)
        _deciles(axes, len(next(iter(traces.values()))))
        axes.set_ylabel("enrichment")
        words = [
            f"{group}, n {_size(label, group)}: " + ", ".join(spoken(each, "") for each in trace)
            for group, trace in traces.items()
        ]
        return Plot(stem, title, f"Enrichment by decile of the output. {'; '.join(words)}.", figure)


def grid_figure(name: str, label: Record) -> Plot:
    """Draw the enrichment by layer and decile of the output as a heat map for each group, on one scale."""
    stem, title = f"attention-grid-{name}", f"Attention by layer, {LABELS.get(name, name)}"
    grids = {group: rows for group in label["names"] if any(map(_numbers, rows := label["grid"].get(group) or []))}
    if not grids:
        return nothing(stem, title, "no output has both a label and an enrichment.")
    layers = max(map(len, grids.values()))
    row = 15.0 if layers <= NUMBERED else max(4.0, min(15.0, 220 / layers))
    widest = max(
        abs(math.log2(max(value, 1e-3))) for rows in grids.values() for each in rows for value in _numbers(each)
    )
    widest = max(0.1, min(4.0, widest))
    note = (
        f"{AVERAGE} Blue: more, orange: less; full colour from {2**widest:.3g} up and {2**-widest:.2g} "
        "down, on a scale of ratios. Layer 1 is nearest to the input."
    )
    with rc_context({**RC, "axes.grid": False, "axes.spines.bottom": False}):
        figure = new_figure(44 + (row * layers + 52) * len(grids), title=title, note=note)
        panels = figure.subplots(len(grids), 1, squeeze=False)[:, 0]
        for axes, (group, rows) in zip(panels, grids.items(), strict=True):
            _heat(axes, rows, widest)
            axes.set_title(f"{group} (n {_size(label, group)})", loc="left", fontsize=10.5, color=INK)
            axes.set_ylabel("layer")
        return Plot(stem, title, _grid_words(grids), figure)


def _heat(axes: Axes, rows: Sequence[Sequence[float | None]], widest: float) -> None:
    for y, values in enumerate(rows):
        for x, value in enumerate(values):
            if not is_number(value) or value is None:
                axes.text(x + 0.5, y + 0.5, "–", ha="center", va="center", color=MUTED, fontsize=7)
                continue
            level = max(-1.0, min(1.0, math.log2(max(value, 1e-3)) / widest))
            axes.add_patch(
                Rectangle(
                    (x, y), 1, 1, facecolor=AFTER if level > 0 else BEFORE, alpha=STRONGEST * abs(level), linewidth=0,
                    gid="cell",
                )
            )  # fmt: skip
            if len(rows) <= NUMBERED:
                axes.text(x + 0.5, y + 0.52, f"{value:.2g}", ha="center", va="center", color=INK, fontsize=8)
    axes.set_xlim(0, max(map(len, rows)))
    axes.set_ylim(len(rows), 0)
    step = 1 if len(rows) <= NUMBERED else max(1, round(len(rows) / 8))
    axes.set_yticks(
        [y + 0.5 for y in range(0, len(rows), step)], [str(y + 1) for y in range(0, len(rows), step)], fontsize=SMALL
    )
    _deciles(axes, max(map(len, rows)), 0.5)


def _deciles(axes: Axes, count: int, shift: float = 0.0) -> None:
    axes.set_xticks([x + shift for x in range(count)], [str(x + 1) for x in range(count)], fontsize=SMALL)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("tenth of the output")


def _look(label: Record, group: str) -> Series:
    return LOOKS[label["names"].index(group)]._replace(label=group)


def _size(label: Record, group: str) -> int:
    return int(label["n"][label["names"].index(group)])


def _known(trace: Sequence[Record | None]) -> list[float]:
    return [value for each in trace if (value := value_of(each)) is not None]


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and is_number(value)]


def _lowest(estimates: Sequence[Record | None]) -> float:
    return min((interval[0] for each in estimates if (interval := interval_of(each))), default=0.0)


def _grid_words(grids: Mapping[str, Sequence[Sequence[float | None]]]) -> str:
    parts = []
    for group, rows in grids.items():
        told = [
            f"layer {number}: " + " ".join("unknown" if value is None else f"{value:.2f}" for value in values)
            for number, values in enumerate(rows, 1)
        ]
        parts.append(f"Enrichment of {group} outputs by decile, {'; '.join(told)}.")
    return " ".join(parts)
