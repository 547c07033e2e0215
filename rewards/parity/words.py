r"""Words as NLTK's `RegexpTokenizer(r"\w+")` finds them, which since NLTK 3.10 runs on the `regex` package.

There `\w` includes combining marks, joiners, circled letters and all connector punctuation, and leaves out numbers
that are no decimal digits, such as `²` and `½`. Python's own `re` has it the other way round in each case.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

_WORD_BYTES = bytes(ord("w") if chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(128))
_TO_WORD_BYTES = _WORD_BYTES + b" " * 128
_ASCII_BYTES = bytes(range(128))
_CATEGORIES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Nd", "Mn", "Mc", "Me", "Pc"))
_PLAIN_RUN = re.compile(r"\w+")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_JOINERS = "\u200c\u200d"
_CIRCLED = "\u24b6-\u24e9"
_ASTRAL_CIRCLED = re.compile("[\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189]")


def count(text: str) -> int:
    """Return the number of words.

    Example:
        >>> count("Don't stop \u2013 it's 1/2."), count("na\u0308ive"), count("x\u00b2y")
        (7, 1, 2)
    """
    if not text.isascii():
        text = _with_stand_ins(text)
        if _PLAIN_RUN.search(_outside_ascii(text)):
            return len(_PLAIN_RUN.findall(text))
    # "?" stands for characters outside ASCII, none of which is in a word here
    return (b" " + text.encode("ascii", "replace").translate(_TO_WORD_BYTES)).count(b" w")


def runs(text: str) -> list[str]:
    """Return the words.

    Example:
        >>> runs("Don't stop \u2013 it's 1\u00bd.")
        ['Don', 't', 'stop', 'it', 's', '1']
    """
    plain = text if text.isascii() else _with_stand_ins(text)
    if plain is text:
        return _PLAIN_RUN.findall(text)
    return [text[match.start() : match.end()] for match in _PLAIN_RUN.finditer(plain)]


def _with_stand_ins(text: str) -> str:
    """Return the text with a letter or a blank for each character about which `re` and `regex` differ."""
    others = _outside_ascii(text)
    if _ASTRAL.search(others):
        text = _ASTRAL.sub(_stand_in, text)
    joined, number = _basic_plane()
    if joined.search(others):
        text = joined.sub("w", text)
    return number.sub(" ", text) if number.search(others) else text


def _outside_ascii(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass").translate(None, _ASCII_BYTES)
    return data.decode("utf-8", "surrogatepass")


def _stand_in(match: re.Match[str]) -> str:
    return "w" if _is_word(match[0]) else " "


@lru_cache(maxsize=4096)
def _is_word(character: str) -> bool:
    return unicodedata.category(character) in _CATEGORIES or _ASTRAL_CIRCLED.match(character) is not None


@cache
def _basic_plane() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the characters below U+10000 that only `regex` takes for parts of words, and those only `re` does."""
    kinds = {chr(code): unicodedata.category(chr(code)) for code in range(128, 0x10000)}
    joined = "".join(character for character, kind in kinds.items() if kind in {"Mn", "Mc", "Me", "Pc"})
    number = "".join(character for character, kind in kinds.items() if kind == "No")
    return re.compile(f"[{joined}{_JOINERS}{_CIRCLED}]"), re.compile(f"[{number}]")
