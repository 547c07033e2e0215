"""Command line: python -m data_gen --config recipes/data/demo.yaml --out DIR, and `python -m data_gen --help`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import ProgressColumn, Task
from rich.text import Text

from data_gen.cluster import Cluster, make_on_cluster
from data_gen.commands import app
from data_gen.commands.console import console, guarded, say
from data_gen.config import DataConfig, load_yaml, parse_config
from data_gen.pipeline import DataSet, make_dataset
from data_gen.pool import Job, RowMaker
from data_gen.progress import progress_bars
from data_gen.shards import Shard, plan_shards, select_shards
from rewards.errors import RaifError

ROWS_FOR_A_PROCESS = 2000  # fewer are made sooner than a process starts
DRY_ROWS = 64


def run(
    config: Annotated[Path, typer.Option(help="A data recipe (YAML).")],
    out: Annotated[Path, typer.Option(help="The folder to write; the same command goes on after a kill.")],
    seeds: Annotated[Path | None, typer.Option(help="A JSONL file whose rows replace the recipe's seeds.")] = None,
    fields: Annotated[
        str, typer.Option(help="Our field=file's field, comma-separated.")
    ] = "request=question,answer=answer",
    seed: Annotated[int | None, typer.Option(help="Override the recipe's seed.")] = None,
    train: Annotated[int | None, typer.Option(help="Override the number of training instructions.")] = None,
    test: Annotated[int | None, typer.Option(help="Override the number of test instructions.")] = None,
    limit: Annotated[int | None, typer.Option(help="Make only the first N rows of every split.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace data made from another recipe.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes; by default one per core. With --executor: tasks at once.")
    ] = None,
    shards: Annotated[
        str | None, typer.Option(help="Make only these shards: even, odd, 0,2,4 or 3-7; --dry-run tells their number.")
    ] = None,
    executor: Annotated[str | None, typer.Option(help="local, ray or slurm (extra `scale`).")] = None,
    tasks: Annotated[int | None, typer.Option(help="Tasks that share the shards; by default one each.")] = None,
    cpus_per_task: Annotated[int, typer.Option(help="Processes of a task.")] = 1,
    partition: Annotated[str, typer.Option(help="Slurm's partition.")] = "",
    time_limit: Annotated[str, typer.Option("--time", help="Slurm's time limit of a task.")] = "04:00:00",
    env_command: Annotated[str, typer.Option(help="What a Slurm job runs first.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Make a few rows, say what would be done, and write nothing.")] = False,
) -> None:
    """Make instructions with verifiable constraints, each with a witness that the verifiers accept."""
    parsed = _recipe(config, seeds, fields, {"train": train, "test": test}, seed, limit)
    chosen = None if shards is None else select_shards(shards, len(plan_shards(parsed)))
    cluster = None
    if executor is not None:
        cluster = Cluster(
            executor=executor,  # type: ignore[arg-type]
            tasks=tasks,
            workers=-1 if workers is None else workers,
            cpus_per_task=cpus_per_task,
            partition=partition,
            time=time_limit,
            env_command=env_command,
        )
    elif tasks is not None:
        raise RaifError(f"--tasks {tasks} needs an --executor: local, ray or slurm.")
    if dry_run:
        say(plan(parsed, out, workers))
    elif cluster is not None:
        say(_outcome(make_on_cluster(parsed, out, cluster, overwrite, chosen), parsed, out))
    else:
        say(_outcome(make(parsed, out, overwrite, workers, chosen), parsed, out))


def make(
    config: DataConfig,
    out: Path,
    overwrite: bool = False,
    workers: int | None = None,
    only: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Make a data set with a progress bar per stage; `workers` are as many as there is work for, if not given."""
    shards = plan_shards(config)
    chosen = shards if only is None else [shards[number] for number in only]
    totals: dict[str, int] = {}
    for shard in chosen:
        totals[shard.stage] = totals.get(shard.stage, 0) + len(shard.rows)
    with progress_bars(console) as bars:
        bars.columns = (*bars.columns, _Rate())
        lines = {stage: bars.add_task(stage, total=total) for stage, total in totals.items()}

        def progress(stage: str, done: int) -> None:
            if stage not in lines:
                lines[stage] = bars.add_task(stage, total=None)
            bars.update(lines[stage], completed=done)

        return make_dataset(config, out, overwrite, progress, _worth(chosen) if workers is None else workers, only)


