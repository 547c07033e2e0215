"""What counts as the same answer, and what does not."""

from __future__ import annotations

import pytest

from rewards.math_answer import equal_answers

P, B = "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}"
OUTSIDE = "(-\\infty,-1)\\cup(2,\\infty)"

# Each row: the right answer; answers that equal it; answers that do not.
TABLE: list[tuple[str, list[str], list[str]]] = [
    # numbers
    (
        "4",
        ["4.0", "04", "4.", "{4}", "$4$", "x=4", "2+2", "\\sqrt{16}", "3+1=4", "four", "4 \\text{ apples}"],
        ["5", "40"],
    ),
    (
        "4",
        ["\\text{The answer is } 4"],
        ["-4", "4\\%", "\\pm 4", "4!", "4i", "3, 4, 5", "4 or 5", "", "4 4", "4=5", "x"],
    ),
    ("4", [], ["not 4", "\\text{not } 4", "\\text{maybe } 4", "4 \\text{ or five}", "2x=4", "(4,5)"]),
    ("62", ["m+n=62"], ["m+n=63", "x+1=62"]),
    ("1000", ["1,000", "1{,}000", "1\\,000", "1 000", "1e3", "10^3", "1000.00", "\\$1000"], ["100", "1.000"]),
    ("11,\\! 111,\\! 100", ["11111100", "11,111,100"], ["11,111,101"]),
    ("-3", ["- 3", "−3", "-3.0", "-\\frac{6}{2}", "minus three"], ["3"]),
    ("12345678901234567890", ["12345678901234567890.0"], ["12345678901234567891"]),
    ("8" * 400, ["8" * 400], ["9" * 400]),
    ("\\frac{1}{2}", ["1/2", ".5", "\\frac12", "2^{-1}", "½", "50\\%", "{1 \\over 2}", "one half"], ["2", "-\\frac12"]),
    ("\\frac{7}{3}", ["2 1/3", "2\\frac{1}{3}", "2\\frac13", "2.\\overline{3}", "14/6"], ["2.333", "21/3", "-2 1/3"]),
    ("\\frac{1}{3}", ["0.\\overline{3}", "0.333...", "33\\frac{1}{3}\\%"], ["0.33", "0.333333333333"]),
    ("0.25", [".25", "0.250", "1/4", "2.5 \\times 10^{-1}", "25\\%", "0,25"], ["0.26", "25", "0.2500001"]),
    ("0.333", ["1/3", "0.33333"], ["0.33", "0.334", "0.3336"]),
    ("3.14", ["\\pi"], ["3.1", "3.15"]),
    ("6.02 \\times 10^{23}", ["6.02e23", "6.02×10²³", "6.02 x 10^23", "602 \\times 10^{21}"], ["6.02 \\times 10^{22}"]),
    ("25\\%", ["25%", "25", "0.25", "25 percent", "\\frac14"], ["24%", "0.25\\%"]),
    ("20", [], ["20\\%"]),
    # tiny and huge
    ("\\frac{1}{2^{99}}", ["2^{-99}"], ["\\frac{1}{2^{98}}", "0"]),
    ("\\frac{1}{2004!}", ["1/2004!"], ["\\frac{1}{2006!}", "0"]),
    ("2^{1009}", ["2 \\cdot 2^{1008}"], ["2^{1010}", "2^{1009}+1"]),
    ("10!", ["3,628,800", "10 \\cdot 9!"], ["9!", "10"]),
    ("\\binom{5}{2}", ["10", "{5 \\choose 3}", "\\dbinom52"], ["20"]),
    # radicals, constants, logarithms
    (
        "\\sqrt{2}",
        ["2^{0.5}", "√2", "sqrt(2)", "\\sqrt2", "\\frac{2}{\\sqrt2}", "\\sqrt[4]{4}"],
        ["1.41421356", "-\\sqrt2"],
    ),
    ("3\\sqrt{5}", ["\\sqrt{45}", "\\sqrt{5}\\cdot 3"], ["5\\sqrt{3}", "6.708"]),
    ("\\sqrt{2}-1", ["\\frac{1}{1+\\sqrt{2}}", "\\tan 22.5^\\circ \\cdot 0 + \\sqrt2 - 1"], ["1-\\sqrt2"]),
    ("\\frac{\\sqrt{3}}{2}", ["\\sqrt{3}/2", "\\frac{3}{2\\sqrt3}", "\\sin 60^\\circ", "\\cos(\\pi/6)"], ["0.866"]),
    ("\\pi", ["π", "pi", "PI"], ["3.14159", "\\frac{22}{7}", "2\\pi", "\\Pi"]),
    ("\\ln 2", ["\\ln(2)", "-\\ln\\frac12", "\\frac{\\ln 4}{2}", "\\log_e 2"], ["0.693", "\\log_2 e", "\\log_{0} 2"]),
    ("\\log_{10} 5", ["\\log 5", "\\lg 5"], ["\\ln 5"]),
    ("e^2", ["\\exp(2)", "e\\cdot e"], ["7.389"]),
    ("3+4i", ["4i+3", "3 + 4 i", "3+4\\mathrm{i}"], ["3-4i", "(3,4)", "5"]),
    ("-i", ["\\frac{1}{i}", "i^3"], ["i"]),
    # units and money
    (
        "5 \\text{ cm}",
        ["5", "5 cm", "5\\mathrm{cm}", "50 mm", "0.05 \\text{ m}"],
        ["6 cm", "5\\text{ m}", "5 \\text{ kg}"],
    ),
    ("5 \\text{ cm}^2", ["5 \\text{ square cm}"], ["5 \\text{ cm}"]),
    ("5", ["5 m", "5m", "5 \\text{ people in the room}"], []),
    ("60 \\text{ mph}", ["60 miles per hour"], ["60 \\text{ km/h}"]),
    ("90^\\circ", ["90", "90°", "90\\text{ degrees}", "\\frac{\\pi}{2}"], ["45^\\circ"]),
    ("\\$12.50", ["12.5", "$12.50", "12.50 dollars", "1250 cents", "12.50\\$"], ["1250", "€12.50", "\\$12.504"]),
    ("\\$2 million", ["2000000"], ["2"]),
    # words and choices
    ("\\text{B}", ["B", "(B)", "\\textbf{(B)}", "b", "B. 12 apples"], ["A", "A, B", "AB", "(A) 3 (B) 4", "12"]),
    ("A,C", ["C, A", "AC"], ["A", "A,B"]),
    ("\\text{even}", ["even", "\\text{Even}"], ["odd", "neve", "even or odd"]),
    ("silent", [], ["listen"]),
    ("\\text{Yes}", ["yes", "Yes, it is"], ["No"]),
    ("\\emptyset", ["\\varnothing", "\\{\\}", "no solution"], ["0", "\\{0\\}"]),
    ("\\infty", ["+\\infty", "∞", "infinity"], ["-\\infty", "1000"]),
    # expressions and equations
    ("x^2+2x+1", ["(x+1)^2", "x*x+2*x+1", "x²+2x+1", "X^2+2X+1", "f(x)=x^2+2x+1"], ["x^2+2x", "y^2+2y+1"]),
    ("a^2-b^2", ["(a-b)(a+b)"], ["(a-b)^2"]),
    ("2^{n+1}", ["2 \\cdot 2^n"], ["2^n"]),
    ("\\frac{1}{x+1}+\\frac{1}{x-1}", ["\\frac{2x}{x^2-1}"], ["\\frac{2}{x^2-1}"]),
    ("x=2", ["2", "2=x", "x = 4/2 = 2", "\\{2\\}"], ["x=3", "y=2", "x=2, x=3"]),
    ("y=2x+3", ["y = 3 + 2x", "2x+3", "2x-y+3=0", "f(x)=2x+3"], ["y=2x-3", "x=2y+3"]),
    ("x^2+y^2=1", ["2x^2+2y^2-2=0"], ["x^2+y^2=2", "1"]),
    ("xy=1", ["y=\\frac{1}{x}"], ["y=x"]),
    ("5", ["AB=5", "|v|=5", "P(A)=5"], ["2x=5"]),
    ("1/3", ["x = 1/3 \\approx 0.333"], ["x \\approx 0.333", "x = 1/3 \\approx 3"]),
    ("\\frac{AB}{CD}=2", ["2"], ["3"]),
    ("0<f(x)<1", ["(0,1)"], ["[0,1]"]),
    ("\\sqrt{2}", ["\\sqrt{2} \\approx 1.414"], ["\\sqrt{2} \\approx 5", "\\infty \\approx \\sqrt{2}"]),
    # sets of real numbers
    (
        "[0,1)",
        ["0 \\le x < 1", "x \\in [0,1)", "1 > x \\ge 0", "[0,1[", "\\{x | 0 \\le x < 1\\}"],
        ["[0,1]", "(0,1)", "0,1"],
    ),
    ("(-\\infty, 3]", ["x \\le 3", "3 \\ge x"], ["x<3", "x \\ge 3"]),
    ("x > 2", ["2<x", "(2,\\infty)", "2x>4", "-x<-2"], ["x \\ge 2", "2", "y>2"]),
    (OUTSIDE, ["x<-1 \\text{ or } x>2", "(2,\\infty)\\cup(-\\infty,-1)", "\\mathbb{R}\\setminus[-1,2]"], ["(-1,2)"]),
    ("\\mathbb{R}\\setminus\\{2\\}", ["x \\ne 2", "(-\\infty,2)\\cup(2,\\infty)"], ["\\mathbb{R}"]),
    ("\\mathbb{R}", ["(-\\infty,\\infty)", "all real numbers"], ["[0,\\infty)"]),
    ("(1,2)", ["1<x<2"], ["1 \\le x \\le 2"]),
    ("[1,3]", ["[1,2]\\cup[2,3]"], ["1,3"]),
    # tuples, sets, lists, matrices
    ("(1,2)", ["(1.0, 2)", "1,2", "x=1, y=2", "\\langle 1,2 \\rangle"], ["(2,1)", "(1,2,3)", "\\{1,2\\}", "[1,2]"]),
    ("x=1,y=2", ["y=2,x=1", "(1,2)"], ["x=2,y=1", "\\{1,2\\}"]),
    ("(1,1), (3,2)", ["(3,2) and (1,1)"], ["(1,1)", "(1,1),(2,3)"]),
    ("\\{1,2,3\\}", ["\\{3,2,1\\}", "{1,2,3}", "\\{1,1,2,3\\}", "1,2,3"], ["\\{1,2\\}", "(1,2,3)", "\\{1,2,4\\}"]),
    ("1,2,3", ["3, 2, 1", "1 and 2 and 3", "(1,2,3)", "\\{1,2,3\\}"], ["1,2", "123", "1,2,4"]),
    ("0,111", ["0.111"], ["111"]),
    ("1,2", ["x=1,x=2", "x=1 \\text{ or } x=2", "x = 1, 2"], ["1", "x=1,x=3"]),
    ("1,1,2", ["2,1,1"], ["1,2,2"]),
    ("\\pm 3", ["3,-3", "\\{-3,3\\}", "x=\\pm 3"], ["3", "\\pm 4"]),
    ("1 \\pm \\sqrt{19}", ["1+\\sqrt{19}, 1-\\sqrt{19}"], ["1+\\sqrt{19}"]),
    (P, [B, "[[1,2],[3,4]]"], ["\\begin{pmatrix}1&3\\\\2&4\\end{pmatrix}", "1,2,3,4"]),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", ["(1,2)"], ["(2,1)"]),
    # ratios, clock times, bases
    ("3:4", ["6:8", "3/4", "3 to 4"], ["4:3"]),
    ("12:00", ["12:00 PM"], ["1:00", "12"]),
    ("12:30", [], ["6:15"]),
    ("4210_{5}", ["4210_5", "4210"], ["4210_6", "555"]),
]


