"""How well does a judge agree with labels? Read a labelled file, ask the judge, and count.

A row is a JSON line with `question`, `request`, `answer`, `label` (true, false, "yes" or "no") and, optionally,
`language`; other fields are ignored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError, field_validator

from raif.evaluation.stats import Estimate, proportion
from rewards.errors import RaifError
from rewards.judge import Consultant, Opinion, Question


class LabelledRow(BaseModel):
    """One question about one answer, with what a human says of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    request: str
    answer: str
    label: StrictBool
    language: str = "en"

    @field_validator("label", mode="before")
    @classmethod
    def _as_bool(cls, value: object) -> object:
        words = {"yes": True, "no": False}
        return words.get(value.strip().lower(), value) if isinstance(value, str) else value

    def asked(self) -> Question:
        """Return the question without its label."""
        return Question.model_validate(self.model_dump(exclude={"label"}))


class BadRow(NamedTuple):
    """A line that is no row, counted from 1, and why."""

    line: int
    problem: str


class LabelledFile(NamedTuple):
    """The rows of a file, and the lines that are none."""

    rows: list[LabelledRow]
    bad: list[BadRow]


class Agreement(NamedTuple):
    """How a judge's opinions compare with labels. Yes is the positive class; a figure that has no base is None.

    `agreement`, `precision`, `recall`, `f1` and `kappa` are over the decided items alone; `confusion` counts
    (label, verdict) pairs such as `yes/no`, with verdict `none` where the judge has no opinion; `undecided` counts the
    latter by status, and `abstention_rate` is their share of all items.
    """

    n: int
    agreement: Estimate
    precision: float | None
    recall: float | None
    f1: float | None
    kappa: float | None
    abstention_rate: float | None
    undecided: dict[str, int]
    confusion: dict[str, int]

    def record(self) -> dict[str, Any]:
        """Return plain values for JSON; `agreement` becomes its value with the ends of its 95 % Wilson interval."""
        interval = {"agreement": self.agreement.value, "low": self.agreement.low, "high": self.agreement.high}
        return {**self._asdict(), **interval, "decided": self.agreement.n}


def read_labelled(path: Path) -> LabelledFile:
    """Read a labelled file; blank lines are skipped.

    Raises:
        RaifError: if there is no file, or no row in it.
    """
    if not path.is_file():
        raise RaifError(f"no labelled rows at {path}; expected JSON lines with question, request, answer, label.")
    found = LabelledFile([], [])
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            row = parse_labelled(line)
            if isinstance(row, str):
                found.bad.append(BadRow(number, row))
            else:
                found.rows.append(row)
    if not found.rows:
        first = f"; line {found.bad[0].line}: {found.bad[0].problem}" if found.bad else ""
        raise RaifError(f"{path} holds no labelled row{first}.")
    return found


def parse_labelled(line: bytes) -> LabelledRow | str:
    """Return the row of a line, or what is wrong with it."""
    try:
        row = LabelledRow.model_validate(json.loads(line))
        row.asked()
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return row


def check_judge(judge: Consultant, rows: Sequence[LabelledRow]) -> tuple[Agreement, list[Opinion]]:
    """Ask the judge every question; return how it agrees, and its opinions in the order of the rows."""
    opinions = judge.ask([row.asked() for row in rows])
    return compare([row.label for row in rows], opinions), opinions


def compare(labels: Sequence[bool], opinions: Sequence[Opinion]) -> Agreement:
    """Compare opinions with labels.

    Kappa is Cohen's: (agreement - chance) / (1 - chance), chance being that of two raters with these shares of yes.

    Example:
        >>> result = compare([True, True, False, False], [Opinion(True), Opinion(False), Opinion(False), Opinion(None)])
        >>> result.agreement.value, result.precision, result.recall, result.confusion["no/none"]
        (0.6666666666666666, 1.0, 0.5, 1)
    """
    pairs = list(zip(labels, opinions, strict=True))
    decided = [(label, opinion.yes) for label, opinion in pairs if opinion.yes is not None]
    counts = Counter(decided)
    both, missed, wrong, neither = (
        counts[pair] for pair in [(True, True), (True, False), (False, True), (False, False)]
    )
    n = len(decided)
    kappa = None
    if n:
        chance = ((both + missed) * (both + wrong) + (neither + wrong) * (neither + missed)) / n**2
        kappa = _ratio((both + neither) / n - chance, 1 - chance)
    return Agreement(
        n=len(pairs),
        agreement=proportion([label == verdict for label, verdict in decided]),
        precision=_ratio(both, both + wrong),
        recall=_ratio(both, both + missed),
        f1=_ratio(2 * both, 2 * both + wrong + missed),
        kappa=kappa,
        abstention_rate=_ratio(len(pairs) - n, len(pairs)),
        undecided=dict(sorted(Counter(opinion.status for _, opinion in pairs if opinion.yes is None).items())),
        confusion=_confusion(pairs),
    )


def _confusion(pairs: Sequence[tuple[bool, Opinion]]) -> dict[str, int]:
    words: dict[bool | None, str] = {True: "yes", False: "no", None: "none"}
    table = {f"{words[label]}/{words[verdict]}": 0 for label in (True, False) for verdict in (True, False, None)}
    for label, opinion in pairs:
        table[f"{words[label]}/{words[opinion.yes]}"] += 1
    return table


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
