"""Numbers of an evaluation's metrics.json: those of a profile, and those that both profiles share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
Metrics = Mapping[str, Any]
PROFILES = ("strict", "parity")
ACCURACIES = {  # within a profile
    "hacc": "HAcc",
    "sacc": "SAcc",
    "prompt_strict": "prompt level, strict",
    "instruction_strict": "instruction level, strict",
    "prompt_loose": "prompt level, loose",
    "instruction_loose": "instruction level, loose",
    "followed": "followed",
    "pass_rate": "pass rate",
}
SHARES = {
    "correct": "answer correct",
    "correct_unconstrained": "answer correct without the constraints",
    "correct_change": "change of correctness by the constraints",
    "correct_and_followed": "correct and all constraints satisfied",
    "correct_and_hard": "correct and all constraints satisfied",
    "truncated": "truncated",
    "truncated_unconstrained": "truncated without the constraints",
    "unclosed": "thinking never closed",
    "well_formed": "well-formed",
}
AMOUNTS = {"completion_tokens": "completion tokens", "thinking_tokens": "thinking tokens"}


def estimate(metrics: Metrics, name: str, profile: str = "strict") -> Record | None:
    """Return a quantity as an estimate record; None where it was not measured.

    Example:
        >>> estimate({"n": 30, "parity": {"hacc": 0.5, "hacc_ci": None}}, "hacc", "parity")
        {'value': 0.5, 'low': None, 'high': None, 'n': 30}
    """
    scores = metrics.get(profile) or {}
    if name in scores:
        return within(scores, name, metrics.get("n"))
    found = metrics.get(name)
    return found if isinstance(found, Mapping) and "value" in found else None


def within(scores: Record, name: str, n: int | None) -> Record | None:
    """Return a number of a profile, and the interval that stands beside it, as an estimate record."""
    found = scores.get(name)
    if isinstance(found, Mapping) or found is None:
        return found
    low, high = scores.get(f"{name}_ci") or (None, None)
    return {"value": found, "low": low, "high": high, "n": scores.get(f"{name}_n", n)}


def names(scores: Record) -> list[str]:
    """Return the names of the quantities of a profile."""
    return [name for name in scores if not name.endswith(("_ci", "_n")) and name != "n"]


def bound(metrics: Metrics, side: str, name: str, profile: str = "strict") -> float | None:
    """Return the floor or the ceiling of an accuracy."""
    scores = (metrics.get(side) or {}).get(profile) or {}
    value: float | None = scores.get(name)
    return value


def has_profile(metrics: Metrics, profile: str) -> bool:
    """Tell whether the metrics hold a profile."""
    return bool(metrics.get(profile))


def constraint_rates(metrics: Metrics, profile: str = "strict") -> dict[str, Record]:
    """Return the pass rate of every constraint as an estimate record."""
    found = {}
    for name, group in (metrics.get("groups") or {}).get("constraint", {}).items():
        scores = group.get(profile) or {}
        rate = next(
            (within(scores, key, group.get("n")) for key in ("pass_rate", *names(scores)) if key in scores), None
        )
        if rate is not None:
            found[name] = rate
    return found
