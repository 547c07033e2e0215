"""Comparing models by SUSTAIN: own sets, the common set, seeds of a recipe, held-out families, and what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from raif.generation import Sampling
from raif.sustain.comparing import Evaluation, compare
from raif.sustain.planning import Slot
from raif.sustain.records import CONSTRAINED, Task
from rewards.errors import RaifError
from tests.raif.sustain_support import ONE_DOSE, Stub, make_tasks, run_stub, text_of

TASKS = [*make_tasks(60, "math"), *make_tasks(40, "qa")]
MATHS = TASKS[:60]


def metrics_of(**changes: Any) -> dict[str, Any]:
    """Return the settings that a finished evaluation has, in its metrics."""
    judging = {"qa_score", "tau"}
    settings = {
        "options": ONE_DOSE.model_dump(mode="json", include=judging),
        "sustain": ONE_DOSE.model_dump(mode="json", exclude=judging),
        "sampling": Sampling(64, 0.0)._asdict(),
        "samples": 1,
    }
    return {"settings": {name: _changed(value, changes) for name, value in settings.items()}}


def _changed(value: Any, changes: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: changes.get(key, each) for key, each in value.items()}
    return changes.get("samples", value)


def number(slot: Slot) -> int:
    return int(slot.task.id.rpartition("/")[2])


def model(fails: Callable[[Slot], bool], breaks: Callable[[Slot], bool] = lambda slot: False) -> Stub:
    """Return a model that answers wrong where the one says so, and leaves constraints unmet where the other does."""
    return lambda slot: text_of(
        slot.task, not fails(slot), not (breaks(slot) and slot.arm == CONSTRAINED), slot.demands
    )


def evaluation(name: str, stub: Stub, tasks: list[Task] = MATHS, **changes: Any) -> Evaluation:
    return Evaluation(name, metrics_of(**changes), *run_stub(stub, tasks))


steady = model(lambda slot: False)
#: Loses every third item under a constraint, and finds those whose number is 3 more than a multiple of 4 too hard.
weak = model(
    lambda slot: number(slot) % 4 == 3 or (slot.arm == CONSTRAINED and number(slot) % 3 == 0),
    lambda slot: number(slot) % 2 == 0,
)


def test_own_sets_differ_and_the_common_set_is_what_all_solve() -> None:
    found = compare([evaluation("weak", weak), evaluation("steady", steady)])
    assert (found["models"], found["held_out"], list(found["domains"])) == (["weak", "steady"], None, ["math"])
    maths = found["domains"]["math"]
    assert maths["n_common"] == 45  # of 60, a quarter is too hard
    own, common = maths["own"], maths["common"]
    assert {name: (own[name]["n"], common[name]["n"]) for name in own} == {"weak": (45, 45), "steady": (60, 45)}
    assert own["weak"]["accuracy"]["value"] == 0.75
    assert own["weak"]["accuracy"]["n"] == 60
    assert common["weak"]["accuracy"]["value"] == 1
    lost = sum(n % 3 == 0 and n % 4 != 3 for n in range(60)) / 45
    assert common["weak"]["sustain"]["value"] == own["weak"]["sustain"]["value"] == pytest.approx(1 - lost)
    assert common["weak"]["net"]["value"] == pytest.approx(lost)
    assert common["weak"]["comply"]["value"] == pytest.approx(sum(n % 2 and n % 4 != 3 for n in range(60)) / 45)
    assert own["weak"]["delta_acc"]["value"] == pytest.approx(-lost * 45 / 60)
    assert own["weak"]["retest"]["value"] == own["weak"]["placebo"]["value"] == 1
    assert (common["steady"]["net"]["value"], common["steady"]["sustain"]["value"]) == (0, 1)
    assert maths["ranking"] == ["steady", "weak"]
    assert maths["seeds"] is None


def test_pairs_are_tested_by_mcnemar_on_common_items_and_by_permutation_on_own_ones() -> None:
    found = compare([evaluation("weak", weak), evaluation("steady", steady), evaluation("twin", steady)])
    pairs = {(row["set"], row["metric"], row["first"], row["second"]): row for row in found["domains"]["math"]["pairs"]}
    assert len(pairs) == 2 * 2 * 3
    both = pairs["common", "sustain", "weak", "steady"]
    lost = sum(n % 3 == 0 and n % 4 != 3 for n in range(60))
    assert both["estimate"]["value"] == pytest.approx(lost / 45)
    assert both["p"] == pytest.approx(2 * 0.5**lost)  # McNemar: all discordant items in one direction
    assert both["p_holm"] == pytest.approx(3 * both["p"])
    own = pairs["own", "net", "weak", "steady"]
    assert own["estimate"]["n"] == 45 + 60
    half = 1.96 * (lost / 45 * (1 - lost / 45) / 45) ** 0.5  # only one of the two models varies
    assert own["estimate"]["low"] == pytest.approx(-lost / 45 - half, abs=0.04)  # and room for what it may lose
    assert own["estimate"]["high"] == pytest.approx(-lost / 45 + half, abs=0.02)
    assert own["p"] < 0.001
    same = pairs["own", "sustain", "steady", "twin"]
    assert (same["estimate"]["value"], same["p"]) == (0, 1)
    assert same["estimate"]["low"] < -0.04 < 0.04 < same["estimate"]["high"]  # alike, yet not known exactly
    assert pairs["common", "net", "steady", "twin"]["p"] == 1


def test_a_small_own_set_without_a_loss_does_not_beat_a_large_one_with_few() -> None:
    """24 of 24 and 95 of 100: Fisher's exact p is 0.58, though no resample of the 24 has a loss."""
    few = model(lambda slot: number(slot) >= 12)
    many = model(lambda slot: slot.arm == CONSTRAINED and number(slot) % 20 == 7)
    rows = compare([evaluation("few", few, TASKS), evaluation("many", many, TASKS)])["domains"]["all"]["pairs"]
    own = next(row for row in rows if row["set"] == "own" and row["metric"] == "sustain")
    assert own["estimate"]["n"] == 24 + 100
    assert own["estimate"]["value"] == pytest.approx(-0.05)
    assert own["p"] == pytest.approx(0.58, abs=0.02)
    assert own["estimate"]["low"] < 0 < own["estimate"]["high"]


