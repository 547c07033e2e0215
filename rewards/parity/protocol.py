"""The strict and loose protocols of IFEval, which the other suites share.

Strict: the response is not blank and the check accepts it. Loose: the check accepts any of eight variants of the
response: as it is, without its first line, without its last line, without both; each also with every `*` deleted.
"""

from __future__ import annotations

from typing import NamedTuple

from rewards.lazy import lazy
from rewards.parity.suite import BoundCheck, UndecidedError
from rewards.parity.view import View


class Outcome(NamedTuple):
    """Both verdicts; None where the official verdict is not a function of the row, with the reason."""

    strict: bool | None
    loose: bool | None
    reason: str = ""


class Variants:
    """A response with its loose variants; share one object between all checks of the response.

    Example:
        >>> Variants("Sure!\\n*Paris*").texts
        ['Sure!\\n*Paris*', 'Sure!\\nParis', '*Paris*', 'Paris', 'Sure!']
    """

    def __init__(self, response: str) -> None:
        self.whole = View(response)

    @lazy
    def texts(self) -> list[str]:
        """The distinct variants that are not blank, the response itself first."""
        response = self.whole.raw
        first, last = response.find("\n"), response.rfind("\n")
        cuts = [response]
        if first >= 0:
            cuts += [
                response[first + 1 :].strip(),
                response[:last].strip(),
                response[first + 1 : max(first, last)].strip(),
            ]
        if "*" in response:
            cuts = [form for text in cuts for form in (text, text.replace("*", ""))]
        return [text for text in dict.fromkeys(cuts) if text and not text.isspace()]

    @lazy
    def others(self) -> tuple[View, ...]:
        return tuple(View(text) for text in self.texts if text != self.whole.raw)


def judge(check: BoundCheck, variants: Variants) -> Outcome:
    """Return the strict and the loose verdict of one check on one response."""
    try:
        strict = check(variants.whole)
        return Outcome(strict, strict or any(check(view) for view in variants.others))
    except UndecidedError as reason:
        return Outcome(None, None, str(reason))
    except Exception as error:  # where the official code raises, it has no verdict either
        return Outcome(None, None, f"the official code raises here: {type(error).__name__}: {error}")
