"""Verify rows of (instruction, response): official verdicts, our own verdict, and why.

A row is a JSON line with `id`, `instruction_id`, `kwargs`, `response` and, optionally, `prompt`. Its verdict line has
`id`, `strict` and `loose` (the official protocols; null where the official code has no verdict), `native` (the status
of the strict profile) and `evidence`. Suite `math` compares the response with `kwargs.gold` and writes `correct`.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from rewards.constraint import Context, Status, Verdict
from rewards.errors import RaifError
from rewards.math_answer import MathVerifier, extract_answer
from rewards.parity import SUITES, suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.official import variants
from rewards.parity.protocol import judge
from rewards.response import Response

CHUNK = 128
SECONDS_PER_ANSWER = 5.0


class Row(BaseModel):
    """One response to one instruction; other fields of the line are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: StrictStr | StrictInt
    instruction_id: str = ""
    kwargs: dict[str, Any] | None = None
    prompt: str | None = None
    response: str

    @property
    def arguments(self) -> dict[str, Any]:
        return self.kwargs or {}


class Line(NamedTuple):
    """A line of a rows file with its number, counted from 1."""

    number: int
    text: bytes


class Judged(NamedTuple):
    """What became of one line: a verdict record, or the reason why the line is no row of the suite."""

    line: Line
    record: dict[str, Any] | None
    problem: str = ""


def read_lines(path: Path) -> list[Line]:
    """Return the lines of a file that are not blank."""
    if not path.is_file():
        raise RaifError(f"no rows at {path}; expected JSON lines with id, instruction_id, kwargs, prompt, response.")
    lines = [Line(n, text) for n, text in enumerate(path.read_bytes().split(b"\n"), 1) if text.strip()]
    if not lines:
        raise RaifError(f"{path} holds no rows.")
    return lines


def verify(name: str, lines: Sequence[Line], workers: int = 1) -> Iterator[Judged]:
    """Judge lines in their order, in `workers` processes.

    Raises:
        RaifError: if the suite is unknown or `workers` is not positive.
    """
    if workers < 1:
        raise RaifError(f"workers is {workers}; it must be at least 1.")
    if name == "math":
        return _verify_answers(lines, workers)
    suite(name)
    return _verify_checks(name, lines, workers)


def _verify_checks(name: str, lines: Sequence[Line], workers: int) -> Iterator[Judged]:
    chunks = list(_chunks(lines))
    if workers == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield from _judge_chunk(name, chunk)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=context) as pool:
        for judged in pool.map(_judge_chunk, [name] * len(chunks), chunks):
            yield from judged


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _judge_chunk(name: str, chunk: Sequence[Line]) -> list[Judged]:
    return [_judge_line(name, line) for line in chunk]


def _judge_line(name: str, line: Line) -> Judged:
    try:
        row = parse_row(line.text)
        if not row.instruction_id:
            raise RaifError("instruction_id: missing")
        check = suite(name).bind(row.instruction_id, row.arguments)
    except RaifError as error:
        return Judged(line, None, str(error))
    outcome, native = judge(check, variants(row.response)), _native(name, row)
    reasons = dict.fromkeys(filter(None, (native.evidence, outcome.reason)))
    record = {"strict": outcome.strict, "loose": outcome.loose, "native": native.status.value}
    return Judged(line, {"id": row.id, **record, "evidence": "; ".join(reasons)})


def parse_row(text: bytes) -> Row:
    """Parse one line; whatever is wrong with it is a `RaifError`."""
    try:
        return Row.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise RaifError(f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise RaifError(f"not JSON: {error}") from error


def _native(name: str, row: Row) -> Verdict:
    """Return the strict verdict: violated if one of the constraints is, else unscored if one is."""
    try:
        constraints = strict_constraints(name, row.instruction_id, row.arguments, row.prompt or "")
    except RaifError as error:  # an argument that only the official code accepts, or that it would draw
        return Verdict(Status.UNSCORED, str(error))
    response, context = Response(None, row.response), Context(request=row.prompt or "")
    verdicts = [constraint.check(response, context) for constraint in constraints]
    statuses = [verdict.status for verdict in verdicts]
    worst = next((s for s in (Status.VIOLATED, Status.UNSCORED) if s in statuses), Status.SATISFIED)
    return Verdict(worst, "; ".join(verdict.evidence for verdict in verdicts))


def _verify_answers(lines: Sequence[Line], workers: int) -> Iterator[Judged]:
    verifier = MathVerifier(workers=workers)
    for chunk in _chunks(lines):
        rows = [_gold_row(line) for line in chunk]
        pairs = [(gold, row.response) for row, gold in (found for found in rows if not isinstance(found, str))]
        verifier.deadline = SECONDS_PER_ANSWER * max(1.0, len(pairs) / workers)
        verdicts = iter(verifier.judge(pairs))
        for line, found in zip(chunk, rows, strict=True):
            if isinstance(found, str):
                yield Judged(line, None, found)
            else:
                yield Judged(line, _answer_record(found[0], next(verdicts)))
    verifier.close()


def _gold_row(line: Line) -> tuple[Row, str] | str:
    """Return the row with its gold answer, or what is wrong with the line."""
    try:
        row = parse_row(line.text)
    except RaifError as error:
        return str(error)
    gold = row.arguments.get("gold")
    if isinstance(gold, (int, float)) and not isinstance(gold, bool):
        gold = str(gold)
    return (row, gold) if isinstance(gold, str) and gold.strip() else f"kwargs.gold must be a text; got {gold!r}"


def _answer_record(row: Row, correct: bool | None) -> dict[str, Any]:
    evidence = "undecided or late" if correct is None else f"answer {(extract_answer(row.response) or '')[:200]!r}"
    return {"id": row.id, "correct": correct, "evidence": evidence}


def write_verdicts(judged: Iterable[Judged], out: Path) -> tuple[int, list[Judged]]:
    """Write verdicts to `out` and lines that are no rows to `<out>.rejected.jsonl`; return the count and the latter.

    Both files appear when they are complete; a rejected file of an earlier run does not survive.
    """
    if out.is_dir():
        raise RaifError(f"--out {out} is a folder; name a file in it, for example {out / 'verdicts.jsonl'}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    rejected, count, partial = [], 0, out.with_name(out.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for one in judged:
            if one.record is None:
                rejected.append(one)
            else:
                file.write(json.dumps(one.record) + "\n")
                count += 1
    partial.replace(out)
    _write_rejected(rejected, rejected_path(out))
    return count, rejected


def rejected_path(out: Path) -> Path:
    """Return where lines that are no rows are kept."""
    return out.with_name(f"{out.name}.rejected.jsonl")


def _write_rejected(rejected: Sequence[Judged], path: Path) -> None:
    path.unlink(missing_ok=True)
    records: list[Mapping[str, Any]] = [
        {"line": one.line.number, "problem": one.problem, "text": one.line.text.decode("utf-8", "backslashreplace")}
        for one in rejected
    ]
    if records:
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8", newline="\n")


__all__ = ["SUITES", "Judged", "Line", "Row", "parse_row", "read_lines", "rejected_path", "verify", "write_verdicts"]
