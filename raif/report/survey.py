"""The first pass over rollouts: where each stands in its file, which are shown, and what every item came to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from raif.evaluation.stats import Estimate, rate
from raif.report.runs import Source, item_id
from rewards.errors import RaifError

ROLLOUTS = 20_000  # shown at most
EVALUATED = 14_000  # of these kept for evaluations, where there are more of both
SIZE = 96_000_000  # characters of text on the page at most
_NEEDED = ("instruction_id", "group", "sample", "completion", "verdicts")

Group = tuple[Any, ...]


class Slot(NamedTuple):
    """Rollouts that are shown under one name: an arm of an evaluation, or the training of a run."""

    run: int
    name: str
    training: bool


class Place(NamedTuple):
    """Where a rollout stands: the number of its slot and of its file, its offset there, its length in characters."""

    slot: int
    source: int
    offset: int
    size: int


class Outcomes(NamedTuple):
    """What the items of a slot came to: (id, value) in file order, by field, and the verdicts of each constraint."""

    fields: dict[str, list[tuple[str, float]]]
    constraints: dict[str, list[tuple[str, bool]]]


@dataclass
class Survey:
    """Slots in order, the rollouts of each group, and the outcomes of every slot that is no training."""

    slots: list[Slot] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    evaluated: dict[Group, list[Place]] = field(default_factory=dict)
    trained: dict[Group, list[Place]] = field(default_factory=dict)
    outcomes: dict[int, Outcomes] = field(default_factory=dict)
    apart: set[int] = field(default_factory=set)  # slots that are arms of SUSTAIN, or benchmarks of one run

    def add(self, number: int, source: Source, offset: int, row: Mapping[str, Any]) -> None:
        """Take a rollout into account, and forget its text."""
        slot = self._slot(Slot(source.run, _name(source, row), source.training))
        place = Place(slot, number, offset, max(len(row["completion"]), len(row.get("prompt") or "")))
        self.totals[slot] += 1
        if "domain" in row or source.within:
            self.apart.add(slot)
        if source.training:
            group: Group = (source.run, row.get("step", -1), source.path.name, row["group"])
            self.trained.setdefault(group, []).append(place)
        else:
            self.evaluated.setdefault((item_id(row["instruction_id"], source.within),), []).append(place)
            _note(self.outcomes[slot], row)

    def _slot(self, slot: Slot) -> int:
        if slot not in self.slots:
            self.slots.append(slot)
            self.totals.append(0)
            self.outcomes[len(self.slots) - 1] = Outcomes(defaultdict(list), defaultdict(list))
        return self.slots.index(slot)

    def chosen(self, limit: int = ROLLOUTS) -> list[Place]:
        """Return the rollouts to show, by slot: all, or evenly spaced whole groups if they are more than `limit`."""
        evaluated = sum(map(len, self.evaluated.values()))
        trained = sum(map(len, self.trained.values()))
        first = min(evaluated, max(limit - trained, limit * EVALUATED // ROLLOUTS))
        kept = spread(list(self.evaluated.values()), first)
        kept += spread([self.trained[key] for key in sorted(self.trained)], limit - first)
        return sorted((place for group in kept for place in group), key=lambda place: place.slot)

    def constraint_rates(self, slots: Sequence[int]) -> dict[str, Estimate]:
        """Return the pass rate of every constraint type in slots together; blocked leaves count as failed."""
        found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for slot in slots:
            for name, rows in self.outcomes[slot].constraints.items():
                found[name] += rows
        return {name: rate(*zip(*rows, strict=True)) for name, rows in sorted(found.items())}


def survey(sources: Sequence[Source]) -> Survey:
    """Read every rollout once, one at a time."""
    found = Survey()
    for number, source in enumerate(sources):
        for offset, row in read_rows(source.path):
            try:
                found.add(number, source, offset, row)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise RaifError(
                    f"{source.path}: the rollout at byte {offset} is damaged ({type(error).__name__}: {error}); remove "
                    "it, or run the command that wrote it again."
                ) from error
    return found


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (offset, rollout); a last line cut off by a crash is left out, any other broken line is an error."""
    offset = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = _parse(line)
                if row is not None:
                    yield offset, row
                elif line.endswith(b"\n"):
                    raise RaifError(f"{path}:{number} is no rollout; expected a JSON object with {', '.join(_NEEDED)}.")
            offset += len(line)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and all(name in row for name in _NEEDED) else None


def spread(groups: Sequence[list[Place]], limit: int) -> list[list[Place]]:
    """Return all groups, or evenly spaced ones with at most `limit` rollouts; always one.

    Groups stay whole because a rollout is read beside those it was compared with.
    """
    total = sum(map(len, groups))
    if total <= limit or not groups:
        return list(groups)
    count = max(1, len(groups) * limit // total)
    while True:
        kept = [groups[round(i * (len(groups) - 1) / max(1, count - 1))] for i in range(count)]
        if count == 1 or sum(map(len, kept)) <= limit:
            return kept
        count -= 1


def text_limit(sizes: Sequence[int], budget: int = SIZE) -> int | None:
    """Return how many characters of a text are shown so that all together stay within the budget; None for all.

    Example:
        >>> text_limit([10, 10, 100], budget=60)
        40
    """
    if sum(sizes) <= budget:
        return None
    left = budget
    for index, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - index)
        if size > share:
            return share
        left -= size
    return None


def _name(source: Source, row: Mapping[str, Any]) -> str:
    """Return what a rollout's slot is called: its source, its arm, or both where a run has several evaluations."""
    arm = row.get("arm")
    if source.training or arm is None:
        return source.name
    if source.name == "evaluation":
        return str(arm)
    return source.name if arm == "constrained" else f"{source.name}, {arm}"


def _note(outcomes: Outcomes, row: Mapping[str, Any]) -> None:
    if row.get("dose", 0) > 1:  # of SUSTAIN: more constraints than the score is about
        return
    item = row["instruction_id"]
    for name in ("hard", "soft", "correct", "official_hard", "official_soft"):
        if row.get(name) is not None:
            outcomes.fields[name].append((item, float(row[name])))
    for leaf in row["verdicts"]:
        if leaf["status"] not in ("skipped", "unscored"):
            outcomes.constraints[leaf["type"]].append((item, leaf["status"] == "satisfied"))
