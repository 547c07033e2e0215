"""Which words occur. Matching is whole-word and case-insensitive, anywhere for Chinese (`rewards.text`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from rewards.constraint import Constraint, Context, Verdict, register, verdict_if
from rewards.draft import Draft, add_mention
from rewards.text import Text, count_keyword


def _not_blank(word: str) -> str:
    if not Text(word).words:
        raise ValueError(f"keyword {word!r} contains no word")
    return word


Keyword = Annotated[str, AfterValidator(_not_blank)]
Keywords = Annotated[tuple[Keyword, ...], Field(min_length=1)]


def join(words: tuple[str, ...], language: str) -> str:
    """List words as prose does: quoted, with the language's `and` before the last."""
    quoted = [f"“{word}”" if language == "zh" else f'"{word}"' for word in words]
    if len(quoted) == 1:
        return quoted[0]
    if language == "zh":
        return "、".join(quoted[:-1]) + "和" + quoted[-1]
    return ", ".join(quoted[:-1]) + (", and " if len(quoted) > 2 else " and ") + quoted[-1]


@register
class Existence(Constraint):
    """Every keyword occurs."""

    type: Literal["keywords:existence"] = "keywords:existence"
    keywords: Keywords

    phrases: ClassVar = {
        "en": ("Include {words} in your answer.", "Your answer must mention {words}.", "Make sure to use {words}."),
        "zh": ("回答中必须出现{words}。", "请在回答中提到{words}。"),
    }
    notes: ClassVar = {"en": "include {words}", "zh": "出现{words}"}

    def slots(self, language: str) -> dict[str, Any]:
        return {"words": join(self.keywords, language)}

    def judge(self, text: Text, context: Context) -> Verdict:
        missing = [word for word in self.keywords if not count_keyword(text, word)]
        evidence = f"missing: {', '.join(missing)}" if missing else f"found all of: {', '.join(self.keywords)}"
        return verdict_if(not missing, evidence)

    def witness(self, draft: Draft) -> Draft:
        for word in self.keywords:
            draft = add_mention(draft, word)
        return draft


@register
class Forbidden(Constraint):
    """No keyword occurs."""

    type: Literal["keywords:forbidden"] = "keywords:forbidden"
    keywords: Keywords

    phrases: ClassVar = {
        "en": ("Do not use {words}.", "Avoid {words} in your answer.", "Your answer must not contain {words}."),
        "zh": ("回答中不要出现{words}。", "请避免使用{words}。"),
    }
    notes: ClassVar = {"en": "avoid {words}", "zh": "不用{words}"}

    def slots(self, language: str) -> dict[str, Any]:
        return {"words": join(self.keywords, language)}

    def judge(self, text: Text, context: Context) -> Verdict:
        used = [word for word in self.keywords if count_keyword(text, word)]
        return verdict_if(not used, f"forbidden and used: {', '.join(used)}" if used else "no forbidden word used")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, avoid=(*draft.avoid, *self.keywords))


@register
class MinFrequency(Constraint):
    """One keyword occurs at least `count` times."""

    type: Literal["keywords:min_frequency"] = "keywords:min_frequency"
    keyword: Keyword
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": ('Use the word "{keyword}" at least {count} time{s}.', 'Mention "{keyword}" {count} or more times.'),
        "zh": ("“{keyword}”至少出现{count}次。", "请至少使用{count}次“{keyword}”。"),
    }
    notes: ClassVar = {"en": '"{keyword}" at least {count} time{s}', "zh": "“{keyword}”至少{count}次"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = count_keyword(text, self.keyword)
        return verdict_if(found >= self.count, f"{self.keyword!r} occurs {found} times, at least {self.count} wanted")

    def witness(self, draft: Draft) -> Draft:
        return add_mention(draft, self.keyword, self.count)


@register
class MaxFrequency(Constraint):
    """One keyword occurs at most `count` times (`keywords:forbidden` is for none at all)."""

    type: Literal["keywords:max_frequency"] = "keywords:max_frequency"
    keyword: Keyword
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" at most {count} time{s}.',
            'Do not use "{keyword}" more than {count} time{s}.',
        ),
        "zh": ("“{keyword}”最多出现{count}次。", "“{keyword}”的使用不超过{count}次。"),
    }
    notes: ClassVar = {"en": '"{keyword}" at most {count} time{s}', "zh": "“{keyword}”最多{count}次"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = count_keyword(text, self.keyword)
        return verdict_if(found <= self.count, f"{self.keyword!r} occurs {found} times, at most {self.count} allowed")

    def witness(self, draft: Draft) -> Draft:
        # Sentences that use the word are left out; the core may hold it `count` times.
        return replace(draft, avoid=(*draft.avoid, self.keyword))
