"""How many numbers, conjunctions, pronouns, names, emoji and kinds of marks the answer has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import filterfalse
from random import Random
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rewards.arguments import Count, Draw, Keywords
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.shaping import Shaped, added, at_least, closed, exactly, shown
from rewards.numerals import NUMBER, find_numbers, find_values, has_han
from rewards.quick_words import ascii_runs
from rewards.text import EDGE, Text
from rewards.wordforms import folded_words
from rewards.wordlists import CONJUNCTIONS, NAMES, NO_CONJUNCTIONS, PRONOUNS

Integers = Annotated[tuple[int, ...], Field(min_length=1, max_length=100)]
_EDGE = re.compile(EDGE)
_CONJUNCTIONS = frozenset(CONJUNCTIONS["en"])
_SOME = {"en": "some", "zh": "几"}
_NUMBERS = {"en": ("These numbers follow: {}.", ", "), "zh": ("另有数字{}。", "、")}
_NAMED = {"en": ("{} know it.", " and "), "zh": ("{}都知道。", "和")}
_WITH_PRONOUNS = {"en": ("It is what you see.", "They know it all."), "zh": ("我们都明白。", "你可以自己看。")}
_PRONOUN_ZH = re.compile(r"[我你咱您]们?|(?<![其吉])[他她它]们?|大家|自己|谁|什么|这[个些里样]?|[那哪][个些里样]")
_MARKS = {"full stop": ".。．", "comma": ",，", "exclamation mark": "!！", "question mark": "?？"}
_MARKS |= {"semicolon": ";；", "colon": ":："}
_INTERROBANG = re.compile(r"[?？!！‽⁉](?:(?<=[?？])[!！]|(?<=[!！])[?？]|(?<=[‽⁉]))")
_WITH_MARKS = {
    "en": "Note: it is short; is it clear? Yes, it is! Really?! It is.",
    "zh": "请注意：这很短；清楚吗？清楚，很好！真的吗？！是的。",
}


@lru_cache(maxsize=1)
def _conjunction_zh() -> re.Pattern[str]:
    long = "|".join(word for word in CONJUNCTIONS["zh"] if len(word) > 1)
    single = "".join(word for word in CONJUNCTIONS["zh"] if len(word) == 1)
    return re.compile(rf"({long})|(?:{'|'.join(NO_CONJUNCTIONS)})|([{single}])")


def conjunctions_of(text: Text) -> list[str]:
    """Return the different coordinating conjunctions of a text, English and Chinese ones.

    Example:
        >>> conjunctions_of(Text("And so it is, and/or not.")), conjunctions_of(Text("和平与爱，但是很难。"))
        (['and', 'or', 'so'], ['与', '但是'])
    """
    english = sorted(_CONJUNCTIONS.intersection(folded_words(text)))
    if not has_han(text.raw):
        return english
    chinese = (long or single for long, single in _conjunction_zh().findall(text.raw))
    return english + list(dict.fromkeys(word for word in chinese if word))


def count_pronouns(text: Text) -> int:
    """Count pronouns; in a contraction the part before the apostrophe counts.

    Example:
        >>> count_pronouns(Text("She's here, and I see this.")), count_pronouns(Text("我们喜欢其他的吉他。"))
        (3, 1)
    """
    words = folded_words(text)
    others = list(filterfalse(PRONOUNS.__contains__, words))
    english = len(words) - len(others) + sum(word.partition("'")[0] in PRONOUNS for word in others if "'" in word)
    return english + (len(_PRONOUN_ZH.findall(text.raw)) if has_han(text.raw) else 0)


def _is_whole(name: str, text: str) -> bool:
    """Tell whether a name occurs with no letter of a script that separates words right before or after it."""
    begin = text.find(name)
    while begin >= 0:
        end = begin + len(name)
        before, after = text[begin - 1 : begin] if begin else "", text[end : end + 1]
        if not (_EDGE.match(before) and _EDGE.match(name)) and not (_EDGE.match(after) and _EDGE.match(name[-1])):
            return True
        begin = text.find(name, end)
    return False


def names_in(text: str, names: Sequence[str]) -> list[str]:
    """Return which of the names occur as whole words, in this spelling.

    Example:
        >>> names_in("Mia's friend from Miami saw 小红", ["Mia", "Miam", "Liam", "小红"])
        ['Mia', '小红']
    """
    if not text.isascii():
        return [name for name in dict.fromkeys(names) if _is_whole(name, text)]
    found = frozenset(names).intersection(ascii_runs(text))
    return [name for name in dict.fromkeys(names) if name in found or (not name.isalnum() and _is_whole(name, text))]


def missing_marks(text: Text) -> list[str]:
    """Return which of the standard marks do not occur; those of one interrobang stand for no other mark."""
    found = _INTERROBANG.search(text.raw)
    rest = text.raw[: found.start()] + text.raw[found.end() :] if found else text.raw
    missing = [name for name, marks in _MARKS.items() if not any(mark in rest for mark in marks)]
    return missing if found else [*missing, "interrobang"]


def _add_numbers(text: str, numbers: Sequence[int], language: str) -> str:
    frame, joint = _NUMBERS[language]
    return added(text, frame.format(joint.join(map(str, numbers))), language)


def _keep_numbers(text: str, count: int, language: str) -> str:
    """Replace the first numbers by words so that at most `count` are left."""
    surplus = len(find_numbers(text)) - count
    return NUMBER.sub(_SOME[language], text, count=surplus) if surplus > 0 else text


@register
class Numbers(Shaped):
    """Exactly `count` numbers, in digits or as Chinese numerals; those of a list count too."""

    type: Literal["counting:numbers"] = "counting:numbers"
    count: Annotated[Count, Draw.range(2, 8)]

    phrases: ClassVar = {
        "en": (
            "Use exactly {count} number{s} written in digits; 1,000 and 3.14 are one each, 1/2 and 10:30 are two.",
            "Your answer must contain {count} number{s} in digits, no more and no fewer (list numbers count, and 1/2 is"
            " two numbers).",
        ),
        "zh": ("恰好出现{count}个数字（1,000和3.14各算一个，1/2和10:30各算两个，“三百”这样的汉字数字也算）。",),
    }
    notes: ClassVar = {"en": "exactly {count} number{s}", "zh": "恰好{count}个数字"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Pay 1,000 by 10.5 or so.", fails="Pay 1,000."),
        Example({"count": 2}, passes="第三天来了二十人，大家一起走。", fails="来了二十人，十分高兴。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = find_numbers(text.raw)
        return exactly(len(found), self.count, f"numbers ({shown(found)})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        kept = _keep_numbers(text, self.count, language)
        missing = self.count - len(find_numbers(kept))
        yield _add_numbers(kept, range(1, missing + 1), language) if missing else kept


@register
class MinNumbers(Shaped):
    """At least `count` numbers, in digits or as Chinese numerals; those of a list count too."""

    type: Literal["counting:min_numbers"] = "counting:min_numbers"
    count: Annotated[Count, Draw.range(2, 8)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} number{s} written in digits.",
            "Your answer must contain {count} or more numbers in digits (3.14 is one, 1/2 is two).",
        ),
        "zh": ("至少出现{count}个数字（阿拉伯数字，或“三百”这样的汉字数字）。",),
    }
    notes: ClassVar = {"en": "at least {count} number{s}", "zh": "至少{count}个数字"}
    examples: ClassVar = (
        Example({"count": 2}, passes="It is 1/2 of it.", fails="It is one of 3."),
        Example({"count": 2}, passes="三百人走了二十里。", fails="一起走了二十里。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = find_numbers(text.raw)
        return at_least(len(found), self.count, f"numbers ({shown(found)})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        missing = self.count - len(find_numbers(text))
        yield _add_numbers(text, range(1, missing + 1), language)


@register
class NumberSequence(Shaped):
    """The numbers in digits are exactly these, in this order, each once."""

    type: Literal["counting:number_sequence"] = "counting:number_sequence"
    numbers: Integers

    phrases: ClassVar = {
        "en": (
            "Give the numbers {listed} in this order and no other number in digits.",
            "The digits in your answer must be exactly these numbers, in order: {listed}.",
        ),
        "zh": ("依次写出数字{listed}，不出现其他阿拉伯数字。",),
    }
    notes: ClassVar = {"en": "the numbers {listed}", "zh": "依次是{listed}"}
    examples: ClassVar = (
        Example({"numbers": (14, 21)}, passes="Take 14, then 21.", fails="1. Take 14, then 21."),
        Example({"numbers": (3, 6, 9)}, passes="依次是3、6、9。", fails="依次是3、9、6。", language="zh"),
    )

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        start, step = rng.randint(2, 40), rng.randint(2, 9)
        return {"numbers": tuple(start + step * index for index in range(rng.randint(3, 7)))}

    def slots(self, language: str) -> dict[str, Any]:
        return {"listed": _NUMBERS[language][1].join(map(str, self.numbers))}

    def judge(self, text: Text, context: Context) -> Verdict:
        wanted = [float(number) for number in self.numbers]
        # `100,200` may be a list as well as one number.
        readings = (text.raw, text.raw.replace(",", " "))
        same = any(find_values(reading) == wanted for reading in dict.fromkeys(readings))
        found = shown(find_numbers(text.raw), 8) or "no number"
        return verdict_if(same, f"found {found}, wanted {len(wanted)} in order")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _add_numbers(_keep_numbers(text, 0, language), self.numbers, language)


@register
class Conjunctions(Shaped):
    """At least `count` different coordinating conjunctions."""

    type: Literal["counting:conjunctions"] = "counting:conjunctions"
    count: Annotated[int, Field(ge=1, le=7), Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} different coordinating conjunction{s} (and, but, for, nor, or, so, yet).",
            "Of the words and, but, for, nor, or, so and yet, use {count} or more.",
        ),
        "zh": ("至少使用{count}个不同的并列连词（如和、或者、但是、而且、所以、因此、然而、以及、并且）。",),
    }
    notes: ClassVar = {"en": "{count} different conjunctions", "zh": "{count}个不同的连词"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Small, but good and new.", fails="Good And new and small."),
        Example({"count": 2}, passes="山和水都好，但是很远。", fails="山很和谐，但是很远。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = conjunctions_of(text)
        return at_least(len(found), self.count, f"different conjunctions ({shown(found, 7)})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for word, sentence in CONJUNCTIONS[language].items():
            if word not in conjunctions_of(Text(text)):
                text = added(text, sentence, language)
                yield text


@register
class Pronouns(Shaped):
    """At least `count` pronouns, repeated ones included."""

    type: Literal["counting:min_pronouns"] = "counting:min_pronouns"
    count: Annotated[Count, Draw.range(3, 15)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} pronoun{s}, such as she, their, this or who; each use counts.",
            "Your answer must contain {count} or more pronouns (personal, possessive, demonstrative and so on).",
        ),
        "zh": ("至少使用{count}次代词（如我们、她、自己、这个、谁）。",),
    }
    notes: ClassVar = {"en": "at least {count} pronoun{s}", "zh": "至少{count}个代词"}
    examples: ClassVar = (
        Example({"count": 3}, passes="She's sure they saw it.", fails="The theory is what he has."),
        Example({"count": 2}, passes="我们看见了她。", fails="其他的吉他在他那边。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(count_pronouns(text), self.count, "pronouns")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for turn in range(self.count):
            text = added(text, _WITH_PRONOUNS[language][turn % 2], language)
            yield text


@register
class PersonNames(Shaped):
    """At least `count` different names of a list, written as there."""

    type: Literal["counting:person_names"] = "counting:person_names"
    count: Annotated[Count, Draw.range(2, 6)]
    names: Keywords = NAMES["en"]

    phrases: ClassVar = {
        "en": (
            "Mention at least {count} different person name{s} from this list: {listed}.",
            "Use {count} or more of these names: {listed}.",
        ),
        "zh": ("至少提到下列名字中的{count}个：{listed}。",),
    }
    notes: ClassVar = {"en": "{count} of the names", "zh": "提到{count}个名字"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Emma's friend is Liam.", fails="Emma saw Emma and Miami."),
        Example({"count": 2, "names": ("小明", "小红")}, passes="小明和小红来了。", fails="小明来了。", language="zh"),
    )

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.count > len(set(self.names)):
            raise ValueError(f"count ({self.count}) must not exceed the number of names ({len(set(self.names))})")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        names = rng.sample(NAMES[language], rng.randint(6, 12))
        return {"count": rng.randint(2, 6), "names": tuple(names)}

    def slots(self, language: str) -> dict[str, Any]:
        return {**super().slots(language), "listed": _NUMBERS[language][1].join(self.names)}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = names_in(text.raw, self.names)
        return at_least(len(found), self.count, f"different names ({shown(found)})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        known = names_in(text, self.names)
        missing = [name for name in dict.fromkeys(self.names) if name not in known][: self.count - len(known)]
        frame, joint = _NAMED[language]
        yield added(text, frame.format(joint.join(missing)), language)


@register
class AllMarks(Shaped):
    """Every standard mark occurs: full stop, comma, exclamation mark, question mark, semicolon, colon, interrobang."""

    type: Literal["counting:marks_all"] = "counting:marks_all"

    phrases: ClassVar = {
        "en": (
            "Use each of these marks at least once: full stop, comma, exclamation mark, question mark, semicolon, colon"
            " and the interrobang (?! or !?), which counts for itself alone.",
            "Every standard punctuation mark must appear: . , ! ? ; : and, besides, the interrobang ?!",
        ),
        "zh": ("以下标点各至少用一次：句号、逗号、感叹号、问号、分号、冒号，另外再用一次“？！”。",),
    }
    notes: ClassVar = {"en": "every standard mark", "zh": "用全各种标点"}
    examples: ClassVar = (
        Example({}, passes="Done?! Yes, so: good; fine. Wow! Really?", fails="Done?! Yes, so: good; fine."),
        Example({}, passes="真的？！是的，你看：好；走吧。好！去吗？", fails="是的，你看：好；走吧。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        missing = missing_marks(text)
        return verdict_if(not missing, f"missing: {', '.join(missing)}" if missing else "every mark occurs")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield added(closed(text), _WITH_MARKS[language], language)
