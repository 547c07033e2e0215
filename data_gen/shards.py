"""The files of a data folder: which rows a shard holds, what is noted about it, and how a folder is read.

data/train-00003-of-00010.jsonl     a shard: consecutive rows of one split
warm_start.jsonl                    demonstrations, if the recipe asks for some
shards/train-00003-of-00010.json    the note that marks a shard as complete
manifest.json                       marks the whole set as complete, and says how it was made
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from data_gen.config import DataConfig
from rewards.errors import RaifError
from rewards.instruction import Instruction, parse_line, read_instructions

DATA, NOTES, MANIFEST = "data", "shards", "manifest.json"
INSTRUCTIONS = "instructions.jsonl"
WARM_START_STAGE, WARM_START = "warm_start", "warm_start.jsonl"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # what some shared file systems say
Tally = Counter[tuple[str, str]]  # of (kind, name), for example ("languages", "en")


class Shard(NamedTuple):
    """Consecutive rows of a stage, which is a split or `warm_start`."""

    stage: str
    name: str
    rows: range

    @property
    def file(self) -> str:
        """Where its rows stand, from the data folder."""
        return file_of(self.name)

    @property
    def note(self) -> str:
        """Where its note stands, from the data folder."""
        return f"{NOTES}/{self.name}.json"


def file_of(name: str) -> str:
    """Return where the rows of a shard stand, from the data folder.

    Example:
        >>> file_of("test-00000-of-00001"), file_of("warm_start")
        ('data/test-00000-of-00001.jsonl', 'warm_start.jsonl')
    """
    return WARM_START if name == WARM_START_STAGE else f"{DATA}/{name}.jsonl"


def plan_shards(config: DataConfig) -> list[Shard]:
    """Return the shards of a recipe in row order; the warm start is the last one, and a single one."""
    size: int = config.rows_per_shard
    shards = [shard for split, rows in config.counts.items() for shard in _cut(str(split), rows, size)]
    if config.warm_start is not None:
        shards.append(Shard(WARM_START_STAGE, WARM_START_STAGE, range(config.warm_start.count)))
    return shards


def _cut(split: str, rows: int, size: int) -> Iterator[Shard]:
    count = -(-rows // size)
    for number in range(count):
        name = f"{split}-{number:05d}-of-{count:05d}"
        yield Shard(split, name, range(number * size, min(rows, (number + 1) * size)))


def select_shards(text: str, count: int) -> list[int]:
    """Return the numbers that `--shards` names, of `count` shards counted from 0.

    Example:
        >>> select_shards("even", 5), select_shards("0,2-3", 5)
        ([0, 2, 4], [0, 2, 3])
    """
    if text in ("even", "odd"):
        return list(range(text == "odd", count, 2))
    chosen: set[int] = set()
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if found is None:
            raise RaifError(f"shards {text!r} must be even, odd, or numbers such as 0,2,4 or 3-7.")
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last or last >= count:
            raise RaifError(f"shards {text!r}: {part} does not lie in 0-{count - 1}; the recipe makes {count} shards.")
        chosen.update(range(first, last + 1))
    return sorted(chosen)


class ShardNote(BaseModel):
    """What is known of a complete shard.

    Fields:
        recipe: the digest of what decides its bytes.
        rows, bytes, sha256: of its file.
        tally: counts by kind and name; what was rejected on the way is among them.
        ids: the ids of its rows, 16 hexadecimal digits each; none for the warm start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    rows: int
    bytes: int
    sha256: str
    tally: dict[str, dict[str, int]]
    ids: str

    @property
    def counts(self) -> Tally:
        return Counter({(kind, name): n for kind, names in self.tally.items() for name, n in names.items()})


def nested(tally: Tally) -> dict[str, dict[str, int]]:
    """Return counts by kind, then by name, both in alphabetical order.

    Example:
        >>> nested(Counter({("languages", "zh"): 1, ("languages", "en"): 2, ("rejected", "violated"): 0}))
        {'languages': {'en': 2, 'zh': 1}}
    """
    kinds: dict[str, dict[str, int]] = {}
    for (kind, name), count in sorted(tally.items()):
        if count:
            kinds.setdefault(kind, {})[name] = count
    return kinds


def read_note(path: Path) -> ShardNote | None:
    """Read a note; one that is not there or not whole is None, for its shard can be made again."""
    try:
        return ShardNote.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


