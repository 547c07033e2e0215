"""Rollout records: one sampled completion with its verdicts, reward, advantage and keep flag, as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rewards.errors import RaifError
from rewards.reward import Reward


class LeafRecord(BaseModel):
    """One verdict with its evidence."""

    model_config = ConfigDict(frozen=True)

    path: str
    type: str
    status: str
    evidence: str


class Rollout(BaseModel):
    """One completion of one instruction. `step` is the optimiser step of training, -1 in evaluation.

    `group` counts the prompts of a step and `sample` the completions of a group; `direct` marks thinking-free ones.
    `reward` is None when it could not be decided, `advantage` and `kept` outside of training.
    """

    model_config = ConfigDict(frozen=True)

    instruction_id: str
    step: int = -1
    group: int
    sample: int
    direct: bool = False
    completion: str
    completion_tokens: int
    finish_reason: Literal["stop", "length"]
    well_formed: bool
    reward: float | None
    outcome: float | None
    parts: dict[str, float | None]
    correct: bool | None
    hard: bool | None
    soft: float | None
    verdicts: tuple[LeafRecord, ...]
    advantage: float | None = None
    kept: bool | None = None
    schema_version: Literal[1] = 1

    @classmethod
    def build(cls, reward: Reward, **fields: Any) -> Rollout:
        """Make a record from a reward breakdown and the bookkeeping fields."""
        judgement = reward.judgement
        return cls(
            reward=reward.total,
            outcome=reward.outcome,
            parts=dict(reward.parts),
            correct=reward.correct,
            well_formed=reward.well_formed,
            hard=judgement.hard,
            soft=judgement.soft,
            verdicts=tuple(
                LeafRecord(path=leaf.path, type=leaf.type, status=leaf.verdict.status, evidence=leaf.verdict.evidence)
                for leaf in judgement.leaves
            ),
            **fields,
        )


def append_jsonl(path: Path, rows: Iterable[BaseModel | dict[str, Any]]) -> None:
    """Append rows to a JSONL file, creating it and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            text = row.model_dump_json() if isinstance(row, BaseModel) else json.dumps(row, ensure_ascii=False)
            file.write(f"{text}\n")


R = TypeVar("R", bound=Rollout)


def read_rollouts(path: Path, model: type[R] = Rollout) -> Iterator[R]:  # type: ignore[assignment]
    """Read rollouts as `model`; a last line cut off by a crash is skipped, any other broken line is an error."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield model.model_validate_json(line)
        except ValidationError as error:
            if number == len(lines):
                return
            raise RaifError(f"{path}:{number} is not a rollout: {error.errors()[0]['msg']}.") from error


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read the complete rows of a JSONL file; a last line cut off by a crash is left out."""
    if not path.is_file():
        return []
    complete, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in complete.split("\n") if line.strip()]


def drop_after(path: Path, step: int) -> None:
    """Remove rows of later steps (and a cut-off last line), so that a resumed run does not record them twice."""
    if not path.is_file():
        return
    partial = path.with_suffix(".partial")
    with path.open("rb") as lines, partial.open("wb") as kept:  # rollouts of a long run do not fit into memory
        for line in lines:
            if line.endswith(b"\n") and line.strip() and json.loads(line).get("step", 0) <= step:
                kept.write(line)
    partial.replace(path)
