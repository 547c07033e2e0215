"""Demands on several keywords together: how often each occurs, how many of them, and in which order."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from rewards.arguments import Count, Draw, Keyword
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, keep_only, mention, put_before, set_frequency
from rewards.constraints.matching import decide, first_place, occurrences, occurs_in, quoted, said_sentences
from rewards.constraints.shaping import words_needed
from rewards.filler import WORDS
from rewards.text import Text, fold


def _some(low: int, high: int) -> Draw:
    return Draw(lambda rng, language: tuple(rng.sample(WORDS[language], rng.randint(low, high))))


#: Two keywords or more, all different.
SeveralKeywords = Annotated[tuple[Keyword, ...], Field(min_length=2, max_length=50), _some(2, 4)]
_TIMES = {1: "once", 2: "twice"}


class _Several(Edited):
    """A constraint on two or more different keywords."""

    keywords: SeveralKeywords

    @model_validator(mode="after")
    def _different(self) -> _Several:
        if len({fold(word.strip()) for word in self.keywords}) < len(self.keywords):
            raise ValueError("the keywords must differ")
        return self

    def slots(self, language: str) -> dict[str, Any]:
        return {"words": quoted(self.keywords, language)}


def _counted_apart(words: tuple[str, ...]) -> None:
    """Refuse words of which one holds another: no text could hold each as often as asked without a doubt."""
    for word in words:
        inside = next((other for other in words if other != word and occurs_in(word, other)), None)
        if inside is not None:
            raise ValueError(f"{word!r} contains {inside!r}, so their counts cannot be told apart")


def _times(words: tuple[str, ...], counts: tuple[int, ...], language: str) -> str:
    if language == "zh":
        return "、".join(f"“{word}”{count}次" for word, count in zip(words, counts, strict=True))
    pairs = zip(words, counts, strict=True)
    *said, last = (f'"{word}" {_TIMES.get(count, f"{count} times")}' for word, count in pairs)
    return ", ".join(said) + (", and " if len(said) > 1 else " and ") + last


def _judge_counts(text: Text, words: tuple[str, ...], counts: tuple[int, ...]) -> Verdict:
    found = [(word, occurrences(text, word), count) for word, count in zip(words, counts, strict=True)]
    wrong = [f"{word!r} {real} times, wanted {count}" for word, real, count in found if real != count]
    return decide(not wrong, "; ".join(wrong) or f"each of {len(words)} words as often as asked")


def _set_counts(text: str, words: tuple[str, ...], counts: tuple[int, ...], language: str) -> str:
    for word, count in zip(words, counts, strict=True):
        text = set_frequency(text, word, count, language)
    return text


@register
class Frequencies(_Several):
    """Each keyword occurs exactly as often as its number in `counts` says."""

    type: Literal["keywords:frequencies"] = "keywords:frequencies"
    counts: tuple[Count, ...]

    phrases: ClassVar = {
        "en": (
            "Use these words exactly this often, as whole words: {wanted}.",
            "Include {wanted}; not more and not less.",
        ),
        "zh": ("下列词语的出现次数必须恰好如下：{wanted}。", "请让这些词恰好出现：{wanted}。"),
    }
    notes: ClassVar = {"en": "{wanted}", "zh": "{wanted}"}
    examples: ClassVar = (
        Example(
            {"keywords": ["owl", "fox"], "counts": [1, 2]},
            passes="A fox and an owl met a fox.",
            fails="A fox and an owl met an owl.",
        ),
        Example(
            {"keywords": ["花园", "桥梁"], "counts": [2, 1]},
            passes="花园里有桥梁，桥那边也是花园。",
            fails="花园里有桥梁。",
            language="zh",
        ),
    )

    @model_validator(mode="after")
    def _one_count_each(self) -> Frequencies:
        _counted_apart(self.keywords)
        if len(self.counts) != len(self.keywords):
            raise ValueError(f"{len(self.keywords)} keywords need as many counts, not {len(self.counts)}")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        keywords = rng.sample(WORDS[language], rng.randint(2, 4))
        return {"keywords": tuple(keywords), "counts": tuple(rng.randint(1, 3) for _ in keywords)}

    def slots(self, language: str) -> dict[str, Any]:
        return {"wanted": _times(self.keywords, self.counts, language)}

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_counts(text, self.keywords, self.counts)

    def reshape(self, text: str, language: str) -> str:
        return _set_counts(text, self.keywords, self.counts, language)


@register
class Increment(_Several):
    """The first keyword occurs exactly once, the second twice, the third three times and so on."""

    type: Literal["keywords:increment"] = "keywords:increment"

    phrases: ClassVar = {
        "en": (
            "Use {wanted}, counted as whole words and exactly that often.",
            "Include {wanted}, not more and not less.",
        ),
        "zh": ("这些词的出现次数要依次递增：恰好{wanted}。",),
    }
    notes: ClassVar = {"en": "{wanted}", "zh": "{wanted}"}
    examples: ClassVar = (
        Example(
            {"keywords": ["owl", "fox"]},
            passes="An owl saw a fox, and the fox ran.",
            fails="An owl saw a fox.",
        ),
    )

    @model_validator(mode="after")
    def _apart(self) -> Increment:
        _counted_apart(self.keywords)
        return self

    @property
    def _counts(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.keywords) + 1))

    def slots(self, language: str) -> dict[str, Any]:
        return {"wanted": _times(self.keywords, self._counts, language)}

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_counts(text, self.keywords, self._counts)

    def reshape(self, text: str, language: str) -> str:
        return _set_counts(text, self.keywords, self._counts, language)


@register
class AnyOf(_Several):
    """At least `count` of the keywords occur."""

    type: Literal["keywords:any_of"] = "keywords:any_of"
    count: Annotated[Count, Draw.range(1, 2)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} of these words: {words}.",
            "At least {count} of {words} must appear as whole words.",
        ),
        "zh": ("{words}当中至少要出现{count}个。", "请从{words}中至少使用{count}个。"),
    }
    notes: ClassVar = {"en": "at least {count} of {words}", "zh": "{words}至少{count}个"}
    examples: ClassVar = (
        Example(
            {"keywords": ["owl", "fox", "bee"], "count": 2},
            passes="A bee and an owl.",
            fails="A bee, a bee and foxes.",
        ),
        Example({"keywords": ["花园", "桥梁"], "count": 1}, passes="花园很大。", fails="园里有花。", language="zh"),
    )

    @model_validator(mode="after")
    def _enough_keywords(self) -> AnyOf:
        if self.count > len(self.keywords):
            raise ValueError(f"count {self.count} exceeds the number of keywords, {len(self.keywords)}")
        return self

    def slots(self, language: str) -> dict[str, Any]:
        return {"words": quoted(self.keywords, language), "count": self.count}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = [word for word in self.keywords if occurrences(text, word)]
        listed = f": {', '.join(found)}" if found else ""
        return decide(len(found) >= self.count, f"{len(found)} of the words, at least {self.count} wanted{listed}")

    def reshape(self, text: str, language: str) -> str:
        missing = [word for word in self.keywords if not occurrences(Text(text), word)]
        wanted = self.count - (len(self.keywords) - len(missing))
        return put_before(text, mention(missing[:wanted], language), language)


@register
class Order(_Several):
    """Every keyword occurs, and their first occurrences follow the given order."""

    type: Literal["keywords:order"] = "keywords:order"

    phrases: ClassVar = {
        "en": (
            "Mention {words} in this order; the first use of each word counts.",
            "Use {words}, each for the first time after the one before it.",
        ),
        "zh": ("按此顺序提到{words}（以第一次出现为准）。", "{words}要依次出现，以首次出现的位置为准。"),
    }
    notes: ClassVar = {"en": "{words} in this order", "zh": "依次出现{words}"}
    examples: ClassVar = (
        Example(
            {"keywords": ["seed", "root", "leaf"]},
            passes="A seed grows a root, then a leaf and a seed.",
            fails="A seed grows a leaf and a root.",
        ),
        Example(
            {"keywords": ["春天", "秋天"]}, passes="春天播种，秋天收获。", fails="秋天收获，春天播种。", language="zh"
        ),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        places = [first_place(text, word) for word in self.keywords]
        if -1 in places:
            return decide(False, f"missing: {self.keywords[places.index(-1)]}")
        ordered = all(before < after for before, after in pairwise(places))
        seen = [word for _, word in sorted(zip(places, self.keywords, strict=True))]
        return decide(ordered, f"first used in the order {', '.join(seen)}")

    def reshape(self, text: str, language: str) -> str:
        for word in self.keywords:
            text = keep_only(text, word, 0, language)
        return put_before(text, mention(self.keywords, language), language)


@register
class SameSentence(_Several):
    """One sentence holds all keywords."""

    type: Literal["keywords:same_sentence"] = "keywords:same_sentence"

    phrases: ClassVar = {
        "en": ("Use {words} together in one sentence.", "At least one sentence must contain all of {words}."),
        "zh": ("{words}必须出现在同一个句子里。", "至少有一句话同时包含{words}。"),
    }
    notes: ClassVar = {"en": "{words} in one sentence", "zh": "{words}在同一句"}
    examples: ClassVar = (
        Example(
            {"keywords": ["owl", "fox"]},
            passes="It was dark. An owl saw a fox.",
            fails="An owl flew. A fox ran.",
        ),
        Example({"keywords": ["春天", "花园"]}, passes="春天的花园很美。", fails="春天很美。花园很大。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        missing = [word for word in self.keywords if not occurrences(text, word)]
        if missing:
            return decide(False, f"missing: {', '.join(missing)}")
        sentences = enumerate(said_sentences(text), 1)
        holds = (number for number, sentence in sentences if all(occurs_in(sentence, word) for word in self.keywords))
        number = next(holds, 0)
        return decide(number > 0, f"sentence {number} has them all" if number else "no sentence has them all")

    def reshape(self, text: str, language: str) -> str:
        return put_before(text, mention(self.keywords, language), language)
