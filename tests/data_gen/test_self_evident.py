"""Self-evident constraints on texts: what is read, what the gates refuse, how one is chosen, worded and placed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.self_evident import (
    GATES,
    TEXT_GROUPS,
    Candidate,
    Said,
    Solved,
    constraint_of,
    extract,
    instructions_from_outputs,
    parse,
    render,
)
from data_gen.self_evident.gates import Judge, Source
from data_gen.self_evident.leaks import gold_tokens, leaks
from data_gen.self_evident.wordings import wordings
from rewards import Context, Instruction, MathAnswer, QaAnswer, RaifError, Response, Status
from rewards.text import han_share
from tests.rewards.growth import grows_linearly

REQUEST = "Tom has 12 apples. He eats 3 and buys 8. How many apples does he have?"
OUTPUT = (
    "Tom starts with 12 apples and eats 3 of them which leaves 9 apples.\n"
    "Then he buys 8 more apples so Tom has 17 apples.\nAnswer: 17"
)
REQUEST_ZH = "小明有12个苹果，他吃了3个，又买了8个。现在他有多少个苹果？"
OUTPUT_ZH = "小明原来有12个苹果，吃掉3个以后还剩9个苹果。\n后来他又买了8个苹果，所以现在一共有17个苹果。\n答案：17"
CODE = (
    "```python\ndef total(values):\n    result = 0\n    for n in values:\n        result += n\n    return result\n```"
)
CASES = [(REQUEST, OUTPUT, "en"), (REQUEST_ZH, OUTPUT_ZH, "zh")]
#: Arguments for each slot that a family may have.
VALUES: dict[str, list[int | str]] = {
    "low": [1, 30], "high": [40, 650], "count": [1, 7], "limit": [1, 60], "times": [2, 9],
    "word": ["apple", "don't", "well-known", "苹果"], "phrase": ["A:", "So the answer is $", "答案："],
    "script": ["latin", "han"], "name": ["total", "best_so_far"],
}  # fmt: skip
SLOT = re.compile(r"\{(\w+)\}")


def found(request: str = REQUEST, output: str = OUTPUT, gold: str = "17", language: str = "en") -> list[Candidate]:
    return extract(request, output, MathAnswer(value=gold), language)


def families(candidates: list[Candidate]) -> set[str]:
    return {each.family for each in candidates}


def instances(name: str) -> list[Said]:
    slots = [each for each in dict.fromkeys(SLOT.findall(wordings()[name].en[0])) if each != "s"]
    return [Said(name, {slot: VALUES[slot][n % len(VALUES[slot])] for slot in slots}) for n in range(4)]


@pytest.mark.parametrize("name", list(wordings()))
def test_what_is_rendered_reads_back(name: str) -> None:
    for said in instances(name):
        for language in ("en", "zh"):
            sentences = [render(said, language, wording) for wording in range(3)]
            assert len(set(sentences)) == 3
            for sentence in sentences:
                assert parse(sentence, language) == said
                assert "{" not in sentence
                assert sentence[-1] == ("。" if language == "zh" else ".")
        constraint = constraint_of(said)
        assert constraint == constraint_of(Said(*said))
    assert parse("Be kind.", "en") is None


def test_english_and_chinese_wordings_have_the_same_slots() -> None:
    for name, family in wordings().items():
        slots = {frozenset(SLOT.findall(text)) - {"s"} for text in (*family.en, *family.zh)}
        assert len(slots) == 1, name
        assert family.group in (*TEXT_GROUPS, "identifiers", "control_flow", "prohibitions")


@pytest.mark.parametrize(("request_text", "output", "language"), CASES)
def test_every_candidate_holds_on_its_witness(request_text: str, output: str, language: str) -> None:
    candidates = found(request_text, output, language=language)
    context = Context(request_text, language)
    assert len(candidates) >= 15
    assert {each.group for each in candidates} == set(TEXT_GROUPS)
    for each in candidates:
        assert each.constraint.check(Response(None, output), context).status is Status.SATISFIED
        said = parse(each.text(language, 2), language)
        assert said is not None
        assert constraint_of(said) == each.constraint
        if language == "zh":
            assert han_share(re.sub(r"[a-z]", "", each.text("zh"))) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["en", "zh"]))
def test_whatever_the_text_only_what_holds_is_read(output: str, language: str) -> None:
    for each in extract("Say something.", output, None, language):
        assert each.constraint.check(Response(None, output), Context()).status is Status.SATISFIED


HOSTILE = {
    "blanks": " " * 50_000 + "x",
    "bars": "|" * 30_000,
    "dashes": "| --" * 10_000 + "x",
    "stars": "**a" * 15_000,
    "digits": "1. " * 15_000,
    "letters": "a" * 50_000,
    "Han": "苹果" * 20_000,
    "quotes": '"A" ' * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    def read(text: str) -> None:
        extract(REQUEST, text, MathAnswer(value="17"), "zh" if name == "Han" else "en")

    assert grows_linearly(read, lambda size: HOSTILE[name][-size:], len(HOSTILE[name]))


def test_the_arguments_are_those_of_the_text() -> None:
    texts = {each.text() for each in found()}
    assert 'Use the word "apples" at least 4 times.' in texts
    assert 'The first word of your answer must be "Tom".' in texts
    assert 'Begin the last line of your answer with "Answer:".' in texts
    assert {"Do not use any commas.", "Write exactly 3 lines, not counting blank ones."} <= texts
    assert "no_colon" not in families(found())


def test_lengths_are_counted_in_the_unit_of_the_script() -> None:
    assert "characters_between" in families(found(REQUEST_ZH, OUTPUT_ZH, language="zh"))
    mixed = "小明有 seventeen apples in a basket 在桌上。"
    assert not families(found(output=mixed)) & {"words_between", "characters_between"}


@pytest.mark.parametrize(
    ("gold", "family", "slots", "leaking"),
    [
        ("4", "exact_sentences", {"count": 4}, True),
        ("4", "exact_sentences", {"count": 5}, False),
        ("1,200", "at_most_words", {"limit": 1200}, True),
        ("4", "contains", {"word": "four"}, True),
        ("三", "contains", {"word": "3"}, True),
        ("\\frac{1}{3}", "exact_lines", {"count": 3}, True),
        ("Paris", "contains", {"word": "parisian"}, True),
        ("x", "contains", {"word": "box"}, False),
        ("北京", "first_word", {"word": "北京市"}, True),
        ("latin", "script_share", {"script": "latin"}, False),
    ],
)
def test_arguments_that_give_the_answer_away(
    gold: str, family: str, slots: dict[str, int | str], leaking: bool
) -> None:
    assert leaks(Said(family, slots), gold_tokens(MathAnswer(value=gold))) is leaking


def test_the_leak_gate_refuses_a_count_that_is_the_answer() -> None:
    output = "Two and two. We add. We look. So it is 4."
    refused: Counter[str] = Counter()
    kept = extract("What is 2 + 2?", output, MathAnswer(value="4"), "en", rejected=refused)
    assert "exact_sentences" not in families(kept)
    assert refused["leak"] >= 1
    assert "exact_sentences" in families(extract("What is 2 + 2?", output, MathAnswer(value="9"), "en"))


@pytest.mark.parametrize(
    ("addition", "family"),
    [
        ("Answer in at most 80 words.", "words_between"),
        ("Do not use commas.", "no_comma"),
        ("Write without bullet points.", "no_list"),
        ('Use the word "apples".', "contains_times"),
        ("Begin your answer with a name.", "first_word"),
        ("Use three sentences.", "exact_sentences"),
    ],
)
def test_what_the_request_demands_is_not_demanded_again(addition: str, family: str) -> None:
    assert family in families(found())
    refused: Counter[str] = Counter()
    kept = extract(f"{REQUEST} {addition}", OUTPUT, MathAnswer(value="17"), "en", rejected=refused)
    assert family not in families(kept)
    assert refused["demanded"] >= 1


def test_known_constraints_of_the_request_are_not_demanded_again() -> None:
    demanded = [constraint_of(Said("no_comma", {}))]
    kept = extract(REQUEST, OUTPUT, MathAnswer(value="17"), "en", demanded=demanded)
    assert "no_comma" not in families(kept)


@pytest.mark.parametrize(
    ("gold", "outlawed"),
    [
        ("(3,4)", "no_comma"),
        ("3:4", "no_colon"),
        ("USA", "no_capital_words"),
        ("Paris", "all_lower"),
        ("北京", "one_script"),
    ],
)
def test_no_demand_outlaws_the_form_of_the_answer(gold: str, outlawed: str) -> None:
    output = "we look at the map and the pair and see that it is this one here"
    free = extract("Which one?", output, QaAnswer(values=("this one",)), "en")
    refused: Counter[str] = Counter()
    kept = extract("Which one?", output, QaAnswer(values=(gold,)), "en", rejected=refused)
    assert outlawed in families(free)
    assert outlawed not in families(kept)
    assert refused["scorer"] >= 1


def test_a_line_break_of_another_system_does_not_count_as_unstable() -> None:
    assert families(found(output=OUTPUT.replace("\n", "\r\n"))) == families(found())


def test_what_blank_space_decides_is_unstable() -> None:
    judge = Judge(Source("Go.", "one  \ntwo\n\n\n\nthree\n", None, "en"))
    assert {each.answer for each in judge.edited} == {
        "one  \ntwo\n\n\n\nthree",
        "one\ntwo\n\n\n\nthree\n",
        "one  \ntwo\n\nthree\n",
        "one  \ntwo\n\n\n\nthree\n\n",
    }
    said = Said("first_word", {"word": "one"})
    assert judge.refusal(said) == ""
    judge.edited.append(Response(None, "so one two three"))
    assert judge.refusal(said) == "stability"


def test_gates_and_reasons_are_known() -> None:
    refused: Counter[str] = Counter()
    extract(
        "In 3 words: what is 2 + 2? Use commas.", "It is 4.\n\n\n\nFour.", MathAnswer(value="4"), "en", rejected=refused
    )
    assert refused
    assert set(refused) <= set(GATES)


def test_tightness_needs_enough_other_outputs() -> None:
    others = [Response(None, f"The sum is {n}.") for n in range(40)]
    labelled = extract(REQUEST, OUTPUT, MathAnswer(value="17"), "en", others=others)
    by_family = {each.family: each.tightness for each in labelled}
    assert by_family["exact_lines"] == by_family["first_word"] == "tight"
    assert by_family["no_comma"] == by_family["no_list"] == "inert"
    assert {each.tightness for each in found()} == {"unknown"}
    assert {each.base_rate for each in extract(REQUEST, OUTPUT, None, "en", others=others[:29])} == {None}


def test_words_of_the_request_are_marked() -> None:
    marked = {each.slots["word"]: each.in_request for each in found() if each.family == "contains"}
    assert marked["apples"] is True
    assert marked["starts"] is False


def rows() -> list[Solved]:
    pairs = [(request, output, language) for request, output, language in CASES]
    return [
        Solved(f"{n}", f"{request} ({n})", output, MathAnswer(value="17"), language, "ours", "CC0-1.0")
        for n, (request, output, language) in enumerate(pairs * 8)
    ]


def test_outputs_become_training_instructions() -> None:
    rejected: Counter[str] = Counter()
    made = list(instructions_from_outputs(rows(), constraints=3, seed=5, rejected=rejected))
    assert len(made) == 16
    for one in made:
        assert one.witness is not None
        assert one.evaluate(Response(None, one.witness)).hard is True
        assert Instruction.model_validate_json(one.model_dump_json()) == one
        assert [each.path for each in one.sub_instructions] == ["and.0", "and.1", "and.2"]
        assert all(each.text in one.prompt_text for each in one.sub_instructions)
        assert (one.source.seed_set, one.source.licence, one.source.generator) == ("ours", "CC0-1.0", "self_evident")
        assert one.answer == MathAnswer(value="17")
    assert len({each.type for one in made for each in one.constraints}) > 10


def test_rows_left_out_are_counted() -> None:
    rejected: Counter[str] = Counter()
    first, second, *_ = rows()
    given_rows = [first, first, second._replace(truncated=True), second._replace(output="")]
    made = list(instructions_from_outputs(given_rows, constraints=1, rejected=rejected))
    assert [one.source.seed_id for one in made] == ["0"]
    assert (rejected["duplicate"], rejected["truncated"], rejected["too_few"]) == (1, 1, 1)
    with pytest.raises(RaifError, match="at least 1"):
        list(instructions_from_outputs(rows(), constraints=0))


def test_inert_constraints_are_not_trained_on() -> None:
    others = [Response(None, f"The sum is {n}.") for n in range(40)]
    rejected: Counter[str] = Counter()
    made = list(instructions_from_outputs(rows()[:1], constraints=2, others=others, rejected=rejected))
    assert rejected["inert"] > 3
    types = {each.type for each in made[0].constraints}
    assert not types & {"punctuation:no_comma", "punctuation:no_question", "layout:no_code"}


_PROGRAM = """
import json, sys
from data_gen.self_evident import Solved, extract, instructions_from_outputs, ordered, place, placebo
from rewards import CodeAnswer, MathAnswer

