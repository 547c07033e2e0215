"""Charts of SUSTAIN: arms, doses, right against met, NET by kind of constraint, and models beneath each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from raif.plots.marks import (
    EstimateRecord,
    Series,
    draw_estimate,
    draw_line,
    end_labels,
    highest_of,
    interval_of,
    percent,
    percent_axis,
    short,
    spoken,
    value_of,
)
from raif.plots.rows import written
from raif.plots.style import AFTER, BEFORE, FOURTH, INK, MUTED, RC, SMALL, THIRD, Plot, new_figure, nothing

Record = Mapping[str, Any]
DOMAINS = {"math": "Mathematics", "qa": "Multi-hop QA", "code": "Code", "all": "All domains"}
SCORES = {
    "sustain": Series("SUSTAIN", AFTER, "o"),
    "placebo": Series("PLACEBO", BEFORE, "s", "--"),
    "retest": Series("RETEST", THIRD, "^"),
    "comply_each": Series("COMPLY each", THIRD, "^", ":"),
    "comply_all": Series("COMPLY all", FOURTH, "D", "-."),
    "comply": Series("COMPLY", FOURTH, "D"),
    "net": Series("NET", INK, "o"),
}
KINDS = {"by_group": "group", "by_family": "family", "by_tightness": "tightness", "by_source": "source"}
CELLS = {  # label, colour and hatch, so that a cell is known without its colour
    "right_met": ("right, met", THIRD, ""),
    "right_broken": ("right, broken", AFTER, "//"),
    "wrong_met": ("wrong, met", BEFORE, ".."),
    "wrong_broken": ("wrong, broken", MUTED, "xx"),
}
LINE = 18.0  # points of a row
BARS = "Bars: 95 % intervals over items. Beside: value, interval and n."


class Dot(NamedTuple):
    """A row of a chart: an estimate with its interval, hollow where it counts for less."""

    label: str
    estimate: EstimateRecord | None
    look: Series
    hollow: bool = False


class Panel(NamedTuple):
    """Rows under a title; `signed` are points that may lie below 0."""

    title: str
    dots: Sequence[Dot]
    signed: bool = False


# ---- one evaluation -----------------------------------------------------------------------------------------------


def sustain_figures(metrics: Record) -> Iterator[Plot]:
    """Yield every chart of a SUSTAIN evaluation (the content of its `metrics.json`)."""
    yield arms_figure(metrics)
    for domain, record in metrics["domains"].items():
        yield from domain_figures(domain, record)


def domain_figures(domain: str, record: Record) -> list[Plot]:
    """Return the charts of one domain."""
    return [dose_figure(domain, record), table_figure(domain, record), net_figure(domain, record)]


def arms_figure(metrics: Record) -> Plot:
    """Draw how many solved items are solved again with a constraint, with a placebo and unchanged, by domain."""
    panels = []
    for domain, record in metrics["domains"].items():
        dots = [Dot(SCORES[name].label, record.get(name), SCORES[name]) for name in ("retest", "placebo", "sustain")]
        panels.append(Panel(DOMAINS.get(domain, domain), dots))
    note = f"Items solved at first. RETEST: the same prompt again; PLACEBO: with a neutral sentence. {BARS}"
    return dots_plot("arms", "Solved again, by arm", panels, note, "no domain has 20 solved items.")


def dose_figure(domain: str, record: Record) -> Plot:
    """Draw SUSTAIN, PLACEBO and how many constraints are met against the number of constraints in the prompt."""
    name, title = f"dose-{domain}", f"{DOMAINS.get(domain, domain)}: by number of constraints"
    found = {"all items that have the dose": record.get("doses"), "the items that have every dose": None}
    if _differ(record.get("doses") or []):
        found["the items that have every dose"] = record.get("doses_common")
    panels = {label: rows for label, rows in found.items() if rows and any(_known(rows, key) for key in SCORES)}
    if not panels:
        return nothing(name, title, "no dose has 20 items.")
    with rc_context(RC):
        figure = new_figure(46 + 180 * len(panels), title=title, note="Bars: 95 % intervals over items; none below 20.")
        grid = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axes, (label, rows) in zip(grid, panels.items(), strict=True):
            _dose_panel(axes, rows)
            axes.set_title(label, loc="left", fontsize=10.5, color=INK)
        grid[-1].set_xlabel("constraints in the prompt, and items")
        words = [f"{label}: {_dose_words(rows)}" for label, rows in panels.items()]
        return Plot(name, title, " ".join(words), figure)


def table_figure(domain: str, record: Record) -> Plot:
    """Draw the four cells of right and met, with what independence predicts of each."""
    name, title = f"table-{domain}", f"{DOMAINS.get(domain, domain)}: right answer and met constraint"
    table = record.get("table") or {}
    whole = sum(table.get(cell) or 0 for cell in CELLS)
    if not whole:
        return nothing(name, title, "no output is decided in both answer and constraint.")
    predicted = _independent(table, whole)
    note = "Shares of the outputs under one constraint, and their number. Marks: what independence predicts."
    with rc_context({**RC, "axes.grid.axis": "x", "hatch.linewidth": 0.6}):
        figure = new_figure(52 + 24 * len(CELLS), title=title, note=note)
        axes = figure.add_subplot()
        for y, (cell, (_, colour, hatch)) in enumerate(CELLS.items()):
            share, place = table[cell] / whole, predicted[cell]
            axes.barh(y, share, height=0.62, facecolor=colour, alpha=0.55, hatch=hatch, edgecolor=INK, linewidth=0.6)
            axes.plot([place, place], [y - 0.42, y + 0.42], color=INK, linewidth=1.8, gid="expected")
            text = f"{percent(share)}, n {table[cell]:,}"
            axes.annotate(text, (max(share, place), y), (5, 0), textcoords="offset points", va="center", fontsize=SMALL)
        axes.set_yticks(range(len(CELLS)), [label for label, _, _ in CELLS.values()], fontsize=10)
        axes.set_ylim(len(CELLS) - 0.5, -0.5)
        percent_axis(axes, None, sideways=True)
        axes.set_xlim(right=1.25)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.tick_params(axis="x", labelsize=SMALL)
        words = [
            f"{label} {table[cell]} of {whole}, {percent(predicted[cell])} if independent"
            for cell, (label, _, _) in CELLS.items()
        ]
        return Plot(name, title, f"{'; '.join(words)}.", figure)


def net_figure(domain: str, record: Record) -> Plot:
    """Draw NET by group, family and tightness of the constraint and by source of the task, a forest of intervals."""
    panels = []
    for key, label in KINDS.items():
        dots = [_net_dot(name, found.get("net") or {}) for name, found in (record.get(key) or {}).items()]
        dots = [dot for dot in dots if value_of(dot.estimate) is not None]
        if len(dots) > 1 or (dots and key == "by_family"):
            panels.append(Panel(f"by {label}", dots, signed=True))
    title = f"{DOMAINS.get(domain, domain)}: NET by kind of constraint"
    note = f"Points lost beyond a neutral sentence. Full: p (Holm) below 0.05; hollow: not. {BARS} None below 30 items."
    return dots_plot(f"net-{domain}", title, panels, note, "no kind of constraint has enough items.")


# ---- several models -----------------------------------------------------------------------------------------------


def comparison_figures(comparison: Record) -> list[Plot]:
    """Return a chart for each domain of a comparison of models (the content of its `comparison.json`)."""
    return [model_figure(domain, found) for domain, found in comparison["domains"].items()]


def model_figure(domain: str, found: Record) -> Plot:
    """Draw NET, SUSTAIN and COMPLY of models beneath each other, over their own and over their common items."""
    order = list(dict.fromkeys([*(found.get("ranking") or ()), *found["own"]]))
    panels = []
    for metric in ("net", "sustain", "comply"):
        dots = []
        for model in order:
            for where, hollow in (("common", False), ("own", True)):
                estimate = ((found.get(where) or {}).get(model) or {}).get(metric)
                if value_of(estimate) is not None:
                    dots.append(Dot(f"{short(model, 20)}, {where}", estimate, SCORES[metric], hollow))
        panels.append(Panel(SCORES[metric].label, dots, signed=metric == "net"))
    title = f"{DOMAINS.get(domain, domain)}: models"
    note = f"Full: the items that all solve; hollow: each model's own. {BARS}"
    return dots_plot(f"models-{domain}", title, panels, note, "no model has enough solved items.")


# ---- rows of dots -------------------------------------------------------------------------------------------------


def dots_plot(name: str, title: str, panels: Sequence[Panel], note: str, absent: str) -> Plot:
    """Draw panels of rows beneath each other; those without a known value are left out."""
    panels = [panel for panel in panels if any(value_of(dot.estimate) is not None for dot in panel.dots)]
    if not panels:
        return nothing(name, title, absent)
    heights = [34 + LINE * len(panel.dots) for panel in panels]
    with rc_context({**RC, "axes.grid.axis": "x"}):
        figure = new_figure(48 + sum(heights), title=title, note=note)
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        limits = _signed_limits([dot.estimate for panel in panels if panel.signed for dot in panel.dots])
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel, limits)
        words = [
            f"{panel.title}: {'; '.join(f'{d.label} {spoken(d.estimate)}' for d in panel.dots)}." for panel in panels
        ]
        return Plot(name, title, " ".join(words), figure)


def _draw_panel(axes: Axes, panel: Panel, limits: tuple[float, float]) -> None:
    if panel.signed:
        axes.set_xlim(*limits)
        axes.axvline(0, color=MUTED, linewidth=1.2)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, 0, symbol=""))
        axes.xaxis.set_major_locator(MaxNLocator(5))
    else:
        percent_axis(axes, None, sideways=True)
        axes.set_xticks([0, 0.5, 1])
    for y, dot in enumerate(panel.dots):
        draw_estimate(axes, y, dot.estimate, dot.look, hollow=dot.hollow, sideways=True)
        place = axes.get_yaxis_transform()
        axes.annotate(_beside(dot.estimate), (1, y), (6, 0), place, "offset points", va="center", fontsize=SMALL)
    axes.set_yticks(range(len(panel.dots)), [short(dot.label.replace("_", " "), 28) for dot in panel.dots], fontsize=10)
    axes.set_ylim(len(panel.dots) - 0.5, -0.75)
    axes.set_title(panel.title, loc="left", fontsize=10.5, color=INK, pad=6)
    axes.tick_params(axis="x", labelsize=SMALL)


def _beside(estimate: EstimateRecord | None) -> str:
    return written(estimate) if value_of(estimate) is not None else f"– n {(estimate or {}).get('n', 0)}"


def _signed_limits(estimates: Sequence[EstimateRecord | None]) -> tuple[float, float]:
    """Return limits that hold every interval and 0."""
    ends = [0.0, 0.02]
    for estimate in estimates:
        value = value_of(estimate)
        ends += interval_of(estimate) or ([] if value is None else [value])
    margin = 0.05 * (max(ends) - min(ends))
    return min(ends) - margin, max(ends) + margin


def _net_dot(name: str, net: Record) -> Dot:
    p = net.get("p_holm")
    return Dot(name, net.get("estimate"), SCORES["net"], hollow=p is None or p >= 0.05)


# ---- doses and cells ----------------------------------------------------------------------------------------------


def _dose_panel(axes: Axes, rows: Sequence[Record]) -> None:
    names = [name for name in ("sustain", "placebo", "comply_each", "comply_all") if _known(rows, name)]
    percent_axis(axes, max(0.5, highest_of([row.get(name) for row in rows for name in names])))
    for index, name in enumerate(names):
        shift = 0.07 * (index - (len(names) - 1) / 2)
        draw_line(axes, [x + shift for x in range(len(rows))], [row.get(name) for row in rows], SCORES[name])
    end_labels(axes, [(_known(rows, name)[-1], SCORES[name]) for name in names], 0.1 * axes.get_ylim()[1])
    axes.set_xticks(range(len(rows)), [f"{row['dose']}\nn {row['n']}" for row in rows], fontsize=SMALL)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.grid(axis="x", visible=False)


def _known(rows: Sequence[Record], name: str) -> list[float]:
    return [value for row in rows if (value := value_of(row.get(name))) is not None]


def _differ(rows: Sequence[Record]) -> bool:
    """Tell whether doses differ in their items."""
    return len({row["n"] for row in rows}) > 1


def _dose_words(rows: Sequence[Record]) -> str:
    names = [name for name in ("sustain", "placebo", "comply_each", "comply_all") if _known(rows, name)]
    told = [
        f"{row['dose']}: " + ", ".join(f"{SCORES[name].label} {spoken(row.get(name))}" for name in names)
        for row in rows
    ]
    return f"{'; '.join(told)}."


def _independent(table: Record, whole: int) -> dict[str, float]:
    """Return the share of each cell if right answers and met constraints were independent."""
    right = (table["right_met"] + table["right_broken"]) / whole
    met = (table["right_met"] + table["wrong_met"]) / whole
    return {
        "right_met": right * met,
        "right_broken": right * (1 - met),
        "wrong_met": (1 - right) * met,
        "wrong_broken": (1 - right) * (1 - met),
    }
