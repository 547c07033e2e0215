"""The kinds of arguments that constraints take: what is legal, and how a random one is drawn.

A kind is an annotated type whose metadata holds a `Draw`. A field may narrow the draw to a range that makes sense for
its constraint: `limit: Annotated[Limit, Draw.range(20, 120)]`; the last `Draw` counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from rewards.filler import SENTENCES, WORDS
from rewards.language import LANGUAGES
from rewards.text import Text

MARKUP = " \t\r\n*_`\"'“”’」』）)"
_NOT_SAID = MARKUP + "~#>‘「『（("
# Letters of Unicode that show nothing.
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw a legal value, from a generator and the language of the instruction.

    `bounds` are the ends of a range of whole numbers, both included.
    """

    sample: Callable[[Random, str], Any]
    bounds: tuple[int, int] | None = None

    @staticmethod
    def range(low: int, high: int) -> Draw:
        """Draw a whole number, both ends included."""
        return Draw(lambda rng, language: rng.randint(low, high), (low, high))

    @staticmethod
    def choice(*values: Any) -> Draw:
        """Draw one of the values."""
        return Draw(lambda rng, language: rng.choice(values))


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(each)[0] not in "CZM" and each not in _BLANK_LETTERS for each in text)


def _keyword(word: str) -> str:
    plain = word.isascii() and word.isalnum()
    if not plain and not (Text(word).words and _is_visible(word)):
        raise ValueError(f"keyword {word!r} contains no word")
    return word


def _not_blank(text: str) -> str:
    if not _is_visible(text):
        raise ValueError("the text must not be blank or invisible")
    return text


def _not_markup(text: str) -> str:
    if not _is_visible(text.strip(_NOT_SAID)):
        raise ValueError("the text must hold more than blanks, quotes and markdown")
    return text


def _one_line(text: str) -> str:
    if len(text.strip().splitlines()) > 1:
        raise ValueError("the text must be a single line")
    return text


def _letter(letter: str) -> str:
    if len(letter) != 1 or not letter.isalpha():
        raise ValueError(f"{letter!r} is not one letter")
    return letter


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"unknown language code {code!r}; known: {', '.join(LANGUAGES)}")
    return code


def _position(number: int) -> int:
    if number == 0:
        raise ValueError("positions count from 1, or from the end with -1; 0 is none")
    return number


def _some_words(rng: Random, language: str) -> tuple[str, ...]:
    return tuple(rng.sample(WORDS[language], rng.randint(1, 3)))


def _phrase(rng: Random, language: str) -> str:
    return rng.choice(SENTENCES[language])


#: A number of words, characters or other units that bounds a length.
Limit = Annotated[int, Field(ge=1, le=1_000_000, strict=True), Draw.range(5, 60)]
#: How many of something are wanted.
Count = Annotated[int, Field(ge=1, le=10_000, strict=True), Draw.range(1, 5)]
#: How many of something are tolerated.
Tolerated = Annotated[int, Field(ge=0, le=10_000, strict=True), Draw.range(1, 4)]
#: A place counted from 1, or from the end with -1.
Position = Annotated[
    int, Field(ge=-10_000, le=10_000, strict=True), AfterValidator(_position), Draw.choice(1, 2, 3, -1)
]
#: A share in percent.
Percent = Annotated[float, Field(ge=0, le=100, strict=True), Draw.range(20, 80)]
#: A word or phrase that is looked up as whole words, case-insensitive (anywhere in Chinese).
Keyword = Annotated[str, AfterValidator(_keyword), Draw(lambda rng, language: rng.choice(WORDS[language]))]
Keywords = Annotated[tuple[Keyword, ...], Field(min_length=1), Draw(_some_words)]
#: Text to be given word for word.
NonBlank = Annotated[str, AfterValidator(_not_blank), Draw(_phrase)]
NonMarkup = Annotated[str, AfterValidator(_not_markup), Draw(_phrase)]
#: What keeps a text on one line.
ONE_LINE = AfterValidator(_one_line)
Letter = Annotated[str, AfterValidator(_letter), Draw.choice(*"aeinorst")]
LanguageCode = Annotated[str, AfterValidator(_language), Draw.choice("en", "zh")]
