"""The tree of an answer, as the parser builds it and everything after it reads it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple


class Node(NamedTuple):
    """A piece of an answer: its kind, its parts, and a name, literal, operator or pair of brackets.

    Kinds with a value: number, based, repeating, ellipsis, constant, symbol, words, apply, call, choice, group, list,
    relation, unit. Without: infinity, reals, sum, product, negative, quotient, power, factorial, degrees, ratio,
    union, intersection, difference, matrix, row.
    """

    kind: str
    parts: tuple[Node, ...] = ()
    value: str = ""


INFINITY, REALS, EMPTY_SET = Node("infinity"), Node("reals"), Node("group", (), "{}")


def number(digits: str | int) -> Node:
    return Node("number", (), str(digits))


def negative(node: Node) -> Node:
    return Node("negative", (node,))


def minus(left: Node, right: Node) -> Node:
    return Node("sum", (left, negative(right)))


def quotient(top: Node, bottom: Node) -> Node:
    return Node("quotient", (top, bottom))


def product(factors: Sequence[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Node("product", tuple(factors))


def rational(value: Fraction) -> Node:
    return quotient(number(value.numerator), number(value.denominator))


def items_of(node: Node) -> tuple[Node, ...]:
    """Return the parts of a list or group, or the node itself."""
    return node.parts if node.kind in ("list", "group") else (node,)


@lru_cache(maxsize=512)
def variables(node: Node) -> frozenset[str]:
    """Return the names of the symbols of a tree, without the imaginary unit and Euler's number."""
    if node.kind == "symbol" and node.value not in ("e", "i"):
        return frozenset((node.value,))
    return frozenset[str]().union(*map(variables, node.parts))


def renamed(node: Node, names: dict[str, str]) -> Node:
    """Return a tree with other names for its symbols."""
    if node.kind == "symbol":
        return node._replace(value=names.get(node.value, node.value))
    return node._replace(parts=tuple(renamed(part, names) for part in node.parts)) if node.parts else node
