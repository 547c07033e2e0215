"""`raif sustain-data`: what SUSTAIN evaluations drew, as data to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raif.commands.outcome import console, say


def sustain_data(
    folders: Annotated[list[Path], typer.Argument(help="Finished folders of `raif evaluate sustain`.")],
    out: Annotated[Path, typer.Option(help="The data folder to write; a training's `instructions`.")],
    constraints: Annotated[int, typer.Option(min=1, help="Constraints in a prompt.")] = 1,
    split: Annotated[str, typer.Option(help="Where the instructions go: train, test, ...")] = "train",
    held_out_families: Annotated[
        str, typer.Option(help="Families that are not trained on, separated by commas; they become test_families.")
    ] = "",
    bare: Annotated[
        bool, typer.Option("--bare", help="Also the tasks without constraints, with the same outputs.")
    ] = False,
) -> None:
    """Write constrained prompts with the outputs that met the constraint unasked, to clone or to train on.

    Items that were solved without the constraint and have one are used. Each gets the output as its expert, and the
    share of right answers without the constraint, which the reward `invariance` needs.
    """
    from raif.sustain.training_data import DataSettings, counted, make_training_data, parse_families

    settings = DataSettings(constraints, split, parse_families(held_out_families), bare)  # type: ignore[arg-type]
    with console.status("reading"):
        manifest, made = make_training_data(folders, out, settings)
    counts = ", ".join(f"{count} {name}" for name, count in manifest["counts"].items())
    say(f"wrote {counts} to {out}; left out: {counted(made.left_out) or 'none'}")
    if count := manifest["without_thinking"]:
        say(f"{count} of the outputs have no thinking: a policy that thinks would learn not to")
