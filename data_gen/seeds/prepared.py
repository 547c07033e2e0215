"""Seeds of files and data sets, prepared: checked, one language each, without near duplicates, balanced, counted."""

from __future__ import annotations

import hashlib
import os
import shutil
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from data_gen import __version__
from data_gen.seeds.caps import Candidates, within_caps
from data_gen.seeds.duplicates import DuplicateFilter
from data_gen.seeds.mapping import BadRow, RowMapping, is_true
from data_gen.seeds.rows import Row
from data_gen.seeds.seed import Seed
from data_gen.seeds.source import SeedSource
from data_gen.seeds.spoken import UNDECIDED, request_language
from data_gen.seeds.store import REPORT, DiskRows, MemoryRows, SpillWriter, publish
from data_gen.seeds.tagging import RULES, default_tagger
from rewards.errors import RaifError

FORMAT = 1  # of prepared files; another one is another cache key


class Limits(NamedTuple):
    """How many rows are prepared anew each time, and from how many on they stay on disk."""

    unsaved: int = 1_000
    in_memory: int = 20_000


LIMITS = Limits()


class PreparedSeeds:
    """A seed set made by `prepare`.

    `report` counts rows: read, kept, dropped by reason, kept by language and by topic.
    """

    def __init__(self, name: str, rows: MemoryRows | DiskRows) -> None:
        self.name, self.rows = name, rows
        self.languages = rows.languages
        self.report: dict[str, Any] = rows.report

    def draw(self, rng: Random, language: str) -> Seed:
        count = self.rows.count(language)
        if not count:
            has = ", ".join(self.languages)
            raise RaifError(f"seed set {self.name!r} has no rows in {language!r}; it has: {has}.")
        return self.rows.row(language, rng.randrange(count))


class Preparation:
    """Turns rows into seeds and counts what it drops.

    Args:
        source: columns, limits and thresholds.
        name: of the seed set.
        licence: of rows that name none.
    """

    def __init__(self, source: SeedSource, name: str, licence: str = "") -> None:
        known = source.known
        stated = source.licence or licence or known.licence
        self.source, self.name = source, name
        self._mapping = RowMapping(source.mapping, source.kind, known.optional, stated, request_language)
        self._excluded = (*known.exclude, *source.exclude)
        self._duplicates = DuplicateFilter(source.dedup) if source.dedup is not None else None
        self.read = 0
        self.dropped: Counter[str] = Counter()

    def seeds(self, rows: Iterable[Row]) -> Iterator[Seed]:
        """Return the seeds that pass everything but the caps."""
        for row in islice(rows, self.source.max_rows):
            self.read += 1
            made = self._seed(row)
            reason = made if isinstance(made, str) else self._refusal(made)
            if reason:
                self.dropped[reason] += 1
            elif isinstance(made, Seed):
                yield self._tagged(made)

    def _seed(self, row: Row) -> Seed | str:
        """Return the seed of a row, or the reason why there is none."""
        for column in self._excluded:
            if is_true(row.columns, column):
                return f"flagged {column}"
        try:
            return self._mapping.seed(self.name, row)
        except BadRow as error:
            if self.source.on_bad_row == "error":
                advice = "Nothing was written; `on_bad_row: skip` counts such rows and goes on"
                raise RaifError(f"{row.where} {error.sentence}. {advice}.") from error
            return error.reason

    def _refusal(self, seed: Seed) -> str:
        length = len(seed.request)
        if seed.language not in self.source.languages:
            return "language undecided" if seed.language == UNDECIDED else f"language {seed.language}"
        if length < self.source.min_chars:
            return "too short"
        if length > self.source.max_chars:
            return "too long"
        if self._duplicates is not None and not self._duplicates.is_new(seed.request, seed.language):
            return "near duplicate"
        return ""

    def _tagged(self, seed: Seed) -> Seed:
        if seed.topic and seed.tags:
            return seed
        found = default_tagger().tag(seed.request, seed.language)
        return seed._replace(topic=seed.topic or found.topic, tags=seed.tags or found.tags)


