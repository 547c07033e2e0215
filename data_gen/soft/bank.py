"""The bank of soft demands: what only a judge can decide, by dimension, in English and Chinese.

An entry has a demand and a yes/no question per language with slots such as `{tone}`, and the values of each slot as
pairs of English and Chinese. It can be rendered in finitely many ways, so a question leads back to its entry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rewards.errors import RaifError, unknown_name
from rewards.judged import Judged

DATA = Path(__file__).with_name("data")
LANGUAGES = ("en", "zh")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times as fast
_SLOT = re.compile(r"\{(\w+)\}")
_QUOTED_SLOT = re.compile(r"“[^”]*\{\w+\}[^“]*”")
_SINGLE = str.maketrans("“”", "‘’")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(_Strict):
    """The demand and the question in one language, with slots."""

    demand: str = Field(min_length=1)
    question: str = Field(min_length=1)


class SoftEntry(_Strict):
    """One soft demand.

    Fields:
        fits: `any` if it also suits a task with one right answer, `open` if only free writing.
        values: for each slot pairs of English and Chinese.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    fits: Literal["any", "open"] = "open"
    en: Wording
    zh: Wording
    values: dict[str, tuple[tuple[str, str], ...]]

    @model_validator(mode="after")
    def _slots_and_values_agree(self) -> SoftEntry:
        for name, values in self.values.items():
            if len({pair[0] for pair in values}) < 2 or len(set(values)) < len(values):
                raise ValueError(f"{self.id}: slot {name!r} needs at least two values, all different")
        for language in LANGUAGES:
            wording = self.wording(language)
            for part in (wording.demand, wording.question):
                if set(_SLOT.findall(part)) != set(self.values):
                    raise ValueError(f"{self.id}: {part!r} must have exactly the slots {sorted(self.values)}")
        return self

    def wording(self, language: str) -> Wording:
        """Return the demand and question of a language."""
        return self.en if language == "en" else self.zh

    @property
    def variants(self) -> int:
        """In how many ways the slots can be filled."""
        return prod(map(len, self.values.values()))

    def render(self, choice: Mapping[str, int], language: str) -> Judged:
        """Return the demand with the n-th value of each slot."""
        column = LANGUAGES.index(language)
        filled = {name: self.values[name][number][column] for name, number in choice.items()}
        wording = self.wording(language)
        return Judged(question=_inside(wording.question, filled), demand=wording.demand.format(**filled))

    def all(self, language: str) -> Iterator[Judged]:
        """Yield the demand with every filling of its slots."""
        for numbers in product(*(range(len(values)) for values in self.values.values())):
            yield self.render(dict(zip(self.values, numbers, strict=True)), language)


def _inside(question: str, filled: Mapping[str, str]) -> str:
    """Fill a question: a value after a colon is written small, and quotes within Chinese quotes are single ones."""
    fitted = dict(filled)
    for name, value in filled.items():
        if f": {{{name}}}" in question and value[1:2].islower():
            fitted[name] = value[:1].lower() + value[1:]
        elif _QUOTED_SLOT.search(question):
            fitted[name] = value.translate(_SINGLE)
    return question.format(**fitted)


class SoftDimension(NamedTuple):
    """What a kind of soft demand is about, and its entries."""

    name: str
    en: str
    zh: str
    entries: tuple[SoftEntry, ...]


class _Dimension(_Strict):
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    entries: tuple[SoftEntry, ...] = Field(min_length=1)


