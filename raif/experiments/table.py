"""An experiment as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raif.evaluation.comparison import cell

COLUMNS = {"hacc": "HAcc", "sacc": "SAcc", "correct": "correct", "truncated": "truncated", "tokens": "tokens"}


def markdown(record: Mapping[str, Any]) -> str:
    """Return the rule, the rows and the effects of an experiment; shares in per cent, 95 % intervals in brackets."""
    parts = [f"# {record['experiment']}", record["rule"], _rows(record["rows"])]
    if record["effects"]:
        parts += ["Effects, with p values of Holm over all of them:", _effects(record["effects"])]
    if left_out := record.get("left_out"):
        parts.append("Left out: " + ", ".join(f"{count} {reason}" for reason, count in left_out.items()) + ".")
    return "\n\n".join(parts) + "\n"


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    extra = ["relative_drop"] if any("relative_drop" in row for row in rows) else []
    lines = [
        [_plain(row["label"]), row["arm"], str(row["n"])]
        + [cell(row[key], percent=key != "tokens") for key in COLUMNS]
        + [cell(row[key]) if key in row else "" for key in extra]
        for row in rows
    ]
    return _table(["", "arm", "items", *COLUMNS.values(), *(key.replace("_", " ") for key in extra)], lines)


def _effects(effects: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [
            _plain(effect["name"]),
            COLUMNS[effect["metric"]],
            cell(effect["estimate"], percent=effect["metric"] != "tokens", signed=True),
            str(effect["estimate"]["n"]),
            _p(effect["p"]),
            _p(effect["p_holm"]),
        ]
        for effect in effects
    ]
    return _table(["effect", "metric", "estimate", "items", "p", "p (Holm)"], lines)


def _p(value: float | None) -> str:
    return "" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(head)
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(line) + " |" for line in lines)])