def test_fewer_than_twenty_common_items_are_told_and_not_ranked() -> None:
    parts = [evaluation(name, model(lambda slot, part=part: number(slot) % 60 >= 40 or number(slot) % 2 == part))
             for part, name in enumerate(("even", "odd"))]  # fmt: skip
    maths = compare(parts)["domains"]["math"]
    assert (maths["n_common"], maths["ranking"], maths["own"]["odd"]["n"]) == (0, [], 20)
    assert maths["common"]["odd"]["net"]["value"] is None
    assert maths["common"]["odd"]["net"]["reason"] == "there are 0 items; an estimate needs 20"
    rows = [row for row in maths["pairs"] if row["set"] == "common"]
    assert all(row["estimate"]["value"] is None and row["p"] is None and row["p_holm"] is None for row in rows)
    assert all(row["estimate"]["value"] is not None for row in maths["pairs"] if row["set"] == "own")


def test_seeds_of_a_recipe_are_averaged_item_by_item_and_their_spread_is_shown() -> None:
    def seeded(rest: int) -> Stub:
        return model(lambda slot: slot.arm == CONSTRAINED and number(slot) % 4 in range(rest))

    found = compare(
        [evaluation(f"rl@{seed}", seeded(seed + 1), TASKS) for seed in range(3)] + [evaluation("base", steady, TASKS)]
    )
    assert found["models"] == ["rl", "base"]
    assert found["evaluations"] == ["rl@0", "rl@1", "rl@2", "base"]
    assert list(found["domains"]) == ["math", "qa", "all"]
    assert [found["domains"][part]["n_common"] for part in ("math", "qa", "all")] == [60, 40, 100]
    maths = found["domains"]["math"]
    assert maths["common"]["rl"]["n"] == 60  # items, not items times seeds
    assert maths["common"]["rl"]["net"]["value"] == pytest.approx(0.5)
    spread = maths["seeds"]["rl"]["net"]
    assert spread["values"] == [0.25, 0.5, 0.75]
    assert spread["low"] == pytest.approx(0.5 - 4.303 * 0.25 / 3**0.5, abs=1e-3)  # Student's t, two degrees of freedom
    assert list(maths["seeds"]) == ["rl"]
    assert len(maths["pairs"]) == 2 * 2
    assert found["domains"]["all"]["ranking"] == ["base", "rl"]


