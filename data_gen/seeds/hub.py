"""Data sets of the Hugging Face hub, or of a local folder, through `datasets.load_dataset`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from data_gen.seeds.prepared import content_hash
from data_gen.seeds.rows import Row
from data_gen.seeds.source import SeedSource
from rewards.errors import RaifError

INSTALL = 'pip install "datasets>=4.0"'
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubData(NamedTuple):
    """An opened data set: its rows, what identifies their content (empty when unknown), and its licence."""

    rows: Iterator[Row]
    key: str
    licence: str


def open_hub(source: SeedSource) -> HubData:
    """Load the data set that a source names; the first load downloads it, `revision` pins it.

    The licence is the one that the data set's information or card states, if any.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise RaifError(f"seed source {source.name!r} needs datasets; install it: {INSTALL}.") from error
    try:
        data = load_dataset(
            source.name, source.config_name, split=source.split, revision=source.revision, streaming=source.streaming
        )
    except Exception as error:  # the library raises errors of a dozen other libraries
        raise RaifError(
            f"data set {source.name!r} (config {source.config_name!r}, split {source.split!r}, revision "
            f"{source.revision!r}) could not be loaded: {type(error).__name__}: {_first_line(error)}. "
            "Check its name, config, split and the connection."
        ) from error
    return HubData(_rows(data, str(source.name)), _content_key(data, source), _licence(data, source))


def _rows(data: Any, name: str) -> Iterator[Row]:
    for number, columns in enumerate(data, 1):
        yield Row(number, f"{name}:{number}", dict(columns))


def _content_key(data: Any, source: SeedSource) -> str:
    """Return a hash of the data set's Arrow files; a stream is known by a pinned commit alone."""
    files = [Path(file["filename"]) for file in getattr(data, "cache_files", [])]
    if files:
        return content_hash(files)
    pinned = source.streaming and source.revision is not None and _COMMIT.fullmatch(source.revision)
    return f"{source.name}@{source.revision}/{source.config_name}/{source.split}" if pinned else ""


def _licence(data: Any, source: SeedSource) -> str:
    stated = getattr(data.info, "license", "")
    if stated:
        return str(stated)
    from huggingface_hub import DatasetCard
    from huggingface_hub.errors import HfHubHTTPError

    folder = Path(str(source.name))
    card = folder / "README.md" if folder.is_dir() else str(source.name)
    if isinstance(card, Path) and not card.is_file():
        return ""
    try:
        licence = DatasetCard.load(card).data.to_dict().get("license", "")
    except (HfHubHTTPError, OSError, ValueError):  # no card, no connection, or a name such as "json"
        return ""
    return ", ".join(licence) if isinstance(licence, list) else str(licence or "")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
