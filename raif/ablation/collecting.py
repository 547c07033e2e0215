"""Collect an ablation: the metrics of its runs, cells over seeds, contrasts over items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from raif.ablation.contrasts import contrasts
from raif.ablation.folder import Paths, record
from raif.ablation.plan import SUSTAIN, Plan, Run
from raif.ablation.running import seconds
from raif.ablation.sustaining import SUSTAIN_RULE, Measured, of_sustain, write_comparison
from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.runner import load_evaluation
from raif.evaluation.stats import Estimate, item_means, mean, over_seeds, rate
from raif.evaluation.stats import record as estimate_record
from raif.rollouts import read_jsonl
from raif.run_folder import CONFIG, DONE, write_json
from raif.token_budget import sampled_tokens
from raif.versions import commit, versions
from rewards.errors import RaifError

RESULTS = "results.json"
#: What is measured on items of the evaluation, and whether it is a yes or no.
ON_ITEMS = {"hacc": True, "sacc": False, "correct": True, "truncated": True, "completion_tokens": False}
#: What is known of a training. `training_truncated` is the share of rollouts cut off in the last tenth of its steps.
OF_TRAINING = ("training_truncated", "rollout_tokens", "steps", "prompts", "seconds")
RULE = (
    "Intervals of runs are over items (Wilson's, or the bootstrap for several samples and for means); those of cells "
    "are Student's t over seeds. A contrast is the mean over items of paired differences, an item of several seeds "
    "being averaged first, with the bootstrap over items and a sign-flip test (McNemar's where all is yes or no); "
    "p_holm counts all contrasts listed. Those over items speak of these very policies, those over seeds (Student's "
    "t) of the training."
)


class Collected(NamedTuple):
    """A finished run: its record for `results.json`, and what every item came to, by metric and item id."""

    run: Run
    record: dict[str, Any]
    items: dict[str, dict[str, float]]


def collect(plan: Plan, out: Path) -> dict[str, Any]:
    """Collect what is finished and write `results.json`; return it.

    Raises:
        RaifError: if nothing is finished.
    """
    found, missing = [], []
    for run in plan.runs():
        paths = Paths(out, plan, run)
        if paths.is_finished:
            found.append(collect_run(paths))
        else:
            missing.append(run.id)
    if not found:
        raise RaifError(f"no run in {out} is finished; `raif ablate PLAN --out {out}` runs them.")
    results = {
        "schema_version": 1,
        "name": plan.name,
        "axes": {axis: plan.values(axis) for axis in plan.axes},
        "seeds": list(plan.seeds),
        "equal": plan.equal,
        "token_budget": plan.token_budget,
        "profile": plan.evaluate.profile,
        "runs": [one.record for one in found if one.run.axes],
        "before": [one.record for one in found if not one.run.axes],
        "cells": cells(found),
        "contrasts": contrasts(plan, found),
        "missing": missing,
        "rule": f"{RULE} {SUSTAIN_RULE}" if plan.evaluate.suite == SUSTAIN else RULE,
        "settings": record(plan),
        "versions": versions(),
        "commit": commit(),
    }
    write_json(out / RESULTS, results)
    if plan.evaluate.suite == SUSTAIN:
        write_comparison(plan, out, [one.run for one in found])
    return results


def collect_run(paths: Paths) -> Collected:
    """Read the evaluation and the training of a finished run."""
    run = paths.run
    measured = of_sustain(paths.evaluation) if paths.plan.evaluate.suite == SUSTAIN else _of_suite(paths)
    metrics = {name: one["value"] for name, one in measured.estimates.items()} | {"unscored": measured.unscored}
    metrics |= training_metrics(paths) if run.axes else dict.fromkeys(OF_TRAINING)
    found = {
        "id": run.id,
        "axes": run.axes,
        "seed": run.seed,
        "folder": str(paths.folder.relative_to(paths.out)),
        "metrics": metrics,
        "estimates": measured.estimates,
    }
    return Collected(run, found, measured.items)


def _of_suite(paths: Paths) -> Measured:
    """Return what the evaluation of a suite came to."""
    profile = paths.plan.evaluate.profile
    rollouts = load_evaluation(paths.evaluation)[1]
    main = [rollout for rollout in rollouts if rollout.arm == paths.plan.evaluate.arms[0]]
    values = {name: decided(main, name, profile) for name in ON_ITEMS}
    estimates = {name: estimate(*values[name], ON_ITEMS[name]) for name in values}
    for arm in paths.plan.evaluate.arms[1:]:
        others = [rollout for rollout in rollouts if rollout.arm == arm]
        estimates[f"correct_{arm}"] = estimate(*decided(others, "correct", profile), True)
    undecided = [one for one in main if _value(one, "hacc", profile) is None and (one.verdicts or one.official)]
    records = {name: estimate_record(one) for name, one in estimates.items()}
    return Measured(records, {name: item_means(*values[name]) for name in values}, len(undecided) / len(main))


def decided(rollouts: Sequence[EvaluatedRollout], metric: str, profile: str) -> tuple[list[str], list[float]]:
    """Return the item ids and the values of the rollouts for which a metric is decided."""
    pairs = [(rollout.instruction_id, _value(rollout, metric, profile)) for rollout in rollouts]
    kept = [(key, float(value)) for key, value in pairs if value is not None]
    return [key for key, _ in kept], [value for _, value in kept]


def estimate(ids: Sequence[str], values: Sequence[float], yes_or_no: bool) -> Estimate:
    """Return a mean over items with its interval."""
    if yes_or_no:
        return rate(ids, [bool(value) for value in values])
    return mean(list(item_means(ids, values).values()))


def training_metrics(paths: Paths) -> dict[str, float | None]:
    """Return what is known of a training."""
    rows = read_jsonl(paths.train / "metrics.jsonl")
    cut = [row["completions/clipped_ratio"] for row in rows if row.get("completions/clipped_ratio") is not None]
    last = cut[-max(1, len(cut) // 10) :]
    done = json.loads((paths.train / DONE).read_text(encoding="utf-8"))
    settings = json.loads((paths.train / CONFIG).read_text(encoding="utf-8"))["training"]
    per_step = settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"] * done["ranks"]
    if "num_generations" not in settings:  # fine-tuning samples nothing
        shown = {"training_truncated": None, "rollout_tokens": 0, "prompts": done["steps"] * per_step}
        return {**shown, "steps": done["steps"], "seconds": seconds(paths).get("training")}
    return {
        "training_truncated": fmean(last) if last else None,
        "rollout_tokens": sampled_tokens(paths.train),
        "steps": done["steps"],
        "prompts": done["steps"] * per_step / settings["num_iterations"] / settings["num_generations"],
        "seconds": seconds(paths).get("training"),
    }


def cells(found: Sequence[Collected]) -> list[dict[str, Any]]:
    """Return the means over seeds of every cell, that of the untrained policy first."""
    groups: dict[str, list[Collected]] = {}
    for one in sorted(found, key=lambda one: bool(one.run.axes)):
        groups.setdefault(one.run.id.partition("/")[2], []).append(one)
    return [
        {
            "axes": group[0].run.axes,
            "seeds": [one.run.seed for one in group],
            "metrics": {name: _over_seeds(group, name) for name in group[0].record["metrics"]},
        }
        for group in groups.values()
    ]


def _over_seeds(group: Sequence[Collected], metric: str) -> dict[str, Any]:
    values = [one.record["metrics"][metric] for one in group]
    return estimate_record(over_seeds([value for value in values if value is not None]))


def _value(rollout: EvaluatedRollout, metric: str, profile: str) -> Any:
    official = profile == "parity"
    values: Mapping[str, Any] = {
        "hacc": rollout.official_hard if official else rollout.hard,
        "sacc": rollout.official_soft if official else rollout.soft,
        "correct": rollout.correct,
        "truncated": rollout.truncated,
        "completion_tokens": rollout.completion_tokens,
    }
    return values[metric]
