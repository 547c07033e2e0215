"""One chart for each experiment, drawn from the content of its `experiment.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from raif.plots.error_cells import error_cells_figure
from raif.plots.marks import (
    ARMS,
    METRICS,
    Series,
    draw_estimate,
    draw_line,
    end_labels,
    highest_of,
    percent_axis,
    spoken,
    value_of,
)
from raif.plots.rows import COMPARED, Condition, conditions_plot
from raif.plots.style import INK, PAGE, RC, Plot, new_figure, nothing
from rewards.errors import unknown_name

Record = Mapping[str, Any]
SHARES = ("hacc", "sacc", "correct", "truncated")
NAMES = {  # what is inserted, by experiment and arm
    "wait": {"treatment": "“Wait” appended", "control": "neutral filler", "baseline": "nothing"},
}
TITLES = {
    "wait": "Thinking kept open by “Wait”",
    "repeat": "Constraints repeated at the end of the thinking",
    "length-bins": "Following by length of the thinking",
}


def experiment_figure(experiment: Record) -> Plot:
    """Draw the chart of any experiment."""
    name = str(experiment["experiment"]).replace("_", "-")
    if name not in _FIGURES:
        raise unknown_name("experiment", name, _FIGURES, "Run it again with this version.")
    return _FIGURES[name](experiment)


# ---- dots beneath each other --------------------------------------------------------------------------------------


def stages_figure(experiment: Record) -> Plot:
    """Draw the checkpoints of a comparison of training stages beneath each other, in their order."""
    rows, floor = _rows(experiment)
    conditions = [_condition(row, floor) for row in sorted(rows, key=lambda row: row.get("x") or 0)]
    return conditions_plot("stages", "Training stages", conditions, "no stage has a metric to draw.")


def difficulty_figure(experiment: Record) -> Plot:
    """Draw every source and every number of constraints beneath each other, and the drop of correctness by source."""
    rows, floor = _rows(experiment)
    conditions = [_condition(row, floor if row.get("kind") == "all" else {}) for row in rows]
    metrics = (*COMPARED, "relative_drop")
    title = "Following by source and number of constraints"
    return conditions_plot("difficulty", title, conditions, "no source has a metric to draw.", metrics)


def _condition(row: Record, floor: Mapping[str, float]) -> Condition:
    return Condition(row["label"], {name: row[name] for name in METRICS if row.get(name)}, floor)


# ---- length of thinking -------------------------------------------------------------------------------------------


def length_bins_figure(experiment: Record) -> Plot:
    """Draw HAcc, SAcc, correctness and truncation by bins of thinking length, of equal width and of equal count."""
    rows, floor = _rows(experiment)
    cut = [row for row in rows if row.get("kind") == "truncated"]
    kinds = {kind: found for kind in ("width", "count") if (found := [row for row in rows if row.get("kind") == kind])}
    metrics = [name for name in SHARES[:3] if _known(rows, name)]
    if not kinds or not metrics:
        return nothing("length-bins", TITLES["length-bins"], "no bin holds a judged rollout.")
    note = "Bars: 95 % intervals over items; none below 20. Longer thinking goes with harder problems: see the effects."
    with rc_context(RC):
        figure = new_figure(46 + 178 * len(kinds), title=TITLES["length-bins"], note=note)
        grid = figure.subplots(len(kinds), 1, squeeze=False)[:, 0]
        for axes, (kind, bins) in zip(grid, kinds.items(), strict=True):
            _bins_panel(axes, bins, cut, metrics, floor)
            axes.set_title(f"bins of equal {kind}", loc="left", fontsize=10.5, color=INK)
        grid[-1].set_xlabel("tokens of thinking, from – to, and items")
        words = [f"Bins of equal {kind}: {_told([*bins, *cut], metrics)}" for kind, bins in kinds.items()]
        return Plot("length-bins", TITLES["length-bins"], " ".join(words), figure)


def _bins_panel(
    axes: Axes, bins: Sequence[Record], cut: Sequence[Record], metrics: Sequence[str], floor: Mapping[str, float]
) -> None:
    rows = [*bins, *cut]
    percent_axis(axes, highest_of([row.get(name) for row in rows for name in metrics]))
    for index, name in enumerate(metrics):
        look, shift = METRICS[name], 0.07 * (index - (len(metrics) - 1) / 2)
        draw_line(axes, [x + shift for x in range(len(bins))], [row.get(name) for row in bins], look)
        for x, row in enumerate(cut, len(bins)):
            draw_estimate(axes, x + shift, row.get(name), look)
    ends = [(_last(bins, name), METRICS[name]) for name in metrics if _known(bins, name)]
    for name in filter(floor.__contains__, metrics):
        _floor_line(axes, name, floor[name])
        ends.append((floor[name], METRICS[name]._replace(label=f"{METRICS[name].label} floor")))
    end_labels(axes, ends, 0.095 * axes.get_ylim()[1])
    labels = [f"{row['low']:.0f}–\n{row['high']:.0f}\nn {row['n']}" for row in bins]
    labels += [f"cut\noff\nn {row['n']}" for row in cut]
    axes.set_xticks(range(len(rows)), labels, fontsize=8.5)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.grid(axis="x", visible=False)


# ---- interventions ------------------------------------------------------------------------------------------------


def interventions_figure(experiment: Record) -> Plot:
    """Draw an intervention on the thinking against its control, metric by metric, over how often it was made.

    Where it was made once, in several places or with several controls, its arms stand beneath each other.
    """
    rows, floor = _rows(experiment)
    if len({row["x"] for row in rows}) == len(rows):
        return _arms_beneath(experiment, rows, floor)
    name = str(experiment["experiment"])
    title, metrics = TITLES.get(name, name), [metric for metric in SHARES if _known(rows, metric)]
    arms = {arm: look for arm, look in _looks(name).items() if any(row["arm"] == arm for row in rows)}
    if not metrics or not arms:
        return nothing(name, title, "no arm has a metric to draw.")
    note = f"Bars: 95 % intervals over items; none below 20. {_counts(rows)}"
    height = -(-len(metrics) // 2)
    with rc_context({**RC, "font.size": 10}):
        figure = new_figure(84 + 132 * height, title=title, note=note)
        grid = figure.add_gridspec(height + 1, 2, height_ratios=[0.12, *[1.0] * height])
        _legend(figure.add_subplot(grid[0, :]), arms)
        for index, metric in enumerate(metrics):
            axes = figure.add_subplot(grid[1 + index // 2, index % 2])
            _arms_panel(axes, metric, rows, arms, floor.get(metric))
            axes.set_xlabel("times inserted" if index >= len(metrics) - 2 else "")
        return Plot(name, title, _told(rows, metrics), figure)


def _arms_beneath(experiment: Record, rows: Sequence[Record], floor: Mapping[str, float]) -> Plot:
    name = str(experiment["experiment"])
    conditions = [_condition(row, floor)._replace(hollow=row["arm"] == "control") for row in rows]
    return conditions_plot(name, TITLES.get(name, name), conditions, "no arm has a metric to draw.")


def _legend(axes: Axes, arms: Mapping[str, Series]) -> None:
    axes.axis("off")
    handles = [
        Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle=look.line, markersize=5.5,
            markerfacecolor=PAGE if arm == "control" else look.colour,
        )
        for arm, look in arms.items()
    ]  # fmt: skip
    labels = [look.label for look in arms.values()]
    axes.legend(
        handles, labels, loc="center left", ncols=3, frameon=False, fontsize=9.5, columnspacing=1.2, borderpad=0
    )


def _looks(name: str) -> dict[str, Series]:
    names = NAMES.get(name, {})
    return {arm: look._replace(label=names.get(arm, look.label)) for arm, look in ARMS.items()}


def _arms_panel(
    axes: Axes, metric: str, rows: Sequence[Record], arms: Mapping[str, Series], floor: float | None
) -> None:
    percent_axis(axes, highest_of([row.get(metric) for row in rows]))
    places = sorted({float(row["x"]) for row in rows})
    baseline = [row for row in rows if row["arm"] == "baseline"]
    for arm, look in arms.items():
        shift = 0.02 * (places[-1] - places[0]) * {"treatment": -1, "control": 1}.get(arm, 0)
        line = sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["x"])
        starts = [(float(row["x"]), value_of(row.get(metric))) for row in baseline if arm != "baseline"]
        joined = [*starts, *((row["x"] + shift, value_of(row.get(metric))) for row in line)]
        known = [(x, value) for x, value in joined if value is not None]
        if len(known) > 1:
            axes.plot(*zip(*known, strict=True), color=look.colour, linewidth=1.6, linestyle=look.line, gid="line")
        for row in line:
            draw_estimate(axes, row["x"] + shift, row.get(metric), look, hollow=arm == "control")
    title = METRICS[metric].label
    if floor is not None:
        _floor_line(axes, metric, floor)
        title += f" (dotted: floor {100 * floor:.1f})"
    axes.set_title(title, loc="left", fontsize=9.5, color=INK)
    axes.set_xticks(places, [f"{place:g}" for place in places])
    margin = 0.15 * max(places[-1] - places[0], 1)
    axes.set_xlim(places[0] - margin, places[-1] + margin)
    axes.grid(axis="x", visible=False)


# ---- parts --------------------------------------------------------------------------------------------------------


def _rows(experiment: Record) -> tuple[list[Record], dict[str, float]]:
    """Return the measured rows, and the floor of the metrics that have one."""
    rows = [row for row in experiment["rows"] if not _is_floor(row)]
    floors = [row for row in experiment["rows"] if _is_floor(row)]
    floor = {name: value for row in floors for name in METRICS if (value := value_of(row.get(name))) is not None}
    return rows, floor


def _is_floor(row: Record) -> bool:
    return row.get("kind") == "floor" or str(row["label"]).startswith("floor")


def _floor_line(axes: Axes, name: str, value: float) -> None:
    axes.axhline(value, color=METRICS[name].colour, linewidth=1.1, linestyle=(0, (1, 2)), gid="floor")


def _known(rows: Sequence[Record], name: str) -> bool:
    return any(value_of(row.get(name)) is not None for row in rows)


def _last(rows: Sequence[Record], name: str) -> float:
    return next(value for row in reversed(rows) if (value := value_of(row.get(name))) is not None)


def _counts(rows: Sequence[Record]) -> str:
    counts = sorted({row["n"] for row in rows})
    return f"{counts[0]} items." if len(counts) == 1 else f"{counts[0]} to {counts[-1]} items."


def _told(rows: Sequence[Record], metrics: Sequence[str]) -> str:
    told = [
        f"{row['label']}: " + "; ".join(f"{METRICS[name].label} {spoken(row.get(name))}" for name in metrics)
        for row in rows
    ]
    return ". ".join(told) + "."


_FIGURES = {
    "length-bins": length_bins_figure,
    "wait": interventions_figure,
    "repeat": interventions_figure,
    "stages": stages_figure,
    "errors": error_cells_figure,
    "difficulty": difficulty_figure,
}