def plan(config: DataConfig, out: Path, workers: int | None = None) -> str:
    """Return what making a data set would do, measured on a few rows; nothing is written."""
    data = DataSet(config, out)
    if not data.shards:
        return f"{out}: the recipe asks for no rows"
    seconds, size = _measure(RowMaker(config), data.shards[0].stage)
    rows, processes = sum(len(shard.rows) for shard in data.shards), workers or _worth(data.shards)
    lines = [f"{out} would hold {len(data.shards)} shards, {len(data.missing)} of them yet to be made:"]
    for stage in dict.fromkeys(shard.stage for shard in data.shards):
        numbers = [number for number, shard in enumerate(data.shards) if shard.stage == stage]
        count = sum(len(data.shards[number].rows) for number in numbers)
        span = f"shard {numbers[0]}" if len(numbers) == 1 else f"shards {numbers[0]}-{numbers[-1]}"
        lines.append(f"  {stage}: {count:,} rows in {span}, the first is {data.shards[numbers[0]].file}")
    lines.append(
        f"about {1 / seconds:,.0f} rows/s in each of {processes} processes, {rows * size / 1e6:,.0f} MB, "
        f"{rows * seconds / processes / 60:,.1f} min; measured on {DRY_ROWS} rows, nothing was written"
    )
    return "\n".join(lines)


def _measure(maker: RowMaker, stage: str) -> tuple[float, float]:
    """Return the seconds and the bytes of a row."""
    maker(Job(stage, range(DRY_ROWS)))  # loads what is loaded once
    begin = time.perf_counter()
    chunk = maker(Job(stage, range(DRY_ROWS, 2 * DRY_ROWS)))
    return (time.perf_counter() - begin) / DRY_ROWS, sum(map(len, chunk.lines)) / DRY_ROWS


def _worth(shards: Sequence[Shard]) -> int:
    """Return how many processes there are cores and work for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, sum(len(shard.rows) for shard in shards) // ROWS_FOR_A_PROCESS))


class _Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s")


def _recipe(
    config: Path, seeds: Path | None, fields: str, counts: dict[str, int | None], seed: int | None, limit: int | None
) -> DataConfig:
    """Read a recipe and apply the options that override it."""
    content = load_yaml(config)
    if seeds is not None:
        content["seeds"] = [{"type": "jsonl", "path": str(seeds), "fields": _parse_fields(fields)}]
    if seed is not None:
        content["seed"] = seed
    given = {name: count for name, count in counts.items() if count is not None}
    if given and isinstance(content.get("counts", {}), dict):
        content["counts"] = {**content.get("counts", {}), **given}
    parsed = parse_config(content, str(config))
    return parsed if limit is None else _limited(parsed, limit)


def _limited(config: DataConfig, limit: int) -> DataConfig:
    if limit < 1:
        raise RaifError(f"--limit {limit} must be at least 1.")
    warm = config.warm_start
    changes = {
        "counts": {split: min(count, limit) for split, count in config.counts.items()},
        "warm_start": warm and warm.model_copy(update={"count": min(warm.count, limit)}),
    }
    return config.model_copy(update=changes)


def _parse_fields(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.replace(" ", ",").split(",") if pair]
    if not all(name and separator and column for name, separator, column in pairs):
        raise RaifError(f"--fields {text!r} must look like request=question,answer=answer.")
    return {name: column for name, _, column in pairs}


def _outcome(manifest: dict[str, Any], config: DataConfig, out: Path) -> str:
    if not manifest:
        data = DataSet(config, out)
        missing, shards = data.missing, len(data.shards)
        return (
            f"{out}: {shards - len(missing)} of {shards} shards are complete. When the others are here too, from "
            "other machines or jobs, the same command finishes the set."
        )
    counts = ", ".join(f"{count} {split}" for split, count in manifest["counts"].items())
    rejected = sum(sum(reasons.values()) for reasons in manifest["rejected"].values())
    warm = manifest["warm_start"]
    extra = f"; {warm['rows']} demonstrations ({warm['careless']} careless)" if warm["rows"] else ""
    return f"{out}: {counts} instructions, every witness verified; {rejected} candidates rejected{extra}"


def main() -> None:
    """Run the command; user errors end with one message and exit code 1."""
    guarded(lambda: app.run(run))


if __name__ == "__main__":
    main()
