"""An estimate of how many syllables an English word has: vowel groups, corrected by a few spelling rules.

Where the spelling leaves two readings that people use (`fire`, `every`, `chocolate`) both are given.
"""

from __future__ import annotations

import re
from functools import lru_cache

_GROUPS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"[aeiouy][^aeiouy]+(?<![^aeiouy]l)e\Z|[aeiouy][^aeiouy]*[qg]ue\Z|[aeiouy][^aeiouy]+(?<![td])ed\Z")
_SILENT_PLURAL = re.compile(r"[aeiouy][^aeiouy]+(?<![sxzcg])(?<![sc]h)(?<![^aeiouy]l)es\Z")
_SILENT_INSIDE = re.compile(
    r"[aeiouy][^aeiouy]+(?<![lc])e(?=(?:ly|ment|ful|less|ness|some|where|thing|body|land|time|ty|style|way|by)s?\Z)"
)
_HIATUS = re.compile(
    r"(?<![qg])ua(?=[^r])|(?<![aeqg])uo|(?<![qg])ui(?=n|d|t(?:y|io|iv))|(?<![qg])ue(?=n[ct])|ao|iu|ii|uu"
    r"|(?<![ctsgl])ia(?!ge)|(?<=l)ia(?=[bs])|(?<![csgthln])io|(?<=[ln])io(?!n|r)|(?<![bdg])eo(?!n\Z|us\Z|u)"
    r"|(?<![ctaeiou])ie(?=t|n[ct])|cie(?=ty)|(?<=sc)ie|(?<=[ct])ia(?=t[eio])|(?<=cr)ea(?=t(?!ure))|(?<=the)a(?=t)"
    r"|\Area(?=ct|l[iy])|oe(?=[mt])|ying|[aeo]ing\Z|[aeiou]y[aeiou]"
)
_SOUNDED = {"ee", "ye", "oe", "ie", "ae"}
_ENDINGS = re.compile(r"(?:sm|thm)\Z")
_KNOWN = {
    **dict.fromkeys(
        "aged are been come does done eye gave give goes gone have here league live love one once queue shoe"
        " some the there toe tongue were where whole".split(),
        1,
    ),
    **dict.fromkeys(
        "above being business cafe chaos children colonel create creates diet giant hundred lion maybe naked"
        " ocean people poet quiet region riot sacred science sometimes sunshine therefore trial union"
        " wednesday wicked".split(),
        2,
    ),
    **dict.fromkeys(
        "anyone area beautiful beloved businesses created everyone forever idea korean library moreover"
        " museum nuclear opinion piano radio recipe religion simile video violet violin".split(),
        3,
    ),
    **dict.fromkeys("apostrophe catastrophe european january".split(), 4),
}
_TWO_WAYS = {
    **dict.fromkeys(
        "boil cruel fire flower flowers foil fuel girl hour hours jewel oil orange our ours poem power powers"
        " real shower soil tired toil towel tower towers vowel wire world".split(),
        (1, 2),
    ),
    **dict.fromkeys(
        "average camera chocolate difference different entire evening every everything family favorite"
        " general history interest memory mystery natural really several".split(),
        (2, 3),
    ),
    **dict.fromkeys(
        "actually algorithm comfortable especially generally interesting naturally temperature usually"
        " vegetable".split(),
        (3, 4),
    ),
}
_DIGITS = dict(zip("0123456789", (2, 1, 1, 1, 1, 1, 1, 2, 1, 1), strict=True))
_NUMBERS = {"10": 1, "11": 3, "12": 1}


@lru_cache(maxsize=4096)
def syllables(word: str) -> frozenset[int]:
    """Return the numbers of syllables that a word may have; none where the spelling does not tell.

    Example:
        >>> [sorted(syllables(word)) for word in ("river", "Sunshine", "hour", "brr")]
        [[2], [2], [1, 2], []]
    """
    folded = word.lower().replace("’", "'").removesuffix("'s")
    if folded in _TWO_WAYS:
        return frozenset(_TWO_WAYS[folded])
    if number := _KNOWN.get(folded) or _KNOWN.get(folded.removesuffix("s")):
        return frozenset({number})
    if folded in _DIGITS or folded in _NUMBERS:
        return frozenset({_DIGITS.get(folded) or _NUMBERS[folded]})
    parts = [part for part in re.split(r"[-']", folded) if part]
    if len(parts) > 1 and "-" in folded:
        return _sums([syllables(part) for part in parts])
    joined = "".join(parts)
    return frozenset({_estimate(joined)}) if joined.isascii() and joined.isalpha() and _spoken(joined) else frozenset()


def _sums(options: list[frozenset[int]]) -> frozenset[int]:
    totals = {0}
    for option in options:
        totals = {total + number for total in totals for number in option}
    return frozenset(totals)


def _spoken(word: str) -> bool:
    return len(word) == 1 or bool(_GROUPS.search(word))


def _estimate(word: str) -> int:
    if len(word) == 1:
        return 3 if word == "w" else 1
    number = len(_GROUPS.findall(word)) + len(_HIATUS.findall(word)) + len(_ENDINGS.findall(word))
    if word[-2:] not in _SOUNDED and (_SILENT.search(word) or _SILENT_PLURAL.search(word)):
        number -= 1
    number -= len(_SILENT_INSIDE.findall(word))
    return max(1, number)
