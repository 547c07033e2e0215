"""What a Python program in a response does, read off its syntax tree without running it.

What the task gives already (signature, doc text, imports, helper functions) is the task's and not the response's: lines
that stand in the request and functions whose lines all do are left out.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from textwrap import dedent, indent
from typing import NamedTuple

from rewards.code_answer import extract_code

MAX_CHARACTERS = 50_000
_DEFINED = re.compile(r"^[ \t]*(?:async[ ]+)?def[ ]+(\w+)", re.MULTILINE)
_IMPORTED = re.compile(r"^[ \t]*(?:from[ ]+([\w.]+)|import[ ]+([^\n#]+))", re.MULTILINE)
_BODY = "def body():\n"  # stands for the signature of a response that is a function's body
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Program(NamedTuple):
    """What is known of a program.

    Fields:
        functions: the functions it defines beyond those that the request names, in order.
        main: the name of its main function if the request does not give it, else "".
        helpers: how many functions it defines besides the main one.
        returns: how many return statements it has.
        annotated: whether the main function has a type for every parameter and for its result.
        variables: the local variables that its functions assign, in order, with how often.
        loops: `for` and `while`, as far as they occur as statements.
        comprehension: whether a comprehension or generator expression occurs.
        imports: the modules imported beyond those of the request.
        lines: the lines of code without blank ones, comments, doc strings and what the request gives.
    """

    functions: tuple[str, ...]
    main: str
    helpers: int
    returns: int
    annotated: bool
    variables: dict[str, int]
    loops: frozenset[str]
    comprehension: bool
    imports: tuple[str, ...]
    lines: int


@lru_cache(maxsize=64)
def read_program(response: str, request: str) -> Program | None:
    """Return what the program of a response does, or None where there is none that parses.

    Example:
        >>> program = read_program("```python\\ndef double(x):\\n    return 2 * x\\n```", "Write a program.")
        >>> program.main, program.returns, program.loops, program.lines
        ('double', 1, frozenset(), 2)
    """
    code = extract_code(response)
    parsed = None if code is None or len(code) > MAX_CHARACTERS else _parse(code)
    return None if parsed is None else _describe(*parsed, request)


def _parse(code: str) -> tuple[ast.Module, str] | None:
    """Parse a program, or the body of a function (its first line may have lost its indentation)."""
    tree = _tree(code)
    if tree is not None and not any(isinstance(node, ast.Return) for node in tree.body):
        return tree, code
    for body in (indent(dedent(code), "    "), f"    {code}"):
        if tree := _tree(_BODY + body):
            return tree, _BODY + body
    return None


def _tree(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in the program is none of ours
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _describe(tree: ast.Module, source: str, request: str) -> Program:
    given_lines = frozenset(line.strip() for line in request.splitlines() if line.strip())
    given = frozenset(_DEFINED.findall(request))
    lines = source.split("\n")
    tree.body = [node for node in tree.body if not _is_given(node, lines, given_lines)]
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, _FUNCTIONS)]
    known = given | {"body"}
    own = tuple(each.name for each in functions if each.name not in known)
    main = "" if given or source.startswith(_BODY) else next(iter(own), "")
    return Program(
        functions=own,
        main=main,
        helpers=len(own) - bool(main),
        returns=sum(isinstance(node, ast.Return) for node in nodes),
        annotated=any(_is_annotated(each) for each in functions if each.name == main),
        variables=_local_variables(functions),
        loops=frozenset(_loops(nodes)),
        comprehension=any(isinstance(node, _COMPREHENSIONS) for node in nodes),
        imports=tuple(name for name in _imports(nodes) if name not in _imported_by(request)),
        lines=_own_lines(tree, lines, given_lines),
    )


def _is_given(node: ast.stmt, lines: list[str], given: frozenset[str]) -> bool:
    """Tell whether a function with its body, or any other statement, stands in the request."""
    if not isinstance(node, (*_FUNCTIONS, ast.Import, ast.ImportFrom)):
        return False
    spanned = [line.strip() for line in lines[node.lineno - 1 : node.end_lineno]]
    return all(line in given for line in spanned if line)


def _is_annotated(function: _Function) -> bool:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return function.returns is not None and bool(named) and all(each.annotation is not None for each in named)


def _local_variables(functions: list[_Function]) -> dict[str, int]:
    found: dict[str, int] = {}
    for function in functions:
        arguments = function.args
        known = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        for node in _own_nodes(function):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                known.update(node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in known:
                found[node.id] = found.get(node.id, 0) + 1
    return found


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function in order, without those of functions, classes and comprehensions inside it."""
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda, *_COMPREHENSIONS)):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _loops(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, (ast.For, ast.AsyncFor)):
            yield "for"
        elif isinstance(node, ast.While):
            yield "while"


def _imports(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def _imported_by(request: str) -> frozenset[str]:
    found: set[str] = set()
    for module, modules in _IMPORTED.findall(request):
        found.update([module] if module else (each.split()[0] for each in modules.split(",") if each.strip()))
    return frozenset(found)


def _own_lines(tree: ast.Module, lines: list[str], given: frozenset[str]) -> int:
    kept: set[int] = set()
    for node in tree.body:
        kept.update(range(_first_line(node), (node.end_lineno or node.lineno) + 1))
    for place in ast.walk(tree):
        if isinstance(place, (*_FUNCTIONS, ast.ClassDef, ast.Module)) and ast.get_docstring(place) is not None:
            text = place.body[0]
            kept.difference_update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    said = (lines[number - 1].strip() for number in kept)
    return sum(1 for line in said if line and not line.startswith("#") and line not in given and line != _BODY.strip())


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])
