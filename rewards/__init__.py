"""RAIF rewards: is this response what was asked? Pure, offline, deterministic; no torch."""

from rewards.caps import LengthCap
from rewards.constraint import (
    Constraint,
    Context,
    Status,
    Verdict,
    constraint_class,
    known_constraints,
    parse_constraint,
    register,
)
from rewards.errors import RaifError
from rewards.instruction import (
    And,
    Demonstration,
    Instruction,
    Judgement,
    Leaf,
    LeafVerdict,
    Provenance,
    TaskAnswer,
    read_instructions,
)
from rewards.math_answer import MathVerifier, extract_answer
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse, Scorer, parse_rewards
from rewards.reward_functions import RolloutReward

RAIF_PACKAGE = "rewards"  # the sibling guard of `raif` looks for this name

__all__ = [
    "And",
    "Constraint",
    "Context",
    "Demonstration",
    "Instruction",
    "Judgement",
    "Leaf",
    "LeafVerdict",
    "LengthCap",
    "MathVerifier",
    "Provenance",
    "RaifError",
    "Response",
    "Reward",
    "RolloutReward",
    "ScoredResponse",
    "Scorer",
    "Status",
    "TaskAnswer",
    "Verdict",
    "constraint_class",
    "extract_answer",
    "known_constraints",
    "parse_constraint",
    "parse_rewards",
    "read_instructions",
    "register",
]
