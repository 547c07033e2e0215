"""`raif ablate`: run a plan of axes and seeds, and collect it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from data_gen.progress import progress_bars
from raif.commands.outcome import check_wandb, plot_and_log, say
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from raif.ablation.plan import Plan

console = Console()
EMITTED = ("slurm", "wandb")


def ablate(
    plan: Annotated[str, typer.Argument(help="A plan file, e.g. recipes/ablation/rollout-cap-embedded.yaml.")],
    out: Annotated[Path, typer.Option(help="The folder of the ablation; starting again goes on where it stopped.")],
    jobs: Annotated[int, typer.Option(min=1, help="Runs at the same time, each in a process of its own.")] = 1,
    only: Annotated[str | None, typer.Option(help="Only the runs whose id this glob matches, e.g. 'seed-0/*'.")] = None,
    show_plan: Annotated[bool, typer.Option("--plan", help="Print the runs and their state; start nothing.")] = False,
    collect: Annotated[bool, typer.Option("--collect", help="Only collect what is finished.")] = False,
    emit: Annotated[str | None, typer.Option(help="Write a slurm array or a wandb sweep; start nothing.")] = None,
    wandb: Annotated[str | None, typer.Option(help="Log tables and plots to this project of wandb.")] = None,
) -> None:
    """Train and evaluate every cell of a plan under every seed, and compare them."""
    from raif.ablation.folder import claim
    from raif.ablation.plan import load_plan
    from raif.ablation.training import check_recipes, check_trainings
    from raif.monitoring import quiet_libraries

    if emit is not None and emit not in EMITTED:
        raise unknown_name("target of --emit:", emit, EMITTED, "Give one of these.")
    if sum((show_plan, collect, emit is not None)) > 1:
        raise RaifError("--plan, --collect and --emit exclude each other; give one.")
    if wandb:
        check_wandb()
    quiet_libraries()
    loaded = load_plan(plan)
    check_recipes(loaded)
    works = check_trainings(loaded)
    if show_plan:
        from raif.ablation.planning import plan_table, remaining
        from raif.ablation.running import choose

        runs = choose(loaded, only)
        console.print(plan_table(loaded, out, runs, works))
        console.print(remaining(loaded, out, runs, works, jobs), highlight=False)
    elif emit is not None:
        from raif.ablation.emitting import emit_slurm, emit_wandb

        path = (emit_slurm if emit == "slurm" else emit_wandb)(loaded, plan, out, only)
        console.print(f"wrote {path}", soft_wrap=True, markup=False, highlight=False)
    elif collect:
        claim(loaded, out)
        _collect(loaded, out, wandb)
    else:
        _run(loaded, out, jobs, only, wandb)


def _run(plan: Plan, out: Path, jobs: int, only: str | None, wandb: str | None) -> None:
    from raif.ablation.running import choose, run_plan, summary
    from raif.graceful import EXIT_CODE

    with progress_bars(console) as bars:
        task = bars.add_task("runs", total=len(choose(plan, only)))

        def say(text: str) -> None:
            bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

        outcomes = run_plan(plan, out, jobs, only, say, lambda: bars.advance(task))
    if only is None and any(outcome.state == "finished" for outcome in outcomes):
        _collect(plan, out, wandb)
    text = summary(outcomes)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise RaifError(f"{text}\nThe same command tries them again.")
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if any(outcome.state == "stopped" for outcome in outcomes):
        console.print("stopped by a signal; the same command goes on")
        raise typer.Exit(EXIT_CODE)


def _collect(plan: Plan, out: Path, wandb: str | None) -> None:
    from raif.ablation.collecting import collect
    from raif.ablation.writing import write_tables

    console.print(write_tables(collect(plan, out), out), markup=False, highlight=False, soft_wrap=True)
    console.print(f"results {out / 'results.json'}   table {out / 'results.md'}", soft_wrap=True, highlight=False)
    if (out / "comparison.json").is_file():
        console.print(f"comparison of the runs {out / 'comparison.json'}", soft_wrap=True, highlight=False)
    plot_and_log(out, wandb, say)
