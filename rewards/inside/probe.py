"""Try every bound of the sandbox from inside, in ways that do no harm where one does not hold."""

from __future__ import annotations

import os
import socket
import tempfile
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK = 1 << 16


def probe(memory: int, tasks: int, temporary: int, hidden: str) -> None:
    """Print the names of the bounds that do not hold, then `probed`; `hidden` is a file of the host's."""
    bounds: dict[str, Callable[[], object]] = {
        "memory": lambda: bytearray(memory),
        "processes": _fork,
        "threads": lambda: _start_threads(tasks + 4),
        "temporary files": lambda: _write(2 * temporary),
        "read-only files": lambda: os.open("/canary", os.O_CREAT | os.O_WRONLY),
        "hidden files": lambda: os.stat(hidden),
        "network": socket.socket,
        "privileges": lambda: os.setuid(0),
    }
    loose = [name for name, attempt in bounds.items() if not _refused(attempt)]
    os.write(1, "\n".join([*loose, "probed"]).encode())


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (MemoryError, OSError, RuntimeError):
        return True
    return False


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _start_threads(number: int) -> None:
    done = threading.Event()
    threading.stack_size(_BLOCK)
    try:
        for _ in range(number):
            threading.Thread(target=done.wait).start()
    finally:
        done.set()


def _write(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(size // _BLOCK + 1):
            with open(os.path.join(folder, str(number)), "wb") as file:
                file.write(bytes(_BLOCK))
