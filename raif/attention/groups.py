"""Compare the attention of two groups of outputs: differences over items, permutations, and matched strata.

An item counts once in a group: its rollouts there are averaged first. An item that has both good and bad rollouts is in
both groups; in a permutation its two values may change places, and the labels of all other items are shuffled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu, norm, t

from raif.evaluation.stats import CONFIDENCE, MIN_ITEMS, RESAMPLES, Estimate

MIN_GROUP = 5  # items in each of two groups
QUINTILES = 5
_PART = 1_000  # draws at once, so that memory stays small


class Unit(NamedTuple):
    """A rollout, or the mean of an item's rollouts in one group: what was measured, and what it is matched on."""

    item: str
    bad: bool
    value: float
    tokens: float
    family: str
    constraint_tokens: float
    domain: str = ""


class Difference(NamedTuple):
    """The mean of the bad less that of the good, within strata, and how many of these have both groups."""

    estimate: Estimate
    p: float | None
    strata: int
    left_out: int  # items in strata with one group only


def units_of(rollouts: Sequence[Unit]) -> list[Unit]:
    """Average the rollouts of each item within its group; the families of several constraints are joined.

    Example:
        >>> (found,) = units_of([Unit("a", True, value, 10.0, "words", 4.0) for value in (1.0, 2.0)])
        >>> found.value, found.tokens, found.family
        (1.5, 10.0, 'words')
    """
    groups: dict[tuple[str, bool], list[Unit]] = defaultdict(list)
    for each in rollouts:
        groups[each.item, each.bad].append(each)
    return [
        rows[0]._replace(
            value=float(np.mean([each.value for each in rows])),
            tokens=float(np.mean([each.tokens for each in rows])),
            family="+".join(sorted({each.family for each in rows})),
            constraint_tokens=float(np.mean([each.constraint_tokens for each in rows])),
        )
        for rows in groups.values()
    ]


def matchings(units: Sequence[Unit]) -> dict[str, list[str]]:
    """Return the stratum of each unit by what it is matched on: quintiles of length and |C|, family, or all three.

    No stratum mixes domains: their prompts and their accuracies differ, which alone would make a difference.
    """
    domain = [unit.domain for unit in units]
    length = _quintiles([unit.tokens for unit in units], domain)
    size = _quintiles([unit.constraint_tokens for unit in units], domain)
    family = [f"{unit.domain}|{unit.family}" for unit in units]
    together = ["|".join(parts) for parts in zip(length, family, size, strict=True)]
    return {"length": length, "family": family, "constraint_tokens": size, "all": together}


def difference(
    units: Sequence[Unit], strata: Sequence[str] | None = None, seed: int = 0, draws: int = RESAMPLES
) -> Difference:
    """Return the difference of the groups' means with its bootstrap interval over items, and a permutation p.

    Strata weigh by n_good n_bad / (n_good + n_bad), which is the precision of their differences; strata with one group
    only are left out. Below 20 items, or 5 in a group, there is neither interval nor p.

    Args:
        strata: of each unit; labels are then permuted within strata.

    Example:
        >>> units = [Unit(str(i), i % 2 == 0, float(i % 2 == 0), 1.0, "", 1.0) for i in range(40)]
        >>> found = difference(units, draws=99)
        >>> found.estimate.value, found.p
        (1.0, 0.01)
    """
    names = list(strata) if strata is not None else [""] * len(units)
    both = _with_both(units, names)
    kept = [(unit, name) for unit, name in zip(units, names, strict=True) if name in both]
    chosen = [unit for unit, _ in kept]
    n = len({unit.item for unit in chosen})
    left_out = len({unit.item for unit in units}) - n
    if min(sizes(chosen)) < MIN_GROUP:
        return Difference(Estimate(None, None, None, n), None, len(both), left_out)
    table = _Table(kept)
    value = float(table.difference(np.ones((1, n)))[0])
    if n < MIN_ITEMS:
        return Difference(Estimate(value, None, None, n), None, len(both), left_out)
    low, high = table.interval(seed, draws)
    return Difference(Estimate(value, low, high, n), table.permutation_p(seed, draws), len(both), left_out)


def sizes(units: Sequence[Unit]) -> tuple[int, int]:
    """Return how many items are in the good and in the bad group."""
    bad = sum(unit.bad for unit in units)
    return len(units) - bad, bad


def too_few(units: Sequence[Unit]) -> str:
    """Say why two groups cannot be compared; empty if they can."""
    (good, bad), items = sizes(units), len({unit.item for unit in units})
    if min(good, bad) < MIN_GROUP:
        return f"the groups have {good} and {bad} items; each needs {MIN_GROUP}"
    return f"{items} items are too few; {MIN_ITEMS} are needed" if items < MIN_ITEMS else ""


def auc(units: Sequence[Unit]) -> float | None:
    """Return how often a bad unit has more than a good one, ties counting half; None for too few.

    Example:
        >>> auc([Unit(str(i), i >= 10, float(i), 1.0, "", 1.0) for i in range(20)])
        1.0
    """
    if too_few(units):
        return None
    good, bad = ([unit.value for unit in units if unit.bad is kind] for kind in (False, True))
    return float(mannwhitneyu(bad, good).statistic) / (len(good) * len(bad))


