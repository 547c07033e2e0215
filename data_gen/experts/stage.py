"""The stage that gives instructions verified demonstrations, and the files it writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from data_gen.experts.candidates import Supplier, open_source
from data_gen.experts.checks import ExpertChecks
from data_gen.experts.judging import ExpertJudge
from data_gen.experts.outcomes import ExpertOutcome, ExpertReport
from data_gen.experts.sources import FileExperts, ServedExperts, WitnessExperts
from data_gen.quality.files import instruction_files
from data_gen.quality.files import instructions as read_source
from data_gen.shards import INSTRUCTIONS
from rewards.errors import RaifError, unknown_name
from rewards.instruction import Instruction, Split
from rewards.judge import Consultant

EXPERTS, REJECTED, REPORT = "experts.jsonl", "experts_rejected.jsonl", "experts_report.json"
SPLITS: tuple[str, ...] = get_args(Split)
BATCH = 256  # instructions whose candidates are in memory at once
Progress = Callable[[int], None]


def make_experts(
    instructions: Iterable[Instruction],
    source: WitnessExperts | FileExperts | ServedExperts,
    *,
    checks: ExpertChecks | None = None,
    judge: Consultant | None = None,
    report: ExpertReport | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Instruction, ExpertOutcome]]:
    """Yield every instruction with what became of its demonstrations; `expert` is set where one is good, else None.

    Args:
        instructions: read in batches, so that any number of them takes the same memory.
        source: of the demonstrations.
        checks: what is asked besides correctness.
        judge: answers the questions of soft demands.
        report: counts; complete when the iterator is exhausted.
        progress: called with the number of instructions that are done.

    Raises:
        RaifError: if the source cannot be used at all.
    """
    counts = report if report is not None else ExpertReport()
    judging = ExpertJudge(checks or ExpertChecks(), judge)
    for task, outcome in _made(instructions, open_source(source), judging, counts, progress, frozenset(SPLITS)):
        assert outcome is not None  # every split is wanted
        yield task, outcome


def _made(
    instructions: Iterable[Instruction],
    supplier: Supplier,
    judging: ExpertJudge,
    counts: ExpertReport,
    progress: Progress | None,
    splits: frozenset[str],
) -> Iterator[tuple[Instruction, ExpertOutcome | None]]:
    """Yield instructions in order, those of other splits as they are and without an outcome."""
    pending = iter(instructions)
    while batch := list(islice(pending, BATCH)):
        asked = [task for task in batch if task.split in splits]
        told = _shifted(progress or _silent, counts.instructions)
        outcomes = iter(judging.choose(asked, supplier.supply(asked, told)) if asked else ())
        for task in batch:
            if task.split not in splits:
                yield task, None
                continue
            outcome = next(outcomes)
            counts.add(outcome)
            (progress or _silent)(counts.instructions)
            yield task.model_copy(update={"expert": outcome.demonstration}), outcome
    counts.left_over.update(supplier.leftovers())
    counts.usage.update(supplier.usage())


def _shifted(progress: Progress, done: int) -> Progress:
    """Return a callback for the instructions of a batch, of which `done` came before."""
    return lambda number: progress(done + number)


def _silent(done: int) -> None:
    """Ignore progress."""


def run_experts(
    folder: str | Path,
    source: WitnessExperts | FileExperts | ServedExperts,
    out: str | Path,
    *,
    checks: ExpertChecks | None = None,
    judge: Consultant | None = None,
    splits: Iterable[str] = ("train",),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Give the instructions of a folder demonstrations and write them to another folder, which then is a data set.

    `instructions.jsonl` holds every instruction, with the demonstration where there is a good one; `experts.jsonl` the
    good ones with the scores of all candidates; `experts_rejected.jsonl` the others with the reasons;
    `experts_report.json` the counts. Instructions of other splits than `splits` are copied as they are.

    Returns:
        The counts, as in `experts_report.json`.

    Raises:
        RaifError: if the folder holds no complete data set, `out` is `folder`, a split is unknown, or the source cannot
            be used.
    """
    target, report, copied = Path(out), ExpertReport(), 0
    judging = ExpertJudge(checks or ExpertChecks(), judge)
    read_from = {Path(folder).resolve(), *(path.parent.resolve() for path in instruction_files(folder))}
    if target.resolve() in read_from:
        raise RaifError(f"the demonstrations would overwrite the instructions in {target}; choose another folder.")
    wanted = frozenset(splits)
    for name in sorted(wanted - set(SPLITS)):
        raise unknown_name("split", name, SPLITS, "Name the splits that are to get demonstrations.")
    supplier = open_source(source)
    target.mkdir(parents=True, exist_ok=True)
    (target / REPORT).unlink(missing_ok=True)  # it is written last and marks the folder complete
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((target / f"{name}.partial").open("w", encoding="utf-8", newline="\n"))
            for name in (INSTRUCTIONS, EXPERTS, REJECTED)
        }
        for task, outcome in _made(read_source(folder), supplier, judging, report, progress, wanted):
            files[INSTRUCTIONS].write(f"{task.model_dump_json()}\n")
            if outcome is None:
                copied += 1
            else:
                files[REJECTED if outcome.reasons else EXPERTS].write(f"{outcome.model_dump_json()}\n")
    settings = source.model_dump(mode="json", exclude={"served": {"extra_body"}})  # which may hold a key
    summary = {"source": settings, "copied": copied, **report.summary()}
    (target / f"{REPORT}.partial").write_text(f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n", "utf-8")
    for name in (INSTRUCTIONS, EXPERTS, REJECTED, REPORT):
        (target / f"{name}.partial").replace(target / name)
    return summary
