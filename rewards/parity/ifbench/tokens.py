"""Checks of Treebank tokens, which avoid tokenising the whole text wherever the verdict is certain without."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import islice

from rewards.parity import punkt, treebank
from rewards.parity.ifbench.base import SUITE, reject_falsy, reject_negative
from rewards.parity.ifbench.lists import PRONOUNS
from rewards.parity.ifbench.sentences import nth_sentence
from rewards.parity.ifbench.verbs import is_verb
from rewards.parity.view import View

# What always stands apart from a word next to it. A comma or a colon does so unless a digit follows.
_APART = r"\s;@#$%&?!*()\[\]{}<>\"“”«»„‘’`\u2012-\u2015"
_FROM_HERE = rf"(?<![^{_APART}])"
_UP_TO_HERE = rf"(?=[{_APART}]|[,:](?!\d)|\Z)"
_PRONOUN = "|".join(sorted(PRONOUNS))
# A word with a full stop is one token inside a sentence, and "i." is an initial that ends none.
_SURE_PRONOUN = re.compile(
    rf"{_FROM_HERE}(?:{_PRONOUN})(?:{_UP_TO_HERE}|'(?:s|m|d|ll|re|ve){_UP_TO_HERE}|(?<!\bi)\.(?=[ \n\t\r]|\Z))"
)
_RUN = re.compile(r"[a-z]+")
_POSSIBLE_PRONOUNS = PRONOUNS | {"gimme", "lemme"}  # these are two tokens, the second "me"

_SURE_LOWER = re.compile(rf"{_FROM_HERE}[a-z]+{_UP_TO_HERE}")
# A token can start after any mark but an apostrophe, full stop or hyphen inside a word.
_LETTER_AFTER_MARK = re.compile(r"[^\w'.-][^\W\d_A-Z]")
_LETTER_AFTER_JOINT = re.compile(r"['.-](?<![A-Za-z0-9].)[^\W\d_A-Z]")
_SPLIT_WORDS = ("n't", "cannot", "gimme", "lemme", "gonna", "gotta", "wanna", "'tis", "'twas")


@SUITE.check("words:start_verb")
def start_verb(view: View) -> bool:
    return is_verb(treebank.first_tokens(view.raw)[:3])


@SUITE.check("count:pronouns")
def pronouns(view: View, N: int) -> bool:
    reject_negative(N=N)
    text = view.lower.replace("/", " ")
    if sum(map(PRONOUNS.__contains__, text.split())) >= N:
        return True
    if sum(map(_POSSIBLE_PRONOUNS.__contains__, _RUN.findall(text))) < N:
        return False
    if len(_SURE_PRONOUN.findall(text)) >= N:
        return True
    return next(islice(_sentence_pronouns(text), N - 1, None), None) is not None


def _sentence_pronouns(text: str) -> Iterator[str]:
    """Yield the pronouns, looking only into sentences that may have one."""
    places = (match.start() for match in _RUN.finditer(text) if match[0] in _POSSIBLE_PRONOUNS)
    place = next(places, len(text))
    for start, end in punkt.spans(text):
        if place < end:
            yield from filter(PRONOUNS.__contains__, treebank.tokenize(text[start:end]))
            place = next((place for place in places if place >= end), len(text))


@SUITE.check("format:title_case")
def title_case(view: View) -> bool:
    """Reject a token that starts in lower case and goes on in one case: "of", "don't" (for n't), but not "iPhone"."""
    if not _may_start_in_lower_case(view):
        return True
    if _SURE_LOWER.search(view.raw):
        return False
    return not any(any(map(_starts_in_lower_case, treebank.tokenize(one))) for one in punkt.iter_sentences(view.raw))


def _may_start_in_lower_case(view: View) -> bool:
    raw = view.raw
    patterns = (_LETTER_AFTER_MARK, _LETTER_AFTER_JOINT)
    return (
        raw[:1].islower()
        or any(match[0][1].islower() for pattern in patterns for match in pattern.finditer(raw))
        or any(map(view.lower.__contains__, _SPLIT_WORDS))
    )


def _starts_in_lower_case(token: str) -> bool:
    if not (token[0].isalpha() and token[0].islower()):
        return False
    rest = token[1:]
    return not rest or rest.islower() or rest.isupper()


@SUITE.check("words:words_position")
def words_position(view: View, keyword: str) -> bool:
    """Compare the second token with the last but one, or but two where a single mark comes last."""
    wanted = keyword.strip().lower()
    if wanted.isascii() and wanted not in view.lower:
        return False
    few = len(view.chunks) <= 2 * treebank.MARGIN
    words = view.tokens if few else treebank.first_tokens(view.raw) + treebank.last_tokens(view.raw)
    place = -3 if words and words[-1] in string.punctuation else -2
    return len(words) >= -place and words[1].lower() == words[place].lower() == wanted


@SUITE.check("words:keywords_specific_position")
def keywords_specific_position(view: View, keyword: str, n: int, m: int) -> bool:
    """Look at the m-th token with a letter or digit of the n-th sentence."""
    reject_falsy(keyword=keyword, n=n, m=m)
    wanted = keyword.strip().lower()
    sentence = None if wanted.isascii() and wanted not in view.lower else nth_sentence(view, n)
    if sentence is None:
        return False
    words = [token for token in treebank.word_tokenize(sentence) if any(map(str.isalnum, token))]
    return len(words) >= m and words[m - 1].lower() == wanted
