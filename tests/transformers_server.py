"""A real `transformers serve` on loopback, for tests that ask a served model."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.forked import start


@contextmanager
def serving(model_path: Path, folder: Path) -> Iterator[str]:
    """Serve a saved model from the CPU and yield the address of its API; the log lies in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"CUDA_VISIBLE_DEVICES": ""}
    command = ["serve", model_path, "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    server = start("transformers.cli.transformers", command, folder / "log", environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, folder / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.join()


def _wait_for(address: str, server: ForkServerProcess, log: Path) -> None:
    deadline = time.monotonic() + 600
    while server.is_alive() and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no server: {log.read_text()[-3000:]}")
