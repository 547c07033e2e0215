"""RAIF rewards: is this response what was asked? Pure, offline, deterministic; no torch."""

from rewards.caps import LengthCap
from rewards.conditions import AnswerCondition, RequestCondition, ResponseCondition
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
from rewards.entries import parse_rewards
from rewards.errors import RaifError
from rewards.instruction import (
    Demonstration,
    Instruction,
    Message,
    Provenance,
    Split,
    SubInstruction,
    read_instructions,
)
from rewards.judgement import Judgement, LeafVerdict
from rewards.math_answer import MathVerifier, extract_answer
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse, Scorer
from rewards.reward_functions import RolloutReward
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer
from rewards.tree import And, Branch, Chain, Leaf, Selection

RAIF_PACKAGE = "rewards"  # the sibling guard of `raif` looks for this name

__all__ = [
    "And",
    "AnswerCondition",
    "Branch",
    "Chain",
    "CodeAnswer",
    "Constraint",
    "Context",
    "Demonstration",
    "Instruction",
    "Judgement",
    "Leaf",
    "LeafVerdict",
    "LengthCap",
    "MathAnswer",
    "MathVerifier",
    "Message",
    "Provenance",
    "QaAnswer",
    "RaifError",
    "RequestCondition",
    "Response",
    "ResponseCondition",
    "Reward",
    "RolloutReward",
    "ScoredResponse",
    "Scorer",
    "Selection",
    "Split",
    "Status",
    "SubInstruction",
    "Verdict",
    "constraint_class",
    "extract_answer",
    "known_constraints",
    "parse_constraint",
    "parse_rewards",
    "read_instructions",
    "register",
]
