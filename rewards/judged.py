"""A soft constraint: a demand that no rule decides, only a judge that is asked a question about the answer."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rewards.constraint import Constraint, Context, Status, Verdict, verdict_if
from rewards.text import Text


class Judged(Constraint):
    """A demand whose verdict is a judge's yes or no to `question`; unscored without an opinion.

    Example:
        >>> from rewards import Response
        >>> from rewards.judge import Opinion
        >>> polite = Judged(question="Is the answer polite?", demand="Be polite.")
        >>> said = {"Is the answer polite?": Opinion(True, 0.93)}
        >>> polite.check(Response(None, "Please."), Context(opinions=said)).status.value
        'satisfied'
        >>> polite.check(Response(None, "Please."), Context()).evidence
        'no judge has answered: Is the answer polite?'
    """

    type: Literal["judge:question"] = "judge:question"
    scope: Literal["answer"] = "answer"
    question: str = Field(min_length=1)
    demand: str = ""

    phrases: ClassVar = {"en": ("{demand}",), "zh": ("{demand}",)}
    notes: ClassVar = {"en": "{demand}", "zh": "{demand}"}

    def judge(self, text: Text, context: Context) -> Verdict:
        opinion = context.opinions.get(self.question)
        if opinion is None:
            return Verdict(Status.UNSCORED, f"no judge has answered: {self.question}")
        evidence = f"{self.question} {opinion.reason}"
        return Verdict(Status.UNSCORED, evidence) if opinion.yes is None else verdict_if(opinion.yes, evidence)
