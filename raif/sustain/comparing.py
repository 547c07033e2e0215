"""Compare SUSTAIN evaluations of several models: each on what it solved itself, and on what all of them solved.

D+ differs per model, and that of a weak model holds easy items; the common set does not. Evaluations named
`RECIPE@SEED` are seeds of one recipe: an item counts once, as the mean over the seeds that solved it, and the spread
of the seeds stands beside the interval over items. The recipes of a seed have one base, so that the common set is that
of each seed, where all recipes have the same seeds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import combinations
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from data_gen.self_evident.families import family
from raif.evaluation.stats import MIN_ITEMS, RESAMPLES, Estimate, holm, over_seeds, record
from raif.sustain.cases import Case, cases_of
from raif.sustain.estimates import change, share, told
from raif.sustain.records import DOMAINS, SustainItem, SustainRollout
from raif.versions import versions
from rewards.errors import RaifError

ALL = "all"
MEASURED = ("sustain", "retest", "placebo", "net", "comply", "accuracy", "delta_acc")
COMPARED = ("sustain", "net")
RULE = (
    "own: items that the model solved and that have a constraint; common: those that all evaluations have so, or all "
    "of the same seed, where every recipe has the same seeds. An item of several seeds is averaged over them first. "
    "Intervals are over items. Differences on own sets join the intervals of the two models, and p permutes the items "
    "between them; on the common set they are paired, with the bootstrap, and McNemar's or a sign-flip test. p_holm "
    "counts the pairs of a domain, a set and a metric. `all` pools the items of the domains. Ranked by NET on the "
    "common set."
)


class Evaluation(NamedTuple):
    """A finished SUSTAIN evaluation and what to call it."""

    name: str
    metrics: Mapping[str, Any]
    items: Sequence[SustainItem]
    rollouts: Sequence[SustainRollout]


class Outcome(NamedTuple):
    """What an item came to: the mean of so many rows."""

    value: float
    rows: int


Outcomes = Mapping[str, Mapping[str, Outcome]]  # by metric and item id


class _Checkpoint(NamedTuple):
    """An evaluation by metric and item; `family` is that of the item's first constraint, read off its own output."""

    seed: str
    domain: dict[str, str]
    family: dict[str, str]
    outcomes: Outcomes


Model = Sequence[_Checkpoint]  # the seeds of a recipe


def compare(evaluations: Sequence[Evaluation], held_out_families: Sequence[str] = ()) -> dict[str, Any]:
    """Return the comparison of several evaluations of the same tasks.

    Args:
        held_out_families: of constraints that no training had; items whose first constraint is one are shown apart.

    Raises:
        RaifError: for fewer than two evaluations, a name given twice, or evaluations that differ in tasks, placement,
            doses, cap or scores; the message names what differs.
    """
    check_comparable(evaluations)
    models: dict[str, list[_Checkpoint]] = {}
    for evaluation in evaluations:
        models.setdefault(recipe_of(evaluation.name), []).append(_checkpoint(evaluation))
    checkpoints = [one for model in models.values() for one in model]
    domains = [domain for domain in DOMAINS if domain in set(checkpoints[0].domain.values())]
    parts = [*domains, *([ALL] if len(domains) > 1 else [])]
    common = _common(models)
    shared = {name: [_only(one, common[one.seed]) for one in model] for name, model in models.items()}
    return {
        "schema_version": 1,
        "comparison": "sustain",
        "models": list(models),
        "evaluations": [evaluation.name for evaluation in evaluations],
        "domains": {part: _compare_domain(models, shared, part) for part in parts},
        "held_out": _held_out(models, shared, held_out_families) if held_out_families else None,
        "rule": RULE,
        "settings": _settings(evaluations[0].metrics),
        "versions": versions(),
    }


def recipe_of(name: str) -> str:
    """Return the recipe of an evaluation's name, which is the name itself where no seed is named.

    Example:
        >>> recipe_of("both@1"), recipe_of("qwen@home")
        ('both', 'qwen@home')
    """
    return _named(name)[0]


def _named(name: str) -> tuple[str, str]:
    recipe, _, seed = name.rpartition("@")
    return (recipe, seed) if recipe and seed.isdigit() else (name, "")


def check_comparable(evaluations: Sequence[Evaluation]) -> None:
    """Refuse evaluations that are not of the same tasks under the same conditions."""
    if len(evaluations) < 2:
        raise RaifError(f"a comparison needs at least two evaluations; got {len(evaluations)}.")
    names = [evaluation.name for evaluation in evaluations]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RaifError(f"{twice[0]} is named twice; give every evaluation a name of its own: NAME=FOLDER.")
    first = evaluations[0]
    for other in evaluations[1:]:
        if found := [*_unlike_settings(first, other), *_unlike_tasks(first, other)]:
            raise RaifError(
                f"{first.name} and {other.name} cannot be compared: {'; '.join(found)}. Evaluate them alike."
            )


# ---- checks -------------------------------------------------------------------------------------------------------


