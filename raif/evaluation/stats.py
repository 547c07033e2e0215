"""Every interval, test and power note of the framework. Items are the resampling unit; below 20 of them there is none.

Several samples of one item are averaged first (`item_means`): they are no independent evidence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest, fisher_exact, norm, t

MIN_ITEMS = 20
CONFIDENCE = 0.95
RESAMPLES = 10_000  # of a bootstrap
FLIPS = 9_999  # of signs, in a paired test
_binomial, _student, _below = (lru_cache(10_000)(function) for function in (binomtest, t.ppf, norm.cdf))


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
    return Estimate(hits / n, *_wilson(outcomes), n)


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """Return a mean with its bootstrap interval over items; of shares that are all alike, with one as Wilson's."""
    return _of_items(values, [1.0] * len(values), _bounds(values, 0.0), seed)


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
    if not sum(wholes):
        return Estimate(None, None, None, len(wholes))
    return _of_items(parts, wholes, (0.0, 1.0), seed)


# ---- two conditions -----------------------------------------------------------------------------------------------


def paired_gain(before: Sequence[float], after: Sequence[float], seed: int = 0) -> Estimate:
    """Return the mean change of the same items, with a bootstrap interval over items.

    Example:
        >>> paired_gain([0.0] * 40, [0.0] * 20 + [1.0] * 20).value
        0.5
        >>> [round(x, 3) for x in paired_gain([1.0] * 40, [1.0] * 40)]
        [0.0, -0.088, 0.088, 40]
    """
    changes = [b - a for a, b in zip(before, after, strict=True)]
    return _of_items(changes, [1.0] * len(changes), _bounds([*before, *after], -1.0), seed)


def paired(before: Sequence[float], after: Sequence[float], seed: int = 0) -> tuple[Estimate, float | None]:
    """Return the mean change of the same items, and the p value of no change.

    The test flips the signs of the items' changes; where all are from no to yes or back it is McNemar's exact test.

    Example:
        >>> estimate, p = paired([0.0] * 40, [1.0] * 10 + [0.0] * 30)
        >>> estimate.value, round(p, 4)
        (0.25, 0.002)
    """
    estimate = paired_gain(before, after, seed)
    if estimate.low is None:
        return estimate, None
    changes = [b - a for a, b in zip(before, after, strict=True)]
    if {*changes} <= {-1.0, 0.0, 1.0}:
        return estimate, mcnemar([change < 0 for change in changes], [change > 0 for change in changes]).p
    return estimate, sign_flip_p(changes, seed)


def sign_flip_p(changes: Sequence[float] | np.ndarray, seed: int = 0, flips: int | None = None) -> float:
    """Return the two-sided p value that the changes are symmetric about 0, by flipping their signs at random.

    The observed signs count as one of the draws, so that the test is exact (Phipson and Smyth 2010).

    Example:
        >>> sign_flip_p([0.5, -0.5] * 20)
        1.0
    """
    values = np.asarray(changes, dtype=float)
    values = values[values != 0]  # no change stays none whatever its sign
    flips = FLIPS if flips is None else flips
    rng, extreme = np.random.default_rng(seed), 0
    bound = abs(values.sum()) - 1e-9 * max(1.0, float(np.abs(values).sum()))
    for size in _parts(flips):
        signs = rng.choice([-1.0, 1.0], (size, len(values)))
        extreme += int((np.abs(signs @ values) >= bound).sum())
    return (1 + extreme) / (1 + flips)


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
    p = float(_binomial(gained, gained + lost).pvalue) if gained + lost else 1.0
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


def trend(
    x: Sequence[float], y: Sequence[float], items: Sequence[str], strata: Sequence[str] | None = None
) -> tuple[Estimate, float | None]:
    """Return the slope of y on x within strata, and the p value that they are independent there.

    The samples of an item, all of one stratum, are averaged first. x and y are centred by stratum, which takes out
    whatever the strata differ in. The test is Mantel's (1963), the correlation statistic of Cochran, Mantel and
    Haenszel: its variance is that of permuting y within strata, and so holds for rare outcomes too. The interval is
    test-based: it covers 0 just when p > 0.05.

    Example:
        >>> estimate, p = trend(range(40), [i % 2 for i in range(40)], [str(i) for i in range(40)])
        >>> abs(estimate.value) < 0.01, p > 0.5
        (True, True)
    """
    xs, ys = item_means(items, [float(one) for one in x]), item_means(items, [float(one) for one in y])
    group = dict(zip(items, strata if strata is not None else [""] * len(items), strict=True))
    n, cross, spread, variance = len(xs), 0.0, 0.0, 0.0
    for name in sorted(set(group.values())):
        parts = (np.array([values[key] for key in xs if group[key] == name]) for values in (xs, ys))
        a, b = (part - part.mean() for part in parts)
        cross, spread = cross + float(a @ b), spread + float(a @ a)
        variance += float(a @ a) * float(b @ b) / max(1, len(a) - 1)
    if spread < 1e-9:
        return Estimate(None, None, None, n), None
    value = cross / spread
    if n < MIN_ITEMS or variance < 1e-12:  # a y that never varies does not show what x would do to it
        return Estimate(value, None, None, n), None
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(variance) / spread
    p = float(2 * norm.sf(abs(cross) / math.sqrt(variance)))
    return Estimate(value, value - half, value + half, n), p


