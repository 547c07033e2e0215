"""Open the seed set that a source describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data_gen.seeds.fact_set import FactSeeds
from data_gen.seeds.files import FileSeeds
from data_gen.seeds.hub import open_hub
from data_gen.seeds.multi_hop import MultiHopSeeds
from data_gen.seeds.prepared import content_hash, prepare
from data_gen.seeds.programs import ProgramSeeds
from data_gen.seeds.rows import read_rows
from data_gen.seeds.seed import SeedSet
from data_gen.seeds.small import ArithmeticSeeds, WritingSeeds
from data_gen.seeds.source import SeedSource
from data_gen.seeds.task_set import TaskSeeds
from data_gen.seeds.word_problems import WordProblemSeeds

#: The embedded sets, by the name that a recipe gives as `type`; they take the source's `options`.
SEED_SETS: dict[str, Callable[..., SeedSet]] = {
    "arithmetic": ArithmeticSeeds,
    "writing": WritingSeeds,
    "word_problems": WordProblemSeeds,
    "facts": FactSeeds,
    "tasks": TaskSeeds,
    "multi_hop": MultiHopSeeds,
    "programs": ProgramSeeds,
}


def open_seed_set(source: SeedSource, cache: Path | None = None) -> SeedSet:
    """Open a seed set; files and data sets are read, checked and prepared here, before anything is written.

    Args:
        source: as in a recipe.
        cache: where large prepared sets are kept; by default `~/.cache/raif/seeds`.

    Example:
        >>> open_seed_set(SeedSource(type="facts")).languages
        ('en', 'zh')
    """
    if source.type in SEED_SETS:
        return SEED_SETS[source.type](**source.options)
    if source.type == "jsonl":
        return FileSeeds(str(source.path), source.mapping, source.kind, form="jsonl")
    if source.type == "hub":
        data = open_hub(source)
        return prepare(source, str(source.name), data.rows, data.key, data.licence, cache)
    path = Path(str(source.path))
    rows = read_rows(path)
    key = f"{path.suffix.lower()} {content_hash([path])}"
    return prepare(source, path.stem, rows, key, cache=cache)