def _settings(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be alike: the settings of the suite, and how completions were drawn but for the seed."""
    settings = metrics["settings"]
    sampling = {key: value for key, value in settings["sampling"].items() if key not in ("seed", "batch_size")}
    return {**settings["sustain"], **settings["options"], **sampling, "samples": settings["samples"]}


def _unlike_settings(first: Evaluation, other: Evaluation) -> list[str]:
    one, two = _settings(first.metrics), _settings(other.metrics)
    keys = [key for key in dict.fromkeys((*one, *two)) if one.get(key) != two.get(key)]
    return [f"{key} is {one.get(key)!r} and {two.get(key)!r}" for key in keys]


def _unlike_tasks(first: Evaluation, other: Evaluation) -> list[str]:
    one, two = ({item.id: item.task.request for item in each.items} for each in (first, other))
    if missing := [key for key in (*one, *two) if key not in one or key not in two]:
        return [f"{len(missing)} tasks are in only one of them (such as {missing[0]})"]
    if changed := [key for key in one if one[key] != two[key]]:
        return [f"{len(changed)} tasks have another request (such as {changed[0]})"]
    return []


# ---- estimates ----------------------------------------------------------------------------------------------------


def outcomes_of(items: Sequence[SustainItem], rollouts: Sequence[SustainRollout], tau: float) -> Outcomes:
    """Return what every item came to: of D+ but for `accuracy` and `delta_acc`, which are over all items."""
    found: dict[str, dict[str, Outcome]] = {metric: {} for metric in MEASURED}
    for case in cases_of(items, rollouts, tau):
        for metric, value, rows in _outcomes(case):
            if value is not None:
                found[metric][case.item.id] = Outcome(value, rows)
    return found


def _outcomes(case: Case) -> Iterator[tuple[str, float | None, int]]:
    first = case.first
    after = case.sustained if case.places else case.retest  # without a constraint nothing is asked
    yield "accuracy", first, 1
    yield "delta_acc", None if first is None or after is None else after - first, 1
    if not case.comparable:
        return
    rows = len(case.asked)
    samples = rows // len(case.places)
    sustained, placebo = case.sustained, case.placebo
    yield "sustain", sustained, rows
    yield "retest", case.retest, samples
    yield "placebo", placebo, samples
    yield "net", None if sustained is None or placebo is None else placebo - sustained, rows
    yield "comply", case.complied_at(case.places), rows


def _checkpoint(evaluation: Evaluation) -> _Checkpoint:
    domain: dict[str, str] = {item.id: item.task.domain for item in evaluation.items}
    families = {item.id: item.demands[0].family for item in evaluation.items if item.demands}
    tau = float(evaluation.metrics["settings"]["options"]["tau"])
    seed = _named(evaluation.name)[1]
    return _Checkpoint(seed, domain, families, outcomes_of(evaluation.items, evaluation.rollouts, tau))


def _common(models: Mapping[str, Model]) -> dict[str, set[str]]:
    """Return by seed the items that all evaluations of that seed have in D+; that all have, where seeds differ."""
    solved: dict[str, list[set[str]]] = {}
    for one in (one for model in models.values() for one in model):
        solved.setdefault(one.seed, []).append(set(one.outcomes["net"]))
    alike = len({frozenset(one.seed for one in model) for model in models.values()}) == 1
    if alike:
        return {seed: set.intersection(*sets) for seed, sets in solved.items()}
    everywhere = set.intersection(*(one for sets in solved.values() for one in sets))
    return dict.fromkeys(solved, everywhere)


def _compare_domain(models: Mapping[str, Model], shared: Mapping[str, Model], part: str) -> dict[str, Any]:
    domains = next(iter(models.values()))[0].domain
    inside = {key for key, domain in domains.items() if part in (ALL, domain)}
    own = {name: _pooled(model, inside) for name, model in models.items()}
    both = {name: _pooled(model, inside) for name, model in shared.items()}
    n_common = len(next(iter(both.values()))["net"])
    alone, records = ({name: _record(outcomes) for name, outcomes in some.items()} for some in (own, both))
    seeds = {name: _seeds(model, inside) for name, model in models.items() if len(model) > 1}
    enough = n_common >= MIN_ITEMS
    return {
        "n_common": n_common,
        "own": alone,
        "common": records,
        "pairs": [*_pairs(own, alone, "own"), *_pairs(both, records, "common")],
        "ranking": sorted(models, key=lambda name: float(records[name]["net"]["value"])) if enough else [],
        "seeds": seeds or None,
    }


def _pooled(model: Model, ids: Set[str]) -> Outcomes:
    """Return the items of a model, each as the mean over the seeds that have it."""
    found: dict[str, dict[str, Outcome]] = {}
    for metric in MEASURED:
        rows: dict[str, list[Outcome]] = {}
        for one in model:
            for key, outcome in one.outcomes[metric].items():
                if key in ids:
                    rows.setdefault(key, []).append(outcome)
        found[metric] = {
            key: Outcome(fmean(each.value for each in some), sum(each.rows for each in some))
            for key, some in sorted(rows.items())
        }
    return found


def _record(outcomes: Outcomes, metrics: Sequence[str] = MEASURED) -> dict[str, Any]:
    """Return the estimates of a set of items; `n` is how many of them are in D+."""
    return {"n": len(outcomes["net"]), **{metric: _estimate(outcomes[metric], metric) for metric in metrics}}


def _estimate(outcomes: Mapping[str, Outcome], metric: str) -> dict[str, Any]:
    values = [outcome.value for outcome in outcomes.values()]
    if metric in ("net", "delta_acc"):
        found: dict[str, Any] = change([0.0] * len(values), values)["estimate"]
        return found
    return share(values, sum(outcome.rows for outcome in outcomes.values()))


def _seeds(model: Model, ids: Set[str]) -> dict[str, Any]:
    """Return the mean over seeds of each metric on own items, with Student's interval and the values of the seeds."""
    found = {}
    for metric in MEASURED:
        kept = [[each.value for key, each in one.outcomes[metric].items() if key in ids] for one in model]
        values = [fmean(some) if len(some) >= MIN_ITEMS else None for some in kept]
        estimate = over_seeds([value for value in values if value is not None])
        found[metric] = {**record(estimate), "values": values}
    return found


def _held_out(models: Mapping[str, Model], shared: Mapping[str, Model], families: Sequence[str]) -> dict[str, Any]:
    """Return the estimates on items whose constraint is of a held-out family; which those are differs by model."""
    known = {said for model in models.values() for one in model for said in one.family.values()}
    for name in families:
        family(name)  # an unknown one is an error
    found: dict[str, dict[str, Any]] = {"common": {}, "own": {}}
    for kind, those in (("common", shared), ("own", models)):
        for name, model in those.items():
            kept = [_only(one, {key for key, said in one.family.items() if said in families}) for one in model]
            everything = {key for one in model for key in one.domain}
            found[kind][name] = _record(_pooled(kept, everything), ("net", "sustain", "comply"))
    return {"families": list(families), "absent": [name for name in families if name not in known], **found}


def _only(one: _Checkpoint, ids: Set[str]) -> _Checkpoint:
    """Return a checkpoint with only some of its items."""
    outcomes = {
        metric: {key: value for key, value in values.items() if key in ids} for metric, values in one.outcomes.items()
    }
    return one._replace(outcomes=outcomes)


# ---- pairs --------------------------------------------------------------------------------------------------------


def _pairs(models: Mapping[str, Outcomes], records: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the difference (second - first) of every two models in what is compared, with p adjusted for the pairs.

    Args:
        records: the estimates of each model by metric.
    """
    rows = []
    for metric in COMPARED:
        found: list[dict[str, Any]] = []
        for first, second in combinations(models, 2):
            one, two = ({key: each.value for key, each in models[name][metric].items()} for name in (first, second))
            if kind == "own":
                estimate = _apart(records[first][metric], records[second][metric])
                is_known = estimate["value"] is not None
                result = {
                    "estimate": estimate,
                    "p": permutation_p([*one.values()], [*two.values()]) if is_known else None,
                }
            else:
                result = change([*one.values()], [two[key] for key in one])
            found.append({"first": first, "second": second, "set": kind, "metric": metric, **result})
        adjusted = holm({str(number): row["p"] for number, row in enumerate(found) if row["p"] is not None})
        rows += [{**row, "p_holm": adjusted.get(str(number))} for number, row in enumerate(found)]
    return rows


def _apart(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the difference of two estimates over different items, its interval joined from theirs.

    A bound is as far from it as the root of the sum of squares of theirs (Zou and Donner 2008): near the ceiling, where
    a sample without a failure has resamples without any, each keeps the room that its own interval leaves.
    """
    if first["low"] is None or second["low"] is None:
        return told(Estimate(None, None, None, min(first["n"], second["n"])))
    value = second["value"] - first["value"]
    low = value - math.hypot(second["value"] - second["low"], first["high"] - first["value"])
    high = value + math.hypot(second["high"] - second["value"], first["value"] - first["low"])
    return record(Estimate(value, low, high, first["n"] + second["n"]))


def permutation_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p value of equal means when items change places between two samples.

    The observed samples count as one of the draws, so that the test is exact (Phipson and Smyth 2010).

    Example:
        >>> permutation_p([1.0] * 30, [1.0] * 100), permutation_p([0.0] * 30, [1.0] * 30) < 0.001
        (1.0, True)
    """
    counts = Counter((*first, *second))  # who has which value does not matter, only how many of a sample have it
    values = np.array(list(counts))
    mean, size = fmean((*first, *second)), len(first)
    drawn = np.random.default_rng(0).multivariate_hypergeometric(list(counts.values()), size, RESAMPLES, "marginals")
    extreme = int((np.abs(drawn @ (values - mean)) >= abs(sum(first) - size * mean) - 1e-9).sum())
    return (1 + extreme) / (1 + RESAMPLES)
