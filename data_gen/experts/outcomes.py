"""What became of an instruction's demonstrations: the scores of every candidate and the one that was taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from data_gen.experts.checks import Finding
from rewards.instruction import Demonstration


class CandidateScores(BaseModel):
    """What was found of one candidate.

    Fields:
        sample: its number among the instruction's candidates.
        hard, soft: as in `rewards.Judgement`; None where something is unscored, or there was nothing to judge.
        share: of the counted demands that are satisfied, unscored ones counting as not.
        correct: whether the task is solved; None without a ground truth, or where that cannot be decided.
        words: of thinking and answer together.
        tokens: of the completion, where the source counts them.
        reasons, seen: why it was turned down, by name, and what was seen of each; empty for a good one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample: int
    hard: bool | None = None
    soft: float | None = None
    share: float = 0.0
    correct: bool | None = None
    words: int = 0
    tokens: int = 0
    reasons: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sort the best candidate first: accepted, then hard, soft, correctness, and the shortest of equals."""
        return (
            bool(self.reasons),
            _falling(self.hard),
            -(self.share if self.soft is None else self.soft),
            _falling(self.correct),
            self.words,
            self.sample,
        )


def _falling(value: bool | None) -> int:
    """Put yes before undecided before no."""
    return {True: 0, None: 1, False: 2}[value]


class ExpertOutcome(BaseModel):
    """The best demonstration of an instruction, good or not; a line of `experts.jsonl`.

    Fields:
        thinking, answer: None where the source had nothing.
        origin: as in `rewards.Demonstration.origin`; empty where the source had nothing.
        chosen: the number of the candidate; None where the source had nothing.
        scores: of every candidate.
        reasons: why the best one was turned down; empty where it is good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction_id: str
    thinking: str | None = None
    answer: str | None = None
    origin: str = ""
    chosen: int | None = None
    scores: tuple[CandidateScores, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def demonstration(self) -> Demonstration | None:
        """The demonstration, where it is good."""
        if self.reasons or self.thinking is None or self.answer is None:
            return None
        return Demonstration(thinking=self.thinking, answer=self.answer, origin=self.origin)


@dataclass
class ExpertReport:
    """Counts of a run: instructions asked for, those that got a demonstration, and reasons.

    Fields:
        rejected: instructions without a demonstration, by the reasons of their best candidate.
        turned_down: candidates, by reason; one candidate may have several.
        left_over: what the source held for no instruction, by reason.
        usage: requests and tokens spent on a served model.
    """

    instructions: int = 0
    accepted: int = 0
    candidates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    turned_down: Counter[str] = field(default_factory=Counter)
    left_over: Counter[str] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: ExpertOutcome) -> None:
        """Count one outcome."""
        self.instructions += 1
        self.candidates += len(outcome.scores)
        self.accepted += not outcome.reasons
        self.rejected.update(outcome.reasons)
        self.turned_down.update(reason for scores in outcome.scores for reason in scores.reasons)

    def summary(self) -> dict[str, Any]:
        """Return the counts as JSON values, the most frequent reasons first."""
        named = {name: getattr(self, name) for name in ("rejected", "turned_down", "left_over")}
        counts = {name: getattr(self, name) for name in ("instructions", "accepted", "candidates")}
        ordered = {name: dict(sorted(found.items(), key=_frequent)) for name, found in named.items()}
        return counts | ordered | ({"usage": dict(self.usage)} if self.usage else {})


def _frequent(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def reasons_of(findings: Sequence[Finding]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of findings, each once, with what was seen first of each."""
    named: dict[str, str] = {}
    for finding in findings:
        named.setdefault(finding.reason, finding.seen)
    return tuple(named), tuple(named.values())
