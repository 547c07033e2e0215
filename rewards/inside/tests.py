"""The side of the tests: run them against a program that is somewhere else, and say what came of it.

A value that the program returns is data of Python's own types, or a `Remote`. A remote object is asked for its
attributes, items, length, text ..., but it is never shown what a test expects: it equals no plain value (except the
plain value it extends, as an `IntEnum` or a named tuple does), takes part in no operation with one, and contains only
what it iterates over.
"""

from __future__ import annotations

import builtins
import io
import operator
import os
import re
import signal
import sys
from _thread import RLock
from importlib import import_module
from types import CodeType, FunctionType, ModuleType

from rewards.inside.wire import SHARED, Codec, GoneError, Link, UnsendableError

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than most programs to run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NOTHING: Any = object()
_TESTS = "tests.py"


class Remote:
    """An object of the program's, at the other end of the pipes."""

    __slots__ = ("_base", "_number", "_side")

    def __init__(self, side: Tests, number: int, base: Any = _NOTHING) -> None:
        for name, value in (("_side", side), ("_number", number), ("_base", base)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._side.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._side.ask("set", self, name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._side.ask("call", self, *arguments, **named)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Remote) and bool(self._side.ask("isinstance", instance, self))

    def __getitem__(self, key: Any) -> Any:
        return self._side.ask("operator", "getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._side.ask("operator", "setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._side.ask("operator", "delitem", self, key)

    def __hash__(self) -> int:
        return object.__hash__(self) if self._base is _NOTHING else hash(self._base)

    def __index__(self) -> int:
        return int(self._side.ask("operator", "index", self))


def _unary(name: str) -> Callable[[Remote], Any]:
    return lambda self: self._side.ask("builtin", name, self)


def _binary(name: str) -> Callable[[Remote, Any], Any]:
    def apply(self: Remote, other: Any) -> Any:
        if isinstance(other, Remote):
            return self._side.ask("operator", name, self, other)
        return NotImplemented if self._base is _NOTHING else getattr(operator, name)(self._base, other)

    return apply


for _name in ("iter", "next", "len", "str", "repr", "bool", "int", "float", "abs", "reversed"):
    setattr(Remote, f"__{_name}__", _unary(_name))
for _name in ("eq", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod"):
    setattr(Remote, f"__{_name}__", _binary(_name))


class Tests(Codec):
    """Ask the program, as the tests demand."""

    def __init__(self, link: Link, shared: dict[str, type]) -> None:
        super().__init__(shared)
        self._link, self._lock = link, RLock()
        self._kept: list[Any] = []
        self._errors: dict[str, type[Exception]] = {}
        self.gone = self.unsendable = ""

    def refer(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return ["yours", value._number]
        if hasattr(value, "__next__"):
            return ["iterator", self.encode(list(value))]
        if not callable(value):
            self.unsendable = f"the tests give the program a {type(value).__name__}, which cannot be copied"
            raise UnsendableError(self.unsendable)
        self._kept.append(value)
        return ["mine", len(self._kept) - 1]

    def resolve(self, reference: list[Any]) -> Any:
        if reference[0] == "yours":
            return self._kept[reference[1]]
        _, number, feature, content = reference
        if feature == "module" and content in sys.stdlib_module_names:
            return import_module(content)
        if feature == "error":
            return self._error(content, define=True)
        remote = Remote(self, int(number), self.decode(content) if feature == "value" else _NOTHING)
        return _later(remote) if feature == "coroutine" else remote

    def builtin_type(self, name: str) -> type:
        kind = super().builtin_type(name)
        if issubclass(AssertionError, kind):  # a program that calls this its own error would be caught failing, unheard
            raise GoneError(f"{name} as a value")
        return kind

    def _error(self, names: list[str], define: bool = False) -> type[Exception]:
        for name in names:
            kind = self._errors.get(name) or self.shared.get(name) or getattr(builtins, name, None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                if define and name != names[0]:
                    kind = self._errors[names[0]] = type(names[0], (kind,), {})
                return kind
        return RuntimeError

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Have the program do something, and return or raise what comes of it."""
        with self._lock:
            self._send(["ask", name, arguments, named])
            while True:
                message = self._receive()
                if message[0] != "call":
                    return self._conclude(message, [*arguments, *named.values()] if name == "call" else [])
                self._serve(*message[1:])

    def _send(self, message: list[Any]) -> None:
        if self.gone:
            raise GoneError(self.gone)
        self._link.send(self.dumps(message))

    def _receive(self) -> list[Any]:
        try:
            message: list[Any] = self.loads(self._link.receive())
            if message[0] in ("value", "raised", "call"):
                return message
            raise ValueError(f"a {message[0]}")
        except Exception as error:
            self.gone = f"the program sent what cannot be read ({type(error).__name__})"
        except GoneError as error:
            self.gone = f"the program ended early ({error})"
        raise GoneError(self.gone)

    def _conclude(self, message: list[Any], given: list[Any]) -> Any:
        try:
            outcome, content, *rest, changes, printed = message
            mutable = [each for each in given if type(each) not in (int, float, str, bool, type(None))]
            for place, new in changes:
                _absorb(mutable[place], new)
            sys.stdout.write(printed)
            error = self._build_error(content, *rest) if outcome == "raised" else None
        except Exception as problem:
            self.gone = f"the program sent what cannot be used ({type(problem).__name__})"
            raise GoneError(self.gone) from problem
        if error is not None:
            raise error
        return content

    def _build_error(self, names: list[str], arguments: list[Any]) -> Exception:
        try:
            error = self._error(names)(*arguments)
        except TypeError:  # a class with a signature of its own
            error = RuntimeError(f"{names[0]}: {arguments}")
        error.from_program = True  # type: ignore[attr-defined]
        return error

    def _serve(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        try:
            self._send(["value", self._kept[number](*arguments, **named)])
        except Exception as error:
            self._send(["raised", type(error).__name__, str(error)])


async def _later(remote: Remote) -> Any:
    return remote._side.ask("await", remote)


def _absorb(old: Any, new: Any) -> None:
    """Let the value of the tests become what the program made of its copy."""
    if isinstance(old, Remote) or type(old) is not type(new):
        return
    if isinstance(old, list | bytearray):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif hasattr(old, "extend"):
        old.clear()
        old.extend(new)
    elif hasattr(old, "__dict__"):
        old.__dict__.update(new.__dict__)


def _stub() -> None:
    """Do nothing, as the head of a function with no body does."""


def _is_stub(value: Any) -> bool:
    if not isinstance(value, FunctionType) or value.__module__ != SHARED:
        return False
    return set(value.__code__.co_code[::2]) <= set(_stub.__code__.co_code[::2])


def _prelude_names(prelude: str) -> dict[str, Any]:
    """Execute the code that stands before the program, if it is complete, and return what it defines."""
    module = sys.modules[SHARED] = ModuleType(SHARED)
    try:
        exec(compile(prelude, "prelude.py", "exec", dont_inherit=True), module.__dict__)
    except SyntaxError:
        return {}
    return {name: value for name, value in vars(module).items() if name[:2] != "__" and not _is_stub(value)}


def _names_in(code: CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def _run(link: Link, prelude: str, units: list[tuple[str, bool]], tests: str, entry_point: str) -> str:
    """Return `passed`, or `failed` or `broken` and why."""
    try:
        ready = link.receive() == b"ready"
    except GoneError:
        ready = False
    if not ready:
        return "broken: the program's sandbox did not start"
    root = re.match(r"\w*", entry_point)[0]  # type: ignore[index]
    try:
        known = _prelude_names(prelude)
        code = compile(tests, _TESTS, "exec", dont_inherit=True)
    except BaseException as error:
        return f"broken: the tests cannot be run: {type(error).__name__}: {error}"
    known.pop(root, None)
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__.update(known)
    classes = {name: each for name, each in known.items() if isinstance(each, type) and each.__module__ == SHARED}
    side = Tests(link, classes)
    try:
        wanted = _names_in(code) - known.keys() - vars(builtins).keys() | {root} - {""}
        main.__dict__.update(side.ask("load", units, sorted(wanted), sorted(classes)))
        candidate = side.ask("find", entry_point) if entry_point else None
        exec(code, main.__dict__)
        check = main.__dict__.get("check")
        if candidate is not None and isinstance(check, FunctionType):
            check(candidate)
    except BaseException as error:
        return _verdict(error, side, tests)
    return f"failed: {side.gone}" if side.gone else f"broken: {side.unsendable}" if side.unsendable else "passed"


def _verdict(error: BaseException, side: Tests, tests: str) -> str:
    if side.unsendable:
        return f"broken: {side.unsendable}"
    if isinstance(error, SystemExit) and not error.code and not side.gone:
        return "passed"
    missing = isinstance(error, ImportError) and not hasattr(error, "from_program")
    return f"{'broken' if missing else 'failed'}: {type(error).__name__}: {error}{_place(error, tests)}"[:500]


def _place(error: BaseException, tests: str) -> str:
    """Return the line of the tests that an error came through."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == _TESTS else line
        trace = trace.tb_next
    return f", at `{tests.splitlines()[line - 1].strip()}`" if line else ""


class _Void(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def judge(source: int, sink: int, prelude: str, units: list[tuple[str, bool]], tests: str, entry_point: str) -> None:
    """Write the verdict to standard output, one line, and wait to be killed.

    What ends by itself is an orphan for a moment, and leaves a dead entry in the process table where nobody waits for
    orphans, as in many containers.
    """
    sys.stdout = sys.stderr = _Void()
    verdict = _run(Link(source, sink), prelude, units, tests, entry_point)
    os.write(1, " ".join(verdict.splitlines()).encode("utf-8", "replace") + b"\n")
    while True:
        signal.pause()
