"""Answers under another form: names, units, brackets and plus-or-minus signs taken off or written out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from rewards.maths.numbers import literal
from rewards.maths.tree import Node, items_of, minus, negative, renamed, variables

_NAMING_CALLS = ("abs", "det", "max", "min")


class Named(NamedTuple):
    """A value with its name: x = 2, 2 = x, f(x) = x + 1, (x, y) = (1, 2)."""

    name: str
    value: Node


class Decimal(NamedTuple):
    """A decimal as written: its value, the power of ten of its last digit, and its number of significant digits."""

    value: Fraction
    place: int
    digits: int


def name_and_value(node: Node) -> Named | None:
    """Return what an equation names; None if it is no equation of that form."""
    if node.kind != "relation" or set(node.value.split()) != {"="}:
        return None
    first, last = node.parts[0], node.parts[-1]
    if _is_name(first):
        return Named(_label(first), last)
    return Named(_label(last), first) if _is_name(last) and variables(last) and not variables(first) else None


def _is_name(node: Node) -> bool:
    if node.kind == "group":
        return node.value == "()" and all(part.kind == "symbol" for part in node.parts)
    if node.kind == "call":
        return node.value in _NAMING_CALLS and bool(variables(node))
    return node.kind in ("symbol", "apply") or _is_figure(node) or _is_derivative(node)


def _is_figure(node: Node) -> bool:
    """Recognise AB, AB/CD and \\angle ABC."""
    if node.kind == "quotient":
        return all(map(_is_figure, node.parts))
    return node.kind == "product" and all(
        part.kind == "symbol" and (part.value in ("angle", "triangle") or part.value.isupper()) for part in node.parts
    )


def _is_derivative(node: Node) -> bool:
    """Recognise dM/dt."""
    return node.kind == "quotient" and all(
        part.kind == "product" and part.parts[0] == Node("symbol", (), "d") and len(part.parts) == 2
        for part in node.parts
    )


def _label(node: Node) -> str:
    return node.value if node.kind == "apply" else node.value + "".join(map(_label, node.parts))


def exact_and_rounded(relation: Node) -> tuple[Node | None, Node]:
    """Return what `x = \\sqrt{2} \\approx 1.414` says of x; None for the exact value of `x \\approx 1.414`."""
    count = relation.value.split().index("~")
    exact = [*relation.parts[: count + 1]]
    if len(exact) > 1:
        exact = [value_of(Node("relation", tuple(exact), " ".join("=" * count)))]
    return None if _is_name(exact[-1]) and variables(exact[-1]) else exact[-1], relation.parts[-1]


def names_of(items: Sequence[Node]) -> list[str]:
    """Return the names of items such as `x = 1`, or nothing if one of them has none."""
    found = [name_and_value(item) for item in items]
    return [each.name for each in found if each] if all(found) else []


def value_of(item: Node) -> Node:
    """Return an item without its name."""
    named = name_and_value(item)
    return named.value if named else item


def by_name(items: Sequence[Node]) -> Sequence[Node]:
    """Return the values of items with different names in the order of those names; other items stay as they are."""
    names = names_of(items)
    if len(set(names)) < 2:
        return items
    return [value_of(item) for _, item in sorted(zip(names, items, strict=True), key=lambda each: each[0])]


def with_variable_of(value: Node, written: Node, wanted: Node) -> Node:
    """Rename the variable of f(t) = ... where the gold answer defines f(x)."""
    if written.kind == wanted.kind == "apply" and len(written.parts) == len(wanted.parts) == 1:
        old, new = written.parts[0], wanted.parts[0]
        if old.kind == new.kind == "symbol" and new.value not in variables(value):
            return renamed(value, {old.value: new.value})
    return value


def difference_of(relation: Node) -> Node:
    """Return left side minus right side."""
    return minus(relation.parts[0], relation.parts[1])


# Collections


def is_collection(node: Node) -> bool:
    return node.kind in ("list", "group")


def bracket_of(node: Node) -> str:
    """Return set, tuple, list (no brackets) or single."""
    if node.kind == "group":
        return "set" if node.value == "{}" else "tuple"
    return "list" if node.kind == "list" else "single"


def brackets_fit(gold: Node, candidate: Node) -> bool:
    """Tell whether brackets may be missing or others: not [1, 2] for (1, 2), but [1, 2, 3] for (1, 2, 3)."""
    if gold.kind != candidate.kind:
        plain = gold.kind == "list" or gold.value == "()" or (gold.value == "[]" and len(gold.parts) > 2)
        return plain and len(items_of(candidate)) > 1
    return gold.value == candidate.value or len(gold.parts) > 2


def without_names(node: Node) -> Node:
    """Drop the name of a collection, and of every item if all have the same."""
    if node.kind == "unit" and is_collection(node.parts[0]):
        return node.parts[0]
    if node.kind == "relation" and set(node.value.split()) == {"in"}:
        return without_names(node.parts[-1])
    named = name_and_value(node)
    if named:
        return without_names(named.value) if is_collection(named.value) or named.value.kind == "matrix" else node
    if not is_collection(node) or node.value == "{}":
        return node
    first, *rest = node.parts
    if node.kind == "list" and first.kind == "relation" and not any(part.kind == "relation" for part in rest):
        if first.value == "in":
            return node._replace(parts=(first.parts[-1], *rest))
        return node._replace(parts=(value_of(first), *rest))  # x = 1, 2
    names = names_of(node.parts)
    return node._replace(parts=tuple(map(value_of, node.parts))) if len(set(names)) == 1 else node


def rows_of(node: Node) -> list[tuple[Node, ...]] | None:
    """Return the rows of a matrix, of a list of lists, or of a vector."""
    if node.kind == "matrix":
        return [row.parts for row in node.parts]
    if not is_collection(node) or node.value == "{}":
        return None
    if all(part.kind == "group" and part.value != "{}" for part in node.parts):
        return [part.parts for part in node.parts]
    return [node.parts]


def is_vector(rows: Sequence[Sequence[Node]]) -> bool:
    return len(rows) == 1 or all(len(row) == 1 for row in rows)


# Plus or minus


def spread(node: Node) -> Node:
    """Write plus-or-minus as a list of both values, also inside an equation."""
    if not _has_choice(node):
        return node
    if is_collection(node):
        return node._replace(parts=tuple(part for each in node.parts for part in _both(each)))
    return Node("list", _both(node), ",")


def _both(node: Node) -> tuple[Node, ...]:
    return (_chosen(node, "pm"), _chosen(node, "mp")) if _has_choice(node) else (node,)


@lru_cache(maxsize=512)
def _has_choice(node: Node) -> bool:
    return node.kind == "choice" or any(map(_has_choice, node.parts))


def _chosen(node: Node, plus: str) -> Node:
    if not node.parts:
        return node
    parts = tuple(_chosen(part, plus) for part in node.parts)
    if node.kind != "choice":
        return node._replace(parts=parts)
    return Node("sum", (parts[0], parts[1] if node.value == plus else negative(parts[1])))


# Units and literals


def split_unit(node: Node) -> tuple[Node, str]:
    """Return a value and its unit, which is empty if it has none."""
    if node.kind == "unit":
        inner, first = split_unit(node.parts[0])
        return inner, first or node.value
    if node.kind == "degrees":
        return node.parts[0], "°"
    if node.kind == "negative" and node.parts[0].kind in ("unit", "degrees"):
        inner, unit = split_unit(node.parts[0])
        return negative(inner), unit
    return node, ""


def is_clock(ratio: Node, gold: bool) -> bool:
    """Tell 12:00 from a ratio: zeros stand before its minutes, or nobody would leave a ratio like it unreduced."""
    parts = [part.value for part in ratio.parts]
    if len(parts) != 2 or not all(map(str.isdigit, parts)) or len(parts[1]) != 2:
        return False
    return parts[1][0] == "0" or (gold and int(parts[0]) < 25 and math.gcd(int(parts[0]), int(parts[1])) > 1)


def decimal(node: Node) -> Decimal | None:
    """Return a decimal literal, also in scientific notation; None for anything else.

    Example:
        >>> from rewards.maths.parse import parse
        >>> decimal(parse("-0.050")), decimal(parse("1/2")) is None
        (Decimal(value=Fraction(-1, 20), place=-3, digits=2), True)
    """
    if node.kind == "negative":
        inner = decimal(node.parts[0])
        return inner and inner._replace(value=-inner.value)
    if node.kind == "product" and len(node.parts) == 2:
        mantissa, shift = decimal(node.parts[0]), _power_of_ten(node.parts[1])
        if mantissa is None or shift is None:
            return None
        return Decimal(mantissa.value * Fraction(10) ** shift, mantissa.place + shift, mantissa.digits)
    if node.kind != "number" or node.value.isdigit():
        return None
    digits, _, exponent = node.value.lower().partition("e")
    if len(exponent) > 4:
        return None
    whole, _, places = digits.partition(".")
    return Decimal(Fraction(literal(node.value)), int(exponent or 0) - len(places), len((whole + places).lstrip("0")))


def _power_of_ten(node: Node) -> int | None:
    if node.kind != "power" or node.parts[0].value != "10":
        return None
    exponent = node.parts[1]
    sign, exponent = (-1, exponent.parts[0]) if exponent.kind == "negative" else (1, exponent)
    plain = exponent.kind == "number" and exponent.value.isdigit() and len(exponent.value) < 4
    return sign * int(exponent.value) if plain else None
