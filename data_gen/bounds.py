"""Numbers that constraints leave no room for together: 40 words in 3 sentences of 5, six bullet points in two lines.

A quick look that spares the solver the attempts which cannot succeed. Every bound here follows from what the verifiers
count; what is not listed is left to the solver. Only constraints on the whole answer are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from math import inf
from typing import Any

from rewards.constraint import Constraint
from rewards.scope import numbered

Bounds = dict[str, tuple[float, float]]
#: The first of each pair is at least as many as the second; a line or paragraph of code alone is not thought of.
_AT_LEAST = (
    ("sentences", "paragraphs"),
    ("lines", "paragraphs"),
    ("lines", "bullets"),
    ("words", "sentences"),
    ("characters", "words"),
)
_UNITS = {"line": "lines", "paragraph": "paragraphs", "section": "sections"}


def _least(unit: str, argument: str, extra: int = 0) -> Callable[[Any], Bounds]:
    return lambda one: {unit: (getattr(one, argument) + extra, inf)}


def _most(unit: str, argument: str) -> Callable[[Any], Bounds]:
    return lambda one: {unit: (0, getattr(one, argument))}


def _exactly(unit: str, argument: str) -> Callable[[Any], Bounds]:
    return lambda one: {unit: (getattr(one, argument), getattr(one, argument))}


def _range(unit: str) -> Callable[[Any], Bounds]:
    return lambda one: {unit: (one.low, one.high)}


def _items(argument: str, bullets: bool = False) -> Callable[[Any], Bounds]:
    """Return the bounds of items that stand on lines of their own and say something."""
    units = ("lines", "sentences", "bullets") if bullets else ("lines", "sentences")
    return lambda one: dict.fromkeys(units, (getattr(one, argument), inf))


def _composition(one: Any) -> Bounds:
    words = one.paragraphs * one.sentences * one.words
    return {"words": (words, words)}


def _bulleted(one: Any) -> Bounds:
    return {
        "sentences": (one.sentences + one.bullets, inf),
        "lines": (one.bullets + 1, inf),
        "bullets": (one.bullets, inf),
    }


def _place(one: Any) -> Bounds:
    words = max(abs(getattr(one, "word", None) or 1), 1)
    return {"sentences": (abs(getattr(one, "sentence", None) or 1), inf), "words": (words, inf)}


_BOUNDS: dict[str, Callable[[Any], Bounds]] = {
    "length:min_words": _least("words", "limit"),
    "length:max_words": _most("words", "limit"),
    "length:words": _exactly("words", "count"),
    "length:words_range": _range("words"),
    "length:about_words": lambda one: {"words": one.bounds()},
    "length:min_unique_words": _least("words", "count"),
    "length:min_characters": _least("characters", "limit"),
    "length:max_characters": _most("characters", "limit"),
    "length:characters_range": _range("characters"),
    "length:min_sentences": _least("sentences", "limit"),
    "length:max_sentences": _most("sentences", "limit"),
    "length:sentences": _exactly("sentences", "count"),
    "length:min_lines": _least("lines", "limit"),
    "length:max_lines": _most("lines", "limit"),
    "length:lines": _exactly("lines", "count"),
    "length:min_paragraphs": _least("paragraphs", "limit"),
    "length:max_paragraphs": _most("paragraphs", "limit"),
    "length:paragraphs": lambda one: _exactly("paragraphs", "count")(one) if one.separator == "blank_line" else {},
    "length:composition": _composition,
    "length:max_sentence_words": _most("words a sentence", "limit"),
    "length:min_sentence_words": _least("words a sentence", "limit"),
    "length:max_paragraph_words": _most("words a paragraph", "limit"),
    "length:max_line_characters": _most("characters a line", "limit"),
    "length:paragraph_sentences": _exactly("sentences a paragraph", "count"),
    "layout:bullets": _items("count", bullets=True),
    "layout:min_bullets": _items("count", bullets=True),
    "layout:task_list": _items("count", bullets=True),
    "layout:max_bullets": _most("bullets", "count"),
    "layout:numbered_list": _items("count"),
    "layout:marked_list": _items("count"),
    "layout:staircase": _items("count"),
    "layout:min_quoted_lines": _items("count"),
    "layout:sentences_then_bullets": _bulleted,
    "layout:min_headings": lambda one: {"lines": (2 * one.count, inf), "sentences": (2 * one.count, inf)},
    "layout:heading_levels": _items("count"),
    "layout:sections": lambda one: {"lines": (2 * one.count - 1, inf), "sentences": (2 * one.count - 1, inf)},
    "layout:dividers": _least("sentences", "count"),
    "layout:min_table_rows": lambda one: {"lines": (one.count + 2, inf), "sentences": (one.count, inf)},
    "layout:table_size": lambda one: {"lines": (one.rows + 2, inf), "sentences": (one.rows, inf)},
    "layout:table_header": lambda one: {"lines": (3, inf), "sentences": (2, inf), "words": (len(one.columns) + 1, inf)},
    "layout:code_blocks": lambda one: {"lines": (3 * one.count, inf)},
    "layout:no_whitespace": lambda one: {"lines": (1, 1), "paragraphs": (0, 1)},
    "layout:multiple_choice": lambda one: {"lines": (one.questions * (one.options + 1), inf)},
    "affix:first_line": lambda one: {"lines": (2, inf), "sentences": (2, inf)},
    "affix:last_line": lambda one: {"lines": (2, inf), "sentences": (2, inf)},
    "ordering:lines_sorted": _items("count"),
    "format:json_lines": _items("count"),
    "format:csv": _least("lines", "rows", 1),
    "keywords:in_sentence": _place,
    "keywords:at_position": _place,
    "keywords:word_at": _place,
    "keywords:paragraph_first_word": _exactly("paragraphs", "count"),
    "keywords:frequency": _least("words", "count"),
    "keywords:min_frequency": _least("words", "count"),
}


def contradiction(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Return constraints whose numbers leave no room for each other: two of them where two suffice; () if none do.

    Example:
        >>> from rewards import parse_constraint
        >>> asked = [("layout:bullets", "count", 6), ("length:max_lines", "limit", 2), ("length:max_words", "limit", 9)]
        >>> found = contradiction([parse_constraint({"type": name, arg: value}) for name, arg, value in asked])
        >>> [each.type for each in found]
        ['layout:bullets', 'length:max_lines']
    """
    known = [(each, bounds) for each in constraints if (bounds := _bounds(each))]
    if len(known) < 2 or _possible(bounds for _, bounds in known):
        return ()
    pairs = (pair for pair in combinations(known, 2) if not _possible(bounds for _, bounds in pair))
    return tuple(each for each, _ in next(pairs, known))


