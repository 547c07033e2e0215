"""Counts and means of score lines, added up while they stream by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rewards.constraint import Status

_DECIDED = (Status.SATISFIED, Status.VIOLATED, Status.BLOCKED)
_COUNTS = ("rows", "scored", "unscored", "problems")
_COLUMNS = {
    "reward": "reward",
    "outcome": "outcome",
    "hard": "hacc",
    "soft": "sacc",
    "correct": "correct",
    "well_formed": "well_formed",
    "truncated": "truncated",
}


class Tally:
    """What is known of the lines so far.

    Sums depend on their order in the last digit; tallies that are merged in the order of their lines, chunk by chunk,
    give the same numbers whoever counted the chunks.
    """

    def __init__(self) -> None:
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.sums: dict[str, tuple[float, int]] = {}
        self.first: dict[str, str] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one score line."""
        kind = "problems" if line["problem"] else "unscored" if line["reward"] is None else "scored"
        self.counts["rows"] += 1
        self.counts[kind] += 1
        if kind != "scored":
            self.first.setdefault(kind, f"line {line['line']}: {line['problem'] or line['reason']}")
        for column, name in _COLUMNS.items():
            self._add(name, line[column])
        for label, value in line["parts"].items():
            self._add(f"rewards/{label}", value)
        for verdict in line["verdicts"]:
            if verdict["status"] in _DECIDED:
                self._add(f"constraints/{verdict['type']}", verdict["status"] == Status.SATISFIED)

    def _add(self, name: str, value: float | None) -> None:
        if value is not None:
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def merge(self, other: Tally) -> None:
        """Add the tally of later lines."""
        for kind, count in other.counts.items():
            self.counts[kind] += count
        for name, (total, count) in other.sums.items():
            before = self.sums.get(name, (0.0, 0))
            self.sums[name] = before[0] + total, before[1] + count
        self.first = other.first | self.first

    def summary(self) -> dict[str, Any]:
        """Return counts, means with the number of rows (or leaves) behind each, and the first undecided line."""
        means = {name: {"mean": total / count, "n": count} for name, (total, count) in sorted(self.sums.items())}
        return {
            **self.counts,
            "means": means,
            "first_unscored": self.first.get("unscored", ""),
            "first_problem": self.first.get("problems", ""),
            "schema_version": 1,
        }


def combined(summaries: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the summary of several score files from their names and summaries.

    Example:
        >>> tally = Tally()
        >>> tally.add({"line": 1, "reward": 0.5, "outcome": 0.5, "hard": False, "soft": 0.5, "correct": None,
        ...            "well_formed": True, "truncated": False, "parts": {}, "verdicts": [], "problem": ""})
        >>> combined([("a", tally.summary()), ("b", tally.summary())])["means"]["sacc"]
        {'mean': 0.5, 'n': 2}
    """
    whole = Tally()
    for name, summary in summaries:
        part = Tally()
        part.counts = {kind: summary[kind] for kind in _COUNTS}
        part.sums = {key: (each["mean"] * each["n"], each["n"]) for key, each in summary["means"].items()}
        first = {"unscored": summary["first_unscored"], "problems": summary["first_problem"]}
        part.first = {kind: f"{name}: {text}" for kind, text in first.items() if text}
        whole.merge(part)
    return whole.summary()


def tally_of(lines: Iterable[Mapping[str, Any]]) -> Tally:
    """Return the tally of a chunk of score lines."""
    tally = Tally()
    for line in lines:
        tally.add(line)
    return tally
