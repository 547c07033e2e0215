"""Does longer thinking go with following less? MathIF's figure 6, with what it did not control for."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.stats import paired, trend
from raif.experiments.results import (
    OUTCOMES,
    PROFILES,
    Effect,
    Rollouts,
    check_profile,
    count_of,
    floor_row,
    main_arm,
    result,
    row,
    source_of,
)
from rewards.errors import RaifError

TruncatedIs = Literal["exclude", "bin"]
RULE = (
    "Thinking length is the number of tokens between the think marks. {bins} bins each way: of equal width between the "
    "shortest and the longest thinking, and of equal count (quantiles; equal lengths stay together, so that there may "
    "be fewer bins). A bin holds low <= tokens < high, the last one its high too. {truncated} "
    "Metrics are those of the profile {profile}; the samples of an item are averaged first.\n\n"
    "Longer thinking goes with harder problems, so that bins alone show no effect of length. Effects are therefore: "
    "the slope per doubling of the length (log2(1 + tokens), test of Mantel) over all; the same within source and "
    "number of constraints, which takes out what these differ in; and, where items have several samples, the longer "
    "half of the samples of an item less its shorter half (the middle one of an odd number, and ties with it, left "
    "out), which compares the same problem with itself. Correctness stands beside."
)
LEFT_OUT = "Rollouts that were cut off, never closed their thinking or gave no answer are {what}."


class Bin(NamedTuple):
    """A range of thinking lengths and the rollouts in it."""

    low: float
    high: float
    rollouts: list[EvaluatedRollout]


def length_bins(
    metrics: Mapping[str, Any],
    rollouts: Rollouts,
    *,
    bins: int = 6,
    truncated: TruncatedIs = "exclude",
    profile: str = "strict",
) -> dict[str, Any]:
    """Return the result of the experiment on one evaluation."""
    if bins < 2:
        raise RaifError(f"--bins {bins} compares nothing; give 2 or more.")
    if truncated not in ("exclude", "bin"):
        raise RaifError(f"--truncated {truncated!r} is neither exclude nor bin.")
    drawn = main_arm(rollouts)
    check_profile(profile, drawn)
    kept, cut, left_out = _sorted_out(drawn)
    lengths = [length_of(rollout) for rollout in kept]
    if len(set(lengths)) < 2:
        raise RaifError(
            f"{len(kept)} finished rollouts have {len(set(lengths))} different thinking lengths; bins need two. "
            "Lengths are counted by an evaluation whose generator has a tokenizer (--tokenizer for a server)."
        )
    rows = [
        row(f"{kind} {low:g} to {high:g}", "treatment", _middle(part), part, profile, kind=kind, low=low, high=high)
        for kind, edges in (("width", _width(lengths, bins)), ("count", _quantiles(lengths, bins)))
        for low, high, part in divide(kept, edges)
    ]
    if truncated == "bin" and cut:
        rows.append(row("cut off or without an answer", "control", 0, cut, profile, kind="truncated"))
    rows.append(row("all that are binned", "baseline", 0, kept, profile, kind="all"))
    if (floor := floor_row(metrics, profile)) is not None:
        rows.append({**floor, "kind": "floor"})
    what = "left out and counted" if truncated == "exclude" else "a row of their own"
    return result(
        "length-bins",
        RULE.format(bins=bins, profile=profile, truncated=LEFT_OUT.format(what=what)),
        rows,
        list(_effects(kept, profile)),
        {"profile": profile, "bins": bins, "truncated": truncated, "evaluation": metrics.get("settings", {})},
        metrics.get("versions", {}),
        left_out=left_out,
    )


def length_of(rollout: EvaluatedRollout) -> int:
    return rollout.thinking_tokens or 0


def divide(rollouts: Rollouts, edges: list[float]) -> list[Bin]:
    """Put rollouts into the bins between edges; empty bins are left out."""
    places = np.searchsorted(edges[1:-1], [length_of(rollout) for rollout in rollouts], side="right")
    parts: dict[int, list[EvaluatedRollout]] = defaultdict(list)
    for place, rollout in zip(places, rollouts, strict=True):
        parts[int(place)].append(rollout)
    return [Bin(edges[place], edges[place + 1], parts[place]) for place in sorted(parts)]


# ---- parts --------------------------------------------------------------------------------------------------------


def _sorted_out(rollouts: Rollouts) -> tuple[list[EvaluatedRollout], list[EvaluatedRollout], dict[str, int]]:
    """Return the finished rollouts, the others, and how many these are by reason."""
    kept, cut, reasons = [], [], Counter[str]()
    for rollout in rollouts:
        if rollout.truncated:
            reasons["cut off"] += 1
            cut.append(rollout)
        elif rollout.response.answer == "":
            reasons["without an answer"] += 1
            cut.append(rollout)
        elif rollout.thinking_tokens is None:
            reasons["without thinking, or of unknown length"] += 1
        else:
            kept.append(rollout)
    return kept, cut, dict(reasons)


def _width(lengths: list[int], bins: int) -> list[float]:
    return [float(edge) for edge in np.linspace(min(lengths), max(lengths), bins + 1)]


def _quantiles(lengths: list[int], bins: int) -> list[float]:
    return [float(edge) for edge in np.unique(np.quantile(lengths, np.linspace(0, 1, bins + 1)))]


def _middle(rollouts: Rollouts) -> float:
    return float(np.median([length_of(rollout) for rollout in rollouts]))


def _effects(rollouts: Rollouts, profile: str) -> Iterator[Effect]:
    for metric in OUTCOMES:
        field = PROFILES[profile].get(metric, metric)
        decided = [rollout for rollout in rollouts if getattr(rollout, field) is not None]
        x = [math.log2(1 + length_of(rollout)) for rollout in decided]
        y = [float(getattr(rollout, field)) for rollout in decided]
        items = [rollout.instruction_id for rollout in decided]
        strata = [f"{source_of(rollout)}/{count_of(rollout)}" for rollout in decided]
        yield Effect("per doubling of thinking", metric, *trend(x, y, items))
        yield Effect("per doubling, within source and count", metric, *trend(x, y, items, strata))
        shorter, longer = _halves(x, y, items)
        yield Effect("longer minus shorter half, same item", metric, *paired(shorter, longer))


def _halves(x: list[float], y: list[float], items: list[str]) -> tuple[list[float], list[float]]:
    """Return the mean outcomes of the shorter and the longer samples of every item that has both."""
    samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for key, length, outcome in zip(items, x, y, strict=True):
        samples[key].append((length, outcome))
    shorter, longer = [], []
    for pairs in samples.values():
        middle = float(np.median([length for length, _ in pairs]))
        below = [outcome for length, outcome in pairs if length < middle]
        above = [outcome for length, outcome in pairs if length > middle]
        if below and above:
            shorter.append(float(np.mean(below)))
            longer.append(float(np.mean(above)))
    return shorter, longer
