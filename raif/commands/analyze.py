"""`raif analyze NAME`: what goes on inside a model while it writes, told from a finished evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.outcome import check_wandb, plot_and_log, quiet_loading, say, stoppable

analyze_app = typer.Typer(no_args_is_help=True)
console = Console()
_MIB = 2**20
_SAME = {"length": "same length", "family": "same family", "constraint_tokens": "same |C|", "all": "same in all three"}


@analyze_app.callback()
def analyze() -> None:
    """Look into a model with the outputs of an evaluation."""


@analyze_app.command("attention")
def attention(
    folder: Annotated[Path, typer.Argument(help="A finished folder of `raif evaluate sustain`.")],
    model: Annotated[
        str | None, typer.Option(help="Model folder or hub name with weights; by default the one that drew.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result, by default FOLDER/attention; goes on after a kill.")
    ] = None,
    dose: Annotated[int, typer.Option(min=1, help="How many constraints the analysed prompts have.")] = 1,
    arm: Annotated[
        str, typer.Option(help="constrained, and placebo for the control; joined by a comma.")
    ] = "constrained,placebo",
    part: Annotated[str, typer.Option(help="Output steps that count: all, or answer (after the thinking).")] = "all",
    limit: Annotated[int, typer.Option(min=0, help="At most N items, evenly spaced; 0 for all.")] = 0,
    draws: Annotated[int, typer.Option(min=1, help="Random spans per rollout.")] = 8,
    seed: Annotated[int, typer.Option(help="Of random spans, intervals and permutations.")] = 0,
    device: Annotated[str | None, typer.Option(help="Such as cuda:1; by default the first one, or the CPU.")] = None,
    memory: Annotated[int, typer.Option(min=1, help="MiB that a layer's attention weights may take at once.")] = 256,
    wandb: Annotated[str | None, typer.Option(help="Log tables and plots to this project of wandb.")] = None,
) -> None:
    """Attention to the constraint where the task stays right or turns wrong, and where it is met or broken."""
    from raif.attention.records import AttentionSettings, Evaluation
    from raif.attention.runner import analyze as run
    from raif.attention.runner import select
    from raif.generation.progress import generation_progress
    from raif.sustain.runner import load_sustain

    if wandb:
        check_wandb()
    settings = AttentionSettings(
        dose=dose,
        arms=tuple(dict.fromkeys(name.strip() for name in arm.split(","))),
        part=part,
        limit=limit,
        draws=draws,
        seed=seed,
    )
    evaluation, target = Evaluation(*load_sustain(folder)), out or folder / "attention"
    quiet_loading("transformers")
    total = len(select(evaluation, settings))
    with stoppable(say), generation_progress(console, "attention", total) as progress:
        found = run(
            evaluation, model, target, settings, device=device, memory=memory * _MIB, progress=progress, say=say
        )
    _show(found, target, wandb)


# ---- parts --------------------------------------------------------------------------------------------------------


def _show(found: Mapping[str, Any], out: Path, wandb: str | None) -> None:
    """Print what was found and where it is; draw it, and log it if asked."""
    groups = Table("outputs", "items", "enrichment", title="attention to the constraint (1: average prompt token)")
    contrasts = Table("difference", "items", "enrichment", "p", "AUC")
    for one in found["labels"].values():
        good, bad = one["names"]
        for name, n, mean in zip(one["names"], one["n"], one["means"], strict=True):
            groups.add_row(name, str(n), cell(mean))
        shown = one["difference"]
        title = f"{bad} less {good}"
        contrasts.add_row(title, str(shown["n"]), cell(shown, signed=True), _p(one["p"]), _number(one["auc"]))
        beside = {_SAME[key]: part for key, part in one["matched"].items()}
        for name, same in (beside | {"control: random span": one["random_span"]}).items():
            cells = str(same["difference"]["n"]), cell(same["difference"], signed=True), _p(same["p"])
            contrasts.add_row(f"  {name}", *cells, "")
    for name in ("random_span", "placebo"):
        if (estimate := found["controls"][name]) is not None:
            groups.add_row(f"control: {name.replace('_', ' ')}", str(estimate["n"]), cell(estimate))
    console.print(groups)
    console.print(contrasts)
    for one in found["labels"].values():
        if "reason" in one:
            say(f"{one['names'][1]} less {one['names'][0]}: {one['reason']}")
    if short := found["controls"]["random_span"]["no_room"]:
        say(f"{short} prompts have no room for a random span as long as their constraint")
    if found["left_out"]:
        say("left out: " + ", ".join(f"{reason} {n}" for reason, n in found["left_out"].items()))
    say(found["statement"])
    say(f"wrote {out}; `raif report {out}` makes a page of it")
    plot_and_log(out, wandb, say)


def cell(estimate: Mapping[str, Any], signed: bool = False) -> str:
    """Return an estimate as text, with two decimals.

    Example:
        >>> cell({"value": 1.25, "low": 1.0, "high": 1.5, "n": 30}), cell({"value": None, "low": None, "high": None})
        ('1.25 [1.00, 1.50]', '')
    """
    form = "{:+.2f}" if signed else "{:.2f}"
    if estimate["value"] is None:
        return ""
    if estimate["low"] is None:
        return form.format(estimate["value"])
    return f"{form.format(estimate['value'])} [{form.format(estimate['low'])}, {form.format(estimate['high'])}]"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    return "<0.001" if value is not None and value < 0.001 else _number(value)
