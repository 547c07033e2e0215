"""What an ablation keeps of a SUSTAIN evaluation: estimates, values of items, and the comparison of all its runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from raif.ablation.folder import Paths
from raif.ablation.plan import Plan, Run
from raif.evaluation.stats import item_means, mean, rate, record
from raif.run_folder import write_json
from raif.sustain.comparing import Evaluation, compare, outcomes_of
from raif.sustain.records import CONSTRAINED
from raif.sustain.runner import load_sustain, settings_of

COMPARISON = "comparison.json"
OF_DOMAINS = ("accuracy", "sustain", "net", "comply", "delta_acc")
SUSTAIN_RULE = (
    "Of SUSTAIN the metrics of a run are plain means over its domains, and the contrasts pair the items that both "
    "solved (accuracy: all items); comparison.json has the items that all runs of a seed solved."
)


class Measured(NamedTuple):
    """What an evaluation came to: estimate records, the values of its items, and the share without a verdict."""

    estimates: dict[str, dict[str, Any]]
    items: dict[str, dict[str, float]]
    unscored: float


def of_sustain(folder: Path) -> Measured:
    """Return what a SUSTAIN evaluation came to; `truncated` and `completion_tokens` are of constrained prompts."""
    metrics, items, rollouts = load_sustain(folder)
    asked = [one for one in rollouts if one.arm == CONSTRAINED and one.dose == 1]
    cut = [(one.instruction_id, bool(one.truncated)) for one in asked if one.truncated is not None]
    lengths = [(one.instruction_id, one.completion_tokens) for one in asked if one.completion_tokens is not None]
    tokens = item_means([key for key, _ in lengths], [float(count) for _, count in lengths])
    estimates: dict[str, dict[str, Any]] = {name: metrics["mean"][name] for name in OF_DOMAINS}
    estimates["truncated"] = record(rate([key for key, _ in cut], [was for _, was in cut]))
    estimates["completion_tokens"] = record(mean(list(tokens.values())))
    outcomes = outcomes_of(items, rollouts, settings_of(metrics).tau)
    values = {name: {key: one.value for key, one in outcomes[name].items()} for name in OF_DOMAINS}
    failed = sum(bool(item.failed) for item in items)
    return Measured(estimates, values, failed / len(items))


def write_comparison(plan: Plan, out: Path, runs: Sequence[Run]) -> dict[str, Any] | None:
    """Compare all finished runs, the seeds of a cell together, and write `comparison.json`; None for a single run."""
    if len(runs) < 2:
        return None
    evaluations = [Evaluation(_name(run), *load_sustain(Paths(out, plan, run).evaluation)) for run in runs]
    found = compare(evaluations, plan.evaluate.held_out_families)
    write_json(out / COMPARISON, found)
    return found


def _name(run: Run) -> str:
    """Return what a run is called: the values of its axes, or `before`, and its seed."""
    values = ",".join(str(value) for value in run.axes.values()) or run.id.rpartition("/")[2]
    return f"{values}@{run.seed}"
