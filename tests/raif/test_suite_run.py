"""`raif evaluate suite`: every benchmark with one model and one judge, what is missing, what fails, SIGKILL."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raif.benchmarks.combined import Asked, bind, places, prepare
from raif.benchmarks.table import ALL, OF_RAIF
from raif.cli import app
from rewards.errors import RaifError
from tests.benchmark_judge import completion
from tests.judge_server import Answer, ChatServer
from tests.raif.suite_support import answer_to, answering, contents, served, serving, started, suite, write_data

OWN = ("ifeval", "infobench", "ifbench")  # of which write_data makes items


def table_of(out: Path) -> dict:
    return json.loads((out / "table.json").read_text(encoding="utf-8"))


def test_every_benchmark_runs_with_one_model_and_one_judge(shared_dir: Path, tmp_path: Path) -> None:
    data, out = shared_dir / "data", tmp_path / "out"
    synthetic = data / "complexbench" / "replay" / "synthetic_items.json"
    named = [f"{name}={synthetic if name == 'complexbench' else data / name}" for name in ALL]
    with serving() as server:
        assert served(server, out, data=",".join(named), limit=20) == 0
        asked = len(server.bodies)
        before = contents(out)
        assert served(server, out, data=",".join(named), limit=20) == 0
        assert len(server.bodies) == asked
    assert contents(out) == before
    table = table_of(out)
    assert [row["name"] for row in table["rows"]] == list(ALL)
    assert not table["failed"]
    assert not table["absent"]
    for row in table["rows"]:
        metrics = json.loads((out / row["name"] / "metrics.json").read_text(encoding="utf-8"))
        judged = row["name"] in OF_RAIF and row["name"] not in ("ifeval", "cello")
        assert 0 <= row["value"] <= 1, row["name"]
        assert bool(row["judge_calls"]) == judged
        assert row["policy_tokens"] == sum(
            json.loads(line)["completion_tokens"] for line in (out / row["name"] / "rollouts.jsonl").open("rb")
        )
        assert row["truncated"]["value"] == 0
        assert metrics["settings"]["sampling"]["temperature"] == 0
    assert table["average"]["title"] == "Mean of 7 of 7"
    assert table["settings"]["limit"] == 20
    values = [row["value"] for row in table["rows"] if row["name"] in OF_RAIF]
    assert table["average"]["profiles"]["strict"]["value"] == pytest.approx(sum(values) / 7)


def test_a_missing_benchmark_is_told_of_before_anything_is_drawn(shared_dir: Path, tmp_path: Path) -> None:
    data, out = str(shared_dir / "data"), tmp_path / "out"
    with serving() as server:
        with pytest.raises(RaifError, match=r"1 of 9 benchmarks(.|\n)*data_final\.json(.|\n)*--skip-missing"):
            served(server, out, data=data)
        assert not server.bodies
        assert not out.exists()


def test_the_rest_runs_without_what_is_missing(tmp_path: Path) -> None:
    data, out = write_data(tmp_path / "data"), tmp_path / "out"
    with serving() as server:
        assert served(server, out, data=str(data), skip_missing=True) == 0
    table = table_of(out)
    assert [row["name"] for row in table["rows"]] == list(OWN)
    assert {*table["absent"]} == {*ALL} - {*OWN}
    assert table["average"]["title"] == "Mean of 2 of 7"
    text = (out / "table.md").read_text(encoding="utf-8")
    assert "CELLO is absent" in text
    assert "it lacks CELLO" in text
    assert "Avg." not in text


def test_benchmarks_are_added_to_a_run_and_finished_ones_left_alone(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data")), tmp_path / "out"
    with serving() as server:
        assert served(server, out, data=data, only="infobench", judge=f"judge@{server.url}") == 0
        first = contents(out / "infobench")
        asked = len(server.bodies)
        assert served(server, out, data=data, only="infobench,ifeval") == 0
        assert {body["model"] for body in server.bodies[asked:]} == {"policy"}
    assert contents(out / "infobench") == first
    assert [row["name"] for row in table_of(out)["rows"]] == ["ifeval", "infobench"]


def test_another_cap_is_another_run(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data", 4)), tmp_path / "out"
    with serving() as server:
        assert served(server, out, data=data, only="ifeval") == 0
        before = contents(out)
        with pytest.raises(RaifError, match=r"other settings: sampling.cap is 17, was 16; choose another --out"):
            served(server, out, data=data, only="ifeval", cap=17)
    assert contents(out) == before


def test_what_was_never_drawn_binds_nothing(tmp_path: Path) -> None:
    bind(tmp_path / "out", {"sampling": {"cap": 1}})
    bind(tmp_path / "out", {"sampling": {"cap": 2}})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RaifError, match=r"something else .*notes\.txt"):
        bind(tmp_path / "other", {})


def test_a_judge_that_goes_away_is_asked_no_more_and_the_run_goes_on_later(
    shared_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, whole, out = str(shared_dir / "data"), tmp_path / "whole", tmp_path / "out"
    away = False

    def script(number: int, body: dict) -> Answer:
        nonlocal away
        away = away or (gone_at is not None and "【考察点】" in body["messages"][0]["content"])
        if away and body["model"] == "judge":
            return Answer({"error": {"message": "no such model"}}, 404)
        return answer_to(body)

    only = "ifeval,cfbench,followbench,infobench"
    gone_at: int | None = None
    with ChatServer(script) as server:
        assert served(server, whole, data=data, only=only, limit=10) == 0
        gone_at = len(server.bodies)
        assert served(server, out, data=data, only=only, limit=10) == 1
        assert "3 of 4 benchmarks have failed: cfbench, followbench, infobench" in capsys.readouterr().out
        failed = table_of(out)["failed"]
        assert "cannot be asked" in failed["cfbench"]
        assert failed["infobench"].startswith("not tried")
        assert "CFBench" in failed["infobench"]
        assert [row["name"] for row in table_of(out)["rows"]] == ["ifeval"]
        assert not (out / "infobench").exists()
        away, gone_at = False, None
        assert served(server, out, data=data, only=only, limit=10) == 0
    assert contents(out) == contents(whole)


def test_a_judge_that_cannot_be_asked_at_first_stops_the_run_before_anything_is_drawn(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data")), tmp_path / "out"
    with ChatServer(lambda number, body: Answer({"error": {"message": "no"}}, 404)) as server:
        with pytest.raises(RaifError, match="the judge does not answer"):
            served(server, out, data=data, only="ifeval,infobench")
        assert {body["model"] for body in server.bodies} == {"judge"}


def test_a_judge_that_talks_nonsense_spoils_its_own_benchmarks_only(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data")), tmp_path / "out"

    def script(number: int, body: dict) -> Answer:
        return Answer(completion("Bananas.")) if body["model"] == "judge" else answer_to(body)

    with ChatServer(script) as server:
        assert served(server, out, data=data, only="ifeval,infobench,ifbench") == 1
    table = table_of(out)
    assert [row["name"] for row in table["rows"]] == ["ifeval", "ifbench"]
    assert "cannot be read" in table["failed"]["infobench"]
    assert "Bananas." in table["failed"]["infobench"]


def test_judged_benchmarks_need_a_judge(tmp_path: Path) -> None:
    data = str(write_data(tmp_path / "data"))
    with serving() as server, pytest.raises(RaifError, match=r"infobench ask a judge.*--only ifeval"):
        served(server, tmp_path / "out", data=data, only="ifeval,infobench", judge=None)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"only": "ifevil"}, "no benchmark 'ifevil'|unknown benchmark 'ifevil'|ifevil"),
        ({"data": "ifeval="}, "names no place"),
        ({"data": "/nowhere/at/all"}, "no folder at"),
        ({"model": None}, "--model"),
        ({"cap": None}, "--cap"),
        ({"samples": 2}, "one answer again and again"),
        ({"judge_mode": "questions"}, "did you mean 'question'"),
    ],
)
def test_mistakes_are_told_before_anything_is_drawn(tmp_path: Path, asked: dict, message: str) -> None:
    data = str(write_data(tmp_path / "data", 2))
    with serving() as server:
        with pytest.raises(RaifError, match=message):
            served(server, tmp_path / "out", **{"data": data, **asked})
        assert not server.bodies


def test_places_of_a_folder_that_lacks_some(tmp_path: Path) -> None:
    (tmp_path / "ifeval").mkdir()
    assert places(str(tmp_path), "mathif,ifeval") == {"ifeval": str(tmp_path / "ifeval"), "mathif": ""}
    assert places(None, "mathif") == {"mathif": None}


def test_a_killed_run_goes_on_to_the_same_bytes(shared_dir: Path, policy: Path, tmp_path: Path) -> None:
    data, model = str(shared_dir / "data"), str(answering(policy, tmp_path / "model"))
    asked = {"data": data, "model": model, "only": "ifeval,followbench,infobench,mathif", "limit": 10, "cap": 8}

    def slowly(number: int, body: dict) -> Answer:
        return answer_to(body)._replace(seconds=0.05)

    with ChatServer(slowly) as server:
        asked["judge"] = f"judge@{server.url}"
        assert suite(tmp_path / "whole", **asked) == 0
        process = started(out=str(tmp_path / "out"), **asked)
        journal = tmp_path / "out" / "infobench" / "judgements" / "journal.jsonl"
        deadline = time.monotonic() + 600
        while not (journal.is_file() and journal.stat().st_size) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert journal.is_file()
        assert not (tmp_path / "out" / "infobench" / "metrics.json").exists()
        assert (tmp_path / "out" / "ifeval" / "metrics.json").is_file()
        assert not (tmp_path / "out" / "mathif").exists()
        assert suite(tmp_path / "out", **asked) == 0
    whole, again = contents(tmp_path / "whole"), contents(tmp_path / "out")
    assert whole.keys() == again.keys()
    assert [name for name in whole if whole[name] != again[name]] == []
    assert suite(tmp_path / "out", **{**asked, "judge": "judge@http://127.0.0.1:9/v1"}) == 0  # nothing is left to ask
    assert contents(tmp_path / "out") == again


def test_a_finished_folder_of_one_benchmark_is_not_taken_over(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data", 4)), tmp_path / "out"
    with serving() as server:
        assert served(server, out, data=data, only="ifeval") == 0
        before = contents(out)
        with pytest.raises(RaifError, match="holds a run with other settings"):
            served(server, out / "ifeval", data=data, only="ifeval")
        single = ["ifeval", "--data", tmp_path / "data" / "ifeval", "--model", "policy", "--cap", 16, "--out", out]
        told = CliRunner().invoke(app, ["evaluate", *map(str, single), "--backend", "openai", "--base-url", server.url])
    assert "holds an evaluation with other settings" in str(told.exception)
    assert contents(out) == before


def test_benchmarks_run_alone_keep_the_rows_of_the_others(tmp_path: Path) -> None:
    data, out = str(write_data(tmp_path / "data", 4)), tmp_path / "out"
    with serving() as server:
        assert served(server, out, data=data, only="ifeval,infobench") == 0
        whole = (out / "scores.jsonl").read_bytes()
        assert served(server, out, data=data, only="infobench") == 0
    assert [row["name"] for row in json.loads((out / "table.json").read_text())["rows"]] == ["ifeval", "infobench"]
    assert sorted((out / "scores.jsonl").read_bytes().splitlines()) == sorted(whole.splitlines())


def test_prompt_texts_that_nobody_reads_are_refused(tmp_path: Path) -> None:
    data = str(write_data(tmp_path / "data", 4))
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "evaluator.txt").write_text("{input}")
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(f'{{"id": "{n}", "response": "b"}}\n' for n in range(4)))
    with serving() as server:
        judge = ["--judge", f"judge@{server.url}", "--out", tmp_path / "o", "--judge-prompts", texts]
        single = ["--data", f"{data}/infobench", "--responses", answers, *judge]
        cases = {
            ("infobench", *single): "none of the texts evaluator is a prompt of InfoBench; expected system_message.txt",
            ("infobench", *single, "--judge-mode", "question"): "asks with our own prompt",
            ("cello", "--data", data, "--responses", answers, "--judge-prompts", texts): "no judge is asked here",
        }
        for words, said in cases.items():
            told = CliRunner().invoke(app, ["evaluate", *map(str, words)])
            assert said in str(told.exception), (words, told.exception)
        with pytest.raises(RaifError, match="holds no BENCHMARK/judge_prompts"):
            prepare({"infobench": f"{data}/infobench"}, tmp_path / "p", Asked(prompts=texts))
