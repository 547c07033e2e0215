"""What a program may do in the sandbox, how a run ends, and that nothing runs without one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards import RaifError
from rewards.sandbox import Limits, Sandbox, Status, require_sandbox, sandbox_problem
from rewards.syscalls import filter_program
from tests.rewards.boxes import PATIENT, SMALL, proven_box

REPOSITORY = Path(__file__).resolve().parents[2]
SLEEP = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return proven_box()


@pytest.fixture
def fresh_probe() -> Iterator[None]:
    sandbox_problem.cache_clear()
    yield
    sandbox_problem.cache_clear()


@pytest.mark.parametrize(
    ("source", "status", "output"),
    [
        ("print('hi', input())", Status.PASSED, "hi there\n"),
        ("import sys; print('no', file=sys.stderr); sys.exit(3)", Status.FAILED, "no\n"),
        ("print(__name__)", Status.PASSED, "__main__\n"),
        ("import os; os._exit(0)", Status.PASSED, ""),
        ("import os; os.kill(os.getpid(), 9)", Status.FAILED, ""),
        ("while True: pass", Status.TIMEOUT, ""),
        ("import time; time.sleep(600)", Status.TIMEOUT, ""),
        ("import os; os.close(1); os.close(2)\nwhile True: pass", Status.TIMEOUT, ""),
        ("while True: print('x' * 99)", Status.FLOODED, ("x" * 99 + "\n") * 40 + "x" * 96),
    ],
)
def test_how_a_run_ends(source: str, status: Status, output: str) -> None:
    limits = SMALL if status is Status.TIMEOUT else PATIENT
    outcome = proven_box(limits).run_python(source, stdin="there\n")
    assert (outcome.status, outcome.output) == (status, output)
    assert outcome.seconds < limits.patience + 60


def test_errors_are_told(box: Sandbox) -> None:
    assert "SyntaxError" in box.run_python("def").output
    assert "MemoryError" in box.run_python("bytearray(10 << 30)").output
    assert "EOFError" in box.run_python("input()").output


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("sorted(set(os.environ) - {'PWD', 'MALLOC_ARENA_MAX', 'PYTHONHASHSEED', 'LC_CTYPE'})", "[]"),
        ("[fd for fd in range(64) if is_open(fd)]", "[0, 1, 2]"),
        ("os.path.exists('/proc') or os.path.exists('/dev') or os.path.exists('/sys')", "False"),
        ("os.path.isdir('/etc') and os.listdir('/etc')", "False|[]|['ld.so.cache']"),
        ("os.path.exists(CANARY)", "False"),
        ("os.getuid() == 0 or os.geteuid() == 0", "False"),
        ("attempt(os.setuid, 0)", "PermissionError"),
        ("attempt(open, '/canary', 'w')", "OSError"),
        ("attempt(open, os.__file__, 'w')", "OSError"),
        ("attempt(os.fork)", "PermissionError"),
        ("attempt(os.posix_spawn, sys.executable, ['python'], {})", "PermissionError"),
        ("attempt(os.memfd_create, 'x')", "PermissionError"),
        ("attempt(socket.socket)", "PermissionError"),
        ("attempt(resource.setrlimit, resource.RLIMIT_NPROC, (4096, 4096))", "ValueError"),
        ("attempt(resource.setrlimit, resource.RLIMIT_AS, (-1, -1))", "ValueError"),
        ("attempt(os.kill, 1, 0) if os.getppid() == 1 else 'not alone'", "PermissionError|None"),
        ("[call for call in FORBIDDEN if getattr(libc, call)(1 << 28, 0, 0, 0, 0) != -1]", "[]"),
        ("attempt(socket.socketpair)", "None"),
    ],
)
def test_what_a_program_finds(box: Sandbox, tmp_path: Path, code: str, told: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("alive")
    source = f"""
import ctypes, os, resource, socket, sys
CANARY = {str(canary)!r}
FORBIDDEN = "unshare setns mount ptrace shmget semget msgget inotify_init chroot fork vfork".split()
libc = ctypes.CDLL(None)
def is_open(fd):
    try:
        return os.fstat(fd) is not None
    except OSError:
        return False
def attempt(action, *arguments):
    try:
        action(*arguments)
    except Exception as error:
        return type(error).__name__
print({code})
"""
    outcome = box.run_python(source)
    assert outcome.output.strip() in told.split("|")
    assert canary.read_text() == "alive"


def test_a_run_can_be_repeated(box: Sandbox) -> None:
    outputs = {box.run_python("print(hash('a'), list({'a', 'b', 'c', 'd', 'e'}))").output for _ in range(3)}
    assert len(outputs) == 1


def test_threads_share_the_limits(box: Sandbox) -> None:
    source = """
import threading, time
def work():
    time.sleep(1)
started = 0
try:
    for _ in range(40):
        threading.Thread(target=work).start()
        started += 1
except RuntimeError:
    print(started)
