"""The numbers of SUSTAIN on runs of stub models, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from raif.sustain.planning import Slot
from raif.sustain.records import CONSTRAINED, FIRST, PLACEBO, RETEST, SustainRollout
from raif.sustain.settings import SustainSettings
from raif.sustain.summary import summarize
from tests.raif.sustain_support import Run, Stub, always_the_first, make_tasks, run_stub, text_of

COUNT = 40


def by_number(**wrong: range) -> Stub:
    """Return a model that is wrong on some numbers of tasks, arm by arm; under `broken` it breaks the constraints."""
    broken = wrong.pop("broken", range(0))

    def answer(slot: Slot) -> str:
        number = int(slot.task.id.rpartition("/")[2])
        right = number not in wrong.get(slot.arm, range(0))
        met = slot.arm != CONSTRAINED or number not in broken
        return text_of(slot.task, right, met, slot.demands)

    return answer


def math_record(run: Run) -> dict[str, Any]:
    return summarize(*run)["domains"]["math"]


def estimates(record: Any) -> Iterator[dict[str, Any]]:
    """Yield every estimate of a record."""
    if isinstance(record, dict):
        if {"value", "low", "high", "n"} <= record.keys():
            yield record
        for part in record.values():
            yield from estimates(part)
    elif isinstance(record, list):
        for part in record:
            yield from estimates(part)


def value(estimate: dict[str, Any]) -> Any:
    """Return an estimate's value, to be compared up to rounding."""
    return pytest.approx(estimate["value"])


@pytest.fixture(scope="module")
def mixed() -> Run:
    """Return 40 tasks: 5 unsolved; of the rest 5 lost under the placebo, 10 under the constraint, 5 break it."""
    model = by_number(first=range(5), placebo=range(10), constrained=range(2, 15), broken=range(35, 40))
    return run_stub(model, make_tasks(COUNT))


def test_a_model_that_says_the_same_whatever_the_prompt_loses_nothing() -> None:
    tasks = [task for domain in ("math", "qa", "code") for task in make_tasks(COUNT, domain)]
    found = summarize(*run_stub(always_the_first, tasks, settings=SustainSettings()))
    assert [*found["domains"]] == ["math", "qa", "code"]
    for record in found["domains"].values():
        assert record["n_dplus"] == COUNT
        for name in ("accuracy", "sustain", "retest", "placebo", "comply", "comply_unasked", "relative"):
            assert record[name]["value"] == 1
        assert record["sustain"]["low"] == pytest.approx(0.912, abs=0.001)  # Wilson's of 40 of 40
        net = record["net"]
        assert (net["estimate"]["value"], net["p"], net["gained"], net["lost"]) == (0, 1, 0, 0)
        assert net["estimate"]["low"] < 0 < net["estimate"]["high"]
        assert record["delta_acc"]["value"] == record["delta_net"]["estimate"]["value"] == 0
        assert (record["table"]["right_met"], record["failures"]) == (COUNT, {})
        assert {point["sustain"]["value"] for point in record["doses"]} == {1}
    assert found["domains"]["qa"]["graded"]["sustain"]["value"] == 1
    assert found["domains"]["math"]["graded"] is None
    assert found["mean"]["sustain"]["value"] == 1
    assert found["mean"]["net"]["n"] == 3 * COUNT
    json.dumps(found, allow_nan=False)


def test_a_model_that_fails_with_any_constraint_keeps_nothing_and_the_interval_is_finite() -> None:
    record = math_record(run_stub(by_number(constrained=range(COUNT)), make_tasks(COUNT)))
    assert (record["sustain"]["value"], record["sustain"]["low"]) == (0, 0)
    assert record["sustain"]["high"] == pytest.approx(0.088, abs=0.001)
    assert (record["placebo"]["value"], record["net"]["estimate"]["value"], record["net"]["lost"]) == (1, 1, COUNT)
    assert record["net"]["p"] == pytest.approx(2 * 0.5**COUNT)
    assert 0.7 < record["net"]["estimate"]["low"] < record["net"]["estimate"]["high"] <= 1
    assert (record["relative"]["value"], record["delta_acc"]["value"]) == (0, -1)
    assert 0 < record["relative"]["high"] < 0.15
    assert record["table"]["wrong_met"] == COUNT
    assert record["failures"]["other"] == {
        "n": COUNT,
        "met": COUNT,
        "broken": 0,
        "share": 1,
        "examples": [{"id": f"sums/{number}", "sample": 0} for number in range(3)],
    }


