"""What the layout families share: the answer without code, its bullet points and headings, and laying out a text."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, count, islice, pairwise

from rewards.constraint import Constraint, Context, Status
from rewards.filler import SENTENCES, WORDS
from rewards.sentences import split_sentences
from rewards.text import CODE, Text, fold

_WORDLIKE = re.compile(r"[^\W_]")
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A marker, a blank and something to say; `---` and `* * *` are rules, not bullets.
_BULLET = re.compile(
    r"\n((?:[ \t]*+>)*+[ \t\u3000]*+)([-*+•–·])(?:[ \t\u3000\xa0]++|(?<=[•·]))(?![-*+_ \t\r]*$)(\S.*)", re.MULTILINE
)
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]++(\S.*)", re.MULTILINE)
#: What opens a line of a list, a heading or a quotation.
LINE_MARK = re.compile(
    r"^[ \t\u3000]*(?:(?:(?:[-*+•–·>]|#{1,6}|\d{1,3}[.)])[ \t\u3000\xa0]+|[•·])(?:\[[ xX]\][ \t]+)?)+", re.MULTILINE
)
_MARKUP = re.compile(r"[^\w\s.,;:!?。，、；：！？'’-]|(?<!\w)[-.,;:'’]+")
_MORE = {"en": "One more note is about the {}.", "zh": "还有一点和{}有关。"}
_JOIN = {"en": " ", "zh": ""}


def has_word(text: str) -> bool:
    """Tell whether a text holds a letter or digit of any script."""
    return _WORDLIKE.search(text) is not None


_NOTHING = " \t\r\n\u3000\xa0-–—_.…\u200b\u200c\u200d\u2060\ufeff"


#: The characters of Chinese numerals up to 99.
HAN_DIGITS = "一二三四五六七八九十"


def han_number(text: str) -> int:
    """Read 一 to 九十九; 0 for what is no numeral.

    Example:
        >>> han_number("二十三"), han_number("一一")
        (23, 0)
    """
    tens, ten, ones = text.rpartition("十")
    value = HAN_DIGITS.find(ones) + 1 if ones else 0
    if not ten:
        return value if len(ones) == 1 else 0
    return 10 * (HAN_DIGITS.find(tens) + 1 if tens else 1) + value


def says_nothing(text: str) -> bool:
    """Tell whether a text is blank or only stands for a blank, as dashes and dots do."""
    return not text.strip(_NOTHING)


def clip(text: str, length: int = 40) -> str:
    """Shorten a text for evidence; lone surrogates, which no file can hold, are spelt out."""
    short = text if len(text) <= length else f"{text[: length - 1]}…"
    return short.encode("utf-8", "backslashreplace").decode()


def quoted(text: str, length: int = 40) -> str:
    """Quote a text for evidence: on one line, shortened, with invisible characters spelt out."""
    return clip(repr(text[: length + 1]), length + 2)


def squeeze(text: str) -> str:
    """Return the form in which two items say the same: folded, blanks and outer marks left out."""
    folded = text.lower() if text.isascii() else fold(text)
    return " ".join(folded.split()).strip(" *_.。,，;；!！")


def repeats(items: Sequence[str]) -> int:
    """Count the items that say the same as an earlier one.

    Example:
        >>> repeats(["Apples", "**apples**", "Pears"])
        1
    """
    return len(items) - len(set(map(squeeze, items)))


def has_distinct(items: Sequence[str], number: int) -> bool:
    """Tell whether at least so many items say something different."""
    if len(items) < 2 or number < 2:
        return len(items) >= number
    return len(set(map(squeeze, items[:number]))) == number or len(set(map(squeeze, items))) >= number


@lru_cache(maxsize=16)
def without_fences(raw: str) -> str:
    """Return a text without its fenced code."""
    return _FENCED.sub(" ", raw) if "`" in raw else raw


@lru_cache(maxsize=16)
def without_code(raw: str) -> str:
    """Return a text without fenced and inline code."""
    return CODE.sub(" ", raw) if "`" in raw else raw


@lru_cache(maxsize=16)
def bullet_items(raw: str) -> tuple[tuple[str, str, str], ...]:
    """Return indent, mark and text of every bullet point that says something.

    Example:
        >>> bullet_items("- a\\n  * b\\n---\\n- !")
        (('', '-', 'a'), ('  ', '*', 'b'))
    """
    # A search for line breaks is much faster than one for the beginnings of lines.
    return tuple(found for found in _BULLET.findall("\n" + without_fences(raw)) if _WORDLIKE.search(found[2]))


def depth(indent: str) -> int:
    """Return how far an indent reaches, with four columns to a tab."""
    return len(indent.expandtabs(4))


@lru_cache(maxsize=16)
def headings(raw: str) -> tuple[tuple[int, str, bool], ...]:
    """Return level, title and whether text stands under it, for every markdown heading; code is left out.

    A heading is filled by its own text or by that of the subheading that follows it.

    Example:
        >>> headings("# A\\n## B\\ntext\\n# C")
        ((1, 'A', True), (2, 'B', True), (1, 'C', False))
    """
    text = without_fences(raw)
    found = [match for match in _HEADING.finditer(text) if _WORDLIKE.search(match[2])]
    ends = [*[match.start() for match in found[1:]], len(text)][: len(found)]
    result: list[tuple[int, str, bool]] = []
    level, filled = 0, False
    for match, end in zip(reversed(found), reversed(ends), strict=True):
        own = _WORDLIKE.search(text, match.end(), end) is not None
        level, filled = len(match[1]), own or (filled and level > len(match[1]))
        result.append((level, match[2].rstrip(), filled))
    return tuple(reversed(result))


def fillers(language: str, number: int, used: Iterable[str] = ()) -> list[str]:
    """Return so many neutral sentences, all different and different from those used.

    Example:
        >>> fillers("en", 2, used=["This is easy to check."])
        ['Each step is short and clear.', 'Nothing else is needed here.']
    """
    taken = set(map(squeeze, used))
    return list(islice((sentence for sentence in _endless(language) if squeeze(sentence) not in taken), max(0, number)))


def _endless(language: str) -> Iterator[str]:
    more = _MORE[language]
    numbered = (more.format(f"{word} {number}") for number in count(2) for word in WORDS[language])
    return chain(SENTENCES[language], (more.format(word) for word in WORDS[language]), numbered)


def titles(language: str, number: int, used: Iterable[str] = ()) -> list[str]:
    """Return so many one-word titles, all different and different from those used."""
    taken = set(map(squeeze, used))
    numbered = (f"{word} {number}" for number in count(2) for word in WORDS[language])
    pool = (word.capitalize() for word in chain(WORDS[language], numbered))
    return list(islice((title for title in pool if squeeze(title) not in taken), max(0, number)))


def pieces(text: str) -> list[str]:
    """Return the sentences of a text, each once, without the marks of lists, headings and quotations.

    Example:
        >>> pieces("# Title\\n- One. Two.\\n- One.")
        ['Title', 'One.', 'Two.']
    """
    lines = LINE_MARK.sub("", text).split("\n")
    found = (sentence for line in lines for sentence in split_sentences(line))
    return list({squeeze(sentence): sentence for sentence in found}.values())


def spread(parts: Sequence[str], number: int, language: str) -> list[str]:
    """Divide sentences into so many texts, none empty; neutral sentences come first so that the answer stays last.

    Example:
        >>> spread(["One.", "Two.", "Three."], 2, "en")
        ['One. Two.', 'Three.']
    """
    padded = [*fillers(language, max(0, number - len(parts)), parts), *parts]
    bounds = [round(index * len(padded) / number) for index in range(number + 1)]
    return [_JOIN[language].join(padded[begin:end]) for begin, end in pairwise(bounds)]


def join(parts: Iterable[str], language: str) -> str:
    """Join sentences as prose does."""
    return _JOIN[language].join(parts)


class LaidOut(Constraint):
    """A constraint on layout: its witness reshapes a text that does not have the layout yet.

    Outer blanks stay, because a heading may stand right before the text and another right after it.
    """

    @property
    def gap(self) -> str:
        """What separates parts that need no lines of their own: a line break, or a blank where the scope is a line."""
        return " " if self.scope.startswith("line") else "\n"

    def edit(self, text: str, language: str) -> str:
        core = text.strip()
        if self._holds(core, language):
            return text
        proposal = self.lay_out(core, language)
        if not self._holds(proposal, language):  # open fences, stray marks: only the words can be kept
            proposal = self.lay_out(" ".join(_MARKUP.sub(" ", core).split()), language)
        begin = len(text) - len(text.lstrip())
        return text[:begin] + proposal + text[begin + len(core) :]

    def _holds(self, text: str, language: str) -> bool:
        return has_word(text) and self.judge(Text(text), Context(language=language)).status is Status.SATISFIED

    @abstractmethod
    def lay_out(self, text: str, language: str) -> str:
        """Return a stripped text, which does not have the layout, in that layout."""
