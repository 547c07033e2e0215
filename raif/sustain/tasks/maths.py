r"""Mathematics: a problem, and a value that the final answer must equal.

The user turn is the problem and one sentence that asks for the final answer in `\boxed{}`. It says nothing of steps,
length or style: whatever a turn demands already can be no constraint of the experiment.
"""

from __future__ import annotations

import re
from typing import Any

from data_gen.seeds.mapping import BadRow, RowMapping
from data_gen.seeds.rows import Row
from raif.sustain.tasks.made import Columns, LeftOut, Made, labels_of, language_of, text_of

TURN = {
    "en": "{problem}\n\nPut the final answer in \\boxed{{}}.",
    "zh": "{problem}\n\n请把最终答案写在\\boxed{{}}中。",
}
_LABELS = (("level", "level"), ("type", "subject"), ("type", "subfield"), ("type", "Type"), ("type", "type"))
_MAPPING = RowMapping({"request": "problem", "answer": "answer"}, "math")
_WHOLE = re.compile(r"([-+]?\d+)\.0+")


def math(columns: Columns) -> Made:
    """Make a task of `problem` or `question`, and `answer`: a final answer, or a worked solution up to `####`."""
    return _made(text_of(columns, "problem", "question"), columns["answer"], columns)


def gsm8k(columns: Columns) -> Made:
    """Make a task of `question` and the worked solution of `answer`, which ends in `#### number`."""
    if "####" not in str(columns["answer"]):
        raise BadRow("no ####", "has an answer without `####`, so it is no row of GSM8K; the set `math` takes others")
    return math(columns)


def svamp(columns: Columns) -> Made:
    """Make a task of `Body`, `Question` and `Answer`, a number that the files write as 145.0."""
    problem = f"{text_of(columns, 'Body')} {text_of(columns, 'Question')}"
    return _made(problem, columns["Answer"], columns)


def olympiadbench(columns: Columns) -> Made:
    """Make a task of `question` or `problem`, and `final_answer` (a list of values) or `answer`.

    Rows whose answer is a number with a tolerance (`error`) are left out: answers are compared exactly.
    """
    if columns.get("error"):
        raise LeftOut("answer with a tolerance")
    given = columns["final_answer"] if "final_answer" in columns else columns["answer"]
    values = given if isinstance(given, list) else [given]
    answer = ", ".join(str(value).strip().strip("$") for value in values if value is not None)
    passage = str(columns.get("context") or "").strip()
    problem = text_of(columns, "question", "problem")
    return _made(f"{passage}\n\n{problem}" if passage else problem, answer, columns)


def _made(problem: str, given: Any, columns: Columns) -> Made:
    answer = "" if given is None else str(given).strip()
    whole = _WHOLE.fullmatch(answer)
    seed = _MAPPING.seed("maths", Row(1, "", {"problem": problem, "answer": whole[1] if whole else answer}))
    if seed.answer is None:
        raise BadRow("blank answer", "has no answer; the files of hidden test sets cannot be scored")
    language = language_of(problem)
    return Made(TURN[language].format(problem=problem), seed.answer, language, labels_of(columns, _LABELS))
