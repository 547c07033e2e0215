"""Where a response states its final answer."""

from __future__ import annotations

import pytest

from rewards.maths.extract import boxed_answers, extract_answer
from tests.hostile import PIECES, hostile
from tests.rewards.growth import grows_linearly


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is \\boxed{7}.", "7"),
        ("First \\boxed{1}, then after much thought \\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}"),
        ("SO, \\BOXED{ 7 } IT IS. 9", "7"),
        ("\\fbox{3} then", "3"),
        ("İİİİİİİİ \\boxed{7}", "7"),
        ("Put it in \\boxed{}. It is 7", "7"),
        ("\\boxed 4", "4"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        ("\\boxed{x = \\boxed{4}}", "x = \\boxed{4}"),
        ("\\boxed{7 and 8", "8"),
        ("\\boxed{3} and \\boxed{7", "3"),
        ("$$\\boxed{4}$$ I checked it 2 times.", "4"),
    ],
)
def test_the_last_box(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("\\boxed{3} or \\boxed{4}", "3, 4"),
        ("\\boxed{3}, \\boxed{4} and \\boxed{5}", "3, 4, 5"),
        ("$x=\\boxed{3}$, $y=\\boxed{4}$", "3, 4"),
        ("\\boxed{4}, \\boxed{4}", "4"),
        ("\\boxed{3} \\boxed{4}", "4"),
        ("\\boxed{1} \\boxed{2} \\boxed{3} \\boxed{4}", "1, 2, 3, 4"),
        ("Maybe \\boxed{1}. Or \\boxed{2}. Perhaps \\boxed{3}. Or \\boxed{4}.", "1, 2, 3, 4"),
        ("The legs are \\boxed{3} and 4, and 3^2 + 4^2 = 5^2 gives \\boxed{5}", "5"),
    ],
)
def test_boxes_side_by_side_are_one_answer(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 1,234 apples. I checked 2 times.", "1,234"),
        ("Answer: **$-5$**", "-5"),
        ("the answer is\n\n 1/2", "1/2"),
        ("The final answer is x + 1.", "x + 1"),
        ("The answer is x = 5 cm", "x = 5 cm"),
        ("The answer is 2 1/3 cups.", "2 1/3"),
        ("The answer is 50%.", "50%"),
        ("The answer is 7 a day", "7"),
        ("The answer is 4!", "4"),
        ("The answer is 60 miles per hour.", "60 miles per hour"),
        ("The answer is $12.50.", "12.50"),
        ("The answer is $5 and the change is $3.", "5"),
        ("The answer is $\\$1000$.", "\\$1000"),
        ("The answers are $3$ and $5$.", "3, 5"),
        ("The answers are 3 and 5.", "3 and 5"),
        ("The answer is \\(\\frac{1}{2}\\).", "\\frac{1}{2}"),
        ("The answer is (B) 12 apples.", "(B) 12"),
        ("Answer: B", "B"),
        ("The answer is Monday.", "Monday"),
        ("The answer to the question is: 42", "42"),
        ("The answer is that Tom has 5 apples.", "5"),
        ("**Final Answer**\n\n$5$", "5"),
        ("Final Answer: The final answer is $5$. I hope it is correct.", "5"),
        ("So it is 5.\nThe answer is correct.", "5"),
        ("Final Answer: The volume of $ABCD$ is 120.", "120"),
        ("<answer>\\frac{1}{2}</answer>", "\\frac{1}{2}"),
        ('{"answer": "x+1"}', "x+1"),
        ("A: 18", "18"),
        ("所以答案是7。共9步", "7"),
        ("答案：-3.5 元", "-3.5 元"),
        ("答案为 $\\frac12$。", "\\frac12"),
        ("La respuesta es 5", "5"),
        ("Die Antwort ist 5.", "5"),
        ("Ответ: 5", "5"),
    ],
)
def test_announcements(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("#### 18", "18"),
        ("Reasoning.\n#### y = 3 + 2x", "y = 3 + 2x"),
        ("#### 3\n#### $-5$\n", "-5"),
        ("#### Step 3\nso 5 and 6", "6"),
        ("\\boxed{4}\n#### 5", "5"),
        ("\\boxed{4}\n#### Verification", "4"),
        ("\\boxed{4} is the area. The final answer is $9$.", "9"),
        ("\\boxed{4}. The final answer is correct.", "4"),
        ('Give the answer after "####". It is 5', "5"),
    ],
)
def test_hash_lines(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is not 4.", None),
        ("The answer isn't 4", None),
        ("The answer cannot be 4.", None),
        ("答案不是4", None),
        ("The answer is not \\boxed{4}", None),
        ("It is not 4.", None),
        ("The answer is not 4 but 5.", "5"),
        ("The answer isn't 4; it's 5.", "5"),
        ("答案不是4，而是5。", "5"),
        ("The answer is not \\boxed{4} but \\boxed{5}", "5"),
        ("The answer is not 4. The answer is 6.", "6"),
        ("The answer is not obvious. But x = 5.", "5"),
        ("It is 5, not 4", "5"),
    ],
)
def test_what_is_denied_is_no_answer(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>\\boxed{3}</think>\\boxed{4}", "4"),
        ("\\boxed{3}</think>It is 4", "4"),
        ("<think>\\boxed{3}", None),
        ("It is 4. <think>Or 5?", "4"),
    ],
)
def test_thinking_is_left_out(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("First 3, then 4, so 12.5 it is", "12.5"),
        ("7 apples", "7"),
        ("It costs $1,200.", "1,200"),
        ("so x = -3/4", "-3/4"),
        ("Hence $x = \\frac{3}{4}$ holds.", "x = \\frac{3}{4}"),
        ("The sum is $\\begin{pmatrix}1 & 2\\end{pmatrix} $.", "\\begin{pmatrix}1 & 2\\end{pmatrix}"),
        ("It is H2O.", None),
        ("$\\frac{1}{2}$.", "\\frac{1}{2}"),
        ("(1, 2)", "(1, 2)"),
        ("Monday.", "Monday"),
        ("No idea.", None),
        ("", None),
    ],
)
def test_the_last_number(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


def test_boxed_answers() -> None:
    assert boxed_answers("(a) \\boxed{3} so (b) not \\boxed{5} \\boxed{4} \\boxed{3}") == ["3", "4"]
    assert boxed_answers("none") == []


@pytest.mark.parametrize("start", ["", "The answer is ", "\\boxed{1} ", "#### ", "The answer is not $"])
def test_no_text_takes_long(start: str) -> None:
    pieces = (
        *PIECES,
        "\\boxed",
        "\\boxed{1}",
        "the answer is ",
        "answer to x ",
        "答案不是",
        "not ",
        "#### ",
        "$1$, ",
        "1,000",
    )
    for piece in pieces:
        text = start + hostile(piece)
        assert grows_linearly(extract_answer, lambda size, text=text: text[:size]), piece
