"""Whether responses solve their tasks: one score, what it was read off, and how programs ended.

Mathematics is compared exactly (`rewards.math_answer`), questions by exact match or token F1 (`rewards.qa_answer`),
programs by their tests in a sandbox (`rewards.code_answer`). Only the answer part of a response is read, so that
thinking which never closes is no answer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

from raif.sustain.records import Domain, Task
from rewards.code_answer import CodeVerifier, defines, extract_code
from rewards.errors import RaifError
from rewards.math_answer import MathVerifier, extract_answer
from rewards.qa_answer import extract_qa_answer, f1, qa_correct, qa_tokens
from rewards.response import Response
from rewards.sandbox import Outcome, Status
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

QaScore = Literal["em", "f1"]
#: How a program can end. `no_code`: the response holds none; `undecided`: its tests could not be run.
ENDINGS = (
    *("passed", "wrong_output", "timeout", "syntax_error", "entry_missing", "runtime_error", "no_code", "undecided"),
)
_MATH_SECONDS, _CODE_SECONDS, _SLACK = 5.0, 10.0, 60.0
_SYNTAX = ("SyntaxError: ", "IndentationError: ", "TabError: ")
_PLACE = ", at `"  # follows an error that came through the tests, and not one of loading the program
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_TOP_LEVEL = re.compile(r"^(?:async[ ]+def|def|class)[ ]+\w", re.MULTILINE)
_KILLED = ("the tests ended without a verdict", "the program ended early")
A = TypeVar("A", MathAnswer, QaAnswer, CodeAnswer)


class Scored(NamedTuple):
    """The score of one response.

    Fields:
        score: 0 to 1; None where nobody can decide, or scoring failed.
        f1: token F1 of a question's answer, whatever the score; None in the other domains.
        ending: one of `ENDINGS` for a program, else empty.
        extracted: whether a final answer, or a program, was found at all. For mathematics it is what the comparison
            reads: a box, a stated answer, or the last number.
        failed: what raised while it was scored, else empty.
    """

    score: float | None
    f1: float | None = None
    ending: str = ""
    extracted: bool = True
    failed: str = ""


_Batch = Sequence[tuple[Task, str]]  # tasks of one domain with the answer part of a response


def score_all(pairs: Sequence[tuple[Task, Response]], qa_score: QaScore = "em") -> list[Scored]:
    """Score responses, in their order; each is scored by itself, so that one that raises fails alone.

    Args:
        pairs: tasks of any domains, with responses.
        qa_score: what the score of a question is; `f1` is given in any case.

    Raises:
        RaifError: where no program can be run at all, with the reason.

    Example:
        >>> from rewards.task_answer import MathAnswer
        >>> task = Task(id="a/1", domain="math", request="3 + 4?", answer=MathAnswer(value="7"), source="a")
        >>> [each.score for each in score_all([(task, Response(None, text)) for text in ("It is 7.", "8", "")])]
        [1.0, 0.0, 0.0]
    """
    scorers: dict[Domain, Callable[[_Batch], list[Scored]]] = {
        "math": _math,
        "qa": lambda batch: _questions(batch, qa_score),
        "code": _programs,
    }
    found: dict[int, Scored] = {}
    for domain, scorer in scorers.items():
        places = [place for place, (task, _) in enumerate(pairs) if task.domain == domain]
        batch = [(pairs[place][0], pairs[place][1].answer) for place in places]
        found.update(zip(places, _guarded(scorer, batch), strict=True))
    return [found[place] for place in range(len(pairs))]


def _guarded(scorer: Callable[[_Batch], list[Scored]], batch: _Batch) -> list[Scored]:
    """Score a batch, or where something raised its parts, down to the response that raises."""
    if not batch:
        return []
    try:
        return scorer(batch)
    except RaifError:  # no worker and no sandbox: nothing is wrong with a response
        raise
    except Exception as error:
        if len(batch) == 1:
            return [Scored(None, failed=f"{type(error).__name__}: {error}")]
        middle = len(batch) // 2
        return [*_guarded(scorer, batch[:middle]), *_guarded(scorer, batch[middle:])]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _deadline(count: int, seconds: float, workers: int) -> float:
    """Return seconds within which a batch is through even if every one of its items takes as long as it may."""
    return _SLACK + count * seconds / workers


def _answer(task: Task, kind: type[A]) -> A:
    if not isinstance(task.answer, kind):
        raise TypeError(f"task {task.id} is of the domain {task.domain} and has an answer of kind {task.answer.kind}")
    return task.answer


# Mathematics and questions


def _math(batch: _Batch) -> list[Scored]:
    workers = min(_cores(), len(batch))
    verifier = MathVerifier(workers, _deadline(len(batch), _MATH_SECONDS, workers), _MATH_SECONDS)
    try:
        verdicts = verifier.judge([(_answer(task, MathAnswer).value, text) for task, text in batch])
    finally:
        verifier.close()
    return [
        Scored(None if verdict is None else float(verdict), extracted=extract_answer(text) is not None)
        for verdict, (_, text) in zip(verdicts, batch, strict=True)
    ]


def _questions(batch: _Batch, qa_score: QaScore) -> list[Scored]:
    return [_question(_answer(task, QaAnswer).values, text, qa_score) for task, text in batch]


def _question(values: Sequence[str], text: str, qa_score: QaScore) -> Scored:
    final = extract_qa_answer(text)
    overlap = f1(final, values)
    score = float(qa_correct(values, text)) if qa_score == "em" else overlap
    return Scored(score, overlap, extracted=bool(qa_tokens(final)))


# Programs


def _programs(batch: _Batch) -> list[Scored]:
    """Run every program once, however often it was given."""
    runs = list(dict.fromkeys((_answer(task, CodeAnswer), text) for task, text in batch))
    workers = min(_cores(), len(runs))
    verifier = CodeVerifier(workers, _CODE_SECONDS)
    verifier.deadline = _deadline(len(runs), verifier.sandbox.limits.patience, workers)
    outcomes = verifier.outcomes(runs)
    scored = {
        (answer, text): _program(answer, text, outcome) for (answer, text), outcome in zip(runs, outcomes, strict=True)
    }
    return [scored[_answer(task, CodeAnswer), text] for task, text in batch]


def _program(answer: CodeAnswer, text: str, outcome: Outcome) -> Scored:
    code = extract_code(text, answer.entry_point)
    if code is None:
        return Scored(0.0, ending="no_code", extracted=False)
    ending = _ending(answer, code, outcome)
    return Scored(None if ending == "undecided" else float(ending == "passed"), ending=ending)


def _ending(answer: CodeAnswer, code: str, outcome: Outcome) -> str:
    """Return how a program ended, told from the verdict and the error that decided it.

    `wrong_output` is a failed assertion; any other error is a `runtime_error`, also one that the tests raise on what
    the program returned. A program that was killed ran out of time or, sooner than its time, of memory.
    """
    status, reason = outcome.status, outcome.output
    if status in (Status.PASSED, Status.TIMEOUT):
        return str(status)
    if status is not Status.FAILED:
        return "undecided"
    if reason.startswith(_SYNTAX) and _PLACE not in reason:
        return "syntax_error"
    if _lacks_entry(answer, code, reason):
        return "entry_missing"
    if any(said in reason for said in _KILLED):
        return "timeout" if outcome.seconds >= _CODE_SECONDS else "runtime_error"
    return "wrong_output" if reason.startswith("AssertionError") else "runtime_error"


def _lacks_entry(answer: CodeAnswer, code: str, reason: str) -> bool:
    """Tell whether what the tests call is not there: under another name, or not at all."""
    undefined = _UNDEFINED.match(reason)
    if not answer.entry_point:
        return undefined is not None and re.search(rf"\b{undefined[1]}\s*\(", answer.tests) is not None
    root = re.match(r"\w*", answer.entry_point)
    if undefined is not None and root is not None and undefined[1] == root[0]:
        return not defines(code, answer.entry_point)
    return _TOP_LEVEL.search(code) is not None and not defines(code, answer.entry_point)
