"""Where TRL has the same reward, ours gives the same numbers; its functions work as entries of a recipe."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trl.rewards import get_repetition_penalty_reward, get_soft_overlong_punishment

from rewards import And, Instruction, Leaf, LengthCap, Provenance, Response, ScoredResponse, Scorer, parse_rewards
from rewards.caps import soft_overlong
from rewards.repetition import repeated_share

TASK = Instruction.build(
    request="Hi.",
    prompt="Hi. No commas.",
    language="en",
    split="train",
    tree=And(parts=(Leaf(constraint={"type": "punctuation:no_comma"}),)),
    source=Provenance(seed_set="test", seed_id="0"),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 120))
def test_soft_overlong(limit: int, band: int, tokens: int) -> None:
    assert soft_overlong(tokens, limit, band) == get_soft_overlong_punishment(limit, band)([[1] * tokens])[0]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 5))
def test_repetition(tokens: list[int], size: int) -> None:
    assert -repeated_share(tokens, size) == pytest.approx(get_repetition_penalty_reward(size, -1.0)([tokens])[0])


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"type": "trl.rewards.think_format_reward"}, 1.0),
        ({"type": "trl.rewards.get_repetition_penalty_reward", "arguments": {"ngram_size": 1}}, -0.75),
        (
            {
                "type": "trl.rewards.get_soft_overlong_punishment",
                "arguments": {"max_completion_len": 5, "soft_punish_cache": 4},
            },
            -0.75,
        ),
    ],
)
def test_trl_functions_are_entries(entry: dict[str, Any], value: float) -> None:
    text = "<think>\nhm\n</think>\nYes."
    item = ScoredResponse(TASK, Response.split(text), 4, text, [5, 5, 5, 5])
    reward = Scorer(parse_rewards([{"type": "constraints"}, entry]), LengthCap(limit=9)).score([item])[0]
    assert list(reward.parts.values()) == [1.0, value]
