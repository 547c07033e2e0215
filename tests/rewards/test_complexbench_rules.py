"""ComplexBench's rules: the published results vector by vector, and where the strict profile leaves them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.benchmarks.complexbench import official_rule, official_spans, parse_rule, read_spans
from rewards.benchmarks.complexbench_rules import KNOWN, LIST_RULES, SPAN_RULES
from rewards.benchmarks.complexbench_text import mapped, unquoted
from rewards.errors import RaifError
from tests.rewards.growth import grows_linearly

NOT_MAPPED = ("model_keyword:", "model_keyword_num:", "model_keyword_num_each:", "model_forbidden_word:")
DIFFERENCES = {  # of 1,296 vectors, why the strict verdict is another one
    "keyword line and forbidden_word line": 33,
    "marks of the span not mapped": 6,
    "the letters None in a span": 2,
    "negative rule passes on either form": 1,
    "curly quotes left curly": 1,
}


def faults(rule: str, spans: Sequence[str]) -> list[str]:
    """List the documented faults of the published code that this rule and these spans touch."""
    name = rule.partition(":")[0]
    model, first = name.startswith("model_"), spans[0] if spans else ""
    touched = {
        "keyword line and forbidden_word line": name == "keyword" and "\nforbidden_word:" in rule and first,
        "the letters None in a span": not model and "None" in first,
        "marks of the span not mapped": rule.startswith(NOT_MAPPED) and any(mapped(each) != each for each in spans),
        "curly quotes left curly": name.startswith("model_constraint_punc") and set("“”") & set("".join(spans)),
        "negative rule passes on either form": name in ("not endswith", "forbidden_word")
        and unquoted(mapped(first)) != mapped(first),
        "last span skipped": name == "model_endswith_each" and sum(map(bool, spans)) > 1,
        "braces counted, keys mapped": name == "Json"
        and (re.search(r'"[^"]*[{}]', first) or mapped(rule[5:]) != rule[5:]),
    }
    return [reason for reason, applies in touched.items() if applies]


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    file = folder / "data" / "complexbench" / "replay" / name
    if not file.is_file():
        pytest.skip(f"no file {file}")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> list[tuple[str, list[str], bool | str]]:
    renamed = {2: "unknown", "error:IndexError": "error"}
    rows = lines(shared_dir, "rule_vectors.jsonl")
    return [
        (row["rule"], row["spans"], wanted if isinstance(wanted, bool) else renamed[wanted])
        for row in rows
        for wanted in [row["official"]]
    ]


def test_every_vector_has_its_published_result(vectors: list[tuple[str, list[str], bool | str]]) -> None:
    assert len(vectors) == 1296
    assert [row for row in vectors if official_rule(row[0], row[1]) != row[2]] == []
    tried = {line.partition(":")[0] for rule, _, _ in vectors for line in rule.split("\n")}
    assert tried == set(KNOWN)


def test_the_strict_verdict_differs_for_the_listed_reasons_alone(
    vectors: list[tuple[str, list[str], bool | str]],
) -> None:
    differing = [(rule, spans) for rule, spans, wanted in vectors if parse_rule(rule).check(spans)[0] != wanted]
    assert Counter(faults(rule, spans)[0] for rule, spans in differing) == DIFFERENCES
    assert len(differing) == 43  # 1,253 agree: 96.7 %, and 99.2 % of the 1,263 that the published code can judge


def test_replies_are_read_as_published(shared_dir: Path) -> None:
    rows = lines(shared_dir, "extraction_parse_vectors.jsonl")
    assert len(rows) == 9
    for row in rows:
        for each in (False, True):
            assert official_spans(row["extractor_answer"], row["output"], each=each) == row["spans"], row


@pytest.mark.parametrize(
    ("rule", "spans", "official", "strict"),
    [
        ("model_endswith_each:啊", ["好啊", "不"], True, False),
        ("model_keyword:[a.b]", ["a.b"], False, True),
        ("model_keyword_num_each:[1,1,!]", ["Yes!", "No!"], False, True),
        ("model_forbidden_word:[?]", ["Why?"], True, False),
        ("keyword:[春]\nforbidden_word:[夏]", ["春风"], "error", True),
        ("keyword:[春]\nforbidden_word:[夏]", ["春夏"], "error", False),
        ("keyword:[春]\nforbidden_word:[夏]", [], False, False),
        ("keyword:[theless]", ["Nonetheless"], False, True),
        ("forbidden_word:[theless]", ["Nonetheless"], True, False),
        ("not endswith:。", ["“好。”"], True, False),
        ("model_constraint_punc:[，]", ["称“好”，"], True, False),
        ('Json:["a"]', ['{"a": "}"}'], False, True),
        ('Json:["a.b"]', ['{"a.b": 1}'], False, True),
    ],
)
def test_documented_faults_are_corrected(rule: str, spans: list[str], official: object, strict: bool) -> None:
    assert (official_rule(rule, spans), parse_rule(rule).check(spans)[0]) == (official, strict)
    assert faults(rule, spans) or official == strict


@pytest.mark.parametrize(
    ("rule", "spans", "held", "evidence"),
    [
        ("length:[3,5]", ["“好的。”"], True, "found 5 characters, wanted 3 to 5"),
        ("length:[3,3]", ["“好的。”"], True, "found 3 characters, wanted 3 to 3"),
        ("length_word:[1,2]", ["one two three"], False, "found 3 words, wanted 1 to 2"),
        ("match:好的", ["好的."], True, "found '好的。', wanted '好的'"),
        ("match:好的", ["好的!"], False, "found '好的！', wanted '好的'"),
        ("startswith:首先,", ["首先，我"], True, "begins '首先，我', the rule names '首先，'"),
        ("endswith:再见", ["再见?"], True, "ends '再见？', the rule names '再见'"),
        ("model_not_endswith:再见", ["再见。"], False, "ends '再见。', the rule names '再见'"),
        ("keyword:[春, 夏]", ["春天"], False, "missing '夏'"),
        ("model_forbidden_word_each:[春]", ["夏", "", "春"], False, "span 2 of 2: found '春'"),
        ("model_number_each:[2,3]", ["a", "", "b"], True, "found 2 spans, wanted 2 to 3"),
        ("model_starts_with_list_each:[a,b]", ["ax", "by"], True, "2 of 2 spans begin with their text, wanted 2"),
        ("model_starts_with_list_each:[a,b]", ["ax"], False, "1 of 1 spans begin with their text, wanted 2"),
        ("constraint_punc:[,,.]", ["a, b."], True, "no mark but '，', '。'"),
        ("constraint_punc:[，,。]", ["a; b."], False, "found '；'"),
        ('Json:["a","b"]', ['see {"b": 1, "a": {}} {'], True, "keys 'b', 'a', wanted 'a', 'b'"),
        ('Json:["a"]', ["{a}"], False, "no JSON object"),
        ('Json:[""]', ["{}"], True, "keys nothing, wanted any"),
        ("startswith:a\nendswith:b", ["ac"], False, "begins 'ac', the rule names 'a'; ends 'ac', the rule names 'b'"),
        ("model_not_startswith:a", [], True, "no span"),
        ("model_length_each:[0,9]", [""], False, "no span"),
    ],
)
def test_a_verdict_carries_its_evidence(rule: str, spans: list[str], held: bool, evidence: str) -> None:
    assert parse_rule(rule).check(spans) == (held, evidence)


def test_rules_on_each_span_ask_for_several() -> None:
    assert parse_rule("model_number_each:[1,2]").each
    assert parse_rule("model_keyword_num_each:[1,1,a]\nmodel_forbidden_word_each:[b]").each
    assert not parse_rule("length:[1,2]").each


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("lenght:[1,2]", "unknown ComplexBench rule 'lenght'; did you mean 'length'?"),
        ("", "unknown ComplexBench rule ''"),
        ("startswith:a\nrhyme:b", "unknown ComplexBench rule 'rhyme'"),
        ("length:300", "'length'; expected a list in square brackets"),
        ("length:[300]", "'length'; expected two whole numbers"),
        ("length:[5,1]", r"'length'; expected \[low,high\]"),
        ("length:[1,2,3]", r"'length'; expected \[low,high\]"),
        ("length:[1,__import__('os')]", "'length'; expected two whole numbers"),
        ("length:[1," + "9" * 5000 + "]", "expected two whole numbers"),
        ("keyword:[ , ]", "'keyword'; expected a list with at least one word"),
        ("model_keyword_num:[1,2]", "expected a list with at least one word"),
        ("model_endswith:", "expected a text after the colon"),
    ],
)
def test_a_rule_that_cannot_be_read_is_an_error_at_load(rule: str, expected: str) -> None:
    with pytest.raises(RaifError, match=f"(?s){expected}.*Known.*model_number_each"):
        parse_rule(rule)
    assert official_rule(rule, ["a"]) in ("unknown", "error") or rule.startswith("lenght")


ANSWER = "他说“好的。”然后走了。\n\n请注意安全||小心：再见 all None"


@pytest.mark.parametrize(
    ("reply", "each", "spans"),
    [
        ("【模型回复中评分问题的评测对象】\n评分对象：好的。", False, ["好的。"]),
        ("【模型回复中评分问题的评测对象】\n“好的。”", False, ["“好的。”"]),
        ("评分对象：再见，不对。\n【模型回复中评分问题的评测对象】\n**评分对象：** 走了。", False, ["走了。"]),
        ('评分对象："好的。"', False, ["好的。"]),
        ("评分对象：「好的。」||『走了。』|| ", True, ["好的。", "走了。"]),
        ("评测对象: 走了。\n\n注意：其他内容略去", False, ["走了。"]),
        ("评分对象：走了。\n\n请注意安全||小心：再见", False, ["走了。\n\n请注意安全||小心：再见"]),
        ("评分对象：all", False, [ANSWER]),
        ("评分对象：“all”。", True, [ANSWER]),
        ("评分对象：None", False, []),
        ("评分对象：None。\n注意：没有", True, []),
        ("走了。", False, ["走了。"]),
        ("评分对象：走了。||你好", True, None),
        ("评分对象：好的||走了", False, None),
        ("评分对象：alligator", False, None),
        ("评分对象：", False, None),
        ("评分对象： || ", True, None),
        ("评分对象：“”", False, None),
        ("【解释】\n这句话是结尾：走了。", False, None),
        ("", False, None),
        (None, True, None),
    ],
)
def test_a_reply_is_read_strictly(reply: str | None, each: bool, spans: list[str] | None) -> None:
    assert read_spans(reply, ANSWER, each=each) == spans


HATEFUL = "我讨厌苹果。【评测对象】\n评分对象：None"


@pytest.mark.parametrize(
    ("reply", "answer", "each", "spans"),
    [
        ("考察全文。\n【评测对象】\n评分对象：" + HATEFUL, HATEFUL, False, [HATEFUL]),
        ("【评测对象】\n评分对象：短。评分对象：好", "短。评分对象：好", False, ["短。评分对象：好"]),
        ("是全文。评分对象：很长。评分对象：短", "很长。评分对象：短", False, ["很长。评分对象：短"]),
        ("【评测对象】\n评分对象：我讨厌梨。【评测对象】\n评分对象：None", HATEFUL, False, None),  # copied badly
        ("评分对象：很坏。评分对象：all", "很长。评分对象：all", False, None),
        ("应填【评测对象】一栏。\n【评测对象】\n评分对象：好。", "坏。好。", False, ["好。"]),
        ("先看评分对象：是结尾。\n评分对象：好。", "坏。好。", False, ["好。"]),
        ("【评测对象】好？" * 9 + "【评测对象】\n评分对象：好。", "坏。好。", False, None),
        ("评分对象：a||b||c", "他写了 a||b||c", True, ["a||b||c"]),
        ("评分对象：“a||b”", "他写了 a||b||c", True, ["a||b"]),
        ("评分对象：a||c", "他写了 a||b||c", True, ["a", "c"]),
        ("评分对象：a||", "他写了 a||b||c", True, ["a"]),
    ],
)
def test_an_answer_with_marks_of_the_form_does_not_steer(
    reply: str, answer: str, each: bool, spans: list[str] | None
) -> None:
    assert read_spans(reply, answer, each=each) == spans


def test_a_copied_heading_does_not_hide_a_forbidden_word() -> None:
    reply = "考察全文。\n【评测对象】\n评分对象：" + HATEFUL
    assert parse_rule("model_forbidden_word:[讨厌]").check(read_spans(reply, HATEFUL, each=False) or [])[0] is False
    assert official_rule("model_forbidden_word:[讨厌]", official_spans(reply, HATEFUL, each=False)) is not False


def test_an_empty_answer_has_no_span() -> None:
    assert read_spans("评分对象：all", " \n", each=False) == []


WORDS = ("a", "的", "，", "。", ".", "1 ", "首先", "“", "x!")
BITS = st.sampled_from([*WORDS, '"', "”", "?", "{", "}", '{"a": 1}', "None", "\n", " ", "||", "评分对象：", "all"])
SPANS = st.lists(st.lists(BITS, max_size=6).map("".join) | st.text(max_size=8), max_size=4)
BOUNDS = st.tuples(st.integers(0, 3), st.integers(3, 6)).map(lambda pair: f"{pair[0]},{pair[1]}")
LISTED = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(",".join)


def one_line(name: str) -> st.SearchStrategy[str]:
    arguments = {
        "text": st.sampled_from(WORDS),
        "range": BOUNDS.map("[{}]".format),
        "range and words": st.tuples(BOUNDS, LISTED).map(lambda pair: f"[{pair[0]},{pair[1]}]"),
        "keys": st.sampled_from(['["a"]', "[]", '["a","b"]']),
    }
    shape = (SPAN_RULES | LIST_RULES)[name].shape
    return arguments.get(shape, LISTED.map("[{}]".format)).map(lambda argument: f"{name}:{argument}")


LINE = st.sampled_from(KNOWN).flatmap(one_line)


@settings(max_examples=300, deadline=None)
@given(LINE, SPANS)
def test_without_a_documented_fault_both_profiles_agree(rule: str, spans: list[str]) -> None:
    strict, evidence = parse_rule(rule).check(spans)
    assert evidence
    if not faults(rule, spans):
        assert strict == official_rule(rule, spans)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, min_size=2, max_size=2), SPANS)
def test_two_lines_hold_when_both_hold(rules: list[str], spans: list[str]) -> None:
    both = parse_rule("\n".join(rules)).check(spans)[0]
    assert both == all(parse_rule(rule).check(spans)[0] for rule in rules)
    assert official_rule("\n".join(rules), spans) in (True, False, "error")


@settings(max_examples=200, deadline=None)
@given(st.lists(BITS, max_size=8).map("".join), st.lists(BITS, max_size=12).map("".join), st.booleans())
def test_a_span_is_a_part_of_the_answer(reply: str, answer: str, each: bool) -> None:
    official_spans(reply, answer, each=each)
    for span in read_spans(reply, answer, each=each) or []:
        assert span
        assert span in answer


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    try:
        parse_rule(text)
    except RaifError:
        assert official_rule(text, ["a"]) in (True, False, "unknown", "error")


@pytest.mark.parametrize("unit", ['{"a":', "{", " ", "*", "\n", "评分对象：", "“", "注意", "a||", "《。"])
def test_a_huge_answer_is_judged_at_once(unit: str) -> None:
    def judge_all(huge: str) -> None:
        for name in KNOWN:
            argument = {"text": "x", "range": "[1,9]", "range and words": "[1,2,x]"}
            shape = (SPAN_RULES | LIST_RULES)[name].shape
            rule = f"{name}:{argument.get(shape, '[x]')}"
            parse_rule(rule).check([huge, huge])
            official_rule(rule, [huge, huge])
        for each in (False, True):
            read_spans("评分对象：" + huge + "?", huge, each=each)
            read_spans(huge, huge, each=each)
            official_spans(huge, huge, each=each)
            read_spans(huge, "好。", each=each)

    assert grows_linearly(judge_all, lambda size: (unit * size)[:size])
