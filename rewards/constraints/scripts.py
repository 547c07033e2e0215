"""In which script the answer is written. Formulas, code and LaTeX commands are left out; digits have no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Draw, Percent
from rewards.constraint import Context, Example, Status, Verdict, register
from rewards.constraints.chinese import SIMPLIFIED, TRADITIONAL, to_simplified, to_traditional
from rewards.constraints.editing import Edited, glue, outside_notation
from rewards.constraints.matching import HAN, decide
from rewards.constraints.resizing import replaced, spots
from rewards.filler import SENTENCES
from rewards.language import guess_language
from rewards.text import Text

Script = Literal["latin", "han", "kana", "hangul", "cyrillic", "greek", "arabic", "hebrew", "devanagari"]


class _Sample:
    """How the letters of a script are found, what it is called, and a sentence in it."""

    def __init__(self, letters: str, english: str, chinese: str, sentence: str) -> None:
        self.letters = re.compile(f"[{letters}]+")
        self.names = {"en": english, "zh": chinese}
        self.sentence = sentence


_LATIN = "A-Za-zªº\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f"
_SCRIPTS: dict[str, _Sample] = {
    "latin": _Sample(_LATIN, "Latin", "拉丁字母", "This is easy to check."),
    "han": _Sample("\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005", "Chinese", "汉字", "这很容易检查。"),
    "kana": _Sample(_KANA, "kana", "假名", "これは かんたんです。"),
    "hangul": _Sample("\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e", "Hangul", "谚文", "이것은 확인하기 쉽습니다."),
    "cyrillic": _Sample("\u0400-\u052f", "Cyrillic", "西里尔字母", "Это легко проверить."),
    "greek": _Sample("\u0370-\u0373\u0376-\u03ff\u1f00-\u1fff", "Greek", "希腊字母", "Αυτό είναι εύκολο."),
    "arabic": _Sample("\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f", "Arabic", "阿拉伯字母", "هذا سهل جدا."),
    "hebrew": _Sample("\u05d0-\u05ea", "Hebrew", "希伯来字母", "זה קל לבדיקה."),
    "devanagari": _Sample("\u0904-\u0939\u0958-\u0961\u0972-\u097f", "Devanagari", "天城文", "इसे जाँचना आसान है।"),
}  # fmt: skip
_RESULT = re.compile(r"\\boxed\{[^{}]*\}|\$[^$\n]+\$")
_LETTERS = re.compile(r"[^\W\d_]+")


def letter_shares(text: Text, script: str) -> tuple[int, int]:
    """Return how many letters of the prose are of a script, and how many letters there are.

    Example:
        >>> letter_shares(Text("Да, yes 7"), "cyrillic")
        (2, 5)
    """
    letters = sum(map(len, _LETTERS.findall(text.prose)))
    if text.prose.isascii():
        return letters if script == "latin" else 0, letters
    return sum(map(len, _SCRIPTS[script].letters.findall(text.prose))), letters


def _said_anew(text: str, said: Sequence[str]) -> list[str]:
    """Return a text with other sentences in the place of its own, numbered where they repeat; its results are kept."""
    changes = []
    for number, spot in enumerate(spots(text)):
        one, turn = said[number % len(said)], number // len(said)
        kept = " ".join(_RESULT.findall(text[spot.begin : spot.end]))
        changes.append((spot, f"{kept} {one[:-1]} {turn + 1}{one[-1]}" if turn else f"{kept} {one}".strip()))
    return [replaced(text, changes).strip()] if changes else []


class _Scripted(Edited):
    """A constraint on the letters of one script."""

    script: Annotated[Script, Draw.choice("latin", "han")]

    def slots(self, language: str) -> dict[str, Any]:
        shown = self.model_dump(exclude={"type", "scope", "script"})
        return {"script": _SCRIPTS[self.script].names[language], **{k: f"{v:g}" for k, v in shown.items()}}

    def reshape(self, text: str, language: str) -> str:
        said = _SCRIPTS[self.script].sentence
        grown = [" ".join([text, *[said] * times]) for times in (1, 3, 10, 40)]
        return self.first_accepted([*grown, *_said_anew(text, [said]), said])


@register
class OneScript(_Scripted):
    """Every letter is of one script."""

    type: Literal["language:script"] = "language:script"
    script: Annotated[Script, Draw.choice(*_SCRIPTS)]

    phrases: ClassVar = {
        "en": (
            "Use letters of the {script} script only; formulas and code do not count.",
            "Write in {script} script and no other.",
        ),
        "zh": ("文字部分只使用{script}（公式和代码除外）。",),
    }
    notes: ClassVar = {"en": "{script} letters only", "zh": "只用{script}"}
    examples: ClassVar = (
        Example({"script": "cyrillic"}, passes="Да, это так: $x=7$.", fails="Да, yes."),
        Example({"script": "han"}, passes="答案是7。", fails="答案是x。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found, letters = letter_shares(text, self.script)
        return decide(0 < found == letters, f"{found} of {letters} letters are {self.slots('en')['script']}")


@register
class MinScriptShare(_Scripted):
    """At least `percent` percent of the letters are of one script."""

    type: Literal["language:min_script_share"] = "language:min_script_share"
    percent: Annotated[Percent, Draw.range(20, 80)]

    phrases: ClassVar = {
        "en": (
            "At least {percent}% of the letters must be of the {script} script; formulas and code do not count.",
            "Write {percent}% or more of all letters in {script} script.",
        ),
        "zh": ("至少{percent}%的文字是{script}（公式和代码除外）。",),
    }
    notes: ClassVar = {"en": "at least {percent}% {script} letters", "zh": "{script}至少{percent}%"}
    examples: ClassVar = (
        Example({"script": "han", "percent": 50}, passes="我爱 AI", fails="我 love AI", language="zh"),
        Example({"script": "latin", "percent": 90}, passes="I love it.", fails="I love 花园。"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found, letters = letter_shares(text, self.script)
        met = found > 0 and 100 * found >= self.percent * letters
        return decide(met, f"{found} of {letters} letters, at least {self.percent:g}% wanted")


@register
class MaxScriptShare(_Scripted):
    """At most `percent` percent of the letters are of one script."""

    type: Literal["language:max_script_share"] = "language:max_script_share"
    percent: Annotated[Percent, Draw.range(20, 60)]

    phrases: ClassVar = {
        "en": (
            "At most {percent}% of the letters may be of the {script} script; formulas and code do not count.",
            "Keep letters in {script} script to {percent}% of all letters or less.",
        ),
        "zh": ("最多{percent}%的文字是{script}（公式和代码除外）。",),
    }
    notes: ClassVar = {"en": "at most {percent}% {script} letters", "zh": "{script}最多{percent}%"}
    examples: ClassVar = (
        Example({"script": "latin", "percent": 30}, passes="我很爱你呀 AI", fails="我 love AI", language="zh"),
        Example({"script": "han", "percent": 50}, passes="I love 花园。", fails="花园很美 yes"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found, letters = letter_shares(text, self.script)
        met = letters > 0 and 100 * found <= self.percent * letters
        return decide(met, f"{found} of {letters} letters, at most {self.percent:g}% allowed")

    def reshape(self, text: str, language: str) -> str:
        other = _SCRIPTS["latin" if self.script == "han" else "han"].sentence
        grown = [" ".join([text, *[other] * times]) for times in (1, 3, 10, 40)]
        spoken = SENTENCES["en" if self.script == "han" else "zh"]
        return self.first_accepted([*grown, *_said_anew(text, spoken), other])


_HAN_WORD = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")


@register
class Bilingual(Edited):
    """English and Chinese both make up at least `percent` percent of the words (a Han character is a word)."""

    type: Literal["language:bilingual"] = "language:bilingual"
    percent: Annotated[float, Field(gt=0, le=50), Draw.range(10, 40)]

    phrases: ClassVar = {
        "en": (
            "Write in both English and Chinese: each must make up at least {percent}% of the words (a Chinese character"
            " is one word).",
            "Mix English and Chinese, with at least {percent}% of the words in each.",
        ),
        "zh": ("中英文都要用：英语单词和汉字各占总词数的至少{percent}%（一个汉字算一个词）。",),
    }
    notes: ClassVar = {"en": "English and Chinese, {percent}% each", "zh": "中英文各占{percent}%"}
    examples: ClassVar = (
        Example({"percent": 30}, passes="I love gardens. 我爱花园。", fails="I love the gardens. 我。"),
        Example({"percent": 20}, passes="我爱花园 and rain", fails="我爱花园。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"percent": f"{self.percent:g}"}

    def judge(self, text: Text, context: Context) -> Verdict:
        han, english = _HAN_WORD.findall(text.prose), _LATIN_WORD.findall(text.prose)
        least = self.percent / 100 * (len(han) + len(english))
        evidence = f"{len(english)} English words and {len(han)} Han characters, {self.percent:g}% wanted of each"
        if min(len(han), len(english)) < max(least, 1):
            return decide(False, evidence)
        language = guess_language(" ".join(english[:500])).language
        return decide(language in {None, "en"}, f"{evidence}; the words are {language or 'undecided'}")

    def reshape(self, text: str, language: str) -> str:
        english, chinese = " ".join(SENTENCES["en"]), "".join(SENTENCES["zh"])
        more = [f"{text}{gap}{chinese * m} {english} {english * n}" for gap in " \n" for m in (1, 2) for n in (0, 1)]
        return self.first_accepted([f"{text} {chinese}", f"{text} {english}", *more, f"{english} {chinese}"])

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        return {"percent": float(rng.randrange(10, 41, 5))}


@register
class NoLatin(Edited):
    """No Latin letter occurs outside formulas, code and LaTeX commands, and letters of another script do."""

    type: Literal["language:no_latin"] = "language:no_latin"

    phrases: ClassVar = {
        "en": (
            "Do not use any Latin letters; formulas and code do not count.",
            "Write without a single letter from A to Z.",
        ),
        "zh": ("回答中不要夹用任何英文字母（公式和代码除外）。", "不要出现拉丁字母。"),
    }
    notes: ClassVar = {"en": "no Latin letters", "zh": "不用英文字母"}
    examples: ClassVar = (Example({}, passes="答案是$x=7$。", fails="答案是OK。", language="zh"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        latin = _SCRIPTS["latin"].letters.search(text.prose)
        if latin:
            return decide(False, f"the first Latin letters are {latin[0][:40]!r}")
        return decide(_LETTERS.search(text.prose) is not None, "no Latin letter")

    def reshape(self, text: str, language: str) -> str:
        bare = outside_notation(text, lambda part: _SCRIPTS["latin"].letters.sub("", part))
        anew = _said_anew(text, SENTENCES["zh"])
        return self.first_accepted([*([bare] if language == "zh" else []), *anew, bare, SENTENCES["zh"][0]])


class _ChineseForm(Edited):
    """A constraint on which form of the Chinese characters is used."""

    def judge_form(self, text: Text, wanted: re.Pattern[str], unwanted: re.Pattern[str]) -> Verdict:
        """Judge by characters that have one form only."""
        if not _SCRIPTS["han"].letters.search(text.prose):
            return Verdict(Status.VIOLATED, "no Chinese characters")
        wrong, right = unwanted.findall(text.prose), len(wanted.findall(text.prose))
        if wrong:
            return decide(False, f"{len(wrong)} characters of the other form, the first is {wrong[0]!r}")
        if not right:
            return Verdict(Status.UNSCORED, "no character that tells simplified from traditional Chinese")
        return decide(True, f"{right} characters of this form and none of the other")


@register
class Simplified(_ChineseForm):
    """Chinese in simplified characters: none occurs that is used in traditional text only."""

    type: Literal["language:simplified"] = "language:simplified"

    phrases: ClassVar = {
        "en": ("Write in simplified Chinese characters only.", "Use simplified Chinese, no traditional characters."),
        "zh": ("请只用简体中文，不要出现繁体字。", "全文使用简体字。"),
    }
    notes: ClassVar = {"en": "simplified Chinese", "zh": "用简体字"}
    examples: ClassVar = (Example({}, passes="这个问题很简单。", fails="這个问题很简单。", language="zh"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        return self.judge_form(text, SIMPLIFIED, TRADITIONAL)

    def reshape(self, text: str, language: str) -> str:
        turned = to_simplified(text)
        return self.first_accepted([turned, glue(turned, "这很简单。", "zh")])


@register
class Traditional(_ChineseForm):
    """Chinese in traditional characters: none occurs that is used in simplified text only."""

    type: Literal["language:traditional"] = "language:traditional"

    phrases: ClassVar = {
        "en": ("Write in traditional Chinese characters only.", "Use traditional Chinese, no simplified characters."),
        "zh": ("请只用繁体中文，不要出现简体字。", "全文使用繁体字。"),
    }
    notes: ClassVar = {"en": "traditional Chinese", "zh": "用繁体字"}
    examples: ClassVar = (Example({}, passes="這個問題很簡單。", fails="这個問題很簡單。", language="zh"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        return self.judge_form(text, TRADITIONAL, SIMPLIFIED)

    def reshape(self, text: str, language: str) -> str:
        turned = to_traditional(text)
        return self.first_accepted([turned, glue(turned, "這很簡單。", "zh")])
