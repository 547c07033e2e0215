"""Every plot that a result folder supports, written into its `plots/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from raif.json_files import read_record
from raif.plots.attention import attention_figures
from raif.plots.cap import ablation_figures
from raif.plots.experiments import experiment_figure
from raif.plots.heatmap import constraint_heatmap, constraint_rates
from raif.plots.questions import question_figures
from raif.plots.rows import PROFILES, comparison_figure, groups_figure
from raif.plots.style import Plot, save
from raif.plots.sustain import comparison_figures, sustain_figures
from raif.plots.training import training_figure
from raif.rollouts import read_jsonl
from rewards.errors import RaifError

Record = dict[str, Any]
PLOTS = "plots"
METRICS, EXPERIMENT, RESULTS, LOG = "metrics.json", "experiment.json", "results.json", "metrics.jsonl"
ATTENTION, COMPARISON = "attention.json", "comparison.json"
MOST = 12  # rows or columns that a reader still tells apart


def plots_of(folder: Path) -> list[Path]:
    """Write the plots of any result folder into FOLDER/plots (PNG and SVG); return the paths.

    Errors: a folder that holds no result; results that hold nothing to draw.
    """
    plots = plots_in(folder)
    drawn = [plot for plot in plots if plot.figure is not None]
    if not drawn:
        raise RaifError(f"{folder} has nothing to draw: {' '.join(plot.absent for plot in plots)}")
    return [path for plot in drawn for path in save(plot, folder / PLOTS / plot.name)]


def plots_in(folder: Path) -> list[Plot]:
    """Return the plots of a result folder, those that have nothing to draw included."""
    drawers = {
        METRICS: _evaluation,
        EXPERIMENT: _experiment,
        RESULTS: _ablation,
        ATTENTION: _attention,
        COMPARISON: _comparison,
    }
    for name, draw in drawers.items():
        if (folder / name).is_file():
            return list(draw(folder, read_record(folder / name)))
    plots = list(_run(folder))
    if not plots:
        raise RaifError(
            f"{folder} holds no result: none of {', '.join(drawers)} and train/{LOG}. "
            "Name the --out folder of `raif evaluate`, `raif analyze`, `raif experiment`, `raif ablate` or `raif run`."
        )
    return plots


def _evaluation(folder: Path, metrics: Record) -> Iterator[Plot]:
    if metrics.get("suite") == "sustain":
        yield from sustain_figures(metrics)
        return
    if metrics.get("kind") == "questions":
        yield from question_figures(metrics)
        return
    profiles = [profile for profile in PROFILES if metrics.get(profile)] or ["strict"]
    for profile in profiles:
        yield comparison_figure({folder.resolve().name: metrics}, profile)
        for label, groups in (metrics.get("groups") or {}).items():
            if label not in ("constraint", "family") and 1 < len(groups) <= MOST:
                yield groups_figure(metrics, label, profile)
    yield constraint_heatmap({profile: rates for profile in profiles if (rates := constraint_rates(metrics, profile))})


def _attention(folder: Path, analysis: Record) -> Iterator[Plot]:
    yield from attention_figures(analysis)


def _comparison(folder: Path, comparison: Record) -> Iterator[Plot]:
    yield from comparison_figures(comparison)


def _experiment(folder: Path, experiment: Record) -> Iterator[Plot]:
    yield experiment_figure(experiment)


def _ablation(folder: Path, results: Record) -> Iterator[Plot]:
    yield from ablation_figures(results)
    if (folder / COMPARISON).is_file():  # of SUSTAIN
        yield from comparison_figures(read_record(folder / COMPARISON))
        return
    seed = results["seeds"][0]
    runs = [run for run in (*results.get("before", ()), *results["runs"]) if run["seed"] == seed]
    columns = {
        _condition(run.get("axes") or {}): rates
        for run in runs
        if (path := folder / run["folder"] / "evaluation" / METRICS).is_file()
        and (rates := constraint_rates(read_record(path), results.get("profile", "strict")))
    }
    if len(columns) <= MOST:
        yield constraint_heatmap(columns, f"Pass rate by constraint, seed {seed}")


def _condition(axes: Mapping[str, Any]) -> str:
    return ", ".join(str(value) for value in axes.values()) or "before"


def _run(folder: Path) -> Iterator[Plot]:
    """Yield the plots of a run: its training, and its evaluations side by side."""
    for train in (folder / "train", folder):
        if (train / LOG).is_file():
            yield training_figure(read_jsonl(train / LOG), _cap(train))
            break
    found = {name: folder / "evaluation" / name / METRICS for name in ("before", "after")}
    metrics = {name: read_record(path) for name, path in found.items() if path.is_file()}
    if metrics:
        yield comparison_figure(metrics)
        yield constraint_heatmap({name: constraint_rates(each) for name, each in metrics.items()})


def _cap(train: Path) -> float | None:
    config = read_record(train / "config.json") if (train / "config.json").is_file() else {}
    cap = config.get("training", {}).get("max_completion_length")
    return float(cap) if cap else None
