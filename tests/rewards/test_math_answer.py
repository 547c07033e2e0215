"""The verifier of final answers: what its workers decide, its limits of time and memory, and labelled tables."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rewards import MathVerifier, RaifError
from rewards.math_answer import _Job, _Worker, equal_answers, shared_verifier
from rewards.maths.worker import MEMORY
from tests.hostile import PIECES, hostile

HANGING = ("\\int_0^1 x dx", "\\boxed{9^{9^{9^{9}}}}")  # math-verify computes the tower
DOUBLE_ANGLE = ("\\sin 2x", "\\boxed{2\\sin x\\cos x}")
HAS_PROC = Path("/proc/self/limits").exists()


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    made = MathVerifier(workers=1, deadline=600.0, seconds_per_item=60.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("gold", "text", "equal"),
    [
        ("7", "\\boxed{7}", True),
        ("7", "It is 7.0", True),
        ("7", "\\boxed{8}", False),
        ("7", "Nobody knows.", False),
        ("7", "\\boxed{}", False),
        ("7", "\\boxed{" + "1+" * 1500 + "1}", False),
        ("7", "The answer is not 7.", False),
        ("7", "\\boxed{6} or \\boxed{7}", False),
        ("3,4", "For (a) it is \\boxed{3}. A long way further on, (b) gives \\boxed{4}.", True),
        ("3,4", "For (a) it is \\boxed{3}. A long way further on, (b) gives \\boxed{5}.", False),
        ("3,4", "\\boxed{3}, \\boxed{4}, \\boxed{5}", False),
    ],
)
def test_judge(verifier: MathVerifier, gold: str, text: str, equal: bool) -> None:
    assert verifier.judge([(gold, text)]) == [equal]


@pytest.mark.parametrize(
    ("gold", "answer", "equal"),
    [
        ("\\sin 2x", "2\\sin x\\cos x", True),
        ("\\sin 2x", "2\\sin x", False),
        ("\\cot x", "\\frac{1}{\\tan x}", True),
        ("1", "\\sin^2 x+\\cos^2 x", True),
        ("\\sqrt{2} \\cos (2 t-\\pi / 4)", "\\cos 2t+\\sin 2t", True),
        ("\\sqrt{4 \\pi G r_{0}^{2}}", "2r_0\\sqrt{\\pi G}", True),
        ("|x|", "\\sqrt{x^2}", True),
        ("|x|", "x", False),
        ("\\max(4,a)", "4", False),
        ("(-1)^n", "\\cos(n\\pi)", True),
        ("n!", "n(n-1)!", True),
        ("n!", "n", False),
        ("\\binom{2n}{n}", "\\frac{(2n)!}{n!^2}", True),
        ("\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3", True),
        ("\\sqrt[3]{2+\\sqrt5}+\\sqrt[3]{2-\\sqrt5}", "1", True),
        ("\\cos 36^\\circ", "\\frac{1+\\sqrt5}{4}", True),
        ("\\cos 36^\\circ", "0.809", False),
        ("0.809", "\\cos 36^\\circ", True),
        ("\\frac{\\pi}{4}", "\\arctan 1", True),
        ("e^{i\\pi/3}", "\\frac12+\\frac{\\sqrt3}{2}i", True),
        ("-2", "\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", True),
        ("10^{100000}", "10^{100000}+1", False),
        ("2^{1000000}", "4^{500000}", True),
        ("7", "9^{9^{9^9}}", False),
        ("9^{9^{9^9}}", "9^{9^{9^9}}+1", None),
        ("\\int_0^1 x^2 dx", "1/3", True),
        ("\\frac13", "\\int_0^1 x^2 dx", True),
        ("\\frac13", "\\int_0^1 x^3 dx", False),
        ("\\sum_{k=1}^{n} k", "\\frac{n(n+1)}{2}", True),
    ],
)
def test_what_only_a_worker_decides(verifier: MathVerifier, gold: str, answer: str, equal: bool | None) -> None:
    assert verifier.judge([(gold, f"\\boxed{{{answer}}}")]) == [equal]


@pytest.mark.parametrize(
    "answer",
    [
        *(
            "\\ln(\\ln(\\ln(0)))",
            "\\frac{1}{\\ln 0}",
            "\\tan 90^\\circ",
            "0/0",
            "\\infty-\\infty",
            "\\exp(\\emptyset)",
            "1^{\\infty}",
        ),
        *(
            "\\frac{\\ln 7}{0}",
            "\\log_{1} 1",
            "\\infty \\approx 4",
            "\\mathbb{R}=4",
            "\\sqrt{\\mathbb{R}}",
            "\\max(\\emptyset)",
        ),
    ],
)
def test_an_expression_without_a_value_is_never_right(verifier: MathVerifier, answer: str) -> None:
    golds = (
        "4",
        "0",
        "1",
        "\\sqrt{2}",
        "\\ln 2",
        "\\sin 2x",
        "x^2+1",
        "\\{1,2\\}",
        "(1,2)",
        "y=2x",
        "\\sqrt{5+2\\sqrt6}",
    )
    verdicts = verifier.judge([(gold, f"\\boxed{{{answer}}}") for gold in golds])
    assert True not in verdicts


def test_a_batch_without_hard_answers_starts_nothing() -> None:
    lazy = MathVerifier()
    assert lazy.judge([]) == []
    assert lazy.judge([("7", "7"), ("7", "8"), ("\\sqrt{8}", "\\boxed{2\\sqrt{2}}")]) == [True, False, True]
    assert lazy._pool == []


def test_one_item_that_hangs_costs_its_own_limit_only() -> None:
    slow = MathVerifier(workers=1, deadline=600.0, seconds_per_item=1.0)
    try:
        assert slow.judge([("7", "7"), HANGING, DOUBLE_ANGLE, HANGING]) == [True, None, True, None]
        assert slow.judge([DOUBLE_ANGLE]) == [True]
        assert len(slow._pool) == 1
    finally:
        slow.close()


def test_a_batch_ends_at_its_deadline_and_the_pool_recovers() -> None:
    slow = MathVerifier(workers=1, deadline=3.0, seconds_per_item=100.0)
    try:
        begin = time.monotonic()
        assert slow.judge([DOUBLE_ANGLE, HANGING, ("7", "8")])[1:] == [None, False]
        assert time.monotonic() - begin < 90.0
        slow.deadline = 600.0
        assert slow.judge([DOUBLE_ANGLE]) == [True]
    finally:
        slow.close()


def test_hostile_answers_leave_the_pool_in_order() -> None:
    answers = [hostile(piece)[:1_500] for piece in PIECES]
    answers += [
        "\\prod_{n=1}^{10^9} n",
        "\\int \\frac{1}{x^5+x+1} dx",
        "(((10!)!)!)!",
        "x^{x^{x^x}}",
        "\\gcd(10^{999},2)",
    ]
    answers += ["__import__('os').system('touch hacked')", "$(touch hacked)", "`touch hacked`"]
    golds = ("4", "\\sin 2x", "\\int_0^1 x dx")
    pool = MathVerifier(workers=2, deadline=25.0, seconds_per_item=1.0)
    try:
        begin = time.monotonic()
        verdicts = pool.judge([(gold, f"\\boxed{{{answer}}}") for gold in golds for answer in answers])
        assert time.monotonic() - begin < 25.0 + 60.0
        assert True not in verdicts
        assert len(pool._pool) == 2
        assert pool.judge([("7", "7")]) == [True]
        assert not Path("hacked").exists()
    finally:
        pool.close()


def test_a_worker_that_was_killed_is_replaced(verifier: MathVerifier) -> None:
    assert verifier.judge([DOUBLE_ANGLE]) == [True]
    os.kill(verifier._pool[0].process.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert verifier.judge([("\\cos 2x", "\\boxed{1-2\\sin^2 x}")]) == [True]


@pytest.mark.skipif(not HAS_PROC, reason="no /proc to read the limits of a process from")
def test_the_memory_of_a_worker_is_bounded(verifier: MathVerifier) -> None:
    verifier.judge([DOUBLE_ANGLE])
    limits = Path(f"/proc/{verifier._pool[0].process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert int(line.split()[3]) <= MEMORY


def test_equal_answers_of_a_batch_are_judged_once(verifier: MathVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[_Job] = []

    def send(worker: _Worker, job: _Job, seconds: float, to: Callable[..., None] = _Worker.send) -> None:
        sent.append(job)
        to(worker, job, seconds)

    monkeypatch.setattr(_Worker, "send", send)
    assert verifier.judge([DOUBLE_ANGLE] * 1_000) == [True] * 1_000
    assert len(sent) == 1


def test_threads_share_a_verifier(verifier: MathVerifier) -> None:
    pairs = [
        (f"\\sin {n}x", f"\\boxed{{2\\sin\\frac{{{n}x}}{{2}}\\cos\\frac{{{m}x}}{{2}}}}") for n in (3, 5) for m in (3, 5)
    ]
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(verifier.judge, [pairs] * 8))
    assert verdicts == [[True, False, False, True]] * 8


def test_a_verifier_pickles_without_its_workers(verifier: MathVerifier) -> None:
    verifier.judge([DOUBLE_ANGLE])
    copy = pickle.loads(pickle.dumps(verifier))
    assert (copy.workers, copy.deadline, copy.seconds_per_item, copy._pool) == (1, 600.0, 60.0, [])
    assert copy.judge([("7", "7")]) == [True]


@pytest.mark.parametrize("settings", [{"workers": 0}, {"deadline": 0.0}, {"seconds_per_item": -1.0}])
def test_impossible_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(RaifError, match="at least one worker and positive times"):
        MathVerifier(**settings)


def test_workers_that_cannot_start_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RaifError, match="no worker starts"):
        MathVerifier().judge([DOUBLE_ANGLE])


ORPHAN = """
import os, signal, threading, time
from rewards.math_answer import MathVerifier
verifier = MathVerifier(seconds_per_item=1.0)
threading.Thread(target=verifier.judge, args=([{pair!r}],), daemon=True).start()
while not (verifier._pool and verifier._pool[0].job):
    time.sleep(0.05)
