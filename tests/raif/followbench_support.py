"""Made-up items of FollowBench in its published layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from raif.benchmarks.followbench import LEVELS, FollowBench
from raif.benchmarks.items import QuestionItem

#: A source of each type that is left to the judge.
SOURCES = {"content": "quora", "situation": "vicuna", "style": "koala", "format": "koala", "mixed": "ROCStories"}


def write_items(folder: Path) -> Path:
    """Write six files of made-up items: a group of each type for the judge, one for a rule, and an example group."""
    for kind, source in SOURCES.items():
        rows = [item_row(kind, 1, source, level, "") for level in (0, *LEVELS)]
        if kind == "content":
            rows += [item_row(kind, 2, "E2E", level, f"name[{level}]") for level in (0, *LEVELS)]
        save(folder, kind, rows)
    template = "{instruction}\n{'AI assistant': '{answer}'}"
    save(folder, "example", [item_row("example", 1, "quora", level, template) for level in LEVELS])
    return folder / "items"


def item_row(kind: str, group: int, source: str, level: int, target: str) -> dict[str, Any]:
    text = f"Say something about {kind} {group}." + "".join(f" Mind demand {n}." for n in range(1, level + 1))
    return {
        "example_id": group, "category": kind, "source": source, "level": level, "instruction": text, "target": target
    }  # fmt: skip


def save(folder: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    path = folder / "items" / "en" / f"{kind}_constraints.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")


def load(folder: Path) -> list[QuestionItem]:
    return FollowBench().load(str(write_items(folder)))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}}]}


def verdict_row(item: QuestionItem, answer: str, reply: str) -> dict[str, Any]:
    row = item.context["row"]
    prompt = f"{item.prompt}\n\nAnswer: {answer}"
    return {"example_id": str(row["example_id"]), "level": str(row["level"]), "prompt_new": prompt, **said(reply)}
