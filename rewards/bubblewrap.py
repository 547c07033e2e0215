"""The command line of the sandbox: namespaces, an almost empty file system, the interpreter and its libraries."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

# The interpreter's own folders, not those of a virtual environment around it.
_BASE = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
_CACHE = "/etc/ld.so.cache"  # where the loader finds libraries outside its own folders


def command(temporary: int, calls: int, report: int) -> list[str]:
    """Return the command line of a sandbox up to the interpreter's `-c`, for root or for an ordinary user.

    Args:
        temporary: bytes of the writable `/tmp`.
        calls: descriptor from which bubblewrap reads the system call filter.
        report: descriptor to which it writes the number of the first process inside, as JSON.
    """
    # Root keeps what it takes to become an ordinary user inside: root itself is exempt from the limit of tasks.
    as_root = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    identity = as_root if os.geteuid() == 0 else ("--unshare-user", "--uid", "1000", "--gid", "1000")
    apart = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    alone = ("--die-with-parent", "--new-session", "--clearenv")
    # Threads reserve less address space; the order of a set is the same in every run.
    settings = ("--setenv", "MALLOC_ARENA_MAX", "1", "--setenv", "PYTHONHASHSEED", "0")
    scratch = ("--perms", "1777", "--size", str(temporary), "--tmpfs", "/tmp", "--chdir", "/tmp")
    python = (_interpreter(), "-s", "-S", "-P", "-B", "-X", "utf8", "-c")
    line = [shutil.which("bwrap") or "bwrap", *apart, *identity, *alone, *settings, *_tree(), *scratch]
    return [*line, "--remount-ro", "/", "--seccomp", str(calls), "--info-fd", str(report), "--", *python]


def _interpreter() -> str:
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


@lru_cache(maxsize=1)
def _tree() -> tuple[str, ...]:
    """Return the arguments that bind the interpreter, its standard library and the system's shared libraries."""
    paths = (*_library_folders(), *_loaders(), _interpreter())
    arguments: list[str] = []
    # Folders that bubblewrap makes unasked are closed to the user that root becomes.
    for folder in sorted({str(parent) for path in (*paths, _CACHE) for parent in Path(path).parents} - {"/"}):
        arguments += ["--perms", "0755", "--dir", folder]
    for path in paths:
        arguments += ["--ro-bind", os.path.realpath(path), path]
    arguments += ["--ro-bind-try", _CACHE, _CACHE]
    for folder in _standard_library():
        for packages in (f"{folder}/site-packages", f"{folder}/dist-packages"):
            if os.path.isdir(packages):
                arguments += ["--tmpfs", packages, "--remount-ro", packages]
    return tuple(arguments)


def _standard_library() -> list[str]:
    return sorted({os.path.realpath(sysconfig.get_path(kind, vars=_BASE)) for kind in ("stdlib", "platstdlib")})


def _library_folders() -> list[str]:
    system = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
    multiarch = sysconfig.get_config_var("MULTIARCH") or "-"
    narrow = [f"{folder}/{multiarch}" for folder in system if os.path.isdir(f"{folder}/{multiarch}")]
    own = [f"{sys.base_prefix}/{name}" for name in ("lib", "lib64")] if sys.base_prefix not in ("/", "/usr") else []
    return _outermost([*(narrow or system), *own, *_standard_library()])


def _loaders() -> list[str]:
    """Return the dynamic loaders: the kernel looks for them at a fixed place, which no library folder need contain."""
    found = (str(path) for folder in ("/lib", "/lib64") for path in Path(folder).glob("ld-*.so*"))
    return [path for path in found if not any(path.startswith(f"{folder}/") for folder in _library_folders())]


def _outermost(folders: Iterable[str]) -> list[str]:
    """Return the existing folders without those inside another: an inner one has no place to be bound to."""
    kept: list[str] = []
    for folder in sorted({folder for folder in folders if os.path.isdir(folder)}, key=len):
        if not any(folder.startswith(f"{outer}/") for outer in kept):
            kept.append(folder)
    return kept
