"""An official check as a constraint, so that instructions can be judged in the parity profile."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from rewards.constraint import Constraint, Context, Status, Verdict, verdict_if
from rewards.draft import Draft
from rewards.errors import RaifError
from rewards.parity import suite
from rewards.parity.protocol import Variants, judge
from rewards.parity.suite import BoundCheck
from rewards.response import Response
from rewards.text import Text


@lru_cache(maxsize=64)
def variants(response: str) -> Variants:
    """Return the loose variants of a response, shared by the checks that look at it one after another."""
    return Variants(response)


class Official(Constraint):
    """The verdict of an official checker, bug for bug; for measuring, not for rewards."""

    type: Literal["parity:official"] = "parity:official"
    suite: Literal["ifeval", "ifbench", "iftrain", "mathif"]
    id: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    protocol: Literal["strict", "loose"] = "strict"

    phrases: ClassVar = {"en": ("Follow {id} {arguments}.",), "zh": ("遵守{id} {arguments}。",)}
    notes: ClassVar = {"en": "{id}", "zh": "{id}"}

    @model_validator(mode="after")
    def _known(self) -> Official:
        suite(self.suite).bind(self.id, self.arguments)
        return self

    @property
    def bound(self) -> BoundCheck:
        return suite(self.suite).bind(self.id, self.arguments)

    def check(self, response: Response, context: Context) -> Verdict:
        """Judge a response as the official code does, which has its own rule for blank ones."""
        text = response.view(self.scope)
        return self.judge(text, context) if text is not None else Verdict(Status.VIOLATED, f"no {self.scope}")

    def judge(self, text: Text, context: Context) -> Verdict:
        outcome = judge(self.bound, variants(text.original))
        followed = outcome.loose if self.protocol == "loose" else outcome.strict
        if followed is None:
            return Verdict(Status.UNSCORED, outcome.reason)
        return verdict_if(followed, f"{suite(self.suite).version}, {self.protocol}")

    def witness(self, draft: Draft) -> Draft:
        raise RaifError(f"{self.id} is an official check and has no witness; synthesize with strict constraints.")
