"""The checks of IFEval and MathIF on texts of our own; the verdicts are those of the official code, its faults kept."""

from __future__ import annotations

from typing import Any

import pytest

from rewards.errors import RaifError
from rewards.parity import ifeval, mathif, words
from rewards.parity.protocol import Variants, judge
from rewards.parity.view import View
from tests.rewards.growth import grows_linearly

Kwargs = dict[str, Any]


def at_least(argument: str, number: int, relation: str = "relation") -> Kwargs:
    return {argument: number, relation: "at least"}


CASES: list[tuple[str, Kwargs, str, bool]] = [
    # The keyword is a raw pattern, found inside words too.
    ("keywords:existence", {"keywords": ["art", "moon"]}, "We START on the Moon", True),
    ("keywords:existence", {"keywords": ["art", "moon"]}, "We START at noon", False),
    ("keywords:existence", {"keywords": ["what?"]}, "so wha", True),
    ("keywords:existence", {"keywords": ["(x)"]}, "f of x", True),
    ("keywords:existence", {"keywords": ["$5"]}, "it costs $5", False),
    ("keywords:existence", {"keywords": ["milk"]}, "MIL\u212a", True),  # a Kelvin sign
    ("keywords:existence", {"keywords": ["straße"]}, "STRASSE", False),
    ("keywords:existence", {"keywords": ["北京"]}, "我在北京。", True),
    ("keywords:frequency", {"keyword": " ar ", **at_least("frequency", 3)}, "Art, war and ARK", True),
    ("keywords:frequency", {"keyword": "aa", **at_least("frequency", 3)}, "aaaaa", False),
    ("keywords:frequency", {"keyword": "x^2", "frequency": 1, "relation": "less than"}, "x^2", True),
    ("keywords:forbidden_words", {"forbidden_words": ["key", "key"]}, "a monkey and its keys", True),
    ("keywords:forbidden_words", {"forbidden_words": ["key"]}, "the KEY.", False),
    ("keywords:forbidden_words", {"forbidden_words": ["苹果"]}, "我吃苹果了", True),
    ("keywords:forbidden_words", {"forbidden_words": ["v1.0"]}, "now v1x0 is out", False),
    ("keywords:letter_frequency", {"letter": "E", **at_least("let_frequency", 2, "let_relation")}, "Eel", True),
    ("keywords:letter_frequency", {"letter": "e", **at_least("let_frequency", 1, "let_relation")}, "é", False),
    ("language:response_language", {"language": "de"}, "Das Wetter ist heute schön und wir gehen in den Wald.", True),
    ("language:response_language", {"language": "de"}, "The weather is fine and we walk in the forest today.", False),
    ("language:response_language", {"language": "sw"}, "12345", True),
    ("length_constraints:number_sentences", at_least("num_sentences", 2), "One is here. Two is there.", True),
    ("length_constraints:number_sentences", at_least("num_sentences", 2), "第一句。第二句。", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\none\n***\ntwo\n***", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\n***\ntwo", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 3}, "a ***bold*** word", True),
    ("length_constraints:number_words", at_least("num_words", 7), "Don't stop: it's 1/2.", True),
    ("length_constraints:number_words", at_least("num_words", 2), "天气很好", False),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Rain"},
        "Sun.\n\n'Rain' falls.",
        True,
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "rain"},
        "\n\nSun.\n\nRain falls.",  # the blank paragraph is not counted, but it is indexed
        False,
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "it's"},
        "It's here.",
        False,
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 3}, "[a] x[0] [[]", True),
    ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[a\nb]", False),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "The U.P. S. of it", True),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.S. one", False),
    ("detectable_content:postscript", {"postscript_marker": "PS:"}, "What helps: sleep", True),
    ("detectable_content:postscript", {"postscript_marker": "N.B."}, "nobody", True),
    ("detectable_format:number_bullet_lists", {"num_bullets": 4}, "* a\n\n  - b\n-5\n*it* is\n+ c\n** d", True),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "*\n* a", True),
    ("detectable_format:constrained_response", {}, "Well: My answer is no. Sorry.", True),
    ("detectable_format:constrained_response", {}, "my answer is no.", False),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "***both***", True),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "**bold** and * *", False),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "2 * 3 * 4", True),
    ("detectable_format:multiple_sections", {"section_spliter": "day", "num_sections": 2}, "Monday 12, day3", True),
    ("detectable_format:multiple_sections", {"section_spliter": "Day", "num_sections": 1}, "DAY 1, Day  2", False),
    ("detectable_format:multiple_sections", {"section_spliter": "Q.", "num_sections": 1}, "Qx7", True),
    ("detectable_format:json_format", {}, '```json\n{"a": NaN}\n```', True),
    ("detectable_format:json_format", {}, "7", True),
    ("detectable_format:json_format", {}, "{'a': 1}", False),
    ("detectable_format:json_format", {}, '{"a": 1}\nDone.', False),
    ("detectable_format:title", {}, "1 << 2 and 8 >> 1", True),
    ("detectable_format:title", {}, "<<<>>>\n<< >>\n<<a\nb>>", False),
    ("combination:two_responses", {}, "one******two", True),
    ("combination:two_responses", {}, "one ******\n one", False),
    ("combination:two_responses", {}, "one******\n******two", False),
    ("combination:repeat_prompt", {"prompt_to_repeat": " Say it. "}, "  say IT.Now", True),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, '"Say it."', False),
    ("startend:end_checker", {"end_phrase": "The end"}, '"... bend the end"', True),
    ("startend:end_checker", {"end_phrase": 'the "end"'}, 'This is the "end"', False),
    ("startend:end_checker", {"end_phrase": "The end"}, "**The end**", False),
    ("startend:quotation", {}, ' "a" and "b" ', True),
    ("startend:quotation", {}, "“a”", False),
    ("startend:quotation", {}, '"', False),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 3, "capital_relation": "at least"},
        "I CANNOT go to Rome",  # three tokens: I, CAN, NOT
        True,
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 0, "capital_relation": "less than"},
        "none",
        False,
    ),
    ("change_case:english_capital", {}, "THE WEATHER IS FINE AND WE WALK IN THE FOREST TODAY", True),
    ("change_case:english_capital", {}, "THE WEATHER IS FINE and WE WALK IN THE FOREST TODAY", False),
    ("change_case:english_lowercase", {}, "the weather is fine and we walk in the forest today", True),
    ("change_case:english_lowercase", {}, "12345", False),
    ("punctuation:no_comma", {}, "甲，乙、丙", True),
    ("punctuation:no_comma", {}, "1,000", False),
]


