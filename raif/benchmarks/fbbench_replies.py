"""Replies of FB-Bench's judge, read strictly and as published, and the score of an answer."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from raif.benchmarks.checklists import Said, belonging, unfenced
from raif.benchmarks.items import Question

REASON, RESULT, WEIGHT = "评判理由", "评判结果", "weight"
REPETITIVE = "$REPETITIVE PATTERNS$"  # stands for the verdicts where a server refused to judge an endless answer
_RESULTS = {"是": 1.0, "否": 0.0}


def skeleton(questions: Sequence[Question]) -> str:
    """Return the JSON that the judge fills in."""
    blank = {question.text: {REASON: "", RESULT: "", WEIGHT: question.weight} for question in questions}
    return json.dumps(blank, ensure_ascii=False, indent=4)


def read_judgement(questions: Sequence[Question], reply: str) -> list[Said | None]:
    """Return the entry on each point of a checklist; None for one that has no readable verdict.

    A verdict is the word for yes or the word for no, nothing between; what the reply says of weights plays no part. See
    `belonging` for which point an entry is about.

    Example:
        >>> points = [Question(id="0", text="Polite?"), Question(id="1", text="Short?")]
        >>> reply = '{"Polite?": {"评判理由": "", "评判结果": "是"}, "Short?": {"评判结果": "部分"}}'
        >>> [entry and entry.value for entry in read_judgement(points, reply)]
        [1.0, None]
    """
    try:  # objects as tuples of pairs, so that a key which occurs twice is seen
        found = json.loads(unfenced(reply), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return [None] * len(questions)
    said = [_said(key, entry) for key, entry in found] if isinstance(found, tuple) else []
    return belonging(questions, said)


def _said(key: str, entry: Any) -> Said:
    fields = dict(entry) if isinstance(entry, tuple) else {}
    result, reason = fields.get(RESULT), fields.get(REASON)
    value = _RESULTS.get(result.strip()) if isinstance(result, str) else None
    return Said(key, value, _writable(reason) if isinstance(reason, str) else "")


def _writable(text: str) -> str:
    """Return a text as it can be written to a file: half of an escaped surrogate pair becomes a question mark."""
    return text.encode(errors="replace").decode()


def official_judgement(reply: str) -> dict[str, Any] | None:
    """Return a reply that the published checks let pass: keys and weights may be any; None if it is not."""
    try:
        found = json.loads(reply)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    if [*found.values()] == [REPETITIVE]:
        return {}
    passed = all(key and _passes(entry) for key, entry in found.items())
    return found if passed and -1e-6 <= _sum_or_any(found) <= 1 + 1e-6 else None


def _passes(entry: Any) -> bool:
    if not isinstance(entry, dict) or not {REASON, RESULT, WEIGHT} <= entry.keys():
        return False
    reason, result, weight = entry[REASON], entry[RESULT], entry[WEIGHT]
    if not isinstance(reason, str) or not reason or not isinstance(result, str) or result not in _RESULTS:
        return False
    return weight is None or (isinstance(weight, int | float) and 0 < weight <= 1)


def official_score(replies: Sequence[str]) -> float | None:
    """Return the published score of an answer: by the weights of the first reply that passes, None if none does."""
    found = _first_passing(replies)
    return None if found is None else _sum_or_any(found)


def official_verdicts(questions: Sequence[Question], replies: Sequence[str]) -> list[float | None]:
    """Return what the first reply that passes says of each point; None where it does not repeat its text exactly."""
    found = _first_passing(replies) or {}
    return [_RESULTS[found[each.text][RESULT]] if each.text in found else None for each in questions]


def _first_passing(replies: Sequence[str]) -> dict[str, Any] | None:
    return next((found for found in map(official_judgement, replies) if found is not None), None)


def _sum_or_any(judgement: dict[str, Any]) -> float:
    score = 0.0
    for entry in judgement.values():
        if _RESULTS[entry[RESULT]]:
            if entry[WEIGHT] is None:
                return 1.0
            score += entry[WEIGHT]
    return score


def item_score(questions: Sequence[Question], values: Sequence[float | None]) -> float:
    """Return the score of an answer: the weights of the points that hold, or 1 if one without a weight holds.

    Points without weights are alternatives: the benchmark asks whether an answer stays right in any of these ways.

    Example:
        >>> item_score([Question(id="0", text="", weight=0.3), Question(id="1", text="", weight=0.7)], [1, None])
        0.3
        >>> item_score([Question(id="0", text=""), Question(id="1", text="")], [0, 1])
        1.0
    """
    held = [question.weight for question, value in zip(questions, values, strict=True) if value]
    return 1.0 if None in held else math.fsum(weight for weight in held if weight is not None)
