"""The tables that a tracker gets of SUSTAIN evaluations, attention analyses and comparisons of models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from raif.rollouts import read_jsonl

Record = Mapping[str, Any]
Rows = list[list[Any]]
Columns = tuple[str, ...]
ESTIMATE = ("value", "low", "high", "n")
KINDS = ("by_group", "by_family", "by_tightness", "by_source")
ROLLOUT = (
    *("domain", "arm", "dose", "place", "sample", "score", "correct", "hard", "soft", "failure", "ending"),
    *("finish_reason", "completion_tokens", "thinking_tokens"),
)


def sustain_sheets(folder: Path, metrics: Record) -> dict[str, tuple[Columns, Rows]]:
    """Return the columns and rows of each table of a SUSTAIN evaluation."""
    domains: Record = metrics["domains"]
    every = {**domains, "mean": metrics.get("mean") or {}}
    doses = [
        [domain, items, point["dose"], *row]
        for domain, record in domains.items()
        for items in ("doses", "doses_common")
        for point in record.get(items) or ()
        for row in _estimates(point)
    ]
    groups = [
        [domain, kind.removeprefix("by_"), label, *row]
        for domain, record in domains.items()
        for kind in KINDS
        for label, group in (record.get(kind) or {}).items()
        for row in _estimates(group)
    ]
    failures = [
        [domain, label, *(found.get(key) for key in ("n", "met", "broken", "share"))]
        for domain, record in domains.items()
        for label, found in (record.get("failures") or {}).items()
    ]
    measured = ("metric", *ESTIMATE, "p", "p_holm")
    return {
        "metrics": (
            ("domain", *measured),
            [[key, *row] for key, record in every.items() for row in _estimates(record)],
        ),
        "doses": (("domain", "items", "dose", *measured), doses),
        "groups": (("domain", "by", "group", *measured), groups),
        "failures": (("domain", "class", "n", "met", "broken", "share"), failures),
        "items": (("id", *ROLLOUT, "verdicts"), [_rollout(row) for row in read_jsonl(folder / "rollouts.jsonl")]),
    }


def attention_sheets(folder: Path, analysis: Record) -> dict[str, tuple[Columns, Rows]]:
    """Return the columns and rows of each table of an attention analysis."""
    labels: Record = analysis["labels"]
    means = [
        [key, name, *_parts(mean)]
        for key, label in labels.items()
        for name, mean in zip(label["names"], label["means"], strict=True)
    ]
    differences = [
        [key, by, *_parts(found["difference"]), found.get("p")]
        for key, label in labels.items()
        for by, found in {"nothing": label, **(label.get("matched") or {})}.items()
    ]
    grid = [
        [key, name, layer, decile, value]
        for key, label in labels.items()
        for name, rows in label["grid"].items()
        for layer, row in enumerate(rows, 1)
        for decile, value in enumerate(row, 1)
    ]
    return {
        "groups": (("label", "outputs", *ESTIMATE), means),
        "differences": (("label", "matched_on", *ESTIMATE, "p"), differences),
        "grid": (("label", "outputs", "layer", "decile", "enrichment"), grid),
        "items": _plain_rows(read_jsonl(folder / "attention.jsonl")),
    }


def comparison_sheets(comparison: Record) -> dict[str, tuple[Columns, Rows]]:
    """Return the columns and rows of each table of a comparison of models."""
    scores = [
        [domain, where, model, *row]
        for domain, found in comparison["domains"].items()
        for where in ("own", "common")
        for model, record in (found.get(where) or {}).items()
        for row in _estimates(record)
    ]
    named = ("first", "second", "set", "metric")
    pairs = [
        [domain, *(pair[key] for key in named), *_parts(pair["estimate"]), pair.get("p"), pair.get("p_holm")]
        for domain, found in comparison["domains"].items()
        for pair in found.get("pairs") or ()
    ]
    return {
        "metrics": (("domain", "set", "model", "metric", *ESTIMATE, "p", "p_holm"), scores),
        "pairs": (("domain", *named, *ESTIMATE, "p", "p_holm"), pairs),
    }


# ---- parts --------------------------------------------------------------------------------------------------------


def _estimates(record: Record) -> Iterator[list[Any]]:
    """Yield name, value, low, high, n, p and adjusted p of every estimate that has a value."""
    for name, found in record.items():
        if not isinstance(found, Mapping):
            continue
        estimate = found.get("estimate", found)
        if isinstance(estimate, Mapping) and set(ESTIMATE) <= set(estimate) and estimate["value"] is not None:
            yield [name, *_parts(estimate), found.get("p"), found.get("p_holm")]


def _parts(estimate: Record) -> list[Any]:
    return [estimate[key] for key in ESTIMATE]


def _rollout(row: Record) -> list[Any]:
    """Return a judged completion and its verdicts, without its text."""
    verdicts = ", ".join(f"{leaf['type']}: {leaf['status']}" for leaf in row.get("verdicts", ()))
    return [row["instruction_id"], *(row.get(key) for key in ROLLOUT), verdicts]


def _plain_rows(rows: Iterable[Record]) -> tuple[Columns, Rows]:
    """Return rows as they are, without the keys whose values are lists or objects."""
    found = list(rows)
    nested = {key for row in found for key, value in row.items() if isinstance(value, list | Mapping)}
    columns = tuple(dict.fromkeys(key for row in found for key in row if key not in nested))
    return columns, [[row.get(key) for key in columns] for row in found]
