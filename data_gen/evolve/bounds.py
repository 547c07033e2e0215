"""Which numbers a text bounds from above, from below or on both sides: `at most 43`, `不超过四十三`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from data_gen.evolve.numbers import NUMBER, values_in

Kind = Literal["upper", "lower", "exact"]


class Bound(NamedTuple):
    """A number with the side on which it bounds something."""

    kind: Kind
    value: float


class _Cue(NamedTuple):
    """The words that make a bound: those that stand before the number, and those that stand after it."""

    kind: Kind
    before: str
    after: str = ""


# What an earlier line has read, a later one does not see: `no more than` comes before `more than`.
_NOT = r"\b(?:no|not|never|nor|none|cannot|without|avoid)\b|n't"
_ENGLISH = (
    _Cue("exact", r"\bexactly|\bprecisely", r"(?:no|neither|not) more,? (?:and|or|nor) (?:no |not )?(?:fewer|less)"),
    _Cue("upper", rf"(?:{_NOT})[^.;!?\n]{{0,50}}?\b(?:(?:more|longer|larger|deeper) than|over|beyond|past|exceed\w*)"),
    _Cue("lower", rf"(?:{_NOT})[^.;!?\n]{{0,50}}?\b(?:(?:fewer|less|shorter|smaller) than|under|below)"),
    _Cue("exact", r"\bjust\b(?! (?:over|under))"),
    _Cue(
        "upper",
        r"\bat (?:the )?most|\bup to|\b(?:fewer|less|shorter) than|\bunder|\bbelow|\bwithin|\bmaximum|\blimit\w*",
        r"or (?:fewer|less|under|shorter)\b|at (?:the )?(?:very )?most\b|maximum\b",
    ),
    _Cue(
        "lower",
        r"\bat (?:the )?least|\b(?:more|longer) than|\bover|\babove|\bminimum|\bno (?:fewer|less)",
        r"or (?:more|above|longer)\b|at (?:the )?(?:very )?least\b|minimum\b",
    ),
)
_NOT_ZH = "不(?:要|能|得|可|应|许|准|应该|可以)?"
_CHINESE = (
    _Cue("exact", "恰好|正好|刚好|恰恰|不多不少", "不多不少"),
    _Cue("lower", f"{_NOT_ZH}(?:少于|低于|小于|短于)|至少|最少|起码", "以上|或更多"),
    _Cue("upper", f"{_NOT_ZH}(?:超过|多于|大于|长于|超出|高于)|最多|至多|少于|不到|低于|控制在", "以内|之内|以下"),
    _Cue("lower", "超过|多于"),
)
_GAP = {"en": r"(?:\s+(?!and\b|or\b|but\b)[\w'-]+){0,2}?\s+", "zh": r"[^，。；！？\d]{0,16}?"}
_TAIL = {"en": r"%?,?(?:\s+(?!and\b|but\b)[\w'-]+){0,3}?,?\s+", "zh": r"[^，。；！？\d]{0,4}?"}


def _pattern(cue: _Cue, language: str) -> re.Pattern[str]:
    number = NUMBER[language]
    pattern = rf"(?:{cue.before}){_GAP[language]}(?P<after_cue>{number})"
    if cue.after:
        pattern += rf"|(?P<before_cue>{number}){_TAIL[language]}(?:{cue.after})"
    return re.compile(pattern, re.IGNORECASE)


_PATTERNS = {
    language: tuple((cue.kind, _pattern(cue, language)) for cue in cues)
    for language, cues in {"en": _ENGLISH, "zh": _CHINESE}.items()
}


def bounds_in(text: str, language: str) -> set[Bound]:
    """Return the bounds that a text sets.

    Example:
        >>> sorted(bounds_in("No sentence may have more than 18 words; use three headings or more.", "en"))
        [Bound(kind='lower', value=3.0), Bound(kind='upper', value=18.0)]
        >>> sorted(bounds_in("不得少于三段，每段控制在50字以内。", "zh"))
        [Bound(kind='lower', value=3.0), Bound(kind='upper', value=50.0)]
    """
    return {bound for bound, _ in _found(text, language)}


def without_bounds(text: str, language: str) -> str:
    """Return a text without its bounds, so that `no more than 3` is not taken for a prohibition.

    Example:
        >>> without_bounds("Use no more than 3 commas.", "en")
        'Use  commas.'
    """
    for _, span in _found(text, language):
        text = _blank(text, span)
    return text.replace("\0", "")


@lru_cache(maxsize=4096)  # the same wording is read for its bounds, without them, and against others
def _found(text: str, language: str) -> tuple[tuple[Bound, tuple[int, int]], ...]:
    found: list[tuple[Bound, tuple[int, int]]] = []
    for kind, pattern in _PATTERNS[language] if values_in(text) else ():
        for match in list(pattern.finditer(text)):
            values = values_in(match["after_cue"] or match.groupdict().get("before_cue") or "")
            found += [(Bound(kind, value), match.span()) for value in sorted(values)]
            text = _blank(text, match.span())
    return tuple(found)


def _blank(text: str, span: tuple[int, int]) -> str:
    return text[: span[0]] + "\0" * (span[1] - span[0]) + text[span[1] :]
