"""Charts of a benchmark that asks questions about answers: its figures, curves over levels, and every breakdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isclose
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes

from raif.plots.marks import (
    EstimateRecord,
    Series,
    draw_line,
    end_labels,
    highest_of,
    interval_of,
    percent_axis,
    spoken,
    value_of,
)
from raif.plots.style import AFTER, BEFORE, FOURTH, INK, RC, SMALL, THIRD, Plot, new_figure, nothing, readable
from raif.plots.sustain import BARS, Dot, Panel, dots_plot

Record = Mapping[str, Any]
PROFILES = {"strict": Series("strict", AFTER, "o"), "parity": Series("parity", BEFORE, "s")}
LOOKS = ((AFTER, "o", "-"), (BEFORE, "s", "--"), (THIRD, "^", ":"), (FOURTH, "D", "-."))
LABEL = 28  # characters of a row's label
MOST = 30  # rows of a panel that a reader still finds
_LEVEL = re.compile(r"(.+)_(\d+)")
_NOTE = f"{BARS} None below 20."
_CURVES = "Bars: 95 % intervals over items; none below 20."


class FigureName(NamedTuple):
    """A figure as metrics files name it, as tables title it, and whether it is shown in per cent."""

    name: str
    title: str
    percent: bool = True


def question_figures(metrics: Record) -> Iterator[Plot]:
    """Yield every chart of a question benchmark (the content of its `metrics.json`)."""
    yield figures_figure(metrics)
    if levels_of([figure.name for figure in figures_in(metrics)]):
        yield levels_figure(metrics)
    for label in metrics.get("groups") or {}:
        yield breakdown_figure(metrics, label)


def figures_in(metrics: Record, label: str | None = None) -> list[FigureName]:
    """Return the figures of a benchmark, headline first, or those of one of its breakdowns."""
    own = {name: FigureName(name, title, percent) for name, title, percent in metrics.get("figures") or ()}
    if label is None:
        return list(own.values())
    told = (metrics.get("breakdowns") or {}).get(label) or ()
    own |= {name: FigureName(name, title, percent) for name, title, percent in told}
    cells = [group[profile] for group in metrics["groups"][label].values() for profile in PROFILES if profile in group]
    names = dict.fromkeys(key for cell in cells for key in cell if f"{key}_ci" in cell)
    return [own.get(name, FigureName(name, name.replace("_", " "))) for name in names]


def estimate_in(scores: Record | None, name: str) -> EstimateRecord | None:
    """Return a figure of a profile as an estimate record; None where it is not there.

    Example:
        >>> estimate_in({"drfr": 0.5, "drfr_ci": [0.4, 0.6], "drfr_n": 30}, "drfr")
        {'value': 0.5, 'low': 0.4, 'high': 0.6, 'n': 30}
    """
    if scores is None or name not in scores:
        return None
    low, high = scores.get(f"{name}_ci") or (None, None)
    return {"value": scores[name], "low": low, "high": high, "n": scores[f"{name}_n"]}


def levels_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of figures that are numbered by level from 1 on, by what stands before the number.

    Example:
        >>> levels_of(["hsr", "hsr_1", "hsr_2", "raif_22"])
        {'hsr': ['hsr_1', 'hsr_2']}
    """
    found: dict[str, dict[int, str]] = {}
    for name in names:
        if match := _LEVEL.fullmatch(name):
            found.setdefault(match[1], {})[int(match[2])] = name
    return {
        stem: [levels[level] for level in sorted(levels)]
        for stem, levels in found.items()
        if sorted(levels) == [*range(1, len(levels) + 1)] and len(levels) > 1
    }


def differ(first: Record | None, second: Record | None, names: Sequence[str]) -> list[str]:
    """Return the names of the figures that two profiles do not agree in: value, interval or n, but for rounding.

    Example:
        >>> differ({"a": 0.3, "a_n": 5, "b": 0.5, "b_n": 5}, {"a": 0.1 + 0.2, "a_n": 5, "b": 0.5, "b_n": 4}, ["a", "b"])
        ['b']
    """
    return [name for name in names if not _alike(estimate_in(first, name), estimate_in(second, name))]


