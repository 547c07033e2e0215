"""Prompts that the synthesizer writes say what their trees demand: trees, layouts, openings, both languages."""

from __future__ import annotations

from random import Random

import pytest

from data_gen.composition import Composer, open_seed_sets
from data_gen.config import parse_config
from data_gen.phrasing import LAYOUTS
from data_gen.recover import compare, recovered_exactly
from rewards.instruction import Instruction

ROWS = 150


def composed(language: str, soft: float) -> list[Instruction]:
    content = {
        "seed": 0,
        "counts": {"train": ROWS},
        "seeds": [{"type": "word_problems", "weight": 2}, {"type": "writing"}],
        "languages": {language: 1.0},
        "constraints": {"weights": {"*": 1}},
        "trees": {"mix": {"and": 0.4, "chain": 0.15, "selection": 0.15, "nested": 0.3}, "parts": 0.5},
        "difficulty": {"easy": 1, "medium": 1, "hard": 1},
        "soft": {"share": soft, "max": 2},
        "layouts": dict.fromkeys(LAYOUTS, 1),
    }
    config = parse_config(content, "test")
    composer = Composer(config, "train", open_seed_sets(config.seeds))
    return [composer.compose(Random(f"recover {language} {row}")).instruction for row in range(ROWS)]


@pytest.mark.parametrize(("language", "soft"), [("en", 0.0), ("zh", 0.5)])
def test_prompts_say_every_leaf_and_nothing_else(language: str, soft: float) -> None:
    rows = composed(language, soft)
    differences = {row.prompt_text: compare(row) for row in rows if not recovered_exactly(row)}
    assert len(differences) <= 0.01 * len(rows), differences
    # What is rightly found is found because the prompt says it: without its last third, demands are missing.
    cut = [row.model_copy(update={"prompt": row.prompt_text[: 2 * len(row.prompt_text) // 3]}) for row in rows]
    assert sum(bool(compare(row).missing) for row in cut) > 0.5 * len(rows)
