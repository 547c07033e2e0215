"""The language of a request, for seeds whose source does not say it."""

from __future__ import annotations

import re

from rewards.detector import closest
from rewards.language import guess_language, script_allows
from rewards.text import Text, han_share

UNDECIDED = "und"  # the code of ISO 639-2 for an undetermined language
_LATIN = frozenset("en es pt fr de it vi sw fi nl pl".split())
_ENGLISH = frozenset(
    "what how why who when where which the is are does did can could should write make give tell explain name find"
    " solve help describe list about with for and my your this that it of calculate compare translate summarize".split()
)
_WORD = re.compile(r"[a-z]+")
_HAN_SHARE = 0.3  # a Chinese request with English names and code in it


def request_language(request: str) -> str:
    """Return the code of the language, or `und`.

    Example:
        >>> [request_language(text) for text in ("Write a haiku.", "用Python写一个快速排序", "2 + 2")]
        ['en', 'zh', 'und']
    """
    prose = Text(request).prose
    found = guess_language(prose).language
    if found in ("en", "zh", "ja", "ko"):
        return found
    if han_share(prose) > _HAN_SHARE:
        return "zh"
    if found is None and script_allows(prose, "en"):  # too short for n-grams alone
        if not _ENGLISH.isdisjoint(_WORD.findall(prose.lower())):
            return "en"
        nearest = closest(prose.lower(), _LATIN)
        return nearest.language if nearest else UNDECIDED
    return found or UNDECIDED
