"""`raif evaluate complexbench | followbench | cfbench | fbbench | infobench | cello`: questions about each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console
from rich.table import Table
from typer import Option

from raif.commands.checked import Files, check_files
from raif.commands.options import BatchedDrawing, GreedyDrawing, Judging, given, grouped
from raif.commands.outcome import check_wandb, conclude, say, stoppable
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from raif.benchmarks.items import QuestionItem
    from raif.benchmarks.protocol import Benchmark, Stored
    from raif.benchmarks.referee import Referee
    from raif.benchmarks.suite import QuestionSuite
    from raif.generation.replay import Responses

console = Console()
BENCHMARKS = {
    "complexbench": "ComplexBench: instructions of composed constraints; rules and a judge, with dependencies.",
    "followbench": "FollowBench: one constraint more at every level; rules and a judge.",
    "cfbench": "CFBench: criteria from the users' point of view; a judge.",
    "fbbench": "FB-Bench: second answers after feedback; a judge with checklists.",
    "infobench": "InfoBench: decomposed questions about every answer; a judge.",
    "cello": "CELLO: complex instructions over long inputs; rules alone, no judge.",
}
Bar = Callable[[str, int], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True, kw_only=True)
class Ask(GreedyDrawing, Files, Judging):
    """What a benchmark of questions is asked."""

    language: Annotated[str | None, Option(help="complexbench: zh or en; followbench: en, zh or both.")] = None
    replay_verdicts: Annotated[Path | None, Option(help="Read published verdicts, or those of a finished folder.")] = (
        None
    )


def command(name: str) -> Callable[..., None]:
    """Return the command of a benchmark, by its name or by the path of its module."""

    def evaluate(ask: Ask) -> None:
        evaluate_questions(name, ask)

    judge = "" if name == "cello" else " --judge JUDGE@ADDRESS"
    usage = f"raif evaluate {name} --data PLACE --model MODEL --cap 4096{judge} --out FOLDER"
    evaluate.__doc__ = f"{BENCHMARKS.get(name, name)}\n\n{usage}"
    return grouped(evaluate)


def evaluate_questions(name: str, ask: Ask) -> None:
    """Evaluate on one benchmark: draw and judge, judge stored answers, or read stored verdicts."""
    from raif.benchmarks import benchmark as find
    from raif.benchmarks.suite import QuestionSuite
    from raif.evaluation import runner

    benchmark = find(name)
    _check(benchmark, ask)
    unjudged = QuestionSuite(benchmark, language=ask.language or "")
    loaded = unjudged.load(ask.data or benchmark.home)
    items: list[Any] = runner.spread_problems(loaded, ask.limit)
    if ask.export_prompts:
        count = runner.export_prompts(unjudged, items, ask.export_prompts)
        say(f"wrote {count} prompts to {ask.export_prompts}; --responses FILE reads JSON lines of `id` and `response`")
        return
    metrics, rollouts = _measure(benchmark, items, loaded, ask)
    show(metrics)
    conclude(unjudged, metrics, rollouts, ask.out, ask.json_file, ask.wandb)


def _open_referee(spec: str, out: Path | None) -> Referee:
    """Open the judge that `--judge` names, and see that it answers, unless its work in the folder may be done."""
    from raif.benchmarks.referee import Referee, read_judge
    from raif.evaluation.runner import METRICS

    referee = Referee(read_judge(spec))
    if out is None or not (out / METRICS).is_file():
        referee.probe()
    return referee


@contextmanager
def judging_bar(name: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show how many replies of the judge have come."""
    from raif.generation.progress import generation_progress

    with generation_progress(console, name, total, transient=True) as progress:
        yield progress


def show(metrics: Mapping[str, Any]) -> None:
    """Print the figures of both profiles, and what a reader must know about the judge."""
    from raif.evaluation.comparison import with_interval

    first = metrics["headline"]["profile"]
    profiles = [first, *(profile for profile in ("strict", "parity") if profile != first)]
    table = Table("figure", *profiles, "n", title=f"{metrics['title']}, {metrics['edition']}")
    for name, title, percent in metrics["figures"]:
        if any(metrics[profile][name] is not None for profile in profiles):
            cells = [with_interval(metrics[p][name], metrics[p][f"{name}_ci"], percent) for p in profiles]
            table.add_row(title, *cells, str(metrics[first][f"{name}_n"]))
    if (found := metrics["truncated"]) and found["value"] is not None:
        table.add_row("truncated", f"{100 * found['value']:.2f}", "", "")
    console.print(table)
    for sentence in remarks(metrics):
        say(sentence, "yellow")


