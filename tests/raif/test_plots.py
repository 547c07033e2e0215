"""Plots: what is drawn, what is said, that nothing is missing, and that equal data give equal bytes."""

from __future__ import annotations

import json
import re
import warnings
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image

from raif.plots import (
    Plot,
    ablation_figures,
    cap_figure,
    comparison_figure,
    constraint_heatmap,
    constraint_rates,
    error_cells_figure,
    experiment_figure,
    groups_figure,
    inline,
    plots_in,
    plots_of,
    save,
    style,
    training_figure,
)
from raif.plots.marks import ARMS, METRICS
from raif.plots.style import AFTER, BEFORE, FOURTH, THEME, THIRD
from raif.plots.suite import suite_figure
from rewards.errors import RaifError
from tests.raif.plot_data import EXPERIMENTS, ablation, estimate, evaluation, experiment, row, training_log

CAPS = [32, 48, 64, 96]
# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as seen with each kind of colour blindness
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def figure_of(plot: Plot) -> Figure:
    assert plot.figure is not None, plot.absent
    return plot.figure


def marked(plot: Plot, gid: str) -> list[Any]:
    """Return what was drawn under a name, such as every interval."""
    found: list[Artist] = figure_of(plot).findobj(lambda artist: artist.get_gid() == gid)
    return found


def vector(plot: Plot) -> str:
    """Return the SVG of a plot as it is saved, but for its name."""
    return style._drawn(figure_of(plot), plot.title + plot.description, transparent=False)


def texts(plot: Plot) -> list[str]:
    """Return the texts of the SVG of a plot as a reader finds them."""
    root = ElementTree.fromstring(vector(plot))
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


# ---- an ablation ----------------------------------------------------------------------------------------------------


def test_cap_figure_shows_seeds_intervals_and_the_untrained_policy() -> None:
    plot = cap_figure(ablation({"max_completion_length": CAPS}))
    upper, lower = figure_of(plot).axes
    assert upper.get_shared_x_axes().joined(upper, lower)
    assert len(marked(plot, "line")) == 5  # HAcc, SAcc, correct; truncated at evaluation and in training
    assert len(marked(plot, "interval")) == 5 * len(CAPS)
    assert sum(len(dots.get_ydata()) for dots in marked(plot, "seed")) == 5 * len(CAPS) * 3
    assert sorted(line.get_ydata()[0] for line in marked(plot, "untrained")) == pytest.approx([0.01, 0.17, 0.35, 0.86])
    shown = texts(plot)
    for text in ("before", *map(str, CAPS), "HAcc", "SAcc", "correct", "training", "evaluation", "17.0 %", "86.0 %"):
        assert text in shown
    assert len({line.get_color() for line in upper.lines if line.get_gid() == "line"}) == 3
    assert re.search(
        r"HAcc by max_completion_length: untrained: 17\.0 %; 32: [\d.]+ % \[.*\], n 3 seeds", plot.description
    )


def test_caps_stand_by_logarithm_and_other_numbers_as_they_are() -> None:
    def places(axis: str, values: list[Any]) -> list[float]:
        plot = cap_figure(ablation({axis: values}, before=False))
        return [float(place) for place in figure_of(plot).axes[-1].get_xticks()]

    assert places("cap", [1024, 2048, 4096, 8192]) == pytest.approx([0, 1, 2, 3])
    assert places("cap", [1024, 2048, 8192])[1] == pytest.approx(2 / 3)
    assert places("contrast_margin", [0.0, 0.1, 0.4])[1] == pytest.approx(0.5)
    assert places("learning_rate", [1e-6, 1e-5, 1e-4]) == pytest.approx([0, 1, 2])


def test_names_are_points_and_one_seed_has_no_interval() -> None:
    plot = cap_figure(ablation({"contrast": ["off", "prompt", "rollout"]}, seeds=(0,), before=False))
    assert [label.get_text() for label in figure_of(plot).axes[-1].get_xticklabels()] == ["off", "prompt", "rollout"]
    assert all(line.get_linestyle() == "None" for line in marked(plot, "line"))
    assert not marked(plot, "interval")
    assert not marked(plot, "seed")
    assert not marked(plot, "untrained")


