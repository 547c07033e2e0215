"""Final answers: where they are found, and how they are compared."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator

import pytest

from rewards import MathVerifier, extract_answer

HANGING = "\\boxed{9^{9^{9^{9}}}}"


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    made = MathVerifier(workers=1, deadline=60.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is \\boxed{7}.", "7"),
        ("\\boxed{1} or \\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}"),
        ("SO, \\BOXED{ 7 } IT IS. 9", "7"),
        ("\\fbox{3} then", "3"),
        ("İİİİİİİİ \\boxed{7}", "7"),
        ("\\boxed{}", ""),
        ("\\boxed{7 and 8", "8"),
        ("The answer is 1,234 apples. I checked 2 times.", "1,234"),
        ("Answer: **$-5$**", "-5"),
        ("the answer is\n\n 1/2", "1/2"),
        ("The final answer is x + 1.", "x + 1"),
        ("#### 18", "18"),
        ("所以答案是7。共9步", "7"),
        ("答案：-3.5 元", "-3.5"),
        ("First 3, then 4, so 12.5 it is", "12.5"),
        ("7 apples", "7"),
        ("No idea.", None),
        ("", None),
    ],
)
def test_extract_answer(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("gold", "text", "equal"),
    [
        ("7", "\\boxed{7}", True),
        ("7", "\\boxed{7.0}", True),
        ("1234", "It is $1,234.", True),
        ("1/2", "\\boxed{0.5}", True),
        ("\\frac{1}{2}", "\\boxed{\\frac{2}{4}}", True),
        ("x^2+2x+1", "\\boxed{(x+1)^2}", True),
        ("(1,2)", "\\boxed{(1, 2)}", True),
        ("7", "\\boxed{8}", False),
        ("7", "Nobody knows.", False),
        ("7", "\\boxed{}", False),
        ("1/2", "\\boxed{0.6}", False),
        ("x^2", "\\boxed{x^3}", False),
        ("12345678901234567890", "\\boxed{12345678901234567891}", False),
        ("8" * 400, "9" * 400, False),
        ("7", "\\boxed{" + "1+" * 1500 + "1}", False),
    ],
)
def test_judge(verifier: MathVerifier, gold: str, text: str, equal: bool) -> None:
    assert verifier.judge([(gold, text)]) == [equal]


def test_an_empty_batch_starts_nothing() -> None:
    lazy = MathVerifier()
    assert lazy.judge([]) == []
    assert lazy.judge([("7", "7"), ("7", "8")]) == [True, False]
    assert lazy._pool == []


def test_a_hanging_answer_is_undecided_and_the_pool_recovers() -> None:
    slow = MathVerifier(workers=1, deadline=1.0)
    try:
        assert slow.judge([("7", "7"), ("7", HANGING), ("7", "8")]) == [True, None, False]
        slow.deadline = 60.0
        assert slow.judge([("1/2", "\\boxed{0.5}"), ("1/2", "\\boxed{0.6}")]) == [True, False]
    finally:
        slow.close()


def test_a_killed_worker_costs_one_item(verifier: MathVerifier) -> None:
    pairs = [("1/2", f"\\boxed{{\\frac{{{n}}}{{{2 * n}}}}}") for n in (2, 3, 4)]
    assert verifier.judge(pairs) == [True, True, True]
    os.kill(verifier._pool[0].process.pid, signal.SIGKILL)
    verifier._pool[0].process.wait()
    assert verifier.judge(pairs) == [None, True, True]
    assert verifier.judge(pairs) == [True, True, True]


def test_a_verifier_pickles_without_its_workers(verifier: MathVerifier) -> None:
    verifier.judge([("1/2", "\\boxed{0.5}")])
    copy = pickle.loads(pickle.dumps(verifier))
    assert (copy.workers, copy.deadline, copy._pool) == (1, 60.0, [])
    assert copy.judge([("7", "7")]) == [True]
