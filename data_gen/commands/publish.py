"""`export` and `push`: a data set as parquet with its card, and to a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_gen.commands.console import counted, progress_of, rows_of, say, waiting


def export(
    folder: Annotated[Path, typer.Argument(help="A data folder, or a file of instructions.")],
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="The folder to write; by default the data's own.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the card calls the data; by default the folder's name.")] = "",
    rows_per_file: Annotated[int, typer.Option(min=1, help="Instructions in a parquet file at most.")] = 100_000,
) -> None:
    """Write parquet and a dataset card, so that datasets.load_dataset(FOLDER) opens the folder."""
    from data_gen.export import export as write_parquet

    with progress_of("export", rows_of(folder)) as progress:
        written = write_parquet(folder, out, name, rows_per_file, progress)
        progress(written["rows"])
    files = {f"of {split}": len(names) for split, names in written["files"].items()}
    say(f"{out or folder}: {written['rows']:,} instructions in parquet files ({counted(files)}), and README.md")


def push(
    folder: Annotated[Path, typer.Argument(help="A folder that `export` wrote.")],
    repo: Annotated[str, typer.Argument(help="Where to: owner/name.")],
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see it; only looked at when the repository is new.")
    ] = True,
    endpoint: Annotated[
        str | None, typer.Option(help="Address of another hub than the one that huggingface_hub knows.")
    ] = None,
) -> None:
    """Upload an exported data set to a hub, with the token that huggingface_hub finds."""
    from data_gen.export import push_to_hub

    with waiting(f"uploading {folder}"):
        address = push_to_hub(folder, repo, private, endpoint)
    say(f"{folder} is at {address}")
