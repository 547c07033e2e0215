"""What an evaluation works on and writes: items, outputs, and judged rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from raif.rollouts import Rollout
from rewards.instruction import Instruction
from rewards.response import Response, ThinkStyle

CONSTRAINED, UNCONSTRAINED = "constrained", "unconstrained"


class Check(NamedTuple):
    """One official instruction of an item: its id and its arguments as the data file gives them."""

    id: str
    arguments: Mapping[str, Any]


class Item(BaseModel):
    """One row of a benchmark. `id` is unique in the data; `labels` are what results are broken down by."""

    model_config = ConfigDict(frozen=True)

    id: str
    prompt: str  # the exact user turn, constraints included
    bare_prompt: str | None = None  # the same without the constraints, where the benchmark has such an arm
    question: str = ""  # what is asked, without any constraint
    constraint_texts: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    answer: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    instruction: Instruction | None = None  # of our own sets: the tree that is judged
    problem: str | None = None  # what items of the same question under other constraints share

    def bound(self) -> list[Any]:
        """Return what an evaluation of this item is bound to: its id, its prompts and what is demanded."""
        return [self.id, self.prompt, self.bare_prompt, self.answer, self.checks]

    def shown(self) -> dict[str, Any]:
        """Return what a report shows of an item beside its rollouts."""
        task = self.instruction
        answer = self.answer if task is None else getattr(task.answer, "value", None)
        witness = None if task is None else task.witness
        prompts = {"prompt": self.prompt, "bare_prompt": self.bare_prompt}
        return {"id": self.id, **prompts, "answer": answer, "witness": witness}


class Output(NamedTuple):
    """What came back for an item; `tokens` and `ended` are None where a stored response does not say.

    `style` says how the thinking is marked, `prefilled` whether the prompt had opened it; None: the text decides.
    """

    item: Item
    arm: str
    sample: int
    text: str
    tokens: int | None = None
    ended: bool | None = None
    prefilled: bool | None = None
    style: ThinkStyle = "think"


class OfficialVerdict(BaseModel):
    """The parity verdicts on one check; None where the official code has none, with the reason."""

    model_config = ConfigDict(frozen=True)

    id: str
    strict: bool | None
    loose: bool | None
    reason: str = ""


class EvaluatedRollout(Rollout):
    """A rollout of an evaluation. `instruction_id` is the item's id, `verdicts` are those of the strict profile.

    `official` holds the parity profile where a benchmark has one, check by check in the item's order. `hard` and
    `soft` are strict; `official_hard` and `official_soft` parity. `loose` are the strict profile's verdicts under the
    loose protocol of IFEval, where a suite has it. `unclosed`: the thinking was opened and never closed.
    """

    completion_tokens: int | None  # type: ignore[assignment]
    finish_reason: Literal["stop", "length"] | None  # type: ignore[assignment]
    arm: str = CONSTRAINED
    labels: dict[str, str] = Field(default_factory=dict)
    problem: str | None = None
    thinking_tokens: int | None = None
    prefilled: bool = True
    style: ThinkStyle = "think"
    unclosed: bool = False
    loose: tuple[bool | None, ...] = ()
    official: tuple[OfficialVerdict, ...] = ()
    official_hard: bool | None = None
    official_soft: float | None = None

    @property
    def response(self) -> Response:
        """The completion, divided as the strict profile divided it."""
        return Response.split(
            self.completion, style=self.style, prefilled=self.prefilled, truncated=bool(self.truncated)
        )

    @property
    def truncated(self) -> bool | None:
        return None if self.finish_reason is None else self.finish_reason == "length"
