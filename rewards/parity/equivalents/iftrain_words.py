"""IF-RLVR training ids about words, letters and paragraphs, as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rewards.parity.equivalents.ifeval_length import letter_frequency

Arguments = Mapping[str, Any]
Found = Mapping[str, Any]


def letters(kwargs: Arguments) -> Found:
    """Translate a number of letters with a relation (`at least`, `less than`, `at most`)."""
    number, relation = int(kwargs["N"]), kwargs["relation"]
    if relation == "at least":
        return {"type": "letters:min_letters", "limit": max(1, number)}
    return {"type": "letters:max_letters", "limit": max(1, number - (relation == "less than"))}


def composition(kwargs: Arguments) -> Found:
    """Translate the three paragraphs of so many sentences of so many words."""
    sentences, words = int(kwargs["n_sent"]), int(kwargs["n_words"])
    return {"type": "length:composition", "paragraphs": 3, "sentences": sentences, "words": words}


EQUIVALENTS: dict[str, Callable[[Arguments], Found | list[Found]]] = {
    "keywords:no_adjacent_consecutive": lambda kwargs: {"type": "words:no_next_letter"},
    "count:lowercase_counting": lambda kwargs: {"type": "words:max_lowercase", "limit": int(kwargs["N"])},
    "letters:letter_counting": letters,
    "letters:letter_counting2": letter_frequency,
    "count:counting_composition": composition,
    "count:count_unique": lambda kwargs: {"type": "words:unique"},
    "paragraphs:paragraphs": lambda kwargs: {"type": "length:paragraphs", "count": 2, "separator": "stars"},
    "paragraphs:paragraphs2": lambda kwargs: {"type": "length:paragraphs", "count": 2, "separator": "blank_line"},
}
