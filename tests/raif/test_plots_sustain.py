"""Charts of SUSTAIN and of attention: what is drawn, what is said, and that nothing unknown is drawn as 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.artist import Artist

from raif.plots import Plot, attention_figures, comparison_figures, plots_of, sustain_figures
from raif.plots.style import AFTER, BEFORE
from tests.raif.plot_data import attention, sustain, sustain_comparison, sustain_domain
from tests.raif.test_plots import texts, vector


def by_name(plots: Any) -> dict[str, Plot]:
    return {plot.name: plot for plot in plots}


def marked(plot: Plot, gid: str) -> list[Any]:
    """Return what was drawn under a name, such as every interval."""
    assert plot.figure is not None, plot.absent
    found: list[Artist] = plot.figure.findobj(lambda artist: artist.get_gid() == gid)
    return found


def test_arms_of_every_domain_with_enough_items_have_intervals() -> None:
    plot = by_name(sustain_figures(sustain()))["arms"]
    assert len(marked(plot, "point")) == len(marked(plot, "interval")) == 6  # code has 14 items: no value, no mark
    shown = texts(plot)
    assert {"Mathematics", "Multi-hop QA", "RETEST", "PLACEBO", "SUSTAIN"} <= set(shown)
    assert "Code" not in shown
    record = sustain()["domains"]["math"]["sustain"]
    low, high = 100 * record["low"], 100 * record["high"]
    assert f"88.5 [{low:.1f}, {high:.1f}] n 200" in shown
    assert f"SUSTAIN 88.5 % [{low:.1f}, {high:.1f}], n 200" in plot.description


def test_dose_curve_stands_against_its_placebo_over_all_and_over_common_items() -> None:
    plot = by_name(sustain_figures(sustain()))["dose-math"]
    panels = plot.figure.axes if plot.figure is not None else []
    assert [panel.get_title("left") for panel in panels] == [
        "all items that have the dose",
        "the items that have every dose",
    ]
    for panel in panels:
        lines = [line for line in panel.lines if line.get_gid() == "line"]
        assert [len(line.get_xdata()) for line in lines] == [5] * 4
        assert len({line.get_linestyle() for line in lines}) == 4
    assert {"1", "n 188", "n 104", "PLACEBO", "COMPLY each", "COMPLY all"} <= {
        part for text in texts(plot) for part in (text, *text.split("\n"))
    }
    alike = sustain_domain()
    alike["doses"] = alike["doses_common"]
    assert len(getattr(by_name(sustain_figures({"domains": {"math": alike}}))["dose-math"].figure, "axes", [])) == 1
    assert by_name(sustain_figures(sustain()))["dose-code"].absent == "no dose has 20 items."


def test_forest_of_net_tells_what_holm_leaves() -> None:
    plot = by_name(sustain_figures(sustain()))["net-math"]
    assert [panel.get_title("left") for panel in getattr(plot.figure, "axes", [])] == [
        "by group", "by family", "by tightness", "by source",
    ]  # fmt: skip
    full = [point.get_markerfacecolor() != "#ffffff" for point in marked(plot, "point")]
    assert full == [True] * 4 + [True] + [False] * 3 + [False, True] + [False] * 2
    assert "at most words" in texts(plot)
    assert "at_most_words 14.0 % [10.0, 18.0], n 50" in plot.description
    assert by_name(sustain_figures(sustain()))["net-code"].figure is None


def test_four_cells_stand_beside_independence() -> None:
    plot = by_name(sustain_figures(sustain()))["table-math"]
    table = sustain_domain()["table"]
    whole = 140 + 40 + 16 + 3
    assert table["wrong_met"] == 16
    places = [line.get_xdata()[0] for line in marked(plot, "expected")]
    assert places == pytest.approx([180 * 156 / whole**2, 180 * 43 / whole**2, 19 * 156 / whole**2, 19 * 43 / whole**2])
    assert {"wrong, met", "8.0 %, n 16"} <= set(texts(plot))
    nothing = {**sustain_domain(), "table": {"right_met": 0, "right_broken": 0, "wrong_met": 0, "wrong_broken": 0}}
    assert "no output is decided" in by_name(sustain_figures({"domains": {"qa": nothing}}))["table-qa"].absent


def test_models_stand_in_the_order_of_net() -> None:
    first, second = comparison_figures(sustain_comparison())
    assert (first.name, second.name) == ("models-math", "models-all")
    labels = [label.get_text() for label in getattr(first.figure, "axes", [])[0].get_yticklabels()]
    assert labels == ["tuned, common", "tuned, own", "base, common", "base, own"]
    hollow = [point.get_markerfacecolor() == "#ffffff" for point in marked(first, "point")]
    assert hollow == [False, True] * 6
    assert "8.0 [4.0, 12.0] n 120" in texts(first)


def test_attention_draws_both_labels_apart() -> None:
    plots = by_name(attention_figures(attention(layers=4)))
    assert list(plots) == [f"attention-{what}-{label}" for label in ("solved", "met") for what in ("trace", "grid")]
    trace = plots["attention-trace-solved"]
    assert [len(line.get_xdata()) for line in marked(trace, "line")] == [10, 10]
    assert {"failed", "sustained"} <= set(texts(trace))
    assert "failed, n 40: 0.7 [0.6, 0.8]" in trace.description
    cells = marked(plots["attention-grid-solved"], "cell")
    assert len(cells) == 2 * 4 * 10
    values = [value for rows in attention()["labels"]["solved"]["grid"].values() for row in rows for value in row]
    above = {AFTER: [], BEFORE: []}  # type: dict[str, list[float]]
    for cell, value in zip(cells, values, strict=True):
        above[AFTER if cell.get_facecolor()[2] > cell.get_facecolor()[0] else BEFORE].append(value)
    assert min(above[AFTER]) > 1 >= max(above[BEFORE])
    assert "layer 4: 0.80 0.89" in plots["attention-grid-solved"].description


def test_deep_models_and_missing_cells_are_drawn() -> None:
    analysis = attention(layers=40)
    label = analysis["labels"]["solved"]
    label["grid"]["failed"][3] = [None] * 10
    label["trace"]["failed"][0] = {"value": None, "low": None, "high": None, "n": 0}
    plots = by_name(attention_figures(analysis))
    assert len(marked(plots["attention-grid-solved"], "cell")) == 2 * 40 * 10 - 10
    assert "layer 4: unknown unknown" in plots["attention-grid-solved"].description
    assert "nan" not in vector(plots["attention-trace-solved"])
    for name in label["names"]:
        label["grid"][name], label["trace"][name] = [[None] * 10], [label["trace"]["failed"][0]] * 10
    absent = by_name(attention_figures(analysis))
    assert absent["attention-grid-solved"].absent == absent["attention-trace-solved"].absent != ""


def test_folders_of_each_kind_get_their_plots(tmp_path: Path) -> None:
    for file, content in {
        "metrics.json": sustain(), "attention.json": attention(), "comparison.json": sustain_comparison()
    }.items():  # fmt: skip
        folder = tmp_path / file.partition(".")[0]
        folder.mkdir()
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    written = [path.name for path in plots_of(tmp_path / "metrics")]
    names = ["arms", *(f"{kind}-{domain}" for domain in ("math", "qa") for kind in ("dose", "table", "net"))]
    assert written == [f"{name}.{kind}" for name in [*names, "table-code"] for kind in ("png", "svg")]
    assert len(plots_of(tmp_path / "attention")) == 8
    assert [path.name for path in plots_of(tmp_path / "comparison")] == [
        f"models-{domain}.{kind}" for domain in ("math", "all") for kind in ("png", "svg")
    ]