@pytest.mark.parametrize(("gold", "equal", "different"), TABLE, ids=[gold[:30] for gold, _, _ in TABLE])
def test_answers(gold: str, equal: list[str], different: list[str]) -> None:
    assert equal_answers(gold, gold) is True
    assert [answer for answer in equal if equal_answers(gold, answer) is not True] == []
    assert [answer for answer in different if equal_answers(gold, answer) is not False] == []


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("\\sin 2x", "2 \\sin x \\cos x"),
        ("\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3"),
        ("n!", "n"),
        ("9^{9^{9^9}}", "9^{9^{9^9}}+1"),
        ("\\int_0^1 x^2 dx", "1/3"),
        ("1/3", "\\int_0^1 x^2 dx"),
        ("x" * 3_000, "y"),
        ("\\begin{foo}", "4"),
    ],
)
def test_what_arithmetic_cannot_decide(gold: str, answer: str) -> None:
    assert equal_answers(gold, answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        *("9" * 3_000, "(" * 1_999, "{" * 1_999, "-" * 1_999 + "4", "4" + "!" * 900, "1" + "{}" * 900),
        *("\\frac{1}{" * 150 + "2" + "}" * 150, "\\sqrt{" * 300, "1\\frac{1" * 200, "\\pm" * 600 + "3", "|" * 1_999),
        *("1,2" * 500, "\\text{a}" * 280, "x_{" * 300, "\x00\ud800", "𝟗", "\\", "\\boxed{", "__import__('os')", "1/0"),
        *("(x+y+z+w)^{64}", "(((x+1)^9)^9)^9", "+".join(["9^{9999}/7^{9999}"] * 100), "\\cdot".join(["999!"] * 300)),
    ],
)
def test_hostile_answers_are_never_right(answer: str) -> None:
    for gold in ("4", "\\sqrt{2}", "x^2+1", "[0,1)", "\\{1,2\\}", "\\text{B}", P):
        assert not equal_answers(gold, answer)
