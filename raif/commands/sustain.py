"""`raif evaluate sustain`: what following a constraint costs the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console
from rich.table import Table
from typer import Option

from raif.commands.options import BatchedDrawing, GreedyDrawing, given, grouped
from raif.commands.outcome import check_wandb, plot_and_log, say, stoppable
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.generation import Generator, Sampling

console = Console()
SUITE = "sustain"
_OF_RESPONSES = ("samples", "seed", "system_prompt")  # they decide which prompts are written
_ROWS = ("accuracy", "sustain", "retest", "placebo", "net", "relative", "comply", "comply_unasked", "delta_acc")


@dataclass(frozen=True, kw_only=True)
class Sustaining:
    """How constraints are put to the test."""

    placement: Annotated[str | None, Option(help="suffix, prefix, solve_first or stepwise.")] = None
    doses: Annotated[str | None, Option(help="Constraints at once; by default 1,2,3,5,8.")] = None
    constraints: Annotated[int | None, Option(help="Constraints tried singly; by default 1.")] = None
    qa_score: Annotated[str | None, Option(help="em or f1, for questions.")] = None
    tau: Annotated[float | None, Option(help="The score from which a task is solved.")] = None

    def settings(self) -> dict[str, Any]:
        """Return what was asked for, without what is left to the defaults."""
        asked = {field.name: getattr(self, field.name) for field in fields(Sustaining)}
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Ask(GreedyDrawing, Sustaining):
    """What `raif evaluate sustain` is asked."""

    data: Annotated[str | None, Option(help="Task sets: SET or SET=PLACE, by commas.")] = None
    out: Annotated[Path | None, Option(help="Evaluation folder; the same command goes on after a kill.")] = None
    limit: Annotated[int, Option(min=0, help="At most N tasks of a set, evenly spaced; 0 for all.")] = 0
    responses: Annotated[
        Path | None, Option(help="Stored responses instead of a model (id, response), in two passes.")
    ] = None
    recompute: Annotated[Path | None, Option(help="Judge a finished folder again, without a model.")] = None
    wandb: Annotated[str | None, Option(help="Log tables and plots to this project of wandb.")] = None


@grouped
def sustain(ask: Ask) -> None:
    """What following a constraint costs the task that was solved without it.

    raif evaluate sustain --data gsm8k=FILE,multi_hop --model MODEL --cap 4096 --out FOLDER
    """
    if ask.recompute is not None:
        _recompute(ask.recompute, ask)
        return
    from raif.sustain.settings import parse_settings
    from raif.sustain.tasks import load_tasks

    out = _check(ask)
    settings = parse_settings({"seed": ask.seed, **ask.settings()})
    sampling = ask.sampling()
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
    if ask.responses is not None and (unused := given(ask, BatchedDrawing, but=_OF_RESPONSES)):
        raise RaifError(f"--responses are read as they are, nothing is drawn; leave out {', '.join(unused)}.")
    return ask.out


def _draw(ask: Ask, tasks: Any, sampling: Sampling, out: Path, settings: Any) -> dict[str, Any]:
    from raif.generation.progress import generation_progress
    from raif.sustain.runner import completions_at_most
    from raif.sustain.runner import sustain as run

    generator = _open(ask, out)
    total = completions_at_most(len(tasks), settings, ask.samples)
    try:
        with stoppable(say), generation_progress(console, SUITE, total) as progress:
            return run(
                tasks, generator, sampling, out, settings,
                samples=ask.samples, system_prompt=ask.system_prompt, progress=progress,
            )  # fmt: skip
    finally:
        generator.close()


def _open(ask: Ask, out: Path) -> Generator:
    if ask.responses is not None:
        from raif.sustain.replies import Replies

        return Replies(ask.responses, out)
    return ask.open()


def _recompute(folder: Path, ask: Ask) -> None:
    from raif.sustain.runner import recompute

    if unused := given(ask, but=("recompute", "wandb")):
        raise RaifError(
            f"--recompute judges the files of a finished folder as they are; leave out {', '.join(unused)}."
        )
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
