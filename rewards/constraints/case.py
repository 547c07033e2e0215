"""Upper and lower case. LaTeX commands, formulas and code are notation and have no case to obey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from rewards.arguments import Count, Draw, Tolerated
from rewards.characters import CJK
from rewards.constraint import Context, Example, Status, Verdict, register
from rewards.constraints.editing import Edited, glue, outside_notation
from rewards.constraints.matching import decide, said_prose
from rewards.draft import Draft
from rewards.filler import SENTENCES, words
from rewards.language import guess_language
from rewards.text import EDGE, Text

_LETTER = rf"[^\W\d_{CJK}]"
#: A written word of two or more letters or digits, by itself or hyphenated, or letters set apart, as in U.S.A.
PLAIN_WORD = re.compile(rf"(?<!{EDGE})(?:{EDGE}{{2,}}+(?:['’-]{EDGE}+)*|(?:{_LETTER}[._]){{2,}}{_LETTER}?)(?!{EDGE})")
# The words of PLAIN_WORD that are in capitals, in ASCII text.
_ASCII_CAPITALS = re.compile(
    r"[A-Z0-9](?<![A-Za-z0-9].)(?:(?:(?<=[A-Z])[0-9]*+[A-Z]|(?<=[0-9])[0-9]*+[A-Z][0-9]*+[A-Z])[A-Z0-9]*+"
    r"(?!['-][a-zA-Z0-9]*[a-z])(?:['-][A-Z0-9]+)*|[._](?<=[A-Z].)(?:[A-Z][._])+[A-Z]?)(?![A-Za-z0-9])"
)
_LATIN_WORD = re.compile(r"(?<![\w\\])[A-Za-z]{2,}(?!\w)")
#: The language is guessed from the beginning of a text.
_SAMPLE = 4_000

Case = Literal["upper", "lower"]


def judge_letters(text: Text, wanted: Case) -> Verdict:
    """Judge whether all letters that have a case have the wanted one, and there is one at least."""
    prose = said_prose(text)
    upper, lower = prose.upper(), prose.lower()
    if upper == lower:
        return Verdict(Status.VIOLATED, "no letters that have a case")
    if prose == (upper if wanted == "upper" else lower):
        return Verdict(Status.SATISFIED, f"all letters are {wanted} case")
    wrong = next(c for c in prose if c != (c.upper() if wanted == "upper" else c.lower()))
    return Verdict(Status.VIOLATED, f"letters are not {wanted} case, the first is {wrong!r}")


def _judge_english(text: Text, wanted: Case) -> Verdict:
    verdict = judge_letters(text, wanted)
    if verdict.status is not Status.SATISFIED:
        return verdict
    language = guess_language(said_prose(text)[:_SAMPLE]).language
    return decide(language in {None, "en"}, f"all letters are {wanted} case; language {language or 'undecided'}")


class _EnglishCase(Edited):
    """A constraint on the language and the case of the whole answer."""

    def reshape(self, text: str, language: str) -> str:
        english = " ".join(SENTENCES["en"])
        wanted = str.upper if self.type.endswith("upper") else str.lower
        return self.first_accepted([outside_notation(each, wanted) for each in (text, english)])


@register
class EnglishUpper(_EnglishCase):
    """English, in capital letters only."""

    type: Literal["case:english_upper"] = "case:english_upper"

    phrases: ClassVar = {
        "en": ("Write in English, using capital letters only.", "Your entire answer must be in English capitals."),
        "zh": ("请用英语回答，并且全部使用大写字母。",),
    }
    notes: ClassVar = {"en": "all capitals", "zh": "英语全大写"}
    examples: ClassVar = (Example({}, passes="IT IS $x$.", fails="It is SEVEN."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_english(text, "upper")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, case="upper").with_edit(self.edit_scope))


@register
class EnglishLower(_EnglishCase):
    """English, in lowercase letters only."""

    type: Literal["case:english_lower"] = "case:english_lower"

    phrases: ClassVar = {
        "en": ("Write in English, using lowercase letters only.", "Your entire answer must be in lowercase English."),
        "zh": ("请用英语回答，并且全部使用小写字母。",),
    }
    notes: ClassVar = {"en": "all lowercase", "zh": "英语全小写"}
    examples: ClassVar = (Example({}, passes="it is $X$.", fails="It is seven."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_english(text, "lower")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, case="lower").with_edit(self.edit_scope))


def capital_words(text: Text) -> int:
    """Count the words of two or more letters that are all capitals, digits aside; underscores divide words."""
    if text.prose.isascii():
        return len(_ASCII_CAPITALS.findall(text.prose))
    return sum(map(_is_capital, PLAIN_WORD.findall(text.prose)))


def _is_capital(word: str) -> bool:
    """Tell whether a word has two capitals or more and no small letter."""
    return word.isupper() and sum(map(str.isupper, word)) > 1


@register
class MinCapitalWords(Edited):
    """At least `count` words of two or more letters in all capitals."""

    type: Literal["case:min_capital_words"] = "case:min_capital_words"
    count: Annotated[Count, Draw.range(1, 6)]

    phrases: ClassVar = {
        "en": (
            "Write at least {count} word{s} in all capital letters.",
            "Use {count} or more words in ALL CAPS.",
        ),
        "zh": ("至少有{count}个英语单词全部大写。",),
    }
    notes: ClassVar = {"en": "{count} word{s} in capitals", "zh": "{count}个大写单词"}
    examples: ClassVar = (
        Example({"count": 2}, passes="This is VERY GOOD.", fails="I am VERY good: A+."),
        Example({"count": 1}, passes="他参观了 NASA 。", fails="欢迎你。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = capital_words(text)
        return decide(found >= self.count, f"{found} words in capitals, at least {self.count} wanted")

    def witness(self, draft: Draft) -> Draft:
        capitals = max(draft.capital_words, self.count)
        return self.planned(draft, lambda plan: replace(plan, capital_words=capitals).with_edit(self.edit_scope))

    def reshape(self, text: str, language: str) -> str:
        missing = iter(range(self.count - capital_words(Text(text))))
        text = outside_notation(text, lambda part: _LATIN_WORD.sub(lambda match: _raised(match, missing), part))
        added = " ".join(words("en", self.count - capital_words(Text(text)))).upper()
        return glue(f"{added}:", text, "en") if added else text


def _raised(match: re.Match[str], left: Iterator[int]) -> str:
    return match[0] if match[0].isupper() or next(left, None) is None else match[0].upper()


@register
class MaxCapitalWords(Edited):
    """At most `count` words of two or more letters in all capitals."""

    type: Literal["case:max_capital_words"] = "case:max_capital_words"
    count: Tolerated

    phrases: ClassVar = {
        "en": (
            "Write at most {count} word{s} in all capital letters.",
            "Use no more than {count} word{s} in ALL CAPS.",
        ),
        "zh": ("最多有{count}个英语单词全部大写。",),
    }
    notes: ClassVar = {"en": "at most {count} word{s} in capitals", "zh": "最多{count}个大写单词"}
    examples: ClassVar = (Example({"count": 1}, passes="This is VERY good.", fails="This is VERY GOOD."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = capital_words(text)
        return decide(found <= self.count, f"{found} words in capitals, at most {self.count} allowed")

    def witness(self, draft: Draft) -> Draft:
        return draft.with_edit(self.edit_scope)

    def reshape(self, text: str, language: str) -> str:
        spared = iter(range(self.count))
        return outside_notation(text, lambda part: PLAIN_WORD.sub(lambda match: _lowered(match, spared), part))


def _lowered(match: re.Match[str], spared: Iterator[int]) -> str:
    is_kept = not _is_capital(match[0]) or next(spared, None) is not None
    return match[0] if is_kept else match[0].capitalize()
