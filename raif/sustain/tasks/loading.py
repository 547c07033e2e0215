"""Load the tasks of an evaluation: `gsm8k=test.jsonl,multi_hop,humaneval=HumanEval.jsonl.gz`."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from data_gen.seeds.mapping import BadRow
from data_gen.seeds.rows import Row
from raif.sustain.records import Task
from raif.sustain.tasks.embedded import embedded_tasks
from raif.sustain.tasks.made import LeftOut, key_of
from raif.sustain.tasks.places import Opened, open_place
from raif.sustain.tasks.questions import with_aliases
from raif.sustain.tasks.sets import BENCHMARKS, TASK_SETS, Benchmark, Embedded
from rewards.errors import RaifError, unknown_name

_SHOWN = 12  # columns in a message
DUPLICATE = "duplicate request"


class TaskSetRead(NamedTuple):
    """The tasks of a set, each request once, and how many rows were left out by reason."""

    tasks: list[Task]
    left_out: Counter[str]


def load_tasks(spec: str, limit: int = 0, left_out: Counter[str] | None = None) -> list[Task]:
    """Load task sets, in their order.

    Requests that were there before, also in another set, are left out before anything else.

    Args:
        spec: `SET` or `SET=PLACE`, joined by commas. A place is a file, a folder or `OWNER/NAME[/CONFIG]` on the hub
            (the last two may end in `@SPLIT`); without one a published set is loaded from its home on the hub. Of an
            embedded set the place is how many tasks (`multi_hop=500`, `multi_hop=500:zh`).
        limit: tasks of each set at most, evenly spaced; 0 takes all.
        left_out: counts the rows that became no task, as `SET: reason`.

    Raises:
        RaifError: for an unknown set, a place where nothing is, rows of another set, a broken or repeated row.

    Example:
        >>> [task.id.split("/")[0] for task in load_tasks("arithmetic=9,word_problems=5", limit=2)]
        ['arithmetic', 'arithmetic', 'word_problems', 'word_problems']
    """
    entries = [entry.strip() for entry in spec.split(",") if entry.strip()]
    if not entries:
        raise RaifError(f"{spec!r} names no task set; write for instance gsm8k=test.jsonl,multi_hop,humaneval.")
    if limit < 0:
        raise RaifError(f"the limit is {limit}; it must be 0 (all tasks) or more.")
    for entry in entries:
        _known(entry.partition("=")[0].strip())
    tasks: list[Task] = []
    requests: set[str] = set()
    for entry in entries:
        name, _, place = (part.strip() for part in entry.partition("="))
        read = read_task_set(name, place, requests)
        if left_out is not None:
            left_out.update({f"{name}: {reason}": count for reason, count in read.left_out.items()})
        tasks += _spread(read.tasks, limit)
    _check_ids(tasks)
    return tasks


def read_task_set(name: str, place: str = "", requests: set[str] | None = None) -> TaskSetRead:
    """Read one task set whole.

    Args:
        name: of the set.
        place: see `load_tasks`.
        requests: those that were there before, without regard to blank space; the set's own are added.
    """
    known, seen, left_out = _known(name), set[str]() if requests is None else requests, Counter[str]()
    kept: list[Task] = []
    for task in _all_tasks(name, known, place, left_out):
        request = " ".join(task.request.split())
        if request in seen:
            left_out[DUPLICATE] += 1
        else:
            kept.append(task)
        seen.add(request)
    return TaskSetRead(kept, left_out)


def _known(name: str) -> Benchmark | Embedded:
    if name not in TASK_SETS and Path(name).exists():
        raise RaifError(f"{name} comes without the task set that it holds; write SET={name}, such as gsm8k={name}.")
    if name not in TASK_SETS:
        raise unknown_name("task set", name, TASK_SETS, "Your own mathematics goes in as math=FILE.")
    return TASK_SETS[name]


def _all_tasks(name: str, known: Benchmark | Embedded, place: str, left_out: Counter[str]) -> list[Task]:
    if isinstance(known, Embedded):
        return embedded_tasks(name, known.domain, place)
    opened = open_place(name, place, known.home)
    rows = with_aliases(opened.rows, Path(place)) if name == "2wikimultihop" else opened.rows
    source = opened.stem if known.home is None else name
    found = []
    for row in rows:
        _check_columns(name, known, row)
        try:
            found.append(_task(source, known, opened, row))
        except LeftOut as reason:
            left_out[str(reason)] += 1
        except ValidationError as error:  # such as half a character, which JSON can express and no file can hold
            first = error.errors()[0]
            raise RaifError(
                f"{row.where} makes no task ({'.'.join(map(str, first['loc']))}: {first['msg']}). Nothing was "
                "evaluated; repair or remove the row."
            ) from error
        except BadRow as error:
            raise RaifError(
                f"{row.where} {error.sentence}. Nothing was evaluated; repair or remove the row."
            ) from error
    if not found:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.items())
        raise RaifError(
            f"{name}={place}: {f'no row is a task: {reasons}' if reasons else 'there are no rows'}; give another file."
        )
    return found


def _task(source: str, known: Benchmark, opened: Opened, row: Row) -> Task:
    made = known.make(row.columns)
    key = key_of(row.columns, row.number)
    return Task(
        id=f"{source}/{key.rpartition('/')[2] if known.domain == 'code' else key}",  # `HumanEval/7` names the set again
        domain=known.domain,
        request=made.request,
        passage=made.passage,
        answer=made.answer,
        language=made.language,
        source=source,
        licence=known.licence or opened.licence,
        labels=made.labels,
    )


def _check_columns(name: str, known: Benchmark, row: Row) -> None:
    """Refuse a broken row, one without the set's columns, and one that is plainly of another set."""
    if row.problem:
        raise RaifError(f"{row.where} {row.problem}. Nothing was evaluated.")
    columns = row.columns.keys()
    others = [
        other
        for other, its in BENCHMARKS.items()
        if other != name and its.marks and its.marks <= columns and not its.marks <= known.marks and _has_all(its, row)
    ]
    hint = f" It looks like {others[-1]}: write {others[-1]}=PLACE." if others else ""
    missing = [" or ".join(group) for group in known.needs if not any(column in columns for column in group)]
    if missing or others:
        has = ", ".join(list(islice(columns, _SHOWN))) or "no columns"
        wanted = f"has no {', '.join(missing)}" if missing else f"is no row of {name}"
        needs = ", ".join(" or ".join(group) for group in known.needs)
        raise RaifError(f"{row.where} {wanted}; it has: {has}. The set {name} needs {needs}.{hint}")


def _has_all(known: Benchmark, row: Row) -> bool:
    return all(any(column in row.columns for column in group) for group in known.needs)


def _spread(tasks: list[Task], limit: int) -> list[Task]:
    """Return at most `limit` tasks, evenly spaced, so that every part of a set stays in."""
    if not 0 < limit < len(tasks):
        return tasks
    return [tasks[place * len(tasks) // limit] for place in range(limit)]


def _check_ids(tasks: list[Task]) -> None:
    repeated = [key for key, count in Counter(task.id for task in tasks).items() if count > 1]
    if repeated:
        raise RaifError(
            f"{len(repeated)} ids occur twice (first: {', '.join(repeated[:5])}); results join by id. Give each row an "
            "id of its own, or each file a name of its own."
        )
