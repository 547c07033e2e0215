"""Sets of real numbers as unions of intervals: inequalities, interval notation and set operations become one form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from rewards.maths.arithmetic import as_surd
from rewards.maths.exact import Evaluator
from rewards.maths.numbers import UndecidedError, UndefinedError
from rewards.maths.tree import INFINITY, Node, minus, negative, number, quotient, variables

Estimate = Callable[[Node], float | None]
_NEGATIVE_INFINITY = negative(INFINITY)
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}


class Interval(NamedTuple):
    """An interval; an end that is infinite is open."""

    low: Node
    low_closed: bool
    high: Node
    high_closed: bool


EVERYTHING = Interval(_NEGATIVE_INFINITY, False, INFINITY, False)
Region = tuple[Interval, ...]


class NotRegionError(Exception):
    """The tree is no set of real numbers."""


def is_infinite(node: Node) -> int:
    """Return 1, -1 or 0 for infinity, negative infinity and anything else."""
    if node == INFINITY:
        return 1
    return -is_infinite(node.parts[0]) if node.kind == "negative" else 0


def is_inequality(node: Node) -> bool:
    return node.kind == "relation" and any(operator in _FLIPPED for operator in node.value.split())


def looks_like_region(node: Node) -> bool:
    """Tell whether a tree can only be a set of real numbers, as (1, 2) is not: that may be a point."""
    if node.kind in ("union", "intersection", "difference", "reals") or is_inequality(node):
        return True
    if node.kind == "group" and len(node.parts) == 2:
        return node.value in ("(]", "[)") or any(map(is_infinite, node.parts))
    return node.kind == "list" and node.value != "," and all(map(looks_like_region, node.parts))


def region(node: Node, estimate: Estimate) -> Region:
    """Return the set that a tree describes.

    Raises:
        NotRegionError: if it describes none.

    Example:
        >>> from rewards.maths.parse import parse
        >>> value = lambda node: float(node.value) if node.kind == "number" else None
        >>> region(parse("0 \\\\le x < 1"), value) == region(parse("[0,1)"), value)
        True
    """
    match node.kind:
        case "reals":
            return (EVERYTHING,)
        case "group":
            return _group(node, estimate)
        case "relation":
            return _relation(node, estimate)
        case "list":
            parts = [region(part, estimate) for part in node.parts]
            joined = parts[0]
            for part in parts[1:]:
                joined = _intersect(joined, part, estimate) if node.value == "and" else joined + part
            return _merged(joined, estimate)
        case "union":
            return _merged(sum((region(part, estimate) for part in node.parts), ()), estimate)
        case "intersection":
            return _intersect(region(node.parts[0], estimate), region(node.parts[1], estimate), estimate)
        case "difference":
            removed = _complement(region(node.parts[1], estimate), estimate)
            return _intersect(region(node.parts[0], estimate), removed, estimate)
    raise NotRegionError(node.kind)


def _group(node: Node, estimate: Estimate) -> Region:
    if node.value == "{}":
        return _merged(tuple(Interval(part, True, part, True) for part in node.parts), estimate)
    if len(node.parts) != 2:
        raise NotRegionError("a tuple")
    low, high = node.parts
    return (
        Interval(
            low, node.value[0] == "[" and not is_infinite(low), high, node.value[1] == "]" and not is_infinite(high)
        ),
    )


def _relation(node: Node, estimate: Estimate) -> Region:
    operators = node.value.split()
    if operators == ["in"]:
        return region(node.parts[1], estimate)
    pieces = [_simple(left, op, right) for left, op, right in zip(node.parts, operators, node.parts[1:], strict=False)]
    result = pieces[0]
    for piece in pieces[1:]:
        result = _intersect(result, piece, estimate)
    return result


def _simple(left: Node, operator: str, right: Node) -> Region:
    """Solve one inequality that is linear in its only variable."""
    if operator not in _FLIPPED:
        raise NotRegionError(operator)
    if bool(variables(left)) == bool(variables(right)):
        raise NotRegionError("no single variable")
    if variables(right):
        left, operator, right = right, _FLIPPED[operator], left
    if left.kind not in ("symbol", "apply"):
        bound, rising = _solve(left, right)
        operator = operator if rising else _FLIPPED[operator]
        right = bound
    closed = operator.endswith("=") and not is_infinite(right)
    if operator == "!=":
        return (Interval(_NEGATIVE_INFINITY, False, right, False), Interval(right, False, INFINITY, False))
    if operator[0] == "<":
        return (Interval(_NEGATIVE_INFINITY, False, right, closed),)
    return (Interval(right, closed, INFINITY, False),)


def _solve(left: Node, right: Node) -> tuple[Node, bool]:
    """Return the zero of left - right, which must be linear with a rational slope, and whether it rises."""
    names, difference = variables(left), minus(left, right)
    try:
        value = as_surd(Evaluator().value(difference))
    except (UndecidedError, UndefinedError) as error:
        raise NotRegionError("not linear") from error
    name = next(iter(names))
    varying = [(term, factor) for term, factor in value.top.items() if any(("s", name) == atom for atom, _ in term)]
    slopes = [factor for term, factor in varying if dict(term) == {("s", name): 1}]
    if len(names) > 1 or len(value.bottom) > 1 or len(varying) != 1 or not slopes:
        raise NotRegionError("not linear")
    at_zero, at_one = (_substituted(difference, name, digit) for digit in "01")
    return quotient(negative(at_zero), minus(at_one, at_zero)), slopes[0] > 0


def _substituted(node: Node, name: str, digit: str) -> Node:
    if node.kind == "symbol" and node.value == name:
        return number(digit)
    return node._replace(parts=tuple(_substituted(part, name, digit) for part in node.parts)) if node.parts else node


def _order(node: Node, estimate: Estimate) -> float:
    infinite = is_infinite(node)
    value = float("inf") * infinite if infinite else estimate(node)
    if value is None:
        raise NotRegionError("ends without order")
    return value


def _merged(intervals: Region, estimate: Estimate) -> Region:
    """Return the intervals in their order, joined where they touch."""
    if len(intervals) < 2:
        return intervals
    if len(intervals) > 50:
        raise NotRegionError("too many parts")
    ordered = sorted(intervals, key=lambda one: (_order(one.low, estimate), not one.low_closed))
    result = [ordered[0]]
    for one in ordered[1:]:
        last = result[-1]
        end, start = _order(last.high, estimate), _order(one.low, estimate)
        if start < end or (start == end and (last.high_closed or one.low_closed)):
            after = _order(one.high, estimate)
            if after > end or (after == end and one.high_closed):
                result[-1] = last._replace(high=one.high, high_closed=one.high_closed)
        else:
            result.append(one)
    return tuple(result)


def _intersect(left: Region, right: Region, estimate: Estimate) -> Region:
    if left == (EVERYTHING,) or right == (EVERYTHING,):
        return right if left == (EVERYTHING,) else left
    found = (_overlap(a, b, estimate) for a in left for b in right)
    return _merged(tuple(one for one in found if one is not None), estimate)


def _overlap(a: Interval, b: Interval, estimate: Estimate) -> Interval | None:
    starts = [(_order(one.low, estimate), not one.low_closed, one.low) for one in (a, b)]
    ends = [(_order(one.high, estimate), one.high_closed, one.high) for one in (a, b)]
    start, is_open, low = max(starts, key=lambda each: each[:2])
    end, closed, high = min(ends, key=lambda each: each[:2])
    if start > end or (start == end and (is_open or not closed)):
        return None
    return Interval(low, not is_open, high, closed)


def _complement(intervals: Region, estimate: Estimate) -> Region:
    edges: Sequence[Interval] = _merged(intervals, estimate)
    first = Interval(_NEGATIVE_INFINITY, False, _NEGATIVE_INFINITY, False)
    last = Interval(INFINITY, False, INFINITY, False)
    gaps = [Interval(a.high, not a.high_closed, b.low, not b.low_closed) for a, b in pairwise((first, *edges, last))]
    gaps[0], gaps[-1] = gaps[0]._replace(low_closed=False), gaps[-1]._replace(high_closed=False)
    if len(gaps) == 1:
        return (EVERYTHING,)
    return tuple(gap for gap in gaps if not (is_infinite(gap.low) and gap.low == gap.high))
