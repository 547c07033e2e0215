"""CELLO's fourth criterion: lengths, sentences, samples and revisions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import fmean

from rewards.benchmarks.cello_rules import CountLimit, LengthLimit, OccurrenceLimit, Part, Revision, SampleLimit

_CHINESE = re.compile("[\u4e00-\u9fa5]")
# A sentence is text with its closing mark; an unclosed rest is none.
_SENTENCE_END = re.compile(r"[^。！？；\n][。！？；\n]")
_NUMBER = re.compile(r"\d+")
_LONGEST_NUMBER = 18  # digits; a longer one is above every limit
_UNKNOWN_OFFICIALLY = ("sample-mins", "sample-exact")


def count_part(limits: Sequence[CountLimit], answer: str, *, previous: str | None, official: bool = False) -> Part:
    """Score the count limits of one item: the mean of the length, sentence, revision and sample scores that apply.

    Several sample limits are alternatives: the best counts. `previous` is the previous answer of the conversation;
    without one a revision is not applicable.

    Example:
        >>> count_part((LengthLimit(criterion="word-min", limit=4),), "天气好", previous=None)
        Part(value=0.75, evidence='word-min 4: 3 Chinese characters')
    """
    parts = [_length(each, answer, official) for each in limits if isinstance(each, LengthLimit)]
    parts += [_revision(each, answer, previous) for each in limits if isinstance(each, Revision)]
    samples = [each for each in limits if isinstance(each, (SampleLimit, OccurrenceLimit))]
    if official:
        # Strict: a sample limit counts wherever it stands; published, only when one the code knows comes first.
        samples = [each for each in samples if each.criterion not in _UNKNOWN_OFFICIALLY]
        samples = samples if samples and samples[0] is limits[0] else []
    parts.append(_best_sample(samples, answer, official))
    values = [part.value for part in parts if part.value is not None]
    return Part(fmean(values) if values else None, "; ".join(part.evidence for part in parts if part.evidence))


def _length(limit: LengthLimit, answer: str, official: bool) -> Part:
    # Strict: sentence-max is scored; the published code overwrites its score with "not applicable".
    if official and limit.criterion == "sentence-max":
        return Part(None, "sentence-max: not scored by the published code")
    words = limit.criterion.startswith("word")
    counted = len((_CHINESE if words else _SENTENCE_END).findall(answer))
    evidence = f"{limit.criterion} {limit.limit}: {counted} {'Chinese characters' if words else 'closed sentences'}"
    if limit.criterion.endswith("-exact"):
        return Part(float(counted == limit.limit), evidence)
    low, high = (limit.limit, counted) if limit.criterion.endswith("-max") else (counted, limit.limit)
    return Part(min(1.0, low / high) if high else 1.0, evidence)


def _revision(limit: Revision, answer: str, previous: str | None) -> Part:
    if previous is None:
        return Part(None, f"revise {limit.limit}: no previous answer")
    longer, shorter = len(answer) >= len(previous), len(answer) <= len(previous)
    evidence = f"revise {limit.limit}: {len(answer)} characters after {len(previous)}"
    return Part(float(longer if limit.limit == "longer" else shorter), evidence)


def _best_sample(limits: Sequence[SampleLimit | OccurrenceLimit], answer: str, official: bool) -> Part:
    parts = []
    for each in limits:
        parts.append(_sample(each, answer))
        # Strict: each limit reads the whole answer; published, those after a table limit read the table alone.
        if official and each.criterion == "sample-table":
            answer = _table(answer) or answer
    return max(parts, key=lambda part: part.value or 0.0, default=Part(None))


def _sample(limit: SampleLimit | OccurrenceLimit, answer: str) -> Part:
    if isinstance(limit, OccurrenceLimit):
        return _occurrences(limit, answer)
    if limit.criterion == "sample-table":
        rows = _table(answer).count("\n") - 1  # without the head and the line below it
        return Part(float(rows == limit.limit), f"sample-table {limit.limit}: {max(rows, 0)} rows")
    numbers = [_number(digits) for digits in _NUMBER.findall(answer)]
    # Strict and official agree: the published loop over a set ends early only when a number is above the limit.
    evidence = f"sample-number {limit.limit}: highest number {max(numbers, default=None)}"
    return Part(float(max(numbers, default=0) == limit.limit), evidence)


def _occurrences(limit: OccurrenceLimit, answer: str) -> Part:
    found = [(answer.count(text), wanted) for text, wanted in limit.limit]
    # Strict: sample-exact is scored as its name says, sample-mins as sample-min; the published code knows neither.
    exact = limit.criterion == "sample-exact"
    kept = sum(count == wanted if exact else count >= wanted for count, wanted in found)
    return Part(kept / len(found), f"{limit.criterion}: {kept} of {len(found)} texts often enough")


def _table(answer: str) -> str:
    """Return the text from the first bar to the last, empty without a bar."""
    start = answer.find("|")
    return answer[start : answer.rfind("|") + 1] if start >= 0 else ""


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")
