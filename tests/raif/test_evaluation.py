"""Metrics, intervals and gains; the floor and the ceiling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raif.contrast import keep_group
from raif.evaluation.comparison import gain
from raif.evaluation.runner import evaluate_model, load_evaluation
from raif.evaluation.stats import mean, paired_gain, proportion
from raif.generation import Sampling
from raif.run import select_instructions
from raif.suites import suite
from raif.suites.instructions import floor_and_ceiling, items_of
from rewards.errors import RaifError


def test_no_interval_below_twenty_items() -> None:
    assert proportion([True] * 19).low is None
    assert mean([0.5] * 19).high is None
    assert proportion([True] * 20).low == pytest.approx(0.839, abs=0.001)
    assert proportion([]).value is None


def test_paired_gain_is_tighter_than_the_difference_of_unpaired_means() -> None:
    before = [float(i % 2) for i in range(200)]
    after = [1.0 if i < 20 else b for i, b in enumerate(before)]
    estimate = paired_gain(before, after)
    assert estimate.value == pytest.approx(0.05)
    assert estimate.low is not None
    assert estimate.low > 0
    assert estimate == paired_gain(before, after)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.booleans()), min_size=1), st.lists(st.just(0.5), min_size=1)
)
def test_contrast_keeps_malformed_rollouts_and_all_that_reach_the_bar(
    group: list[tuple[float, bool]], direct: list[float]
) -> None:
    scores, malformed = [s for s, _ in group], [bad for _, bad in group]
    kept = keep_group(scores, direct, malformed, level="rollout")
    assert kept == [bad or score >= 0.5 for score, bad in group]
    assert keep_group(scores, direct, malformed, level="rollout", margin=-1.0) == [True] * len(group)
    assert keep_group(scores, [None], malformed) == [True] * len(group)


@pytest.mark.parametrize(("statistic", "kept"), [("max_min", True), ("mean", False), ("best", False)])
def test_one_lucky_rollout_is_handled_as_the_statistic_says(statistic: str, kept: bool) -> None:
    assert keep_group([0.6, 0.0, 0.0], [0.5, 0.9], [False] * 3, statistic=statistic) == [kept] * 3  # type: ignore[arg-type]


def test_evaluation_is_deterministic_and_not_repeated(policy: Path, smoke_data: Path, tmp_path: Path) -> None:
    items = items_of(select_instructions(smoke_data, "test", 24))
    sampling = Sampling(cap=12, seed=5, batch_size=7)
    first = evaluate_model(str(policy), suite("instructions"), items, sampling, tmp_path / "a", samples=2)
    again = evaluate_model(str(policy), suite("instructions"), items, sampling, tmp_path / "b", samples=2)
    assert first == again
    assert (tmp_path / "a/rollouts.jsonl").read_bytes() == (tmp_path / "b/rollouts.jsonl").read_bytes()
    stamp = (tmp_path / "a/metrics.json").stat().st_mtime_ns
    assert evaluate_model(str(policy), suite("instructions"), items, sampling, tmp_path / "a", samples=2) == first
    assert (tmp_path / "a/metrics.json").stat().st_mtime_ns == stamp
    metrics, rollouts = load_evaluation(tmp_path / "a")
    assert [(r.instruction_id, r.sample) for r in rollouts] == [(item.id, n) for item in items for n in (0, 1)]
    assert all(r.completion_tokens <= 12 for r in rollouts)
    assert metrics["truncated"]["value"] == sum(r.finish_reason == "length" for r in rollouts) / 48
    assert metrics["n"] == metrics["truncated"]["n"] == 24  # items are what is resampled, not samples
    assert gain(rollouts, list(reversed(rollouts)), "soft").value == 0.0  # joined by id, not by position
    with pytest.raises(RaifError, match=r"sampling\.seed is 6, was 5"):
        evaluate_model(str(policy), suite("instructions"), items, sampling._replace(seed=6), tmp_path / "a", samples=2)


def test_under_another_protocol_what_was_drawn_is_judged_again(policy: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "input_data.jsonl", tmp_path / "out"
    row = {"key": 1, "prompt": "Hi.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    data.write_text(json.dumps(row) + "\n", encoding="utf-8")
    found = {}
    for protocol in ("google", "lm-eval"):
        ifeval = suite("ifeval", protocol=protocol)
        found[protocol] = evaluate_model(str(policy), ifeval, ifeval.load(str(data)), Sampling(cap=4), out)
    assert (out / "generations/completions.jsonl").read_text(encoding="utf-8").count("\n") == 1
    assert found["lm-eval"]["settings"]["options"] == {"protocol": "lm-eval"}
    assert load_evaluation(out)[0] == found["lm-eval"]
    row["instruction_id_list"] = ["startend:quotation"]
    data.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(RaifError, match="items differ"):
        evaluate_model(str(policy), ifeval, ifeval.load(str(data)), Sampling(cap=4), out)


def test_results_are_broken_down_by_label_and_by_leaf(policy: Path, smoke_data: Path, tmp_path: Path) -> None:
    items = items_of(select_instructions(smoke_data, "test"))
    metrics = evaluate_model(str(policy), suite("instructions"), items, Sampling(cap=8), tmp_path / "a")
    groups = metrics["groups"]
    for label in ("split", "language", "count", "depth", "shape", "seeds"):
        assert sum(part["n"] for part in groups[label].values()) == len(items)
    assert set(groups["family"]) == {name.partition(":")[0] for name in groups["constraint"]}
    assert {"leaf_depth", "node"} <= set(groups)


def test_saying_nothing_earns_nothing_and_witnesses_earn_everything(smoke_data: Path) -> None:
    scores = floor_and_ceiling(select_instructions(smoke_data, "test"))
    assert scores["floor"]["strict"] == {"hacc": 0.0, "sacc": 0.0}
    assert scores["ceiling"]["strict"] == {"hacc": 1.0, "sacc": 1.0}


def test_a_missing_split_says_which_exist(smoke_data: Path) -> None:
    with pytest.raises(RaifError, match="splits are train and test"):
        select_instructions(smoke_data, "validation")
