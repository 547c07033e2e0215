"""IFEval's ids about layout (MathIF's are among them) as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Kwargs = Mapping[str, Any]

#: The three sentences of which an answer may hold one; the id takes no arguments.
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def _plain(name: str) -> Callable[[Kwargs], Kwargs]:
    return lambda kw: {"type": name}


EQUIVALENTS: dict[str, Callable[[Kwargs], Kwargs | list[Kwargs]]] = {
    "combination:two_responses": _plain("layout:two_responses"),
    "detectable_content:number_placeholders": lambda kw: {
        "type": "layout:placeholders",
        "count": int(kw["num_placeholders"]),
    },
    "detectable_content:postscript": lambda kw: {"type": "layout:postscript", "marker": kw["postscript_marker"]},
    "detectable_format:constrained_response": lambda kw: {"type": "layout:one_phrase", "options": _ANSWERS},
    "detectable_format:json_format": _plain("format:json"),
    "detectable_format:multiple_sections": lambda kw: {
        "type": "layout:sections",
        "marker": kw["section_spliter"],
        "count": int(kw["num_sections"]),
        "exact_case": True,
    },
    "detectable_format:number_bullet_lists": lambda kw: {
        "type": "layout:bullets",
        "count": int(kw["num_bullets"]),
        "marks": "-*+",
    },
    "detectable_format:number_highlighted_sections": lambda kw: {
        "type": "layout:highlights",
        "count": int(kw["num_highlights"]),
    },
    "detectable_format:title": _plain("layout:title"),
}
