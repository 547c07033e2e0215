"""Programs in responses: how they are found, what their tests say, and that no program can say it for them."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from rewards.code_answer import CodeVerifier, assemble, defines, extract_code, shared_code_verifier
from rewards.code_runner import Job, run_tests
from rewards.sandbox import Limits, Outcome, Sandbox, Status
from rewards.task_answer import CodeAnswer
from tests.rewards.attacks import FORGED, HOSTILE
from tests.rewards.boxes import SMALL, proven_box
from tests.rewards.programs import RIGHT

DOUBLE = "def f(x):\n    return 2 * x\n"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return proven_box()


def run(box: Sandbox, program: str, tests: str, entry_point: str = "", prelude: str = "") -> Outcome:
    units = [(prelude, True), (program, False)] if prelude else [(program, False)]
    return run_tests(box, Job(units, tests, entry_point, prelude))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("a\n```py\nx = 1\n```\nb\n```python\ny = 2\n```\nc", "y = 2"),
        ("```python\ndef f(): ...\n```\nUse it:\n```python\nprint(f())\n```", "def f(): ..."),
        ("```python\nx = 1\n```\nIt prints\n```\n1\n```", "x = 1"),
        ("```bash\nls\n```\nno Python", None),
        ("~~~python\nx = '```'\n~~~", "x = '```'"),
        ("1. Write\n   ```python\n   if x:\n       y()\n   ```", "if x:\n    y()"),
        ("cut off\n```python\nx = 1", "x = 1"),
        ("    return x\n", "    return x\n"),
        (
            "Here it is:\n\nimport re\n\ndef f(x):\n    return x\n\nprint(f(1))\n\nIt is fast.",
            "import re\n\ndef f(x):\n    return x\n\nprint(f(1))",
        ),
        ("I would use a loop from the start.", None),
        ("", None),
    ],
)
def test_extract_code(text: str, code: str | None) -> None:
    assert extract_code(text) == code


def test_the_block_with_the_entry_point_is_chosen() -> None:
    text = "```python\ndef f(): ...\n```\nor\n```python\ndef g(): ...\n```"
    assert [extract_code(text, name) for name in ("f", "g", "h")] == [
        "def f(): ...",
        "def g(): ...",
        "def g(): ...",
    ]
    assert defines("f = len", "f")
    assert not defines("f == 1\nef = 2\n# def f", "f")


HEAD = 'from typing import List\n\ndef f(x):\n    """Double."""\n'


@pytest.mark.parametrize(
    ("code", "program"),
    [
        ("    return 2 * x", HEAD + "    return 2 * x"),
        ("return 2 * x", HEAD + "    return 2 * x"),
        ("y = 2 * x\n    return y", HEAD + "    y = 2 * x\n    return y"),
        ("for y in x:\n        pass\n    return y", HEAD + "    for y in x:\n        pass\n    return y"),
        ("for y in x:\n    return y", HEAD + "    for y in x:\n        return y"),
        ("for y in x:\n    pass\nreturn y", HEAD + "    for y in x:\n        pass\n    return y"),
    ],
)
def test_a_body_goes_on_where_the_prelude_ends(code: str, program: str) -> None:
    task = CodeAnswer(tests="-", entry_point="f", prelude=HEAD)
    assert assemble(task, code) == [(program, False)]


def test_a_method_body_is_indented_as_a_method() -> None:
    task = CodeAnswer(tests="-", entry_point="Solution().f", prelude="class Solution:\n    def f(self, x):\n")
    assert assemble(task, "return x")[0][0] == "class Solution:\n    def f(self, x):\n        return x"


def test_a_whole_program_stands_for_itself() -> None:
    assert assemble(CodeAnswer(tests="-", entry_point="f", prelude=HEAD), DOUBLE) == [(HEAD, True), (DOUBLE, False)]
    assert assemble(CodeAnswer(tests="-"), "  x = 1") == [("x = 1", False)]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(box: Sandbox, name: str) -> None:
    outcome = run(box, *RIGHT[name])
    assert (outcome.status, outcome.output) == (Status.PASSED, "")


NODE = """
class Node:
    def __init__(self, v, n=None):
        self.v, self.n = v, n
    def same(self, o):
        return self.v == o.v
