"""Copying a text: all of it, several times, a part of it, or with another first word.

Copies are compared in NFC and in any case; blanks around them do not matter, those inside do.
"""

from __future__ import annotations

import unicodedata
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from rewards.arguments import Count, Draw, NonBlank
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited
from rewards.constraints.matching import decide, is_han, word_key
from rewards.filler import SENTENCES, WORDS
from rewards.text import Text


def plain(text: str) -> str:
    """Return the form in which copies are compared.

    Example:
        >>> plain(" Copy THIS.\\n")
        'copy this.'
    """
    return unicodedata.normalize("NFC", text.strip()).lower().replace("’", "'")


def passage(rng: Random, language: str) -> str:
    """Draw a text of two sentences."""
    return ("" if language == "zh" else " ").join(rng.sample(SENTENCES[language], 2))


@register
class Exact(Edited):
    """The answer is the given text and nothing else (any case, outer blanks aside)."""

    type: Literal["copying:exact"] = "copying:exact"
    text: NonBlank

    phrases: ClassVar = {
        "en": (
            'Copy this text word for word, mark for mark (capitals do not matter), and write nothing else: "{text}"',
            'Answer with exactly this text, in any letter case: "{text}"',
        ),
        "zh": ("一字不差地抄写下面的内容（大小写不限），不要写任何别的东西：“{text}”",),
    }
    notes: ClassVar = {"en": "only copy the text", "zh": "只抄写原文"}
    examples: ClassVar = (
        Example({"text": "Rain, rain."}, passes="Rain, rain.\n", fails="Rain, rain. Done!"),
        Example({"text": "春天来了。"}, passes="春天来了。", fails="“春天来了。”", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return decide(plain(text.raw) == plain(self.text), f"the answer is {text.stripped[:80]!r}")

    def reshape(self, text: str, language: str) -> str:
        return self.text.strip()


@register
class Copies(Edited):
    """The answer is the given text `count` times with `separator` between the copies (any case, blanks aside)."""

    type: Literal["copying:copies"] = "copying:copies"
    text: NonBlank
    count: Annotated[Count, Draw.range(2, 4)]
    separator: Annotated[NonBlank, Draw.choice("******", "-----", "###", "====")] = "******"

    phrases: ClassVar = {
        "en": (
            "Write this text {count} time{s} without any change except letter case, with {separator} between the copies"
            ' and nothing else: "{text}"',
            'Repeat this text {count} time{s}, separated by {separator}, and add nothing: "{text}"',
        ),
        "zh": ("把下面的内容原样写{count}遍，用{separator}隔开，不要写别的：“{text}”",),
    }
    notes: ClassVar = {"en": "{count} copies with {separator}", "zh": "抄{count}遍，用{separator}隔开"}
    examples: ClassVar = (
        Example({"text": "Rain.", "count": 2}, passes="Rain.\n******\nrain.", fails="Rain.\n******\nRain.\n******"),
        Example({"text": "下雨。", "count": 2}, passes="下雨。******下雨。", fails="下雨。下雨。", language="zh"),
    )

    @model_validator(mode="after")
    def _separable(self) -> Copies:
        if self.separator.strip() in self.text:
            raise ValueError(f"the separator {self.separator!r} occurs in the text itself")
        return self

    def judge(self, text: Text, context: Context) -> Verdict:
        parts = text.raw.split(self.separator.strip())
        wanted = plain(self.text)
        wrong = sum(part.strip() == "" or plain(part) != wanted for part in parts[: self.count])
        evidence = f"{len(parts)} parts, {self.count} wanted; {wrong} of the first {self.count} differ from the text"
        return decide(len(parts) == self.count and not wrong, evidence)

    def reshape(self, text: str, language: str) -> str:
        return f" {self.separator.strip()} ".join([self.text.strip()] * self.count)


@register
class Span(Edited):
    """The answer is the span of a text from unit `start` to unit `end`, both included, the first unit being 0.

    Units are words divided by blanks, or characters. A span that runs over the end stops there.
    """

    type: Literal["copying:span"] = "copying:span"
    text: NonBlank
    unit: Literal["words", "characters"]
    start: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
    end: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]

    phrases: ClassVar = {
        "en": (
            "Copy only the {unit} of the following text from index {start} to index {end}, both included; the first has"
            ' index 0{rule}: "{text}"',
            'Write only the {unit} number {start} to {end} (inclusive, counted from 0{rule}) of this text: "{text}"',
        ),
        "zh": ("只抄写下面内容中第{start}到第{end}个{unit}（含两端，从0数起{rule}）：“{text}”",),
    }
    notes: ClassVar = {"en": "{unit} {start} to {end}", "zh": "第{start}到{end}个{unit}"}
    examples: ClassVar = (
        Example(
            {"text": "An owl saw a fox.", "unit": "words", "start": 1, "end": 2}, passes="owl saw", fails="owl saw a"
        ),
        Example(
            {"text": "春天的花园", "unit": "characters", "start": 2, "end": 4},
            passes="的花园",
            fails="花园",
            language="zh",
        ),
    )

    @model_validator(mode="after")
    def _not_empty(self) -> Span:
        if self.start > self.end or not Text(self.span).has_words:
            raise ValueError(f"the span from {self.start} to {self.end} holds no word of the text")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        text = passage(rng, language)
        unit = "characters" if language == "zh" else rng.choice(("words", "characters"))
        size = len(text.split()) if unit == "words" else len(text)
        start = rng.randint(0, size - 4)
        return {"text": text, "unit": unit, "start": start, "end": rng.randint(start + 2, size - 1)}

    @property
    def span(self) -> str:
        """The text to be written."""
        if self.unit == "words":
            return " ".join(self.text.split()[self.start : self.end + 1])
        return self.text[self.start : self.end + 1].strip()

    def slots(self, language: str) -> dict[str, Any]:
        names = {"words": "词", "characters": "字符"}
        rule = {"en": ", words being divided by blanks", "zh": "，按空格分词"}[language] if self.unit == "words" else ""
        shown = names[self.unit] if language == "zh" else self.unit
        return {"text": self.text, "unit": shown, "start": self.start, "end": self.end, "rule": rule}

    def judge(self, text: Text, context: Context) -> Verdict:
        said = " ".join(text.raw.split()) if self.unit == "words" else text.raw
        return decide(plain(said) == plain(self.span), f"wrote {text.stripped[:60]!r}, wanted {self.span[:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return self.span


@register
class ChangeFirstWord(Edited):
    """The answer is the given text with another first word, all other words as they are (any case).

    Words are divided by blanks; in Chinese without blanks the first word has one to four characters.
    """

    type: Literal["copying:change_first_word"] = "copying:change_first_word"
    text: NonBlank

    phrases: ClassVar = {
        "en": (
            'Repeat this text with its first word replaced by another word and nothing else changed: "{text}"',
            'Write only this text again, but change its first word: "{text}"',
        ),
        "zh": ("重复下面的内容，只把第一个词换成别的词，其余不变，不要写别的：“{text}”",),
    }
    notes: ClassVar = {"en": "copy with another first word", "zh": "换掉第一个词"}
    examples: ClassVar = (
        Example({"text": "Write a poem."}, passes="Compose a poem.", fails="Write a poem."),
        Example({"text": "写一首诗。"}, passes="念一首诗。", fails="写一首歌。", language="zh"),
    )

    @model_validator(mode="after")
    def _several_words(self) -> ChangeFirstWord:
        words = self.text.split()
        if len(words) < 2 and not _is_glued(words):
            raise ValueError("the text is a single word, so nothing of it would be repeated")
        return self

    def judge(self, text: Text, context: Context) -> Verdict:
        wanted, said = plain(self.text).split(), plain(text.raw).split()
        if _is_glued(wanted):
            return decide(self._starts_otherwise(wanted, said), f"wrote {text.stripped[:80]!r}")
        changed = word_key(said[0]) != word_key(wanted[0]) and Text(said[0]).has_words
        return decide(changed and said[1:] == wanted[1:], f"wrote {text.stripped[:80]!r}")

    def _starts_otherwise(self, wanted: list[str], said: list[str]) -> bool:
        old, new = wanted[0], said[0]
        if said[1:] != wanted[1:] or old.endswith(new):
            return False
        return any(self._is_tail(old, new, size) for size in range(1, min(5, len(old))))

    def _is_tail(self, old: str, new: str, size: int) -> bool:
        """Tell whether the texts differ in a first word only, which has `size` characters in the old one."""
        tail = old[size:]
        head = new.removesuffix(tail)
        differs = head[:1] != old[:1] or size == len(head) == 2
        return Text(tail).has_words and 0 < len(head) <= 12 and differs and head != old[:size] and new == head + tail

    def reshape(self, text: str, language: str) -> str:
        words = self.text.split()
        others = WORDS["zh" if is_han(words[0]) else "en"]
        first = next(word for word in others if word_key(word) not in word_key(words[0]))
        kept = words[0][1:] if _is_glued(words) else ""
        return " ".join([first[:1].upper() + first[1:] + kept, *words[1:]])


def _is_glued(words: list[str]) -> bool:
    """Tell whether the first word is the start of a run of Chinese words without blanks."""
    return is_han(words[0]) and len(words[0]) > (1 if len(words) == 1 else 4)
