"""What the rollout browser says of each question about an answer, beside its verdict and the judge's reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.rollouts import read_jsonl

Record = Mapping[str, Any]
BY = {"rule": "checked by a rule", "extract": "checked by a rule on what the judge points out"}
WORDS = {0.0: "no", 1.0: "yes"}


def read_questions(rollouts: Path) -> dict[str, list[Record]]:
    """Return the questions of every item of an evaluation, in their order, by id; none where the folder has none."""
    items = rollouts.with_name("items.jsonl")
    rows = read_jsonl(items) if items.is_file() else []
    return {row["id"]: row.get("questions", []) for row in rows}


def told_questions(row: Record, questions: Sequence[Record]) -> list[str]:
    """Return the text of every question of a rollout, and beneath it what bears on its verdict.

    Example:
        >>> row = {"verdicts": [{"status": "blocked"}], "answers": [{"id": "b", "value": 1.0, "official": 1.0}]}
        >>> print(told_questions(row, [{"id": "b", "text": "Is it short?", "depends_on": ["a"]}])[0])
        b: Is it short?
        counts only if a is satisfied; by itself: yes
    """
    by_id = {question["id"]: question for question in questions}
    return [
        _told(by_id.get(answer["id"], {}), answer, verdict["status"])
        for answer, verdict in zip(row["answers"], row["verdicts"], strict=True)
    ]


def _told(question: Record, answer: Record, status: str) -> str:
    text = f"{answer['id']}: {question['text']}" if question else str(answer["id"])
    return "\n".join(filter(None, [text, "; ".join(_details(question, answer, status))]))


def _details(question: Record, answer: Record, status: str) -> list[str]:
    value, official, needs = answer["value"], answer.get("official"), question.get("depends_on") or ()
    found = [BY.get(question.get("by", ""), ""), question.get("role", "")]
    if question.get("weight") is not None:
        found.append(f"weight {question['weight']:g}")
    if needs:
        found.append(f"counts only if {' and '.join(needs)} {'is' if len(needs) == 1 else 'are'} satisfied")
    if status == "blocked" or value not in (None, 0, 1):
        found.append(f"{'by itself' if needs else 'value'}: {_said(value)}")
    if official is not None and official != value:
        found.append(f"published code: {_said(official)}")
    return [part for part in found if part]


def _said(value: float | None) -> str:
    return "no readable verdict" if value is None else WORDS.get(value, f"{value:.3g}")
