"""Reward entries from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rewards.errors import RaifError

_WANTED = "expected YAML with a list of entries, alone or under `rewards:`, such as: rewards: [{type: constraints}]"


def read_rewards(path: str | Path) -> tuple[Any, ...]:
    """Read entries from a YAML file: a list, or a recipe with the key `rewards`, of which nothing else is read.

    Raises:
        RaifError: if there is no file, or no such list in it. The entries are not checked, see `parse_rewards`.
    """
    source = Path(path)
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise RaifError(f"no reward entries at {source}: {error.strerror}; {_WANTED}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RaifError(f"{source} is not YAML: {error}; {_WANTED}.") from error
    if isinstance(content, Mapping) and "rewards" not in content:
        raise RaifError(f"{source} has no `rewards`; {_WANTED}.")
    entries = content["rewards"] if isinstance(content, Mapping) else content
    if not isinstance(entries, list):
        raise RaifError(f"{source} holds {type(entries).__name__}, not a non-empty list; {_WANTED}.")
    return tuple(entries)