def test_several_axes_make_a_figure_for_each_setting_of_the_others() -> None:
    results = ablation({"cap": CAPS, "contrast": ["off", "on"]})
    assert [plot.name for plot in ablation_figures(results)] == ["cap-contrast=off", "cap-contrast=on"]
    with pytest.raises(RaifError, match="has 2 cells; say which by fixing contrast"):
        cap_figure(results)
    with pytest.raises(RaifError, match="lenght"):
        cap_figure(results, "lenght")


def test_what_was_not_measured_is_said() -> None:
    results = ablation({"cap": CAPS})
    for part in (*results["runs"], *results["before"], *results["cells"]):
        for name in ("truncated", "training_truncated"):
            part["metrics"].pop(name)
    assert len(figure_of(cap_figure(results)).axes) == 1
    assert "Truncation was not recorded" in figure_of(cap_figure(results)).get_supxlabel()
    empty = cap_figure({**results, "cells": [], "runs": []})
    assert empty.figure is None
    assert "no finished run" in empty.absent


# ---- experiments, evaluations, training -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_figure_that_says_its_numbers(name: str) -> None:
    plot = experiment_figure(EXPERIMENTS[name]())
    assert re.search(r"\[[\d.]+, [\d.]+\], n 150|\[[\d.]+, [\d.]+\], n 420|of 420", plot.description)
    assert "nan" not in vector(plot).lower()


def test_length_bins_show_both_rules_n_and_no_interval_below_20() -> None:
    plot = experiment_figure(EXPERIMENTS["length-bins"]())
    assert [axes.get_title("left") for axes in figure_of(plot).axes] == ["bins of equal width", "bins of equal count"]
    assert len(marked(plot, "line")) == 6
    assert len(marked(plot, "point")) == 2 * 3 * 7  # the cut-off rollouts stand beside the bins
    assert len(marked(plot, "interval")) == 2 * 3 * 7 - 3  # a bin of 8 items has none
    assert len(marked(plot, "floor")) == 4
    shown = " ".join(texts(plot))
    for text in ("n 150", "n 8", "n 45", "HAcc floor", "SAcc floor", "500–"):
        assert text in shown


def test_interventions_stand_against_their_control() -> None:
    plot = experiment_figure(EXPERIMENTS["wait"]())
    panels = [axes for axes in figure_of(plot).axes if axes.get_title("left")]
    assert [axes.get_title("left") for axes in panels] == ["HAcc", "SAcc", "correct", "truncated"]
    for axes in panels:
        lines = [line for line in axes.lines if line.get_gid() == "line"]
        assert [len(line.get_xdata()) for line in lines] == [5, 5]  # both begin where nothing is inserted
        assert len({line.get_linestyle() for line in lines}) == 2
    assert {"“Wait” appended", "neutral filler", "nothing", "times inserted"} <= set(texts(plot))
    beneath = experiment_figure(EXPERIMENTS["repeat"]())
    hollow = [point.get_markerfacecolor() == "#ffffff" for point in marked(beneath, "point")]
    assert hollow == [False, False, True, True] * 4


def test_error_cells_show_what_independence_predicts() -> None:
    plot = error_cells_figure(EXPERIMENTS["errors"]())
    marks = [line.get_xdata()[0] for line in marked(plot, "expected")]
    assert marks == pytest.approx(
        [120 * 70 / 360 / 420, 120 * 290 / 360 / 420, 240 * 70 / 360 / 420, 240 * 290 / 360 / 420]
    )
    shown = " ".join(texts(plot))
    for text in ("7.1 %, n 30", "14.3 %, n 60", "phi +0.04", "p below 0.001", "gsm8k"):
        assert text in shown
    assert error_cells_figure(experiment("errors", [], cells={})).absent


def test_comparison_shows_intervals_n_floor_and_ceiling() -> None:
    plot = comparison_figure({"before": evaluation(0.17), "after": evaluation(0.33), "few": evaluation(0.2, 12)})
    titles = [axes.get_title("left") for axes in figure_of(plot).axes]
    assert titles == ["HAcc", "SAcc", "correct", "correct without constraints", "truncated"]
    assert len(marked(plot, "point")) == 15
    assert len(marked(plot, "interval")) == 10  # 12 items have none
    assert len(marked(plot, "bound")) == 12
    shown = texts(plot)
    for text in ("17.0 [13.4, 20.6] n 420", "20.0 n 12", "floor 13.1", "ceiling 97.0"):
        assert text in shown
    assert "floor 15.5" in texts(comparison_figure({"x": evaluation()}, "parity"))
    assert comparison_figure({}).figure is None
    assert len(marked(groups_figure(evaluation(), "source"), "point")) == 6
    assert "no result is broken down by colour" in groups_figure(evaluation(), "colour").absent


