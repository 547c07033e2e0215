"""What a constraint says about an answer, as facts on measurable quantities.

The facts come from the arguments alone. Neither the checkers' verdicts on some text nor the builders of witnesses
have a part in them, so that whatever follows from the facts is a second opinion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rewards.constraint import Constraint
from rewards.text import fold

ANY = float("inf")  # no upper bound
Bound = tuple[str, float, float]
Slot = tuple[str, str]


class Demand(NamedTuple):
    """A text that must occur.

    Fields:
        text: the text; its case does not matter unless `exact`.
        times: how often it occurs at least, without overlap.
        whole: whether it stands as words of its own, and not inside longer ones.
        exact: whether letter case is part of it.
    """

    text: str
    times: int = 1
    whole: bool = True
    exact: bool = False


class Choice(NamedTuple):
    """At least `least` of some texts must occur."""

    options: tuple[Demand, ...]
    least: int


class Meaning(NamedTuple):
    """The facts that follow from one constraint.

    Fields:
        bounds: (quantity, lowest, highest), both included. Equal names are equal measures.
        slots: (place, value): a place has one value only.
        demands: texts that occur.
        choices: texts of which some occur.
        answers: the only answers there are, if they are listed.
        every: whether a text that must occur has to meet the constraint by itself, too.
    """

    bounds: tuple[Bound, ...] = ()
    slots: tuple[Slot, ...] = ()
    demands: tuple[Demand, ...] = ()
    choices: tuple[Choice, ...] = ()
    answers: tuple[str, ...] = ()
    every: bool = False


Reader = Callable[[Any], Meaning]
NOTHING = Meaning()
MEANINGS: dict[str, Reader] = {}
#: The types of which the bounds and slots say everything, so that other facts can make them redundant.
COMPLETE: set[str] = set()


def means(*names: str, complete: bool = False) -> Callable[[Reader], Reader]:
    """Register the reader of some constraint types; `complete` where its bounds and slots say all there is."""

    def register(reader: Reader) -> Reader:
        for name in names:
            MEANINGS[name] = reader
            if complete:
                COMPLETE.add(name)
        return reader

    return register


def always(meaning: Meaning, *names: str, complete: bool = False) -> None:
    """Register types that mean the same whatever their arguments are."""
    means(*names, complete=complete)(lambda constraint: meaning)


def meaning_of(constraint: Constraint) -> Meaning:
    """Return the facts that follow from a constraint; none for a type that has none, as for every soft one."""
    reader = MEANINGS.get(constraint.type)
    return reader(constraint) if reader is not None else NOTHING


def keyword(word: str) -> str:
    """Name the quantity "occurrences of a keyword".

    Example:
        >>> keyword(" Green  Tea ")
        'keyword green tea'
    """
    return f"keyword {' '.join(fold(word).split())}"


def letter(char: str) -> str:
    """Name the quantity "occurrences of a letter"."""
    return f"letter {char.lower()}"


def mark(char: str) -> str:
    """Name the quantity "occurrences of a mark", full width and half width being one.

    Example:
        >>> mark("，"), mark(",")
        ('mark ,', 'mark ,')
    """
    code = ord(char)
    return f"mark {chr(code - 0xFEE0) if 0xFF01 <= code <= 0xFF5E else char}"
