"""The checks of the IF-RLVR training set on texts of our own; the verdicts are the official code's, faults kept."""

from __future__ import annotations

from typing import Any

import pytest

from rewards.parity import ifeval, iftrain
from rewards.parity.protocol import Variants, judge
from rewards.parity.view import View
from tests.rewards.growth import grows_linearly

Kwargs = dict[str, Any]
OWL = {"phrase": "the old owl slept", "small_n": 2}
SPAN = {"prompt_to_repeat": "Name a river.", "n_start": 5, "n_end": 7}
SIX = {"n_sent": 1, "n_words": 3}

CASES: list[tuple[str, Kwargs, str, bool]] = [
    ("copy:repeat_phrase", OWL, "See the old cat slept and the wise owl slept.", True),
    ("copy:repeat_phrase", OWL, "the old cat slept and the old owl slept", False),
    ("copy:repeat_phrase", OWL, "the old cat slept", False),
    ("copy:repeat_phrase", OWL, "the old cat\nslept, the old cat slept, the odd owl slept", True),
    ("copy:repeat_phrase", OWL, "The old cat slept, the odd owl slept", False),
    ("copy:repeat_phrase", {"phrase": "is it a b?", "small_n": 1}, "is it 1 ", False),  # `b?` may be nothing at all
    ("copy:copy", {"prompt_to_repeat": " Name a river. "}, "name A river.\n", True),
    ("copy:copying_simple", {"prompt_to_repeat": "Straße"}, "STRASSE", False),
    ("copy:copying_multiple", {"prompt_to_repeat": "Hi", "N": 2}, "Hi ****** hi", True),
    ("copy:copying_multiple", {"prompt_to_repeat": "Hi", "N": 2}, "Hi ****** hi ******", False),
    ("new:copy_span_idx", SPAN, "A", True),  # the end is not included, whatever the prompt says
    ("new:copy_span_idx", SPAN, "a r", False),
    ("detectable_format:sentence_hyphens", {}, "It rains.-We stay.", True),
    ("detectable_format:sentence_hyphens", {}, "It rains. - We stay.", False),
    ("detectable_format:sentence_hyphens", {}, "A well-known fact.", False),
    ("detectable_format:sentence_hyphens", {}, "---", True),
    ("detectable_format:square_brackets", {}, "[a] [b]\n[c]", True),
    ("detectable_format:square_brackets", {}, "[two words]", False),
    ("detectable_format:square_brackets", {}, "[", False),
    ("detectable_format:bigram_wrapping", {}, "<<a b>> <<c", True),
    ("detectable_format:bigram_wrapping", {}, "alone", True),
    ("detectable_format:bigram_wrapping", {}, "<<a b", False),
    ("keywords:no_adjacent_consecutive", {}, "apple cat Berry", True),
    ("keywords:no_adjacent_consecutive", {}, "apple Berry", False),
    ("keywords:no_adjacent_consecutive", {}, "1. 2.", False),
    ("keywords:no_adjacent_consecutive", {}, "İzmir a", False),
    ("keywords:word_once", {"keyword": "art"}, "We start.", True),
    ("keywords:word_once", {"keyword": "Été"}, "été, ÉTÉ", False),
    ("keywords:word_count_different_numbers", {"keyword": "a", "frequency": 2, "relation": "less than"}, "A", True),
    ("keywords:exclude_word_harder", {"keyword": "rain"}, "No rain, Rain or rain", True),
    ("keywords:exclude_word_harder", {"keyword": "rain", "instruction": "Say rain."}, "the rain falls", False),
    ("keywords:palindrome", {}, "What a day", True),
    ("keywords:palindrome", {}, "My level. My Level", False),
    ("keywords:keyword_specific_position", {"keyword": ["stone"], "n": 2, "m": 3}, "One. Two, stone.", True),
    ("keywords:keyword_specific_position", {"keyword": "stone", "n": 1, "m": 1}, "Stone.", False),
    ("keywords:keyword_specific_position", {"keyword": "stone", "n": 2, "m": 1}, "stone", False),
    ("keywords:start_end", {}, "Rain and RAIN", True),
    ("keywords:start_end", {}, "Rain and rain.", False),
    ("keywords:start_end", {}, "rain", False),
    ("keywords:start_end", {}, "gonna go gonna", False),  # gon ... na
    ("keywords:start_end", {}, "rain. " + "Rain falls. " * 30 + "'Tis dry Rain", True),
    ("keywords:start_end", {}, "'Rain' " + "Rain falls. " * 30 + "no.", False),
    ("keywords:start_end", {}, "! Stop!", True),
    ("paragraphs:paragraphs", {}, "one\n***\ntwo\n***", True),
    ("paragraphs:paragraphs", {}, "one\n* * *\ntwo", False),
    ("paragraphs:paragraphs2", {}, "one\n\ntwo\n\n", True),
    ("paragraphs:paragraphs2", {}, "one\n\n\n\ntwo", False),
    ("first_word:first_word_sent", {"first_word": ["Rain"]}, "Rain falls. rain stays!", True),
    ("first_word:first_word_sent", {"first_word": "rain"}, "Rain, it falls.", False),
    ("first_word:first_word_sent", {"first_word": "see"}, "See file.txt", False),
    ("first_word:first_word_answer", {"first_word": " Rain "}, "RAIN falls", True),
    ("first_word:first_word_answer", {"first_word": "rain"}, "Rain, it falls", False),
    ("last_word:last_word_sent", {"last_word": "rain"}, 'See the Rain. "No (rain)."', True),
    ("last_word:last_word_sent", {"last_word": ["rain"]}, "See the rain. It falls", False),
    ("last_word:last_word_answer", {"last_word": "its"}, "That is it's!", True),
    ("last_word:last_word_answer", {"last_word": "rain"}, "in the rain )", False),
    ("punctuation:punctuation_dot", {}, "好。…", True),
    ("punctuation:punctuation_dot", {}, "3.5", False),
    ("punctuation:punctuation_exclamation", {}, "好！", True),
    ("punctuation:punctuation_exclamation", {}, "a!", False),
    ("count:lowercase_counting", {"N": 2}, "A don't été B2b", True),  # don and t
    ("count:lowercase_counting", {"N": 1}, "A don't", False),
    ("letters:letter_counting", {"N": 3, "relation": "at least"}, "é a1b C", True),
    ("letters:letter_counting", {"N": 3, "relation": "less than"}, "é a1b C", False),
    ("letters:letter_counting", {"N": 3, "relation": "at most"}, "a", False),  # a relation that upstream ignores
    ("letters:letter_counting2", {"letter": "k", "let_frequency": 1, "let_relation": "at least"}, "\u212a", True),
    ("count:counting_composition", SIX, "We go.\n***\nYou go.\n***\nI go.", True),
    ("count:counting_composition", SIX, "We go.\n* * *\nYou go.\n* * *\nI go.", False),
    ("count:counting_composition", SIX, "We all go.\n***\nYou all go.\n***\nI can go.", False),
    ("count:counting_composition", SIX, "We go.\n***\nYou go.\n***\n", False),
    ("count:count_unique", {}, "Run run, fast.", True),
    ("count:count_unique", {}, "Run. Walk.", False),
    ("count:count_unique", {}, "run or run", False),
    ("count:count_unique", {}, "Wanna see?", True),
    ("count:count_unique", {}, "I cannot see a can", False),  # can not see a can
    ("count:count_increment_word", {"keyword1": "cat", "keyword2": "dog"}, "Cat, dogs and dog", True),
    ("count:count_increment_word", {"keyword1": "cat", "keyword2": "dog"}, "Cat, concat, dog, dog", False),
]


