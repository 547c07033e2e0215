"""`raif evaluate SUITE`: draw completions, or read stored ones, and measure them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.drawing import open_asked
from raif.commands.outcome import check_wandb, conclude, say, stoppable
from raif.commands.questions import BENCHMARKS, JudgeAsk, evaluate_questions
from raif.commands.suite import SUITE as COMBINED
from raif.commands.suite import evaluate_suite
from raif.commands.sustain import SUITE as SUSTAIN
from raif.commands.sustain import evaluate_sustain
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from raif.evaluation.records import Item
    from raif.generation import Sampling
    from raif.suites.protocol import Suite

console = Console()
#: Options that only matter where completions are drawn, with their defaults.
DRAWING = {
    "cap": None, "backend": "transformers", "base_url": None, "api_key_env": None, "tokenizer": None,
    "continuous": False, "samples": 1, "temperature": None, "top_p": None, "seed": 0, "batch_size": 64,
    "system_prompt": None,
}  # fmt: skip


_JUDGE: dict[str, Any] = {"rich_help_panel": "Benchmarks that ask questions"}
_SUSTAIN: dict[str, Any] = {"rich_help_panel": "sustain"}
_COMBINED: dict[str, Any] = {"rich_help_panel": "suite"}


class Ask(NamedTuple):
    """What the command was asked, as far as every suite takes it."""

    data: str | None
    model: str | None
    out: Path | None
    cap: int | None
    backend: str
    base_url: str | None
    api_key_env: str | None
    tokenizer: str | None
    continuous: bool
    samples: int
    temperature: float | None
    top_p: float | None
    seed: int
    batch_size: int
    system_prompt: str | None
    limit: int
    arm: str | None
    export_prompts: Path | None
    responses: Path | None
    unconstrained: Path | None
    json_file: Path | None
    wandb: str | None


def evaluate(
    suite: Annotated[
        str,
        typer.Argument(
            help="mathif, ifeval, ifbench, instructions, sustain, complexbench, followbench, cfbench, fbbench, "
            "infobench, cello, suite (all of the RAIF table, IFBench and MathIF)."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Folder or file; by default the benchmark's place on the hub. sustain: SET or SET=PLACE, by commas. "
            "suite: a folder with a folder for each benchmark, or BENCHMARK=PLACE, by commas."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model folder, hub name, or the model's name on the server.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Evaluation folder; the same command goes on after a kill.")] = None,
    cap: Annotated[int | None, typer.Option(min=1, help="Maximum completion tokens.")] = None,
    backend: Annotated[str, typer.Option(help="transformers, vllm or openai.")] = "transformers",
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server, for backend openai.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="Environment variable that holds the server's key.")] = None,
    tokenizer: Annotated[str | None, typer.Option(help="Render prompts for the server with this tokenizer.")] = None,
    continuous: Annotated[bool, typer.Option("--continuous", help="Continuous batching (transformers, GPU).")] = False,
    samples: Annotated[int, typer.Option(min=1, help="Completions per item and arm.")] = 1,
    temperature: Annotated[
        float | None,
        typer.Option(min=0, help="0 is greedy; by default 0 where there is a judge, for sustain and suite, else 1."),
    ] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1, help="Nucleus; MathIF 0.95, else 1.")] = None,
    seed: Annotated[int, typer.Option(help="Sampling seed.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Prompts at once, or requests under way.")] = 64,
    system_prompt: Annotated[str | None, typer.Option(help="System message of every prompt.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most N items, evenly spaced; 0 for all.")] = 0,
    arm: Annotated[str | None, typer.Option(help="mathif: only constrained, or only unconstrained.")] = None,
    protocol: Annotated[str | None, typer.Option(help="ifeval, ifbench: google, lm-eval or open-instruct.")] = None,
    ceiling: Annotated[str | None, typer.Option(help="Compliant responses (id, response): the ceiling.")] = None,
    split: Annotated[
        str | None, typer.Option(help="instructions: test, test_families, test_arguments, train, or all.")
    ] = None,
    placement: Annotated[str | None, typer.Option(help="suffix, prefix, solve_first or stepwise.", **_SUSTAIN)] = None,
    doses: Annotated[str | None, typer.Option(help="Constraints at once; by default 1,2,3,5,8.", **_SUSTAIN)] = None,
    constraints: Annotated[int | None, typer.Option(help="Constraints tried singly, by default 1.", **_SUSTAIN)] = None,
    qa_score: Annotated[str | None, typer.Option(help="em or f1, for questions.", **_SUSTAIN)] = None,
    tau: Annotated[float | None, typer.Option(help="The score from which a task is solved.", **_SUSTAIN)] = None,
    recompute: Annotated[Path | None, typer.Option(help="Judge a finished folder again, no model.", **_SUSTAIN)] = None,
    judge: Annotated[
        str | None, typer.Option(help="MODEL@ADDRESS, a local model, or a YAML file of judge settings.", **_JUDGE)
    ] = None,
    judge_mode: Annotated[
        str | None, typer.Option(help="benchmark (asks as it does) or question (one by one, our prompt).", **_JUDGE)
    ] = None,
    judge_prompts: Annotated[
        Path | None, typer.Option(help="Folder of the benchmark's own prompt texts (*.txt).", **_JUDGE)
    ] = None,
    official: Annotated[
        bool, typer.Option("--official", help="Ask as the published code does; its figures first.", **_JUDGE)
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="complexbench: zh or en; followbench: en, zh or both.", **_JUDGE)
    ] = None,
    consistency: Annotated[int | None, typer.Option(min=0, help="Judge N answers a second time.", **_JUDGE)] = None,
    replay_verdicts: Annotated[
        Path | None, typer.Option(help="Read published verdicts, or those of a finished folder.", **_JUDGE)
    ] = None,
    only: Annotated[str | None, typer.Option(help="These benchmarks, by commas; by default all.", **_COMBINED)] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without benchmarks whose data are not there.", **_COMBINED)
    ] = False,
    export_prompts: Annotated[Path | None, typer.Option(help="Only write id and prompt of every item.")] = None,
    responses: Annotated[
        Path | None, typer.Option(help="Judge stored responses: JSON lines of id, response; for sustain in two passes.")
    ] = None,
    unconstrained: Annotated[Path | None, typer.Option(help="mathif: those to prompts without constraints.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write metrics and the verdicts on items.")] = None,
    wandb: Annotated[str | None, typer.Option(help="Log tables and plots to this project of wandb.")] = None,
) -> None:
    """Evaluate a policy, or responses it gave before, on a suite; parity and strict side by side.

    To draw completions: raif evaluate mathif --data DIR --model MODEL --cap 16384 --out FOLDER

    What a constraint costs: raif evaluate sustain --data gsm8k=FILE,multi_hop --model MODEL --cap 4096 --out FOLDER

    The RAIF table: raif evaluate suite --data DIR --model MODEL --cap 4096 --judge JUDGE@ADDRESS --out FOLDER

    With a judge: raif evaluate infobench --data FILE --model MODEL --cap 4096 --judge JUDGE@ADDRESS --out FOLDER

    To judge stored ones: raif evaluate ifeval --data FILE --responses FILE --json FILE
    """
    ask = Ask(
        data, model, out, cap, backend, base_url, api_key_env, tokenizer, continuous, samples, temperature, top_p,
        seed, batch_size, system_prompt, limit, arm, export_prompts, responses, unconstrained, json_file, wandb,
    )  # fmt: skip
    theirs = {"protocol": protocol, "split": split, "ceiling": ceiling}
    own = {"placement": placement, "doses": doses, "constraints": constraints, "qa_score": qa_score, "tau": tau}
    given = [name for name, value in {**theirs, **own}.items() if value is not None]
    asked = JudgeAsk(judge, judge_mode, judge_prompts, official, language, consistency, replay_verdicts)
    _known(suite)
    if suite == COMBINED:
        _refuse(suite, [*given, *(["recompute"] if recompute else [])])
        evaluate_suite(ask, asked, only, skip_missing)
        return
    _refuse(suite, [*(["only"] if only else []), *(["skip_missing"] if skip_missing else [])])
    if suite in BENCHMARKS or "." in suite:  # a module of the user's own
        _refuse(suite, [*given, *(["recompute"] if recompute else [])])
        evaluate_questions(suite, ask, asked)
        return
    _refuse(suite, [name.removeprefix("--") for name in asked.given()])
    if suite == SUSTAIN:
        _refuse(suite, [name for name in given if name in theirs])
        evaluate_sustain(ask, own, recompute)
        return
    _refuse(suite, [*(name for name in given if name in own), *(["recompute"] if recompute else [])])
    _evaluate(suite, ask, theirs)


# ---- parts --------------------------------------------------------------------------------------------------------


def _known(name: str) -> None:
    from raif.suites import SUITES

    known = (*SUITES, SUSTAIN, *BENCHMARKS, COMBINED)
    if name not in known and "." not in name:
        raise unknown_name("suite", name, known, "Choose one of them.")


def _evaluate(name: str, ask: Ask, options: Mapping[str, str | None]) -> None:
    from raif.evaluation import runner
    from raif.suites import suite as find

    suite = find(name, **{key: value for key, value in options.items() if value is not None})
    _check(ask, suite)
    items = runner.spread(suite.load(_data(ask, suite)), ask.limit)
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


def _refuse(suite: str, names: list[str]) -> None:
    if names:
        raise RaifError(f"suite {suite} takes no --{names[0].replace('_', '-')}; leave it out.")


def _data(ask: Ask, suite: Suite) -> str:
    if not (ask.data or suite.home):
        raise RaifError(f"suite {suite.name} needs --data, a folder or file.")
    return ask.data or suite.home


def _check(ask: Ask, suite: Suite) -> None:
    """Refuse options that do not go together before anything is loaded."""
    if ask.arm is not None and ask.arm not in suite.arms:
        raise RaifError(f"suite {suite.name} has no arm {ask.arm!r}; it has: {', '.join(suite.arms)}.")
    if ask.unconstrained is not None and len(suite.arms) < 2:
        raise RaifError(f"--unconstrained is for mathif; suite {suite.name} has no prompts without constraints.")
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


def check_files(ask: Ask) -> None:
    """Refuse a file to be written that is a folder or is read, and what does not go with writing prompts."""
    read = [Path(path).resolve() for path in (ask.data, ask.responses, ask.unconstrained) if path]
    for option, path in (("--json", ask.json_file), ("--export-prompts", ask.export_prompts)):
        if path is not None and path.is_dir():
            raise RaifError(f"{option} {path} is a folder; name a file in it, for example {path / 'out.json'}.")
        if path is not None and path.resolve() in read:
            raise RaifError(f"{option} {path} is a file that is read here, and would be lost; name another file.")
    given = {"model": ask.model, "responses": ask.responses, "json": ask.json_file, "out": ask.out}
    if ask.export_prompts and (unused := [f"--{name}" for name, value in given.items() if value is not None]):
        raise RaifError(f"--export-prompts only writes prompts, and takes no {', '.join(unused)}; leave it out.")


def _check_drawing(ask: Ask, suite: Suite) -> None:
    """Refuse options of drawing where stored responses are read, and sampling settings that draw nothing."""
    from raif.generation.run import check_sampling

    if ask.responses is None:
        check_sampling(_sampling(ask, suite))
        return
    names = [name for name, default in DRAWING.items() if getattr(ask, name) != default]
    if names:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in names)
        raise RaifError(f"--responses are read as they are, nothing is drawn; leave out {options}.")
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

    generator = open_asked(
        ask.backend, ask.model, ask.batch_size, base_url=ask.base_url, api_key_env=ask.api_key_env,
        tokenizer=ask.tokenizer, continuous=ask.continuous,
    )  # fmt: skip
    arms = (ask.arm,) if ask.arm else suite.arms
    sampling = _sampling(ask, suite)
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


def _sampling(ask: Ask, suite: Suite) -> Sampling:
    from raif.generation import Sampling

    top_p = suite.top_p if ask.top_p is None else ask.top_p
    temperature = 1.0 if ask.temperature is None else ask.temperature
    return Sampling(int(ask.cap or 0), temperature, top_p, ask.seed, ask.batch_size)


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