def prepare(
    source: SeedSource,
    name: str,
    rows: Iterable[Row],
    key: str,
    licence: str = "",
    cache: Path | None = None,
    limits: Limits = LIMITS,
) -> PreparedSeeds:
    """Read and prepare rows, or open what was prepared before from the same content.

    Args:
        source: columns, limits and thresholds.
        name: of the seed set.
        rows: read only when nothing prepared is found.
        key: identifies the content of the rows; with an empty one nothing outlives the process.
        licence: of rows that name none.
        cache: the folder of prepared rows.
        limits: how many rows are not worth a file, and how many may live in memory.
    """
    cache = cache or cache_folder()
    target = cache / cache_key(source, name, key, licence) if key else None
    if target is not None and (target / REPORT).is_file():
        return PreparedSeeds(name, _opened(target, limits))
    writer = SpillWriter(cache, limits.unsaved)
    try:
        return _prepare(Preparation(source, name, licence), rows, writer, target, limits)
    except BaseException:
        writer.discard()
        raise


def _prepare(
    steps: Preparation, rows: Iterable[Row], writer: SpillWriter, target: Path | None, limits: Limits
) -> PreparedSeeds:
    candidates = Candidates()
    for seed in steps.seeds(rows):
        writer.add(seed)
        candidates.add(seed)
    writer.close()
    kept, over = within_caps(candidates, steps.source.max_per_topic, steps.source.max_per_tag)
    steps.dropped.update(over)
    report = _report(steps, candidates, kept)
    if not kept:
        why = ", ".join(f"{reason} ({count})" for reason, count in steps.dropped.most_common(4)) or "it is empty"
        raise RaifError(f"seed source {steps.name!r} holds no rows to draw from: {why}. Nothing was written.")
    if writer.folder is None:
        return PreparedSeeds(steps.name, MemoryRows((writer.rows[place] for place in kept), report))
    folder = publish(writer.folder, target, _spans(kept, candidates, writer), report)
    opened = _opened(folder, limits)
    if target is None:
        weakref.finalize(opened, shutil.rmtree, folder, ignore_errors=True)
    return PreparedSeeds(steps.name, opened)


def _opened(folder: Path, limits: Limits) -> MemoryRows | DiskRows:
    rows = DiskRows(folder)
    return MemoryRows(rows, rows.report) if rows.report["kept"] < limits.in_memory else rows


def _spans(kept: Sequence[int], candidates: Candidates, writer: SpillWriter) -> dict[str, list[int]]:
    """Return, by language, where the rows that stay begin and end: begin, end, begin, end."""
    spans: dict[str, list[int]] = {}
    for place in kept:
        ends = writer.offsets[place + 1] if place + 1 < len(writer.offsets) else writer.size
        spans.setdefault(candidates.language(place), []).extend((writer.offsets[place], ends))
    return spans


def _report(steps: Preparation, candidates: Candidates, kept: Sequence[int]) -> dict[str, Any]:
    return {
        "read": steps.read,
        "kept": len(kept),
        "dropped": dict(sorted(steps.dropped.items())),
        "languages": dict(sorted(Counter(map(candidates.language, kept)).items())),
        "topics": dict(sorted(Counter(map(candidates.topic, kept)).items())),
    }


def cache_folder() -> Path:
    """Return where prepared seeds are kept: `$XDG_CACHE_HOME/raif/seeds`, or the same below `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "raif" / "seeds"


def cache_key(source: SeedSource, name: str, key: str, licence: str) -> str:
    """Return the name of a prepared folder: a hash of the content and of everything that decides what is kept."""
    recipe = source.model_dump_json(exclude={"weight", "path"})
    text = "\x1f".join((__version__, str(FORMAT), content_hash([RULES]), recipe, name, key, licence))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def content_hash(paths: Iterable[Path]) -> str:
    """Return the hash of the bytes of files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
