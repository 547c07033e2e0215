"""JSON files that commands write for each other."""

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
