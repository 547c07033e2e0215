"""The tree of constraints, by tables worked out by hand."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from rewards import (
    And,
    AnswerCondition,
    Branch,
    Chain,
    CodeAnswer,
    Context,
    Leaf,
    MathAnswer,
    QaAnswer,
    RequestCondition,
    ResponseCondition,
    Selection,
    Status,
)
from rewards.conditions import Condition
from rewards.judgement import Aggregation
from rewards.task_answer import TaskAnswer
from rewards.tree import Node
from tests.scripted import BLOCKED, NO, OPEN, SKIPPED, YES, Scripted, build, judged, leaf, select, statuses


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((True, True), (YES, YES)),
        ((False, True), (NO, BLOCKED)),
        ((False, False), (NO, BLOCKED)),
        ((False, None), (NO, BLOCKED)),
        ((True, False), (YES, NO)),
        ((True, None), (YES, OPEN)),
        ((None, True), (OPEN, OPEN)),  # it may stand on a step that failed
        ((None, False), (OPEN, NO)),  # failed, whatever became of the first
        ((None, None), (OPEN, OPEN)),
        ((True, False, True), (YES, NO, BLOCKED)),
        ((False, True, True), (NO, BLOCKED, BLOCKED)),
        ((None, False, True), (OPEN, NO, BLOCKED)),
        ((None, True, True), (OPEN, OPEN, OPEN)),
    ],
)
def test_chain(values: Sequence[bool | None], wanted: Sequence[Status]) -> None:
    steps = tuple(map(leaf, values))
    assert statuses(Chain(steps=steps)) == list(wanted)
    assert statuses(Chain(steps=tuple(And(parts=(step,)) for step in steps))) == list(wanted)
    needing = tuple(
        step.model_copy(update={"name": f"s{i}", "needs": tuple(f"s{j}" for j in range(i))})
        for i, step in enumerate(steps)
    )
    assert statuses(And(parts=needing)) == list(wanted)
    assert statuses(And(parts=needing[::-1])) == list(wanted)[::-1]


@pytest.mark.parametrize("values", list(product((True, False, None), repeat=3)))
def test_and(values: Sequence[bool | None]) -> None:
    found = judged(And(parts=tuple(map(leaf, values))))
    assert [each.verdict.status for each in found.leaves] == [{True: YES, False: NO, None: OPEN}[v] for v in values]
    assert found.hard is (False if False in values else None if None in values else True)
    assert found.soft == (None if None in values else sum(map(bool, values)) / 3)


@pytest.mark.parametrize(
    ("conditions", "possible"),
    [
        ((True, True), {0}),
        ((True, False), {0}),
        ((True, None), {0}),
        ((False, True), {1}),
        ((False, False), {2}),
        ((False, None), {1, 2}),
        ((None, True), {0, 1}),
        ((None, False), {0, 2}),
        ((None, None), {0, 1, 2}),
    ],
)
@pytest.mark.parametrize("has_otherwise", [True, False])
def test_selection(conditions: Sequence[bool | None], possible: set[int], has_otherwise: bool) -> None:
    otherwise = And(parts=(leaf(True), leaf(False))) if has_otherwise else None
    branches = [(holds, And(parts=(leaf(True), leaf(False)))) for holds in conditions]
    found = judged(select(*branches, otherwise=otherwise))
    for index in range(2 + has_otherwise):
        pair = [each.verdict.status for each in found.leaves[2 * index : 2 * index + 2]]
        if index not in possible:
            assert pair == [SKIPPED] * 2
        else:
            assert pair == ([YES, NO] if len(possible) == 1 else [OPEN] * 2)
    nothing_counts = possible == {2} and not has_otherwise
    assert found.hard is (None if len(possible) > 1 or nothing_counts else False)
    assert found.soft == (None if len(possible) > 1 or nothing_counts else 0.5)


def test_conditions_on_the_request_the_answer_and_the_response() -> None:
    def taken(condition: Condition, answer: TaskAnswer | None = None, request: str = "One, two.") -> str:
        tree = Selection(branches=(Branch(when=condition, then=leaf()),), otherwise=leaf())
        first, second = statuses(tree, answer=answer, context=Context(request))
        return {(YES, SKIPPED): "yes", (SKIPPED, YES): "no", (OPEN, OPEN): "open"}[first, second]

    no_comma = {"type": "punctuation:no_comma"}
    assert taken(RequestCondition(text="it asks for code", holds=True)) == "yes"
    assert taken(RequestCondition(holds=False)) == "no"
    assert taken(RequestCondition(constraint=no_comma)) == "no"
    assert taken(RequestCondition(constraint=no_comma), request="One two.") == "yes"
    assert taken(ResponseCondition(constraint=no_comma)) == "yes"
    assert taken(ResponseCondition(constraint={"type": "length:max_words", "limit": 1})) == "no"
    assert taken(ResponseCondition(constraint=Scripted(says="raises"))) == "open"
    for relation, value, gold, wanted in (
        ("above", "10", "12", "yes"),
        ("above", "10", "10", "no"),
        ("below", "-1.5", "$-1,000", "yes"),
        ("equals", "1,000", "1000.0", "yes"),
        ("equals", "Paris", " paris", "yes"),
        ("equals", "Paris", "Rome", "no"),
        ("even", None, "-4", "yes"),
        ("odd", None, "-3", "yes"),
        ("odd", None, "1.5", "no"),
        ("positive", None, "0", "no"),
        ("negative", None, "-0.1", "yes"),
        ("even", None, "\\frac{1}{2}", "open"),
        ("above", "1", "1e999999999", "open"),
    ):
        condition = AnswerCondition(relation=relation, value=value)
        assert taken(condition, MathAnswer(value=gold)) == wanted, (relation, value, gold)
    assert taken(AnswerCondition(relation="equals", value="Paris"), QaAnswer(values=("Lutetia", "Paris"))) == "yes"
    assert taken(AnswerCondition(relation="even"), CodeAnswer(tests="pass")) == "open"
    assert taken(AnswerCondition(relation="even")) == "open"


@pytest.mark.parametrize(
    "fields",
    [
        {"relation": "above"},
        {"relation": "even", "value": "2"},
        {"relation": "above", "value": "many"},
        {"relation": "prime"},
        {"relation": "equals", "value": ""},
    ],
)
def test_conditions_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        AnswerCondition.model_validate(fields)


@pytest.mark.parametrize("fields", [{}, {"text": "?"}, {"holds": True, "constraint": {"type": "punctuation:no_comma"}}])
def test_a_request_condition_is_decided_in_one_way(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either `holds` or a `constraint`"):
        RequestCondition.model_validate(fields)


def test_blocking_propagates_out_of_nested_nodes() -> None:
    tree = And(
        parts=(
            Chain(steps=(leaf(False), And(parts=(leaf(True), leaf(True, name="deep"))))),
            select((True, Chain(steps=(leaf(True, needs=("deep",), name="next"), leaf(True))))),
            leaf(True, needs=("next",)),
            leaf(True),
        )
    )
    assert statuses(tree) == [NO, BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED, YES]


def test_every_earlier_leaf_of_a_chain_counts() -> None:
    assert statuses(Chain(steps=(And(parts=(leaf(False), leaf(True))), leaf(True)))) == [NO, YES, BLOCKED]
    assert statuses(Chain(steps=(leaf(False), select((False, leaf(True))), leaf(True)))) == [NO, SKIPPED, BLOCKED]
    inner = Chain(steps=(leaf(True), leaf(True)))
    assert statuses(Chain(steps=(leaf(False), inner))) == [NO, BLOCKED, BLOCKED]
    assert statuses(Chain(steps=(inner, leaf(False), inner))) == [YES, YES, NO, BLOCKED, BLOCKED]


def test_a_skipped_leaf_blocks_nothing() -> None:
    skipped = select((False, leaf(False, name="idle")))
    assert statuses(Chain(steps=(skipped, leaf(True)))) == [SKIPPED, YES]
    assert statuses(And(parts=(skipped, leaf(True, needs=("idle",))))) == [SKIPPED, YES]


LOAD_ERRORS: list[tuple[Node, str]] = [
    (And(parts=(leaf(name="a"), And(parts=(leaf(name="a"),)))), "two leaves are named 'a'"),
    (And(parts=(leaf(name="a"), leaf(needs=("b",)))), "no leaf has that name; named leaves: a"),
    (leaf(needs=("b",)), "no leaf has that name; named leaves: none"),
    (leaf(name="a", needs=("a",)), "in a circle: leaf"),
    (And(parts=(leaf(name="a", needs=("b",)), leaf(name="b", needs=("a",)))), "in a circle: and.0, and.1"),
    (Chain(steps=(leaf(needs=("b",)), And(parts=(leaf(name="b"),)))), "in a circle: chain.0, chain.1/and.0"),
]


@pytest.mark.parametrize(("tree", "problem"), LOAD_ERRORS)
def test_names_are_checked_when_an_instruction_is_made(tree: Node, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        build(tree)


WEIGHED = And(
    parts=(
        leaf(True, weight=5.0),
        Chain(steps=(leaf(True, weight=2.0), leaf(False, weight=1.0), leaf(True, weight=4.0))),
        select((False, leaf(False, weight=9.0)), otherwise=And(parts=(leaf(True), leaf(False)))),
    )
)


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        ("flat", 3 / 6),
        ("weighted", (5 + 2 + 1) / (5 + 2 + 1 + 4 + 1 + 1)),
        ("structural", (1 + 1 / 3 + 1 / 2) / 3),
    ],
)
def test_aggregations_by_hand(aggregation: Aggregation, value: float) -> None:
    assert statuses(WEIGHED) == [YES, YES, NO, BLOCKED, SKIPPED, YES, NO]
    assert judged(WEIGHED).score(aggregation) == pytest.approx(value)
    assert judged(leaf(True)).score(aggregation) == 1.0
    assert judged(leaf(False)).score(aggregation) == 0.0
    assert judged(select((False, leaf(True)))).score(aggregation) is None


@pytest.mark.parametrize(
    ("tree", "field", "value"),
    [
        (leaf(True), "constraint", Scripted(says="violated")),
        (And(parts=(leaf(True),)), "parts", (leaf(False), leaf(False))),
        (Chain(steps=(leaf(True),)), "steps", (leaf(False), leaf(True))),
        (select((False, leaf(True))), "otherwise", leaf(False)),
    ],
)
def test_a_changed_copy_is_judged_anew(tree: Any, field: str, value: Any) -> None:
    before = statuses(tree)
    changed = tree.model_copy(update={field: value})
    fresh = type(tree)(**{**{name: getattr(tree, name) for name in type(tree).model_fields}, field: value})
    assert statuses(changed) == statuses(fresh) != before
    assert statuses(tree) == before
    for same in (copy.copy(tree), copy.deepcopy(tree), tree.model_copy(deep=True), pickle.loads(pickle.dumps(tree))):
        assert same == tree
        assert statuses(same) == before


def test_a_long_row_of_needs_in_reverse_is_judged() -> None:
    count = 600
    parts = [
        leaf(True).model_copy(update={"name": f"s{i}", "needs": (f"s{i + 1}",) if i + 1 < count else ()})
        for i in range(count)
    ]
    assert judged(And(parts=tuple(parts))).soft == 1.0
    broken = parts[-1].model_copy(update={"constraint": leaf(False).constraint})
    assert judged(And(parts=(*parts[:-1], broken))).soft == 0.0


@pytest.mark.parametrize("weight", [0, 1e-9, 1e9, float("inf"), float("nan")])
def test_weights_that_would_drown_others_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        Leaf(constraint=Scripted(says="satisfied"), weight=weight)
