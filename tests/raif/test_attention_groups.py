"""Comparison of groups of outputs: the null is uniform, effects are found, matching takes out what it is on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from raif.attention.groups import Unit, auc, difference, matchings, sizes, too_few, units_of
from raif.attention.labels import controls, label_record
from raif.attention.records import AttentionRow
from raif.evaluation.stats import MIN_ITEMS

REPEATS = 200


def unit(item: int, bad: bool, value: float, tokens: float = 10.0, family: str = "words", size: float = 5.0) -> Unit:
    return Unit(str(item), bad, value, tokens, family, size)


def row(item: int, solved: bool | None, met: bool | None, enrich: float, **other: object) -> AttentionRow:
    given: dict[str, object] = {
        "id": str(item), "domain": "math", "arm": "constrained", "dose": 1, "place": 0, "sample": 0, "labels": {},
        "solved": solved, "met": met, "family": "words", "constraint_tokens": 5, "prompt_tokens": 40,
        "output_tokens": 30, "enrich": enrich, "random_span": 1.0, "grid": ((enrich,) * 10, (None,) * 10),
    }  # fmt: skip
    return AttentionRow.model_validate(given | other)


def bounds(share: float) -> tuple[float, float]:
    """Return what a count of 200 stays within in 99.98 % of cases; so p below a level comes as often as it should."""
    return binom.ppf(1e-4, REPEATS, share), binom.ppf(1 - 1e-4, REPEATS, share)


@pytest.mark.parametrize("design", ["plain", "strata", "both groups"])
def test_permutation_p_is_uniform_where_there_is_no_effect(design: str) -> None:
    rng = np.random.default_rng(1)
    found = []
    for repeat in range(REPEATS):
        values, family = rng.exponential(size=40), rng.integers(0, 3, 40)
        units = [unit(i, bool(rng.random() < 0.3), values[i] + 4 * family[i], family=str(family[i])) for i in range(40)]
        strata = matchings(units)["family"] if design == "strata" else None
        if design == "both groups":  # the items' own values differ much, and in both groups alike
            units += [
                each._replace(bad=not each.bad, value=each.value + rng.normal() - rng.normal()) for each in units[:20]
            ]
        p = difference(units, strata, seed=repeat, draws=199).p
        assert p is not None
        found.append(p)
    for level in (0.05, 0.2, 0.5, 0.8):
        low, high = bounds(level)
        assert low <= sum(p <= level for p in found) <= high


def test_intervals_cover_the_true_difference() -> None:
    rng, covered = np.random.default_rng(2), 0
    for repeat in range(REPEATS):
        units = [unit(i, i % 3 == 0, rng.exponential() + 0.5 * (i % 3 == 0)) for i in range(60)]
        estimate = difference(units, seed=repeat, draws=500).estimate
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 0.5 <= estimate.high
    assert covered / REPEATS > 0.9


def test_an_effect_is_found_with_its_sign_and_swapped_groups_turn_it() -> None:
    rng = np.random.default_rng(3)
    units = [unit(i, i % 2 == 0, rng.normal(1.0, 0.3) + 0.5 * (i % 2 == 0)) for i in range(60)]
    found = difference(units)
    assert found.estimate.low is not None
    assert found.estimate.value == pytest.approx(0.5, abs=0.2)
    assert found.estimate.low > 0
    assert found.p == 1 / 10_001
    swapped = [each._replace(bad=not each.bad) for each in units]
    turned = difference(swapped)
    assert turned.estimate.value == pytest.approx(-found.estimate.value)  # type: ignore[operator]
    assert auc(units) > 0.75  # type: ignore[operator]
    assert auc(units) + auc(swapped) == pytest.approx(1.0)  # type: ignore[operator]


def test_matching_takes_out_what_the_groups_differ_in() -> None:
    # attention falls with length and failed outputs are longer: nothing else differs
    rng = np.random.default_rng(4)
    length = rng.integers(1, 6, 300) * 100.0
    bad = rng.random(300) < length / 600
    units = [unit(i, bool(bad[i]), 3 - length[i] / 200 + rng.normal(0, 0.2), tokens=length[i]) for i in range(300)]
    plain, strata = difference(units), matchings(units)
    assert plain.estimate.high is not None
    assert plain.estimate.high < 0
    assert plain.p is not None
    assert plain.p < 0.01
    matched = difference(units, strata["length"])
    assert matched.p is not None
    assert matched.p > 0.05
    assert matched.strata == 5
    assert abs(matched.estimate.value) < 0.1  # type: ignore[arg-type]
    assert difference(units, strata["family"]).estimate.value == pytest.approx(plain.estimate.value)


def test_weighted_difference_is_that_of_the_strata_by_hand() -> None:
    units = [unit(i, i < 6, float(i), family="a") for i in range(12)]  # bad 0..5, good 6..11: -6
    units += [unit(20 + i, i < 9, 2.0 * (i < 9), family="b") for i in range(12)]  # +2
    units += [unit(40 + i, True, 99.0, family="c") for i in range(4)]  # one group only
    found = difference(units, matchings(units)["family"], draws=99)
    weights = 6 * 6 / 12, 9 * 3 / 12
    assert found.estimate.value == pytest.approx((weights[0] * -6 + weights[1] * 2) / sum(weights))
    assert (found.strata, found.left_out, found.estimate.n) == (2, 4, 24)


def test_domains_are_not_mixed_where_items_are_matched() -> None:
    """Code is failed more often and has more attention on the constraint; within a domain nothing differs."""
    rows = [row(i, i % 4 != 0, True, 1.0 + i % 3, domain="math") for i in range(60)]
    rows += [row(100 + i, i % 4 == 0, True, 5.0 + i % 3, domain="code") for i in range(60)]
    found = label_record(rows, "solved")
    assert found["difference"]["value"] > 1.5
    assert found["p"] < 0.001
    for name, matched in found["matched"].items():
        assert abs(matched["difference"]["value"]) < 0.3, name
        assert matched["p"] > 0.2, name


def test_rollouts_of_an_item_count_once_in_a_group() -> None:
    rows = [Unit("a", False, value, 10.0, family, 4.0) for value, family in ((1.0, "x"), (3.0, "y"), (2.0, "x"))]
    rows.append(Unit("a", True, 7.0, 20.0, "x", 4.0))
    assert units_of(rows) == [Unit("a", False, 2.0, 10.0, "x+y", 4.0), Unit("a", True, 7.0, 20.0, "x", 4.0)]
    many = [Unit(str(i), i % 2 == 0, float(i), 1.0, "", 1.0) for i in range(30) for _ in range(50)]
    assert sizes(units_of(many)) == (15, 15)
    assert difference(units_of(many), draws=99).estimate.n == 30


@pytest.mark.parametrize(("good", "bad", "value"), [(40, 4, False), (4, 40, False), (0, 30, False), (9, 9, True)])
def test_too_few_items_give_no_interval_and_no_p(good: int, bad: int, value: bool) -> None:
    units = [unit(i, i >= good, float(i)) for i in range(good + bad)]
    found = difference(units)
    assert found.p is None
    assert found.estimate.low is None
    assert (found.estimate.value is not None) is value
    assert auc(units) is None
    assert too_few(units)


def test_constant_values_are_no_difference() -> None:
    found = difference([unit(i, i % 2 == 0, 1.0) for i in range(40)], draws=99)
    assert (found.estimate.value, found.p, auc([unit(i, i % 2 == 0, 1.0) for i in range(40)])) == (0.0, 1.0, 0.5)


def test_labels_are_kept_apart_and_swapping_them_changes_the_report() -> None:
    rows = [row(i, i % 2 == 1, i % 3 != 0, 1.0 + (i % 2 == 0) + 0.01 * i) for i in range(60)]
    rows.append(row(60, None, True, 50.0))
    swapped = [each.model_copy(update={"solved": each.met, "met": each.solved}) for each in rows]
    solved, met = label_record(rows, "solved"), label_record(rows, "met")
    assert solved["names"] == ["sustained", "failed"]
    assert solved["n"] == [30, 30]
    assert solved["unscored"] == 1
    assert solved["difference"]["value"] == pytest.approx(1.0, abs=0.02)
    assert solved["p"] < 0.001
    assert met["n"] == [41, 20]
    assert label_record(swapped, "solved")["difference"] != solved["difference"]
    assert label_record(swapped, "solved")["difference"] == met["difference"]


def test_grid_trace_and_controls_average_items_not_rollouts() -> None:
    rows = [row(0, True, True, 3.0, sample=i) for i in range(9)] + [row(i, True, True, 1.0) for i in range(1, 30)]
    rows += [row(50 + i, False, True, 2.0) for i in range(MIN_ITEMS)]
    rows += [row(i, True, None, 0.5, arm="placebo", family="") for i in range(30)]
    found = label_record(rows, "solved")
    expected = (3 + 29) / 30
    assert found["means"][0]["value"] == pytest.approx(expected)
    assert found["grid"]["sustained"][0] == pytest.approx([expected] * 10)
    assert found["grid"]["sustained"][1] == [None] * 10
    assert [each["value"] for each in found["trace"]["failed"]] == [2.0] * 10
    assert found["random_span"]["difference"]["value"] == 0
    shown = controls(rows)
    assert (shown["placebo"]["value"], shown["random_span"]["value"]) == (0.5, 1.0)
    assert shown["constraint"]["value"] == pytest.approx((3 + 29 + 40) / 50)
    assert shown["random_span"]["no_room"] == 0
    crowded = [each.model_copy(update={"random_span": None}) for each in rows[:5]]
    assert controls(crowded)["placebo"] is None
    assert controls(crowded)["random_span"]["value"] is None
    assert controls(crowded)["random_span"]["no_room"] == 5


def test_quintiles_keep_equal_values_together() -> None:
    strata = matchings([unit(i, True, 0.0, tokens=float(min(i, 30))) for i in range(50)])["length"]
    assert len(set(strata[30:])) == 1
    assert all(int(a) <= int(b) for a, b in pairwise(strata))
    assert len(set(strata)) >= 3
