"""The client of a served model, against a real HTTP server that misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from data_gen.served import ChatRequest, ServedConfig, ServedModel, parse_served
from data_gen.served_replies import ChatReply, ReplyCache
from rewards import RaifError
from tests.judge_server import Answer, ChatServer, chat, constantly

ROOT = Path(__file__).resolve().parents[2]


def model(server: ChatServer, **settings: Any) -> ServedModel:
    defaults = {"base_url": server.url, "model": "editor", "backoff": 0.01, "timeout": 20.0}
    return ServedModel(parse_served(defaults | settings))


def requests(count: int, sample: int = 0) -> list[ChatRequest]:
    return [ChatRequest(({"role": "user", "content": f"Say {number}."},), sample) for number in range(count)]


def said(body: Mapping[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def echo(number: int, body: Mapping[str, Any]) -> Answer:
    return Answer({**chat(f"You said: {said(body)}"), "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


def test_replies_come_in_the_order_of_the_requests_with_bounded_concurrency() -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return echo(number, body)._replace(seconds=0.3 if number % 2 else 0.1)

    done: list[int] = []
    with ChatServer(script) as server:
        asked = model(server, concurrency=3, temperature=0.3, top_p=0.9, max_tokens=50)
        replies = asked.ask([*requests(12), *requests(2)], done.append)
    assert [reply.text for reply in replies] == [f"You said: Say {n % 12}." for n in [*range(12), 0, 1]]
    assert replies[0] == ChatReply("You said: Say 0.", completion_tokens=3, finish_reason="stop")
    assert len(server.bodies) == 12
    assert server.peak == 3
    assert (done[0], done[-1], len(done)) == (0, 14, 13)
    assert done == sorted(done)
    sent = {name: server.bodies[0][name] for name in ("model", "temperature", "top_p", "max_tokens", "seed")}
    assert sent == {"model": "editor", "temperature": 0.3, "top_p": 0.9, "max_tokens": 50, "seed": 0}
    assert asked.tokens == {"prompt": 84, "completion": 36}
    assert asked.counts["repeated"] == 2


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_transient_failures_are_asked_again(status: int) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer({"error": "busy"}, status) if number < 2 else echo(number, body)

    with ChatServer(script) as server:
        asked = model(server, retries=2)
        [reply] = asked.ask(requests(1))
        assert reply.text == "You said: Say 0."
        assert (asked.counts["sent"], asked.counts["retried"]) == (3, 2)


def test_a_lost_connection_and_a_late_reply_are_asked_again() -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return [Answer(b'{"choi', cut=True), echo(number, body)._replace(seconds=600.0), echo(number, body)][number]

    with ChatServer(script) as server:
        [reply] = model(server, timeout=5.0, retries=2).ask(requests(1))
    assert reply.text == "You said: Say 0."
    assert len(server.bodies) == 3


def test_what_never_gets_better_is_an_error_of_its_request_alone() -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer({"error": "out of memory"}, 500) if said(body) == "Say 1." else echo(number, body)

    with ChatServer(script) as server:
        asked = model(server, retries=1)
        replies = asked.ask(requests(3))
    assert [reply.text is None for reply in replies] == [False, True, False]
    assert replies[1].error.startswith("HTTP 500: ")
    assert "out of memory" in replies[1].error
    assert (asked.counts["answered"], asked.counts["failed"]) == (2, 1)


def test_a_request_that_is_refused_is_not_asked_again() -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer({"error": "prompt too long"}, 400) if said(body) == "Say 1." else echo(number, body)

    with ChatServer(script) as server:
        replies = model(server, retries=3).ask(requests(3))
    assert "HTTP 400" in replies[1].error
    assert len(server.bodies) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_server_that_refuses_everything_is_one_clear_error(status: int) -> None:
    with (
        ChatServer(constantly({"error": "no such model"}, status)) as server,
        pytest.raises(RaifError, match=rf"{server.url} cannot be asked for model 'editor': HTTP {status}.*such"),
    ):
        model(server, retries=3, concurrency=2).ask(requests(20))
    assert len(server.bodies) <= (20 if status == 400 else 4)


def test_an_unreachable_server_is_named_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    asked = ServedModel(ServedConfig(base_url=url, model="m", retries=20, backoff=60.0))
    with pytest.raises(RaifError, match=f"{url} cannot be asked .*no connection"):
        asked.ask(requests(50))
    assert asked.counts["retried"] == 0


def test_a_server_that_goes_away_keeps_what_was_answered(tmp_path: Path) -> None:
    with ChatServer(echo) as server:
        asked = model(server, cache=tmp_path, retries=0)
        asked.ask(requests(2))
    with pytest.raises(RaifError, match="kept in the cache"):
        asked.ask(requests(4))
    assert [reply.cached for reply in asked.ask(requests(2))] == [True, True]


def test_the_key_is_that_of_the_named_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR_KEY", "secret")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ChatServer(echo) as server:
        model(server, api_key_env="EDITOR_KEY").ask(requests(1))
        model(server).ask(requests(1))
    assert [headers["authorization"] for headers in server.headers] == ["Bearer secret", "Bearer none"]


def test_budgets_end_in_replies_that_say_so() -> None:
    with ChatServer(echo) as server:
        asked = model(server, budget_requests=3, concurrency=1)
        assert [reply.error for reply in asked.ask(requests(5))] == ["", "", "", "budget", "budget"]
        assert [reply.error for reply in asked.ask(requests(1))] == ["budget"]
        assert asked.counts["budget"] == 3
        assert len(server.bodies) == 3
        tokens = model(server, budget_tokens=15, concurrency=1)  # ten a request
        assert [reply.error for reply in tokens.ask(requests(4))] == ["", "", "budget", "budget"]


def test_thinking_is_kept_apart() -> None:
    apart = chat("It is 7.")
    apart["choices"][0]["message"]["reasoning_content"] = "3 + 4"
    replies = [
        Answer(apart),
        Answer(chat("<think>3 + 4</think>It is 7.")),
        Answer(chat("3 + 4</think>It is 7.")),
        Answer(chat("<think>3 + ", finish="length")),
        Answer(chat("It is 7.", finish="length")),
    ]
    with ChatServer(lambda number, body: replies[number]) as server:
        got = model(server, concurrency=1).ask(requests(5))
    assert [(reply.reasoning, reply.text) for reply in got[:3]] == [("3 + 4", "It is 7.")] * 3
    assert (got[3].text, got[3].reasoning) == (None, "3 + ")
    assert got[3].error == "the reply holds no answer (finish reason length)"
    assert (got[4].text, got[4].finish_reason) == ("It is 7.", "length")


@pytest.mark.parametrize(
    "body", [b"no json", [], {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": 3}]}, {"choices": None}]
)
def test_garbage_is_a_failure_and_no_exception(body: Any) -> None:
    with ChatServer(constantly(body)) as server:
        [reply] = model(server, retries=1).ask(requests(1))
    assert reply.text is None
    assert "the reply is no" in reply.error
    assert len(server.bodies) == 2


def test_replies_are_remembered_by_all_that_they_depend_on(tmp_path: Path) -> None:
    with ChatServer(echo) as server:
        first = model(server, cache=tmp_path / "c").ask(requests(3))
        again = model(server, cache=tmp_path / "c")
        assert again.ask(requests(3)) == [reply._replace(cached=True) for reply in first]
        assert len(server.bodies) == 3
        assert (again.counts["cached"], again.counts["sent"]) == (3, 0)
        for other in ({"model": "x"}, {"temperature": 0.1}, {"max_tokens": 9}, {"extra_body": {"top_k": 1}}):
            assert not model(server, cache=tmp_path / "c", **other).ask(requests(1))[0].cached
        assert not again.ask(requests(1, sample=1))[0].cached
        assert server.bodies[-1]["seed"] == 1
        assert len(server.bodies) == 8


def test_failures_are_not_remembered(tmp_path: Path) -> None:
    replies = [Answer({}, 500), Answer(chat("")), Answer(chat("Yes."))]
    with ChatServer(lambda number, body: replies[number]) as server:
        asked = model(server, cache=tmp_path, retries=0)
        assert [asked.ask(requests(1))[0].text for _ in range(4)] == [None, None, "Yes.", "Yes."]


def test_a_torn_line_is_ignored(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    for number in range(3):
        cache.put(f"key {number}", ChatReply("四 " * 50, finish_reason="stop"))
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    (tmp_path / "other.jsonl").write_bytes(
        b'{"key": 1}\nnot json\n' + whole.split(b"\n")[0].replace(b"key 0", b"key 9")
    )
    read = ReplyCache(tmp_path)
    assert [read.get(f"key {number}") is not None for number in (0, 1, 2, 9)] == [True, True, False, False]
    reply = read.get("key 1")
    assert reply is not None
    assert reply.text == "四 " * 50
    read.put("key 2", ChatReply("again"))
    cache.refresh()
    assert cache.get("key 2") == ChatReply("again")


ASKER = """
import sys
from data_gen.served import ChatRequest, ServedConfig, ServedModel
model = ServedModel(ServedConfig(base_url=sys.argv[1], model="editor", cache=sys.argv[2], concurrency=4))
model.ask([ChatRequest(({"role": "user", "content": f"Say {n}."},)) for n in range(60)])
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    killed = threading.Event()

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        if number >= 20:
            killed.wait(600)
        return echo(number, body)._replace(seconds=0.03)

    with ChatServer(script) as server:
        command = [sys.executable, "-c", ASKER, server.url, str(tmp_path)]
        first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while len(server.bodies) <= 20:
            time.sleep(0.01)
        first.kill()
        first.wait()
        killed.set()
        known = len({json.loads(line)["key"] for path in tmp_path.iterdir() for line in path.read_bytes().splitlines()})
        assert 4 <= known <= 20
        asked = len(server.bodies)
        replies = model(server, cache=tmp_path).ask(requests(60))
        assert [reply.text for reply in replies] == [f"You said: Say {n}." for n in range(60)]
        assert sum(reply.cached for reply in replies) == known
        assert len(server.bodies) - asked == 60 - known


