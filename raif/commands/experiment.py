"""`raif experiment NAME`: the experiments on instruction following, each with its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer import Option

from raif.commands.checked import place_of
from raif.commands.options import Drawing, grouped
from raif.commands.outcome import check_wandb, plot_and_log, say, stoppable
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.evaluation.records import Item
    from raif.generation import Generator, Sampling
    from raif.suites.protocol import Suite

experiment_app = typer.Typer(help="Run an experiment with its control arms.", no_args_is_help=True)
console = Console()
MOST = 100  # times that thinking is kept open

Folder = Annotated[Path, typer.Argument(help="A folder made by `raif evaluate`.")]
Profile = Annotated[str, Option(help="strict, or parity: as the official code judges.")]
Wandb = Annotated[str | None, Option(help="Log tables and plots to this project of wandb.")]
SuiteName = Annotated[str, typer.Argument(help="mathif, ifeval, ifbench or instructions.")]
ResultFolder = Annotated[Path | None, Option(help="Folder of the result; by default EVALUATION_FOLDER/NAME.")]


@experiment_app.command("length-bins")
def length_bins(
    folder: Folder,
    out: ResultFolder = None,
    bins: Annotated[int, Option(min=2, help="Bins of equal width, and as many of equal count.")] = 6,
    truncated: Annotated[str, Option(help="Cut-off rollouts: exclude, or bin (a row of their own).")] = "exclude",
    profile: Profile = "strict",
    wandb: Wandb = None,
) -> None:
    """Following by length of thinking; within source and count, and within the item."""
    from raif.experiments.length_bins import length_bins as run

    def measure(metrics: Any, rollouts: Any) -> dict[str, Any]:
        return run(metrics, rollouts, bins=bins, truncated=truncated, profile=profile)  # type: ignore[arg-type]

    _from_folder("length-bins", folder, out, wandb, measure)


@experiment_app.command("errors")
def errors(folder: Folder, out: ResultFolder = None, profile: Profile = "strict", wandb: Wandb = None) -> None:
    """Correct and followed against independence: is one given up for the other?"""
    from raif.experiments.errors import errors as run

    _from_folder("errors", folder, out, wandb, lambda m, r: run(m, r, profile=profile))


@experiment_app.command("difficulty")
def difficulty(folder: Folder, out: ResultFolder = None, profile: Profile = "strict", wandb: Wandb = None) -> None:
    """Sources and numbers of constraints; paired within problems where the set crosses them."""
    from raif.experiments.difficulty import difficulty as run

    _from_folder("difficulty", folder, out, wandb, lambda m, r: run(m, r, profile=profile))


@experiment_app.command("stages")
def stages(
    folders: Annotated[list[str], typer.Argument(help="Evaluation folders, or NAME=FOLDER; the first is compared to.")],
    out: Annotated[Path, Option(help="Folder of the result.")],
    profile: Profile = "strict",
    wandb: Wandb = None,
) -> None:
    """Several checkpoints or models on the same items, each against the first."""
    from raif.evaluation.runner import load_evaluation
    from raif.experiments.results import write
    from raif.experiments.stages import Stage
    from raif.experiments.stages import stages as run

    named = [_named(folder) for folder in folders]
    found = run([Stage(name, *load_evaluation(path)) for name, path in named], profile=profile)
    write(_unused(out, "stages"), found)
    _show(found, out, wandb)


@dataclass(frozen=True, kw_only=True)
class Ask(Drawing):
    """What an experiment that draws completions is asked."""

    model: Annotated[str, Option(help="Model folder, hub name, or the model's name on the server.")] = field()
    cap: Annotated[int, Option(min=1, help="Maximum of tokens the model writes, in all goes together.")] = field()
    out: Annotated[Path, Option(help="Folder of the result; the same command goes on after a kill.")]
    data: Annotated[str | None, Option(help="Folder or file; by default the benchmark's place on the hub.")] = None
    limit: Annotated[int, Option(min=0, help="At most N items, evenly spaced; 0 for all.")] = 0
    split: Annotated[str | None, Option(help="instructions: test, train, ...; all.")] = None
    profile: Profile = "strict"
    wandb: Wandb = None


@experiment_app.command("wait")
@grouped
def wait(
    suite: SuiteName,
    ask: Ask,
    counts: Annotated[str, Option(help="How often the thinking is kept open; N = 0 is always drawn.")] = "0,2,4,6,8",
    text: Annotated[str, Option(help="What is put in place of the end of the thinking.")] = "Wait",
    filler: Annotated[str | None, Option(help="Text of the control; by default a neutral one as long.")] = None,
) -> None:
    """Budget forcing: "Wait" instead of the end of the thinking, N times; a neutral filler as control."""
    from raif.experiments.wait import run_wait

    forced = _numbers(counts)
    _check_texts(text, filler)
    goes = 2 + 2 * (max(forced) + len(forced))
    _draw("wait", suite, ask, run_wait, goes, {"counts": forced, "wait": text, "filler": filler})


@experiment_app.command("repeat")
@grouped
def repeat(
    suite: SuiteName,
    ask: Ask,
    positions: Annotated[str, Option(help="Where the text goes: open, closed, after; several by commas.")] = "open",
) -> None:
    """The constraints again at the end of the thinking; the question, a neutral text and "Wait" as controls."""
    from raif.experiments.repeat import run_repeat

    places = [name.strip() for name in positions.split(",")]
    _draw("repeat", suite, ask, run_repeat, 3 + 3 * len(places), {"positions": places})


# ---- parts --------------------------------------------------------------------------------------------------------


def _from_folder(
    name: str, folder: Path, out: Path | None, wandb: str | None, run: Callable[[Any, Any], dict[str, Any]]
) -> None:
    from raif.evaluation.runner import load_evaluation
    from raif.experiments.results import write

    if wandb:
        check_wandb()
    found = run(*load_evaluation(folder))
    target = _unused(out or folder / name, name)
    write(target, found)
    _show(found, target, wandb)


def _draw(
    name: str, suite_name: str, ask: Ask, run: Callable[..., dict[str, Any]], goes: int, options: Mapping[str, Any]
) -> None:
    """Run an experiment of at most `goes` completions a sample."""
    from raif.generation.progress import generation_progress

    if ask.wandb:
        check_wandb()
    out = _unused(ask.out, name)
    with ExitStack() as opened:
        opened.enter_context(stoppable(say))
        suite, items, generator, sampling = opened.enter_context(_opened(suite_name, ask))
        total = len(items) * ask.samples * goes
        found = run(
            suite, items, generator, sampling, out, samples=ask.samples, profile=ask.profile,
            system_prompt=ask.system_prompt,
            progress=opened.enter_context(generation_progress(console, name, total)), **options,
        )  # fmt: skip
    _show(found, out, ask.wandb)


@contextmanager
def _opened(name: str, ask: Ask) -> Iterator[tuple[Suite, list[Item], Generator, Sampling]]:
    """Yield suite, items, generator and sampling; the generator is closed at the end."""
    from raif.evaluation.runner import spread
    from raif.suites import suite as find

    suite = find(name, **({"split": ask.split} if ask.split else {}))
    place = place_of(suite, ask.data)
    sampling = ask.sampling(top_p=suite.top_p)
    items = spread(suite.load(place), ask.limit)
    generator = ask.open()
    try:
        yield suite, items, generator, sampling
    finally:
        generator.close()


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise RaifError(f"--counts {text!r} must be whole numbers joined by commas, such as 0,2,4,6,8.") from error
    if not 0 <= min(numbers) <= max(numbers) <= MOST:
        raise RaifError(f"--counts {text!r} must lie between 0 and {MOST}, such as 0,2,4,6,8.")
    return numbers


def _check_texts(text: str, filler: str | None) -> None:
    """Refuse texts that force nothing, or make the control the same as the treatment."""
    from rewards.think_styles import CLOSE

    for option, given in (("--text", text), ("--filler", filler)):
        if given is not None and (not given.strip() or CLOSE in given):
            raise RaifError(f"{option} {given!r} does not keep the thinking open; give words without {CLOSE}.")
    if text == filler:
        raise RaifError(f"--filler {filler!r} is --text itself, and no control; give another, or leave it out.")


def _named(text: str) -> tuple[str, Path]:
    """Return the name of a stage and its folder: NAME=FOLDER, else the folder's own name."""
    name, given, folder = text.partition("=")
    return (name, Path(folder)) if given and not Path(text).exists() else (Path(text).resolve().name, Path(text))


