"""What travels between a program and its tests: frames of JSON that can say data and references, and nothing else.

Plain values and those of a few standard types are copied. Whatever else one side has (a function, an instance of a
class of the program's own) stays there; the other side holds a numbered reference to it. No class, function or code of
the program is ever built on the side of the tests, so that a value from the program compares as Python's own types do.
"""

from __future__ import annotations

import builtins
import json
import os
from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than most programs to run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_FRAME = 1 << 24  # bytes
SHARED = "program"  # the module in which both sides execute the code that stands before the program
_SCALARS = frozenset({type(None), bool, int, float, str})
_GROUPS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}

# How the value of a standard type is taken apart, as the arguments that build it again.
_VALUES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "builtins.bytes": lambda value: (list(value),),
    "builtins.bytearray": lambda value: (list(value),),
    "builtins.complex": lambda value: (value.real, value.imag),
    "builtins.range": lambda value: (value.start, value.stop, value.step),
    "builtins.slice": lambda value: (value.start, value.stop, value.step),
    "collections.Counter": lambda value: (dict(value),),
    "collections.OrderedDict": lambda value: (list(value.items()),),
    "collections.defaultdict": lambda value: (value.default_factory, dict(value)),
    "collections.deque": lambda value: (list(value), value.maxlen),
    "datetime.date": lambda value: (value.year, value.month, value.day),
    "datetime.datetime": lambda value: (*value.timetuple()[:6], value.microsecond, value.tzinfo),
    "datetime.time": lambda value: (value.hour, value.minute, value.second, value.microsecond, value.tzinfo),
    "datetime.timedelta": lambda value: (value.days, value.seconds, value.microseconds),
    "datetime.timezone": lambda value: (value.utcoffset(None),),
    "decimal.Decimal": lambda value: (str(value),),
    "fractions.Fraction": lambda value: (value.numerator, value.denominator),
}


class GoneError(BaseException):
    """The other side has ended, or no longer speaks the language of the frames."""


class UnsendableError(TypeError):
    """A value that one side cannot show to the other."""


class Codec:
    """Turn values into JSON and back.

    Instances of the classes in `shared` (name -> class, defined by code that both sides execute) are copied attribute
    by attribute; they may refer to each other in any way, also in a circle.

    Args:
        shared: classes that both sides have.
    """

    def __init__(self, shared: dict[str, type] | None = None) -> None:
        self.shared = shared or {}
        self._objects: list[Any] = []  # of the message at hand: instances of shared classes, by number
        self._numbers: dict[int, int] = {}

    def refer(self, value: Any) -> Any:
        """Return the JSON of a reference to a value that is not copied."""
        raise UnsendableError(f"a {type(value).__name__} cannot be sent")

    def resolve(self, reference: list[Any]) -> Any:
        """Return what a reference stands for."""
        raise GoneError(f"no such reference: {reference}")

    def builtin_type(self, name: str) -> type:
        """Return a type of Python's own."""
        kind = getattr(builtins, name)
        if not isinstance(kind, type):
            raise GoneError(f"{name} is no type")
        return kind

    def dumps(self, message: Any) -> bytes:
        self._objects, self._numbers = [], {}
        root = self.encode(message)
        states = []
        for instance in self._objects:  # grows while it is read
            states.append([type(instance).__name__, [[key, self.encode(x)] for key, x in _state(instance).items()]])
        return json.dumps([root, states]).encode()

    def loads(self, frame: bytes) -> Any:
        root, states = json.loads(frame)
        self._objects = [self._blank(name) for name, _ in states]
        for instance, (_, state) in zip(self._objects, states, strict=True):
            for name, value in state:
                _set_attribute(instance, name, self.decode(value))
        return self.decode(root)

    def encode(self, value: Any) -> Any:
        kind: Any = type(value)
        if kind in _SCALARS:
            return value
        if kind is list:
            return [self.encode(each) for each in value]
        if kind is dict:
            return {"dict": [[self.encode(key), self.encode(each)] for key, each in value.items()]}
        name = kind.__name__
        if _GROUPS.get(name) is kind:
            return {name: [self.encode(each) for each in value]}
        if self.shared.get(name) is kind:
            return {"object": self._number(value)}
        full = f"{kind.__module__}.{name}"
        if full in _VALUES and getattr(import_module(kind.__module__), name) is kind:
            return {"value": [full, *map(self.encode, _VALUES[full](value))]}
        own = getattr(value, "__name__", "") if isinstance(value, type) else ""
        if own and getattr(builtins, own, None) is value:
            return {"type": own}
        return {"reference": self.refer(value)}

    def _number(self, instance: Any) -> int:
        if id(instance) not in self._numbers:
            self._numbers[id(instance)] = len(self._objects)
            self._objects.append(instance)
        return self._numbers[id(instance)]

    def decode(self, data: Any) -> Any:
        if type(data) in _SCALARS:
            return data
        if type(data) is list:
            return [self.decode(each) for each in data]
        ((kind, content),) = data.items()
        if kind == "dict":
            return {self.decode(key): self.decode(value) for key, value in content}
        if kind in _GROUPS:
            return _GROUPS[kind](self.decode(each) for each in content)
        if kind == "object":
            return self._objects[content]
        if kind == "value":
            return _built(content[0], [self.decode(each) for each in content[1:]])
        return self.builtin_type(content) if kind == "type" else self.resolve(content)

    def _blank(self, name: str) -> Any:
        kind: Any = self.shared[name]
        return kind.__new__(kind)


def _built(name: str, arguments: list[Any]) -> Any:
    if name not in _VALUES:
        raise GoneError(f"no such type: {name}")
    module, _, kind = name.rpartition(".")
    return getattr(import_module(module), kind)(*arguments)


def _state(instance: Any) -> dict[str, Any]:
    slots = [name for kind in type(instance).__mro__ for name in _names(kind.__dict__.get("__slots__", ()))]
    filled = {name: getattr(instance, name) for name in slots if hasattr(instance, name)}
    filled.update(getattr(instance, "__dict__", {}))
    return {name: value for name, value in filled.items() if name[:2] != "__"}


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _set_attribute(instance: Any, name: str, value: Any) -> None:
    # An attribute that hid a method would let the program answer in the place of code that is not its own.
    if callable(getattr(type(instance), name, None)) or name[:2] == "__":
        raise GoneError(f"attribute {name} is not data")
    object.__setattr__(instance, name, value)


class Link:
    """One end of the two pipes.

    Args:
        source: descriptor to read from.
        sink: descriptor to write to.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink

    def send(self, frame: bytes) -> None:
        view = memoryview(len(frame).to_bytes(8, "big") + frame)
        try:
            while view:
                view = view[os.write(self._sink, view) :]
        except OSError as error:
            raise GoneError("the pipe is closed") from error

    def receive(self) -> bytes:
        size = int.from_bytes(self._read(8), "big")
        if size > MAX_FRAME:
            raise GoneError(f"a frame of {size} bytes")
        return self._read(size)

    def _read(self, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            piece = os.read(self._source, min(size - len(content), 1 << 16))
            if not piece:
                raise GoneError("the pipe is closed")
            content += piece
        return bytes(content)
