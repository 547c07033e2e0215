"""How difficult instructions are for a policy: pass rates of its scored rollouts, and data filtered by them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from math import sqrt
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_gen.quality.files import MANIFEST, instruction_files, json_rows, raw_rows, read_manifest, write_json
from rewards.errors import RaifError

DIFFICULTY = "difficulty.jsonl"
UNMEASURED = "unmeasured"
_Z = 1.959964  # of a 95 % interval


class Thresholds(BaseModel):
    """From which pass rate an instruction is easy, and up to which it is hard; the others are medium."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hard: float = Field(default=0.25, ge=0, le=1)
    easy: float = Field(default=0.75, ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Thresholds:
        if self.hard >= self.easy:
            raise ValueError(f"hard ({self.hard}) must be below easy ({self.easy})")
        return self

    def label(self, rate: float) -> str:
        """Return easy, medium or hard.

        Example:
            >>> Thresholds().label(0.25), Thresholds().label(0.5), Thresholds().label(1.0)
            ('hard', 'medium', 'easy')
        """
        return "easy" if rate >= self.easy else "hard" if rate <= self.hard else "medium"


class PassRate(BaseModel):
    """What rollouts say of one instruction.

    Fields:
        n: rollouts that could be decided.
        pass_rate: share of them with every constraint satisfied (HAcc); None without any, as all that follows.
        low, high: 95 % Wilson interval of the pass rate.
        sacc: mean share of satisfied constraints.
        label: easy, medium, hard or unmeasured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    n: int
    pass_rate: float | None
    low: float | None
    high: float | None
    sacc: float | None
    label: str


class Rollouts:
    """Sums over scored rollouts, by instruction.

    `counts` says how many rows were read, and how many of them were left out: undecided ones, and direct ones, which
    answered without thinking for comparison.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._sums: dict[str, list[float]] = {}

    @classmethod
    def read(cls, paths: str | Path | Iterable[str | Path]) -> Rollouts:
        """Read score lines of `raif score` or the `rollouts.jsonl` of a run: files, or folders of `*.jsonl`.

        Raises:
            RaifError: if there is no such file, or a row has no `instruction_id` or no verdict.
        """
        found = cls()
        for path in _rollout_files(paths):
            for number, row in enumerate(json_rows(path), 1):
                if "instruction_id" not in row or "hard" not in row:
                    raise RaifError(
                        f"{path}: row {number} has no instruction_id or no hard verdict; it has: {', '.join(row)}. "
                        "Score the rollouts with `raif score` first."
                    )
                found.add(row)
        return found

    def add(self, row: dict[str, Any]) -> None:
        """Count one scored rollout."""
        self.counts["rows"] += 1
        if row["hard"] is None:
            self.counts["undecided"] += 1
        elif row.get("direct"):
            self.counts["direct"] += 1
        else:
            sums = self._sums.setdefault(row["instruction_id"], [0, 0, 0.0, 0])
            sums[0] += 1
            sums[1] += bool(row["hard"])
            if row.get("soft") is not None:
                sums[2] += row["soft"]
                sums[3] += 1

    def of(self, instruction_id: str, thresholds: Thresholds) -> PassRate:
        """Return the pass rate of an instruction."""
        n, passed, soft, judged = self._sums.get(instruction_id, (0, 0, 0.0, 0))
        if not n:
            return PassRate(id=instruction_id, n=0, pass_rate=None, low=None, high=None, sacc=None, label=UNMEASURED)
        low, high = wilson(int(passed), int(n))
        return PassRate(
            id=instruction_id,
            n=int(n),
            pass_rate=passed / n,
            low=low,
            high=high,
            sacc=soft / judged if judged else None,
            label=thresholds.label(passed / n),
        )


def wilson(passed: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share.

    Example:
        >>> [round(bound, 3) for bound in wilson(8, 10)]
        [0.49, 0.943]
    """
    share, square = passed / n, _Z * _Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = _Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))  # rounding aside


def write_difficulty(
    folder: str | Path, rollouts: str | Path | Iterable[str | Path], thresholds: Thresholds | None = None
) -> dict[str, Any]:
    """Write `difficulty.jsonl`, one row for each instruction, into the folder of a data set.

    Returns:
        Counts of labels and of rollouts; `unknown` are instructions of rollouts that are not in the data.

    Raises:
        RaifError: if no rollout belongs to the data, or a file is missing.
    """
    if not Path(folder).is_dir():
        raise RaifError(f"{folder} is no folder; give the folder of a data set.")
    limits, found = thresholds or Thresholds(), Rollouts.read(rollouts)
    labels: Counter[str] = Counter()
    out = Path(folder) / DIFFICULTY
    partial = out.with_name(f"{DIFFICULTY}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for path in instruction_files(folder):
            for row in json_rows(path):
                rate = found.of(row["id"], limits)
                labels[rate.label] += 1
                file.write(f"{rate.model_dump_json()}\n")
    measured = labels.total() - labels[UNMEASURED]
    if not measured:
        partial.unlink()
        raise RaifError(f"none of the rollouts belongs to an instruction of {folder}; give the rollouts of this data.")
    partial.replace(out)
    counts = {name: labels[name] for name in ("easy", "medium", "hard", UNMEASURED)}
    return {**counts, "rollouts": dict(found.counts), "unknown": len(found._sums) - measured}


def read_difficulty(folder: str | Path) -> dict[str, PassRate]:
    """Return the pass rates of a data set by instruction id."""
    return {row["id"]: PassRate.model_validate(row) for row in _difficulty_rows(Path(folder))}


def _difficulty_rows(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / DIFFICULTY
    if not path.is_file():
        raise RaifError(f"no {DIFFICULTY} in {folder}; write it from scored rollouts first.")
    return json_rows(path)


def parse_range(text: str) -> tuple[float, float]:
    """Read a range of pass rates, both ends included.

    Example:
        >>> parse_range("0.1..0.9")
        (0.1, 0.9)
    """
    first, dots, last = text.partition("..")
    try:
        low, high = float(first), float(last)
    except ValueError:
        low, high = 1.0, 0.0
    if not dots or not 0 <= low <= high <= 1:
        raise RaifError(f"{text!r} is no range of pass rates; expected two numbers from 0 to 1, such as 0.1..0.9.")
    return low, high


def write_filtered(folder: str | Path, out: str | Path, keep: tuple[float, float]) -> dict[str, Any]:
    """Copy a data set without the instructions whose pass rate is outside a range.

    Rows are copied byte for byte. Those without rollouts are kept and counted.

    Returns:
        Counts: `kept`, `unmeasured` (of those kept), `too easy`, `too hard`.
    """
    source, target = Path(folder), Path(out)
    if target.resolve() == source.resolve():
        raise RaifError(f"{out} is the data set itself; name another folder.")
    rates, counts = {row["id"]: row["pass_rate"] for row in _difficulty_rows(source)}, Counter[str]()
    splits: Counter[str] = Counter()
    hashes: dict[str, str] = {}
    for path in instruction_files(source):
        name = path.relative_to(source)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        partial = target / f"{name}.partial"
        digest = hashlib.sha256()
        with partial.open("wb") as file:
            for line, split in _kept(path, rates, keep, counts):
                file.write(line)
                digest.update(line)
                splits[split] += 1
        partial.replace(target / name)
        hashes[str(name)] = digest.hexdigest()
    summary = {name: counts[name] for name in ("kept", UNMEASURED, "too easy", "too hard")}
    filtered = {"keep": list(keep), **summary}
    write_json(
        target / MANIFEST,
        {**read_manifest(source), "counts": dict(splits), "files": hashes, "filtered_by_pass_rate": filtered},
    )
    return summary


def _kept(
    path: Path, rates: dict[str, float | None], keep: tuple[float, float], counts: Counter[str]
) -> Iterator[tuple[bytes, str]]:
    for _, line in raw_rows(path):
        row = json.loads(line)
        rate = rates.get(row["id"])
        if rate is not None and not keep[0] <= rate <= keep[1]:
            counts["too easy" if rate > keep[1] else "too hard"] += 1
            continue
        counts["kept"] += 1
        counts[UNMEASURED] += rate is None
        yield line, row["split"]


def _rollout_files(paths: str | Path | Iterable[str | Path]) -> Iterator[Path]:
    for given in [paths] if isinstance(paths, (str, Path)) else paths:
        path = Path(given)
        found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not found or not found[0].is_file():
            raise RaifError(f"no rollouts at {path}; give score lines of `raif score` or a run's rollouts.jsonl.")
        yield from found
