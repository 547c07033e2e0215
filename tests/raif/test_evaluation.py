"""Metrics, intervals and gains; the floor and the ceiling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raif.contrast import keep_group
from raif.evaluation.instructions import evaluate, load_evaluation
from raif.evaluation.stats import mean, paired_gain, proportion
from raif.evaluation.metrics import floor_and_ceiling, gain
from raif.generation import Sampling
from raif.run import select_instructions
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
    chosen = select_instructions(smoke_data, "test", 24)
    sampling = Sampling(cap=12, seed=5, batch_size=7)
    first = evaluate(str(policy), chosen, sampling, tmp_path / "a")
    again = evaluate(str(policy), chosen, sampling, tmp_path / "b")
    assert first == again
    assert (tmp_path / "a/rollouts.jsonl").read_bytes() == (tmp_path / "b/rollouts.jsonl").read_bytes()
    stamp = (tmp_path / "a/metrics.json").stat().st_mtime_ns
    evaluate(str(policy), chosen, sampling, tmp_path / "a")
    assert (tmp_path / "a/metrics.json").stat().st_mtime_ns == stamp
    metrics, rollouts = load_evaluation(tmp_path / "a")
    assert [r.instruction_id for r in rollouts] == [task.id for task in chosen]
    assert all(r.completion_tokens <= 12 for r in rollouts)
    assert metrics["truncated"]["value"] == sum(r.finish_reason == "length" for r in rollouts) / 24
    assert gain(rollouts, list(reversed(rollouts)), "soft").value == 0.0  # joined by id, not by position


def test_saying_nothing_earns_nothing_and_witnesses_earn_everything(smoke_data: Path) -> None:
    scores = floor_and_ceiling(select_instructions(smoke_data, "test"))
    assert scores["floor"] == {"hacc": 0.0, "sacc": 0.0}
    assert scores["ceiling"] == {"hacc": 1.0, "sacc": 1.0}


def test_a_missing_split_says_which_exist(smoke_data: Path) -> None:
    with pytest.raises(RaifError, match="splits are train and test"):
        select_instructions(smoke_data, "validation")
