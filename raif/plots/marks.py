"""What charts are made of: series with a look of their own, estimates with their intervals, labels that keep apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from raif.plots.style import AFTER, BEFORE, FOURTH, INK, MUTED, PAGE, SMALL, THIRD

EstimateRecord = Mapping[str, Any]  # {"value", "low", "high", "n"}; low and high are null below 20 items


class Series(NamedTuple):
    """How a quantity looks wherever it is drawn."""

    label: str
    colour: str
    marker: str
    line: Any = "-"


METRICS = {
    "hacc": Series("HAcc", AFTER, "o"),
    "sacc": Series("SAcc", BEFORE, "s", "--"),
    "correct": Series("correct", THIRD, "^", ":"),
    "accuracy": Series("accuracy", INK, "P"),
    "sustain": Series("SUSTAIN", AFTER, "o", "--"),
    "comply": Series("COMPLY", THIRD, "^", ":"),
    "truncated": Series("truncated", FOURTH, "D", "-."),
    "training_truncated": Series("training", MUTED, "X", "--"),
    "correct_unconstrained": Series("correct without constraints", MUTED, "v"),
    "correct_and_followed": Series("correct and followed", INK, "P"),
    "relative_drop": Series("correctness lost to the constraints, relative", BEFORE, "v"),
    "followed": Series("constraints followed", AFTER, "o"),
    "prompt_strict": Series("prompt, strict", AFTER, "o"),
    "instruction_strict": Series("instruction, strict", BEFORE, "s"),
    "prompt_loose": Series("prompt, loose", THIRD, "^"),
    "instruction_loose": Series("instruction, loose", FOURTH, "D"),
}
ARMS = {
    "baseline": Series("nothing inserted", INK, "D", "-"),
    "treatment": Series("treatment", AFTER, "o", "-"),
    "control": Series("control", BEFORE, "s", "--"),
}


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number (and no truth value)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def value_of(estimate: EstimateRecord | None) -> float | None:
    """Return the value of an estimate record, None where there is none."""
    value = (estimate or {}).get("value")
    return float(value) if value is not None and is_number(value) else None


def interval_of(estimate: EstimateRecord | None) -> tuple[float, float] | None:
    """Return the interval of an estimate record, None where there is none."""
    low, high = ((estimate or {}).get(side) for side in ("low", "high"))
    return (float(low), float(high)) if is_number(low) and is_number(high) else None  # type: ignore[arg-type]


def short(label: str, limit: int) -> str:
    """Return a label of at most `limit` characters, the end of a longer one left out.

    Example:
        >>> short("contrast and cloning", 9)
        'contrast…'
    """
    return label if len(label) <= limit else f"{label[: limit - 1].rstrip()}…"


def percent(value: float) -> str:
    """Write a share for reading.

    Example:
        >>> percent(0.3471)
        '34.7 %'
    """
    return f"{100 * value:.1f} %"


def spoken(estimate: EstimateRecord | None, unit: str = "%") -> str:
    """Write an estimate in words, with its interval and n.

    Example:
        >>> spoken({"value": 0.25, "low": 0.2, "high": 0.31, "n": 400})
        '25.0 % [20.0, 31.0], n 400'
    """
    value, interval = value_of(estimate), interval_of(estimate)
    if estimate is None or value is None:
        return "unknown"
    scale, form = (100, ".1f") if unit == "%" else (1, ".1f")
    text = f"{scale * value:{form}}{' %' if unit == '%' else ''}"
    if interval:
        text += f" [{scale * interval[0]:{form}}, {scale * interval[1]:{form}}]"
    return text + (f", n {estimate['n']}" if "n" in estimate else "")


def draw_estimate(
    axes: Axes, x: float, estimate: EstimateRecord | None, look: Series, hollow: bool = False, sideways: bool = False
) -> None:
    """Draw a marker with its interval as a bar, upright or sideways; nothing for an unknown value."""
    value, interval = value_of(estimate), interval_of(estimate)
    if value is None:
        return
    bars, point = ((interval, [x, x]), ([value], [x])) if sideways else (([x, x], interval), ([x], [value]))
    if interval:
        axes.plot(*bars, color=look.colour, linewidth=1.8, alpha=0.75, gid="interval")
    axes.plot(
        *point, look.marker, color=look.colour, markerfacecolor=PAGE if hollow else look.colour, markersize=5.5,
        markeredgewidth=1.6, gid="point", clip_on=False, zorder=3,
    )  # fmt: skip


def draw_line(
    axes: Axes, places: Sequence[float], estimates: Sequence[EstimateRecord | None], look: Series, hollow: bool = False
) -> None:
    """Join the known estimates of a series by its line and draw each with its interval."""
    known = [(x, value) for x, each in zip(places, estimates, strict=True) if (value := value_of(each)) is not None]
    axes.plot(*zip(*known, strict=True), color=look.colour, linewidth=1.6, linestyle=look.line, gid="line")
    for x, estimate in zip(places, estimates, strict=True):
        draw_estimate(axes, x, estimate, look, hollow)


def percent_axis(axes: Axes, highest: float | None, sideways: bool = False) -> None:
    """Let an axis of shares begin at 0 and end above the highest value, at 100 % at most; None: at 100 %."""
    top = 1.0 if highest is None else min(1.0, max(0.05, 1.15 * highest))
    axis, limits = (axes.xaxis, axes.set_xlim) if sideways else (axes.yaxis, axes.set_ylim)
    limits(-0.03 * top, 1.03 * top)
    decimals = 0 if top > 0.06 else 1
    axis.set_major_formatter(PercentFormatter(1.0, decimals, symbol=" %"))
    axis.set_major_locator(MultipleLocator(0.25) if sideways else MaxNLocator(5 if top > 0.06 else 4))


def highest_of(estimates: Sequence[EstimateRecord | None]) -> float:
    """Return the highest end of intervals, or value."""
    ends = [interval[1] if (interval := interval_of(each)) else value_of(each) for each in estimates]
    return max((end for end in ends if end is not None), default=0.0)


def keep_apart(places: Sequence[float], gap: float) -> list[float]:
    """Move labels along an axis until each two are `gap` apart, none further than it must.

    Example:
        >>> keep_apart([0.5, 0.5, 0.1], 0.2)
        [0.4, 0.6, 0.1]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    blocks: list[tuple[float, list[int]]] = []  # centre, members from low to high
    for index in order:
        blocks.append((places[index], [index]))
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < gap * (len(blocks[-1][1]) + len(blocks[-2][1])) / 2:
            members = blocks[-2][1] + blocks.pop()[1]
            blocks[-1] = (float(np.mean([places[i] for i in members])), members)
    moved = {
        index: round(centre + gap * (rank - (len(members) - 1) / 2), 9)
        for centre, members in blocks
        for rank, index in enumerate(members)
    }
    return [moved[index] for index in range(len(places))]


def end_labels(axes: Axes, labels: Sequence[tuple[float, Series]], gap: float) -> None:
    """Name the series at the right end of their lines; `gap` is in units of the y axis."""
    for (_, look), y in zip(labels, keep_apart([y for y, _ in labels], gap), strict=True):
        axes.annotate(
            look.label, (1, y), (5, 0), axes.get_yaxis_transform(), "offset points", va="center", color=look.colour,
            fontsize=10,
        )  # fmt: skip


def bound_mark(axes: Axes, x: float, y: float, kind: str, half: float = 0.4) -> None:
    """Draw the floor or ceiling of one row of a sideways chart; `kind` names it, if it is to be named."""
    axes.plot([x, x], [y - half, y + half], color=MUTED, linewidth=1.4, gid="bound")
    if kind:
        leftwards = kind == "floor" and x > 0.3  # away from the name of the ceiling
        axes.annotate(
            f"{kind} {100 * x:.1f}", (x, y - half), (2 if leftwards else -2, 0), textcoords="offset points",
            ha="right" if leftwards else "left", va="bottom", color=MUTED, fontsize=SMALL,
        )  # fmt: skip
