"""Headings and titles."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Count, Draw
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    LaidOut,
    fillers,
    has_word,
    headings,
    quoted,
    repeats,
    titles,
)
from rewards.text import Text

_DEEP = re.compile(r"^( {0,3})(#{1,6})(?=[ \t]+\S)", re.MULTILINE)
_ANGLED = re.compile(r"<<([^<>\n]++)>>")
_MARKUP = ' \t*_#"“”'


def _with_headings(text: str, levels: list[int], language: str) -> str:
    """Add one heading with a sentence under it for every level asked."""
    names = titles(language, len(levels), (title for _, title, _ in headings(text)))
    said = fillers(language, len(levels), [text])
    added = (f"{'#' * level} {name}\n{line}" for level, name, line in zip(levels, names, said, strict=True))
    return "\n".join([text, *added] if text else added)


@register
class MinHeadings(LaidOut):
    """At least `count` different markdown headings (`#` to `######`) with text under them."""

    type: Literal["layout:min_headings"] = "layout:min_headings"
    count: Annotated[Count, Draw.range(2, 5)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} heading{s} in markdown (lines starting with #), all different, with text under each.",
            "Structure your answer with {count} or more headings in markdown, none of them empty.",
        ),
        "zh": ("至少使用{count}个不同的markdown标题（以#开头的行），每个标题下都要有内容。",),
    }
    notes: ClassVar = {"en": "at least {count} heading{s}", "zh": "至少{count}个标题"}
    examples: ClassVar = (
        Example({"count": 2}, passes="# Fruit\n## Apples\nRed.\n## Pears\nGreen.", fails="# Apples\n# Pears"),
        Example({"count": 1}, passes="## 苹果\n红色的。", fails="##苹果\n红色的。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        filled = [title for _, title, has_text in headings(text.raw) if has_text]
        found = len(filled) - repeats(filled)
        return verdict_if(found >= self.count, f"{found} headings with text under them, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        filled = [title for _, title, has_text in headings(text) if has_text]
        return _with_headings(text, [2] * (self.count - len(filled) + repeats(filled)), language)


@register
class HeadingLevels(LaidOut):
    """Markdown headings of at least `count` different levels, with text under them."""

    type: Literal["layout:heading_levels"] = "layout:heading_levels"
    count: Annotated[int, Field(ge=1, le=6), Draw.range(2, 3)]

    phrases: ClassVar = {
        "en": (
            "Use markdown headings of at least {count} level{s} (#, ## and so on), with text under each.",
            "Nest your markdown headings: {count} or more levels, none of them empty.",
        ),
        "zh": ("使用至少{count}个不同级别的markdown标题（#、##等），每一级标题下都要有内容。",),
    }
    notes: ClassVar = {"en": "{count} heading level{s}", "zh": "{count}级标题"}
    examples: ClassVar = (
        Example({"count": 2}, passes="# Fruit\nFine.\n## Apples\nRed.", fails="# Apples\nRed.\n# Pears\nGreen."),
        Example({"count": 2}, passes="# 水果\n## 苹果\n红色的。", fails="# 水果\n红色的。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        levels = {level for level, _, has_text in headings(text.raw) if has_text}
        return verdict_if(len(levels) >= self.count, f"heading levels {sorted(levels)}, {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        levels = {level for level, _, has_text in headings(text) if has_text}
        free = [level for level in range(1, 7) if level not in levels]
        return _with_headings(text, free[: self.count - len(levels)], language)


@register
class MaxHeadingLevel(LaidOut):
    """Markdown headings, none deeper than `level`, at least one with text under it."""

    type: Literal["layout:max_heading_level"] = "layout:max_heading_level"
    level: Annotated[int, Field(ge=1, le=5), Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            "Use markdown headings, at least one with text under it, but none deeper than level {level} ({marks}).",
            "Include a markdown heading; no heading may have more than {level} # signs.",
        ),
        "zh": ("使用markdown标题，至少一个标题下有内容，但级别不超过{level}级（{marks}）。",),
    }
    notes: ClassVar = {"en": "headings up to level {level}", "zh": "标题不超过{level}级"}
    examples: ClassVar = (
        Example({"level": 2}, passes="## Apples\nRed.", fails="### Apples\nRed."),
        Example({"level": 3}, passes="# 苹果\n红色的。", fails="苹果是红色的。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, object]:
        return {"level": self.level, "marks": "#" * self.level}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = headings(text.raw)
        deepest = max((level for level, _, _ in found), default=0)
        filled = sum(has_text for _, _, has_text in found)
        shown = f"{filled} headings with text under them, the deepest has level {deepest}; {self.level} is allowed"
        return verdict_if(filled > 0 and deepest <= self.level, shown)

    def lay_out(self, text: str, language: str) -> str:
        text = _DEEP.sub(lambda mark: mark[1] + mark[2][: self.level], text)
        filled = any(has_text for _, _, has_text in headings(text))
        return text if filled else _with_headings(text, [self.level], language)


@register
class HeadingTitle(LaidOut):
    """The first line is a markdown heading of level one (`# Title`), and text follows."""

    type: Literal["layout:heading_title"] = "layout:heading_title"

    phrases: ClassVar = {
        "en": (
            'Start your answer with a title on a line of its own, as a markdown heading like "# Title".',
            "The first line must be a level-one markdown heading (# and a title), followed by the text.",
        ),
        "zh": ("回答的第一行必须是一级markdown标题，如“# 标题”，后面再写正文。",),
    }
    notes: ClassVar = {"en": "# title first", "zh": "首行为一级标题"}
    examples: ClassVar = (
        Example({}, passes="# Apples\nThey are red.", fails="Apples\n# They are red."),
        Example({}, passes="# 苹果\n红色的。", fails="## 苹果\n红色的。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        first, _, rest = text.stripped.partition("\n")
        titled = re.match(r"#[ \t]", first) is not None and has_word(first)
        shown = f"first line {quoted(first)}, {'text' if has_word(rest) else 'nothing'} after it"
        return verdict_if(titled and has_word(rest), shown)

    def lay_out(self, text: str, language: str) -> str:
        title = titles(language, 1)[0]
        return f"# {title}\n{text if has_word(text) else fillers(language, 1)[0]}"


def angled_titles(raw: str) -> list[str]:
    """Return what stands in double angular brackets on one line; `a << b and c >> d` is no title.

    Example:
        >>> angled_titles("<<Song of Joy>>\\n1 << 3 and 8 >> 2")
        ['Song of Joy']
    """
    return [found[1].strip() for found in _ANGLED.finditer(raw) if _is_title(found)]


def _is_title(found: re.Match[str]) -> bool:
    inner = found[1]
    if not has_word(inner):
        return False
    if inner == inner.strip():
        return True
    text = found.string
    begin, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    around = text[begin : found.start()] + text[found.end() : end if end >= 0 else len(text)]
    return not around.strip(_MARKUP)


@register
class Title(LaidOut):
    """A title in double angular brackets on one line (`<<title>>`), and text besides it."""

    type: Literal["layout:title"] = "layout:title"

    phrases: ClassVar = {
        "en": (
            "Give your answer a title in double angular brackets, such as <<title>>, besides its text.",
            "Your answer must contain a title wrapped in double angular brackets, like <<A quiet morning>>.",
        ),
        "zh": ("回答除正文外必须有一个用双尖括号括起来的标题，例如<<标题>>。",),
    }
    notes: ClassVar = {"en": "<<title>>", "zh": "<<标题>>"}
    examples: ClassVar = (
        Example({}, passes="<<Apples>>\nThey are red.", fails="<<>>\nThey are red."),
        Example({}, passes="<<苹果>>\n红色的。", fails="《苹果》\n红色的。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = angled_titles(text.raw)
        body = has_word(_ANGLED.sub("", text.raw))
        shown = f"{len(found)} titles in double angular brackets, {'with' if body else 'without'} text besides"
        return verdict_if(bool(found) and body, shown)

    def lay_out(self, text: str, language: str) -> str:
        body = text if has_word(_ANGLED.sub("", text)) else f"{text}{self.gap}{fillers(language, 1)[0]}".lstrip()
        return f"<<{titles(language, 1)[0]}>>{self.gap}{body}"