class NewFile:
    """A file that gets its name when it is complete; until then it is `<name>.partial`, of one writer at a time.

    Raises:
        RaifError: if another process is writing it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "data" / "rows.txt"
        >>> with NewFile(path) as file:
        ...     file.write(b"one")
        ...     path.exists()
        False
        >>> path.read_bytes(), file.size
        (b'one', 3)
    """

    def __init__(self, path: Path) -> None:
        self.path, self.partial = path, path.with_name(path.name + ".partial")
        self.size, self._digest = 0, hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __enter__(self) -> NewFile:
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = self.partial.open("ab")
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is not None:
                self.partial.unlink(missing_ok=True)
                return
            self._file.flush()
            os.fsync(self._file.fileno())  # its note must not outlive a power cut that its rows do not
            self.partial.replace(self.path)

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = self.partial.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            same = False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            same = True
        if not same:
            raise RaifError(f"{self.path} is being written by another process; wait for it, or choose other --shards.")


def write_file(path: Path, content: bytes) -> None:
    """Write a file at once."""
    with NewFile(path) as file:
        file.write(content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON that people may read."""
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


class ShardFolder:
    """The shards of a folder that belong to one recipe, named by its digest."""

    def __init__(self, folder: str | Path, recipe: str) -> None:
        self.path, self.recipe = Path(folder), recipe

    def note(self, shard: Shard) -> ShardNote | None:
        """Return the note of a shard that is complete."""
        note, file = read_note(self.path / shard.note), self.path / shard.file
        if note is None or note.recipe != self.recipe or not file.is_file():
            return None
        return note if file.stat().st_size == note.bytes else None

    def sure_note(self, shard: Shard) -> ShardNote:
        """Return the note of a shard that was complete before."""
        if (note := self.note(shard)) is None:
            raise RaifError(f"{self.path / shard.file} is no longer complete; run the same command again.")
        return note

    def missing(self, shards: Iterable[Shard]) -> list[Shard]:
        """Return the shards that are not complete."""
        return [shard for shard in shards if self.note(shard) is None]

    def write_note(self, shard: Shard, file: NewFile, tally: Tally, ids: str) -> None:
        """Mark a shard as complete."""
        rows, counts = len(shard.rows), nested(tally)
        note = ShardNote(recipe=self.recipe, rows=rows, bytes=file.size, sha256=file.sha256, tally=counts, ids=ids)
        write_file(self.path / shard.note, f"{note.model_dump_json(indent=2)}\n".encode())

    def drop_note(self, shard: Shard) -> None:
        """Mark a shard as incomplete."""
        (self.path / shard.note).unlink(missing_ok=True)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a complete data folder."""
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise RaifError(
            f"{folder} holds no complete data set (there is no {MANIFEST}); make it, or go on with it, by "
            f"`python -m data_gen --config ... --out {folder}`."
        )
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def instruction_files(folder: str | Path, split: str | None = None) -> list[Path]:
    """Return the files of instructions of a complete data folder in row order: all of them, or those of a split.

    What later stages write is one `instructions.jsonl` of all splits.
    """
    if (single := Path(folder) / INSTRUCTIONS).is_file():
        return [single]
    start = f"{DATA}/" if split is None else f"{DATA}/{split}-"
    files = [Path(folder) / name for name in read_manifest(folder)["files"] if name.startswith(start)]
    for file in files:
        if not file.is_file():
            raise RaifError(f"{file} is missing, though {MANIFEST} names it; run the command that made the folder.")
    return files


def read_folder(folder: str | Path, split: str | None = None) -> Iterator[Instruction]:
    """Yield the instructions of a data folder in row order, one at a time; `split` leaves out the others."""
    for file in instruction_files(folder, split):
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                task = parse_line(line, f"{file}:{number}")
                if split in (None, task.split):
                    yield task


def read_data(source: str | Path, split: str | None = None, limit: int = 0) -> list[Instruction]:
    """Read instructions from a data folder or a file of JSON lines.

    Args:
        source: what `python -m data_gen` wrote, or one file.
        split: leaves out the others.
        limit: how many at most; 0 for all.
    """
    tasks: Iterable[Instruction]
    if Path(source).is_dir():
        tasks = read_folder(source, split)
    else:
        tasks = (task for task in read_instructions(source) if split in (None, task.split))
    return list(islice(tasks, limit or None))
