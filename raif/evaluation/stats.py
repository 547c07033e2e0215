"""Every interval, test and power note of the framework. Items are the resampling unit; below 20 of them there is none.

Several samples of one item are averaged first (`item_means`): they are no independent evidence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest, bootstrap, fisher_exact, norm, t

MIN_ITEMS = 20
CONFIDENCE = 0.95
RESAMPLES = 10_000


class Estimate(NamedTuple):
    """A value over `n` items with its 95 % interval; the interval is None below 20 items."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class PairedTest(NamedTuple):
    """How many items were won and lost between two conditions, and the p value of McNemar's exact test."""

    gained: int
    lost: int
    p: float | None


class Association(NamedTuple):
    """A 2 x 2 table against independence: `phi`, odds ratio and the p value of Fisher's exact test.

    `expected` is the share of items that would fall into the first cell if the two were independent.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    expected: float | None
    phi: float | None
    odds_ratio: float | None
    p: float | None


# ---- one condition ------------------------------------------------------------------------------------------------


def proportion(outcomes: Sequence[bool]) -> Estimate:
    """Return a share with its Wilson interval.

    Example:
        >>> [round(x, 3) for x in proportion([True] * 30 + [False] * 10)]
        [0.75, 0.598, 0.858, 40]
    """
    n, hits = len(outcomes), sum(outcomes)
    if n < MIN_ITEMS:
        return Estimate(hits / n if n else None, None, None, n)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(hits / n, float(interval.low), float(interval.high), n)


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """Return a mean with its bootstrap percentile interval over items."""
    n = len(values)
    if n < MIN_ITEMS:
        return Estimate(float(np.mean(values)) if n else None, None, None, n)
    low, high = _bootstrap(np.asarray(values, dtype=float), seed)
    return Estimate(float(np.mean(values)), low, high, n)


def item_means(ids: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Average the samples of each item.

    Example:
        >>> item_means(["a", "b", "a"], [1.0, 0.0, 0.0])
        {'a': 0.5, 'b': 0.0}
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for key, value in zip(ids, values, strict=True):
        groups[key].append(value)
    return {key: sum(group) / len(group) for key, group in groups.items()}


def rate(ids: Sequence[str], outcomes: Sequence[bool], seed: int = 0) -> Estimate:
    """Return a share over items: Wilson's interval for one sample an item, the bootstrap over items for several."""
    means = item_means(ids, [float(outcome) for outcome in outcomes])
    if len(means) == len(outcomes):
        return proportion(outcomes)
    return mean(list(means.values()), seed)


def ratio(parts: Sequence[float], wholes: Sequence[float], seed: int = 0) -> Estimate:
    """Return sum(parts) / sum(wholes) with a bootstrap interval over items.

    It is the micro average of IFEval's instruction level: followed instructions of all, resampled by prompt.
    """
    pairs = np.column_stack([np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)])
    n, total = len(pairs), float(np.sum(pairs[:, 1])) if len(pairs) else 0.0
    if not total:
        return Estimate(None, None, None, n)
    value = float(np.sum(pairs[:, 0])) / total
    if n < MIN_ITEMS:
        return Estimate(value, None, None, n)

    def share(rows: np.ndarray) -> float:
        whole = rows[:, 1].sum()
        return float(rows[:, 0].sum() / whole) if whole else math.nan

    low, high = resampled(pairs, share, seed)
    return Estimate(value, low, high, n)


# ---- two conditions -----------------------------------------------------------------------------------------------


def paired_gain(before: Sequence[float], after: Sequence[float], seed: int = 0) -> Estimate:
    """Return the mean change of the same items, with a bootstrap interval over items.

    Example:
        >>> paired_gain([0.0] * 40, [0.0] * 20 + [1.0] * 20).value
        0.5
    """
    return mean([b - a for a, b in zip(before, after, strict=True)], seed)


def difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Estimate:
    """Return mean(second) - mean(first) of different items, with a bootstrap interval over the items of each."""
    n = min(len(first), len(second))
    if not n:
        return Estimate(None, None, None, n)
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    value = float(b.mean() - a.mean())
    if n < MIN_ITEMS:
        return Estimate(value, None, None, n)
    rng = np.random.default_rng(seed)
    draws = np.concatenate([_means(b, 1_000, rng) - _means(a, 1_000, rng) for _ in range(RESAMPLES // 1_000)])
    return Estimate(value, *_percentiles(draws), n)


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> PairedTest:
    """Return how many items changed in each direction, and the exact p value that chance alone does as much.

    Example:
        >>> mcnemar([False] * 8 + [True] * 2, [True] * 8 + [False] * 2)
        PairedTest(gained=8, lost=2, p=0.109375)
    """
    gained = sum(b and not a for a, b in zip(before, after, strict=True))
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    if len(before) < MIN_ITEMS and gained + lost == 0:
        return PairedTest(gained, lost, None)
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return PairedTest(gained, lost, p)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p values adjusted for how many there are (Holm 1979), by name.

    Example:
        >>> {name: round(p, 3) for name, p in holm({"a": 0.01, "b": 0.04, "c": 0.03}).items()}
        {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    adjusted, worst = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda pair: pair[1])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p_values}


def association(first: Sequence[bool], second: Sequence[bool]) -> Association:
    """Test whether two outcomes of the same items are independent.

    Example:
        >>> association([True, True, False, False] * 10, [True, False, True, False] * 10)[4:]
        (0.25, 0.0, 1.0, 1.0)
    """
    pairs = list(zip(first, second, strict=True))
    a, b = sum(x and y for x, y in pairs), sum(x and not y for x, y in pairs)
    c, n = sum(y and not x for x, y in pairs), len(pairs)
    d = n - a - b - c
    expected = (a + b) * (a + c) / n**2 if n else None
    if n < MIN_ITEMS:
        return Association(a, b, c, d, expected, None, None, None)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    phi = (a * d - b * c) / math.sqrt(margins) if margins else None
    odds = (a * d / (b * c)) if b * c else None
    return Association(a, b, c, d, expected, phi, odds, float(fisher_exact([[a, b], [c, d]]).pvalue))


# ---- seeds and power ----------------------------------------------------------------------------------------------


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of independent runs with its interval by Student's t; none for a single run."""
    n = len(values)
    if n < 2:
        return Estimate(values[0] if n else None, None, None, n)
    centre, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread / math.sqrt(n)
    return Estimate(centre, centre - half, centre + half, n)


def detectable_gain(n: int, discordant: float = 0.25, power: float = 0.8) -> float | None:
    """Return the smallest paired change of a share that `n` items show with the given power at the 5 % level.

    `discordant` is the share of items that change at all; var(difference) <= discordant / n. None below 20 items.

    Example:
        >>> round(detectable_gain(420), 3)
        0.068
    """
    if n < MIN_ITEMS:
        return None
    z = float(norm.ppf((1 + CONFIDENCE) / 2) + norm.ppf(power))
    return z * math.sqrt(discordant / n)


def power_note(n: int) -> str:
    """Say in one sentence what a comparison over `n` items can show."""
    gain = detectable_gain(n)
    if gain is None:
        return f"{n} items are too few for an interval; at least {MIN_ITEMS} are needed."
    return (
        f"With {n} items, a paired change below {100 * gain:.1f} points is unlikely to be noticed "
        "(80 % power, a quarter of the items changing)."
    )


def record(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as it is written to JSON."""
    return estimate._asdict()


# ---- resampling ---------------------------------------------------------------------------------------------------


def resampled(
    rows: np.ndarray, statistic: Callable[[np.ndarray], float], seed: int = 0, resamples: int = 2_000
) -> tuple[float | None, float | None]:
    """Return the percentile interval of any statistic of rows (items); None where it is undefined too often."""
    rng = np.random.default_rng(seed)
    n = len(rows)
    draws = np.array([statistic(rows[rng.integers(0, n, n)]) for _ in range(resamples)])
    draws = draws[np.isfinite(draws)]
    return _percentiles(draws) if len(draws) > resamples / 2 else (None, None)


def _means(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return values[rng.integers(0, len(values), (count, len(values)))].mean(axis=1)


def _percentiles(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _bootstrap(values: np.ndarray, seed: int) -> tuple[float, float]:
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    result = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        batch=1_000,
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
