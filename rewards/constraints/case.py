"""Upper and lower case. LaTeX commands, formulas and code are notation and have no case to obey."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from rewards.constraint import Constraint, Context, Status, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.language import guess_language
from rewards.text import Text

_CAPITAL_WORD = re.compile(r"(?<![\w])[^\W\d_]{2,}(?:['’-][^\W\d_]+)*(?![\w])")


def _judge_case(text: Text, wanted: Literal["upper", "lower"]) -> Verdict:
    letters = [c for c in text.prose if c.upper() != c.lower()]
    if not letters:
        return Verdict(Status.VIOLATED, "no letters that have a case")
    wrong = [c for c in letters if c != (c.upper() if wanted == "upper" else c.lower())]
    if wrong:
        return Verdict(Status.VIOLATED, f"{len(wrong)} letters are not {wanted} case, the first is {wrong[0]!r}")
    language = guess_language(text.prose).language
    return verdict_if(language in {None, "en"}, f"all letters are {wanted} case; language {language or 'undecided'}")


@register
class EnglishUpper(Constraint):
    """English, in capital letters only."""

    type: Literal["case:english_upper"] = "case:english_upper"

    phrases: ClassVar = {
        "en": ("Write in English, using capital letters only.", "Your entire answer must be in English capitals."),
        "zh": ("请用英语回答，并且全部使用大写字母。",),
    }
    notes: ClassVar = {"en": "all capitals", "zh": "英语全大写"}

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_case(text, "upper")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, case="upper")


@register
class EnglishLower(Constraint):
    """English, in lowercase letters only."""

    type: Literal["case:english_lower"] = "case:english_lower"

    phrases: ClassVar = {
        "en": ("Write in English, using lowercase letters only.", "Your entire answer must be in lowercase English."),
        "zh": ("请用英语回答，并且全部使用小写字母。",),
    }
    notes: ClassVar = {"en": "all lowercase", "zh": "英语全小写"}

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_case(text, "lower")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, case="lower")


def _capital_words(text: Text) -> int:
    return sum(word.isupper() for word in _CAPITAL_WORD.findall(text.prose))


@register
class MinCapitalWords(Constraint):
    """At least `count` words of two or more letters in all capitals."""

    type: Literal["case:min_capital_words"] = "case:min_capital_words"
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Write at least {count} word{s} in all capital letters.",
            "Use {count} or more words in ALL CAPS.",
        ),
        "zh": ("至少有{count}个英语单词全部大写。",),
    }
    notes: ClassVar = {"en": "{count} word{s} in capitals", "zh": "{count}个大写单词"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _capital_words(text)
        return verdict_if(found >= self.count, f"{found} words in capitals, at least {self.count} wanted")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, capital_words=max(draft.capital_words, self.count))


@register
class MaxCapitalWords(Constraint):
    """At most `count` words of two or more letters in all capitals."""

    type: Literal["case:max_capital_words"] = "case:max_capital_words"
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Write at most {count} word{s} in all capital letters.",
            "Use no more than {count} word{s} in ALL CAPS.",
        ),
        "zh": ("最多有{count}个英语单词全部大写。",),
    }
    notes: ClassVar = {"en": "at most {count} word{s} in capitals", "zh": "最多{count}个大写单词"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _capital_words(text)
        return verdict_if(found <= self.count, f"{found} words in capitals, at most {self.count} allowed")

    def witness(self, draft: Draft) -> Draft:
        return draft  # ordinary prose holds next to no capitalised words; the verifier has the last word
