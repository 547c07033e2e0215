"""`raif evaluate SUITE`: draw completions, or read stored ones, and measure them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.drawing import open_asked
from raif.commands.outcome import check_wandb, plot_and_log, stoppable
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
    suite: Annotated[str, typer.Argument(help="mathif, ifeval, ifbench, instructions or sustain.")],
    data: Annotated[
        str | None,
        typer.Option(
            help="Folder or file; by default the benchmark's place on the hub. sustain: SET or SET=PLACE, by commas."
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
    temperature: Annotated[float | None, typer.Option(min=0, help="0 is greedy; by default 1, for sustain 0.")] = None,
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
    placement: Annotated[str | None, typer.Option(help="sustain: suffix, prefix, solve_first or stepwise.")] = None,
    doses: Annotated[str | None, typer.Option(help="sustain: constraints at once; by default 1,2,3,5,8.")] = None,
    constraints: Annotated[int | None, typer.Option(help="sustain: constraints tried singly, by default 1.")] = None,
    qa_score: Annotated[str | None, typer.Option(help="sustain: em or f1, for questions.")] = None,
    tau: Annotated[float | None, typer.Option(help="sustain: the score from which a task is solved.")] = None,
    recompute: Annotated[Path | None, typer.Option(help="sustain: judge a finished folder again, no model.")] = None,
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

    To judge stored ones: raif evaluate ifeval --data FILE --responses FILE --json FILE
    """
    ask = Ask(
        data, model, out, cap, backend, base_url, api_key_env, tokenizer, continuous, samples, temperature, top_p,
        seed, batch_size, system_prompt, limit, arm, export_prompts, responses, unconstrained, json_file, wandb,
    )  # fmt: skip
    theirs = {"protocol": protocol, "split": split, "ceiling": ceiling}
    own = {"placement": placement, "doses": doses, "constraints": constraints, "qa_score": qa_score, "tau": tau}
    given = [name for name, value in {**theirs, **own}.items() if value is not None]
    if suite == SUSTAIN:
        _refuse(suite, [name for name in given if name in theirs])
        evaluate_sustain(ask, own, recompute)
        return
    _refuse(suite, [*(name for name in given if name in own), *(["recompute"] if recompute else [])])
    _evaluate(suite, ask, theirs)


# ---- parts --------------------------------------------------------------------------------------------------------


def _evaluate(name: str, ask: Ask, options: Mapping[str, str | None]) -> None:
    from raif.evaluation import runner
    from raif.suites import SUITES
    from raif.suites import suite as find

    if name not in SUITES:
        raise unknown_name("suite", name, (*SUITES, SUSTAIN), "Choose one of them.")
    suite = find(name, **{key: value for key, value in options.items() if value is not None})
    _check(ask, suite)
    items = runner.spread(suite.load(_data(ask, suite)), ask.limit)
    if ask.export_prompts:
        count = runner.export_prompts(suite, items, ask.export_prompts, ask.arm)
        _say(
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
    if empty := sum(not rollout.completion.strip() for rollout in rollouts):
        _say(f"{empty} of {len(rollouts)} completions are empty; look at what the model or its server says", "yellow")
    if ask.json_file:
        runner.export_json(suite, metrics, rollouts, ask.json_file)
        _say(f"wrote {ask.json_file}")
    if ask.out:
        _say(f"wrote {ask.out}; `raif report {ask.out}` makes a page of it")
        _plot(ask)
    elif not ask.json_file:
        _say("nothing was kept; --out FOLDER or --json FILE keeps metrics and verdicts")


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
    _check_files(ask)
    if ask.export_prompts:
        given = {"model": ask.model, "responses": ask.responses, "json": ask.json_file, "out": ask.out}
        if unused := [f"--{name}" for name, value in given.items() if value is not None]:
            raise RaifError(f"--export-prompts only writes prompts, and takes no {', '.join(unused)}; leave it out.")
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


def _check_files(ask: Ask) -> None:
    """Refuse a file to be written that is a folder, or one of those that are read."""
    read = [Path(path).resolve() for path in (ask.data, ask.responses, ask.unconstrained) if path]
    for option, path in (("--json", ask.json_file), ("--export-prompts", ask.export_prompts)):
        if path is not None and path.is_dir():
            raise RaifError(f"{option} {path} is a folder; name a file in it, for example {path / 'out.json'}.")
        if path is not None and path.resolve() in read:
            raise RaifError(f"{option} {path} is a file that is read here, and would be lost; name another file.")


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
            _say(sentence, style="yellow")
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
            stoppable(_say),
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


def _plot(ask: Ask) -> None:
    plot_and_log(_folder(ask), ask.wandb, _say)


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the main figures, parity and strict side by side, and what the response `.` scores."""
    profiles = [name for name in ("parity", "strict") if name in metrics]
    table = Table("metric", *profiles, "floor", title=f"{metrics['suite']}, {metrics['n']} items")
    for name in (key for key in metrics[profiles[0]] if f"{key}_ci" in metrics[profiles[0]]):
        floor = " / ".join(_percent(metrics["floor"][profile][name], None) for profile in profiles)
        table.add_row(name, *(_cell(metrics[profile], name) for profile in profiles), floor)
    for name in ("correct", "correct_unconstrained", "correct_change", "correct_and_followed", "truncated"):
        if (found := metrics.get(name)) and found["value"] is not None:
            interval = None if found["low"] is None else [found["low"], found["high"]]
            table.add_row(name, *[""] * (len(profiles) - 1), _percent(found["value"], interval), "")
    console.print(table)
    if metrics["unsatisfiable"]:
        _say(f"no response meets: {', '.join(metrics['unsatisfiable'])}")


def _cell(profile: Mapping[str, Any], name: str) -> str:
    return "" if profile[name] is None else _percent(profile[name], profile[f"{name}_ci"])


def _percent(value: float | None, interval: Any) -> str:
    if value is None:
        return ""
    text = f"{100 * value:.2f}"
    return text if interval is None else f"{text} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _say(text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
