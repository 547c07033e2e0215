"""Random trees against a naive evaluator: a table of statuses, gone round until nothing changes.

A plan of a tree is plain data: ("leaf", says), ("and" | "chain", plans) or ("selection", branches, otherwise).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rewards import (
    And,
    AnswerCondition,
    Branch,
    Chain,
    Constraint,
    Instruction,
    Judgement,
    Leaf,
    LeafVerdict,
    QaAnswer,
    RequestCondition,
    Selection,
    Status,
    Verdict,
)
from rewards.conditions import Condition
from rewards.judgement import Aggregation
from rewards.tree import Node
from tests.scripted import ANSWER, BLOCKED, NO, OPEN, SAYS, SKIPPED, YES, Says, Scripted, build, judged, when

Plan = tuple[Any, ...]
HOLDS: tuple[bool | None, ...] = (True, False, None)


def plans(holds: Sequence[bool | None] = HOLDS, depth: int = 4) -> st.SearchStrategy[Plan]:
    """Draw plans of trees whose leaves stand at most `depth` nodes deep."""
    single = st.tuples(st.just("leaf"), st.sampled_from(SAYS))
    if depth == 0:
        return single
    inner = plans(holds, depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    branches = st.lists(st.tuples(st.sampled_from(holds), inner), min_size=1, max_size=2).map(tuple)
    return st.one_of(
        single,
        st.tuples(st.sampled_from(("and", "chain")), several),
        st.tuples(st.just("selection"), branches, st.none() | inner),
    )


class Standing(NamedTuple):
    """A leaf of a plan with its way from the root: the plan of each node and the turn taken in it."""

    says: Says
    way: tuple[tuple[Plan, int], ...]


def standings(plan: Plan, way: tuple[tuple[Plan, int], ...] = ()) -> Iterator[Standing]:
    if plan[0] == "leaf":
        yield Standing(plan[1], way)
        return
    children = [then for _, then in plan[1]] if plan[0] == "selection" else plan[1]
    if plan[0] == "selection" and plan[2] is not None:
        children.append(plan[2])
    for turn, child in enumerate(children):
        yield from standings(child, (*way, (plan, turn)))


def stands_before(left: Standing, right: Standing) -> bool:
    """Tell whether two leaves part in a chain, the left one in an earlier step."""
    for (plan, one), (_, other) in zip(left.way, right.way, strict=False):
        if one != other:
            return plan[0] == "chain" and one < other
    return False


def gate(found: Standing) -> Status | None:
    """Say what becomes of a leaf because of the branches it stands in, outermost first."""
    is_open = False
    for plan, turn in found.way:
        if plan[0] == "selection":
            held = [holds for holds, _ in plan[1]] + [True]
            if held[turn] is False or True in held[:turn]:
                return SKIPPED
            is_open = is_open or held[turn] is None or None in held[:turn]
    return OPEN if is_open else None


def table(own: Says, before: set[Status]) -> Status:
    if before & {NO, BLOCKED}:
        return BLOCKED
    if own == "violated":
        return NO
    return YES if own == "satisfied" and OPEN not in before else OPEN


def evaluate(plan: Plan, needs: Sequence[tuple[int, int]]) -> list[Status] | None:
    """Judge a plan by going round its leaves until nothing changes; None where leaves wait for each other."""
    leaves = list(standings(plan))
    before = [
        {j for j, other in enumerate(leaves) if stands_before(other, this) or (i, j) in needs}
        for i, this in enumerate(leaves)
    ]
    found: dict[int, Status] = {}
    for _ in leaves:
        for i, this in enumerate(leaves):
            if before[i] <= found.keys():
                found[i] = gate(this) or table(this.says, {found[j] for j in before[i]})
    return [found[i] for i in range(len(leaves))] if len(found) == len(leaves) else None


def grow(plan: Plan, needs: Sequence[tuple[int, int]] = (), make: Callable[[Says], Constraint] | None = None) -> Node:
    """Make the tree of a plan; leaves are named n0, n1, ... in document order."""
    numbers = iter(range(10**6))

    def node(part: Plan) -> Node:
        if part[0] == "leaf":
            number = next(numbers)
            asked = tuple(f"n{j}" for i, j in needs if i == number)
            constraint = make(part[1]) if make else Scripted(says=part[1])
            return Leaf(constraint=constraint, name=f"n{number}", needs=asked, weight=1.0 + number % 3)
        if part[0] == "and":
            return And(parts=tuple(node(each) for each in part[1]))
        if part[0] == "chain":
            return Chain(steps=tuple(node(each) for each in part[1]))
        branches = tuple(Branch(when=condition(holds), then=node(then)) for holds, then in part[1])
        return Selection(branches=branches, otherwise=None if part[2] is None else node(part[2]))

    def condition(holds: bool | None) -> Condition:
        if make and holds is not None:
            return RequestCondition(holds=holds)
        return AnswerCondition(relation="even") if make else when(holds)

    return node(plan)


def named(tree: Any) -> dict[str, Status]:
    found = judged(tree).leaves
    return {place.leaf.name: each.verdict.status for place, each in zip(tree.places, found, strict=True)}


AGGREGATIONS: tuple[Aggregation, ...] = ("flat", "weighted", "structural")
PAIRS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=4)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(plans(), PAIRS)
def test_random_trees_are_judged_as_the_table_says(plan: Plan, pairs: list[tuple[int, int]]) -> None:
    count = len(list(standings(plan)))
    needs = sorted({(i % count, j % count) for i, j in pairs})
    wanted, tree = evaluate(plan, needs), grow(plan, needs)
    if wanted is None:
        with pytest.raises(ValueError, match="in a circle"):
            build(tree)
        return
    found = judged(build(tree).tree)
    assert [each.verdict.status for each in found.leaves] == wanted
    counted = [status for status in wanted if status is not SKIPPED]
    share = sum(status is YES for status in counted) / len(counted) if counted and OPEN not in counted else None
    assert found.soft == share
    assert (found.hard is True) == (found.soft == 1)
    if any(status in (NO, BLOCKED) for status in counted):
        assert found.hard is False
    else:
        assert found.hard is (None if not counted or OPEN in counted else True)
    for aggregation in AGGREGATIONS:
        value = found.score(aggregation)
        assert (value is None) == (share is None)
        assert value is None or 0 <= value <= 1
        assert (value == 1) == (share == 1)
        assert (value == 0) == (share == 0)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(plans(), st.randoms(use_true_random=False))
def test_and_is_free_of_order(plan: Plan, rng: Any) -> None:
    def shuffled(node: Node) -> Node:
        if isinstance(node, And):
            parts = [shuffled(part) for part in node.parts]
            rng.shuffle(parts)
            return And(parts=tuple(parts))
        if isinstance(node, Chain):
            return Chain(steps=tuple(shuffled(step) for step in node.steps))
        if isinstance(node, Selection):
            branches = tuple(Branch(when=each.when, then=shuffled(each.then)) for each in node.branches)
            return Selection(branches=branches, otherwise=node.otherwise and shuffled(node.otherwise))
        return node

    tree = grow(plan)
    other = shuffled(tree)
    assert named(other) == named(tree)
    for aggregation in AGGREGATIONS:
        assert judged(other).score(aggregation) == pytest.approx(judged(tree).score(aggregation))


@settings(deadline=None, max_examples=150, derandomize=True)
@given(plans(holds=(True, False)), plans(), plans())
def test_what_is_in_a_branch_not_taken_changes_nothing(plan: Plan, one: Plan, two: Plan) -> None:
    def filled(part: Plan, other: Plan) -> Plan:
        if part[0] == "leaf":
            return part
        if part[0] != "selection":
            return part[0], tuple(filled(each, other) for each in part[1])
        taken = next((i for i, (holds, _) in enumerate(part[1]) if holds), None)
        branches = tuple((h, filled(then, other) if i == taken else other) for i, (h, then) in enumerate(part[1]))
        return "selection", branches, part[2] and (filled(part[2], other) if taken is None else other)

    def outcome(other: Plan) -> Any:
        found = judged(grow(filled(plan, other)))
        weights = iter([1.0, 2.0, 3.0] * len(found.leaves))  # by place among the counted ones, as numbers shift
        counted = [each for each in found.leaves if each.verdict.status is not SKIPPED]
        found = Judgement(tuple(each._replace(weight=next(weights)) for each in counted))
        return found.counted, found.hard, *(found.score(aggregation) for aggregation in AGGREGATIONS)

    assert outcome(one) == outcome(two)


REAL: dict[Says, Callable[[], dict[str, Any]]] = {
    "satisfied": lambda: {"type": "keywords:existence", "keywords": ["花", "a \u2028b"]},
    "violated": lambda: {"type": "length:max_words", "limit": 3, "scope": "paragraph(-1)"},
    "unscored": lambda: {"type": "language:response", "language": "zh"},
    "raises": lambda: {"type": "punctuation:no_comma"},
}


@settings(deadline=None, max_examples=150, derandomize=True)
@given(plans(), PAIRS)
def test_an_instruction_is_the_same_after_a_round_trip(plan: Plan, pairs: list[tuple[int, int]]) -> None:
    count = len(list(standings(plan)))
    needs = sorted({(i % count, j % count) for i, j in pairs})
    assume(evaluate(plan, needs) is not None)
    task = build(grow(plan, needs, lambda says: Leaf(constraint=REAL[says]()).constraint), QaAnswer(values=("4", "5")))
    again = Instruction.model_validate_json(task.model_dump_json())
    assert again == task
    assert again.model_dump_json() == task.model_dump_json()
    assert again.evaluate(ANSWER) == task.evaluate(ANSWER)
    assert Instruction.build(**again.model_dump(exclude={"id"})).id == task.id


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from((YES, NO, BLOCKED)), st.floats(0.01, 100)), min_size=1, max_size=8))
def test_equal_weights_are_no_weights(drawn: list[tuple[Status, float]]) -> None:
    def judgement(weights: Sequence[float]) -> Judgement:
        rows = zip(drawn, weights, strict=True)
        return Judgement(tuple(LeafVerdict(f"and.{i}", "t", Verdict(s), w) for i, ((s, _), w) in enumerate(rows)))

    own = judgement([weight for _, weight in drawn])
    earned = sum(weight for status, weight in drawn if status is YES)
    assert own.score("weighted") == pytest.approx(earned / sum(weight for _, weight in drawn))
    same = judgement([drawn[0][1]] * len(drawn))
    assert same.score("weighted") == pytest.approx(own.score("flat"))
    assert own.score("structural") == pytest.approx(own.score("flat"))
