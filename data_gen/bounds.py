"""What constraints say about sizes, propagated between units, so that arguments are drawn which can be met together.

Every constraint on a length bounds a measure (words, sentences, lines, paragraphs, characters), and a layout needs so
many lines. The units bound each other: a paragraph holds a line, a line a sentence (a line of its own counts as one), a
sentence a word, a word a character. A draw whose bounds cross is drawn again; that they do not cross proves nothing,
the witness does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rewards.constraint import Constraint
from rewards.text import Text

#: From the largest unit to the smallest: each holds at least one of the next.
UNITS = ("paragraphs", "lines", "sentences", "words", "characters")
Range = tuple[int, float]
_ANY = float("inf")


def possible(constraints: Iterable[Constraint], core: Iterable[str] = ()) -> bool:
    """Tell whether the sizes that constraints ask for leave room, with the sentences that must stay in.

    Example:
        >>> from rewards import parse_constraint
        >>> short = parse_constraint({"type": "length:max_words", "limit": 3})
        >>> possible([short, parse_constraint({"type": "layout:numbered_list", "count": 4})])
        False
    """
    lows, highs = dict.fromkeys(UNITS, 0), dict.fromkeys(UNITS, _ANY)
    for sentence in core:
        lows["words"] += len(Text(sentence).words)
    for constraint in constraints:
        read = _READERS.get(constraint.type)
        if read is not None and constraint.scope == "answer":
            for unit, (low, high) in read(constraint).items():
                lows[unit] = max(lows[unit], low)
                highs[unit] = min(highs[unit], high)
    least = 0
    for unit in UNITS:
        least = max(least, lows[unit])
        if least > highs[unit]:
            return False
    return True


def _exactly(unit: str, argument: str = "count") -> Callable[[Any], Mapping[str, Range]]:
    return lambda c: {unit: (getattr(c, argument), getattr(c, argument))}


def _at_least(unit: str, argument: str = "limit") -> Callable[[Any], Mapping[str, Range]]:
    return lambda c: {unit: (getattr(c, argument), _ANY)}


def _at_most(unit: str) -> Callable[[Any], Mapping[str, Range]]:
    return lambda c: {unit: (0, c.limit)}


def _between(unit: str) -> Callable[[Any], Mapping[str, Range]]:
    return lambda c: {unit: (c.low, c.high)}


def _lines(count: Callable[[Any], int]) -> Callable[[Any], Mapping[str, Range]]:
    return lambda c: {"lines": (count(c), _ANY)}


def _about(c: Any) -> Mapping[str, Range]:
    slack = c.target * c.tolerance_percent / 100
    return {"words": (int(c.target - slack), c.target + slack)}


def _composition(c: Any) -> Mapping[str, Range]:
    sentences = c.paragraphs * c.sentences
    return {
        "paragraphs": (c.paragraphs, c.paragraphs),
        "sentences": (sentences, sentences),
        "words": (sentences * c.words, sentences * c.words),
    }


_READERS: Mapping[str, Callable[[Any], Mapping[str, Range]]] = {
    "length:words": _exactly("words"),
    "length:words_range": _between("words"),
    "length:about_words": _about,
    "length:min_words": _at_least("words"),
    "length:max_words": _at_most("words"),
    "length:min_unique_words": _at_least("words", "count"),
    "length:sentences": _exactly("sentences"),
    "length:min_sentences": _at_least("sentences"),
    "length:max_sentences": _at_most("sentences"),
    "length:paragraph_sentences": _at_least("sentences", "count"),
    "length:lines": _exactly("lines"),
    "length:min_lines": _at_least("lines"),
    "length:max_lines": _at_most("lines"),
    "length:paragraphs": _exactly("paragraphs"),
    "length:min_paragraphs": _at_least("paragraphs"),
    "length:max_paragraphs": _at_most("paragraphs"),
    "length:characters_range": _between("characters"),
    "length:min_characters": _at_least("characters"),
    "length:max_characters": _at_most("characters"),
    "length:composition": _composition,
    "sentences:equal_length": _exactly("sentences"),
    "keywords:paragraph_first_word": _exactly("paragraphs"),
    "keywords:in_sentence": lambda c: {"sentences": (abs(c.sentence), _ANY)},
    "keywords:at_position": lambda c: {"sentences": (abs(c.sentence), _ANY)},
    "keywords:word_at": lambda c: {"words": (abs(c.word), _ANY)},
    "layout:bullets": _lines(lambda c: c.count),
    "layout:min_bullets": _lines(lambda c: c.count),
    "layout:marked_list": _lines(lambda c: c.count),
    "layout:numbered_list": _lines(lambda c: c.count),
    "layout:task_list": _lines(lambda c: c.count),
    "layout:nested_bullets": _lines(lambda c: c.count * (1 + c.nested)),
    "layout:sentences_then_bullets": _lines(lambda c: 1 + c.bullets),
    "layout:sections": _lines(lambda c: 2 * c.count),
    "layout:min_headings": _lines(lambda c: 2 * c.count),
    "layout:heading_levels": _lines(lambda c: 2 * c.count),
    "layout:dividers": _lines(lambda c: 2 * c.count - 1),
    "layout:staircase": _lines(lambda c: c.count),
    "layout:code_blocks": _lines(lambda c: 3 * c.count),
    "layout:min_quoted_lines": _lines(lambda c: c.count),
    "layout:min_table_rows": _lines(lambda c: 2 + c.count),
    "layout:table_size": _lines(lambda c: 2 + c.rows),
    "layout:multiple_choice": _lines(lambda c: c.questions * (1 + c.options)),
    "layout:template": _lines(lambda c: len(c.labels)),
    "layout:postscript": _lines(lambda c: 2),
    "layout:two_responses": _lines(lambda c: 3),
    "format:json_lines": _lines(lambda c: getattr(c, "count", 1)),
    "ordering:lines_sorted": _lines(lambda c: getattr(c, "count", 1)),
    "ordering:known_lines": _lines(lambda c: c.count),
}
