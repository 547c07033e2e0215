"""What decides the branch of a Selection: the request, the reference answer, or the response itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rewards.constraint import AnyConstraint, Context, Status, checked
from rewards.response import Response
from rewards.task_answer import CodeAnswer, MathAnswer, TaskAnswer

Relation = Literal["equals", "above", "below", "even", "odd", "positive", "negative"]
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_COMPARED = ("equals", "above", "below")


class Decided(NamedTuple):
    """Whether a condition holds; None, with the reason, where that cannot be told."""

    holds: bool | None
    reason: str = ""


class _Condition(BaseModel):
    """`text` says the condition as the prompt does, for example "the request asks for code"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""


class RequestCondition(_Condition):
    """A condition on the request.

    Fields:
        holds: the decision, where it was made together with the instruction.
        constraint: else the constraint that the text of the request must satisfy.
    """

    by: Literal["request"] = "request"
    holds: bool | None = None
    constraint: AnyConstraint | None = None

    @model_validator(mode="after")
    def _one_decision(self) -> RequestCondition:
        if (self.holds is None) == (self.constraint is None):
            raise ValueError("a condition on the request needs either `holds` or a `constraint`, and not both")
        if self.constraint is not None and self.constraint.type == "judge:question":
            raise ValueError("no judge is asked about a request; say whether the condition holds with `holds`")
        return self

    def decide(self, response: Response, context: Context, answer: TaskAnswer | None) -> Decided:
        if self.constraint is None:
            return Decided(self.holds)
        return _by_constraint(self.constraint, Response(None, context.request), context)


class AnswerCondition(_Condition):
    """A condition on the reference answer: `equals`, `above` or `below` a value, `even`, `odd`, `positive`, `negative`.

    Example:
        >>> AnswerCondition(relation="above", value="10").decide(Response(None, ""), Context(), MathAnswer(value="12"))
        Decided(holds=True, reason='')
    """

    by: Literal["answer"] = "answer"
    relation: Relation
    value: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _value_where_compared(self) -> AnswerCondition:
        if (self.value is not None) != (self.relation in _COMPARED):
            raise ValueError(f"relation {self.relation!r} takes {'a' if self.value is None else 'no'} value")
        if self.relation in ("above", "below") and _number(self.value or "") is None:
            raise ValueError(f"relation {self.relation!r} needs a number; got {self.value!r}")
        return self

    def decide(self, response: Response, context: Context, answer: TaskAnswer | None) -> Decided:
        if answer is None or isinstance(answer, CodeAnswer):
            return Decided(None, "the task has no reference answer to compare")
        values = (answer.value,) if isinstance(answer, MathAnswer) else answer.values
        if self.relation == "equals":
            return Decided(any(_same(value, self.value or "") for value in values))
        number = _number(values[0])
        if number is None:
            return Decided(None, f"the reference answer {values[0][:50]!r} is no plain number")
        return Decided(_RELATIONS[self.relation](number, _number(self.value or "") or Decimal(0)))


class ResponseCondition(_Condition):
    """A condition on the response itself: that it satisfies a constraint."""

    by: Literal["response"] = "response"
    constraint: AnyConstraint

    def decide(self, response: Response, context: Context, answer: TaskAnswer | None) -> Decided:
        return _by_constraint(self.constraint, response, context)


Condition = Annotated[RequestCondition | AnswerCondition | ResponseCondition, Field(discriminator="by")]

_RELATIONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "above": lambda number, value: number > value,
    "below": lambda number, value: number < value,
    "even": lambda number, value: number % 2 == 0,
    "odd": lambda number, value: number % 2 in (1, -1),
    "positive": lambda number, value: number > 0,
    "negative": lambda number, value: number < 0,
}


def _by_constraint(constraint: AnyConstraint, response: Response, context: Context) -> Decided:
    verdict = checked(constraint, response, context)
    if verdict.status is Status.UNSCORED:
        return Decided(None, verdict.evidence)
    return Decided(verdict.status is Status.SATISFIED)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(_THOUSANDS.sub("", text.strip().strip("$")))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() < 20 else None  # beyond: no remainder by 2


def _same(left: str, right: str) -> bool:
    a, b = _number(left), _number(right)
    return a == b if a is not None and b is not None else left.strip().casefold() == right.strip().casefold()
