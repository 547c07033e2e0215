"""Where keywords stand: in which sentence or paragraph, and as which word.

Words and sentences are those of `rewards.text`: punctuation is no word, a contraction is one, every Han character is
one. A keyword of several words begins at its place, or ends there where the place is counted from the end.
"""

from __future__ import annotations

from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from rewards.arguments import Draw, Keyword, Position
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue, lead, mention, put_after, put_before, spelled
from rewards.constraints.matching import (
    decide,
    item_at,
    keys_of,
    occurs_in,
    place,
    said_sentences,
    sentence_at,
    stands_at,
)
from rewards.constraints.shaping import words_needed
from rewards.filler import WORDS, sentences
from rewards.sentences import split_sentences
from rewards.text import Text, part_spans

_STOP = {"en": ".", "zh": "。"}


def _counted(position: int, keyword: str, language: str) -> list[str]:
    """Return the words of a sentence in which the keyword stands at a place."""
    others = lead(abs(position) - 1, language, keyword)
    return [*others, keyword] if position > 0 else [keyword, *others]


def _spot(word: int, language: str) -> str:
    """Say as which word a keyword stands; in Chinese, from which character or up to which one."""
    if language == "en":
        return place("word", word, "en")
    counted = place("个字", word, "zh")
    return f"从{counted}开始" if word > 0 else f"到{counted}结束"


class _Placed(Edited):
    """A constraint on one keyword in one sentence."""

    keyword: Keyword
    sentence: Position

    def _with_sentence(self, text: str, said: str, language: str) -> str:
        """Put a sentence at its place: before the text with fillers before it, or after it with fillers behind."""
        others = sentences(language, abs(self.sentence) - 1)
        for sentence in [said, *reversed(others)] if self.sentence > 0 else [said, *others]:
            text = glue(sentence, text, language) if self.sentence > 0 else put_after(text, sentence, language)
        return text


