"""All commands together, and which one a command line means."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from data_gen.commands.gallery import show_gallery
from data_gen.commands.mathif import mathif_like, mathif_witness
from data_gen.commands.models import evolve, experts
from data_gen.commands.pass_rates import difficulty, filter_rows
from data_gen.commands.publish import export, push
from data_gen.commands.quality import quality
from data_gen.commands.taxonomy import taxonomy
from rewards.errors import unknown_name

MAKE = "make"
HELP = """Make data sets of instructions with verifiable constraints, and work with them.

Without a command, `python -m data_gen --config R --out DIR` makes a data set; its options stand below."""
COMMANDS: dict[str, Callable[..., Any]] = {
    "quality": quality,
    "taxonomy": taxonomy,
    "gallery": show_gallery,
    "evolve": evolve,
    "experts": experts,
    "difficulty": difficulty,
    "filter": filter_rows,
    "export": export,
    "push": push,
    "mathif-like": mathif_like,
    "mathif-witness": mathif_witness,
}


def run(make: Callable[..., Any]) -> None:
    """Run the command line; `make` is what is meant where its first word is an option.

    Raises:
        RaifError: if its first word is no command.
    """
    words = sys.argv[1:]
    if words[:1] == ["--help"]:
        _app(make)(words, standalone_mode=False)
        _app(make)([MAKE, "--help"])
    elif not words or words[0].startswith("-"):
        typer.run(make)
    elif words[0] in (MAKE, *COMMANDS):
        _app(make)()
    else:
        raise unknown_name("command", words[0], (MAKE, *COMMANDS), "`python -m data_gen --help` describes them.")


def _app(make: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer(help=HELP, add_completion=False)
    for name, command in {MAKE: make, **COMMANDS}.items():
        app.command(name)(command)
    return app
