"""Marks that must occur: how many, at which places, in pairs and in which width."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw, Tolerated
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue, outside_notation
from rewards.constraints.matching import HAN, decide, said_sentences
from rewards.constraints.punctuation import is_mark, width_variants
from rewards.constraints.shaping import closed, words_needed
from rewards.filler import sentences
from rewards.sentences import split_sentences
from rewards.text import Text

_CLOSERS = "\"'”’»」』）)]}*_`"
_END_MARKS = "[.!?…。！？．｡؟۔।॥‽]"
_FINAL = re.compile(
    rf"{_END_MARKS}+(?=[\"'”’»」』）)\]*_`]*\Z)|(?<=[^\s{re.escape(_CLOSERS)}])(?=[\"'”’»」』）)\]*_`]*\Z)"
)
_PERIODS = ".。．｡।۔"


def _mark(mark: str) -> str:
    if len(mark) != 1 or not is_mark(mark) or mark == "`":
        raise ValueError(f"{mark!r} is not one punctuation mark")
    return mark


def _final_mark(mark: str) -> str:
    if _mark(mark) in _CLOSERS or unicodedata.category(mark) in {"Ps", "Pi", "Pf"}:
        raise ValueError(f"no sentence ends with {mark!r} alone, which stands around other text")
    return mark


Mark = Annotated[
    str,
    AfterValidator(_mark),
    Draw(lambda rng, language: rng.choice({"en": "!?;:,", "zh": "！？；：，"}[language])),
]


class _MarkCount(Edited):
    """A constraint on how often one mark occurs, in full width or half width."""

    mark: Mark

    def found_in(self, text: Text) -> int:
        """Count the mark in the text without formulas and code."""
        return sum(map(text.prose.count, width_variants(self.mark)))

    def without(self, text: str, keep: int) -> str:
        """Return the text with the mark deleted after its first `keep` occurrences."""
        left = iter(range(keep))
        pattern = re.compile(f"[{re.escape(width_variants(self.mark))}]")
        return outside_notation(
            text, lambda part: pattern.sub(lambda m: m[0] if next(left, None) is not None else "", part)
        )

    def with_more(self, text: str, missing: int, language: str) -> str:
        """Return the text with sentences after it that end in the mark."""
        for sentence in sentences(language, missing):
            text = glue(closed(text), sentence.rstrip(".。") + self.mark, language)
        return text


@register
class MinMarks(_MarkCount):
    """At least `count` occurrences of a mark outside formulas and code; full width and half width both count."""

    type: Literal["punctuation:min_marks"] = "punctuation:min_marks"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            'Use the mark "{mark}" at least {count} time{s}, in full or half width.',
            'Your answer needs the mark "{mark}" {count} or more times.',
        ),
        "zh": ("至少使用{count}个“{mark}”（全角半角都算）。",),
    }
    notes: ClassVar = {"en": 'at least {count} "{mark}"', "zh": "至少{count}个“{mark}”"}
    examples: ClassVar = (
        Example({"mark": "!", "count": 2}, passes="Go! Now！", fails="Go! Now."),
        Example({"mark": "；", "count": 1}, passes="一；二。", fails="一，二。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.found_in(text)
        return decide(found >= self.count, f"{found} {self.mark!r}, at least {self.count} wanted")

    def reshape(self, text: str, language: str) -> str:
        return self.with_more(text, self.count - self.found_in(Text(text)), language)


@register
class MaxMarks(_MarkCount):
    """At most `count` occurrences of a mark outside formulas and code; full width and half width both count."""

    type: Literal["punctuation:max_marks"] = "punctuation:max_marks"
    count: Annotated[Tolerated, Draw.range(1, 3)]

    phrases: ClassVar = {
        "en": (
            'Use the mark "{mark}" at most {count} time{s}, in full or half width.',
            'Use the mark "{mark}" no more than {count} time{s}.',
        ),
        "zh": ("最多使用{count}个“{mark}”（全角半角都算）。",),
    }
    notes: ClassVar = {"en": 'at most {count} "{mark}"', "zh": "最多{count}个“{mark}”"}
    examples: ClassVar = (
        Example({"mark": "!", "count": 1}, passes="Go! Now.", fails="Go! Now！"),
        Example({"mark": "；", "count": 0}, passes="一，二。", fails="一；二。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.found_in(text)
        return decide(found <= self.count, f"{found} {self.mark!r}, at most {self.count} allowed")

    def reshape(self, text: str, language: str) -> str:
        return self.without(text, self.count)


@register
class ExactMarks(_MarkCount):
    """Exactly `count` occurrences of a mark outside formulas and code; full width and half width both count."""

    type: Literal["punctuation:exact_marks"] = "punctuation:exact_marks"
    count: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            'Use the mark "{mark}" exactly {count} time{s}, in full or half width.',
            'The mark "{mark}" must occur exactly {count} time{s}.',
        ),
        "zh": ("恰好使用{count}个“{mark}”（全角半角都算）。",),
    }
    notes: ClassVar = {"en": 'exactly {count} "{mark}"', "zh": "恰好{count}个“{mark}”"}
    examples: ClassVar = (Example({"mark": "!", "count": 1}, passes="Go! Now.", fails="Go! Now!"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.found_in(text)
        return decide(found == self.count, f"{found} {self.mark!r}, exactly {self.count} wanted")

    def reshape(self, text: str, language: str) -> str:
        kept = self.without(text, self.count)
        return self.with_more(kept, max(0, self.count - self.found_in(Text(kept))), language)


@register
class EndsWith(Edited):
    """Every sentence ends with the given mark, closing quotes and markdown aside; full stops of all scripts are one."""

    type: Literal["punctuation:ends_with"] = "punctuation:ends_with"
    mark: Annotated[
        str,
        AfterValidator(_final_mark),
        Draw(lambda rng, language: rng.choice({"en": ".!?", "zh": "。！？"}[language])),
    ]

    phrases: ClassVar = {
        "en": (
            'End every sentence with "{mark}"; a heading or list item counts as a sentence.',
            'The last mark of each sentence must be "{mark}".',
        ),
        "zh": ("每句话都以“{mark}”结束（标题和列表项也算句子）。",),
    }
    notes: ClassVar = {"en": 'sentences end with "{mark}"', "zh": "每句以“{mark}”结束"}
    examples: ClassVar = (
        Example({"mark": "!"}, passes='It rains! He said "go!"', fails="It rains! He left."),
        Example({"mark": "！"}, passes="下雨了！走吧！", fails="下雨了！走吧。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        marks = tuple(_PERIODS if self.mark in _PERIODS else width_variants(self.mark))
        found = said_sentences(text)
        wrong = next((each for each in found if not each.rstrip(_CLOSERS).endswith(marks)), None)
        if wrong is not None:
            return decide(False, f"a sentence ends with {wrong[-60:]!r}")
        return decide(bool(found), f"{len(found)} sentences end with {self.mark!r}")

    def reshape(self, text: str, language: str) -> str:
        for sentence in split_sentences(text):
            text = text.replace(sentence, _FINAL.sub(lambda match: self.mark, sentence, count=1), 1)
        return text if self.accepts(text) else sentences(language, 1)[0].rstrip(".。") + self.mark


_WIDE = str.maketrans(",.!?;:()", "，。！？；：（）")
_NARROW_AT_HAN = re.compile(
    rf"[,.!?;:()](?:(?<=[{HAN}”’》）][,.!?;:])(?!\w)|(?<=[{HAN}][,!?;:])(?=[{HAN}])|(?<=\()(?=[{HAN}])|(?<=[{HAN}]\)))"
    rf"|[A-Za-z0-9](?:(?<=[{HAN}].)|(?<=[{HAN}][ ].))[A-Za-z0-9]{{,40}}[,.!?;:](?=\s*\Z|\n|[{HAN}])"
)


_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@register
class FullWidthOnly(Edited):
    """Next to Han characters the marks are full-width (，。！？；：（）), and there is such a mark."""

    type: Literal["punctuation:full_width_only"] = "punctuation:full_width_only"

    phrases: ClassVar = {
        "en": (
            "Write Chinese with full-width marks only (，。！？；：), and no half-width mark next to a character.",
            "Use full-width punctuation throughout your Chinese text.",
        ),
        "zh": ("中文里只用全角标点（，。！？；：（）），汉字旁边不得用半角标点。", "请使用全角标点。"),
    }
    notes: ClassVar = {"en": "full-width marks", "zh": "用全角标点"}
    examples: ClassVar = (Example({}, passes="你好，这是v1.5。", fails="你好,世界。", language="zh"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        if not _CHINESE.search(text.prose):
            return decide(False, "no Chinese")
        narrow = _NARROW_AT_HAN.findall(text.prose)
        if narrow:
            return decide(False, f"{len(narrow)} half-width marks next to Han characters, the first is {narrow[0]!r}")
        found = len(re.findall("[，。！？；：（）、]", text.prose))
        return decide(found > 0, f"{found} full-width marks and no half-width ones")

    def reshape(self, text: str, language: str) -> str:
        wide = outside_notation(text, lambda part: _NARROW_AT_HAN.sub(lambda match: match[0].translate(_WIDE), part))
        return self.first_accepted([wide, glue(closed(wide), sentences("zh", 1)[0], "zh")])


_OPENING = {
    "(": ")",
    "[": "]",
    "{": "}",
    "（": "）",
    "【": "】",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "“": "”",
    "«": "»",
}
_PAIRED = re.compile(r"[()\[\]{}（）【】「」『』《》〈〉“”«»]")
_NOT_PAIRED = re.compile(r"^[ \t>*-]*\w{1,3}[)）]|[:;=]-?[)(]|\d['′’][ ]?\d{1,2}\"", re.MULTILINE)
_LOW_QUOTE = re.compile("„([^„“”]*+)[“”]")
_FILLED = re.compile(r"[(\[{（【「『《〈“«]\s*+[^\s()\[\]{}（）【】「」『』《》〈〉“”«»]")


def _unbalanced(prose: str) -> str:
    """Say what is wrong with the brackets and quotation marks, or "" where all are closed in order."""
    stack: list[str] = []
    for mark in _PAIRED.findall(prose):
        if mark in _OPENING:
            stack.append(_OPENING[mark])
        elif not stack or stack.pop() != mark:
            return f"{mark!r} closes nothing"
    if stack:
        return f"{len(stack)} still open, {stack[-1]!r} is missing"
    return "an odd number of straight quotation marks" if prose.count('"') % 2 else ""


def _paired_prose(text: Text) -> str:
    """Return the prose without list labels, smileys and inches, and with German quotation marks as English ones."""
    prose = _NOT_PAIRED.sub(" ", text.prose)
    return _LOW_QUOTE.sub(r"“\1”", prose) if "„" in prose else prose


def _holds_something(prose: str) -> bool:
    return _FILLED.search(prose) is not None or any(map(str.strip, prose.split('"')[1::2]))


@register
class Balanced(Edited):
    """There is a pair of brackets or quotation marks, and all of them are closed in the right order.

    Formulas and code are left out, and so are list labels such as `a)` and smileys.
    """

    type: Literal["punctuation:balanced"] = "punctuation:balanced"

    phrases: ClassVar = {
        "en": (
            "Use at least one pair of brackets or double quotation marks, and close every one that you open.",
            "Include brackets or double quotation marks, and keep all of them balanced.",
        ),
        "zh": ("至少使用一对括号或引号，并且所有括号和引号都要成对。",),
    }
    notes: ClassVar = {"en": "balanced brackets and quotes", "zh": "括号引号成对"}
    examples: ClassVar = (
        Example({}, passes='It rains ("a [lot]").', fails="It rains (a [lot)]."),
        Example({}, passes="他说“走（吧）”。", fails="他说“走（吧”）。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        prose = _paired_prose(text)
        problem = _unbalanced(prose)
        if problem:
            return decide(False, problem)
        found = len(_PAIRED.findall(prose)) // 2 + prose.count('"') // 2
        return decide(_holds_something(prose), f"{found} pairs, all closed")

    def reshape(self, text: str, language: str) -> str:
        extra = {"en": " (as said)", "zh": "（如上）"}[language]
        bare = outside_notation(text, lambda part: _PAIRED.sub("", part).replace('"', ""))
        return self.first_accepted([text + extra, bare + extra])


_JOINT = re.compile(rf"({_END_MARKS}[\"'”’)\]*_]*)[-‐](?=[^\s\-‐])")


def _joined_pieces(text: str) -> list[str]:
    cuts = [(match.end(1), match.end()) for match in _JOINT.finditer(text)]
    bounds = [0, *(edge for cut in cuts for edge in cut), len(text)]
    return [text[begin:end] for begin, end in zip(bounds[::2], bounds[1::2], strict=True)]


@register
class HyphenJoined(Edited):
    """Two sentences or more, joined by one hyphen each without a blank; outer blanks and markdown do not matter."""

    type: Literal["punctuation:hyphen_joined"] = "punctuation:hyphen_joined"

    phrases: ClassVar = {
        "en": (
            "Write at least two sentences and connect all of them by hyphens, with no blank between them (One.-Two.).",
            "All sentences must be connected using hyphens, with no spaces between them.",
        ),
        "zh": ("写至少两句话，句与句之间用连字符“-”连接，不留空格。-就像这样。",),
    }
    notes: ClassVar = {"en": "sentences joined by hyphens", "zh": "句间用连字符"}
    examples: ClassVar = (
        Example({}, passes="Cats run.-Dogs sit.", fails="Cats run. - Dogs sit."),
        Example({}, passes="猫跑了。-狗坐下。", fails="猫跑了。狗坐下。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        pieces = _joined_pieces(text.stripped.strip("*_`").removesuffix("-"))
        if len(pieces) == 1:
            return decide(False, "no hyphen joins two sentences")
        loose = next((piece for piece in dict.fromkeys(pieces) if len(split_sentences(piece)) != 1), None)
        if loose is not None:
            return decide(False, f"not one sentence between hyphens: {loose[:80]!r}")
        return decide(True, f"{len(pieces)} sentences, joined by {len(pieces) - 1} hyphens")

    def reshape(self, text: str, language: str) -> str:
        found = [closed(sentence) for sentence in split_sentences(text.replace("\n", " "))]
        return "-".join(found if len(found) > 1 else [*found, *sentences(language, 1)])
