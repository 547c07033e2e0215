"""Checks that count words, names, numbers and marks (`count:*`; pronouns have a module of their own)."""

from __future__ import annotations

import re
from itertools import repeat

from rewards.parity import words as runs
from rewards.parity.ifbench.base import DELETE_PUNCTUATION, PUNCTUATION, SUITE, reject_falsy, reject_negative
from rewards.parity.ifbench.lists import CONJUNCTIONS, PERSON_NAMES
from rewards.parity.view import View

# A digit with the digits that follow once ASCII punctuation is deleted: `1/2` and `10:30` are one number each.
_NUMBER = re.compile(r"\d[\d!-/:-@\[-`{-~]*")
_CAPITALISED = re.compile(r"[A-Z](?<!\w.)[a-z]+\b")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_TIMES = (1, 2, 3, 5, 7)


@SUITE.check("count:word_count_range")
def word_count_range(view: View, min_words: int, max_words: int) -> bool:
    reject_negative(min_words=min_words, max_words=max_words)
    return min_words <= runs.count(view.raw) <= max_words


@SUITE.check("count:unique_word_count")
def unique_word_count(view: View, N: int) -> bool:
    reject_negative(N=N)
    words = set(view.lower.split())
    return len(words) >= N and len(set(map(str.strip, words, repeat(PUNCTUATION)))) >= N


@SUITE.check("count:conjunctions")
def conjunctions(view: View, small_n: int) -> bool:
    """Count distinct spellings: `and`, `And` and `and,` are three."""
    reject_negative(small_n=small_n)
    return sum(word.strip(PUNCTUATION).lower() in CONJUNCTIONS for word in set(view.chunks)) >= small_n


@SUITE.check("count:person_names")
def person_names(view: View, N: int) -> bool:
    reject_negative(N=N)
    return len(PERSON_NAMES.intersection(_CAPITALISED.findall(view.raw))) >= N


@SUITE.check("count:numbers")
def numbers(view: View, N: int) -> bool:
    reject_negative(N=N)
    return len(_NUMBER.findall(view.raw)) == N


@SUITE.check("count:punctuation")
def punctuation(view: View) -> bool:
    """Ask for all six marks besides an interrobang."""
    text = view.raw
    if not ("?!" in text or "!?" in text or "‽" in text):
        return False
    rest = text.replace("?!" if "?!" in text else "!?", "", 1)
    return all(mark in rest for mark in ".,!?;:")


@SUITE.check("count:words_japanese")
def words_japanese(view: View, N: int) -> bool:
    reject_negative(N=N)
    reject_falsy(N=N)
    return all(map(_japanese_or_digits, view.chunks[N - 1 :: N]))


def _japanese_or_digits(chunk: str) -> bool:
    word = chunk.strip(PUNCTUATION)
    return not word or word.isdigit() or _JAPANESE.search(word) is not None


@SUITE.check("count:keywords_multiple")
def keywords_multiple(view: View, keyword1: str, keyword2: str, keyword3: str, keyword4: str, keyword5: str) -> bool:
    """Count substrings: `art` is found in `start`."""
    keywords = (keyword1, keyword2, keyword3, keyword4, keyword5)
    return all(view.lower.count(word.strip().lower()) == n for word, n in zip(keywords, _TIMES, strict=True))


@SUITE.check("words:repeats")
def repeats(view: View, small_n: int) -> bool:
    reject_negative(small_n=small_n)
    words = view.lower.translate(DELETE_PUNCTUATION).split()
    seen: dict[str, int] = {}
    for word in words:
        seen[word] = count = seen.get(word, 0) + 1
        if count > small_n:
            return False
    return True


@SUITE.check("words:palindrome")
def palindromes(view: View) -> bool:
    words = [word for word in view.unpunctuated.lower().split() if len(word) >= 5]
    return sum(word[0] == word[-1] and word == word[::-1] for word in words) >= 10
