"""Arithmetic word problems with one operation on small numbers, in English and Chinese at once."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

_NAMES = (
    ("Tom", "汤姆"), ("Lily", "莉莉"), ("Sam", "山姆"), ("Anna", "安娜"),
    ("Ben", "小本"), ("Mia", "米娅"), ("Leo", "小力"), ("Eva", "小云"),
)  # fmt: skip
_ITEMS = (
    ("apples", "苹果"), ("books", "书"), ("pens", "笔"), ("cards", "卡片"), ("cups", "杯子"),
    ("stones", "石子"), ("coins", "硬币"), ("toys", "玩具"), ("shells", "贝壳"), ("eggs", "鸡蛋"),
)  # fmt: skip


class _Template(NamedTuple):
    operator: str
    request: dict[str, str]
    optional: dict[str, tuple[str, ...]]


_TEMPLATES = (
    _Template(
        "+",
        {
            "en": "{n} has {a} {i}. {n} gets {b} more {i}. How many {i} does {n} have now?",
            "zh": "{n}有{a}个{i}，又得到{b}个{i}。{n}现在有多少个{i}？",
        },
        {
            "en": ("At first, {n} has {a} {i}.", "Then, {b} more {i} come."),
            "zh": ("开始时，{n}有{a}个{i}。", "后来，又来了{b}个。"),
        },
    ),
    _Template(
        "+",
        {
            "en": "There are {a} {i} on the table and {b} {i} in a box. How many {i} are there in all?",
            "zh": "桌上有{a}个{i}，盒子里有{b}个{i}。一共有多少个{i}？",
        },
        {
            "en": ("On the table, there are {a} {i}.", "In the box, there are {b} {i}."),
            "zh": ("桌上，有{a}个{i}。", "盒子里，有{b}个{i}。"),
        },
    ),
    _Template(
        "-",
        {
            "en": "{n} has {a} {i}. {n} gives away {b} {i}. How many {i} are left?",
            "zh": "{n}有{a}个{i}，送出{b}个{i}。还剩多少个{i}？",
        },
        {
            "en": ("At first, {n} has {a} {i}.", "Then, {b} {i} are given away."),
            "zh": ("开始时，{n}有{a}个{i}。", "后来，送出了{b}个。"),
        },
    ),
    _Template(
        "*",
        {
            "en": "{n} fills {a} boxes with {b} {i} each. How many {i} are there?",
            "zh": "{n}装了{a}个盒子，每个盒子有{b}个{i}。一共有多少个{i}？",
        },
        {
            "en": ("Here, {n} has {a} boxes.", "In each box, there are {b} {i}."),
            "zh": ("这里，{n}有{a}个盒子。", "每个盒子里，有{b}个{i}。"),
        },
    ),
)
_CORE = {
    "en": ("So, the answer is \\boxed{{{r}}}.", "In the end, it is \\boxed{{{r}}}."),
    "zh": ("所以，答案是\\boxed{{{r}}}。", "最后，结果是\\boxed{{{r}}}。"),
}


class Problem(NamedTuple):
    """One word problem with its solution sentences by language; the result is exact."""

    id: str
    request: dict[str, str]
    thinking: str
    core: dict[str, tuple[str, ...]]
    optional: dict[str, tuple[str, ...]]
    result: int


def problem(rng: Random) -> Problem:
    """Draw a word problem.

    Example:
        >>> problem(Random(3)).thinking
        '9 + 3 = 12.'
    """
    kind = rng.randrange(len(_TEMPLATES))
    template = _TEMPLATES[kind]
    name, item = rng.choice(_NAMES), rng.choice(_ITEMS)
    a, b = _operands(template.operator, rng)
    result = {"+": a + b, "-": a - b, "*": a * b}[template.operator]
    ending = rng.randrange(len(_CORE["en"]))
    who = f"{name[0]}-" if "{n}" in template.request["en"] else ""  # a name not used must not make two tasks of one
    slots = {
        code: {"n": name[index], "i": item[index], "a": a, "b": b, "r": result}
        for index, code in enumerate(("en", "zh"))
    }
    return Problem(
        id=f"{kind}-{who}{item[0]}-{a}-{b}",
        request={code: template.request[code].format(**slots[code]) for code in slots},
        thinking=f"{a} {template.operator} {b} = {result}.",
        core={code: (_CORE[code][ending].format(**slots[code]),) for code in slots},
        optional={code: tuple(s.format(**slots[code]) for s in template.optional[code]) for code in slots},
        result=result,
    )


def _operands(operator: str, rng: Random) -> tuple[int, int]:
    if operator == "-":
        a = rng.randint(5, 9)
        return a, rng.randint(2, a - 2)
    if operator == "*":
        return rng.randint(2, 5), rng.randint(2, 5)
    return rng.randint(2, 9), rng.randint(2, 9)