for request, output, language in json.loads(sys.argv[1]):
    answer = CodeAnswer(tests="assert f()") if "```" in output else MathAnswer(value="17")
    rows = [Solved(f"{n}", f"{request} ({n})", output, answer, language, "ours") for n in range(9)]
    for instruction in instructions_from_outputs(rows, constraints=4, seed="s"):
        print(ascii(instruction.model_dump_json()))
    texts = [each.text(language, 1) for each in ordered(extract(request, output, answer, language), "item", 9)]
    print(ascii(place(request, texts, language, "stepwise")), ascii([placebo(text, language, "k") for text in texts]))
"""


def test_another_process_makes_the_same_bytes() -> None:
    runs = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, json.dumps([*CASES, ("Add up a list.", CODE, "en")])],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert runs.pop().count(b"\n") == 30


def test_lists_and_headings_are_counted() -> None:
    output = "# Start\nWe have:\n- one pear\n- two plums\n\n# End\n1. eat\n2. rest\n3. sleep"
    texts = {each.text() for each in found(output=output)}
    assert "Use exactly 2 markdown headings." in texts
    assert "Use exactly 2 bullet points, no two alike." in texts
    assert "Include one numbered list of exactly 3 items, no two alike." in texts
    assert not families(found(output=output)) & {"no_list"}
