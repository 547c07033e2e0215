"""Lists: numbered ones, nested ones, tasks, and items with marks or separators of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from rewards.arguments import Count, Draw, NonBlank
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    HAN_DIGITS,
    LaidOut,
    bullet_items,
    clip,
    depth,
    fillers,
    han_number,
    has_distinct,
    has_word,
    pieces,
    quoted,
    repeats,
    spread,
    without_code,
    without_fences,
)
from rewards.sentences import split_sentences
from rewards.text import Text

_NUMBERED = re.compile(
    r"^(?P<indent>[ \t\u3000]*)(?:[-•][ \t]+)?[#>*_]{0,4}[ \t]?"
    rf"(?:(?P<a>\d{{1,5}})(?:[.)](?=[ \t\u3000\xa0*_\u3400-\u9fff])|[、．）])"
    rf"|[（(](?P<b>\d{{1,5}})[)）]|(?P<c>[{HAN_DIGITS}]{{1,3}})[、.．]|[（(](?P<d>[{HAN_DIGITS}]{{1,3}})[)）]|(?P<e>[①-⑳]))"
    r"[ \t\u3000\xa0*_]*+(?P<text>.*)",
    re.MULTILINE,
)
#: How deep each kind of number stands where several are mixed: 一、 above （一） above 1. above (1) above ①.
_RANK = {"c": 0, "d": 1, "a": 2, "b": 3, "e": 4}
_TASK = re.compile(r"^[ \t]*[-*+][ \t]+\[[ xX]\][ \t]+(\S.*)", re.MULTILINE)
_BULLET_LINE = re.compile(r"^[ \t]*([-*+•])(?:[ \t\u3000\xa0]++|(?<=•))(?![-*+_ \t\r]*$)\S.*", re.MULTILINE)
_PERIOD = re.compile(r"[.。．｡][\"'”’»」』）)\]*_]*\Z")


def numbered_items(raw: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the items of the outermost numbered lists.

    Example:
        >>> list(numbered_items("1. Apples\\n   1. red\\n2. Pears"))
        [(1, 'Apples'), (2, 'Pears')]
        >>> list(numbered_items("一、苹果\\n1. 红\\n二、梨"))
        [(1, '苹果'), (2, '梨')]
    """
    outermost, top, last = -1, 9, 0
    for item in _NUMBERED.finditer(without_fences(raw)):
        indent, kind = depth(item["indent"]), next(name for name in _RANK if item[name])
        outermost, top = (indent, _RANK[kind]) if outermost < 0 else (outermost, top)
        number = _number(kind, item[kind])
        # A year that opens a line is no item.
        if indent <= outermost and _RANK[kind] <= top and (number < 1000 or number == last + 1):
            last = number
            yield number, item["text"]


def _number(kind: str, said: str) -> int:
    return int(said) if kind in "ab" else ord(said) - ord("①") + 1 if kind == "e" else han_number(said)


