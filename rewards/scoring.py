"""Score many stored rollouts in processes that may hang or die, with flat memory, in order, and again after a kill.

    summary = score_file("instructions.jsonl", "rollouts.jsonl", "scores.jsonl", ScoreSettings(), workers=8)

Each non-blank line of the rollouts (see `rewards.score_rows.RolloutRow`) gives one line of scores: `line` (its number),
the row's own `id`, `instruction_id`, `step`, `group`, `sample` and `direct` where it has them, `reward`, `outcome`,
`parts`, `hard`, `soft`, `correct`, `well_formed`, `truncated`, `verdicts`, `reason` (why something is undecided),
`problem` (why the line is no rollout that can be scored) and `schema_version`.

Rows are scored in chunks. A chunk that takes longer than one row may, or whose process dies, is scored row by row, so
that a row that hangs or kills costs itself alone. The lines do not depend on the number of processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rewards.errors import RaifError
from rewards.score_output import Chunk, ScoreFile, make_stamp
from rewards.score_rows import RawRow, Scored, ScoreSettings, given_up, make_row_scorer
from rewards.worker_pool import Answer, WorkerPool

CHUNK_ROWS = 256
CHUNK_BYTES = 1 << 20
OPEN_CHUNKS = 16  # for each process; so many may wait for a slow one before them
Progress = Callable[[int], None]


def score_file(
    instructions: str | Path,
    rollouts: str | Path,
    out: str | Path,
    settings: ScoreSettings | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a file of rollouts; a file that was left unfinished is continued, and a finished one is left as it is.

    Args:
        instructions: a file of instructions, or a data folder.
        rollouts: JSON lines with `instruction_id` and `completion`, see `rewards.score_rows.RolloutRow`.
        out: the file of score lines; the summary and the stamp of its inputs stand next to it.
        settings: rewards, cap, style and deadline.
        workers: processes that score.
        progress: called with the number of rows done so far.

    Returns:
        Counts and means, as written to `<out>.summary.json`.

    Raises:
        RaifError: if an input is missing, an entry is not valid, or `out` was made from something else.
    """
    settings = settings or ScoreSettings()
    paths = Path(instructions), Path(rollouts), Path(out)
    _check(*paths, settings, workers)
    with ScoreFile(paths[2], make_stamp(paths[0], paths[1], settings)) as file:
        if (summary := file.summary) is not None:
            return summary
        tally, chunks = file.skip_scored(read_chunks(paths[1]))
        for scored in score_chunks(paths[0], chunks, settings, workers):
            file.append(scored)
            for each in scored:
                tally.merge(each.tally)
            if progress is not None:
                progress(tally.counts["rows"])
        assert next(chunks, None) is None  # a summary says that no row is missing
        summary = tally.summary()
        file.finish(summary)
    return summary


def _check(instructions: Path, rollouts: Path, out: Path, settings: ScoreSettings, workers: int) -> None:
    if workers < 1:
        raise RaifError(f"workers is {workers}; it must be at least 1.")
    for path, what in ((instructions, "instructions"), (rollouts, "rollouts")):
        if not path.is_file() and not (what == "instructions" and path.is_dir()):
            raise RaifError(f"no {what} at {path}; expected a file of JSON lines.")
        if path.resolve() == out.resolve():
            raise RaifError(f"{out} is the {what} file itself; name another file for the scores.")
    _ = settings.entries


def read_chunks(rollouts: Path) -> Iterator[Chunk]:
    """Yield the non-blank lines of a file in chunks of at most 256 rows, smaller where the rows are long."""
    chunk: list[RawRow] = []
    size = 0
    with rollouts.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            chunk.append((number, line))
            size += len(line)
            if len(chunk) == CHUNK_ROWS or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


class _Part(NamedTuple):
    """Some rows of a chunk: all of them, or one."""

    open: _OpenChunk
    begin: int
    rows: Chunk


class _OpenChunk:
    """A chunk on its way, and what is known of its rows by their places."""

    def __init__(self, rows: Chunk) -> None:
        self.rows = rows
        self.found: dict[int, Scored] = {}
        self.missing = len(rows)

    def whole(self) -> _Part:
        return _Part(self, 0, self.rows)

    def singles(self) -> Iterator[_Part]:
        return (_Part(self, place, [row]) for place, row in enumerate(self.rows))

    def fill(self, part: _Part, scored: Scored) -> None:
        self.found[part.begin] = scored
        self.missing -= len(part.rows)

    def in_order(self) -> list[Scored]:
        return [self.found[place] for place in sorted(self.found)]


def score_chunks(
    instructions: str | Path, chunks: Iterable[Chunk], settings: ScoreSettings, workers: int
) -> Iterator[list[Scored]]:
    """Score chunks in `workers` processes and yield what each became, in order.

    A worker has one request at a time, and a request that failed comes before new ones. No process is started for no
    chunks.
    """
    rest = iter(chunks)
    opened: deque[_OpenChunk] = deque()
    waiting: deque[_Part] = deque()

    def read() -> None:
        wanted = min(workers + 1 - len(waiting), OPEN_CHUNKS * workers - len(opened))
        for rows in islice(rest, max(0, wanted)):
            opened.append(_OpenChunk(rows))
            waiting.append(opened[-1].whole())

    read()
    if not opened:
        return
    argument = str(instructions), settings.model_dump_json()
    with WorkerPool[_Part](make_row_scorer, argument, workers) as pool:
        while opened:
            while pool.idle and waiting:
                part = waiting.popleft()
                pool.send(part, part.rows, _seconds(settings, len(part.rows)))
            for answer in pool.receive():
                waiting.extendleft(_settle(answer))
            while opened and not opened[0].missing:
                yield opened.popleft().in_order()
            read()


def _seconds(settings: ScoreSettings, rows: int) -> float:
    return max(settings.deadline, settings.seconds_per_row * rows)


def _settle(answer: Answer[_Part]) -> list[_Part]:
    """Keep the scores of a part, or return the rows that are to be scored one by one, the last one first."""
    part = answer.key
    if not answer.problem:
        part.open.fill(part, answer.value)
    elif len(part.rows) == 1:
        part.open.fill(part, given_up(part.rows[0], answer.problem))
    else:
        return list(part.open.singles())[::-1]
    return []
