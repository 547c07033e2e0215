"""What a SUSTAIN evaluation works on and writes: tasks, constraints read off outputs, and judged rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from data_gen.self_evident import Said, constraint_of
from data_gen.self_evident.extract import INERT, TIGHT, Tightness
from raif.evaluation.records import EvaluatedRollout
from rewards.constraint import Constraint
from rewards.task_answer import MathAnswer, QaAnswer, TaskAnswer

Domain = Literal["math", "qa", "code"]
DOMAINS: tuple[Domain, ...] = ("math", "qa", "code")
FIRST, RETEST, PLACEBO, CONSTRAINED = "first", "retest", "placebo", "constrained"
ARMS = (FIRST, RETEST, PLACEBO, CONSTRAINED)
Slots = Mapping[str, int | str]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Task(_Record):
    """A task with a ground truth; `request` is the exact user turn without any constraint.

    `passage` is the part of the request that is shown and asks for nothing, such as the paragraphs of a question.

    `id` is unique within a run, of the form SET/KEY; `labels` are what results are broken down by, such as hops.
    """

    id: str = Field(min_length=1)
    domain: Domain
    request: str = Field(min_length=1)
    passage: str = ""
    answer: TaskAnswer
    language: Literal["en", "zh"] = "en"
    source: str
    licence: str = ""
    labels: dict[str, str] = Field(default_factory=dict)

    @property
    def gold(self) -> str:
        """The expected answer as text; of a program its tests."""
        if isinstance(self.answer, QaAnswer):
            return " | ".join(self.answer.values)
        return self.answer.value if isinstance(self.answer, MathAnswer) else self.answer.tests


class Demand(_Record):
    """A constraint that the first output meets, as it is said in the prompt.

    `base_rate` is the share of other solved outputs that meet it unasked, None where fewer than 30 are known.
    """

    group: str
    family: str
    slots: dict[str, int | str]
    text: str
    base_rate: float | None = None
    in_request: bool = False

    @property
    def constraint(self) -> Constraint:
        return constraint_of(Said(self.family, self.slots))

    @property
    def tightness(self) -> Tightness:
        """How much it asks of an output that does not know of it: `inert` from 95 %, `tight` to 25 %."""
        if self.base_rate is None:
            return "unknown"
        return "inert" if self.base_rate >= INERT else "tight" if self.base_rate <= TIGHT else "middle"


class SustainItem(_Record):
    """A task, its first output and the constraints read off it.

    `witness` is the answer part of the first output, which meets all of `demands`; they stand in the order in which
    doses take them. `left_out` says why the item is not in D+ (`unsolved`, `truncated`, `undecided`,
    `no_constraint`), and is empty for those that are. `failed` names what raised on it; such an item counts nowhere.
    `candidates` counts what passed the gates, `rejects` what each gate refused.
    """

    task: Task
    witness: str
    score: float | None
    left_out: Literal["", "unsolved", "truncated", "undecided", "no_constraint"] = ""
    failed: str = ""
    demands: tuple[Demand, ...] = ()
    candidates: int = 0
    rejects: dict[str, int] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def in_dplus(self) -> bool:
        """Whether the item was solved without the constraint and has one."""
        return not self.left_out and not self.failed

    def at(self, dose: int, place: int = 0) -> tuple[Demand, ...]:
        """Return the demands of a prompt of some dose; of dose 1 the one at `place` alone."""
        return self.demands[place : place + dose]


class SustainRollout(EvaluatedRollout):
    """One judged completion of an arm; `instruction_id` is the task's id and `verdicts` are those on its constraints.

    Fields:
        domain: of the task.
        prompt: the exact user turn.
        dose: how many constraints the prompt has; of a placebo, as many as it is as long as; else 0.
        place: which of the item's demands stands alone in the prompt (0 but where an item has several).
        score: the task's score, 0 to 1, None where nobody can say; `correct` is whether it reaches the bound.
        f1: token F1 of a question's answer.
        ending: how a program ended: passed, failed, timeout, ...
        failure: the class of failure of a solved item that turned wrong, else empty.
    """

    domain: Domain
    prompt: str
    dose: int = 0
    place: int = 0
    score: float | None = None
    f1: float | None = None
    ending: str = ""
    failure: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the output meets every constraint of its prompt; None where there is none, or no verdict."""
        return self.hard if self.verdicts else None


def item_record(item: SustainItem, prompt: str) -> dict[str, Any]:
    """Return the line of `items.jsonl`; the first five keys are those of every evaluation."""
    task = item.task
    shown = {"id": task.id, "prompt": prompt, "bare_prompt": task.request, "answer": task.gold, "witness": item.witness}
    return {**shown, **item.model_dump(mode="json", exclude={"witness"})}
