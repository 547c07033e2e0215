"""`raif evaluate suite`: the benchmarks of the RAIF table, IFBench and MathIF, in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer import Option

from raif.commands.options import GreedyDrawing, Judging, grouped
from raif.commands.outcome import say, stoppable
from raif.commands.questions import check_drawing, check_mode
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.benchmarks.combined import Drawing, Part
    from raif.benchmarks.referee import Referee
    from raif.generation import Generator

console = Console()
SUITE = "suite"
_WIDE = 100  # columns of a terminal from which truncation is shown too; table.md has it always


@dataclass(frozen=True, kw_only=True)
class Ask(GreedyDrawing, Judging):
    """What a run of several benchmarks is asked."""

    data: Annotated[
        str | None, Option(help="A folder with a folder for each benchmark, or BENCHMARK=PLACE, by commas.")
    ] = None
    out: Annotated[
        Path | None, Option(help="A folder with a folder for each benchmark; the same command goes on after a kill.")
    ] = None
    limit: Annotated[int, Option(min=0, help="At most N items of each, evenly spaced; 0 for all.")] = 0
    only: Annotated[str | None, Option(help="These benchmarks, by commas; by default all.")] = None
    skip_missing: Annotated[
        bool, Option("--skip-missing", help="Go on without benchmarks whose data are not there.")
    ] = False
    top_p: Annotated[float | None, Option(min=0, max=1, help="Nucleus; by default 1, MathIF's is 0.95.")] = None


@grouped
def suite(ask: Ask) -> None:
    """All of the RAIF table, IFBench and MathIF, with one model and one judge.

    raif evaluate suite --data DIR --model MODEL --cap 4096 --judge JUDGE@ADDRESS --out FOLDER
    """
    from raif.benchmarks.combined import bind, places, prepare, run

    out = _check(ask)
    drawing = _drawing(ask)
    check_drawing(ask)
    referee = _referee(ask)
    parts, absent = prepare(
        places(ask.data, ask.only), out, _asked(ask, referee), ask.limit, skip_missing=ask.skip_missing
    )
    for name, why in absent.items():
        say(f"{name} is left out: {why}", "yellow")
    generator = ask.open()
    try:
        settings = _settings(ask, referee, generator, drawing, parts)
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


def _check(ask: Ask) -> Path:
    """Refuse what does not go together, before anything is loaded."""
    check_mode(ask)
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
    from raif.benchmarks.combined import Drawing

    return Drawing(ask.sampling()._replace(top_p=1.0), ask.top_p, ask.samples, ask.system_prompt)


def _referee(ask: Ask) -> Referee | None:
    from raif.benchmarks.referee import Referee, read_judge

    return Referee(read_judge(ask.judge)) if ask.judge else None


def _asked(ask: Ask, referee: Referee | None) -> Any:
    from raif.benchmarks.combined import Asked

    mode = ask.judge_mode or "benchmark"
    return Asked(referee, ask.official, mode, ask.judge_prompts, ask.consistency or 0, _bar)


def _settings(
    ask: Ask, referee: Referee | None, generator: Generator, drawing: Drawing, parts: list[Part]
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
        "judge_mode": ask.judge_mode or "benchmark",
        "official": ask.official,
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
