"""Trees whose leaves and conditions say what a test dictates."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from rewards import (
    Branch,
    Constraint,
    Context,
    Instruction,
    Judgement,
    Leaf,
    Provenance,
    Response,
    ResponseCondition,
    Selection,
    Status,
    Verdict,
)
from rewards.conditions import Condition
from rewards.task_answer import TaskAnswer
from rewards.tree import Node, judge

YES, NO, BLOCKED, SKIPPED, OPEN = (
    Status.SATISFIED,
    Status.VIOLATED,
    Status.BLOCKED,
    Status.SKIPPED,
    Status.UNSCORED,
)
Says = Literal["satisfied", "violated", "unscored", "raises"]
SAYS: tuple[Says, ...] = ("satisfied", "violated", "unscored", "raises")
ANSWER = Response(None, "Any words.")


class Scripted(Constraint):
    """A constraint whose verdict is fixed."""

    type: Literal["test:scripted"] = "test:scripted"
    says: Says
    phrases: ClassVar = {}
    notes: ClassVar = {}

    def judge(self, text: Any, context: Context) -> Verdict:
        if self.says == "raises":
            raise RuntimeError("scripted")
        return Verdict(Status(self.says))


def leaf(says: Says | bool | None = "satisfied", **fields: Any) -> Leaf:
    """Return a leaf with a fixed verdict: True, False and None stand for satisfied, violated and unscored."""
    named = {True: "satisfied", False: "violated", None: "unscored"}
    return Leaf(constraint=Scripted(says=says if isinstance(says, str) else named[says]), **fields)


def when(holds: bool | None) -> Condition:
    return ResponseCondition(constraint=leaf(holds).constraint)


def select(*branches: tuple[bool | None, Node], otherwise: Node | None = None) -> Selection:
    made = tuple(Branch(when=when(holds), then=then) for holds, then in branches)
    return Selection(branches=made, otherwise=otherwise)


def judged(tree: Any, answer: TaskAnswer | None = None, context: Context | None = None) -> Judgement:
    return judge(tree.places, ANSWER, context or Context(), answer)


def statuses(tree: Any, **known: Any) -> list[Status]:
    return [each.verdict.status for each in judged(tree, **known).leaves]


def build(tree: Node, answer: TaskAnswer | None = None) -> Instruction:
    return Instruction.build(
        request="3 + 4?",
        prompt="3 + 4? Demands.",
        language="en",
        split="train",
        tree=tree,
        answer=answer,
        source=Provenance(seed_set="test", seed_id="0"),
    )
