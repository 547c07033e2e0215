"""`raif evaluate mathif | ifeval | ifbench | instructions`: checkers decide about each output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console
from rich.table import Table
from typer import Option

from raif.commands.options import BatchedDrawing, given, grouped
from raif.commands.outcome import check_wandb, conclude, say, stoppable
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.evaluation.records import Item
    from raif.suites.protocol import Suite

console = Console()
_OF_PROMPTS = ("data", "limit", "arm", "language", "export_prompts")  # they decide which prompts are written
Protocol = Annotated[str | None, Option(help="google, lm-eval or open-instruct.")]
Ceiling = Annotated[str | None, Option(help="Compliant responses (id, response): the ceiling.")]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where items, stored completions and results are."""

    data: Annotated[str | None, Option(help="Folder or file; by default the benchmark's place on the hub.")] = None
    out: Annotated[Path | None, Option(help="Evaluation folder; the same command goes on after a kill.")] = None
    limit: Annotated[int, Option(min=0, help="At most N items, evenly spaced; 0 for all.")] = 0
    export_prompts: Annotated[Path | None, Option(help="Only write id and prompt of every item.")] = None
    responses: Annotated[Path | None, Option(help="Judge stored responses: JSON lines of id, response.")] = None
    json_file: Annotated[Path | None, Option("--json", help="Write metrics and the verdicts on items.")] = None
    wandb: Annotated[str | None, Option(help="Log tables and plots to this project of wandb.")] = None
    arm: str | None = None  # these two are options where a suite has several arms
    unconstrained: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Ask(BatchedDrawing, Files):
    """What a command is asked that draws completions, or reads stored ones, and checks them."""


@dataclass(frozen=True, kw_only=True)
class ArmsAsk(Ask):
    """The same, of a suite with prompts without constraints too."""

    arm: Annotated[str | None, Option(help="Only constrained, or only unconstrained.")] = None
    unconstrained: Annotated[Path | None, Option(help="Stored responses to prompts without constraints.")] = None


@grouped
def mathif(ask: ArmsAsk, ceiling: Ceiling = None) -> None:
    """MathIF: mathematics with constraints on the output, and without.

    raif evaluate mathif --data DIR --model MODEL --cap 16384 --out FOLDER
    """
    evaluate_checked("mathif", ask, {"ceiling": ceiling})


@grouped
def ifeval(ask: Ask, protocol: Protocol = None, ceiling: Ceiling = None) -> None:
    """IFEval: 541 prompts with verifiable constraints.

    raif evaluate ifeval --data FILE --responses FILE --json FILE
    """
    evaluate_checked("ifeval", ask, {"protocol": protocol, "ceiling": ceiling})


@grouped
def ifbench(ask: Ask, protocol: Protocol = None, ceiling: Ceiling = None) -> None:
    """IFBench: 300 prompts with constraints unlike those of training sets.

    raif evaluate ifbench --data FILE --model MODEL --cap 16384 --out FOLDER
    """
    evaluate_checked("ifbench", ask, {"protocol": protocol, "ceiling": ceiling})


@grouped
def instructions(
    ask: Ask,
    split: Annotated[str | None, Option(help="test, test_families, test_arguments, train, or all.")] = None,
) -> None:
    """Instructions made by data_gen: the held-out splits of a data folder, or a file.

    raif evaluate instructions --data FOLDER --model MODEL --cap 4096 --out FOLDER
    """
    evaluate_checked("instructions", ask, {"split": split})


def evaluate_checked(name: str, ask: Ask, options: Mapping[str, str | None]) -> None:
    """Evaluate on a suite of checkers, whose own options are `options`."""
    from raif.evaluation import runner
    from raif.suites import suite as find

    suite = find(name, **{key: value for key, value in options.items() if value is not None})
    _check(ask, suite)
    items = runner.spread(suite.load(place_of(suite, ask.data)), ask.limit)
    if ask.export_prompts:
        count = runner.export_prompts(suite, items, ask.export_prompts, ask.arm)
        say(
            f"wrote {count} prompts to {ask.export_prompts}; to measure the responses to them: the same command with "
            "--responses FILE, JSON lines of `id` and `response`, instead of --export-prompts"
        )
        return
    if ask.responses:
        metrics, rollouts = _replay(suite, items, ask)
    else:
        metrics = _generate(suite, items, ask)
        rollouts = runner.load_evaluation(_folder(ask))[1]
    print_metrics(metrics)
    conclude(suite, metrics, rollouts, ask.out, ask.json_file, ask.wandb)


def place_of(suite: Suite, data: str | None) -> str:
    """Return where the items of a suite are: what was given, or its place on the hub."""
    if not (data or suite.home):
        raise RaifError(f"suite {suite.name} needs --data, a folder or file.")
    return data or suite.home


