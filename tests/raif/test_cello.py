"""CELLO: the published tables from the published answers, and what the strict profile corrects."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from raif.benchmarks import benchmark
from raif.benchmarks.cello import FILES
from raif.benchmarks.replaying import replay_verdicts
from rewards.errors import RaifError

pytestmark = pytest.mark.usefixtures("few_draws")  # published figures have no intervals

MODELS = {"gpt4": ("GPT-4", "Eg"), "chatglm": ("ChatGLM", "Ch_fs"), "llama2-7b-chat": ("Llama2-chat-7B", "Eg")}
CORRECTED = {"gpt4": 0.8225, "chatglm": 0.6698, "llama2-7b-chat": 0.3819}


@pytest.fixture
def data(shared_dir: Path) -> Path:
    return shared_dir / "data" / "cello"


def published(data: Path, table: str, group: str, model: str) -> dict[str, float]:
    with (data / "scores" / f"{group}_scores_by_{table}.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["model_name"] == model)
    return {key: float(value) for key, value in row.items() if key != "model_name"}


@pytest.mark.parametrize("folder", MODELS)
def test_published_tables_come_out(data: Path, folder: str) -> None:
    made = benchmark("cello")
    metrics, rollouts = replay_verdicts(made, made.load(str(data)), data / "results" / folder)
    model, group = MODELS[folder]
    by_task, by_criterion = (published(data, table, group, model) for table in ("tasks", "constraints"))
    found = metrics["parity"]
    tasks = metrics["groups"]["Task"]
    for name in ("Ave_complex_ins", "Ave_complex_input", "Average"):
        key = {"Ave_complex_ins": "complex_instruction", "Ave_complex_input": "complex_input"}.get(name, "average")
        assert round(found[key], 3) == by_task.pop(name)
    for task, score in by_task.items():
        assert round(tasks[task]["parity"]["score"], 3) == score, task
    columns = {"format": "format_score", "input": "input_score", "phrases": "task_score", "count": "count_limit_score"}
    for key, column in columns.items():
        assert round(found[key], 3) == by_criterion[column]
    assert metrics["strict"]["average"] == pytest.approx(CORRECTED[folder], abs=5e-5)
    assert metrics["judge"] is None
    assert len(rollouts) == (523 if folder == "llama2-7b-chat" else 525)  # one item was answered three times
    assert metrics["strict"]["average_n"] == 523


def test_items_carry_the_turns_before_and_no_answer_scores_nothing(data: Path) -> None:
    made = benchmark("cello")
    items = made.load(str(data / "data"))
    assert len(items) == 523
    assert sum(len(item.conversation) > 1 for item in items) == 89
    several = next(item for item in items if len(item.conversation) > 1)
    assert [message["role"] for message in several.conversation[-3:]] == ["user", "assistant", "user"]
    for item in items:
        assert all(verdict.value in (None, 0.0) for verdict in made.by_rule(item, "").values())


def row(key: str, **limits: Any) -> dict[str, Any]:
    nothing = [{"criterion": "NULL", "limit": "NULL"}]
    names = ("Answer_format", "Input_depdent_query", "Task_prescribed_phrases", "Count_limit")
    return {"Instruction_id": key, "Instruction": "写", "histories": [], "input_text": "NULL", "lang": "ch",
            "task_category": "x", **{name: limits.get(name, nothing) for name in names}}  # fmt: skip


def test_a_missing_or_broken_file_is_one_message(tmp_path: Path) -> None:
    made = benchmark("cello")
    for name in FILES:
        (tmp_path / f"{name}.json").write_text(json.dumps([row(name)]), encoding="utf-8")
    assert len(made.load(str(tmp_path))) == 13
    assert made.edition(made.load(str(tmp_path))) == "13 of 523 items"
    broken = {"Count_limit": [{"criterion": "wordmax", "limit": 3}]}
    (tmp_path / "Planning.json").write_text(json.dumps([row("a"), row("b", **broken)]), encoding="utf-8")
    with pytest.raises(RaifError, match=r"Planning.json, row 1 is no item of CELLO.*wordmax"):
        made.load(str(tmp_path))
    (tmp_path / "Planning.json").write_text("{", encoding="utf-8")
    with pytest.raises(RaifError, match=r"Planning.json.* is no JSON"):
        made.load(str(tmp_path))
    (tmp_path / "closed_qa.json").unlink()
    with pytest.raises(RaifError, match=r"lacks 1 of the 13 files, first closed_qa.json. Give the folder"):
        made.load(str(tmp_path))


def test_a_stored_null_is_no_answer(tmp_path: Path) -> None:
    made = benchmark("cello")
    for name in FILES:
        (tmp_path / f"{name}.json").write_text(json.dumps([row(name)]), encoding="utf-8")
    answered = {"Instruction_id": "Planning", "model_answer": None}
    (tmp_path / "res_Planning.json").write_text(json.dumps([answered]), encoding="utf-8")
    assert made.stored(tmp_path, made.load(str(tmp_path))).outputs == {"Planning": [""]}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"Instruction": None}, "its Instruction is null; expected a text"),
        ({"histories": ["写"]}, r'its histories is \["写"\]; expected a list of pairs'),
    ],
)
def test_items_of_another_form_are_named(changed: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.json").write_text(json.dumps([{**row(name), **changed}]), encoding="utf-8")
    with pytest.raises(RaifError, match=f"extraction.json, row 0 is no item of CELLO: {complaint}"):
        benchmark("cello").load(str(tmp_path))


def test_answers_are_the_folder_of_one_model(tmp_path: Path) -> None:
    made = benchmark("cello")
    for name in FILES:
        (tmp_path / f"{name}.json").write_text(json.dumps([row(name)]), encoding="utf-8")
    items, model = made.load(str(tmp_path)), tmp_path / "results" / "gpt"
    with pytest.raises(RaifError, match=r"Planning.json is a file; a score needs all 13. Give the folder"):
        made.load(str(tmp_path / "Planning.json"))
    model.mkdir(parents=True)
    with pytest.raises(RaifError, match=r"no res_\*.json .*one model, with files such as res_extraction.json"):
        made.stored(model.parent, items)
    place = model / "res_Planning.json"
    wrong: dict[str, dict[str, Any]] = {
        "row 0 has no Instruction_id, only id, model_answer; expected": {"id": "Planning", "model_answer": "好"},
        "row 0 has no model_answer, only Instruction_id": {"Instruction_id": "Planning"},
        "row 0 answers 7, which is no item": {"Instruction_id": 7, "model_answer": "好"},
        "row 0: model_answer is 7; expected a text": {"Instruction_id": "Planning", "model_answer": 7},
    }
    for complaint, answered in wrong.items():
        place.write_text(json.dumps([answered]), encoding="utf-8")
        with pytest.raises(RaifError, match=f"res_Planning.json, {complaint}"):
            made.stored(model, items)
    with pytest.raises(RaifError, match=rf"give the folder of one model, such as {model}\."):
        made.stored(model.parent, items)
    with pytest.raises(RaifError, match="is a file; give the folder of one model"):
        made.stored(place, items)
