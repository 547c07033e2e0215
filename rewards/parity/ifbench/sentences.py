"""Checks that compare sentences with each other or look into one (`sentence:*` and `words:last_first`)."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby, islice, pairwise

from rewards.parity import punkt
from rewards.parity.ifbench.base import DELETE_PUNCTUATION, EDGE, PUNCTUATION, SUITE, reject_falsy, reject_negative
from rewards.parity.view import View


def nth_sentence(view: View, n: int) -> str | None:
    """Return the n-th sentence, if there are so many; from the end, as Python counts, for n below 1."""
    if n < 1:
        return view.sentences[n - 1]
    if sum(map(view.raw.count, ".?!")) + 1 < n:  # the splitter breaks only after a mark
        return None
    return next(islice(punkt.iter_sentences(view.raw), n - 1, None), None)


@SUITE.check("sentence:alliteration_increment")
def alliteration_increment(view: View) -> bool:
    """Sum the words of all runs with one initial; one sentence alone always passes."""
    previous = -1
    for sentence in punkt.iter_sentences(view.raw):
        alliterative = _alliterative_words(sentence)
        if alliterative <= previous:
            return False
        previous = alliterative
    return True


def _alliterative_words(sentence: str) -> int:
    words = (word.lstrip(PUNCTUATION) for word in sentence.lower().split())
    runs = (len(list(run)) for _, run in groupby(word[0] for word in words if word))
    return sum(length for length in runs if length > 1)


@SUITE.check("sentence:keyword")
def keyword(view: View, word: str, N: int) -> bool:
    """Look for a whole word in the N-th sentence, which is the last one for 0."""
    reject_negative(N=N)
    reject_falsy(word=word)
    sentence = None if _lacks(view, word) else nth_sentence(view, N)
    return sentence is not None and _whole_word(word).search(sentence) is not None


def _lacks(view: View, word: str) -> bool:
    """Return whether the text surely lacks a word; outside ASCII letters have more than one other case."""
    return view.raw.isascii() and word.isascii() and word.lower() not in view.lower


@lru_cache(maxsize=256)
def _whole_word(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)


@SUITE.check("sentence:increment")
def increment(view: View, small_n: int) -> bool:
    reject_negative(small_n=small_n)
    sentences = punkt.iter_sentences(view.raw)
    counts = (len(sentence.translate(DELETE_PUNCTUATION).split()) for sentence in sentences)
    return all(second == first + small_n for first, second in pairwise(counts))


@SUITE.check("words:last_first")
def last_first(view: View) -> bool:
    pairs = pairwise(punkt.iter_sentences(view.raw))
    return all(_last_word(first) == _first_word(second) != "" for first, second in pairs)


def _last_word(sentence: str) -> str:
    return "".join(sentence.rstrip(EDGE).rsplit(None, 1)[-1:]).lower()


def _first_word(sentence: str) -> str:
    return "".join(sentence.lstrip(EDGE).split(None, 1)[:1]).lower()


@SUITE.check("custom:sentence_alphabet")
def sentence_alphabet(view: View) -> bool:
    """Ask for 26 sentences that begin with a to z; a leading quote is the first letter."""
    if view.stripped[0].lower()[0] != "a" or nth_sentence(view, 26) is None:
        return False
    sentences = islice(punkt.iter_sentences(view.raw), 27)
    initials = "".join(sentence.split()[0].lower()[0] for sentence in sentences)
    return initials == "abcdefghijklmnopqrstuvwxyz"
