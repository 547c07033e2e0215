"""What the verifiers say about one response, and how verdicts become one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rewards.constraint import Status, Verdict

#: `flat`: every counted leaf alike. `weighted`: by the weights of the leaves. `structural`: every part of a node alike.
Aggregation = Literal["flat", "weighted", "structural"]
FAILED = (Status.VIOLATED, Status.BLOCKED)
ROOT = "leaf"  # the path of a tree that is one leaf


class LeafVerdict(NamedTuple):
    """One leaf of the tree with its verdict; `path` leads to it from the root, for example `chain.1/and.0`."""

    path: str
    type: str
    verdict: Verdict
    weight: float = 1.0


class Judgement(NamedTuple):
    """The verdicts of all leaves in document order. A blocked leaf counts as failed and a skipped one does not count.

    Example:
        >>> def leaf(path, status): return LeafVerdict(path, "", Verdict(status))
        >>> found = Judgement((leaf("and.0", Status.SATISFIED), leaf("and.1/chain.0", Status.VIOLATED),
        ...                    leaf("and.1/chain.1", Status.BLOCKED), leaf("and.2/selection.0", Status.SKIPPED)))
        >>> found.hard, round(found.soft, 3), found.score("structural")
        (False, 0.333, 0.5)
    """

    leaves: tuple[LeafVerdict, ...]

    @property
    def counted(self) -> list[Status]:
        return [leaf.verdict.status for leaf in self.leaves if leaf.verdict.status is not Status.SKIPPED]

    @property
    def hard(self) -> bool | None:
        """Whether every counted leaf is satisfied; None where that hangs on an unscored leaf, or nothing counts.

        One failed leaf decides, whatever the unscored ones would have said.
        """
        counted = self.counted
        if any(status in FAILED for status in counted):
            return False
        return None if not counted or Status.UNSCORED in counted else True

    @property
    def soft(self) -> float | None:
        """The share of counted leaves that are satisfied; None when one is unscored or none counts."""
        return self.score("flat")

    def score(self, aggregation: Aggregation) -> float | None:
        """Return the satisfied share, from 0 to 1; None when a counted leaf is unscored or none counts."""
        counted = [leaf for leaf in self.leaves if leaf.verdict.status is not Status.SKIPPED]
        if not counted or any(leaf.verdict.status is Status.UNSCORED for leaf in counted):
            return None
        if aggregation == "structural":
            return _structural([(leaf.path.split("/"), leaf) for leaf in counted])
        weights = [leaf.weight if aggregation == "weighted" else 1.0 for leaf in counted]
        earned = (w for w, leaf in zip(weights, counted, strict=True) if leaf.verdict.status is Status.SATISFIED)
        return sum(earned) / sum(weights)


def _structural(items: Sequence[tuple[list[str], LeafVerdict]]) -> float:
    """Return the mean over the parts of a node of what each part scores; `items` are leaves with the path below it."""
    if not items[0][0] or items[0][0] == [ROOT]:
        return float(items[0][1].verdict.status is Status.SATISFIED)
    parts: dict[str, list[tuple[list[str], LeafVerdict]]] = {}
    for path, leaf in items:
        parts.setdefault(path[0], []).append((path[1:], leaf))
    return sum(map(_structural, parts.values())) / len(parts)
