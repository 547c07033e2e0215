"""Intervals. Items are the resampling unit; below 20 items there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, bootstrap

MIN_ITEMS = 20
CONFIDENCE = 0.95
RESAMPLES = 10_000


class Estimate(NamedTuple):
    """A mean over items with its 95 % interval; the interval is None below 20 items."""

    value: float | None
    low: float | None
    high: float | None
    n: int


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


def paired_gain(before: Sequence[float], after: Sequence[float], seed: int = 0) -> Estimate:
    """Return the mean change of the same items, with a bootstrap interval over items.

    Example:
        >>> paired_gain([0.0] * 40, [0.0] * 20 + [1.0] * 20).value
        0.5
    """
    return mean([b - a for a, b in zip(before, after, strict=True)], seed)


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
