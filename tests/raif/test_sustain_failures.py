"""Each class of failure has a case, in the three domains and in Chinese; the first that holds is the one."""

from __future__ import annotations

from typing import Any

import pytest

from raif.sustain.failures import FAILURE_CLASSES, PROGRAM_CLASSES, failure_class
from raif.sustain.records import Demand, SustainRollout, Task
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

MATH = Task(
    id="set/1", domain="math", request="Two boxes of 6 eggs, and 4 crack?", answer=MathAnswer(value="8"), source="set"
)
SOLVED = "There are 2 * 6 = 12 eggs in the boxes. Of these 4 crack, and so 12 - 4 leaves the rest. The answer is 8."
QA = Task(
    id="set/2", domain="qa", request="Who built the mill?", answer=QaAnswer(values=("Ada Orn", "Orn")), source="set"
)
TOLD = "The mill stands in Oda. Oda had one builder at that time. Answer: Ada Orn"
CODE = Task(id="set/3", domain="code", request="Halve.", answer=CodeAnswer(tests="assert f(2) == 1"), source="set")
ZH = Task(
    id="set/4",
    domain="math",
    request="两盒鸡蛋每盒6个，碎了4个，还剩几个？",
    answer=MathAnswer(value="8"),
    language="zh",
    source="set",
)
ZH_SOLVED = "两盒一共有2*6=12个鸡蛋。碎了4个，就是12-4个。所以答案是8。"
WORDS = Demand(group="length", family="at_most_words", slots={"limit": 40}, text="Use at most 40 words.")
COMMA = Demand(group="character", family="no_comma", slots={}, text="Do not use any commas.")
AVOIDS = Demand(group="keyword", family="avoids", slots={"word": "perhaps"}, text='Do not use the word "perhaps".')
ZH_WORDS = Demand(group="length", family="at_most_characters", slots={"limit": 60}, text="最多写60字。")


def failed(task: Task, witness: str, text: str, *demands: Demand, extracted: bool = True, **fields: Any) -> str:
    usual: dict[str, Any] = {
        "instruction_id": task.id, "group": 0, "sample": 0, "completion_tokens": 9, "finish_reason": "stop",
        "well_formed": True, "reward": None, "outcome": None, "parts": {}, "correct": False, "hard": None,
        "soft": None, "verdicts": (), "prefilled": False, "domain": task.domain, "prompt": task.request,
    }  # fmt: skip
    rollout = SustainRollout(**{**usual, "completion": text, **fields})
    found = failure_class(task, witness, rollout, demands, extracted)
    assert found in FAILURE_CLASSES
    return found


@pytest.mark.parametrize(
    ("expected", "text", "demands"),
    [
        ("truncated", " \n", ()),
        ("no_answer", "<think>There are 8.", ()),
        ("answer_lost", "There are 12 eggs, and 8 stay whole. They come in 2 boxes, so the answer is 2.", ()),
        ("answer_lost", "It must be $8.00$ in all, but I say that the answer is 3.", ()),
        (
            "constraint_talk",
            "I may use few words. There are 12 eggs. I count my words: ten. 12 - 4 is \\boxed{7}.",
            (WORDS,),
        ),
        (
            "constraint_talk",
            "The instruction is strict. I keep to the instruction. There are 12 eggs and 4 crack, which leaves 7.",
            (),
        ),
        ("short_circuit", "The answer is 9.", (WORDS,)),
        ("overgrown", "There are 2 * 6 = 12 eggs. " + "Let me think about it again and again. " * 8 + "It is 7.", ()),
        (
            "early_divergence",
            "There are 3 * 6 = 18 eggs in the boxes. Of these 4 crack, and so it is 14 in the end.",
            (),
        ),
        ("late_divergence", SOLVED.replace("The answer is 8", "The answer is 7"), ()),
        ("late_divergence", "1. " + SOLVED.replace("Of", "\n2. Of").replace("is 8", "is 7"), ()),  # no numbers of steps
        ("other", SOLVED.replace("The answer is 8.", "The answer is ready."), ()),
    ],
)
def test_mathematics(expected: str, text: str, demands: tuple[Demand, ...]) -> None:
    witness = SOLVED if expected != "other" else text.replace("ready", "here")
    assert failed(MATH, witness, text, *demands) == expected