def _alike(first: EstimateRecord | None, second: EstimateRecord | None) -> bool:
    pairs = [((first or {}).get(key), (second or {}).get(key)) for key in ("value", "low", "high", "n")]
    return all(
        isclose(one, other, abs_tol=1e-9) if one is not None and other is not None else one is other
        for one, other in pairs
    )


# ---- charts -------------------------------------------------------------------------------------------------------


def figures_figure(metrics: Record) -> Plot:
    """Draw the figures in per cent with their intervals; both profiles where they differ."""
    title = f"{metrics.get('title', metrics['suite'])}: figures"
    figures = [figure for figure in figures_in(metrics) if figure.percent]
    levels = {name for names in levels_of([figure.name for figure in figures]).values() for name in names}
    shown = [figure for figure in figures if figure.name not in levels and _known(metrics, figure)]
    profiles = _profiles(metrics, shown)
    panels = [
        Panel(_said(profile, profiles), [_dot(metrics[profile], figure, figure.title, profile) for figure in shown])
        for profile in profiles
    ]
    return _dots("figures", title, panels, "no figure in per cent has a value.")


def breakdown_figure(metrics: Record, label: str) -> Plot:
    """Draw a figure for each value of a label, with intervals; those that are numbered by level as curves."""
    name, title = _stem(label), f"{metrics.get('title', metrics['suite'])}: {label.lower()}"
    groups = metrics["groups"][label]
    figures = [figure for figure in figures_in(metrics, label) if figure.percent]
    if len(groups) > MOST:
        return nothing(name, title, f"{len(groups)} values are too many for a chart; a table has them.")
    if levels_of([figure.name for figure in figures]):
        scores = {value: group.get("strict") for value, group in groups.items()}
        return _curves(name, f"{title}, by level, strict profile", scores, figures)
    panels = []
    for figure in figures:
        profiles = [profile for profile in PROFILES if any(group.get(profile) for group in groups.values())]
        if all(not differ(group.get("strict"), group.get("parity"), [figure.name]) for group in groups.values()):
            profiles = profiles[:1]
        for profile in profiles:
            dots = [_dot(group.get(profile), figure, value, profile) for value, group in groups.items()]
            panels.append(Panel(f"{figure.title}, {profile}" if len(profiles) > 1 else figure.title, dots))
    return _dots(name, title, panels, f"no figure by {label.lower()} is in per cent and has a value.")


def levels_figure(metrics: Record) -> Plot:
    """Draw the figures that are numbered by level as curves; both profiles where they differ."""
    figures = [figure for figure in figures_in(metrics) if figure.percent]
    levelled = [name for names in levels_of([figure.name for figure in figures]).values() for name in names]
    profiles = _profiles(metrics, [figure for figure in figures if figure.name in levelled])
    scores = {_said(profile, profiles): metrics.get(profile) for profile in profiles}
    return _curves("levels", f"{metrics.get('title', metrics['suite'])}: by level", scores, figures)


# ---- parts --------------------------------------------------------------------------------------------------------


def _dots(name: str, title: str, panels: Sequence[Panel], absent: str) -> Plot:
    """Draw panels of rows; all have one scale."""
    plot = dots_plot(name, title, panels, _NOTE, absent)
    for axes in plot.figure.axes if plot.figure is not None else ():
        _reach(axes.set_xlim, [dot.estimate for panel in panels for dot in panel.dots])
    return readable(plot)


def _reach(limit: Callable[[float], object], estimates: Sequence[EstimateRecord | None]) -> None:
    """Begin an axis below 0 where a published figure does: some count what cannot be read as -1."""
    ends = [interval[0] for each in estimates if (interval := interval_of(each))]
    lowest = min([*ends, *(value for each in estimates if (value := value_of(each)) is not None)], default=0.0)
    if lowest < 0:
        limit(1.05 * lowest)