def _check(ask: Ask, suite: Suite) -> None:
    """Refuse options that do not go together before anything is loaded."""
    if ask.arm is not None and ask.arm not in suite.arms:
        raise RaifError(f"suite {suite.name} has no arm {ask.arm!r}; it has: {', '.join(suite.arms)}.")
    check_files(ask)
    if ask.export_prompts:
        return
    if ask.responses is None and ask.model is None:
        raise RaifError("nothing to evaluate: give --model, or --responses with what a model said.")
    if ask.responses is not None and ask.model is not None:
        raise RaifError("--model and --responses exclude each other: completions are either drawn or read.")
    if ask.unconstrained is not None and ask.responses is None:
        raise RaifError("--unconstrained adds stored responses to those of --responses; give both.")
    if ask.model is not None and ask.out is None:
        raise RaifError("--model needs --out, the folder that keeps what was drawn.")
    if ask.model is not None and ask.cap is None:
        raise RaifError("--model needs --cap, the maximum of completion tokens; MathIF's is 16384.")
    if ask.wandb and ask.out is None:
        raise RaifError("--wandb logs an evaluation folder; give --out too.")
    _check_drawing(ask, suite)
    if ask.wandb:
        check_wandb()


def check_files(ask: Files) -> None:
    """Refuse a file to be written that is a folder or is read, and what does not go with writing prompts."""
    read = [Path(path).resolve() for path in (ask.data, ask.responses, ask.unconstrained) if path]
    for option, path in (("--json", ask.json_file), ("--export-prompts", ask.export_prompts)):
        if path is not None and path.is_dir():
            raise RaifError(f"{option} {path} is a folder; name a file in it, for example {path / 'out.json'}.")
        if path is not None and path.resolve() in read:
            raise RaifError(f"{option} {path} is a file that is read here, and would be lost; name another file.")
    if ask.export_prompts and (unused := given(ask, but=_OF_PROMPTS)):
        raise RaifError(f"--export-prompts only writes prompts, and takes no {', '.join(unused)}; leave it out.")


def _check_drawing(ask: Ask, suite: Suite) -> None:
    """Refuse options of drawing where stored responses are read, and sampling settings that draw nothing."""
    if ask.responses is None:
        ask.sampling(top_p=suite.top_p)
        return
    if drawn := given(ask, BatchedDrawing):
        raise RaifError(f"--responses are read as they are, nothing is drawn; leave out {', '.join(drawn)}.")
    if ask.unconstrained is not None and ask.arm not in (None, suite.arms[0]):
        raise RaifError(f"--unconstrained and --arm {ask.arm} name the same responses; leave out --arm.")


def _folder(ask: Ask) -> Path:
    if ask.out is None:
        raise RaifError("give --out, the evaluation folder.")
    return ask.out


def _replay(suite: Suite, items: list[Item], ask: Ask) -> Any:
    from raif.evaluation import runner
    from raif.generation.replay import read_responses

    files = {ask.arm or suite.arms[0]: ask.responses}
    if ask.unconstrained:
        files[suite.arms[1]] = ask.unconstrained
    stored = {arm: read_responses(path, items) for arm, path in files.items() if path}
    for responses in stored.values():
        for sentence in responses.remarks():
            say(sentence, style="yellow")
    return runner.replay(suite, items, stored, ask.out)


def _generate(suite: Suite, items: list[Item], ask: Ask) -> dict[str, Any]:
    from raif.evaluation import runner
    from raif.generation.progress import generation_progress

    generator = ask.open()
    arms = (ask.arm,) if ask.arm else suite.arms
    sampling = ask.sampling(top_p=suite.top_p)
    try:
        with (
            stoppable(say),
            generation_progress(console, suite.name, len(items) * len(arms) * ask.samples) as progress,
        ):
            return runner.evaluate(
                suite, items, generator, sampling, _folder(ask),
                samples=ask.samples, arms=arms, system_prompt=ask.system_prompt, progress=progress,
            )  # fmt: skip
    finally:
        generator.close()


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the main figures, parity and strict side by side, and what the response `.` scores."""
    from raif.evaluation.comparison import with_interval

    profiles = [name for name in ("parity", "strict") if name in metrics]
    table = Table("metric", *profiles, "floor", title=f"{metrics['suite']}, {metrics['n']} items")
    for name in (key for key in metrics[profiles[0]] if f"{key}_ci" in metrics[profiles[0]]):
        floor = " / ".join(with_interval(metrics["floor"][profile][name], None) for profile in profiles)
        table.add_row(
            name,
            *(with_interval(metrics[profile][name], metrics[profile][f"{name}_ci"]) for profile in profiles),
            floor,
        )
    for name in ("correct", "correct_unconstrained", "correct_change", "correct_and_followed", "truncated"):
        if (found := metrics.get(name)) and found["value"] is not None:
            interval = None if found["low"] is None else [found["low"], found["high"]]
            table.add_row(name, *[""] * (len(profiles) - 1), with_interval(found["value"], interval), "")
    console.print(table)
    if metrics["unsatisfiable"]:
        say(f"no response meets: {', '.join(metrics['unsatisfiable'])}")
