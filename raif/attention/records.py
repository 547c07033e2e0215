"""What an attention analysis is asked, and what it writes of each rollout."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from raif.sustain.records import CONSTRAINED, PLACEBO, SustainItem, SustainRollout

DECILES = 10
ARMS = (CONSTRAINED, PLACEBO)
PARTS = ("all", "answer")


class Evaluation(NamedTuple):
    """A finished SUSTAIN evaluation, as `load_sustain` returns it."""

    metrics: dict[str, Any]
    items: list[SustainItem]
    rollouts: list[SustainRollout]


class AttentionSettings(BaseModel):
    """The settings of an analysis.

    Fields:
        dose: how many constraints the analysed prompts have.
        arms: `constrained`, and `placebo` for the control.
        part: the output steps that count: `all`, or those of the `answer` after the thinking.
        limit: at most so many items, evenly spaced; 0 takes all.
        draws: random spans of a rollout whose enrichment is averaged.
        seed: of random spans, bootstrap and permutations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dose: int = Field(default=1, ge=1)
    arms: tuple[str, ...] = ARMS
    part: str = "all"
    limit: int = Field(default=0, ge=0)
    draws: int = Field(default=8, ge=1)
    seed: int = 0


class AttentionRow(BaseModel):
    """The attention of one rollout; every mean is over heads, then layers, then output steps.

    Fields:
        solved, met: whether the task is right, and the constraint met; None where nobody can say.
        family: of the constraints in the prompt, joined by `+`; empty for a placebo.
        constraint_tokens: |C|, tokens of the constraint's text, or of the placebo's.
        prompt_tokens: tokens of the user turn: the prompt minus the sink.
        output_tokens: output steps measured, those of the part.
        mass, alpha, share, enrich: of the constraint, as `raif.attention.measures` defines them.
        undefined: share of layer-steps in which no token of the constraint can be seen (local attention).
        per_constraint: `enrich` of each constraint by itself, in the order of the prompt.
        random_span: mean `enrich` of random spans of the same length outside of the constraint.
        grid: `enrich` by layer and tenth of the output; None where a tenth has no step.
        left_out: why nothing was measured: `empty` output, `no_answer` part, or `too_long` for the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    domain: str
    arm: str
    dose: int
    place: int
    sample: int
    labels: dict[str, str]
    solved: bool | None
    met: bool | None
    family: str
    constraint_tokens: int
    prompt_tokens: int
    output_tokens: int
    mass: float | None = None
    alpha: float | None = None
    share: float | None = None
    enrich: float | None = None
    undefined: float | None = None
    per_constraint: tuple[float | None, ...] = ()
    random_span: float | None = None
    grid: tuple[tuple[float | None, ...], ...] = ()
    left_out: Literal["", "empty", "no_answer", "too_long"] = ""
