"""Training instructions out of successful outputs: the task with constraints that its own solution meets already."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from data_gen.self_evident.choose import ordered, wording_of
from data_gen.self_evident.extract import Candidate, extract
from data_gen.self_evident.placement import Placement, place
from rewards.constraint import Constraint
from rewards.errors import RaifError
from rewards.instruction import Demonstration, Instruction, Provenance, Split, SubInstruction
from rewards.response import Response
from rewards.task_answer import TaskAnswer
from rewards.tree import And, Leaf

GENERATOR = "self_evident"


class Solved(NamedTuple):
    """A task with an output that solves it, as scored by the task's own rules.

    Fields:
        id: of the task, unique within its set.
        output: the answer part of the response, without thinking.
        truncated: whether the output was cut off; such a row is counted and left out.
        thinking: what came before the output; with it, even blank, the output becomes the expert demonstration.
        origin: who wrote the output, for the demonstration.
        unconstrained: the share of answers to the bare request that were right, see `Instruction`.
    """

    id: str
    request: str
    output: str
    answer: TaskAnswer | None
    language: str
    seed_set: str
    licence: str = ""
    truncated: bool = False
    thinking: str | None = None
    origin: str = "file"
    unconstrained: float | None = None


Demanded = tuple[Constraint, str]  # a constraint and how the prompt words it


def instructions_from_outputs(
    rows: Iterable[Solved],
    *,
    split: Split = "train",
    constraints: int = 1,
    seed: int | str = 0,
    placement: Placement = "suffix",
    others: Sequence[Response] = (),
    rejected: Counter[str] | None = None,
) -> Iterator[Instruction]:
    """Yield an instruction for each solved task: the task with constraints added, its output as the witness.

    The work on a row depends on the row and the arguments alone, except that a request seen before is left out.

    Args:
        rows: tasks that were solved; that an output is right is the caller's to see to.
        split: the split that the instructions are for.
        constraints: how many constraints each gets; a row with fewer is left out.
        seed: decides, with the id of the row, which constraints and wordings are taken.
        placement: where the constraints stand.
        others: successful outputs of other tasks; given at least 30, inert constraints are not used.
        rejected: counts the rows left out by reason (`truncated`, `duplicate`, `too_few`, `unmet`), and the candidates
            refused by gate (`gate:leak` and so on) or for being `inert`.
    """
    if constraints < 1:
        raise RaifError(f"constraints is {constraints}; an instruction needs at least 1.")
    counts = rejected if rejected is not None else Counter()
    seen: set[bytes] = set()
    for row in rows:
        digest = hashlib.sha256(row.request.encode()).digest()[:12]  # a million requests stay below 100 MB
        if row.truncated or digest in seen:
            counts["truncated" if row.truncated else "duplicate"] += 1
            continue
        seen.add(digest)
        chosen = _chosen(row, others, counts, seed)[:constraints]
        if len(chosen) < constraints:
            counts["too_few"] += 1
            continue
        instruction = instruction_of(row, _worded(row, chosen, seed), split, placement)
        if instruction.evaluate(Response(None, row.output)).hard:
            yield instruction
        else:
            counts["unmet"] += 1


def _chosen(row: Solved, others: Sequence[Response], counts: Counter[str], seed: int | str) -> list[Candidate]:
    refused: Counter[str] = Counter()
    found = extract(row.request, row.output, row.answer, row.language, others=others, rejected=refused)
    counts.update({f"gate:{name}": number for name, number in refused.items()})
    usable = []
    for each in found:
        if each.tightness == "inert":
            counts["inert"] += 1
        else:
            usable.append(each)
    return ordered(usable, row.id, seed)


def _worded(row: Solved, chosen: Sequence[Candidate], seed: int | str) -> list[Demanded]:
    return [(each.constraint, each.text(row.language, wording_of(each, row.id, seed))) for each in chosen]


def instruction_of(
    row: Solved, demanded: Sequence[Demanded], split: Split = "train", placement: Placement = "suffix"
) -> Instruction:
    """Return the instruction of a solved task with constraints that its output meets; with none, the task as it is."""
    texts = [text for _, text in demanded]
    expert = None
    if row.thinking is not None:
        expert = Demonstration(thinking=row.thinking, answer=row.output, origin=row.origin)
    return Instruction.build(
        request=row.request,
        prompt=place(row.request, texts, row.language, placement),
        language=row.language,
        split=split,
        tree=And(parts=tuple(Leaf(constraint=constraint) for constraint, _ in demanded)),
        sub_instructions=tuple(SubInstruction(path=f"and.{n}", text=text) for n, text in enumerate(texts)),
        answer=row.answer,
        source=Provenance(seed_set=row.seed_set, seed_id=row.id, licence=row.licence, generator=GENERATOR),
        witness=row.output,
        expert=expert,
        unconstrained=row.unconstrained,
    )
