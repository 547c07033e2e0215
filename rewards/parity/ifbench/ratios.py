"""Checks of shares: stop words, kinds of sentence, character trigrams (`ratio:*`)."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

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
    endings = _endings(view)
    return endings.count(".") == 2 * endings.count("?")


@SUITE.check("ratio:sentence_balance")
def sentence_balance(view: View) -> bool:
    # Without one of the marks all three counts must be 0, and the last sentence ends where the text does.
    if not all(mark in view.raw for mark in ".?!") and view.stripped.endswith((".", "?", "!")):
        return False
    endings = _endings(view)
    return endings.count(".") == endings.count("?") == endings.count("!")


def _endings(view: View) -> str:
    """Return the last characters of the sentences."""
    return "".join([view.raw[end - 1] for _, end in punkt.spans(view.raw)])


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


def _trigrams(text: str) -> frozenset[tuple[str, str, str]]:
    return frozenset(zip(text, text[1:], text[2:], strict=False))


@lru_cache(maxsize=64)
def _reference_trigrams(text: str) -> frozenset[tuple[str, str, str]]:
    return _trigrams(text)
