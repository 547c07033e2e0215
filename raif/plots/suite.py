"""The chart of combined runs: a row for each benchmark, a dot with its interval for each profile or each model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

from raif.benchmarks.table import BEYOND, OF_RAIF
from raif.plots.marks import Series, draw_estimate, percent_axis, short, spoken
from raif.plots.rows import written
from raif.plots.style import AFTER, BEFORE, FOURTH, RC, SMALL, THIRD, Plot, new_figure, nothing

Record = Mapping[str, Any]
_LOOKS = ((AFTER, "o"), (BEFORE, "s"), (THIRD, "^"), (FOURTH, "D"))
Drawn = tuple[Series, dict[str, Record]]
NAME, TITLE = "suite", "Benchmarks"


def suite_figure(tables: Mapping[str, Record]) -> Plot:
    """Draw one run in both profiles, or the strict profile of two to four runs, benchmark by benchmark.

    Args:
        tables: the content of `table.json` by the name of the run.
    """
    if len(tables) > len(_LOOKS):
        return nothing(
            NAME, TITLE, f"{len(tables)} runs are too many to tell apart in a chart; the table has them all."
        )
    series = _series(tables)
    rows = _rows(tables)
    if not rows:
        return nothing(NAME, TITLE, "no benchmark has finished.")
    step = min(0.3, 0.7 / len(series))
    offsets = [(number - (len(series) - 1) / 2) * step for number in range(len(series))]
    with rc_context({**RC, "axes.grid.axis": "x"}):
        note = "Bars: 95 % intervals; none below 20 items."
        note += " Beside: value, interval and n of the strict profile." if len(tables) == 1 else " Strict profile."
        figure = new_figure(70 + (22 + 9 * len(series)) * len(rows), title=TITLE, note=note)
        axes = figure.add_subplot()
        for (look, estimates), offset in zip(series, offsets, strict=True):
            for place, (name, _) in enumerate(rows):
                draw_estimate(axes, place + offset, estimates.get(name), look, look.marker == "s", sideways=True)
        _label(axes, rows, series, beside=len(tables) == 1)
        return Plot(NAME, TITLE, _described(rows, series), figure)


def _series(tables: Mapping[str, Record]) -> list[Drawn]:
    """Return what is drawn: a look, and estimates by benchmark."""
    if len(tables) > 1:
        looks = [Series(short(label, 40), *look) for label, look in zip(tables, _LOOKS, strict=False)]
        return [(look, _estimates(table, "strict")) for look, table in zip(looks, tables.values(), strict=True)]
    (table,) = tables.values()
    strict, official = _estimates(table, "strict"), _estimates(table, "parity")
    found = [(Series("strict", *_LOOKS[0]), strict)]
    return found if strict == official else [*found, (Series("official", *_LOOKS[1]), official)]


def _estimates(table: Record, profile: str) -> dict[str, Record]:
    return {row["name"]: row["profiles"][profile] for row in table["rows"]} | {
        "": table["average"]["profiles"][profile]
    }


def _rows(tables: Mapping[str, Record]) -> list[tuple[str, str]]:
    """Return name and label of each row, in the order of the table; the mean stands after what it is the mean of.

    Means over other benchmarks, or over a part of the items, are no two points of one line.
    """
    labels = {row["name"]: f"{row['title']}\n{row['metric']}" for table in tables.values() for row in table["rows"]}
    means = [table["average"] for table in tables.values()]
    if all((mean["title"], mean["names"]) == (means[0]["title"], means[0]["names"]) for mean in means):
        labels |= {"": means[0]["title"]} if means[0]["n"] > 1 else {}
    return [(name, labels[name]) for name in (*OF_RAIF, "", *BEYOND) if name in labels]


def _label(
    axes: Axes, rows: list[tuple[str, str]], series: list[tuple[Series, dict[str, Record]]], beside: bool
) -> None:
    percent_axis(axes, None, sideways=True)
    highest = max((each["high"] or each["value"] or 0 for _, found in series for each in found.values()), default=1.0)
    axes.set_xlim(-0.03, max(1.03, 1.03 * highest))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [label for _, label in rows], fontsize=SMALL)
    axes.tick_params(axis="x", labelsize=SMALL)
    if beside:
        for place, (name, _) in enumerate(rows):
            axes.annotate(
                written(series[0][1].get(name)), (1, place), (6, 0), axes.get_yaxis_transform(), "offset points",
                va="center", fontsize=SMALL,
            )  # fmt: skip
    if len(series) > 1:
        handles = [
            axes.plot([], [], look.marker, color=look.colour, label=look.label,
                      markerfacecolor="none" if look.marker == "s" else look.colour)[0]
            for look, _ in series
        ]  # fmt: skip
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=SMALL,
            borderaxespad=0, handletextpad=0.2,
        )  # fmt: skip


def _described(rows: list[tuple[str, str]], series: list[Drawn]) -> str:
    lines = []
    for name, label in rows:
        values = "; ".join(f"{look.label} {spoken(found.get(name))}" for look, found in series)
        lines.append(f"{', '.join(label.splitlines())}: {values}.")
    return " ".join(lines)
