"""What a program does, as its syntax tree says, whatever form it is given in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rewards.program import Program, read_program
from tests.rewards.growth import grows_linearly
from tests.rewards.programs import BODY, GIVEN

FREE = "Write a program that adds up a list."
PROGRAM = """import math

def total(values: list[int]) -> int:
    '''Add up.'''
    def add(left, right):
        return left + right
    # start
    result, index = 0, 0
    while index < len(values):
        result = add(result, values[index])
        index += 1

    return sum([result])
"""


def program(response: str, request: str = FREE) -> Program:
    found = read_program(response, request)
    assert found is not None
    return found


def fenced(code: str) -> str:
    return f"Here it is:\n```python\n{code}\n```\nDone."


@pytest.mark.parametrize(
    "response",
    [BODY, fenced(BODY), fenced(GIVEN + BODY), GIVEN + BODY, BODY.strip(), fenced(f"def largest(numbers):\n{BODY}")],
    ids=["body", "fenced body", "fenced whole", "whole", "stripped body", "without helper"],
)
def test_what_the_task_gives_is_not_the_responses(response: str) -> None:
    found = program(response, GIVEN)
    assert (found.functions, found.main, found.helpers, found.imports) == ((), "", 0, ())
    assert (found.returns, found.lines, found.constructs, found.comments) == (1, 5, {"for"}, 0)
    assert found.variables == {"best": 2, "number": 1}
    assert found.annotated is found.documented is False


def test_everything_about_a_program_of_its_own() -> None:
    found = program(fenced(PROGRAM))
    assert (found.main, found.functions, found.helpers) == ("total", ("total", "add"), 1)
    assert (found.returns, found.annotated, found.constructs, found.imports) == (2, True, {"while"}, ("math",))
    assert found.variables == {"result": 2, "index": 2}
    assert (found.lines, found.comments, found.documented) == (10, 1, True)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_change_nothing(end: str) -> None:
    for form in (PROGRAM, fenced(PROGRAM)):
        assert program(form.replace("\n", end)) == program(PROGRAM)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f(a):\n    a = 1\n    b = 2", {"b": 1}),
        ("def f():\n    global c\n    c = 1", {}),
        ("def f():\n    return [x for x in y]", {}),
        ("def f():\n    with open(p) as handle:\n        (n := 3)", {"handle": 1, "n": 1}),
        ("outside = 1\ndef f():\n    def g():\n        inner = 1", {"inner": 1}),
    ],
)
def test_local_variables(code: str, names: dict[str, int]) -> None:
    assert program(fenced(code)).variables == names


@pytest.mark.parametrize(
    ("code", "recursive"),
    [
        ("def f(n):\n    return n and f(n - 1)", True),
        ("def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n > 0 and even(n - 1)", True),
        ("def f(n):\n    def g(m):\n        return f(m)\n    return g(n)", True),
        ("def f(n):\n    return [f(each) for each in n]", True),
        ("def f(n):\n    return sum(map(lambda m: f(m), n))", True),
        ("f = lambda n: n and f(n - 1)", True),
        ("async def f(n):\n    return await f(n - 1)", True),
        ("class A:\n    def f(self, n):\n        return n and self.f(n - 1)", True),
        ("class A:\n    @classmethod\n    def f(cls, n):\n        return n and cls.f(n - 1)", True),
        ("def f(n):\n    return g(n)\ndef g(n):\n    return h(n)\ndef h(n):\n    return n", False),
        ("def f(f):\n    return f(1)", False),
        ("def f(n):\n    return n.f()", False),
        ("class A:\n    def sorted(self):\n        return sorted(self.values)", False),
        ("def f(n):\n    'f(n) calls f'\n    return 'f(1)'", False),
        ("def f(n):\n    return g(n)\ndef h(n):\n    return f(n)", False),
    ],
)
def test_recursion_is_direct_or_through_other_functions(code: str, recursive: bool) -> None:
    assert ("recursion" in program(fenced(code)).constructs) is recursive


def test_the_body_of_a_given_function_may_call_it() -> None:
    calling = "    return largest(numbers[1:]) if len(numbers) > 1 else numbers[0]\n"
    helped = "    return helper(numbers[0])\n"
    for form in (calling, fenced(calling), fenced(GIVEN + calling)):
        assert program(form, GIVEN).constructs == {"recursion"}
    for form in (helped, fenced(helped), fenced(GIVEN + helped)):
        assert program(form, GIVEN).constructs == frozenset()


@pytest.mark.parametrize(
    ("code", "comments"),
    [
        ("x = '# none'\ny = '''\n# none\n'''", 0),
        ("x = 1  # one\n# two", 2),
        ("def f():\n    '# none'", 0),
        ("x = f'{1:#x}'", 0),
        ("#!/usr/bin/python\nx = 1", 1),
    ],
)
def test_comments_are_tokens(code: str, comments: int) -> None:
    assert program(fenced(code)).comments == comments


def test_comments_docstrings_and_classes_of_the_task_are_its_own() -> None:
    task = 'class Point:\n    """A point."""\n    # two numbers\n    x = 0\n\ndef norm(point):\n    """The norm."""\n'
    own = "    return abs(point.x)\n"
    for form in (own, fenced(task + own)):
        found = program(form, task)
        assert (found.comments, found.documented, found.constructs) == (0, False, frozenset())
    found = program(fenced('class Pair:\n    pass\n\ndef norm(point):\n    """Say more."""\n    return 1  # why'), task)
    assert (found.comments, found.documented, found.constructs) == (1, True, {"class"})


@pytest.mark.parametrize(
    ("code", "construct"),
    [
        ("for a in b: pass", "for"),
        ("async def f():\n    async for a in b: pass", "for"),
        ("while a: pass", "while"),
        ("try: a\nexcept E: pass", "try"),
        ("try: a\nexcept* E: pass", "try"),
        ("x = lambda: 0", "lambda"),
        ("class A: pass", "class"),
        ("x = {a: 1 for a in b}", "comprehension"),
        ("x = sum(a for a in b)", "comprehension"),
    ],
)
def test_constructs(code: str, construct: str) -> None:
    assert program(fenced(code)).constructs == {construct}


NO_PROGRAMS = {
    "prose": "I cannot.",
    "bad head": fenced("def f(:\n  pass"),
    "unfinished": fenced("x = 1 +"),
    "parentheses": fenced("(" * 5000),
    "signs": fenced("-" * 40_000 + "1"),
    "long": fenced("x" * 60_000),
    "zero byte": fenced("a\x00b = 1"),
    "empty": "",
}


@pytest.mark.parametrize("response", NO_PROGRAMS.values(), ids=NO_PROGRAMS)
def test_what_does_not_parse_is_no_program(response: str) -> None:
    assert read_program(response, FREE) is None


LONG: dict[str, tuple[int, Callable[[int], str]]] = {
    "calls": (2000, lambda size: "\n".join(f"def f{n}(): f{n + 1}()" for n in range(size))),
    "nested": (90, lambda size: "\n".join(" " * n + f"def f{n}():" for n in range(size)) + f"\n{' ' * size}f0()"),
    "comments": (10_000, lambda size: "# a\n" * size + "x = 1"),
    "sums": (900, lambda size: "x = " + "+".join("1" * size)),
    "lines": (8_000, lambda size: "x = 1\n" * size),
}


@pytest.mark.parametrize("name", LONG)
def test_no_program_takes_long(name: str) -> None:
    size, program = LONG[name]
    assert grows_linearly(lambda text: read_program(fenced(text), GIVEN * 50), program, size)


CALLING = "Write a function that sums.\n\nIt should pass this test:\n\n```python\nassert total([1]) == 1\n```"
HELPED = "def part(value):\n    return value\n\ndef total(values: list[int]) -> int:\n    return sum(map(part, values))"


@pytest.mark.parametrize(
    "usage", ["def main():\n    print(total([1]))\n\nmain()", "class Example:\n    x = total([1])"]
)
@pytest.mark.parametrize("request_text", [CALLING, "Complete it.\n\ndef total(values):\n    ..."])
def test_the_program_is_the_one_that_the_tests_run(request_text: str, usage: str) -> None:
    alone = program(fenced(HELPED), request_text)
    assert program(f"{fenced(HELPED)}\nUsage:\n{fenced(usage)}", request_text) == alone
    assert "part" in alone.functions


def test_the_main_function_is_the_one_that_the_request_calls() -> None:
    found = program(fenced(HELPED), CALLING)
    assert (found.main, found.helpers, found.annotated) == ("total", 1, True)
    assert program(fenced(HELPED)).main == "part"


def test_a_function_may_be_called_body() -> None:
    found = program(fenced("def body(x):\n    return x\n\ndef total(x):\n    return body(x)"), CALLING)
    assert (found.functions, found.helpers) == (("body", "total"), 1)
    assert program(fenced("def body(x):\n    return x")).main == "body"