@register
class InSentence(_Placed):
    """The n-th sentence holds the keyword."""

    type: Literal["keywords:in_sentence"] = "keywords:in_sentence"

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" in {place}; count every sentence, headings included.',
            'The word "{keyword}" must appear in {place} of your answer.',
        ),
        "zh": ("“{keyword}”必须出现在{place}话里。", "请在{place}话中使用“{keyword}”。"),
    }
    notes: ClassVar = {"en": '"{keyword}" in {place}', "zh": "{place}有“{keyword}”"}
    examples: ClassVar = (
        Example(
            {"keyword": "owl", "sentence": 2}, passes="It is dark. An owl calls.", fails="An owl calls. It is dark."
        ),
        Example({"keyword": "花", "sentence": -1}, passes="天晴了。花开了。", fails="花开了。天晴了。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {
            "keyword": self.keyword,
            "place": place("sentence" if language == "en" else "句", self.sentence, language),
        }

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        sentence = sentence_at(text, self.sentence)
        if sentence is None:
            return decide(False, f"{len(said_sentences(text))} sentences, no {self.slots('en')['place']}")
        return decide(occurs_in(sentence, self.keyword), f"{self.slots('en')['place']} is {sentence[:80]!r}")

    def reshape(self, text: str, language: str) -> str:
        return self._with_sentence(text, mention([self.keyword], language), language)


@register
class AtPosition(_Placed):
    """The keyword is the m-th word of the n-th sentence."""

    type: Literal["keywords:at_position"] = "keywords:at_position"
    word: Annotated[Position, Draw.choice(1, 2, 3, 4, 5, -1, -2)]

    phrases: ClassVar = {
        "en": (
            'Make "{keyword}" {word} of {place}; punctuation marks do not count as words.',
            'In {place} of your answer, {word} must be "{keyword}".',
        ),
        "zh": ("在{place}话里，“{keyword}”必须{word}（标点不算）。",),
    }
    notes: ClassVar = {"en": '"{keyword}" as {word} of {place}', "zh": "{place}里“{keyword}”{word}"}
    examples: ClassVar = (
        Example(
            {"keyword": "owl", "sentence": 2, "word": 3},
            passes="It's dark. Well, an owl called.",
            fails="It's dark. An owl called.",
        ),
        Example({"keyword": "花", "sentence": 1, "word": 2}, passes="桃花开了。", fails="花开了。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        sentence = place("sentence" if language == "en" else "句", self.sentence, language)
        return {"keyword": self.keyword, "place": sentence, "word": _spot(self.word, language)}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        sentence = sentence_at(text, self.sentence)
        slots = self.slots("en")
        if sentence is None:
            return decide(False, f"{len(said_sentences(text))} sentences, no {slots['place']}")
        words = Text(sentence).words
        real = item_at(words, self.word)
        met = stands_at(words, self.keyword, self.word)
        return decide(
            met, f"{slots['word']} of {slots['place']} is {real[:40] if real else real!r}, {len(words)} words"
        )

    def reshape(self, text: str, language: str) -> str:
        words = _counted(self.word, self.keyword, language)
        return self._with_sentence(text, spelled(words, language) + _STOP[language], language)


@register
class WordAt(Edited):
    """The keyword is the n-th word of the answer."""

    type: Literal["keywords:word_at"] = "keywords:word_at"
    keyword: Keyword
    word: Annotated[Position, Draw.choice(2, 3, 4, 5, -2, -3)]

    phrases: ClassVar = {
        "en": (
            'Make "{keyword}" {word} of your answer; punctuation marks do not count as words.',
            'The answer must have "{keyword}" as {word}.',
        ),
        "zh": ("回答里的“{keyword}”必须{word}（标点不算）。",),
    }
    notes: ClassVar = {"en": '{word} is "{keyword}"', "zh": "“{keyword}”{word}"}
    examples: ClassVar = (
        Example({"keyword": "owl", "word": 2}, passes="An owl, it seems.", fails="Owl, an owl."),
        Example({"keyword": "花", "word": -2}, passes="这里有花吗？", fails="这里有花。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"keyword": self.keyword, "word": _spot(self.word, language)}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        real = item_at(text.words, self.word)
        met = stands_at(text.words, self.keyword, self.word)
        return decide(met, f"{self.slots('en')['word']} of {len(text.words)} is {real[:40] if real else real!r}")

    def reshape(self, text: str, language: str) -> str:
        said = spelled(_counted(self.word, self.keyword, language), language) + _STOP[language]
        return glue(said, text, language) if self.word > 0 else put_after(text, said, language)


@register
class InEverySentence(Edited):
    """Every sentence holds the keyword."""

    type: Literal["keywords:in_every_sentence"] = "keywords:in_every_sentence"
    keyword: Keyword

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" in every sentence; a heading or list item counts as a sentence.',
            'Each sentence must contain "{keyword}".',
        ),
        "zh": ("每句话都必须出现“{keyword}”。", "请在每个句子里使用“{keyword}”。"),
    }
    notes: ClassVar = {"en": '"{keyword}" in every sentence', "zh": "每句都有“{keyword}”"}
    examples: ClassVar = (
        Example({"keyword": "owl"}, passes="An owl calls. I hear the owl.", fails="An owl calls. I hear it."),
        Example({"keyword": "花"}, passes="花开了。我看花。", fails="花开了。我看它。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = said_sentences(text)
        without = next((sentence for sentence in dict.fromkeys(found) if not occurs_in(sentence, self.keyword)), None)
        if without is not None or not found:
            return decide(False, f"not in {without[:80]!r}" if without else "no sentence")
        return decide(True, f"in each of {len(found)} sentences")

    def reshape(self, text: str, language: str) -> str:
        mark = {"en": "With {}: {}", "zh": "说到{}，{}"}[language]
        for sentence in split_sentences(text):
            if not occurs_in(sentence, self.keyword):
                text = text.replace(sentence, mark.format(self.keyword, sentence), 1)
        return text if self.accepts(text) else mention([self.keyword], language)


@register
class InEveryParagraph(Edited):
    """Every paragraph (a block between blank lines) holds the keyword."""

    type: Literal["keywords:in_every_paragraph"] = "keywords:in_every_paragraph"
    keyword: Keyword

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" in every paragraph; paragraphs are divided by blank lines.',
            'Each paragraph must contain "{keyword}".',
        ),
        "zh": ("每一段（段与段之间空一行）都必须出现“{keyword}”。",),
    }
    notes: ClassVar = {"en": '"{keyword}" in every paragraph', "zh": "每段都有“{keyword}”"}
    examples: ClassVar = (
        Example({"keyword": "owl"}, passes="An owl.\n\nThe owl calls.", fails="An owl.\n\nIt calls."),
        Example({"keyword": "花"}, passes="花开了。\n\n看花。", fails="花开了。\n\n好看。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = text.paragraphs
        without = next((block for block in found if not occurs_in(block, self.keyword)), None)
        if without is not None:
            return decide(False, f"not in the paragraph {without[:80]!r}")
        return decide(bool(found), f"in each of {len(found)} paragraphs")

    def reshape(self, text: str, language: str) -> str:
        said = mention([self.keyword], language)
        for begin, end in reversed(part_spans(text, "paragraph")):
            if not occurs_in(text[begin:end], self.keyword):
                text = text[:begin] + put_before(text[begin:end].strip(), said, language) + text[end:]
        return text


@register
class ParagraphFirstWord(Edited):
    """There are exactly `count` paragraphs (blocks between blank lines), and the n-th starts with the keyword."""

    type: Literal["keywords:paragraph_first_word"] = "keywords:paragraph_first_word"
    keyword: Keyword
    paragraph: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    count: Annotated[int, Field(ge=1, le=10_000, strict=True)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} paragraph{s}, divided by blank lines; paragraph {paragraph} must start with the word"
            ' "{keyword}".',
            'Use {count} paragraph{s} divided by blank lines, and start paragraph {paragraph} with "{keyword}".',
        ),
        "zh": ("写恰好{count}段，段与段之间空一行；第{paragraph}段以“{keyword}”开头。",),
    }
    notes: ClassVar = {
        "en": '{count} paragraph{s}, number {paragraph} starts with "{keyword}"',
        "zh": "共{count}段，第{paragraph}段以“{keyword}”开头",
    }
    examples: ClassVar = (
        Example(
            {"keyword": "then", "paragraph": 2, "count": 2},
            passes="It rained.\n\n**Then** it stopped.",
            fails="Then it rained.\n\nIt stopped.",
        ),
        Example(
            {"keyword": "后来", "paragraph": 2, "count": 2},
            passes="下雨了。\n\n后来停了。",
            fails="下雨了。后来停了。",
            language="zh",
        ),
    )

    @model_validator(mode="after")
    def _exists(self) -> ParagraphFirstWord:
        if self.paragraph > self.count:
            raise ValueError(f"there is no paragraph {self.paragraph} among {self.count}")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        count = rng.randint(2, 5)
        return {"keyword": rng.choice(WORDS[language]), "paragraph": rng.randint(1, count), "count": count}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = text.paragraphs
        if len(found) != self.count:
            return decide(False, f"{len(found)} paragraphs, wanted {self.count}")
        words = Text(found[self.paragraph - 1][: 40 + 4 * len(self.keyword)]).words
        start = " ".join(words[: len(keys_of(self.keyword))])
        return decide(stands_at(words, self.keyword, 1), f"paragraph {self.paragraph} starts with {start[:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        others = sentences(language, self.count - 1)
        blocks = [*others, " ".join(text.split("\n")).strip()]
        opening = {"en": f"{spelled([self.keyword], 'en')}: ", "zh": f"{self.keyword}，"}[language]
        blocks[self.paragraph - 1] = opening + blocks[self.paragraph - 1]
        return "\n\n".join(blocks)
