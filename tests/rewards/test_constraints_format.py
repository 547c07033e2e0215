"""Format and nesting: every type against texts that satisfy it and texts that do not."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import pytest

from rewards import Constraint, Context, RaifError, Response, Status, known_constraints, parse_constraint
from rewards.constraints import json_schema
from rewards.constraints.format_markup import html_problem, latex_problem
from rewards.constraints.nesting import bracket_depth, quote_depth


class Case(NamedTuple):
    """A constraint with texts that satisfy and texts that violate it."""

    type: str
    arguments: dict[str, Any]
    satisfied: tuple[str, ...]
    violated: tuple[str, ...]


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
    "required": ["name"],
    "additionalProperties": False,
}
CASES = (
    Case(
        "format:json", {},
        ('{"a": 1}', '[1, "a"]', '```json\n{"a": 1}\n```', '```\n["苹果"]\n```', '\n\n{"a": {"b": null}}\n',
         '{"A":1,"a":2}',
         '```json\n{"a": "use ```x``` here"}\n```'),
        ('{"A":1,"A":2}', '{"a": 1e999}', "42", "true", '"a"', "{'a': 1}", '{"a": NaN}', "[Infinity]",
         'So: {"a": 1}', '{"a": 1} b', '{"a": 1,}',
         '```json\n{"a": 1}\n```\nDone.', "```xml\n[1]\n```", "[" * 9000 + "1"),
    ),
    Case(
        "format:json_keys", {"keys": ("a", "b")},
        ('{"a": 1, "b": "x"}', '{"b": [0], "a": false}'),
        ('{"a": 1}', '{"a": 1, "b": 2, "c": 3}', '{"a": 1, "b": ""}', '{"a": 1, "b": null}', '["a", "b"]',
         '{"A": 1, "B": 2}'),
    ),
    Case(
        "format:json_keys", {"keys": ("水果",)},
        ('{"水果": "苹果"}', '```json\n{"水果": ["梨"]}\n```'),
        ('{"水果": []}', "水果：苹果"),
    ),
    Case(
        "format:json_schema", {"json_schema": SCHEMA},
        ('{"name": "Ann"}', '{"name": "安安", "tags": ["a", "b"]}'),
        ('{"name": "A"}', '{"tags": ["a"]}', '{"name": "Ann", "tags": ["c"]}', '{"name": "Ann", "age": 7}', '["Ann"]',
         "Ann"),
    ),
    Case(
        "format:json_lines", {"count": 2},
        ('{"a": 1}\n{"a": 2}', '{"a": "苹果"}\n\n{"a": "梨"}\n'),
        ('{"a": 1}', '{"a": 1}\n{"a": 1}', '{"a": 1}\n2', '[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"b": ""}',
         '{"a": 1}\nso'),
    ),
    Case(
        "format:yaml", {},
        ("a: 1\nb:\n  - c", "- a\n- b", "```yaml\na: 1\n```", "水果: 苹果", '{"a": 1}'),
        ("just words", "a: [1", "a: &x 1\nb: *x", "a: !!python/name:os.system", "a: 1\n---\nb: 2",
         "So:\n```yaml\na: 1\n```", "a: b: c", "a: 1\n b: 2"),
    ),
    Case(
        "format:date_list", {"first_year": 1800, "last_year": 1810, "count": 2},
        ("1805-12-02, 1806-10-14", "1804-02-29,1805-12-02,\n1806-10-14", "1805-12-02，1806-10-14",
         "1805-12-02, 1806-10-14.", "1805-12-02、1806-10-14。"),
        ("1805-12-02", "1801-02-29, 1805-12-02", "1805-12-02 1806-10-14", "1805-12-02, 1805-12-02",
         "1811-01-01, 1805-12-02", "02-12-1805, 14-10-1806", "1805-1-2, 1805-1-3"),
    ),
    Case(
        "format:csv", {"columns": ("id", "fruit"), "rows": 2},
        ("id,fruit\n1,apple\n2,pear", 'id, fruit\r\n"1","Paris, France"\r\n2,"say ""hi"""\n', "id,fruit\n1,苹果\n2,梨"),
        ("id,fruit\n1,apple", "fruit,id\n1,2\n3,4", "id,fruit\n1,apple\n2,", "id,fruit\n1,a\n1,a", "id;fruit\n1;a\n2;b",
         "```\nid,fruit\n1,a\n2,b\n```", 'id,fruit\n1,""a""\n2,b', "id,fruit\n1,a,x\n2,b", "CSV:\nid,fruit\n1,a\n2,b"),
    ),
    Case(
        "format:csv", {"columns": ("编号", "水果"), "rows": 1, "delimiter": "tab", "quoted": True, "special": True},
        ('"编号"\t"水果"\n"1"\t"苹&果"', '"编号"\t "水果"\n"1"\t "梨!"'),
        ('"编号"\t"水果"\n"1"\t"苹果"', '编号\t水果\n1\t"苹&果"', '"编号","水果"\n"1","苹&果"'),
    ),
    Case(
        "format:xml", {},
        ("<a><b>x</b></a>", '<?xml version="1.0"?>\n<a t="x"/>', "```xml\n<a>x</a>\n```", "<水果>苹果</水果>",
         "<a>x &amp; y</a>"),
        ("<a><b>x</a>", "x", "So: <a>x</a>", "<a>x</a><b>y</b>", "<a>x & y</a>", "<a><b/></a>",
         '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "<!DOCTYPE a><a>x</a>", "<a>\x00x</a>", "<a>\ud800x</a>"),
    ),
    Case(
        "format:xml_elements", {"elements": ("b", "c")},
        ("<a><b>x</b><c>y</c></a>", "<b>苹<c>果</c></b>"),
        ("<a><b>x</b></a>", "<a><b>x</b><c/></a>", "<a><b><d>x</d></b><c>y</c></a>", "<b>x</b><c>y</c>"),
    ),
    Case(
        "format:html", {},
        ("<p>a <b>b</b><br>c</p>", "<!DOCTYPE html><!-- x --><html><body>a</body></html>", "```html\n<p>a</p>\n```",
         "<p>苹果</p>", '<p title="a > b">a < b</p>'),
        ("a", "<p>a", "<p>a</p> b", "<b><i>a</b></i>", "<foo>a</foo>", "<p>a</p></div>", "<!-- <p>a</p>",
         "So <p>a</p>"),
    ),
    Case(
        "format:latex", {},
        (r"It is $x$.", r"It is \boxed{7}.", r"\begin{a}x\end{a} is", r"答案是\[x\]。",
         r"It costs \$5 and \frac{1}{2}."),
        ("It is 7.", r"It is $x.", r"\frac{1}{2", r"\begin{a}x\end{b} is", r"\(x\] is", "It costs $5.", "{a}"),
    ),
    Case(
        "nesting:brackets", {"depth": 3},
        ("a (b [c {d}])", "(((x)))", ":( a (b (c (d)))", "（一【二（三）】）", "```\n((( x )))\n```"),
        ("(a [b] {c})", "((((((x)", "((()))", "([{x)]}", r"$(((x)))$ a", r"\frac{\sqrt{\left(x\right)}}{2}"),
    ),
    Case(
        "nesting:quotes", {"depth": 3},
        ("\"He said 'she yelled \"stop\" loudly' today\"", '"\'"x"\'"', "“他说‘她写“好”了’。”", "「甲『乙「丙」』」"),
        ("\"a\" 'b' \"c\"", "\"a 'b' c\"", "It's 5'10\" tall and the dogs' bowl", "'\"'\"'", "“a “b “c”””",
         '"a \'b "c"'),
    ),
    Case(
        "nesting:bracketed_words", {},
        ("[a] [b.]", "[a][b]\n[c]", "[坐][火车]", "[[a]] [b]"),
        ("[a b]", "[a] b", "[a] [b].", "(a) (b)", "[] []", "[a,b]", "[坐火车去学校]", "[ a ]"),
    ),
    Case(
        "nesting:wrapped_bigrams", {},
        ("<<I am>> <<at home>>", "<<a b>> c", "<<a b>> <<c>>", "<<今天 天气>> <<很好>>"),
        ("a b", "<<a b c>>", "<<a>> <<b>>", "<<a b>> c d", "c <<a b>>", "<<a b>>. <<c d>>.", "[[a b]]", "«a b»",
         "<<a b>> <<c>> <<d e>>", "word"),
    ),
    Case(
        "nesting:explained_quotes", {"count": 1},
        ('"Carpe diem" means seize it.', "“开卷有益”是说读书好。", 'He said "go" and left. "Stop" came later.'),
        ("no quotes", 'He said "go".', '"a" "b" is it', "“a” “b”", '"a"', '"" is it', "「a」「b」"),
    ),
    Case("nesting:explained_quotes", {"count": 0}, ("no quotes", '"a" is it'), ('It is "a"', '"a" "b" c')),
    Case("format:json_keys", {"keys": ["a"]}, ('{"a": 0}',), ('{"a": [""]}', '{"a": "-"}', '{"a": {"b": ""}}')),
    Case("format:json_lines", {"count": 2}, ('{"a":1}\n{"a":2}',),
         ('{"a":1}\n{"a": 1}', '{"a":1,"b":2}\n{"b":2,"a":1}')),
    Case("format:yaml", {}, ("a:\n  b: c", "- {a: b}\n- {a: c}"), ("a:", "a: b\na: c")),
    Case("format:latex", {}, ("$5$ apples", "$ x $"), ("It costs $5 and $6.", "I like C:\\temp", "Hi \\n there")),
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
    return [name for name in known_constraints() if name.startswith(("format:", "nesting:"))]


@pytest.mark.parametrize("name", own_types())
def test_two_of_each(name: str) -> None:
    cases = [case for case in CASES if case.type == name]
    assert sum(len(case.satisfied) for case in cases) >= 2
    assert sum(len(case.violated) for case in cases) >= 2
    assert any(ord(letter) > 0x2FFF for case in cases for text in case.satisfied for letter in text)


def drawn(name: str, number: int, language: str) -> Constraint:
    return parse_constraint({"type": name, **known_constraints()[name].draw(Random(number), language)})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"type": "format:date_list", "first_year": 1810, "last_year": 1800, "count": 1}, "not be after"),
        ({"type": "format:date_list", "first_year": 1800, "last_year": 1800, "count": 999}, "fewer than 999"),
        ({"type": "format:json_schema", "json_schema": {"type": "text"}}, "bad value"),
        ({"type": "format:json_schema", "json_schema": {"format": "date"}}, "unknown keyword 'format'"),
        ({"type": "format:json_schema", "json_schema": {"pattern": "^(a+)+$"}}, "bad value"),
        ({"type": "format:json_schema", "json_schema": {"$ref": "#"}}, "leads back"),
        ({"type": "format:xml_elements", "elements": ["a b"]}, "names"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(RaifError, match=words):
        parse_constraint(arguments)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": ["integer", "null"]}, (1, 2.0, None), (1.5, True, "1")),
        ({"enum": [1, "a"]}, (1, 1.0, "a"), (True, "b")),
        ({"const": {"a": [1]}}, ({"a": [1.0]},), ({"a": [True]}, {"a": []})),
        ({"minimum": 2, "exclusiveMaximum": 5}, (2, 4.9, "x"), (1, 5)),
        ({"multipleOf": 0.1}, (0.3, 1), (0.25,)),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ("苹果", "abc"), ("a", "abcd", 12)),
        ({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}, ("2020-01",), ("2020", "x2020-01")),
        ({"items": {"type": "integer"}, "maxItems": 2, "uniqueItems": True}, ([], [1, 2]), ([1, 1], [1, 2, 3], ["a"])),
        ({"properties": {"a": {"not": {"const": 1}}}, "minProperties": 1}, ({"a": 2}, {"b": 1}), ({"a": 1}, {})),
        ({"additionalProperties": {"type": "string"}}, ({"a": "b"},), ({"a": 1},)),
        ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ("a", 3), (2,)),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, (0, 6), (3,)),
        ({"allOf": [{"minimum": 1}, {"maximum": 5}]}, (3,), (0, 6)),
        ({"$defs": {"n": {"items": {"$ref": "#/$defs/n"}, "type": "array"}}, "$ref": "#/$defs/n"}, ([[[]]],), ([[2]],)),
    ],
)  # fmt: skip
def test_json_schema(schema: Any, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    assert json_schema.refused(schema) == ""
    for value in good:
        assert json_schema.Validator(schema).problem(value) == ""
    for value in bad:
        assert json_schema.Validator(schema).problem(value)


def test_a_schema_that_branches_over_itself_takes_little_time() -> None:
    branch = {"items": {"$ref": "#"}, "type": "array"}
    value: Any = 1
    for _ in range(50):
        value = [value]
    assert json_schema.Validator({"anyOf": [branch, branch]}).problem(value)


def test_depths_and_problems() -> None:
    assert bracket_depth("no [w]ord") == 1
    assert bracket_depth("(a) (b (c))") == 2
    assert quote_depth("don't") == 0
    assert quote_depth("“a” “b ‘c’”") == 2
    assert "is not closed" in html_problem("<div><p>a</p>")
    assert "stays open" in latex_problem(r"$\{x")


def test_long_yaml_is_left_unscored() -> None:
    assert check("format:yaml", {}, "- a\n" * 6_000) is Status.UNSCORED


@pytest.mark.parametrize(
    "piece", ["[", "(", '"', "'", "|---|\n", "- a\n", "1. ", "<a", "<!--", "{", "$", "```\n", "# a\n", "a,"]
)
def test_hostile_repeats_take_little_time(piece: str) -> None:
    text = Response(None, f"a{piece * (50_000 // len(piece))}a")
    for name in own_types():
        verdict = drawn(name, 1, "en").check(text, Context())
        assert len(verdict.evidence) < 250