print(verifier._pool[0].process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not HAS_PROC, reason="no /proc to look for the process in")
def test_a_busy_worker_does_not_outlive_its_parent() -> None:
    command = [sys.executable, "-c", ORPHAN.format(pair=HANGING)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    worker = Path(f"/proc/{int(done.stdout)}")
    end = time.monotonic() + 60.0
    while worker.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not worker.exists()


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def test_the_labelled_table(verifier: MathVerifier, shared_dir: Path) -> None:
    labelled = [row for row in rows(shared_dir / "oracle" / "math_open.jsonl") if row["expected"] is not None]
    verdicts = verifier.judge([(row["kwargs"]["gold"], row["response"]) for row in labelled])
    wrong = [row["id"] for row, verdict in zip(labelled, verdicts, strict=True) if verdict is not row["expected"]]
    assert len(wrong) <= len(labelled) / 100, wrong


def test_solutions_of_gsm8k(verifier: MathVerifier, shared_dir: Path) -> None:
    folder = shared_dir / "data" / "gsm8k"
    gold = {row["question"]: row["answer"].split("####")[1].strip() for row in rows(folder / "test.jsonl")}
    samples = [
        (gold[row["question"]], row[model]["solution"], row[model]["is_correct"])
        for row in rows(folder / "example_model_solutions.jsonl")
        for model in ("6b_finetuning", "175b_verification")
    ]
    verdicts = verifier.judge([(answer, solution) for answer, solution, _ in samples])
    assert verdicts == [correct for _, _, correct in samples]


def test_the_gold_answers_of_mathif_equal_themselves(shared_dir: Path) -> None:
    files = sorted((shared_dir / "data" / "mathif").glob("*.jsonl"))
    golds = {str(row["answer"]) for file in files for row in rows(file)}
    assert len(golds) > 100
    assert [gold for gold in golds if equal_answers(gold, f"${gold}$") is not True] == []


def test_the_shared_verifier_is_one() -> None:
    assert shared_verifier() is shared_verifier()
