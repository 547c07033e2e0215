"""How the cumulative FollowBench rules read an answer: its sentences, words, keywords, paragraphs and points."""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from rewards.text import Text, count_keyword

_ENDS = {"en": re.compile(r"[.!?]"), "zh": re.compile(r"[。！？]")}
_STOPS = tuple(".!?。！？")  # a marked text that ends so is a point in itself
_ZH_DIGITS = "一二三四五六七八九"
_MARKER = re.compile(r"[\s*_#]*[(（]?(?:(\d{1,2})|([" + _ZH_DIGITS + r"]))[.．、:：)）](?!\d)[*_]*")
_POINT = re.compile(r"[ \t]*(?:(?:[-+•*]|#{1,6})[ \t]+|\d{1,2}[.)][ \t]*)?\*\*(?!\*)([^\n]*?)\*\*")
_INSIDE_WORD = re.compile(r"(?<=[^\W_])['’‐‑-](?=[^\W_])")
_BLANK_LINES = re.compile(r"\n[ \t\r]*\n\s*")


class Point(NamedTuple):
    """A point of a speech: what stands between its markers, and what is said about it."""

    keyword: str
    said: str


@dataclass(frozen=True)
class Reading:
    """An answer as a rule reads it.

    Official: sentences are cut at every mark, English words at white space, Chinese text is counted in characters, and
    a keyword is any run of characters. Strict: the definitions of `rewards.text`, and an English keyword is a whole
    word or its plural, whatever its case.
    """

    answer: str
    language: str
    official: bool
    level: int

    def closed(self, ending: re.Pattern[str]) -> Reading:
        """Return the reading of the answer without its ending."""
        return replace(self, answer=ending.sub("", self.answer))

    @cached_property
    def sentences(self) -> list[str]:
        return self.sentences_of(self.answer)

    def sentences_of(self, text: str) -> list[str]:
        # Strict: no sentence ends inside a number or after an abbreviation, and one ends at a line break.
        if not self.official:
            return list(Text(text).sentences)
        return [piece for piece in map(str.strip, _ENDS[self.language].split(text)) if piece]

    def length(self, text: str) -> int:
        """Return the words of a text; in Chinese its characters."""
        # Strict: a dash is no word, a Chinese mark is no character of the text, a number or a foreign word is one.
        if not self.official:
            return len(Text(text).words)
        return len(text) if self.language == "zh" else len(text.split())

    def says(self, text: str, keyword: str) -> bool:
        # Strict: "in" is not said by "killing", "We" not by "Well"; "operations" says "operation".
        if self.official:
            return keyword in text
        return any(count_keyword(Text(text), form) for form in (keyword, keyword + "s"))

    def begins_with(self, keyword: str) -> bool:
        if self.official:
            return self.answer.startswith(keyword)
        # Strict: white space, quotes and markup may come first, and the word must be whole.
        whole = r"(?![A-Za-z])" if keyword.isascii() else ""
        return re.match(r"[\W_]*" + re.escape(keyword) + whole, self.answer) is not None

    @cached_property
    def marks(self) -> list[str]:
        """The punctuation marks, in order."""
        if self.official:
            return [one for one in self.answer if one in string.punctuation or _is_mark(one)]
        # Strict: an apostrophe or hyphen inside a word belongs to the word, a row of one mark ("……") is one mark.
        text = _INSIDE_WORD.sub("", self.answer)
        return [one for one, before in zip(text, " " + text, strict=False) if _is_mark(one) and one != before]

    @cached_property
    def paragraphs(self) -> list[str]:
        """The blocks between blank lines."""
        if self.official:
            return [block for block in map(str.strip, self.answer.split("\n\n")) if block]
        text = Text(self.answer)
        # Strict: an answer without any blank line has its lines for paragraphs, as is common in Chinese.
        return list(text.paragraphs if len(text.paragraphs) > 1 else text.filled_lines)

    @cached_property
    def points(self) -> list[Point]:
        """The points that open with text between two `**`, in order."""
        found: list[Point] = []
        heading = ""
        for block in _BLANK_LINES.split(self.answer):
            fresh = _points(block)
            if not fresh and heading:  # the keyword stood alone: this block is about it
                found[-1] = Point(heading, block.strip())
            found += fresh
            alone = bool(fresh) and not fresh[-1].said and fresh[-1].keyword[-1:] not in _STOPS
            heading = fresh[-1].keyword if alone else ""
        return found


def number_of(paragraph: str) -> int | None:
    """Return the number a paragraph is marked with, None without a marker.

    Example:
        >>> number_of("2. Next"), number_of("**3)** Last"), number_of("二、其次"), number_of("3.5 litres")
        (2, 3, 2, None)
    """
    match = _MARKER.match(paragraph)
    if match is None:
        return None
    return int(match[1]) if match[1] else _ZH_DIGITS.index(match[2]) + 1


def unmarked(paragraph: str) -> str:
    """Return a paragraph without its number, which is no sentence."""
    match = _MARKER.match(paragraph)
    return paragraph[match.end() :] if match else paragraph


def _points(block: str) -> list[Point]:
    points: list[tuple[str, list[str]]] = []
    for line in block.split("\n"):
        opening = _POINT.match(line)
        if opening:
            points.append((opening[1].strip(), [line[opening.end() :].lstrip(" :：*-–—")]))
        elif points:
            points[-1][1].append(line)
    return [Point(keyword, " ".join(map(str.strip, lines)).strip()) for keyword, lines in points]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
