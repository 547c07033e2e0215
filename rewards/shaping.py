"""How a judgement becomes the constraints reward."""

from __future__ import annotations

from typing import Literal

from rewards.judgement import Aggregation, Judgement

Shaping = Literal["paper", "fraction", "all_or_nothing", "ordinal"]
_ENDS = {"paper": (-2.0, 2.0), "fraction": (0.0, 1.0), "all_or_nothing": (0.0, 1.0), "ordinal": (-1.0, 1.0)}


def ends(shaping: Shaping) -> tuple[float, float]:
    """Return the values of a response that satisfies nothing and of one that satisfies everything."""
    return _ENDS[shaping]


def shape(judgement: Judgement, shaping: Shaping, aggregation: Aggregation = "flat") -> float | None:
    """Turn a judgement into a reward; None where that hangs on an unscored leaf.

    `paper`: all satisfied 2, none -2, else the satisfied share (arXiv 2506.01413, section 3.3). `fraction`: the share.
    `all_or_nothing`: 1 or 0. `ordinal`: all 1, some 0, none -1, which ranks responses without weighing leaves.

    Example:
        >>> from rewards import LeafVerdict, Status, Verdict
        >>> verdicts = Verdict(Status.SATISFIED), Verdict(Status.VIOLATED)
        >>> half = Judgement(tuple(LeafVerdict("", "", verdict) for verdict in verdicts))
        >>> shape(half, "paper"), shape(half, "fraction"), shape(half, "all_or_nothing"), shape(half, "ordinal")
        (0.5, 0.5, 0.0, 0.0)
    """
    none, full = _ENDS[shaping]
    if shaping == "all_or_nothing":
        return None if judgement.hard is None else full if judgement.hard else none
    share = judgement.score(aggregation)
    if share is None or shaping == "fraction":
        return share
    middle = share if shaping == "paper" else 0.0
    return {0.0: none, 1.0: full}.get(share, middle)
