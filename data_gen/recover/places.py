"""Where in a prompt a demand may begin and end, and which part of the answer it speaks of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rewards.scope import scope_prefix

_OPENING = r"\A\s*|\n[ \t]*(?:(?:[-*•]|\d+\.)[ \t]+)?|[(（]?\b(?:\d+|[a-z])[.)）、][ ]*"
#: What stands right before a demand: the end of a sentence, a mark, what joins clauses. What introduces a condition
#: ("if", "when", 如果, 当) is none of it, so that conditions are not taken for demands.
_BEFORE = {
    "en": re.compile(rf"{_OPENING}|[.!?:;,\"”`*\]>][ ]+|\b(?:[Tt]hen|[Ff]irst|and) "),
    "zh": re.compile(rf"{_OPENING}|[。！？；：，”\"`.!?][ ]*|先|再|则|首先|并且|然后|接下来|最后|否则|才需要"),
}
#: What may follow a demand, of which the last stop is no part.
ENDS = {
    "en": re.compile(r"(?=\s*\Z|[.]?\s*\n|[.;,](?:\s|\Z)|[ ](?:and|then)[ ]|(?<=[.!?\"”`])\s)"),
    "zh": re.compile(r"(?=\s*\Z|\s*\n|[。；，]|(?<=[。！？”\"`.!?]))"),
}
_NUMBER = "\ue001"


class Start(NamedTuple):
    """A place where a demand may begin.

    Fields:
        begin: where it begins with what says its scope.
        scope: the part of the answer that it speaks of.
    """

    begin: int
    scope: str


def starts(text: str, language: str) -> dict[int, Start]:
    """Return where demands may begin, by the place that follows the words of the scope.

    Example:
        >>> starts("In line 2, write.", "en")
        {0: Start(begin=0, scope='answer'), 11: Start(begin=0, scope='line(2)')}
    """
    found: dict[int, Start] = {}
    for place in sorted({match.end() for match in _BEFORE[language].finditer(text)}):
        found.setdefault(place, Start(place, "answer"))
        for pattern, scope in _scopes(language):
            if said := pattern.match(text, place):
                found[said.end()] = Start(place, scope.replace(_NUMBER, next(iter(said.groups()), "")))
    return found


@lru_cache(maxsize=8)
def _scopes(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return how every scope is said."""
    units = ("line", "paragraph", "section")
    known = ["thinking", "whole", *(f"{unit}(-1)" for unit in units)]
    found = [(re.escape(scope_prefix(scope, language)), scope) for scope in known]
    for unit in units:
        for sign in ("", "-"):
            said = re.escape(scope_prefix(f"{unit}({sign}77)", language)).replace("77", r"(\d+)")
            found.append((said, f"{unit}({sign}{_NUMBER})"))
    mark = r"[：，]" if language == "zh" else r"[:,] "
    return tuple((re.compile(f"(?i:{said[:1]}){said[1:]}{mark}"), scope) for said, scope in found)
