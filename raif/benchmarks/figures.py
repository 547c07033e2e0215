"""Figures of a benchmark: pooled ratios, means, means of cell means, and means of figures, with their intervals.

Every figure is sum(part) / sum(whole) within a cell, averaged over nested cells. What is resampled is the unit: an
item, or a group of items that belong together; units are drawn within their stratum, since how many of each kind there
are is the benchmark's choice (the rescaled bootstrap of Rao and Wu 1988). All figures of a run share the draws, so that
figures may be averaged and models compared.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm, t

from raif.evaluation.stats import CONFIDENCE, MIN_ITEMS, RESAMPLES, Estimate

_BATCH = 500  # draws at once


class ScoreRow(NamedTuple):
    """What one item, question or group adds to the figures.

    Fields:
        unit: what is resampled. stratum: units of one stratum are exchanged for each other.
        values: (part, whole) by the name of a quantity; one that is not there does not count here.
        labels: the cells that it belongs to.
    """

    unit: str
    values: Mapping[str, tuple[float, float]]
    labels: Mapping[str, str] = {}
    stratum: str = ""


def score_row(line: Mapping[str, Any]) -> ScoreRow:
    """Return the row that a line of a file of scores holds."""
    values = {name: (float(part), float(whole)) for name, (part, whole) in line["values"].items()}
    return ScoreRow(line["unit"], values, line["labels"], line["stratum"])


class Figure(NamedTuple):
    """One figure.

    Fields:
        name: as in metrics files. title: as in tables.
        of: the quantity of the rows. where: only rows with these labels.
        nest: labels whose cells are averaged, outermost first; () pools all rows.
        mean_of: instead, the plain mean of these figures.
        scale: the figure is divided by this (a maximum other than 1).
        percent: whether it is shown in per cent.
    """

    name: str
    title: str
    of: str = ""
    where: Mapping[str, str] = {}
    nest: tuple[str, ...] = ()
    mean_of: tuple[Figure, ...] = ()
    scale: float = 1.0
    percent: bool = True


class Breakdown(NamedTuple):
    """Figures of the rows with each value of a label, such as constraint types."""

    label: str
    title: str
    figures: tuple[Figure, ...]


def value_of(figure: Figure, rows: Sequence[ScoreRow]) -> float | None:
    """Return a figure of rows, without an interval; None if nothing counts.

    Example:
        >>> rows = [ScoreRow("a", {"yes": (1, 1)}, {"task": "x"}), ScoreRow("b", {"yes": (1, 2)}, {"task": "y"})]
        >>> value_of(Figure("pooled", "", "yes"), rows), value_of(Figure("cells", "", "yes", nest=("task",)), rows)
        (0.6666666666666666, 0.75)
    """
    found = _Sample(rows).replicate(figure, np.ones((1, len({row.unit for row in rows}))))[0]
    return None if math.isnan(found) else float(found)


def estimates(
    figures: Sequence[Figure], rows: Sequence[ScoreRow], seed: int = 0, least: int = 0
) -> dict[str, Estimate]:
    """Return every figure with its 95 % interval, by name; none below 20 units, or with a cell under `least`."""
    sample = _Sample(rows)
    enough = {f.name for f in figures if sample.count(f) >= MIN_ITEMS and sample.smallest(f) >= least}
    drawn = [sample.weights(rng_batch) for rng_batch in _batches(seed)] if enough else []
    return {figure.name: _estimate(figure, sample, drawn if figure.name in enough else []) for figure in figures}


def differences(
    figures: Sequence[Figure], first: Sequence[ScoreRow], second: Sequence[ScoreRow], seed: int = 0
) -> dict[str, Estimate]:
    """Return second - first of every figure over the units that both have, drawn in pairs."""
    shared = {row.unit for row in first} & {row.unit for row in second}
    before, after = (_Sample([row for row in rows if row.unit in shared], shared) for rows in (first, second))
    drawn = [before.weights(batch) for batch in _batches(seed)] if len(shared) >= MIN_ITEMS else []
    found = {}
    for figure in figures:
        ones = np.ones((1, len(shared)))
        value = float((after.replicate(figure, ones) - before.replicate(figure, ones))[0]) if shared else math.nan
        draws = [after.replicate(figure, weights) - before.replicate(figure, weights) for weights in drawn]
        bounds = (-1.0, 1.0) if figure.percent and figure.scale == 1 else None
        found[figure.name] = _interval(value, draws, min(before.count(figure), after.count(figure)), bounds)
    return found


def _estimate(figure: Figure, sample: _Sample, drawn: Sequence[np.ndarray]) -> Estimate:
    if not sample.units:
        return Estimate(None, None, None, 0)
    value = float(sample.replicate(figure, np.ones((1, len(sample.units))))[0])
    n = sample.count(figure)
    bounds = (0.0, 1.0) if figure.percent and figure.scale == 1 else None
    return _interval(value, [sample.replicate(figure, weights) for weights in drawn], n, bounds)


def _interval(value: float, draws: Sequence[np.ndarray], n: int, bounds: tuple[float, float] | None) -> Estimate:
    """Return percentiles as wide as Student's t (Hesterberg 2015); of units that are all alike, Wilson's room."""
    if math.isnan(value) or not draws or n < MIN_ITEMS:
        return Estimate(None if math.isnan(value) else value, None, None, n)
    outside = float(norm.cdf(-t.ppf((1 + CONFIDENCE) / 2, n - 1)))
    low, high = np.nanquantile(np.concatenate(draws), [outside, 1 - outside])
    if bounds is not None and high - low < 1e-12:
        z = float(norm.ppf((1 + CONFIDENCE) / 2))
        unlike = z * z / (n + z * z)
        low, high = (value + unlike * (bound - value) for bound in bounds)
    return Estimate(value, float(low), float(high), n)


def _batches(seed: int) -> Iterator[np.random.Generator]:
    for number in range(RESAMPLES // _BATCH):
        yield np.random.default_rng([seed, number])


class _Sample:
    """Rows by unit, ready to be weighed."""

    def __init__(self, rows: Sequence[ScoreRow], units: set[str] | None = None) -> None:
        strata = {row.unit: row.stratum for row in rows}
        self.rows, self.units = rows, sorted(units or strata)
        self._place = {unit: place for place, unit in enumerate(self.units)}
        members: dict[str, list[int]] = defaultdict(list)
        for unit in self.units:
            members[strata.get(unit, "")].append(self._place[unit])
        self._strata = _strata([places for _, places in sorted(members.items())])
        self._sums: dict[str, dict[tuple[str, ...], np.ndarray]] = {}

    def weights(self, rng: np.random.Generator) -> np.ndarray:
        """Return how often each unit is drawn, [draw, unit]."""
        weights = np.zeros((_BATCH, len(self.units)))
        for places in self._strata:
            n = len(places)  # n - 1 of n are drawn, and scaled: so the variance of a small stratum is unbiased
            weights[:, places] = rng.multinomial(n - 1, np.full(n, 1 / n), _BATCH) * (n / (n - 1))
        return weights

    def replicate(self, figure: Figure, weights: np.ndarray) -> np.ndarray:
        """Return a figure under each row of weights."""
        if figure.mean_of:
            averaged: np.ndarray = np.mean([self.replicate(part, weights) for part in figure.mean_of], axis=0)
            return averaged / figure.scale
        cells = {key: _ratio(weights @ sums[0], weights @ sums[1]) for key, sums in self._cells(figure).items()}
        return _nested(cells, len(weights)) / figure.scale

    def count(self, figure: Figure) -> int:
        """Return how many units a figure is over."""
        if figure.mean_of:
            return min(self.count(part) for part in figure.mean_of)
        wholes = [sums[1] for sums in self._cells(figure).values()]
        return int(np.count_nonzero(np.sum(wholes, axis=0))) if wholes else 0

    def smallest(self, figure: Figure) -> int:
        """Return how many units the smallest cell of a figure has."""
        if figure.mean_of:
            return min(self.smallest(part) for part in figure.mean_of)
        return min((int(np.count_nonzero(sums[1])) for sums in self._cells(figure).values()), default=0)

    def _cells(self, figure: Figure) -> dict[tuple[str, ...], np.ndarray]:
        """Return parts and wholes by unit, [2, unit], of every cell of a figure."""
        key = repr((figure.of, sorted(figure.where.items()), figure.nest))
        if key not in self._sums:
            cells: dict[tuple[str, ...], np.ndarray] = {}
            for row in self.rows:
                if figure.of in row.values and all(row.labels.get(k) == v for k, v in figure.where.items()):
                    cell = tuple(row.labels[label] for label in figure.nest)
                    sums = cells.setdefault(cell, np.zeros((2, len(self.units))))
                    sums[:, self._place[row.unit]] += row.values[figure.of]
            self._sums[key] = cells
        return self._sums[key]


def _strata(members: Sequence[list[int]]) -> list[np.ndarray]:
    """Return strata of two units or more; units that are alone in theirs are drawn together."""
    lone = [place for places in members if len(places) == 1 for place in places]
    found = [places for places in members if len(places) > 1]
    if len(lone) == 1 and found:
        found[-1] = found[-1] + lone
    elif lone:
        found.append(lone)
    return [np.array(places) for places in found]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole; a cell in which nothing counts has none."""
    found: np.ndarray = np.divide(part, whole, out=np.full_like(part, math.nan), where=whole > 0)
    return found


def _nested(cells: Mapping[tuple[str, ...], np.ndarray], draws: int) -> np.ndarray:
    """Average the cells of the innermost label, then the next; an empty cell does not count."""
    if not cells:
        return np.full(draws, math.nan)
    while len(next(iter(cells))):
        outer: dict[tuple[str, ...], list[np.ndarray]] = defaultdict(list)
        for key, values in cells.items():
            outer[key[:-1]].append(values)
        cells = {key: _mean(np.array(values)) for key, values in outer.items()}
    return cells[()]


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of what is there, [cell, draw] -> [draw]."""
    there = ~np.isnan(values)
    return _ratio(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0).astype(float))


def record_of(found: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return estimates as metrics files hold them: `name`, `name_ci` and `name_n`."""
    record: dict[str, Any] = {}
    for name, estimate in found.items():
        interval = None if estimate.low is None else [estimate.low, estimate.high]
        record |= {name: estimate.value, f"{name}_ci": interval, f"{name}_n": estimate.n}
    return record
