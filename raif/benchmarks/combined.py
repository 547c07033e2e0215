"""Several benchmarks in one run: one model, one judge, one folder.

OUT/<benchmark>/ is an evaluation folder like any other, OUT/settings.json what the run is bound to, OUT/scores.jsonl
what the figures are made of (for comparisons of models), OUT/table.json and table.md the result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from raif.benchmarks import BENCHMARKS, benchmark
from raif.benchmarks.loading import locate
from raif.benchmarks.referee import Bar, Referee, prompt_texts
from raif.benchmarks.suite import QuestionSuite
from raif.benchmarks.table import ALL, TITLES
from raif.evaluation.records import Item
from raif.evaluation.runner import (
    METRICS,
    SETTINGS,
    binding,
    changed,
    evaluate,
    has_results,
    held_by_others,
    spread_problems,
)
from raif.generation import Generator, Sampling
from raif.json_files import read_record, write_whole
from raif.suites import suite as checked_suite
from raif.suites.protocol import Suite
from rewards.errors import RaifError, ServerLost, unknown_name

SUITE = "suite"
BOTH = "both"  # languages: the paper's number is over them all
#: Files of a benchmark's folder where others may lie beside them.
_FILES = {"ifeval": ("input_data.jsonl", "ifeval_input_data.jsonl"), "ifbench": ("IFBench_test.jsonl",)}
_NOT_BOUND = ("judge", "official", "judge_mode", "data", "benchmarks")  # they change verdicts, not what is drawn


class Part(NamedTuple):
    """A benchmark of the run, with its items."""

    name: str
    suite: Suite
    items: list[Item]

    @property
    def judged(self) -> bool:
        """Whether any question of it needs a judge."""
        return isinstance(self.suite, QuestionSuite) and self.suite.benchmark.judged


class Asked(NamedTuple):
    """How the judge is asked, by every benchmark alike.

    Fields:
        prompts: a folder in which BENCHMARK/judge_prompts holds the prompt texts of a benchmark, where it has any.
    """

    referee: Referee | None = None
    official: bool = False
    mode: str = "benchmark"
    prompts: Path | None = None
    consistency: int = 0
    progress: Bar | None = None


class Drawing(NamedTuple):
    """How the model is asked, by every benchmark alike; `top_p` None is each benchmark's own."""

    sampling: Sampling
    top_p: float | None = None
    samples: int = 1
    system_prompt: str | None = None

    def of(self, part: Part) -> Sampling:
        """Return how the completions of a part are drawn."""
        return self.sampling._replace(top_p=part.suite.top_p if self.top_p is None else self.top_p)


def places(data: str | None, only: str | None = None) -> dict[str, str | None]:
    """Return where the data of each benchmark that is asked for are: "" where the folder has none, None if nobody says.

    Args:
        data: a folder with a folder for each benchmark, or BENCHMARK=PLACE by commas, which names those that run.
        only: names of benchmarks, by commas; by default all.

    Example:
        >>> places("ifeval=a.jsonl,mathif=b")
        {'ifeval': 'a.jsonl', 'mathif': 'b'}
    """
    given: dict[str, str] = {}
    if data and "=" in data and not Path(data).exists():
        given = dict(_named(part) for part in data.split(",") if part.strip())
    chosen = [name.strip() for name in only.split(",") if name.strip()] if only else list(given or ALL)
    for name in [*given, *chosen]:
        if name not in ALL:
            raise unknown_name("benchmark", name, ALL, "Choose some of them.")
    if given or not data:
        return {name: given.get(name) for name in ALL if name in chosen}
    if not Path(data).is_dir():
        raise RaifError(
            f"no folder at {data}; give one with a folder for each benchmark, or BENCHMARK=PLACE by commas."
        )
    held = {name: Path(data) / name for name in ALL if name in chosen}
    return {name: str(place) if place.exists() else "" for name, place in held.items()}


def prepare(
    wanted: Mapping[str, str | None], out: Path, asked: Asked, limit: int = 0, *, skip_missing: bool = False
) -> tuple[list[Part], dict[str, str]]:
    """Load the items of every benchmark; return the parts of the run, and why others are absent.

    Args:
        wanted: see `places`.
        limit: at most so many items of each benchmark, evenly spaced; 0 for all.
        skip_missing: go on without benchmarks whose data cannot be read.

    Raises:
        RaifError: one message about all benchmarks that cannot run.
    """
    if asked.prompts and not any(_prompts_of(name, asked) for name in wanted):
        raise RaifError(f"{asked.prompts} holds no BENCHMARK/judge_prompts of these; leave out --judge-prompts.")
    parts, absent = [], {}
    for name, place in wanted.items():
        made = _open(name, out, asked)
        try:
            items = made.load(_place(name, place, made))
        except RaifError as error:
            absent[name] = str(error)
        else:
            parts.append(Part(name, made, spread_problems(items, limit)))
    if absent and not (skip_missing and parts):
        told = "\n".join(f"- {TITLES[name]}: {why}" for name, why in absent.items())
        raise RaifError(
            f"{len(absent)} of {len(wanted)} benchmarks have no data that can be read; nothing was drawn.\n{told}\n"
            f"--skip-missing runs the rest, or name it: --only {','.join(p.name for p in parts) or 'A,B'}."
        )
    if asked.referee is None and (unheard := [part.name for part in parts if part.judged]):
        rest = ",".join(part.name for part in parts if not part.judged)
        without = f", or leave them out: --only {rest}" if rest else ""
        raise RaifError(
            f"{', '.join(unheard)} ask a judge; give --judge MODEL@ADDRESS (or a YAML file of judge settings){without}."
        )
    return parts, absent


