"""The suite object of IFBench and what its checks share."""

from __future__ import annotations

import string

from rewards.parity.suite import Suite, UndecidedError

SUITE = Suite("ifbench", "allenai/IFBench@db69a6f")

PUNCTUATION = string.punctuation
EDGE = string.punctuation + " "  # what upstream trims from words and lines; other whitespace stays
DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)


def reject_negative(**arguments: float) -> None:
    """Refuse arguments that the official code replaces by a random draw."""
    for name, value in arguments.items():
        if value < 0:
            raise UndecidedError(f"the official code draws a random value for a negative {name}")


def reject_falsy(**arguments: object) -> None:
    """Refuse zero and empty arguments where the official code draws a random value, or raises, for them."""
    for name, value in arguments.items():
        if not value:
            raise UndecidedError(f"the official code has no verdict for {name}={value!r}")
