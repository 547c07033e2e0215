"""IFEval ids about words, language, case, and what the answer begins and ends with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
Equivalent = Callable[[Arguments], Mapping[str, Any] | list[Mapping[str, Any]]]


def _frequency(kw: Arguments) -> Mapping[str, Any]:
    keyword, number = kw["keyword"].strip(), int(kw["frequency"])
    if kw["relation"] == "less than":
        if number <= 1:
            return {"type": "keywords:forbidden", "keywords": [keyword]}
        return {"type": "keywords:max_frequency", "keyword": keyword, "count": number - 1}
    return {"type": "keywords:min_frequency", "keyword": keyword, "count": number}


def _capital_words(kw: Arguments) -> Mapping[str, Any]:
    number = int(kw["capital_frequency"])
    if kw["capital_relation"] == "less than":
        return {"type": "case:max_capital_words", "count": number - 1}
    return {"type": "case:min_capital_words", "count": number}


def _paragraph_first_word(kw: Arguments) -> Mapping[str, Any]:
    return {
        "type": "keywords:paragraph_first_word",
        "keyword": kw["first_word"],
        "paragraph": int(kw["nth_paragraph"]),
        "count": int(kw["num_paragraphs"]),
    }


EQUIVALENTS: dict[str, Equivalent] = {
    "keywords:existence": lambda kw: {"type": "keywords:existence", "keywords": list(kw["keywords"])},
    "keywords:forbidden_words": lambda kw: {"type": "keywords:forbidden", "keywords": list(kw["forbidden_words"])},
    "keywords:frequency": _frequency,
    # The official codes of Chinese carry a region, which no rule could check.
    "language:response_language": lambda kw: {"type": "language:response", "language": kw["language"].split("-")[0]},
    "length_constraints:nth_paragraph_first_word": _paragraph_first_word,
    "combination:repeat_prompt": lambda kw: {"type": "affix:repeat_request", "request": kw["prompt_to_repeat"]},
    "startend:end_checker": lambda kw: {"type": "affix:end_phrase", "phrase": kw["end_phrase"]},
    "startend:quotation": lambda kw: {"type": "affix:quotation"},
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": lambda kw: {"type": "case:english_upper"},
    "change_case:english_lowercase": lambda kw: {"type": "case:english_lower"},
    "punctuation:no_comma": lambda kw: {"type": "punctuation:no_comma"},
}