def test_a_broken_cache_costs_no_reply(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "cache"

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        folder.touch()  # a file where the folder should be made
        return echo(number, body)

    with ChatServer(script) as server:
        replies = model(server, cache=folder).ask(requests(3))
    assert all(reply.text for reply in replies)
    assert caplog.text.count("goes on without its cache") == 1
    with pytest.raises(RaifError, match="name a folder"):
        model(server, cache=folder)


def test_it_pickles_and_may_be_asked_inside_an_event_loop() -> None:
    async def inside(asked: ServedModel) -> list[ChatReply]:
        return asked.ask(requests(2))

    with ChatServer(echo) as server:
        asked = pickle.loads(pickle.dumps(model(server)))
        assert [reply.text for reply in asyncio.run(inside(asked))] == ["You said: Say 0.", "You said: Say 1."]


class _Busy(BaseHTTPRequestHandler):
    """Busy at first, and says for how long."""

    times: ClassVar[list[float]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.times.append(time.monotonic())
        data = json.dumps(chat("Yes.")).encode()
        self.send_response(429 if len(self.times) == 1 else 200)
        self.send_header("Retry-After", "0.4")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def test_the_server_says_how_long_to_wait() -> None:
    _Busy.times.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        config = ServedConfig(base_url=f"http://127.0.0.1:{server.server_port}/v1", model="m", backoff=600.0, retries=1)
        assert ServedModel(config).ask(requests(1))[0].text == "Yes."
        server.shutdown()
    first, second = _Busy.times
    assert 0.4 <= second - first < 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_url": "ftp://x", "model": "m"}, "base_url"),
        ({"base_url": "http://user:pass@x/v1", "model": "m"}, "it holds a password"),
        ({"base_url": "http://x/v1", "model": "m", "api_key_env": "sk-123"}, "NAME of an environment variable"),
        ({"base_url": "http://x/v1", "model": "m", "temprature": 1}, "did you mean 'temperature'"),
        ({"base_url": "http://x/v1", "model": "m", "extra_body": {"seed": 1}}, "seed cannot be set here"),
        ({"base_url": "http://x/v1"}, "model: Field required"),
        ("http://x/v1", "the served model is not set up"),
    ],
)
def test_settings_that_are_wrong(settings: Any, message: str) -> None:
    with pytest.raises(RaifError, match=message) as caught:
        parse_served(settings)
    assert "sk-123" not in str(caught.value)
    assert "pass@" not in str(caught.value)


def test_the_client_library_is_not_imported_with_the_module() -> None:
    code = "import sys, data_gen.served, data_gen.evolve; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
