"""Demonstrations from witnesses, files and a served model: joined, judged, the best taken, everything counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from data_gen.experts import (
    ExpertChecks,
    ExpertOutcome,
    ExpertReport,
    FileExperts,
    WitnessExperts,
    make_experts,
    parse_experts,
    run_experts,
)
from rewards import (
    AnswerCondition,
    Branch,
    CodeAnswer,
    Instruction,
    QaAnswer,
    RaifError,
    Selection,
    parse_constraint,
    read_instructions,
)
from rewards.judge import Judge, JudgeConfig
from rewards.sandbox import require_sandbox
from rewards.tree import And, Leaf
from tests.data_gen.test_experts_checks import ANSWER, THINKING
from tests.data_gen.test_experts_thinking import EN_SEED, PLAIN, SHORT, ZH_SEED, gentle_tasks, task_of
from tests.judge_server import Answer, ChatServer, chat

TREE = And(parts=(Leaf(constraint=SHORT), Leaf(constraint=PLAIN)))
TASK = task_of(EN_SEED, TREE)
GOOD = "The answer is \\boxed{20}."


def tasks(count: int, **changes: Any) -> list[Instruction]:
    return [task_of(EN_SEED, TREE, prompt=f"Number {number}: {EN_SEED.request}", **changes) for number in range(count)]


def outcomes(asked: Sequence[Instruction], source: Any, **settings: Any) -> list[ExpertOutcome]:
    return [outcome for _, outcome in make_experts(asked, source, **settings)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


# Witnesses


def test_witnesses_become_demonstrations() -> None:
    report = ExpertReport()
    asked = [task for task, _, _ in gentle_tasks()]
    made = list(make_experts(asked, WitnessExperts(style="plan"), report=report))
    assert (report.instructions, report.accepted, report.rejected) == (150, 150, {})
    for before, (task, outcome) in zip(asked, made, strict=True):
        assert task.id == before.id == outcome.instruction_id
        assert task.expert is not None
        assert (task.expert.origin, task.expert.answer) == ("witness", before.witness)
        assert (outcome.thinking, outcome.scores[0].hard) == (task.expert.thinking, True)
        assert outcome.scores[0].correct is (None if task.answer is None else True)
    again = outcomes(asked, WitnessExperts(style="plan"))
    assert again == [outcome for _, outcome in made]
    assert again != outcomes(asked, WitnessExperts(style="plan", seed=1))


def test_an_expert_that_is_there_is_kept_and_judged_again() -> None:
    kept = tasks(2)
    expert = {"thinking": "No commas; 4 * 5 = 20.", "answer": GOOD}
    right = Instruction.model_validate({**kept[0].model_dump(), "expert": expert})
    wrong = Instruction.model_validate({**kept[1].model_dump(), "expert": {**expert, "answer": "It is \\boxed{21}."}})
    first, second, third = outcomes([right, wrong, TASK], WitnessExperts())
    assert (first.thinking, first.reasons) == (expert["thinking"], ())
    assert (second.reasons, second.demonstration) == (("wrong answer",), None)
    assert third.reasons == ("no demonstration",)


def test_a_language_without_wordings_is_counted() -> None:
    (made,) = outcomes([task_of(EN_SEED, TREE, language="fr", prompt="Combien ?", witness=GOOD)], WitnessExperts())
    assert (made.reasons, made.scores[0].seen) == (("no wordings in its language",), ("fr",))


# Files


def test_rows_join_by_id_and_by_prompt(tmp_path: Path) -> None:
    one, two, three = tasks(3)
    path = write(
        tmp_path / "demonstrations.jsonl",
        {"instruction_id": one.id, "thinking": THINKING["en"], "answer": GOOD},
        {"prompt": two.prompt_text, "completion": f"<think>{THINKING['en']}</think>{GOOD}"},
        {"prompt": [{"role": "user", "content": "Nobody asked."}], "answer": GOOD},
    )
    report = ExpertReport()
    made = outcomes([one, two, three], FileExperts(path=path), report=report)
    assert [outcome.reasons for outcome in made] == [(), (), ("no demonstration",)]
    assert made[0].demonstration == made[1].demonstration
    assert made[0].origin == "file"
    assert report.left_over == {"no such instruction": 1}
    assert report.summary()["rejected"] == {"no demonstration": 1}


def test_the_best_of_several_rows_is_taken(tmp_path: Path) -> None:
    rows = [
        {"instruction_id": TASK.id, "thinking": THINKING["en"], "answer": "So, the answer is \\boxed{20}."},
        {"instruction_id": TASK.id, "thinking": THINKING["en"] * 2, "answer": GOOD},
        {"instruction_id": TASK.id, "thinking": THINKING["en"], "answer": GOOD},
        {"instruction_id": TASK.id, "thinking": THINKING["en"], "answer": GOOD, "finish_reason": "length"},
    ]
    report = ExpertReport()
    (made,) = outcomes([TASK], FileExperts(path=write(tmp_path / "d.jsonl", *rows)), report=report)
    assert (made.chosen, made.reasons) == (2, ())
    assert [scores.hard for scores in made.scores] == [False, True, True, True]
    assert made.scores[0].reasons == ("constraint violated",)
    assert "punctuation:no_comma" in made.scores[0].seen[0]
    assert report.turned_down == {"constraint violated": 1, "truncated": 1}


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {"q": TASK.prompt_text, "out": f"{THINKING['en']}</think>{GOOD}", "other": 1})
    source = parse_experts({"type": "file", "path": str(path), "fields": {"prompt": "q", "completion": "out"}})
    assert outcomes([TASK], source)[0].reasons == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{broken\n", ":1 is not JSON"),
        ("\n[1]\n", ":2 is a list"),
        ('{"answer": "x"}\n', "has neither 'instruction_id' nor 'prompt'; it has: answer"),
        ('{"prompt": "x", "output": "y"}\n', "has neither 'answer' nor 'completion' with a text"),
        ("\n", "holds no demonstrations"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RaifError) as raised:
        outcomes([TASK], FileExperts(path=path))
    assert words in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="no demonstrations at"):
        outcomes([TASK], FileExperts(path=tmp_path / "none.jsonl"))


# Judging


def test_soft_demands_are_judged_by_whom_one_names() -> None:
    polite = parse_constraint({"type": "judge:question", "question": "Is it polite?", "demand": "Be polite."})
    tree = And(parts=(Leaf(constraint=PLAIN), Leaf(constraint=polite)))
    asked = [task_of(EN_SEED, tree, witness=GOOD)]
    source = WitnessExperts(style="plan")
    (unjudged,) = outcomes(asked, source)
    assert (unjudged.reasons, unjudged.scores[0].hard) == ((), None)
    (refused,) = outcomes(asked, source, checks=ExpertChecks(allow_unjudged=False))
    assert refused.reasons == ("constraint unscored",)
    for word, reasons in (("Yes", ()), ("No", ("constraint violated",))):
        with ChatServer(lambda number, body, word=word: Answer(chat(word))) as server:
            judge = Judge(JudgeConfig(model="judge", base_url=server.url, mode="text"))
            (judged,) = outcomes(asked, source, judge=judge)
        assert judged.reasons == reasons


def test_questions_are_judged_by_their_accepted_answers() -> None:
    asked = [task_of(EN_SEED, TREE, answer=QaAnswer(values=("Paris",)), witness=text) for text in ("Paris", "Rome")]
    right, wrong = outcomes(asked, WitnessExperts(style="plan"))
    assert (right.reasons, wrong.reasons) == ((), ("wrong answer",))


def test_programs_are_run() -> None:
    try:
        require_sandbox()
    except RaifError as error:
        pytest.skip(str(error))
    tests = "def check(candidate):\n    assert candidate(4) == 20\n"
    answer = CodeAnswer(tests=tests, entry_point="apples")
    tree = And(parts=(Leaf(constraint=PLAIN),))
    programs = [f"```python\ndef apples(boxes):\n    return {times} * boxes\n```" for times in (5, 6)]
    asked = [task_of(EN_SEED, tree, answer=answer, witness=program) for program in programs]
    right, wrong = outcomes(asked, WitnessExperts(style="plan"))
    assert (right.reasons, wrong.reasons) == ((), ("wrong answer",))


def test_a_branch_that_is_not_taken_asks_for_nothing() -> None:
    chinese = parse_constraint({"type": "language:response", "language": "zh"})
    branch = Branch(when=AnswerCondition(relation="odd"), then=Leaf(constraint=chinese))
    tree = And(parts=(Leaf(constraint=PLAIN), Selection(branches=(branch,))))
    row = {"thinking": THINKING["en"], "answer": f"{ANSWER['en']} That is \\boxed{{20}}."}
    asked = [Instruction.model_validate({**task_of(EN_SEED, tree).model_dump(), "expert": row | {"origin": "model"}})]
    (made,) = outcomes(asked, WitnessExperts())
    assert (made.reasons, made.scores[0].share) == ((), 1.0)


def test_both_languages(tmp_path: Path) -> None:
    task = task_of(ZH_SEED, And(parts=(Leaf(constraint=PLAIN),)))
    rows = [
        {"instruction_id": task.id, "thinking": THINKING["en"], "answer": "答案是\\boxed{20}。"},
        {"instruction_id": task.id, "thinking": THINKING["zh"], "answer": "答案是\\boxed{20}。"},
        {"instruction_id": task.id, "thinking": THINKING["zh"], "answer": f"{ANSWER['en']} \\boxed{{20}}"},
    ]
    (made,) = outcomes([task], FileExperts(path=write(tmp_path / "d.jsonl", *rows)))
    assert [scores.reasons for scores in made.scores] == [
        ("thinking in another language",),
        (),
        ("answer in another language",),
    ]


# Folders


def folder_of(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    made = [*tasks(1, split="test"), *tasks(2, witness=GOOD), *tasks(1, split="test_families"), task_of(ZH_SEED, TREE)]
    write(folder / "instructions.jsonl", *(task.model_dump(mode="json") for task in made))
    return folder


def test_a_folder_becomes_a_data_set_with_experts(tmp_path: Path) -> None:
    folder, out = folder_of(tmp_path), tmp_path / "out"
    seen: list[int] = []
    counts = run_experts(folder, WitnessExperts(style="plan"), out, progress=seen.append)
    assert {name: counts[name] for name in ("instructions", "accepted", "copied", "rejected")} == {
        "instructions": 3,
        "accepted": 2,
        "copied": 2,
        "rejected": {"no demonstration": 1},
    }
    assert seen == [1, 2, 3]
    assert json.loads((out / "experts_report.json").read_text(encoding="utf-8")) == counts
    experts, rejected = lines(out / "experts.jsonl"), lines(out / "experts_rejected.jsonl")
    assert [row["answer"] for row in experts] == [GOOD, GOOD]
    assert set(experts[0]) == {"instruction_id", "thinking", "answer", "origin", "chosen", "scores", "reasons"}
    assert [row["reasons"] for row in rejected] == [["no demonstration"]]
    before, after = read_instructions(folder / "instructions.jsonl"), read_instructions(out / "instructions.jsonl")
    assert [task.id for task in after] == [task.id for task in before]
    assert [task.expert is not None for task in after] == [False, True, True, False, False]
    assert not list(out.glob("*.partial"))


def test_written_experts_can_be_read_again(tmp_path: Path) -> None:
    folder, out = folder_of(tmp_path), tmp_path / "out"
    run_experts(folder, WitnessExperts(style="plan"), out)
    again = run_experts(folder, FileExperts(path=out / "experts.jsonl"), tmp_path / "again")
    assert (again["accepted"], again["left_over"]) == (2, {})


def test_instructions_are_not_overwritten(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with pytest.raises(RaifError, match="would overwrite the instructions"):
        run_experts(folder, WitnessExperts(), folder)
    with pytest.raises(RaifError, match="holds no complete data set"):
        run_experts(tmp_path / "none", WitnessExperts(), tmp_path / "out")
    with pytest.raises(RaifError, match="unknown split 'trian'; did you mean 'train'"):
        run_experts(folder, WitnessExperts(), tmp_path / "out", splits=["trian"])
    with pytest.raises(RaifError, match="no demonstrations at"):
        run_experts(folder, FileExperts(path=tmp_path / "none.jsonl"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"type": "witnes"}, "did you mean 'witness'?"),
        ({}, "unknown source of experts None"),
        ({"type": "witness", "styel": "plan"}, "did you mean 'style'?"),
        ({"type": "witness", "style": "long"}, "style"),
        ({"type": "file"}, "path: Field required"),
        ({"type": "file", "path": "x", "fields": {"reasoning": "r"}}, "unknown name 'reasoning'"),
        ({"type": "served", "served": {"base_url": "x", "model": "m"}}, "served.base_url"),
        ({"type": "served", "served": {"base_url": "http://x/v1", "model": "m"}, "samples": 0}, "samples"),
        ("witness", "not set up"),
    ],
)
def test_a_mistake_in_a_source_is_one_message(settings: Any, words: str) -> None:
    with pytest.raises(RaifError) as raised:
        parse_experts(settings)
    assert words in str(raised.value)