class SoftBank:
    """Soft demands by dimension; drawing depends on the random generator alone.

    Example:
        >>> found = soft_bank().draw(Random("example"), "en", ["tone"])
        >>> soft_bank().dimension_of(found.question)
        'tone'
    """

    def __init__(self, dimensions: Mapping[str, SoftDimension]) -> None:
        self.dimensions = dict(dimensions)
        self._by_question = self._index()
        self._pools: dict[tuple[tuple[str, ...] | None, bool], list[tuple[SoftEntry, ...]]] = {}

    def _index(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for dimension in self.dimensions.values():
            for entry in dimension.entries:
                for judged in (each for language in LANGUAGES for each in entry.all(language)):
                    if found.setdefault(judged.question, (dimension.name, entry.id))[1] != entry.id:
                        raise RaifError(f"soft bank: two entries ask {judged.question!r}; word one of them anew.")
        return found

    @property
    def entries(self) -> tuple[SoftEntry, ...]:
        """All entries, in the order of the files."""
        return tuple(entry for dimension in self.dimensions.values() for entry in dimension.entries)

    def draw(
        self, rng: Random, language: str, dimensions: Collection[str] | None = None, *, open_ended: bool = True
    ) -> Judged:
        """Draw a soft demand: first a dimension, then an entry, then its values.

        Args:
            rng: the only source of chance.
            language: `en` or `zh`.
            dimensions: the dimensions to draw from; all by default. Their order does not matter.
            open_ended: whether the task leaves the answer open; if not, only what suits any task is drawn.

        Raises:
            RaifError: if a dimension or language is unknown, or nothing suits the task.
        """
        if language not in LANGUAGES:
            raise unknown_name("language of the soft bank", language, LANGUAGES, "It is bilingual.")
        entry = rng.choice(rng.choice(self._pool(dimensions, open_ended)))
        return entry.render({name: rng.randrange(len(values)) for name, values in entry.values.items()}, language)

    def draw_several(
        self,
        rng: Random,
        language: str,
        count: int,
        dimensions: Collection[str] | None = None,
        *,
        open_ended: bool = True,
    ) -> tuple[Judged, ...]:
        """Draw demands of `count` different dimensions, or of as many as there are."""
        names = sorted(self.dimensions if dimensions is None else dimensions)
        suited = [name for name in names if self._fitting(name, open_ended)]
        picked = rng.sample(suited, min(count, len(suited)))
        return tuple(self.draw(rng, language, [name], open_ended=open_ended) for name in picked)

    def _pool(self, dimensions: Collection[str] | None, open_ended: bool) -> list[tuple[SoftEntry, ...]]:
        key = (None if dimensions is None else tuple(sorted(dimensions)), open_ended)
        if key not in self._pools:
            self._pools[key] = self._suited(key[0] if key[0] is not None else sorted(self.dimensions), open_ended)
        return self._pools[key]

    def _suited(self, names: Sequence[str], open_ended: bool) -> list[tuple[SoftEntry, ...]]:
        suited = [entries for name in names if (entries := self._fitting(name, open_ended))]
        if not suited:
            raise RaifError(f"soft bank: no demand of {list(names)} suits this task; name other dimensions.")
        return suited

    def _fitting(self, name: str, open_ended: bool) -> tuple[SoftEntry, ...]:
        if name not in self.dimensions:
            raise unknown_name("soft dimension", name, self.dimensions, "See the files of `data_gen/soft/data`.")
        entries = self.dimensions[name].entries
        return entries if open_ended else tuple(entry for entry in entries if entry.fits == "any")

    def dimension_of(self, question: str) -> str | None:
        """Return the dimension that a question belongs to, or None for a question of another origin."""
        found = self._by_question.get(question)
        return found[0] if found else None

    def entry_of(self, question: str) -> str | None:
        """Return the id of the entry that asks a question, or None for a question of another origin."""
        found = self._by_question.get(question)
        return found[1] if found else None


def parse_bank(content: object, where: str) -> dict[str, SoftDimension]:
    """Parse the dimensions of one file; whatever is wrong with it is a `RaifError` that names the place."""
    if not isinstance(content, dict):
        raise RaifError(f"{where}: expected a mapping of dimensions; got {type(content).__name__}.")
    dimensions = {}
    for name, value in content.items():
        try:
            read = _Dimension.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, (name, *first["loc"])))
            raise RaifError(f"{where}: {place}: {first['msg']}. See the files of `data_gen/soft/data`.") from error
        dimensions[str(name)] = SoftDimension(str(name), read.en, read.zh, read.entries)
    return dimensions


@lru_cache(maxsize=1)
def soft_bank() -> SoftBank:
    """Return the shipped bank, read once."""
    dimensions: dict[str, SoftDimension] = {}
    for path in sorted(DATA.glob("*.yaml")):
        found = parse_bank(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER), path.name)
        if twice := dimensions.keys() & found.keys():
            raise RaifError(f"{path.name}: dimension {min(twice)!r} is defined in another file too.")
        dimensions.update(found)
    ids = [entry.id for dimension in dimensions.values() for entry in dimension.entries]
    if twice_used := sorted({one for one in ids if ids.count(one) > 1}):
        raise RaifError(f"soft bank: two entries have the id {twice_used[0]!r}; ids are unique.")
    return SoftBank(dict(sorted(dimensions.items())))
