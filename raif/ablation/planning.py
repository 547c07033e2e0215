"""`raif ablate --plan`: the runs, how far each is, and how much work is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from rich.table import Table

from raif.ablation.folder import Paths, state
from raif.ablation.plan import Plan, Run, label
from raif.ablation.running import seconds
from raif.ablation.training import Work


def plan_table(plan: Plan, out: Path, runs: Sequence[Run], works: Mapping[str, Work]) -> Table:
    """Return the table of runs with their state; nothing is started."""
    table = Table(title=f"{plan.name}: {len(runs)} runs in {out}")
    for column in ("run", "state", "steps", "rollouts", "tokens at most", "minutes"):
        table.add_column(column, justify="left" if column in ("run", "state") else "right", overflow="fold")
    for run in runs:
        paths = Paths(out, plan, run)
        took = sum(seconds(paths).values())
        minutes = f"{took / 60:.1f}" if took else ""
        if not run.axes:
            table.add_row(run.id, state(paths), "", "", "", minutes)
            continue
        steps, per_step, tokens = works[label(run.axes)]
        rollouts = "" if steps is None else f"{steps * per_step:,.0f}"
        table.add_row(run.id, state(paths), _number(steps), rollouts, _number(budgeted(plan, tokens)), minutes)
    return table


def remaining(plan: Plan, out: Path, runs: Sequence[Run], works: Mapping[str, Work], jobs: int) -> str:
    """Say what is left to do, and how long it takes if the rest is like what is finished."""
    left = [run for run in runs if not Paths(out, plan, run).is_finished]
    trainings = [run for run in left if run.axes]
    tokens = [budgeted(plan, works[label(run.axes)].tokens) for run in trainings]
    parts = [f"{len(left)} of {len(runs)} runs are left"]
    if trainings and None not in tokens:
        parts.append(f"with at most {sum(token or 0 for token in tokens):,} completion tokens to sample in training")
    if trainings and None in tokens:
        parts.append("of as many epochs as the recipe says; --dry_run of one tells the steps")
    finished = [run for run in runs if run.axes and run not in left]
    took = [sum(seconds(Paths(out, plan, run)).values()) for run in finished]
    if trainings and any(took):
        minutes = fmean(took) * len(trainings) / min(jobs, len(trainings)) / 60
        parts.append(
            f"about {minutes:,.0f} min with --jobs {jobs}, as the finished ones took {fmean(took) / 60:.1f} min"
        )
    evaluation = plan.evaluate
    count = f"{evaluation.limit} items" if evaluation.limit else "all items"
    parts.append(
        f"each evaluated on {count} of {evaluation.suite} x {evaluation.samples} under a cap of {evaluation.cap}"
    )
    return "; ".join(parts) + "."


def budgeted(plan: Plan, tokens: int | None) -> int | None:
    """Return how many tokens a run samples at most, its budget considered."""
    return (
        tokens if plan.token_budget is None else plan.token_budget if tokens is None else min(tokens, plan.token_budget)
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
