"""How many sentences and lines the answer has, and how long each of them is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from rewards.arguments import Count, Draw, Limit
from rewards.clauses import clause, sentence
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.resizing import longer, replaced, said, spots, with_lines, with_sentences
from rewards.constraints.shaping import (
    Shaped,
    at_least,
    at_most,
    chunks,
    closed,
    endings,
    exactly,
    grown,
    joined,
    last_words,
    pieces,
    shown,
    viewed,
    word_count,
    words_needed,
)
from rewards.sentences import split_sentences
from rewards.text import Text
from rewards.wordforms import sentence_words

_MARKS = ".。!！?？ "


@register
class MinSentences(Shaped):
    """At least `limit` sentences."""

    type: Literal["length:min_sentences"] = "length:min_sentences"
    limit: Annotated[Limit, Draw.range(3, 12)]

    phrases: ClassVar = {
        "en": (
            "Write at least {limit} sentence{s}; a line of its own counts as one.",
            "Your answer must have {limit} or more sentences (a line break ends one).",
        ),
        "zh": ("至少写{limit}句话（换行也算一句结束）。",),
    }
    notes: ClassVar = {"en": "at least {limit} sentence{s}", "zh": "至少{limit}句"}
    examples: ClassVar = (
        Example({"limit": 2}, passes="Dr. Lee came. He left.", fails="Dr. Lee paid $3.50."),
        Example({"limit": 2}, passes="天晴了。出去吧！", fails="天晴了，出去吧！", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(len(text.sentences), self.limit, "sentences")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from grown(text, language, self.limit)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_sentences(text, self.limit - len(viewed(text).sentences), language)


@register
class MaxSentences(Shaped):
    """At most `limit` sentences."""

    type: Literal["length:max_sentences"] = "length:max_sentences"
    limit: Annotated[Limit, Draw.range(1, 8)]

    phrases: ClassVar = {
        "en": (
            "Write at most {limit} sentence{s}; a line of its own counts as one.",
            "Use no more than {limit} sentence{s} (a line break ends one).",
        ),
        "zh": ("最多写{limit}句话（换行也算一句结束）。",),
    }
    notes: ClassVar = {"en": "at most {limit} sentence{s}", "zh": "最多{limit}句"}
    examples: ClassVar = (
        Example({"limit": 1}, passes="It is 3.14, e.g. here.", fails="It is. It was."),
        Example({"limit": 1}, passes="天晴了，出去吧！", fails="天晴了。出去吧！", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = text.sentences or split_sentences(text.raw)  # an answer that is nothing but code is no way out
        return at_most(len(found), self.limit, "sentences")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from endings(text)
        yield joined(pieces(text)[-self.limit :], language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_sentences(text, self.limit - len(viewed(text).sentences), language)


@register
class ExactSentences(Shaped):
    """Exactly `count` sentences."""

    type: Literal["length:sentences"] = "length:sentences"
    count: Annotated[Count, Draw.range(1, 9)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} sentence{s}; a line of its own counts as one.",
            "Your answer must consist of {count} sentence{s}, no more and no fewer (a line break ends one).",
        ),
        "zh": ("恰好写{count}句话（换行也算一句结束）。",),
    }
    notes: ClassVar = {"en": "exactly {count} sentence{s}", "zh": "恰好{count}句"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Is it? It is.", fails="It is."),
        Example({"count": 2}, passes="是吗？是的。", fails="是的。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return exactly(len(text.sentences), self.count, "sentences")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield from endings(text)
        yield joined(pieces(text)[-self.count :], language)
        yield from grown(text, language, self.count)
        yield joined([sentence(language, 5 + turn % 4, turn) for turn in range(self.count)], language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_sentences(text, self.count - len(viewed(text).sentences), language)


@register
class MaxSentenceWords(Shaped):
    """No sentence has more than `limit` words."""

    type: Literal["length:max_sentence_words"] = "length:max_sentence_words"
    limit: Annotated[Limit, Draw.range(6, 25)]

    phrases: ClassVar = {
        "en": (
            "No sentence may have more than {limit} word{s}.",
            "Keep every sentence at or under {limit} word{s}.",
        ),
        "zh": ("每句话最多{limit}个字（标点不算）。",),
    }
    notes: ClassVar = {"en": "sentences of at most {limit} word{s}", "zh": "每句最多{limit}字"}
    examples: ClassVar = (
        Example({"limit": 3}, passes="1. It is so. It was.", fails="It is. It was not so."),
        Example({"limit": 4}, passes="天气很好。出去吧。", fails="今天天气很好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        lengths = [len(words) for words in sentence_words(text)] or [len(text.words)]
        return at_most(max(lengths, default=0), self.limit, "words in the longest sentence")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield joined([part for piece in pieces(text) for part in self._cut(piece)], language)
        yield last_words(text, self.limit)
        yield sentence(language, self.limit)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        gap = " " if language == "en" else ""
        yield replaced(text, [(spot, gap.join(self._cut(said(text, spot)))) for spot in spots(text)])

    def _cut(self, piece: str) -> list[str]:
        """Divide a sentence that is too long into sentences of equal length."""
        parts, number = chunks(piece), word_count(piece)
        if number <= self.limit:
            return [piece]
        groups: list[str] = []
        group, held = "", 0
        for part in parts:
            words = word_count(part)
            if held + words > self.limit and held:
                groups, group, held = [*groups, group], "", 0
            group, held = group + part, held + words
        return [closed(_capital(cut.strip().rstrip(",，、"))) for cut in (*groups, group)]


@register
class MinSentenceWords(Shaped):
    """Every sentence has at least `limit` words."""

    type: Literal["length:min_sentence_words"] = "length:min_sentence_words"
    limit: Annotated[Limit, Draw.range(4, 15)]

    phrases: ClassVar = {
        "en": (
            "Every sentence must have at least {limit} word{s}.",
            "Do not write a sentence, or a line of its own, with fewer than {limit} word{s}.",
        ),
        "zh": ("每句话至少{limit}个字（标点不算，单独一行也算一句）。",),
    }
    notes: ClassVar = {"en": "sentences of at least {limit} word{s}", "zh": "每句至少{limit}字"}
    examples: ClassVar = (
        Example({"limit": 3}, passes="It is so. It was not so.", fails="It is. It was not so."),
        Example({"limit": 4}, passes="天气很好。我们出去。", fails="天晴。我们出去。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        lengths = [len(words) for words in sentence_words(text)]
        return at_least(min(lengths, default=0), self.limit, "words in the shortest sentence")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield joined([self._lengthen(piece, language) for piece in pieces(text)], language)
        long = [piece for piece in pieces(text) if word_count(piece) >= self.limit]
        yield joined(long, language)
        yield sentence(language, self.limit)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        short = ((spot, self.limit - word_count(said(text, spot))) for spot in spots(text))
        yield replaced(text, [(one, longer(said(text, one), few, language)) for one, few in short if few > 0])

    def _lengthen(self, piece: str, language: str) -> str:
        missing = self.limit - word_count(piece)
        if missing <= 0:
            return piece
        joint = "，" if language == "zh" else ", and "
        return closed(f"{piece.rstrip(_MARKS)}{joint}{clause(language, missing)}")


@register
class MinLines(Shaped):
    """At least `limit` lines that are not blank."""

    type: Literal["length:min_lines"] = "length:min_lines"
    limit: Annotated[Limit, Draw.range(2, 12)]

    phrases: ClassVar = {
        "en": (
            "Write at least {limit} line{s}, not counting blank ones.",
            "Spread your answer over {limit} or more lines that are not blank.",
        ),
        "zh": ("至少写{limit}行（空行不算）。",),
    }
    notes: ClassVar = {"en": "at least {limit} line{s}", "zh": "至少{limit}行"}
    examples: ClassVar = (
        Example({"limit": 2}, passes="One.\nTwo.", fails="One.\n\n"),
        Example({"limit": 2}, passes="第一行。\n\n第二行。", fails="第一行。第二行。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(len(text.filled_lines), self.limit, "lines")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield lengthened(text, self.limit, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_lines(text, self.limit - len(viewed(text).filled_lines), language)


@register
class MaxLines(Shaped):
    """At most `limit` lines that are not blank."""

    type: Literal["length:max_lines"] = "length:max_lines"
    limit: Annotated[Limit, Draw.range(1, 8)]

    phrases: ClassVar = {
        "en": (
            "Write at most {limit} line{s}, not counting blank ones.",
            "Your answer may take up no more than {limit} line{s}; blank lines are free.",
        ),
        "zh": ("最多写{limit}行（空行不算）。",),
    }
    notes: ClassVar = {"en": "at most {limit} line{s}", "zh": "最多{limit}行"}
    examples: ClassVar = (
        Example({"limit": 1}, passes="One. Two.\n\n", fails="One.\nTwo."),
        Example({"limit": 1}, passes="第一行。第二行。", fails="第一行。\n第二行。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(len(text.filled_lines), self.limit, "lines")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield shortened(text, self.limit, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_lines(text, self.limit - len(viewed(text).filled_lines), language)


@register
class ExactLines(Shaped):
    """Exactly `count` lines that are not blank."""

    type: Literal["length:lines"] = "length:lines"
    count: Annotated[Count, Draw.range(1, 9)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} line{s}, not counting blank ones.",
            "Lay out your answer on {count} line{s}, no more and no fewer; blank lines are free.",
        ),
        "zh": ("恰好写{count}行（空行不算）。",),
    }
    notes: ClassVar = {"en": "exactly {count} line{s}", "zh": "恰好{count}行"}
    examples: ClassVar = (
        Example({"count": 2}, passes="One.\n\nTwo.", fails="One.\nTwo.\nThree."),
        Example({"count": 2}, passes="春天。\n夏天。", fails="春天。夏天。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return exactly(len(text.filled_lines), self.count, "lines")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield lengthened(shortened(text, self.count, language), self.count, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield with_lines(text, self.count - len(viewed(text).filled_lines), language)


@register
class MaxLineCharacters(Shaped):
    """No line has more than `limit` characters, blanks at its ends left out."""

    type: Literal["length:max_line_characters"] = "length:max_line_characters"
    limit: Annotated[Limit, Draw.range(20, 80)]

    phrases: ClassVar = {
        "en": (
            "No line may be longer than {limit} character{s}, spaces included.",
            "Break lines so that none has more than {limit} character{s}.",
        ),
        "zh": ("每行最多{limit}个字符（含标点和空格）。",),
    }
    notes: ClassVar = {"en": "lines of at most {limit} character{s}", "zh": "每行最多{limit}个字符"}
    examples: ClassVar = (
        Example({"limit": 8}, passes="It is so\nand so.", fails="It is so and so."),
        Example({"limit": 5}, passes="天气很好，\n出去吧。", fails="天气很好，出去吧。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        longest = max(text.filled_lines, key=len, default="")
        return at_most(len(longest), self.limit, f"characters in the longest line ({shown([longest])})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        lines = [textwrap.wrap(line, self.limit, break_on_hyphens=False) or [""] for line in text.split("\n")]
        yield "\n".join(part for parts in lines for part in parts)
        yield text.split()[-1][-self.limit :]


def lengthened(text: str, count: int, language: str) -> str:
    """Return the text with neutral lines after it until there are `count`."""
    missing = range(count - len(viewed(text).filled_lines))
    return "\n".join([text.rstrip("\n"), *(sentence(language, 5 + turn % 4, turn) for turn in missing)])


def shortened(text: str, count: int, language: str) -> str:
    """Return the text with its first lines joined so that at most `count` are left."""
    lines = list(viewed(text).filled_lines)
    surplus = len(lines) - count
    return text if surplus <= 0 else "\n".join([joined(lines[: surplus + 1], language), *lines[surplus + 1 :]])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
