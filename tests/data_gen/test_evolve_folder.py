"""Evolution of a folder: its record, its budget, a run that is killed; and settings that are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from data_gen.evolve import evolve_folder, parse_evolve
from data_gen.shards import read_folder
from rewards import RaifError, read_instructions
from tests.data_gen.test_evolve import Editor, config, english
from tests.judge_server import Answer, ChatServer, chat

ROOT = Path(__file__).resolve().parents[2]


def write(out: Path, count: int) -> None:
    (out / "data").mkdir(parents=True)
    names = [f"data/train-{shard:05d}-of-00002.jsonl" for shard in range(2)]
    for shard, name in enumerate(names):
        tasks = [english(request=f"Name {n} rivers.", answer=None) for n in range(2 + shard, 2 + count, 2)]
        lines = "".join(task.model_dump_json() + "\n" for task in tasks)
        (out / name).write_text(lines, encoding="utf-8")
    (out / "manifest.json").write_text(json.dumps({"files": dict.fromkeys(names, "")}), encoding="utf-8")


def test_a_folder_is_evolved_into_another(tmp_path: Path) -> None:
    write(tmp_path / "in", 10)
    done: list[int] = []

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer(chat("no")) if "Name 5 rivers" in str(body) else Editor()(number, body)

    with ChatServer(script) as server:
        chosen = config(server, soft=[1, 1], batch=4)
        record = evolve_folder(tmp_path / "in", chosen, tmp_path / "out", progress=done.append)
        sent = len(server.bodies)
        assert evolve_folder(tmp_path / "in", chosen, tmp_path / "out") == record
        assert len(server.bodies) == sent
    assert done == list(range(1, 11))
    assert record["counts"] == {"evolved": 9, "kept_template": 1, "dropped": 0}
    assert record["failed"] == {"rewrite: no JSON object": 1}
    assert (record["model"], record["replies"], record["completion_tokens"]) == ("editor", 20, 360)
    assert record == json.loads((tmp_path / "out" / "evolution.json").read_text())
    evolved = read_instructions(tmp_path / "out" / "instructions.jsonl")
    assert [task.request for task in evolved] == [f"Name {n} rivers." for n in (2, 4, 6, 8, 10, 3, 5, 7, 9, 11)]
    assert sum("evolved by editor" in task.source.generator for task in evolved) == 9
    with pytest.raises(RaifError, match="holds an evolution of other data or settings"):
        evolve_folder(tmp_path / "in", config(soft=[0, 0]), tmp_path / "out")
    assert list(read_folder(tmp_path / "out")) == evolved
    with pytest.raises(RaifError, match="would overwrite those in"):
        evolve_folder(tmp_path / "in", chosen, tmp_path / "in")
    (tmp_path / "in" / "manifest.json").unlink()
    with pytest.raises(RaifError, match="holds no complete data set"):
        evolve_folder(tmp_path / "in", chosen, tmp_path / "new")


def test_a_spent_budget_is_taken_up_again(tmp_path: Path) -> None:
    write(tmp_path / "in", 10)
    with ChatServer(Editor()) as server:
        poor = config(server, served={"budget_requests": 6})
        record = evolve_folder(tmp_path / "in", poor, tmp_path / "out")
        assert record["counts"]["evolved"] < 4
        assert record["unanswered"] > 0
        record = evolve_folder(tmp_path / "in", config(server), tmp_path / "out")
    assert record["counts"] == {"evolved": 10, "kept_template": 0, "dropped": 0}
    assert record["this_run"]["requests"]["sent"] == 14
    assert len(server.bodies) == 20


RUN = """
import sys
from data_gen.evolve import evolve_folder, parse_evolve
server = {"base_url": sys.argv[1], "model": "editor", "concurrency": 2}
evolve_folder(sys.argv[2], parse_evolve({"server": server, "batch": 5, "soft": [0, 2]}), sys.argv[3])
"""


def test_a_killed_run_ends_in_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source, 30)

    def slow(number: int, body: Mapping[str, Any]) -> Answer:
        return Editor()(number, body)._replace(seconds=0.02)

    with ChatServer(slow) as server:
        first = subprocess.Popen(
            [sys.executable, "-c", RUN, server.url, *map(str, (source, tmp_path / "killed"))], cwd=ROOT
        )
        while len(server.bodies) < 30:
            time.sleep(0.01)
        first.kill()
        first.wait()
        asked = len(server.bodies)
        chosen = config(server, batch=5, soft=[0, 2])
        assert evolve_folder(source, chosen, tmp_path / "killed")["counts"]["evolved"] == 30
        assert len(server.bodies) - asked < 60 - 20
        evolve_folder(source, chosen, tmp_path / "whole")
    killed, whole = ((tmp_path / name / "instructions.jsonl").read_bytes() for name in ("killed", "whole"))
    assert killed == whole
    assert whole.count(b"\n") == 30


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"soft": [2, 1]}, "0 <= from <= to"),
        ({"soft": [0, 99]}, "0 <= from <= to"),
        ({"soft_kinds": ["tome"]}, "did you mean 'tone'"),
        ({"on_failure": "keep"}, "on_failure"),
        ({"rewrite": False, "soft": [1, 1]}, "soft demands are added while"),
        ({"batches": 3}, "did you mean 'batch'"),
        ({"server": {"base_url": "http://x/v1"}}, "model: Field required"),
        ({"server": None}, "the served model is not set up"),
    ],
)
def test_settings_that_are_wrong(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_evolve({"server": {"base_url": "http://x/v1", "model": "m"}, **settings})
