"""The first code in a sandbox: bind the limits, give up root, then run what was asked for."""

from __future__ import annotations

import os
import resource
import sys

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than most programs to run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def confine(limits: dict[str, int], user: int) -> None:
    """Set the limits and become an ordinary user if this is root (no limit of tasks binds root)."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        allowed = resource.getrlimit(kind)[1]
        # A second passes between the signal that ends a program and the one that it cannot ignore.
        wanted = (value, value + 1 if name == "CPU" else value)
        soft, hard = wanted if allowed == resource.RLIM_INFINITY else (min(each, allowed) for each in wanted)
        resource.setrlimit(kind, (soft, hard))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def begin(module: str, function: str, arguments: tuple[Any, ...]) -> None:
    """Run a function of a module that came along."""
    sys.argv = [f"{module.rpartition('.')[2]}.py"]
    sys.set_int_max_str_digits(0)  # processor time is what bounds a program
    run: Callable[..., None] = getattr(sys.modules[module], function)
    run(*arguments)


def script(source: str) -> None:
    """Run a source as the main program."""
    names = sys.modules["__main__"].__dict__
    names.clear()
    names.update(__name__="__main__", __builtins__=__builtins__)
    exec(compile(source, "program.py", "exec"), names)
