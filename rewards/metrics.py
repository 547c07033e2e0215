"""Means and pass rates of a batch of rewards, for whoever logs them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rewards.constraint import Status
from rewards.reward import Reward


def metrics(rewards: Sequence[Reward]) -> dict[str, float]:
    """Return means of the entries, HAcc, SAcc, correctness, unscored and truncated shares, and all pass rates.

    Keys: `rewards/<entry>`, `hacc`, `sacc`, `correct`, `unscored`, `truncated`, `constraints/<type>`,
    `families/<family>`, and `unscored_leaves/<family>` where leaves are unscored. What nobody decided has no key.
    """
    columns: dict[str, list[float | None]] = {f"rewards/{label}": [] for reward in rewards for label in reward.parts}
    for reward in rewards:
        for label, value in reward.parts.items():
            columns[f"rewards/{label}"].append(value)
    columns["hacc"] = [_number(reward.judgement.hard) for reward in rewards]
    columns["sacc"] = [reward.judgement.soft for reward in rewards]
    columns["correct"] = [_number(reward.correct) for reward in rewards]
    columns["unscored"] = [float(reward.total is None) for reward in rewards]
    columns["truncated"] = [float(reward.truncated) for reward in rewards]
    result = {name: mean for name, values in columns.items() if (mean := _mean(values)) is not None}
    return result | _leaf_rates(rewards)


def pass_rates(rewards: Iterable[Reward]) -> dict[str, list[bool]]:
    """Return the satisfied/not outcomes of every constraint type; skipped and unscored leaves are left out."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for reward in rewards:
        for leaf in reward.judgement.leaves:
            if leaf.verdict.status not in (Status.SKIPPED, Status.UNSCORED):
                outcomes[leaf.type].append(leaf.verdict.status is Status.SATISFIED)
    return dict(sorted(outcomes.items()))


def _leaf_rates(rewards: Sequence[Reward]) -> dict[str, float]:
    by_type = pass_rates(rewards)
    families: dict[str, list[bool]] = defaultdict(list)
    for name, outcomes in by_type.items():
        families[name.partition(":")[0]] += outcomes
    unscored: dict[str, list[bool]] = defaultdict(list)
    for reward in rewards:
        for leaf in reward.judgement.leaves:
            unscored[leaf.type.partition(":")[0]].append(leaf.verdict.status is Status.UNSCORED)
    rates = {f"constraints/{name}": outcomes for name, outcomes in by_type.items()}
    rates |= {f"families/{name}": outcomes for name, outcomes in sorted(families.items())}
    rates |= {f"unscored_leaves/{name}": found for name, found in sorted(unscored.items()) if any(found)}
    return {name: sum(found) / len(found) for name, found in rates.items()}


def first_reason(rewards: Iterable[Reward]) -> str:
    """Return why the first undecided reward is undecided; empty when all are decided."""
    return next((reward.reason for reward in rewards if reward.reason), "")


def verdict_summary(reward: Reward) -> str:
    """Return the verdicts of a rollout in one line."""
    return "; ".join(
        f"{leaf.type}: {leaf.verdict.status} ({leaf.verdict.evidence})" for leaf in reward.judgement.leaves
    )


def _number(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _mean(values: Sequence[float | None]) -> float | None:
    decided = [value for value in values if value is not None]
    return sum(decided) / len(decided) if decided else None