def test_heat_map_sorts_families_and_writes_every_number() -> None:
    metrics = evaluation()
    assert constraint_rates(metrics)["keywords:existence"]["value"] == 0.1
    first = constraint_rates(metrics) | {"case:upper": {"value": 0.5, "low": None, "high": None, "n": 7}}
    plot = constraint_heatmap({"before": first, "after": constraint_rates(metrics, "parity")})
    shown = texts(plot)
    order = [
        text for text in shown if text in ("keywords", "existence", "forbidden words", "case", "upper", "punctuation")
    ]
    assert order == ["keywords", "existence", "forbidden words", "case", "upper", "punctuation"]
    assert [shown.count(text) for text in ("n 40", "n 7", "–", "10", "60", "90")] == [6, 1, 1, 1, 1, 1]
    assert constraint_heatmap({"x": {}}).figure is None


def test_chinese_labels_have_their_letters_or_there_is_no_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"first": {"cfbench:格式约束": estimate(0.5, 30)}, "second": {"cfbench:格式约束": estimate(0.25, 30)}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what matplotlib says of a letter that no font has
        plot = constraint_heatmap(rates)
        if plot.figure is not None:
            assert "格式约束" in inline(plot)
    style._font_with.cache_clear()
    monkeypatch.setattr(style.fontManager, "ttflist", [f for f in fontManager.ttflist if f.name == "DejaVu Sans"])
    absent = constraint_heatmap(rates)
    style._font_with.cache_clear()
    assert absent.figure is None
    assert "no installed font" in absent.absent
    assert constraint_heatmap({"x": {"case:lower": estimate(0.5, 30)}}).figure is not None


def means(*names: str) -> dict[str, Any]:
    half = dict.fromkeys(("strict", "parity"), estimate(0.5, 30))
    rows = [{"name": name, "title": name, "metric": "m", "profiles": half} for name in names]
    mean = {"title": f"Mean of {len(names)} of 7", "n": len(names), "names": list(names)}
    return {"rows": rows, "average": {**mean, "profiles": dict.fromkeys(("strict", "parity"), estimate(0.6, 30))}}


def test_means_over_unlike_benchmarks_share_no_line() -> None:
    first, other, fewer = means("cello", "cfbench"), means("cello", "infobench"), means("cello", "cfbench", "fbbench")
    assert "Mean of 2 of 7: a" in suite_figure({"a": first, "b": first}).description
    for second in (other, fewer):
        plot = suite_figure({"a": first, "b": second})
        assert "Mean" not in plot.description
        names = {row["name"] for table in (first, second) for row in table["rows"]}
        assert plot.figure is not None
        assert len(plot.figure.axes[0].get_yticks()) == len(names)
    assert "Mean" not in suite_figure({"a": means("cello")}).description


def test_training_figure_draws_what_was_logged() -> None:
    plot = training_figure(training_log(), cap=100)
    titles = [axes.get_title("left") for axes in figure_of(plot).axes if axes.get_visible()]
    assert titles == ["Reward", "Following in training", "Completion length"]
    assert {"cap 100", "answer correct 50.0 % → 50.0 %"} <= set(texts(plot))
    assert training_figure([]).figure is None


# ---- style ----------------------------------------------------------------------------------------------------------


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    results = ablation({"cap": CAPS})
    first = [path.read_bytes() for path in save(cap_figure(results), tmp_path / "a")]
    plot = cap_figure(json.loads(json.dumps(results)))
    page = inline(plot)
    assert [path.read_bytes() for path in save(plot, tmp_path / "b")] == first
    assert inline(plot) == page
    assert b"metadata" not in first[1]
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1000
        assert not {"Software", "Creation Time", "date"} & set(image.info)