def _unused(out: Path, name: str) -> Path:
    """Refuse a folder that holds something else than a result of this experiment."""
    from raif.evaluation.runner import GENERATIONS, held_by_others
    from raif.experiments.results import EXPERIMENT
    from raif.json_files import read_record

    if (out / "settings.json").is_file() or (out / "metrics.json").is_file() or out.is_file():
        raise RaifError(f"{out} is an evaluation or a file; choose another --out for the experiment {name}.")
    if (out / EXPERIMENT).is_file():
        before = read_record(out / EXPERIMENT).get("experiment")
        if before != name:
            raise RaifError(f"{out} holds a result of the experiment {before}; choose another --out for {name}.")
    elif held := held_by_others(out, own=(GENERATIONS,)):
        raise RaifError(f"{out} holds something else ({held}); choose another --out for the experiment {name}.")
    return out


def _show(found: Mapping[str, Any], out: Path, wandb: str | None) -> None:
    """Print the rows, the effects and where the result is; draw it, and log it if ask."""
    from raif.evaluation.comparison import cell
    from raif.experiments.table import COLUMNS

    rows = Table("", "items", *COLUMNS.values(), title=found["experiment"])
    for one in found["rows"]:
        cells = [cell(one[key], percent=key != "tokens") for key in COLUMNS]
        rows.add_row(one["label"], str(one["n"]), *cells)
    effects = Table("effect", "metric", "estimate", "p (Holm)")
    for one in found["effects"]:
        p = "" if one["p_holm"] is None else f"{one['p_holm']:.3f}"
        percent = one["metric"] != "tokens"
        effects.add_row(one["name"], COLUMNS[one["metric"]], cell(one["estimate"], percent, signed=True), p)
    console.print(rows)
    console.print(effects)
    say(f"wrote {out}; `raif report {out}` makes a page of it")
    plot_and_log(out, wandb, say)
