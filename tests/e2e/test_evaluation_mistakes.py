"""What people get wrong with `raif evaluate`, `experiment` and `report`: one message, and nothing is lost or mixed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertModel
from typer.testing import CliRunner

from data_gen.commands.mathif import mathif_witness
from raif.cli import app
from raif.generation.store import Store
from rewards.errors import RaifError
from tests.e2e.test_evaluate import NO_COMMA, QUOTED, mathif_row, respond

Rows = list[dict[str, Any]]
REPLY = {
    "choices": [{"message": {"content": "It is \\boxed{1}"}, "finish_reason": "stop"}],
    "usage": {"completion_tokens": 5},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "mathif"
    folder.mkdir()
    for name, constraints in (("single", (NO_COMMA,)), ("double", (NO_COMMA, QUOTED))):
        respond(folder / f"{name}.jsonl", [mathif_row(number, *constraints) for number in range(3)])
    return folder


@pytest.fixture
def rows() -> Rows:
    ids = [f"{name}/{number}" for name in ("double", "single") for number in range(3)]
    return [{"id": key, "response": "It is \\boxed{1}"} for key in ids]


def command(*arguments: object) -> Any:
    """Run `raif` in this process; a user error is raised, the exit code is left to the caller."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(message: str, *arguments: object) -> None:
    with pytest.raises(RaifError, match=message):
        command(*arguments)


