"""The typed reward entries of a recipe. Each is a pure function of the facts about one rollout.

Entries that judge what the answer achieved make up the `outcome`; `format`, `length_cap` and `repetition` do not. An
entry without a verdict (None) makes the total undecided, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from rewards.caps import soft_overlong
from rewards.custom import check_path
from rewards.entry import Entry, GatedEntry, is_open
from rewards.entry import Facts as Facts
from rewards.errors import RaifError, unknown_name
from rewards.judge import JudgeConfig, parse_judge
from rewards.judgement import Aggregation
from rewards.qa_answer import extract_qa_answer, f1
from rewards.repetition import repeated_share
from rewards.shaping import Shaping, ends, shape
from rewards.task_answer import QaAnswer


class FormatReward(Entry):
    """`good` for a well-formed response (see `Response`), else `bad`."""

    type: Literal["format"] = "format"
    good: float = Field(default=1.0, allow_inf_nan=False)
    bad: float = Field(default=-1.0, allow_inf_nan=False)

    is_outcome = False

    @property
    def lowest(self) -> float:
        return min(self.good, self.bad)

    @property
    def highest(self) -> float:
        return max(self.good, self.bad)

    def value(self, facts: Facts) -> float:
        return self.good if facts.response.well_formed else self.bad


class ConstraintsReward(GatedEntry):
    """Reward for the constraints, see `rewards.shaping.shape`; tasks without constraints earn 0."""

    type: Literal["constraints"] = "constraints"
    shaping: Shaping = "fraction"
    aggregation: Aggregation = "flat"
    gate: Literal["none", "format", "correct"] = "format"

    @property
    def lowest(self) -> float:
        return ends(self.shaping)[0]

    @property
    def highest(self) -> float:
        return ends(self.shaping)[1]

    def value(self, facts: Facts) -> float | None:
        return super().value(facts) if facts.judgement.leaves else 0.0

    def earned(self, facts: Facts) -> float | None:
        return shape(facts.judgement, self.shaping, self.aggregation)


class _AnswerReward(GatedEntry):
    """`correct` or `incorrect` for tasks with a ground truth of one kind; other tasks earn 0."""

    correct: float = Field(default=1.0, allow_inf_nan=False)
    incorrect: float = Field(default=0.0, allow_inf_nan=False)
    gate: Literal["none", "format", "constraints"] = "none"

    kind: ClassVar[str]

    @property
    def lowest(self) -> float:
        return min(self.correct, self.incorrect, 0.0)

    @property
    def highest(self) -> float:
        return max(self.correct, self.incorrect, 0.0)

    def value(self, facts: Facts) -> float | None:
        if facts.truth is None or facts.truth.kind != self.kind:
            return 0.0
        opened = is_open(self.gate, facts)
        if not opened:
            return None if opened is None else self.incorrect
        return self.earned(facts)

    def earned(self, facts: Facts) -> float | None:
        return None if facts.correct is None else self.correct if facts.correct else self.incorrect


class MathAnswerReward(_AnswerReward):
    """Reward for the mathematical ground truth, see `rewards.math_answer`."""

    type: Literal["math_answer"] = "math_answer"
    kind = "math"


class QaAnswerReward(_AnswerReward):
    """Reward for giving an accepted answer: `exact_match`, or token `f1` scaled between `incorrect` and `correct`."""

    type: Literal["qa_answer"] = "qa_answer"
    measure: Literal["exact_match", "f1"] = "exact_match"
    kind = "qa"

    def earned(self, facts: Facts) -> float | None:
        if self.measure == "exact_match" or not isinstance(facts.truth, QaAnswer):
            return super().earned(facts)
        share = f1(extract_qa_answer(facts.response.answer), facts.truth.values)
        return self.incorrect + share * (self.correct - self.incorrect)


class CodeAnswerReward(_AnswerReward):
    """Reward for a program that passes its tests, run in a sandbox for at most `seconds`."""

    type: Literal["code_answer"] = "code_answer"
    seconds: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    kind = "code"


class InvarianceReward(Entry):
    """What a constraint costs the task: min(0, s(x + c) - s(x)), from 0 down to -1.

    s(x + c) is 1 for a right answer and 0 for a wrong one; s(x) is the share of the policy's answers to the bare
    request that were right (`Instruction.unconstrained`). A right answer earns 0 and a wrong one -s(x), so in a GRPO
    group, whose rollouts share s(x), r_i - mean(r) = s(x) (s_i - mean(s)): correctness weighs as much as the task was
    sure to be solved without the constraint.

    The symmetric -|s(x + c) - s(x)| is not used. It gives s(x) - 1 for a right answer and -s(x) for a wrong one, so
    r_i - mean(r) = (2 s(x) - 1) (s_i - mean(s)): where s(x) < 1/2 it would pay for being wrong.

    Behind a closed gate an answer counts as wrong. Tasks without a ground truth or without `unconstrained` earn 0.

    Fields:
        seconds: run programs for at most so long; by default only a `code_answer` entry has them run.
    """

    type: Literal["invariance"] = "invariance"
    gate: Literal["none", "format", "constraints"] = "none"
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @property
    def lowest(self) -> float:
        return -1.0

    @property
    def highest(self) -> float:
        return 0.0

    def value(self, facts: Facts) -> float | None:
        if facts.truth is None or facts.unconstrained is None:
            return 0.0
        opened = is_open(self.gate, facts)
        correct = facts.correct if opened else opened
        return None if correct is None else min(0.0, correct - facts.unconstrained)


class LengthCapReward(Entry):
    """From 0 down to -1 over the last tokens before the cap, see `rewards.caps.soft_overlong`.

    Fields:
        soft_band: width of the band: tokens, or a share of the limit when below 1.
        limit: completion tokens; by default the cap of the run.
    """

    type: Literal["length_cap"] = "length_cap"
    soft_band: float = Field(default=0.2, gt=0, allow_inf_nan=False)
    limit: int | None = Field(default=None, ge=1)

    is_outcome = False

    @property
    def lowest(self) -> float:
        return -1.0

    @property
    def highest(self) -> float:
        return 0.0

    def value(self, facts: Facts) -> float:
        limit = self.limit or (facts.cap.limit if facts.cap else None)
        if limit is None:
            raise RaifError("length_cap needs a limit: set `limit` in the entry, or score under a cap.")
        band = math.ceil(self.soft_band * limit) if self.soft_band < 1 else round(self.soft_band)
        return soft_overlong(facts.token_count, limit, band)


class RepetitionReward(Entry):
    """`max_penalty` times the share of repeated n-grams of tokens, see `rewards.repetition`."""

    type: Literal["repetition"] = "repetition"
    ngram_size: int = Field(default=3, ge=1)
    max_penalty: float = Field(default=-1.0, le=0, allow_inf_nan=False)

    is_outcome = False

    @property
    def lowest(self) -> float:
        return self.max_penalty

    @property
    def highest(self) -> float:
        return 0.0

    def value(self, facts: Facts) -> float:
        return self.max_penalty * repeated_share(facts.tokens, self.ngram_size) + 0.0


class JudgeReward(GatedEntry):
    """The share of `questions` that an LLM judge answers with yes; it also answers the judged leaves of trees.

    Without questions the entry only serves the trees and earns 0.
    """

    type: Literal["judge"] = "judge"
    questions: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    judge: JudgeConfig

    def earned(self, facts: Facts) -> float | None:
        if not self.questions:
            return 0.0
        found = [opinion.yes for question in self.questions if (opinion := facts.opinions.get(question))]
        if None in found or len(found) < len(self.questions):
            return None
        return sum(map(bool, found)) / len(found)


class CustomReward(GatedEntry):
    """The user's own function by its dotted path, see `rewards.custom`.

    Fields:
        arguments: when given, the object is called with them once and returns the reward function (TRL's factories).
        minimum, maximum: the values between which it stays; the minimum is what a closed gate earns.
        outcome: whether it judges the answer, and so takes part in the contrast of thinking with direct answers.
    """

    type: Annotated[str, Field(pattern=r"^\w+(\.\w+)+$")]
    arguments: dict[str, Any] | None = None
    minimum: float = Field(default=0.0, allow_inf_nan=False)
    maximum: float = Field(default=1.0, allow_inf_nan=False)
    outcome: bool = True

    @property
    def label(self) -> str:
        return self.name or self.type.rpartition(".")[2]

    @property
    def lowest(self) -> float:
        return self.minimum

    @property
    def highest(self) -> float:
        return self.maximum

    @model_validator(mode="after")
    def _importable(self) -> CustomReward:
        check_path(self.type)
        return self

    def earned(self, facts: Facts) -> float | None:
        return facts.custom[self.label]


BUILT_IN: tuple[type[Entry], ...] = (
    FormatReward,
    ConstraintsReward,
    MathAnswerReward,
    QaAnswerReward,
    CodeAnswerReward,
    InvarianceReward,
    LengthCapReward,
    RepetitionReward,
    JudgeReward,
)
REWARD_TYPES: dict[str, type[Entry]] = {cls.model_fields["type"].default: cls for cls in BUILT_IN}
RewardConfig = Entry


def parse_rewards(entries: Sequence[Any]) -> tuple[RewardConfig, ...]:
    """Parse the `rewards:` list of a recipe; unknown types and arguments are errors.

    Example:
        >>> parse_rewards([{"type": "constraints", "shaping": "paper"}])[0].shaping
        'paper'
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise RaifError(f"rewards must be a non-empty list of entries such as {{type: constraints}}; got {entries!r}.")
    parsed = tuple(_parse_entry(entry) for entry in entries)
    labels = [entry.label for entry in parsed]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise RaifError(f"two reward entries are called {twice!r}; give each its own `name`.")
    return parsed


def program_seconds(entries: Sequence[RewardConfig]) -> float | None:
    """Return how long entries let a program run; None where none of them has programs run.

    Example:
        >>> program_seconds(parse_rewards([{"type": "invariance", "seconds": 4}, {"type": "code_answer"}]))
        10.0
    """
    for kind in (CodeAnswerReward, InvarianceReward):
        for entry in entries:
            if isinstance(entry, kind) and entry.seconds is not None:
                return float(entry.seconds)
    return None


def _parse_entry(entry: Any) -> RewardConfig:
    if isinstance(entry, Entry):
        return entry
    name = entry.get("type") if isinstance(entry, Mapping) else entry
    cls = REWARD_TYPES.get(name) if isinstance(name, str) else None
    if cls is None:
        if not isinstance(name, str) or "." not in name:
            advice = "Each entry of `rewards` needs one of these, or the dotted path of your own function, as its type."
            raise unknown_name("reward type", name, REWARD_TYPES, advice)
        cls = CustomReward
    if cls is JudgeReward and isinstance(entry, Mapping) and "judge" in entry:
        entry = {**entry, "judge": parse_judge(entry["judge"])}
    try:
        return cls.model_validate(entry)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg']}" for e in error.errors())
        known = ", ".join(cls.model_fields)
        raise RaifError(f"reward entry {entry!r} is not valid: {problems}. It takes: {known}.") from error