@pytest.mark.parametrize(("name", "kwargs", "text", "expected"), CASES)
def test_verdict(name: str, kwargs: Kwargs, text: str, expected: bool) -> None:
    assert ifeval.SUITE.bind(name, kwargs)(View(text)) is expected


def test_every_instruction_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(ifeval.SUITE.checks)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("keywords:existence", {"keywords": []}),
        ("keywords:existence", {"keywords": ["a(b"]}),  # no regular expression: the official code crashes
        ("keywords:frequency", {"keyword": "", **at_least("frequency", 1)}),
        ("keywords:frequency", {"keyword": "a", **at_least("frequency", -1)}),
        ("keywords:letter_frequency", {"letter": "#", **at_least("let_frequency", 1, "let_relation")}),
        ("keywords:letter_frequency", {"letter": "ab", **at_least("let_frequency", 1, "let_relation")}),
        ("language:response_language", {"language": "zh-cn"}),
        ("length_constraints:number_words", {"num_words": 3}),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"},
        ),
        ("combination:repeat_prompt", {"prompt_to_repeat": ""}),
    ],
)
def test_undecided_where_the_official_code_draws_or_crashes(name: str, kwargs: Kwargs) -> None:
    outcome = judge(ifeval.SUITE.bind(name, kwargs), Variants("Some words."))
    assert outcome.strict is outcome.loose is None
    assert outcome.reason


def test_unknown_relation_is_an_error() -> None:
    with pytest.raises(RaifError, match="less than"):
        ifeval.SUITE.bind("length_constraints:number_words", {"num_words": 3, "relation": "at most"})


def test_mathif_renames_an_id_and_drops_falsy_arguments() -> None:
    assert len(mathif.SUITE.checks) == 15
    name = "length_constraint_checkers:number_words"
    assert mathif.SUITE.bind(name, at_least("num_words", 2))(View("two words"))
    assert judge(mathif.SUITE.bind(name, at_least("num_words", 0)), Variants("two words")).strict is None
    assert ifeval.SUITE.bind("length_constraints:number_words", at_least("num_words", 0))(View("two words"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("snake_case, 3.14", ["snake_case", "3", "14"]),
        ("na\u0308ive cafe\u0301", ["na\u0308ive", "cafe\u0301"]),
        ("10\u00b2 or \u00bd", ["10", "or"]),
        ("\u24b6b \U0001f130", ["\u24b6b", "\U0001f130"]),
        ("हिन्दी \U0001f600 北京", ["हिन्दी", "北京"]),
        ("a\u203fb \ud800c", ["a\u203fb", "c"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words.runs(text) == expected
    assert words.count(text) == len(expected)


@pytest.mark.parametrize("unit", ["[", "<<", "*", "***", "\n", "\n ", "- ", "\"'", "p. ", "Day 1", "\u0301", "\ud800"])
def test_no_text_takes_quadratic_time(unit: str) -> None:
    kwargs: dict[str, Kwargs] = {name: kwargs for name, kwargs, _, _ in CASES}
    external = {"language:response_language", "length_constraints:number_sentences"}
    external |= {name for name in kwargs if name.startswith("change_case:")}  # tokenizers have tests of their own

    def check_all(text: str) -> None:
        view = View(text)
        for name in kwargs.keys() - external:
            ifeval.SUITE.bind(name, kwargs[name])(view)

    assert grows_linearly(check_all, lambda size: (unit * size)[:size])
