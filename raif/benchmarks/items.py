"""The one item form of benchmarks that ask questions about an answer, and what judging leaves.

A question is asked of a judge (`judge`), answered by a rule (`rule`), or answered by a rule on the part of the answer
that a judge points out (`extract`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from raif.chat import Messages
from raif.evaluation.records import EvaluatedRollout, Item
from rewards.constraint import Status

By = Literal["judge", "rule", "extract"]


class Question(BaseModel):
    """One thing that is asked about an answer.

    Fields:
        id: unique in the item.
        text: what a judge is asked, or what a rule demands, in words.
        rule: of a rule, as the benchmark's file writes it or by the name of the adapter.
        weight: of a satisfied question in the item's score; None where the benchmark has no weights.
        role: such as primary or secondary.
        depends_on: ids of the questions that must be satisfied first.
        labels: what verdicts are broken down by, such as {"dimension": ("Length",)}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    text: str
    by: By = "judge"
    rule: str | None = None
    weight: float | None = None
    role: str = ""
    depends_on: tuple[str, ...] = ()
    labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class QuestionItem(Item):
    """One row of a benchmark: the conversation that a policy continues, and the questions about its answer.

    Fields:
        conversation: the messages, the last one the user's; `prompt` repeats its text.
        context: what the judge's prompt and the rules need beside the questions (reference answer, earlier turns).
    """

    conversation: tuple[dict[str, str], ...]
    questions: tuple[Question, ...]
    language: str = "en"
    context: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _joined(self) -> QuestionItem:
        ids = [question.id for question in self.questions]
        if len(set(ids)) < len(ids):
            raise ValueError(f"item {self.id} has two questions of one id")
        if unknown := {need for question in self.questions for need in question.depends_on} - {*ids}:
            raise ValueError(f"item {self.id} has a question that depends on {sorted(unknown)}, which it does not have")
        return self

    @property
    def messages(self) -> Messages:
        """The conversation as a chat template takes it."""
        return [dict(message) for message in self.conversation]

    def bound(self) -> list[Any]:
        demands = [question.model_dump() for question in self.questions]
        return [*super().bound(), self.conversation, demands, self.language, self.context]

    def shown(self) -> dict[str, Any]:
        """Return what a report shows beside rollouts: every turn of the conversation, and the questions."""
        turns = [f"{message['role']}: {message['content']}" for message in self.conversation]
        prompt = "\n\n".join(turns) if len(turns) > 1 else self.prompt
        questions = [question.model_dump(exclude_defaults=True) for question in self.questions]
        return {**super().shown(), "prompt": prompt, "questions": questions}


def conversation(prompt: str) -> tuple[dict[str, str], ...]:
    """Return a conversation of a single user turn.

    Example:
        >>> conversation("Hi")
        ({'role': 'user', 'content': 'Hi'},)
    """
    return ({"role": "user", "content": prompt},)


class QuestionVerdict(BaseModel):
    """What is said of one question, before dependencies.

    Fields:
        value: 1 for yes, 0 for no, or the share that a rule gives; None without a readable verdict.
        applies: False where the item does not ask this (value is None then, and the question counts nowhere).
        reason: the judge's analysis, or the rule's evidence.
        official: what the published code makes of the same reply or answer, where that is a value of this question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    value: float | None
    applies: bool = True
    reason: str = ""
    official: float | None = None

    @property
    def status(self) -> Status:
        if not self.applies:
            return Status.SKIPPED
        if self.value is None:
            return Status.UNSCORED
        return Status.SATISFIED if self.value >= 1 else Status.VIOLATED


class QuestionRollout(EvaluatedRollout):
    """A judged answer. `answers` are in the order of the item's questions; `verdicts` know of dependencies too.

    Fields:
        replies: the judge's reply to each call by the call's name; that of a second try stands under "NAME|again".
    """

    answers: tuple[QuestionVerdict, ...] = ()
    replies: dict[str, str] = Field(default_factory=dict)


def resolve(questions: Sequence[Question], verdicts: Sequence[QuestionVerdict]) -> list[Status]:
    """Return the statuses after dependencies: a question counts only if all it depends on are satisfied, transitively.

    A question whose prerequisite has no readable verdict has none itself, unless it fails on its own account.

    Example:
        >>> chain = [Question(id="a", text=""), Question(id="b", text="", depends_on=("a",)),
        ...          Question(id="c", text="", depends_on=("b",))]
        >>> said = [QuestionVerdict(id=key, value=value) for key, value in (("a", 0), ("b", 1), ("c", 1))]
        >>> [status.value for status in resolve(chain, said)]
        ['violated', 'blocked', 'blocked']
    """
    needs = {question.id: question.depends_on for question in questions}
    own = {verdict.id: verdict.status for verdict in verdicts}
    return [_resolved(question.id, needs, own) for question in questions]


def _resolved(key: str, needs: Mapping[str, Sequence[str]], own: Mapping[str, Status]) -> Status:
    if own[key] is Status.SKIPPED:
        return Status.SKIPPED
    above: set[str] = set()
    waiting = list(needs[key])
    while waiting:
        need = waiting.pop()
        if need not in above and need != key and own[need] is not Status.SKIPPED:
            above.add(need)
            waiting += needs[need]
    found = {own[need] for need in above}
    if Status.VIOLATED in found:
        return Status.BLOCKED
    return Status.UNSCORED if Status.UNSCORED in found and own[key] is Status.SATISFIED else own[key]
