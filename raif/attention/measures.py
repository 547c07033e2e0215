"""From attention masses to mass, alpha, share and enrichment of a constraint, with a random span as control.

Of step t and layer l, means over heads throughout:

    mass    attention on the tokens C of the constraint
    alpha   mass / |C|                       (falls with the length of the context even under uniform attention)
    share   mass / attention on the user turn
    enrich  share / (|C| / |user turn|)      (1: the constraint's tokens get what the turn's average token gets)

Under local attention only the tokens that the step can see count in the two sizes; without any it is undefined. A
random span is measured against the rest of the turn, which it is drawn from, so that its expectation is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from raif.attention.passes import Masses
from raif.attention.records import DECILES


class Measured(NamedTuple):
    """The means of a rollout; see `AttentionRow`."""

    mass: float | None
    alpha: float | None
    share: float | None
    enrich: float | None
    undefined: float
    per_constraint: tuple[float | None, ...]
    random_span: float | None
    grid: tuple[tuple[float | None, ...], ...]


class Groups(NamedTuple):
    """Groups of prompt positions in the order in which their masses are read."""

    turn: Sequence[int]
    constraint: Sequence[int]
    rest: Sequence[int]
    parts: Sequence[Sequence[int]]
    spans: Sequence[Sequence[int]]

    def listed(self) -> list[Sequence[int]]:
        return [self.turn, self.constraint, self.rest, *self.parts, *self.spans]


def enrichment(masses: Masses, group: int, reference: int) -> np.ndarray:
    """Return the enrichment of a group within another; [layers, steps], NaN where the group cannot be seen.

    Example:
        >>> weights, visible = np.array([[[0.5, 0.25]]]), np.array([[[10.0, 2.0]]])
        >>> enrichment(Masses(weights, visible), 1, 0)
        array([[2.5]])
    """
    weights, visible = masses.weights.astype(float), masses.visible.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = weights[..., group] / weights[..., reference]
        found = found / (visible[..., group] / visible[..., reference])
    return np.where(np.isfinite(found), found, np.nan)


def measure(masses: Masses, groups: Groups, steps: Sequence[int]) -> Measured:
    """Return the means of a rollout over some of its output steps, at least one.

    Args:
        masses: of `groups.listed()`.
        steps: in rising order.
    """
    chosen = Masses(masses.weights[:, steps], masses.visible[:, steps])
    mass = chosen.weights[..., 1].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = mass / chosen.weights[..., 0]
    enrich = enrichment(chosen, 1, 0)
    first = 3 + len(groups.parts)
    spans = [enrichment(chosen, first + i, 2) for i in range(len(groups.spans))]
    return Measured(
        mass=over_steps(mass),
        alpha=over_steps(mass / len(groups.constraint)),
        share=over_steps(np.where(np.isfinite(share), share, np.nan)),
        enrich=over_steps(enrich),
        undefined=float(f"{np.isnan(enrich).mean():.6g}"),
        per_constraint=tuple(over_steps(enrichment(chosen, 3 + i, 0)) for i in range(len(groups.parts))),
        random_span=over_steps(mean_of(np.stack(spans), 0)) if spans else None,
        grid=tuple(tuple(plain(value) for value in row) for row in by_decile(enrich)),
    )


def by_decile(values: np.ndarray) -> np.ndarray:
    """Average the steps of each tenth of the output; [layers, steps] to [layers, 10], NaN where a tenth has none."""
    steps = values.shape[1]
    tenth = DECILES * np.arange(steps) // steps
    return np.stack([mean_of(values[:, tenth == number], 1) for number in range(DECILES)], axis=1)


def over_steps(values: np.ndarray) -> float | None:
    """Average layers, then steps; what is undefined is left out."""
    return plain(float(mean_of(mean_of(values, 0), 0)))


def mean_of(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean along an axis without what is NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def plain(value: float) -> float | None:
    """Return a number as it is written, to six digits; None for NaN."""
    return None if np.isnan(value) else float(f"{value:.6g}")
