"""Which functions of a Python program call which, and whether one calls itself, directly or through others."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*FUNCTIONS, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


class _Callable(NamedTuple):
    """A function, method or named lambda; a method is called on an object, the others by their names."""

    name: str
    is_method: bool
    node: Function | ast.Lambda


def parameters(function: Function | ast.Lambda) -> list[ast.arg]:
    """Return the named parameters, without `*args` and `**kwargs`."""
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function in order, without those of functions, classes and comprehensions inside it."""
    return _within(function.body, _SCOPES)


def _within(nodes: list[ast.stmt], closed: tuple[type[ast.AST], ...]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, closed):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def is_recursive(tree: ast.Module, aliases: Mapping[str, str] | None = None) -> bool:
    """Tell whether a function of a program calls itself, directly or through other functions of the program.

    Calls count that name a function (`f(...)`), or a method of the object or class itself (`self.f(...)`,
    `cls.f(...)`); a function that is only handed on is not called.

    Args:
        tree: the program.
        aliases: under which other name a function is called.

    Example:
        >>> is_recursive(ast.parse("def even(n): return n == 0 or odd(n - 1)\\ndef odd(n): return n and even(n - 1)"))
        True
        >>> is_recursive(ast.parse("def f(f): return f(1)"))
        False
    """
    names = aliases or {}
    calls: dict[tuple[str, bool], set[tuple[str, bool]]] = {}
    for each in _callables(tree):
        calls.setdefault((names.get(each.name, each.name), each.is_method), set()).update(_called(each.node))
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        return True
    return False


def _callables(tree: ast.Module) -> Iterator[_Callable]:
    methods = {
        id(member) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for member in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            yield _Callable(node.name, id(node) in methods, node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from (_Callable(each.id, False, node.value) for each in node.targets if isinstance(each, ast.Name))


def _called(function: Function | ast.Lambda) -> set[tuple[str, bool]]:
    body: list[ast.stmt] = [ast.Expr(function.body)] if isinstance(function, ast.Lambda) else function.body
    hidden = {each.arg for each in parameters(function)}
    found = set()
    for node in _within(body, _DEFINITIONS):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id not in hidden:
            found.add((called.id, False))
        elif isinstance(called, ast.Attribute) and _is_own(called.value):
            found.add((called.attr, True))
    return found


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