def replayed(data: Path, rows: Rows, out: Path) -> Path:
    """Make an evaluation folder without its plots, which take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raif.commands.outcome.plot_and_log", lambda *_: None)
        given = respond(out.with_suffix(".jsonl"), rows)
        assert command("evaluate", "mathif", "--data", data, "--responses", given, "--out", out).exit_code == 0
    return out


# ---- stored responses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [{**row, "response": None} for row in rows], "1 field response is null.*write an empty text"),
        (lambda rows: [{**row, "id": 3} for row in rows], "field id is 3.*--export-prompts"),
        (lambda rows: [{"id": row["id"], "output": "x"} for row in rows], "no `response`; it has: id, output"),
        (lambda rows: [*rows, {**rows[0], "sample": 10**9}], "the sample 1000000000 in 7 rows"),
        (lambda rows: [{**row, "finish_reason": "max_tokens"} for row in rows], "max_tokens.*'length'"),
        (lambda rows: [*rows, {**rows[0], "id": "a\u202eb"}], r"unknown: 'a\\u202eb'"),
    ],
)
def test_responses_that_are_not_what_they_should_be(
    change: Callable[[Rows], Rows], message: str, data: Path, rows: Rows, tmp_path: Path
) -> None:
    given = respond(tmp_path / "r.jsonl", change(rows))
    refused(message, "evaluate", "mathif", "--data", data, "--responses", given, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_of_other_encodings_is_told_from_broken_rows(data: Path, rows: Rows, tmp_path: Path) -> None:
    text = respond(tmp_path / "r.jsonl", rows).read_text(encoding="utf-8")
    given = tmp_path / "given.jsonl"
    asked = ("evaluate", "mathif", "--data", data, "--responses", given)
    for content, message in (
        (text.encode("utf-16"), "1 is no UTF-8 text"),
        (text.replace("It", "\xe9").encode("latin-1"), "1 is no UTF-8 text"),
        (b"[" * 200_000 + b"\n", "1 is no JSON"),
        (text.encode()[:-9], "6 is no JSON"),
    ):
        given.write_bytes(content)
        refused(message, *asked)
    refused("is a folder", *asked[:-1], data)
    given.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert "nothing was kept; --out" in command(*asked).output


def test_half_characters_become_whole_ones(data: Path, rows: Rows, tmp_path: Path) -> None:
    out = replayed(data, [{**row, "response": "\ud800 fine"} for row in rows], tmp_path / "out")
    assert json.loads((out / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()[0])["completion"] == "� fine"


def test_options_that_would_be_ignored_or_cost_a_file(data: Path, rows: Rows, tmp_path: Path) -> None:
    given = respond(tmp_path / "r.jsonl", rows)
    before = given.read_bytes()
    asked = ("evaluate", "mathif", "--data", data, "--responses", given)
    refused("leave out --cap, --samples, --seed", *asked, "--samples", 4, "--seed", 1, "--cap", 9)
    refused("--arm unconstrained name the same", *asked, "--unconstrained", given, "--arm", "unconstrained")
    refused("--json .* would be lost", *asked, "--json", given)
    refused("is a folder; name a file", *asked, "--json", tmp_path)
    refused("takes no --responses; leave it out", *asked, "--export-prompts", tmp_path / "p.jsonl")
    refused(r"something else .*double.jsonl, single.jsonl", *asked, "--out", data)
    assert given.read_bytes() == before
    assert sorted(path.name for path in data.iterdir()) == ["double.jsonl", "single.jsonl"]


def test_a_folder_with_other_settings_says_which(data: Path, rows: Rows, tmp_path: Path) -> None:
    out = replayed(data, rows, tmp_path / "out")
    other = respond(tmp_path / "other.jsonl", [{**row, "response": "."} for row in rows])
    again = ("evaluate", "mathif", "--data", data, "--responses", other, "--out", out)
    refused("responses.constrained.digest is .*, was ", *again)
    (out / "settings.json").write_text('{"suite":', encoding="utf-8")
    refused("settings.json is damaged", *again)


# ---- models and servers -------------------------------------------------------------------------------------------


def broken(policy: Path, folder: Path, kind: str) -> Path:
    """Copy a policy and spoil it in one way."""
    shutil.copytree(policy, folder)
    weights, config = folder / "model.safetensors", folder / "config.json"
    if kind == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-500])
    elif kind == "empty weights":
        weights.write_bytes(b"")
    elif kind == "no chat template":
        (folder / "chat_template.jinja").unlink()
    elif kind == "broken chat template":
        (folder / "chat_template.jinja").write_text("{{ messages[0", encoding="utf-8")
    elif kind == "torn tokenizer":
        (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    elif kind == "encoder":
        small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
        BertModel(BertConfig(vocab_size=300, **small)).save_pretrained(folder)
    else:
        positions = {"max_position_embeddings": 64 if kind == "short context" else 200}
        config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | positions), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut weights", "the model of .* cannot be used .SafetensorError"),
        ("empty weights", "the model of .* cannot be used"),
        ("no chat template", "has no chat template; take the instruct version"),
        ("broken chat template", "the chat template of .* cannot be used"),
        ("torn tokenizer", "the tokenizer of .* cannot be used"),
        ("encoder", "lack 6 tensors of BertLMHeadModel"),
        ("short context", "exceed the 64 positions of .*; take a model with a longer context"),
        ("narrow context", "exceed the 200 positions of .*; lower --cap to at most"),
    ],
)
def test_models_that_cannot_be_used(kind: str, message: str, policy: Path, data: Path, tmp_path: Path) -> None:
    asked = ("evaluate", "mathif", "--data", data, "--limit", 2, "--cap", 190, "--out", tmp_path / "out")
    refused(message, *asked, "--model", broken(policy, tmp_path / "model", kind))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--top-p", "0"), "top_p 0 must be above 0"),
        (("--temperature", "inf"), "temperature inf draws nothing sensible"),
        (("--temperature", "1e-9"), "give 0 .greedy."),
        (("--backend", "vlm"), "did you mean 'vllm'"),
    ],
)
def test_sampling_that_draws_nothing_is_refused(options: tuple[str, ...], message: str, data: Path) -> None:
    asked = ("mathif", "--data", data, "--model", "/nowhere", "--cap", 8, "--out", data / "out", *options)
    refused(message, "evaluate", *asked)
    refused(message, "experiment", "wait", *asked)


@contextmanager
def server(reply: Callable[[int], tuple[int, Any]]) -> Iterator[str]:
    """Serve what `reply` returns (status, JSON) for the number of a request, from 1."""
    numbers = iter(range(1, 10**6))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, content = reply(next(numbers))
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def served(url: str, data: Path, out: Path, model: str = "m") -> tuple[object, ...]:
    asked = ("evaluate", "mathif", "--data", data, "--arm", "constrained", "--cap", 8, "--batch-size", 1)
    return (*asked, "--backend", "openai", "--base-url", url, "--model", model, "--out", out)


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raif.commands.outcome.plot_and_log", lambda *_: None)


@pytest.mark.usefixtures("without_plots")
def test_a_signal_ends_an_evaluation_with_one_message_and_it_goes_on(data: Path, tmp_path: Path) -> None:
    def reply(number: int) -> tuple[int, Any]:
        if number == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return 200, REPLY

    before = signal.getsignal(signal.SIGTERM)
    with server(reply) as url:
        stopped = command(*served(url, data, tmp_path / "out"))
        assert stopped.exit_code == os.EX_TEMPFAIL
        assert "what was drawn is kept, and the same command goes on" in stopped.output
        assert signal.getsignal(signal.SIGTERM) is before
        kept = len((tmp_path / "out/generations/completions.jsonl").read_text(encoding="utf-8").splitlines())
        assert 2 <= kept < 6
        refused("run the command that began it again", "experiment", "errors", tmp_path / "out")
        with Store(tmp_path / "out/generations").writing():
            refused("another process writes", *served(url, data, tmp_path / "out"))
        assert command(*served(url, data, tmp_path / "out")).exit_code == 0
        command(*served(url, data, tmp_path / "whole"))
    for name in ("rollouts.jsonl", "metrics.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.usefixtures("without_plots")
def test_a_wrong_model_name_does_not_take_the_folder(data: Path, tmp_path: Path) -> None:
    with server(lambda _: (404, {"error": {"message": "The model `typo` does not exist"}})) as url:
        refused("model 'typo': HTTP 404.*does not exist", *served(url, data, tmp_path / "out", "typo"))
    with server(lambda _: (200, REPLY)) as url:
        assert command(*served(url, data, tmp_path / "out", "right")).exit_code == 0
        refused("generator.model is .typo., was .right.", *served(url, data, tmp_path / "out", "typo"))


@pytest.mark.usefixtures("without_plots")
def test_replies_of_a_server_that_are_no_completions(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raif.generation.served.Limits.__new__.__defaults__", (16, 5.0, 0, 0.0))
    choice = REPLY["choices"][0]  # type: ignore[index]
    for reply in (
        {**REPLY, "usage": {"completion_tokens": -3}},
        {**REPLY, "choices": [{**choice, "message": {"content": ["It is"]}}]},
        {**REPLY, "choices": []},
    ):
        with server(lambda _, reply=reply: (200, reply)) as url:
            refused("6 of 6 requests .*no completion.* Look at the server", *served(url, data, tmp_path / "out"))
    with server(lambda _: (200, {**REPLY, "choices": [{**choice, "message": {"content": None}}]})) as url:
        assert "6 of 6 completions are empty" in command(*served(url, data, tmp_path / "out")).output
    monkeypatch.setenv("SOME_KEY", "secret-ü")
    with pytest.raises(RaifError, match="SOME_KEY holds a line break or a letter") as error:
        command(*served("http://127.0.0.1:9/v1", data, tmp_path / "other"), "--api-key-env", "SOME_KEY")
    assert "secret" not in str(error.value)


# ---- experiments and reports --------------------------------------------------------------------------------------


def test_damaged_evaluations_are_no_results(data: Path, rows: Rows, tmp_path: Path) -> None:
    out = replayed(data, rows, tmp_path / "out")
    whole = (out / "rollouts.jsonl").read_bytes()
    (out / "rollouts.jsonl").write_bytes(whole[: len(whole) // 2])
    refused("rollouts of 2 items, metrics.json speaks of 6", "experiment", "errors", out)
    judged = [json.loads(line) for line in whole.splitlines()]
    respond(out / "rollouts.jsonl", [*judged[:-1], {**judged[-1], "verdicts": [{}]}])
    refused("damaged .KeyError: 'status'", "report", out)
    (out / "metrics.json").write_text('{"n": "x", "strict": 5}', encoding="utf-8")
    refused("the result of the evaluation in .* lacks something", "report", out)
    (out / "metrics.json").write_text("{", encoding="utf-8")
    refused("metrics.json is damaged", "experiment", "errors", out)
    (out / "rollouts.jsonl").unlink()
    refused("no run that can be reported", "report", out)


def test_results_never_take_the_place_of_what_is_read(data: Path, rows: Rows, tmp_path: Path) -> None:
    out = replayed(data, rows, tmp_path / "out")
    held = {path: path.read_bytes() for path in (*data.iterdir(), *out.iterdir()) if path.is_file()}
    refused("holds something else .double.jsonl", "experiment", "errors", out, "--out", data)
    refused("is an evaluation or a file", "experiment", "errors", out, "--out", out)
    refused("metrics.json is a file of the run", "report", out, "--json", out / "metrics.json")
    refused("is written already", "report", out, "--out", tmp_path / "r.html", "--markdown", tmp_path / "r.html")
    refused("is a folder", "report", out, "--markdown", tmp_path)
    for place in (data / "w.jsonl", data / "single.jsonl"):
        with pytest.raises(RaifError, match="name a file in another folder"):
            mathif_witness(data, place)
    assert {path: path.read_bytes() for path in held} == held
    assert not (data / "unmet.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--counts", "-2"), "between 0 and 100"),
        (("--counts", "1000000"), "between 0 and 100"),
        (("--counts", "two"), "whole numbers"),
        (("--text", " "), "does not keep the thinking open"),
        (("--text", "so </think>"), "does not keep the thinking open"),
        (("--filler", "Wait"), "and no control"),
    ],
)
def test_budget_forcing_that_forces_nothing(options: tuple[str, ...], message: str, data: Path) -> None:
    asked = ("--data", data, "--model", "/nowhere", "--cap", 8, "--out", data.parent / "out")
    refused(message, "experiment", "wait", "mathif", *asked, *options)


def test_missing_packages_are_named_before_or_after_but_never_cost_the_result(
    data: Path, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = respond(tmp_path / "r.jsonl", rows)
    asked = ("evaluate", "mathif", "--data", data, "--responses", given, "--out", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "wandb", None)
    refused("--wandb needs wandb.*raif.wandb.", *asked, "--wandb", "project")
    assert not (tmp_path / "out").exists()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = command(*asked).output
    assert "no plots: matplotlib is not installed" in said
    assert "raif report" in said
    assert (tmp_path / "out/metrics.json").is_file()