def _bounds(constraint: Constraint) -> Bounds:
    if constraint.scope == "answer":
        find = _BOUNDS.get(constraint.type)
        return find(constraint) if find else {}
    place = numbered(constraint.scope)
    return {_UNITS[place[0]]: (abs(place[1]), inf)} if place else {}


def _possible(several: Iterable[Bounds]) -> bool:
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for bounds in several:
        for unit, (least, most) in bounds.items():
            low[unit], high[unit] = max(low.get(unit, 0), least), min(high.get(unit, inf), most)
    for whole, part in _AT_LEAST:
        low[whole] = max(low.get(whole, 0), low.get(part, 0))
    for whole, part in reversed(_AT_LEAST):
        high[part] = min(high.get(part, inf), high.get(whole, inf))
    for unit, whole, part in _SHARED:
        if unit in low:
            parts = high.get(part, inf)
            low[whole] = max(low.get(whole, 0), low[unit] * max(1, low.get(part, 0)))
            high[whole] = min(high.get(whole, inf), high[unit] * parts if parts < inf else inf)
    return all(least <= high[unit] for unit, least in low.items() if unit in high)


#: What a limit for every part means for the whole.
_SHARED = (
    ("sentences a paragraph", "sentences", "paragraphs"),
    ("words a sentence", "words", "sentences"),
    ("words a paragraph", "words", "paragraphs"),
    ("characters a line", "characters", "lines"),
)