def test_saved_svg_is_whole_and_inline_svg_follows_the_page(tmp_path: Path) -> None:
    hostile = 'a</text><script>alert("$x^$")</script>'
    rows = [row(hostile, "baseline", 0, 420, 0.3)]
    plot = experiment_figure(experiment("stages", rows))
    saved = save(plot, tmp_path / "x")[1].read_text(encoding="utf-8")
    root = ElementTree.fromstring(saved)
    assert root[0].text == "Training stages"
    assert "30.0 % [25.6, 34.4], n 420" in str(root[1].text)
    assert "var(" not in saved
    page = inline(plot)
    hatched = inline(error_cells_figure(EXPERIMENTS["errors"]()))
    assert not set(re.findall(r"#[0-9a-f]{6}(?=[;\"])", page + hatched)) & set(THEME)
    assert "var(--after, light-dark(#1f5fae, #7db3f2))" in page
    for text in (saved, page):
        assert "<script" not in text
    assert page.startswith('<svg role="img" aria-labelledby=')
    assert "http" not in page
    with pytest.raises(RaifError, match="nothing to draw: the training log"):
        inline(training_figure([]))
    with pytest.raises(RaifError, match="nothing to draw: the training log"):
        save(training_figure([]), tmp_path / "y")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_data_stay_apart_for_everyone(theme: str) -> None:
    drawn = [AFTER, BEFORE, THIRD, FOURTH]
    palette = drawn if theme == "light" else [THEME[colour][1] for colour in drawn]
    for matrix in (np.eye(3), *map(np.array, SEEN.values())):
        seen = [lab(matrix @ linear(colour)) for colour in palette]
        assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 12


def test_no_two_series_of_a_chart_differ_in_colour_alone() -> None:
    for names in (("hacc", "sacc", "correct"), ("truncated", "training_truncated")):
        assert len({METRICS[name].marker for name in names}) == len(names)
    assert len({look.marker for look in ARMS.values()}) == len(ARMS)


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB (D65) of linear RGB."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# ---- folders --------------------------------------------------------------------------------------------------------


def test_folders_are_recognised(tmp_path: Path) -> None:
    def write(path: str, content: Any) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(json.dumps(content) + "\n", encoding="utf-8")

    def names(folder: str) -> list[str]:
        return [plot.name for plot in plots_in(tmp_path / folder)]

    write("evaluation/metrics.json", evaluation())
    write("experiment/experiment.json", EXPERIMENTS["wait"]())
    write("ablation/results.json", ablation({"cap": CAPS}))
    for part in ("before", *map(str, CAPS)):
        write(f"ablation/seed-0/{part}/evaluation/metrics.json", evaluation())
    write("run/evaluation/before/metrics.json", evaluation())
    write("run/evaluation/after/metrics.json", evaluation(0.4))
    write("run/train/config.json", {"training": {"max_completion_length": 64}})
    (tmp_path / "run/train/metrics.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in training_log(5)))
    assert names("experiment") == ["wait"]
    assert names("ablation") == ["cap", "constraints"]
    assert names("run") == ["training", "comparison-strict", "constraints"]
    expected = ["comparison-strict", "source-strict", "comparison-parity", "source-parity", "constraints"]
    assert names("evaluation") == expected
    written = plots_of(tmp_path / "evaluation")
    assert [path.name for path in written] == [f"{name}.{kind}" for name in expected for kind in ("png", "svg")]
    assert all(path.parent == tmp_path / "evaluation" / "plots" for path in written)
    columns = plots_in(tmp_path / "ablation")[1].description
    assert columns.startswith("keywords:existence: before 10.0 %")
    write("empty/metrics.json", {"suite": "mathif", "n": 0})
    with pytest.raises(RaifError, match="nothing to draw: no evaluation has a metric"):
        plots_of(tmp_path / "empty")
    with pytest.raises(RaifError, match="holds no result"):
        plots_of(tmp_path)


def test_estimates_without_an_interval_have_no_bar() -> None:
    rows = [row("small", "baseline", 0, 12, 0.3)]
    plot = experiment_figure(experiment("stages", rows))
    assert estimate(0.3, 12)["low"] is None
    assert marked(plot, "point")
    assert not marked(plot, "interval")