def test_every_number_of_a_small_run_is_as_by_hand(mixed: Run) -> None:
    record = math_record(mixed)
    assert (record["n"], record["n_solved"], record["n_dplus"], record["coverage"]) == (40, 35, 35, 1)
    assert (record["left_out"], record["failed"], record["undecided"]) == ({"unsolved": 5}, 0, 0)
    assert sum(record["groups"].values()) == sum(record["tightness"].values()) == 35
    assert record["accuracy"]["value"] == 35 / 40
    assert value(record["sustain"]) == 25 / 35
    assert (record["sustain"]["n"], record["sustain"]["method"]) == (35, "wilson")
    assert (value(record["retest"]), value(record["placebo"])) == (1, 30 / 35)
    net = record["net"]
    assert (value(net["estimate"]), net["gained"], net["lost"], net["control"]) == (5 / 35, 0, 5, "placebo")
    assert net["p"] == pytest.approx(2 / 2**5)  # McNemar: five of five one way
    assert value(record["relative"]) == 25 / 30
    assert (value(record["comply"]), value(record["comply_unasked"])) == (30 / 35, 1)
    cells = [record["table"][name] for name in ("right_met", "right_broken", "wrong_met", "wrong_broken", "undecided")]
    assert cells == [20, 5, 10, 0, 0]
    association = record["table"]["association"]
    assert (association["both"], association["first_only"], association["second_only"]) == (20, 5, 10)
    assert value(record["delta_acc"]) == (27 - 35) / 40  # of the unsolved, two turn right
    assert value(record["delta_placebo"]) == (30 - 35) / 40
    assert value(record["delta_net"]["estimate"]) == (27 - 30) / 40
    assert record["delta_net"]["p"] == pytest.approx(0.453125)  # 2 of 7 one way
    assert (record["failures"]["other"]["met"], record["truncation"][FIRST]["value"]) == (10, 0)
    assert "Fewer than 200 solved items" in net["power"]


def test_right_and_met_are_not_taken_for_each_other(mixed: Run) -> None:
    items, rollouts = mixed
    swapped = math_record((items, [_swapped(rollout) for rollout in rollouts]))
    record = math_record(mixed)
    assert swapped != record
    assert swapped["sustain"]["value"] == record["comply"]["value"]
    assert swapped["comply"]["value"] == record["sustain"]["value"]
    assert swapped["table"]["wrong_met"] == record["table"]["right_broken"] != record["table"]["wrong_met"]


def test_an_undecided_output_takes_its_item_out_of_all_arms(mixed: Run) -> None:
    items, rollouts = mixed
    unsure = [
        each.model_copy(update={"score": None, "correct": None})
        if (each.instruction_id, each.arm) == ("sums/20", PLACEBO)
        else each
        for each in rollouts
    ]
    record = math_record((items, unsure))
    assert (record["undecided"], record["table"]["undecided"], record["n_dplus"]) == (1, 1, 35)
    assert {record[name]["n"] for name in ("sustain", "retest", "placebo", "comply", "relative")} == {34}
    assert value(record["sustain"]) == 24 / 34
    assert record["delta_acc"]["n"] == 39


