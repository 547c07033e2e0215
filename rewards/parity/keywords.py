"""Look-ups that several official suites share: keywords as raw regular expressions, letter counts, relations.

The official code puts keywords into regular expressions unescaped and ignores case. Most keywords are plain ASCII,
for which a look-up in the lower-cased text gives the same answer many times faster.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rewards.parity.suite import UndecidedError
from rewards.parity.view import View

_METACHARACTERS = frozenset(r".^$*+?{}[]\|()")
# The only characters outside ASCII that `re.IGNORECASE` takes for ASCII letters (i, i, s, k), and the only ones whose
# lower case has an ASCII letter in it. Without them, an ASCII literal matches where it occurs in the lowered text, and
# any other literal is nowhere in an ASCII text.
_FOLDED = frozenset("\u0130\u0131\u017f\u212a")
_NOT_LETTERS = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalpha()))


@lru_cache(maxsize=4096)
def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return the compiled pattern; one that Python rejects raises `re.error`, as it does in the official code."""
    return re.compile(pattern, flags)


def is_literal(pattern: str) -> bool:
    """Tell whether a pattern matches itself only.

    Example:
        >>> is_literal("e-mail"), is_literal("C++")
        (True, False)
    """
    return _METACHARACTERS.isdisjoint(pattern)


@lru_cache(maxsize=4096)
def _lowered(keyword: str) -> str | None:
    return keyword.lower() if is_literal(keyword) and _FOLDED.isdisjoint(keyword) else None


def _plain(keyword: str, text: str) -> str | None:
    """Return the keyword in lower case where it can be looked up in the lowered text, else None."""
    lowered = _lowered(keyword)
    if lowered is None or text.isascii():
        return lowered
    return lowered if lowered.isascii() and not any(character in text for character in _FOLDED) else None


def has_keyword(view: View, keyword: str) -> bool:
    """Tell whether `re.search(keyword, text, re.IGNORECASE)` finds something.

    Example:
        >>> has_keyword(View("The START."), "art"), has_keyword(View("x^2"), "x^2")
        (True, False)
    """
    literal = _plain(keyword, view.raw)
    if literal is not None:
        return literal in view.lower
    return compiled(keyword, re.IGNORECASE).search(view.raw) is not None


def has_whole_word(view: View, keyword: str) -> bool:
    r"""Tell whether `\bkeyword\b` is found, ignoring case."""
    literal = _plain(keyword, view.raw)
    if literal is not None and literal not in view.lower:
        return False
    return compiled(rf"\b{keyword}\b", re.IGNORECASE).search(view.raw) is not None


def count_keyword(view: View, keyword: str) -> int:
    """Return the number of non-overlapping matches, ignoring case; no keyword makes the official code draw one.

    Example:
        >>> count_keyword(View("War, toward, AWARD"), " war ")
        3
    """
    if not keyword:
        raise UndecidedError("the official code draws a random keyword for an empty one")
    pattern = keyword.strip()
    literal = _plain(pattern, view.raw)
    if literal is not None:
        return view.lower.count(literal)
    return len(compiled(pattern, re.IGNORECASE).findall(view.raw))


def count_ascii_letters(text: str) -> int:
    """Return the number of letters A-Z and a-z."""
    return len(text.encode("ascii", "ignore").translate(None, _NOT_LETTERS))


def meets(count: float, relation: str, threshold: float) -> bool:
    """Compare as the two relation words of the official code say."""
    return count < threshold if relation == "less than" else count >= threshold


def require(condition: object, argument: str) -> None:
    """Raise `UndecidedError` for a value that the official code replaces by a random one."""
    if not condition:
        raise UndecidedError(f"the official code draws a random value for this {argument}")
