"""Plans: a shape with conditions, and the ways it can turn out, that is which leaves count in which case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, count
from random import Random
from typing import NamedTuple

from data_gen.conditions import Allowed, against, anything, draw_conditions, holds
from data_gen.seeds import Seed
from data_gen.shapes import Shape
from rewards.conditions import Condition, ResponseCondition
from rewards.constraint import Constraint
from rewards.tree import And, Branch, Chain, Leaf, Node, Selection

_TRIES = 6  # of conditions, before a shape is given up under which nothing would count


class Plan(NamedTuple):
    """A shape with the conditions of its selections; leaves are numbered in document order.

    `conditions` and `taken` belong to the selections in document order, outermost first; `taken` is the child that
    counts, and None for a selection of which no branch does.
    """

    shape: Shape
    conditions: tuple[tuple[Condition, ...], ...]
    taken: tuple[int | None, ...]


def draw_plan(shape: Shape, seed: Seed, rng: Random, allowed: Allowed = anything) -> Plan | None:
    """Give every selection its conditions, and decide which branch is taken, so that at least one demand counts.

    Args:
        shape: how the demands hang together.
        seed: what the conditions are about.
        rng: draws the conditions, and the branch where that is up to the response.
        allowed: tells which constraints a condition may be about.

    Returns:
        None where the seed does not offer enough conditions.
    """
    for _ in range(_TRIES):
        plan = _draw(shape, seed, rng, allowed)
        if plan is None or next(worlds(plan)).leaves:
            return plan
    return None


def _draw(shape: Shape, seed: Seed, rng: Random, allowed: Allowed) -> Plan | None:
    selections = list(shape.selections())
    wanted = [len(each.children) - each.otherwise for each in selections]
    drawn = draw_conditions(seed, sum(wanted), rng, allowed)
    if len(drawn) < sum(wanted):
        return None
    conditions, taken = [], []
    for selection, number in zip(selections, wanted, strict=True):
        own, drawn = drawn[:number], drawn[number:]
        decided = [holds(condition, seed) for condition in own]
        chosen = next((i for i, met in enumerate(decided) if met or (met is None and rng.random() < 0.5)), None)
        conditions.append(tuple(own))
        taken.append(number if chosen is None and selection.otherwise else chosen)
    return Plan(shape, tuple(conditions), tuple(taken))


Gate = tuple[tuple[int, int], ...]  # the selections that a leaf stands in, and the child of each that leads to it


class World(NamedTuple):
    """The leaves that count if branches are taken in one way.

    `own` are those that count in no earlier world; `demands` is what a response must be like for that.
    """

    leaves: tuple[int, ...]
    own: frozenset[int]
    demands: tuple[Constraint, ...] = ()


def worlds(plan: Plan) -> Iterator[World]:
    """Yield the world that the plan intends, then others until every two leaves that can count together have.

    Example:
        >>> either = Shape("selection", (Shape("leaf"), Shape("leaf")), otherwise=True)
        >>> [world.leaves for world in worlds(Plan(either, (), (0,)))]
        [(0,), (1,)]
    """
    if not plan.taken:  # without a selection everything counts
        leaves = tuple(range(plan.shape.size))
        yield World(leaves, frozenset(leaves))
        return
    gates = list(_gates(plan.shape, (), count()))
    intended: dict[int, int | None] = dict(enumerate(plan.taken))
    met: set[tuple[int, int]] = set()
    for first, second in [(-1, -1), *combinations_with_replacement(range(len(gates)), 2)]:
        taken = intended if first < 0 else _taken(intended, gates[first], gates[second])
        if taken is None or (first, second) in met:
            continue
        leaves = tuple(leaf for leaf, gate in enumerate(gates) if all(taken[number] == child for number, child in gate))
        own = frozenset(leaf for leaf in leaves if (leaf, leaf) not in met)
        choices = sorted({choice for leaf in leaves for choice in gates[leaf]})
        yield World(leaves, own, tuple(_demands(plan, choices)))
        met |= set(combinations_with_replacement(leaves, 2))


def _taken(intended: Mapping[int, int | None], first: Gate, second: Gate) -> dict[int, int | None] | None:
    """Return the branches that lead to two leaves, or None where one leaf excludes the other."""
    both = dict(first)
    if any(both.get(number, child) != child for number, child in second):
        return None
    return {**intended, **both, **dict(second)}


def _demands(plan: Plan, choices: Iterable[tuple[int, int]]) -> Iterator[Constraint]:
    """Yield what a response must satisfy so that these branches are taken."""
    for number, child in choices:
        conditions = plan.conditions[number] if plan.conditions else ()
        yield from filter(None, map(against, conditions[:child]))
        if child < len(conditions) and isinstance(condition := conditions[child], ResponseCondition):
            yield condition.constraint


def _gates(
    shape: Shape, gate: tuple[tuple[int, int], ...], numbers: Iterator[int]
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield, for every leaf, the selections it stands in and the child of each that leads to it."""
    if not shape.children:
        yield gate
        return
    number = next(numbers) if shape.kind == "selection" else None
    for index, child in enumerate(shape.children):
        yield from _gates(child, gate if number is None else (*gate, (number, index)), numbers)


def build_tree(plan: Plan, constraints: Sequence[Constraint]) -> Node:
    """Return the tree of a plan with its constraints, which stand in document order."""
    return _build(plan.shape, iter(constraints), iter(plan.conditions))


def _build(shape: Shape, leaves: Iterator[Constraint], conditions: Iterator[tuple[Condition, ...]]) -> Node:
    if not shape.children:
        return Leaf(constraint=next(leaves))
    own = next(conditions) if shape.kind == "selection" else ()
    children = [_build(child, leaves, conditions) for child in shape.children]
    if shape.kind == "and":
        return And(parts=tuple(children))
    if shape.kind == "chain":
        return Chain(steps=tuple(children))
    branches = tuple(Branch(when=when, then=then) for when, then in zip(own, children, strict=False))
    return Selection(branches=branches, otherwise=children[-1] if shape.otherwise else None)
