"""Marks that must not occur. Each type names one sort of mark in every script; LaTeX notation is none."""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Draw
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, outside_notation
from rewards.constraints.matching import decide, quoted
from rewards.draft import Draft
from rewards.text import CODE, MATH, Text


def width_variants(mark: str) -> str:
    """Return a mark with its full-width or half-width form.

    Example:
        >>> width_variants("!"), width_variants("（"), width_variants("。")
        ('!！', '（(', '。')
    """
    code = ord(mark)
    if 0x21 <= code <= 0x7E:
        return mark + chr(code + 0xFEE0)
    return mark + chr(code - 0xFEE0) if 0xFF01 <= code <= 0xFF5E else mark


_MATHS = re.compile(rf"{MATH.pattern}|\\boxed\{{[^{{}}]*\}}", re.DOTALL)
_NOTATION_WORDS = re.compile(r"\\[A-Za-z]+[ ]?(?:\{[^{}]*\})?")
_SAID = re.compile(r"[a-z]{3}|[\u4e00-\u9fff]")
_OPERATOR = re.compile(r"[=^_+<>]")


def _no_formula(match: re.Match[str]) -> str:
    """Return a blank for a formula, and what stands between the delimiters of one where that is prose."""
    inner = _NOTATION_WORDS.sub(" ", match[0])
    return match[0] if _SAID.search(inner) and not _OPERATOR.search(inner) else " "


class _NoMark(Edited):
    """A constraint that no text with a certain mark satisfies."""

    unwanted: ClassVar[re.Pattern[str]]
    #: The mark after a backslash: notation in a formula, and the mark itself anywhere else.
    escaped: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    name: ClassVar[str]

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.found(text)
        if not found and "\\" in text.raw and self.escaped.search(text.raw):
            found = self.escaped.findall(_MATHS.sub(_no_formula, text.raw))
        shown = f", the first is {found[0]!r}" if found else ""
        return decide(not found, f"{self.name} found: {len(found)}{shown}")

    def found(self, text: Text) -> list[str]:
        """Return the marks that are not escaped."""
        return self.unwanted.findall(text.raw)

    def reshape(self, text: str, language: str) -> str:
        return self.first_accepted([outside_notation(text, self.without), self.without(text)])

    def without(self, part: str) -> str:
        """Return a text with the unwanted marks replaced."""
        return self.unwanted.sub(self.substitute(), self.escaped.sub(self.substitute(), part))

    @abstractmethod
    def substitute(self) -> str:
        """Return what takes the place of an unwanted mark."""


class _Dropped(_NoMark):
    def substitute(self) -> str:
        return ""


_COMMAS = ",，、،﹐﹑､︐︑\u055d\u060d\u066c\u1363\u1802\u1808\u2e32\u2e34\u2e41\u2e4c\ua4fe\ua60d"
_EXCLAMATIONS = "!！¡‼⁉⁈﹗‽❗❕❣︕\u055c\u1944\u2e53"


@register
class NoComma(_Dropped):
    """No comma of any script, including those inside numbers."""

    type: Literal["punctuation:no_comma"] = "punctuation:no_comma"
    # Commas of every script; `\\,` is a thin space in a formula, and `‚` opens a quotation where a word follows.
    unwanted: ClassVar = re.compile(rf"[{_COMMAS}](?<!\\.)|‚(?:(?<=\w‚)|(?!\w))")
    escaped: ClassVar = re.compile(rf"\\[{_COMMAS}]")
    name: ClassVar = "commas"

    phrases: ClassVar = {
        "en": ("Do not use any commas.", "Write without commas.", "Your answer must not contain a comma."),
        "zh": ("不要使用逗号或顿号。", "回答中不能有逗号和顿号。"),
    }
    notes: ClassVar = {"en": "no commas", "zh": "不用逗号"}
    examples: ClassVar = (
        Example({}, passes="One; two.", fails="One, two: 1,000."),
        Example({}, passes="苹果和梨。", fails="苹果、梨。", language="zh"),
    )

    def found(self, text: Text) -> list[str]:
        if not text.raw.isascii():
            return super().found(text)
        return [","] * (text.raw.count(",") - text.raw.count("\\,"))

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, commas=False).with_edit(self.edit_scope))


@register
class NoPeriod(_NoMark):
    """No full stop or dot of any script, including decimal points and dots of ellipses."""

    type: Literal["punctuation:no_period"] = "punctuation:no_period"
    unwanted: ClassVar = re.compile("[.。．｡।॥۔…⋯․‥﹒︒︙\u0589\u1362\u1803\u2e3c\ua4ff\ua60e]")
    name: ClassVar = "full stops"

    phrases: ClassVar = {
        "en": ("Do not use any full stops or dots, not even in numbers.", "Write without a single period."),
        "zh": ("不要使用句号、英文句点、小数点和省略号。", "回答中不能有句号、小数点和省略号。"),
    }
    notes: ClassVar = {"en": "no full stops", "zh": "不用句号"}
    examples: ClassVar = (
        Example({}, passes="It rains! Why?", fails="It rains."),
        Example({}, passes="下雨了！", fails="下雨了。", language="zh"),
    )

    def substitute(self) -> str:
        return "!"