def test_a_failed_item_counts_nowhere(mixed: Run) -> None:
    items, rollouts = mixed
    broken = [
        item.model_copy(update={"failed": "the scorer raised"}) if item.id == "sums/20" else item for item in items
    ]
    record = math_record((broken, rollouts))
    assert (record["n"], record["failed"], record["n_dplus"], record["accuracy"]["n"]) == (40, 1, 34, 39)
    assert record["truncation"][CONSTRAINED]["n"] == record["delta_acc"]["n"] == 39


def test_there_is_no_value_below_twenty_items_but_a_reason() -> None:
    record = math_record(run_stub(always_the_first, make_tasks(19), settings=SustainSettings()))
    found = list(estimates(record))
    assert len(found) > 40
    assert all(each["value"] is None and "items" in each["reason"] for each in found)
    assert (
        summarize(*run_stub(always_the_first, make_tasks(19)))["mean"]["sustain"]["reason"] == "no domain has a value"
    )


def test_no_group_under_thirty_items_has_a_number_and_p_values_are_adjusted_among_the_others() -> None:
    tasks = make_tasks(90, "qa")
    model = by_number(constrained=range(0, 90, 2))  # those with hops=2
    record = summarize(*run_stub(model, tasks))["domains"]["qa"]
    by_source = record["by_source"]
    assert {name: row["n"] for name, row in by_source.items()} == {"cities": 90, "hops=2": 45, "hops=3": 45}
    assert [by_source[name]["sustain"]["value"] for name in by_source] == [0.5, 0, 1]
    p, adjusted = ([by_source[name]["net"][key] for name in by_source] for key in ("p", "p_holm"))
    assert p[0] == p[1] == pytest.approx(2 * 0.5**45, abs=0)
    assert adjusted == pytest.approx([3 * p[0], 3 * p[0], 1], abs=0)
    assert sum(row["n"] for row in record["by_family"].values()) == 90
    for table in (record["by_family"], record["by_group"], record["by_tightness"]):
        for row in table.values():
            assert (row["sustain"]["value"] is None) == (row["net"]["p_holm"] is None) == (row["n"] < 30)
            assert row["n"] >= 30 or "needs 30" in row["sustain"]["reason"]


def test_samples_and_constraints_of_an_item_are_averaged_first() -> None:
    def model(slot: Slot) -> str:
        lost = slot.arm == CONSTRAINED and slot.place == 0 and slot.sample > 0
        return text_of(slot.task, not lost, slot.place == 0 or slot.arm != CONSTRAINED, slot.demands)

    record = math_record(
        run_stub(model, make_tasks(60), samples=4, settings=SustainSettings(doses=(1,), constraints=2))
    )
    assert (record["sustain"]["value"], record["sustain"]["n"]) == (5 / 8, 60)  # one of 4 at place 0, 4 of 4 at place 1
    assert (record["comply"]["value"], record["table"]["association"]) == (0.5, None)
    assert record["table"] | {"association": 0} == {
        "right_met": 60,
        "right_broken": 240,
        "wrong_met": 180,
        "wrong_broken": 0,
        "undecided": 0,
        "association": 0,
    }
    assert (record["net"]["estimate"]["value"], record["net"]["lost"]) == (3 / 8, 60)
    assert record["doses"][0]["sustain"]["value"] == 1 / 4  # of the first constraint alone
    low, high = record["sustain"]["low"], record["sustain"]["high"]
    assert high - low == pytest.approx(2 * 1.96 * (5 / 8 * 3 / 8 / 480) ** 0.5, rel=0.02)  # all alike: 480 rows
    assert sum(row["n"] for row in record["by_group"].values()) > 60  # an item is in the group of each constraint


