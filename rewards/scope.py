"""Which part of a response a constraint speaks about.

`answer`, `thinking` and `whole` are parts of the completion. `line(n)`, `paragraph(n)` and `section(n)` are parts of
the answer, counted from 1, or from the end with -1: lines that are not blank, blocks between blank lines (a rule or a
lone heading is none), and what stands under the n-th heading of the highest level that occurs twice (`## Title`, or a
line such as `Section 2` or `第二部分`).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_PARTS = ("answer", "thinking", "whole")
_NUMBERED = re.compile(r"(line|paragraph|section)\((-?[1-9]\d{0,3})\)")
_PREFIX = {
    "en": {"thinking": "In your thinking", "whole": "In thinking and answer together"},
    "zh": {"thinking": "在思考过程中", "whole": "在思考和回答全文中"},
}
_UNIT_ZH = {"line": "行", "paragraph": "段", "section": "节"}


def _known_scope(scope: str) -> str:
    if scope not in _PARTS and not _NUMBERED.fullmatch(scope):
        wanted = "answer, thinking, whole, line(n), paragraph(n) or section(n), with n = 1, 2, ... or -1, -2, ..."
        raise ValueError(f"unknown scope {scope!r}; expected {wanted}")
    return scope


Scope = Annotated[str, AfterValidator(_known_scope)]


def numbered(scope: str) -> tuple[str, int] | None:
    """Return the unit and number of a scope inside the answer, or None for `answer`, `thinking` and `whole`.

    Example:
        >>> numbered("paragraph(-1)")
        ('paragraph', -1)
    """
    match = _NUMBERED.fullmatch(scope)
    return (match[1], int(match[2])) if match else None


def scope_prefix(scope: str, language: str) -> str:
    """Say where a demand applies, as the opening of its description; empty for the answer as a whole.

    Example:
        >>> scope_prefix("line(2)", "en")
        'In line 2'
        >>> scope_prefix("paragraph(-1)", "zh")
        '在最后一段中'
    """
    place = numbered(scope)
    if place is None:
        return _PREFIX[language].get(scope, "")
    unit, number = place
    if language == "zh":
        where = f"第{number}" if number > 0 else "最后一" if number == -1 else f"倒数第{-number}"
        return f"在{where}{_UNIT_ZH[unit]}中"
    if number > 0:
        return f"In {unit} {number}"
    return f"In the last {unit}" if number == -1 else f"In {unit} {-number} from the end"
