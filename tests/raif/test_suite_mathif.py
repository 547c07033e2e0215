"""MathIF: the benchmark's own figures, the two ways to divide a response, and rates worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from raif.evaluation.comparison import estimate_of
from raif.evaluation.records import EvaluatedRollout, Item, Output
from raif.suites import suite
from raif.suites.mathif import MathIF
from raif.suites.splits import divide, mathif_text
from rewards.errors import RaifError

NO_COMMA = ("punctuation:no_comma", None, "No commas. ")
QUOTED = ("startend:quotation", None, "Wrap it in double quotation marks.")
TWO_BULLETS = ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "Exactly 2 bullet points.")
BAN_TWO = ("keywords:forbidden_words", {"forbidden_words": ["two"]}, "Never say two.")


def row(number: int, *constraints: tuple[str, dict[str, Any] | None, str], **more: Any) -> dict[str, Any]:
    return {
        "source": "HuggingFaceH4/gsm8k",
        "id": "gsm8k-single-0",  # the benchmark's own ids repeat
        "question": f"What is {number} + 1?",
        "answer": str(number + 1),
        "constraint_desc": [text for _, _, text in constraints],
        "constraint_name": [name for name, _, _ in constraints],
        "constraint_args": [arguments for _, arguments, _ in constraints],
        **more,
    }


def load(folder: Path, *rows: dict[str, Any], name: str = "gsm8k_single", **options: str) -> tuple[MathIF, list[Item]]:
    (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    found = suite("mathif", **options)
    assert isinstance(found, MathIF)
    return found, found.load(str(folder))


def judged(mathif: MathIF, items: list[Item], texts: list[str], arm: str = "constrained") -> list[EvaluatedRollout]:
    return mathif.judge([Output(item, arm, 0, text) for item, text in zip(items, texts, strict=True)])


# ---- the real files


@pytest.fixture(scope="module")
def real(shared_dir: Path) -> tuple[MathIF, list[Item]]:
    found = suite("mathif")
    assert isinstance(found, MathIF)
    return found, found.load(str(shared_dir / "data" / "mathif"))


def test_the_benchmark_is_read_as_it_is(real: tuple[MathIF, list[Item]], shared_dir: Path) -> None:
    mathif, items = real
    assert len({item.id for item in items}) == len(items) == 420
    assert Counter(item.labels["source"] for item in items) == {
        "gsm8k": 90, "math500": 90, "minerva": 90, "olympiad": 90, "aime": 60
    }  # fmt: skip
    assert Counter(item.labels["count"] for item in items) == {"1": 140, "2": 140, "3": 140}
    lines = (shared_dir / "data" / "mathif" / "gsm8k_double.jsonl").read_text(encoding="utf-8").split("\n")
    first, item = json.loads(lines[7]), next(item for item in items if item.id == "gsm8k_double/7")
    request = "Let's think step by step and output the final answer within \\boxed{}."
    assert mathif.messages(item, "unconstrained") == [{"role": "user", "content": first["question"] + request}]
    assert item.prompt == first["question"] + request + " ".join(first["constraint_desc"])
    assert mathif.load(str(shared_dir / "data" / "mathif" / "gsm8k_double.jsonl"))[7] == item


def test_a_full_stop_earns_what_the_official_code_gives_it(real: tuple[MathIF, list[Item]]) -> None:
    mathif, items = real
    metrics = mathif.summarize(items, judged(mathif, items, ["."] * 420))
    assert metrics["parity"]["hacc"] == 65 / 420
    assert round(100 * metrics["parity"]["sacc"], 2) == 34.29
    alone, after = metrics["baselines"]["boxed answer"], metrics["baselines"]["question and boxed answer"]
    assert alone["parity"]["hacc"] == pytest.approx(0.126, abs=0.006)  # the official language checks are drawn
    assert after["parity"]["hacc"] == pytest.approx(0.1405, abs=0.001)
    assert metrics["floor"]["parity"] == {name: metrics["parity"][name] for name in ("hacc", "sacc")}
    by_count = metrics["groups"]["count"]
    assert [round(100 * by_count[n]["parity"]["hacc"], 2) for n in "123"] == [31.43, 13.57, 1.43]
    assert round(100 * metrics["groups"]["source"]["aime"]["parity"]["hacc"], 2) == 21.67
    assert metrics["strict"]["hacc"] == metrics["strict"]["sacc"] == 0
    assert {name: group["n"] for name, group in metrics["groups"]["family"].items()} == {
        "length": 56, "lexical": 247, "format": 264, "affix": 133
    }  # fmt: skip
    assert len(metrics["groups"]["constraint"]) == 15
    assert metrics["unsatisfiable"] == [f"{s}_double/21" for s in ("gsm8k", "math500", "minerva", "olympiad")]


# ---- dividing a response


@pytest.mark.parametrize(
    ("text", "scored"),
    [
        ("<think>r</think>A", "A"),
        ("r</think>A", "A"),
        ("<think>r", "r"),
        ("<think>r</think>A</think>B", "A"),
        ("<think>say </think> when done</think>A", " when done"),
        ("<think>r</think>A<think>more", "A"),
        ("r</think>A<think>", ""),
        ("<think>r</think>\n<think>\n</think>A", "\n"),
        ("<think>a</think>t <answer>X</answer> u <answer>Y</answer>", "X"),
        ("<THINK>r</THINK>A", "<THINK>r</THINK>A"),
        ("<think>r</think>A<|im_end|>", "A<|im_end|>"),
    ],
)
def test_parity_reads_what_the_official_code_reads(text: str, scored: str) -> None:
    assert mathif_text(text) == scored


@pytest.mark.parametrize(
    ("text", "prefilled", "answer", "unclosed"),
    [
        ("r</think>A", None, "A", False),  # closed without being opened: prefilled
        ("<think>r</think>A", None, "A", False),
        ("<think>r</think>A</think>B", None, "A</think>B", False),
        ("A", None, "A", False),  # no tag: all of it is the answer
        ("A `</think>` ends thinking.", None, "A `</think>` ends thinking.", False),
        ("Use `<think>` to open it.", None, "Use `<think>` to open it.", False),
        ("<think>r", None, "", True),
        ("Sure. <think>r", None, "", True),
        ("r", True, "", True),
        ("A", False, "A", False),
        ("<think>r</think>", None, "", False),  # closed, though nothing follows
        ("", None, "", False),
    ],
)
def test_strict_reads_the_answer_alone(text: str, prefilled: bool | None, answer: str, unclosed: bool) -> None:
    found = divide(Output(Item(id="a", prompt="?"), "constrained", 0, text, prefilled=prefilled))
    assert (found.response.answer, found.unclosed) == (answer, unclosed)


def test_unfinished_thinking_is_a_state_of_its_own(tmp_path: Path) -> None:
    mathif, items = load(tmp_path, row(1, NO_COMMA), row(1, NO_COMMA), row(1, NO_COMMA), row(1, NO_COMMA))
    texts = ["<think>so \\boxed{2}", "hm</think>\\boxed{2} it is", "<think>so \\boxed{2}", "so \\boxed{2}"]
    ended, tokens = (None, True, False, False), (None, 9, 9, 9)
    outputs = [
        Output(item, "constrained", 0, text, count, end, None if n < 3 else True)
        for n, (item, text, count, end) in enumerate(zip(items, texts, tokens, ended, strict=True))
    ]
    rollouts = mathif.judge(outputs)
    assert [r.truncated for r in rollouts] == [True, False, True, True]
    assert [r.official_hard for r in rollouts] == [True] * 4  # the official code scores the unfinished thinking
    assert [r.hard for r in rollouts] == [False, True, False, False]
    assert [r.correct for r in rollouts] == [False, True, False, False]
    metrics = mathif.summarize(items, rollouts)
    assert metrics["truncated"]["value"] == metrics["unclosed"]["value"] == 0.75
    unknown = mathif.summarize(items, judged(mathif, items, ["hm</think>\\boxed{2} it is"] * 4))
    assert unknown["truncated"] is None
    assert unknown["completion_tokens"] is None


# ---- rates


def test_rates_by_hand_with_two_samples(tmp_path: Path) -> None:
    mathif, items = load(tmp_path, row(1, NO_COMMA, QUOTED), row(2, TWO_BULLETS))
    texts = ['"It is \\boxed{2}"', "It is, yes, \\boxed{2}", "* so\n* \\boxed{3} it is", "* \\boxed{4} it is"]
    outputs = [Output(items[n // 2], "constrained", n % 2, text, 10 * n, True) for n, text in enumerate(texts)]
    metrics = mathif.summarize(items, mathif.judge(outputs))
    for profile in ("parity", "strict"):
        assert metrics[profile] == {
            "hacc": 0.5, "hacc_ci": None, "hacc_n": 2, "sacc": 0.5, "sacc_ci": None, "sacc_n": 2
        }  # fmt: skip
        followed = {name: group[profile]["followed"] for name, group in metrics["groups"]["constraint"].items()}
        assert followed == {NO_COMMA[0]: 0.5, QUOTED[0]: 0.5, TWO_BULLETS[0]: 0.5}
        assert metrics["groups"]["family"]["format"][profile]["followed"] == 0.5
    assert metrics["correct"]["value"] == 0.75
    assert metrics["correct_and_followed"] == {"value": 0.5, "low": None, "high": None, "n": 2}
    assert metrics["independence"]["both"] == 2  # the first samples
    assert metrics["completion_tokens"]["value"] == 15
    assert metrics["truncated"]["value"] == 0
    assert metrics["groups"]["count"]["2"]["n"] == 1


def test_correctness_with_and_without_constraints_is_of_the_same_problems(tmp_path: Path) -> None:
    mathif, items = load(tmp_path, *(row(n, NO_COMMA) for n in range(40)))
    right = [f"It is \\boxed{{{n + 1}}}" for n in range(40)]
    with_them = judged(mathif, items, right[:20] + ["Who knows"] * 20)
    without = judged(mathif, items[5:], right[5:], "unconstrained")
    metrics = mathif.summarize(items, with_them + without)
    assert metrics["correct"]["value"] == 0.5
    assert metrics["correct_unconstrained"]["value"] == 1
    assert metrics["correct_change"]["value"] == pytest.approx(-20 / 35)
    assert metrics["correct_change"]["high"] < 0
    test = metrics["correct_change_test"]
    assert (test["gained"], test["lost"]) == (0, 20)
    assert test["p"] < 1e-5
    for label, value in (("source", "gsm8k"), ("count", "1"), ("constraint", NO_COMMA[0]), ("family", "format")):
        group = metrics["groups"][label][value]
        assert group["correct"] == metrics["correct"]
        assert group["correct_change"] == metrics["correct_change"]
    nothing = mathif.summarize(items, without)
    assert nothing["parity"]["hacc"] is nothing["strict"]["sacc"] is nothing["correct"] is None
    assert nothing["correct_unconstrained"]["value"] == 1
    assert without[0].verdicts == () == without[0].official
    assert metrics["independence"] == metrics["independence_parity"]
    assert metrics["independence"]["both"] == 20
    assert metrics["independence"]["second_only"] == 20


def test_one_problem_under_none_to_three_constraints(tmp_path: Path) -> None:
    constraints = (NO_COMMA, QUOTED, BAN_TWO)
    witness = '"It is \\boxed{2}"'
    for count, name in enumerate(("none", "single", "double", "triple")):
        rows = [row(1, *constraints[:count], problem=f"p{n}", witness=witness, source="own") for n in range(25)]
        mathif, items = load(tmp_path, *rows, name=f"own_{name}")
    assert len(items) == 100
    wrong = [item.labels["count"] == "3" for item in items]
    texts = ["It is, well, two" if lost else witness for lost in wrong]
    metrics = mathif.summarize(items, judged(mathif, items, texts))
    assert metrics["correct_unconstrained"]["n"] == 25
    assert metrics["correct_change"]["value"] == pytest.approx(-1 / 3)
    groups = metrics["groups"]["count"]
    assert groups["0"]["n"] == 25
    assert (groups["0"]["parity"]["hacc"], groups["0"]["parity"]["hacc_n"]) == (None, 0)
    assert metrics["strict"]["hacc_n"] == estimate_of(metrics, "hacc")["n"] == 25  # problems are what is resampled
    assert [groups[n]["strict"]["hacc"] for n in "123"] == [1, 1, 0]
    assert metrics["strict"]["hacc"] == pytest.approx(2 / 3)
    assert metrics["ceiling"]["parity"] == metrics["ceiling"]["strict"] == {"hacc": 1, "sacc": 1}
    assert metrics["ceiling"]["n"] == 75


def test_the_ceiling_comes_from_a_file_and_what_cannot_be_met_is_named(tmp_path: Path) -> None:
    repeat = ("combination:repeat_prompt", {"prompt_to_repeat": "First, add one."}, "Repeat the request.")
    rows = (row(1, repeat, NO_COMMA), row(2, repeat, BAN_TWO), row(3, repeat, QUOTED), row(4, NO_COMMA))
    data, answers = tmp_path / "data", tmp_path / "answers.jsonl"
    data.mkdir()
    _, items = load(data, *rows)
    text = "First, add one. It is done."
    stored = [{"id": item.id, "response": text} for item in items]
    answers.write_text("".join(json.dumps(each) + "\n" for each in stored), encoding="utf-8")
    mathif = suite("mathif", ceiling=str(answers))
    items = mathif.load(str(data))
    metrics = mathif.summarize(items, [])
    assert metrics["ceiling"]["parity"] == {"hacc": 0.25, "sacc": (0.5 + 1 + 0.5 + 0) / 4}
    assert metrics["ceiling"]["unmet"]["strict"] == [items[0].id, items[2].id, items[3].id]
    assert metrics["unsatisfiable"] == [items[0].id, items[2].id]
    assert metrics["parity"]["hacc"] is None
    answers.write_text("".join(json.dumps(each) + "\n" for each in [stored[0], *stored[:2]]), encoding="utf-8")
    with pytest.raises(RaifError, match=r"2 missing: gsm8k_single/2, gsm8k_single/3; 1 doubled: gsm8k_single/0"):
        mathif.load(str(data))


def test_a_check_that_the_official_code_draws_is_left_out_and_counted(tmp_path: Path) -> None:
    drawn = ("keywords:frequency", {"keyword": "bar", "frequency": 0, "relation": "at least"}, "Say bar.")
    mathif, items = load(tmp_path, row(1, drawn, NO_COMMA), row(2, drawn, NO_COMMA), row(3, NO_COMMA))
    rollouts = judged(mathif, items, ["bar it is", "bar, it is", "it is"])
    assert [[check.strict for check in r.official] for r in rollouts] == [[None, True], [None, False], [True]]
    assert [r.official_hard for r in rollouts] == [None, False, True]
    metrics = mathif.summarize(items, rollouts)
    assert metrics["parity"]["hacc"] == 0.5
    assert metrics["parity"]["sacc"] == 1
    assert metrics["unscored"]["parity"] == 2
    assert set(metrics["undecided"]) == {items[0].id, items[1].id}
    assert metrics["parity_bounds"]["hacc"] == [1 / 3, 2 / 3]
    record = mathif.item_record(rollouts[0])
    assert record["parity"]["followed"] == [None, True]
    assert record["parity"]["undecided"]
    assert len(record["strict"]["evidence"]) == 2
    assert json.loads(json.dumps(record)) == record


def test_rollouts_read_back_give_the_same_metrics(tmp_path: Path) -> None:
    mathif, items = load(tmp_path, *(row(n, NO_COMMA, QUOTED) for n in range(20)))
    rollouts = judged(mathif, items, ["<think>r", "hm</think>\\boxed{2}, yes", '"\\boxed{3} it is"', "."] * 5)
    again = [EvaluatedRollout.model_validate_json(rollout.model_dump_json()) for rollout in rollouts]
    metrics = mathif.summarize(items, rollouts)
    assert mathif.summarize(items, again) == metrics
    assert json.loads(json.dumps(metrics)) == metrics


def test_rows_that_are_not_of_the_benchmark_are_refused_by_name(tmp_path: Path) -> None:
    for wrong, message in (
        (row(1, ("punctuation:no_coma", None, "")), "did you mean 'punctuation:no_comma'"),
        (row(1, (BAN_TWO[0], {"forbidden_words": 2}, "")), "forbidden_words must be"),
        ({**row(1, NO_COMMA), "constraint_args": []}, "1 names, 0 args"),
        ({**row(1, NO_COMMA), "answer": None}, "answer is null"),
        ({**row(1, NO_COMMA), "question": None}, "no row of mathif"),
        ({"question": "?"}, "has no source, answer"),
    ):
        with pytest.raises(RaifError, match=message) as error:
            load(tmp_path, row(1, NO_COMMA), wrong)
        assert "gsm8k_single.jsonl:2" in str(error.value)