def test_doses_are_nested_and_an_item_leaves_only_those_that_it_lacks() -> None:
    def model(slot: Slot) -> str:
        few = slot.arm != CONSTRAINED or slot.dose < 3
        return text_of(slot.task, few or slot.dose == 5, few, slot.demands)

    items, rollouts = run_stub(model, make_tasks(COUNT), settings=SustainSettings())
    short = {item.id for item in items[:10]}
    kept = [each for each in rollouts if each.dose < 8 or each.instruction_id not in short]
    record = math_record((items, kept))
    assert [(point["dose"], point["n"]) for point in record["doses"]] == [(1, 40), (2, 40), (3, 40), (5, 40), (8, 30)]
    assert [point["sustain"]["value"] for point in record["doses"]] == [1, 1, 0, 1, 0]
    assert [point["net"]["value"] for point in record["doses"]] == [0, 0, 1, 0, 1]
    assert {point["n"] for point in record["doses_common"]} == {30}
    assert [point["comply_all"]["value"] for point in record["doses"]] == [1, 1, 0, 0, 0]
    assert all(0 < point["comply_each"]["value"] < 1 for point in record["doses"][2:])


def test_an_item_without_a_constraint_takes_its_retest_output_in_the_two_sided_change() -> None:
    model = by_number(first=range(5), placebo=range(10), constrained=range(2, 15), retest=range(10, 12))
    items, rollouts = run_stub(model, make_tasks(COUNT))
    bare = {f"sums/{number}" for number in range(10, 15)}  # right at first, three of them again
    without = [
        item.model_copy(update={"demands": (), "left_out": "no_constraint"}) if item.id in bare else item
        for item in items
    ]
    kept = [each for each in rollouts if each.instruction_id not in bare or each.arm in (FIRST, RETEST)]
    record = math_record((without, kept))
    assert (record["n_solved"], record["n_dplus"], record["coverage"]) == (35, 30, 30 / 35)
    assert record["left_out"] == {"no_constraint": 5, "unsolved": 5}
    assert (record["delta_without"], record["delta_acc"]["n"]) == (5, 40)
    assert value(record["delta_acc"]) == (27 + 3 - 35) / 40
    assert value(record["delta_placebo"]) == (25 + 3 - 35) / 40


def test_a_graded_score_is_kept_as_a_ratio_to_the_first_pass() -> None:
    items, rollouts = run_stub(always_the_first, make_tasks(COUNT, "qa"))
    half = {FIRST: 0.8, RETEST: 0.8, PLACEBO: 0.6, CONSTRAINED: 0.4}
    graded = [each.model_copy(update={"f1": half[each.arm], "score": half[each.arm]}) for each in rollouts]
    solved = [item.model_copy(update={"score": 0.8}) for item in items]
    record = summarize(solved, graded, tau=0.5)["domains"]["qa"]
    assert [round(record["graded"][arm]["value"], 9) for arm in ("sustain", "retest", "placebo")] == [0.5, 1, 0.75]
    assert (record["n_solved"], record["sustain"]["value"], record["placebo"]["value"]) == (40, 0, 1)
    assert 0.8 < record["graded"]["retest"]["low"] < 1 < record["graded"]["retest"]["high"]


def test_a_truncated_output_is_a_failure_and_counted_by_arm(mixed: Run) -> None:
    items, rollouts = mixed
    cut = [_cut(each) if each.arm == CONSTRAINED and each.correct and each.dose else each for each in rollouts]
    record = math_record((items, cut))
    assert (record["sustain"]["value"], record["placebo"]["value"]) == (0, 30 / 35)
    assert {name: row["n"] for name, row in record["failures"].items()} == {"truncated": 25, "other": 10}
    assert record["failures"]["truncated"]["share"] == 25 / 35
    assert (record["truncation"][CONSTRAINED]["value"], record["truncation"][RETEST]["value"]) == (27 / 40, 0)
    assert record["tokens"][FIRST] > 0


def _swapped(rollout: SustainRollout) -> SustainRollout:
    if rollout.arm != CONSTRAINED:
        return rollout
    return rollout.model_copy(update={"score": float(rollout.hard or 0), "hard": rollout.score == 1})


def _cut(rollout: SustainRollout) -> SustainRollout:
    update = {"score": 0.0, "correct": False, "finish_reason": "length", "failure": "truncated"}
    return rollout.model_copy(update=update)