"""
    assert SMALL.tasks - 3 <= int(box.run_python(source).output) < SMALL.tasks


def test_temporary_files_are_bounded_and_forgotten(box: Sandbox) -> None:
    write = "import os; print(os.listdir('/tmp'))\n"
    write += "open('/tmp/note', 'w').write('x' * 1000); print(open('/tmp/note').read(3))"
    assert [box.run_python(write).output for _ in range(2)] == ["[]\nxxx\n"] * 2
    fill = "[open(f'/tmp/{n}', 'wb').write(bytes(65536)) for n in range(64)]"
    assert "No space left" in box.run_python(fill).output
    assert "File too large" in box.run_python("open('/tmp/x', 'wb').write(bytes(2 << 20))").output


def test_the_network_is_another(box: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        outcome = box.run_python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)")
        assert outcome.status is Status.FAILED
        with pytest.raises(TimeoutError):
            server.accept()


def descendants(process: int) -> set[int]:
    """Return the processes below one, as /proc tells them."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return set()
    return set(map(int, children)).union(*(descendants(int(child)) for child in children))


def wait_until_gone(processes: set[int]) -> None:
    end = time.monotonic() + 120
    while left := {each for each in processes if is_running(each)}:
        assert time.monotonic() < end, left
        time.sleep(0.02)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_stopping_ends_everything_inside(box: Sandbox) -> None:
    guest = box.launch("start", "script", (SLEEP,), stdout=subprocess.PIPE)
    try:
        assert guest.process.stdout is not None
        assert guest.process.stdout.readline() == b"up\n"
        assert guest.started
        inside = descendants(guest.process.pid)
        assert len(inside) == 2  # the first process of the namespace, and the program
    finally:
        guest.stop()
    assert not any(Path(f"/proc/{each}").exists() for each in inside)  # not even what nobody waited for


def test_a_program_that_is_stopped_at_once_never_runs_on(box: Sandbox) -> None:
    for pause in range(12):
        guest = box.launch("start", "script", (SLEEP,))
        try:
            time.sleep(0.002 * pause)
            inside = descendants(guest.process.pid)
        finally:
            guest.stop()
        wait_until_gone(inside)


def test_no_program_outlives_its_host(box: Sandbox) -> None:
    code = f"from rewards.sandbox import Sandbox\nprint('go', flush=True)\nSandbox().run_python({SLEEP!r})"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    host = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    try:
        assert host.stdout is not None
        host.stdout.readline()
        end = time.monotonic() + 120
        while len(inside := descendants(host.pid)) < 3 or not sleeping(inside):
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        host.send_signal(signal.SIGKILL)
        host.wait()
        host.stdout.close()  # type: ignore[union-attr]
    wait_until_gone(inside)


def sleeping(processes: set[int]) -> bool:
    """Tell whether the youngest process has got as far as its sleep (the probe that precedes it never sleeps long)."""
    try:
        return "nanosleep" in Path(f"/proc/{max(processes)}/wchan").read_text()
    except OSError:
        return False


def test_nothing_runs_without_bubblewrap(monkeypatch: pytest.MonkeyPatch, fresh_probe: None, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    canary = tmp_path / "canary"
    with pytest.raises(RaifError, match="apt-get install bubblewrap"):
        Sandbox().run_python(f"open({str(canary)!r}, 'w')")
    assert not canary.exists()


FAKES = {
    "exit 1": "without a word",
    "echo 'bwrap: No permissions to create a new namespace'; exit 1": "No permissions .*--privileged",
    "echo probed": "does not work here",  # nobody took up the job
    # The real one, but without its system call filter.
    """for word; do
      shift
      if [ "$word" = --seccomp ]; then skip=1; elif [ "$skip" ]; then skip=; else set -- "$@" "$word"; fi
    done
    exec REAL "$@" """: "does not bound .*processes.*network.*no program is run",
}


@pytest.mark.parametrize("body", FAKES)
def test_nothing_runs_in_a_sandbox_that_is_none(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, fresh_probe: None, tmp_path: Path, body: str
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\n{body}\n".replace("REAL", shutil.which("bwrap") or "false"))
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RaifError, match=FAKES[body]):
        require_sandbox()


def test_nothing_runs_where_namespaces_are_forbidden(box: Sandbox) -> None:
    code = "from rewards.sandbox import sandbox_problem; print(sandbox_problem())"
    forbid = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--disable-userns"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([*forbid, sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if "--disable-userns" in done.stderr:
        pytest.skip(done.stderr)
    assert "Allow unprivileged user namespaces" in done.stdout


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"seconds": 0}, "seconds is 0"), ({"tasks": -1}, "tasks"), ({"memory": 1 << 20}, "the interpreter alone")],
)
def test_limits_that_make_no_sense(changes: dict[str, float], told: str) -> None:
    with pytest.raises(RaifError, match=told):
        Limits(**changes)  # type: ignore[arg-type]


def test_an_unknown_machine_has_no_filter() -> None:
    assert filter_program("aarch64") != filter_program("x86_64")
    with pytest.raises(RaifError, match="'vax'; programs are run on aarch64, x86_64"):
        filter_program("vax")
