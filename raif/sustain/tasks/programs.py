"""Programs: a function to write, and tests that it must pass.

The user turn shows what is given and asks for the function in one fenced block, since that is what the scorer reads;
it says nothing of how to write it. HumanEval's prompt stands in it verbatim. MBPP's text does not name the function,
so its first test is shown, as is usual.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from data_gen.seeds.mapping import BadRow
from raif.sustain.tasks.made import Columns, Made, language_of, nested_value, text_of
from rewards.task_answer import CodeAnswer

COMPLETE = "Complete this function. Give it as a whole in a fenced code block.\n\n```python\n{head}```"
WRITE = {
    "en": "{task}\n\nIt should pass this test:\n\n```python\n{test}\n```\n\nGive the program in a fenced code block.",
    "zh": "{task}\n\n它应通过这个测试：\n\n```python\n{test}\n```\n\n请把程序写在一个代码块里。",
}


def humaneval(columns: Columns) -> Made:
    """Make a task of `prompt`, `test` and `entry_point`; the prompt is also the prelude of a program that goes on."""
    text_of(columns, "prompt")
    prompt = str(columns["prompt"])
    answer = CodeAnswer(
        tests=_runnable(str(columns["test"]).strip("\n") or _blank("test")),
        entry_point=text_of(columns, "entry_point"),
        prelude=prompt,
    )
    head = prompt if prompt.endswith("\n") else prompt + "\n"
    return Made(COMPLETE.format(head=head), answer, "en", {})


def mbpp(columns: Columns) -> Made:
    """Make a task of `text` or `prompt`, and `test_list`, with the imports or code that set the tests up.

    The entry point is the function of the reference solution that the tests call, so that its absence can be told.
    """
    task = text_of(columns, "text", "prompt")
    tests = [str(test).strip() for test in nested_value(columns["test_list"]) or [] if str(test).strip()]
    if not tests:
        _blank("test_list")
    before = nested_value(columns["test_imports"]) if "test_imports" in columns else [columns.get("test_setup_code")]
    setup = [str(each).strip() for each in before or [] if each and str(each).strip()]
    called = _called(tests, str(columns.get("code") or ""))
    answer = CodeAnswer(tests=_runnable("\n".join([*setup, *tests])), entry_point=called)
    language = language_of(task)
    return Made(WRITE[language].format(task=task, test=tests[0]), answer, language, {})


def _runnable(tests: str) -> str:
    """Return tests that are Python; others would call every program wrong."""
    try:
        ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise BadRow("tests", f"has tests that are no Python ({error})") from error
    return tests


def _blank(name: str) -> str:
    raise BadRow(f"blank {name}", f"has a blank {name!r}")


def _called(tests: Sequence[str], code: str) -> str:
    """Return the function defined by a program that tests call, "" where that cannot be told.

    Example:
        >>> _called(["assert set(near(1)) == {2}"], "def half(x): ...\\ndef near(x): ...")
        'near'
    """
    try:
        defined = {node.name for node in ast.parse(code).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        nodes = [node for node in ast.walk(ast.parse("\n".join(tests))) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError):
        return ""
    names = [node.func.id for node in nodes if isinstance(node.func, ast.Name)]
    return next((name for name in names if name in defined), "")
