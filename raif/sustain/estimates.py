"""Intervals of SUSTAIN: Wilson's for one row an item or near the ends, the bootstrap over items elsewhere.

Rows of one item (its single constraints times its samples) are averaged first; to take them as independent would make
the intervals too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from raif.evaluation import stats
from raif.evaluation.stats import MIN_ITEMS, Estimate

BOOTSTRAP, WILSON = "bootstrap", "wilson"
FEW_ITEMS = 60  # below, the bootstrap of a share covers too rarely
CEILING = 0.97  # as near to either end as this, too
SMALL_EFFECTS = 200  # items without which nothing is to be said of a small effect


def share(values: Sequence[float], rows: int, least: int = MIN_ITEMS, seed: int = 0) -> dict[str, Any]:
    """Return the mean of item means as an estimate record with the `method` of its interval.

    One yes or no an item has Wilson's interval. Else it is the bootstrap over items, but near the ends, of few items,
    and of items that are all alike Wilson's with an effective size: `min(rows, max(n, p (1 - p) / Var(mean)))`.

    Args:
        values: of each item the mean over its rows, from 0 to 1.
        rows: how many rows there are of all items together.
        least: how many items there must be.

    Example:
        >>> share([1.0] * 40, 40)["method"], share([1.0, 0.5] * 40, 160)["method"], share([1.0, 0.5] * 20, 80)["method"]
        ('wilson', 'bootstrap', 'wilson')
        >>> share([1.0] * 19, 19)
        {'value': None, 'low': None, 'high': None, 'n': 19, 'reason': 'there are 19 items; an estimate needs 20'}
    """
    n = len(values)
    if n < least:
        return told(Estimate(None, None, None, n), least)
    value, binary = float(np.mean(values)), rows == n and {*values} <= {0.0, 1.0}
    if binary or n < FEW_ITEMS or not 1 - CEILING < value < CEILING or len({*values}) == 1:
        return told(Estimate(value, *wilson(value, effective_size(values, rows)), n), method=WILSON)
    return told(stats.mean(values, seed), method=BOOTSTRAP)


def effective_size(values: Sequence[float], rows: int) -> float:
    """Return how many independent yes or no would vary as much as these item means do: from n items to all rows.

    Example:
        >>> effective_size([1.0, 0.0] * 30, 240), effective_size([0.5] * 60, 240), effective_size([1.0] * 60, 240)
        (60, 240.0, 60)
    """
    n, p = len(values), float(np.mean(values))
    variance = float(np.var(values, ddof=1)) / n
    if not 0 < p < 1:
        return n  # whether the rows of an item go together cannot be seen
    return min(float(rows), max(n, p * (1 - p) / variance)) if variance > 1e-15 else float(rows)


def wilson(value: float, size: float) -> tuple[float, float]:
    """Return Wilson's interval of a share of `size` independent outcomes, which need not be a whole number.

    Example:
        >>> [round(x, 3) for x in wilson(0.75, 40)]
        [0.598, 0.858]
    """
    z = float(norm.ppf((1 + stats.CONFIDENCE) / 2))
    centre = (value + z * z / (2 * size)) / (1 + z * z / size)
    half = z * math.sqrt(value * (1 - value) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return max(0.0, min(value, centre - half)), min(1.0, max(value, centre + half))  # at 0 and 1 up to rounding


def change(before: Sequence[float], after: Sequence[float], least: int = MIN_ITEMS) -> dict[str, Any]:
    """Return the mean change of the same items with its p value, as `{"estimate", "p"}`.

    The interval is the paired bootstrap's; the test is McNemar's exact one for one yes or no an item, else it flips
    signs. NET is the change from the constrained outputs to those under the placebo.
    """
    if len(before) < least:
        return {"estimate": told(Estimate(None, None, None, len(before)), least), "p": None}
    estimate, p = stats.paired(before, after)
    return {"estimate": told(estimate, least), "p": p}


def counts(sustained: Sequence[float], placebo: Sequence[float]) -> dict[str, int]:
    """Return of how many items more outputs, and fewer, were right with the constraint than with the placebo."""
    pairs = list(zip(sustained, placebo, strict=True))
    return {"gained": sum(s > p for s, p in pairs), "lost": sum(s < p for s, p in pairs)}


def power_note(n: int) -> str:
    """Say in one sentence or two what NET over `n` items can show."""
    small = f" Fewer than {SMALL_EFFECTS} solved items cannot support a claim about a small effect."
    return stats.power_note(n) + (small if n < SMALL_EFFECTS else "")


def retained(parts: Sequence[float], wholes: Sequence[float]) -> dict[str, Any]:
    """Return sum(parts) / sum(wholes) over items with the bootstrap's interval; it may exceed 1.

    Where all items have one ratio, the interval leaves room for the items that may be unlike these, as many as
    Wilson's bound for none of n says. There is none where the wholes may sum to 0.

    Example:
        >>> [round(x, 3) for x in list(retained([1.0] * 40, [1.0] * 40).values())[:3]]
        [1.0, 0.912, 1.096]
    """
    n = len(parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = stats.ratio(parts, wholes)
    if estimate.low is None or estimate.high is None or estimate.value is None:
        return told(estimate)
    value, low, high = estimate.value, estimate.low, estimate.high
    if all(abs(part - value * whole) < 1e-12 for part, whole in zip(parts, wholes, strict=True)):
        unlike = stats.proportion([False] * n).high or 0.0
        low, high = value * (1 - unlike), value + unlike / (1 - unlike)
    if not (math.isfinite(low) and math.isfinite(high)):
        return {**told(Estimate(value, None, None, n)), "reason": "the control may be 0, so the ratio has no interval"}
    return told(Estimate(value, low, high, n))


def macro(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the plain mean of independent estimates that have a value, with the interval joined from theirs.

    A bound is as far from the mean as the root of the sum of squares says of the parts' own bounds (Zou and Donner
    2008, Newcombe's method for more than a difference): it keeps Wilson's intervals of parts near the ceiling, where
    a bootstrap within the parts has no spread. `n` counts the items of all of them.

    Example:
        >>> one = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 50}
        >>> [round(x, 3) for x in list(macro([one, {**one, "value": 0.7, "low": 0.6, "high": 0.8}]).values())]
        [0.8, 0.729, 0.856, 100]
    """
    known = [each for each in records if each["value"] is not None]
    if not known:
        return {**told(Estimate(None, None, None, 0)), "reason": "no domain has a value"}
    value = sum(each["value"] for each in known) / len(known)
    n = sum(each["n"] for each in known)
    if any(each["low"] is None for each in known):
        return told(Estimate(value, None, None, n))
    below = math.hypot(*[each["value"] - each["low"] for each in known]) / len(known)
    above = math.hypot(*[each["high"] - each["value"] for each in known]) / len(known)
    return told(Estimate(value, value - below, value + above, n))


def told(estimate: Estimate, least: int = MIN_ITEMS, method: str = "") -> dict[str, Any]:
    """Return an estimate as it is written to JSON: without a value, but with a reason, below `least` items."""
    if estimate.n < least:
        reason = f"there are {estimate.n} items; an estimate needs {least}"
        return {**stats.record(Estimate(None, None, None, estimate.n)), "reason": reason}
    return {**stats.record(estimate), **({"method": method} if method else {})}
