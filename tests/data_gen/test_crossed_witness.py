"""Witnesses for MathIF's rows: every judge asked again on its own, and every row that cannot be met reported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from data_gen.__main__ import main
from data_gen.crossed import Demand, Task, find_witness, read_tasks, witness_file
from data_gen.crossed.statements import sentence_bank
from rewards.constraint import Context, Status
from rewards.errors import RaifError
from rewards.math_answer import MathVerifier
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.ifeval import LANGUAGES
from rewards.parity.view import View
from rewards.response import Response

QUESTION = "A baker fills 3 trays with 14 rolls each, and sells 9 rolls. How many rolls are left?"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "keywords:existence": {"keywords": ["bar", "root"]},
    "keywords:frequency": {"keyword": "than", "frequency": 3, "relation": "at least"},
    "keywords:forbidden_words": {"forbidden_words": ["answer", "final"]},
    "language:response_language": {"language": "kn"},
    "length_constraint_checkers:number_words": {"num_words": 1000, "relation": "at least"},
    "detectable_format:number_bullet_lists": {"num_bullets": 5},
    "detectable_format:number_highlighted_sections": {"num_highlights": 4},
    "detectable_format:multiple_sections": {"section_spliter": "SECTION", "num_sections": 5},
    "combination:repeat_prompt": {"prompt_to_repeat": QUESTION},
    "startend:end_checker": {"end_phrase": "Any more questions?"},
    "startend:quotation": {},
    "change_case:capital_word_frequency": {"capital_frequency": 20, "capital_relation": "at least"},
    "change_case:english_capital": {},
    "change_case:english_lowercase": {},
    "punctuation:no_comma": {},
}


def met(question: str, answer: str, names: list[str], arguments: list[Any], text: str) -> tuple[bool, bool, bool]:
    """Ask all three judges: the official checks, the strict constraints, the grader."""
    checks, view = suite("mathif"), View(text)
    parity = [checks.bind(name, given or {})(view) for name, given in zip(names, arguments, strict=True)]
    strict = [
        constraint.check(Response(None, text), Context(request=question)).status
        for name, given in zip(names, arguments, strict=True)
        for constraint in strict_constraints("mathif", name, given or {}, question)
    ]
    right = MathVerifier(deadline=600, seconds_per_item=60).judge([(answer, text)])
    return all(parity), all(status is Status.SATISFIED for status in strict), right == [True]


def row(*names: str, question: str = QUESTION, answer: str = "33", **changed: Any) -> dict[str, Any]:
    return {
        "source": "test",
        "id": "not-unique",
        "question": question,
        "answer": answer,
        "constraint_desc": ["Do it."] * len(names),
        "constraint_name": list(names),
        "constraint_args": [ARGUMENTS[name] or None for name in names],
        **changed,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(json.dumps(each) for each in rows) + "\n\n", encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
@pytest.mark.parametrize("answer", ["33", "\\frac{3}{4}", "-\\sqrt{3}"])
def test_every_id_has_a_witness(name: str, answer: str) -> None:
    found = find_witness(Task(QUESTION, answer, (Demand(name, ARGUMENTS[name]),)))
    assert found.verdicts.perfect
    assert met(QUESTION, answer, [name], [ARGUMENTS[name]], found.text) == (True, True, True)


@pytest.mark.parametrize(
    "names",
    [
        ("change_case:english_capital", "punctuation:no_comma", "startend:quotation"),
        ("detectable_format:number_bullet_lists", "startend:quotation"),
        ("combination:repeat_prompt", "length_constraint_checkers:number_words", "keywords:forbidden_words"),
        ("change_case:capital_word_frequency", "length_constraint_checkers:number_words", "keywords:frequency"),
        ("language:response_language", "detectable_format:number_bullet_lists", "startend:quotation"),
        ("change_case:english_lowercase", "keywords:existence", "startend:end_checker"),
    ],
)
def test_constraints_are_met_together(names: tuple[str, ...]) -> None:
    found = find_witness(Task(QUESTION, "33", tuple(Demand(name, ARGUMENTS[name]) for name in names)))
    assert met(QUESTION, "33", list(names), [ARGUMENTS[name] for name in names], found.text) == (True, True, True)


def test_a_word_in_capitals_is_whatever_the_official_check_takes_for_one() -> None:
    few = Demand("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "less than"})
    long = Demand("length_constraint_checkers:number_words", {"num_words": 700, "relation": "at least"})
    assert find_witness(Task(QUESTION, "33", (few, long))).verdicts.perfect  # fillers such as "A reader ..." repeat


def test_a_list_of_values_without_commas_and_an_answer_in_capitals() -> None:
    task = Task("Which roots?", "$\\sqrt{2}$,$\\frac{3}{7}$", (Demand("punctuation:no_comma"),))
    assert find_witness(task).verdicts.perfect
    named = Task("Which curve?", "\\text{ellipse}", (Demand("change_case:english_capital"),))
    assert find_witness(named).verdicts.perfect


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"en"}))
def test_there_are_sentences_in_every_language_of_the_benchmark(language: str) -> None:
    demands = (Demand("language:response_language", {"language": language}), Demand("punctuation:no_comma"))
    assert find_witness(Task(QUESTION, "33", demands)).verdicts.perfect
    assert "{answer}" in sentence_bank()[language][-1]


def test_the_file_answers_every_row_and_names_those_that_are_not_met(tmp_path: Path) -> None:
    data = write(
        tmp_path / "data" / "gsm8k_double.jsonl",
        row("startend:quotation"),
        row("combination:repeat_prompt", "punctuation:no_comma"),
        row("change_case:english_capital", "change_case:english_lowercase"),
        row("punctuation:no_comma", answer="?"),
    ).parent
    write(data / "old.jsonl", {"id": "gsm8k_double/0", "response": "stored earlier"})
    (data / "zero_none.jsonl").write_text(json.dumps(row()) + "\n")
    out = data / "witnesses.jsonl"
    counts = witness_file(read_tasks(data), out, lambda done: None)
    assert counts == {"rows": 5, "parity": 3, "strict": 3, "correct": 4, "all": 2}
    witnesses = read(out)
    assert [(each["id"], each["met"]) for each in witnesses] == [
        ("gsm8k_double/0", True),
        ("gsm8k_double/1", False),
        ("gsm8k_double/2", False),
        ("gsm8k_double/3", False),
        ("zero_none/0", True),
    ]
    assert all(each["response"] for each in witnesses)
    unmet = {each["id"]: each for each in read(data / "unmet.jsonl")}
    assert [(id, each["impossible"]) for id, each in unmet.items()] == [
        ("gsm8k_double/1", True),
        ("gsm8k_double/2", False),
        ("gsm8k_double/3", False),
    ]
    assert unmet["gsm8k_double/1"]["reason"].startswith("punctuation:no_comma fails on any text that follows")
    assert unmet["gsm8k_double/2"]["parity"]
    assert "no response found that the parity profile accepts" in unmet["gsm8k_double/2"]["reason"]
    assert (unmet["gsm8k_double/3"]["parity"], unmet["gsm8k_double/3"]["correct"]) == ([], False)
    assert len(read_tasks(data)) == 5  # what was written beside the data is no data
    first = out.read_bytes()
    witness_file(read_tasks(data), out, lambda done: None)
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": None}, "question and answer must be texts"),
        ({"question": " "}, "question and answer must be texts"),
        ({"constraint_args": []}, "lists of one length"),
        ({"constraint_args": ["x"]}, "must hold mappings or null"),
        ({"constraint_name": ["startend:quote"]}, "did you mean 'startend:quotation'"),
        ({"constraint_args": [{"words": 3}]}, "takes no arguments; got words"),
    ],
)
def test_a_row_in_bad_shape_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "bad_single.jsonl", row("startend:quotation"), row("startend:quotation", **change))
    with pytest.raises(RaifError, match=message) as raised:
        read_tasks(path)
    assert "bad_single.jsonl:3" in str(raised.value)


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"holds no \.jsonl file"):
        read_tasks(tmp_path)
    with pytest.raises(RaifError, match="no benchmark files at"):
        read_tasks(tmp_path / "missing.jsonl")
    write(tmp_path / "responses.jsonl", {"id": "a", "response": "b"})
    with pytest.raises(RaifError, match="holds no rows with question"):
        read_tasks(tmp_path)
    write(tmp_path / "a.jsonl", {"question": "What?", "answer": "3"})
    with pytest.raises(RaifError, match="has no constraint_name, constraint_args"):
        read_tasks(tmp_path)


def test_the_benchmark_has_a_ceiling_of_416(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = shared_dir / "data" / "mathif", tmp_path / "witnesses.jsonl"
    monkeypatch.setattr(sys, "argv", ["data_gen", "mathif-witness", "--data", str(data), "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, None)
    assert "420 rows; met: parity 416, strict 416, correct 420, all 416" in capsys.readouterr().err
    responses = {each["id"]: each["response"] for each in read(out)}
    outcomes = []
    for file in sorted(data.glob("*.jsonl")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        for index, line in enumerate(lines):
            r = json.loads(line)
            text = responses.pop(f"{file.stem}/{index}")
            outcomes.append(met(r["question"], r["answer"], r["constraint_name"], r["constraint_args"], text))
    assert not responses
    assert [sum(column) for column in zip(*outcomes, strict=True)] == [416, 416, 420]
    unmet = read(tmp_path / "unmet.jsonl")
    expected = ["gsm8k_double/21", "math500_double/21", "minerva_double/21", "olympiad_double/21"]
    assert [each["id"] for each in unmet if each["impossible"]] == [each["id"] for each in unmet] == expected
