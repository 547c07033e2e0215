"""Compare a final answer with the right one: what counts as the same answer.

- Values are equal exactly. Only a gold answer that is itself a decimal of three or more significant digits also accepts
  an exact or longer candidate that rounds to it: 0.333 accepts 1/3, but 1/3 does not accept 0.333.
- `25%` equals 0.25 and 1/4; a gold answer of 25% also accepts 25, but one of 25 does not accept 25%.
- A unit may be left out; two known units convert (5 m is 500 cm), words such as `apples` count for nothing.
- A name before the value is no part of it: `x = 2` and 2 are equal, `x = 2` and `y = 2` are not.
- A set or a list without brackets has no order, a tuple has; brackets may be missing, but `(1, 2)` is no set.
- An inequality, an interval and a union are compared as sets of real numbers; `\\pm a` is the list of both values.
- A number in another base must have the same digits; a clock time is no ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from rewards.maths.forms import (
    bracket_of,
    brackets_fit,
    by_name,
    decimal,
    difference_of,
    exact_and_rounded,
    is_clock,
    is_collection,
    is_vector,
    name_and_value,
    names_of,
    rows_of,
    split_unit,
    spread,
    value_of,
    with_variable_of,
    without_names,
)
from rewards.maths.sets import NotRegionError, Region, is_inequality, is_infinite, looks_like_region, region
from rewards.maths.tree import Node, items_of, negative, product, rational, variables
from rewards.maths.units import conversion, is_percent

MAX_ITEMS = 60
_HUNDREDTH = rational(Fraction(1, 100))
_SAME_WITHIN = 0.02  # what two sides of an approximate equation may differ by


class Values(Protocol):
    """How two expressions without structure are compared."""

    def equal(self, gold: Node, candidate: Node) -> bool | None:
        """Tell whether two expressions have the same value; None where that cannot be decided."""

    def proportional(self, gold: Node, candidate: Node, positive: bool) -> bool | None:
        """Tell whether one expression is the other times a number (a positive number)."""

    def estimate(self, node: Node) -> float | None:
        """Return the approximate value of a real constant."""


def all_of(verdicts: Sequence[bool | None]) -> bool | None:
    """Return False if one verdict is, else None if one is, else True."""
    return False if False in verdicts else None if None in verdicts else True


def any_of(verdicts: Sequence[bool | None]) -> bool | None:
    """Return True if one verdict is, else None if one is, else False."""
    return True if True in verdicts else None if None in verdicts else False


class Comparison:
    """Compare the trees of two answers; None where `values` cannot decide."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def same(self, gold: Node, candidate: Node) -> bool | None:
        if gold == candidate:
            return True
        gold, candidate = spread(gold), spread(candidate)
        if any(is_inequality(side) or looks_like_region(side) for side in (gold, candidate)):
            left, right = self.region_of(gold), self.region_of(candidate)
            if left is not None and right is not None:
                return self.same_region(gold, candidate, left, right)
            if not (is_collection(gold) and is_collection(candidate)):
                return self.same_condition(gold, candidate)
        if is_collection(gold) or is_collection(candidate):
            return self.same_collection(without_names(gold), without_names(candidate))
        if gold.kind == "relation" or candidate.kind == "relation":
            return self.same_relation(gold, candidate)
        if gold.kind == "matrix" or candidate.kind == "matrix":
            return self.same_matrix(gold, candidate)
        return self.same_value(gold, candidate)

    # Sets of real numbers

    def region_of(self, node: Node) -> Region | None:
        try:
            return region(node.parts[0] if node.kind == "unit" else node, self.values.estimate)
        except NotRegionError:
            return None

    def same_region(self, gold: Node, candidate: Node, left: Region, right: Region) -> bool | None:
        names = [variables(side) for side in (gold, candidate) if side.kind == "relation"]
        if len(names) == 2 and len(names[0]) == len(names[1]) == 1 and names[0] != names[1]:
            return False
        closed = [[(each.low_closed, each.high_closed) for each in side] for side in (left, right)]
        if closed[0] != closed[1]:
            return False
        ends = [(x, y) for a, b in zip(left, right, strict=True) for x, y in ((a.low, b.low), (a.high, b.high))]
        return all_of([self.same_value(a, b) for a, b in ends])

    def same_condition(self, gold: Node, candidate: Node) -> bool | None:
        """Compare inequalities that are not linear in one variable, as written."""
        if not (is_inequality(gold) and is_inequality(candidate)):
            return False
        one, other = gold.value.split(), candidate.value.split()
        if len(one) > 1 or len(other) > 1:
            if one != other:
                return None
            return all_of([self.same(a, b) for a, b in zip(gold.parts, candidate.parts, strict=True)])
        strict = [operator in ("<", ">", "!=") for operator in (one[0], other[0])]
        if strict[0] != strict[1] or (one[0] == "!=") != (other[0] == "!="):
            return False
        right = difference_of(candidate)
        flipped = right if one[0][0] == other[0][0] else negative(right)
        return self.values.proportional(difference_of(gold), flipped, positive=one[0] != "!=")

    # Lists, sets and tuples

    def same_collection(self, gold: Node, candidate: Node) -> bool | None:
        if gold.kind == "matrix" or candidate.kind == "matrix":
            return self.same_matrix(gold, candidate)
        left, right = items_of(gold), items_of(candidate)
        kinds = {bracket_of(gold), bracket_of(candidate)}
        if max(len(left), len(right)) > MAX_ITEMS:
            return None
        if kinds == {"tuple", "set"} and len(left) > 1 and len(right) > 1:
            return False
        if "tuple" not in kinds:
            return self.same_bag(left, right, as_set="set" in kinds)
        if len(left) != len(right) or not brackets_fit(gold, candidate):
            return False
        return self.same_row(by_name(left), by_name(right))

    def same_row(self, gold: Sequence[Node], candidate: Sequence[Node]) -> bool | None:
        if len(gold) != len(candidate):
            return False
        return all_of([self.same(a, b) for a, b in zip(gold, candidate, strict=True)])

    def same_bag(self, gold: Sequence[Node], candidate: Sequence[Node], as_set: bool) -> bool | None:
        """Compare without order; a set ignores repetitions, a list does not."""
        names = [names_of(side) for side in (gold, candidate)]
        if all(names):
            if sorted(names[0]) != sorted(names[1]):
                return False
        elif any(len(set(side)) > 1 for side in names):
            rows = (by_name(gold), by_name(candidate)), (list(map(value_of, gold)), list(map(value_of, candidate)))
            return False if as_set else any_of([self.same_row(*row) for row in rows])
        verdicts = [[self.same(item, other) for other in candidate] for item in gold]
        if as_set or len(set(gold)) == len(gold) < len(candidate):
            by_column = [list(column) for column in zip(*verdicts, strict=True)]
            return bool(gold) == bool(candidate) and all_of([any_of(each) for each in (*verdicts, *by_column)])
        if len(gold) != len(candidate):
            return False
        return _matching(verdicts)

    # Relations

    def same_relation(self, gold: Node, candidate: Node) -> bool | None:
        if gold.kind == candidate.kind:
            return self.same_equations(gold, candidate)
        relation, other = (gold, candidate) if gold.kind == "relation" else (candidate, gold)
        operators, named = set(relation.value.split()), name_and_value(relation)
        if operators == {"in"}:
            value = relation.parts[-1]
        elif named:
            value = named.value
        elif relation is gold:
            return False
        elif operators <= {"=", "~"} and "~" in operators:
            return self.same_approximately(gold, *exact_and_rounded(relation))
        else:
            return self.same_result(gold, relation)
        return self.same(value, other) if relation is gold else self.same(other, value)

    def same_approximately(self, gold: Node, exact: Node | None, rounded: Node) -> bool | None:
        """Accept the exact or the rounded side of `x = \\sqrt{2} \\approx 1.414`, if they are about the same."""
        if exact is None:
            return self.same(gold, rounded)
        if any(variables(side) or is_infinite(side) for side in (exact, rounded)):
            return False
        a, b = self.values.estimate(exact), self.values.estimate(rounded)
        verdict = any_of([self.same(gold, exact), self.same(gold, rounded)])
        if a is None or b is None:
            return False if verdict is False else None
        return verdict if abs(a - b) <= _SAME_WITHIN * max(abs(a), abs(b)) else False

    def same_result(self, gold: Node, relation: Node) -> bool | None:
        """Accept the last side of `2 + 2 = 4` or `m + n = 62`, not of a false statement or an equation to be solved."""
        *sides, last = relation.parts
        unknown = [variables(side) for side in sides if variables(side)]
        if set(relation.value.split()) != {"="} or variables(last) or any(len(names) < 2 for names in unknown):
            return False
        plain = [side for side in relation.parts if not variables(side)]
        return all_of([*(self.same_value(a, b) for a, b in pairwise(plain)), self.same(gold, last)])

    def same_equations(self, gold: Node, candidate: Node) -> bool | None:
        left, right = name_and_value(gold), name_and_value(candidate)
        if left and right:
            verdict = self.same(left.value, with_variable_of(right.value, candidate.parts[0], gold.parts[0]))
            function = variables(left.value) and variables(left.value) == variables(right.value)
            if left.name == right.name or (verdict and function):
                return verdict
            if is_collection(left.value) or is_collection(right.value):
                return False
        if set(gold.value.split()) != {"="} or set(candidate.value.split()) != {"="}:
            return gold.value == candidate.value and self.same_row(gold.parts, candidate.parts)
        if len(gold.parts) > 2 or len(candidate.parts) > 2:
            return False
        return self.values.proportional(difference_of(gold), difference_of(candidate), positive=False)

    # Matrices and values

    def same_matrix(self, gold: Node, candidate: Node) -> bool | None:
        left, right = rows_of(gold), rows_of(candidate)
        if left is None or right is None:
            return False
        if [*map(len, left)] != [*map(len, right)] and (
            gold.kind == candidate.kind or not (is_vector(left) and is_vector(right))
        ):
            return False
        return self.same_row([cell for row in left for cell in row], [cell for row in right for cell in row])

    def same_value(self, gold: Node, candidate: Node) -> bool | None:
        (left, unit), (right, other) = split_unit(gold), split_unit(candidate)
        kinds = (left.kind, right.kind)
        if is_infinite(left) or is_infinite(right):
            return is_infinite(left) == is_infinite(right)
        if "words" in kinds:
            return left == right
        if "based" in kinds:
            return self.same_digits(left, right)
        if "ratio" in kinds:
            return self.same_ratio(left, right)
        if is_percent(unit) or is_percent(other):
            return self.same_share(left, right, is_percent(unit), is_percent(other))
        return self.same_quantity(left, right, unit, other)

    def same_quantity(self, gold: Node, candidate: Node, unit: str, other: str) -> bool | None:
        if unit and other and unit != other:
            factor = conversion(unit, other)
            if factor is None:
                return False
            candidate = candidate if factor == 1 else product((candidate, rational(factor)))
        verdict = self.values.equal(gold, candidate)
        if verdict is False and {unit, other} == {"°", ""}:
            radians = [Node("degrees", (side,)) if mark else side for side, mark in ((gold, unit), (candidate, other))]
            return self.values.equal(radians[0], radians[1])
        if verdict is False and unit != "$":
            return self.rounds_to(gold, candidate)
        return verdict

    def same_share(self, gold: Node, candidate: Node, gold_percent: bool, percent: bool) -> bool | None:
        if gold_percent == percent:
            return self.values.equal(gold, candidate)
        if percent:
            return self.values.equal(gold, product((candidate, _HUNDREDTH)))
        return any_of([self.values.equal(gold, candidate), self.values.equal(product((gold, _HUNDREDTH)), candidate)])

    def same_digits(self, gold: Node, candidate: Node) -> bool | None:
        if gold.kind == candidate.kind:
            return gold.value == candidate.value or self.values.equal(gold, candidate)
        if gold.kind != "based" or candidate.kind != "number":
            return False
        return candidate.value.lstrip("0") == gold.value.partition("_")[0].lstrip("0")

    def same_ratio(self, gold: Node, candidate: Node) -> bool | None:
        clock = any(side.kind == "ratio" and is_clock(side, side is gold) for side in (gold, candidate))
        if gold.kind != candidate.kind:
            return False if clock else self.values.equal(gold, candidate)
        if clock or len(gold.parts) != len(candidate.parts):
            return self.same_row(gold.parts, candidate.parts)
        first, other = gold.parts[0], candidate.parts[0]
        pairs = zip(gold.parts[1:], candidate.parts[1:], strict=True)
        return all_of([self.values.equal(product((a, other)), product((first, b))) for a, b in pairs])

    def rounds_to(self, gold: Node, candidate: Node) -> bool | None:
        """Tell whether a gold decimal is what a more exact candidate rounds to."""
        rounded, finer = decimal(gold), decimal(candidate)
        if rounded is None or not 3 <= rounded.digits <= 12 or variables(candidate):
            return False
        if finer.place >= rounded.place if finer else candidate.kind == "number":
            return False
        estimated = self.values.estimate(candidate)
        if estimated is None or abs(estimated) > 1e300:
            return False
        half = Fraction(10) ** rounded.place / 2
        return abs(Fraction(estimated) - rounded.value) <= half * Fraction(1_000_001, 1_000_000)


def _matching(verdicts: Sequence[Sequence[bool | None]]) -> bool | None:
    """Tell whether each item of a square table has a partner of its own; equality lets the first one serve."""
    free, undecided = set(range(len(verdicts))), False
    for row in verdicts:
        partner = next((place for place in sorted(free) if row[place]), None)
        if partner is not None:
            free.discard(partner)
        elif any(row[place] is None for place in free):
            undecided = True
        else:
            return False
    return None if undecided else True
