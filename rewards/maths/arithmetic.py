"""Arithmetic of sums of radicals, symbols and constants, in bounded time.

A value is a rational number, or a quotient of two sums of terms c * a^p * b^q ... with rational coefficients c and
exponents p, q over atoms: primes (with exponents between 0 and 1, so that sqrt(12) is 2 * 3^(1/2)), pi, e, i,
logarithms of primes, symbols, and calls that stay closed. Products of roots of different primes are linearly
independent over the rationals, so values without closed calls are equal only if their difference has no terms.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from fractions import Fraction
from typing import NamedTuple

from rewards.maths.numbers import UndecidedError, UndefinedError, factors

# An atom is a prime, "pi", "e", "i", or a tuple: ("s", name) a symbol, ("l", p) the logarithm of a prime,
# ("^", atom, term) the atom to the power of a term with symbols, ("f", name, ...) a closed call.
Atom = Hashable
Term = frozenset[tuple[Atom, Fraction]]
Sum = dict[Term, Fraction]
UNIT: Term = frozenset()
ONE: Sum = {UNIT: Fraction(1)}
MAX_BITS, MAX_PRODUCTS, MAX_WORK, MAX_ROOT, MAX_POWER = 32_768, 1_000, 200_000, 64, 64


class Surd(NamedTuple):
    """A quotient of two sums of terms."""

    top: Sum
    bottom: Sum


Exact = int | Fraction | Surd


def as_surd(value: Exact) -> Surd:
    """Return any value as a quotient of sums."""
    return value if isinstance(value, Surd) else Surd({UNIT: Fraction(value)} if value else {}, ONE)


def simplified(top: Sum, bottom: Sum) -> Exact:
    """Return a quotient, as a rational number if it is one."""
    if bottom == ONE and len(top) < 2:
        if not top:
            return Fraction(0)
        if UNIT in top:
            return top[UNIT]
    return Surd(top, bottom)


def atom(name: Atom) -> Surd:
    """Return one atom as a value."""
    return Surd({frozenset([(name, Fraction(1))]): Fraction(1)}, ONE)


def closed(name: str, *values: Exact) -> Surd:
    """Return a call that stays as it is; its arguments are compared by their canonical form."""
    keys = [(frozenset(v.top.items()), frozenset(v.bottom.items())) for v in map(as_surd, values)]
    return atom(("f", name, *keys))


def is_closed(name: Atom) -> bool:
    """Tell whether an atom is a closed call."""
    return isinstance(name, tuple) and name[0] == "f"


class Arithmetic:
    """Add, multiply and raise exact values.

    Args:
        scale: factor on the limits of size and work.

    Raises:
        UndecidedError: beyond the limits.
        UndefinedError: at a division by zero.
    """

    def __init__(self, scale: int = 1) -> None:
        self.max_bits, self.work, self.max_work = MAX_BITS * scale, 0, MAX_WORK * scale

    def add(self, left: Exact, right: Exact) -> Exact:
        if not isinstance(left, Surd) and not isinstance(right, Surd):
            return self.bounded(left + right)
        a, b = as_surd(left), as_surd(right)
        if a.bottom == b.bottom:
            return simplified(self.add_sums(a.top, b.top), a.bottom)
        top = self.add_sums(self.multiply_sums(a.top, b.bottom), self.multiply_sums(b.top, a.bottom))
        return simplified(top, self.multiply_sums(a.bottom, b.bottom))

    def multiply(self, left: Exact, right: Exact) -> Exact:
        if not isinstance(left, Surd) and not isinstance(right, Surd):
            return self.bounded(left * right)
        a, b = as_surd(left), as_surd(right)
        return simplified(self.multiply_sums(a.top, b.top), self.multiply_sums(a.bottom, b.bottom))

    def inverse(self, value: Exact) -> Exact:
        if not value or (isinstance(value, Surd) and not value.top):
            raise UndefinedError("1/0")
        if not isinstance(value, Surd):
            return Fraction(1, value)
        if len(value.top) > 1:
            return Surd(value.bottom, value.top)
        ((term, coefficient),) = value.top.items()
        inverted = self.multiply(self.one_term(term, -1), 1 / coefficient)
        return self.multiply(simplified(value.bottom, ONE), inverted)

    def difference(self, left: Exact, right: Exact) -> Sum:
        """Return the numerator of left - right."""
        a, b = as_surd(left), as_surd(right)
        return self.add_sums(self.multiply_sums(a.top, b.bottom), self.multiply_sums(b.top, a.bottom), -1)

    def add_sums(self, left: Sum, right: Sum, sign: int = 1) -> Sum:
        self.spend(len(right) * 64)
        total = dict(left)
        for term, coefficient in right.items():
            value = total.pop(term, Fraction(0)) + sign * coefficient
            if value:
                total[term] = value
        return total

    def multiply_sums(self, left: Sum, right: Sum) -> Sum:
        if left == ONE:
            return right
        if len(left) * len(right) > MAX_PRODUCTS:
            raise UndecidedError("too many terms")
        self.spend(len(left) * len(right) * 128)
        total: Sum = {}
        for first, a in left.items():
            for second, b in right.items():
                term, factor = self.join(first, second)
                value = total.pop(term, Fraction(0)) + self.bounded(a * b * factor)
                if value:
                    total[term] = value
        return total

    def one_term(self, powers: Iterable[tuple[Atom, Fraction]], exponent: int | Fraction = 1) -> Exact:
        """Return a product of powers of different atoms, raised to an exponent."""
        term, factor = self.join(UNIT, ((name, power * exponent) for name, power in powers))
        return simplified({term: self.bounded(factor)}, ONE)

    def join(self, first: Term, second: Iterable[tuple[Atom, Fraction]]) -> tuple[Term, Fraction]:
        """Multiply two terms: powers of i and whole powers of primes go into the coefficient."""
        powers = dict(first)
        for name, power in second:
            powers[name] = powers[name] + power if name in powers else power
        factor = Fraction(1)
        for name, power in powers.items():
            if isinstance(name, int) and not 0 <= power < 1:
                whole = math.floor(power)
                factor *= self.rational_power(Fraction(name), whole)
                powers[name] = power - whole
            elif name == "i":
                factor *= -1 if power % 4 >= 2 else 1
                powers[name] = power % 2
        return frozenset((name, power) for name, power in powers.items() if power), factor

    def bounded(self, value: int | Fraction) -> Fraction:
        value = value if isinstance(value, Fraction) else Fraction(value)
        bits = value.numerator.bit_length() + value.denominator.bit_length()
        if bits > self.max_bits:
            raise UndecidedError("too large")
        self.spend(bits)
        return value

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > self.max_work:
            raise UndecidedError("too much work")

    # Powers and roots

    def power(self, base: Exact, exponent: Exact) -> Exact:
        if isinstance(exponent, Surd):
            return self.symbolic_power(base, exponent)
        exponent = Fraction(exponent)
        if exponent.denominator == 1:
            return self.whole_power(base, exponent.numerator)
        if exponent.denominator > MAX_ROOT:
            raise UndecidedError("a high root")
        if not isinstance(base, Surd):
            return self.root(Fraction(base), exponent)
        if len(base.top) == 1 and base.bottom == ONE:
            ((term, coefficient),) = base.top.items()
            if coefficient > 0 and all(_has_root(name, power) for name, power in term):
                return self.multiply(self.root(coefficient, exponent), self.one_term(term, exponent))
        return closed("power", base, exponent)

    def whole_power(self, base: Exact, exponent: int) -> Exact:
        if not isinstance(base, Surd):
            return self.rational_power(Fraction(base), exponent)
        if exponent < 0:
            return self.inverse(self.whole_power(base, -exponent))
        if len(base.top) == 1 and base.bottom == ONE:
            ((term, coefficient),) = base.top.items()
            return self.multiply(self.rational_power(coefficient, exponent), self.one_term(term, exponent))
        if exponent > MAX_POWER:
            raise UndecidedError("a high power of a sum")
        result: Exact = 1
        for _ in range(exponent):
            result = self.multiply(result, base)
        return result

    def rational_power(self, base: Fraction, exponent: int) -> Fraction:
        if exponent < 0 and not base:
            raise UndefinedError("0^-1")
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits <= 1:  # 0, 1 and -1
            return base ** (abs(exponent) % 2 + 2) if exponent else Fraction(1)
        if bits * abs(exponent) > self.max_bits:
            raise UndecidedError("too large")
        self.spend(bits * abs(exponent))
        return base**exponent

    def root(self, base: Fraction, exponent: Fraction) -> Exact:
        """Return base^exponent; odd roots of negative numbers are the real ones."""
        if base < 0:
            positive = self.root(-base, exponent)
            if exponent.denominator % 2:
                return self.multiply(positive, (-1) ** (exponent.numerator % 2))
            if exponent.denominator > 2:
                raise UndecidedError("a complex root")
            return self.multiply(positive, self.whole_power(atom("i"), exponent.numerator % 4))
        if not base:
            if exponent < 0:
                raise UndefinedError("0^-1")
            return 0
        top = [(prime, Fraction(count)) for prime, count in factors(base.numerator).items()]
        bottom = [(prime, Fraction(-count)) for prime, count in factors(base.denominator).items()]
        return self.one_term([*top, *bottom], exponent)

    def symbolic_power(self, base: Exact, exponent: Surd) -> Exact:
        """Return base^(a + b x + ...) as base^a * (base^x)^b * ..."""
        bases = self.bases(base)
        imaginary = any(name == "i" or is_closed(name) for term in exponent.top for name, _ in term)
        if bases is None or imaginary or exponent.bottom != ONE:
            return closed("power", base, exponent)
        result: Exact = 1
        for term, coefficient in exponent.top.items():
            if term == UNIT:
                result = self.multiply(result, self.power(base, coefficient))
            else:
                powers = [(("^", name, term), coefficient * power) for name, power in bases.items()]
                result = self.multiply(result, self.one_term(powers))
        return result

    def bases(self, base: Exact) -> dict[Atom, Fraction] | None:
        """Return the atoms of a positive base with their exponents; None for sums, signs and imaginary numbers."""
        surd = as_surd(base)
        if len(surd.top) != 1 or surd.bottom != ONE:
            return None
        ((term, coefficient),) = surd.top.items()
        if coefficient <= 0 or any(name == "i" for name, _ in term):
            return None
        powers: dict[Atom, Fraction] = dict(term)
        for value, sign in ((coefficient.numerator, 1), (coefficient.denominator, -1)):
            for prime, count in factors(value).items():
                powers[prime] = powers.get(prime, Fraction(0)) + sign * count
        return powers


def _has_root(name: Atom, power: Fraction) -> bool:
    """Tell whether a root may be taken of this factor: sqrt(x^2) is no x, as x may be negative."""
    if name == "i":
        return False
    even = power.denominator == 1 and power.numerator % 2 == 0
    return not (even and isinstance(name, tuple) and name[0] in "sf")
