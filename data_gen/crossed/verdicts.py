"""What the three judges of a MathIF row say: the official checks, the strict constraints, the answer grader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from data_gen.correctness import is_right
from rewards.constraint import Constraint, Context, Status, checked
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.official import variants
from rewards.parity.protocol import judge
from rewards.response import Response
from rewards.task_answer import MathAnswer


class Demand(NamedTuple):
    """An official id with its arguments, as a row of the benchmark names them."""

    id: str
    arguments: Mapping[str, Any] = {}


class Task(NamedTuple):
    """A problem with its right answer and what is demanded of the response."""

    question: str
    answer: str
    demands: tuple[Demand, ...] = ()

    @property
    def constraints(self) -> list[tuple[Constraint, ...]]:
        """The strict constraints of each demand."""
        return [strict_constraints("mathif", each.id, each.arguments, self.question) for each in self.demands]


class Verdicts(NamedTuple):
    """One verdict per demand under each profile, and whether the answer is right; what is undecided is not met."""

    parity: tuple[bool, ...]
    strict: tuple[bool, ...]
    correct: bool

    @property
    def perfect(self) -> bool:
        return all(self.parity) and all(self.strict) and self.correct

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """How good a response is where none is perfect: the official checks come first, then the answer."""
        return all(self.parity), self.correct, all(self.strict), sum(self.parity), sum(self.strict)


def verdicts_on(task: Task, text: str) -> Verdicts:
    r"""Judge a response.

    Example:
        >>> task = Task("What is 3 + 4?", "7", (Demand("punctuation:no_comma"), Demand("startend:quotation")))
        >>> verdicts_on(task, "It is \\boxed{7}.")
        Verdicts(parity=(True, False), strict=(True, False), correct=True)
    """
    return Verdicts(
        parity_verdicts(task.demands, text), strict_verdicts(task, text), is_right(MathAnswer(value=task.answer), text)
    )


def parity_verdicts(demands: Sequence[Demand], text: str) -> tuple[bool, ...]:
    """Return what the official checks say."""
    checks, forms = suite("mathif"), variants(text)
    return tuple(judge(checks.bind(each.id, each.arguments), forms).strict is True for each in demands)


def strict_verdicts(task: Task, text: str) -> tuple[bool, ...]:
    """Return what our own constraints say."""
    response, context = Response(None, text), Context(request=task.question)
    return tuple(
        all(checked(one, response, context).status is Status.SATISFIED for one in constraints)
        for constraints in task.constraints
    )
