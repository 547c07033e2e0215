"""Compare expressions by their values to many digits; runs in a worker that can be killed (needs mpmath).

Two constants are equal if their difference vanishes as the precision grows, however small they are. Two expressions
with symbols are equal if they agree to 30 digits at every sampled point where both are real. Symbols are taken to be
positive, so that sqrt(4 r^2) is 2 r, except beside an absolute value: |x| is not x.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
from mpmath import mp

from rewards.maths.compare import any_of
from rewards.maths.exact import Evaluator, equal
from rewards.maths.numbers import UndecidedError, UndefinedError, continued, literal, repeating
from rewards.maths.tree import Node, variables
from rewards.maths.values import ExactValues, log_bases

Number = Any  # mpf or mpc; mpmath has no types
Point = dict[str, Number]

DIGITS, MORE_DIGITS, AGREEING_DIGITS = 60, 150, 30
_SAMPLES, _ENOUGH = 12, 2
_LARGE_EXACT = 16  # the worker may compute exactly with numbers of this many times the size
_LARGEST = mp.mpf(2) ** 50  # of the exponents that are evaluated
_SCALES = (1, 1, 9, 1, 60)  # of samples: mostly near 1, where most functions are defined
_SIGNED = frozenset(("abs", "sgn", "arg"))
_WHOLE_NAMES = frozenset("nkmNjlpq")  # symbols that often stand for integers
_NO_VALUE = (ArithmeticError, ValueError, TypeError, UndecidedError, UndefinedError)


class TooLargeError(ArithmeticError):
    """A part of the expression is of unreasonable size."""


class BeyondPrecisionError(ArithmeticError):
    """The value depends on more digits than are computed."""


class NumericValues(ExactValues):
    """Compare exactly where possible, else by values (`rewards.maths.compare.Values`)."""

    def equal(self, gold: Node, candidate: Node) -> bool | None:
        verdict = super().equal(gold, candidate)
        names = sorted(variables(gold) | variables(candidate))
        if verdict is None and not names:
            verdict = _exactly(gold, candidate)
        if verdict is not None:
            return verdict
        return any_of([_close(gold, candidate, names, base) for base in log_bases(gold, candidate)])

    def proportional(self, gold: Node, candidate: Node, positive: bool) -> bool | None:
        verdict = super().proportional(gold, candidate, positive)
        if verdict is not None:
            return verdict
        names = sorted(variables(gold) | variables(candidate))
        pairs = [(a, b) for a, b in _sampled(gold, candidate, names, 0, whole=False) if b is not None]
        if len(pairs) < _ENOUGH or not all(b for _, b in pairs):
            return None
        ratios = [a / b for a, b in pairs]
        if not all(_agree(ratio, ratios[0]) for ratio in ratios):
            return False
        return not positive or bool(mp.im(ratios[0]) == 0 and mp.re(ratios[0]) > 0)

    def estimate(self, node: Node) -> float | None:
        found = super().estimate(node)
        if found is not None or variables(node):
            return found
        try:
            with mp.workdps(DIGITS):
                value = evaluate(node, {}, 0)
                return float(mp.re(value)) if _is_real(value) else None
        except _NO_VALUE:
            return None


def _exactly(gold: Node, candidate: Node) -> bool | None:
    try:
        left, right = (Evaluator(scale=_LARGE_EXACT).value(node) for node in (gold, candidate))
        return equal(left, right)
    except (UndecidedError, UndefinedError):
        return None


def _close(gold: Node, candidate: Node, names: list[str], log_base: int) -> bool | None:
    if not names:
        return same_constant(gold, candidate, log_base)
    verdict = same_function(gold, candidate, names, log_base, whole=False)
    if not verdict and _WHOLE_NAMES.issuperset(names):
        return same_function(gold, candidate, names, log_base, whole=True)
    return verdict


def same_constant(gold: Node, candidate: Node, log_base: int) -> bool | None:
    """Compare two constants; None where the gold one has no value."""
    gaps = list[tuple[Number, Number]]()
    for digits in (DIGITS, MORE_DIGITS):
        with mp.workdps(digits):
            try:
                target = evaluate(gold, {}, log_base)
            except _NO_VALUE:
                return None
            try:
                found = evaluate(candidate, {}, log_base)
            except BeyondPrecisionError:
                return None
            except _NO_VALUE:
                return False
            gaps.append((abs(target - found), max(abs(target), abs(found))))
    (first, _), (second, scale) = gaps
    if scale > mp.mpf(10) ** 100 and (_has(gold, "sum") or _has(candidate, "sum")):
        return None if second <= scale * mp.mpf(10) ** -100 else False  # n + 1 and n cannot be told apart
    vanishing = first * mp.mpf(10) ** (DIGITS + 20 - MORE_DIGITS)
    return bool(second <= max(scale * mp.mpf(10) ** (AGREEING_DIGITS - MORE_DIGITS), vanishing))


def same_function(gold: Node, candidate: Node, names: list[str], log_base: int, whole: bool) -> bool | None:
    """Compare two expressions at sampled points; None where too few points have real values."""
    agreed, valueless, complex_too = 0, 0, _has(gold, "symbol", "i") or _has(candidate, "symbol", "i")
    for a, b in _sampled(gold, candidate, names, log_base, whole):
        if b is None or (not complex_too and _is_real(a) and not _is_real(b)):
            valueless += 1
        elif complex_too or _is_real(a):
            if not _agree(a, b):
                return False
            agreed += 1
    if agreed >= _ENOUGH:
        return True
    return False if valueless >= _ENOUGH and not agreed else None


def _sampled(gold: Node, candidate: Node, names: list[str], log_base: int, whole: bool) -> Iterator[tuple[Any, Any]]:
    """Yield both values at each point where the gold one exists; the other is None where it does not."""
    signed = any(_has(node, "call", name) for node in (gold, candidate) for name in _SIGNED)
    for sample in range(_SAMPLES):
        with mp.workdps(DIGITS):
            point = {name: _coordinate(name, sample, whole, signed) for name in names}
            a, b = (_value_at(node, point, log_base) for node in (gold, candidate))
        if a is not None:
            yield a, b


def _value_at(node: Node, point: Point, log_base: int) -> Number | None:
    try:
        return evaluate(node, point, log_base)
    except _NO_VALUE:
        return None


def _coordinate(name: str, sample: int, whole: bool, signed: bool) -> Number:
    """Return the value of a symbol at a sample, the same in every run; `signed` makes some negative."""
    noise = zlib.crc32(f"{name} {sample}".encode(errors="replace"))
    if whole:
        return mp.mpf(1 + sample + noise % 5)
    size = (mp.mpf(noise % 1_000_003) / 500_009 + mp.mpf(1) / 7) * _SCALES[sample % len(_SCALES)]
    return -size if signed and noise % 2 else size


def _agree(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= max(abs(a), abs(b)) * mp.mpf(10) ** -AGREEING_DIGITS)


def _is_real(value: Number) -> bool:
    return bool(abs(mp.im(value)) <= abs(value) * mp.mpf(10) ** -40)


def _has(node: Node, kind: str, value: str | None = None) -> bool:
    return (node.kind == kind and value in (None, node.value)) or any(_has(part, kind, value) for part in node.parts)


# Evaluation


def evaluate(node: Node, point: Point, log_base: int) -> Number:
    """Return the value of a tree at a point, to the working precision.

    Raises:
        ArithmeticError, ValueError, TypeError: where it has none, or one of unreasonable size.
        UndecidedError: for a tree that is no number.
    """
    if node.kind == "call" and node.value == "det":
        value = _determinant(node.parts[0], point, log_base)
    else:
        value = _value(node, [evaluate(part, point, log_base) for part in node.parts], point, log_base)
    if not mp.isfinite(value):
        raise ZeroDivisionError("no finite value")  # else ln(0) would be near everything
    return value


def _value(node: Node, parts: list[Number], point: Point, log_base: int) -> Number:
    match node.kind:
        case "number":
            return _rational(literal(node.value))
        case "repeating":
            return _rational(repeating(*node.value.split("_")))
        case "ellipsis":
            return _rational(continued(node.value))
        case "constant":
            return +mp.pi
        case "symbol":
            return +mp.e if node.value == "e" else mp.mpc(0, 1) if node.value == "i" else point[node.value]
        case "sum":
            return mp.fsum(parts)
        case "product":
            return mp.fprod(parts)
        case "negative":
            return -parts[0]
        case "quotient":
            return parts[0] / parts[1]
        case "degrees":
            return parts[0] * mp.pi / 180
        case "power":
            return _power(parts[0], parts[1], node.parts[1])
        case "factorial":
            return mp.factorial(_within(parts[0], 10**9))
        case "apply":
            seed = f"{node.value} {[mp.nstr(part, 15) for part in parts]}"  # any function, but the same every time
            return mp.mpf(zlib.crc32(seed.encode(errors="replace"))) / 2**31 + 1
        case "call":
            return _call(node.value, parts, log_base)
    raise UndecidedError(node.kind)


def _rational(value: int | Fraction) -> Number:
    return mp.mpf(value.numerator) / value.denominator


def _within(value: Number, limit: Number) -> Number:
    if abs(value) > limit:
        raise TooLargeError("out of bounds")
    return value


def _power(base: Number, exponent: Number, written: Node) -> Number:
    if base == 0:
        if mp.re(exponent) <= 0:
            raise ZeroDivisionError("0^0")
        return mp.mpf(0)
    if abs(base) != 1:
        _within(exponent, _LARGEST / (1 + abs(mp.log(abs(base)))))
    root = _odd_root(written) if _is_real(base) and mp.re(base) < 0 else None
    if root is None:
        return mp.power(base, exponent)
    size = mp.power(abs(base), exponent)
    return -size if root % 2 else size


def _odd_root(written: Node) -> int | None:
    """Return the numerator of a written exponent such as 1/3, whose root of a negative number is real."""
    if written.kind != "quotient" or any(part.kind != "number" or not part.value.isdigit() for part in written.parts):
        return None
    top, bottom = (int(part.value[-9:]) for part in written.parts)
    return top if bottom % 2 else None


def _determinant(matrix: Node, point: Point, log_base: int) -> Number:
    rows = [[evaluate(cell, point, log_base) for cell in row.parts] for row in matrix.parts]
    if matrix.kind != "matrix" or len(rows) > 8 or any(len(row) != len(rows) for row in rows):
        raise UndecidedError("determinant")
    return mpmath.det(mpmath.matrix(rows))


def _snapped(value: Number) -> Number:
    """Return the whole number next to a value that misses it by rounding only."""
    near = mp.nint(value)
    return near if abs(value - near) < mp.mpf(10) ** -40 else value


_PLAIN = "sin cos tan cot sec csc sinh cosh tanh coth sech csch".split()
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    **{name: getattr(mp, name) for name in _PLAIN},
    **{f"{prefix}{name}": getattr(mp, f"a{name}") for name in _PLAIN for prefix in ("a", "arc")},
    "floor": lambda value: mp.floor(_snapped(value)),
    "ceil": lambda value: mp.ceil(_snapped(value)),
    "ceiling": lambda value: mp.ceil(_snapped(value)),
}
_ANY_SIZE: dict[str, Callable[..., Number]] = {"abs": abs, "max": max, "min": min, "re": mp.re, "im": mp.im}
_ANY_SIZE |= {"Re": mp.re, "Im": mp.im, "cbrt": mp.cbrt, "sgn": mp.sign, "arg": mp.arg}


def _call(name: str, parts: list[Number], log_base: int) -> Number:
    if name in ("ln", "log", "lg"):
        base = parts[1] if len(parts) > 1 else {"ln": 0, "lg": 10, "log": log_base}[name] or mp.e
        return mp.log(parts[0]) / mp.log(base)
    if name == "exp":
        return mp.exp(_within(parts[0], _LARGEST))
    if name == "binom":
        return mp.binomial(*(_within(part, 10**9) for part in parts))
    if name in _ANY_SIZE:
        return _ANY_SIZE[name](*parts)
    if name not in _FUNCTIONS:
        raise UndecidedError(name)
    if any(abs(part) > mp.mpf(10) ** 20 for part in parts):
        raise BeyondPrecisionError(name)
    return _FUNCTIONS[name](*parts)
