"""Text of unknown origin on a page: characters that do not show, or turn others round, become visible marks."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

# C0 and C1 controls but tab and line feed, directional controls, invisible spaces, surrogates; app.js has the same set
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(value: Any) -> Any:
    r"""Return a value as a page shows it; markup and what is no text stay as they are.

    Example:
        >>> visible("a\x00b\u202ec")
        'a␀b⟦U+202E⟧c'
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return HIDDEN.sub(lambda found: mark(found[0]), value)


def mark(char: str) -> str:
    """Return the visible mark of a character: the control picture of a C0 control, else its code point.

    Example:
        >>> mark("\\x07"), mark("\\u200b")
        ('␇', '⟦U+200B⟧')
    """
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else f"⟦U+{code:04X}⟧"
