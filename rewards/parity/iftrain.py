"""The 29 instructions of the IF-RLVR training set, verdict for verdict, and the 25 of IFEval that its registry has too.

The quick answers at the head of some checks save the sentence splitter or the tokenizer; each follows from what those
do to a run of letters between blanks, which is to leave it alone, and to marks that are always cut off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice, pairwise
from typing import Any

from rewards.parity import ifeval, punkt, splitter, treebank
from rewards.parity.ifeval import count_pieces
from rewards.parity.keywords import compiled, count_ascii_letters, count_keyword, meets, require
from rewards.parity.suite import BoundCheck, Suite, UndecidedError
from rewards.parity.view import View

_WORD_ARGUMENTS = {
    "first_word:first_word_sent": "first_word",
    "last_word:last_word_sent": "last_word",
    "keywords:keyword_specific_position": "keyword",
}


class _TrainSuite(Suite):
    """A suite whose data hold some words as lists, of which the official code takes the first."""

    def bind(self, name: str, kwargs: Mapping[str, Any]) -> BoundCheck:
        """Return the check with its arguments."""
        argument = _WORD_ARGUMENTS.get(name, "")
        word = kwargs.get(argument)
        if isinstance(word, (list, tuple)):
            kwargs = {**kwargs, argument: word[0] if word else None}
        return super().bind(name, kwargs)


SUITE = _TrainSuite("iftrain", "allenai/open-instruct@e6c3044 IFEvalG")
SUITE.checks.update(ifeval.SUITE.checks)
SUITE.checks["letters:letter_counting2"] = ifeval.SUITE.checks["keywords:letter_frequency"]
SUITE.checks["keywords:word_count_different_numbers"] = ifeval.SUITE.checks["keywords:frequency"]

_STARS = re.compile(r"\s?\*\*\*\s?")
_LOWER_WORD = re.compile(r"\b[a-z]+\b")
_GROUPING = frozenset("|()\\")
_VARIABLE = _GROUPING | frozenset("*+?{}[]^$")
_NOT_WORD = re.compile(r"[^\w\s]")
_CONSECUTIVE = frozenset((chr(code), chr(code + 1)) for code in range(127))
# Characters each of which the Treebank tokenizer makes a token of its own, wherever it stands.
_SEPARATE = frozenset(";@#$%&?!*[](){}<>")
# Runs of letters that the Treebank tokenizer splits in two.
_LONG = 1000  # characters of a chunk whose first token is too long to be looked at
_CONTRACTIONS = frozenset(("cannot", "gimme", "gonna", "gotta", "lemme", "wanna"))


def _same(text: str, prompt: str) -> bool:
    text, prompt = text.strip(), prompt.strip()
    if len(text) != len(prompt) and text.isascii() and prompt.isascii():
        return False
    return text.lower() == prompt.lower()


def _require_prompt(prompt: str) -> None:
    if not prompt:
        raise UndecidedError("the official code rejects an empty prompt_to_repeat")


@SUITE.check("copy:repeat_phrase")
def repeat_phrase(view: View, phrase: str, small_n: int) -> bool:
    """Find the phrase exactly n times, each time with exactly one word changed."""
    require(phrase and small_n, "phrase or number")
    words = phrase.split()
    if not words:
        raise UndecidedError("the official code crashes on a blank phrase")
    found = _spans(view.raw, words[0], words[-1], small_n)
    return len(found) == small_n and all(_one_word_differs(span.split(), words) for span in found)


def _one_word_differs(span: list[str], words: list[str]) -> bool:
    return len(span) == len(words) and sum(map(str.__ne__, span, words)) == 1


def _spans(text: str, first: str, last: str, wanted: int) -> list[str]:
    """Return what `first .*? last` finds, with more than are wanted cut off after one.

    That pattern takes quadratic time where no last word follows, so each word is looked up by itself: a first word
    goes with the next last word, unless a line ends before it, and then so do all others in that line.
    """
    if set(first) & _VARIABLE or set(last) & _GROUPING:
        return compiled(f"{first} .*? {last}").findall(text)
    opening, closing = compiled(f"{first} "), compiled(f" {last}")
    found: list[str] = []
    start, end = opening.search(text), closing.search(text)
    while start and end and len(found) <= wanted:
        if end.start() < start.end():
            end = closing.search(text, start.end())
        elif (line_end := text.find("\n", start.end(), end.start())) >= 0:
            start = opening.search(text, line_end)
        else:
            found.append(text[start.start() : end.end()])
            start = opening.search(text, end.end())
    return found


@SUITE.check("copy:copy", "copy:copying_simple")
def copy(view: View, prompt_to_repeat: str) -> bool:
    """Equal the prompt, in any case."""
    _require_prompt(prompt_to_repeat)
    return _same(view.stripped, prompt_to_repeat)


@SUITE.check("copy:copying_multiple")
def copying_multiple(view: View, prompt_to_repeat: str, N: int) -> bool:
    """Equal the prompt n times, divided by six stars."""
    _require_prompt(prompt_to_repeat)
    require(N, "number of copies")
    if view.raw.count("******") + 1 != N:
        return False
    return all(_same(piece, prompt_to_repeat) for piece in view.raw.split("******"))


@SUITE.check("new:copy_span_idx")
def copy_span_idx(view: View, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """Equal the characters from start up to, but without, end; upstream draws an index for 0."""
    _require_prompt(prompt_to_repeat)
    require(n_start and n_end, "index")
    return _same(view.stripped, prompt_to_repeat[n_start:n_end])


@SUITE.check("detectable_format:sentence_hyphens")
def sentence_hyphens(view: View) -> bool:
    """Join the sentences by hyphens without blanks; surplus pieces or sentences are not compared."""
    pieces = view.raw.split("-")
    if not any(map(str.strip, pieces)):
        return True  # no sentence to compare
    if "\n" in pieces[0] or pieces[0] != pieces[0].strip():
        return False
    sentences = splitter.sentences(view.raw.replace("-", " "))
    return all(piece.strip() == piece == sentence for piece, sentence in zip(pieces, sentences, strict=False))


@SUITE.check("keywords:no_adjacent_consecutive")
def no_adjacent_consecutive(view: View) -> bool:
    """Begin no word with the character after that of the word before."""
    # Nearly every text has such a pair among its first words.
    return not (_has_consecutive(view.raw.split(None, 40)[:40]) or _has_consecutive(view.chunks))


def _has_consecutive(words: list[str]) -> bool:
    firsts = "".join([word[0] for word in words]).lower()
    if firsts.isascii():
        return not _CONSECUTIVE.isdisjoint(pairwise(firsts))
    return any(_consecutive(first[0].lower(), second[0].lower()) for first, second in pairwise(words))


def _consecutive(first: str, second: str) -> bool:
    # Upstream rejects a letter whose lower case takes two characters.
    return len(first) > 1 or len(second) > 1 or ord(second) - ord(first) == 1


@SUITE.check("detectable_format:square_brackets")
def square_brackets(view: View) -> bool:
    """Put every word in square brackets."""
    if view.stripped[0] != "[" or view.stripped[-1] != "]":
        return False
    return all(word[0] == "[" and word[-1] == "]" for word in view.chunks)


@SUITE.check("detectable_format:bigram_wrapping")
def bigram_wrapping(view: View) -> bool:
    """Begin every other word with `<<` and end the one after it with `>>`."""
    if not view.stripped.startswith("<<"):
        return len(view.stripped.split(None, 1)) == 1
    words = view.chunks
    return all(
        first.startswith("<<") and second.endswith(">>") for first, second in zip(words[::2], words[1::2], strict=False)
    )


@SUITE.check("keywords:word_once")
def word_once(view: View, keyword: str) -> bool:
    """Match the keyword exactly once."""
    return count_keyword(view, keyword) == 1


@SUITE.check("keywords:exclude_word_harder")
def exclude_word_harder(view: View, keyword: str, instruction: str = "") -> bool:
    """Leave out the word between spaces; the instruction is what upstream draws a missing word from."""
    require(keyword, "keyword")
    return f" {keyword.strip()} " not in view.raw


@SUITE.check("keywords:palindrome")
def palindrome(view: View) -> bool:
    """Write a word, however short, that reads the same backwards."""
    return " a " in view.raw or any(word == word[::-1] for word in view.chunks)


@SUITE.check("keywords:keyword_specific_position")
def keyword_specific_position(view: View, keyword: str, n: int, m: int) -> bool:
    """Have the keyword as the m-th token of the n-th sentence."""
    require(keyword and n and m, "keyword or position")
    wanted = keyword.strip()
    if n > 0 < m and wanted.isalnum() and wanted not in view.raw:
        return False
    if len(view.regex_sentences) < n:
        return False
    tokens = treebank.word_tokenize(view.regex_sentences[n - 1])
    return len(tokens) >= m and tokens[m - 1] == wanted


@SUITE.check("keywords:start_end")
def start_end(view: View) -> bool:
    """Have the same first and last token, in any case."""
    text = view.stripped
    if text[0] in _SEPARATE or text[-1] in _SEPARATE:
        return len(text) > 1 and text[0] == text[-1]
    first, last = text.split(None, 1)[0], text.rsplit(None, 1)[-1]
    if first.isalpha() and last[-1] == ".":  # a token of letters, and one that ends in this mark
        return False
    ends = first.lower(), last.lower()
    if first.isalpha() and last.isalpha() and (first + last).isascii() and _CONTRACTIONS.isdisjoint(ends):
        return len(first) < len(text) and ends[0] == ends[1]
    if max(len(first), len(last)) < _LONG and len(view.chunks) > 2 * treebank.MARGIN:
        return treebank.first_tokens(view.raw)[0].lower() == treebank.last_tokens(view.raw)[-1].lower()
    opening = treebank.tokenize(view.sentences[0])
    if len(view.sentences) > 1:
        return opening[0].lower() == treebank.tokenize(view.sentences[-1])[-1].lower()
    return len(opening) > 1 and opening[0].lower() == opening[-1].lower()


@SUITE.check("paragraphs:paragraphs")
def paragraphs(view: View) -> bool:
    """Write two paragraphs around `***`."""
    return count_pieces(view.raw, "***", 2) == 2


@SUITE.check("paragraphs:paragraphs2")
def paragraphs2(view: View) -> bool:
    """Write two paragraphs around two line breaks."""
    return count_pieces(view.raw, "\n\n", 2) == 2


@SUITE.check("first_word:first_word_sent")
def first_word_sent(view: View, first_word: str) -> bool:
    """Begin every sentence with the word, in any case."""
    require(first_word, "word")
    wanted = first_word.strip().lower()
    start = view.stripped[0].lower()
    if start.isascii() and start.isalnum() and not wanted.startswith(start):
        return False
    return all(sentence and sentence.split(None, 1)[0].lower() == wanted for sentence in view.regex_sentences)


@SUITE.check("first_word:first_word_answer")
def first_word_answer(view: View, first_word: str) -> bool:
    """Begin with the word, in any case."""
    require(first_word, "word")
    return view.stripped.split(None, 1)[0].lower() == first_word.strip().lower()


@SUITE.check("last_word:last_word_sent")
def last_word_sent(view: View, last_word: str) -> bool:
    """End every sentence with the word, in any case and without punctuation."""
    require(last_word, "word")
    wanted = last_word.strip().lower()
    chunk = view.stripped.rsplit(None, 1)[-1]
    bare = chunk[:-1] if chunk[-1] in ".!?" else chunk
    if bare.isalnum() and bare.isascii() and bare.lower() != wanted:
        return False
    return all(sentence and _bare(sentence.rsplit(None, 1)[-1]) == wanted for sentence in view.regex_sentences)


@SUITE.check("last_word:last_word_answer")
def last_word_answer(view: View, last_word: str) -> bool:
    """End with the word, in any case and without punctuation."""
    require(last_word, "word")
    return _bare(view.stripped.rsplit(None, 1)[-1]) == last_word.strip().lower()


def _bare(chunk: str) -> str:
    return (chunk if chunk.isalnum() else _NOT_WORD.sub("", chunk)).lower()


@SUITE.check("punctuation:punctuation_dot")
def punctuation_dot(view: View) -> bool:
    """Use no ASCII full stop."""
    return "." not in view.raw


@SUITE.check("punctuation:punctuation_exclamation")
def punctuation_exclamation(view: View) -> bool:
    """Use no ASCII exclamation mark."""
    return "!" not in view.raw


@SUITE.check("count:lowercase_counting")
def lowercase_counting(view: View, N: int) -> bool:
    """Use at most n words of lower-case ASCII letters."""
    require(N, "number of words")
    return N >= 0 and next(islice(_LOWER_WORD.finditer(view.raw), N, None), None) is None


@SUITE.check("letters:letter_counting")
def letter_counting(view: View, N: int, relation: str) -> bool:
    """Compare the number of ASCII letters; a relation word that upstream does not know is never followed."""
    require(N and relation, "number or relation")
    return relation in ("less than", "at least") and meets(count_ascii_letters(view.raw), relation, N)


@SUITE.check("count:counting_composition")
def counting_composition(view: View, n_sent: int, n_words: int) -> bool:
    """Write three paragraphs around `***` of n sentences of m tokens each, final marks counted."""
    require(n_sent and n_words, "number")
    if view.raw.count("***") != 2:  # a blank paragraph has no sentences, so none can be left out
        return False
    texts = [splitter.sentences(paragraph) for paragraph in _STARS.split(view.raw)]
    if any(len(sentences) != n_sent for sentences in texts):
        return False
    return all(len(treebank.word_tokenize(sentence)) == n_words for sentences in texts for sentence in sentences)


@SUITE.check("count:count_unique")
def count_unique(view: View) -> bool:
    """Use no token twice."""
    if any(view.raw.count(mark) > 1 for mark in _SEPARATE):
        return False
    words = [chunk for chunk in view.chunks if chunk.isalpha()]
    if len(set(words)) < len(words):  # runs of letters, each of which gives the same tokens wherever it stands
        return False
    seen: set[str] = set()
    for sentence in punkt.iter_sentences(view.raw):
        tokens = treebank.tokenize(sentence)
        if len(set(tokens)) < len(tokens) or not seen.isdisjoint(tokens):
            return False
        seen.update(tokens)
    return True


@SUITE.check("count:count_increment_word")
def count_increment_word(view: View, keyword1: str, keyword2: str) -> bool:
    """Match one keyword once and the other twice."""
    counts = count_keyword(view, keyword1), count_keyword(view, keyword2)
    return counts == (1, 2)
