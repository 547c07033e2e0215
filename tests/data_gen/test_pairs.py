"""The table of pairs is what the solver does: it covers the known types, and a sample measured again agrees."""

from __future__ import annotations

import json
from itertools import combinations
from random import Random

import pytest

from data_gen.pairs import ANSWER, TABLE, goes_together, hopeless, not_with
from rewards.constraint import known_constraints

AGAIN = "run `python -m data_gen.pairs` to measure the table again"
SAMPLE = 60


def types() -> list[str]:
    return list(json.loads(TABLE.read_text(encoding="utf-8"))["types"])


def test_the_table_covers_exactly_the_known_types() -> None:
    assert types() == [*known_constraints(), ANSWER], AGAIN


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("noted", [True, False])
def test_a_sample_of_pairs_measured_again_agrees(language: str, noted: bool) -> None:
    table = hopeless()[language]
    pairs = [pair for pair in combinations(types(), 2) if (pair[1] in table[pair[0]]) is noted]
    for first, second in Random(f"sample/{language}/{noted}").sample(pairs, SAMPLE):
        assert goes_together(first, second, language) is not noted, f"{first} with {second} in {language}: {AGAIN}"


def test_hopeless_pairs_are_noted_on_both_sides() -> None:
    table = hopeless()["en"]
    assert all(first in table[second] for first, others in table.items() for second in others)
    assert "layout:plain_text" in not_with(["layout:bullets"], "en")
    assert not_with(["length:min_words"], "fr") == set()
