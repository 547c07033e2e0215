"""Command line: python -m data_gen --config recipes/data/demo.yaml --out DIR"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from data_gen.config import DataConfig, load_yaml, parse_config
from data_gen.pipeline import make_dataset
from data_gen.progress import progress_bars
from rewards.errors import RaifError

console = Console(stderr=True)


def run(
    config: Annotated[Path, typer.Option(help="A data recipe (YAML).")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    seeds: Annotated[Path | None, typer.Option(help="A JSONL file whose rows replace the recipe's seeds.")] = None,
    fields: Annotated[
        str, typer.Option(help="Our field=file's field, comma-separated.")
    ] = "request=question,answer=answer",
    seed: Annotated[int | None, typer.Option(help="Override the recipe's seed.")] = None,
    train: Annotated[int | None, typer.Option(help="Override the number of training instructions.")] = None,
    test: Annotated[int | None, typer.Option(help="Override the number of test instructions.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace data made from another recipe.")] = False,
) -> None:
    """Make instructions with verifiable constraints, each with a witness that the verifiers accept."""
    content = load_yaml(config)
    if seeds is not None:
        content["seeds"] = [{"type": "jsonl", "path": str(seeds), "fields": _parse_fields(fields)}]
    if seed is not None:
        content["seed"] = seed
    counts = {name: count for name, count in {"train": train, "test": test}.items() if count is not None}
    if counts and isinstance(content.get("counts", {}), dict):
        content["counts"] = {**content.get("counts", {}), **counts}
    manifest = make(parse_config(content, str(config)), out, overwrite)
    console.print(f"{out}: {_summary(manifest)}", soft_wrap=True, highlight=False, markup=False)


def make(config: DataConfig, out: Path, overwrite: bool = False) -> dict[str, Any]:
    """Make a data set with a progress bar per stage."""
    totals: dict[str, int] = {str(split): count for split, count in config.counts.items()}
    if config.warm_start is not None:
        totals["warm start"] = config.warm_start.count
    with progress_bars(console) as bars:
        tasks = {stage: bars.add_task(stage, total=total) for stage, total in totals.items()}
        return make_dataset(config, out, overwrite, lambda stage, done: bars.update(tasks[stage], completed=done))


def _parse_fields(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.replace(" ", ",").split(",") if pair]
    if not all(name and separator and column for name, separator, column in pairs):
        raise RaifError(f"--fields {text!r} must look like request=question,answer=answer.")
    return {name: column for name, _, column in pairs}


def _summary(manifest: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {split}" for split, count in manifest["counts"].items())
    rejected = sum(sum(reasons.values()) for reasons in manifest["rejected"].values())
    warm = manifest["warm_start"]
    extra = f"; {warm['rows']} demonstrations ({warm['careless']} careless)" if warm["rows"] else ""
    return f"{counts} instructions, every witness verified; {rejected} candidates rejected{extra}"


def main() -> None:
    """Run the command; user errors end with one message and exit code 1."""
    try:
        typer.run(run)
    except RaifError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False, markup=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
