"""Which constraint types a recipe draws from: exact names, globs over them, and paths of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from rewards.constraint import ReadOff, constraint_class, known_constraints
from rewards.errors import RaifError


def expand(names: Iterable[str]) -> list[str]:
    """Return the constraint types that names stand for, each once, in the order given.

    A name is a type (`length:max_words`), a glob (`length:*`, `*`) or a path of the taxonomy (`cfbench/format`).

    Raises:
        RaifError: for an unknown type or path, and for a glob that matches nothing.

    Example:
        >>> expand(["nesting:*", "length:max_words"])[-2:]
        ['nesting:wrapped_bigrams', 'length:max_words']
    """
    found: dict[str, None] = {}
    for name in names:
        found.update(dict.fromkeys(_types(name)))
    return list(found)


def weigh(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of every type; what is named more exactly (a type before a glob) decides.

    Example:
        >>> weigh({"nesting:*": 1.0, "nesting:quotes": 3.0})["nesting:quotes"]
        3.0
    """
    broad = {name: weight for name, weight in weights.items() if _is_broad(name)}
    exact = {name: weight for name, weight in weights.items() if not _is_broad(name)}
    found: dict[str, float] = {}
    for name, weight in [*broad.items(), *exact.items()]:
        found.update(dict.fromkeys(_types(name), weight))
    return found


def _is_broad(name: str) -> bool:
    return "*" in name or "/" in name


@lru_cache(maxsize=256)
def _types(name: str) -> tuple[str, ...]:
    if "/" in name:
        from data_gen.taxonomy import types_of  # reads its data, which few recipes need

        return tuple(types_of(name))
    if "*" not in name:
        return (drawn_type(name),)
    found = tuple(known for known in known_constraints() if fnmatchcase(known, name))
    if not found:
        raise RaifError(f"no constraint type matches {name!r}; `raif constraints` lists them.")
    return found


def drawn_type(name: str) -> str:
    """Return the constraint type of a name, or raise where there is none that a recipe can draw."""
    cls = constraint_class(name)
    if issubclass(cls, ReadOff):
        raise RaifError(
            f"constraint {name!r} is only read off outputs, so that a recipe cannot draw it; rows that demand it are "
            "made from solved outputs (data_gen.self_evident)."
        )
    return str(cls.model_fields["type"].default)
