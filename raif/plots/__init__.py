"""Plots of evaluations, experiments, ablations and runs: functions of plain records, drawn with matplotlib."""

from raif.plots.attention import attention_figures
from raif.plots.cap import ablation_figures, cap_figure
from raif.plots.error_cells import error_cells_figure
from raif.plots.experiments import (
    difficulty_figure,
    experiment_figure,
    interventions_figure,
    length_bins_figure,
    stages_figure,
)
from raif.plots.folder import plots_in, plots_of
from raif.plots.heatmap import constraint_heatmap, constraint_rates
from raif.plots.questions import question_figures
from raif.plots.rows import comparison_figure, groups_figure
from raif.plots.style import Plot, inline, save
from raif.plots.sustain import comparison_figures, sustain_figures
from raif.plots.training import training_figure

__all__ = [
    "Plot",
    "ablation_figures",
    "attention_figures",
    "cap_figure",
    "comparison_figure",
    "comparison_figures",
    "constraint_heatmap",
    "constraint_rates",
    "difficulty_figure",
    "error_cells_figure",
    "experiment_figure",
    "groups_figure",
    "inline",
    "interventions_figure",
    "length_bins_figure",
    "plots_in",
    "plots_of",
    "question_figures",
    "save",
    "stages_figure",
    "sustain_figures",
    "training_figure",
]
