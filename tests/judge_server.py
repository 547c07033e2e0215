"""A loopback HTTP server that speaks the chat protocol and misbehaves on demand."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from rewards.judge import Judge, Question, parse_judge

FORMAL = Question(question="Is the response formal?", request="Greet me.", answer="Good evening, Madam.")
LIKELY_YES = {"YES": 0.5, " yes": 0.2, "No": 0.1, "NO": 0.1, "是": 0.02, "Maybe": 0.05}


class Answer(NamedTuple):
    """An HTTP reply; a `body` that is no bytes is sent as JSON. With `cut` the connection ends before the body does."""

    body: Any
    status: int = 200
    seconds: float = 0.0
    cut: bool = False


Script = Callable[[int, Mapping[str, Any]], Answer]


def chat(text: str | None, likely: Mapping[str, float] | None = None, finish: str = "stop") -> dict[str, Any]:
    """Return a chat completion; `likely` are the probabilities of its first token."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    if likely is not None:
        top = [{"token": token, "logprob": math.log(mass), "bytes": None} for token, mass in likely.items()]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "judge", "choices": [choice]}


class _Http(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False


class ChatServer:
    """Serve `script(request number, request body)` on a free port, as a context manager.

    `bodies`, `paths` and `headers` are those of the requests; `peak` is how many were open at once.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.peak = self._open = 0
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    number = len(server.bodies)
                    server.bodies.append(body)
                    server.paths.append(self.path)
                    server.headers.append({name.lower(): value for name, value in self.headers.items()})
                    server._open += 1
                    server.peak = max(server.peak, server._open)
                answer = server.script(number, body)
                time.sleep(answer.seconds)
                with server._lock:
                    server._open -= 1
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data) + answer.cut))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:  # the client has given up
                    self.close_connection = True
                self.close_connection = self.close_connection or answer.cut

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def constantly(body: Any, status: int = 200) -> Script:
    """Return the script of a server that always says the same."""
    return lambda number, request: Answer(body, status)


def judge(server: ChatServer, **settings: Any) -> Judge:
    """Return a judge that asks this server."""
    defaults = {"model": "judge", "base_url": server.url, "backoff": 0.01, "timeout": 120.0}
    return Judge(parse_judge(defaults | settings))


def questions(count: int) -> list[Question]:
    """Return questions that differ in their answer."""
    return [FORMAL.model_copy(update={"answer": f"Greeting number {number}."}) for number in range(count)]
