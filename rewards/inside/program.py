"""The side of the program: run it, then do with its functions and objects what the tests ask for.

Nothing here is trusted by the other side. What is returned to it is data, whoever made it up.
"""

from __future__ import annotations

import builtins
import io
import operator
import sys
from types import CoroutineType, ModuleType

from rewards.inside.wire import SHARED, Codec, Link

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than most programs to run
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_PLAIN = (int, float, str, bytes, tuple, list, dict, set, frozenset)
_SCALARS = (int, float, str, bool, type(None))


class Theirs:
    """A function that the tests gave to the program."""

    def __init__(self, side: Program, number: int) -> None:
        self._side, self.number = side, number

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._side.call_back(self.number, arguments, named)


class Program(Codec):
    """Answer requests about a program.

    Args:
        link: the pipes.
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self.names: dict[str, Any] = {}
        self._kept: list[Any] = []
        self._places: dict[int, int] = {}
        self.printed = sys.stdout = sys.stderr = io.StringIO()
        self._actions: dict[str, Callable[..., Any]] = {
            "load": self.load,
            "find": lambda expression: eval(expression, self.names),
            "call": lambda function, *arguments, **named: function(*arguments, **named),
            "get": getattr,
            "set": setattr,
            "isinstance": isinstance,
            "await": _wait,
            "builtin": lambda name, value: getattr(builtins, name)(value),
            "operator": lambda name, *operands: getattr(operator, name)(*operands),
        }

    def load(self, units: Sequence[tuple[str, bool]], wanted: list[str], shared: list[str]) -> dict[str, Any]:
        """Execute sources in one module and return what it has of the wanted names.

        Args:
            units: sources, each with whether it may be left out if it is no complete code.
            wanted: names that the tests use.
            shared: names of classes that the tests have too.
        """
        module = sys.modules[SHARED] = ModuleType(SHARED)
        self.names = module.__dict__
        for source, optional in units:
            try:
                code = compile(source, "program.py", "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                if not optional:
                    raise
                continue
            exec(code, self.names)
        found = {name: self.names[name] for name in shared if name in self.names}
        self.shared = {name: value for name, value in found.items() if isinstance(value, type)}
        return {name: self.names[name] for name in wanted if name in self.names}

    def refer(self, value: Any) -> Any:
        if isinstance(value, Theirs):
            return ["yours", value.number]
        if id(value) not in self._places:
            self._places[id(value)] = len(self._kept)
            self._kept.append(value)
        return ["mine", self._places[id(value)], *self._features(value)]

    def _features(self, value: Any) -> tuple[str, Any]:
        if isinstance(value, ModuleType):
            return "module", value.__name__
        if isinstance(value, type) and issubclass(value, BaseException):
            return "error", [kind.__name__ for kind in value.__mro__]
        if isinstance(value, CoroutineType):
            return "coroutine", None
        plain = next((kind for kind in _PLAIN if isinstance(value, kind)), None)
        return ("value", self.encode(plain(value))) if plain else ("object", None)

    def resolve(self, reference: list[Any]) -> Any:
        kind, content = reference
        if kind == "iterator":
            return iter(self.decode(content))
        return self._kept[content] if kind == "yours" else Theirs(self, content)

    def serve(self) -> None:
        """Answer until the tests have ended."""
        self._link.send(b"ready")
        while True:
            self._answer(self.loads(self._link.receive()))

    def _answer(self, request: list[Any]) -> None:
        _, name, arguments, named = request
        given = [each for each in (*arguments, *named.values()) if type(each) not in _SCALARS]
        before = [self._frame(each) for each in given] if name == "call" else []
        try:
            reply = ["value", self._actions[name](*arguments, **named)]
        except BaseException as error:
            reply = ["raised", *_description(error)]
        after = [self._frame(each) for each in given[: len(before)]]
        changes = [[place, each] for place, each in enumerate(given[: len(before)]) if before[place] != after[place]]
        try:
            frame = self.dumps([*reply, changes, self._take_printed()])
        except Exception as error:
            frame = self.dumps(["raised", *_description(error), [], ""])
        self._link.send(frame)

    def _frame(self, value: Any) -> bytes:
        try:
            return self.dumps(value)
        except Exception:
            return b""

    def _take_printed(self) -> str:
        text = self.printed.getvalue()
        self.printed.seek(0)
        self.printed.truncate()
        return text

    def call_back(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a function of the tests; meanwhile they may ask for something."""
        self._link.send(self.dumps(["call", number, arguments, named]))
        while True:
            message = self.loads(self._link.receive())
            if message[0] == "value":
                return message[1]
            if message[0] == "raised":
                kind = getattr(builtins, message[1], Exception)
                raise (kind if issubclass(kind, Exception) else Exception)(message[2])
            self._answer(message)


def _wait(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def _description(error: BaseException) -> tuple[list[str], list[Any]]:
    """Return the names of an error's classes, its own first, and its arguments as far as they are plain."""
    plain = all(type(each) in _SCALARS for each in error.args)
    try:
        arguments = list(error.args) if plain else [str(error)]
    except Exception:
        arguments = []
    return [kind.__name__ for kind in type(error).__mro__], arguments


def serve(source: int, sink: int) -> None:
    """Answer on one descriptor what is asked on the other."""
    Program(Link(source, sink)).serve()
