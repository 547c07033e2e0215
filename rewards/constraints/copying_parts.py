"""Copying parts of a text: word for word, with small changes, as a quotation, or not at all."""

from __future__ import annotations

import re
import unicodedata
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from rewards.arguments import Count, Draw, Keyword, NonBlank
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.copying import passage
from rewards.constraints.editing import Edited, glue, put_after
from rewards.constraints.matching import decide, is_han, keys_of, word_keys
from rewards.constraints.shaping import words_needed
from rewards.filler import SENTENCES, WORDS
from rewards.text import Text

_QUOTED = re.compile(r"“([^“”]+)”|「([^「」]+)」|«([^«»]+)»|\"([^\"]+)\"")
_RUN = re.compile(r"\S+")
Passage = Annotated[NonBlank, Draw(passage)]
Run = Annotated[int, Field(ge=2, le=50, strict=True), Draw.range(3, 5)]


def _long_phrase(phrase: str) -> str:
    if len(keys_of(phrase)) < 3:
        raise ValueError("the phrase needs three words or more: the first and the last one stay as they are")
    return phrase


def _phrase(rng: Random, language: str) -> str:
    return rng.choice(SENTENCES[language]).rstrip(".。")


@register
class NearRepeats(Edited):
    """The phrase stands `count` times with exactly one inner word replaced each time, and never unchanged.

    In Chinese one to four characters in a row are one word. The first and the last word stay.
    """

    type: Literal["copying:near_repeats"] = "copying:near_repeats"
    phrase: Annotated[Keyword, AfterValidator(_long_phrase), Draw(_phrase)]
    count: Annotated[Count, Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            'Repeat the phrase "{phrase}" exactly {count} time{s}, each time with exactly one word in the middle of it'
            " replaced by another word.",
            'Write "{phrase}" {count} time{s}, changing one inner word every time.',
        ),
        "zh": ("把“{phrase}”重复恰好{count}次，每次只把中间的一个词换成别的词（首尾不变）。",),
    }
    notes: ClassVar = {"en": "{count} variants of the phrase", "zh": "{count}个变体"}
    examples: ClassVar = (
        Example(
            {"phrase": "the old owl slept", "count": 2},
            passes="The old fox slept. The young owl slept.",
            fails="The old owl slept. The young owl slept.",
        ),
        Example(
            {"phrase": "今天天气真好", "count": 2},
            passes="今天心情真好。今天天气很好。",
            fails="今天天气真好。",
            language="zh",
        ),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        units = _units(self.phrase)
        kept, changed = _variants(text, units)
        evidence = f"{changed} times with one word changed, {kept} times unchanged; wanted {self.count} and 0"
        return decide(changed == self.count and not kept, evidence)

    def reshape(self, text: str, language: str) -> str:
        han = is_han(self.phrase)
        parts = list(Text(self.phrase).words)
        others = [word for word in WORDS["zh" if han else "en"] if word not in self.phrase]
        made = [[*parts[:1], others[number % len(others)], *parts[2:]] for number in range(self.count)]
        said = "".join("".join(each) + "。" if han else " ".join(each) + ". " for each in made)
        return self.first_accepted([put_after(text, said.strip(), language), said.strip()])


def _units(phrase: str) -> list[tuple[str, ...]]:
    """Return the words of a phrase, each a tuple of words: Chinese ones between blanks hold several."""
    chunks = _RUN.findall(phrase)
    if is_han(phrase) and len(chunks) >= 3:
        return [keys for chunk in chunks if (keys := keys_of(chunk))]
    return [(key,) for key in keys_of(phrase)]


def _variants(text: Text, units: list[tuple[str, ...]]) -> tuple[int, int]:
    """Count where the phrase stands unchanged, and where it stands with one inner word replaced, line by line."""
    kept = changed = 0
    for line in text.filled_lines:
        words, at = word_keys(Text(line)) if units[0][0] in line.casefold().replace("’", "'") else [], 0
        while at < len(words):
            size, is_kept = _variant_at(words, at, units)
            kept, changed = kept + (size > 0 and is_kept), changed + (size > 0 and not is_kept)
            at += size or 1
    return kept, changed


def _variant_at(words: list[str], at: int, units: list[tuple[str, ...]]) -> tuple[int, bool]:
    """Return how many words the phrase or a variant of it takes at a place (0: neither stands there)."""
    flat = [word for unit in units for word in unit]
    if words[at : at + 1] != flat[:1]:
        return 0, False
    if words[at : at + len(flat)] == flat:
        return len(flat), True
    han = len(flat) > len(units) or is_han("".join(flat))
    same = next((n for n, word in enumerate(flat) if words[at + n : at + n + 1] != [word]), len(flat))
    for first in range(len(units[0]), same + 1):
        for removed in range(1, 5 if han else 2):
            tail = flat[first + removed :]
            if not tail:
                break
            for added in range(1, 5 if han else 2):
                begin = at + first + added
                if words[begin : begin + len(tail)] == tail:
                    return begin + len(tail) - at, False
    return 0, False


@register
class Include(Edited):
    """The given text stands somewhere in the answer, mark for mark and in the same case; blanks may differ."""

    type: Literal["copying:include"] = "copying:include"
    text: NonBlank

    phrases: ClassVar = {
        "en": (
            'Include this text exactly as it is, with its marks and capitals, somewhere in your answer: "{text}"',
            'Somewhere in your answer, copy this without any change: "{text}"',
        ),
        "zh": ("在回答中原样写出这段内容（标点也不变）：“{text}”",),
    }
    notes: ClassVar = {"en": "include the text as it is", "zh": "原样包含原文"}
    examples: ClassVar = (
        Example({"text": "To be, or not."}, passes="He said: To be, or\nnot. Yes.", fails="He said: to be or not."),
        Example({"text": "春眠不觉晓"}, passes="诗说：春眠不觉晓。", fails="诗说：春眠不知晓。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        said, wanted = (" ".join(unicodedata.normalize("NFC", each).split()) for each in (text.raw, self.text))
        return decide(wanted in said, f"{'found' if wanted in said else 'did not find'} {wanted[:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return glue(self.text.strip(), text, language)


def _grams(words: list[str], size: int) -> set[tuple[str, ...]]:
    return set(zip(*(words[offset:] for offset in range(size)), strict=False))


class _Reference(Edited):
    """A constraint on runs of words of a reference text."""

    reference: Passage
    words: Run

    @model_validator(mode="after")
    def _long_enough(self) -> _Reference:
        if len(keys_of(self.reference)) < self.words:
            raise ValueError(f"the reference has fewer than {self.words} words")
        return self


@register
class NoCopy(_Reference):
    """No `words` words in a row are those of the reference text (case and marks aside)."""

    type: Literal["copying:no_copy"] = "copying:no_copy"

    phrases: ClassVar = {
        "en": (
            "Use your own words: never copy {words} or more words in a row (a Chinese character is a word) from this"
            ' text: "{reference}"',
            'Do not repeat {words} consecutive words of this text: "{reference}"',
        ),
        "zh": ("用自己的话写，不得连续照抄下文的{words}个字：“{reference}”",),
    }
    notes: ClassVar = {"en": "no {words} words copied", "zh": "不连抄{words}字"}
    examples: ClassVar = (
        Example(
            {"reference": "An owl saw a red fox.", "words": 3},
            passes="The fox was seen by an owl.",
            fails="I know an owl saw it.",
        ),
        Example(
            {"reference": "春天的花园很美", "words": 4}, passes="花园在春天很美", fails="春天的花开了", language="zh"
        ),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        shared = _grams(word_keys(text), self.words) & _grams(list(keys_of(self.reference)), self.words)
        shown = f", such as {' '.join(min(shared))[:60]!r}" if shared else ""
        return decide(not shared, f"{len(shared)} runs of {self.words} words are copied{shown}")

    def reshape(self, text: str, language: str) -> str:
        kept = [sentence for sentence in Text(text).sentences if self.accepts(sentence)]
        free = [sentence for sentence in SENTENCES[language] if self.accepts(sentence)]
        return (" " if language == "en" else "").join(kept) or next(iter(free), WORDS[language][0])


@register
class QuoteFrom(_Reference):
    """One passage in quotation marks holds at least `words` words and stands in the reference word for word."""

    type: Literal["copying:quote_from"] = "copying:quote_from"

    phrases: ClassVar = {
        "en": (
            "Quote at least {words} words in a row from this text, word for word and in double quotation marks:"
            ' "{reference}"',
            'Include a literal quotation of {words} or more words, in double quotation marks, from: "{reference}"',
        ),
        "zh": ("从下文中一字不差地引用至少连续{words}个字，并加双引号：“{reference}”",),
    }
    notes: ClassVar = {"en": "quote {words} words", "zh": "引用{words}个字"}
    examples: ClassVar = (
        Example(
            {"reference": "An owl saw a red fox.", "words": 3},
            passes='It says "saw a red fox" there.',
            fails="It says that it saw a red fox.",
        ),
        Example(
            {"reference": "春天的花园很美", "words": 3},
            passes="文中说“花园很美”。",
            fails="文中说“花很美”。",
            language="zh",
        ),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        source = f" {' '.join(keys_of(self.reference))} "
        quotes = dict.fromkeys("".join(groups) for groups in _QUOTED.findall(text.raw))
        met = next((quote for quote in quotes if self._is_from(quote, source)), None)
        return decide(
            met is not None, f"quotes {met[:60]!r}" if met else f"{len(quotes)} quotations, none from the text"
        )

    def _is_from(self, quote: str, source: str) -> bool:
        keys = word_keys(Text(quote[: len(source) * 2])) if len(quote) >= self.words else []
        return len(keys) >= self.words and f" {' '.join(keys)} " in source

    def reshape(self, text: str, language: str) -> str:
        parts = Text(self.reference).words[: self.words]
        said = {"en": 'It says: "{}".', "zh": "文中说：“{}”。"}[language]
        return glue(said.format(("" if language == "zh" else " ").join(parts)), text, language)
