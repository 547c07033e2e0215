"""Compare evaluations of the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.stats import Estimate, item_means, paired_gain


def estimate_of(metrics: Mapping[str, Any], name: str, profile: str = "strict") -> dict[str, Any]:
    """Return a quantity of `metrics.json` as an estimate record, whether it belongs to a profile or stands by itself.

    Example:
        >>> estimate_of({"n": 30, "strict": {"hacc": 0.5, "hacc_ci": [0.3, 0.7]}}, "hacc")
        {'value': 0.5, 'low': 0.3, 'high': 0.7, 'n': 30}
    """
    scores = metrics.get(profile, {})
    if name not in scores:
        found: dict[str, Any] = metrics[name]
        return found
    low, high = scores[f"{name}_ci"] or (None, None)
    return {"value": scores[name], "low": low, "high": high, "n": scores.get(f"{name}_n", metrics.get("n"))}


def gain(before: Sequence[EvaluatedRollout], after: Sequence[EvaluatedRollout], field: str) -> Estimate:
    """Return the paired change of `hard`, `soft` or `correct` over the items decided both times, joined by id."""
    first, second = (_means(rollouts, field) for rollouts in (before, after))
    shared = [key for key in first if key in second]
    return paired_gain([first[key] for key in shared], [second[key] for key in shared])


def _means(rollouts: Sequence[EvaluatedRollout], field: str) -> dict[str, float]:
    decided = [(r.instruction_id, float(value)) for r in rollouts if (value := getattr(r, field)) is not None]
    return item_means([key for key, _ in decided], [value for _, value in decided])


def with_interval(value: float | None, interval: Sequence[float] | None, percent: bool = True) -> str:
    """Return a value to two decimals with the ends of its interval to one; "" without a value.

    Example:
        >>> with_interval(0.5, [0.25, 0.75]), with_interval(2.4, None, percent=False)
        ('50.00 [25.0, 75.0]', '2.40')
    """
    if value is None:
        return ""
    factor = 100 if percent else 1
    text = f"{factor * value:.2f}"
    return text if interval is None else f"{text} [{factor * interval[0]:.1f}, {factor * interval[1]:.1f}]"


def cell(estimate: Mapping[str, Any], percent: bool = True, signed: bool = False) -> str:
    """Return an estimate as text.

    Example:
        >>> cell({"value": 0.5, "low": 0.25, "high": 0.75, "n": 30})
        '50.0 [25.0, 75.0]'
    """
    if estimate["value"] is None:
        return ""
    factor, form = (100 if percent else 1), "{:+.1f}" if signed else "{:.1f}"
    value = form.format(factor * estimate["value"])
    if estimate["low"] is None:
        return value
    return f"{value} [{form.format(factor * estimate['low'])}, {form.format(factor * estimate['high'])}]"
