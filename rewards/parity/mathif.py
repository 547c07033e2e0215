"""The 15 instructions of MathIF: those of IFEval, with one id renamed and one rule for arguments added."""

from __future__ import annotations

from functools import wraps
from typing import Any

from rewards.parity import ifeval
from rewards.parity.keywords import require
from rewards.parity.suite import CheckFunction, Suite
from rewards.parity.view import View

SUITE = Suite("mathif", "TzWng/MathIF@1860ed5 (= MathIF 0f92ee5)")

_SHARED = (
    "keywords:existence",
    "keywords:frequency",
    "keywords:forbidden_words",
    "language:response_language",
    "detectable_format:number_bullet_lists",
    "detectable_format:number_highlighted_sections",
    "detectable_format:multiple_sections",
    "combination:repeat_prompt",
    "startend:end_checker",
    "startend:quotation",
    "change_case:capital_word_frequency",
    "change_case:english_capital",
    "change_case:english_lowercase",
    "punctuation:no_comma",
)


def _with_truthy_arguments(check: CheckFunction) -> CheckFunction:
    """MathIF drops arguments such as 0 and "" before it builds a checker, which then draws values of its own."""

    @wraps(check)
    def checked(view: View, **arguments: Any) -> bool:
        for name, value in arguments.items():
            require(value, name)
        return check(view, **arguments)

    return checked


SUITE.checks.update((name, _with_truthy_arguments(ifeval.SUITE.checks[name])) for name in _SHARED)
SUITE.checks["length_constraint_checkers:number_words"] = _with_truthy_arguments(
    ifeval.SUITE.checks["length_constraints:number_words"]
)