def _curves(name: str, title: str, panels: Mapping[str, Record | None], figures: Sequence[FigureName]) -> Plot:
    """Draw a panel of curves over the levels for each entry of `panels`."""
    stems = levels_of([figure.name for figure in figures])
    shown = {
        label: found
        for label, scores in panels.items()
        if (found := {stem: [estimate_in(scores, key) for key in keys] for stem, keys in stems.items()})
        and any(value_of(each) is not None for row in found.values() for each in row)
    }
    if not shown:
        return nothing(name, title, "no level has a value.")
    with rc_context(RC):
        figure = new_figure(46 + 150 * len(shown), title=title, note=_CURVES)
        grid = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        for axes, (label, rows) in zip(grid, shown.items(), strict=True):
            _curve_panel(axes, rows)
            axes.set_title(label, loc="left", fontsize=10.5, color=INK)
        grid[-1].set_xlabel("level")
        words = " ".join(_words(label, rows) for label, rows in shown.items())
        return readable(Plot(name, title, words, figure))


def _words(label: str, rows: Mapping[str, Sequence[EstimateRecord | None]]) -> str:
    return f"{label}: {'; '.join(f'{stem.upper()} ' + ', '.join(map(spoken, row)) for stem, row in rows.items())}."


def _curve_panel(axes: Axes, rows: Mapping[str, Sequence[EstimateRecord | None]]) -> None:
    shown = [each for row in rows.values() for each in row]
    percent_axis(axes, highest_of(shown))
    _reach(axes.set_ylim, shown)
    ends = []
    for number, (stem, row) in enumerate(rows.items()):
        known = [value for each in row if (value := value_of(each)) is not None]
        if not known:
            continue
        look = Series(stem.upper(), *LOOKS[number % len(LOOKS)])
        shift = 0.06 * (number - (len(rows) - 1) / 2)
        draw_line(axes, [level + shift for level in range(1, len(row) + 1)], row, look)
        ends.append((known[-1], look))
    end_labels(axes, ends, 0.12 * axes.get_ylim()[1])
    levels = max(map(len, rows.values()))
    axes.set_xticks(range(1, levels + 1), [str(level) for level in range(1, levels + 1)], fontsize=SMALL)
    axes.set_xlim(0.5, levels + 0.5)
    axes.grid(axis="x", visible=False)


def _profiles(metrics: Record, figures: Sequence[FigureName]) -> list[str]:
    """Return the profiles to draw: both only where they differ."""
    there = [profile for profile in PROFILES if metrics.get(profile)]
    alike = not differ(metrics.get("strict"), metrics.get("parity"), [figure.name for figure in figures])
    return there[:1] if alike else there


def _known(metrics: Record, figure: FigureName) -> bool:
    return any(value_of(estimate_in(metrics.get(profile), figure.name)) is not None for profile in PROFILES)


def _said(profile: str, profiles: Sequence[str]) -> str:
    return f"{profile} profile" if len(profiles) > 1 else "both profiles"


def _dot(scores: Record | None, figure: FigureName, label: str, profile: str) -> Dot:
    return Dot(_shortened(label), estimate_in(scores, figure.name), PROFILES[profile])


def _shortened(label: str) -> str:
    """Leave out the middle of a long label, word by word: long ones often differ in their ends.

    Example:
        >>> _shortened("Mean of all three figures, hard")
        'Mean … three figures, hard'
    """
    if len(label) <= LABEL:
        return label
    first, *rest = label.split()
    while rest and len(f"{first} … {' '.join(rest)}") > LABEL:
        rest = rest[1:]
    return f"{first} … {' '.join(rest)}" if rest and len(first) < LABEL // 2 else f"{label[:11]}… {label[-14:]}"


def _stem(label: str) -> str:
    """Return a label as the name of a file."""
    return f"by-{re.sub(r'[^a-z0-9]+', '-', label.lower()).strip('-')}"
