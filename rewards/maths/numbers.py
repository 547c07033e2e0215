"""Rational numbers: literals, factors, and the functions whose values are rational or a square root."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

TRIGONOMETRIC = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))
_TRIAL = 2_000  # primes below this are found in radicands
_SINES = {
    0: (Fraction(0), 1),
    30: (Fraction(1, 2), 1),
    45: (Fraction(1, 2), 2),
    60: (Fraction(1, 2), 3),
    90: (Fraction(1), 1),
}


class UndecidedError(Exception):
    """The value is beyond exact arithmetic, or beyond its limits."""


class UndefinedError(Exception):
    """The expression has no value."""


def literal(text: str) -> int | Fraction:
    """Return the value of a number as it is written.

    Raises:
        UndecidedError: if it has an exponent of more than three digits.

    Example:
        >>> literal("12.50"), literal("6e-2"), literal("007")
        (Fraction(25, 2), Fraction(3, 50), 7)
    """
    if text.isdigit():
        return int(text)
    mantissa, _, exponent = text.lower().partition("e")
    if len(exponent) > 4:
        raise UndecidedError("too large")
    whole, _, places = mantissa.partition(".")
    scale = int(exponent or 0) - len(places)
    digits = int((whole + places) or 0)
    return Fraction(digits * 10**scale) if scale >= 0 else Fraction(digits, 10**-scale)


def repeating(head: str, block: str) -> Fraction:
    """Return the value of a decimal whose last block repeats for ever.

    Example:
        >>> repeating("0.1", "6")
        Fraction(1, 6)
    """
    if not block.isdigit():
        raise UndecidedError(block)
    places = len(head.partition(".")[2])
    return Fraction(literal(head)) + Fraction(int(block), (10 ** len(block) - 1) * 10**places)


def continued(digits: str) -> Fraction:
    """Return the value of a decimal that goes on with its last digit, as 0.333... does.

    Raises:
        UndecidedError: if that digit does not stand there three times.
    """
    block = digits[-1]
    if not digits.endswith(block * 3):
        raise UndecidedError(digits)
    return repeating(digits.rstrip(block), block)


def factors(value: int) -> dict[int, int]:
    """Return the prime factors of a positive number with their exponents.

    Raises:
        UndecidedError: if a factor remains that trial division does not resolve.

    Example:
        >>> factors(360)
        {2: 3, 3: 2, 5: 1}
    """
    found: dict[int, int] = {}
    divisor = 2
    while divisor < _TRIAL and divisor * divisor <= value:
        while value % divisor == 0:
            value //= divisor
            found[divisor] = found.get(divisor, 0) + 1
        divisor += 1 if divisor == 2 else 2
    if value < _TRIAL * _TRIAL:
        return found | {value: 1} if value > 1 else found
    root = math.isqrt(value)
    if root * root != value or root >= _TRIAL * _TRIAL:
        raise UndecidedError("a large radicand")
    return found | {root: 2}


def special_angle(name: str, turns: Fraction) -> tuple[Fraction, int] | None:
    """Return (c, n), where c sqrt(n) is a function of pi * turns, a multiple of 30 or 45 degrees; None elsewhere.

    Raises:
        UndefinedError: at a pole.

    Example:
        >>> special_angle("cos", Fraction(1, 6)), special_angle("sin", Fraction(1, 5))
        ((Fraction(1, 2), 3), None)
    """
    degrees = turns * 180
    if degrees.denominator != 1:
        return None
    sine, cosine, one = _sine(int(degrees)), _sine(int(degrees) + 90), (Fraction(1), 1)
    if sine is None or cosine is None:
        return None
    quotients = {"sin": (sine, one), "cos": (cosine, one), "tan": (sine, cosine)}
    quotients |= {"cot": (cosine, sine), "sec": (one, cosine), "csc": (one, sine)}
    top, bottom = quotients[name]
    if not bottom[0]:
        raise UndefinedError(name)
    return top[0] / bottom[0] / bottom[1], top[1] * bottom[1]


def _sine(degrees: int) -> tuple[Fraction, int] | None:
    degrees %= 360
    sign = -1 if degrees > 180 else 1
    degrees %= 180
    found = _SINES.get(min(degrees, 180 - degrees))
    return found and (sign * found[0], found[1])


def rational_call(name: str, values: Sequence[Fraction]) -> Fraction | None:
    """Return the value of a function that is rational where its arguments are; None for other functions."""
    if name in ("max", "min"):
        return max(values) if name == "max" else min(values)
    if name in ("gcd", "lcm") and all(value.denominator == 1 for value in values):
        return Fraction((math.gcd if name == "gcd" else math.lcm)(*(value.numerator for value in values)))
    if len(values) != 1:
        return None
    value = values[0]
    if name == "abs":
        return abs(value)
    if name == "floor":
        return Fraction(math.floor(value))
    return Fraction(math.ceil(value)) if name in ("ceil", "ceiling") else None
