"""View: one text in the forms that the official checkers derive from it, each computed once.

The names follow what the official code bases do, which is not what `rewards.text` holds to be right: here a Chinese
sentence is one word and "1." is a sentence.
"""

from __future__ import annotations

import string

from rewards.lazy import lazy
from rewards.parity import langid, punkt, splitter, treebank

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)


class View:
    """A response, or one of its loose variants, with its derived forms.

    Example:
        >>> View("Don't stop - it's 1/2.").unpunctuated.split()
        ['Dont', 'stop', 'its', '12']
        >>> View("1. Go there. Mr. Lee did.").sentences
        ['1.', 'Go there.', 'Mr. Lee did.']
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @lazy
    def lower(self) -> str:
        return self.raw.lower()

    @lazy
    def stripped(self) -> str:
        return self.raw.strip()

    @lazy
    def chunks(self) -> list[str]:
        """Whitespace-separated pieces, nothing stripped."""
        return self.raw.split()

    @lazy
    def unpunctuated(self) -> str:
        """The text with all ASCII punctuation deleted."""
        return self.raw.translate(_DELETE_PUNCTUATION)

    @lazy
    def tokens(self) -> list[str]:
        """Penn Treebank tokens of the Punkt sentences, as NLTK's `word_tokenize` gives them."""
        return treebank.word_tokenize(self.raw)

    @lazy
    def sentences(self) -> list[str]:
        """Punkt sentences, as NLTK's `sent_tokenize` gives them."""
        return punkt.sentences(self.raw)

    @lazy
    def regex_sentences(self) -> list[str]:
        """Sentences of the regular-expression splitter of IFEval and its training set."""
        return splitter.sentences(self.raw)

    @lazy
    def language(self) -> str | None:
        """The label of langdetect with seed 0, or None where it finds no features."""
        return langid.detect(self.raw)
