"""IFEval's (and MathIF's) ids about lengths and letters, as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
Found = Mapping[str, Any]


def words(kwargs: Arguments) -> Found:
    """Translate a number of words with a relation; less than one word is more than an answer can have."""
    number = int(kwargs["num_words"])
    return _bounded("length:{}_words", number, kwargs["relation"])


def sentences(kwargs: Arguments) -> Found:
    """Translate a number of sentences with a relation."""
    return _bounded("length:{}_sentences", int(kwargs["num_sentences"]), kwargs["relation"])


def paragraphs(kwargs: Arguments) -> Found:
    """Translate a number of paragraphs divided by `***`."""
    return {"type": "length:paragraphs", "count": int(kwargs["num_paragraphs"]), "separator": "stars"}


def letter_frequency(kwargs: Arguments) -> Found:
    """Translate how often a letter should occur; less than once is never."""
    letter, number = kwargs["letter"].strip(), int(kwargs["let_frequency"])
    if not letter.isalpha():  # IFEval asks twice for a "letter" that is a mark, `#` and `!`
        return _mark(letter, number, kwargs["let_relation"])
    if kwargs["let_relation"] == "at least":
        return {"type": "letters:min_frequency", "letter": letter, "count": number}
    if number <= 1:
        return {"type": "letters:forbidden", "letter": letter}
    return {"type": "letters:max_frequency", "letter": letter, "count": number - 1}


def _mark(mark: str, number: int, relation: str) -> Found:
    if relation == "at least":
        return {"type": "punctuation:min_marks", "mark": mark, "count": number}
    return {"type": "punctuation:max_marks", "mark": mark, "count": max(0, number - 1)}


def _bounded(name: str, number: int, relation: str) -> Found:
    if relation == "at least":
        return {"type": name.format("min"), "limit": max(1, number)}
    return {"type": name.format("max"), "limit": max(1, number - 1)}


EQUIVALENTS: dict[str, Callable[[Arguments], Found | list[Found]]] = {
    "length_constraints:number_words": words,
    "length_constraint_checkers:number_words": words,
    "length_constraints:number_sentences": sentences,
    "length_constraints:number_paragraphs": paragraphs,
    "keywords:letter_frequency": letter_frequency,
}
