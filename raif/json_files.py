"""Files that commands write for each other: each is there as a whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rewards.errors import RaifError


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON object that a command wrote.

    Raises:
        RaifError: if the file is torn or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RaifError(f"{path} is damaged ({error}); remove it and run the command that wrote it again.") from error
    if not isinstance(content, dict):
        raise RaifError(f"{path} holds no JSON object; remove it and run the command that wrote it again.")
    return content


def write_whole(path: Path, text: str, errors: str = "strict") -> Path:
    """Write a file so that it is there as a whole or not at all, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", errors=errors, newline="\n")
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say where
        partial.unlink(missing_ok=True)
        raise
    return partial.replace(path)
