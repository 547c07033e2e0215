"""Punctuation marks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Literal

from rewards.constraint import Constraint, Context, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.text import Text

# Commas of every script; `\,` is a thin space of LaTeX and no comma.
_COMMA = re.compile(r"(?<!\\)[,，、،﹐､]")


@register
class NoComma(Constraint):
    """No comma of any script, including those inside numbers."""

    type: Literal["punctuation:no_comma"] = "punctuation:no_comma"

    phrases: ClassVar = {
        "en": ("Do not use any commas.", "Write without commas.", "Your answer must not contain a comma."),
        "zh": ("不要使用逗号或顿号。", "回答中不能有逗号和顿号。"),
    }
    notes: ClassVar = {"en": "no commas", "zh": "不用逗号"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(_COMMA.findall(text.raw))
        return verdict_if(found == 0, f"found {found} commas")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, commas=False)
