"""Rows with questions for a judge become instructions, and earn rewards from rules and a judge together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raif.checks import check_data
from raif.config import RAIFConfig
from raif.sources import DataSource, Imported, import_source
from raif.sources.layouts import BadRow
from raif.sources.rendered import shown_to_judge, taken_apart
from rewards import Instruction, MathAnswer, Response, Reward, ScoredResponse, Scorer, Status, parse_rewards
from rewards.errors import RaifError
from tests.judge_server import Answer, ChatServer, chat, constantly
from tests.support import example_instruction, example_rows

WISH = "First write <think> your reasons </think>, then the text between one <answer> tag and one </answer> tag. "
PIRATE = [{"role": "system", "content": "Speak like a pirate."}, {"role": "user", "content": "Greet me.\n\nBriefly."}]
CHATML = (
    "<|im_start|>system\nSpeak like a pirate.<|im_end|>\n<|im_start|>user\nGreet me.\n\nBriefly.<|im_end|>\n"
    "<|im_start|>assistant\n"
)
LLAMA = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
    "Today Date: 26 Jul 2024\n\nSpeak like a pirate.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
    "Greet me.\n\nBriefly.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)
DEEPSEEK = "<｜begin▁of▁sentence｜>Speak like a pirate.<｜User｜>Greet me.\n\nBriefly.<｜Assistant｜><think>\n"
NO_COMMA = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
QUESTIONS = {"scoring_questions": ["Is it a greeting?", "Is it warm?"]}


def imported(folder: Path, *rows: Mapping[str, Any], **settings: Any) -> Imported:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return import_source(DataSource(name="questions", source=str(path), **settings))


def rendered(user: str) -> str:
    return f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


def released(user: str, target: Any, **columns: Any) -> dict[str, Any]:
    """Return a row in the form of the released files."""
    return {"input": rendered(user), "target": target if isinstance(target, str) else json.dumps(target), **columns}


def asked(task: Instruction) -> list[str]:
    return [each.question for each in task.judged]


@pytest.mark.parametrize("text", [CHATML, f"{CHATML}<think>\n", LLAMA, f"{LLAMA}<think>", DEEPSEEK, f"{DEEPSEEK}\n"])
def test_rendered_prompts_become_messages_again(text: str) -> None:
    assert taken_apart(text) == PIRATE


def test_a_conversation_keeps_its_earlier_turns() -> None:
    text = (
        "<｜begin▁of▁sentence｜><｜User｜>Hi.<｜Assistant｜>Hello!<｜end▁of▁sentence｜><｜User｜>Again?<｜Assistant｜>"
    )
    turns = taken_apart(text)
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert shown_to_judge(turns) == "User: Hi.\n\nAssistant: Hello!\n\nUser: Again?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Greet me.", "unknown chat template"),
        ("<s>[INST]Greet me.[/INST]", "unknown chat template"),
        (f"Well. {CHATML}", "unknown chat template"),
        (CHATML.replace("<|im_end|>\n<|im_start|>user", "<|im_end|> more\n<|im_start|>user"), "unknown chat template"),
        (f"{CHATML}Ahoy", "an answer is begun"),
        (f"{CHATML}<think>\n\n</think>\n\n", "an answer is begun"),
        (CHATML.replace("<|im_start|>user", "<|im_start|>tool"), "a turn of role tool"),
        (CHATML[: CHATML.index("<|im_start|>user")], "no request"),
        ("<|im_start|>assistant\n", "no request"),
    ],
)
def test_what_cannot_be_taken_apart_is_a_rejection(text: str, reason: str) -> None:
    with pytest.raises(BadRow) as error:
        taken_apart(text)
    assert error.value.reason == reason


def test_a_judge_is_not_shown_the_wish_to_think(tmp_path: Path) -> None:
    text = CHATML.replace("Speak", f"{WISH}Speak")
    task = imported(tmp_path, {"input": text, "target": json.dumps(QUESTIONS), "task": "complex"}).tasks[0]
    assert task.messages[0]["content"] == f"{WISH}Speak like a pirate."  # the prompt is what it was
    assert task.request == "Speak like a pirate.\n\nGreet me.\n\nBriefly."
    only = CHATML.replace("Speak like a pirate.", WISH.strip())
    again = imported(tmp_path, {"input": only, "target": json.dumps(QUESTIONS), "task": "complex"}).tasks[0]
    assert again.request == "Greet me.\n\nBriefly."


def test_a_released_file_holds_questions_rules_and_maths(tmp_path: Path) -> None:
    words = {"num_words": 3, "relation": "至少", "keywords": None}
    at_least = {"instruction_id_list": ["length_constraints:number_words"], "kwargs": [words]}
    rows = [
        released("Greet me.", QUESTIONS, task="complex_en"),
        released("问候我。", at_least, task="ifeval"),
        released("Part from me.", QUESTIONS | NO_COMMA, task="complex"),
        released("What is 2 + 3?", "5"),
        released("What is 2 + 4?", "\\boxed{6}", task="default"),
        released("Thank me.", QUESTIONS),
        released("Leave me.", NO_COMMA),
    ]
    found = imported(tmp_path, *rows)
    assert (found.counts["kind"], found.counts["layout"], found.counts["rejected"]) == ("questions", "raif", {})
    greet, chinese, part, five, six, thank, leave = found.tasks
    assert asked(greet) == asked(thank) == QUESTIONS["scoring_questions"]
    assert (chinese.language, [each.type for each in chinese.constraints]) == ("zh", ["length:min_words"])
    assert [each.type for each in part.constraints] == ["punctuation:no_comma", "judge:question", "judge:question"]
    assert [each.type for each in leave.constraints] == ["punctuation:no_comma"]
    assert (five.answer, six.answer) == (MathAnswer(value="5"), MathAnswer(value="6"))
    assert (five.prompt, five.constraints, greet.answer) == ("What is 2 + 3?", (), None)
    assert [task.source.seed_id for task in found.tasks] == [str(number) for number in range(1, 8)]


def test_rows_that_cannot_be_judged_are_counted_by_reason(tmp_path: Path) -> None:
    unknown = {"instruction_id_list": ["format:nothing"], "kwargs": [{}]}
    rows = [
        released("Greet me.", QUESTIONS, task="complex"),
        released("Greet me.", {"scoring_questions": []}, task="complex"),
        released("Greet me.", {"scoring_questions": ["Is it warm?", "  "]}, task="complex"),
        released("Greet me.", {"scoring_questions": 3}, task="complex"),
        released("Greet me.", "warm", task="complex"),
        released("Greet me.", "[1]", task="complex"),
        released("Greet me.", unknown, task="ifeval"),
        released("Who lies?", {"solution_text_format": "A"}, task="kk"),
        released("Greet me.", QUESTIONS, task="complex_woFormat"),
        released("Greet me.", "", task="default"),
        {"input": "Greet me.", "target": "5"},
        {"input": None, "target": "5"},
        {"input": rendered("What is 2 + 3?")},
        released("Greet me.", QUESTIONS, id="\ud800"),
    ]
    found = imported(tmp_path, *rows)
    assert (found.counts["read"], found.counts["imported"]) == (14, 1)
    assert found.counts["rejected"] == {
        "no questions": 1, "a blank question": 1, "scoring_questions are no list": 1, "target is no JSON": 1,
        "target without demands": 1, "unknown ifeval instruction 'format:nothing'": 1, "task kk": 1,
        "task complex_woFormat": 1, "no answer": 1, "unknown chat template": 1, "blank input": 1, "no column target": 1,
        "a text is no Unicode": 1,
    }  # fmt: skip
    with pytest.raises(RaifError, match=r"could be imported as questions \(unknown chat template: 1\).*unrendered"):
        imported(tmp_path, {"input": "Greet me.", "target": "5"})


def test_plain_rows_take_a_text_or_messages(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "prompt": "Greet me.", "scoring_questions": ["Is it warm?", "Is it warm? "], **NO_COMMA},
        {"id": "b", "prompt": PIRATE, "scoring_questions": json.dumps(["Is it warm?"]), "licence": "CC0"},
        {"id": "c", "prompt": "Greet me.", "scoring_questions": [], **NO_COMMA},
        {"id": "d", "prompt": [{"role": "user"}], "scoring_questions": ["Is it warm?"]},
        {"id": "e", "prompt": PIRATE[:1], "scoring_questions": ["Is it warm?"]},
        {"id": "f", "prompt": "Greet me.", **NO_COMMA},
    ]
    found = imported(tmp_path, *rows)
    assert [task.source.seed_id for task in found.tasks] == ["a", "b", "c"]
    assert asked(found.tasks[0]) == ["Is it warm?"]  # a question that is repeated is one leaf
    assert found.tasks[1].messages == PIRATE
    assert found.tasks[1].source.licence == "CC0"
    assert [each.type for each in found.tasks[2].constraints] == ["punctuation:no_comma"]
    reasons = {"no prompt", "no column scoring_questions"}
    assert reasons < set(found.counts["rejected"])
    (other,) = set(found.counts["rejected"]) - reasons
    assert other.startswith("not valid: prompt: the last message of a prompt is the user's")


def point(number: int, *needs: int, **columns: Any) -> dict[str, Any]:
    names = {"point_id": number, "question": f"问题{number}？", "question_en": f"Question {number}?", "rule": None}
    return names | {"dep": list(needs)} | columns


def item(*points: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return {"main_id": 7, "instruction": "写一首诗。", "scoring_questions": list(points), **columns}


def test_items_of_complexbench_keep_their_dependencies(tmp_path: Path) -> None:
    points = [point(0), point(1, 0), point(2, 1), point(3, rule="length:[1,9]"), point(4, 1, 3)]
    task = imported(tmp_path, item(*points)).tasks[0]
    assert (task.source.seed_id, task.language, task.prompt) == ("7", "zh", "写一首诗。")
    assert [place.needs for place in task.tree.places] == [(), (0,), (1,), (), (1, 3)]
    opinions = [True, False, True, True, True]
    with ChatServer(lambda number, body: Answer(chat("YES" if opinions[number_of(body)] else "NO"))) as server:
        (reward,) = rewarded(server.url, task, "一首诗")
    statuses = [leaf.verdict.status for leaf in reward.judgement.leaves]
    kept = Status.SATISFIED
    assert statuses == [kept, Status.VIOLATED, Status.BLOCKED, kept, Status.BLOCKED]  # what 1 blocks, 2 and 4, failed
    assert reward.total == 0.4


def number_of(body: Mapping[str, Any]) -> int:
    """Return the number of the question that a request to the judge asks."""
    text = str(body["messages"])
    return next(number for number in range(5) if f"问题{number}？" in text)


def test_the_english_columns_of_complexbench(tmp_path: Path) -> None:
    english = item(point(0), point(1, 0), instruction_en="Write a poem.")
    found = imported(tmp_path, english, item(point(0)), language="en")
    assert (found.tasks[0].prompt, found.tasks[0].language) == ("Write a poem.", "en")
    assert asked(found.tasks[0]) == ["Question 0?", "Question 1?"]
    assert found.counts["rejected"] == {"no column instruction_en": 1}


@pytest.mark.parametrize(
    "points",
    [
        [point(0, 1), point(1, 0)],
        [point(0, 9)],
        [point(0), point(0, question="又一个？")],
        [point(0, dep=3)],
        [point(0), point(1, dep=0)],
        [point(0), point(1, dep="")],
        [point(0), point(1, dep=False)],
    ],
    ids=["circle", "unknown", "twice", "no list", "zero", "empty text", "false"],
)
def test_impossible_dependencies_are_a_rejection(tmp_path: Path, points: list[dict[str, Any]]) -> None:
    found = imported(tmp_path, item(point(0)), item(*points))
    assert found.counts["rejected"] == {"dependencies of questions": 1}


def test_the_item_that_complexbench_shows(shared_dir: Path, tmp_path: Path) -> None:
    row = json.loads((shared_dir / "data" / "complexbench" / "readme_item.json").read_text(encoding="utf-8"))
    for language, column in (("zh", "question"), ("en", "question_en")):
        task = imported(tmp_path, row, language=language).tasks[0]
        assert asked(task) == [each[column] for each in row["scoring_questions"]]
        numbers = {each["point_id"]: number for number, each in enumerate(row["scoring_questions"])}
        depends = [tuple(numbers[one] for one in each["dep"]) for each in row["scoring_questions"]]
        assert [place.needs for place in task.tree.places] == depends


def test_suffix_is_not_for_questions(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"suffix can be set for maths only; the rows of .* are questions"):
        imported(tmp_path, {"prompt": "Greet me.", **QUESTIONS}, suffix=" Please.")


def rewarded(url: str, task: Instruction, *answers: str) -> list[Reward]:
    judge = {"model": "m", "base_url": url, "mode": "text", "retries": 0}
    entries = parse_rewards(
        [{"type": "constraints", "gate": "none"}, {"type": "math_answer"}, {"type": "judge", "judge": judge}]
    )
    return Scorer(entries).score([ScoredResponse(task, Response("hm", answer)) for answer in answers])


def warm(number: int, body: Mapping[str, Any]) -> Answer:
    """A judge that finds every answer a greeting, and those with `friend` warm."""
    text = str(body["messages"])
    return Answer(chat("YES" if "Is it a greeting?" in text or "friend" in text else "NO"))


def test_mixed_rows_earn_what_rules_and_judge_say(tmp_path: Path) -> None:
    rows = [
        released("Greet me.", QUESTIONS | NO_COMMA, task="complex"),
        released("What is 2 + 3?", "5", task="default"),
    ]
    mixed, maths = imported(tmp_path, *rows).tasks
    with ChatServer(warm) as server:
        good, cold, blank = rewarded(server.url, mixed, "Hello my friend!", "Hello, stranger.", "")
        asked_of = len(server.bodies)
        right, wrong = rewarded(server.url, maths, "It is \\boxed{5}.", "It is \\boxed{6}.")
        assert len(server.bodies) == asked_of == 4  # two questions about two answers; maths asks nothing
    assert (good.total, round(cold.total or 0, 4), blank.total) == (1.0, round(1 / 3, 4), 0.0)
    assert [leaf.verdict.status for leaf in cold.judgement.leaves] == ["violated", "satisfied", "violated"]
    assert (right.total, wrong.total) == (1.0, 0.0)
    with ChatServer(constantly({"error": "down"}, 503)) as server:
        (down,) = rewarded(server.url, mixed, "Hello my friend!")
    assert (down.total, down.judgement.soft, down.judgement.hard) == (None, None, None)
    assert [leaf.verdict.status for leaf in down.judgement.leaves] == ["satisfied", "unscored", "unscored"]
    assert "503" in down.reason
    (gone,) = rewarded(server.url, mixed, "Hello my friend!")  # nobody listens any more
    assert gone.total is None


def test_rows_with_questions_need_a_judge_among_the_rewards(tmp_path: Path) -> None:
    rows = example_rows(4)
    leaf = {"kind": "leaf", "constraint": {"type": "judge:question", "question": "Is it kind?"}}
    asked = Instruction.model_validate(example_instruction().model_dump(mode="json") | {"tree": leaf})
    rows[0]["instruction"] = asked.model_dump_json()

    def config(*rewards: dict[str, Any]) -> RAIFConfig:
        return RAIFConfig(
            output_dir=str(tmp_path), instructions="x", num_generations=4, per_device_train_batch_size=4, use_cpu=True,
            bf16=False, contrast="off", rewards=[{"type": "constraints"}, *rewards],
        )  # fmt: skip

    with pytest.raises(RaifError, match=r"1 of 4 training rows \(instructions\) ask questions of a judge"):
        check_data(config(), rows, "think")
    judge = {"type": "judge", "judge": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}}
    check_data(config(judge), rows, "think")
