"""Where the rows of a task set are: a file, a folder, or a data set of the Hugging Face hub."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from data_gen.seeds.hub import open_hub
from data_gen.seeds.rows import Row, read_rows
from data_gen.seeds.source import SeedSource
from raif.sources.opening import SUFFIXES, open_rows
from raif.sources.settings import DataSource
from rewards.errors import RaifError

_HUB_NAME = re.compile(r"(?P<name>[\w-][\w.-]*/[\w-][\w.-]*)(?:/(?P<config>[\w.-]+))?")
_GZIP = ".jsonl.gz"
_FORMS = ".json, .jsonl, .jsonl.gz, .parquet"


class Home(NamedTuple):
    """A data set of the hub: its name, config and split."""

    name: str
    config: str | None = None
    split: str = "test"


class Opened(NamedTuple):
    """The rows of a place, what it is called in messages and ids, and the licence that it states."""

    rows: Iterator[Row]
    stem: str
    licence: str = ""


def open_place(name: str, place: str, home: Home | None) -> Opened:
    """Open the rows of a task set.

    Args:
        name: of the task set, for messages.
        place: a file (JSON, JSON Lines, these gzipped, parquet), a folder or `OWNER/NAME[/CONFIG]` on the hub, the last
            two with `@SPLIT` where it is not the set's own; empty for `home`.
        home: where the set is on the hub.

    Raises:
        RaifError: if there is nothing there, or nothing that can be read.
    """
    path = Path(place)
    if place and path.is_file():
        return Opened(_gzipped(path) if path.name.endswith(_GZIP) else _plain(name, path), path.name.split(".")[0])
    where, _, split = place.partition("@")
    if where and Path(where).is_dir():
        config = _config_of(where, home.config) if home and home.config else None
        return _data_set(name, Home(where, config, split or (home.split if home else "test")), Path(where).name)
    found = _on_hub(name, where, home)
    return _data_set(name, found._replace(split=split or found.split), found.name.split("/")[-1])


def _plain(name: str, path: Path) -> Iterator[Row]:
    if path.suffix.lower().lstrip(".") not in SUFFIXES:
        raise RaifError(f"{name}={path}: the suffix {path.suffix!r} is none of {_FORMS}; convert or rename the file.")
    return open_rows(DataSource(name=name, source=str(path)), "")


def _gzipped(path: Path) -> Iterator[Row]:
    """Read JSON Lines that are compressed; they are unpacked for the time of reading."""
    with TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        try:
            plain.write_bytes(gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, zlib.error) as error:
            raise RaifError(f"{path} cannot be unpacked ({error}); fetch it again.") from error
        yield from (row._replace(where=f"{path}:{row.number}") for row in read_rows(plain, "jsonl"))


def _on_hub(name: str, where: str, home: Home | None) -> Home:
    if not where:
        if home is None:
            raise RaifError(f"{name} has no place of its own; write {name}=FILE, {name}=FOLDER or {name}=OWNER/NAME.")
        return home
    found = _HUB_NAME.fullmatch(where)
    if found is None or where.endswith((*(f".{suffix}" for suffix in SUFFIXES), ".gz")):
        example = f" such as {home.name}" if home else ""
        raise RaifError(
            f"{name}={where}: there is no such file or folder; give an existing file ({_FORMS}), a folder, or a data "
            f"set of the Hugging Face hub{example}."
        )
    own = home is not None and found["name"] == home.name
    default = home if own and home is not None else Home(found["name"])
    return default._replace(config=found["config"] or default.config)


def _config_of(folder: str, wanted: str) -> str | None:
    """Return the config of a copy of the hub's data set; a folder of plain files has none by that name."""
    from datasets import get_dataset_config_names

    try:
        return wanted if wanted in get_dataset_config_names(folder) else None
    except Exception:  # the library raises errors of a dozen others; loading tells what is wrong
        return None


def _data_set(name: str, found: Home, stem: str) -> Opened:
    source = SeedSource(
        type="hub", name=found.name, config_name=found.config, split=found.split, fields={"request": "question"}
    )
    try:
        data = open_hub(source)
    except RaifError as error:
        local = Path(found.name).is_dir()
        advice = (
            f"Give one of its files ({_FORMS}), or its split after an `@`: {name}={found.name}@validation."
            if local
            else f"Without a connection, fetch it elsewhere with `hf download --repo-type dataset {found.name} "
            f"--local-dir DIR` and write {name}=DIR."
        )
        tried = "" if local else f"there is no file or folder {found.name!r} here, and "
        raise RaifError(f"{name}: {tried}{error} {advice}") from error
    return Opened(data.rows, stem, data.licence)
