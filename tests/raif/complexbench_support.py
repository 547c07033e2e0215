"""Made-up items of ComplexBench, and where the published files lie."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from raif.benchmarks.complexbench import make
from raif.benchmarks.items import QuestionItem, QuestionVerdict

BENCHMARK = make()


def published_files(shared_dir: Path) -> Path:
    found = shared_dir / "data" / "complexbench"
    if not found.is_dir():
        pytest.skip(f"no ComplexBench files at {found}")
    return found


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def point(place: int, rule: str | None = None, dep: Sequence[int] = (), **labels: Sequence[str]) -> dict[str, Any]:
    return {
        "point_id": place, "question": f"第{place}点做到了吗？", "question_en": f"Is point {place} met?", "rule": rule,
        "constraint_dimensions": list(labels.get("dimension", ())),
        "composition_types": list(labels.get("composition", ())), "dep": list(dep),
    }  # fmt: skip


def row(number: int, *points: Mapping[str, Any], group: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "main_id": number, "group": group, "instruction": f"写第{number}封信。", "task_types": "Creative Writing",
        "instruction_en": f"Write letter {number}.", "category": "Selection_1" if group else "And_1",
        "composition_types": ["Selection", "And"] if group else ["And"], "scoring_questions": list(points), **fields,
    }  # fmt: skip


def loaded(folder: Path, *rows: Mapping[str, Any], language: str = "") -> list[QuestionItem]:
    return BENCHMARK.load(str(written(folder / "data_final.json", list(rows)).parent), language)


def said(values: Sequence[float | None]) -> list[QuestionVerdict]:
    return [QuestionVerdict(id=str(n), value=v, official=float(bool(v))) for n, v in enumerate(values)]
