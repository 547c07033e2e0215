"""The ids of the IF-RLVR training set about format as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Kwargs = Mapping[str, Any]

EQUIVALENTS: dict[str, Callable[[Kwargs], Kwargs | list[Kwargs]]] = {
    "detectable_format:bigram_wrapping": lambda kw: {"type": "nesting:wrapped_bigrams"},
    "detectable_format:square_brackets": lambda kw: {"type": "nesting:bracketed_words"},
}
