"""What a benchmark offers to the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from raif.chat import Messages
from raif.evaluation.records import EvaluatedRollout, Item, Output


class Suite(Protocol):
    """A benchmark.

    `home` is its data set on the hub ("" if there is none) and `top_p` the nucleus its authors sample from. `arms` are
    its conditions, the main one first; `versions` names what is reproduced.
    """

    name: str
    home: str
    top_p: float
    arms: tuple[str, ...]
    versions: dict[str, str]
    options: dict[str, Any]

    def load(self, data: str) -> list[Item]:
        """Read the items of a local folder, a file or a hub data set; ids are unique."""
        ...

    def messages(self, item: Item, arm: str) -> Messages:
        """Return the exact prompt of an item under an arm."""
        ...

    def judge(self, outputs: Sequence[Output]) -> list[EvaluatedRollout]:
        """Judge outputs under every profile, in their order."""
        ...

    def summarize(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return the metrics: objects `parity` and `strict`, groups, floor and ceiling."""
        ...

    def records(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, list[dict[str, Any]]]:
        """Return what else an evaluation folder keeps: rows of JSON lines by the name of the file."""
        return {}

    def item_record(self, rollout: EvaluatedRollout) -> dict[str, Any]:
        """Return what the exported JSON says of one judged response."""
        ...
