"""Blocks of markdown: fenced code, links, quotations, or none of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    LINE_MARK,
    LaidOut,
    bullet_items,
    fillers,
    has_word,
    headings,
    pieces,
    repeats,
    without_code,
    without_fences,
)
from rewards.filler import WORDS
from rewards.text import CODE, EDGE, MATH, Text

_FENCE = re.compile(r"^[ \t]*+(`{3,}|~{3,})[ \t]*+([^\n`]*)$", re.MULTILINE)
_LINK = re.compile(r"(?<![!\\])\[([^\[\]\n]++)\]\(<?([^()\s<>]++)[^()\n]*\)")
_ADDRESS = re.compile(r"[a-z]+:|[/#]|[^/]*\.", re.IGNORECASE)
_QUOTED = re.compile(r"^[ \t]*>[> \t]*+(\S.*)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*+(?:(?:\*[ \t]*+){3,}+|(?:-[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)\r?$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+\|[-:| \t]*+\r?$", re.MULTILINE)
_UNDERLINE = re.compile(r"^(?<=[^\n]\n)={2,}+[ \t]*+\r?$", re.MULTILINE)
_STRUCK = re.compile(r"(?<!~)~~(?![~\s])[^~\n]+~~(?!~)")
_IMAGE = re.compile(r"!\[[^\[\]\n]*+\]\([^()\n]+\)")
_EMPHASIS = re.compile(rf"(?<!{EDGE})(\*{{1,3}}|_{{1,3}})(?![*_\s])[^*_\n]+(?<!\s)\1(?!{EDGE})")
_ALIASES = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript", "sh": "bash", "shell": "bash"}
_SNIPPETS = {"python": 'print("{}")', "bash": "echo {}", "json": '{{"word": "{}"}}', "sql": "SELECT '{}';"}


@lru_cache(maxsize=16)
def code_blocks(raw: str) -> tuple[tuple[str, str], ...]:
    """Return language and code of the closed fenced code blocks that say something.

    Example:
        >>> code_blocks("```py\\nx = 1\\n```\\n```\\nopen")
        (('python', 'x = 1'),)
    """
    blocks: list[tuple[str, str]] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(raw):
        if opened is None:
            opened = fence
        elif not fence[2].strip() and fence[1].startswith(opened[1]):
            name = opened[2].split(maxsplit=1)[0].casefold() if opened[2].strip() else ""
            blocks.append((_ALIASES.get(name, name), raw[opened.end() : fence.start()].strip()))
            opened = None
    return tuple(block for block in blocks if has_word(block[1]))


def _language_tag(tag: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+#.-]{0,20}", tag):
        raise ValueError(f"code language {tag!r} must be one tag such as 'python'")
    return _ALIASES.get(tag.casefold(), tag.casefold())


CodeLanguage = Annotated[str, AfterValidator(_language_tag), Draw.choice("", "python", "bash", "json", "sql")]


@register
class CodeBlocks(LaidOut):
    """At least `count` different closed fenced code blocks that hold code, in `language` where one is named."""

    type: Literal["layout:code_blocks"] = "layout:code_blocks"
    count: Annotated[Count, Draw.range(1, 3)]
    language: CodeLanguage = ""

    phrases: ClassVar = {
        "en": (
            "Include at least {count} block{s} of fenced code (three backticks){tag}, all different.",
            "Use {count} or more blocks of fenced code{tag}, none of them empty.",
        ),
        "zh": ("至少包含{count}个不同的围栏代码块（三个反引号）{tag}。",),
    }
    notes: ClassVar = {"en": "{count} code block{s}", "zh": "{count}个代码块"}
    examples: ClassVar = (
        Example({"count": 1}, passes="Run it:\n```\nmake test\n```", fails="Run it: `make test`"),
        Example(
            {"count": 1, "language": "python"},
            passes="代码：\n```py\nprint(1)\n```",
            fails="代码：\n```python\n```",
            language="zh",
        ),
    )

    def slots(self, language: str) -> dict[str, object]:
        named = f"，语言标记为{self.language}" if language == "zh" else f" tagged {self.language}"
        return {**super().slots(language), "tag": named if self.language else ""}

    def judge(self, text: Text, context: Context) -> Verdict:
        codes = [code for name, code in code_blocks(text.raw) if self.language in ("", name)]
        found = len(codes) - repeats(codes)
        return verdict_if(found >= self.count, f"found {found} different code blocks, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        if len(_FENCE.findall(text)) % 2:
            text = f"{text}\n```"
        have, words = {code for _, code in code_blocks(text)}, WORDS["en"]
        snippet = _SNIPPETS.get(self.language, "{}")
        lines = (
            snippet.format(f"{word}{turn or ''}") for turn in range(1 + self.count // len(words)) for word in words
        )
        fresh = [line for line in lines if line not in have][: self.count]
        added = (f"```{self.language}\n{line}\n```" for line in fresh)
        return "\n".join([text, *added] if text else added)


@register
class NoCode(LaidOut):
    """No code: neither fenced blocks nor inline code in backticks."""

    type: Literal["layout:no_code"] = "layout:no_code"

    phrases: ClassVar = {
        "en": (
            "Do not use any code blocks or inline code.",
            "Write without code formatting: no backticks around text.",
        ),
        "zh": ("不要使用代码块，也不要使用行内代码（反引号）。",),
    }
    notes: ClassVar = {"en": "no code", "zh": "不用代码"}
    examples: ClassVar = (
        Example({}, passes="Run the tests.", fails="Run `make test`."),
        Example({}, passes="运行测试。", fails="```\nmake test\n```", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(CODE.findall(text.raw)) + len(_FENCE.findall(text.raw) if "~~~" in text.raw else ())
        return verdict_if(not found, f"found {found} pieces of code")

    def lay_out(self, text: str, language: str) -> str:
        said = _FENCE.sub("", text).replace("`", "").replace("~~~", "").strip()
        return said if has_word(said) else fillers(language, 1)[0]


def _markdown(raw: str) -> str:
    """Return the first kind of markdown that a text uses, or ""."""
    prose = MATH.sub(" ", without_code(raw))
    kinds = (
        ("code", CODE.search(raw) or _FENCE.search(raw)),
        ("a heading", headings(raw) or ("=" in prose and _UNDERLINE.search(prose))),
        ("a bullet point", any(mark in "-*+•" for _, mark, _ in bullet_items(raw))),
        ("a quotation", _QUOTED.search(prose)),
        ("a rule", _RULE.search(prose)),
        ("a table", _TABLE_RULE.search(prose)),
        ("a link", _LINK.search(prose) or ("![" in prose and _IMAGE.search(prose))),
        ("struck text", "~~" in prose and _STRUCK.search(prose)),
        ("emphasis", _EMPHASIS.search(prose)),
    )
    return next((name for name, found in kinds if found), "")


@register
class PlainText(LaidOut):
    """No markdown: no headings, bullet points, emphasis, links, tables, quotations, rules or code."""

    type: Literal["layout:plain_text"] = "layout:plain_text"

    phrases: ClassVar = {
        "en": (
            "Write plain text without any markdown: no headings, bullet points, bold, italics, links, tables, block"
            " quotes, rules or code.",
            "Use no markdown formatting at all in your answer.",
        ),
        "zh": ("只写纯文本，不使用任何markdown格式（标题、项目符号、粗体、斜体、链接、表格、引用、分隔线、代码）。",),
    }
    notes: ClassVar = {"en": "no markdown", "zh": "不用markdown"}
    examples: ClassVar = (
        Example({}, passes="1. Take the train.\n2. Read.", fails="Take the **train**."),
        Example({}, passes="坐火车去。", fails="- 坐火车去。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _markdown(text.raw)
        return verdict_if(not found, f"found {found or 'no markdown'}")

    def lay_out(self, text: str, language: str) -> str:
        said = _LINK.sub(r"\1", _RULE.sub("", _TABLE_RULE.sub("", _UNDERLINE.sub("", _FENCE.sub("", text)))))
        said = re.sub(r"[*_`~]+", "", LINE_MARK.sub("", said)).replace("|", " ").strip()
        said = "\n".join(filter(None, map(str.strip, said.split("\n"))))
        if _markdown(said):
            said = "\n".join(pieces(re.sub(r"[-+•#=>\[\]]+", " ", said)))
        return said if has_word(said) else fillers(language, 1)[0]


@register
class MinLinks(LaidOut):
    """At least `count` different markdown links (`[text](address)`) with words as text and a real address."""

    type: Literal["layout:min_links"] = "layout:min_links"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Include at least {count} link{s} in markdown, written [text](https://address), to different addresses.",
            "Use {count} or more links in markdown with different addresses.",
        ),
        "zh": ("至少包含{count}个不同的markdown链接，格式为[文字](https://网址)。",),
    }
    notes: ClassVar = {"en": "{count} link{s}", "zh": "{count}个链接"}
    examples: ClassVar = (
        Example({"count": 1}, passes="See [the guide](https://example.com).", fails="See https://example.com."),
        Example({"count": 1}, passes="见[指南](https://example.com)。", fails="见[指南]()。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _LINK.findall(without_code(text.raw))
        real = {address.casefold() for said, address in found if has_word(said) and _ADDRESS.match(address)}
        return verdict_if(len(real) >= self.count, f"{len(real)} different links, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        have, words = text.casefold(), WORDS["en"]
        addresses = (f"https://example.com/{word}{turn or ''}" for turn in range(1 + self.count) for word in words)
        fresh = [address for address in addresses if address not in have][: self.count]
        links = (f"[{WORDS[language][i % len(WORDS[language])]}]({address})" for i, address in enumerate(fresh))
        return self.gap.join([text, *links] if text else links)


@register
class MinQuotedLines(LaidOut):
    """At least `count` different lines of markdown quotation (`> text`)."""

    type: Literal["layout:min_quoted_lines"] = "layout:min_quoted_lines"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Include at least {count} line{s} of block quote (starting with >), all different.",
            "Use markdown block quotes: {count} or more lines, all different.",
        ),
        "zh": ("至少有{count}行不同的markdown引用（以>开头的行）。",),
    }
    notes: ClassVar = {"en": "{count} quoted line{s}", "zh": "{count}行引用"}
    examples: ClassVar = (
        Example({"count": 1}, passes="He wrote:\n> Take the train.", fails="He wrote:\n>\nTake the train."),
        Example({"count": 2}, passes="> 坐火车。\n> 带本书。", fails="> 坐火车。\n> 坐火车。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        lines = list(filter(has_word, _QUOTED.findall(without_fences(text.raw))))
        found = len(lines) - repeats(lines)
        return verdict_if(found >= self.count, f"{found} different quoted lines, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        added = (
            f"> {line}" for line in fillers(language, self.count, [line.lstrip("> ") for line in text.split("\n")])
        )
        return "\n".join([text, *added] if text else added)
