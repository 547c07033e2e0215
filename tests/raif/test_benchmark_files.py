"""Files of benchmarks, stored verdicts and judge settings: what is wrong with them is said in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raif.benchmarks import BENCHMARKS, benchmark
from raif.benchmarks.judging import user_call
from raif.benchmarks.loading import read_rows
from raif.benchmarks.referee import Referee, open_judge, read_judge
from raif.benchmarks.replaying import replay_verdicts
from raif.generation.store import FINISHED, read_completions
from rewards.errors import RaifError, ServerLost
from rewards.judge import parse_judge
from tests.judge_server import Answer, ChatServer, chat, constantly

SERVER = "http://127.0.0.1:9/v1"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=rf"^{tmp_path} is a folder; name the file"):
        read_rows(tmp_path)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_answers_of_another_form_are_named_by_every_adapter(name: str, shared_dir: Path, tmp_path: Path) -> None:
    made, data = benchmark(name), shared_dir / "data" / name
    if not data.is_dir():
        pytest.skip(f"no files at {data}")
    items = made.load(str(data / "replay" / "synthetic_items.json" if name == "complexbench" else data))
    place = tmp_path / "answers.jsonl"
    place.write_text(json.dumps({"prompt": items[0].prompt, "response": "x"}) + "\n", encoding="utf-8")
    lacking = {
        "followbench": r"row 0 has no choices\[0\].message.content. Give a JSONL file of answers",
        "cello": "is a file; give the folder of one model",
    }.get(
        name, r"row 0 has no (\w+|id and no output|idx and no criteria|user_query.*), only prompt, response; expected"
    )
    with pytest.raises(RaifError, match=lacking):
        replay_verdicts(made, items, place)


def test_the_folder_of_several_benchmarks_names_the_one_that_was_meant(shared_dir: Path, tmp_path: Path) -> None:
    made = benchmark("infobench")
    items = made.load(str(shared_dir / "data" / "infobench"))
    (tmp_path / "settings.json").write_text('{"suite": "suite"}', encoding="utf-8")
    with pytest.raises(RaifError, match="is a run of several benchmarks; infobench is none of them"):
        replay_verdicts(made, items, tmp_path)
    (tmp_path / "infobench").mkdir()
    (tmp_path / "infobench" / "settings.json").write_text('{"suite": "infobench"}', encoding="utf-8")
    with pytest.raises(RaifError, match=f"is a run of several benchmarks; give {tmp_path}/infobench"):
        replay_verdicts(made, items, tmp_path)


# ---- judge settings -----------------------------------------------------------------------------------------------


def settings(folder: Path, text: str) -> str:
    path = folder / "judge.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds nothing, and no judge settings; give model: and base_url:"),
        ("- model: m\n", "holds a list, and no judge settings; give model: and base_url:"),
        ("judge:\n", "holds nothing, and no judge settings"),
        ("m@http://127.0.0.1:9/v1\n", "holds a str, and no judge settings"),
        ("model: [\n", "is no YAML that can be read"),
        ("modell: m\n", "judge.yaml: unknown judge setting 'modell'; did you mean 'model'"),
        ("model: m\ndeadline: 9\n", "sets what has no effect .*: deadline .a run waits for every reply"),
        ("model: m\nmode: probabilities\n", "has no effect on a benchmark's judge: mode .replies are read as text"),
        ("model: m\nthreshold: 0.5\nabstain: 0\n", r"threshold \(.*\); abstain \(.*\)\. Remove it"),
        ("model: m\nmax_prompt_tokens: 9\ntokenizer: t\n", r"max_prompt_tokens \(prompts are sent whole.*tokenizer"),
        ("model: m\ncache: c\ntop_logprobs: 9\n", r"top_logprobs \(.*cache \(replies are kept in the folder"),
        ("judge: {model: m, deadline: 600}\n", "deadline"),
    ],
)
def test_judge_settings_that_are_wrong_or_idle_are_named(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=complaint) as found:
        read_judge(settings(tmp_path, text))
    assert "judge.yaml" in str(found.value)


@pytest.mark.parametrize("text", ["{}", "judge: {}", "type: judge\njudge: {}"])
def test_a_judge_may_be_copied_from_a_recipe(text: str, tmp_path: Path) -> None:
    text = text.format(f"{{model: m, base_url: '{SERVER}', mode: text, cache: null, seed: 3}}")
    assert read_judge(settings(tmp_path, text)) == parse_judge(
        {"model": "m", "base_url": SERVER, "mode": "text", "seed": 3}
    )


def test_a_judge_that_is_nowhere_is_called_the_judge(tmp_path: Path) -> None:
    for spec in ("judge", str(tmp_path / "x.conf")):
        with pytest.raises(RaifError) as found:
            open_judge(read_judge(spec))
        assert str(found.value) == (
            f"the judge: no model folder at {spec!r}; give the folder or hub name of a model, MODEL@ADDRESS of a "
            "server, or a .yaml file of judge settings."
        )
    with pytest.raises(RaifError, match=r"^the judge: .* holds no model"):
        open_judge(read_judge(str(tmp_path)))
    (tmp_path / "x.conf").write_text("model: m")
    with pytest.raises(RaifError, match=r"x.conf is a file, and no .yaml; .* give model: and base_url:"):
        read_judge(str(tmp_path / "x.conf"))
    with pytest.raises(RaifError, match=r"^the judge: api_key_env names NOT_SET_ANYWHERE"):
        open_judge(parse_judge({"model": "m", "base_url": SERVER, "api_key_env": "NOT_SET_ANYWHERE"}))


# ---- a judge's server ---------------------------------------------------------------------------------------------


def ask(referee: Referee, folder: Path, count: int = 3) -> list[str]:
    return referee.answer([(str(n), user_call("item", f"Question {n}?")) for n in range(count)], folder, 16)[0]


def test_a_judge_whose_key_is_refused_says_where_its_key_comes_from(tmp_path: Path) -> None:
    with ChatServer(constantly({"error": "no"}, 401)) as server:
        referee = Referee(read_judge(f"judge@{server.url}"))
        for asking in (referee.probe, lambda: ask(referee, tmp_path)):
            with pytest.raises(RaifError, match=r"HTTP 401.*api_key_env: NAME_OF_A_VARIABLE in a .yaml file"):
                asking()
        with pytest.raises(ServerLost) as found:
            ask(referee, tmp_path)
        assert found.value.address == server.url
    with pytest.raises(ServerLost) as lost:
        ask(Referee(parse_judge({"model": "m", "base_url": SERVER, "retries": 0})), tmp_path)
    assert "api_key_env" not in str(lost.value)


def test_an_empty_reply_is_asked_for_again_when_the_run_goes_on(tmp_path: Path) -> None:
    mended = False

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        text = body["messages"][0]["content"]
        said = f"YES to {text}"
        if "0" in text and not mended:
            return Answer({"error": "too long"}, 400)
        spoken = chat("" if "1" in text and not mended else said, finish="length" if "2" in text else "stop")
        return Answer({**spoken, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})

    with ChatServer(script) as server:
        referee = Referee(read_judge(f"judge@{server.url}"))
        assert ask(referee, tmp_path / "out", 4) == ["", "", "", "YES to Question 3?"]
        kept = read_completions(tmp_path / "out" / FINISHED)
        assert [each.request for each in kept] == ["2|item", "3|item"]  # what the cap cut off was paid for
        mended, asked = True, len(server.bodies)
        assert ask(referee, tmp_path / "out", 4)[:2] == ["YES to Question 0?", "YES to Question 1?"]
        assert len(server.bodies) == asked + 2
        ask(referee, tmp_path / "whole", 4)
    files = [(tmp_path / name / FINISHED).read_bytes() for name in ("out", "whole")]
    assert files[0] == files[1]
