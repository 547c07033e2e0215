"""`raif evaluate suite`: the benchmarks of the RAIF table, IFBench and MathIF, in one run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from raif.commands.drawing import open_asked
from raif.commands.outcome import say, stoppable
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from raif.benchmarks.combined import Drawing, Part
    from raif.benchmarks.referee import Referee
    from raif.commands.evaluate import Ask
    from raif.commands.questions import JudgeAsk
    from raif.generation import Generator

console = Console()
SUITE = "suite"
_WIDE = 100  # columns of a terminal from which truncation is shown too; table.md has it always
_NOT_TAKEN = ("arm", "unconstrained", "export_prompts", "json_file", "responses", "wandb")
_JUDGING = ("judge", "judge_mode", "judge_prompts", "official", "consistency")


def evaluate_suite(ask: Ask, judge: JudgeAsk, only: str | None = None, skip_missing: bool = False) -> None:
    """Run every benchmark that is asked for with one model and one judge, and show the table.

    Args:
        only: names of benchmarks, by commas; by default all, or those that --data names.
        skip_missing: go on without benchmarks whose data are not there.
    """
    from raif.benchmarks.combined import bind, places, prepare, run
    from raif.commands.questions import check_drawing

    out = _check(ask, judge)
    drawing = _drawing(ask)
    check_drawing(ask, drawing.sampling._replace(top_p=1.0 if ask.top_p is None else ask.top_p))
    referee = _referee(judge)
    parts, absent = prepare(places(ask.data, only), out, _asked(judge, referee), ask.limit, skip_missing=skip_missing)
    for name, why in absent.items():
        say(f"{name} is left out: {why}", "yellow")
    generator = open_asked(
        ask.backend, ask.model, ask.batch_size, base_url=ask.base_url, api_key_env=ask.api_key_env,
        tokenizer=ask.tokenizer, continuous=ask.continuous,
    )  # fmt: skip
    try:
        settings = _settings(ask, judge, referee, generator, drawing, parts)
        bind(out, settings)
        _probe(referee, parts, out)
        with stoppable(say):
            failed = run(parts, generator, drawing, out, _bar, _failing)
    finally:
        generator.close()
        if referee is not None:
            referee.close()
    _finish(parts, settings, absent, failed, out)


# ---- parts --------------------------------------------------------------------------------------------------------


def _check(ask: Ask, judge: JudgeAsk) -> Path:
    """Refuse what does not go together, before anything is loaded."""
    from raif.benchmarks.suite import MODES

    given = [name for name in _NOT_TAKEN if getattr(ask, name) is not None]
    given += [name for name in judge._fields if name not in _JUDGING and getattr(judge, name) is not None]
    if given:
        raise RaifError(
            f"raif evaluate suite takes no --{given[0].removesuffix('_file').replace('_', '-')}; leave it out."
        )
    if judge.judge_mode is not None and judge.judge_mode not in MODES:
        raise unknown_name("judge mode", judge.judge_mode, MODES, "Choose one of them.")
    if not ask.model:
        raise RaifError("raif evaluate suite needs --model; stored answers are judged benchmark by benchmark.")
    if ask.out is None:
        raise RaifError(
            "raif evaluate suite needs --out, the folder that keeps what was drawn and what the judge said."
        )
    if ask.cap is None:
        raise RaifError("--model needs --cap, the maximum of completion tokens, the same in every benchmark.")
    return ask.out


def _drawing(ask: Ask) -> Drawing:
    """Return how completions are drawn: greedily by default, as the table of RAIF (arXiv 2506.01413, A.5.3)."""
    from raif.benchmarks.combined import Drawing
    from raif.generation import Sampling

    sampling = Sampling(int(ask.cap or 0), ask.temperature or 0.0, 1.0, ask.seed, ask.batch_size)
    return Drawing(sampling, ask.top_p, ask.samples, ask.system_prompt)


def _referee(judge: JudgeAsk) -> Referee | None:
    from raif.benchmarks.referee import Referee, read_judge

    return Referee(read_judge(judge.judge)) if judge.judge else None


def _asked(judge: JudgeAsk, referee: Referee | None) -> Any:
    from raif.benchmarks.combined import Asked

    mode = judge.judge_mode or "benchmark"
    return Asked(referee, judge.official, mode, judge.judge_prompts, judge.consistency or 0, _bar)


def _settings(
    ask: Ask, judge: JudgeAsk, referee: Referee | None, generator: Generator, drawing: Drawing, parts: list[Part]
) -> dict[str, Any]:
    """Return what the folder is bound to, and what else a reader should know."""
    return {
        "suite": SUITE,
        "benchmarks": [part.name for part in parts],
        "data": ask.data,
        "limit": ask.limit,
        "samples": drawing.samples,
        "sampling": {**drawing.sampling._asdict(), "top_p": drawing.top_p},
        "system_prompt": drawing.system_prompt,
        "generator": generator.identity(),
        "judge": referee.identity() if referee else None,
        "judge_mode": judge.judge_mode or "benchmark",
        "official": judge.official,
    }


def _probe(referee: Referee | None, parts: list[Part], out: Path) -> None:
    """See that the judge answers before hours of drawing, unless it has nothing left to do."""
    from raif.evaluation.runner import METRICS

    if referee is not None and any(part.judged and not (out / part.name / METRICS).is_file() for part in parts):
        referee.probe()


def _bar(name: str, total: int) -> Any:
    from raif.generation.progress import generation_progress

    return generation_progress(console, name, total)


def _failing(name: str, message: str) -> None:
    say(f"{name} has failed: {message}", "red")


def _finish(
    parts: list[Part], settings: Mapping[str, Any], absent: Mapping[str, str], failed: Mapping[str, str], out: Path
) -> None:
    """Write and show the table; end with exit code 1 if a benchmark has failed."""
    from raif.benchmarks.table import make_table, remarks

    finished = [(part.name, part.suite) for part in parts if part.name not in failed]
    if finished:
        table = make_table(out, finished, settings, absent, failed)
        console.print(_shown(table))
        for sentence in remarks(table):
            say(sentence)
        _plot(table, out)
        say(f"wrote {out}; `raif report {out}` makes a page of it")
    if failed:
        say(
            f"{len(failed)} of {len(parts)} benchmarks have failed: {', '.join(failed)}; the same command goes on",
            "red",
        )
        raise typer.Exit(1)


def _shown(table: Mapping[str, Any]) -> Table:
    """Return the table for a terminal: a line for each benchmark, and the mean of the paper's after its seven."""
    from raif.benchmarks.table import DETAILS, OF_RAIF, details, mean_cells

    columns = 6 if console.width >= _WIDE else 5
    shown = Table(*DETAILS[:columns], title=f"{table['model']}, per cent")
    split = sum(row["name"] in OF_RAIF for row in table["rows"])
    for number, row in enumerate(table["rows"], 1):
        shown.add_row(*details(row)[:columns], end_section=number == split)
        if number == split:
            shown.add_row(*mean_cells(table["average"])[:columns], end_section=True)
    return shown


def _plot(table: Mapping[str, Any], out: Path) -> None:
    try:
        from raif.plots.style import save
        from raif.plots.suite import suite_figure
    except RaifError as error:
        say(str(error))
        return
    figure = suite_figure({str(table["model"]): table})
    if figure.figure is not None:
        save(figure, out / "plots" / figure.name)
