"""`raif report RUN...`: one page about one run or several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folders of `raif run`, evaluations, analyses, comparisons, experiments, ablations, trainings.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The page, ending in .html; by default report.html in the single run's folder.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables as Markdown too.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the tables as JSON too, unrounded.")] = None,
) -> None:
    """Write one self-contained page: results with intervals, figures, and every rollout; several runs are compared."""
    from raif.report import write_report

    with console.status("reading"):
        page = write_report(runs, out, markdown=markdown, json=json)
    for written in (page, markdown, json):
        if written is not None:
            console.print(f"wrote {written}", soft_wrap=True, markup=False, highlight=False)