def share_difference(first: Sequence[bool], second: Sequence[bool]) -> Estimate:
    """Return the share of `second` less that of `first`, of different items, with Newcombe's interval.

    It joins the two Wilson intervals (Newcombe 1998, method 10).

    Example:
        >>> [round(x, 3) for x in share_difference([False] * 20, [True] * 5 + [False] * 15)]
        [0.25, 0.038, 0.469, 40]
    """
    n = len(first) + len(second)
    one, two = proportion(first), proportion(second)
    if one.value is None or two.value is None:
        return Estimate(None, None, None, n)
    value = two.value - one.value
    if n < MIN_ITEMS:
        return Estimate(value, None, None, n)
    (low_1, high_1), (low_2, high_2) = _wilson(first), _wilson(second)
    below, above = math.hypot(two.value - low_2, high_1 - one.value), math.hypot(high_2 - two.value, one.value - low_1)
    return Estimate(value, value - below, value + above, n)


def relative_drop(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """Return (mean(before) - mean(after)) / mean(before) of the same items, with Fieller's interval (1954).

    The interval covers 0 just when that of the absolute drop does. There is none where mean(before) may be 0.

    Example:
        >>> [round(x, 2) for x in relative_drop([1.0] * 30 + [0.0] * 10, [1.0] * 20 + [0.0] * 20)]
        [0.33, 0.15, 0.51, 40]
    """
    base, drop = np.asarray(before, dtype=float), np.asarray(before, dtype=float) - np.asarray(after, dtype=float)
    n = len(base)
    if not n or not base.mean():
        return Estimate(None, None, None, n)
    value = float(drop.mean() / base.mean())
    if n < MIN_ITEMS:
        return Estimate(value, None, None, n)
    # |mean(drop) - r mean(base)| <= t se(drop - r base), solved for r
    factor = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) ** 2 / n
    (var_base, covariance), (_, var_drop) = np.cov(base, drop)
    a = base.mean() ** 2 - factor * var_base
    b = base.mean() * drop.mean() - factor * covariance
    c = drop.mean() ** 2 - factor * var_drop
    if a <= 0:
        return Estimate(value, None, None, n)
    if not drop.any():
        half = _unlike(n) / float(base.mean())
        return Estimate(value, -half, half, n)
    half = math.sqrt(max(0.0, float(b * b - a * c)))
    return Estimate(value, float((b - half) / a), float((b + half) / a), n)


# ---- seeds and power ----------------------------------------------------------------------------------------------


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of independent runs with its interval by Student's t.

    There is none for a single run, and none for runs that are all alike: how far others differ, they do not tell.
    """
    n = len(values)
    if len(set(values)) < 2:
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


# ---- parts --------------------------------------------------------------------------------------------------------


def _bounds(values: Sequence[float], lowest: float) -> tuple[float, float] | None:
    """Return the bounds of an item's value, if the values are shares or differences of shares; counts have none."""
    return (lowest, 1.0) if all(lowest <= value <= 1 for value in values) else None


def _unlike(n: int) -> float:
    """Return how large a share of all items may be unlike `n` that are all alike: Wilson's bound for none of n."""
    z = float(norm.ppf((1 + CONFIDENCE) / 2))
    return z * z / (n + z * z)


def _of_items(
    parts: Sequence[float], wholes: Sequence[float], bounds: tuple[float, float] | None, seed: int
) -> Estimate:
    """Return sum(parts) / sum(wholes) with its interval from resampled items.

    Where all items are alike, so are their resamples, and the interval would be a point. It then leaves room for the
    items that may be unlike these, anywhere within `bounds` if there are such.

    Percentiles are too narrow by sqrt((n - 1) / n) and by the normal quantile: of 24 to 48 items they cover in 92 to
    93.5 % of cases. These are the expanded percentiles of Hesterberg (2015, What Teachers Should Know About the
    Bootstrap), as wide as Student's t is against the normal.
    """
    rows = np.column_stack([parts, wholes]).astype(float)
    n = len(rows)
    estimate = float(rows[:, 0].sum() / rows[:, 1].sum()) if n else None
    if estimate is None or n < MIN_ITEMS:
        return Estimate(estimate, None, None, n)
    rng = np.random.default_rng(seed)
    sums = np.concatenate([_sums(rows, rng.integers(0, n, (size, n))) for size in _parts(RESAMPLES)])
    outside = float(_below(-math.sqrt(n / (n - 1)) * _student((1 + CONFIDENCE) / 2, n - 1)))
    low, high = np.nanquantile(sums[:, 0] / sums[:, 1], [outside, 1 - outside])
    if bounds is not None and high - low < 1e-12:
        low, high = (estimate + _unlike(n) * (bound - estimate) for bound in bounds)
    return Estimate(estimate, float(low), float(high), n)


def _sums(rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the column sums of drawn rows, column by column, which is much faster than row by row."""
    return np.column_stack([column.take(drawn).sum(axis=1) for column in rows.T])


def _parts(count: int) -> list[int]:
    """Divide draws into thousands, so that memory stays small."""
    return [min(1_000, count - start) for start in range(0, count, 1_000)]


def _wilson(outcomes: Sequence[bool]) -> tuple[float, float]:
    """Return Wilson's interval of a part; the rule of 20 items holds for the whole."""
    interval = _binomial(sum(outcomes), len(outcomes)).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
