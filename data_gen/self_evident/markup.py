"""Markdown that an answer does without, each kind on its own; no registered constraint says that of a single kind."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from data_gen.self_evident.wordings import wordings
from rewards.constraint import Constraint, Context, Verdict, verdict_if
from rewards.text import CODE, Text

_LIST = re.compile(
    r"^[ \t>]*(?:[-*+•–·][ \t]+|•|\d{1,3}[.)][ \t]+|\d{1,3}、|[（(][\d一二三四五六七八九十]{1,3}[）)])\S", re.MULTILINE
)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]+(?<=\S)\*\*|(?<!\w)__(?=\S)[^_\n]+(?<=\S)__(?!\w)|<(?:b|strong)>", re.IGNORECASE)
_TABLE = re.compile(
    r"^[ \t]*+\|?[ \t]*+:?-{2,}+:?[ \t]*+(?:\|[ \t]*+:?-{2,}+:?[ \t]*+)+\|?[ \t]*+$|<table", re.MULTILINE
)


class _NoMarkup(Constraint):
    """A constraint that no text with one kind of markup satisfies; code does not count."""

    unwanted: ClassVar[re.Pattern[str]]
    notes: ClassVar = {"en": "{type}", "zh": "{type}"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = self.unwanted.search(CODE.sub(" ", text.raw))
        return verdict_if(found is None, f"found {found[0].strip()[:40]!r}" if found else "found none")


class NoList(_NoMarkup):
    """No line is an item of a bulleted or numbered list."""

    type: Literal["layout:no_list"] = "layout:no_list"
    phrases: ClassVar = wordings()["no_list"].phrases
    unwanted: ClassVar = _LIST


class NoBold(_NoMarkup):
    """Nothing is in bold, neither in markdown nor in HTML."""

    type: Literal["layout:no_bold"] = "layout:no_bold"
    phrases: ClassVar = wordings()["no_bold"].phrases
    unwanted: ClassVar = _BOLD


class NoTable(_NoMarkup):
    """There is no table, neither in markdown nor in HTML."""

    type: Literal["layout:no_table"] = "layout:no_table"
    phrases: ClassVar = wordings()["no_table"].phrases
    unwanted: ClassVar = _TABLE


MARKUP_TYPES: dict[str, type[Constraint]] = {
    "layout:no_list": NoList,
    "layout:no_bold": NoBold,
    "layout:no_table": NoTable,
}
