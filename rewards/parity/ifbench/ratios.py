"""Checks of shares: stop words, kinds of sentence, character trigrams (`ratio:*`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

import numpy as np

from rewards.parity import punkt
from rewards.parity.ifbench.base import SUITE, reject_negative
from rewards.parity.ifbench.lists import STOP_WORDS
from rewards.parity.view import View
from rewards.parity.words import runs


@SUITE.check("ratio:stop_words")
def stop_words(view: View, percentage: float) -> bool:
    reject_negative(percentage=percentage)
    words = runs(view.lower)
    if not words:
        return False
    found = sum(map(STOP_WORDS.__contains__, words))
    return (found / len(words)) * 100 <= percentage


@SUITE.check("ratio:sentence_type")
def sentence_type(view: View) -> bool:
    """Ask for two statements a question; a sentence that ends in a closing quote is neither."""
    if "?" not in view.raw and view.stripped.endswith("."):
        return False
    return _proportional(view, {".": 2, "?": 1})


@SUITE.check("ratio:sentence_balance")
def sentence_balance(view: View) -> bool:
    # Without one of the marks all three counts must be 0, and the last sentence ends where the text does.
    if not all(mark in view.raw for mark in ".?!") and view.stripped.endswith((".", "?", "!")):
        return False
    return _proportional(view, {".": 1, "?": 1, "!": 1})


def _proportional(view: View, shares: Mapping[str, int]) -> bool:
    """Tell whether the numbers of sentences by their last characters are in these proportions."""
    raw, found = view.raw, dict.fromkeys(shares, 0)
    units = min(raw.count(mark) // share for mark, share in shares.items())
    most = {mark: units * share for mark, share in shares.items()}  # with more of one there are too few of another
    for _, end in punkt.spans(raw):
        mark = raw[end - 1]
        if mark in found:
            found[mark] += 1
            if found[mark] > most[mark]:
                return False
    return len({found[mark] / share for mark, share in shares.items()}) == 1


@SUITE.check("ratio:sentence_words")
def sentence_words(view: View) -> bool:
    """Ask for three sentences of one length; that their words differ is not looked at."""
    sentences = list(islice(punkt.iter_sentences(view.raw), 4))
    return len(sentences) == 3 and len({len(sentence.strip()) for sentence in sentences}) == 1


@SUITE.check("ratio:overlap")
def overlap(view: View, reference_text: str, percentage: float) -> bool:
    """Compare the share of character trigrams that the reference has, within two points."""
    reject_negative(percentage=percentage)
    trigrams = _trigrams(view.raw)
    if not trigrams:
        return False
    shared = len(trigrams & _reference_trigrams(reference_text)) / len(trigrams)
    return percentage - 2 <= shared * 100 <= percentage + 2


def _trigrams(text: str) -> frozenset[int]:
    """Return the different runs of three characters as numbers."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    return frozenset((codes[:-2] << 42 | codes[1:-1] << 21 | codes[2:]).tolist())


@lru_cache(maxsize=64)
def _reference_trigrams(text: str) -> frozenset[int]:
    return _trigrams(text)
