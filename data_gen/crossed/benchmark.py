"""Witnesses for the rows of MathIF's own files, and of files in its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_gen.crossed.verdicts import Demand, Task
from data_gen.crossed.witnesses import Witness, find_witness
from data_gen.seeds.rows import Row, read_rows
from data_gen.shards import write_file
from rewards.errors import RaifError
from rewards.parity import suite
from rewards.parity.contradictions import contradiction

COLUMNS = ("question", "answer", "constraint_name", "constraint_args")
UNMET = "unmet.jsonl"


class BenchmarkTask(NamedTuple):
    """A row by the id that an evaluation gives it: the name of its file, a slash, and its index there."""

    id: str
    task: Task


def read_tasks(data: str | Path) -> list[BenchmarkTask]:
    """Read a file, or every `*.jsonl` of a folder in the order of their names; blank lines do not count.

    Stored responses that lie beside the data are left out: files whose first row has a `response` but no question.

    Raises:
        RaifError: if there is nothing to read, or a row is not one of MathIF's schema.
    """
    path = Path(data)
    if not path.exists():
        raise RaifError(f"no benchmark files at {path}; give MathIF's folder, or a file or folder in its schema.")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if path.is_dir() and not files:
        raise RaifError(f"{path} holds no .jsonl file; give the folder that holds the benchmark's files.")
    tasks = [task for file in files for task in _read_file(file)]
    if not tasks:
        raise RaifError(f"{path} holds no rows with {', '.join(COLUMNS)}; give the benchmark's own files.")
    return tasks


def _read_file(path: Path) -> list[BenchmarkTask]:
    tasks = []
    for index, row in enumerate(read_rows(path, "jsonl")):
        if row.problem:
            raise RaifError(f"{row.where} {row.problem}.")
        missing = [name for name in COLUMNS if name not in row.columns]
        if missing and not index and "response" in row.columns:
            return []
        if missing:
            raise RaifError(f"{row.where} has no {', '.join(missing)}; it has {', '.join(row.columns)}.")
        tasks.append(BenchmarkTask(f"{path.stem}/{index}", _task(row)))
    return tasks


def _task(row: Row) -> Task:
    columns: Mapping[str, Any] = row.columns
    names, arguments = columns["constraint_name"], columns["constraint_args"]
    if not isinstance(names, list) or not isinstance(arguments, list) or len(names) != len(arguments):
        raise RaifError(f"{row.where}: constraint_name and constraint_args must be lists of one length.")
    if not all(one is None or isinstance(one, dict) for one in arguments):
        raise RaifError(f"{row.where}: constraint_args must hold mappings or null; got {arguments!r}.")
    question, answer = columns["question"], columns["answer"]
    if not isinstance(question, str) or not question.strip() or answer is None or not str(answer).strip():
        raise RaifError(f"{row.where}: question and answer must be texts; got {question!r} and {answer!r}.")
    task = Task(question, str(answer), tuple(Demand(n, a or {}) for n, a in zip(names, arguments, strict=True)))
    try:
        _ = task.constraints
    except RaifError as error:
        raise RaifError(f"{row.where}: {error}") from error
    return task


def witness_file(tasks: Sequence[BenchmarkTask], out: Path, progress: Callable[[int], None]) -> dict[str, int]:
    """Write a response to every task, and `unmet.jsonl` beside it; return the counts.

    `out` gets rows of `id`, `response` and `met`, in the order of the tasks. `unmet.jsonl` names the rows that are not
    met in full: the ids refused under each profile, whether the answer is right, whether a proof says that nothing can
    meet the official checks (`impossible`), the reason, and the best response found.

    Returns:
        How many `rows` there are, and how many are met under `parity`, `strict`, by `correct` answers, and in `all`.
    """
    counts = {"rows": len(tasks), "parity": 0, "strict": 0, "correct": 0, "all": 0}
    witnesses, unmet = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, (id, task) in enumerate(tasks, 1):
        found = find_witness(task)
        verdicts = found.verdicts
        for name, met in _met(found).items():
            counts[name] += met
        witnesses.append({"id": id, "response": found.text, "met": verdicts.perfect})
        if not verdicts.perfect:
            unmet.append({"id": id, **_shortfall(task, found), "response": found.text})
        progress(number)
    write_file(out, _lines(witnesses))
    write_file(out.with_name(UNMET), _lines(unmet))
    return counts


def _met(witness: Witness) -> dict[str, bool]:
    verdicts = witness.verdicts
    return {
        "parity": all(verdicts.parity),
        "strict": all(verdicts.strict),
        "correct": verdicts.correct,
        "all": verdicts.perfect,
    }


def _shortfall(task: Task, witness: Witness) -> dict[str, Any]:
    """Return what a response lacks, and why."""
    checks = [suite("mathif").bind(each.id, each.arguments) for each in task.demands]
    verdicts, proved = witness.verdicts, contradiction(checks)
    refused = {
        name: [demand.id for demand, met in zip(task.demands, each, strict=True) if not met]
        for name, each in (("parity", verdicts.parity), ("strict", verdicts.strict))
    }
    reasons = [f"no response found that the {name} profile accepts" for name, ids in refused.items() if ids]
    if not verdicts.correct:
        reasons.append("no response found that also states the answer in a form that the grader takes")
    return {
        **refused,
        "correct": verdicts.correct,
        "impossible": bool(proved),
        "reason": proved or "; ".join(reasons),
    }


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
