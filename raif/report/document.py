"""What a report consists of, however it is written: tables of cells, figures, notes, and the runs they belong to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

Record = Mapping[str, Any]
NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One entry of a table: how it reads, and the `value` of the JSON export (a number, or an estimate record)."""

    text: str
    interval: str = ""
    value: Any = None
    bar: bool = False  # draw the share beside its number
    constraint: bool = False  # the name of a constraint, which opens its rollouts
    items: Sequence[str] = ()  # ids of items, each of which opens its rollouts
    quiet: bool = False
    left: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names; the first cell of a row names it. A folded table is opened on demand."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    folded: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A figure as inline SVG with its caption."""

    title: str
    svg: Markup
    note: str = ""
    legend: bool = False  # of the before/after chart
    kind: str = "picture"


@dataclass(frozen=True)
class Note:
    """A paragraph; `items` is a list beneath it."""

    text: str
    items: Sequence[str] = ()
    kind: str = "note"


@dataclass(frozen=True)
class Panels:
    """The training charts (`raif.report.charts.Panel`)."""

    panels: Sequence[Any]
    kind: str = "panels"


@dataclass(frozen=True)
class Split:
    """A table with a picture beside it, where there is room."""

    table: Table
    picture: Picture | None
    kind: str = "split"


Block = Table | Picture | Note | Panels | Split


@dataclass(frozen=True)
class Section:
    """A titled part of a run."""

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass
class Run:
    """One folder as the report shows it; `results` are the main estimates, by label, for comparisons."""

    kind: str
    label: str
    title: str
    lede: str
    facts: list[tuple[str, str]]
    sections: list[Section]
    results: dict[str, Record] = field(default_factory=dict)


def tables(section: Section) -> list[Table]:
    """Return the tables of a section in their order."""
    found = [block.table if isinstance(block, Split) else block for block in section.blocks]
    return [block for block in found if isinstance(block, Table)]


# ---- cells --------------------------------------------------------------------------------------------------------


def name(text: Any, constraint: bool = False) -> Cell:
    """Return a cell that holds words."""
    shown = NOTHING if text is None or text == "" else str(text)
    return Cell(shown, value=text, constraint=constraint, left=True)


def count(value: int | None) -> Cell:
    """Return a cell that holds a count.

    Example:
        >>> count(12000).text
        '12,000'
    """
    return Cell(NOTHING if value is None else f"{value:,}", value=value, quiet=True)


def share(estimate: Record | float | None, signed: bool = False, bar: bool = False, quiet: bool = False) -> Cell:
    """Return a share in percent with its interval, or the reason why there is none; a plain number has no interval.

    Example:
        >>> cell = share({"value": 0.25, "low": 0.1, "high": 0.4, "n": 20})
        >>> cell.text, cell.interval
        ('25.0', '[10.0, 40.0]')
    """
    return _estimate(estimate, 100, f"{'+' if signed else ''}.1f", bar, quiet)


def amount(estimate: Record | float | None, signed: bool = False) -> Cell:
    """Return a quantity with its interval, with three significant digits below 100."""
    value = _value(estimate)
    digits = ",.0f" if value is not None and abs(value) >= 100 else ".3g"
    return _estimate(estimate, 1, f"{'+' if signed else ''}{digits}", False, False)


def ratio(estimate: Record | None, signed: bool = False) -> Cell:
    """Return a ratio, or a difference of ratios, with its interval."""
    return _estimate(estimate, 1, f"{'+' if signed else ''}.2f", False, False)


def p_value(p: float | None) -> Cell:
    """Return a p value.

    Example:
        >>> p_value(0.00002).text
        '< 0.001'
    """
    text = NOTHING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"
    return Cell(text, value=p)


def reasons_once(cells: Sequence[Cell]) -> list[Cell]:
    """Leave out a reason for a missing value that a cell further left gives already."""
    said: set[str] = set()
    found = []
    for cell in cells:
        again = cell.text == NOTHING and cell.interval in said
        found.append(replace(cell, interval="") if again else cell)
        said.add(cell.interval)
    return found


def item_links(ids: Sequence[str]) -> Cell:
    """Return a cell whose ids of items open the rollouts of these.

    Example:
        >>> item_links(["gsm8k/7", "gsm8k/9"]).text
        'gsm8k/7, gsm8k/9'
    """
    ids = list(dict.fromkeys(ids))
    return Cell(", ".join(ids) or NOTHING, value=ids, items=ids, left=True)


def _value(estimate: Record | float | None) -> float | None:
    found = estimate.get("value") if isinstance(estimate, Mapping) else estimate
    number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) if number and found is not None else None


def _estimate(estimate: Record | float | None, scale: float, form: str, bar: bool, quiet: bool) -> Cell:
    value = _value(estimate)
    if value is None:
        record = dict(estimate) if isinstance(estimate, Mapping) else {}
        return Cell(NOTHING, str(record.get("reason") or ""), record or None, bar=bar, quiet=quiet)
    text, interval = f"{scale * value:{form}}", ""
    if isinstance(estimate, Mapping):
        low, high = estimate.get("low"), estimate.get("high")
        if low is not None and high is not None:
            interval = f"[{scale * low:{form}}, {scale * high:{form}}]"
    raw = dict(estimate) if isinstance(estimate, Mapping) else value
    return Cell(text, interval, raw, bar=bar, quiet=quiet)
