"""One small instruction that the tests of rewards share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rewards import And, Instruction, Leaf, MathAnswer, Provenance, parse_constraint

Build = Callable[..., Instruction]


@pytest.fixture(scope="session")
def build() -> Build:
    def make(*constraints: dict[str, object], answer: str | None = "7", witness: str | None = None) -> Instruction:
        asked = constraints or (
            {"type": "punctuation:no_comma"},
            {"type": "length:max_words", "limit": 4},
        )
        return Instruction.build(
            request="3 + 4?",
            prompt="3 + 4? Demands.",
            language="en",
            split="train",
            tree=And(parts=tuple(Leaf(constraint=parse_constraint(each)) for each in asked)),
            answer=MathAnswer(value=answer) if answer else None,
            source=Provenance(seed_set="test", seed_id="0"),
            witness=witness,
        )

    return make
