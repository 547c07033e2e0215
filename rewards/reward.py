"""Rewards: typed entries of a recipe, and the scorer that turns rollouts into reward breakdowns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rewards.caps import LengthCap
from rewards.errors import RaifError, unknown_name
from rewards.instruction import Instruction, Judgement
from rewards.math_answer import MathVerifier, shared_verifier
from rewards.response import Response

Shaping = Literal["paper", "fraction", "all_or_nothing"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(default=1.0, allow_inf_nan=False)


class FormatReward(_Entry):
    """`good` for a well-formed response (one think block, closed, nothing blank), else `bad`."""

    type: Literal["format"] = "format"
    good: float = 1.0
    bad: float = -1.0


class ConstraintsReward(_Entry):
    """Reward for the constraints.

    `paper` is RAIF's: all satisfied 2, none -2, else the satisfied fraction (arXiv 2506.01413, section 3.3).
    `fraction` is the satisfied share, `all_or_nothing` 1 or 0. `gate: format` gives a malformed response the value
    of no constraint satisfied.
    """

    type: Literal["constraints"] = "constraints"
    shaping: Shaping = "fraction"
    gate: Literal["none", "format"] = "format"


class MathAnswerReward(_Entry):
    """`correct` or `incorrect` for tasks with a mathematical ground truth; tasks without one earn 0."""

    type: Literal["math_answer"] = "math_answer"
    correct: float = 1.0
    incorrect: float = 0.0


RewardConfig = Annotated[FormatReward | ConstraintsReward | MathAnswerReward, Field(discriminator="type")]
_CONFIGS: TypeAdapter[Any] = TypeAdapter(RewardConfig)
REWARD_TYPES = ("format", "constraints", "math_answer")


def parse_rewards(entries: Sequence[Any]) -> tuple[RewardConfig, ...]:
    """Parse the `rewards:` list of a recipe; unknown types and arguments are errors.

    Example:
        >>> parse_rewards([{"type": "constraints", "shaping": "paper"}])[0].shaping
        'paper'
    """
    if not isinstance(entries, Sequence) or not entries:
        raise RaifError(f"rewards must be a non-empty list of entries such as {{type: constraints}}; got {entries!r}.")
    return tuple(_parse_entry(entry) for entry in entries)


def _parse_entry(entry: Any) -> RewardConfig:
    name = entry.get("type") if isinstance(entry, dict) else getattr(entry, "type", entry)
    if name not in REWARD_TYPES:
        raise unknown_name("reward type", name, REWARD_TYPES, "Each entry of `rewards` needs one of these as its type.")
    try:
        config: RewardConfig = _CONFIGS.validate_python(entry)
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][-1] if e['loc'] else 'entry'}: {e['msg']}" for e in error.errors())
        raise RaifError(f"reward entry {entry!r} is not valid: {problems}.") from error
    return config


def shape(judgement: Judgement, shaping: Shaping, well_formed: bool = True) -> float | None:
    """Turn a judgement into the constraints reward; None when a counted leaf is unscored.

    Example:
        >>> from rewards import Leaf, LeafVerdict, Status, Verdict
        >>> verdicts = Verdict(Status.SATISFIED), Verdict(Status.VIOLATED)
        >>> half = Judgement(tuple(LeafVerdict("", "", verdict) for verdict in verdicts))
        >>> shape(half, "paper"), shape(half, "all_or_nothing"), shape(half, "paper", well_formed=False)
        (0.5, 0.0, -2.0)
    """
    soft = judgement.soft
    if soft is None:
        return None
    soft = soft if well_formed else 0.0
    if shaping == "paper":
        return {0.0: -2.0, 1.0: 2.0}.get(soft, soft)
    return float(soft == 1.0) if shaping == "all_or_nothing" else soft


class Reward(NamedTuple):
    """The breakdown of one rollout's reward. Parts are unweighted; `total` is None when it cannot be decided.

    `outcome` is the weighted sum of what the answer earned (constraints, ground truth), without format and length:
    the score on which thinking and direct rollouts are compared.
    """

    total: float | None
    outcome: float | None
    format: float
    constraints: float | None
    answer: float | None
    length: float
    correct: bool | None
    well_formed: bool
    judgement: Judgement


class ScoredResponse(NamedTuple):
    """What a scorer needs to know of one rollout."""

    instruction: Instruction
    response: Response
    completion_tokens: int = 0


class Scorer:
    """Score responses: rollouts in, reward breakdowns out; deterministic for given inputs.

    Args:
        rewards: parsed entries, see `parse_rewards`.
        cap: the length cap, or None when truncation plays no part.
        verifier: compares mathematical answers; by default the one shared by this process.
    """

    def __init__(
        self,
        rewards: Sequence[RewardConfig],
        cap: LengthCap | None = None,
        verifier: MathVerifier | None = None,
    ) -> None:
        self.rewards, self.cap, self._verifier = tuple(rewards), cap, verifier

    def score(self, batch: Sequence[ScoredResponse]) -> list[Reward]:
        """Score a batch, in order.

        Example:
            >>> from rewards import And, Leaf, Provenance
            >>> task = Instruction.build(
            ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
            ...     tree=And(parts=(Leaf(constraint={"type": "length:max_words", "limit": 4}),)),
            ...     answer={"kind": "math", "value": "7"}, source=Provenance(seed_set="example", seed_id="0"))
            >>> scorer = Scorer(parse_rewards([{"type": "constraints"}, {"type": "math_answer", "weight": 0.5}]))
            >>> scorer.score([ScoredResponse(task, Response("3 + 4", "It is 7."))])[0].total
            1.5
        """
        correct = self._correctness(batch)
        return [self._reward(item, right) for item, right in zip(batch, correct, strict=True)]

    def _correctness(self, batch: Sequence[ScoredResponse]) -> list[bool | None]:
        asked = [i for i, item in enumerate(batch) if item.instruction.answer is not None]
        verifier = self._verifier or shared_verifier()
        verdicts = verifier.judge([(batch[i].instruction.answer.value, batch[i].response.answer) for i in asked])  # type: ignore[union-attr]
        found = dict(zip(asked, verdicts, strict=True))
        return [found.get(i) for i in range(len(batch))]

    def _reward(self, item: ScoredResponse, correct: bool | None) -> Reward:
        response = item.response
        judgement = item.instruction.evaluate(response)
        parts: dict[str, float | None] = {"format": 0.0, "constraints": 0.0, "math_answer": 0.0}
        outcome: float | None = 0.0
        other = length = self.cap.length_reward(item.completion_tokens) if self.cap else 0.0
        for entry in self.rewards:
            part = parts[entry.type] = _part(entry, item, judgement, correct)
            if isinstance(entry, FormatReward):
                other += entry.weight * (part or 0.0)
            else:
                outcome = None if outcome is None or part is None else outcome + entry.weight * part
        total = None if outcome is None else outcome + other
        if response.truncated and self.cap is not None:
            total = {"zero": 0.0, "penalty": self.cap.penalty}.get(self.cap.on_truncation, total)
        return Reward(
            total=total,
            outcome=outcome,
            format=parts["format"] or 0.0,
            constraints=parts["constraints"],
            answer=parts["math_answer"],
            length=length,
            correct=correct,
            well_formed=response.well_formed,
            judgement=judgement,
        )


def _part(entry: RewardConfig, item: ScoredResponse, judgement: Judgement, correct: bool | None) -> float | None:
    well_formed = item.response.well_formed
    if isinstance(entry, FormatReward):
        return entry.good if well_formed else entry.bad
    if isinstance(entry, ConstraintsReward):
        return shape(judgement, entry.shaping, well_formed or entry.gate == "none")
    if item.instruction.answer is None:
        return 0.0
    return None if correct is None else (entry.correct if correct else entry.incorrect)
