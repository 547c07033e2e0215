"""Every constraint type against texts that satisfy it and texts that do not."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from data_gen import arguments
from rewards import Constraint, Context, Response, Status, known_constraints, parse_constraint


class Case(NamedTuple):
    """A constraint with texts that satisfy and texts that violate it."""

    constraint: dict[str, Any]
    satisfied: tuple[str, ...]
    violated: tuple[str, ...]


def words(count: int) -> str:
    return " ".join(["word"] * count)


CASES = (
    Case(
        {"type": "length:min_words", "limit": 5},
        (words(5), words(6), "今天天气好", "Tom's well-known $3.14 is \\boxed{1,000}", "नमस्ते दुनिया नमस्ते दुनिया नमस्ते"),
        (words(4), "今天天气", "a-b-c-d", "- - - - -", "\\alpha \\beta \\gamma \\delta \\epsilon", "नमस्ते दुनिया"),
    ),
    Case(
        {"type": "length:max_words", "limit": 3},
        (words(3), "one", "天气好", "3.14 1,000 don't", "हिन्दी में नमस्ते", "\\frac{1}{2} it"),
        (words(4), "今天天气", "one,two,three,four", "one.two.three.four", "Well: a b c."),
    ),
    Case(
        {"type": "keywords:existence", "keywords": ["blue sky", "River"]},
        ("The blue sky and a river.", "BLUE SKY; RIVER", "a blue\nsky over the river's bed", "river-blue sky-river"),
        ("The blue sky.", "a river", "bluesky river", "blue skyline river", "rivers and blue sky"),
    ),
    Case(
        {"type": "keywords:existence", "keywords": ["花园"]},
        ("我喜欢花园。", "花园", "这是大花园里的花"),
        ("花和园", "我喜欢花", "garden"),
    ),
    Case(
        {"type": "keywords:forbidden", "keywords": ["bar", "C++"]},
        ("A barrel and rebar.", "Use \\bar{x} here.", "C is fine", "barbecue"),
        ("A bar.", "BAR none", "I like C++.", "foo-bar", '"bar"'),
    ),
    Case(
        {"type": "keywords:forbidden", "keywords": ["花"]},
        ("天空很蓝。", "草", "A flower"),
        ("花园", "有花。", "一朵花"),
    ),
    Case(
        {"type": "keywords:min_frequency", "keyword": "cat", "count": 2},
        ("cat cat", "A Cat, a CAT and a cat.", "cat-cat"),
        ("cat", "catcat", "cat category", "cat cats"),
    ),
    Case(
        {"type": "keywords:min_frequency", "keyword": "水", "count": 2},
        ("水和水", "水水水", "河水流到水里"),
        ("水", "冰", "water water"),
    ),
    Case(
        {"type": "keywords:max_frequency", "keyword": "cat", "count": 2},
        ("cat cat", "no pets", "cat cats catalog cat"),
        ("cat cat cat", "Cat CAT cat", "cat-cat-cat"),
    ),
    Case(
        {"type": "layout:bullets", "count": 2},
        ("- a\n- b", "Intro:\n* a\n+ b\nDone.", "- a\n  - nested", "• 苹果\n• 书", "- a\n---\n- b\n* * *"),
        ("- a", "- a\n- b\n- c", "-a\n-b", "a - b\n1. c", "```\n- a\n- b\n```", "a\n- \n- "),
    ),
    Case(
        {"type": "layout:highlights", "count": 2},
        ("**one** and **two**", "*a* b *c*", "***x*** **y z**", "这是**苹果**，那是**书**。", "*a*, *b*, *c*"),
        ("**one**", "2 * 3 * 4 * 5", "$a*b*c$ `*x* *y*` word", "a * b * c", "*open and *more", "a*b*c d*e*f"),
    ),
    Case(
        {"type": "layout:sections", "count": 2, "marker": "Section"},
        ("Section 1\na\nSection 2\nb", "**SECTION 1**\na\n## section 2: b", "Intro\nSection1\na\nSection2\nb"),
        (
            "Section 1\na",
            "Section 2\na\nSection 1\nb",
            "Section 1\na\nSection 2\nb\nSection 3\nc",
            "See Section 1 and Section 2.",
            "Section 1\na\nSection 2\n",
            "Section 1\nSame.\nSection 2\nSame.",
            "Section 1\nSection 22",
            "Section 1\nSection " + "2" * 5000,
        ),
    ),
    Case(
        {"type": "layout:sections", "count": 2, "marker": "部分"},
        ("部分 1\n苹果\n部分 2\n书", "部分1\n苹果\n部分2\n书", "**部分 1** 苹果\n部分 2 书"),
        ("部分 1\n苹果", "第一部分\n第二部分", "部分 2\n部分 1"),
    ),
    Case(
        {"type": "affix:end_phrase", "phrase": "That is all."},
        ("Yes. That is all.", "that is all.\n", "**Yes. That is all.**", '"Yes. THAT IS ALL."', "That is all."),
        ("Yes. That is all. Bye.", "Yes. That is all", "xThat is all.", "That is all. ?", "That is all.)." + "x"),
    ),
    Case(
        {"type": "affix:end_phrase", "phrase": "谢谢阅读。"},
        ("好的。谢谢阅读。", "谢谢阅读。\n", "“好的。谢谢阅读。”"),
        ("谢谢阅读。再见。", "谢谢阅读", "谢谢"),
    ),
    Case(
        {"type": "affix:repeat_request", "request": "Name a river, please."},
        (
            "Name a river, please. The Nile.",
            '"Name a  river,\nplease." The Nile.',
            "  name a river, please. 尼罗河",
        ),
        ("The Nile.", "Name a river, please.", "Name a lake, please. The Nile.", "Well. Name a river, please. Nile."),
    ),
    Case(
        {"type": "affix:repeat_request", "request": '"Yes" in French?'},
        ('"Yes" in French? Oui.', '""Yes" in French?" Oui.', 'yes" in french? Oui.'),
        ("Oui.", '"Yes" in French?', "Yes in French? Oui."),
    ),
    Case(
        {"type": "affix:repeat_request", "request": "说一条河。"},
        ("说一条河。尼罗河。", "说一条河。\n黄河", "「说一条河。」黄河"),
        ("黄河", "说一条河。", "请说一条河。黄河"),
    ),
    Case(
        {"type": "affix:quotation"},
        ('"Yes."', "“好的。”", '  "He said "hi" and left."\n', "“He said “hi” there”", "「はい」"),
        ("Yes.", '"Yes.', 'Yes."', '"a" b "c"', "'Yes.'", "“a” b “c”", '"Yes" he said.', '“Yes"'),
    ),
    Case(
        {"type": "case:english_upper"},
        (
            "THE RIVER CARRIES WATER TO THE SEA.",
            "IT IS \\boxed{7} OR $x + y$.",
            "SO, `code` IT IS THE ANSWER TO THE QUESTION.",
            "A",
        ),
        (
            "THE RIVER CARRIES WATER TO THE SEa.",
            "the river",
            "7 + 8",
            "今天天气很好",
            "DER ALTE BAHNHOF WURDE IM LETZTEN JAHR VOLLSTÄNDIG RENOVIERT UND IST SEHR SCHÖN.",
        ),
    ),
    Case(
        {"type": "case:english_lower"},
        ("the river carries water to the sea.", "it is \\boxed{7} or $X + Y$.", "a", "then `CODE` is shown here."),
        (
            "The river carries water.",
            "ALL CAPS",
            "7 + 8",
            "今天天气很好",
            "der alte bahnhof wurde im letzten jahr vollständig renoviert und ist jetzt sehr schön.",
        ),
    ),
    Case(
        {"type": "case:min_capital_words", "count": 2},
        ("This is VERY GOOD.", "NASA DON'T", "A WELL-KNOWN FACT", "NASA和ESA的计划"[:4] + " ESA 好"),
        ("This is VERY good.", "A B C", "$AB$ `CD` ok", "X=4 Y=5", "Very Good", "\\ALPHA \\BETA two"),
    ),
    Case(
        {"type": "case:max_capital_words", "count": 1},
        ("This is VERY good.", "none here", "A B C I", "$AB$ `CD` EF", "好 NASA"),
        ("This is VERY GOOD.", "NASA DON'T", "AB CD EF"),
    ),
    Case(
        {"type": "punctuation:no_comma"},
        ("No comma here.", "好的。就这样！", "$a\\,b$ is thin", "one; two: three"),
        ("a, b", "苹果，书", "苹果、书", "1,000", "نعم، شكرا"),
    ),
    Case(
        {"type": "language:response", "language": "zh"},
        ("汤姆有七个苹果。", "答案是 $x+y$。", "今天天气很好, ok"),
        ("The river carries water to the sea.", "これは日本語です。", "$x$ 7", "안녕하세요 여러분"),
    ),
    Case(
        {"type": "language:response", "language": "en"},
        (
            "The river carries water to the sea.",
            "So the answer to this question is \\boxed{7}.",
            "THE RIVER CARRIES WATER TO THE SEA",
        ),
        (
            "汤姆有七个苹果。",
            "Der alte Bahnhof wurde im letzten Jahr vollständig renoviert.",
            "Река несет воду в море.",
            "```python\nprint()\n```",
        ),
    ),
    Case(
        {"type": "language:response", "language": "hi"},
        (
            "यह एक सुंदर नदी है और इसमें बहुत पानी है।",
            "मुझे किताबें पढ़ना और संगीत सुनना बहुत पसंद है।",
            "आज मौसम बहुत अच्छा है और हम बाहर जा रहे हैं।",
        ),
        ("The river is long.", "河流", "La rivière est longue et belle."),
    ),
)
BLANK = ("", " \n\t", ".", "...", "！？", "\\boxed{}", "-", "・・・", "🎉", "\u200b")


def check(constraint: dict[str, Any], text: str) -> Status:
    verdict = parse_constraint(constraint).check(Response(None, text), Context())
    assert verdict.evidence, "a verdict without evidence"
    return verdict.status


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.constraint.values())))
def test_table(case: Case) -> None:
    assert len(case.satisfied) >= 3
    assert len(case.violated) >= 3
    assert {text: check(case.constraint, text) for text in case.satisfied} == dict.fromkeys(
        case.satisfied, Status.SATISFIED
    )
    assert {text: check(case.constraint, text) for text in case.violated} == dict.fromkeys(
        case.violated, Status.VIOLATED
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.constraint.values())))
def test_silence_earns_nothing(case: Case) -> None:
    assert {text: check(case.constraint, text) for text in BLANK} == dict.fromkeys(BLANK, Status.VIOLATED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.constraint.values())))
def test_a_constraint_on_the_thinking_ignores_the_answer(case: Case) -> None:
    constraint = parse_constraint({**case.constraint, "scope": "thinking"})
    good, bad = case.satisfied[0], case.violated[0]
    assert constraint.check(Response(good, bad), Context()).status is Status.SATISFIED
    assert constraint.check(Response(bad, good), Context()).status is Status.VIOLATED
    assert constraint.check(Response(None, good), Context()).status is Status.VIOLATED


@pytest.mark.parametrize(
    "text", ["Yes.", "It is 7.", "aaaa bbbb", "ABCDEFGHIJKLMNOP 世界世界"], ids=["short", "digit", "few", "mixed"]
)
def test_a_language_that_cannot_be_told_is_unscored(text: str) -> None:
    assert check({"type": "language:response", "language": "en"}, text) is Status.UNSCORED


def test_whole_scope_includes_both_parts() -> None:
    constraint = parse_constraint({"type": "keywords:existence", "keywords": ["river", "lake"], "scope": "whole"})
    assert constraint.check(Response("a river", "a lake"), Context()).status is Status.SATISFIED
    assert constraint.check(Response("a river", "a pond"), Context()).status is Status.VIOLATED


def test_evidence_says_what_was_found_and_wanted() -> None:
    def evidence(constraint: dict[str, Any], text: str) -> str:
        return parse_constraint(constraint).check(Response(None, text), Context()).evidence

    assert evidence({"type": "layout:bullets", "count": 4}, "- a\n- b") == "found 2 bullet points, wanted 4"
    assert "missing: lake" in evidence({"type": "keywords:existence", "keywords": ["river", "lake"]}, "river")
    assert "says nothing else" in evidence({"type": "affix:repeat_request", "request": "Go on."}, "Go on.")
    assert "7 words" in evidence({"type": "length:max_words", "limit": 3}, words(7))


@pytest.mark.parametrize("name", arguments.DEFAULT_TYPES)
def test_every_default_type_is_in_the_table_and_can_be_drawn(name: str) -> None:
    cases = [case for case in CASES if case.constraint["type"] == name]
    assert cases, f"no table row for {name}"
    own = set(known_constraints()[name].model_fields) - {"type", "scope"}
    assert name in arguments._DRAWERS or not own, "arguments that data_gen cannot draw"
    assert set(arguments.RANGES.get(name, {})) <= own


@pytest.mark.parametrize("name", arguments.DEFAULT_TYPES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_phrases_and_notes_format(name: str, language: str) -> None:
    for case in CASES:
        if case.constraint["type"] != name:
            continue
        constraint = parse_constraint(case.constraint)
        options = constraint.phrases[language]
        texts = [constraint.describe(language, wording) for wording in range(len(options))]
        assert len(set(texts)) == len(options)
        assert constraint.describe(language, len(options)) == texts[0]
        for text in (*texts, constraint.note(language)):
            assert text.strip()
            assert not re.search(r"[{}]", text)
            assert "None" not in text
            assert bool(re.search(r"[\u4e00-\u9fff]", text)) or language == "en"


def numbered(name: str, number: int) -> Constraint:
    fields = known_constraints()[name].model_fields
    extra = {"keyword": "cat"} if "keyword" in fields else {}
    return parse_constraint({"type": name, "limit" if "limit" in fields else "count": number, **extra})


@pytest.mark.parametrize(
    "name", [n for n in arguments.DEFAULT_TYPES if {"count", "limit"} & set(known_constraints()[n].model_fields)]
)
def test_english_plurals(name: str) -> None:
    for wording in range(3):
        for number, plural in ((1, False), (2, True)):
            text = numbered(name, number).describe("en", wording).replace("markdown bullet", "bullet")
            after = re.search(rf"\b{number} (?:or more )?(?:bullet )?([a-z]+)", text)
            assert after, text
            assert after[1].endswith("s") == (plural or f"{number} or more" in text), text


def test_a_list_of_keywords_reads_as_prose() -> None:
    def said(*keywords: str, language: str = "en") -> str:
        return parse_constraint({"type": "keywords:existence", "keywords": keywords}).describe(language)

    assert said("a") == 'Include "a" in your answer.'
    assert said("a", "b") == 'Include "a" and "b" in your answer.'
    assert said("a", "b", "c") == 'Include "a", "b", and "c" in your answer.'
    assert said("花", "鸟", "鱼", language="zh") == "回答中必须出现“花”、“鸟”和“鱼”。"
