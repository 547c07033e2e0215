"""`mathif-witness` and `mathif-like`: the best responses to MathIF's rows, and crossed sets like it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_gen.commands.console import progress_of, say


def mathif_witness(
    data: Annotated[Path, typer.Option(help="MathIF's files, or files in its schema: a folder or one file.")],
    out: Annotated[Path, typer.Option(help="The JSONL file to write; unmet.jsonl is written beside it.")],
) -> None:
    """Write a response to every row that satisfies its constraints and is right, and name the rows that have none.

    `raif evaluate mathif --data DIR --responses OUT` then gives the ceiling.
    """
    from data_gen.crossed import read_tasks, witness_file
    from data_gen.crossed.benchmark import UNMET
    from rewards.errors import RaifError

    if out.is_dir() or out.name == UNMET:
        raise RaifError(f"--out {out} must name a file other than {UNMET}, for example witnesses.jsonl.")
    if data.resolve() in (out.resolve(), out.resolve().parent) or out.resolve().parent == data.resolve() / "data":
        raise RaifError(f"--out {out} is read as --data, or would be; name a file in another folder.")
    tasks = read_tasks(data)
    with progress_of("witnesses", len(tasks)) as progress:
        counts = witness_file(tasks, out, progress)
    rows = counts["rows"]
    shares = ", ".join(f"{name} {counts[name]}" for name in ("parity", "strict", "correct", "all"))
    left = rows - counts["all"]
    say(f"{out}: {rows} rows; met: {shares}" + (f"; the {left} others stand in {UNMET} beside it" if left else ""))
    say(f"the ceiling: raif evaluate mathif --data {data} --responses {out}")


def mathif_like(
    problems: Annotated[str, typer.Option(help="`embedded`, a file of questions and answers, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    count: Annotated[int, typer.Option(help="How many problems; each makes a row at every level.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides the problems and every draw.")] = 0,
    drop_silent: Annotated[
        bool, typer.Option("--drop-silent", help='Leave out constraints that the response "." satisfies.')
    ] = False,
    fields: Annotated[
        str, typer.Option(help="Our field=file's field, comma-separated.")
    ] = "request=question,answer=answer",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a set that is there.")] = False,
) -> None:
    """Make a set like MathIF that crosses every problem with none, one, two and three constraints, with witnesses."""
    from data_gen.crossed import make_crossed

    mapping = _mapping(fields)
    with progress_of("problems", max(count, 0)) as progress:
        manifest = make_crossed(
            problems,
            out,
            count=count,
            seed=seed,
            drop_silent=drop_silent,
            fields=mapping,
            overwrite=overwrite,
            progress=progress,
        )
    sources = manifest["sources"]
    rejected = sum(sum(source["rejected"].values()) for source in sources.values())
    floor = manifest["baselines"]["triple"]["dot"]["parity"]["hacc"]
    say(
        f"{out}: {count} problems from {', '.join(sources)} at 4 levels, every witness verified; {rejected} problems "
        f'rejected; "." has HAcc {100 * floor:.2f} at three constraints'
    )
    say(f"next: raif evaluate mathif --data {out} --model MODEL --cap 4096 --out FOLDER")


def _mapping(text: str) -> dict[str, str]:
    from rewards.errors import RaifError

    pairs = [pair.partition("=") for pair in text.replace(" ", "").split(",") if pair]
    if not all(name and separator and column for name, separator, column in pairs):
        raise RaifError(f"--fields {text!r} must look like request=question,answer=answer.")
    return {name: column for name, _, column in pairs}
