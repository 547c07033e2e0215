"""Maths problems with their answers -> instructions without constraints."""

from __future__ import annotations

from data_gen.seeds.mapping import RowMapping
from data_gen.seeds.rows import Row
from raif.sources.layouts import BadRow, Layout
from raif.sources.settings import DataSource
from rewards.instruction import Instruction, Provenance
from rewards.math_answer import MAX_CHARACTERS
from rewards.maths.extract import boxed_answers
from rewards.task_answer import MathAnswer
from rewards.tree import And

_OPTIONAL = ("id", "language", "licence")


def maths_row(source: DataSource, layout: Layout, row: Row) -> Instruction:
    """Return the instruction of a problem with its answer.

    Raises:
        BadRow: if the problem is blank, or there is no final answer.
    """
    request, answer = layout.columns
    optional = {name: name for name in _OPTIONAL if name in row.columns}
    seed = RowMapping({"request": request, "answer": answer, **optional}, "math").seed(source.set_name, row)
    return Instruction.build(
        request=seed.request,
        prompt=seed.request + source.suffix,
        language=source.language or seed.language,
        split="train",
        tree=And(parts=()),
        answer=MathAnswer(value=final_answer(getattr(seed.answer, "value", ""))),
        source=Provenance(seed_set=seed.set, seed_id=seed.id, licence=seed.licence, generator="raif maths importer"),
    )


def final_answer(answer: str) -> str:
    """Return the final answer that a column holds: its last box where it is a worked solution, else all of it.

    Raises:
        BadRow: if it is blank, or longer than a final answer.

    Example:
        >>> final_answer("Hence we get \\\\boxed{7}.")
        '7'
    """
    boxes = boxed_answers(answer) if "\\boxed" in answer else []
    final = boxes[-1] if boxes else answer
    if not final.strip():
        raise BadRow("no answer", "has a blank answer, so that nothing could be judged")
    if len(final) > MAX_CHARACTERS or "\n\n" in final.strip():
        raise BadRow("no final answer", f"has a text of {len(final)} characters in place of a final answer")
    return final.strip()
