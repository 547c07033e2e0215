"""`difficulty` and `filter`: pass rates of scored rollouts, and the data that they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_gen.commands.console import counted, say, waiting
from rewards.errors import RaifError


def difficulty(
    folder: Annotated[Path, typer.Argument(help="A data folder.")],
    rollouts: Annotated[
        list[Path], typer.Argument(help="Score lines of `raif score`, or a run's rollouts.jsonl; files or folders.")
    ],
    hard: Annotated[float, typer.Option(help="Up to this pass rate, from 0 to 1, an instruction is hard.")] = 0.25,
    easy: Annotated[float, typer.Option(help="From this pass rate on, from 0 to 1, an instruction is easy.")] = 0.75,
) -> None:
    """Write difficulty.jsonl: the pass rate of every instruction over scored rollouts, with its 95 % interval."""
    from data_gen.quality.difficulty import DIFFICULTY, Thresholds, write_difficulty

    if not 0 <= hard < easy <= 1:
        raise RaifError(f"--hard {hard:g} must be below --easy {easy:g}, and both from 0 to 1.")
    with waiting("reading rollouts"):
        found = write_difficulty(folder, rollouts, Thresholds(hard=hard, easy=easy))
    labels = {name: found[name] for name in ("easy", "medium", "hard", "unmeasured")}
    rows = dict(found["rollouts"])
    read = rows.pop("rows")
    notes = [f"of {read:,} rollouts"]
    notes += [f"{counted(rows)} left out"] if any(rows.values()) else []
    notes += [f"instructions that are not in the data: {found['unknown']:,}"] if found["unknown"] else []
    say(f"{folder / DIFFICULTY}: {counted(labels)} {'; '.join(notes)}")


def filter_rows(
    folder: Annotated[Path, typer.Argument(help="A data folder with difficulty.jsonl.")],
    keep: Annotated[str, typer.Option(help="The pass rates to keep, both ends included, such as 0.1..0.9.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write.")],
) -> None:
    """Copy a data set without what is too easy or too hard; what no rollout has measured is kept and counted."""
    from data_gen.quality.difficulty import parse_range, write_filtered

    limits = parse_range(keep)
    with waiting("copying"):
        counts = write_filtered(folder, out, limits)
    dropped = counted({name: counts[name] for name in ("too easy", "too hard")})
    say(f"{out}: {counts['kept']:,} instructions kept, {counts['unmeasured']:,} of them unmeasured; dropped: {dropped}")
