"""Items that no text can meet: what is proved impossible, and near misses for which a text exists."""

from __future__ import annotations

from typing import Any

import pytest

from rewards.parity import suite
from rewards.parity.contradictions import contradiction
from rewards.parity.view import View

Demand = tuple[str, dict[str, Any]]
WORDS, KEYWORD = "length_constraints:number_words", "keywords:frequency"
NO_COMMA: Demand = ("punctuation:no_comma", {})
QUOTED: Demand = ("startend:quotation", {})
TITLE: Demand = ("detectable_format:title", {})


def repeat(text: str) -> Demand:
    return "combination:repeat_prompt", {"prompt_to_repeat": text}


def ends(text: str) -> Demand:
    return "startend:end_checker", {"end_phrase": text}


def ban(word: str) -> Demand:
    return "keywords:forbidden_words", {"forbidden_words": [word]}


def fewer_words(count: int) -> Demand:
    return WORDS, {"relation": "less than", "num_words": count}


def fewer(word: str, count: int) -> Demand:
    return KEYWORD, {"relation": "less than", "keyword": word, "frequency": count}


@pytest.mark.parametrize(
    "demands",
    [
        (repeat("One, two."), NO_COMMA),
        (NO_COMMA, TITLE, ends("That is it, friends.")),
        (repeat("Say two things."), ban("two")),
        (repeat("Say two things."), fewer_words(3)),
        (repeat("Say two things in Two lines."), fewer("two", 2)),
        (repeat("Say two things."), QUOTED),
    ],
)
def test_a_demanded_text_that_breaks_another_check(demands: tuple[Demand, ...]) -> None:
    checks = [suite("ifeval").bind(*demand) for demand in demands]
    assert "fails on any text that follows" in contradiction(checks)


@pytest.mark.parametrize(
    ("demands", "text"),
    [
        ((repeat("Say two"), ban("two")), "Say twofold"),  # the last word may go on
        ((ends("two things."), ban("two")), "Say-ing: xtwo things."),
        ((repeat("Say two things."), fewer_words(4)), "Say two things."),
        ((repeat("Say two things."), fewer("two", 2)), "Say two things."),
        ((repeat('"Say two things."'), QUOTED), '"Say two things."'),
        ((ends("Any questions?"), QUOTED), '"Any questions?"'),
        ((repeat("Say two things"), (KEYWORD, {"relation": "at least", "keyword": "two", "frequency": 2})),
         "Say two things: two"),
    ],
)  # fmt: skip
def test_what_a_text_meets_is_never_called_impossible(demands: tuple[Demand, ...], text: str) -> None:
    checks = [suite("ifeval").bind(*demand) for demand in demands]
    assert all(check(View(text)) for check in checks)
    assert contradiction(checks) == ""
