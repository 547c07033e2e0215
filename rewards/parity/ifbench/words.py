"""Checks of every word's letters (`words:*`)."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import pairwise

from rewards.parity.ifbench.base import DELETE_PUNCTUATION, EDGE, PUNCTUATION, SUITE
from rewards.parity.ifbench.syllables import is_odd
from rewards.parity.view import View

_CHUNK = re.compile(r"\S+")
_CLUSTER = re.compile(r"[bcdfghjklmnpqrstvwxyz]{2}")
_LETTERS = string.ascii_lowercase
_PRIMES = frozenset(n for n in range(2, 100) if all(n % divisor for divisor in range(2, n)))


def _bare_words(text: str) -> Iterator[str]:
    """Yield the words without ASCII punctuation one by one: most texts fail within a few words."""
    for match in _CHUNK.finditer(text):
        if word := match[0].translate(DELETE_PUNCTUATION):
            yield word


@SUITE.check("words:alphabet")
def alphabet(view: View) -> bool:
    words = _bare_words(view.raw)
    letter = next(words, "")[:1].lower()
    if len(letter) != 1 or letter not in _LETTERS:
        return False
    place = _LETTERS.index(letter)
    return all(word.lower()[0] == _LETTERS[(place + step) % 26] for step, word in enumerate(words, start=1))


@SUITE.check("words:vowel")
def vowel(view: View) -> bool:
    """Allow three different vowels in the whole text, which must be one line."""
    return "\n" not in view.stripped and sum(letter in view.lower for letter in "aeiou") <= 3


@SUITE.check("words:consonants")
def consonants(view: View) -> bool:
    return all(_CLUSTER.search(match[0]) for match in _CHUNK.finditer(view.lower))


@SUITE.check("words:prime_lengths")
def prime_lengths(view: View) -> bool:
    return all(len(word) in _PRIMES for word in _bare_words(view.raw))


@SUITE.check("words:odd_even_syllables")
def odd_even_syllables(view: View) -> bool:
    return all(first != second for first, second in pairwise(map(is_odd, _bare_words(view.raw))))


@SUITE.check("words:no_consecutive")
def no_consecutive(view: View) -> bool:
    words = (match[0].lstrip(PUNCTUATION) for match in _CHUNK.finditer(view.lower))
    return all(first != second for first, second in pairwise(word[0] for word in words if word))


@SUITE.check("words:paragraph_last_first")
def paragraph_last_first(view: View) -> bool:
    return all(_ends_as_it_starts(line.strip().lower().strip(EDGE)) for line in view.raw.split("\n"))


def _ends_as_it_starts(line: str) -> bool:
    return line.split(None, 1)[:1] == line.rsplit(None, 1)[-1:]
