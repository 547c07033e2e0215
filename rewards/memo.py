"""What was found for short strings is kept: words and the marks after them come again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SIZE = 50_000
_LONGEST = 40


class Memo(dict[str, T]):
    """The values of a function; a full memo starts anew.

    Example:
        >>> lengths = Memo(len)
        >>> lengths["word"], dict(lengths)
        (4, {'word': 4})
    """

    def __init__(self, function: Callable[[str], T]) -> None:
        self._function = function

    def __missing__(self, key: str) -> T:
        value = self._function(key)
        if len(key) <= _LONGEST:
            if len(self) >= SIZE:
                self.clear()
            self[key] = value
        return value
