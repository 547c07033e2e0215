"""What a Python program in a response does, read off its syntax tree without running it.

What the task gives already (signature, doc text, imports, helper functions) is the task's and not the response's: lines
that stand in the request and definitions whose lines all do are left out.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import lru_cache
from textwrap import dedent, indent
from typing import NamedTuple

from rewards.code_answer import defines, extract_code
from rewards.program_calls import FUNCTIONS, Function, is_recursive, own_nodes, parameters

MAX_CHARACTERS = 50_000
_DEFINED = re.compile(r"^[ \t]*(?:async[ ]+)?def[ ]+(\w+)", re.MULTILINE)
_IMPORTED = re.compile(r"^[ \t]*(?:from[ ]+([\w.]+)|import[ ]+([^\n#]+))", re.MULTILINE)
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\(")
_SIGNATURE = "_signature_of_the_task"  # stands for that of a response that is a function's body
_BODY = f"def {_SIGNATURE}():\n"
_DOCUMENTED = (*FUNCTIONS, ast.ClassDef, ast.Module)
_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.For: "for", ast.AsyncFor: "for", ast.While: "while", ast.Try: "try", ast.TryStar: "try", ast.Lambda: "lambda",
    ast.ListComp: "comprehension", ast.SetComp: "comprehension", ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension", ast.ClassDef: "class",
}  # fmt: skip


class Program(NamedTuple):
    """What is known of a program.

    Fields:
        functions: the functions it defines beyond those that the request names, in order.
        main: the name of its main function if the request does not give its head, else ""; it is the one that the
            request calls, or the first.
        helpers: how many functions it defines besides the main one.
        returns: how many return statements it has.
        annotated: whether the main function has a type for every parameter and for its result.
        documented: whether a docstring occurs that the request does not give.
        variables: the local variables that its functions assign, in order, with how often.
        constructs: which of `for`, `while`, `try`, `lambda`, `class`, `comprehension` and `recursion` occur; a `for` is
            a statement, a `comprehension` may be a generator expression.
        imports: the modules imported beyond those of the request.
        comments: how many comments it has beyond those of the request.
        lines: the lines without blank ones, docstrings and what the request gives.
    """

    functions: tuple[str, ...]
    main: str
    helpers: int
    returns: int
    annotated: bool
    documented: bool
    variables: dict[str, int]
    constructs: frozenset[str]
    imports: tuple[str, ...]
    comments: int
    lines: int


@lru_cache(maxsize=1024)
def read_program(response: str, request: str) -> Program | None:
    """Return what the program of a response does, or None where there is none that parses.

    Example:
        >>> program = read_program("```python\\ndef double(x):\\n    return 2 * x  # twice\\n```", "Write a program.")
        >>> program.main, program.returns, program.constructs, program.comments, program.lines
        ('double', 1, frozenset(), 1, 2)
    """
    text = _one_newline(response)
    code = extract_code(text, _entry_point(text, request))
    parsed = None if code is None or len(code) > MAX_CHARACTERS else _parse(code)
    if parsed is None:
        return None
    try:
        return _describe(*parsed, request)
    except (tokenize.TokenError, SyntaxError, RecursionError):  # what the parser takes and the tokenizer does not
        return None


def _entry_point(response: str, request: str) -> str:
    """Return the function that a request asks for: the last whose head it shows, else one it calls and gets defined."""
    if given := _DEFINED.findall(request):
        return str(given[-1])
    return next((name for name in _CALLED.findall(request) if defines(response, name)), "")


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    given = _DEFINED.findall(request)
    lines = source.split("\n")
    tree.body = [node for node in tree.body if not _is_given(node, lines, given_lines)]
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, FUNCTIONS)]
    own = tuple(each.name for each in functions if each.name not in {*given, _SIGNATURE})
    is_body = source.startswith(_BODY)
    called = (name for name in _CALLED.findall(request) if name in own)
    main = "" if given or is_body else next(called, next(iter(own), ""))
    doc_lines = _doc_lines(nodes)
    constructs = {_CONSTRUCTS[type(node)] for node in nodes if type(node) in _CONSTRUCTS}
    if is_recursive(tree, {_SIGNATURE: given[-1]} if is_body and given else {}):
        constructs.add("recursion")
    return Program(
        functions=own,
        main=main,
        helpers=len(own) - bool(main),
        returns=sum(isinstance(node, ast.Return) for node in nodes),
        annotated=any(_is_annotated(each) for each in functions if each.name == main),
        documented=any(lines[number - 1].strip() not in {*given_lines, ""} for number in doc_lines),
        variables=_local_variables(functions),
        constructs=frozenset(constructs),
        imports=tuple(name for name in _imports(nodes) if name not in _imported_by(request)),
        comments=_own_comments(source, given_lines),
        lines=sum(
            number not in doc_lines and line.strip() not in {*given_lines, "", _BODY.strip()}
            for number, line in enumerate(lines, 1)
        ),
    )


def _is_given(node: ast.stmt, lines: list[str], given: frozenset[str]) -> bool:
    """Tell whether a definition with its body, or an import, stands in the request."""
    if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
        return False
    spanned = [line.strip() for line in lines[node.lineno - 1 : node.end_lineno]]
    return all(line in given for line in spanned if line)


def _is_annotated(function: Function) -> bool:
    named = parameters(function)
    return function.returns is not None and bool(named) and all(each.annotation is not None for each in named)


def _doc_lines(nodes: list[ast.AST]) -> frozenset[int]:
    """Return the numbers of the lines that docstrings take."""
    found: set[int] = set()
    for node in nodes:
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            text = node.body[0]
            found.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return frozenset(found)


def _local_variables(functions: list[Function]) -> dict[str, int]:
    found: dict[str, int] = {}
    for function in functions:
        known = {each.arg for each in parameters(function)}
        for node in own_nodes(function):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                known.update(node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in known:
                found[node.id] = found.get(node.id, 0) + 1
    return found


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


def _own_comments(source: str, given: frozenset[str]) -> int:
    if "#" not in source:
        return 0
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.COMMENT and token.line.strip() not in given for token in tokens)