# ---- parts --------------------------------------------------------------------------------------------------------


class _Table:
    """Units as arrays, for draws of many at once."""

    def __init__(self, kept: Sequence[tuple[Unit, str]]) -> None:
        self.items = sorted({unit.item for unit, _ in kept})
        place = {item: number for number, item in enumerate(self.items)}
        strata = {name: number for number, name in enumerate(sorted({name for _, name in kept}))}
        self.item = np.array([place[unit.item] for unit, _ in kept])
        self.stratum = np.array([strata[name] for _, name in kept])
        self.bad = np.array([unit.bad for unit, _ in kept])
        self.value = np.array([unit.value for unit, _ in kept])
        self.inside = np.eye(len(strata))[self.stratum]  # units x strata

    def difference(self, counts: np.ndarray) -> np.ndarray:
        """Return the weighted difference when each item is there so many times; counts are [draws, items]."""
        weights = counts[:, self.item]
        counted, means = [], []
        for kind in (False, True):
            chosen = weights * (self.bad == kind)
            counted.append(chosen @ self.inside)
            means.append((chosen * self.value) @ self.inside / np.maximum(counted[-1], 1))
        precision = counted[0] * counted[1] / np.maximum(counted[0] + counted[1], 1)
        with np.errstate(invalid="ignore"):
            found: np.ndarray = (precision * (means[1] - means[0])).sum(axis=1) / precision.sum(axis=1)
        return found

    def interval(self, seed: int, draws: int) -> tuple[float, float]:
        """Return expanded percentiles (Hesterberg 2015), by the size of the smaller group."""
        rng, n = np.random.default_rng(seed), len(self.items)
        counts = (rng.multinomial(n, np.full(n, 1 / n), size).astype(float) for size in _parts(draws))
        found = np.concatenate([self.difference(part) for part in counts])
        small = int(min(self.bad.sum(), (~self.bad).sum()))
        outside = float(norm.cdf(-np.sqrt(small / (small - 1)) * t.ppf((1 + CONFIDENCE) / 2, small - 1)))
        low, high = np.nanquantile(found, [outside, 1 - outside])
        return float(low), float(high)

    def permutation_p(self, seed: int, draws: int) -> float:
        """Return the two-sided p that labels tell nothing, with the observed ones as one of the draws."""
        size = np.stack(
            [np.bincount(self.stratum[self.bad == kind], minlength=self.inside.shape[1]) for kind in (0, 1)]
        )
        precision = size[0] * size[1] / size.sum(axis=0)
        # the statistic is linear in the labels: bad counts w / n_bad, good -w / n_good
        slope = (precision * (1 / size[0] + 1 / size[1]) / precision.sum())[self.stratum] * self.value
        expected, swaps, singles = self.bad.astype(float), self._pairs(), []
        for first, second in swaps:
            expected[[first, second]] = 0.5
        paired = {unit for pair in swaps for unit in pair}
        for stratum in range(self.inside.shape[1]):
            alone = [i for i in np.flatnonzero(self.stratum == stratum) if i not in paired]
            singles.append(np.array(alone, dtype=int))
            expected[alone] = self.bad[alone].mean() if alone else 0.0
        observed = abs(float((self.bad - expected) @ slope)) - 1e-9 * max(1.0, float(np.abs(slope).sum()))
        rng, extreme = np.random.default_rng(seed), 0
        for part in _parts(draws):
            labels = np.tile(self.bad.astype(float), (part, 1))
            for alone_ in singles:
                labels[:, alone_] = rng.permuted(labels[:, alone_], axis=1)
            if swaps:
                one, two = np.array(swaps).T
                labels[:, one] = rng.integers(0, 2, (part, len(swaps)))
                labels[:, two] = 1 - labels[:, one]
            extreme += int((np.abs((labels - expected) @ slope) >= observed).sum())
        return (1 + extreme) / (1 + draws)

    def _pairs(self) -> list[tuple[int, int]]:
        """Return the units of items that are in both groups of one stratum."""
        places: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, key in enumerate(zip(self.item.tolist(), self.stratum.tolist(), strict=True)):
            places[key].append(number)
        return [(pair[0], pair[1]) for pair in places.values() if len(pair) == 2]


def _with_both(units: Sequence[Unit], names: Sequence[str]) -> set[str]:
    kinds = Counter((name, unit.bad) for unit, name in zip(units, names, strict=True))
    return {name for name, bad in kinds if not bad and (name, True) in kinds}


def _quintiles(values: Sequence[float], domains: Sequence[str]) -> list[str]:
    """Return the fifth of each value in its domain; equal ones stay together, up to five different ones apart."""
    edges = {}
    for domain in set(domains):
        inside = [value for value, of in zip(values, domains, strict=True) if of == domain]
        distinct = sorted(set(inside))
        few = len(distinct) <= QUINTILES
        edges[domain] = distinct if few else np.quantile(inside, np.arange(1, QUINTILES) / QUINTILES)
    return [f"{of}{1 + np.searchsorted(edges[of], value)}" for value, of in zip(values, domains, strict=True)]


def _parts(count: int) -> list[int]:
    return [min(_PART, count - start) for start in range(0, count, _PART)]
