"""The tables of a report as JSON and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from raif.report.document import Block, Cell, Note, Run, Section, Split, Table

SCHEMA_VERSION = 1


def as_json(runs: Sequence[Run], comparison: Section | None) -> dict[str, Any]:
    """Return every table with its numbers: estimates as {value, low, high, n}, shares as fractions."""
    found: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "runs": [_run(run) for run in runs]}
    if comparison is not None:
        found["comparison"] = _tables(comparison)
    return found


def as_markdown(runs: Sequence[Run], comparison: Section | None) -> str:
    """Return every table as GitHub shows it; intervals stand in brackets behind their values."""
    parts = [f"# {_escaped(runs[0].title if len(runs) == 1 else f'{len(runs)} runs')}"]
    if comparison is not None:
        parts += ["## Comparison", *_markdown(comparison)]
    for run in runs:
        if len(runs) > 1:
            parts.append(f"## {_escaped(run.label)}")
        parts += [_escaped(run.lede), "\n".join(f"- {label}: {_escaped(value)}" for label, value in run.facts)]
        for section in run.sections:
            parts += _markdown(section)
    return "\n\n".join(part for part in parts if part) + "\n"


def _run(run: Run) -> dict[str, Any]:
    return {
        "label": run.label,
        "kind": run.kind,
        "title": run.title,
        "summary": run.lede,
        "facts": dict(run.facts),
        "results": {label: dict(estimate) for label, estimate in run.results.items()},
        "tables": [table for section in run.sections for table in _tables(section)],
        "notes": [_note(block) for section in run.sections for block in section.blocks if isinstance(block, Note)],
    }


def _note(note: Note) -> dict[str, Any]:
    return {"text": note.text, "items": list(note.items)}


def _tables(section: Section) -> list[dict[str, Any]]:
    return [
        {
            "section": section.title,
            "title": table.title,
            "columns": list(table.columns),
            "rows": [[cell.value for cell in row] for row in table.rows],
            "note": table.note,
        }
        for table in map(_table, section.blocks)
        if table is not None
    ]


def _table(block: Block) -> Table | None:
    block = block.table if isinstance(block, Split) else block
    return block if isinstance(block, Table) else None


def _markdown(section: Section) -> list[str]:
    parts = []
    for block in section.blocks:
        table = _table(block)
        if table is not None:
            parts += [f"### {_escaped(table.title)}", _grid(table), _escaped(table.note)]
        elif isinstance(block, Note):
            parts.append(
                "\n".join(
                    [_escaped(block.text), *([""] if block.items else []), *(f"- {_escaped(i)}" for i in block.items)]
                )
            )
    return parts


def _grid(table: Table) -> str:
    columns = [_escaped(column) or " " for column in table.columns]
    rules = ["---" if index == 0 or _is_text(table, index) else "---:" for index in range(len(columns))]
    rows = [[_said(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rules, *rows))


def _is_text(table: Table, index: int) -> bool:
    return bool(table.rows) and all(row[index].left for row in table.rows)


def _said(cell: Cell) -> str:
    return _escaped(f"{cell.text} {cell.interval}".rstrip())


def _escaped(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    Example:
        >>> print(_escaped("<b>a_b</b> | c"))
        \<b\>a\_b\</b\> \| c
    """
    return re.sub(r"([\\`*_<>|#~]|\](?=[(\[:]))", r"\\\1", " ".join(text.split()))
