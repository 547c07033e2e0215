"""How many paragraphs the answer has, and what each of them holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from rewards.arguments import Count, Draw, Limit
from rewards.clauses import sentence
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.resizing import parted, with_paragraphs, with_sentences, with_words
from rewards.constraints.shaping import (
    Shaped,
    at_least,
    at_most,
    exactly,
    joined,
    last_words,
    pieces,
    viewed,
    word_count,
    words_needed,
)
from rewards.text import Text
from rewards.wordforms import sentence_words

Separator = Annotated[Literal["blank_line", "stars"], Draw.choice("blank_line", "stars")]

# Stars with blanks on both sides or on none: those of `***bold italics***` have one on a single side.
_STARS = r"\*\*\*(?:(?<!\S\*{3})(?!\S)|(?<=[^\s*]\*{3})(?=[^\s*]))"
_DIVIDERS = {"stars": re.compile(_STARS), "any": re.compile(rf"(?<!\S)\* \* \*(?!\S)|{_STARS}")}
_SAYS = re.compile(r"[^\W_]")
_HOW = {
    "en": {"blank_line": "separated by blank lines", "stars": "separated by the markdown divider ***"},
    "zh": {"blank_line": "段落之间用空行隔开", "stars": "段落之间用分隔线“***”隔开"},
}


def divided(text: Text, style: str) -> list[str]:
    """Return what stands between dividers, stripped; blank ends are left out, blank parts between dividers are kept.

    Example:
        >>> divided(Text("***\\nOne.\\n***\\nTwo."), "stars")
        ['One.', 'Two.']
    """
    divided = "***" in text.raw or (style == "any" and "* * *" in text.raw)
    parts = [part.strip() for part in (_DIVIDERS[style].split(text.raw) if divided else [text.raw])]
    ends = slice(0 if _SAYS.search(parts[0]) else 1, None if _SAYS.search(parts[-1]) else -1)
    return parts[ends]


def in_groups(items: list[str], groups: int) -> list[list[str]]:
    """Divide a list into runs of nearly equal length."""
    bounds = [index * len(items) // groups for index in range(groups + 1)]
    return [items[bounds[i] : bounds[i + 1]] for i in range(groups)]


def in_paragraphs(text: str, count: int, language: str, border: str = "\n\n") -> str:
    """Return the sentences of a text in `count` paragraphs, with neutral sentences before them where there are few."""
    found = pieces(text)
    fill = [sentence(language, 5 + turn % 4, turn) for turn in range(count - len(found))]
    return border.join(joined(group, language) for group in in_groups([*fill, *found], count))


@register
class MinParagraphs(Shaped):
    """At least `limit` paragraphs, which are the blocks between blank lines."""

    type: Literal["length:min_paragraphs"] = "length:min_paragraphs"
    limit: Annotated[Limit, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Write at least {limit} paragraph{s}, separated by blank lines.",
            "Your answer needs {limit} or more paragraphs with a blank line between them.",
        ),
        "zh": ("至少写{limit}段，段落之间用空行隔开。",),
    }
    notes: ClassVar = {"en": "at least {limit} paragraph{s}", "zh": "至少{limit}段"}
    examples: ClassVar = (
        Example({"limit": 2}, passes="One.\n\nTwo.", fails="One.\nTwo."),
        Example({"limit": 2}, passes="第一段。\n\n第二段。", fails="第一段。\n第二段。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(len(text.paragraphs), self.limit, "paragraphs")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        missing = self.limit - len(viewed(text).paragraphs)
        extra = (sentence(language, 5 + turn % 4, turn) for turn in range(missing))
        yield "\n\n".join([text.strip(), *extra])
        yield in_paragraphs(text, self.limit, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        yield from with_paragraphs(text, self.limit - len(viewed(text).paragraphs))


@register
class MaxParagraphs(Shaped):
    """At most `limit` paragraphs, which are the blocks between blank lines."""

    type: Literal["length:max_paragraphs"] = "length:max_paragraphs"
    limit: Annotated[Limit, Draw.range(1, 5)]

    phrases: ClassVar = {
        "en": (
            "Write at most {limit} paragraph{s}, separated by blank lines.",
            "Use no more than {limit} paragraph{s}; a blank line begins a new one.",
        ),
        "zh": ("最多写{limit}段，空行表示另起一段。",),
    }
    notes: ClassVar = {"en": "at most {limit} paragraph{s}", "zh": "最多{limit}段"}
    examples: ClassVar = (
        Example({"limit": 1}, passes="One.\nTwo.", fails="One.\n\nTwo."),
        Example({"limit": 1}, passes="第一段。\n还是第一段。", fails="第一段。\n\n第二段。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(len(text.paragraphs), self.limit, "paragraphs")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        blocks = list(viewed(text).paragraphs)
        surplus = len(blocks) - self.limit
        yield "\n\n".join(["\n".join(blocks[: surplus + 1]), *blocks[surplus + 1 :]])


@register
class ExactParagraphs(Shaped):
    """Exactly `count` paragraphs, separated by blank lines or by the divider `***`."""

    type: Literal["length:paragraphs"] = "length:paragraphs"
    count: Annotated[Count, Draw.range(2, 6)]
    separator: Separator = "blank_line"

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} paragraph{s}, {how}.",
            "Your answer must consist of {count} paragraph{s}, no more and no fewer, {how}.",
        ),
        "zh": ("恰好写{count}段，{how}。",),
    }
    notes: ClassVar = {"en": "exactly {count} paragraph{s}", "zh": "恰好{count}段"}
    examples: ClassVar = (
        Example({"count": 2}, passes="One.\n\nTwo.", fails="One.\nTwo."),
        Example({"count": 2, "separator": "stars"}, passes="One.\n***\nTwo.", fails="One.\n\nTwo."),
        Example({"count": 2}, passes="第一段。\n\n第二段。", fails="第一段。\n第二段。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {**super().slots(language), "how": _HOW[language][self.separator]}

    def judge(self, text: Text, context: Context) -> Verdict:
        if self.separator == "blank_line":
            return exactly(len(text.paragraphs), self.count, "paragraphs")
        parts = divided(text, "stars")
        if not all(map(_SAYS.search, parts)):
            return verdict_if(False, "there is a blank paragraph between two dividers")
        return exactly(len(parts), self.count, "paragraphs between dividers")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        if self.separator == "blank_line":
            yield from self._adjusted(text, language)
            yield in_paragraphs(text, self.count, language)
        else:
            yield in_paragraphs(text.replace("*", ""), self.count, language, "\n***\n")

    def repairs(self, text: str, language: str) -> Iterator[str]:
        missing = self.count - len(viewed(text).paragraphs)
        if missing > 0 and self.separator == "blank_line":
            yield from with_paragraphs(text, missing)

    def _adjusted(self, text: str, language: str) -> Iterator[str]:
        blocks = list(viewed(text).paragraphs)
        surplus = len(blocks) - self.count
        if surplus > 0:
            yield "\n\n".join(["\n".join(blocks[: surplus + 1]), *blocks[surplus + 1 :]])
        yield "\n\n".join([*(sentence(language, 5 + turn % 4, turn) for turn in range(-surplus)), *blocks])


@register
class ParagraphSentences(Shaped):
    """Every paragraph, a block between blank lines, has exactly `count` sentences."""

    type: Literal["length:paragraph_sentences"] = "length:paragraph_sentences"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Every paragraph must have exactly {count} sentence{s}; blank lines separate paragraphs.",
            "Put exactly {count} sentence{s} into each paragraph (a block between blank lines).",
        ),
        "zh": ("每一段恰好{count}句话，段落之间用空行隔开。",),
    }
    notes: ClassVar = {"en": "{count} sentence{s} a paragraph", "zh": "每段{count}句"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Is it? Yes.\n\nIt is. Good.", fails="Is it? Yes.\n\nIt is."),
        Example({"count": 1}, passes="天晴了。\n\n出去吧。", fails="天晴了。出去吧。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        views = [text] if len(text.paragraphs) == 1 else map(Text, text.paragraphs)
        for number, paragraph in enumerate(views, 1):
            found = len(paragraph.sentences)
            if found != self.count:
                return exactly(found, self.count, f"sentences in paragraph {number}")
        return verdict_if(True, f"{self.count} sentences in each of {len(text.paragraphs)} paragraphs")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        found = pieces(text)
        fill = [sentence(language, 5 + turn % 4, turn) for turn in range(-len(found) % self.count)]
        every = [*fill, *found]
        groups = [every[begin : begin + self.count] for begin in range(0, len(every), self.count)]
        yield "\n\n".join(joined(group, language) for group in groups)
        yield joined(every[-self.count :], language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        blocks = ((part, self.count - len(viewed(part).sentences)) for part in viewed(text).paragraphs)
        yield "\n\n".join(with_sentences(part, change, language) if change else part for part, change in blocks)


@register
class MaxParagraphWords(Shaped):
    """No paragraph, a block between blank lines, has more than `limit` words."""

    type: Literal["length:max_paragraph_words"] = "length:max_paragraph_words"
    limit: Annotated[Limit, Draw.range(15, 80)]

    phrases: ClassVar = {
        "en": (
            "No paragraph may have more than {limit} word{s}; blank lines separate paragraphs.",
            "Keep each paragraph (a block between blank lines) at or under {limit} word{s}.",
        ),
        "zh": ("每一段最多{limit}个字，段落之间用空行隔开。",),
    }
    notes: ClassVar = {"en": "paragraphs of at most {limit} word{s}", "zh": "每段最多{limit}字"}
    examples: ClassVar = (
        Example({"limit": 3}, passes="It is so.\n\nIt was.", fails="It is so.\nIt was."),
        Example({"limit": 4}, passes="天气很好。\n\n出去吧。", fails="天气很好，出去吧。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        longest = max((len(Text(paragraph).words) for paragraph in text.paragraphs), default=0)
        return at_most(longest, self.limit, "words in the longest paragraph")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield "\n\n".join(pieces(text))
        yield from self.repairs(text, language)
        yield "\n\n".join(piece for piece in pieces(text) if word_count(piece) <= self.limit)
        yield last_words(text, self.limit)
        yield sentence(language, self.limit)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        blocks = viewed(text).paragraphs
        yield "\n\n".join(part for block in blocks for part in parted(block, self.limit))
        surplus = [min(0, self.limit - word_count(block)) for block in blocks]
        kept = zip(blocks, surplus, strict=True)
        yield "\n\n".join(with_words(block, change, language) if change else block for block, change in kept)


@register
class Composition(Shaped):
    """Paragraphs divided by `* * *`, each with as many sentences, each of them with as many words."""

    type: Literal["length:composition"] = "length:composition"
    paragraphs: Annotated[Count, Draw.range(2, 4)]
    sentences: Annotated[Count, Draw.range(1, 4)]
    words: Annotated[Count, Draw.range(3, 10)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {paragraphs} paragraphs divided by the markdown divider * * *, each with a sentence count of"
            " {sentences} and with exactly {words} words in every sentence.",
            "Compose {paragraphs} paragraphs with * * * between them, every one having {sentences} as its number of"
            " sentences and every sentence having {words} words.",
        ),
        "zh": ("写{paragraphs}段，段落之间用“* * *”隔开，每段恰好{sentences}句，每句恰好{words}个字（标点不算）。",),
    }
    notes: ClassVar = {
        "en": "{paragraphs} paragraphs of {sentences} sentences of {words} words",
        "zh": "{paragraphs}段，每段{sentences}句，每句{words}字",
    }
    examples: ClassVar = (
        Example(
            {"paragraphs": 2, "sentences": 1, "words": 2},
            passes="It rains.\n* * *\nWe stay.",
            fails="It rains.\n* * *\nWe stay home.",
        ),
        Example(
            {"paragraphs": 2, "sentences": 1, "words": 3},
            passes="下雨了。\n* * *\n回家吧。",
            fails="下雨了。\n\n回家吧。",
            language="zh",
        ),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        parts = divided(text, "any")
        if len(parts) != self.paragraphs:
            return exactly(len(parts), self.paragraphs, "paragraphs between dividers")
        for number, part in enumerate(parts, 1):
            lengths = [len(words) for words in sentence_words(Text(part))]
            if lengths != [self.words] * self.sentences:
                wanted = f"wanted {self.sentences} of {self.words} words"
                return verdict_if(False, f"paragraph {number} has sentences of {lengths[:12]} words, {wanted}")
        return verdict_if(True, f"{len(parts)} paragraphs of {self.sentences} sentences of {self.words} words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        kept = [piece for piece in pieces(text) if word_count(piece) == self.words]
        yield self._composed(kept[-self.paragraphs * self.sentences :], language)
        yield self._composed([], language)

    def _composed(self, kept: list[str], language: str) -> str:
        missing = self.paragraphs * self.sentences - len(kept)
        fill = [sentence(language, self.words, turn) for turn in range(missing)]
        groups = in_groups([*fill, *kept], self.paragraphs)
        return "\n* * *\n".join(joined(group, language) for group in groups)
