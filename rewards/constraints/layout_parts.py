"""Parts that an answer must have: placeholders, a postscript, two responses, parts between rules, italic theses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw, NonMarkup
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    LaidOut,
    fillers,
    has_word,
    join,
    pieces,
    quoted,
    repeats,
    spread,
    without_fences,
)
from rewards.filler import WORDS
from rewards.text import EDGE, MATH, Text

# Not `x[0]`, `\[`, `[text](url)`, `[text][ref]`, `- [x]` or a footnote.
_SQUARE = re.compile(rf"\[(?<!\\\[)(?<!{EDGE}\[)(?![\"'^])([^\[\]\n]++)\](?!\(|:[ \t]*(?:https?:|<))()")
_SQUARE_OR_LENS = re.compile(rf"{_SQUARE.pattern[:-2]}|[【［]([^【】［］\n]++)[】］]")
_REFERENCE = re.compile(r"\[[^\[\]\n]++\]\[[a-z0-9_-]*\]")
# A citation, an interval or an editor's note.
_NO_BLANK = re.compile(
    r"\s*(?:sic|citation needed|[+-]?(?:[a-z]|\d[\d.]*)\s*,\s*[+-]?(?:[a-z]|\d[\d.]*|∞|\\infty)"
    r"|[^\W\d_]['’\w]+(?:(?:,? (?:et al\.?|and|&) ?)[^\W\d_]?['’\w]*)?,? (?:1[5-9]|20)\d\d[a-z]?(?:, p+\. ?\d+)?)\s*",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_CHECKED = re.compile(r"^[ \t]*[-*+][ \t]+\[[xX]\]", re.MULTILINE)
_STARS = re.compile(r"\*(?<!\*\*)\*{5}(?!\*)")
_RULE = re.compile(r"^[ \t]*+(?:(?:\*[ \t]*+){3,}+|(?:-[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)\r?$", re.MULTILINE)
_LABEL = re.compile(
    r"[\s*_#]*+(?:response|answer|version|option|回答|答案|版本)?[ \t]*+[\dA-B一二]?[ \t*_]*+[:：.)\n]", re.IGNORECASE
)
_ITALIC = re.compile(r"<(i|em)(?:\s[^<>]*)?>([^<>]++)</(?:i|em)>", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]++\S.*", re.MULTILINE)
_OPENERS = " \t\r*_#>•-\"“‘'「『(（[【"
_CLOSERS = " \t\r*_\"”’'」』)）]】"
_NEAR = 60
_HEAD, _HEAD_WORDS = 240, 20  # two responses nearly always differ in their first words
_STOPS = tuple(".!?。！？")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


def placeholders(raw: str) -> list[str]:
    """Return what stands in square brackets to be filled in; links, indices and checkboxes are something else.

    Example:
        >>> placeholders("Dear [name], see [the site](a.b), x[i] and 【日期】. - [ ] done")
        ['name', '日期']
    """
    lenses = "【" in raw or "［" in raw
    if not lenses and "[" not in raw:
        return []
    text = MATH.sub(" ", raw) if "$" in raw or "\\" in raw else raw
    text = _REFERENCE.sub(" ", text) if "][" in text else text
    text = _CHECKED.sub(" ", text) if "[x]" in text or "[X]" in text else text
    found = (square or lens for square, lens in (_SQUARE_OR_LENS if lenses else _SQUARE).findall(text))
    return [name for name in found if _LETTER.search(name) and not _NO_BLANK.fullmatch(name)]


@register
class Placeholders(LaidOut):
    """At least `count` placeholders: words in square brackets, like [name] (or 【姓名】)."""

    type: Literal["layout:placeholders"] = "layout:placeholders"
    count: Annotated[Count, Draw.range(1, 6)]

    phrases: ClassVar = {
        "en": (
            "Your answer must contain at least {count} placeholder{s} in square brackets, such as [name] or [address].",
            "Include {count} or more placeholders: a word in square brackets, like [date]. Links do not count.",
        ),
        "zh": ("回答中至少包含{count}个用方括号表示的占位符，例如[姓名]。",),
    }
    notes: ClassVar = {"en": "{count} placeholder{s}", "zh": "{count}个占位符"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Dear [name], come on [date].", fails="Dear [name], see [1] and x[i]."),
        Example({"count": 1}, passes="亲爱的【姓名】：你好。", fails="亲爱的[]：你好。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(placeholders(text.raw))
        return verdict_if(found >= self.count, f"found {found} placeholders, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        missing, words = self.count - len(placeholders(text)), WORDS[language]
        names = (f"[{words[index % len(words)]}]" for index in range(missing))
        said = f"寄给{'、'.join(names)}。" if language == "zh" else f"Sent to {', '.join(names)}."
        return join([text, said], language) if text else said


def _marker(marker: str) -> str:
    if not _LETTER.search(marker) or "\n" in marker:
        raise ValueError(f"postscript marker {marker!r} must be one line with a letter")
    return marker.strip()


Marker = Annotated[
    NonMarkup,
    AfterValidator(_marker),
    Draw(
        lambda rng, language: rng.choice(
            ("附言：", "又及：") if language == "zh" else ("P.S.", "P.P.S.", "PS:", "N.B.")
        )
    ),
]


@lru_cache(maxsize=256)
def _opening(marker: str) -> re.Pattern[str]:
    """Return where a marker opens something: `P. S.` for `P.S.`, but neither `U.P.S.` nor `helps:` for `PS:`."""
    spaced = r"\s?".join(re.escape(part) for part in re.findall(r"[^.]*\.|[^.]+\Z", marker[1:]))
    bare, first = spaced.replace(r"\ ", r"\s+"), re.escape(marker[0])
    # The first letter comes before what may not precede it, so that a search can jump from one to the next.
    left = rf"(?<!{EDGE}{first})(?<!{EDGE}\.{first})(?<!\bp\.\s{first})" if re.match(EDGE, marker) else ""
    right = rf"(?!{EDGE})" if re.search(rf"{EDGE}\Z", marker) else ""
    bare = f"{bare[:-1]}[：:]" if bare.endswith("：") else bare
    return re.compile(first + left + bare + right, 0 if marker == marker.lower() else re.IGNORECASE)


def _openings(text: str, marker: str) -> list[re.Match[str]]:
    """Find a marker in any case; in ASCII a lower-case pattern on the lower-case text is much faster."""
    both = (text.lower(), marker.lower()) if text.isascii() and marker.isascii() else (text, marker)
    return [found for found in _opening(both[1]).finditer(both[0]) if _opens_part(text, found.start())]


def _opens_part(text: str, place: int) -> bool:
    """Tell whether a line or, behind the end of a sentence, something new begins at a place."""
    begin = text.rfind("\n", 0, place) + 1
    before = text[max(begin, place - _NEAR) : place]
    if not before.strip(_OPENERS):
        return True
    last = before.rstrip(_CLOSERS)[-1:]
    return last != "" and last not in ",，、" and not last.isalnum()


@register
class Postscript(LaidOut):
    """A postscript: the marker with words after it, text before it and at most one more paragraph below it."""

    type: Literal["layout:postscript"] = "layout:postscript"
    marker: Marker

    phrases: ClassVar = {
        "en": (
            'At the end of your answer, add a postscript starting with "{marker}".',
            'Close your answer with a postscript that begins with "{marker}".',
        ),
        "zh": ("在回答的最后加一段以“{marker}”开头的附言。",),
    }
    notes: ClassVar = {"en": "postscript {marker}", "zh": "附言{marker}"}
    examples: ClassVar = (
        Example({"marker": "P.S."}, passes="Take the train.\n\nP.S. Bring a book.", fails="Take the train.\n\nP.S."),
        Example({"marker": "附言："}, passes="坐火车去。\n附言：带本书。", fails="坐火车去。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        marks = _openings(text.raw, self.marker)
        if not marks:
            return verdict_if(False, f"no postscript marked {quoted(self.marker)}")
        found = marks[-1]
        before, after = text.raw[: found.start()], text.raw[found.end() :]
        below = sum(map(has_word, _BLANK_LINE.split(after.strip())[1:]))
        good = has_word(before) and has_word(after) and below <= 1
        return verdict_if(good, f"marker at character {found.start()}, {below} paragraphs below the postscript")

    def lay_out(self, text: str, language: str) -> str:
        said = text or fillers(language, 1)[0]
        if not _opens_part(f"{said}{self.gap}", len(said) + 1):
            said += "。" if language == "zh" else "."
        return f"{said}{self.gap}{self.marker} {fillers(language, 1, [text])[0]}"


def _said(response: str) -> tuple[str, ...]:
    """Return the words of a response without a label such as `Response 2:`, unless there is nothing else."""
    label = _LABEL.match(response)
    return (Text(response[label.end() :]).words if label else ()) or Text(response).words


def _differ(one: str, other: str) -> bool:
    heads = [_said(response[:_HEAD]) for response in (one, other)]
    if min(map(len, heads)) > _HEAD_WORDS and heads[0][:_HEAD_WORDS] != heads[1][:_HEAD_WORDS]:
        return True
    return _said(one) != _said(other)


@register
class TwoResponses(LaidOut):
    """Exactly two responses that differ in their words, with six asterisks (`******`) between them."""

    type: Literal["layout:two_responses"] = "layout:two_responses"

    phrases: ClassVar = {
        "en": (
            "Give exactly two different responses, separated by six asterisks: ******",
            "Write two responses that differ, and nothing but ****** between them.",
        ),
        "zh": ("给出恰好两个不同的回答，中间用六个星号******分隔。",),
    }
    notes: ClassVar = {"en": "two responses, ****** between", "zh": "两个回答，以******分隔"}
    examples: ClassVar = (
        Example({}, passes="Take the train.\n******\nTake the bus.", fails="Take the train.\n******\nTake the train!"),
        Example({}, passes="坐火车。\n******\n坐汽车。", fails="坐火车。\n***\n坐汽车。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        parts = _STARS.split(text.stripped) if "******" in text.raw else [text.stripped]
        first, last = 0 if has_word(parts[0]) else 1, len(parts) - (0 if has_word(parts[-1]) else 1)
        responses = parts[first:last]
        full = len(responses) == 2 and all(map(has_word, responses))
        differ = full and _differ(*responses)
        return verdict_if(differ, f"{len(responses)} responses{', both the same' if full and not differ else ''}")

    def lay_out(self, text: str, language: str) -> str:
        one = re.sub(r"\*{6,}", " ", text).strip()
        first, second = spread([one] if has_word(one) else [], 2, language)
        return f"{first}{self.gap}******{self.gap}{second}"


@register
class Dividers(LaidOut):
    """Exactly `count` different parts with a markdown rule (`***`, `---` or `___`) between them."""

    type: Literal["layout:dividers"] = "layout:dividers"
    count: Annotated[Count, Draw.range(2, 5)]

    phrases: ClassVar = {
        "en": (
            "Divide your answer into exactly {count} part{s}, all different, with *** on a line of its own between.",
            "Write exactly {count} part{s}, all different, separated by lines that hold only *** or ---.",
        ),
        "zh": ("用markdown分隔线（单独一行的***）把回答分成恰好{count}个内容不同的部分。",),
    }
    notes: ClassVar = {"en": "{count} part{s} between rules", "zh": "分隔线隔开的{count}部分"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Apples.\n***\nPears.", fails="Apples *** Pears."),
        Example({"count": 2}, passes="苹果。\n---\n梨。", fails="苹果。\n---\n苹果。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        parts = _RULE.split(without_fences(text.raw))
        inner = parts[0 if has_word(parts[0]) else 1 : len(parts) - (0 if has_word(parts[-1]) else 1)]
        full = all(map(has_word, inner)) and not repeats(inner)
        shown = f"{len(inner)} parts between rules{'' if full else ', some empty or alike'}"
        return verdict_if(full and len(inner) == self.count, f"{shown}; {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        return "\n***\n".join(spread(pieces(_RULE.sub("", text)), self.count, language))


def _opens_with_thesis(section: str) -> bool:
    """Tell whether an italic thesis with words stands first, but for a title, and words follow it."""
    body = section.strip()
    first = _BLANK_LINE.search(body, len(body) - len(body.lstrip()))
    for found in _ITALIC.finditer(body):
        if first and found.start() > first.start():
            break
        if has_word(found[2]):
            *above, line = body[: found.start()].split("\n")
            titles = list(filter(has_word, above))
            if has_word(line) or len(titles) > 1 or any(title.rstrip(" \t\r*_")[-1:] in _STOPS for title in titles):
                return False
            return has_word(_ITALIC.sub(" ", body[found.end() :]))
    return False


@register
class ItalicThesis(LaidOut):
    """Every section opens with a thesis in HTML italics (`<i>` or `<em>`) in its first paragraph, and goes on after it.

    The sections are those under markdown headings; an answer without headings is one section.
    """

    type: Literal["layout:italic_thesis"] = "layout:italic_thesis"

    phrases: ClassVar = {
        "en": (
            "Each section must begin with a thesis statement in HTML italics, like <i>thesis</i>, and then go on.",
            "Open every section (the answer, if it has no headings) with a thesis in <i>...</i> or <em>...</em>.",
        ),
        "zh": ("每一节（没有标题时就是整个回答）都要以HTML斜体的论点开头，如<i>论点</i>，后面再展开。",),
    }
    notes: ClassVar = {"en": "<i>thesis</i> first", "zh": "以<i>论点</i>开头"}
    examples: ClassVar = (
        Example({}, passes="<i>Apples are best.</i> They keep well.", fails="*Apples are best.* They keep well."),
        Example({}, passes="# 苹果\n<i>苹果最好。</i>它们耐放。", fails="<i>苹果最好。</i>", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        raw = without_fences(text.raw)
        parts = _HEADING.split(raw) if "#" in raw else [raw]
        sections = list(filter(has_word, parts[1:])) or ["".join(parts)]
        missing = sum(not _opens_with_thesis(section) for section in sections)
        return verdict_if(not missing, f"{missing} of {len(sections)} sections do not open with an italic thesis")

    def lay_out(self, text: str, language: str) -> str:
        thesis = fillers(language, 1, [text])[0]
        marks = list(_HEADING.finditer(text))
        ends = [*[mark.start() for mark in marks[1:]], len(text)][: len(marks)]
        full = [mark.end() for mark, end in zip(marks, ends, strict=True) if has_word(text[mark.end() : end])]
        for place in reversed(full):
            text = f"{text[:place]}\n<i>{thesis}</i> {text[place:].lstrip()}"
        if full:
            return text
        more = fillers(language, 2, [text])[1]
        return f"{text}\n<i>{thesis}</i> {more}" if marks else f"<i>{thesis}</i> {text or more}"
