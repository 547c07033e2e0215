"""`raif evaluate sustain`: what following a constraint costs the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from raif.commands.drawing import open_asked
from raif.commands.outcome import check_wandb, plot_and_log, say, stoppable
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.commands.evaluate import Ask
    from raif.generation import Generator, Sampling

console = Console()
SUITE = "sustain"
_NOT_TAKEN = ("arm", "unconstrained", "export_prompts", "json_file")
_OF_RESPONSES = ("samples", "seed", "system_prompt")  # they decide which prompts are written
_ROWS = ("accuracy", "sustain", "retest", "placebo", "net", "relative", "comply", "comply_unasked", "delta_acc")


def evaluate_sustain(ask: Ask, options: Mapping[str, Any], recompute: Path | None) -> None:
    """Run `raif evaluate sustain`, or judge a finished folder of it again."""
    if recompute is not None:
        _recompute(recompute, ask, options)
        return
    from raif.generation.run import check_sampling
    from raif.sustain.settings import parse_settings
    from raif.sustain.tasks import load_tasks

    out = _check(ask)
    settings = parse_settings({"seed": ask.seed, **{key: value for key, value in options.items() if value is not None}})
    sampling = _sampling(ask)
    check_sampling(sampling)
    if ask.wandb:
        check_wandb()
    left_out = Counter[str]()
    tasks = load_tasks(str(ask.data), ask.limit, left_out)
    for reason, number in sorted(left_out.items()):
        say(f"{number} rows left out: {reason}")
    metrics = _draw(ask, tasks, sampling, out, settings)
    _show(metrics, out, ask.wandb)


# ---- parts --------------------------------------------------------------------------------------------------------


def _check(ask: Ask) -> Path:
    """Refuse what does not go together, before anything is loaded."""
    if unused := [name for name in _given(ask) if name in _NOT_TAKEN]:
        raise RaifError(
            f"suite sustain takes no {_options(unused)}; leave it out. Its folder holds items, rollouts and metrics."
        )
    if ask.data is None:
        raise RaifError(
            "suite sustain needs --data: task sets joined by commas, such as gsm8k=test.jsonl,multi_hop,humaneval."
        )
    if (not ask.model) == (ask.responses is None):  # a name may be empty: that of a shell's variable that is not set
        raise RaifError("give either --model, or --responses with what a model said to the prompts written for it.")
    if ask.out is None:
        raise RaifError("suite sustain needs --out, the folder that keeps prompts, completions and verdicts.")
    if ask.model is not None and ask.cap is None:
        raise RaifError("--model needs --cap, the maximum of completion tokens, the same in every arm.")
    if ask.responses is not None and (unused := [name for name in _given(ask) if name in _drawing()]):
        raise RaifError(f"--responses are read as they are, nothing is drawn; leave out {_options(unused)}.")
    return ask.out


def _given(ask: Ask) -> list[str]:
    """Return the options that are not at their defaults."""
    from raif.commands.evaluate import DRAWING

    defaults = {**dict.fromkeys(ask._fields), **DRAWING, "limit": 0}
    return [name for name, value in ask._asdict().items() if value != defaults[name]]


def _drawing() -> list[str]:
    from raif.commands.evaluate import DRAWING

    return [name for name in DRAWING if name not in _OF_RESPONSES]


def _options(names: Iterable[str]) -> str:
    return ", ".join("--json" if name == "json_file" else f"--{name.replace('_', '-')}" for name in names)


def _sampling(ask: Ask) -> Sampling:
    from raif.generation import Sampling

    temperature = 0.0 if ask.temperature is None else ask.temperature
    return Sampling(ask.cap or 1, temperature, 1.0 if ask.top_p is None else ask.top_p, ask.seed, ask.batch_size)


def _draw(ask: Ask, tasks: Any, sampling: Sampling, out: Path, settings: Any) -> dict[str, Any]:
    from raif.generation.progress import generation_progress
    from raif.sustain.runner import completions_at_most, sustain

    generator = _open(ask, out)
    total = completions_at_most(len(tasks), settings, ask.samples)
    try:
        with stoppable(say), generation_progress(console, SUITE, total) as progress:
            return sustain(
                tasks, generator, sampling, out, settings,
                samples=ask.samples, system_prompt=ask.system_prompt, progress=progress,
            )  # fmt: skip
    finally:
        generator.close()


def _open(ask: Ask, out: Path) -> Generator:
    if ask.responses is not None:
        from raif.sustain.replies import Replies

        return Replies(ask.responses, out)
    return open_asked(
        ask.backend, ask.model, ask.batch_size, base_url=ask.base_url, api_key_env=ask.api_key_env,
        tokenizer=ask.tokenizer, continuous=ask.continuous,
    )  # fmt: skip


def _recompute(folder: Path, ask: Ask, options: Mapping[str, Any]) -> None:
    from raif.sustain.runner import recompute

    given = [name for name in _given(ask) if name != "wandb"]
    given += [name for name, value in options.items() if value is not None]
    if given:
        raise RaifError(f"--recompute judges the files of a finished folder as they are; leave out {_options(given)}.")
    if ask.wandb:
        check_wandb()
    metrics, changes = recompute(folder)
    _show(metrics, folder, ask.wandb)
    for change in changes:
        say(change)
    if not changes:
        say("every verdict and every figure is as it was")


def _show(metrics: Mapping[str, Any], out: Path, wandb: str | None) -> None:
    from raif.sustain.runner import load_sustain

    for domain, record in metrics["domains"].items():
        console.print(_table(domain, record))
        say(f"{domain}: {record['net']['power']}")
        for remark in _remarks(record, metrics["settings"]["sustain"]["doses"]):
            say(f"{domain}: {remark}")
    completions = [rollout.completion for rollout in load_sustain(out)[2]]
    if empty := sum(not text.strip() for text in completions):
        say(f"{empty} of {len(completions)} completions are empty; look at what the model or its server says")
    say(f"wrote {out}; `raif report {out}` makes a page of it")
    plot_and_log(out, wandb, say)


def _remarks(record: Mapping[str, Any], doses: Iterable[int]) -> Iterator[str]:
    """Say which items the score is not about, and what probably went wrong."""
    if record["left_out"]:
        counts = ", ".join(f"{count} {reason}" for reason, count in record["left_out"].items())
        yield f"items without a score: {counts}"
    if count := record["left_out"].get("truncated"):
        yield f"{count} of {record['n']} first outputs were cut off, which counts as wrong; a larger --cap helps"
    if record["failed"]:
        yield f"on {record['failed']} items a scorer or checker failed; they count nowhere, items.jsonl says why"
    reached = {each["dose"] for each in record["doses"] if each["n"]}
    if reached and (beyond := [str(dose) for dose in doses if dose not in reached]):
        yield f"no item has constraints enough for dose {', '.join(beyond)}"


def _table(domain: str, record: Mapping[str, Any]) -> Table:
    """Return the main figures of a domain, in per cent, with their intervals."""
    title = f"SUSTAIN, {domain}: {record['n_dplus']} of {record['n_solved']} solved items of {record['n']}"
    table = Table("", "per cent", "items", title=title)
    for name in _ROWS:
        estimate = record[name]["estimate"] if name == "net" else record[name]
        table.add_row(name, _cell(estimate), str(estimate["n"]))
    return table


def _cell(estimate: Mapping[str, Any]) -> str:
    from raif.evaluation.comparison import cell

    return cell(estimate) or "too few"
