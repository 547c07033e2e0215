"""The strict constraint, or constraints, that mean what an official id and its arguments mean.

A value is what `parse_constraint` takes, or a list of them of which all must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from rewards.constraint import Constraint, parse_constraint
from rewards.errors import RaifError
from rewards.parity import suite

Equivalent = Callable[[Mapping[str, Any]], Mapping[str, Any] | list[Mapping[str, Any]]]
_MODULES = {
    "ifeval": ("ifeval_words", "ifeval_length", "ifeval_layout"),
    "ifbench": ("ifbench_words", "ifbench_format", "ifbench_repeat"),
    "iftrain": ("iftrain_words", "iftrain_copy", "iftrain_format"),
}


_suite = lru_cache(maxsize=8)(suite)


@lru_cache(maxsize=8)
def equivalents(name: str) -> dict[str, Equivalent]:
    """Return the translations of a suite by official id."""
    table: dict[str, Equivalent] = {}
    modules = _MODULES["ifeval"] if name == "mathif" else _MODULES[name]
    for module in (*modules, *(_MODULES["ifeval"] if name == "iftrain" else ())):
        table.update(import_module(f"{__name__}.{module}").EQUIVALENTS)
    return table


def strict_constraints(
    name: str, instruction_id: str, kwargs: Mapping[str, Any], prompt: str = ""
) -> tuple[Constraint, ...]:
    """Translate an official instruction into strict constraints; the arguments are those of the data files.

    A few ids have two readings (words or characters are counted), between which the wording of the prompt decides.

    Example:
        >>> strict_constraints("ifeval", "length_constraints:number_words", {"relation": "at least", "num_words": 9})
        (MinWords(type='length:min_words', scope='answer', limit=9),)
    """
    if (check := _suite(name).bind(instruction_id, kwargs)).undecided:
        raise RaifError(f"{instruction_id}: {check.undecided}")
    if not check.arguments:
        return _fixed(name, instruction_id)
    return _parsed(equivalents(name)[instruction_id]({**check.arguments, "prompt": prompt}))


@lru_cache(maxsize=256)
def _fixed(name: str, instruction_id: str) -> tuple[Constraint, ...]:
    """Translate an id without arguments, which has one reading."""
    return _parsed(equivalents(name)[instruction_id]({}))


def _parsed(found: Mapping[str, Any] | list[Mapping[str, Any]]) -> tuple[Constraint, ...]:
    return tuple(map(parse_constraint, found)) if isinstance(found, list) else (parse_constraint(found),)
