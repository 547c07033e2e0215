"""Completions as frameworks hand them over: right, wrong, malformed, truncated and unscored, and what they earn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rewards import (
    And,
    Chain,
    Instruction,
    Leaf,
    LengthCap,
    MathAnswer,
    Provenance,
    Response,
    Reward,
    ScoredResponse,
    Scorer,
    parse_rewards,
)
from rewards.think_styles import ThinkStyle

EOS = 2
CAP = LengthCap(limit=9, on_truncation="penalty", penalty=-3.0)
ENTRIES = [
    {"type": "format", "weight": 0.25},
    {"type": "constraints", "shaping": "paper", "gate": "none"},
    {"type": "math_answer", "weight": 0.5},
    {"type": "length_cap", "weight": 0.1, "soft_band": 4, "limit": 9},
]
Handed = tuple[Instruction, str, int, bool]  # a completion, the number of its tokens, whether the last of them ends it


def instruction(*constraints: dict[str, Any], answer: str | None = "\\frac{1}{2}") -> Instruction:
    leaves = tuple(Leaf(constraint=each) for each in constraints)
    return Instruction.build(
        request="What is half of one?",
        prompt="What is half of one? Demands.",
        language="en",
        split="train",
        tree=Chain(steps=(And(parts=leaves),)),
        answer=MathAnswer(value=answer) if answer else None,
        source=Provenance(seed_set="test", seed_id="0"),
    )


PLAIN = instruction({"type": "length:max_words", "limit": 4}, {"type": "punctuation:no_comma"})
FREE = instruction({"type": "punctuation:no_comma"}, answer=None)
HARD = instruction({"type": "punctuation:no_comma"}, answer="\\cos(\\frac{\\pi}{5})")  # not compared at once
ENGLISH = instruction({"type": "language:response", "language": "en"})
UNSCORED: Handed = (ENGLISH, "hm</think>It is 0.5", 7, True)
ROWS: list[Handed] = [
    (PLAIN, "hm</think>It is 0.5", 7, True),
    (PLAIN, "hm</think>It is, well, \\boxed{1/2}", 9, True),
    (PLAIN, "hm</think>It is, surely, just about 0.7", 5, True),
    (PLAIN, "hm</think>It is 0.5", 9, False),
    (PLAIN, "It never closes", 9, False),
    (PLAIN, "It never closes", 3, True),
    (PLAIN, "hm</think>   ", 3, True),
    (PLAIN, "", 1, True),
    (PLAIN, "<think>one</think>two</think>\\boxed{\\frac{2}{4}}", 6, True),
    (PLAIN, "hm</think><answer>It is 0.5</answer>", 8, True),
    (FREE, "hm</think>Whatever", 3, True),
    (HARD, "hm</think>\\boxed{\\frac{1+\\sqrt{5}}{4}}", 8, True),
    (HARD, "hm</think>\\boxed{\\frac{1+\\sqrt{5}}{5}}", 8, True),
    (ENGLISH, "hm</think>The answer to this question is surely one half.", 8, True),
    UNSCORED,
    (ENGLISH, "hm</think>It is 0.5", 9, False),
]


def ids(count: int, ended: bool) -> list[int]:
    return [*range(10, 9 + count), EOS if ended else 9]


def reference(rows: Sequence[Handed], style: ThinkStyle = "think", cap: LengthCap | None = CAP) -> list[Reward]:
    """Score rows without any adapter."""
    batch = []
    for task, text, count, ended in rows:
        cut = cap is not None and not ended
        batch.append(ScoredResponse(task, Response.split(text, style=style, truncated=cut), count, text))
    return Scorer(parse_rewards(ENTRIES), cap).score(batch)
