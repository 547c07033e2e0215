"""The experiments that read evaluations: what they find, what they take out, what they refuse."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from raif.commands.experiment import experiment_app
from raif.evaluation import stats
from raif.evaluation.records import UNCONSTRAINED, EvaluatedRollout, Item, Output
from raif.evaluation.stats import (
    Estimate,
    mcnemar,
    mean,
    over_seeds,
    paired,
    proportion,
    rate,
    ratio,
    relative_drop,
    sign_flip_p,
    trend,
)
from raif.experiments.difficulty import difficulty
from raif.experiments.errors import errors
from raif.experiments.length_bins import divide, length_bins
from raif.experiments.stages import Stage, stages
from rewards import And
from rewards.errors import RaifError
from rewards.think_styles import CLOSE
from tests.raif.experiment_support import (
    RIGHT,
    SOURCES,
    WRONG,
    CachedSuite,
    answer,
    crossed_items,
    draw_evaluation,
    make_items,
)

SUITE, ITEMS = CachedSuite(), make_items(120)


def effect(found: dict[str, Any], name: str, metric: str) -> dict[str, Any]:
    """Return one effect of a result."""
    return next(one for one in found["effects"] if (one["name"], one["metric"]) == (name, metric))


def judged(
    items: Sequence[Item], texts: Sequence[str], lengths: Sequence[int], suite: CachedSuite = SUITE
) -> list[EvaluatedRollout]:
    """Judge one finished answer an item, of a given length of thinking."""
    outputs = [
        Output(item, "constrained", 0, f"hm{CLOSE}{text}", length, True, True)
        for item, text, length in zip(items, texts, lengths, strict=True)
    ]
    return [
        rollout.model_copy(update={"thinking_tokens": length})
        for rollout, length in zip(suite.judge(outputs), lengths, strict=True)
    ]


# ---- statistics ----------------------------------------------------------------------------------------------------


def test_flipping_signs_of_yes_or_no_changes_is_mcnemars_test() -> None:
    before, after = [False] * 40, [True] * 9 + [False] * 31
    exact = mcnemar(before, after).p
    assert exact == pytest.approx(2 / 2**9)
    assert sign_flip_p([1.0] * 9 + [0.0] * 31, flips=60_000) == pytest.approx(exact, abs=0.001)
    changes = [1.0] * 30 + [-1.0] * 2 + [0.0] * 8
    assert paired([0.0] * 40, changes)[1] == mcnemar([c < 0 for c in changes], [c > 0 for c in changes]).p < 1e-6


def test_the_trend_is_least_squares_with_stratum_means_and_a_permutation_test() -> None:
    rng = np.random.default_rng(0)
    x, strata = rng.normal(size=60), np.arange(60) % 3
    y = 0.1 * x + strata + rng.normal(size=60)
    names, groups = [str(i) for i in range(60)], [str(s) for s in strata]
    design = np.column_stack([x, *(strata == s for s in range(3))]).astype(float)
    estimate, p = trend(x, y, names, groups)
    assert estimate.value == pytest.approx(float(np.linalg.lstsq(design, y, rcond=None)[0][0]))

    def permuted() -> float:
        shuffled = y.copy()
        for s in range(3):
            shuffled[strata == s] = rng.permutation(y[strata == s])
        value = trend(x, shuffled, names, groups)[0].value
        assert value is not None
        return abs(value)

    assert estimate.value is not None
    extreme = sum(permuted() >= abs(estimate.value) for _ in range(2_000)) / 2_000
    assert p == pytest.approx(extreme, abs=0.04)
    assert trend(x, np.ones(60), names) == (Estimate(0.0, None, None, 60), None)
    assert trend(np.ones(60), y, names)[0].value is None
    assert trend(x[:19], y[:19], names[:19])[1] is None


def test_a_few_correct_answers_that_are_not_followed_are_no_evidence() -> None:
    correct = [True] * 8 + [False] * 92
    followed = [False] * 8 + [True] * 11 + [False] * 81  # 12 % followed: none of eight is nothing to wonder at
    estimate, p = trend(correct, followed, [str(i) for i in range(100)])
    assert estimate.low is not None
    assert estimate.low < 0 < estimate.high  # type: ignore[operator]
    assert p == pytest.approx(0.3, abs=0.1)


def test_samples_of_an_item_are_no_further_evidence() -> None:
    rng = np.random.default_rng(1)
    x, y, names = rng.normal(size=40), rng.normal(size=40), [str(i) for i in range(40)]
    once, _ = trend(x, y, names)
    thrice, _ = trend(np.tile(x, 3), np.tile(y, 3), names * 3)
    assert thrice == pytest.approx(once)


def test_the_relative_drop_has_an_interval_only_where_its_base_is_not_zero() -> None:
    estimate = relative_drop([1.0] * 2 + [0.0] * 38, [0.0] * 40)
    assert (estimate.value, estimate.low, estimate.high) == (1.0, None, None)
    assert relative_drop([0.0] * 40, [1.0] * 40).value is None


def test_items_that_are_all_alike_leave_room_for_others() -> None:
    alike = proportion([True] * 30)
    assert mean([1.0] * 30) == pytest.approx(alike)
    assert ratio([2.0] * 30, [2.0] * 30) == pytest.approx(alike)
    assert rate(["a"] * 2 + [str(i) for i in range(29)], [True] * 31) == pytest.approx(alike)
    assert alike.low is not None
    room = 1 - alike.low
    assert paired([0.5] * 30, [0.5] * 30) == (pytest.approx((0, -room, room, 30)), 1.0)
    assert relative_drop([0.5] * 30, [0.5] * 30) == pytest.approx((0, -2 * room, 2 * room, 30))
    assert mean([64.0] * 30) == (64, 64, 64, 30)  # a count has no bounds
    assert over_seeds([0.5] * 3) == (0.5, None, None, 3)


def test_intervals_of_rare_failures_cover_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 200)
    rng = np.random.default_rng(2)
    found = [mean(list(rng.binomial(3, 0.99, 20) / 3)) for _ in range(200)]  # in half of them nothing fails
    assert sum(one.low <= 0.99 <= one.high for one in found if one.low and one.high) >= 180


# ---- length bins ---------------------------------------------------------------------------------------------------


def test_bins_state_their_edges_and_hold_every_rollout_once() -> None:
    rollouts = judged(ITEMS[:8], ["x"] * 8, [1, 2, 2, 3, 4, 8, 9, 13])
    width = divide(rollouts, [1.0, 5.0, 9.0, 13.0])
    assert [(one.low, one.high, len(one.rollouts)) for one in width] == [(1, 5, 5), (5, 9, 1), (9, 13, 2)]
    drawn = draw_evaluation(SUITE, ITEMS, random.Random(0))
    found = length_bins({}, drawn, truncated="bin")
    kinds = {kind: [row for row in found["rows"] if row["kind"] == kind] for kind in ("width", "count", "truncated")}
    assert len(kinds["count"]) == 6
    assert max(row["n"] for row in kinds["count"]) - min(row["n"] for row in kinds["count"]) <= 2
    finished = sum(not rollout.truncated for rollout in drawn)
    assert sum(row["n"] for row in kinds["width"]) == sum(row["n"] for row in kinds["count"]) == finished
    assert found["left_out"] == {"cut off": len(drawn) - finished}
    assert kinds["truncated"][0]["n"] == len(drawn) - finished
    assert kinds["truncated"][0]["hacc"]["value"] == 0


def test_harder_sources_with_longer_thinking_are_no_effect_of_length() -> None:
    rng = random.Random(1)
    rank = [SOURCES.index(item.labels["source"]) for item in ITEMS]
    texts = [answer(rng, follows=0.9 - 0.25 * r, right=0.9 - 0.25 * r) for r in rank]
    found = length_bins({}, judged(ITEMS, texts, [int(rng.lognormvariate(5 + r, 0.3)) for r in rank]))
    raw = effect(found, "per doubling of thinking", "sacc")
    within = effect(found, "per doubling, within source and count", "sacc")
    assert raw["estimate"]["high"] < 0
    assert raw["p_holm"] < 0.001
    assert within["estimate"]["low"] < 0 < within["estimate"]["high"]


def test_an_effect_of_length_is_found_within_items() -> None:
    rng = random.Random(2)
    rollouts = []
    for sample in range(4):
        lengths = [int(rng.lognormvariate(6, 0.8)) for _ in ITEMS]
        texts = [answer(rng, follows=0.8 if length < 400 else 0.3) for length in lengths]
        rollouts += [r.model_copy(update={"sample": sample}) for r in judged(ITEMS, texts, lengths)]
    found = length_bins({}, rollouts)
    for name in ("per doubling, within source and count", "longer minus shorter half, same item"):
        assert effect(found, name, "sacc")["estimate"]["high"] < 0
        assert effect(found, name, "sacc")["p_holm"] < 0.01
        assert effect(found, name, "correct")["p_holm"] > 0.05
    single = length_bins({}, rollouts[: len(ITEMS)])
    assert effect(single, "longer minus shorter half, same item", "sacc")["estimate"]["n"] == 0


def test_lengths_that_nobody_counted_are_an_error() -> None:
    rollouts = [r.model_copy(update={"thinking_tokens": None}) for r in judged(ITEMS, ["x"] * 120, [5] * 120)]
    with pytest.raises(RaifError, match="0 different thinking lengths"):
        length_bins({}, rollouts)
    with pytest.raises(RaifError, match="neither exclude nor bin"):
        length_bins({}, rollouts, truncated="drop")  # type: ignore[arg-type]
    with pytest.raises(RaifError, match="no rollout has a verdict of the profile 'parity'"):
        length_bins({}, rollouts, profile="parity")


# ---- errors, stages, difficulty ------------------------------------------------------------------------------------


def test_cells_are_counted_against_independence() -> None:
    texts = [answer(random.Random(i), follows=float(i % 4 < 2), right=float(i % 2)) for i in range(120)]
    rollouts = judged(ITEMS, texts, [5] * 120)
    cut = rollouts[0].model_copy(update={"finish_reason": "length"})
    found = errors({"floor": {"strict": {"hacc": 0.1, "sacc": 0.2}}, "n": 120}, [cut, *rollouts[1:]])
    cells = found["cells"]["all"]
    assert [cells[name] for name in ("correct_followed", "correct_unfollowed", "wrong_followed")] == [30, 30, 29]
    assert cells["truncated"] == 1
    assert cells["share_correct_followed"] == pytest.approx(cells["expected"], abs=0.01)
    assert abs(cells["phi"]) < 0.02
    assert cells["fisher_p"] > 0.5
    assert [row["label"] for row in found["rows"]][-2:] == ["truncated", "floor: the answer is a full stop"]
    assert set(found["cells"]) == {"all", *SOURCES}


def test_giving_one_goal_up_for_the_other_is_found() -> None:
    rng = random.Random(3)
    texts = [answer(rng, *((0.95, 0.1) if rng.random() < 0.5 else (0.2, 0.9))) for _ in ITEMS]
    found = errors({}, judged(ITEMS, texts, [5] * 120))
    for one in found["effects"]:
        assert one["estimate"]["high"] < 0
        assert one["p_holm"] < 0.001


def test_stages_are_joined_by_id_and_tested_against_the_first() -> None:
    rng = random.Random(4)
    base, worse = draw_evaluation(SUITE, ITEMS, rng), judged(ITEMS, [answer(rng, 0.1, 0.9) for _ in ITEMS], [9] * 120)
    metrics = {"floor": {"strict": {"hacc": 0.01, "sacc": 0.02}}, "n": 120}
    found = stages([Stage("base", metrics, base), Stage("sft", {}, worse[::-1])])
    assert effect(found, "sft - base", "sacc")["estimate"]["high"] < 0
    assert effect(found, "sft - base", "correct")["estimate"]["low"] > 0
    assert effect(found, "sft - base", "hacc")["p_holm"] < 0.01
    assert [row["arm"] for row in found["rows"]] == ["baseline", "treatment", "control"]
    assert found["rows"][-1]["hacc"]["value"] == 0.01
    with pytest.raises(RaifError, match=rf"1 only in base \({worse[0].instruction_id}\), 0 only in sft \(none\)"):
        stages([Stage("base", {}, base), Stage("sft", {}, worse[1:])])


def test_further_constraints_are_compared_within_problems_or_not_at_all() -> None:
    rng = random.Random(5)
    items = crossed_items(60)
    right = [0.9 - 0.25 * int(item.labels["count"]) for item in items]
    drawn = judged(items, [answer(rng, right=p) for p in right], [5] * 180)
    bare = judged(items, [answer(rng, right=0.9) for _ in items], [5] * 180)
    found = difficulty({}, [*drawn, *(r.model_copy(update={"arm": UNCONSTRAINED}) for r in bare)])
    assert effect(found, "per further constraint, same problem", "correct")["estimate"]["high"] < 0
    assert effect(found, "per further constraint, same problem", "sacc")["p_holm"] > 0.05
    assert effect(found, "relative drop", "correct")["estimate"]["low"] > 0.2
    assert all("relative_drop" in row for row in found["rows"] if row["kind"] == "source")
    plain = difficulty({}, draw_evaluation(SUITE, ITEMS, rng))
    assert plain["effects"] == []
    assert "count and problem are confounded" in plain["rule"]
    assert "no prompts without constraints" in plain["rule"]


def test_items_without_constraints_are_no_part_of_what_constraints_cost() -> None:
    items = [item for n in range(30) for item in _levels(n)]
    right = [item.labels["count"] != "2" for item in items]
    fresh = CachedSuite()  # these items have ids that others have
    drawn = judged(items, [RIGHT if is_right else WRONG for is_right in right], [5] * 90, fresh)
    bare = [r.model_copy(update={"arm": UNCONSTRAINED}) for r in judged(items, [RIGHT] * 90, [5] * 90, fresh)]
    for rollouts in (drawn, [*drawn, *bare]):  # without constraints: the items that have none, and the other arm
        found = difficulty({}, rollouts)
        rows = {row["label"]: row for row in found["rows"]}
        assert (rows["all"]["n"], rows["all"]["correct"]["value"]) == (60, 0.5)
        assert rows["all"]["hacc"]["n"] == rows["all"]["correct"]["n"] == 60
        assert (rows["0 constraints"]["n"], rows["0 constraints"]["correct"]["value"]) == (30, 1.0)
        drop = effect(found, "relative drop", "correct")["estimate"]
        assert (drop["value"], drop["n"]) == (0.5, 30)  # problems: its items are no independent evidence
        assert effect(found, "0 -> 1 constraints, same problem", "correct")["estimate"]["value"] == 0


def _levels(problem: int) -> list[Item]:
    """Return a problem under none, one and two constraints; what it asks under none is not judged."""
    one, two = crossed_items(problem + 1)[-3:-1]
    none = one.model_copy(
        update={
            "id": f"{problem}/none",
            "labels": {**one.labels, "count": "0"},
            "instruction": one.instruction and one.instruction.model_copy(update={"tree": And(parts=())}),
        }
    )
    return [none, one, two]


def test_truncation_that_is_unknown_of_some_is_unknown() -> None:
    texts = ["x", "<think>so"] * 30  # of stored responses, only thinking that never closes tells that it was cut off
    rollouts = SUITE.judge([Output(item, "constrained", 0, text) for item, text in zip(ITEMS, texts, strict=False)])
    assert [rollout.truncated for rollout in rollouts[:2]] == [None, True]
    found = stages([Stage("a", {}, rollouts), Stage("b", {}, rollouts)])
    assert found["rows"][0]["truncated"] == {"value": None, "low": None, "high": None, "n": 0}
    assert {one["metric"] for one in found["effects"]} == {"hacc", "sacc", "correct"}


# ---- commands ------------------------------------------------------------------------------------------------------


def test_commands_read_evaluations_and_write_results(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        folder = tmp_path / name
        folder.mkdir()
        drawn = draw_evaluation(SUITE, ITEMS[:60], random.Random(seed), samples=2)
        (folder / "metrics.json").write_text(json.dumps({"n": 60, "settings": {"samples": 2}, "versions": {"x": "1"}}))
        (folder / "rollouts.jsonl").write_text("".join(r.model_dump_json() + "\n" for r in drawn))
    run = CliRunner()
    for command in ("length-bins", "errors", "difficulty"):
        done = run.invoke(experiment_app, [command, str(tmp_path / "a")], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        _check_result(tmp_path / "a" / command, command)
    both = ["stages", str(tmp_path / "a"), f"after={tmp_path / 'b'}", "--out", str(tmp_path / "s")]
    assert run.invoke(experiment_app, both, catch_exceptions=False).exit_code == 0
    assert [row["label"] for row in _check_result(tmp_path / "s", "stages")["rows"]] == ["a", "after"]
    with pytest.raises(RaifError, match="holds a result of the experiment stages"):
        run.invoke(
            experiment_app, ["errors", str(tmp_path / "a"), "--out", str(tmp_path / "s")], catch_exceptions=False
        )


def _check_result(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "experiment.json").read_text(encoding="utf-8"))
    assert (found["schema_version"], found["experiment"]) == (1, name)
    assert (folder / "experiment.md").read_text(encoding="utf-8").startswith(f"# {name}\n")
    for row in found["rows"]:
        assert {"label", "arm", "x", "n", "hacc", "sacc", "correct", "tokens", "truncated"} <= row.keys()
    return found
