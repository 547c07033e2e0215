"""The report of one label: attention on the constraint where the output is right or wrong, met or broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from raif.attention.groups import Unit, auc, difference, matchings, sizes, too_few, units_of
from raif.attention.records import DECILES, AttentionRow
from raif.evaluation.stats import Estimate, item_means, mean, record
from raif.sustain.records import CONSTRAINED, PLACEBO

Label = Literal["solved", "met"]
NAMES: Mapping[Label, tuple[str, str]] = {"solved": ("sustained", "failed"), "met": ("met", "broken")}
STATEMENT = (
    "correlational: outputs that differ in attention differ in much else; nothing here says that attention causes the "
    "outcome."
)
_Value = Callable[[AttentionRow], float | None]


def label_record(rows: Sequence[AttentionRow], label: Label, seed: int = 0) -> dict[str, Any]:
    """Return the comparison of the outputs with and without what a label says; differences are bad less good.

    `difference`, `p` and `auc` are over all items together, `matched` over items of one domain.

    Args:
        rows: measured rollouts; those of other arms, and those of which nobody can say, do not count.
    """
    constrained = [row for row in rows if row.arm == CONSTRAINED]
    known = [row for row in constrained if getattr(row, label) is not None]
    parts = [[row for row in known if getattr(row, label) is wanted] for wanted in (True, False)]
    names = NAMES[label]
    units = _units(known, label, lambda row: row.enrich)
    found = difference(units, seed=seed)
    result: dict[str, Any] = {
        "names": list(names),
        "n": list(sizes(units)),
        "rollouts": [len(part) for part in parts],
        "unscored": len(constrained) - len(known),
        "means": [record(_mean(part, lambda row: row.enrich, seed)) for part in parts],
        "difference": record(found.estimate),
        "p": found.p,
        "auc": auc(units),
        "matched": {name: _matched(units, strata, seed) for name, strata in matchings(units).items()},
        "random_span": _control(known, label, seed),
        "grid": {name: _grid(part) for name, part in zip(names, parts, strict=True)},
        "trace": {name: _trace(part, seed) for name, part in zip(names, parts, strict=True)},
    }
    if reason := too_few(units):
        result["reason"] = reason
    return result


def controls(rows: Sequence[AttentionRow], seed: int = 0) -> dict[str, Any]:
    """Return the mean enrichment of the constraint, of random spans beside it, and of the placebo (None without).

    `no_room` counts the rollouts whose constraint is longer than the rest of the user turn: they have no random span.
    """
    constrained = [row for row in rows if row.arm == CONSTRAINED]
    neutral = [row for row in rows if row.arm == PLACEBO]
    return {
        "random_span": {
            **record(_mean(constrained, lambda row: row.random_span, seed)),
            "no_room": sum(row.random_span is None for row in constrained),
        },
        "placebo": record(_mean(neutral, lambda row: row.enrich, seed)) if neutral else None,
        "constraint": record(_mean(constrained, lambda row: row.enrich, seed)),
    }


# ---- parts --------------------------------------------------------------------------------------------------------


def _units(rows: Sequence[AttentionRow], label: Label, value: _Value) -> list[Unit]:
    return units_of(
        [
            Unit(
                item=row.id,
                bad=not getattr(row, label),
                value=found,
                tokens=float(row.output_tokens),
                family=row.family,
                constraint_tokens=float(row.constraint_tokens),
                domain=row.domain,
            )
            for row in rows
            if (found := value(row)) is not None
        ]
    )


def _matched(units: Sequence[Unit], strata: Sequence[str], seed: int) -> dict[str, Any]:
    found = difference(units, strata, seed)
    return {
        "difference": record(found.estimate),
        "p": found.p,
        "n": found.estimate.n,
        "strata": found.strata,
        "left_out": found.left_out,
    }


def _control(rows: Sequence[AttentionRow], label: Label, seed: int) -> dict[str, Any]:
    """Return the same difference of the random spans: what is there without any constraint."""
    found = difference(_units(rows, label, lambda row: row.random_span), seed=seed)
    return {"difference": record(found.estimate), "p": found.p}


def _mean(rows: Sequence[AttentionRow], value: _Value, seed: int) -> Estimate:
    known = [(row.id, found) for row in rows if (found := value(row)) is not None]
    return mean(list(item_means([key for key, _ in known], [found for _, found in known]).values()), seed)


def _trace(rows: Sequence[AttentionRow], seed: int) -> list[dict[str, Any]]:
    """Return the mean over layers in each tenth of the output."""
    return [record(_mean(rows, lambda row, tenth=tenth: _column(row, tenth), seed)) for tenth in range(DECILES)]  # type: ignore[misc]


def _column(row: AttentionRow, tenth: int) -> float | None:
    known = [found for layer in row.grid if (found := layer[tenth]) is not None]
    return sum(known) / len(known) if known else None


def _grid(rows: Sequence[AttentionRow]) -> list[list[float | None]]:
    layers = max((len(row.grid) for row in rows), default=0)
    return [[_cell(rows, layer, tenth) for tenth in range(DECILES)] for layer in range(layers)]


def _cell(rows: Sequence[AttentionRow], layer: int, tenth: int) -> float | None:
    known = [(row.id, found) for row in rows if (found := row.grid[layer][tenth]) is not None]
    means = item_means([key for key, _ in known], [found for _, found in known])
    return sum(means.values()) / len(means) if means else None
