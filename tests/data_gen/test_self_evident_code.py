"""Self-evident constraints on programs: what a syntax tree says, whatever form the program is given in."""

from __future__ import annotations

from collections import Counter

import pytest

from data_gen.self_evident import CODE_GROUPS, Said, constraint_of, doses, extract, parse
from data_gen.self_evident.code import CODE_TYPES
from data_gen.self_evident.program import Program, read_program
from rewards import CodeAnswer, Context, Response, Status, known_constraints

GIVEN = '''from math import floor


def helper(value):
    """Halve."""
    return value / 2


def largest(numbers):
    """Return the largest of the numbers.
    >>> largest([1, 3])
    3
    """
'''
BODY = """    best = numbers[0]
    for number in numbers:
        if number > best:
            best = number
    return best
"""
TASK = CodeAnswer(tests="assert largest([1, 3]) == 3", entry_point="largest", prelude=GIVEN)
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


NO_PROGRAMS = [f"```python\n{code}\n```" for code in ("(" * 5000, "-" * 40_000 + "1", "x" * 60_000, "a\x00b = 1")]


def program(response: str, request: str = FREE) -> Program:
    found = read_program(response, request)
    assert found is not None
    return found


def satisfied(said: Said, response: str, request: str = FREE) -> bool:
    return constraint_of(said).check(Response(None, response), Context(request)).status is Status.SATISFIED


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
    assert (found.returns, found.lines, found.loops) == (1, 5, {"for"})
    assert found.variables == {"best": 2, "number": 1}
    assert found.annotated is False


def test_everything_about_a_program_of_its_own() -> None:
    found = program(fenced(PROGRAM))
    assert (found.main, found.functions, found.helpers) == ("total", ("total", "add"), 1)
    assert (found.returns, found.annotated, found.loops, found.imports) == (2, True, {"while"}, ("math",))
    assert found.variables == {"result": 2, "index": 2}
    assert found.lines == 9
    assert found.comprehension is False


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
    "response",
    [
        "I cannot.",
        fenced("def f(:\n  pass"),
        fenced("x = 1 +"),
        fenced("(" * 5000),
        fenced("-" * 40_000 + "1"),
        fenced("x" * 60_000),
        fenced("a\x00b = 1"),
        "",
    ],
)
def test_no_program_no_constraint(response: str) -> None:
    assert read_program(response, FREE) is None
    assert extract(FREE, response, CodeAnswer(tests="assert f()"), "en") == []
    assert not satisfied(Said("code_no_while", {}), response or "x")


@pytest.mark.parametrize(
    ("family", "slots", "passes", "fails"),
    [
        ("code_function_name", {"name": "add"}, "def add(): pass", "def plus(): pass"),
        ("code_local_variable", {"name": "best"}, "def f():\n    best = 1", "def f(best):\n    best = 1"),
        ("code_single_function", {}, "def f(): pass", "def f():\n    def g(): pass"),
        ("code_helper_function", {}, "def f(): g()\ndef g(): pass", "def f(): pass"),
        ("code_one_return", {}, "def f(): return 1", "def f():\n    if 1:\n        return 1\n    return 2"),
        ("code_annotated", {}, "def f(a: int) -> int: return a", "def f(a: int): return a"),
        ("code_uses_for", {}, "for a in b: pass", "[a for a in b]"),
        ("code_uses_while", {}, "def f():\n    while True: pass", "def f():\n    'while'"),
        ("code_no_while", {}, "x = 'while'", "def f():\n    while True: pass"),
        ("code_comprehension", {}, "x = {a for a in b}", "x = set(b)"),
        ("code_no_imports", {}, "x = 1", "def f():\n    from os import path"),
        ("code_lines", {"limit": 2}, "def f():\n    'doc'\n\n    # why\n    return 1", "a = 1\nb = 2\nc = 3"),
    ],
)
def test_each_checker_tells_right_from_wrong(family: str, slots: dict[str, int | str], passes: str, fails: str) -> None:
    said = Said(family, slots)
    assert satisfied(said, fenced(passes))
    assert not satisfied(said, fenced(fails))
    assert constraint_of(said).type in CODE_TYPES
    constraint = constraint_of(said)
    for language in ("en", "zh"):
        assert [parse(constraint.describe(language, wording), language) for wording in range(3)] == [said] * 3


def test_every_code_type_is_its_own() -> None:
    assert not CODE_TYPES.keys() & known_constraints().keys()
    assert len(CODE_TYPES) == 12


def test_candidates_of_a_task_with_a_given_signature() -> None:
    rejected: Counter[str] = Counter()
    found = extract(GIVEN, BODY, TASK, "en", rejected=rejected)
    assert {each.family for each in found} == {
        *("code_local_variable", "code_single_function", "code_one_return", "code_uses_for"),
        *("code_no_while", "code_no_imports", "code_lines"),
    }
    names = [each.slots["name"] for each in found if each.family == "code_local_variable"]
    assert names == ["best", "number"]
    assert {each.group for each in found} == set(CODE_GROUPS)
    for other in (fenced(BODY), fenced(GIVEN + BODY)):
        assert all(satisfied(Said(each.family, each.slots), other, GIVEN) for each in found)


def test_a_free_task_may_name_functions_and_types() -> None:
    found = {each.family for each in extract(FREE, fenced(PROGRAM), CodeAnswer(tests="assert total([1]) == 1"), "zh")}
    assert {"code_function_name", "code_annotated", "code_helper_function", "code_uses_while"} <= found
    assert not found & {"code_no_imports", "code_no_while", "code_single_function", "code_one_return"}


def test_what_the_task_says_of_the_code_is_not_demanded_again() -> None:
    rejected: Counter[str] = Counter()
    request = f"{FREE} Use a while loop and call the function total."
    found = extract(request, fenced(PROGRAM), CodeAnswer(tests="assert total"), "en", rejected=rejected)
    assert not {each.family for each in found} & {"code_uses_while", "code_function_name"}
    assert rejected["demanded"] == 2


def test_doses_of_programs_are_nested() -> None:
    sets = doses(extract(GIVEN, BODY, TASK, "en"), "task", 0)
    assert list(sets) == [1, 2, 3, 5, 8]
    assert sets[8][:5] == sets[5]
    assert {each.group for each in sets[5]} == set(CODE_GROUPS)
