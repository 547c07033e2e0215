"""Shapes: as many leaves as asked for, as deep and wide as allowed, and composites that mean something."""

from __future__ import annotations

from random import Random
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from data_gen.conditions import holds
from data_gen.planning import build_tree, draw_plan, worlds
from data_gen.seeds import Seed, TaskSeeds, WordProblemSeeds
from data_gen.shapes import SMALLEST, Kind, Shape, draw_shape
from rewards import parse_constraint
from rewards.tree import Node

DRAWN = st.builds(
    lambda kind, leaves, depth, seed: (kind, leaves, draw_shape(kind, leaves, depth, 4, Random(seed))),
    st.sampled_from(get_args(Kind)),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(0, 10_000),
)


def nodes(shape: Shape) -> list[Shape]:
    return [shape, *(node for child in shape.children for node in nodes(child))]


@given(DRAWN)
def test_a_shape_has_its_leaves_and_no_empty_joins(drawn: tuple[Kind, int, Shape]) -> None:
    kind, leaves, shape = drawn
    assert shape.size == max(leaves, SMALLEST[kind])
    assert kind == "nested" or shape.kind == kind
    for node in nodes(shape):
        assert node.kind != "leaf" or not node.children
        if node.kind == "and":
            assert all(child.kind != "and" for child in node.children)
        if node.kind == "chain":
            assert len(node.children) > 1
        if node.kind == "selection":
            assert 1 <= len(node.children) - node.otherwise <= 3


@given(st.integers(3, 9), st.integers(2, 4), st.integers(0, 10_000))
def test_nested_shapes_are_nested(leaves: int, depth: int, seed: int) -> None:
    assert draw_shape("nested", leaves, depth, 4, Random(seed)).depth >= 2


def seed_of(number: int) -> Seed:
    rng = Random(f"seed/{number}")
    return (WordProblemSeeds() if number % 2 else TaskSeeds()).draw(rng, rng.choice(("en", "zh")))


def leaf_count(tree: Node) -> int:
    return len(tree.places)


@given(DRAWN, st.integers(0, 10_000))
def test_every_leaf_counts_in_some_world(drawn: tuple[Kind, int, Shape], number: int) -> None:
    shape = drawn[2]
    plan = draw_plan(shape, seed_of(number), Random(number))
    if plan is None:
        return  # the seed has not enough conditions for so many branches
    found = list(worlds(plan))
    assert found[0].leaves  # something counts in the world that is meant
    assert sorted(leaf for world in found for leaf in world.own) == list(range(shape.size))
    assert all(world.own <= set(world.leaves) for world in found)
    constraints = [parse_constraint({"type": "length:max_words", "limit": 1 + leaf}) for leaf in range(shape.size)]
    assert leaf_count(build_tree(plan, constraints)) == shape.size


@given(st.integers(0, 10_000))
def test_the_first_condition_that_holds_decides(number: int) -> None:
    seed, rng = seed_of(number), Random(number)
    plan = draw_plan(Shape("selection", (Shape("leaf"), Shape("leaf")), otherwise=True), seed, rng)
    assert plan is not None
    decided = holds(plan.conditions[0][0], seed)
    assert decided is None or plan.taken[0] == (0 if decided else 1)