@register
class NoExclamation(_NoMark):
    """No exclamation mark of any script."""

    type: Literal["punctuation:no_exclamation"] = "punctuation:no_exclamation"
    unwanted: ClassVar = re.compile(rf"(?<!\\)[{_EXCLAMATIONS}]")
    escaped: ClassVar = re.compile(rf"\\[{_EXCLAMATIONS}]")
    name: ClassVar = "exclamation marks"

    phrases: ClassVar = {
        "en": ("Do not use any exclamation marks.", "Write without exclamation marks."),
        "zh": ("不要使用感叹号。", "回答中不能有感叹号。"),
    }
    notes: ClassVar = {"en": "no exclamation marks", "zh": "不用感叹号"}
    examples: ClassVar = (
        Example({}, passes="It rains.", fails="It rains!"),
        Example({}, passes="下雨了。", fails="下雨了！", language="zh"),
    )

    def substitute(self) -> str:
        return "."


@register
class NoQuestion(_NoMark):
    """No question mark of any script."""

    type: Literal["punctuation:no_question"] = "punctuation:no_question"
    unwanted: ClassVar = re.compile("[?？¿؟⁇⁈⁉‽﹖❓❔⸮︖\u037e\u055e\u061e\u1367\u1945\u2cfa\u2cfb\u2e54\ua60f\ua6f7]")
    name: ClassVar = "question marks"

    phrases: ClassVar = {
        "en": ("Do not use any question marks.", "Write without question marks."),
        "zh": ("不要使用问号。", "回答中不能有问号。"),
    }
    notes: ClassVar = {"en": "no question marks", "zh": "不用问号"}
    examples: ClassVar = (
        Example({}, passes="It rains.", fails="Does it rain?"),
        Example({}, passes="下雨了。", fails="下雨了吗？", language="zh"),
    )

    def substitute(self) -> str:
        return "."


_QUOTES = '"“”„‟«»‹›「」『』﹁﹂﹃﹄〝〞〟＂❝❞｢｣'


@register
class NoQuotes(_Dropped):
    """No quotation mark of any script; apostrophes inside or after words are none."""

    type: Literal["punctuation:no_quotes"] = "punctuation:no_quotes"
    # Quotation marks of every script, two backticks or apostrophes as LaTeX uses them, and single marks before and
    # after words, except for the apostrophes of shortened words.
    unwanted: ClassVar = re.compile(
        rf"[{_QUOTES}'‘‚’`](?:(?<=[{_QUOTES}])"
        r"|(?<!\w.)(?<=['‘‚])(?=\w)(?!\d\ds?\b(?!['’%])|(?i:n|tis|twas|twere|twill|em|til|till|cause|cuz|bout|round)\b)"
        r"|(?<=\w[.!?,]['’])(?!\w)|(?<=[^`]`)`(?=[^`\n]{1,200}'')|(?<![\w']')'(?=\w)|(?<=\A`)`(?=[^`\n]{1,200}''))"
    )
    name: ClassVar = "quotation marks"

    phrases: ClassVar = {
        "en": ("Do not use any quotation marks; apostrophes are fine.", "Write without quotation marks."),
        "zh": ("不要使用任何引号。", "回答中不能有引号。"),
    }
    notes: ClassVar = {"en": "no quotation marks", "zh": "不用引号"}
    examples: ClassVar = (
        Example({}, passes="It's the dogs' home.", fails="He said 'go' and left."),
        Example({}, passes="他说走吧。", fails="他说“走吧”。", language="zh"),
    )


@register
class NoParentheses(_Dropped):
    """No round bracket, half-width or full-width; those of LaTeX delimiters do not count."""

    type: Literal["punctuation:no_parentheses"] = "punctuation:no_parentheses"
    unwanted: ClassVar = re.compile(r"(?<!\\)[()（）﹙﹚︵︶⦅⦆｟｠❨❩]")
    escaped: ClassVar = re.compile(r"\\[()（）]")
    name: ClassVar = "parentheses"

    phrases: ClassVar = {
        "en": ("Do not use any parentheses.", "Write without round brackets."),
        "zh": ("不要使用圆括号。", "回答中不能有圆括号。"),
    }
    notes: ClassVar = {"en": "no parentheses", "zh": "不用圆括号"}
    examples: ClassVar = (
        Example({}, passes="It rains [a lot].", fails="It rains (a lot)."),
        Example({}, passes="下雨了。", fails="下雨了（很大）。", language="zh"),
    )


