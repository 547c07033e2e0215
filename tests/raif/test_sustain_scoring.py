"""Scores of the three domains, how programs end, and agreement with what others published."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from raif.sustain import scoring
from raif.sustain.records import Task
from raif.sustain.scoring import ENDINGS, Scored, score_all
from raif.sustain.tasks import load_tasks
from rewards.errors import RaifError
from rewards.response import Response
from rewards.sandbox import Outcome, Status
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

HEAD = "def half(x: int) -> int:\n"
CODE = CodeAnswer(
    prelude=f'{HEAD}    """Return half of x."""\n',
    entry_point="half",
    tests="def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(9) == 4\n",
)


def task(answer: Any) -> Task:
    return Task(id=f"set/{answer}", domain=answer.kind, request="Do it.", answer=answer, source="set")


def scored(answer: Any, *texts: str, **options: Any) -> list[Scored]:
    return score_all([(task(answer), Response(None, text)) for text in texts], **options)


def fenced(body: str, head: str = HEAD) -> str:
    return f"Here:\n```python\n{head}{body}\n```"


def test_domains_are_scored_together_and_in_order() -> None:
    pairs = [
        (task(QaAnswer(values=("Ada Orn",))), "Answer: Ada Orn"),
        (task(MathAnswer(value="1/2")), "So it is \\boxed{0.5}."),
        (task(CODE), fenced("    return x // 2")),
        (task(QaAnswer(values=("Ada Orn",))), "Answer: Orn"),
        (task(MathAnswer(value="1/2")), "So it is \\boxed{5}."),
    ]
    found = score_all([(each, Response(None, text)) for each, text in pairs])
    assert [each.score for each in found] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert [each.ending for each in found] == ["", "", "passed", "", ""]
    assert [each.f1 for each in found] == [1.0, None, None, pytest.approx(2 / 3), None]
    assert all(each.extracted and not each.failed for each in found)
    assert score_all([]) == []


def test_what_holds_no_answer_scores_0() -> None:
    unclosed = Response.split("<think>It is 7, surely: \\boxed{7}.", prefilled=False)
    for answer in (MathAnswer(value="7"), QaAnswer(values=("7",)), CODE):
        for response in (Response(None, ""), Response(None, " \n"), unclosed):
            (found,) = score_all([(task(answer), response)])
            assert (found.score, found.extracted, found.failed) == (0.0, False, "")
    words = scored(MathAnswer(value="7"), "Nobody can know.", "It is 7 in the end.", "答案是7。")
    assert [(each.score, each.extracted) for each in words] == [(0.0, False), (1.0, True), (1.0, True)]


def test_f1_can_be_the_score_of_questions() -> None:
    values = QaAnswer(values=("the river Ren", "Ren"))
    exact = scored(values, "Answer: Ren", "Answer: upper Ren")
    graded = scored(values, "Answer: Ren", "Answer: upper Ren", qa_score="f1")
    assert [each.score for each in exact] == [1.0, 0.0]
    assert [each.score for each in graded] == [each.f1 for each in exact] == [1.0, pytest.approx(2 / 3)]
    assert scored(QaAnswer(values=("no",)), "No, they differ.")[0].score == 1.0


def test_how_programs_end() -> None:
    texts = {
        "passed": fenced("    return x // 2"),
        "wrong_output": fenced("    return x / 2"),
        "syntax_error": fenced("    retrun x"),
        "entry_missing": fenced("    return x // 2", "def halve(x):\n"),
        "runtime_error": fenced("    return x // 0"),
        "no_code": "I cannot.",
    }
    found = scored(CODE, *texts.values())
    assert [each.ending for each in found] == list(texts)
    assert [each.score for each in found] == [1.0] + [0.0] * 5
    assert [each.extracted for each in found] == [True] * 5 + [False]
    more = scored(CODE, fenced("    return eval('1 +')"), fenced("    import os; os._exit(0)"), "    return x // 2")
    assert [each.ending for each in more] == ["runtime_error", "runtime_error", "passed"]
    free = CodeAnswer(tests="assert half(4) == 2")
    named = scored(free, fenced("    return 2", "def other(x):\n"), fenced("    return y"), fenced("    return 2"))
    assert [each.ending for each in named] == ["entry_missing", "runtime_error", "passed"]


def test_time_that_runs_out_and_tests_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = CodeAnswer(tests="import no_such_module_at_all", entry_point="half")
    [undecided] = score_all([(task(broken), Response(None, texts_ok()))])
    monkeypatch.setattr(scoring, "_CODE_SECONDS", 1.0)
    [slow] = score_all([(task(CODE), Response(None, fenced("    while True: pass")))])
    assert (slow.score, slow.ending) == (0.0, "timeout")
    assert (undecided.score, undecided.ending, undecided.extracted) == (None, "undecided", True)
    late = scoring._ending(CODE, "x", Outcome(Status.LATE, "", 0.0))
    killed = Outcome(Status.FAILED, "GoneError: the program ended early (the pipe is closed)", 1.5)
    assert (late, scoring._ending(CODE, "x = 1", killed)) == ("undecided", "timeout")
    assert {slow.ending, undecided.ending} < set(ENDINGS)


def texts_ok() -> str:
    return fenced("    return x // 2")


def test_one_response_that_raises_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    original = scoring.extract_qa_answer

    def moody(text: str) -> str:
        if "poison" in text:
            raise RecursionError("too deep")
        return original(text)

    monkeypatch.setattr(scoring, "extract_qa_answer", moody)
    found = scored(QaAnswer(values=("a1",)), "Answer: a1", "Answer: poison", "Answer: a1", "Answer: b")
    assert [each.score for each in found] == [1.0, None, 1.0, 0.0]
    assert [each.failed for each in found] == ["", "RecursionError: too deep", "", ""]


def test_a_machine_without_sandbox_is_no_failure_of_a_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewards.sandbox.sandbox_problem", lambda: "there is no sandbox here")
    with pytest.raises(RaifError, match="there is no sandbox here"):
        scored(CODE, texts_ok())


def test_every_reference_solution_of_humaneval_passes(shared_dir: Path) -> None:
    path = shared_dir / "data" / "humaneval" / "HumanEval.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    pairs = [
        (each, Response(None, f"```python\n{row['prompt']}{row['canonical_solution']}```"))
        for each, row in zip(load_tasks(f"humaneval={path}"), rows, strict=True)
    ]
    found = score_all(pairs)
    assert [pairs[place][0].id for place, each in enumerate(found) if each.ending != "passed"] == []
    assert len(found) == 164


def test_published_solutions_of_gsm8k_get_their_published_verdicts(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "gsm8k"
    tasks = load_tasks(f"gsm8k={folder / 'test.jsonl'}")
    rows = [json.loads(line) for line in (folder / "example_model_solutions.jsonl").read_text("utf-8").splitlines()]
    pairs, flags = [], []
    for each, row in zip(tasks, rows, strict=True):
        assert row["question"].strip() in each.request
        for said in (value for value in row.values() if isinstance(value, dict)):
            pairs.append((each, Response(None, said["solution"])))
            flags.append(float(said["is_correct"]))
    assert len(pairs) == 4 * 1319
    found = [each.score for each in score_all(pairs)]
    assert sum(ours == theirs for ours, theirs in zip(found, flags, strict=True)) >= 0.99 * len(flags)
