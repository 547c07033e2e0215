"""The spans that ComplexBench's extractor took from an answer, read from its reply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_HEADING = "评测对象】"  # the end of the heading under which the extractor is told to put its spans
_LABEL = re.compile(r"评[分测]对象[*\s]{0,4}[：:][*\s]{0,4}")
_TRIES = 8  # headings in a reply that are tried: one is its own, the rest are quoted
_NOTE = re.compile(r"\n\s{0,20}(?:请)?注意")  # a closing remark of the extractor
_QUOTES = ('""', "“”", "''", "‘’", "「」", "『』")


def read_spans(reply: str | None, answer: str, *, each: bool) -> list[str] | None:
    """Read the spans of a reply; every one is a part of the answer, or the whole answer for "all".

    Returns [] for "None" (the answer holds no such span), and None where the reply cannot be read: no reply, nothing
    after the heading, or a span that the answer does not hold (the extractor invented it). `each` splits at "||",
    unless the answer holds the whole text, bars included. A span may itself hold a heading, so that the first heading
    counts whose text the answer holds; if the answer holds a heading, no other than the first is tried.

    Example:
        >>> read_spans("评分对象：“好的。”||再见。", "他说好的。再见。", each=True)
        ['好的。', '再见。']
        >>> read_spans("评分对象：你好。", "他说好的。", each=False) is None
        True
    """
    tries = 1 if _HEADING in answer or _LABEL.search(answer) else _TRIES
    for body in islice(_bodies(reply or ""), tries):
        for text in (body.strip(), _without_note(body)):  # a span of the answer may hold what looks like a note
            spans = _spans(text, answer, each=each)
            if spans is not None:
                return spans
    return None


def _bodies(reply: str) -> Iterator[str]:
    """Yield what follows each heading and its label; without headings, each label; without both, all."""
    if _HEADING in reply:
        for found in re.finditer(_HEADING, reply):
            body = reply[found.end() :].lstrip("* \n")
            label = _LABEL.match(body)
            yield body[label.end() :] if label else body
    elif _LABEL.search(reply):
        for found in _LABEL.finditer(reply):
            yield reply[found.end() :]
    else:
        yield reply


def _spans(text: str, answer: str, *, each: bool) -> list[str] | None:
    # Departure: "all" and "None" are whole replies; the published code takes any prefix "all" and any "None" inside.
    word = _bare(text)
    if word == "all":
        return [answer.strip()] if answer.strip() else []
    if word == "None":
        return []
    parts = [part for part in map(str.strip, text.split("||")) if part] if each else [text]
    spans = []
    for part in [text] if len(parts) > 1 and _found(text, answer) else parts:
        span = _found(part, answer)
        if not span:
            return None
        spans.append(span)
    return spans or None


def _bare(text: str) -> str:
    return text.rstrip("。.").strip("\"'“”‘’").rstrip("。.")


def _found(part: str, answer: str) -> str | None:
    """Return the part as the answer holds it: as written, else without one pair of quotes around it."""
    if part in answer:
        return part
    inner = part[1:-1].strip()
    return inner if inner and part[0] + part[-1] in _QUOTES and inner in answer else None


def official_spans(reply: str | None, answer: str, *, each: bool) -> list[str]:
    """Return the spans as the published code reads them, whatever the answer holds; `each` makes no difference there.

    Example:
        >>> official_spans("评分对象：alligator", "好的。", each=False)
        ['好的。']
    """
    if reply is None:
        return []
    body = _official_body(reply)
    if "None" in body:
        return []
    return [answer] if body.startswith("all") else [part.strip() for part in body.split("||")]


def _official_body(reply: str) -> str:
    for mark in ("评分对象：", _HEADING):
        if mark in reply:
            return _without_note(reply.rpartition(mark)[2])
    return _without_note(reply).rpartition("：")[2].strip()


def _without_note(text: str) -> str:
    return _NOTE.split(text, maxsplit=1)[0].strip()