@register
class NoDash(_NoMark):
    """No dash (`—`, `–`, `―`, `--`, or a hyphen between blanks).

    Hyphens inside words, list markers, minus signs between numbers, formulas and code are none.
    """

    type: Literal["punctuation:no_dash"] = "punctuation:no_dash"
    unwanted: ClassVar = re.compile(
        r"[—–―⸺⸻﹘‒−－─━-](?:(?<=[—–―⸺⸻﹘])"
        r"|(?<=[^\s|][ \t]-)(?=[ \t][^\s|])(?:(?<![\d)][ \t]-)|(?![ \t][\d(]))|(?<=[\w\s]-)-(?=[\w\s])"
        r"|(?<=[\w.,;!?)\"'”’]-)--(?=[\w\"'“‘(])|(?<=[^\s|:][ \t]-)--(?=[ \t][^\s|:])"
        r"|(?:(?<=\S[‒−－])|(?<=\S[ \t][‒−－]))(?![‒−－]?[ \t]?(?:\d|[(]|[b-zB-HJ-Z](?!\w)))"
        r"|(?<=[\w，。”][─━])[─━]+(?=[\w“])|(?<=\w[ \t][─━])[─━]*(?=[ \t]\w))"
    )
    name: ClassVar = "dashes"

    phrases: ClassVar = {
        "en": ("Do not use any dashes; hyphens inside words are fine.", "Write without dashes."),
        "zh": ("不要使用破折号。", "回答中不能有破折号。"),
    }
    notes: ClassVar = {"en": "no dashes", "zh": "不用破折号"}
    examples: ClassVar = (
        Example({}, passes="A well-known one, it rains.", fails="It rains \u2014 a lot."),
        Example({}, passes="下雨了。", fails="下雨了\u2014\u2014很大。", language="zh"),
    )

    def found(self, text: Text) -> list[str]:
        plain = CODE.sub("0", text.raw) if "`" in text.raw else text.raw
        return self.unwanted.findall(MATH.sub("0", plain) if "$" in plain or "\\" in plain else plain)

    def substitute(self) -> str:
        return " "


@register
class NoEllipsis(_NoMark):
    """No ellipsis: neither `…` nor two dots or more in a row, in any width."""

    type: Literal["punctuation:no_ellipsis"] = "punctuation:no_ellipsis"
    unwanted: ClassVar = re.compile(
        r"[….⋯。．‥︙·・․](?:(?<=[…⋯‥︙])|(?<=\.)(?:\.+|(?:[ \u00a0]\.){2,})"
        r"|(?<=。)。+|(?<=．)．+|(?<=·)·+|(?<=・)・+|(?<=․)․+)"
    )
    name: ClassVar = "ellipses"

    phrases: ClassVar = {
        "en": ("Do not use any ellipses, neither as three dots nor as one sign.", "Write without ellipses."),
        "zh": ("不要使用省略号。", "回答中不能有省略号。"),
    }
    notes: ClassVar = {"en": "no ellipses", "zh": "不用省略号"}
    examples: ClassVar = (
        Example({}, passes="It rains. A lot.", fails="It rains... A lot."),
        Example({}, passes="下雨了。", fails="下雨了……", language="zh"),
    )

    def substitute(self) -> str:
        return "."


def is_mark(mark: str) -> bool:
    """Tell whether a character is a punctuation mark or sign that shows; letters, emoji and accents are none.

    Example:
        >>> is_mark(";"), is_mark("+"), is_mark("a"), is_mark("😊"), is_mark("\\u200b")
        (True, True, False, False, False)
    """
    category = unicodedata.category(mark)
    return category[0] == "P" or category in {"Sc", "Sk", "Sm"}


# Marks of other scripts that look the same.
_ALIKE = {";": "\u037e", "；": "\u037e", "!": "❗", "！": "❗", "?": "❓", "？": "❓"}


def _marks(marks: str) -> str:
    if not marks or len(marks) > 40 or not all(map(is_mark, marks)):
        raise ValueError(f"{marks!r} is not a string of 1 to 40 punctuation marks")
    return marks


_DRAWN = {"en": (";", ":", "!?", ";:", "()", "&", "/"), "zh": ("；", "：", "！？", "；：", "（）", "《》")}
Marks = Annotated[str, AfterValidator(_marks), Draw(lambda rng, language: rng.choice(_DRAWN[language]))]


@register
class Forbidden(_Dropped):
    """None of the given marks occurs, in full width or half width, after a backslash neither."""

    type: Literal["punctuation:forbidden"] = "punctuation:forbidden"
    marks: Marks
    unwanted: ClassVar = re.compile(r"(?!)")
    name: ClassVar = "forbidden marks"

    phrases: ClassVar = {
        "en": (
            "Do not use the punctuation {listed}, in whatever width.",
            "Your answer must not contain the punctuation {listed}.",
        ),
        "zh": ("不要使用{listed}，全角半角都算。",),
    }
    notes: ClassVar = {"en": "no {listed}", "zh": "不用{listed}"}
    examples: ClassVar = (
        Example({"marks": ";"}, passes="One. Two: three.", fails="One; two."),
        Example({"marks": "；"}, passes="一，二。", fails="一；二。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"listed": quoted(self.marks, language)}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = {mark: count for mark in self._all if (count := text.raw.count(mark))}
        shown = ", ".join(f"{count} {mark!r}" for mark, count in list(found.items())[:8])
        return decide(not found, f"found {shown}" if found else "no forbidden mark")

    @property
    def _all(self) -> str:
        return "".join(dict.fromkeys("".join(width_variants(mark) + _ALIKE.get(mark, "") for mark in self.marks)))

    def without(self, part: str) -> str:
        return part.translate(dict.fromkeys(map(ord, self._all)))
