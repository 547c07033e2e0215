"""What kind of demand a constraint makes, how it is mentioned in passing, and when it is best taken care of."""

from __future__ import annotations

from collections.abc import Iterable

from rewards.constraint import Constraint
from rewards.scope import scope_prefix

#: Groups in the order in which they are decided: what shapes everything first, what any later change would undo last.
GROUPS = ("language", "layout", "length", "content", "tone", "wording", "edges", "surface")
_FAMILIES = {
    "language": "language",
    "format": "layout",
    "layout": "layout",
    "nesting": "layout",
    "ordering": "layout",
    "length": "length",
    "arithmetic": "length",
    "keywords": "content",
    "copying": "content",
    "counting": "content",
    "judge": "tone",
    "letters": "wording",
    "words": "wording",
    "sentences": "wording",
    "ratio": "wording",
    "affix": "edges",
    "case": "surface",
    "punctuation": "surface",
}
_BANS = frozenset({"keywords:forbidden", "letters:forbidden", "copying:no_copy", "layout:no_code"})


def group_of(constraint: Constraint) -> str:
    """Return the group of a constraint; families that are not known count as content.

    Example:
        >>> from rewards import parse_constraint
        >>> group_of(parse_constraint({"type": "length:max_words", "limit": 3}))
        'length'
    """
    return _FAMILIES.get(constraint.family, "content")


def step_of(constraint: Constraint) -> str:
    """Return the kind of step that takes care of a constraint: its group, told apart where the work differs."""
    name = constraint.type
    if name in _BANS:
        return "ban"
    if constraint.family == "language" and name != "language:response":
        return "both" if name == "language:bilingual" else "script"
    return "copy" if constraint.family == "copying" else group_of(constraint)


def mention(constraint: Constraint, language: str) -> str:
    """Return a demand in a few words, with the place it speaks about.

    Example:
        >>> from rewards import parse_constraint
        >>> mention(parse_constraint({"type": "punctuation:no_comma", "scope": "line(2)"}), "en")
        'no commas (in line 2)'
    """
    note = constraint.note(language).strip().rstrip(".。")
    note = note or str(getattr(constraint, "question", ""))
    if constraint.scope == "answer":
        return note
    place = scope_prefix(constraint.scope, language)
    return f"{place}{note}" if language == "zh" else f"{note} ({place[:1].lower()}{place[1:]})"


def by_group(constraints: Iterable[Constraint]) -> dict[str, list[Constraint]]:
    """Return constraints by group, in the order in which groups are decided."""
    found: dict[str, list[Constraint]] = {}
    for constraint in constraints:
        found.setdefault(group_of(constraint), []).append(constraint)
    return {group: found[group] for group in GROUPS if group in found}
