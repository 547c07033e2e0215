"""How many words and characters the answer has. Words are counted by `rewards.text`: a Han character counts as one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor
from random import Random
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rewards.arguments import Draw, Limit
from rewards.clauses import sentence, sentence_of_characters
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.resizing import with_characters, with_words
from rewards.constraints.shaping import (
    Shaped,
    added,
    at_least,
    at_most,
    closed,
    endings,
    exactly,
    grown,
    joined,
    last_chunks,
    last_words,
    viewed,
    within,
    word_count,
    words_needed,
)
from rewards.draft import Draft
from rewards.filler import WORDS
from rewards.scope import numbered
from rewards.text import Text
from rewards.wordforms import folded_words

Tolerance = Annotated[int, Field(ge=0, le=50), Draw.choice(5, 10, 20)]


class Ranged(Shaped):
    """A demand with a lower and an upper bound, both allowed."""

    low: Limit
    high: Limit
    lows: ClassVar[tuple[int, int]] = (15, 60)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) must not exceed high ({self.high})")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        low = rng.randint(*cls.lows)
        return {"low": low, "high": low + rng.randint(3, 30)}


def count_characters(text: Text) -> int:
    """Count the characters that are not blank, composed ones as one."""
    return len("".join(unicodedata.normalize("NFC", text.raw).split()))


def lacking(found: int, low: int, high: int) -> int:
    """Return how far a number is from a range: negative where it is too large.

    Example:
        >>> lacking(3, 5, 9), lacking(7, 5, 9), lacking(11, 5, 9)
        (2, 0, -2)
    """
    return max(0, low - found) + min(0, high - found)


def resized(text: str, low: int, high: int, language: str) -> Iterator[str]:
    """Yield the text with words added or dropped inside its sentences, towards a number of characters."""
    return with_characters(text, lambda part: lacking(count_characters(viewed(part)), low, high), language)


def words_between(text: str, low: int, high: int, language: str) -> str:
    """Return the text trimmed or filled so that its number of words lies in a range."""
    kept = last_words(text, high)
    found = word_count(kept)
    if found >= low:
        return kept
    return added(kept if found else "", sentence(language, low - found), language)


def characters_between(text: str, low: int, high: int, language: str) -> Iterator[str]:
    """Yield the endings of the text that are short enough, filled up to the lower bound."""
    for rest in (text, *endings(text), last_chunks(text, lambda part: count_characters(viewed(part)) < high), ""):
        rest = closed(rest)
        missing = low - count_characters(Text(rest))
        yield joined([rest, sentence_of_characters(language, missing)], language).strip() if missing > 0 else rest
    yield sentence_of_characters(language, low)


@register
class MinWords(Shaped):
    """At least `limit` words."""

    type: Literal["length:min_words"] = "length:min_words"
    limit: Annotated[Limit, Draw.range(10, 120)]

    phrases: ClassVar = {
        "en": (
            "Use at least {limit} word{s}.",
            "Write {limit} word{s} or more.",
            "Your answer needs {limit} or more words.",
        ),
        "zh": ("回答至少{limit}个字。", "请写{limit}个字以上（含）。"),
    }
    notes: ClassVar = {"en": "at least {limit} word{s}", "zh": "至少{limit}个字"}
    examples: ClassVar = (
        Example({"limit": 4}, passes="It is well-known here.", fails="It is 3.14 - - -"),
        Example({"limit": 5}, passes="今天天气好。", fails="天气很好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(len(text.words), self.limit, "words")

    def witness(self, draft: Draft) -> Draft:
        planned = draft if numbered(self.scope) else replace(draft, min_words=max(draft.min_words, self.limit))
        return planned.with_edit(self.edit_scope)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield words_between(text, self.limit, 10**9, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_words(text, self.limit - word_count(text), language)


@register
class MaxWords(Shaped):
    """At most `limit` words."""

    type: Literal["length:max_words"] = "length:max_words"
    limit: Annotated[Limit, Draw.range(15, 120)]

    phrases: ClassVar = {
        "en": ("Use at most {limit} word{s}.", "Do not use more than {limit} word{s}.", "Stay within {limit} word{s}."),
        "zh": ("回答不超过{limit}个字。", "最多写{limit}个字。"),
    }
    notes: ClassVar = {"en": "at most {limit} word{s}", "zh": "最多{limit}个字"}
    examples: ClassVar = (
        Example({"limit": 3}, passes="It doesn't matter.", fails="One.two.three.four"),
        Example({"limit": 4}, passes="天气很好。", fails="今天天气好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(len(text.words), self.limit, "words")

    def witness(self, draft: Draft) -> Draft:
        limit = self.limit if draft.max_words is None else min(draft.max_words, self.limit)
        planned = draft if numbered(self.scope) else replace(draft, max_words=limit)
        return planned.with_edit(self.edit_scope)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield words_between(text, 1, self.limit, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_words(text, self.limit - word_count(text), language)


@register
class ExactWords(Shaped):
    """Exactly `count` words."""

    type: Literal["length:words"] = "length:words"
    count: Annotated[Limit, Draw.range(8, 80)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} word{s}; hyphenated words and numbers count as one.",
            "Your answer must have {count} word{s}, no more and no fewer (a hyphenated word is one).",
        ),
        "zh": ("回答恰好{count}个字（标点不算）。", "不多不少，写{count}个字，标点不算。"),
    }
    notes: ClassVar = {"en": "exactly {count} word{s}", "zh": "恰好{count}个字"}
    examples: ClassVar = (
        Example({"count": 3}, passes="A well-known fact.", fails="A fact."),
        Example({"count": 4}, passes="天气很好。", fails="天气真的很好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return exactly(len(text.words), self.count, "words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield words_between(text, self.count, self.count, language)
        yield sentence(language, self.count)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_words(text, self.count - word_count(text), language)


@register
class WordsRange(Ranged):
    """From `low` to `high` words."""

    type: Literal["length:words_range"] = "length:words_range"

    phrases: ClassVar = {
        "en": (
            "Use between {low} and {high} words, both included.",
            "Your answer must have at least {low} and at most {high} words.",
        ),
        "zh": ("回答的字数在{low}到{high}之间（含两端，标点不算）。", "请写{low}到{high}个字。"),
    }
    notes: ClassVar = {"en": "{low} to {high} words", "zh": "{low}到{high}个字"}
    examples: ClassVar = (
        Example({"low": 2, "high": 4}, passes="Rivers run down.", fails="Rivers run down to the sea."),
        Example({"low": 3, "high": 5}, passes="河流入海。", fails="所有的河都流入大海。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return within(len(text.words), self.low, self.high, "words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield words_between(text, self.low, self.high, language)
        yield sentence(language, self.high)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_words(text, lacking(word_count(text), self.low, self.high), language)


@register
class AboutWords(Shaped):
    """About `target` words: the number may differ from it by `tolerance_percent` percent."""

    type: Literal["length:about_words"] = "length:about_words"
    target: Annotated[Limit, Draw.range(15, 100)]
    tolerance_percent: Tolerance = 10

    phrases: ClassVar = {
        "en": (
            "Write about {target} words, give or take {tolerance_percent} percent.",
            "Aim for {target} words; up to {tolerance_percent}% more or fewer is fine.",
        ),
        "zh": ("写大约{target}个字，上下浮动不超过{tolerance_percent}%。",),
    }
    notes: ClassVar = {"en": "about {target} words", "zh": "约{target}个字"}
    examples: ClassVar = (
        Example({"target": 4, "tolerance_percent": 25}, passes="Rivers run down.", fails="Rivers run."),
        Example({"target": 10}, passes="所有的河都会流入大海。", fails="河流入海。", language="zh"),
    )

    def bounds(self) -> tuple[int, int]:
        """Return the smallest and the largest number of words allowed."""
        slack = self.target * self.tolerance_percent / 100
        return max(1, ceil(self.target - slack)), floor(self.target + slack)

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        low, high = self.bounds()
        return within(len(text.words), low, high, f"words, about {self.target} wanted")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield words_between(text, *self.bounds(), language)
        yield sentence(language, self.target)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_words(text, lacking(word_count(text), *self.bounds()), language)


@register
class MinUniqueWords(Shaped):
    """At least `count` different words; upper and lower case are the same word."""

    type: Literal["length:min_unique_words"] = "length:min_unique_words"
    count: Annotated[Limit, Draw.range(10, 50)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} different word{s}; case does not make a difference.",
            "Your answer must contain {count} or more distinct words, ignoring case.",
        ),
        "zh": ("至少使用{count}个不同的字。", "回答中不同的字不少于{count}个。"),
    }
    notes: ClassVar = {"en": "{count} different words", "zh": "{count}个不同的字"}
    examples: ClassVar = (
        Example({"count": 3}, passes="The river ran.", fails="The river, the River!"),
        Example({"count": 4}, passes="山高水长。", fails="高高兴兴兴。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(len(set(folded_words(text))), self.count, "different words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from grown(text, language, 12)
        stop, joint = (".", " ") if language == "en" else ("。", "、")
        yield added(text, joint.join(WORDS[language]).capitalize() + stop, language)
        known = [chr(code) for code in range(0x4E00, 0x4E00 + self.count)]
        yield added(text, joint.join(known) + stop, language)


@register
class MinCharacters(Shaped):
    """At least `limit` characters that are not blank."""

    type: Literal["length:min_characters"] = "length:min_characters"
    limit: Annotated[Limit, Draw.range(40, 400)]

    phrases: ClassVar = {
        "en": (
            "Use at least {limit} character{s}, not counting blanks.",
            "Your answer must be {limit} or more characters long without spaces.",
        ),
        "zh": ("回答至少{limit}个字符（含标点，不算空白）。",),
    }
    notes: ClassVar = {"en": "at least {limit} character{s}", "zh": "至少{limit}个字符"}
    examples: ClassVar = (
        Example({"limit": 8}, passes="It is now.\n", fails="It    is."),
        Example({"limit": 5}, passes="天气很好。", fails="很好。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(count_characters(text), self.limit, "characters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from characters_between(text, self.limit, 10**9, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield from resized(text, self.limit, 10**9, language)


@register
class MaxCharacters(Shaped):
    """At most `limit` characters that are not blank."""

    type: Literal["length:max_characters"] = "length:max_characters"
    limit: Annotated[Limit, Draw.range(60, 500)]

    phrases: ClassVar = {
        "en": (
            "Use at most {limit} character{s}, not counting blanks.",
            "Keep your answer within {limit} character{s}; spaces are not counted.",
        ),
        "zh": ("回答最多{limit}个字符（含标点，不算空白）。",),
    }
    notes: ClassVar = {"en": "at most {limit} character{s}", "zh": "最多{limit}个字符"}
    examples: ClassVar = (
        Example({"limit": 8}, passes="It   is   so.", fails="It is not so."),
        Example({"limit": 5}, passes="天气很好。", fails="天气真的很好。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(count_characters(text), self.limit, "characters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from characters_between(text, 1, self.limit, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield from resized(text, 1, self.limit, language)


@register
class CharactersRange(Ranged):
    """From `low` to `high` characters that are not blank."""

    type: Literal["length:characters_range"] = "length:characters_range"
    lows: ClassVar[tuple[int, int]] = (40, 300)

    phrases: ClassVar = {
        "en": (
            "Use between {low} and {high} characters, both included and blanks not counted.",
            "Your answer must have {low} to {high} characters without spaces.",
        ),
        "zh": ("回答的字符数在{low}到{high}之间（含标点，不算空白）。",),
    }
    notes: ClassVar = {"en": "{low} to {high} characters", "zh": "{low}到{high}个字符"}
    examples: ClassVar = (
        Example({"low": 6, "high": 9}, passes="It is so.", fails="It is really so."),
        Example({"low": 4, "high": 6}, passes="天气很好。", fails="天气真的很好。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return within(count_characters(text), self.low, self.high, "characters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from characters_between(text, self.low, self.high, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield from resized(text, self.low, self.high, language)