def remarks(metrics: Mapping[str, Any]) -> list[str]:
    """Say in sentences what limits the figures."""
    judge = metrics["judge"] or {}
    said = _asked_how(metrics["settings"]["options"], judge) if judge else []
    if judge.get("unreadable"):
        said.append(
            f"{judge['unreadable']} of {judge['verdicts']} verdicts of {judge['name']} could not be read; strict "
            "counts them as no"
        )
    for key, what in (("agreement", "the stored verdicts"), ("consistency", "itself, asked again")):
        if (found := judge.get(key)) and found["agreement"] is not None:
            kappa = "" if found["kappa"] is None else f", kappa {found['kappa']:.2f}"
            share = f"{100 * found['agreement']:.1f} % of {found['decided']} questions"
            said.append(f"the judge agrees with {what} on {share}{kappa}")
    if judge.get("warning"):
        said.append(judge["warning"])
    for answers in (metrics["settings"].get("responses") or {}).values():
        if answers["missing"]:
            said.append(f"{len(answers['missing'])} items have no stored answer, and are left out of every figure")
    if metrics["no_answer"]:
        said.append(f"{metrics['no_answer']} completions hold no answer, and score 0")
    return [*said, *([metrics["note"]] if metrics.get("note") else [])]


def _asked_how(options: Mapping[str, Any], judge: Mapping[str, Any]) -> list[str]:
    """Say who judged, and with whose words."""
    if options["verdicts"]:
        return []
    if judge["mode"] == "question":
        return [f"judged by {judge['name']}, question by question with our prompt: no published figure was made so"]
    words = "the prompt texts given" if options["prompts"] else "prompt texts of ours, not the benchmark's own"
    return [f"judged by {judge['name']} with {words}"]


# ---- parts --------------------------------------------------------------------------------------------------------


def _check(benchmark: Benchmark, ask: Ask) -> None:
    """Refuse options that do not go together before anything is loaded."""
    if not (ask.data or benchmark.home):
        raise RaifError(f"{benchmark.name} needs --data. {benchmark.where}")
    check_mode(ask)
    check_files(ask)
    if ask.export_prompts:
        return
    sources = {"--model": ask.model, "--responses": ask.responses, "--replay-verdicts": ask.replay_verdicts}
    chosen = [name for name, value in sources.items() if value is not None]
    if len(chosen) != 1:
        raise RaifError(
            "give one of --model (draw and judge), --responses (judge stored answers) and --replay-verdicts (read "
            f"stored verdicts); {'none' if not chosen else ' and '.join(chosen)} given."
        )
    if chosen != ["--model"] and (drawn := given(ask, BatchedDrawing)):
        raise RaifError(f"{chosen[0]} draws nothing; leave out {', '.join(drawn)}.")
    asks = benchmark.judged and chosen != ["--replay-verdicts"]
    if asks and ask.judge is None:
        raise RaifError(f"{benchmark.name} asks a judge; give --judge MODEL@ADDRESS, or a YAML file of judge settings.")
    if not asks and (unused := given(ask, Judging, but=("official",))):
        raise RaifError(f"no judge is asked here; leave out {', '.join(unused)}.")
    if (ask.model is not None or asks) and ask.out is None:
        raise RaifError("give --out, the folder that keeps what was drawn and what the judge said.")
    if ask.model is not None and ask.cap is None:
        raise RaifError("--model needs --cap, the maximum of completion tokens.")
    if ask.model is not None:
        check_drawing(ask)
    if ask.wandb:
        if ask.out is None:
            raise RaifError("--wandb logs an evaluation folder; give --out too.")
        check_wandb()


