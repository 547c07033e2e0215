"""Taxonomies of constraints as data: each dimension of a scheme names rule-decided types and banks of soft demands.

A scheme is one file of `data/`. Its groups have dimensions, or are a dimension themselves. Types are registered names
or patterns over them (`layout:min_*`); `soft` names dimensions of `data_gen.soft`. A name or pattern that means
nothing is an error when the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from data_gen.soft import soft_bank
from rewards.constraint import known_constraints
from rewards.errors import RaifError, unknown_name

DATA = Path(__file__).with_name("data")
_ADVICE = "`raif constraints` lists the types; a pattern such as 'layout:min_*' names several."
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times as fast
_SAME = re.compile(r"[\s_-]+")


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    types: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()


class _Group(_Described):
    dimensions: dict[str, _Described] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_place_for_types(self) -> _Group:
        if bool(self.dimensions) == bool(self.types or self.soft):
            raise ValueError("a group has either `dimensions` or `types` and `soft` of its own")
        return self


class _Scheme(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    en: str
    zh: str
    groups: dict[str, _Group] = Field(min_length=1)


class Dimension(NamedTuple):
    """One dimension of a scheme.

    Fields:
        path: `scheme/group/dimension`, or `scheme/group` where a group has no dimensions.
        types: the registered constraint types that belong to it, sorted; may be empty where only a judge decides.
        soft: the dimensions of the soft bank that belong to it.
    """

    path: str
    en: str
    zh: str
    types: tuple[str, ...]
    soft: tuple[str, ...]

    @property
    def group(self) -> str:
        return self.path.split("/")[1]


class Scheme(NamedTuple):
    """A taxonomy: its name, what it is, its groups (name -> description by language) and its dimensions in order."""

    name: str
    description: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]]
    dimensions: tuple[Dimension, ...]


def parse_scheme(content: object, where: str) -> Scheme:
    """Parse a scheme; whatever is wrong with it is a `RaifError` that names the place.

    Example:
        >>> scheme = parse_scheme({"name": "mine", "en": "Mine.", "zh": "我的。", "groups": {
        ...     "marks": {"en": "Marks.", "zh": "标点。", "types": ["punctuation:no_c*"]}}}, "here")
        >>> scheme.dimensions[0].path, scheme.dimensions[0].types
        ('mine/marks', ('punctuation:no_comma',))
    """
    try:
        read = _Scheme.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "file"
        raise RaifError(f"{where}: {place}: {first['msg']}. See the files of `data_gen/taxonomy/data`.") from error
    dimensions = tuple(
        Dimension(path, one.en, one.zh, expand(one.types, f"{where}: {path}"), _soft(one.soft, f"{where}: {path}"))
        for path, one in _places(read)
    )
    groups = {name: {"en": group.en, "zh": group.zh} for name, group in read.groups.items()}
    return Scheme(read.name, {"en": read.en, "zh": read.zh}, groups, dimensions)


def _places(scheme: _Scheme) -> Iterator[tuple[str, _Described]]:
    for name, group in scheme.groups.items():
        if not group.dimensions:
            yield f"{scheme.name}/{name}", group
        for dimension, described in group.dimensions.items():
            yield f"{scheme.name}/{name}/{dimension}", described


def expand(patterns: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the registered types that names and patterns mean, sorted; one that means none is an error.

    Example:
        >>> expand(["case:english_*"], "here")
        ('case:english_lower', 'case:english_upper')
    """
    known = known_constraints()
    found: set[str] = set()
    for pattern in patterns:
        matching = [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]
        if not matching:
            raise unknown_name(f"constraint type ({where})", pattern, known, _ADVICE)
        found.update(matching)
    return tuple(sorted(found))


def _soft(names: Sequence[str], where: str) -> tuple[str, ...]:
    known = soft_bank().dimensions
    for name in names:
        if name not in known:
            raise unknown_name(f"soft dimension ({where})", name, known, "See the files of `data_gen/soft/data`.")
    return tuple(names)


@lru_cache(maxsize=1)
def schemes() -> Mapping[str, Scheme]:
    """Return the shipped schemes by name, sorted.

    Example:
        >>> list(schemes())
        ['cello', 'cfbench', 'complexbench', 'followbench', 'ifbench', 'ifeval', 'infobench', 'mathif']
    """
    read = (_read(path) for path in sorted(DATA.glob("*.yaml")))
    return {scheme.name: scheme for scheme in read}


def _read(path: Path) -> Scheme:
    scheme = parse_scheme(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER), path.name)
    if scheme.name != path.stem:
        raise RaifError(f"{path.name}: its name is {scheme.name!r}; rename the file or the scheme.")
    return scheme


def dimensions_of(path: str) -> tuple[Dimension, ...]:
    """Return the dimensions under a path: of a scheme, of a group, or one dimension.

    Case, blanks, hyphens and underscores do not matter in a path.

    Raises:
        RaifError: if a part of the path is unknown, with the nearest names.

    Example:
        >>> [each.path for each in dimensions_of("complexbench/structure/start_with")]
        ['complexbench/Structure/Start with']
    """
    parts = path.strip("/").split("/")
    scheme = schemes()[_pick(parts[0], list(schemes()), "taxonomy scheme")]
    found, prefix = scheme.dimensions, scheme.name
    for part in parts[1:]:
        level = prefix.count("/") + 1
        names = list(dict.fromkeys(each.path.split("/")[level] for each in found if each.path.count("/") >= level))
        name = _pick(part, names, f"part of {prefix!r}")
        found = tuple(each for each in found if each.path.split("/")[level : level + 1] == [name])
        prefix = f"{prefix}/{name}"
    return found


def _pick(name: str, known: list[str], kind: str) -> str:
    wanted = _SAME.sub("", name.lower())
    for each in known:
        if _SAME.sub("", each.lower()) == wanted:
            return each
    raise unknown_name(kind, name, known, "A path is scheme/group/dimension, such as 'cfbench/format/basic'.")


def types_of(path: str) -> tuple[str, ...]:
    """Return the rule-decided constraint types under a taxonomy path, sorted and each once.

    Example:
        >>> types_of("mathif/affix")
        ('affix:end_phrase', 'affix:quotation', 'affix:repeat_request')
    """
    return tuple(sorted({name for dimension in dimensions_of(path) for name in dimension.types}))


def soft_of(path: str) -> tuple[str, ...]:
    """Return the soft dimensions under a taxonomy path, sorted and each once.

    Example:
        >>> soft_of("cfbench/style/tone")
        ('sentiment', 'tone')
    """
    return tuple(sorted({name for dimension in dimensions_of(path) for name in dimension.soft}))


def type_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Spread weights over constraint types: a key is a type, a pattern, or a taxonomy path with a `/`.

    The weight of a key is shared equally by its types; a type that several keys name gets all of its shares.

    Raises:
        RaifError: if a key is unknown, names only soft demands, or its weight is not positive.

    Example:
        >>> type_weights({"case:english_*": 1.0, "mathif/affix": 3.0})["affix:quotation"]
        1.0
    """
    spread: dict[str, float] = {}
    for key, weight in weights.items():
        types = types_of(key) if "/" in key or key in schemes() else expand([key], "weights")
        if not types:
            raise RaifError(f"weights: {key!r} has no rule-decided type, only soft demands; name another dimension.")
        if not weight > 0:
            raise RaifError(f"weights: the weight of {key!r} is {weight}; it must be above 0. Leave the key out.")
        for name in types:
            spread[name] = spread.get(name, 0.0) + weight / len(types)
    return spread
