"""`experts` and `evolve`: demonstrations, and prompts that a language model has reworded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_gen.commands.console import counted, progress_of, rows_of, say
from data_gen.config import load_yaml
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from data_gen.experts import ExpertChecks
    from rewards.constraint import Constraint
    from rewards.judge import Judge

_UNSAID = frozenset({"affix:repeat_request"})  # a prompt says "the request" and not which text that is


def experts(
    folder: Annotated[Path, typer.Argument(help="A data folder, or a file of instructions.")],
    source: Annotated[
        Path,
        typer.Option(
            help="YAML: `type` (witness, file or served) with its settings; optionally `checks`, what is asked of a "
            "demonstration, and `judge`, the server that answers the questions of soft demands."
        ),
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write, which then is a data set.")],
    splits: Annotated[str, typer.Option(help="The splits that get demonstrations, comma-separated.")] = "train",
) -> None:
    """Give instructions verified demonstrations; those that fail a check are kept apart with the reasons."""
    from data_gen.experts import parse_experts, run_experts

    settings = _settings(source)
    checks, judge = parse_checks(settings.pop("checks", {}), str(source)), _judge(settings.pop("judge", None))
    chosen = splits.replace(",", " ").split()
    with progress_of("experts", rows_of(folder, chosen)) as progress:
        found = run_experts(
            folder,
            parse_experts(settings),
            out,
            checks=checks,
            judge=judge,
            splits=chosen,
            progress=progress,
        )
    notes = [f"{found['accepted']:,} of {found['instructions']:,} instructions have a demonstration"]
    notes += [f"rejected: {counted(found['rejected'])}"] if found["rejected"] else []
    notes += [f"{found['copied']:,} of other splits copied"] if found["copied"] else []
    say(f"{out}: {'; '.join(notes)}")


def parse_checks(settings: Any, where: str = "checks") -> ExpertChecks:
    """Parse what is asked of demonstrations.

    Raises:
        RaifError: naming what is unknown or wrong.

    Example:
        >>> parse_checks({"max_thinking_words": 4000}).max_thinking_words
        4000
    """
    from pydantic import ValidationError

    from data_gen.experts import ExpertChecks

    if not isinstance(settings, dict):
        raise RaifError(f"{where}: `checks` must be a mapping of names to values; got {settings!r}.")
    for name in settings:
        if name not in ExpertChecks.model_fields:
            raise unknown_name(f"key in {where}: checks:", name, ExpertChecks.model_fields, "Correct or remove it.")
    try:
        return ExpertChecks.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise RaifError(f"{where}: checks.{place}: {first['msg']} (got {first['input']!r}).") from error


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise RaifError(f"no settings at {path}; name a YAML file, `--help` tells what it holds.")
    return load_yaml(path)


def _judge(settings: Any) -> Judge | None:
    from rewards.judge import Judge, parse_judge

    return None if settings is None else Judge(parse_judge(settings))


def evolve(
    folder: Annotated[Path, typer.Argument(help="A data folder, or a file of instructions.")],
    config: Annotated[Path, typer.Option(help="YAML: `server` (base_url, model) and what the evolution does.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write, which then is a data set.")],
    overwrite: Annotated[bool, typer.Option(help="Replace an evolution of other data or settings.")] = False,
) -> None:
    """Reword prompts with a served model; every reply is checked, and the same command goes on after a kill."""
    from data_gen.evolve import evolve_folder, parse_evolve

    parsed = parse_evolve(_settings(config), str(config))
    with progress_of("evolve", rows_of(folder)) as progress:
        record = evolve_folder(folder, parsed, out, overwrite, progress, read_demands)
        progress(sum(record["counts"].values()))
    named = {name.replace("_", " "): count for name, count in record["counts"].items()}
    notes = [counted(named)]
    notes += [f"failed: {counted(record['failed'])}"] if record["failed"] else []
    notes += [f"{record['unanswered']:,} requests unanswered; the same command asks again"] * bool(record["unanswered"])
    say(f"{out}: {'; '.join(notes)}")


def read_demands(prompt: str, language: str) -> list[Constraint]:
    """Return the demands that a new prompt states, as far as its words alone tell their arguments."""
    from data_gen.recover import recover

    found = (each.constraint for each in recover(prompt, language))
    return [constraint for constraint in found if constraint.type not in _UNSAID]