@pytest.mark.parametrize(("name", "kwargs", "text", "expected"), CASES)
def test_verdict(name: str, kwargs: Kwargs, text: str, expected: bool) -> None:
    assert iftrain.SUITE.bind(name, kwargs)(View(text)) is expected


def test_the_registry_holds_ifeval_too() -> None:
    own = {case[0] for case in CASES}
    assert len(own) == 29
    assert set(iftrain.SUITE.checks) == own | set(ifeval.SUITE.checks)
    assert iftrain.SUITE.bind("punctuation:no_comma", {})(View("none"))


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("copy:repeat_phrase", {"phrase": "a b c", "small_n": 0}),
        ("copy:repeat_phrase", {"phrase": "  ", "small_n": 1}),
        ("copy:copy", {"prompt_to_repeat": ""}),
        ("new:copy_span_idx", {**SPAN, "n_start": 0}),
        ("keywords:keyword_specific_position", {"keyword": [], "n": 1, "m": 1}),
        ("first_word:first_word_sent", {"first_word": ""}),
        ("count:lowercase_counting", {"N": 0}),
        ("letters:letter_counting", {"N": 3}),
        ("count:count_increment_word", {"keyword1": "a", "keyword2": "b("}),
        ("keywords:exclude_word_harder", {"instruction": "Say rain."}),
    ],
)
def test_undecided_where_the_official_code_draws_or_crashes(name: str, kwargs: Kwargs) -> None:
    outcome = judge(iftrain.SUITE.bind(name, kwargs), Variants("Some words."))
    assert outcome.strict is outcome.loose is None
    assert outcome.reason


@pytest.mark.parametrize("unit", ["[ ", "<< a", "***", "\n", "a\n\n", "- ", "the ", "the  ", "A", "slept ", "\ud800"])
def test_no_text_takes_quadratic_time(unit: str) -> None:
    kwargs: dict[str, Kwargs] = {name: kwargs for name, kwargs, _, _ in CASES}
    tokenizing = {"keywords:start_end", "count:count_unique"}  # the tokenizer has tests of its own

    def check_all(text: str) -> None:
        view = View(text)
        for name in kwargs.keys() - tokenizing:
            iftrain.SUITE.bind(name, kwargs[name])(view)

    assert grows_linearly(check_all, lambda size: (unit * size)[:size])
