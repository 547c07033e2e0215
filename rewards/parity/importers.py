"""Rows of the benchmarks' own files as instructions, in the strict or the parity profile."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rewards.constraint import Constraint
from rewards.errors import RaifError, unknown_name
from rewards.instruction import Instruction, Provenance
from rewards.language import guess_language
from rewards.parity import SUITES
from rewards.parity.equivalents import strict_constraints
from rewards.parity.official import Official
from rewards.task_answer import MathAnswer
from rewards.tree import And, Leaf

Profile = Literal["strict", "parity"]
#: What the official harness puts between question and constraints, without a blank on either side.
MATHIF_REQUEST = "Let's think step by step and output the final answer within \\boxed{}."


class _Task(NamedTuple):
    """What the files of all suites have in common."""

    key: str
    request: str
    prompt: str
    ids: Sequence[str]
    kwargs: Sequence[Mapping[str, Any]]
    answer: str | None = None


def instruction_from(suite: str, row: Mapping[str, Any], profile: Profile = "strict") -> Instruction:
    """Turn one row of IFEval, IFBench, MathIF or the IF-RLVR training set into an instruction.

    Example:
        >>> row = {"key": 7, "prompt": "Say hi. No commas.", "instruction_id_list": ["punctuation:no_comma"],
        ...        "kwargs": [{}]}
        >>> instruction_from("ifeval", row).constraints
        (NoComma(type='punctuation:no_comma', scope='answer'),)
    """
    task = _task(suite, row)
    leaves = [
        Leaf(constraint=constraint)
        for name, kwargs in zip(task.ids, task.kwargs, strict=True)
        for constraint in _constraints(suite, name, kwargs, task.prompt, profile)
    ]
    return Instruction.build(
        request=task.request,
        prompt=task.prompt,
        language="zh" if guess_language(task.request).language == "zh" else "en",
        split="train" if suite == "iftrain" else "test",
        tree=And(parts=tuple(leaves)),
        answer=MathAnswer(value=task.answer) if task.answer else None,
        source=Provenance(seed_set=suite, seed_id=task.key, generator=f"raif importer, {profile} profile"),
    )


def read_suite(suite: str, path: str | Path, profile: Profile = "strict") -> list[Instruction]:
    """Read a file of a benchmark (JSON lines, blank ones skipped); a broken row is an error that names its line."""
    source, found = Path(path), []
    if not source.is_file():
        raise RaifError(f"no {suite} file at {source}.")
    for number, line in enumerate(source.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                found.append(instruction_from(suite, json.loads(line), profile))
            except (ValueError, RecursionError) as error:  # bad JSON, bad encoding and RaifError alike
                raise RaifError(f"{source}:{number}: {error}") from error
    return found


def _constraints(
    suite: str, name: str, kwargs: Mapping[str, Any], prompt: str, profile: Profile
) -> Iterator[Constraint]:
    given = {key: value for key, value in (kwargs or {}).items() if value is not None}
    if profile == "parity":
        yield Official.model_validate({"suite": suite, "id": name, "arguments": given})
    elif profile == "strict":
        yield from strict_constraints(suite, name, given, prompt)
    else:
        raise unknown_name("profile", profile, ("strict", "parity"), "")


def _task(suite: str, row: Mapping[str, Any]) -> _Task:
    if suite not in SUITES:
        raise unknown_name("suite", suite, SUITES, "")
    reader = {"mathif": _mathif, "iftrain": _iftrain}.get(suite, _ifeval)
    if not isinstance(row, Mapping):
        raise RaifError(f"not a row of {suite}: {type(row).__name__} instead of a mapping")
    try:
        task = reader(row)
    except (KeyError, TypeError, IndexError, StopIteration, SyntaxError, ValueError, RecursionError) as error:
        raise RaifError(f"not a row of {suite}: {type(error).__name__} {error}; it has: {', '.join(row)}") from error
    _check(suite, task)
    return task


def _check(suite: str, task: _Task) -> None:
    """Refuse a task whose parts are of a wrong kind or do not fit together."""
    if not (isinstance(task.prompt, str) and task.prompt and isinstance(task.request, str) and task.request):
        raise RaifError(f"row {task.key!r}: the prompt must be a text; got {task.prompt!r}")
    lists = isinstance(task.ids, Sequence) and isinstance(task.kwargs, Sequence)
    if not lists or not task.ids or not all(isinstance(name, str) for name in task.ids):
        raise RaifError(f"row {task.key!r}: instruction ids and kwargs must be lists, the ids texts; got {task.ids!r}")
    if not all(one is None or isinstance(one, Mapping) for one in task.kwargs):
        raise RaifError(f"row {task.key!r}: kwargs must be mappings or null; got {task.kwargs!r}")
    if len(task.ids) != len(task.kwargs):
        raise RaifError(f"row {task.key!r} names {len(task.ids)} instructions but holds {len(task.kwargs)} kwargs")


def _ifeval(row: Mapping[str, Any]) -> _Task:
    return _Task(str(row["key"]), row["prompt"], row["prompt"], row["instruction_id_list"], row["kwargs"])


def _mathif(row: Mapping[str, Any]) -> _Task:
    question = row["question"]
    prompt = question + MATHIF_REQUEST + " ".join(row["constraint_desc"])
    if row["answer"] is None:
        raise ValueError("answer is null")
    return _Task(str(row["id"]), question, prompt, row["constraint_name"], row["constraint_args"], str(row["answer"]))


def _iftrain(row: Mapping[str, Any]) -> _Task:
    truth = row["ground_truth"]
    truth = ast.literal_eval(truth) if isinstance(truth, str) else truth
    first = json.loads(truth[0]) if isinstance(truth[0], str) else truth[0]
    prompt = next(message["content"] for message in row["messages"] if message["role"] == "user")
    ids = first["instruction_id"]
    return _Task(
        str(row.get("key", row.get("id", ""))), prompt, prompt, ids, [kwargs or {} for kwargs in first["kwargs"]]
    )