def test_recipes_of_the_same_seeds_share_items_seed_by_seed() -> None:
    def solving(seed: int) -> Stub:  # every seed solves another half
        return model(lambda slot: number(slot) % 2 == seed)

    found = compare([evaluation(f"{name}@{seed}", solving(seed)) for name in ("sft", "rl") for seed in (0, 1)])
    assert found["domains"]["math"]["n_common"] == len(MATHS)
    across = compare([evaluation(name, solving(seed)) for seed, name in enumerate(("sft@0", "rl@1"))])
    assert across["domains"]["math"]["n_common"] == 0


def test_items_under_held_out_families_are_shown_apart() -> None:
    items = run_stub(steady, TASKS)[0]
    (often, _), (second, _) = Counter(item.demands[0].family for item in items).most_common(2)
    asked = {item.id for item in items if item.demands[0].family in (often, second)}
    assert len(asked) >= 20
    hurt = model(lambda slot: slot.arm == CONSTRAINED and slot.task.id in asked)
    found = compare([evaluation("steady", steady, TASKS), evaluation("hurt", hurt, TASKS)], [often, second, "headings"])
    held = found["held_out"]
    assert (held["families"], held["absent"]) == ([often, second, "headings"], ["headings"])
    assert held["common"]["hurt"]["n"] == len(asked)
    assert (held["common"]["hurt"]["net"]["value"], held["common"]["steady"]["net"]["value"]) == (1, 0)
    assert found["domains"]["all"]["own"]["hurt"]["net"]["value"] == pytest.approx(len(asked) / 100)
    with pytest.raises(RaifError, match=f"unknown self-evident family '{often}s'; did you mean '{often}'"):
        compare([evaluation("a", steady), evaluation("b", steady)], [f"{often}s"])


@pytest.fixture(scope="module")
def first() -> Evaluation:
    return evaluation("first", steady)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cap": 128}, "first and other cannot be compared: cap is 64 and 128"),
        ({"placement": "prefix"}, "placement is 'suffix' and 'prefix'"),
        ({"doses": [1, 2]}, r"doses is \[1\] and \[1, 2\]"),
        ({"qa_score": "f1", "tau": 0.5}, "qa_score is 'em' and 'f1'; tau is 1.0 and 0.5"),
        ({"temperature": 1.0, "samples": 4}, "temperature is 0.0 and 1.0; samples is 1 and 4"),
        ({"drop": 1}, r"1 tasks are in only one of them \(such as sums/59\)"),
    ],
)
def test_evaluations_that_are_not_alike_are_refused(changes: dict[str, Any], message: str, first: Evaluation) -> None:
    items = first.items[: 60 - changes.get("drop", 0)]
    with pytest.raises(RaifError, match=message):
        compare([first, first._replace(name="other", metrics=metrics_of(**changes), items=items)])


def test_seeds_may_be_drawn_by_other_seeds_and_names_are_given_once(first: Evaluation) -> None:
    other = first._replace(name="other")
    compare([first, other._replace(metrics=metrics_of(seed=0, batch_size=8))])
    tasks = [item.task.model_copy(update={"request": f"{item.task.request} Now."}) for item in first.items]
    changed = [item.model_copy(update={"task": task}) for item, task in zip(first.items, tasks, strict=True)]
    with pytest.raises(RaifError, match="60 tasks have another request"):
        compare([first, other._replace(items=changed)])
    with pytest.raises(RaifError, match="at least two evaluations; got 1"):
        compare([first])
    with pytest.raises(RaifError, match="first is named twice"):
        compare([first, first])
