"""Charts of conditions beneath each other: a panel a metric, a row a condition, with interval, n, floor and ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes

from raif.plots.marks import (
    METRICS,
    EstimateRecord,
    bound_mark,
    draw_estimate,
    interval_of,
    percent_axis,
    short,
    spoken,
    value_of,
)
from raif.plots.style import INK, RC, SMALL, Plot, new_figure, nothing

Record = Mapping[str, Any]
PROFILES = ("strict", "parity")
COMPARED = (
    *("hacc", "sacc", "prompt_strict", "instruction_strict", "prompt_loose", "instruction_loose"),
    *("followed", "correct", "correct_unconstrained", "correct_and_followed", "truncated"),
)


class Condition(NamedTuple):
    """A row of every panel: its estimates, and floor and ceiling, by metric."""

    label: str
    estimates: Mapping[str, EstimateRecord]
    floor: Mapping[str, float] = {}
    ceiling: Mapping[str, float] = {}
    hollow: bool = False


def comparison_figure(runs: Mapping[str, Record], profile: str = "strict") -> Plot:
    """Draw evaluations beneath each other, metric by metric, with intervals, n, floor and ceiling.

    Args:
        runs: the content of `metrics.json` by the name of the run.
        profile: `strict` or `parity`; what both share (correctness, truncation) is the same in either.
    """
    conditions = [
        Condition(label, _estimates(each, profile), _bounds(each, profile, "floor"), _bounds(each, profile, "ceiling"))
        for label, each in runs.items()
    ]
    suites = sorted({str(metrics["suite"]) for metrics in runs.values() if metrics.get("suite")})
    title = f"{', '.join(suites) or 'Evaluation'}, {profile} profile"
    return conditions_plot(f"comparison-{profile}", title, conditions, "no evaluation has a metric to draw.")


def groups_figure(metrics: Record, label: str, profile: str = "strict") -> Plot:
    """Draw the groups of one evaluation under a label (source, count, depth, ...) beneath each other."""
    groups = (metrics.get("groups") or {}).get(label) or {}
    conditions = [Condition(f"{label} {value}", _estimates(group, profile)) for value, group in groups.items()]
    title = f"{metrics.get('suite', 'Evaluation')} by {label}, {profile} profile"
    return conditions_plot(f"{label}-{profile}", title, conditions, f"no result is broken down by {label}.")


def conditions_plot(
    name: str, title: str, conditions: Sequence[Condition], absent: str, metrics: Sequence[str] = COMPARED
) -> Plot:
    """Draw a panel for each metric that any condition has."""
    shown = [key for key in metrics if any(value_of(each.estimates.get(key)) is not None for each in conditions)]
    if not shown:
        return nothing(name, title, absent)
    note = "Bars: 95 % intervals; none below 20 items. Beside: value, interval and n."
    if any(each.floor for each in conditions):
        note += " Floor: what a lone full stop earns."
    if any(each.ceiling for each in conditions):
        note += " Ceiling: what can be reached at all."
    if any(each.hollow for each in conditions):
        note += " Hollow: controls."
    panels = {metric: [each for each in conditions if metric in each.estimates] for metric in shown}
    heights = [34 + 18 * len(rows) for rows in panels.values()]
    with rc_context({**RC, "axes.grid.axis": "x"}):
        figure = new_figure(48 + sum(heights), title=title, note=note)
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (metric, rows) in zip(grid, panels.items(), strict=True):
            _panel(axes, metric, rows)
        grid[-1].set_xlim(left=min(-0.03, 1.1 * _lowest(conditions, shown)))
        return Plot(name, title, " ".join(_described(metric, rows) for metric, rows in panels.items()), figure)


def _panel(axes: Axes, metric: str, conditions: Sequence[Condition]) -> None:
    look = METRICS[metric]
    percent_axis(axes, None, sideways=True)
    for y, condition in enumerate(conditions):
        estimate = condition.estimates.get(metric)
        draw_estimate(axes, y, estimate, look, hollow=condition.hollow, sideways=True)
        axes.annotate(
            written(estimate), (1, y), (6, 0), axes.get_yaxis_transform(), "offset points", va="center", fontsize=SMALL
        )
        for kind, bounds in (("floor", condition.floor), ("ceiling", condition.ceiling)):
            if metric in bounds:
                bound_mark(axes, bounds[metric], y, kind if y == 0 else "")
    labels = [short(each.label, 24) for each in conditions]
    axes.set_yticks(range(len(conditions)), labels, fontsize=10)
    axes.set_ylim(len(conditions) - 0.5, -0.75)
    axes.set_title(look.label, loc="left", fontsize=10.5, color=INK, pad=9)
    axes.tick_params(axis="x", labelsize=SMALL)


def _lowest(conditions: Sequence[Condition], metrics: Sequence[str]) -> float:
    """Return the lowest end of an interval; only differences go below 0."""
    return min((interval_of(each.estimates.get(name)) or (0.0,))[0] for each in conditions for name in metrics)


def written(estimate: EstimateRecord | None) -> str:
    """Write an estimate as it stands beside its row.

    Example:
        >>> written({"value": 0.347, "low": 0.301, "high": 0.396, "n": 400})
        '34.7 [30.1, 39.6] n 400'
    """
    return spoken(estimate).replace(" %", "").replace(", n ", " n ")


def _described(metric: str, conditions: Sequence[Condition]) -> str:
    return f"{METRICS[metric].label}: {'; '.join(f'{each.label} {_spoken(each, metric)}' for each in conditions)}."


def _spoken(condition: Condition, metric: str) -> str:
    text = spoken(condition.estimates.get(metric))
    for kind, bounds in (("floor", condition.floor), ("ceiling", condition.ceiling)):
        if metric in bounds:
            text += f", {kind} {100 * bounds[metric]:.1f} %"
    return text


def _estimates(metrics: Record, profile: str) -> dict[str, EstimateRecord]:
    """Return the metrics of an evaluation as estimate records, those of a profile with their intervals beside them."""
    found: dict[str, EstimateRecord] = {}
    for name in COMPARED:
        inside = metrics.get(profile) or {}
        if inside.get(name) is not None:
            low, high = inside.get(f"{name}_ci") or (None, None)
            found[name] = {"value": inside[name], "low": low, "high": high, "n": inside.get(f"{name}_n", metrics["n"])}
        elif isinstance(metrics.get(name), Mapping):
            found[name] = metrics[name]
    return found


def _bounds(metrics: Record, profile: str, kind: str) -> dict[str, float]:
    bounds = metrics.get(kind) or {}
    bounds = bounds.get(profile, bounds)
    return {name: float(value) for name, value in bounds.items() if isinstance(value, int | float)}
