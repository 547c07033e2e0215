"""The exact values of trees, where arithmetic on radicals, logarithms and symbols can give them."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from rewards.maths.arithmetic import ONE, Arithmetic, Exact, Surd, Term, atom, closed, is_closed
from rewards.maths.numbers import (
    TRIGONOMETRIC,
    UndecidedError,
    UndefinedError,
    continued,
    literal,
    rational_call,
    repeating,
    special_angle,
)
from rewards.maths.tree import Node

_PI: Term = frozenset([("pi", Fraction(1))])
_MAX_FACTORIAL = 10_000


def equal(left: Exact, right: Exact) -> bool | None:
    """Compare two exact values; None where closed calls could still be equal.

    Example:
        >>> from rewards.maths.parse import parse
        >>> value = lambda text: Evaluator().value(parse(text))
        >>> equal(value("\\\\frac{3}{2\\\\sqrt3}"), value("\\\\sqrt{3}/2")), equal(value("1/2^{99}"), value("1/2^{98}"))
        (True, False)
        >>> equal(value("x(x+1)"), value("x^2+x")), equal(value("\\\\sin 2x"), value("2\\\\sin x\\\\cos x"))
        (True, None)
    """
    if not isinstance(left, Surd) and not isinstance(right, Surd):
        return left == right
    difference = Arithmetic().difference(left, right)
    if not difference:
        return True
    return None if any(is_closed(name) for term in difference for name, _ in term) else False


class Evaluator(Arithmetic):
    """Evaluate trees exactly.

    Args:
        log_base: what `log` without a base means; 0 is e.
        scale: factor on the limits of size and work.

    Raises:
        UndecidedError: where exact arithmetic ends.
        UndefinedError: at a division by zero, or for what is no number.
    """

    def __init__(self, log_base: int = 0, scale: int = 1) -> None:
        super().__init__(scale)
        self.log_base = log_base

    def value(self, node: Node) -> Exact:
        method: Callable[[Node], Exact] | None = getattr(self, f"_{node.kind}", None)
        if method is not None:
            return method(node)
        if node.kind == "matrix":
            raise UndecidedError("matrix")
        raise UndefinedError(node.kind)  # no number: a set, an infinity, words

    def _number(self, node: Node) -> Exact:
        return literal(node.value)

    def _repeating(self, node: Node) -> Exact:
        return repeating(*node.value.split("_"))

    def _ellipsis(self, node: Node) -> Exact:
        return continued(node.value)

    def _based(self, node: Node) -> Exact:
        digits, _, base = node.value.partition("_")
        try:
            return int(digits, int(base))
        except ValueError:
            raise UndefinedError(node.value) from None

    def _constant(self, node: Node) -> Exact:
        return atom(node.value)

    def _symbol(self, node: Node) -> Exact:
        return atom(node.value if node.value in ("e", "i") else ("s", node.value))

    def _degrees(self, node: Node) -> Exact:
        return self.multiply(self.multiply(self.value(node.parts[0]), Fraction(1, 180)), atom("pi"))

    def _sum(self, node: Node) -> Exact:
        total: Exact = 0
        for part in node.parts:
            total = self.add(total, self.value(part))
        return total

    def _product(self, node: Node) -> Exact:
        total: Exact = 1
        for part in node.parts:
            total = self.multiply(total, self.value(part))
        return total

    def _negative(self, node: Node) -> Exact:
        return self.multiply(-1, self.value(node.parts[0]))

    def _quotient(self, node: Node) -> Exact:
        return self.multiply(self.value(node.parts[0]), self.inverse(self.value(node.parts[1])))

    def _ratio(self, node: Node) -> Exact:
        if len(node.parts) != 2:
            raise UndecidedError("ratio")
        return self._quotient(node)

    def _power(self, node: Node) -> Exact:
        return self.power(*map(self.value, node.parts))

    # Functions

    def _factorial(self, node: Node) -> Exact:
        value = self.value(node.parts[0])
        if isinstance(value, Surd):
            return closed("factorial", value)
        if value < 0 or value != int(value) or value > _MAX_FACTORIAL:
            raise UndecidedError("factorial")
        if value * int(value).bit_length() > self.max_bits:
            raise UndecidedError("too large")
        self.spend(int(value) * 32)
        return math.factorial(int(value))

    def _apply(self, node: Node) -> Exact:
        return closed(f"apply {node.value}", *map(self.value, node.parts))

    def _call(self, node: Node) -> Exact:
        name, values = node.value, [self.value(part) for part in node.parts]
        if name in ("log", "ln", "lg") and values:
            base = values[1] if len(values) > 1 else {"ln": 0, "lg": 10, "log": self.log_base}[name] or None
            return self.logarithm(values[0], base)
        if name == "binom" and len(values) == 2:
            return self.binomial(*values)
        if len(values) == 1:
            if name == "exp":
                return self.power(atom("e"), values[0])
            if name == "cbrt":
                return self.power(values[0], Fraction(1, 3))
            if name in TRIGONOMETRIC:
                return self.trigonometric(name, values[0])
        plain = [Fraction(value) for value in values if not isinstance(value, Surd)]
        found = rational_call(name, plain) if values and len(plain) == len(values) else None
        return closed(name, *values) if found is None else found

    def trigonometric(self, name: str, angle: Exact) -> Exact:
        turns = Fraction(0) if angle == 0 else None
        if isinstance(angle, Surd) and angle.bottom == ONE and angle.top.keys() == {_PI}:
            turns = angle.top[_PI]
        found = None if turns is None else special_angle(name, turns)
        if found is None:
            return closed(name, angle)
        return self.multiply(found[0], self.root(Fraction(found[1]), Fraction(1, 2)))

    def binomial(self, n: Exact, k: Exact) -> Exact:
        if isinstance(n, Surd) or isinstance(k, Surd) or n != int(n) or k != int(k):
            return closed("binom", n, k)
        n, k = int(n), int(k)
        if n < 0 or k < 0:
            raise UndecidedError("binomial")
        bits = min(k, abs(n - k)) * n.bit_length()
        if bits > self.max_bits:
            raise UndecidedError("too large")
        self.spend(bits)
        return math.comb(n, k)

    def logarithm(self, value: Exact, base: Exact | None = None) -> Exact:
        if base is not None:
            return self.multiply(self.logarithm(value), self.inverse(self.logarithm(base)))
        if value == 0:
            raise UndefinedError("ln 0")
        powers = self.bases(value)
        if powers is None:
            return closed("ln", value)
        total: Exact = 0
        for name, power in powers.items():
            if name == "e":
                part: Exact = Fraction(1)
            elif isinstance(name, tuple) and name[0] == "^" and name[1] == "e":
                part = Surd({name[2]: Fraction(1)}, ONE)
            else:
                part = atom(("l", name)) if isinstance(name, int) else closed("ln", atom(name))
            total = self.add(total, self.multiply(part, power))
        return total
