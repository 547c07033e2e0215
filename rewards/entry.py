"""What all reward entries share: the facts that they look at, weights and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rewards.caps import LengthCap
from rewards.judge import Opinion
from rewards.judgement import Judgement
from rewards.response import Response
from rewards.task_answer import TaskAnswer

Gate = Literal["none", "format", "correct", "constraints"]


class Facts(NamedTuple):
    """What entries may look at. `tokens` are token ids, or words where a rollout comes without ids.

    `correct` is None without a ground truth or a verdict on it; `opinions` are a judge's answers by question and
    `custom` the values of the user's own functions by entry name. `unconstrained` is the instruction's.
    """

    response: Response
    judgement: Judgement
    truth: TaskAnswer | None = None
    correct: bool | None = None
    tokens: Sequence[Any] = ()
    token_count: int = 0
    cap: LengthCap | None = None
    opinions: Mapping[str, Opinion] = {}
    custom: Mapping[str, float | None] = {}
    unconstrained: float | None = None


class Entry(BaseModel):
    """A reward by its name and weight; `value` is what one rollout earns, None where that cannot be decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    name: str = ""
    weight: float = Field(default=1.0, allow_inf_nan=False)

    is_outcome: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """The name under which the entry is logged."""
        return self.name or self.type

    @property
    def lowest(self) -> float:
        """The worst value, unweighted; what an entry behind a closed gate earns."""
        return 0.0

    @property
    def highest(self) -> float:
        return 1.0

    @property
    def least(self) -> float:
        """The least that the entry can add to a total."""
        return min(self.weight * self.lowest, self.weight * self.highest)

    def value(self, facts: Facts) -> float | None:
        raise NotImplementedError


class GatedEntry(Entry):
    """An entry that earns its lowest value where `gate` is closed: the format is bad, the answer wrong, ..."""

    gate: Gate = "none"

    def value(self, facts: Facts) -> float | None:
        opened = is_open(self.gate, facts)
        if not opened:
            return None if opened is None else self.lowest
        return self.earned(facts)

    def earned(self, facts: Facts) -> float | None:
        raise NotImplementedError


def is_open(gate: Gate, facts: Facts) -> bool | None:
    """Tell whether a gate lets an entry earn; None where that cannot be decided."""
    if gate == "correct":
        return True if facts.truth is None else facts.correct
    if gate == "constraints":
        return facts.judgement.hard if facts.judgement.leaves else True
    return gate == "none" or facts.response.well_formed
