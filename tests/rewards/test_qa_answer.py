"""Answers to questions: which answers are the same, how much two overlap, where a response says its answer."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.qa_answer import MAX_CHARACTERS, exact_match, extract_qa_answer, f1, qa_correct, qa_tokens
from tests.hostile import PIECES, hostile

PIECES_OF_ANSWERS = [*"abcde 12.,-'+#/%", "the ", "an ", "北", "京", "，", "。", "Ａ", "１", "é", "e\u0301"]
TEXTS = st.lists(st.sampled_from(PIECES_OF_ANSWERS)).map("".join)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("The Eiffel Tower.", "eiffel tower"),
        ("U.S.", "US"),
        ("New York, NY", "new york ny"),
        ("well-known", "wellknown"),
        ("1,234,567", "1234567"),
        ("$5", "5"),
        ("“Hamlet”", "hamlet"),
        ("don’t", "don't"),
        ("1990–1991", "1990-1991"),
        ("ＮＡＳＡ　１９５８", "nasa 1958"),
        ("《红楼梦》", "红楼梦"),
        ("北京、上海。", "北京 上海"),
        ("１９８７年５月", "1987年5月"),
        ("cafe\u0301", "café"),
        ("STRASSE", "straße"),
        ("½", "1/2"),
        ("A.", "a"),
        ("北京+#", "北京"),
    ],
)
def test_the_same_answer(left: str, right: str) -> None:
    assert exact_match(left, ["something else", right])
    assert f1(left, [right]) == 1.0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("3.5", "35"),
        ("-5", "5"),
        ("1/2", "12"),
        ("1,2", "12"),
        ("1...2", "12"),
        ("3-5", "35"),
        ("C++", "C"),
        ("C#", "C"),
        ("vitamin A", "vitamin"),
        ("A", "the"),
        ("€5", "£5"),
        ("三", "3"),
        ("café", "cafe"),
        ("Paris", "Paris, France"),
        ("...", "?"),
        ("", ""),
    ],
)
def test_another_answer(left: str, right: str) -> None:
    assert not exact_match(left, [right])
    assert f1(left, [right]) < 1.0


@pytest.mark.parametrize(
    ("text", "values", "score"),
    [
        ("Barack Obama", ["Barack Hussein Obama"], 0.8),
        ("Barack Obama", ["Obama", "Barack Obama Jr"], 0.8),
        ("to be or not to be", ["to be"], 0.5),
        ("北京市", ["北京"], 0.8),
        ("上海", ["北京"], 0.0),
        ("", ["北京"], 0.0),
        ("Paris", [], 0.0),
    ],
)
def test_overlap(text: str, values: list[str], score: float) -> None:
    assert f1(text, values) == pytest.approx(score)


@settings(deadline=None, derandomize=True)
@given(TEXTS, TEXTS)
def test_overlap_is_a_share_and_one_for_the_same_answer(left: str, right: str) -> None:
    score = f1(left, [right])
    assert 0.0 <= score <= 1.0
    assert score == f1(right, [left])
    if exact_match(left, [right]):
        assert score == 1.0
    if qa_tokens(left):
        assert exact_match(left, [right, left])


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["ab", "b", "12", "3.5", "c++", "京"])), st.lists(st.sampled_from(["ab", "12", "京"])))
def test_the_order_of_tokens_does_not_count_in_the_overlap(left: list[str], right: list[str]) -> None:
    mixed = random.Random(0).sample(left, len(left))
    assert f1(" ".join(left), [" ".join(right)]) == f1(" ".join(mixed), [" ".join(right)])


@settings(deadline=None, derandomize=True)
@given(TEXTS)
def test_tokens_are_their_own_tokens(text: str) -> None:
    tokens = qa_tokens(text)
    assert qa_tokens(" ".join(tokens)) == tokens


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Paris", "Paris"),
        ("**Paris**", "Paris"),
        ("It is 4. The answer is 5.", "5."),
        ("The answer is 5. No, the answer is 6, I think. Yes.", "6, I think."),
        ("The answer to your question is Dr. Lee. He is old.", "Dr. Lee."),
        ("First...\n\n**Answer:** the Nile\n\nIt is long.", "the Nile"),
        ("**Final answer**: the Nile", "the Nile"),
        ("Answer:\n\nthe Nile\nIt is long.", "the Nile"),
        ("So \\boxed{\\text{the Nile}} it is; the answer is not the Po.", "the Nile"),
        ("\\boxed{x_{1}} or \\boxed{f(\\{2\\})}", "f(\\{2\\})"),
        ("\\boxed{the Nile", "the Nile"),
        ("所以答案是北京。因为它是首都。", "北京。"),
        ("**答案：** “北京”", "北京"),
        ("最终答案为：北京", "北京"),
        ("A river.\nThe Nile", "A river.\nThe Nile"),
        ("Many rivers are long, and the longest of them all is said to be\n\nthe Nile\n", "the Nile"),
        ("The answer is:", "The answer is:"),
        ("", ""),
    ],
)
def test_extract_qa_answer(response: str, answer: str) -> None:
    assert extract_qa_answer(response) == answer


@pytest.mark.parametrize(
    ("values", "response", "correct"),
    [
        (["the Nile"], "Rivers. The answer is Nile.", True),
        (["Nile", "River Nile"], "\\boxed{river nile}", True),
        (["Nile"], "The answer is not the Nile.", False),
        (["Nile"], "The Nile or the Po", False),
        (["北京", "北京市"], "答案是北京市。", True),
        (["yes"], "Yes.", True),
        (["Yes"], "Yes, because rivers flow.\n\nThey always do, in every country that I know of.", True),
        (["no"], "Yes, there is no doubt.", False),
        (["no"], "No one knows.", False),
        (["no"], "Yes. The answer is no.", True),
        (["是"], "是的，因为它很长。", True),
        (["否", "no"], "不是。", True),
        (["是"], "不是。", False),
        (["yes", "Nile"], "yes", True),
        (["yes", "Nile"], "Yes, it is.", False),
        (["A"], "**Answer:** A", True),
        (["A"], "**Answer:** B", False),
        (["Nile"], "", False),
        (["yes"], "", False),
    ],
)
def test_the_rule_of_correctness(values: list[str], response: str, correct: bool) -> None:
    assert qa_correct(values, response) is correct


@pytest.mark.parametrize("piece", [*PIECES, "answer is\n", "answer to ", "\\boxed{", "1,234", "答案"])
def test_no_text_breaks_or_delays_the_verdict(piece: str) -> None:
    text = hostile(piece)
    assert qa_correct(["yes"], text) is False
    assert qa_correct(["the Nile"], text) is False
    assert 0.0 <= f1(text, [text[:9], "x"]) <= 1.0
    assert len("".join(qa_tokens(text))) <= 20 * MAX_CHARACTERS


@pytest.mark.parametrize("said", ["The answer is 8. It has eight.", "Answer: 8. That is all.", "答案是8。它有八颗。"])
def test_a_number_and_its_full_stop_open_no_list(said: str) -> None:
    assert qa_correct(["8"], said)
    assert not qa_correct(["3"], said)
