"""Prompts are read back: every wording of every type, in sentences and inside others, and texts meant to mislead."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.conditions import draw_conditions
from data_gen.phrasing.leaves import inline
from data_gen.phrasing_banks import STOPS, bank
from data_gen.recover import compare, recover, recovered_exactly
from data_gen.seeds import Seed
from rewards import And, Constraint, Instruction, Leaf, Provenance, parse_constraint
from rewards.constraint import known_constraints
from rewards.errors import RaifError
from rewards.scope import scope_prefix

KNOWN = known_constraints()
SCOPES = ("answer", "answer", "paragraph(2)", "line(-1)", "section(-3)", "thinking", "whole")
COMMA = {"en": ", ", "zh": "，"}
SEVERAL_SENTENCES = re.compile(r"[.!?:;][\"”)]*\s|[。！？：；]")
AROUND_SENTENCES = {
    "en": (
        "{}",
        "Describe a pond. {} Now go ahead.",
        "Rules:\n- Be brief.\n- {}\n- Be kind.",
        "{}\n\nTask: describe it.",
    ),
    "zh": (
        "{}",
        "请介绍小岛。{}就这些，请开始回答。",
        "要求：\n1. 简短些。\n2. {}\n3. 温和些。",
        "{}\n\n任务：介绍小岛。",
    ),
}
AROUND_CLAUSES = {
    "en": (
        "If the task asks for a number, {}; otherwise, be brief.",
        "First, {}. Then be brief.",
        "Should it turn out that you write at least 60 words, be brief, {}, and be kind.",
        "When no calculation is needed, be brief and {}. If not, be kind.",
        "In case c, do all of this: (1) be kind, (2) {}, and (3) be brief.",
    ),
    "zh": (
        "如果这是一道计算题，{}；否则，写得短些。",
        "先{}，然后写得短些。",
        "若回答至少有5句话，则写得短些，{}，并且语气温和。",
        "要是需要得出一个数值结果，写得短些，并且{}。",
        "当题目本身至少有20个词时，同时做到：（1）语气温和，（2）{}，（3）写得短些。",
    ),
}


def drawn(kind: str, language: str, rng: Random) -> Constraint:
    return KNOWN[kind].model_validate(KNOWN[kind].draw(rng, language))


def said_with(constraint: Constraint, wording: str, language: str) -> str:
    said = wording.format_map(constraint.slots(language))
    return said if said[-1:] in '.!?。！？"”`' else said + STOPS[language]


def ends_in_its_own_stop(constraint: Constraint, wording: str, language: str) -> bool:
    """Tell whether a wording ends with an argument that ends in a stop, which might be that of the sentence."""
    filled = wording.format_map(constraint.slots(language))
    return wording.endswith("}") and not wording.endswith("{extra}") and filled.endswith(STOPS[language])


def found(text: str, language: str, request: str | None = None) -> list[Constraint]:
    return [each.constraint for each in recover(text, language, request)]


def instruction(prompt: str, *rules: dict[str, object], language: str = "en") -> Instruction:
    tree = And(parts=tuple(Leaf(constraint=rule) for rule in rules))
    source = Provenance(seed_set="test", seed_id="0")
    return Instruction.build(
        request="Name a river.", prompt=prompt, language=language, split="train", tree=tree, source=source
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("family", sorted({kind.partition(":")[0] for kind in KNOWN}))
def test_every_wording_of_every_type_is_read_back(family: str, language: str) -> None:
    for kind in (kind for kind in KNOWN if kind.startswith(family + ":")):
        for wording in bank(kind, language):
            rng = Random(f"{kind} {language} {wording}")
            constraint = drawn(kind, language, rng)
            said = said_with(constraint, wording, language)
            if ends_in_its_own_stop(constraint, wording, language):
                continue
            scope = rng.choice(SCOPES)
            place = scope_prefix(scope, language)
            scoped = constraint.model_copy(update={"scope": scope})
            clause = inline(said, language)
            whole = f"{place}{COMMA[language]}{clause}{STOPS[language]}" if place else said
            texts = [rng.choice(AROUND_SENTENCES[language]).format(whole)]
            if not SEVERAL_SENTENCES.search(wording[:-1]):
                inside = inline(f"{place}{COMMA[language]}{clause}", language) if place else clause
                texts.append(rng.choice(AROUND_CLAUSES[language]).format(inside))
            for text in texts:
                assert found(text, language, getattr(constraint, "request", None)) == [scoped], text


@given(st.integers(0, 10**9), st.sampled_from(["en", "zh"]))
def test_demands_next_to_each_other_are_all_read_back(number: int, language: str) -> None:
    rng = Random(number)
    wanted, sentences = [], []
    while len(wanted) < 4:
        kind = rng.choice(list(KNOWN))
        constraint, wording = drawn(kind, language, rng), rng.choice(bank(kind, language))
        if kind != "affix:repeat_request" and not ends_in_its_own_stop(constraint, wording, language):
            wanted.append(constraint)
            sentences.append(said_with(constraint, wording, language))
    assert found((" " if language == "en" else "").join(sentences), language) == wanted


def test_places_and_wordings_are_told() -> None:
    text = "Name a river. In paragraph 2, use at most 9 words; whatever."
    (only,) = recover(text, "en")
    assert only.constraint == parse_constraint({"type": "length:max_words", "limit": 9, "scope": "paragraph(2)"})
    assert text[only.begin : only.end] == "In paragraph 2, use at most 9 words"
    assert only.wording == "Use at most {limit} word{s}."


@pytest.mark.parametrize(
    ("kind", "argument", "text"),
    [
        ("copying:exact", "text", "Do not use any commas."),
        ("copying:exact", "text", 'He said "hi". Use at most 9 words. Do not use any commas. Then "no".'),
        ("copying:include", "text", 'Use the word "tea" exactly 3 times.'),
        ("affix:end_phrase", "phrase", "In line 2, use at most 9 words."),
    ],
)
def test_a_wording_inside_an_argument_is_no_demand(kind: str, argument: str, text: str) -> None:
    constraint = parse_constraint({"type": kind, argument: text})
    for wording in bank(kind, "en"):
        said = said_with(constraint, wording, "en")
        assert found(f"Name a river. {said} Avoid every kind of dash.", "en")[:1] == [constraint], said


def test_a_chinese_wording_inside_an_argument_is_no_demand() -> None:
    text = "他说“好”。最多使用9个字。不要使用逗号。"
    constraint = parse_constraint({"type": "copying:exact", "text": text})
    for wording in bank("copying:exact", "zh"):
        assert found(f"请介绍小岛。{said_with(constraint, wording, 'zh')}", "zh") == [constraint]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_conditions_are_no_demands(language: str) -> None:
    seed = Seed("test", "0", language, "Name a river.", None, {})
    rule = parse_constraint({"type": "length:max_words", "limit": 9})
    said = inline(rule.describe(language), language)
    pattern = "If {}, {}." if language == "en" else "如果{}，{}。"
    for number in range(300):
        for condition in draw_conditions(seed, 3, Random(number)):
            text = pattern.format(condition.text, said)
            assert found(text, language) == [rule], text


def test_a_changed_number_is_missing_and_extra() -> None:
    rule, other = ({"type": "length:max_words", "limit": limit} for limit in (9, 90))
    difference = compare(instruction("Name a river. Use at most 90 words.", rule))
    assert difference == ((parse_constraint(rule),), (parse_constraint(other),))


def test_a_demand_left_out_is_missing_and_one_too_many_is_extra() -> None:
    rule, other = {"type": "length:max_words", "limit": 9}, {"type": "punctuation:no_comma"}
    once = "Name a river. Use at most 9 words."
    assert compare(instruction(once, rule, other)) == ((parse_constraint(other),), ())
    assert compare(instruction(once, rule, rule)) == ((parse_constraint(rule),), ())
    assert compare(instruction(f"{once} Do not use any commas.", rule)) == ((), (parse_constraint(other),))
    assert compare(instruction(f"{once} {once}", rule, rule)) == ((), ())


def test_another_scope_is_another_demand() -> None:
    prompt = "Name a river. In paragraph 2, use at most 9 words."
    assert recovered_exactly(instruction(prompt, {"type": "length:max_words", "limit": 9, "scope": "paragraph(2)"}))
    assert not recovered_exactly(instruction(prompt, {"type": "length:max_words", "limit": 9, "scope": "paragraph(1)"}))
    assert not recovered_exactly(instruction(prompt, {"type": "length:max_words", "limit": 9}))


def test_soft_demands_are_left_to_the_judge() -> None:
    soft = {"type": "judge:question", "question": "Is it kind?", "demand": "Be kind."}
    assert recovered_exactly(
        instruction("Name a river. Be kind. Use at most 9 words.", soft, {"type": "length:max_words", "limit": 9})
    )


def test_the_request_to_be_repeated_is_the_rest_of_the_prompt() -> None:
    text = "Name a river and say where it flows. First repeat the request word for word, then give your answer."
    (only,) = found(text, "en")
    assert only == parse_constraint({"type": "affix:repeat_request", "request": "Name a river and say where it flows."})
    assert found(text, "en", "Name it.") == [parse_constraint({"type": "affix:repeat_request", "request": "Name it."})]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "Name a river.", "Use at most many words.", "If at least 5 sentences."]
)
def test_texts_without_demands_hold_none(text: str) -> None:
    assert found(text, "en") == found(text, "zh") == []


def test_a_language_without_wordings_is_named() -> None:
    with pytest.raises(RaifError, match="xx"):
        recover("Name a river.", "xx")
