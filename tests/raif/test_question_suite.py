"""A run of questions against a judge on loopback: what is kept, compared and told, and a judge that fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raif.benchmarks import benchmark
from raif.benchmarks.items import QuestionVerdict
from raif.benchmarks.protocol import Stored
from raif.benchmarks.quality import agreement, families, kinship
from raif.benchmarks.referee import Referee, read_judge
from raif.benchmarks.replaying import load_questions, replay_verdicts
from raif.benchmarks.suite import QuestionSuite
from raif.cli import app
from raif.evaluation.records import Output
from raif.evaluation.runner import replay
from raif.generation.replay import read_responses
from rewards.errors import RaifError
from rewards.judge import parse_judge
from tests.judge_server import Answer, ChatServer
from tests.tiny_speaker import save_speaker

PALE, HIGH = "Is the text about the sea?", "Does the text rhyme?"


def usage(text: str) -> Answer:
    """Return a chat completion as a server sends it that counts tokens."""
    message = {"role": "assistant", "content": text}
    return Answer(
        {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"completion_tokens": len(text)}}
    )


def decide(body: Mapping[str, Any]) -> bool:
    """Answer by the last question and the text that stands in the first message."""
    asked, first = body["messages"][-1]["content"], body["messages"][0]["content"]
    text = first.partition("Generated Text:")[2].partition("Question:")[0]
    return ("sea" if PALE in asked else "rhyme") in text


def honest(number: int, body: Mapping[str, Any]) -> Answer:
    return usage("YES" if decide(body) else "No.")


def item_row(number: int) -> dict[str, Any]:
    return {
        "id": f"task_{number}", "input": "", "category": "made up", "instruction": f"Write poem {number}.",
        "decomposed_questions": [PALE, HIGH], "subset": "Easy_set" if number % 2 else "Hard_set",
        "question_label": [["Content"], ["Style", "Format"]],
    }  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "InfoBench.jsonl"
    path.write_text("".join(json.dumps(item_row(number)) + "\n" for number in range(24)), encoding="utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    texts = ["the sea, a rhyme", "the sea", "a rhyme", "nothing"]
    rows = [{"id": f"task_{n}", "response": texts[n % 4]} for n in range(24)]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def judged_by(server: ChatServer, data: Path, answers: Path, out: Path, **options: Any) -> dict[str, Any]:
    """Judge the stored answers through a server; return the metrics."""
    config = parse_judge({"model": "judge", "base_url": server.url, "backoff": 0.01, "retries": 0, "concurrency": 2})
    suite = QuestionSuite(benchmark("infobench"), referee=Referee(config), folder=out, **options)
    items = suite.load(str(data))
    return replay(suite, items, {"constrained": read_responses(answers, items)}, out)[0]


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


# ---- a run --------------------------------------------------------------------------------------------------------


def test_a_judge_is_asked_in_one_growing_chat_and_every_call_is_kept(data: Path, answers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ChatServer(honest) as server:
        metrics = judged_by(server, data, answers, out)
        asked = len(server.bodies)
        assert judged_by(server, data, answers, out) == metrics
        assert len(server.bodies) == asked
    assert asked == 48
    assert metrics["strict"]["drfr"] == metrics["parity"]["drfr"] == 0.5
    assert metrics["groups"]["Kind of question"]["Content"]["strict"]["drfr"] == 0.5
    calls = [json.loads(line) for line in (out / "judge_calls.jsonl").read_text().splitlines()]
    assert len(calls) == 48
    assert {call["call"] for call in calls} == {"0", "1"}
    second = next(call for call in calls if call["call"] == "1")
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    _, rollouts = load_questions(out)
    assert [answer.value for answer in rollouts[1].answers] == [1.0, 0.0]
    assert rollouts[1].verdicts[1].evidence == "No."
    assert rollouts[1].hard is False
    assert metrics["judge"] | {"verdicts": 48, "unreadable": 0, "calls": 48} == metrics["judge"]


def test_a_finished_folder_is_judged_again_without_model_and_judge(data: Path, answers: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    with ChatServer(lambda number, body: usage("hard to say") if number % 5 == 0 else honest(number, body)) as server:
        metrics = judged_by(server, data, answers, out)
    items = benchmark("infobench").load(str(data))
    found, _ = replay_verdicts(benchmark("infobench"), items, out, again)
    assert metrics["judge"]["retries"] > 0
    assert metrics["judge"]["unreadable"] < metrics["judge"]["retries"]
    shown, _ = replay_verdicts(benchmark("infobench"), items, out, official=True)
    for key in ("strict", "parity", "groups", "unscored"):
        assert found[key] == metrics[key]
        assert shown[key] == metrics[key]  # which profile comes first changes no figure
    assert shown["headline"]["profile"] == "parity"
    assert found["judge"]["calls"] == metrics["judge"]["calls"]
    assert (again / "rollouts.jsonl").read_bytes() == (out / "rollouts.jsonl").read_bytes()
    with pytest.raises(RaifError, match="was made of other items"):
        replay_verdicts(benchmark("infobench"), items[:5], out)


def test_unreadable_verdicts_stay_in_the_denominator_and_are_counted(data: Path, answers: Path, tmp_path: Path) -> None:
    def silent_on_rhyme(number: int, body: Mapping[str, Any]) -> Answer:
        asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
        return usage("Hmm, MAYBE") if any(HIGH in text for text in asked) else honest(number, body)

    with ChatServer(silent_on_rhyme) as server:
        metrics = judged_by(server, data, answers, tmp_path / "out")
    assert metrics["judge"]["unreadable"] == metrics["unscored"]["strict"] == 24
    assert metrics["strict"]["drfr"] == 0.25  # half of the questions on the sea, none of the others


def test_nonsense_and_silence_are_one_message_each_and_what_was_done_is_kept(
    data: Path, answers: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with ChatServer(lambda number, body: usage("The weather is fine.")) as server:
        with pytest.raises(
            RaifError, match=r"judge judge cannot be read: none of its .* replies on the first 8 answers"
        ):
            judged_by(server, data, answers, out)
        assert 0 < len(server.bodies) <= 8 * 4  # not the whole bill
        kept = len((out / "judgements" / "completions.jsonl").read_text().splitlines())
        assert kept == len(server.bodies)
    with pytest.raises(RaifError, match=r"cannot be asked for model 'judge'.*it goes on"):
        judged_by(server, data, answers, tmp_path / "down")
    with ChatServer(honest) as server:  # another judge, the same folder: only the judging is done again
        assert judged_by(server, data, answers, tmp_path / "down")["strict"]["drfr"] == 0.5


def test_an_answer_that_the_judge_cannot_hold_does_not_stop_the_others(
    data: Path, answers: Path, tmp_path: Path
) -> None:
    def short(number: int, body: Mapping[str, Any]) -> Answer:
        too_long = "\nnothing\n" in body["messages"][0]["content"]
        return (
            Answer({"error": {"message": "maximum context length is 512"}}, 400) if too_long else honest(number, body)
        )

    with ChatServer(short) as server:
        metrics = judged_by(server, data, answers, tmp_path / "out")
        assert not any("|again" in line for line in (tmp_path / "out" / "judge_calls.jsonl").read_text().splitlines())
    assert metrics["judge"]["unreadable"] == 12
    assert metrics["strict"]["drfr"] == 0.5


def test_a_judge_that_dies_in_the_middle_loses_nothing(data: Path, answers: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    dying = ChatServer(lambda number, body: honest(number, body) if number < 20 else Answer({}, 503))
    with dying, pytest.raises(RaifError, match="run the same command again"):
        judged_by(dying, data, answers, out)
    with ChatServer(honest) as server:
        judged_by(server, data, answers, out)
        assert len(server.bodies) <= 48 - 18
    with ChatServer(honest) as server:
        judged_by(server, data, answers, whole)
    for name in ("rollouts.jsonl", "judge_calls.jsonl", "items.jsonl", "judgements/completions.jsonl"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_each_question_can_be_asked_by_itself(data: Path, answers: Path, tmp_path: Path) -> None:
    with ChatServer(lambda number, body: usage("NO" if HIGH in body["messages"][-1]["content"] else "yes")) as server:
        metrics = judged_by(server, data, answers, tmp_path / "out", mode="question")
        assert all(len(body["messages"]) == 1 for body in server.bodies)
        assert "Write poem 0." in server.bodies[0]["messages"][0]["content"]
    assert metrics["strict"]["drfr"] == 0.5
    assert metrics["judge"]["mode"] == "question"


def test_no_answer_asks_nobody(data: Path, tmp_path: Path) -> None:
    answers = tmp_path / "blank.jsonl"
    texts = ["<think>still at it", "  "]
    answers.write_text("".join(json.dumps({"id": f"task_{n}", "response": texts[n % 2]}) + "\n" for n in range(24)))
    with ChatServer(honest) as server:
        metrics = judged_by(server, data, answers, tmp_path / "out")
        assert not server.bodies
    assert metrics["no_answer"] == 24
    assert metrics["strict"]["drfr"] == 0.0
    assert metrics["unscored"]["strict"] == 0


# ---- the judge's quality ------------------------------------------------------------------------------------------


def test_a_judge_is_compared_with_stored_verdicts_and_with_itself(data: Path, tmp_path: Path) -> None:
    stored = tmp_path / "published.jsonl"
    rows = [{"id": f"task_{n}", "output": "the sea", "eval": [True, n % 3 == 0]} for n in range(24)]
    stored.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    with ChatServer(lambda n, body: usage("YES") if body["temperature"] else honest(n, body)) as server:
        told = run("infobench", "--data", data, "--responses", stored, "--judge", f"judge@{server.url}", "--out", out,
                   "--consistency", 10)  # fmt: skip
    assert told.exit_code == 0, told.output
    judge = json.loads((out / "metrics.json").read_text())["judge"]
    assert judge["agreement"]["agreement"] == pytest.approx((24 + 16) / 48)
    assert judge["agreement"]["decided"] == 48
    assert judge["consistency"]["agreement"] == 0.5
    assert judge["consistency"]["decided"] == 20
    assert "agrees with the stored verdicts on 83.3 % of 48 questions" in told.output
    assert any(json.loads(line)["again"] for line in (out / "judge_calls.jsonl").read_text().splitlines())


def test_a_finished_folder_needs_no_judge_any_more(data: Path, tmp_path: Path) -> None:
    model = save_speaker(tmp_path / "policy", "the sea")
    with ChatServer(honest) as server:
        asked = ["infobench", "--data", data, "--model", model, "--cap", 8, "--out", tmp_path / "out"]
        asked += ["--judge", f"judge@{server.url}"]
        first = run(*asked)
    assert first.exit_code == 0, first.output
    again = run(*asked)  # the server is gone
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["strict"]["drfr"] == 0.5


def test_what_was_left_out_of_stored_verdicts_is_told(data: Path, tmp_path: Path) -> None:
    stored = tmp_path / "published.jsonl"
    rows = [{"id": f"task_{n}", "output": "the sea", "eval": [True, None]} for n in range(20)]
    stored.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = run("infobench", "--data", data, "--replay-verdicts", stored, "--json", tmp_path / "out.json")
    assert told.exit_code == 0, told.output
    assert "4 items have no stored answer, and are left out of every figure" in told.output
    assert "20 of 40 verdicts of published.jsonl could not be read" in told.output
    assert json.loads((tmp_path / "out.json").read_text())["strict"]["drfr"] == 0.5


def test_only_a_judges_verdicts_are_compared(tmp_path: Path) -> None:
    """The rule of `letters` decides one question of three; the judge has flipped every other one."""
    made = benchmark("tests.raif.seventh_benchmark")
    row = {"prompt": "Write.", "questions": ["Polite?", "Thankful?"], "tone": "a", "words": 9}
    (tmp_path / "letters.jsonl").write_text("".join(json.dumps(row) + "\n" for _ in range(12)))
    items = made.load(str(tmp_path))
    replies = {(str(n), key): "YES" for n in range(6) for key in "01"}
    suite_of = {"outputs": dict.fromkeys(map(str, range(12)), "Thank you."), "replies": replies}
    with ChatServer(lambda n, body: usage("NO" if "Polite" in body["messages"][-1]["content"] else "YES")) as server:
        referee = Referee(parse_judge({"model": "m", "base_url": server.url, "temperature": 0.7}))
        suite = QuestionSuite(made, referee=referee, folder=tmp_path / "o", reference=Stored(**suite_of), consistency=5)
        outputs = [Output(item, "constrained", 0, "Thank you.") for item in items]
        metrics = suite.summarize(items, suite.judge(outputs))
        seeds = {body["seed"] for body in server.bodies}
    found = metrics["judge"]["agreement"]
    assert (found["decided"], found["agreement"], found["reference_unreadable"]) == (12, 0.5, 0)
    assert metrics["judge"]["consistency"]["decided"] == 10
    assert len(seeds) == len(server.bodies) == 34  # the second time with other random numbers


def test_agreement_leaves_out_what_the_reference_could_not_read() -> None:
    def verdicts(*values: float | None) -> list[QuestionVerdict]:
        return [QuestionVerdict(id=str(n), value=value) for n, value in enumerate(values)]

    found = agreement({"a": verdicts(1, 0, None, 1)}, {"a": verdicts(1, 1, 1, None), "b": verdicts(1)})
    assert (found["agreement"], found["decided"], found["reference_unreadable"]) == (0.5, 2, 1)
    assert found["abstention_rate"] == pytest.approx(1 / 3)


def test_a_judge_of_the_policys_family_is_told(tmp_path: Path) -> None:
    assert families("Meta-Llama-3-8B-Instruct") == {"Llama"}
    assert families("gpt-4o-2024-08-06") == {"GPT"}
    assert families("THUDM/glm-4-9b") == {"GLM"}
    assert families("Qwen/QwQ-32B") == {"Qwen"}
    assert families("qwen2.5-72b") == {"Qwen"}
    assert families("codellama-7b") == families("vicuna-13b") == {"Llama"}
    assert families("Qwen2.5VL-7B") == {"Qwen"}
    assert families("o3-mini") == {"GPT"}
    (tmp_path / "config.json").write_text("{")
    assert not kinship({"model": str(tmp_path)}, {"model": "Llama-3"})
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')  # also Yi's architecture
    assert not kinship({"model": str(tmp_path)}, {"model": "Llama-3"})
    assert families("my-yielding-model") == set()
    assert not kinship({"model": "Qwen2.5"}, {"model": "gemma-3-12b-it"})
    assert "same model" in kinship({"model": "a", "digest": "1"}, {"model": "b", "digest": "1"})
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "config.json").write_text('{"model_type": "qwen3"}')
    assert "one family (Qwen)" in kinship({"model": str(policy)}, {"model": "Qwen2.5-72B"})
    assert "one family (Qwen)" in kinship({"model": "DeepSeek-R1-Distill-Qwen-7B"}, {"model": "qwen2.5-72b"})


# ---- the command --------------------------------------------------------------------------------------------------


def test_mistakes_are_one_message_each(data: Path, answers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    judge = ("--judge", "m@http://127.0.0.1:9/v1")
    cases = {
        ("infobench",): "needs --data. Give InfoBench.jsonl",
        ("infobench", "--data", data): "give one of --model",
        ("infobench", "--data", data, "--model", "m", "--cap", 4, "--out", out): "infobench asks a judge; give --judge",
        ("infobench", "--data", data, "--responses", answers, *judge): "give --out",
        ("infobench", "--data", data, "--responses", answers, *judge, "--out", out): "the judge does not answer",
        ("infobench", "--data", data, "--responses", answers, *judge, "--out", out, "--cap", 5): "draws nothing",
        ("infobench", "--data", data, "--replay-verdicts", answers): "holds no answers to InfoBench",
        ("infobench", "--data", data, "--replay-verdicts", tmp_path / "no"): "no verdicts at",
        ("infobench", "--data", tmp_path, "--language", "zh", "--replay-verdicts", answers): "no --language zh",
        ("infobench", "--data", answers, "--replay-verdicts", answers): "row 0 is no item of InfoBench: it has no",
        ("infobench", "--data", data, "--model", "m", "--judge-mode", "x"): "unknown judge mode 'x'",
        ("cello", "--data", tmp_path, "--replay-verdicts", answers): "lacks 13 of the 13 files",
        ("cello", "--data", tmp_path, "--responses", answers, *judge): "no judge is asked here; leave out --judge",
        ("infobnch",): "did you mean 'infobench'?",
    }
    for arguments, said in cases.items():
        told = run(*arguments)
        assert told.exit_code != 0, arguments
        assert said in str(told.exception or told.output), (arguments, told.output)
    assert not out.exists()


def test_judge_settings_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "judge.yaml"
    path.write_text("model: m\nbase_url: http://127.0.0.1:9/v1\nmax_tokens: 77\n")
    assert read_judge(str(path)).max_tokens == 77
    with pytest.raises(RaifError, match="no judge settings at"):
        read_judge(str(tmp_path / "none.yaml"))
    path.write_text("modell: m\n")
    with pytest.raises(RaifError, match="did you mean 'model'"):
        read_judge(str(path))


def test_prompts_can_be_exported(data: Path, tmp_path: Path) -> None:
    told = run("infobench", "--data", data, "--export-prompts", tmp_path / "prompts.jsonl")
    assert told.exit_code == 0, told.output
    rows = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text().splitlines()]
    assert rows[3] == {"id": "task_3", "prompt": "Write poem 3."}
    assert len(rows) == 24


def test_a_seventh_benchmark_takes_less_than_a_hundred_lines(tmp_path: Path) -> None:
    source = Path(__file__).with_name("seventh_benchmark.py")
    assert len(source.read_text().splitlines()) < 100
    rows = [
        {"prompt": f"Write to {n}.", "questions": ["Is it polite?", "Does it thank?"], "tone": "ab"[n % 2], "words": 3}
        for n in range(20)
    ]
    data, answers = tmp_path / "letters.jsonl", tmp_path / "answers.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = ["Thank you.", "Thank you so very much."]
    answers.write_text("".join(json.dumps({"id": str(n), "response": texts[n % 2]}) + "\n" for n in range(20)))
    with ChatServer(lambda n, body: usage("YES" if "thank" in body["messages"][-1]["content"] else "NO")) as server:
        told = run("tests.raif.seventh_benchmark", "--data", data, "--responses", answers, "--out", tmp_path / "out",
                   "--judge", f"judge@{server.url}")  # fmt: skip
    assert told.exit_code == 0, told.output
    strict = json.loads((tmp_path / "out" / "metrics.json").read_text())["strict"]
    assert strict["followed"] == pytest.approx(2 / 6)  # too long a letter blocks the other questions
    assert strict["by_tone"] == pytest.approx(2 / 6)
    told = run("tests.raif.test_question_suite", "--data", data)
    assert "no benchmark in module" in str(told.exception)
