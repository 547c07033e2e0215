"""Suite: the checks of one official code base by id, with validated arguments and a version stamp."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from rewards.errors import RaifError, unknown_name
from rewards.parity.view import View

Relation = Literal["less than", "at least"]
CheckFunction = Callable[..., bool]


class UndecidedError(Exception):
    """Raised by a check, or for its arguments, where the official code draws at random or crashes."""


class Parameter(NamedTuple):
    """An argument of a check: its annotated kind, and whether the official code draws it when it is missing."""

    kind: Any
    required: bool


class BoundCheck(NamedTuple):
    """A check with its arguments. `undecided` says why no verdict is possible, if none is."""

    id: str
    function: CheckFunction
    arguments: dict[str, Any]
    undecided: str = ""

    def __call__(self, view: View) -> bool:
        """Return the official strict verdict on one text, the blank-response rule included."""
        if self.undecided:
            raise UndecidedError(self.undecided)
        return bool(view.stripped) and bool(self.function(view, **self.arguments))


@dataclass(frozen=True)
class Suite:
    """Checks by id.

    Args:
        name: the suite's name on the command line.
        version: the upstream repository and commit whose verdicts the checks reproduce.

    A check is a pure function `(view, *, arguments)`; its annotations (`int`, `float`, `str`, `list[str]`, a
    `Literal`) say what the arguments must be. An argument without a default that is missing makes every verdict
    undecided, since the official code then draws one at random.
    """

    name: str
    version: str
    checks: dict[str, CheckFunction] = field(default_factory=dict)

    def check(self, *names: str) -> Callable[[CheckFunction], CheckFunction]:
        """Register a function under one or more ids."""

        def register(function: CheckFunction) -> CheckFunction:
            for name in names:
                if name in self.checks:
                    raise RaifError(f"{self.name} has two checks named {name!r}")
                self.checks[name] = function
            return function

        return register

    def bind(self, name: str, kwargs: Mapping[str, Any]) -> BoundCheck:
        """Return the check with its arguments; unknown ids and arguments, and values of a wrong kind, are errors.

        Arguments that are None count as missing, as in the official data files.
        """
        if name not in self.checks:
            raise unknown_name(f"{self.name} instruction", name, self.checks, "")
        function = self.checks[name]
        parameters = _parameters(function)
        arguments, missing = {}, []
        for key, value in kwargs.items():
            if value is None:
                continue
            if key not in parameters:
                raise RaifError(f"{name!r} takes {', '.join(parameters) or 'no arguments'}; got {key}.")
            arguments[key] = _convert(name, key, value, parameters[key].kind)
        if len(arguments) < len(parameters):
            missing = [key for key, kind in parameters.items() if kind.required and key not in arguments]
        reason = f"the official code draws a random value for: {', '.join(missing)}" if missing else ""
        return BoundCheck(name, function, arguments, reason)

    def parameters(self, name: str) -> dict[str, Parameter]:
        """Return the arguments of a check with their kinds."""
        return _parameters(self.checks[name])


@lru_cache(maxsize=512)
def _parameters(function: CheckFunction) -> dict[str, Parameter]:
    """Return the arguments of a check function, the view left out."""
    hints = get_type_hints(function)
    return {
        name: Parameter(hints[name], parameter.default is inspect.Parameter.empty)
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]
    }


def _convert(name: str, key: str, value: Any, kind: Any) -> Any:
    """Return the value as its annotated kind; whole floats become integers, as the data files hold `8.0`."""
    if kind is str:
        fits = isinstance(value, str)
    elif kind in (int, float):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = fits and isfinite(value) and (kind is float or value == int(value))
        value = kind(value) if fits else value
    elif get_origin(kind) is Literal:
        fits = value in get_args(kind)
    else:
        fits = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        value = list(value) if fits else value
    if not fits:
        raise RaifError(f"{name!r}: {key} must be {_wanted(kind)}; got {value!r}.")
    return value


def _wanted(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return {str: "a text", int: "a whole number", float: "a number"}.get(kind, "a list of texts")
