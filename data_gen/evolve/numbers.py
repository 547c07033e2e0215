"""The values of numbers as a person writes them: `43`, `forty-three`, `四十三`."""

from __future__ import annotations

import re
from functools import lru_cache

from rewards.numerals import find_values

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_OTHERS = {"once": 1, "single": 1, "twice": 2, "both": 2, "pair": 2, "couple": 2, "thrice": 3, "dozen": 12}
_WORDS = {word: value for value, word in enumerate(_ONES)} | {word: 10 * value for value, word in enumerate(_TENS, 2)}
_WORDS |= {f"{ten}-{_ONES[one]}": _WORDS[ten] + one for ten in _TENS for one in range(1, 10)}
_WORDS |= {word: value for value, word in enumerate(_ORDINALS, 1)} | _OTHERS
_NAMES = "|".join(word.replace("-", "[ -]") for word in sorted(_WORDS, key=len, reverse=True))
_AND = rf"(?:[ -](?:and[ -])?(?=(?:{_NAMES})\b))?"
_ENGLISH = re.compile(
    rf"\b(?:(?P<thousands>{_NAMES}|a)[ -]thousand\b{_AND})?(?:(?P<hundreds>{_NAMES}|a)[ -]hundred\b{_AND})?"
    rf"(?:(?P<rest>{_NAMES})\b)?",
    re.IGNORECASE,
)
_HAN_DIGITS = {**{character: value for value, character in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_HAN = re.compile(r"[零〇一二三四五六七八九两十百千万]+")

#: What one number looks like inside a sentence, by language.
NUMBER = {
    "en": rf"(?:\d[\d,]*(?:\.\d+)?|(?:{_NAMES}|a(?=[ -](?:hundred|thousand)))(?:[ -](?:{_NAMES}|hundred|thousand)|"
    rf"(?<=hundred|housand)[ -]and[ -](?:{_NAMES}))*\b)",
    "zh": r"(?:\d[\d,]*(?:\.\d+)?|[零〇一二三四五六七八九两十百千万]+)",
}


@lru_cache(maxsize=4096)
def values_in(text: str) -> frozenset[float]:
    """Return the values of all numbers in a text, in digits or words.

    Example:
        >>> sorted(values_in("Twenty-five of 1,200 words, twice, in a hundred and five lines"))
        [2.0, 25.0, 105.0, 1200.0]
        >>> sorted(values_in("写三段，共一百二十个字，重复2次"))
        [2.0, 3.0, 120.0]
    """
    english = {float(_english(match)) for match in _ENGLISH.finditer(text) if match[0]}
    return frozenset({*find_values(text), *english, *(float(_han(numeral)) for numeral in _HAN.findall(text))})


def _english(match: re.Match[str]) -> int:
    parts = (match["thousands"], match["hundreds"], match["rest"])
    thousands, hundreds, rest = (_WORDS.get(part.lower().replace(" ", "-"), 1) if part else 0 for part in parts)
    return 1000 * thousands + 100 * hundreds + rest


def _han(numeral: str) -> int:
    if not any(character in "十百千万" for character in numeral):
        return int("".join(str(_HAN_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character == "万":
            total, section, digit = total + (section + digit or 1) * 10000, 0, 0
        elif character in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[character], 0
        else:
            digit = _HAN_DIGITS[character]
    return total + section + digit
