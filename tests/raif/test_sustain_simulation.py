"""Models of known strength: SUSTAIN's expectation without any interference, and how often the intervals cover."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from raif.evaluation import stats
from raif.sustain.estimates import change, share, wilson
from raif.sustain.summary import summarize
from tests.raif.sustain_support import Population, Run

LEVEL = 0.95
CROWD = 3000
ROWS = 4  # of an item, in the sampled designs
# mean accuracy, correlation within items, and the SUSTAIN stated for a model that does not see the constraint, in per
# cent: of tasks solved once, and of tasks solved in 4 of 4 pilot runs
TABLE = [(0.9, 0.6, 96, 98.6), (0.8, 0.9, 98, 99.5), (0.6, 0.8, 92, 97.6), (0.6, 0.6, 84, 94.3), (0.4, 0.5, 70, 87.9)]


def strengths(rng: np.random.Generator, mean: float, rho: float, count: int) -> np.ndarray:
    """Draw the chance of each item to be solved: Beta with alpha + beta = 1 / rho - 1."""
    total = 1 / rho - 1
    return rng.beta(mean * total, (1 - mean) * total, count)


def unheeding(rng: np.random.Generator, population: Population, chances: np.ndarray, pilots: int = 1) -> Run:
    """Return a run of a model that is right by its chances whatever the prompt; solved means in all pilot runs."""
    shape = (len(chances), population.samples)
    right = {arm: rng.random(shape) < chances[:, None] for arm in ("retest", "placebo", "constrained")}
    first = (rng.random((len(chances), pilots)) < chances[:, None]).all(axis=1)
    return population.run(first, **right)


def is_nominal(hits: int, repeats: int) -> bool:
    """Tell whether a count of covering intervals may come from 95 %, by the binomial test at 0.1 %."""
    return float(binomtest(hits, repeats, LEVEL).pvalue) > 0.001


def covers(record: dict[str, Any], truth: float) -> bool:
    return bool(record["low"] <= truth <= record["high"])


@pytest.fixture(scope="module")
def crowd() -> Population:
    return Population(CROWD)


@pytest.mark.parametrize(("mean", "rho", "stated", "stated_of_four"), TABLE)
def test_a_model_that_does_not_see_the_constraint_scores_mu_plus_rho_times_one_minus_mu(
    crowd: Population,
    mean: float,
    rho: float,
    stated: float,
    stated_of_four: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 20)  # intervals are for the tests below
    rng, total = np.random.default_rng(7), 1 / rho - 1
    chances = strengths(rng, mean, rho, CROWD)
    for pilots, in_table in ((1, stated), (4, stated_of_four)):
        expected = (mean * total + pilots) / (total + pilots)  # E[p^(k+1)] / E[p^k] of the Beta
        assert 100 * expected == pytest.approx(in_table, abs=0.5 if pilots == 1 else 0.11)
        if pilots == 1:
            assert expected == pytest.approx(mean + rho * (1 - mean))
        record = summarize(*unheeding(rng, crowd, chances, pilots))["domains"]["math"]
        noise = math.sqrt(expected * (1 - expected) / record["n_dplus"])
        for arm in ("sustain", "retest", "placebo"):
            assert abs(record[arm]["value"] - expected) < 4 * noise
        assert abs(record["net"]["estimate"]["value"]) < 4 * math.sqrt(2) * noise


@pytest.mark.parametrize("samples", [1, ROWS])
def test_without_interference_the_intervals_of_net_and_of_the_change_of_accuracy_cover_zero(
    samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 400)
    monkeypatch.setattr(stats, "FLIPS", 400)
    rng, repeats, population = np.random.default_rng(samples), 200, Population(50, samples)
    hits = dict.fromkeys(("net", "delta_acc", "delta_net"), 0)
    rejected = 0
    for _ in range(repeats):
        record = summarize(*unheeding(rng, population, strengths(rng, 0.8, 0.6, 50)))["domains"]["math"]
        hits["net"] += covers(record["net"]["estimate"], 0)
        hits["delta_acc"] += covers(record["delta_acc"], 0)
        hits["delta_net"] += covers(record["delta_net"]["estimate"], 0)
        rejected += record["net"]["p"] < 1 - LEVEL
    assert all(is_nominal(count, repeats) for count in hits.values()), hits
    assert rejected <= binom.ppf(0.999, repeats, 1 - LEVEL)


def test_one_row_an_item_is_covered_near_the_ceiling() -> None:
    def coverage(n: int, truth: float, interval: Callable[[int, int], tuple[float, float]]) -> float:
        hits = np.arange(n + 1)
        inside = [low <= truth <= high for low, high in (interval(int(hit), n) for hit in hits)]
        return float(binom.pmf(hits, n, truth)[inside].sum())

    def ours(hit: int, n: int) -> tuple[float, float]:
        found = share([1.0] * hit + [0.0] * (n - hit), n)
        assert found["method"] == "wilson"
        return found["low"], found["high"]

    def percentiles(hit: int, n: int) -> tuple[float, float]:
        low, high = binom.ppf([0.025, 0.975], n, hit / n) / n  # the percentile bootstrap without resampling noise
        return float(low), float(high)

    assert abs(coverage(50, 0.97, ours) - LEVEL) < 0.02
    assert coverage(50, 0.97, percentiles) < 0.8
    assert abs(coverage(200, 0.85, ours) - LEVEL) < 0.02


@pytest.mark.parametrize(("items", "mean", "method"), [(50, 0.8, "wilson"), (100, 0.8, "bootstrap")])
def test_four_rows_an_item_are_covered_and_would_not_be_if_taken_as_independent(
    items: int, mean: float, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
    rng, repeats = np.random.default_rng(3), 1000 if method == "wilson" else 700
    ours = independent = 0
    for seed in range(repeats):
        values = rng.binomial(ROWS, strengths(rng, mean, 0.4, items)) / ROWS
        found = share(values.tolist(), ROWS * items, seed=seed)
        assert found["method"] == method
        low, high = wilson(float(values.mean()), ROWS * items)
        ours += covers(found, mean)
        independent += low <= mean <= high
    assert abs(ours / repeats - LEVEL) < 0.02
    assert 0.78 < independent / repeats < 0.88


@pytest.mark.parametrize(("items", "repeats"), [(50, 1000), (100, 1000), (300, 800)])
def test_the_interval_of_net_covers_at_all_sizes(items: int, repeats: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 500)
    rng = np.random.default_rng(items)

    @cache
    def covered(lost: int, gained: int) -> bool:
        """Tell whether the interval covers 0; which items are lost is of no account."""
        placebo = [1.0] * lost + [0.0] * (items - lost)
        sustained = [0.0] * lost + [1.0] * gained + [0.0] * (items - lost - gained)
        return covers(change(sustained, placebo)["estimate"], 0)

    hits = 0
    for _ in range(repeats):
        chances = strengths(rng, 0.8, 0.6, items)
        sustained, placebo = rng.random(items) < chances, rng.random(items) < chances
        hits += covered(int((placebo & ~sustained).sum()), int((sustained & ~placebo).sum()))
    assert abs(hits / repeats - LEVEL) < 0.02
