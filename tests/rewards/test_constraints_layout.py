"""Layout: every type against texts that satisfy it and texts that do not."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import pytest

from rewards import Constraint, Context, RaifError, Response, Status, known_constraints, parse_constraint
from rewards.constraints.templates import split_options
from rewards.draft import Draft


class Case(NamedTuple):
    """A constraint with texts that satisfy and texts that violate it."""

    type: str
    arguments: dict[str, Any]
    satisfied: tuple[str, ...]
    violated: tuple[str, ...]


TABLE = "| Fruit | Colour |\n|---|---|\n| Apple | red |\n| Pear | green |"
QUESTIONS = "Question 1: Who?\nA) Ann\nB) Bob\n\nQuestion 2: Who was it?\nA) Cy\nB) Di"
CASES = (
    Case(
        "layout:bullets", {"count": 2},
        ("- a\n- b", "Intro:\n* a\n+ b\nDone.", "- a\n  - nested", "• 苹果\n• 书", "- a\n---\n- b\n* * *",
         "- `a`\n- `b`"),
        ("- a", "- a\n- A.", "-a\n-b", "a - b\n1. c", "```\n- a\n- b\n```", "- a\n- !", "*Note* a\n* b"),
    ),
    Case("layout:bullets", {"count": 1, "marks": "*"}, ("* a", "* a\n- b"), ("- a", "• a", "*a")),
    Case(
        "layout:min_bullets", {"count": 2},
        ("- a\n- b\n- c", "- 苹果\n- 梨"),
        ("- a\n- a\n- A", "-5\n-6", "a", "- a\n-\n"),
    ),
    Case("layout:max_bullets", {"count": 2}, ("- a", "文字\n- 甲\n- 甲"), ("no list", "- a\n- b\n- c", "---")),
    Case(
        "layout:highlights", {"count": 2},
        ("**one** and **two**", "*a* b *c*", "***x*** **y z**", "这是**苹果**，那是**书**。"),
        ("**one**", "2 * 3 * 4 * 5", "$a*b*c$ `*x* *y*` word", "a*b*c d*e*f", "**.** **!** a", "_a_ _b_"),
    ),
    Case(
        "layout:min_bold", {"count": 1},
        ("a **b** c", "__a__", "***a***", "走**左边**"),
        ("*a*", "a ** b ** c", "`**a**` b"),
    ),
    Case(
        "layout:min_italics", {"count": 1},
        ("a *b* c", "_a b_", "***a***", "走*左边*"),
        ("**a**", "snake_case_name", "2*3*4"),
    ),
    Case(
        "layout:sections", {"count": 2},
        ("Section 1\na\nSection 2\nb", "**SECTION 1**\na\n## section 2: b", "Section I\na\nSection II: x\nb",
         "1. Section 1\na\nSection 3.2 of the law.\n2. Section 2\nb"),
        ("Section 1\na", "Section 2\na\nSection 1\nb", "See Section 1 and Section 2.", "Section 1 a\nSection 10 b"),
    ),
    Case("layout:sections", {"count": 1, "marker": "Q.", "exact_case": True}, ("Q. 1 a",), ("q. 1 a", "Qa 1 b")),
    Case(
        "layout:sections", {"count": 2, "marker": "部分"},
        ("部分1\n苹果\n部分2\n书",),
        ("第一部分\n第二部分", "部分 2\n部分 1"),
    ),
    Case(
        "layout:min_headings", {"count": 2},
        ("# A\na\n# B\nb", "# A\n## B\nb", "# 苹果\n红\n# 梨\n绿"),
        ("# A\n# B", "# A\na\n# A\nb", "#A\na\n#B\nb", "```\n# A\na\n# B\nb\n```", "####### A\na\n# B\nb",
         "# !\na\n# B\nb"),
    ),
    Case(
        "layout:heading_levels", {"count": 2},
        ("# A\na\n## B\nb", "# 水果\n## 苹果\n红"),
        ("# A\na\n# B\nb", "# A\n## B", "a"),
    ),
    Case(
        "layout:max_heading_level", {"level": 2},
        ("## A\na", "# A\n## B\nb", "# 苹果\n红"),
        ("a", "### A\na", "## A", "# A\na\n### B\nb"),
    ),
    Case("layout:heading_title", {}, ("# A\na", "\n\n# 苹果\n红"), ("## A\na", "a\n# A\nb", "# A", "#\na", "#A\na")),
    Case(
        "layout:title", {},
        ("<<A title>>\na", "It is. <<t>>", "<< x >>\na", "<<苹果>>红"),
        ("<<>> a", "a", "<<A", "<A>\na", "<<A\nb>> c", "<<A title>>", "a << b and c >> d", "《苹果》红"),
    ),
    Case(
        "layout:one_word_per_line", {},
        ("a\nb,\nc.", "don't\n1,000\nwell-known", "坐\n火车", "a\n\t\nb", "a\n-\nb"),
        ("a b", "1. a"),
    ),
    Case(
        "layout:one_word_per_line", {},
        ("10:30", "好。", "हिन्दी\nमें"),
        ("a,b", "a—b", "坐火车去学校", "坐，火", "a 🎉", "x\u2028y"),
    ),
    Case(
        "layout:staircase", {"count": 3},
        ("a\n b\n  c", "\n\na\n\n b\n\n\n  c\n\n", "a\n\tb\n\t\tc", "苹果\n 梨\n  桃"),
        ("a", "a\n b", "a\n b\n b", " a\nb\n  c", "a\n b\n  -", "a b c"),
    ),
    Case(
        "layout:no_whitespace", {},
        ("abc", "\n\nabc\n", "苹果，梨。", "a\u200bb"),
        ("a b", "a\nb", "a\u00a0b", "苹果 梨", "a\u2028b"),
    ),
    Case(
        "layout:emoji_sentence_ends", {},
        ("Go 🎉. Stop! 🛑", "Vive la France 🇫🇷.", "Hi 👩🏽‍💻.", "你好🎉。很好🎉！", "Hi 🎉...", "**Go 🎉.**",
         "One ⏱️"),
        ("🎉 Go.", "Go. Stop 🎉.", "Go :tada:", "Hi 🎉 (ok).", "你好。很好🎉。", "© 2020 ©"),
    ),
    Case(
        "layout:numbered_list", {"count": 2},
        ("1. a\n2. b", "1) a\n   1) x\n2) b", "（1）苹果\n（2）梨", "一、苹果\n二、梨", "**1.** a\n**2.** b",
         "1.苹果\n2.梨", "Pi is 3.14:\n1. a\n2. b"),
        ("1. a", "1. a\n1. b", "2. a\n1. b", "1. a\n2.", "1. a\n2. a", "1. a\n2. b\n3. c", "1.5 a\n2.5 b", "- a\n- b"),
    ),
    Case(
        "layout:numbered_list", {"count": 12},
        ("\n".join(f"{i}、第{i}点" for i in range(1, 13)),),
        ("十一、甲\n十二、乙",),
    ),
    Case(
        "layout:nested_bullets", {"count": 2, "nested": 1},
        ("- a\n  - b\n- c\n  - d", "* **a**\n\t* b\n* c\n\t* d\n* e\n\t* f", "- 苹果\n  - 红\n- 梨\n  - 绿"),
        ("- a\n  - b", "- a\n  - b\n- c", "- a\n- b", "no list", "- a-b\n- c-d", "- a\n  -\n- c\n  - d"),
    ),
    Case(
        "layout:nested_bullets", {"count": 1, "nested": 1, "top": "*", "sub": "-"},
        ("* a\n- b", "* a\n  - b\n***", "So:\n* a\n - b"),
        ("* a\n  * b", "- a\n  - b", "* well-known", "• a\n◦ b", "*a-b*c-d"),
    ),
    Case(
        "layout:nested_bullets", {"count": 1, "nested": 2},
        ("- a\n  - b\n  - c",),
        ("- a\n  - b\n  - b", "- a\n  - b"),
    ),
    Case(
        "layout:sentences_then_bullets", {"sentences": 2, "bullets": 2},
        ("It is. So be it.\n* a\n* b\n", "One. Two.\n\n- a\n  more of a\n\n- b", "一句。两句。\n- 甲\n- 乙"),
        ("It is.\n* a\n* b", "It is! So?\n* a\n* b", "It is. It is.\n* a\n* b", "One. Two.\n* a",
         "One. Two.\n* a\n* b\nEnd.", "One. Two.\n***\n***"),
    ),
    Case(
        "layout:task_list", {"count": 2},
        ("- [ ] a\n- [x] b", "* [ ] 买\n* [X] 卖"),
        ("- [ ] a", "- a\n- b", "- [ ]\n- [ ] b", "- [ ] a\n- [ ] a", "[ ] a\n[ ] b"),
    ),
    Case(
        "layout:marked_list", {"mark": "...", "count": 2},
        ("... a\n ... b", "So:\n...a\n...b", "... 苹果\n... 梨"),
        ("a ... b ... c", "......", "... a\n... a", "a ...\nb ...", "... a\n... b\n- c", "… a\n… b"),
    ),
    Case(
        "layout:marked_list", {"mark": "SEPARATOR", "count": 1},
        ("SEPARATOR a",),
        ("SEPARATORa", "a SEPARATOR b", "separator a"),
    ),
    Case(
        "layout:marked_list", {"mark": "-", "count": 2},
        ("- a\n- b",),
        ("-5\n-6", "---", "--", "* a\n* b", "- a\n- b\n* c"),
    ),
    Case(
        "layout:separated_list", {"separator": "|", "count": 2},
        ("a | b", "苹果|梨"),
        ("a |", "a | a", "a | b | c", "a | | b", "a, b"),
    ),
    Case(
        "layout:placeholders", {"count": 2},
        ("[name] and [a date]", "[a] [b]", "［姓名］和［日期］",
         "**[name]**, see [City, State]", "亲爱的[姓名]，【日期】见",
         "Dear [name] [name]"),
        ("[] []", "[x](a.b) [y](c.d)", "x[i] y[j]", "- [x] a\n- [X] b", "[1] [2]", "[[x]]", "[a\nb] [c]", "\\[a\\] [b]",
         "{a} {b}", "[^a] [^b]", "[link][ref] [Smith 2020] [sic] [a, b]"),
    ),
    Case(
        "layout:postscript", {"marker": "P.S."},
        ("Go.\n\nP.S. Take it.", "Go. p. s. take it", "Go! P.S. Take it.", "*Go.*\n\n**P.S.** Take it.\n\nYours, Ann"),
        ('I wrote "P.S. hello" in my letter.', "Add a P.S. x", "Go.\nP.S.", "P.S. Go.", "Call the U.P.S. office",
         "Go. P.P.S. Take it.", "Go. Postscript: it", "Go. PS it",
         "Go.\nP.S. it\n\na\n\nb"),
    ),
    Case("layout:postscript", {"marker": "PS:"}, ("Go. PS: it",), ("She helps: go on", "PS go")),
    Case("layout:postscript", {"marker": "附言："}, ("去吧。附言：带书。",), ("去吧。", "去吧。附言：")),
    Case(
        "layout:two_responses", {},
        ("a\n******\nb", "a******b", "******\na\n******\nb\n******", "甲******乙",
         "Response 1: a\n******\nResponse 2: b"),
        ("a", "a\n******\na!", "a\n******\nb\n******\nc", "a\n* * * * * *\nb", "a************b", "a******",
         "Response 1: a\n******\nResponse 2: a"),
    ),
    Case(
        "layout:dividers", {"count": 2},
        ("a\n***\nb", "---\na\n* * *\nb\n___", "甲\n---\n乙"),
        ("a", "a\n***\na", "a *** b", "a\n***\n\n***\nb", "a\n**\nb", "a\n***\nb\n***\nc"),
    ),
    Case(
        "layout:italic_thesis", {},
        ("<i>a</i> b", "<EM class='x'>a</EM>\nb", "# A\n<i>a</i> b\n# B\n<em>c</em> d", "# T\n## A\n<i>a</i> b",
         "<i>论点</i>展开"),
        ("*a* b", "<i>a</i>", "<em> </em>z", "<i>a b", "# A\n<i>a</i> b\n# B\nc", "a\n\nb\n\n<i>c</i> d"),
    ),
    Case(
        "layout:code_blocks", {"count": 1, "language": "python"},
        ("```python\nx = 1\n```", "a\n```py\nx\n```\nb", "代码：\n```Python\nprint(1)\n```"),
        ("```\nx\n```", "```python\n```", "```python\nx", "`x`", "```js\nx\n```"),
    ),
    Case(
        "layout:code_blocks", {"count": 2},
        ("```\na\n```\n```\nb\n```", "~~~\na\n~~~\n```\nb\n```"),
        ("```\na\n```\n```\na\n```", "```\na\n```"),
    ),
    Case("layout:no_code", {}, ("a", "it's `so", "运行测试"), ("`a` b", "```\na\n```", "~~~\na\n~~~", "运行`测试`")),
    Case(
        "layout:plain_text", {},
        ("a", "1. a\n2. b", "2 * 3 * 4 = 24", "snake_case_name", "a - b", "苹果，梨", "$x_1 * y_1$ is it"),
        ("# A", "- a", "**a**", "_a_", "> a", "[a](b.c)", "|a|b|\n|-|-|\n|c|d|", "a\n***\nb", "`a`", "是**苹果**"),
    ),
    Case(
        "layout:min_links", {"count": 1},
        ("[a](https://b.c)", "[指南](b.html)", '[a](<b.c> "t")'),
        ("https://b.c", "[a]()", "[](b.c)", "![a](b.png)", "[a](b)", "`[a](b.c)` d"),
    ),
    Case("layout:min_links", {"count": 2}, ("[a](b.c) [a](d.e)",), ("[a](b.c) [d](B.C)",)),
    Case(
        "layout:min_quoted_lines", {"count": 2},
        ("> a\n> b", ">> a\n\n> b\nc", "> 苹果\n> 梨"),
        ("> a", "> a\n> a", "a > b", ">\n> a", "```\n> a\n> b\n```"),
    ),
    Case(
        "layout:min_table_rows", {"count": 2},
        (TABLE, f"So:\n{TABLE}\nEnd.", "a|b\n-|-\n1|2\n3|4", "|水果|颜色|\n|:-:|-:|\n|苹果|红|\n|梨|绿|"),
        ("| a | b |\n| 1 | 2 |", f"```\n{TABLE}\n```", "|a|b|\n|-|-|\n|1|2|\n|1|2|", "|a|b|\n|-|-|\n|1|2|\n|3||",
         "|a|b|\n|-|-|\n|1|2|\n|3|"),
    ),
    Case(
        "layout:table_size", {"rows": 2, "columns": 2},
        (TABLE, "|水果|颜色|\n|-|-|\n|苹果|红|\n|梨|绿|", "|a|b|\n|-|-|\n|x\\|y|2|\n|3|4|"),
        (f"{TABLE}\n| Plum | blue |", f"{TABLE}\n\n{TABLE}", "|a|\n|-|\n|1|\n|2|", "|a||\n|-|-|\n|1|2|\n|3|4|", "a"),
    ),
    Case(
        "layout:table_header", {"columns": ("Fruit", "Colour")},
        (TABLE, TABLE.lower(), "| **Fruit** | Colour |\n|-|-|\n|苹果|红|"),
        ("| Colour | Fruit |\n|-|-|\n|a|b|", "| Fruit | Colour |\n|-|-|", "| Fruit | Colour |\n|-|-|\n| a | |",
         "|Fruit|\n|-|\n|a|"),
    ),
    Case(
        "layout:template", {"labels": ("My Answer:", "Reason:")},
        ("My Answer: a Reason: b", "So.\n**My Answer:** a\n**Reason:** b", "My Answer:\u00a0[1, 2] Reason: 是"),
        ("My Answer: a", "Reason: b My Answer: a", "My Answer: Reason: b", "My Answer: a Reason: ...",
         "MY ANSWER: a REASON: b", "**My Answer**: a Reason: b", "My Answer: [answer] Reason: [reason]",
         "xMy Answer: a Reason: b", "My Answer: a My Answer: b Reason: c"),
    ),
    Case(
        "layout:choice", {"options": ("yes", "no")},
        ("yes", "**No.**", '"YES"', " no\n"),
        ("maybe", "yes no", "yes/no", "yes, it is", "yess"),
    ),
    Case("layout:choice", {"options": ("是", "否")}, ("是。", "“否”"), ("是否", "不是", "yes")),
    Case(
        "layout:choice", {"options": ("I know", "I don't know")},
        ("I don’t know.", "i KNOW"),
        ("I do not know", "know"),
    ),
    Case(
        "layout:one_phrase", {"options": ("My answer is yes.", "My answer is no.")},
        ("My answer is yes.", "It is far. My answer is no. So."),
        ("my answer is yes.", "My answer is yes", "My answer is yes. My answer is no.", "My answer is\nyes.",
         "My answer is not no."),
    ),
    Case("layout:one_phrase", {"options": ("我同意", "我反对")}, ("嗯，我同意。",), ("我不同意", "我同意，不，我反对")),
    Case(
        "layout:multiple_choice", {"questions": 2, "options": 2},
        (QUESTIONS, QUESTIONS.replace("Question 1", "**Question**").replace("Question 2", "Question"),
         QUESTIONS + "\nGood luck!"),
        ("So:\n" + QUESTIONS, QUESTIONS.replace(" was it", ""), QUESTIONS.replace("B) Di", ""),
         QUESTIONS.replace("Bob", "Ann"), QUESTIONS.replace("A) Ann", "A)"), QUESTIONS.lower(),
         "Question 1: Who?\nA) a\nB) b"),
    ),
    Case(
        "layout:multiple_choice", {"questions": 1, "options": 2, "label": "问题"},
        ("问题1：是谁？\nA、安\nB、波",),
        ("问题1：是谁？\nA、安", "是谁？\nA、安\nB、波"),
    ),
    Case("layout:sections", {"count": 2, "marker": "部分"},
         ("第一部分\n苹果\n第二部分\n梨", "部分一\n苹果\n部分二\n梨"),
         ("第一部分\n苹果\n第二部分\n", "第一部分\n苹果\n第二部分\n苹果")),
    Case("layout:bullets", {"count": 2}, ("•苹果\n•梨", "-\u3000苹果\n-\u3000梨", "> - a\n> - b", "– a\n– b"),
         ("–a\n–b",)),
    Case("layout:numbered_list", {"count": 2},
         ("①苹果\n②梨", "1.\u3000苹果\n2.\u3000梨", "一、苹果\n1. 红\n2. 甜\n二、梨", "1. a\n2. b\n\n2024. A year"),
         ("①苹果\n③梨",)),
    Case("layout:postscript", {"marker": "附言："}, ("坐火车去。\n附言:带本书。",), ("我写了附言：带书",)),
    Case("layout:template", {"labels": ["回答：", "理由："]}, ("回答:火车。\n理由:快。",),
         ("回答:火车。\n理由:［理由］",)),
    Case("layout:plain_text", {}, ("I paid 5 = 5.", "– he said"),
         ("Title\n=====\n\nText", "~~gone~~ text", "Text.\r\n\r\n---\r\n\r\nText", "|a|b|\r\n|-|-|\r\n|1|2|")),
    Case("layout:dividers", {"count": 2}, ("Apples.\r\n***\r\nPears.",), ("Apples.\r\nPears.",)),
    Case("layout:italic_thesis", {}, ("My title\n<i>Best.</i> They keep.",),
         ("Some text first. <i>Best.</i> They keep.",)),
    Case("nesting:explained_quotes", {"count": 0}, ("No quotes.",), ('He said "go".',)),
)  # fmt: skip


def check(name: str, arguments: dict[str, Any], text: str) -> Status:
    return parse_constraint({"type": name, **arguments}).check(Response(None, text), Context()).status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_satisfied(case: Case) -> None:
    for text in case.satisfied:
        assert check(case.type, case.arguments, text) is Status.SATISFIED, text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_violated(case: Case) -> None:
    for text in case.violated:
        assert check(case.type, case.arguments, text) is Status.VIOLATED, text


def own_types() -> list[str]:
    return [name for name in known_constraints() if name.startswith("layout:")]


@pytest.mark.parametrize("name", own_types())
def test_two_of_each(name: str) -> None:
    cases = [case for case in CASES if case.type == name]
    assert sum(len(case.satisfied) for case in cases) >= 2
    assert sum(len(case.violated) for case in cases) >= 2
    assert any(ord(letter) > 0x2FFF for case in cases for text in case.satisfied for letter in text)


def drawn(name: str, number: int, language: str) -> Constraint:
    return parse_constraint({"type": name, **known_constraints()[name].draw(Random(number), language)})


@pytest.mark.parametrize(
    "name", ["layout:placeholders", "layout:title", "layout:min_bold", "layout:min_links", "layout:template"]
)
def test_a_scope_keeps_what_stands_around_it(name: str) -> None:
    start = "# One\nred sky\n\nblue sea\n\n# Two\ngreen hill"
    for scope in ("line(2)", "paragraph(2)", "section(1)", "section(-1)"):
        constraint = drawn(name, 1, "en").model_copy(update={"scope": scope})
        text = constraint.witness(Draft("en", core=(start,))).render()
        assert constraint.check(Response(None, text), Context()).status is Status.SATISFIED
        assert text.startswith("# One\n")
        assert "\n# Two\n" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"type": "layout:sections", "count": 2, "marker": "Part A"}, "one word"),
        ({"type": "layout:nested_bullets", "count": 1, "nested": 1, "top": "*"}, "two different marks"),
        ({"type": "layout:template", "labels": ["Answer:", "My Answer:"]}, "part of another"),
        ({"type": "layout:choice", "options": ["yes", "Yes."]}, "differ"),
        ({"type": "layout:postscript", "marker": "!!"}, "letter"),
        ({"type": "layout:marked_list", "mark": "a\nb", "count": 2}, "one line"),
        ({"type": "layout:table_header", "columns": ["a", "A"]}, "differ"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(RaifError, match=words):
        parse_constraint(arguments)


def test_options_are_divided_as_prose_writes_them() -> None:
    assert split_options("yes/no/maybe") == ("yes", "no", "maybe")
    assert split_options("I know or I don't know") == ("I know", "I don't know")
    assert split_options("north or south") == ("north", "south")
    assert split_options("orange, red, or for sale") == ("orange", "red", "for sale")
    assert split_options("是、否或者不知道") == ("是", "否", "不知道")


def test_thai_lines_are_left_unscored() -> None:
    assert check("layout:one_word_per_line", {}, "ฉันไปตลาด") is Status.UNSCORED
    assert check("layout:emoji_sentence_ends", {}, "ฉันไปตลาด 🎉") is Status.UNSCORED


@pytest.mark.parametrize(
    "piece", ["[", "(", '"', "'", "|---|\n", "- a\n", "1. ", "<a", "<!--", "{", "$", "```\n", "# a\n", "a,"]
)
def test_hostile_repeats_take_little_time(piece: str) -> None:
    text = Response(None, f"a{piece * (50_000 // len(piece))}a")
    for name in own_types():
        verdict = drawn(name, 1, "en").check(text, Context())
        assert len(verdict.evidence) < 250