def check_mode(judging: Judging) -> None:
    """Refuse a way to ask that there is not."""
    from raif.benchmarks.suite import MODES

    if judging.judge_mode is not None and judging.judge_mode not in MODES:
        raise unknown_name("judge mode", judging.judge_mode, MODES, "Choose one of them.")


def check_drawing(ask: GreedyDrawing) -> None:
    """Refuse settings that draw nothing, or the same answer over and over."""
    if ask.sampling().temperature == 0 and ask.samples > 1:
        raise RaifError(f"{ask.samples} samples at temperature 0 are one answer again and again; give --temperature.")


def _measure(
    benchmark: Benchmark, items: list[QuestionItem], loaded: list[Any], ask: Ask
) -> tuple[dict[str, Any], list[Any]]:
    from raif.benchmarks.replaying import replay_verdicts
    from raif.evaluation import runner

    if ask.replay_verdicts is not None:
        return replay_verdicts(
            benchmark, items, ask.replay_verdicts, ask.out, official=ask.official, language=ask.language or "",
            known=loaded,
        )  # fmt: skip
    if ask.responses is not None:
        responses, stored = _answers(benchmark, items, loaded, ask.responses)
        reference = stored if stored and (stored.replies or stored.decided) else None
        suite = _suite(benchmark, ask, reference)
        with stoppable(say):
            return runner.replay(suite, items, {suite.arms[0]: responses}, ask.out)
    return _generate(benchmark, items, ask)


def _answers(
    benchmark: Benchmark, items: list[QuestionItem], loaded: list[Any], place: Path
) -> tuple[Responses, Stored | None]:
    """Read answers in our own form (id, response), or as the benchmark publishes them, then perhaps with verdicts."""
    from raif.benchmarks.loading import read_rows
    from raif.benchmarks.replaying import published, responses_of
    from raif.generation.replay import read_responses

    if not place.exists():
        raise RaifError(f"no answers at {place}; give JSON lines of id and response, or published answers.")
    if place.is_file() and {"id", "response"} <= read_rows(place)[0].keys():
        return read_responses(place, items), None
    stored = published(benchmark, loaded, place)
    return responses_of(stored, items, place), stored


def _suite(benchmark: Benchmark, ask: Ask, reference: Stored | None = None) -> QuestionSuite:
    from raif.benchmarks.referee import prompt_texts
    from raif.benchmarks.suite import QuestionSuite

    return QuestionSuite(
        benchmark,
        referee=_open_referee(ask.judge, ask.out) if ask.judge else None,
        folder=ask.out,
        official=ask.official,
        mode=ask.judge_mode or "benchmark",
        language=ask.language or "",
        prompts=prompt_texts(ask.judge_prompts) if ask.judge_prompts else None,
        reference=reference,
        consistency=ask.consistency or 0,
        progress=judging_bar,
    )


def _generate(benchmark: Benchmark, items: list[QuestionItem], ask: Ask) -> tuple[dict[str, Any], list[Any]]:
    from raif.benchmarks.replaying import load_questions
    from raif.evaluation import runner
    from raif.generation.progress import generation_progress

    suite = _suite(benchmark, ask)
    _tell_of_another_judge(Path(str(ask.out)), suite)
    generator = ask.open()
    suite.policy = generator.identity()
    out = Path(str(ask.out))
    try:
        with stoppable(say), generation_progress(console, benchmark.name, len(items) * ask.samples) as progress:
            runner.evaluate(
                suite, items, generator, ask.sampling(), out, samples=ask.samples,
                system_prompt=ask.system_prompt, progress=progress,
            )  # fmt: skip
    finally:
        generator.close()
        if suite.referee:
            suite.referee.close()
    metrics, rollouts = load_questions(out)
    return metrics, list(rollouts)


def _tell_of_another_judge(out: Path, suite: QuestionSuite) -> None:
    """Say that the figures of another judge are replaced; its replies stay."""
    from raif.evaluation.runner import METRICS
    from raif.json_files import read_record

    if not (out / METRICS).is_file() or suite.referee is None:
        return
    before = (read_record(out / METRICS).get("judge") or {}).get("name")
    if before and before != suite.referee.name:
        say(f"{out} was judged by {before}; its figures are replaced, its replies are kept", "yellow")
