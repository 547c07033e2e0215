"""What is wrong with a demonstration is named; what is made from a witness passes."""

from __future__ import annotations

from typing import Any

import pytest

from data_gen.experts import ExpertChecks, Style, demonstrate
from data_gen.experts.branches import active
from rewards import Constraint, Instruction, Response, SubInstruction, parse_constraint
from rewards.tree import And, Leaf
from tests.data_gen.test_experts_thinking import EN_SEED, SHORT, ZH_SEED, facts_of, gentle_tasks, task_of, wild_tasks

THINKING = {
    "en": "The boxes hold five apples each and there are four of them, so I multiply and get twenty apples.",
    "zh": "每个盒子里有五个苹果，一共四个盒子，用乘法来算，四乘以五等于二十，答案就是二十。",
}
ANSWER = {"en": "There are twenty apples in the boxes.", "zh": "盒子里一共有二十个苹果。"}
STYLES: tuple[Style, ...] = ("notes", "plan")


def task(language: str = "en", *constraints: dict[str, Any], **changes: Any) -> Instruction:
    parsed = [parse_constraint(each) for each in constraints] or [SHORT]
    tree = And(parts=tuple(Leaf(constraint=each) for each in parsed))
    return task_of({"en": EN_SEED, "zh": ZH_SEED}[language], tree, **changes)


def reasons(
    thinking: str | None,
    answer: str,
    asked: Instruction | None = None,
    origin: str = "model",
    truncated: bool = False,
    **settings: Any,
) -> list[str]:
    instruction = asked or task()
    response = Response(thinking, answer, truncated)
    found = ExpertChecks(**settings).review(instruction, response, instruction.constraints, origin)
    return [finding.reason for finding in found]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_good_demonstration_passes(language: str) -> None:
    assert reasons(THINKING[language], ANSWER[language], task(language)) == []


def test_what_witnesses_are_made_into_passes() -> None:
    checks = ExpertChecks()
    for task, seed, language in gentle_tasks() + wild_tasks():
        demands: list[Constraint] = list(active(task.tree, facts_of(task)))
        for style in STYLES:
            made = demonstrate(seed, demands, language, task.witness or "", style, tree=task.tree)
            found = checks.review(task, Response(made.thinking, made.answer), demands, "witness")
            assert found == [], (found, made)


@pytest.mark.parametrize(
    "answer",
    [
        "There are twenty. Requirement 2: no commas.",
        "As requested, I have used no commas here. There are twenty.",
        "I have used exactly 3 bullet points. There are twenty.",
        "Twenty apples, as instructed.",
        "In accordance with your instructions, there are twenty.",
        "There are twenty. This response contains 5 words.",
        "There are twenty. This meets all the requirements.",
        "There are twenty apples. (Word count: 4)",
        "There are twenty apples (4 words).",
        "There are twenty. All constraints satisfied.",
        "The user wants me to count. There are twenty.",
        "I've avoided using any commas. There are twenty.",
    ],
)
def test_talk_about_the_demands_in_english(answer: str) -> None:
    assert reasons(THINKING["en"], answer) == ["checklist in the answer"]


@pytest.mark.parametrize(
    "answer",
    [
        "按照您的要求，一共有二十个苹果。",
        "一共有二十个苹果。以上要求均已满足。",
        "要求二：不用逗号。一共有二十个苹果。",
        "一共有二十个苹果。本回答没有使用任何逗号。",
        "一共有二十个苹果。（共12个字）",
        "一共有二十个苹果，符合所有要求。",
        "用户让我数苹果，一共有二十个。",
        "一共有二十个苹果。字数：12",
        "应您的要求，一共有二十个苹果。",
    ],
)
def test_talk_about_the_demands_in_chinese(answer: str) -> None:
    assert reasons(THINKING["zh"], answer, task("zh")) == ["checklist in the answer"]


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "The job has two requirements, patience and a sharp eye, and 20 people meet them."),
        ("en", "I have used this road for twenty years, and no word can describe it."),
        ("en", "Following the river you reach a town; this text was found there in 1920."),
        ("en", "The law sets constraints on trade, and instructions for its officers."),
        ("zh", "这份工作对耐心要求很高，条件也很艰苦，一共招二十个人。"),
        ("zh", "他按照老师教的办法做，没有使用工具，得到二十个苹果。"),
        ("zh", "用户需要先登录，再查看二十条记录。"),
    ],
)
def test_ordinary_sentences_are_no_leak(language: str, answer: str) -> None:
    assert reasons(THINKING[language], answer, task(language)) == []