"""


def test_objects_of_the_prelude_are_copied(box: Sandbox) -> None:
    reverse = "def f(h):\n    p = None\n    while h: h.n, p, h = p, h, h.n\n    return p"
    tests = "h = f(Node(1, Node(2)))\nassert type(h) is Node and (h.v, h.n.v, h.n.n) == (2, 1, None)"
    assert run(box, reverse, tests, prelude=NODE).status is Status.PASSED
    assert run(box, NODE + reverse, tests, prelude=NODE).status is Status.PASSED
    circle = "ring = Node(1)\nring.n = Node(2, ring)\nassert f(ring).n.n.v == 1"
    assert run(box, "def f(r): return r", circle, prelude=NODE).status is Status.PASSED
    changed = "h = Node(1)\nf(h)\nassert h.v == 5"
    assert run(box, "def f(h): h.v = 5", changed, prelude=NODE).status is Status.PASSED


def test_entry_points(box: Sandbox) -> None:
    check = "def check(candidate):\n    assert candidate(2) == 4"
    assert run(box, DOUBLE, check, "f").status is Status.PASSED
    assert run(box, "f = abs", check, "f").status is Status.FAILED
    assert "NameError" in run(box, "g = abs", check, "f").output
    method = "class Solution:\n    def f(self, x): return 2 * x"
    assert run(box, method, check, "Solution().f").status is Status.PASSED
    head = "def g(x):\n    return x + 1\n\ndef f(x):\n    '''Double.'''\n"
    both = "def check(candidate):\n    assert g(1) == 2 and f(2) == candidate(2) == 4"
    assert run(box, "def g(x): return 9\n" + DOUBLE, both, "f", head).status is Status.PASSED  # its own helper
    assert run(box, DOUBLE, "assert f(2) == 4 and g(1) == 2", prelude=head).status is Status.PASSED


WRONG = [
    (DOUBLE, "assert f(2) == 5", "AssertionError: , at `assert f(2) == 5`"),
    ("def f(x):\n    return x +", "assert True", "SyntaxError"),
    ("x = 1", "assert f(2) == 4", "NameError"),
    ("def f(x): return 1 / 0", "assert f(2) == 4", "ZeroDivisionError: division by zero"),
    ("import numpy", "assert True", "ModuleNotFoundError"),
    ("def f(x): return None", "assert abs(f(2) - 4) < 1", "TypeError"),
    ("def f(x): return (x for x in [1])", "assert f(2) == [1]", "AssertionError"),
    ("def f(n): return f(n)", "assert f(1)", "RecursionError"),
    ("def f(x): return bytearray(10 << 30)", "assert f(2) == 4", "MemoryError"),
    ("f = 1", "f()", "TypeError"),
]


@pytest.mark.parametrize(("program", "tests", "why"), WRONG)
def test_a_wrong_program_fails(box: Sandbox, program: str, tests: str, why: str) -> None:
    outcome = run(box, program, tests)
    assert outcome.status is Status.FAILED
    assert why in outcome.output


@pytest.mark.parametrize(
    ("tests", "prelude", "why"),
    [
        ("assert f(", "", "SyntaxError"),
        ("import numpy\nassert f(2) == 4", "", "numpy"),
        ("assert f(2) == 4", "import numpy", "numpy"),
        ("class Own: pass\nf(Own())", "", "a Own, which cannot be copied"),
    ],
)
def test_tests_that_cannot_be_run_decide_nothing(box: Sandbox, tests: str, prelude: str, why: str) -> None:
    outcome = run(box, DOUBLE, tests, prelude=prelude)
    assert outcome.status is Status.BROKEN
    assert why in outcome.output


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_has_failed_and_done_nothing_else(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("alive")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        mine = (str(canary), server.getsockname()[1], os.getpid(), str(Path.home()))
        names = f"CANARY, PORT, HOST, HOME = {mine!r}\n"
        tests = "r = f(2)\nassert r == 4 if isinstance(r, (int, str)) else list(r) == [4]"
        outcome = run(proven_box(SMALL), names + HOSTILE[name], tests)
        assert outcome.status in (Status.FAILED, Status.TIMEOUT), outcome
        assert outcome.seconds < SMALL.patience + 60
        with pytest.raises(BlockingIOError):
            server.accept()
    assert canary.read_text() == "alive"
    assert os.listdir(tmp_path) == ["canary"]


LAYOUTS = {
    "names": ("assert f(2) == 4\nassert f(3) == 6", ""),
    "check": ("def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6", "f"),
    "near": ("def check(candidate):\n    assert abs(candidate(2) - 4) < 1e-6\n    assert candidate(3) in (6,)", "f"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FORGED)
def test_no_program_forges_its_verdict(box: Sandbox, name: str, layout: str) -> None:
    assert run(box, FORGED[name], *LAYOUTS[layout]).status is Status.FAILED


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_lets_the_right_program_pass(box: Sandbox, layout: str) -> None:
    assert run(box, DOUBLE, *LAYOUTS[layout]).status is Status.PASSED


def test_no_answer_stands_in_for_code_of_the_prelude(box: Sandbox) -> None:
    tests = "assert f(Node(1)).same(Node(2))"
    forged = "def f(n):\n    n.same = lambda o: True\n    return n"
    assert run(box, forged, tests, prelude=NODE).status is Status.FAILED
    forged = "class Node:\n    def same(self, o): return True\ndef f(n): return Node()"
    assert run(box, forged, tests, prelude=NODE).status is Status.FAILED


def test_an_error_of_the_program_cannot_be_that_of_the_tests(box: Sandbox) -> None:
    tests = "try:\n    f()\n    assert False, 'no error'\nexcept Bad:\n    pass"
    assert run(box, "class Bad(Exception): pass\ndef f(): raise Bad", tests).status is Status.PASSED
    for forged in ("Bad = AssertionError", "Bad = Exception", "class Bad(AssertionError): pass"):
        assert run(box, f"{forged}\ndef f(): pass", tests).status is Status.FAILED


def test_the_verifier(box: Sandbox) -> None:
    task = CodeAnswer(tests="def check(g):\n    assert g(2) == 4", entry_point="f", prelude="def f(x):\n")
    broken = CodeAnswer(tests="import numpy")
    verifier = CodeVerifier(workers=2, seconds=60, deadline=600, limits=SMALL)
    pairs = [
        (task, f"Here:\n```python\n{DOUBLE}```"),
        (task, "    return 2 * x"),
        (task, "```python\nreturn 3 * x\n```"),
        (task, "I cannot."),
        (broken, DOUBLE),
    ]
    verdicts = [True, True, False, False, None]
    assert verifier.judge(pairs) == verdicts
    assert pickle.loads(pickle.dumps(verifier)).judge(pairs[:3]) == verdicts[:3]
    assert verifier.outcomes(pairs[3:4])[0].output == "the response contains no code"
    assert verifier.judge([]) == []


def test_a_program_without_end_fails_alone(box: Sandbox) -> None:
    task = CodeAnswer(tests="assert f(2) == 4")
    verifier = CodeVerifier(workers=2, seconds=3, deadline=600, limits=SMALL)
    assert verifier.judge([(task, "def f(x):\n    while True: pass"), (task, DOUBLE)]) == [False, True]


def test_a_batch_ends_at_its_deadline(box: Sandbox) -> None:
    task = CodeAnswer(tests="assert f(2) == 4")
    verifier = CodeVerifier(workers=1, seconds=600, deadline=600)
    begun = time.monotonic()
    assert verifier.judge([(task, DOUBLE)]) == [True]
    verifier.deadline = 2.0 + 10 * (time.monotonic() - begun)  # enough for one program, on however slow a machine
    slow = "import time\ndef f(x): time.sleep(600)"
    begun = time.monotonic()
    assert verifier.judge([(task, DOUBLE), (task, slow), (task, DOUBLE)]) == [True, None, None]
    assert time.monotonic() - begun < verifier.deadline + 60


def test_no_code_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shared_code_verifier().judge([(CodeAnswer(tests="-"), "I cannot.")]) == [False]
    assert shared_code_verifier() is shared_code_verifier()


def human_eval(shared_dir: Path) -> list[dict[str, Any]]:
    path = shared_dir / "data" / "humaneval" / "HumanEval.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no HumanEval at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_human_eval(box: Sandbox, shared_dir: Path) -> None:
    rows = human_eval(shared_dir)
    tasks = [CodeAnswer(tests=row["test"], entry_point=row["entry_point"], prelude=row["prompt"]) for row in rows]
    verifier = CodeVerifier(workers=2, seconds=60, deadline=3000, limits=Limits())
    references = [row["canonical_solution"] for row in rows]
    assert verifier.judge(list(zip(tasks, references, strict=True))) == [True] * 164
    wrong = [(task, "    return None") for task in tasks[::4]]
    assert verifier.judge(wrong) == [False] * 41
