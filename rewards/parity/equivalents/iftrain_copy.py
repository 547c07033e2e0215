"""IF-RLVR training ids about copying, keywords, first and last words, and marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
Equivalent = Callable[[Arguments], Mapping[str, Any] | list[Mapping[str, Any]]]


def _word(value: Any) -> str:
    """Return a keyword that the data give as a text or as a list of one."""
    return str(value if isinstance(value, str) else value[0]).strip()


def _exact(kw: Arguments) -> Mapping[str, Any]:
    return {"type": "copying:exact", "text": kw["prompt_to_repeat"]}


def _copies(kw: Arguments) -> Mapping[str, Any]:
    return {"type": "copying:copies", "text": kw["prompt_to_repeat"], "count": int(kw["N"]), "separator": "******"}


def _span(kw: Arguments) -> Mapping[str, Any]:
    """The description says "between (and including)" character indices."""
    span = {"unit": "characters", "start": int(kw["n_start"]), "end": int(kw["n_end"])}
    return {"type": "copying:span", "text": kw["prompt_to_repeat"], **span}


def _times(kw: Arguments) -> Mapping[str, Any]:
    """The description asks for exactly so many times, whatever the relation."""
    keyword, number = _word(kw["keyword"]), int(kw["frequency"])
    if number == 0:
        return {"type": "keywords:forbidden", "keywords": [keyword]}
    return {"type": "keywords:frequency", "keyword": keyword, "count": number}


def _position(kw: Arguments) -> Mapping[str, Any]:
    place = {"sentence": int(kw["n"]), "word": int(kw["m"])}
    return {"type": "keywords:at_position", "keyword": _word(kw["keyword"]), **place}


EQUIVALENTS: dict[str, Equivalent] = {
    "copy:copy": _exact,
    "copy:copying_simple": _exact,
    "copy:copying_multiple": _copies,
    "copy:repeat_phrase": lambda kw: {
        "type": "copying:near_repeats",
        "phrase": kw["phrase"],
        "count": int(kw["small_n"]),
    },
    "new:copy_span_idx": _span,
    "detectable_format:sentence_hyphens": lambda kw: {"type": "punctuation:hyphen_joined"},
    # "Include keyword X" in an id named `word_once`: the code and the sibling ids mean exactly once.
    "keywords:word_once": lambda kw: {"type": "keywords:frequency", "keyword": _word(kw["keyword"]), "count": 1},
    "keywords:word_count_different_numbers": _times,
    "keywords:exclude_word_harder": lambda kw: {"type": "keywords:forbidden", "keywords": [_word(kw["keyword"])]},
    "keywords:palindrome": lambda kw: {"type": "keywords:palindrome", "count": 1, "letters": 3},
    "keywords:keyword_specific_position": _position,
    "keywords:start_end": lambda kw: {"type": "affix:same_ends"},
    "first_word:first_word_sent": lambda kw: {"type": "affix:first_word_sentences", "word": _word(kw["first_word"])},
    "first_word:first_word_answer": lambda kw: {"type": "affix:first_word", "word": _word(kw["first_word"])},
    "last_word:last_word_sent": lambda kw: {"type": "affix:last_word_sentences", "word": _word(kw["last_word"])},
    "last_word:last_word_answer": lambda kw: {"type": "affix:last_word", "word": _word(kw["last_word"])},
    # The descriptions name the very sign, "refrain from the use of . (i.e. dots)".
    "punctuation:punctuation_dot": lambda kw: {"type": "punctuation:forbidden", "marks": "."},
    "punctuation:punctuation_exclamation": lambda kw: {"type": "punctuation:no_exclamation"},
    "count:count_increment_word": lambda kw: {
        "type": "keywords:increment",
        "keywords": [_word(kw["keyword1"]), _word(kw["keyword2"])],
    },
}
