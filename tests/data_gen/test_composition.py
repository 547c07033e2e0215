"""Composed instructions: the mix asked for, splits that share nothing held out, and a dial that makes things harder."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pytest

from data_gen.arguments import belongs_to
from data_gen.bounds import contradiction
from data_gen.composition import Composer, open_seed_sets
from data_gen.config import DataConfig, load_yaml, parse_config
from data_gen.phrasing import LAYOUTS
from data_gen.quality.contradictions import contradictions
from rewards import Instruction, RaifError, Response, Status, parse_constraint
from rewards.instruction import Split
from rewards.tree import And, Chain, Leaf, Node

DEFAULT = load_yaml(Path(__file__).resolve().parents[2] / "recipes" / "data" / "default.yaml")
HELD_OUT = tuple(DEFAULT["held_out"]["types"])


def recipe(**changes: Any) -> DataConfig:
    return parse_config({**DEFAULT, **changes}, "test")


def compose(config: DataConfig, split: Split, count: int) -> list[Instruction]:
    composer = Composer(config, split, open_seed_sets(config.seeds))
    return [composer.compose(Random(f"composition/{row}")).instruction for row in range(count)]


@lru_cache(maxsize=8)
def default(split: Split, count: int = 250) -> list[Instruction]:
    return compose(recipe(), split, count)


def depth(node: Node) -> int:
    if isinstance(node, Leaf):
        return 0
    if isinstance(node, And | Chain):
        below = node.parts if isinstance(node, And) else node.steps
    else:
        below = (*(branch.then for branch in node.branches), *([node.otherwise] if node.otherwise else []))
    return 1 + max(map(depth, below))


def is_held_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in HELD_OUT)


@pytest.mark.parametrize("split", ["train", "test", "test_families", "test_arguments"])
def test_what_counts_is_satisfied_by_the_witness(split: Split) -> None:
    for task in default(split):
        judgement = task.evaluate(Response(None, task.witness or ""))
        statuses = {leaf.verdict.status for leaf in judgement.leaves}
        assert statuses <= {Status.SATISFIED, Status.SKIPPED}, task.prompt_text
        assert judgement.hard is True
        assert contradictions(task.tree) == []


def test_families_held_out_are_in_their_split_alone() -> None:
    for split in ("train", "test", "test_arguments"):
        assert not any(is_held_out(constraint.type) for task in default(split) for constraint in task.constraints)
    found = Counter(constraint.type for task in default("test_families") for constraint in task.constraints)
    assert all(map(is_held_out, found))
    assert len(found) > 8


def test_seeds_are_in_training_or_in_tests() -> None:
    tasks = {split: {task.source.seed_id for task in default(split)} for split in ("train", "test", "test_families")}
    assert not tasks["train"] & (tasks["test"] | tasks["test_families"])


def test_the_upper_end_of_ranges_is_held_out() -> None:
    """`length:min_words` draws from 20 to 120; with a quarter held out, training ends at 95."""
    limits: dict[str, set[int]] = {"train": set(), "test": set(), "test_arguments": set()}
    config = recipe(constraints={"weights": {"length:min_words": 1, "length:min_characters": 1}})
    for split, found in limits.items():
        for task in compose(config, split, 80):  # type: ignore[arg-type]
            found.update(c.limit for c in task.constraints if c.type == "length:min_words")  # type: ignore[attr-defined]
    assert max(limits["train"] | limits["test"]) <= 95 < min(limits["test_arguments"])
    assert not limits["train"] & limits["test"]
    assert all(belongs_to("test", f"length:min_words.limit={limit}") for limit in limits["test"])


def test_trees_come_in_the_mix_that_is_asked_for() -> None:
    shares = Counter(min(depth(task.tree), 2) for task in default("train"))
    assert shares[2] / 250 > 0.25
    flat = compose(recipe(trees={"mix": {"and": 1}}), "train", 60)
    assert {depth(task.tree) for task in flat} == {1}
    nested = compose(recipe(trees={"mix": {"nested": 1}}, difficulty={"hard": 1}), "train", 60)
    assert min(depth(task.tree) for task in nested) >= 2


def test_every_layout_occurs_and_only_those_that_are_named() -> None:
    kinds = {type(task.prompt).__name__ for task in default("train")}
    assert kinds == {"str", "tuple"}
    for layout in LAYOUTS:
        prompts = [task.prompt for task in compose(recipe(layouts={layout: 1}), "train", 6)]
        assert all(isinstance(prompt, tuple) == (layout in ("turns", "system")) for prompt in prompts), layout


def test_the_dial_makes_instructions_harder() -> None:
    """Measured by how much of what is demanded a plain answer meets, which was written without the demands."""
    met, leaves, deep = {}, {}, {}
    for level in ("easy", "medium", "hard"):
        tasks = compose(recipe(difficulty={level: 1}, seeds=[{"type": "tasks"}]), "train", 150)
        plain = Response(None, "This is a plain answer. It says what is needed, and no more than that.")
        met[level] = mean(task.evaluate(plain).hard is True for task in tasks)
        leaves[level] = mean(len(task.constraints) for task in tasks)
        deep[level] = mean(depth(task.tree) for task in tasks)
    assert met["easy"] > met["medium"] > met["hard"]
    assert leaves["easy"] < leaves["medium"] < leaves["hard"]
    assert deep["easy"] < deep["medium"] < deep["hard"]


def test_soft_demands_are_said_and_left_to_a_judge() -> None:
    tasks = compose(recipe(soft={"share": 1.0, "max": 2}), "train", 40)
    for task in tasks:
        assert 1 <= len(task.judged) <= 2
        questions = {sub.question for sub in task.sub_instructions if sub.question}
        assert questions == {judged.question for judged in task.judged}
        statuses = {leaf.verdict.status for leaf in task.evaluate(Response(None, task.witness or "")).leaves}
        assert statuses <= {Status.SATISFIED, Status.SKIPPED, Status.UNSCORED}


def test_the_decomposition_is_that_of_the_tree() -> None:
    for task in default("train"):
        assert [sub.path for sub in task.sub_instructions] == [place.path for place in task.tree.places]
        for sub in task.sub_instructions:
            assert sub.text.rstrip(".。")[1:] in task.prompt_text
            assert set(sub.needs) <= {other.path for other in task.sub_instructions} - {sub.path}
    chains = [task for task in default("train") if any(sub.needs for sub in task.sub_instructions)]
    assert chains


def test_bounds_cross_between_units() -> None:
    lines = parse_constraint({"type": "layout:numbered_list", "count": 6})
    for limit, arguments in (
        ("length:max_words", {"limit": 5}),
        ("length:sentences", {"count": 4}),
        ("length:max_lines", {"limit": 5}),
    ):
        other = parse_constraint({"type": limit, **arguments})
        assert set(contradiction([lines, other])) == {lines, other}
    assert contradiction([lines, parse_constraint({"type": "length:max_words", "limit": 6})]) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"constraints": {"weights": {"lenght:*": 1}}}, "lenght:*"),
        ({"held_out": {"types": ["nesting:quote"], "arguments": 0.2}}, "nesting:quotes"),
        ({"held_out": {"types": ["*"], "arguments": 0.2}}, "leaves no constraint type for the split train"),
        ({"held_out": {}}, "test_families"),
        ({"layouts": {"poster": 1}}, "layouts"),
        ({"difficulty": {"brutal": 1}}, "difficulty"),
        ({"constraints": {"min": 1}}, "difficulty"),
        ({"trees": {"mix": {"loop": 1}}}, "trees.mix"),
    ],
)
def test_what_a_recipe_cannot_mean_is_an_error(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RaifError, match=said.replace("*", r"\*")):
        recipe(**changes)
