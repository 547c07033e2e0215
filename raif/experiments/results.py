"""What every experiment writes: rows of metrics, effects with p values, and the exact rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from raif.evaluation.records import UNCONSTRAINED, EvaluatedRollout
from raif.evaluation.stats import Estimate, holm, item_means, mean, paired, rate, record
from raif.json_files import write_whole
from rewards.errors import RaifError, unknown_name

EXPERIMENT, TABLE, ROLLOUTS = "experiment.json", "experiment.md", "rollouts.jsonl"
SCHEMA_VERSION = 1
Arm = Literal["treatment", "control", "baseline"]
Rollouts = Sequence[EvaluatedRollout]

#: Attributes of a rollout by profile and metric.
PROFILES: dict[str, dict[str, str]] = {
    "strict": {"hacc": "hard", "sacc": "soft"},
    "parity": {"hacc": "official_hard", "sacc": "official_soft"},
}
COMMON = {"correct": "correct", "tokens": "completion_tokens", "truncated": "truncated"}
OUTCOMES = ("hacc", "sacc", "correct")
SHARES = ("hacc", "correct", "truncated")  # yes or no for one rollout


class Effect(NamedTuple):
    """One comparison: a difference or slope of a metric; p is None where there is no interval either."""

    name: str
    metric: str
    estimate: Estimate
    p: float | None


def values(rollouts: Rollouts, metric: str, profile: str) -> dict[str, float]:
    """Return a metric by item, averaged over its samples; undecided rollouts are left out."""
    decided = _decided(rollouts, metric, profile)
    return item_means([key for key, _ in decided], [float(value) for _, value in decided])


def row(label: str, arm: Arm, x: float, rollouts: Rollouts, profile: str, **more: Any) -> dict[str, Any]:
    """Return one row of the result: every metric of some rollouts over their items."""
    metrics = (*PROFILES[profile], *COMMON)
    found = {metric: record(_estimate(rollouts, metric, profile)) for metric in metrics}
    return {"label": label, "arm": arm, "x": x, "n": len({r.instruction_id for r in rollouts}), **found, **more}


def floor_row(metrics: Mapping[str, Any], profile: str, x: float = 0) -> dict[str, Any] | None:
    """Return what a lone full stop earns, as a row; None where the evaluation does not say."""
    floor = metrics.get("floor", {}).get(profile)
    if not floor:
        return None
    n = int(metrics.get("n", 0))
    found = {name: record(Estimate(floor.get(name), None, None, n)) for name in PROFILES[profile]}
    nothing = {name: record(Estimate(None, None, None, 0)) for name in COMMON}
    return {"label": "floor: the answer is a full stop", "arm": "control", "x": x, "n": n, **found, **nothing}


def paired_effect(name: str, before: Rollouts, after: Rollouts, metric: str, profile: str) -> Effect:
    """Return the mean change of a metric over the items decided both times, joined by id."""
    first, second = values(before, metric, profile), values(after, metric, profile)
    shared = [key for key in first if key in second]
    return Effect(name, metric, *paired([first[key] for key in shared], [second[key] for key in shared]))


def main_arm(rollouts: Rollouts) -> list[EvaluatedRollout]:
    """Return the rollouts whose prompts had the constraints."""
    return [rollout for rollout in rollouts if rollout.arm != UNCONSTRAINED]


def check_profile(profile: str, rollouts: Rollouts) -> None:
    """Refuse a profile that is unknown, or that no rollout was judged by."""
    if profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES, "strict is ours, parity that of the official code.")
    field = PROFILES[profile]["sacc"]
    if not any(getattr(rollout, field) is not None for rollout in rollouts):
        raise RaifError(f"no rollout has a verdict of the profile {profile!r}; choose another --profile.")


def source_of(rollout: EvaluatedRollout) -> str:
    """Return where an item's problem comes from, as its labels say."""
    return rollout.labels.get("source") or rollout.labels.get("seeds") or "all"


def count_of(rollout: EvaluatedRollout) -> int:
    """Return how many constraints an item has."""
    return int(rollout.labels.get("count", len(rollout.verdicts)))


def result(
    name: str,
    rule: str,
    rows: Sequence[dict[str, Any]],
    effects: Sequence[Effect],
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
    **more: Any,
) -> dict[str, Any]:
    """Return the record of an experiment, p values adjusted for all its effects (Holm)."""
    p_values = {str(i): effect.p for i, effect in enumerate(effects) if effect.p is not None}
    adjusted = holm(p_values)
    listed = [
        {
            "name": effect.name,
            "metric": effect.metric,
            "estimate": record(effect.estimate),
            "p": effect.p,
            "p_holm": adjusted.get(str(i)),
        }
        for i, effect in enumerate(effects)
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "experiment": name,
        "rule": rule,
        "rows": list(rows),
        "effects": listed,
        **more,
        "settings": dict(settings),
        "versions": dict(versions),
    }


def _decided(rollouts: Rollouts, metric: str, profile: str) -> list[tuple[str, Any]]:
    """Return item ids and values; truncation is unknown if it is unknown of one: those known alone are no sample."""
    field = (PROFILES[profile] | COMMON)[metric]
    found = [(r.instruction_id, value) for r in rollouts if (value := getattr(r, field)) is not None]
    return [] if metric == "truncated" and len(found) < len(rollouts) else found


def _estimate(rollouts: Rollouts, metric: str, profile: str) -> Estimate:
    decided = _decided(rollouts, metric, profile)
    ids, found = [key for key, _ in decided], [value for _, value in decided]
    if metric in SHARES:
        return rate(ids, found)
    return mean(list(item_means(ids, [float(value) for value in found]).values()))


def write(out: Path, record: Mapping[str, Any], rollouts: Rollouts | None = None) -> None:
    """Write experiment.json and experiment.md, and what was drawn."""
    from raif.experiments.table import markdown

    out.mkdir(parents=True, exist_ok=True)
    if rollouts is not None:
        write_whole(out / ROLLOUTS, "".join(rollout.model_dump_json() + "\n" for rollout in rollouts))
    write_whole(out / TABLE, markdown(record))
    write_whole(out / EXPERIMENT, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
