"""How often letters occur. Case does not matter; a letter with an accent is another letter; notation has none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, ClassVar, Literal

from rewards.arguments import Count, Draw, Letter, Limit
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.shaping import (
    Shaped,
    added,
    at_least,
    at_most,
    chunks,
    closed,
    endings,
    exactly,
    grown,
    last_chunks,
)
from rewards.text import Text
from rewards.wordlists import LETTER_WORDS, SPARE_WORDS

_NO_LETTERS = re.compile(r"[\W\d_]+")
_VOWELS = "aeiou"


def letters_of(text: Text) -> str:
    """Return the words of a text without what is between them, in lower case."""
    return "".join(text.words).lower()


def count_letter(text: Text, letter: str) -> int:
    """Count a letter in both cases, outside of LaTeX commands.

    Example:
        >>> count_letter(Text("An apple: \\\\boxed{a}, café"), "A")
        4
    """
    said = text.raw if text.raw.isascii() and "\\" not in text.raw else letters_of(text)
    return said.lower().count(letter.lower())


def count_letters(text: Text) -> int:
    """Count the letters of every script."""
    return len(_NO_LETTERS.sub("", "".join(text.words)))


def vowels_of(text: Text) -> str:
    """Return which of a, e, i, o and u occur, with or without an accent."""
    letters = letters_of(text)
    plain = letters if letters.isascii() else unicodedata.normalize("NFD", letters)
    return "".join(vowel for vowel in _VOWELS if vowel in plain)


def spare_word(letter: str) -> str:
    """Return a word that does not hold a letter."""
    return next((word for word in SPARE_WORDS if letter.lower() not in word), "7")


def with_letter(text: str, letter: str, missing: int) -> str:
    """Return the text with words after it that hold a letter once each."""
    words = " ".join([LETTER_WORDS.get(letter.lower(), letter)] * missing)
    return f"{closed(text)} {words[0].upper()}{words[1:]}."


def with_fewer(text: str, letter: str, limit: int) -> Iterator[str]:
    """Yield the text without its first sentences, then without words, until a letter occurs at most `limit` times."""
    yield from endings(text)
    held = 0
    kept: list[str] = []
    for part in reversed(chunks(text)):
        number = count_letter(Text(part), letter)
        if held + number <= limit:
            held, kept = held + number, [part, *kept]
    yield "".join(kept).strip()
    yield f"{spare_word(letter).capitalize()}."
    yield f"{spare_word(letter)}"


@register
class MinFrequency(Shaped):
    """A letter occurs at least `count` times."""

    type: Literal["letters:min_frequency"] = "letters:min_frequency"
    letter: Letter
    count: Annotated[Count, Draw.range(2, 20)]

    phrases: ClassVar = {
        "en": (
            'The letter "{letter}" must occur at least {count} time{s}; case does not matter.',
            'Use the letter "{letter}" {count} or more times, in capitals or not.',
        ),
        "zh": ("字母“{letter}”至少出现{count}次（不分大小写）。",),
    }
    notes: ClassVar = {"en": '"{letter}" at least {count} time{s}', "zh": "“{letter}”至少{count}次"}
    examples: ClassVar = (
        Example({"letter": "a", "count": 3}, passes="An apple at noon.", fails="An apple too."),
        Example({"letter": "o", "count": 2}, passes="他说：OK，go。", fails="他说：OK。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(count_letter(text, self.letter), self.count, f"times {self.letter!r}")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield with_letter(text, self.letter, self.count - count_letter(Text(text), self.letter))


@register
class MaxFrequency(Shaped):
    """A letter occurs at most `count` times (`letters:forbidden` is for none at all)."""

    type: Literal["letters:max_frequency"] = "letters:max_frequency"
    letter: Letter
    count: Annotated[Count, Draw.range(2, 20)]

    phrases: ClassVar = {
        "en": (
            'The letter "{letter}" may occur at most {count} time{s}; case does not matter.',
            'Do not use the letter "{letter}" more than {count} time{s}, capitals included.',
        ),
        "zh": ("字母“{letter}”最多出现{count}次（不分大小写）。",),
    }
    notes: ClassVar = {"en": '"{letter}" at most {count} time{s}', "zh": "“{letter}”最多{count}次"}
    examples: ClassVar = (
        Example({"letter": "a", "count": 2}, passes="An apple too.", fails="An apple at noon."),
        Example({"letter": "o", "count": 1}, passes="他说：OK。", fails="他说：OK，go。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(count_letter(text, self.letter), self.count, f"times {self.letter!r}")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from with_fewer(text, self.letter, self.count)


@register
class Frequency(Shaped):
    """A letter occurs exactly `count` times."""

    type: Literal["letters:frequency"] = "letters:frequency"
    letter: Letter
    count: Annotated[Count, Draw.range(2, 20)]

    phrases: ClassVar = {
        "en": (
            'The letter "{letter}" must occur exactly {count} time{s}; case does not matter.',
            'Use the letter "{letter}" {count} time{s}, no more and no fewer, counting capitals too.',
        ),
        "zh": ("字母“{letter}”恰好出现{count}次（不分大小写）。",),
    }
    notes: ClassVar = {"en": '"{letter}" exactly {count} time{s}', "zh": "“{letter}”恰好{count}次"}
    examples: ClassVar = (
        Example({"letter": "a", "count": 2}, passes="An apple too.", fails="An apple at noon."),
        Example({"letter": "o", "count": 1}, passes="他说：OK。", fails="他说：OK，go。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return exactly(count_letter(text, self.letter), self.count, f"times {self.letter!r}")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for fewer in (text, *with_fewer(text, self.letter, self.count)):
            missing = self.count - count_letter(Text(fewer), self.letter)
            if missing >= 0:
                yield with_letter(fewer, self.letter, missing) if missing else fewer


@register
class Forbidden(Shaped):
    """A letter does not occur (a lipogram)."""

    type: Literal["letters:forbidden"] = "letters:forbidden"
    letter: Letter

    phrases: ClassVar = {
        "en": (
            'Do not use the letter "{letter}" at all, neither small nor capital.',
            'Write a lipogram: no word may contain the letter "{letter}".',
        ),
        "zh": ("完全不使用字母“{letter}”，大小写都不行。",),
    }
    notes: ClassVar = {"en": 'no letter "{letter}"', "zh": "不用字母“{letter}”"}
    examples: ClassVar = (
        Example({"letter": "e"}, passes="It is so.", fails="It is so. Really."),
        Example({"letter": "o"}, passes="他说：是。", fails="他说：OK。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = count_letter(text, self.letter)
        return verdict_if(found == 0, f"{self.letter!r} occurs {found} times, none wanted")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from with_fewer(text, self.letter, 0)


@register
class MinLetters(Shaped):
    """At least `limit` letters, of whatever script; digits and marks are none."""

    type: Literal["letters:min_letters"] = "letters:min_letters"
    limit: Annotated[Limit, Draw.range(40, 300)]

    phrases: ClassVar = {
        "en": (
            "Use at least {limit} letter{s}; digits, marks and blanks do not count.",
            "Your answer needs {limit} or more letters, counted without digits and punctuation.",
        ),
        "zh": ("至少写{limit}个字母或汉字（数字和标点不算）。",),
    }
    notes: ClassVar = {"en": "at least {limit} letter{s}", "zh": "至少{limit}个字母或汉字"}
    examples: ClassVar = (
        Example({"limit": 5}, passes="It is 7, so.", fails="It is 777."),
        Example({"limit": 4}, passes="天气很好。", fails="天气7度。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(count_letters(text), self.limit, "letters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from grown(text, language, self.limit)


@register
class MaxLetters(Shaped):
    """At most `limit` letters, of whatever script; digits and marks are none."""

    type: Literal["letters:max_letters"] = "letters:max_letters"
    limit: Annotated[Limit, Draw.range(40, 300)]

    phrases: ClassVar = {
        "en": (
            "Use at most {limit} letter{s}; digits, marks and blanks do not count.",
            "Do not write more than {limit} letter{s}, counted without digits and punctuation.",
        ),
        "zh": ("最多写{limit}个字母或汉字（数字和标点不算）。",),
    }
    notes: ClassVar = {"en": "at most {limit} letter{s}", "zh": "最多{limit}个字母或汉字"}
    examples: ClassVar = (
        Example({"limit": 4}, passes="It is 777.", fails="It is 7, so."),
        Example({"limit": 3}, passes="天气7度。", fails="天气很好。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(count_letters(text), self.limit, "letters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from endings(text)
        yield last_chunks(text, lambda part: count_letters(Text(part)) <= self.limit)
        yield "7"


@register
class MaxDistinctVowels(Shaped):
    """At most `count` of the vowels a, e, i, o and u occur; an accent makes no other vowel, and y is none."""

    type: Literal["letters:max_distinct_vowels"] = "letters:max_distinct_vowels"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Use at most {count} of the vowels a, e, i, o and u in your whole answer.",
            "Your words may contain no more than {count} different vowel{s} (of a, e, i, o, u) altogether.",
        ),
        "zh": ("整个回答最多使用a、e、i、o、u中的{count}种元音字母。",),
    }
    notes: ClassVar = {"en": "at most {count} kind{s} of vowels", "zh": "最多{count}种元音字母"}
    examples: ClassVar = (
        Example({"count": 2}, passes="That is thin.", fails="That is thé thing."),
        Example({"count": 1}, passes="他说：banana。", fails="他说：banana tree。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = vowels_of(text)
        return at_most(len(found), self.count, f"kinds of vowels ({', '.join(found) or 'none'})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        parts = [(part, vowels_of(Text(part))) for part in chunks(text)]
        spared = [
            "".join(part for part, vowels in parts if not any(vowel in vowels for vowel in banned)).strip()
            for banned in combinations(_VOWELS, 5 - self.count)
        ]
        yield from sorted(spared, key=len, reverse=True)
        yield added("", "That man has a van.", language)
