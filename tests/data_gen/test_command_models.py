"""`experts` and `evolve`: demonstrations and reworded prompts for a real data set, with a model behind a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_gen.commands.models import read_demands
from data_gen.shards import read_data
from tests.data_gen.test_evolve import Editor
from tests.data_gen.test_tools_command import Tool, command_line, make_data, one_task, settings
from tests.judge_server import Answer, ChatServer, chat


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set; read it only."""
    return make_data(tmp_path_factory.mktemp("models") / "data")


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    return command_line(monkeypatch, capsys)


# ---- demonstrations ---------------------------------------------------------------------------------------------


def test_experts_from_witnesses_are_a_data_set(tool: Tool, data: Path, tmp_path: Path) -> None:
    source = settings(tmp_path / "experts.yaml", {"type": "witness", "style": "plan"})
    code, _, err = tool("experts", data, "--source", source, "--out", tmp_path / "out")
    assert code == 0
    made = read_data(tmp_path / "out")
    given = [task.expert for task in made if task.expert is not None and task.split == "train"]
    assert len(given) > 12
    assert f"{len(given)} of 16 instructions have a demonstration" in err
    assert "6 of other splits copied" in err
    assert {expert.origin for expert in given} == {"witness"}
    assert [task.model_copy(update={"expert": None}) for task in made] == [
        task.model_copy(update={"expert": None}) for task in read_data(data)
    ]
    assert tool("export", tmp_path / "out")[0] == 0


def test_checks_and_splits_of_experts(tool: Tool, data: Path, tmp_path: Path) -> None:
    strict = {"type": "witness", "style": "plan", "checks": {"max_thinking_words": 1}}
    source = settings(tmp_path / "experts.yaml", strict)
    code, _, err = tool("experts", data, "--source", source, "--out", tmp_path / "out", "--splits", "train,test")
    assert code == 0
    assert "0 of 22 instructions have a demonstration; rejected: " in err
    assert "thinking too long" in err
    assert (tmp_path / "out" / "experts_rejected.jsonl").read_bytes().count(b"\n") == 22


def test_a_judge_answers_for_soft_demands_of_experts(tool: Tool, data: Path, tmp_path: Path) -> None:
    soft = {task.id for task in read_data(data, "train") if task.judged}
    assert 0 < len(soft) < 16
    with ChatServer(lambda number, body: Answer(chat("No", {"No": 1.0}))) as server:
        judge = {"model": "judge", "base_url": server.url}
        source = settings(tmp_path / "experts.yaml", {"type": "witness", "style": "plan", "judge": judge})
        code, _, err = tool("experts", data, "--source", source, "--out", tmp_path / "out")
        assert server.bodies
    assert code == 0
    rejected = (tmp_path / "out" / "experts_rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["instruction_id"] for line in rejected} >= soft
    assert f"{16 - len(rejected)} of 16 instructions have a demonstration" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"type": "witnes"}, "did you mean 'witness'?"),
        ({"type": "witness", "checks": {"leakag": True}}, "checks: 'leakag'; did you mean 'leakage'?"),
        ({"type": "witness", "checks": {"loop_size": 1}}, "checks.loop_size: Input should be greater than"),
        ({"type": "witness", "checks": [1]}, "`checks` must be a mapping"),
        ({"type": "witness", "judge": {"model": "m"}}, "judge m has no base_url"),
        ({"type": "file", "path": "none.jsonl"}, "no demonstrations at none.jsonl"),
        (None, "no settings at"),
    ],
)
def test_experts_that_cannot_be(
    tool: Tool, data: Path, tmp_path: Path, content: dict[str, Any] | None, message: str
) -> None:
    source = tmp_path / "experts.yaml"
    if content is not None:
        settings(source, content)
    code, _, err = tool("experts", data, "--source", source, "--out", tmp_path / "out")
    assert code == 1
    assert message in err
    assert err.count("error:") == 1
    assert not (tmp_path / "out").exists()


# ---- evolution --------------------------------------------------------------------------------------------------


def evolution(path: Path, server: ChatServer, **changes: Any) -> Path:
    served = {"base_url": server.url, "model": "editor", "backoff": 0.01}
    return settings(path, {"server": served, "soft": [0, 0], **changes})


def test_evolved_instructions_are_a_data_set(tool: Tool, data: Path, tmp_path: Path) -> None:
    with ChatServer(Editor()) as server:
        config = evolution(tmp_path / "evolve.yaml", server)
        code, _, err = tool("evolve", data, "--config", config, "--out", tmp_path / "out")
        sent = len(server.bodies)
        assert tool("evolve", data, "--config", config, "--out", tmp_path / "out")[0] == 0
        assert len(server.bodies) == sent  # all is remembered
        other = evolution(tmp_path / "other.yaml", server, seed=1)
        assert tool("evolve", data, "--config", other, "--out", tmp_path / "out")[0] == 1
        assert tool("evolve", data, "--config", other, "--out", tmp_path / "out", "--overwrite")[0] == 0
    assert code == 0
    record = json.loads((tmp_path / "out" / "evolution.json").read_text(encoding="utf-8"))
    evolved = record["counts"]["evolved"]
    assert evolved > 11
    assert f"{evolved} evolved" in err
    tasks = read_data(tmp_path / "out")
    assert len(tasks) == 22
    assert sum("evolved by editor" in task.source.generator for task in tasks) == evolved
    assert [task.request for task in tasks] == [task.request for task in read_data(data)]


def swapped(prompt: str) -> str:
    """Exchange two bounds, which leaves every number in its place."""
    return prompt.replace("60 words", "9 words").replace("9 sentences", "60 sentences")


def test_a_prompt_that_reads_as_another_demand_is_refused(tool: Tool, tmp_path: Path) -> None:
    limits = ({"type": "length:max_words", "limit": 60}, {"type": "length:max_sentences", "limit": 9})
    source = one_task(tmp_path / "one.jsonl", *limits)
    (task,) = read_data(source)
    assert read_demands(task.prompt_text, "en") == list(task.constraints)
    assert read_demands("Repeat the request word for word before you answer.", "en") == []
    for editor, evolved in ((Editor(), 1), (Editor(merging=swapped), 0)):
        with ChatServer(editor) as server:
            config = evolution(tmp_path / "evolve.yaml", server, re_asks=0)
            code, _, err = tool("evolve", source, "--config", config, "--out", tmp_path / f"out{evolved}")
        assert code == 0
        assert ("1 evolved" in err, "1 merge: read as another demand" in err) == (evolved == 1, evolved == 0)
    assert read_data(tmp_path / "out0") == read_data(source)


def test_an_evolution_that_cannot_be(tool: Tool, data: Path, tmp_path: Path) -> None:
    assert "no settings at" in tool("evolve", data, "--config", tmp_path / "no.yaml", "--out", tmp_path / "out")[2]
    wrong = settings(tmp_path / "wrong.yaml", {"server": {"base_url": "http://x/v1", "model": "m"}, "sofd": 1})
    code, _, err = tool("evolve", data, "--config", wrong, "--out", tmp_path / "out")
    assert (code, err.count("error:")) == (1, 1)
    assert "did you mean 'soft'?" in err
