"""`raif experiment NAME`: the experiments on instruction following, each with its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.drawing import open_asked
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
Profile = Annotated[str, typer.Option(help="strict, or parity: as the official code judges.")]
Wandb = Annotated[str | None, typer.Option(help="Log tables and plots to this project of wandb.")]
ResultFolder = Annotated[Path | None, typer.Option(help="Folder of the result; by default EVALUATION_FOLDER/NAME.")]


@experiment_app.command("length-bins")
def length_bins(
    folder: Folder,
    out: ResultFolder = None,
    bins: Annotated[int, typer.Option(min=2, help="Bins of equal width, and as many of equal count.")] = 6,
    truncated: Annotated[str, typer.Option(help="Cut-off rollouts: exclude, or bin (a row of their own).")] = "exclude",
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
    out: Annotated[Path, typer.Option(help="Folder of the result.")],
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


class Drawing(NamedTuple):
    """What every experiment that draws completions is asked."""

    suite: str
    data: str | None
    model: str
    out: Path
    cap: int
    backend: str
    base_url: str | None
    api_key_env: str | None
    tokenizer: str | None
    samples: int
    temperature: float
    top_p: float | None
    seed: int
    batch_size: int
    system_prompt: str | None
    limit: int
    split: str | None
    profile: str
    wandb: str | None


SuiteName = Annotated[str, typer.Argument(help="mathif, ifeval, ifbench or instructions.")]
Model = Annotated[str, typer.Option(help="Model folder, hub name, or the model's name on the server.")]
Out = Annotated[Path, typer.Option(help="Folder of the result; the same command goes on after a kill.")]
Cap = Annotated[int, typer.Option(min=1, help="Maximum of tokens the model writes, in all goes together.")]
Data = Annotated[str | None, typer.Option(help="Folder or file; by default the benchmark's place on the hub.")]
Backend = Annotated[str, typer.Option(help="transformers, vllm or openai.")]
BaseUrl = Annotated[str | None, typer.Option(help="OpenAI-compatible server, for backend openai.")]
ApiKeyEnv = Annotated[str | None, typer.Option(help="Environment variable that holds the server's key.")]
Tokenizer = Annotated[str | None, typer.Option(help="Render prompts for the server with this tokenizer.")]
Samples = Annotated[int, typer.Option(min=1, help="Completions per item and arm.")]
Temperature = Annotated[float, typer.Option(min=0, help="0 is greedy.")]
TopP = Annotated[float | None, typer.Option(min=0, max=1, help="Nucleus; by default the benchmark's.")]
Seed = Annotated[int, typer.Option(help="Sampling seed.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Prompts at once, or requests under way.")]
SystemPrompt = Annotated[str | None, typer.Option(help="System message of every prompt.")]
Limit = Annotated[int, typer.Option(min=0, help="At most N items, evenly spaced; 0 for all.")]
Split = Annotated[str | None, typer.Option(help="instructions: test, train, ...; all.")]


@experiment_app.command("wait")
def wait(
    suite: SuiteName,
    model: Model,
    out: Out,
    cap: Cap,
    data: Data = None,
    counts: Annotated[
        str, typer.Option(help="How often the thinking is kept open; N = 0 is always drawn.")
    ] = "0,2,4,6,8",
    text: Annotated[str, typer.Option(help="What is put in place of the end of the thinking.")] = "Wait",
    filler: Annotated[str | None, typer.Option(help="Text of the control; by default a neutral one as long.")] = None,
    backend: Backend = "transformers",
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    tokenizer: Tokenizer = None,
    samples: Samples = 1,
    temperature: Temperature = 1.0,
    top_p: TopP = None,
    seed: Seed = 0,
    batch_size: BatchSize = 64,
    system_prompt: SystemPrompt = None,
    limit: Limit = 0,
    split: Split = None,
    profile: Profile = "strict",
    wandb: Wandb = None,
) -> None:
    """Budget forcing: "Wait" instead of the end of the thinking, N times; a neutral filler as control."""
    from raif.experiments.wait import run_wait

    asked = Drawing(
        suite, data, model, out, cap, backend, base_url, api_key_env, tokenizer, samples, temperature, top_p, seed,
        batch_size, system_prompt, limit, split, profile, wandb,
    )  # fmt: skip
    forced = _numbers(counts)
    _check_texts(text, filler)
    goes = 2 + 2 * (max(forced) + len(forced))
    _draw("wait", asked, run_wait, goes, {"counts": forced, "wait": text, "filler": filler})


@experiment_app.command("repeat")
def repeat(
    suite: SuiteName,
    model: Model,
    out: Out,
    cap: Cap,
    data: Data = None,
    positions: Annotated[
        str, typer.Option(help="Where the text goes: open, closed, after; several by commas.")
    ] = "open",
    backend: Backend = "transformers",
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    tokenizer: Tokenizer = None,
    samples: Samples = 1,
    temperature: Temperature = 1.0,
    top_p: TopP = None,
    seed: Seed = 0,
    batch_size: BatchSize = 64,
    system_prompt: SystemPrompt = None,
    limit: Limit = 0,
    split: Split = None,
    profile: Profile = "strict",
    wandb: Wandb = None,
) -> None:
    """The constraints again at the end of the thinking; the question, a neutral text and "Wait" as controls."""
    from raif.experiments.repeat import run_repeat

    asked = Drawing(
        suite, data, model, out, cap, backend, base_url, api_key_env, tokenizer, samples, temperature, top_p, seed,
        batch_size, system_prompt, limit, split, profile, wandb,
    )  # fmt: skip
    places = [name.strip() for name in positions.split(",")]
    _draw("repeat", asked, run_repeat, 3 + 3 * len(places), {"positions": places})


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


def _draw(name: str, asked: Drawing, run: Callable[..., dict[str, Any]], goes: int, options: Mapping[str, Any]) -> None:
    """Run an experiment of at most `goes` completions a sample."""
    from raif.generation.progress import generation_progress

    if asked.wandb:
        check_wandb()
    out = _unused(asked.out, name)
    with ExitStack() as opened:
        opened.enter_context(stoppable(say))
        suite, items, generator, sampling = opened.enter_context(_opened(asked))
        total = len(items) * asked.samples * goes
        found = run(
            suite, items, generator, sampling, out, samples=asked.samples, profile=asked.profile,
            system_prompt=asked.system_prompt,
            progress=opened.enter_context(generation_progress(console, name, total)), **options,
        )  # fmt: skip
    _show(found, out, asked.wandb)


@contextmanager
def _opened(asked: Drawing) -> Iterator[tuple[Suite, list[Item], Generator, Sampling]]:
    """Yield suite, items, generator and sampling; the generator is closed at the end."""
    from raif.evaluation.runner import spread
    from raif.generation import Sampling
    from raif.generation.run import check_sampling
    from raif.suites import suite as find

    suite = find(asked.suite, **({"split": asked.split} if asked.split else {}))
    if not (asked.data or suite.home):
        raise RaifError(f"suite {suite.name} needs --data, a folder or file.")
    top_p = suite.top_p if asked.top_p is None else asked.top_p
    sampling = Sampling(asked.cap, asked.temperature, top_p, asked.seed, asked.batch_size)
    check_sampling(sampling)
    items = spread(suite.load(asked.data or suite.home), asked.limit)
    generator = open_asked(
        asked.backend, asked.model, asked.batch_size, base_url=asked.base_url, api_key_env=asked.api_key_env,
        tokenizer=asked.tokenizer,
    )  # fmt: skip
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
    """Print the rows, the effects and where the result is; draw it, and log it if asked."""
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
