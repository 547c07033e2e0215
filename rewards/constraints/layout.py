"""How the answer is laid out: bullet points, emphasised spans, numbered sections."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    HAN_DIGITS,
    LaidOut,
    bullet_items,
    clip,
    fillers,
    han_number,
    has_word,
    pieces,
    repeats,
    spread,
    without_code,
    without_fences,
)
from rewards.constraints.matching import is_han
from rewards.draft import Draft
from rewards.filler import WORDS
from rewards.text import EDGE, MATH, Text

_STARS = re.compile(rf"(\*(?<![*_\\]\*)(?<!{EDGE}\*)\*{{0,2}})(?![*\s])([^*\n]*[^*\s])\1(?![*_])(?!{EDGE})")
_LOW_LINES = re.compile(r"(_(?<![*_\\\w]_)_{0,2})(?![_\s])([^_\n]*[^_\s])\1(?![*_\w])")
_PLAIN_WORD = re.compile(r"(?<![\\\w*{_])[^\W\d_]{2,}(?![\w*}_])")
_NOTATION = re.compile(r"[$\\`*_]")


def _as_bullets(text: str, number: int, language: str) -> str:
    return "\n".join(f"- {part}" for part in spread(pieces(text), number, language))


@register
class Bullets(LaidOut):
    """Exactly `count` bullet points (`-`, `*`, `+` or `•`), no two alike; nested ones count."""

    type: Literal["layout:bullets"] = "layout:bullets"
    count: Annotated[Count, Draw.range(2, 6)]
    marks: Literal["-*+•", "-*+", "-", "*"] = "-*+•"

    phrases: ClassVar = {
        "en": (
            "Use exactly {count} bullet point{s}, no two alike, each on its own line starting with {mark}.",
            "Give your answer in exactly {count} markdown bullet point{s} ({mark}), no two alike.",
        ),
        "zh": (
            "用恰好{count}个要点回答，每个要点占一行，以{sign}开头，内容不重复。",
            "请列出恰好{count}个以{sign}开头、内容不重复的要点。",
        ),
    }
    notes: ClassVar = {"en": "{count} bullet{s}", "zh": "{count}个要点"}
    examples: ClassVar = (
        Example({"count": 2}, passes="- Apples\n- Pears", fails="- Apples\n- Apples"),
        Example({"count": 2}, passes="- 苹果\n- 梨", fails="- 苹果\n- 梨\n- 桃", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        shown = [f"“{mark}”" if language == "zh" else f"`{mark}`" for mark in self.marks if mark != "+"]
        last = "或" if language == "zh" else " or "
        said = last.join(filter(None, [("、" if language == "zh" else ", ").join(shown[:-1]), shown[-1]]))
        return {**super().slots(language), "mark": said, "sign": said}

    def judge(self, text: Text, context: Context) -> Verdict:
        marks = f"{self.marks}–·" if "•" in self.marks else self.marks
        items = [item for _, mark, item in bullet_items(text.raw) if mark in marks]
        evidence = f"found {len(items)} bullet points, wanted {self.count}"
        if len(items) == self.count and (again := repeats(items)):
            return verdict_if(False, f"{evidence}; {again} repeat an earlier one")
        return verdict_if(len(items) == self.count, evidence)

    def witness(self, draft: Draft) -> Draft:
        return super().witness(replace(draft, bullets=self.count) if self.scope == "answer" else draft)

    def lay_out(self, text: str, language: str) -> str:
        lines = _as_bullets(text, self.count, language)
        return lines if "-" in self.marks else lines.replace("- ", "* ")


@register
class MinBullets(LaidOut):
    """At least `count` different bullet points (`-`, `*`, `+` or `•`); nested ones count."""

    type: Literal["layout:min_bullets"] = "layout:min_bullets"
    count: Annotated[Count, Draw.range(2, 7)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} bullet point{s}, each on its own line and different from the others.",
            "Include {count} or more different markdown bullet points.",
        ),
        "zh": ("至少列出{count}个要点，每个要点以“- ”开头，内容不重复。", "请用不少于{count}个内容不重复的要点。"),
    }
    notes: ClassVar = {"en": "at least {count} bullet{s}", "zh": "至少{count}个要点"}
    examples: ClassVar = (
        Example({"count": 2}, passes="- Apples\n- Pears\n- Plums", fails="- Apples\n- Apples"),
        Example({"count": 2}, passes="- 苹果\n- 梨", fails="- 苹果", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        items = [item for _, _, item in bullet_items(text.raw)]
        again = repeats(items)
        found = len(items) - again
        repeated = f"; {again} repeat an earlier one" if again else ""
        shown = f"found {found} different bullet points, at least {self.count} wanted{repeated}"
        return verdict_if(found >= self.count, shown)

    def lay_out(self, text: str, language: str) -> str:
        return _as_bullets(text, max(self.count, len(pieces(text))), language)


@register
class MaxBullets(LaidOut):
    """Bullet points, but at most `count`; nested ones count."""

    type: Literal["layout:max_bullets"] = "layout:max_bullets"
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Use at most {count} bullet point{s}, but at least one.",
            "Give no more than {count} markdown bullet point{s}, one at the least.",
        ),
        "zh": ("使用要点，至少一个，最多{count}个，每个以“- ”开头。",),
    }
    notes: ClassVar = {"en": "1 to {count} bullet{s}", "zh": "1到{count}个要点"}
    examples: ClassVar = (
        Example({"count": 2}, passes="- Apples\n- Pears", fails="No list at all."),
        Example({"count": 1}, passes="水果：\n- 苹果", fails="- 苹果\n- 梨", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(bullet_items(text.raw))
        return verdict_if(1 <= found <= self.count, f"found {found} bullet points, 1 to {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        return _as_bullets(text, max(1, min(self.count, len(pieces(text)))), language)


@lru_cache(maxsize=16)
def _spans(raw: str) -> tuple[tuple[str, str], ...]:
    if "*" not in raw and "_" not in raw:
        return ()
    text = without_code(raw)
    text = MATH.sub(" ", text) if "$" in text or "\\" in text else text
    found = _STARS.findall(text) if "*" in text else []
    low = _LOW_LINES.findall(text) if "_" in text else []
    return tuple(span for span in (*found, *low) if has_word(span[1]))


def _emphasise(text: str, mark: str, missing: int, language: str) -> list[str]:
    """Emphasise plain words; where there are too few, or notation that may not be touched, add sentences."""
    done = 0
    if not _NOTATION.search(text):
        text, done = _PLAIN_WORD.subn(lambda word: f"{mark}{word[0]}{mark}", text, count=missing)
    words = WORDS[language]
    extra = fillers(language, missing - done)
    said = (f"{sentence} {mark}{words[i % len(words)]}{mark}" for i, sentence in enumerate(extra))
    return [*filter(None, [text]), *said]


class _Emphasised(LaidOut):
    """At least `count` emphasised spans of one kind."""

    count: Annotated[Count, Draw.range(1, 5)]
    marks: ClassVar[frozenset[str]]
    mark: ClassVar[str]

    def judge(self, text: Text, context: Context) -> Verdict:
        found = sum(mark in self.marks for mark, _ in _spans(text.raw))
        return verdict_if(found >= self.count, f"found {found} highlighted spans, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        found = sum(mark in self.marks for mark, _ in _spans(text))
        return self.gap.join(_emphasise(text, self.mark, self.count - found, language))


@register
class Highlights(_Emphasised):
    """At least `count` spans in markdown emphasis (`*x*`, `**x**`); formulas and code do not count."""

    type: Literal["layout:highlights"] = "layout:highlights"
    marks: ClassVar = frozenset(["*", "**", "***"])
    mark: ClassVar = "**"

    phrases: ClassVar = {
        "en": (
            "Highlight at least {count} part{s} of your answer in markdown, like **this**.",
            "Put at least {count} span{s} in markdown emphasis, like *this* or **this**.",
        ),
        "zh": ("用markdown突出至少{count}处，例如**这样**。", "至少有{count}处使用markdown强调（*斜体*或**加粗**）。"),
    }
    notes: ClassVar = {"en": "{count} highlight{s}", "zh": "{count}处强调"}
    examples: ClassVar = (
        Example({"count": 2}, passes="**Apples** and *pears* are fruit.", fails="**Apples** and 2 * 3 * 4."),
        Example({"count": 1}, passes="这是**苹果**。", fails="这是苹果。", language="zh"),
    )

    def witness(self, draft: Draft) -> Draft:
        needs = max(draft.highlights, self.count)
        return super().witness(replace(draft, highlights=needs) if self.scope == "answer" else draft)


@register
class MinBold(_Emphasised):
    """At least `count` spans in markdown bold (`**x**` or `__x__`); formulas and code do not count."""

    type: Literal["layout:min_bold"] = "layout:min_bold"
    marks: ClassVar = frozenset(["**", "***", "__", "___"])
    mark: ClassVar = "**"

    phrases: ClassVar = {
        "en": (
            "Set at least {count} part{s} of the text in markdown bold, like **this**.",
            "Use **bold** in at least {count} place{s}.",
        ),
        "zh": ("至少有{count}处用**粗体**（两个星号）。", "请至少加粗{count}处。"),
    }
    notes: ClassVar = {"en": "{count} bold span{s}", "zh": "{count}处粗体"}
    examples: ClassVar = (
        Example({"count": 1}, passes="Take the **left** road.", fails="Take the *left* road."),
        Example({"count": 1}, passes="走**左边**的路。", fails="走左边的路。", language="zh"),
    )


@register
class MinItalics(_Emphasised):
    """At least `count` spans in markdown italics (`*x*` or `_x_`); formulas and code do not count."""

    type: Literal["layout:min_italics"] = "layout:min_italics"
    marks: ClassVar = frozenset(["*", "***", "_", "___"])
    mark: ClassVar = "*"

    phrases: ClassVar = {
        "en": (
            "Set at least {count} part{s} of the text in markdown italics, like *this*.",
            "Use *italics* in at least {count} place{s}.",
        ),
        "zh": ("至少有{count}处用*斜体*（一个星号）。", "请至少有{count}处使用斜体。"),
    }
    notes: ClassVar = {"en": "{count} italic span{s}", "zh": "{count}处斜体"}
    examples: ClassVar = (
        Example({"count": 1}, passes="Take the _left_ road.", fails="Take the **left** road."),
        Example({"count": 1}, passes="走*左边*的路。", fails="走**左边**的路。", language="zh"),
    )


def _one_word(marker: str) -> str:
    if not re.fullmatch(r"[^\W\d_]+[.:#]?", marker):
        raise ValueError(f"section marker {marker!r} must be one word of letters")
    return marker


def _marker(rng: Random, language: str) -> str:
    return rng.choice(("部分", "Section") if language == "zh" else ("Section", "Part", "Chapter"))


@lru_cache(maxsize=256)
def _section_heading(marker: str, exact_case: bool) -> re.Pattern[str]:
    name = re.escape(marker)
    roman = rf"{name}[ \t]+((?-i:[IVXLC]){{1,7}})(?=[ \t*_\"”]*(?:[:.：—–-]|\r?$))"
    forms = [rf"{name}\s?(\d+)(?!\d|[.,]\d)", roman]
    if is_han(marker):
        number = rf"[ \t]?(\d+|[{HAN_DIGITS}]{{1,3}})"
        forms = [rf"{name}{number}(?!\d|[.,]\d)", rf"第{number}[ \t]?{name}"]
    # A section may be an item of a list itself. A search for line breaks is much faster than one for `^`.
    pattern = rf"\n[ \t>]*(?:(?:\d{{1,3}}[.)]|[-*+•])[ \t]+)?[ \t#*_\"“]*(?:{'|'.join(forms)})"
    return re.compile(pattern, re.MULTILINE | (0 if exact_case else re.IGNORECASE))


def _section_number(found: re.Match[str]) -> int:
    """Read the number of a section in digits, Roman or Chinese numerals; 0 for what is no number."""
    said = found[1] or found[2]
    if said[0].isdecimal():
        return int(said[:9])
    if said[0] in HAN_DIGITS:
        return han_number(said)
    values = [_ROMAN[letter] for letter in said]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


@register
class Sections(LaidOut):
    """Exactly `count` different sections with words, opened by lines that start with marker and number, in order."""

    type: Literal["layout:sections"] = "layout:sections"
    marker: Annotated[str, AfterValidator(_one_word), Draw(_marker)] = "Section"
    count: Annotated[Count, Draw.range(2, 5)]
    exact_case: bool = False

    phrases: ClassVar = {
        "en": (
            "Divide your answer into exactly {count} section{s}, headed {heads}, none of them empty and no two alike.",
            'Write exactly {count} section{s} with different text; start each with a line such as "{marker} 1".',
        ),
        "zh": ("把回答分成恰好{count}节，依次以{heads}这样的行开头，每节都要有内容且互不相同。",),
    }
    notes: ClassVar = {"en": "{count} time{s} {marker}", "zh": "{count}节{marker}"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Section 1\nApples.\nSection 2\nPears.", fails="Section 2\nApples."),
        Example(
            {"count": 2, "marker": "部分"}, passes="部分 1\n苹果。\n部分 2\n梨。", fails="部分 1\n苹果。", language="zh"
        ),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        raw = "\n" + without_fences(text.raw)
        marks = list(_section_heading(self.marker, self.exact_case).finditer(raw))
        numbers = list(map(_section_number, marks))
        wanted = list(range(1, self.count + 1))
        shown = f"section numbers {clip(str(numbers), 60)}, wanted {clip(str(wanted), 60)}"
        if numbers != wanted:
            return verdict_if(False, shown)
        ends = [*[mark.start() for mark in marks[1:]], len(raw)]
        bodies = [raw[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
        empty, again = sum(not has_word(body) for body in bodies), repeats(bodies)
        return verdict_if(not empty and not again, f"{self.count} sections, {empty} of them empty, {again} repeated")

    def slots(self, language: str) -> dict[str, Any]:
        heads = [f"{self.marker} {number}" for number in (1, 2)][: self.count]
        if language == "zh":
            said = "、".join(f"“{head}”" for head in heads)
        else:
            said = f"{', '.join(heads)} and so on" if self.count > 2 else " and ".join(heads)
        return {**super().slots(language), "heads": said}

    def witness(self, draft: Draft) -> Draft:
        planned = replace(draft, sections=self.count, section_marker=self.marker)
        return super().witness(planned if self.scope == "answer" else draft)

    def lay_out(self, text: str, language: str) -> str:
        body = _section_heading(self.marker, False).sub("\n", f"\n{text}")
        parts = spread(pieces(body), self.count, language)
        return "\n".join(f"{self.marker} {number}\n{part}" for number, part in enumerate(parts, 1))