def test_what_was_cut_off_comes_first_and_then_what_has_no_answer() -> None:
    assert failed(MATH, SOLVED, SOLVED, finish_reason="length", extracted=False) == "truncated"
    assert failed(MATH, SOLVED, "I had 8, but nobody knows.", extracted=False) == "no_answer"
    assert failed(MATH, SOLVED, SOLVED, finish_reason=None) == "answer_lost"  # a stored output does not say


@pytest.mark.parametrize("ending", PROGRAM_CLASSES)
def test_programs_are_told_by_how_they_end(ending: str) -> None:
    assert failed(CODE, "```\ndef f(x): ...\n```", "```\ndef g(x): ...\n```", ending=ending) == ending
    assert failed(CODE, "", "x", ending="truncated", finish_reason="length") == "truncated"
    assert failed(CODE, "", "I cannot.", ending="no_code", extracted=False) == "no_answer"


@pytest.mark.parametrize(
    ("expected", "text", "demands"),
    [
        ("answer_lost", "ADA ORN built it, and Bo Lund owned it. So the final answer: Bo Lund", ()),
        ("constraint_talk", "A comma is forbidden. No commas here. The builder of it was\nAnswer: Bo Lund", (COMMA,)),
        ("constraint_talk", 'I avoid "perhaps". Not even perhaps is said here now.\nAnswer: Bo Lund', (AVOIDS,)),
        ("short_circuit", "Answer: Bo Lund", ()),
        ("overgrown", "The mill stands in Oda. " * 8 + "Answer: Bo Lund", ()),
        ("early_divergence", "The mill stood in Ely. Oda had one builder at that time. Answer: Bo Lund", ()),
        ("late_divergence", TOLD.replace("Ada Orn", "Bo Lund"), ()),
    ],
)
def test_questions(expected: str, text: str, demands: tuple[Demand, ...]) -> None:
    assert failed(QA, TOLD, text, *demands) == expected


def test_yes_and_no_are_never_lost() -> None:
    task = QA.model_copy(update={"answer": QaAnswer(values=("no",))})
    assert failed(task, TOLD, "There is no mill. Oda had one builder at that time. Answer: yes") == "early_divergence"


def test_what_the_request_or_the_first_output_says_is_no_talk() -> None:
    text = "There are 12 words on 2 pages. Those words fill them. And so it comes to 12 words: the answer is 9."
    task = MATH.model_copy(update={"request": "How many words are on 2 pages of 6 words, if 4 are struck out?"})
    assert failed(task, SOLVED, text, WORDS) != "constraint_talk"
    assert failed(MATH, f"{SOLVED} In few words.", text, WORDS) != "constraint_talk"
    assert failed(MATH, SOLVED, text, WORDS) == "constraint_talk"
    assert failed(MATH, SOLVED, text, COMMA) != "constraint_talk"


@pytest.mark.parametrize(
    ("expected", "text", "demands"),
    [
        ("truncated", "", ()),
        ("answer_lost", "一共有12个，剩下８个。所以答案是2。", ()),
        ("constraint_talk", "要注意字数。一共有12个鸡蛋。碎了一些，字数够了。答案是7。", (ZH_WORDS,)),
        ("short_circuit", "答案是7。", (ZH_WORDS,)),
        ("overgrown", ZH_SOLVED.replace("8", "7") + "再想一想，应该是这样。" * 6, ()),
        ("early_divergence", "三盒一共有3*6=18个鸡蛋。碎了4个，还有14。", ()),
        ("late_divergence", ZH_SOLVED.replace("8", "7"), ()),
        ("late_divergence", "第1步：" + ZH_SOLVED.replace("8", "7"), ()),
    ],
)
def test_chinese(expected: str, text: str, demands: tuple[Demand, ...]) -> None:
    assert failed(ZH, ZH_SOLVED, text, *demands) == expected


@pytest.mark.parametrize(
    ("gold", "text", "found"),
    [
        ("1080", "It was 1,080 at first.", True),
        ("3", "5-3=2", True),
        ("-3", "5-3=2", False),
        ("7", "17 and 7.5 and x7", False),
        ("\\frac{1}{2}", "first $\\frac{1}{2}$ and then 0.7", True),
        ("\\frac{1}{2}", "it is 0.5 or so", True),
        ("x+1", "we get x + 1 here", True),
        ("x+1", "we get 2x+10 here", False),
    ],
)
def test_where_a_value_counts_as_said(gold: str, text: str, found: bool) -> None:
    task = MATH.model_copy(update={"answer": MathAnswer(value=gold)})
    assert (failed(task, text, text) == "answer_lost") is found
