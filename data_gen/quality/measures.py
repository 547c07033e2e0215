"""How much of a quantity a demanded text brings into an answer, whatever else is written."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from data_gen.quality.meaning import Demand
from rewards.constraint import Constraint, Context, Status
from rewards.constraints.counting_emoji import count_emoji
from rewards.constraints.letters import count_letter, count_letters, vowels_of
from rewards.constraints.scripts import letter_shares
from rewards.text import Text, count_keyword, keyword_spans

_FULL_STOPS = re.compile("[.。．｡।۔]")
_SCRIPT_LETTERS = " letters"
_COUNTED = ("keyword ", "letter ", "mark ")
_MEASURED = frozenset(
    ("words", "characters", "letters", "full stops", "emoji", "blanks", "longest line", "different vowels")
)


@lru_cache(maxsize=65536)
def is_measured(quantity: str) -> bool:
    """Tell whether a text that occurs can bring any of a quantity, as far as `brings` looks."""
    return quantity in _MEASURED or quantity.startswith(_COUNTED) or quantity.endswith(_SCRIPT_LETTERS)


@lru_cache(maxsize=65536)
def brings(demand: Demand, quantity: str) -> float:
    """Return how much of a quantity an answer holds at least because a text occurs in it; 0 where nothing follows.

    Example:
        >>> brings(Demand("green tea", times=2), "keyword tea"), brings(Demand("green tea"), "words")
        (2, 2)
    """
    kind, _, rest = quantity.partition(" ")
    text = Text(demand.text)
    if kind == "keyword":
        return demand.times * _keyword(demand, text, rest)
    if kind == "letter":
        return demand.times * (count_letter(text, rest) if demand.text.isascii() else 0)
    if kind == "mark":
        return demand.times * _mark(text.prose, rest)
    if quantity in ("longest line", "different vowels"):
        return _once(demand, text, quantity)
    return demand.times * _plain(demand, text, quantity)


def _keyword(demand: Demand, text: Text, word: str) -> int:
    if demand.whole:
        return count_keyword(text, word)
    # The first and the last word may be parts of longer ones in the answer.
    guarded = Text(f"x{demand.text}x" if demand.text.isascii() else demand.text)
    return count_keyword(guarded, word)


def _mark(prose: str, char: str) -> int:
    wide = chr(ord(char) + 0xFEE0) if 0x21 <= ord(char) <= 0x7E else char
    return prose.count(char) + (prose.count(wide) if wide != char else 0)


def _once(demand: Demand, text: Text, quantity: str) -> int:
    if quantity == "different vowels":
        return len(vowels_of(text))
    return max(map(len, demand.text.split()), default=0)


def _plain(demand: Demand, text: Text, quantity: str) -> int:
    if quantity == "words":
        return len(text.words) if demand.whole or len(text.words) > 1 else 0
    if quantity == "characters":
        return len("".join(unicodedata.normalize("NFC", text.raw).split()))
    if quantity == "letters":
        return count_letters(text)
    if quantity == "full stops":
        return len(_FULL_STOPS.findall(text.prose))
    if quantity == "emoji":
        return count_emoji(text)
    if quantity == "blanks":
        return len(text.raw.split()) - 1
    if quantity == "uppercase letters":
        return sum(map(str.isupper, text.prose)) if demand.exact else 0
    if quantity == "lowercase letters":
        return sum(map(str.islower, text.prose)) if demand.exact else 0
    if quantity.endswith(_SCRIPT_LETTERS):
        return letter_shares(text, quantity.removesuffix(_SCRIPT_LETTERS))[0]
    return 0


@lru_cache(maxsize=65536)
def holds(answer: str, quantity: str) -> float | None:
    """Return how much of a quantity a complete answer holds, or None where that is not looked at."""
    kind, _, rest = quantity.partition(" ")
    if kind == "keyword":
        return count_keyword(Text(answer), rest)
    if quantity == "words":
        return len(Text(answer).words)
    if kind == "letter":
        return count_letter(Text(answer), rest)
    return None


@lru_cache(maxsize=16384)
def is_refused(constraint: Constraint, demand: Demand) -> bool:
    """Tell whether a text cannot occur, as a constraint on every part of the answer is violated by it alone."""
    if not (demand.whole and demand.text.isascii() and "\\" not in demand.text and "`" not in demand.text):
        return False
    return constraint.judge(Text(demand.text), Context()).status is Status.VIOLATED


@lru_cache(maxsize=16384)
def occurs(demand: Demand, answer: str) -> bool:
    """Tell whether a text occurs in a complete answer, letter case aside."""
    if demand.whole:
        return any(keyword_spans(answer.replace("’", "'"), demand.text))
    return demand.text.casefold() in answer.casefold()
