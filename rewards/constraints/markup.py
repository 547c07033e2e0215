"""Markup that an answer does without, each kind on its own (lists, bold type, tables), and its number of headings."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from rewards.arguments import Count
from rewards.constraint import Context, Example, ReadOff, Verdict, register, verdict_if
from rewards.constraints.layout_views import headings
from rewards.text import CODE, Text

_LIST = re.compile(
    r"^[ \t>]*(?:[-*+•–·][ \t]+|•|\d{1,3}[.)][ \t]+|\d{1,3}、|[（(][\d一二三四五六七八九十]{1,3}[）)])\S", re.MULTILINE
)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]+(?<=\S)\*\*|(?<!\w)__(?=\S)[^_\n]+(?<=\S)__(?!\w)|<(?:b|strong)>", re.IGNORECASE)
_TABLE = re.compile(
    r"^[ \t]*+\|?[ \t]*+:?-{2,}+:?[ \t]*+(?:\|[ \t]*+:?-{2,}+:?[ \t]*+)+\|?[ \t]*+$|<table", re.MULTILINE
)


class _NoMarkup(ReadOff):
    """A constraint that no text with one kind of markup satisfies; code does not count."""

    unwanted: ClassVar[re.Pattern[str]]

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.unwanted.search(CODE.sub(" ", text.raw))
        return verdict_if(found is None, f"found {found[0].strip()[:40]!r}" if found else "found none")


@register
class NoList(_NoMarkup):
    """No line is an item of a bulleted or numbered list."""

    type: Literal["layout:no_list"] = "layout:no_list"
    unwanted: ClassVar = _LIST

    phrases: ClassVar = {
        "en": (
            "Do not use bullet points or numbered lists.",
            "Write without any list, bulleted or numbered.",
            "No part of your answer may be a bulleted or numbered list.",
        ),
        "zh": (
            "不要使用项目符号或编号列表。",
            "全文不出现任何列表，无论是项目符号还是编号。",
            "回答的任何部分都不要写成项目列表或编号列表。",
        ),
    }
    notes: ClassVar = {"en": "no lists", "zh": "不用列表"}
    examples: ClassVar = (
        Example({}, passes="Rice and tea.", fails="- rice\n- tea"),
        Example({}, passes="米和茶。", fails="1. 米\n2. 茶", language="zh"),
    )


@register
class NoBold(_NoMarkup):
    """Nothing is in bold, neither in markdown nor in HTML."""

    type: Literal["layout:no_bold"] = "layout:no_bold"
    unwanted: ClassVar = _BOLD

    phrases: ClassVar = {
        "en": ("Do not put anything in bold.", "Write without bold type.", "No word of your answer may be in bold."),
        "zh": ("不要把任何内容加粗。", "全文不使用粗体。", "回答中不得有加粗的文字。"),
    }
    notes: ClassVar = {"en": "no bold type", "zh": "不加粗"}
    examples: ClassVar = (
        Example({}, passes="Drink tea.", fails="Drink **tea**."),
        Example({}, passes="喝茶。", fails="喝**茶**。", language="zh"),
    )


@register
class NoTable(_NoMarkup):
    """There is no table, neither in markdown nor in HTML."""

    type: Literal["layout:no_table"] = "layout:no_table"
    unwanted: ClassVar = _TABLE

    phrases: ClassVar = {
        "en": ("Do not use a table.", "Write without any table.", "No part of your answer may be set as a table."),
        "zh": ("不要使用表格。", "全文不出现任何表格。", "回答的任何部分都不要排成表格。"),
    }
    notes: ClassVar = {"en": "no table", "zh": "不用表格"}
    examples: ClassVar = (
        Example({}, passes="Tea costs 3, rice 2.", fails="| tea | rice |\n|---|---|\n| 3 | 2 |"),
        Example({}, passes="茶3元，米2元。", fails="| 茶 | 米 |\n|---|---|\n| 3 | 2 |", language="zh"),
    )


@register
class Headings(ReadOff):
    """Exactly `count` markdown headings (`#` to `######`); code does not count."""

    type: Literal["layout:headings"] = "layout:headings"
    count: Count

    phrases: ClassVar = {
        "en": (
            "Use exactly {count} markdown heading{s}.",
            "Your answer must have exactly {count} markdown heading{s}, that is, line{s} starting with #.",
            "Structure the answer with {count} markdown heading{s}, no more and no fewer.",
        ),
        "zh": (
            "正好使用{count}个markdown标题。",
            "回答必须恰好有{count}个markdown标题，即以#开头的行。",
            "用{count}个markdown标题来组织回答，不多也不少。",
        ),
    }
    notes: ClassVar = {"en": "exactly {count} heading{s}", "zh": "正好{count}个标题"}
    examples: ClassVar = (
        Example({"count": 1}, passes="# Fruit\nApples.", fails="# Fruit\nApples.\n# Tea\nGreen."),
        Example({"count": 2}, passes="# 水果\n苹果。\n# 茶\n绿茶。", fails="# 水果\n苹果。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(headings(text.raw))
        return verdict_if(found == self.count, f"{found} headings, exactly {self.count} wanted")