@register
class NumberedList(LaidOut):
    """Exactly `count` different items, numbered in order (`1.`, `1)`, `（1）` or `一、`); nested ones are free."""

    type: Literal["layout:numbered_list"] = "layout:numbered_list"
    count: Annotated[Count, Draw.range(2, 7)]

    phrases: ClassVar = {
        "en": (
            "Give exactly {count} item{s} in a numbered list: 1., 2. and so on, each on its own line, no two alike.",
            "Make a numbered list of exactly {count} point{s}, one per line, in order and without repeating a point.",
        ),
        "zh": (
            "用从1开始的编号列表给出恰好{count}项，每项一行（1.、2.、3.……），内容不重复。",
            "分条编号回答，恰好{count}条，内容不重复。",
        ),
    }
    notes: ClassVar = {"en": "{count} numbered item{s}", "zh": "{count}条编号项"}
    examples: ClassVar = (
        Example({"count": 2}, passes="1. Apples\n2. Pears", fails="1. Apples\n1. Pears"),
        Example({"count": 2}, passes="一、苹果\n二、梨", fails="一、苹果\n二、", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found: list[tuple[int, str]] = []
        for item in numbered_items(text.raw):
            found.append(item)
            if len(found) > self.count or item[0] != len(found):
                break
        numbers = [number for number, _ in found]
        full = all(has_word(item) for _, item in found) and not repeats([item for _, item in found])
        shown = f"items numbered {clip(str(numbers), 80)}{'' if full else ', some empty or alike'}"
        wanted = f"1 to {self.count}" if self.count > 1 else "1"
        return verdict_if(full and numbers == [*range(1, self.count + 1)], f"{shown}; wanted {wanted}")

    def lay_out(self, text: str, language: str) -> str:
        body = _NUMBERED.sub(r"\g<text>", text)
        return "\n".join(f"{n}. {part}" for n, part in enumerate(spread(pieces(body), self.count, language), 1))


Mark = Literal["", "*", "-", "+"]


@register
class NestedBullets(LaidOut):
    """At least `count` top-level bullet points, each with at least `nested` different bullet points under it.

    What is indented more than the first bullet point is nested; where `top` and `sub` name marks, they decide.
    """

    type: Literal["layout:nested_bullets"] = "layout:nested_bullets"
    count: Annotated[Count, Draw.range(1, 4)]
    nested: Annotated[Count, Draw.range(1, 3)]
    top: Mark = ""
    sub: Mark = ""

    phrases: ClassVar = {
        "en": (
            "Use at least {count} bullet point{s}; each top-level one must have at least {nested} sub-bullet points"
            " under it ({how}).",
            "Write a nested list: {count} or more bullet points, each with {nested} or more sub-bullets ({how}).",
        ),
        "zh": ("至少列出{count}个要点，每个要点下至少有{nested}个子要点（{how}）。",),
    }
    notes: ClassVar = {"en": "{count} bullet{s} with {nested} below each", "zh": "{count}个要点，各带{nested}个子要点"}
    examples: ClassVar = (
        Example(
            {"count": 2, "nested": 1},
            passes="- Apples\n  - red\n- Pears\n  - green",
            fails="- Apples\n- Pears\n  - green",
        ),
        Example({"count": 1, "nested": 2}, passes="- 苹果\n  - 红\n  - 甜", fails="- 苹果\n  - 红", language="zh"),
    )

    @model_validator(mode="after")
    def _both_marks(self) -> NestedBullets:
        if bool(self.top) != bool(self.sub) or (self.top and self.top == self.sub):
            raise ValueError(f"top {self.top!r} and sub {self.sub!r} must be two different marks, or both empty")
        return self

    def slots(self, language: str) -> dict[str, Any]:
        if self.top:
            how = (
                f"要点用“{self.top}”，子要点用“{self.sub}”"
                if language == "zh"
                else f"{self.top} above, {self.sub} below"
            )
        else:
            how = "子要点要缩进" if language == "zh" else "indented below it"
        return {**super().slots(language), "how": how}

    def judge(self, text: Text, context: Context) -> Verdict:
        groups = self._groups(text.raw)
        short = sum(not has_distinct(group, self.nested) for group in groups)
        shown = f"{len(groups)} top-level bullet points, {short} of them with fewer than {self.nested} below"
        return verdict_if(len(groups) >= self.count and not short, f"{shown}; at least {self.count} wanted")

    def _groups(self, raw: str) -> list[list[str]]:
        groups: list[list[str]] = []
        items = bullet_items(raw)
        outermost = depth(items[0][0]) if items else 0
        for indent, mark, item in items:
            above = mark == self.top if self.top else depth(indent) <= outermost
            if above:
                groups.append([])
            elif groups and mark in (self.sub or mark):
                groups[-1].append(item)
        return groups

    def lay_out(self, text: str, language: str) -> str:
        said = spread(pieces(text), self.count, language)
        below = iter(fillers(language, self.count * self.nested, said))
        top, sub = self.top or "-", self.sub or "-"
        nested = ("".join(f"\n  {sub} {next(below)}" for _ in range(self.nested)) for _ in said)
        return "\n".join(f"{top} {part}{under}" for part, under in zip(said, nested, strict=True))


@register
class SentencesThenBullets(LaidOut):
    """At least `sentences` sentences that end in a full stop, then at least `bullets` bullet points, then nothing."""

    type: Literal["layout:sentences_then_bullets"] = "layout:sentences_then_bullets"
    sentences: Annotated[Count, Draw.range(2, 4)]
    bullets: Annotated[Count, Draw.range(2, 5)]
    marks: Literal["-*+•", "*"] = "-*+•"

    phrases: ClassVar = {
        "en": (
            "Write at least {sentences} sentences ending in a full stop, then at least {bullets} bullet points{mark},"
            " and nothing after them.",
            "Begin with {sentences} or more sentences, each closed by a full stop, and end with a list of {bullets} or"
            " more different bullet points{mark}.",
        ),
        "zh": ("先写至少{sentences}个以句号结尾的句子，再列出至少{bullets}个要点{mark}，要点之后不要再写别的。",),
    }
    notes: ClassVar = {
        "en": "{sentences} sentences, then {bullets} bullets",
        "zh": "{sentences}句话后接{bullets}个要点",
    }
    examples: ClassVar = (
        Example(
            {"sentences": 2, "bullets": 2},
            passes="Fruit is good. Here is some.\n- Apples\n- Pears",
            fails="Fruit is good.\n- Apples\n- Pears",
        ),
        Example({"sentences": 1, "bullets": 1}, passes="水果很好。\n- 苹果", fails="- 苹果\n水果很好。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        mark = "" if self.marks != "*" else "（以*开头）" if language == "zh" else " (marked *)"
        return {**super().slots(language), "mark": mark}

    def judge(self, text: Text, context: Context) -> Verdict:
        raw = without_code(text.stripped)
        lines = [line for line in _BULLET_LINE.finditer(raw) if line[1] in self.marks and has_word(line[0])]
        found = len(lines) - repeats([line[0] for line in lines])
        if found < self.bullets:
            return verdict_if(False, f"found {found} different bullet points, at least {self.bullets} wanted")
        before, after = raw[: lines[0].start()], _BULLET_LINE.sub("", raw[lines[0].start() :])
        closed = len({sentence for sentence in split_sentences(before) if _PERIOD.search(sentence[-12:])})
        ended = not any(has_word(line) and not line[0].isspace() for line in after.split("\n"))
        shown = f"{closed} sentences, then {found} bullet points{'' if ended else ', then text'}"
        return verdict_if(closed >= self.sentences and ended, f"{shown}; {self.sentences} sentences wanted")

    def lay_out(self, text: str, language: str) -> str:
        said = [line for line in pieces(text) if _PERIOD.search(line)]
        other = [line for line in pieces(text) if line not in said]
        missing = fillers(language, self.sentences + self.bullets, said + other)
        prose = [*said, *missing[: max(0, self.sentences - len(said))]]
        items = [*other, *missing[-max(0, self.bullets - len(other)) :]][: max(self.bullets, len(other))]
        mark = "-" if "-" in self.marks else "*"
        return "\n".join([*prose, *(f"{mark} {item}" for item in items)])


@register
class TaskList(LaidOut):
    """At least `count` different task items (`- [ ] item` or `- [x] item`)."""

    type: Literal["layout:task_list"] = "layout:task_list"
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            'Include a markdown task list with at least {count} item{s}, each written like "- [ ] item".',
            'Add {count} or more items with a checkbox ("- [ ] to do" or "- [x] done"), all different.',
        ),
        "zh": ("用markdown任务列表写出至少{count}个不同的任务项，格式为“- [ ] 任务”。",),
    }
    notes: ClassVar = {"en": "{count} task item{s}", "zh": "{count}个任务项"}
    examples: ClassVar = (
        Example({"count": 2}, passes="- [ ] Buy apples\n- [x] Buy pears", fails="- [ ]\n- [ ] Buy pears"),
        Example({"count": 1}, passes="- [ ] 买苹果", fails="- 买苹果", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        items = list(filter(has_word, _TASK.findall(without_fences(text.raw))))
        found = len(items) - repeats(items)
        return verdict_if(found >= self.count, f"found {found} different task items, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        parts = spread(pieces(text), max(self.count, len(pieces(text))), language)
        return "\n".join(f"- [ ] {part}" for part in parts)


def _one_line(mark: str) -> str:
    if not mark.isprintable() or mark != mark.strip() or "```" in mark:
        raise ValueError(f"mark {mark!r} must be one line, visible, without outer blanks and no code fence")
    return mark


def _separating(mark: str) -> str:
    if has_word(_one_line(mark)):
        raise ValueError(f"separator {mark!r} must not hold letters or digits, which items are made of")
    return mark


ItemMark = Annotated[NonBlank, AfterValidator(_one_line), Draw.choice("...", "!?!?", "->", "=>", "~", ">>", "@")]
Separator = Annotated[NonBlank, AfterValidator(_separating), Draw.choice("|", "/", "->", "||", "~", "&", ";;")]


@lru_cache(maxsize=256)
def _marked(mark: str) -> re.Pattern[str]:
    blank = r"[ \t]+" if mark in {"-", "*", "+"} or mark[-1].isalnum() else r"[ \t]*"
    return re.compile(rf"^[ \t]*{re.escape(mark)}{blank}(\S.*)", re.MULTILINE)


@register
class MarkedList(LaidOut):
    """At least `count` different items, each on a line that starts with `mark`, and no other bullet points."""

    type: Literal["layout:marked_list"] = "layout:marked_list"
    mark: ItemMark
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            'Answer with a list of at least {count} item{s}, no two alike; {instead}start each line with "{mark}".',
            'List {count} or more items, one per line, all different, no other bullet points, and put "{mark}" before'
            " each.",
        ),
        "zh": ("用列表回答，至少{count}项，内容不重复，每项一行；{instead}以“{mark}”开头。",),
    }
    notes: ClassVar = {"en": "{count} item{s} marked {mark}", "zh": "{count}项以{mark}开头"}
    examples: ClassVar = (
        Example({"mark": "...", "count": 2}, passes="... Apples\n... Pears", fails="Apples ... Pears ... Plums"),
        Example({"mark": "->", "count": 1}, passes="-> 苹果", fails="- 苹果", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        instead = "不用普通项目符号，而是" if language == "zh" else "instead of bullet points, "
        return {**super().slots(language), "instead": "" if self.mark in {"-", "*", "+", "•"} else instead}

    def judge(self, text: Text, context: Context) -> Verdict:
        marked = _marked(self.mark).findall(without_fences(text.raw)) if self.mark in text.raw else []
        items = list(filter(has_word, marked))
        other = sum(not f"{mark} {item}".startswith(self.mark) for _, mark, item in bullet_items(text.raw))
        found = len(items) - repeats(items)
        shown = f"{found} different items marked {quoted(self.mark, 20)}, at least {self.count} wanted"
        return verdict_if(found >= self.count and not other, f"{shown}; {other} other bullet points")

    def lay_out(self, text: str, language: str) -> str:
        said = pieces(_marked(self.mark).sub(r"\1", text))
        return "\n".join(f"{self.mark} {part}" for part in spread(said, max(self.count, len(said)), language))


@register
class SeparatedList(LaidOut):
    """Exactly `count` different items with `separator` between them, and nothing else."""

    type: Literal["layout:separated_list"] = "layout:separated_list"
    separator: Separator
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Answer with exactly {count} item{s}, separated by {separator} and nothing else",
            'Give exactly {count} item{s}, all different, and put "{separator}" between one and the next.',
        ),
        "zh": ("给出恰好{count}项不同的内容，各项之间用 {separator} 分隔",),
    }
    notes: ClassVar = {"en": "{count} item{s} separated by {separator}", "zh": "{count}项，以{separator}分隔"}
    examples: ClassVar = (
        Example({"separator": "|", "count": 2}, passes="Apples | Pears", fails="Apples | Pears |"),
        Example({"separator": "/", "count": 3}, passes="苹果/梨/桃", fails="苹果/梨/梨", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        items = text.stripped.split(self.separator)
        full = all(map(has_word, items)) and not repeats(items)
        shown = f"{len(items)} items between {quoted(self.separator, 20)}{'' if full else ', some empty or alike'}"
        return verdict_if(full and len(items) == self.count, f"{shown}; {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        said = spread(pieces(text.replace(self.separator, " ")), self.count, language)
        items = [part.replace(self.separator, " ").rstrip(".。") for part in said[:-1]]
        return f" {self.separator} ".join([*items, said[-1].replace(self.separator, " ")])
