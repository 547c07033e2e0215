"""Make rows, here or in other processes: every row by itself, from the recipe and its number alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from random import Random
from types import TracebackType
from typing import Any, NamedTuple

from data_gen.composition import Composer, open_seed_sets
from data_gen.config import DataConfig
from data_gen.experts import Style, warm_start_row
from data_gen.self_evident.composing import SelfEvidentComposer
from data_gen.shards import WARM_START_STAGE, Tally
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.worker_pool import Answer, WorkerPool

CHUNK_ROWS = 64
OPEN_CHUNKS = 8  # for each process; so many may wait for a slow one before them
SECONDS = 900.0  # for a chunk, which takes a tenth of one


class Job(NamedTuple):
    """Some rows of a stage; a salt other than 0 makes other rows in their place."""

    stage: str
    rows: Sequence[int]
    salt: int = 0


class Chunk(NamedTuple):
    """The rows that a job became: JSON lines, their ids (none for the warm start), and what is counted."""

    lines: list[bytes]
    ids: list[str]
    tally: Tally


def cut(stage: str, rows: Sequence[int], salt: int = 0) -> Iterator[Job]:
    """Yield the jobs that make some rows."""
    for begin in range(0, len(rows), CHUNK_ROWS):
        yield Job(stage, rows[begin : begin + CHUNK_ROWS], salt)


def row_rng(seed: int, stage: str, row: int, salt: int = 0) -> Random:
    """Return the generator of one row: rows are independent, and neighbouring seeds share nothing."""
    return Random(f"{seed}/{stage}/{row}/{salt}" if salt else f"{seed}/{stage}/{row}")


def tally_of(instruction: Instruction) -> Tally:
    """Count what a manifest says about an instruction."""
    tally: Tally = Counter(("constraints", constraint.type) for constraint in instruction.constraints)
    tally["languages", instruction.language] += 1
    tally["seed_sets", instruction.source.seed_set] += 1
    if instruction.difficulty:
        tally["difficulties", instruction.difficulty] += 1
    return tally


class RowMaker:
    """Makes the rows of one recipe; opens its seeds at once and builds a composer per split when it is needed."""

    def __init__(self, config: DataConfig) -> None:
        self.config = config
        self._seed_sets = open_seed_sets(config.seeds)
        self._composers: dict[str, Composer | SelfEvidentComposer] = {}

    def __call__(self, job: Job) -> Chunk:
        composer = self._composer(job.stage)
        rejected = composer.rejected.copy()
        make = self._demonstration if job.stage == WARM_START_STAGE else self._instruction
        chunk = Chunk([], [], Counter())
        for row in job.rows:
            make(composer, row_rng(self.config.seed, job.stage, row, job.salt), chunk)
        for reason, count in (composer.rejected - rejected).items():
            chunk.tally["rejected", reason] += count
        return chunk

    @property
    def seed_reports(self) -> list[dict[str, Any]]:
        """What is known of every source of seeds: its name, and what its preparation kept and dropped."""
        return [{"name": seeds.name, **getattr(seeds, "report", {})} for seeds in self._seed_sets]

    def _composer(self, stage: str) -> Composer | SelfEvidentComposer:
        if stage not in self._composers:
            split = "train" if stage == WARM_START_STAGE else stage
            make = Composer if self.config.self_evident is None else SelfEvidentComposer
            self._composers[stage] = make(self.config, split, self._seed_sets)  # type: ignore[arg-type]
        return self._composers[stage]

    def _instruction(self, composer: Composer | SelfEvidentComposer, rng: Random, chunk: Chunk) -> None:
        instruction = composer.compose(rng).instruction
        chunk.lines.append(f"{instruction.model_dump_json()}\n".encode())
        chunk.ids.append(instruction.id)
        chunk.tally.update(tally_of(instruction))

    def _demonstration(self, composer: Composer | SelfEvidentComposer, rng: Random, chunk: Chunk) -> None:
        """Demonstrate an instruction of its own, drawn from the training split."""
        settings = self.config.warm_start
        assert settings is not None
        if isinstance(composer, SelfEvidentComposer):
            row = composer.demonstrate(rng, settings.careless, settings.direct)
        else:
            drawn = composer.compose(rng)
            style: Style = "plan" if self.config.expert.style == "plan" else "notes"
            row = warm_start_row(drawn.instruction, drawn.seed, rng, settings.careless, settings.direct, style)
        chunk.lines.append(f"{row.model_dump_json()}\n".encode())
        chunk.tally["demonstrations", "careless"] += row.hard is not True
        chunk.tally["demonstrations", "direct"] += row.thinking is None


def make_handler(config: DataConfig) -> Callable[[Job], Chunk | str]:
    """Return what a process of the pool does with a job; a mistake in the recipe comes back as its message."""
    maker = RowMaker(config)

    def handle(job: Job) -> Chunk | str:
        try:
            return maker(job)
        except RaifError as error:
            return str(error)

    return handle


class Makers:
    """Makes rows in this process, or in `workers` others, which start when they are first needed.

    The chunks do not depend on the number of processes, and come in the order of their jobs.
    """

    def __init__(self, config: DataConfig, workers: int = 1) -> None:
        if workers < 1:
            raise RaifError(f"workers is {workers}; it must be at least 1.")
        self._config, self._workers = config, workers
        self._pool: WorkerPool[int] | None = None

    def __enter__(self) -> Makers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    @cached_property
    def here(self) -> RowMaker:
        """The maker in this process."""
        return RowMaker(self._config)

    def make(self, jobs: Iterable[Job]) -> Iterator[Chunk]:
        """Yield what each job became, in order; take all of it before the next call."""
        return map(self.here, jobs) if self._workers == 1 else self._make_elsewhere(iter(jobs))

    def _make_elsewhere(self, jobs: Iterator[Job]) -> Iterator[Chunk]:
        open_jobs: dict[int, Job] = {}
        done: dict[int, Chunk] = {}
        sent = given = 0
        job = next(jobs, None)
        if job is not None and self._pool is None:
            self._pool = WorkerPool(make_handler, self._config, self._workers)
        while self._pool is not None and (job is not None or open_jobs):
            while job is not None and self._pool.idle and sent - given < OPEN_CHUNKS * self._workers:
                self._pool.send(sent, job, SECONDS)
                open_jobs[sent] = job
                sent, job = sent + 1, next(jobs, None)
            for answer in self._pool.receive():
                done[answer.key] = _chunk(answer, open_jobs.pop(answer.key))
            while given in done:
                yield done.pop(given)
                given += 1


def _chunk(answer: Answer[int], job: Job) -> Chunk:
    if answer.problem:
        raise RaifError(
            f"rows {job.rows[0]} to {job.rows[-1]} of {job.stage} could not be made: {answer.problem}. "
            "The same command goes on where this one stopped."
        )
    if isinstance(answer.value, str):
        raise RaifError(answer.value)
    chunk: Chunk = answer.value
    return chunk
