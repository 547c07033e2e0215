"""Self-evident constraints on programs: what is read off them, refused, demanded and trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.config import load_yaml, parse_config
from data_gen.pools import expand, weigh
from data_gen.self_evident import (
    CODE_GROUPS,
    Said,
    Solved,
    constraint_of,
    doses,
    extract,
    instructions_from_outputs,
    parse,
)
from data_gen.self_evident.wordings import wordings
from data_gen.taxonomy import coverage
from rewards import CodeAnswer, Context, Instruction, RaifError, Response, Status
from rewards.constraint import read_off_constraints
from tests.rewards.programs import BODY, GIVEN

TASK = CodeAnswer(tests="assert largest([1, 3]) == 3", entry_point="largest", prelude=GIVEN)
SMOKE = Path(__file__).resolve().parents[2] / "recipes" / "data" / "smoke.yaml"
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


def satisfied(said: Said, response: str, request: str = FREE) -> bool:
    return constraint_of(said).check(Response(None, response), Context(request)).status is Status.SATISFIED


def fenced(code: str) -> str:
    return f"Here it is:\n```python\n{code}\n```\nDone."


@pytest.mark.parametrize("response", ["I cannot.", fenced("def f(:\n  pass"), fenced("(" * 5000), ""])
def test_no_program_no_constraint(response: str) -> None:
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
        ("code_lines", {"limit": 3}, "def f():\n    'doc'\n\n    # why\n    return 1", "a = 1\nb = 2\n# c\nc = 3"),
        ("code_docstring", {}, "def f():\n    'doc'", "def f():\n    # doc\n    pass"),
        ("code_uses_recursion", {}, "def f(): return f()", "def f(): return g()"),
        ("code_no_recursion", {}, "def f(): return g()", "def f(): return g()\ndef g(): return f()"),
        ("code_no_class", {}, "x = 'class'", "class A: pass"),
        ("code_no_try", {}, "x = 'try'", "try: a\nfinally: b"),
        ("code_no_lambda", {}, "x = 'lambda'", "x = lambda: 0"),
        ("code_no_comments", {}, "x = '# no comment'", "x = 1  # comment"),
    ],
)
def test_each_checker_tells_right_from_wrong(family: str, slots: dict[str, int | str], passes: str, fails: str) -> None:
    said = Said(family, slots)
    assert satisfied(said, fenced(passes))
    assert not satisfied(said, fenced(fails))
    constraint = constraint_of(said)
    for language in ("en", "zh"):
        assert [parse(constraint.describe(language, wording), language) for wording in range(3)] == [said] * 3


def test_every_code_type_has_a_family_and_is_worded_there() -> None:
    families = {name: each for name, each in wordings().items() if name.startswith("code_")}
    types = {each.constraint["type"]: each for each in families.values()}
    assert types.keys() == {name for name in read_off_constraints() if name.startswith("code:")}
    for name, family in types.items():
        assert (family.en, family.zh) == tuple(read_off_constraints()[name].phrases[each] for each in ("en", "zh"))
    assert {each.group for each in families.values()} == set(CODE_GROUPS)


def test_candidates_of_a_task_with_a_given_signature() -> None:
    rejected: Counter[str] = Counter()
    found = extract(GIVEN, BODY, TASK, "en", rejected=rejected)
    assert {each.family for each in found} == {
        *("code_local_variable", "code_single_function", "code_one_return", "code_uses_for"),
        *("code_no_while", "code_no_imports", "code_lines", "code_no_recursion", "code_no_class", "code_no_try"),
        *("code_no_lambda", "code_no_comments"),
    }
    names = [each.slots["name"] for each in found if each.family == "code_local_variable"]
    assert names == ["best", "number"]
    assert {each.group for each in found} == set(CODE_GROUPS)
    for other in (fenced(BODY), fenced(GIVEN + BODY)):
        assert all(satisfied(Said(each.family, each.slots), other, GIVEN) for each in found)


def test_a_free_task_may_name_functions_and_types() -> None:
    found = {each.family for each in extract(FREE, fenced(PROGRAM), CodeAnswer(tests="assert total([1]) == 1"), "zh")}
    assert {"code_function_name", "code_annotated", "code_helper_function", "code_uses_while"} <= found
    assert {"code_docstring", "code_no_recursion", "code_no_class"} <= found
    assert not found & {"code_no_imports", "code_no_while", "code_single_function", "code_one_return"}
    assert not found & {"code_no_comments", "code_uses_recursion"}


@pytest.mark.parametrize(
    ("addition", "family", "code"),
    [
        ("Use a while loop.", "code_uses_while", PROGRAM),
        ("Call the function total.", "code_function_name", PROGRAM),
        ("Write a docstring.", "code_docstring", PROGRAM),
        ("Do not use recursion.", "code_no_recursion", PROGRAM),
        ("Write a recursive function.", "code_uses_recursion", "def f(n): return n and f(n - 1)"),
        ("Do not define a class.", "code_no_class", PROGRAM),
        ("Do without try blocks.", "code_no_try", PROGRAM),
        ("Use no lambda.", "code_no_lambda", PROGRAM),
        ("No comments, please.", "code_no_comments", "x = 1"),
    ],
)
def test_what_the_task_says_of_the_code_is_not_demanded_again(addition: str, family: str, code: str) -> None:
    task = CodeAnswer(tests="assert total")
    assert family in {each.family for each in extract(FREE, fenced(code), task, "en")}
    rejected: Counter[str] = Counter()
    kept = extract(f"{FREE} {addition}", fenced(code), task, "en", rejected=rejected)
    assert family not in {each.family for each in kept}
    assert rejected["demanded"] >= 1


def test_doses_of_programs_are_nested() -> None:
    sets = doses(extract(GIVEN, BODY, TASK, "en"), "task", 0)
    assert list(sets) == [1, 2, 3, 5, 8]
    assert sets[8][:5] == sets[5]
    assert {each.group for each in sets[5]} == set(CODE_GROUPS)


PIECES = (
    "def f(a):\n", "def g(b: int) -> int:\n", "    return a\n", "    'doc'\n", "    x = f(a)\n", "import os\n",
    "for a in b:\n", "    while a:\n", "        pass\n", "# why\n", "y = [a for a in b]\n", "z = lambda: 0\n",
    "class A:\n", "```python\n", "```\n", "It is this: ", "\n",
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from([FREE, GIVEN]))
def test_whatever_the_program_only_what_holds_is_read(output: str, request: str) -> None:
    for each in extract(request, output, CodeAnswer(tests="assert f"), "en"):
        assert satisfied(Said(each.family, each.slots), output, request), each


def test_programs_become_training_instructions() -> None:
    solved = [Solved(f"{n}", f"{GIVEN}# {n}\n", BODY, TASK, "en", "ours", "CC0-1.0") for n in range(12)]
    made = list(instructions_from_outputs(solved, constraints=3, seed=1))
    assert len(made) == 12
    for one in made:
        again = Instruction.model_validate_json(one.model_dump_json())
        assert again == one
        assert again.evaluate(Response(None, BODY)).hard is True
        assert again.evaluate(Response(None, "I cannot.")).soft == 0
    assert len({each.type for one in made for each in one.constraints}) > 8


@pytest.mark.parametrize("name", ["code:uses_for", "layout:no_list"])
def test_no_recipe_draws_what_is_only_read_off(name: str) -> None:
    with pytest.raises(RaifError, match=f"'{name}' is only read off outputs"):
        weigh({name: 1.0})
    with pytest.raises(RaifError, match=f"'{name}' is only read off outputs"):
        parse_config({**load_yaml(SMOKE), "arguments": {name: {}}}, "recipe")
    assert not set(expand(["*"])) & read_off_constraints().keys()
    assert coverage({name: 3}).schemes == coverage({}).schemes
