"""Errors a user can fix; every message names the value, what was expected and the next step."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class RaifError(ValueError):
    """A problem in the user's input: a recipe, a constraint, a file or an argument."""


class ServerLost(RaifError):
    """No request at all can be put to a server; asking it for something else is in vain.

    Args:
        address: of the server.
    """

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


def unknown_name(kind: str, name: object, known: Iterable[str], advice: str) -> RaifError:
    """Build the error for a name that is not in a fixed set, with the nearest known names.

    Example:
        >>> str(unknown_name("shaping", "papr", ["paper", "fraction"], "See the recipe."))
        "unknown shaping 'papr'; did you mean 'paper'? Known: fraction, paper. See the recipe."
    """
    choices = sorted(known)
    near = get_close_matches(str(name), choices, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return RaifError(f"unknown {kind} {name!r}; {hint}Known: {', '.join(choices)}. {advice}")
