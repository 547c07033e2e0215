"""`raif compare-sustain`: several SUSTAIN evaluations of the same tasks, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.outcome import plot_and_log, say
from rewards.errors import RaifError

console = Console()
COMPARISON, PLOTS = "comparison.json", "plots"
_SHOWN = ("sustain", "placebo", "net", "comply")  # as many as a narrow terminal has room for


def compare_sustain(
    folders: Annotated[
        list[str],
        typer.Argument(help="NAME=FOLDER of finished SUSTAIN evaluations; RECIPE@SEED=FOLDER for seeds of a recipe."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
    held_out_families: Annotated[
        str, typer.Option(help="Families of constraints that no training had, joined by commas; shown apart.")
    ] = "",
) -> None:
    """Compare models by what a constraint costs them: on their own solved items, and on those that all solve."""
    from raif.evaluation.runner import held_by_others
    from raif.json_files import write_whole
    from raif.sustain.comparing import Evaluation, compare
    from raif.sustain.runner import load_sustain

    if held := held_by_others(out, own=(COMPARISON, PLOTS, "report.html")):
        raise RaifError(f"{out} holds something else ({held}); choose another --out.")
    named = [_named(text) for text in folders]
    families = [name.strip() for name in held_out_families.split(",") if name.strip()]
    found = compare([Evaluation(name, *load_sustain(path)) for name, path in named], families)
    found["folders"] = {name: str(path) for name, path in named}
    write_whole(out / COMPARISON, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    for domain, part in found["domains"].items():
        console.print(_table(domain, part))
        say(_ranked(domain, part))
    say(f"wrote {out / COMPARISON}; `raif report {out}` makes a page of it")
    plot_and_log(out, None, say)


# ---- parts --------------------------------------------------------------------------------------------------------


def _named(text: str) -> tuple[str, Path]:
    """Return the name of an evaluation and its folder: NAME=FOLDER, else the folder's own name."""
    name, given, folder = text.partition("=")
    return (name, Path(folder)) if given and not Path(text).exists() else (Path(text).resolve().name, Path(text))


def _table(domain: str, part: Mapping[str, Any]) -> Table:
    from raif.evaluation.comparison import cell

    title = f"SUSTAIN, {domain}: per cent; {part['n_common']} items are solved by all"
    table = Table("model", "items", "solved", *_SHOWN, title=title)
    for kind in ("own", "common"):
        for name, record in part[kind].items():
            table.add_row(name, kind, str(record["n"]), *(cell(record[metric]) for metric in _SHOWN))
    return table


def _ranked(domain: str, part: Mapping[str, Any]) -> str:
    if not part["ranking"]:
        return f"{domain}: no ranking, too few items are solved by all"
    return f"{domain}: by NET on the common set, smallest loss first: {', '.join(part['ranking'])}"
