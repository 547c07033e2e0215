"""Checks of nested brackets and quotation marks (`format:parentheses`, `format:quotes`)."""

from __future__ import annotations

import re

from rewards.parity.ifbench.base import SUITE
from rewards.parity.view import View

_BRACKET = re.compile(r"[(\[{)\]}]")
_QUOTE = re.compile(r"[\"']")
_OPENING_OF = {")": "(", "]": "[", "}": "{"}


@SUITE.check("format:parentheses")
def parentheses(view: View) -> bool:
    """Accept the first right bracket that fits once five were open; one that does not fit starts over."""
    if sum(map(view.raw.count, "([{")) < 5:
        return False
    open_brackets: list[str] = []
    deepest = 0
    for bracket in _BRACKET.findall(view.raw):
        opening = _OPENING_OF.get(bracket)
        if opening is None:
            open_brackets.append(bracket)
            deepest = max(deepest, len(open_brackets))
        elif not open_brackets or open_brackets.pop() != opening:
            open_brackets, deepest = [], 0
        elif deepest >= 5:
            return True
    return False


@SUITE.check("format:quotes")
def quotes(view: View) -> bool:
    """Accept when three nested quotations were closed; any apostrophe opens or closes one."""
    if view.raw.count('"') + view.raw.count("'") < 6:
        return False
    open_quotes = ""
    deepest = 0
    for quote in _QUOTE.findall(view.raw):
        if open_quotes[-1:] == quote:
            open_quotes = open_quotes[:-1]
            if deepest - len(open_quotes) >= 3:
                return True
        else:
            open_quotes += quote
            deepest = max(deepest, len(open_quotes))
    return False