def run(
    parts: Sequence[Part],
    generator: Generator,
    drawing: Drawing,
    out: Path,
    showing: Bar,
    failing: Callable[[str, str], None],
) -> dict[str, str]:
    """Evaluate part after part; return the messages of those that failed, by name.

    A failed part does not keep the others from running, but a server that cannot be asked is not asked again. Whatever
    was drawn is kept, and a finished part is left as it is.

    Args:
        showing: shows the progress of a part, of a title and a number of completions.
        failing: told of each failure as it happens.
    """
    failed: dict[str, str] = {}
    lost: dict[str, str] = {}  # address of a server that cannot be asked -> the part that found out
    for part in parts:
        if isinstance(part.suite, QuestionSuite):
            part.suite.policy = generator.identity()
        answers = len(part.items) * drawing.samples
        try:
            _refuse_lost(part, generator, lost, out)
            with showing(TITLES[part.name], answers) as progress:
                evaluate(
                    part.suite, part.items, generator, drawing.of(part), out / part.name, samples=drawing.samples,
                    arms=part.suite.arms[:1], system_prompt=drawing.system_prompt, progress=progress,
                )  # fmt: skip
        except RaifError as error:
            failed[part.name] = str(error)
            failing(part.name, str(error))
            if isinstance(error, ServerLost):
                lost[error.address] = part.name
    return failed


def bind(out: Path, settings: Mapping[str, Any]) -> None:
    """Bind a folder to a run: what is drawn may not change; judge, profile, and which benchmarks run, may.

    Raises:
        RaifError: which names what differs.
    """
    plain, path = json.loads(json.dumps(settings)), out / SETTINGS
    if path.is_file():
        before = read_record(path)
        differ = [key for key in sorted({*before, *plain} - {*_NOT_BOUND}) if _bound(before, key) != _bound(plain, key)]
        if differ and has_results(out):
            told = "; ".join(text for key in differ for text in changed(key, _bound(before, key), _bound(plain, key)))
            raise RaifError(f"{out} holds a run with other settings: {told}; choose another --out.")
    elif held := held_by_others(out):
        raise RaifError(f"{out} holds something else than a run of this kind ({held}); choose another --out.")
    write_whole(path, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")


# ---- parts --------------------------------------------------------------------------------------------------------


def _named(text: str) -> tuple[str, str]:
    name, given, place = text.strip().partition("=")
    if not (given and place):
        raise RaifError(f"--data {text.strip()} names no place; write BENCHMARK=PLACE, by commas, or a single folder.")
    return name, place


def _open(name: str, out: Path, asked: Asked) -> Suite:
    if name not in BENCHMARKS:
        return checked_suite(name)
    folder = _prompts_of(name, asked)
    found = benchmark(name)
    return QuestionSuite(
        found, referee=asked.referee, folder=out / name, official=asked.official, mode=asked.mode,
        language=BOTH if BOTH in found.languages else "", consistency=asked.consistency, progress=asked.progress,
        prompts=prompt_texts(folder) if folder else None,
    )  # fmt: skip


def _prompts_of(name: str, asked: Asked) -> Path | None:
    folder = asked.prompts / name / "judge_prompts" if asked.prompts else None
    return folder if folder is not None and folder.is_dir() else None


def _place(name: str, place: str | None, made: Suite) -> str:
    """Return where the items are read: a file where others lie beside it, else what was given, else the hub's name."""
    where = made.benchmark.where if isinstance(made, QuestionSuite) else f"Or give a data set such as {made.home}."
    if place is None and made.home:
        return made.home
    if not place:
        raise RaifError(f"there is no folder {name} in --data; give one, or --data {name}=PLACE. {where}")
    files = _FILES.get(name)
    return str(locate(place, files, where)) if files and Path(place).is_dir() else place


def _addresses(part: Part, generator: Generator) -> list[str]:
    """Return the servers that a part asks."""
    asked = [generator]
    if isinstance(part.suite, QuestionSuite) and part.judged and part.suite.referee is not None:
        asked.append(part.suite.referee.generator)
    return [address for each in asked if (address := getattr(each, "base_url", None))]


def _refuse_lost(part: Part, generator: Generator, lost: Mapping[str, str], out: Path) -> None:
    for address in _addresses(part, generator):
        if address in lost and not (out / part.name / METRICS).is_file():
            raise RaifError(
                f"not tried: the server at {address} could not be asked for {TITLES[lost[address]]} either."
            )


def _bound(settings: Mapping[str, Any], key: str) -> Any:
    return binding(key, settings.get(key))
