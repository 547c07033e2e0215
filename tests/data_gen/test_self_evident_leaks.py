"""What no self-evident constraint may say: the right answer, in whatever form, and what its checker does not check."""

from __future__ import annotations

import re

import pytest

from data_gen.self_evident import Candidate, Said, extract, render
from data_gen.self_evident.leaks import gold_tokens, leaks
from rewards import CodeAnswer, MathAnswer, QaAnswer
from rewards.task_answer import TaskAnswer

QUESTION = "How many are left?"


def number(value: str) -> TaskAnswer:
    return MathAnswer(value=value)


def name(value: str) -> TaskAnswer:
    return QaAnswer(values=(value,))


@pytest.mark.parametrize(
    ("answer", "word", "leaking"),
    [
        (number("25"), "twenty-five", True),
        (number("20"), "twenty", True),
        (number("30"), "thirtieth", True),
        (number("5"), "fifth", True),
        (number("\\frac{1}{4}"), "quarter", True),
        (number("2"), "twice", True),
        (number("0"), "nothing", True),
        (number("\\frac{\\pi}{2}"), "π", True),
        (number("2"), "apples", False),
        (number("\\text{left}"), "leftover", True),
        (name("American"), "america", True),
        (name("Germany"), "German", True),
        (name("Italy"), "Italians", True),
        (name("José"), "jose", True),
        (name("Jose"), "José", True),
        (name("北京市"), "北京", True),
        (name("北京"), "北方", False),
        (name("Kelkinland"), "Kelkaland", False),
        (name("The Beatles"), "therefore", False),
        (name("yes"), "Yes", True),
    ],
)
def test_no_word_tells_the_answer(answer: TaskAnswer, word: str, leaking: bool) -> None:
    assert leaks(Said("contains", {"word": word}), gold_tokens(answer)) is leaking


@pytest.mark.parametrize("value", ["1,000", "1{,}000", "1\\,000", "1000"])
def test_thousands_are_one_number_however_they_are_written(value: str) -> None:
    assert leaks(Said("at_most_words", {"limit": 1000}), gold_tokens(number(value)))


def test_a_number_that_a_sentence_always_says_is_none_if_it_is_the_answer() -> None:
    said = Said("script_share", {"script": "latin"})
    assert "90" in render(said, "en")
    assert leaks(said, gold_tokens(number("90")))
    assert not leaks(said, gold_tokens(number("9000")))


@pytest.mark.parametrize(
    ("last", "phrase"),
    [
        ("The answer is -5.", "The answer is"),
        ("The answer is (5, 6).", "The answer is"),
        ("It is π/2.", "It is π"),
        ("A: .5", "A:"),
        ("About ≈ 5", "About"),
        ("Answer: 5", "Answer:"),
    ],
)
def test_the_beginning_of_the_last_line_ends_before_the_sign_of_the_answer(last: str, phrase: str) -> None:
    found = extract(QUESTION, f"We add.\n{last}", number("77"), "en")
    assert [each.slots["phrase"] for each in found if each.family == "last_line"] == [phrase]


def test_names_are_said_with_their_capitals() -> None:
    found = extract(QUESTION, "On Wednesday Anna sells pears. Pears are left on Wednesday.", number("7"), "en")
    assert {each.slots["word"] for each in found if each.family == "contains"} == {
        "Wednesday", "Anna", "sells", "pears", "left",
    }  # fmt: skip


def families(output: str, answer: TaskAnswer, language: str = "en") -> dict[str, Candidate]:
    return {each.family: each for each in extract(QUESTION, output, answer, language)}


def test_one_paragraph_is_not_said_to_be_separated() -> None:
    candidate = families("All in one.", number("7"))["exact_paragraphs"]
    said = [candidate.text("en", wording) for wording in range(3)]
    assert all("1 paragraph" in text for text in said)
    assert not any(re.search("separated|between paragraphs", text) for text in said)


@pytest.mark.parametrize("output", ["# Title\n\nIt is so.", "It is so.\n\n---\n\nIt is.", "So:\n\n```\na\n\nb\n```"])
def test_paragraphs_are_asked_for_only_where_every_block_is_one(output: str) -> None:
    assert "exact_paragraphs" not in families(output, number("7"))
    assert "exact_paragraphs" in families("It is so.\n\nIt is.\r\n\r\nAnd so on.", number("7"))


def test_digits_are_free_where_letters_are_of_one_script() -> None:
    found = families("小明一共有17个苹果。", number("7"), "zh")
    for family in ("one_script", "script_share"):
        assert all("数字" in found[family].text("zh", wording) for wording in range(3))


def test_formulas_are_no_sentences_and_the_demand_says_so() -> None:
    candidate = families("We get this:\n\n$$x = 4$$\n\nThat is it.", number("7"))["exact_sentences"]
    assert candidate.slots["count"] == 2
    for language, formulas in (("en", "formulas"), ("zh", "公式")):
        assert all(formulas in candidate.text(language, wording) for wording in range(3))


def test_methods_of_a_class_are_not_called_helpers() -> None:
    method = "```python\nclass Box:\n    def size(self, x):\n        return x\n```"
    found = families(method, CodeAnswer(tests="assert Box().size(1)"))
    assert not {"code_single_function", "code_helper_function"} & found.keys()


def test_no_answer_has_to_begin_with_what_the_request_puts_at_its_end() -> None:
    request = 'Which river? End with a line of the form "Answer: ..." (the word "Answer", a colon, a short answer).'
    found = extract(request, "Answer: Nile", QaAnswer(values=("Nile",)), "en")
    assert not {"first_word", "last_line", "contains"} & {each.family for each in found}
