"""Further views of a text for verifiers that look at the form of words or at single sentences.

A written word is what stands between blanks or marks: a run of letters and digits with inner apostrophes and hyphens.
Other than for `Text.words`, Han characters and kana without a mark between them make one written word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from rewards.characters import MARK
from rewards.numerals import HAN
from rewards.quick_words import quick_words
from rewards.sentences import split_sentences
from rewards.text import Text

_LETTER = rf"[^\W_](?:[^\W_]|[{MARK}])*"
WRITTEN_WORD = re.compile(rf"{_LETTER}(?:(?:['’-]|(?<=\d)[.,](?=\d)){_LETTER})*")
_COMMAND_OR_WORD = re.compile(rf"\\[A-Za-z]+\*?|{WRITTEN_WORD.pattern}")
_GAP = re.compile(r"[ \t]+(?=[ \t\n,.;:!?]|\Z)|[，、；：]+(?=[，。！？；：、])|(?<=[，。！？；：、])[，、；：]+")
_LIST_MARKER = re.compile(r"[ \t>]*(?:[-*+•][ \t]+|\(?\d{1,3}[.)、][ \t]*(?=\D)|#{1,6}[ \t]+)")
_TAIL = 16  # closing quotes, brackets, markup and emoji after the mark of a sentence
_MARKS = {"?": "question", "？": "question", "؟": "question", "‽": "question", "⁉": "question"}
_MARKS |= {"!": "exclamation", "！": "exclamation"}
_MARKS |= dict.fromkeys(".。．｡…۔।॥", "statement")
_BORDER = "\U0003fffd"  # no character, yet a word of its own: all sentences are divided into words at once
_WORDLIKE = re.compile(r"[^\W_]")
_FIRST_PART = 300  # characters of prose in which most judges find the first sentence that is wrong
_OPENING = 300  # characters in which most judges find the first word that is wrong
_FEW = 100  # sentences that are quicker divided into words one by one
_ALPHABETIC = re.compile(r"[^\W\d_\u3041-\u30ff\u3400-\u9fff]").match


def _folded(text: Text) -> str:
    """Return the text in lower case with its own apostrophes."""
    return text._without_commands.casefold() if "’" in text.raw else text.normalized


@lru_cache(maxsize=8)
def written_words(text: Text) -> tuple[str, ...]:
    """Return the written words, case-folded.

    Example:
        >>> written_words(Text("It's well-known: 你好，世界。"))
        ("it's", 'well-known', '你好', '世界')
    """
    quick = quick_words(_folded(text))
    if quick is not None:
        return tuple(quick)
    if HAN.search(text.raw):
        return tuple(WRITTEN_WORD.findall(text.normalized))
    return tuple("\n".join(text.words).casefold().split("\n")) if text.words else ()


@lru_cache(maxsize=8)
def folded_words(text: Text) -> tuple[str, ...]:
    """Return `Text.words` in the form in which two spellings of a word are equal.

    Example:
        >>> folded_words(Text("Don’t DON'T"))
        ("don't", "don't")
    """
    quick = quick_words(_folded(text).replace("’", "'"))
    if quick is not None:
        return tuple(quick)
    return tuple("\n".join(text.words).casefold().replace("’", "'").split("\n")) if text.words else ()


def opening_words(text: Text) -> tuple[str, ...]:
    """Return the first written words of a text, for judges that seldom look any further."""
    said = _folded(text)
    quick = quick_words(said[:_OPENING]) if len(said) > _OPENING else None
    return tuple(quick[:-1]) if quick and len(quick) > 1 else written_words(text)  # the last one may be cut short


def first_words(text: Text, number: int) -> tuple[str, ...]:
    """Return the first words of a text, if possible without looking for all the others.

    Example:
        >>> first_words(Text("It is late."), 2)
        ('It', 'is')
    """
    if "words" not in text.__dict__:
        found = Text(text.raw[: 40 * number]).words
        if len(found) > number:  # the last one may be cut short
            return found[:number]
    return text.words[:number]


@lru_cache(maxsize=8)
def sentence_words(text: Text) -> tuple[tuple[str, ...], ...]:
    """Return the words of each sentence; the number of a list item is none.

    Example:
        >>> sentence_words(Text("1. Go home. It is late!"))
        (('Go', 'home'), ('It', 'is', 'late'))
    """
    return tuple(words_of_each(text.sentences))


def each_sentence_words(text: Text) -> Iterator[tuple[str, ...]]:
    """Yield what `sentence_words` returns, for judges that need not look at the whole text."""
    return chain.from_iterable(map(words_of_each, sentence_parts(text)))


def sentence_parts(text: Text) -> Iterator[Sequence[str]]:
    """Yield the sentences of a text: first those of a few lines, then those of more and more lines at a time."""
    if "sentences" in text.__dict__:
        yield text.sentences
        return
    begin, size = 0, _FIRST_PART
    while begin < len(text.prose):  # a line break always ends a sentence
        end = text.prose.find("\n", begin + size) + 1 or len(text.prose)
        yield split_sentences(text.prose[begin:end])
        begin, size = end, 4 * size


def words_of_each(sentences: Sequence[str]) -> Iterator[tuple[str, ...]]:
    bare = (one if one[0].isalpha() else without_marker(one) for one in sentences)
    if len(sentences) <= _FEW:
        return filter(None, map(_own_words, bare))
    words = Text(_BORDER.join(one.replace(_BORDER, "") for one in bare) + _BORDER).words
    return filter(None, _divided(words))


def _own_words(sentence: str) -> tuple[str, ...]:
    quick = quick_words(sentence)
    return Text(sentence.replace(_BORDER, "")).words if quick is None else tuple(quick)


def _divided(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    begin = 0
    for _ in range(words.count(_BORDER)):
        end = words.index(_BORDER, begin)
        yield words[begin:end]
        begin = end + 1


def without_marker(sentence: str) -> str:
    """Drop the bullet, the list number or the hashes before a sentence.

    Example:
        >>> without_marker("2. Go home."), without_marker("- Go home."), without_marker("2 apples")
        ('Go home.', 'Go home.', '2 apples')
    """
    match = _LIST_MARKER.match(sentence)
    rest = sentence[match.end() :] if match else ""
    return rest if _WORDLIKE.search(rest) else sentence


def kind(sentence: str) -> str:
    """Tell a `statement` from a `question` and an `exclamation` by the closing mark; `""` where there is none.

    Example:
        >>> kind('"Is it?"'), kind("好！"), kind("It is."), kind("It is:")
        ('question', 'exclamation', 'statement', '')
    """
    if sentence[-1:] in _MARKS and sentence[-2:-1].isalnum():
        return _MARKS[sentence[-1]]
    found = ""
    for character in reversed(sentence[-_TAIL:]):
        name = _MARKS.get(character)
        if name == "question":
            return name
        found = found or name or ""
        if name is None and (found or _WORDLIKE.match(character)):
            break
    return found


def longest_run(words: tuple[str, ...]) -> int:
    """Return how many neighbouring words at most start with the same letter; one said twice in a row counts once.

    Han characters and kana have no first letter.

    Example:
        >>> longest_run(("six", "Silly", "silly", "snakes", "now"))
        3
    """
    longest = run = 0
    before, letter = "", ""
    for word in words:
        if word == before:
            continue
        initial = word[0].lower()
        if initial != letter:
            run = 0
        elif word.lower() == before.lower():
            continue
        run += 1
        before, letter = word, initial
        if run > longest and _ALPHABETIC(initial):
            longest = run
    return longest


def bare_length(word: str) -> int:
    """Return how many letters and digits a word has.

    Example:
        >>> bare_length("don't"), bare_length("世界")
        (4, 2)
    """
    return len(word) if word.isalnum() else sum(map(str.isalnum, word))


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """Return the text with each written word replaced; LaTeX commands are none, and what was dropped leaves no gap.

    Example:
        >>> rewritten("It is \\\\boxed{seven} now.", lambda word: "" if word == "is" else word.upper())
        'IT \\\\boxed{SEVEN} NOW.'
    """
    changed = _COMMAND_OR_WORD.sub(lambda match: match[0] if match[0][0] == "\\" else change(match[0]), text)
    return _GAP.sub("", changed).strip(" ，、；：")
