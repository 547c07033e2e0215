"""How long the answer is. Words are counted by `rewards.text`: a Han character counts as one."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from rewards.constraint import Constraint, Context, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.text import Text


@register
class MinWords(Constraint):
    """At least `limit` words."""

    type: Literal["length:min_words"] = "length:min_words"
    limit: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Use at least {limit} word{s}.",
            "Write {limit} word{s} or more.",
            "Your answer needs {limit} or more words.",
        ),
        "zh": ("回答至少{limit}个字。", "请写{limit}个字以上（含）。"),
    }
    notes: ClassVar = {"en": "at least {limit} word{s}", "zh": "至少{limit}个字"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(text.words)
        return verdict_if(found >= self.limit, f"{found} words, at least {self.limit} wanted")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, min_words=max(draft.min_words, self.limit))


@register
class MaxWords(Constraint):
    """At most `limit` words."""

    type: Literal["length:max_words"] = "length:max_words"
    limit: int = Field(ge=1)

    phrases: ClassVar = {
        "en": ("Use at most {limit} word{s}.", "Do not use more than {limit} word{s}.", "Stay within {limit} word{s}."),
        "zh": ("回答不超过{limit}个字。", "最多写{limit}个字。"),
    }
    notes: ClassVar = {"en": "at most {limit} word{s}", "zh": "最多{limit}个字"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(text.words)
        return verdict_if(found <= self.limit, f"{found} words, at most {self.limit} allowed")

    def witness(self, draft: Draft) -> Draft:
        limit = self.limit if draft.max_words is None else min(draft.max_words, self.limit)
        return replace(draft, max_words=limit)
