"""Constraints that a successful output meets already: read off it, sifted by the gates, labelled by how tight they are.

The method follows the idea of SUSTAINSCORE (arXiv 2601.22047); extraction, gates, choice and placement are our own.
All constraints of one output hold of it together, so any subset of them is satisfiable along with the right answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from data_gen.self_evident.families import Said, column_of, constraint_of, family, implied_key, render
from data_gen.self_evident.gates import Judge, Source
from data_gen.self_evident.reading import read_code, read_text
from rewards.constraint import Constraint, Context, Status, checked
from rewards.response import Response
from rewards.task_answer import CodeAnswer, TaskAnswer
from rewards.text import Text, count_keyword

TEXT_GROUPS = ("length", "structure", "keyword", "position", "character")
CODE_GROUPS = ("structure", "identifiers", "control_flow", "prohibitions", "length")
MIN_OTHERS = 30  # outputs without which no base rate is told
INERT, TIGHT = 0.95, 0.25
Tightness = Literal["tight", "middle", "inert", "unknown"]


@dataclass(frozen=True)
class Candidate:
    """A constraint that an output meets.

    Fields:
        group: one of `TEXT_GROUPS` or `CODE_GROUPS`.
        family: its name in `wordings.yaml`.
        constraint: the checker, with the arguments that were read off the output.
        slots: those arguments by name.
        key: what it is about; of two with one key the one may say what the other implies.
        in_request: whether it asks for a word that the request uses anyway.
        base_rate: the share of other outputs that meet it, if enough of them are known.
    """

    group: str
    family: str
    constraint: Constraint
    slots: Mapping[str, int | str]
    key: str
    in_request: bool = False
    base_rate: float | None = field(default=None)

    def text(self, language: str = "en", wording: int = 0) -> str:
        """Say the constraint in one of its three wordings."""
        return render(Said(self.family, self.slots), language, wording)

    @property
    def tightness(self) -> Tightness:
        """How much the constraint asks of an output that does not know of it: `inert` from 95 %, `tight` to 25 %."""
        if self.base_rate is None:
            return "unknown"
        return "inert" if self.base_rate >= INERT else "tight" if self.base_rate <= TIGHT else "middle"


def extract(
    request: str,
    output: str,
    answer: TaskAnswer | None,
    language: str,
    *,
    others: Sequence[Response] = (),
    demanded: Sequence[Constraint] = (),
    passage: str = "",
    rejected: Counter[str] | None = None,
) -> list[Candidate]:
    """Return the constraints that an output meets and that may be demanded of its request, in a fixed order.

    Args:
        request: the task as it is put, without the constraint.
        output: the answer part of a response that was scored as right and was not cut off; both are up to the caller.
        answer: the ground truth; with a `CodeAnswer` only the families on programs are read.
        language: `en` or `zh`, in which the constraints are worded.
        others: other successful outputs, of which the base rate is told if there are at least 30.
        demanded: constraints that the request is known to carry.
        passage: the part of the request that is shown and demands nothing, such as the paragraphs of a question.
        rejected: counts what was refused, by gate.

    Example:
        >>> from rewards.task_answer import MathAnswer
        >>> found = extract("How many eggs are 3 plus 4?", "3 + 4 makes 7 eggs.", MathAnswer(value="7"), "en")
        >>> [each.text() for each in found if each.group == "length"][:2]
        ['Use between 1 and 15 words.', 'Use at most 15 words.']
    """
    column_of(language)
    judge = Judge(Source(request, output, answer, language, passage), demanded)
    refused = rejected if rejected is not None else Counter()
    is_code = isinstance(answer, CodeAnswer)
    asked = Text(request)
    candidates = []
    for said in read_code(output, request) if is_code else read_text(output, request, language):
        gate = judge.refusal(said)
        if gate:
            refused[gate] += 1
        else:
            candidates.append(_candidate(said, asked, others, judge.source.context))
    return candidates


def _candidate(said: Said, asked: Text, others: Sequence[Response], context: Context) -> Candidate:
    constraint = constraint_of(said)
    word = said.slots.get("word", "")
    return Candidate(
        group=family(said.family).group,
        family=said.family,
        constraint=constraint,
        slots=said.slots,
        key=implied_key(said),
        in_request=isinstance(word, str) and bool(word) and count_keyword(asked, word) > 0,
        base_rate=base_rate(constraint, others, context),
    )


def base_rate(constraint: Constraint, others: Sequence[Response], context: Context) -> float | None:
    """Return the share of other outputs that meet a constraint, or None where they are fewer than 30."""
    if len(others) < MIN_OTHERS:
        return None
    met = sum(checked(constraint, other, context).status is Status.SATISFIED for other in others)
    return met / len(others)
