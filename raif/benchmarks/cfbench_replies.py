"""Replies of CFBench's judge, read strictly and as published, and what the verdicts on an answer amount to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from raif.benchmarks.checklists import Said, belonging, unfenced
from raif.benchmarks.items import Question

_TABBED = re.compile(r"(?:\t|\\t)[ \u3000]*([01])$")  # judges sometimes spell the tab out
_SPACED = re.compile(r"[ \u3000]([01])$")


class Published(NamedTuple):
    """What the published code makes of a reply.

    Fields:
        scores: of the criteria in order; of those that are left where `parsing` is "0".
        parsing: "1" all lines were as asked for, "0" only the lines with a 1 are left, "-1" nothing is.
    """

    scores: tuple[float, ...]
    parsing: str


def read_lines(questions: Sequence[Question], reply: str) -> list[Said | None]:
    """Return the entry on each criterion; None for one that has no readable verdict.

    An entry ends with a line that ends with a tab and 0 or 1 (where the reply has no tab, with white space and 0 or 1);
    see `belonging` for which criterion it is about.

    Example:
        >>> points = [Question(id="0", text="Three lines"), Question(id="1", text="No comma")]
        >>> [entry and entry.value for entry in read_lines(points, "No comma\\t0\\n\\nThree lines: yes")]
        [None, 0.0]
    """
    return belonging(questions, _entries(reply))


def _entries(reply: str) -> list[Said]:
    lines = [line.rstrip() for line in unfenced(reply).split("\n")]
    ending = _TABBED if any(_TABBED.search(line) for line in lines) else _SPACED
    entries: list[Said] = []
    texts: list[str] = []
    for line in [*lines, ""]:
        end = ending.search(line)
        text = line[: end.start()] if end else line
        if text.strip():
            texts.append(text)
        if texts and (end or not text.strip()):
            entries.append(Said("\n".join(texts), float(end[1]) if end else None))
            texts = []
    return entries


def official_reading(criteria: Sequence[str], reply: str) -> Published:
    """Read a reply as published: letter by letter, else only its lines with one tab and a 1, so that zeros are lost.

    A value there that is no number, at which the published code stops, is passed over.

    Example:
        >>> official_reading(["A", "B"], "A\\t0\\n\\nB\\t1"), official_reading(["A", "B"], "A.\\t0\\n\\nB\\t1")
        (Published(scores=(0.0, 1.0), parsing='1'), Published(scores=(1.0,), parsing='0'))
    """
    parts = [line.split("\t") for line in reply.split("\n\n")]
    scores = tuple(_number(part[1]) if len(part) == 2 else None for part in parts)
    read = tuple(score for score in scores if score is not None)
    if len(read) == len(parts) == len(criteria) and [part[0] for part in parts] == list(criteria):
        return Published(read, "1")
    lines = [line.split("\t") for line in reply.split("\n")]
    kept = tuple(1.0 for line in lines if len(line) == 2 and _number(line[1]) == 1)
    return Published(kept, "0") if kept else Published((0.0,), "-1")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value in (0, 1) else None


def official_verdicts(published: Published, count: int) -> list[float | None]:
    """Return the published scores of the criteria; None for all where it is unknown which of them is left."""
    return list(published.scores) if published.parsing == "1" else [None] * count


def item_metric(roles: Sequence[str], published: Published, *, rounded: bool = False) -> Mapping[str, float]:
    """Return CSR, ISR and PSR of an answer.

    Args:
        roles: primary or secondary, of the criteria in order.
        rounded: CSR to two decimals, as published.
    """
    scores, parsing = published
    share = sum(scores) / len(scores)
    csr = round(share, 2) if rounded else share
    return {"csr": csr, "isr": float(csr == 1), "psr": _priorities(roles, scores, parsing)}


def _priorities(roles: Sequence[str], scores: Sequence[float], parsing: str) -> float:
    if parsing == "-1":
        return 0.0
    if parsing == "0" or "primary" not in roles:
        return float(5 * sum(scores) > 4 * len(scores))
    secondary = [score for role, score in zip(roles, scores, strict=True) if role == "secondary"]
    if any(score == 0 for role, score in zip(roles, scores, strict=True) if role == "primary"):
        return 0.0
    return float(5 * sum(secondary) > 3 * len(secondary)) if secondary else 1.0
