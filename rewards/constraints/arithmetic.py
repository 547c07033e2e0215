"""Arithmetic on the number of words: the whole answer and each sentence."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Draw
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue, lead, put_after, spelled
from rewards.constraints.matching import decide, said_sentences
from rewards.constraints.shaping import closed, words_needed
from rewards.sentences import split_sentences
from rewards.text import Text

Divisor = Annotated[int, Field(ge=2, le=1000, strict=True), Draw.range(2, 7)]
_STOP = {"en": ".", "zh": "。"}


@register
class WordsMultiple(Edited):
    """The number of words is a multiple of `divisor`."""

    type: Literal["arithmetic:words_multiple"] = "arithmetic:words_multiple"
    divisor: Divisor

    phrases: ClassVar = {
        "en": (
            "The number of words of your answer must be divisible by {divisor}; a contraction is one word.",
            "Use a number of words that is a multiple of {divisor}.",
        ),
        "zh": ("回答的总字数必须是{divisor}的倍数（标点不算）。",),
    }
    notes: ClassVar = {"en": "words divisible by {divisor}", "zh": "字数是{divisor}的倍数"}
    examples: ClassVar = (
        Example({"divisor": 3}, passes="It's quite clear.", fails="It is quite clear."),
        Example({"divisor": 4}, passes="很好懂吧？", fails="很好懂。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(text.words)
        return decide(
            found % self.divisor == 0, f"{found} words, {found % self.divisor} more than a multiple of {self.divisor}"
        )

    def reshape(self, text: str, language: str) -> str:
        missing = -len(Text(text).words) % self.divisor
        return put_after(text, spelled(lead(missing, language), language) + _STOP[language], language)


@register
class SentenceWordsMultiple(Edited):
    """Every sentence has a number of words that is a multiple of `divisor`."""

    type: Literal["arithmetic:sentence_words_multiple"] = "arithmetic:sentence_words_multiple"
    divisor: Annotated[int, Field(ge=2, le=1000, strict=True), Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            "The number of words of every sentence must be divisible by {divisor}; a heading or list item counts as a"
            " sentence.",
            "Write sentences whose word counts are all multiples of {divisor}.",
        ),
        "zh": ("每句话的字数都必须是{divisor}的倍数（标点不算）。",),
    }
    notes: ClassVar = {"en": "sentence lengths divisible by {divisor}", "zh": "每句字数是{divisor}的倍数"}
    examples: ClassVar = (
        Example({"divisor": 2}, passes="It rains. Take an umbrella along.", fails="It rains. Take an umbrella."),
        Example({"divisor": 2}, passes="下雨了吗？没有。", fails="下雨了。没有。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = said_sentences(text)
        odd = next((each for each in dict.fromkeys(found) if len(Text(each).words) % self.divisor), None)
        if odd is not None:
            return decide(False, f"{len(Text(odd).words)} words in {odd[:80]!r}")
        return decide(bool(found), f"so in each of {len(found)} sentences")

    def reshape(self, text: str, language: str) -> str:
        for sentence in split_sentences(text):
            missing = -len(Text(sentence).words) % self.divisor
            if missing:
                text = text.replace(sentence, self._filled(sentence, missing, language), 1)
        return text if self.accepts(text) else spelled(lead(self.divisor, language), language) + _STOP[language]

    def _filled(self, sentence: str, missing: int, language: str) -> str:
        bare = closed(sentence)
        comma = {"en": ",", "zh": "，"}[language]
        gap = "" if language == "zh" else " "
        return glue(bare[:-1] + comma, gap.join(lead(missing, language)), language) + bare[-1]
