"""Rates of judged rollouts over items, checks and labels, in the form that metrics files hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from raif.evaluation import stats
from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.stats import Estimate

Outcome = Callable[[EvaluatedRollout], float | None]
#: Named outcomes of each profile, for example {"parity": {"hacc": ...}, "strict": {"hacc": ...}}.
Profiles = dict[str, dict[str, Outcome]]
Measure = Callable[[Sequence[EvaluatedRollout]], dict[str, Any]]


class CheckOutcome(NamedTuple):
    """What became of one check of one rollout under one rule; None where it is undecided. `unit` is resampled."""

    item: str
    constraint: str
    position: str  # in the item, from 1
    followed: bool | None
    unit: str


CheckRule = Callable[[EvaluatedRollout], Sequence[bool | None]]
CheckRules = dict[str, dict[str, CheckRule]]


def unit(rollout: EvaluatedRollout) -> str:
    """Return what is resampled: the problem that items share, else the item."""
    return rollout.problem or rollout.instruction_id


def over_items(rollouts: Iterable[EvaluatedRollout], outcome: Outcome) -> Estimate:
    """Return the mean of an outcome over items, samples averaged first; where it is None, a rollout is left out.

    Items of one problem (a crossed set has several) are no independent evidence: there the problem is the unit.
    """
    found = [(unit(rollout), value) for rollout in rollouts if (value := outcome(rollout)) is not None]
    ids, values = [item for item, _ in found], [value for _, value in found]
    if all(isinstance(value, bool) for value in values):
        return stats.rate(ids, [bool(value) for value in values])
    return stats.mean(list(stats.item_means(ids, values).values()))


def over_checks(outcomes: Sequence[CheckOutcome]) -> Estimate:
    """Return followed checks of all decided ones, the micro average of IFEval; items or problems are resampled."""
    decided = [each for each in outcomes if each.followed is not None]
    ids = [each.unit for each in decided]
    if len(set(ids)) == len(ids):
        return stats.proportion([bool(each.followed) for each in decided])
    parts, wholes = defaultdict[str, float](float), defaultdict[str, float](float)
    for each in decided:
        parts[each.unit] += bool(each.followed)
        wholes[each.unit] += 1
    return stats.ratio(list(parts.values()), list(wholes.values()))


def check_outcomes(rollouts: Iterable[EvaluatedRollout], rule: CheckRule) -> list[CheckOutcome]:
    """Return the outcome of every check of every rollout."""
    return [
        CheckOutcome(rollout.instruction_id, check.id, str(position), followed, unit(rollout))
        for rollout in rollouts
        for position, (check, followed) in enumerate(zip(rollout.official, rule(rollout), strict=True), 1)
    ]


def named(name: str, estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as `name`, `name_ci` and `name_n`, how many items it is over.

    Example:
        >>> named("hacc", Estimate(0.5, None, None, 4))
        {'hacc': 0.5, 'hacc_ci': None, 'hacc_n': 4}
    """
    interval = None if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]
    return {name: estimate.value, f"{name}_ci": interval, f"{name}_n": estimate.n}


def by_profile(rollouts: Sequence[EvaluatedRollout], profiles: Profiles) -> dict[str, dict[str, Any]]:
    """Return every outcome of every profile over items."""
    return {
        profile: {
            key: value
            for name, outcome in outcomes.items()
            for key, value in named(name, over_items(rollouts, outcome)).items()
        }
        for profile, outcomes in profiles.items()
    }


def by_check_rule(rollouts: Sequence[EvaluatedRollout], rules: CheckRules) -> dict[str, dict[str, Any]]:
    """Return every check rule of every profile, pooled over checks."""
    return {
        profile: {
            key: value
            for name, rule in named_rules.items()
            for key, value in named(name, over_checks(check_outcomes(rollouts, rule))).items()
        }
        for profile, named_rules in rules.items()
    }


def by_check_group(
    rollouts: Sequence[EvaluatedRollout],
    rules: CheckRules,
    group: Callable[[CheckOutcome], str],
    beside: Measure,
) -> dict[str, dict[str, Any]]:
    """Return every check rule for each group of checks, and what `beside` says of the items that hold one of them."""
    members: dict[str, set[str]] = defaultdict(set)
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for profile, named_rules in rules.items():
        for name, rule in named_rules.items():
            sorted_in: dict[str, list[CheckOutcome]] = defaultdict(list)
            for each in check_outcomes(rollouts, rule):
                sorted_in[group(each)].append(each)
                members[group(each)].add(each.item)
            for value, outcomes in sorted_in.items():
                found[value][profile].update(named(name, over_checks(outcomes)))
    return {
        value: {
            "n": len(members[value]),
            **found[value],
            **beside([rollout for rollout in rollouts if rollout.instruction_id in members[value]]),
        }
        for value in sorted(found, key=_in_order)
    }


def by_label(
    rollouts: Sequence[EvaluatedRollout], measure: Measure, beside: Measure
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what `measure` and `beside` say of the items of each value of each label."""
    groups: dict[str, dict[str, list[EvaluatedRollout]]] = defaultdict(lambda: defaultdict(list))
    for rollout in rollouts:
        for label, value in rollout.labels.items():
            groups[label][value].append(rollout)
    return {
        label: {
            value: {"n": len({r.instruction_id for r in members}), **measure(members), **beside(members)}
            for value, members in sorted(values.items(), key=lambda pair: _in_order(pair[0]))
        }
        for label, values in groups.items()
    }


def answers(rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
    """Return correctness and truncation as records; None where nothing is known."""
    return {"correct": known(over_items(rollouts, lambda r: r.correct)), "truncated": known(truncated(rollouts))}


def truncated(rollouts: Sequence[EvaluatedRollout]) -> Estimate:
    """Return the share of rollouts that the cap cut off; unknown if it is unknown of one."""
    if any(rollout.truncated is None for rollout in rollouts):
        return Estimate(None, None, None, 0)
    return over_items(rollouts, lambda rollout: rollout.truncated)


def known(estimate: Estimate) -> dict[str, Any] | None:
    """Return an estimate's record, None without a value."""
    return None if estimate.value is None else stats.record(estimate)


def _in_order(value: str) -> tuple[bool, int, str]:
    return (False, int(value), "") if value.isdecimal() else (True, 0, value)


def joint(rollouts: Sequence[EvaluatedRollout], hard: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return how often an answer is correct and follows every constraint (strict), and whether the two hang together.

    The tables count the first sample of every item: several samples are no independent evidence.
    """
    firsts: dict[str, EvaluatedRollout] = {}
    for rollout in sorted(rollouts, key=lambda r: r.sample):
        firsts.setdefault(rollout.instruction_id, rollout)
    found = {
        "correct_and_followed": known(
            over_items(rollouts, lambda r: None if r.correct is None or r.hard is None else r.correct and r.hard)
        )
    }
    for profile, followed in hard.items():
        pairs = [
            (r.correct, value) for r in firsts.values() if r.correct is not None and (value := followed(r)) is not None
        ]
        table = stats.association([right for right, _ in pairs], [bool(value) for _, value in pairs])
        found["independence" if profile == "strict" else f"independence_{profile}"] = table._asdict()
    return found
