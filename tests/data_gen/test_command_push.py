"""`push`: the real client uploads an exported data set to a hub on this machine."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from data_gen.export import export
from tests.data_gen.test_quality_samples import samples, write_folder

REPOSITORY = Path(__file__).resolve().parents[2]


class Hub:
    """A hub that accepts one data set; `created` is the request that made it, `files` are those of its commit."""

    def __init__(self) -> None:
        self.created: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.token = self.header = ""
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """Return the reply to a request of the client."""
        if path == "/api/repos/create":
            self.created = json.loads(body)
            return {"url": f"{self.url}/datasets/someone/rain", "id": "1"}
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        if path == "/api/validate-yaml":
            self.header = json.loads(body)["content"]
            return {"errors": [], "warnings": []}
        assert "/commit/" in path, path
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        address = f"{self.url}/datasets/someone/rain/commit/{'a' * 40}"
        return {"success": True, "commitOid": "a" * 40, "commitUrl": address}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                hub.token = self.headers["authorization"] or ""
                self._send(hub.answer(self.path, self._body()))

            def do_GET(self) -> None:
                self._send({"id": "someone/rain", "sha": "b" * 40, "siblings": []})

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _send(self, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    threading.Thread(target=made.http.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def push(folder: Path, hub: Hub, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, since tests are offline for the client library."""
    return subprocess.run(
        [sys.executable, "-m", "data_gen", "push", str(folder), "someone/rain", "--endpoint", hub.url, *options],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "0", "HF_TOKEN": "hf_test"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("options", "expected"), [((), "private"), (("--public",), "public")])
def test_an_exported_folder_is_uploaded(tmp_path: Path, hub: Hub, options: tuple[str, ...], expected: str) -> None:
    folder = write_folder(tmp_path / "rain", samples(12), shards=1)
    export(folder)
    done = push(folder, hub, *options)
    assert done.returncode == 0, done.stderr
    assert f"{folder} is at {hub.url}/datasets/someone/rain" in done.stderr
    visibility = hub.created.get("visibility", "private" if hub.created.get("private") else "public")
    assert visibility == expected  # older clients send `private`
    assert (hub.created["organization"], hub.created["name"], hub.created["type"]) == ("someone", "rain", "dataset")
    assert hub.token == "Bearer hf_test"
    assert "pretty_name: rain" in hub.header
    sent = [*(folder / "data").glob("*.parquet"), folder / "README.md", folder / "manifest.json"]
    assert hub.files == {str(path.relative_to(folder)): path.read_bytes() for path in sent}


def test_a_hub_that_refuses_is_one_message(tmp_path: Path, hub: Hub) -> None:
    folder = write_folder(tmp_path / "rain", samples(6), shards=1)
    export(folder)
    hub.http.shutdown()
    hub.http.server_close()
    done = push(folder, hub)
    assert done.returncode == 1
    assert done.stderr.count("error:") == 1
    assert f"'someone/rain' was not uploaded to {hub.url} (" in done.stderr
    assert "Traceback" not in done.stderr
