"""Things in order: sorted lines, given items, rising numbers.

Letters are compared without accents and case. Chinese has no alphabet that a rule could follow, so lines that begin
with a Han character are left unscored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from rewards.arguments import Count, Draw, NonMarkup
from rewards.constraint import Context, Example, Status, Verdict, register
from rewards.constraints.editing import Edited
from rewards.constraints.matching import decide, is_han
from rewards.filler import WORDS, words
from rewards.text import Text

Key = TypeVar("Key", str, float)
Direction = Annotated[Literal["ascending", "descending"], Draw.choice("ascending", "descending")]
_SAID = {
    "en": {"ascending": "alphabetical order", "descending": "reverse alphabetical order"},
    "zh": {"ascending": "字母顺序", "descending": "字母倒序"},
}
_MARKER = re.compile(
    r"\ufeff?[\s>*_`\"'“”#|-]*(?:\(?(?:\d{1,4}[.．)：:、]|[A-Za-z][)：:、]|[a-z]\.)(?=[\s*_]))?[\s*_`\"'“”•+|-]*"
)
_TAIL = " \t\r\n*_`\"'“”,，、;；.。:：|"
_LONGEST = 400
_COMMA = re.compile(r"[,，、]")
_NUMBER = re.compile(r"[\d−-](?:(?<=\d)|(?<![\w)\]].)(?=\d))\d*(?:,\d{3})*(?:\.\d+)?")
_LEADING_NUMBER = re.compile(r"[ \t>*_#-]*\(?(\d{1,9})(?:[.．):：、）]|(?=[ \t*_-]|$))")


def sort_key(text: str) -> str:
    """Return the form in which two items are compared: no list marker, markdown, accents, case or final marks.

    Example:
        >>> sort_key("1. **São Tomé**,"), sort_key("- Côte d'Ivoire")
        ('sao tome', "cote d'ivoire")
    """
    bare = _MARKER.sub("", text[:_LONGEST], count=1).rstrip(_TAIL)
    if bare.isascii():
        return " ".join(bare.lower().split())
    decomposed = unicodedata.normalize("NFKD", bare).casefold()
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).replace("’", "'").split())


def _misplaced(keys: Iterable[Key], direction: str) -> tuple[Key, Key] | None:
    """Return the first two neighbours that are not strictly in order, or None."""
    rises = direction == "ascending"
    return next((pair for pair in pairwise(keys) if not (pair[0] < pair[1] if rises else pair[0] > pair[1])), None)


def _shown(wrong: tuple[Any, Any] | None) -> str:
    return f"; {str(wrong[0])[:50]!r} stands before {str(wrong[1])[:50]!r}" if wrong else ", in order"


@register
class LinesSorted(Edited):
    """At least `count` different lines in alphabetical order; list markers and blank lines are left out."""

    type: Literal["ordering:lines_sorted"] = "ordering:lines_sorted"
    direction: Direction
    count: Annotated[Count, Field(ge=2), Draw.range(3, 6)]

    phrases: ClassVar = {
        "en": (
            "Write at least {count} lines, all different, in {order}; list markers do not count.",
            "Sort the lines of your answer in {order} and write {count} or more of them.",
        ),
        "zh": ("至少写{count}行互不相同的英文，各行按{order}排列（列表符号不算）。",),
    }
    notes: ClassVar = {"en": "{count} lines in {order}", "zh": "{count}行按{order}"}
    examples: ClassVar = (
        Example({"direction": "ascending", "count": 3}, passes="- Ant\n- bee\n- Élan", fails="- Bee\n- ant\n- cat"),
        Example({"direction": "descending", "count": 2}, passes="2. pear\n1. apple", fails="apple\npear"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"count": self.count, "order": _SAID[language][self.direction]}

    def judge(self, text: Text, context: Context) -> Verdict:
        lines = text.filled_lines
        if len(lines) < self.count:
            return decide(False, f"{len(lines)} lines, at least {self.count} wanted")
        if is_han(text.raw) and 2 * sum(is_han(sort_key(line)[:1]) for line in lines[:_LONGEST]) >= len(
            lines[:_LONGEST]
        ):
            return Verdict(Status.UNSCORED, "lines in Chinese characters have no alphabetical order")
        wrong = _misplaced((key for line in lines if (key := sort_key(line))), self.direction)
        found = len(lines) if wrong else sum(map(bool, map(sort_key, lines)))
        return decide(wrong is None and found >= self.count, f"{found} lines, {self.count} wanted{_shown(wrong)}")

    def reshape(self, text: str, language: str) -> str:
        said = [" ".join(line.split()) for line in text.split("\n") if sort_key(line)]
        heads = sorted(words("en", max(self.count, len(said))), reverse=self.direction == "descending")
        heads = heads if len(set(heads)) == len(heads) else self._numbered(len(heads))
        rest = [*said, *[""] * (len(heads) - len(said))]
        return "\n".join(f"{head.capitalize()}: {line}".rstrip(": ") for head, line in zip(heads, rest, strict=True))

    def _numbered(self, size: int) -> list[str]:
        numbers = range(size) if self.direction == "ascending" else range(size - 1, -1, -1)
        return [f"item{number:05d}" for number in numbers]


def _some_items(rng: Random, language: str) -> tuple[str, ...]:
    return tuple(rng.sample(WORDS[language], rng.randint(3, 6)))


def _named(items: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [item for item in items if not sort_key(item) or "\n" in item or _COMMA.search(item)]:
        raise ValueError(f"item {wrong[0]!r} must be one line with a letter or digit and without commas")
    return items


Items = Annotated[
    tuple[NonMarkup, ...], Field(min_length=2, max_length=1000), AfterValidator(_named), Draw(_some_items)
]


@register
class ItemsInOrder(Edited):
    """The answer is the list of the given items in their order, separated by commas, and nothing else.

    Accents, case, markdown, a final full stop and an `and` before the last item do not matter. Items in `optional` may
    be left out.
    """

    type: Literal["ordering:items"] = "ordering:items"
    items: Items
    optional: Annotated[tuple[str, ...], Draw.choice(())] = ()

    @model_validator(mode="after")
    def _some_wanted(self) -> ItemsInOrder:
        wanted, spare = set(map(sort_key, self.items)), set(map(sort_key, self.optional))
        if not spare < wanted:
            raise ValueError("optional items must be among the items, and not all of them")
        return self

    phrases: ClassVar = {
        "en": (
            "Write nothing but these items in this order, separated by commas: {listed}",
            "Answer with exactly this list and nothing else, with commas between the items: {listed}",
        ),
        "zh": ("只写下列各项，顺序不变，用逗号隔开：{listed}",),
    }
    notes: ClassVar = {"en": "{listed}", "zh": "{listed}"}
    examples: ClassVar = (
        Example({"items": ["Oslo", "Bern"]}, passes="**Oslo**, and Bern.", fails="Bern, Oslo"),
        Example({"items": ["春天", "秋天"]}, passes="春天，秋天。", fails="春天、夏天、秋天", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"listed": ("，" if language == "zh" else ", ").join(self.items)}

    def judge(self, text: Text, context: Context) -> Verdict:
        parts = [part for part in _COMMA.split(text.raw) if part.strip(_TAIL)]
        if len(parts) > len(self.items):
            return decide(False, f"{len(parts)} items, {len(self.items)} wanted")
        said = list(map(sort_key, parts))
        wanted, spare = list(map(sort_key, self.items)), set(map(sort_key, self.optional))
        if len(said) > 1 and said[-1] != wanted[-1]:
            said[-1] = said[-1].removeprefix("and ")
        left_out = [item for item in wanted if item not in spare or item in set(said)]
        if said == left_out:
            return decide(True, f"all {len(said)} items in order")
        pairs = zip([*said, ""], [*left_out, ""], strict=False)
        found, asked = next(((a, b) for a, b in pairs if a != b), ("", ""))
        return decide(False, f"{len(said)} items; {found[:50]!r} stands where {asked[:50]!r} belongs")

    def reshape(self, text: str, language: str) -> str:
        return ("，" if language == "zh" else ", ").join(self.items)


@register
class KnownLines(Edited):
    """At least `count` different lines name one of the given items each, in alphabetical order, nothing in between.

    Lines before the first item and after the last one are left out; so are list markers, accents and case.
    """

    type: Literal["ordering:known_lines"] = "ordering:known_lines"
    items: Items
    direction: Direction
    count: Count

    phrases: ClassVar = {
        "en": (
            "List at least {count} of these, each on its own line, in {order}: {listed}",
            "Pick {count} or more of these and list them in {order}, one per line: {listed}",
        ),
        "zh": ("从下列各项中至少选{count}项，每行一项，按{order}排列：{listed}",),
    }
    notes: ClassVar = {"en": "{count} lines in {order}", "zh": "{count}行按{order}"}
    examples: ClassVar = (
        Example(
            {"items": ["Chad", "Mali", "Togo"], "direction": "descending", "count": 2},
            passes="Here you are:\n1. Togo\n2. Chad",
            fails="Togo\nA\nChad",
        ),
    )

    @model_validator(mode="after")
    def _enough(self) -> KnownLines:
        if self.count > len(set(map(sort_key, self.items))):
            raise ValueError(f"count {self.count} exceeds the number of different items")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        items = _some_items(rng, "en")
        order = rng.choice(("ascending", "descending"))
        return {"items": items, "direction": order, "count": rng.randint(2, len(items))}

    def slots(self, language: str) -> dict[str, Any]:
        listed = ("、" if language == "zh" else ", ").join(self.items)
        return {"count": self.count, "order": _SAID[language][self.direction], "listed": listed}

    def judge(self, text: Text, context: Context) -> Verdict:
        known = set(map(sort_key, self.items))
        key_of = {line: sort_key(line) for line in set(text.filled_lines)}
        keys = [key_of[line] for line in text.filled_lines]
        places = [number for number, key in enumerate(keys) if key in known]
        if len(places) < self.count:
            return decide(False, f"{len(places)} lines name an item, at least {self.count} wanted")
        block = [key for key in keys[places[0] : places[-1] + 1] if key]
        stray = next((key for key in block if key not in known), None)
        if stray is not None:
            return decide(False, f"{stray[:60]!r} is not among the items")
        wrong = _misplaced(block, self.direction)
        return decide(wrong is None, f"{len(block)} items{_shown(wrong)}")

    def reshape(self, text: str, language: str) -> str:
        chosen = sorted(set(self.items), key=sort_key, reverse=self.direction == "descending")
        return "\n".join([text.replace("\n", " "), *chosen])


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").replace("−", "-")) for number in _NUMBER.findall(text)]


@register
class NumbersSorted(Edited):
    """There are at least `count` numbers in digits, and each is larger (or each smaller) than the one before it."""

    type: Literal["ordering:numbers_sorted"] = "ordering:numbers_sorted"
    direction: Direction
    count: Annotated[Count, Field(ge=2), Draw.range(2, 5)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} numbers in digits, each {wanted} than the one before it; all numbers count.",
            "All numbers in digits must be in {order} order, and there must be {count} or more of them.",
        ),
        "zh": ("至少使用{count}个阿拉伯数字，后一个必须{wanted}前一个（全文的数字都算）。",),
    }
    notes: ClassVar = {"en": "{count} numbers, {order}", "zh": "{count}个数，后{wanted}前"}
    examples: ClassVar = (
        Example(
            {"direction": "ascending", "count": 3}, passes="From 3 to 10.5, then 1,000.", fails="From 3 to 10, then 7."
        ),
        Example({"direction": "descending", "count": 2}, passes="从7到3。", fails="从3到7。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        rises = self.direction == "ascending"
        wanted = ("大于" if rises else "小于") if language == "zh" else "larger" if rises else "smaller"
        return {"count": self.count, "wanted": wanted, "order": self.direction}

    def judge(self, text: Text, context: Context) -> Verdict:
        numbers = _numbers(text.raw)
        if len(numbers) < self.count:
            return decide(False, f"{len(numbers)} numbers, at least {self.count} wanted")
        wrong = _misplaced(numbers, self.direction)
        return decide(wrong is None, f"{len(numbers)} numbers{_shown(wrong)}")

    def reshape(self, text: str, language: str) -> str:
        found = _numbers(text)
        sign = 1 if self.direction == "ascending" else -1
        start = int(found[-1] if found else 10)
        counted = [start + sign * step for step in range(1, self.count + 1)]
        gap = "，" if language == "zh" else ", "
        more = f"{text} ({gap.join(map(str, counted))})" if min(counted) >= 0 else text
        fresh = sorted(range(1, self.count + 1), reverse=sign < 0)
        return self.first_accepted([more, f"{_NUMBER.sub('#', text)} ({gap.join(map(str, fresh))})"])


@register
class Countdown(Edited):
    """The lines are numbered from `start` down to 1; every one says something, and there is no other line."""

    type: Literal["ordering:countdown"] = "ordering:countdown"
    start: Annotated[int, Field(ge=2, le=1000), Draw.range(3, 6)]

    phrases: ClassVar = {
        "en": (
            'Number your lines backwards, from {start} down to 1, as in "{start}. text", and write no other line.',
            "Write a countdown: exactly {start} lines, numbered from {start} down to 1.",
        ),
        "zh": ("各行倒序编号，从{start}到1，形如“{start}. 内容”，不要有其他行。",),
    }
    notes: ClassVar = {"en": "count down from {start}", "zh": "从{start}倒数到1"}
    examples: ClassVar = (
        Example({"start": 2}, passes="2. Ready\n1. Go", fails="1. Ready\n2. Go"),
        Example({"start": 2}, passes="2、准备\n1、出发", fails="2、准备\n出发", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        lines = text.filled_lines
        if len(lines) != self.start:
            return decide(False, f"{len(lines)} lines, {self.start} wanted")
        for wanted, line in zip(range(self.start, 0, -1), lines, strict=True):
            match = _LEADING_NUMBER.match(line)
            if not match or int(match[1]) != wanted or not Text(line[match.end() :]).has_words:
                return decide(False, f"line {line[:60]!r} should be number {wanted} and say something")
        return decide(True, f"{self.start} lines count down")

    def reshape(self, text: str, language: str) -> str:
        filler = words(language, self.start - 1)
        said = [*filler, " ".join(text.split())]
        return "\n".join(f"{number}. {line}" for number, line in zip(range(self.start, 0, -1), said, strict=True))
