"""The four cells of correct and followed, against what independence predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

from raif.plots.marks import Series, draw_estimate, percent, percent_axis, short
from raif.plots.style import AFTER, BEFORE, FOURTH, INK, MUTED, RC, SMALL, THIRD, Plot, new_figure, nothing

Record = Mapping[str, Any]
CELLS = {  # label, colour and hatch, so that a cell is known without its colour
    "correct_followed": ("correct, followed", THIRD, ""),
    "correct_unfollowed": ("correct, not followed", AFTER, "//"),
    "wrong_followed": ("wrong, followed", BEFORE, ".."),
    "wrong_unfollowed": ("wrong, not followed", MUTED, "xx"),
    "truncated": ("cut off", FOURTH, ""),
}
GIVEN = {
    "followed_if_correct": Series("of the correct", THIRD, "o"),
    "followed_if_wrong": Series("of the wrong", BEFORE, "s"),
}
TITLE = "Correct and followed"


def error_cells_figure(experiment: Record) -> Plot:
    """Draw the four cells with what independence predicts of each, and following given correctness by source."""
    cells = experiment["cells"]
    judged = sum(cells["all"][name] for name in CELLS if name != "truncated") if cells else 0
    if not judged:
        return nothing("errors", TITLE, "no rollout is decided in both correctness and constraints.")
    note = (
        "Shares of all rollouts, and their number. Marks: what independence of being correct and following predicts. "
        f"{_test(cells['all'])}"
    )
    with rc_context({**RC, "axes.grid.axis": "x", "hatch.linewidth": 0.6}):
        heights = [24 * len(CELLS), 20 * len(cells)]
        figure = new_figure(106 + sum(heights), title=TITLE, note=note)
        upper, lower = figure.subplots(2, 1, height_ratios=heights, sharex=True)
        _cells_panel(upper, cells["all"], judged)
        _given_panel(lower, cells)
        return Plot("errors", TITLE, _describe(cells, judged), figure)


def expected(cell: Record) -> dict[str, float]:
    """Return how many of the judged rollouts independence puts into each cell.

    Example:
        >>> table = {"correct_followed": 1, "correct_unfollowed": 3, "wrong_followed": 1, "wrong_unfollowed": 3}
        >>> expected(table)["correct_followed"]
        1.0
    """
    correct = cell["correct_followed"] + cell["correct_unfollowed"]
    followed = cell["correct_followed"] + cell["wrong_followed"]
    n = correct + cell["wrong_followed"] + cell["wrong_unfollowed"]
    return {
        "correct_followed": correct * followed / n,
        "correct_unfollowed": correct * (n - followed) / n,
        "wrong_followed": (n - correct) * followed / n,
        "wrong_unfollowed": (n - correct) * (n - followed) / n,
    }


def _cells_panel(axes: Axes, cell: Record, judged: int) -> None:
    whole, predicted = judged + cell["truncated"], expected(cell)
    for y, (name, (_, colour, hatch)) in enumerate(CELLS.items()):
        share = cell[name] / whole
        axes.barh(y, share, height=0.62, facecolor=colour, alpha=0.55, hatch=hatch, edgecolor=INK, linewidth=0.6)
        if name in predicted:
            place = predicted[name] / whole
            axes.plot([place, place], [y - 0.42, y + 0.42], color=INK, linewidth=1.8, gid="expected")
        text = f"{percent(share)}, n {cell[name]}"
        end = max(share, predicted.get(name, 0) / whole)
        axes.annotate(text, (end, y), (5, 0), textcoords="offset points", va="center", fontsize=SMALL)
    axes.set_yticks(range(len(CELLS)), [label for label, _, _ in CELLS.values()], fontsize=10)
    axes.set_ylim(len(CELLS) - 0.5, -0.5)
    percent_axis(axes, None, sideways=True)
    axes.tick_params(axis="x", labelsize=SMALL)


def _given_panel(axes: Axes, cells: Mapping[str, Record]) -> None:
    percent_axis(axes, None, sideways=True)
    for y, cell in enumerate(cells.values()):
        for (key, look), shift in zip(GIVEN.items(), (-0.16, 0.16), strict=True):
            draw_estimate(axes, y + shift, {"value": cell[key]}, look, hollow=key == "followed_if_wrong", sideways=True)
        if cell["phi"] is not None:
            axes.annotate(
                f"phi {cell['phi']:+.2f}", (1, y), (6, 0), axes.get_yaxis_transform(), "offset points", va="center",
                fontsize=SMALL,
            )  # fmt: skip
    axes.set_yticks(range(len(cells)), [short(name, 20) for name in cells], fontsize=10)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_title("followed, of the correct (●) and of the wrong (□)", loc="left", fontsize=10, color=INK)
    axes.tick_params(axis="x", labelsize=SMALL)


def _test(cell: Record) -> str:
    phi = "" if cell["phi"] is None else f"phi {cell['phi']:+.2f}"
    value = cell["fisher_p"]
    p = "" if value is None else f"Fisher's exact test: p {'below 0.001' if value < 0.001 else f'{value:.3f}'}"
    return f"{', '.join(filter(None, (phi, p)))}." if phi or p else ""


def _describe(cells: Mapping[str, Record], judged: int) -> str:
    cell, predicted = cells["all"], expected(cells["all"])
    parts = []
    for name, (label, _, _) in CELLS.items():
        text = f"{label} {cell[name]} of {judged + cell['truncated']}"
        parts.append(f"{text}, {predicted[name]:.1f} if independent" if name in predicted else text)
    given = "; ".join(f"{name}: {_given(each)}" for name, each in cells.items())
    return f"{'; '.join(parts)}. {_test(cell)} Followed, {given}."


def _given(cell: Record) -> str:
    return ", ".join(f"{look.label} {percent(cell[key])}" for key, look in GIVEN.items() if cell[key] is not None)
