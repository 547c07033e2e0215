"""Means and pass rates of a batch: by type, family, depth in the tree and kind of node."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from rewards import And, Chain, Leaf, Response, Status, Verdict
from rewards.instruction import Instruction, Provenance
from rewards.judgement import FAILED, Judgement, LeafVerdict
from rewards.metrics import metrics, pass_rates
from rewards.reward import Reward

PATHS = ("and.0", "and.1", "and.2/chain.0", "and.3/selection.otherwise/and.1", "leaf", "chain.1/selection.0")
TYPES = tuple(f"{family}:{name}" for family in ("length", "keywords", "case") for name in "abcde")


def leaf(constraint: dict[str, object]) -> Leaf:
    return Leaf(constraint=constraint)


def reward_of(judgement: Judgement, **facts: object) -> Reward:
    fields = {"total": 1.0, "outcome": 1.0, "parts": {}, "correct": None, "well_formed": True, "truncated": False}
    return Reward(judgement=judgement, **(fields | facts))  # type: ignore[arg-type]


def random_rewards(count: int, leaves: int, seed: int = 0) -> list[Reward]:
    rng = random.Random(seed)
    return [
        reward_of(
            Judgement(
                tuple(
                    LeafVerdict(rng.choice(PATHS), rng.choice(TYPES), Verdict(rng.choice(list(Status))))
                    for _ in range(leaves)
                )
            ),
            parts={"format": rng.choice([1.0, -1.0]), "math_answer": rng.choice([1.0, 0.0, None])},
            well_formed=rng.random() < 0.5,
        )
        for _ in range(count)
    ]


def test_a_judged_tree_is_counted_by_depth_and_by_kind_of_node() -> None:
    short = {"type": "length:max_words", "limit": 3}
    no_comma = {"type": "punctuation:no_comma"}
    tree = And(parts=(leaf(short), Chain(steps=(leaf(no_comma), And(parts=(leaf(short), leaf(no_comma)))))))
    source = Provenance(seed_set="test", seed_id="0")
    task = Instruction.build(request="Go.", prompt="Go.", language="en", split="train", tree=tree, source=source)
    good, bad = (reward_of(task.evaluate(Response(None, text))) for text in ("One two three", "One, two"))
    found = metrics([good, bad])
    assert found["depth/1"] == 1.0  # short at and.0, in both answers
    assert found["depth/2"] == 0.5  # and.1/chain.0
    assert found["depth/3"] == 0.5  # two leaves under and.1/chain.1/and; blocked by the comma in the second answer
    assert found["nodes/chain"] == 0.5
    assert found["nodes/and"] == pytest.approx(4 / 6)
    alone = task.model_copy(update={"tree": leaf(short)})
    assert metrics([reward_of(alone.evaluate(Response(None, "a b c")))])["nodes/leaf"] == 1.0


def test_all_rates_are_those_of_a_count_leaf_by_leaf() -> None:
    rewards = random_rewards(60, 5)
    leaves = [each for reward in rewards for each in reward.judgement.leaves]

    def rate(chosen: Callable[[LeafVerdict], bool]) -> float | None:
        statuses = [each.verdict.status for each in leaves if chosen(each)]
        decided = [status for status in statuses if status is Status.SATISFIED or status in FAILED]
        return sum(status is Status.SATISFIED for status in decided) / len(decided) if decided else None

    expected = {f"depth/{depth}": rate(lambda each, d=depth: _depth(each.path) == d) for depth in range(4)}
    expected |= {
        f"nodes/{kind}": rate(lambda each, k=kind: each.path.split("/")[-1].split(".")[0] == k)
        for kind in ("and", "chain", "selection", "leaf")
    }
    expected |= {f"constraints/{name}": rate(lambda each, n=name: each.type == n) for name in TYPES}
    expected |= {
        f"families/{name}": rate(lambda each, n=name: each.type.startswith(f"{n}:"))
        for name in ("length", "keywords", "case")
    }
    found = metrics(rewards)
    for name, value in expected.items():
        assert found.get(name) == (None if value is None else pytest.approx(value)), name
    assert {f"constraints/{name}": sum(hits) / len(hits) for name, hits in pass_rates(rewards).items()} == {
        name: value for name, value in found.items() if name.startswith("constraints/")
    }
    unscored = [each.verdict.status is Status.UNSCORED for each in leaves if each.type.startswith("case:")]
    assert found["unscored_leaves/case"] == pytest.approx(sum(unscored) / len(unscored))
    assert found["well_formed"] == sum(reward.well_formed for reward in rewards) / 60


def _depth(path: str) -> int:
    return 0 if path == "leaf" else path.count("/") + 1


def test_what_nobody_decided_has_no_key() -> None:
    only = LeafVerdict("and.0", "length:a", Verdict(Status.SKIPPED))
    found = metrics([reward_of(Judgement((only,)), parts={"judge": None})])
    assert found == {"unscored": 0.0, "truncated": 0.0, "well_formed": 1.0}
    assert metrics([]) == {}


def test_every_reward_of_a_large_batch_is_looked_at_a_few_times() -> None:
    calls: Counter[int] = Counter()
    for count in (128, 512):
        rewards = random_rewards(count, 5)
        sys.setprofile(lambda *_, count=count: calls.update((count,)))
        metrics(rewards)
        sys.setprofile(None)
    assert calls[512] < 5 * calls[128] < 512 * 400
