"""What made a result: the versions of libraries, and the commit of the checkout."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("torch", "transformers", "trl", "accelerate", "datasets", "math-verify", "langdetect")


def versions() -> dict[str, str]:
    """Return the installed versions of the libraries that results depend on."""
    found = {name: _version(name) for name in LIBRARIES}
    return {name: number for name, number in found.items() if number is not None}


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """Return the commit of the checkout the code runs from, if it is one."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or None
