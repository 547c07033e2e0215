"""IFBench's ids about format as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rewards.constraints.templates import split_options

Kwargs = Mapping[str, Any]


def _plain(name: str, **arguments: Any) -> Callable[[Kwargs], Kwargs]:
    return lambda kw: {"type": name, **arguments}


EQUIVALENTS: dict[str, Callable[[Kwargs], Kwargs | list[Kwargs]]] = {
    "custom:csv_city": _plain("format:csv", columns=("ID", "Country", "City", "Year", "Count"), rows=7),
    "custom:csv_quotes": _plain(
        "format:csv",
        columns=("StudentID", "Subject", "Grade", "Semester", "Score"),
        rows=3,
        delimiter="tab",
        quoted=True,
    ),
    "custom:csv_special_character": _plain(
        "format:csv", columns=("ProductID", "Category", "Brand", "Price", "Stock"), rows=14, special=True
    ),
    # The years in which Napoleon lived.
    "custom:date_format_list": _plain("format:date_list", first_year=1769, last_year=1821, count=2),
    "custom:mcq_count_length": _plain("layout:multiple_choice", questions=4, options=5, label="Question"),
    "format:emoji": _plain("layout:emoji_sentence_ends"),
    "format:line_indent": _plain("layout:staircase", count=2),
    "format:list": lambda kw: {"type": "layout:marked_list", "mark": kw["sep"], "count": 2},
    "format:newline": _plain("layout:one_word_per_line"),
    "format:no_bullets_bullets": _plain("layout:sentences_then_bullets", sentences=2, bullets=2, marks="*"),
    "format:no_whitespace": _plain("layout:no_whitespace"),
    "format:options": lambda kw: {"type": "layout:choice", "options": split_options(kw["options"])},
    "format:output_template": _plain("layout:template", labels=("My Answer:", "My Conclusion:", "Future Outlook:")),
    "format:parentheses": _plain("nesting:brackets", depth=5),
    "format:quote_unquote": _plain("nesting:explained_quotes", count=0),
    "format:quotes": _plain("nesting:quotes", depth=3),
    "format:sub-bullets": _plain("layout:nested_bullets", count=1, nested=1, top="*", sub="-"),
    "format:thesis": _plain("layout:italic_thesis"),
}