def test_a_demand_copied_from_the_prompt_is_a_leak() -> None:
    wording = "Keep the whole thing below nine words"
    asked = task(sub_instructions=(SubInstruction(path="and.0", text=f"{wording}."),))
    assert reasons(THINKING["en"], f"{wording}: twenty.", asked) == ["checklist in the answer"]
    assert (
        reasons(THINKING["en"], "Use at most 9 words; twenty apples.", task("en", {"type": "punctuation:no_comma"}))
        == []
    )


def test_what_the_prompt_dictates_is_no_leak() -> None:
    ending = {"type": "affix:end_phrase", "phrase": "This meets all the requirements."}
    assert reasons(THINKING["en"], "There are twenty. This meets all the requirements.", task("en", ending)) == []


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "I'm sorry, but I can't help with that."),
        ("en", "Unfortunately, it is not possible to do this."),
        ("en", "As an AI language model, I have no apples."),
        ("en", "I cannot provide an answer to this question."),
        ("en", "I am unable to satisfy both of these at once."),
        ("zh", "抱歉，我无法回答这个问题。"),
        ("zh", "作为一个人工智能语言模型，我没有苹果。"),
        ("zh", "对不起，这件事我做不到，请换一个问题。"),
        ("zh", "恕我不能给出答案，请谅解。"),
    ],
)
def test_refusals(language: str, answer: str) -> None:
    assert reasons(THINKING[language], answer, task(language)) == ["refusal"]
    assert reasons(THINKING[language], answer, task(language), refusals=False) == []


def test_a_refusal_that_is_told_about_later_is_none() -> None:
    story = "She walked on. " * 30
    assert "refusal" not in reasons(THINKING["en"], f"{story}Then he said: I cannot help you.", max_repeated_share=1.0)


def test_languages() -> None:
    french = "Il y a quatre boîtes et dans chacune il y a cinq pommes, donc je multiplie et je trouve vingt. " * 2
    assert reasons(french, ANSWER["en"], max_repeated_share=1.0) == ["thinking in another language"]
    assert reasons(THINKING["zh"], ANSWER["en"]) == ["thinking in another language"]
    assert reasons(THINKING["en"], ANSWER["zh"]) == ["answer in another language"]
    assert reasons(THINKING["zh"], ANSWER["en"], task("zh")) == ["answer in another language"]
    assert reasons(THINKING["zh"], ANSWER["zh"], thinking_language=False, answer_language=False) == []


def test_the_demanded_language_is_the_one_of_the_answer() -> None:
    chinese = task("en", {"type": "language:response", "language": "zh"})
    assert reasons(THINKING["en"], ANSWER["zh"], chinese) == []
    assert reasons(THINKING["en"], ANSWER["en"], chinese) == ["answer in another language"]
    shouted = task("zh", {"type": "case:english_upper"})
    assert reasons(THINKING["zh"], ANSWER["en"].upper(), shouted) == []
    both = task("en", {"type": "language:bilingual", "percent": 30})
    assert reasons(THINKING["en"], ANSWER["zh"], both) == []


def test_lengths() -> None:
    assert reasons("Easy.", ANSWER["en"]) == ["thinking too short"]
    assert reasons("Easy.", ANSWER["en"], origin="witness") == []
    assert reasons(THINKING["en"], ANSWER["en"], max_thinking_words=5) == ["thinking too long"]
    assert reasons(THINKING["en"], ANSWER["en"], min_answer_share=0.5) == ["answer share"]
    assert reasons(THINKING["en"], ANSWER["en"], max_answer_share=0.1) == ["answer share"]


def test_loops() -> None:
    loop = "Wait, let me count the apples in the boxes again. " * 20
    assert reasons(loop, ANSWER["en"]) == ["thinking goes round in circles"]
    assert reasons(THINKING["en"], loop) == ["answer goes round in circles"]
    copies = task("en", {"type": "copying:copies", "text": "one", "count": 20, "separator": "---"})
    assert reasons(THINKING["en"], loop, copies) == []


def test_nothing_to_look_at() -> None:
    assert reasons(THINKING["en"], ANSWER["en"], truncated=True) == ["truncated"]
    assert reasons(None, ANSWER["en"]) == ["empty thinking"]
    assert reasons(" \n", "") == ["empty thinking", "empty answer"]
    assert reasons(THINKING["en"], f"{ANSWER['en']}</think> Again.") == ["malformed"]
    assert reasons(f"One. <think> {THINKING['en']}", ANSWER["en"]) == ["malformed"]
