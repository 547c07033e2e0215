"""The rules of CELLO: each departure of the strict profile, hostile answers, and every stored score of three models."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rewards.benchmarks.cello import CelloRules, Part, parse_rules, score
from rewards.benchmarks.cello_bleu import character_bleu
from rewards.benchmarks.cello_count import count_part
from rewards.benchmarks.cello_notation import MAX_CHARACTERS, parses_as
from rewards.errors import RaifError

MODELS = ("gpt4", "chatglm", "llama2-7b-chat")
UNUSED = [{"criterion": "NULL", "limit": "NULL"}]
EMPTY = {"Answer_format": UNUSED, "Input_depdent_query": UNUSED, "Task_prescribed_phrases": UNUSED, "lang": "ch"}


def rules(**lists: list[dict[str, Any]]) -> CelloRules:
    return parse_rules(EMPTY | {"Count_limit": UNUSED} | lists)


def counts(*limits: tuple[str, Any]) -> CelloRules:
    return rules(Count_limit=[{"criterion": name, "limit": limit} for name, limit in limits])


def both(demand: CelloRules, answer: str | None, criterion: str, previous: str | None = None) -> list[float | None]:
    """Return the strict and the official value of one criterion."""
    profiles = (False, True)
    return [
        score(demand, answer, previous=previous, input_text="", official=each)[criterion].value for each in profiles
    ]


@pytest.mark.parametrize(
    ("limits", "answer", "strict", "official"),
    [
        ([("word-max", 2)], "春夏秋冬 seasons", 0.5, 0.5),
        ([("word-min", 8)], "春夏秋冬", 0.5, 0.5),
        ([("sentence-exact", 2)], "春来了。夏来了！尾", 1.0, 1.0),
        ([("sentence-max", 1)], "春来了。夏来了！", 0.5, None),
        ([("sentence-min", 4)], "春来了。。夏来了！", 0.5, 0.5),
        ([("sample-table", 1)], "看：\n|a|b|\n|-|-|\n|1|2|\n完", 1.0, 1.0),
        ([("sample-table", 1)], "没有表", 0.0, 0.0),
        ([("sample-number", 3)], "1 和 2 和 3", 1.0, 1.0),
        ([("sample-number", 3)], "3 和 4", 0.0, 0.0),
        ([("sample-number", 3)], "3 和 " + "9" * 5000, 0.0, 0.0),
        ([("sample-min", [["<a>", 2], ["<b>", 1]])], "<a><a>", 0.5, 0.5),
        ([("sample-mins", [["<a>", 1]])], "<a><a>", 1.0, None),
        ([("sample-exact", [["<a>", 1]])], "<a><a>", 0.0, None),
        ([("sample-exact", [["5", 1]]), ("sample-number", 5)], "5", 1.0, None),
        ([("word-max", 2), ("sample-number", 5)], "春夏秋冬 4", 0.25, 0.5),
        ([("sample-table", 2), ("sample-number", 2)], "共 2 项\n|x|\n|-|", 1.0, 0.0),
        ([("sample-table", 2), ("sample-number", 2)], "共 2 项", 1.0, 1.0),
        ([("revise", "longer")], "短", 0.0, 1.0),
        ([("revise", "shorter")], "比原来的长得多", 0.0, 1.0),
    ],
)
def test_count(limits: list[tuple[str, Any]], answer: str, strict: float | None, official: float | None) -> None:
    assert both(counts(*limits), answer, "count", previous="原来的") == [strict, official]


def test_a_revision_of_nothing_is_not_applicable() -> None:
    assert score(counts(("revise", "longer")), "长", previous=None, input_text="")["count"].value is None


@pytest.mark.parametrize(
    ("notation", "answer", "strict", "official"),
    [
        ("json", "{'a': 1}", True, True),
        ("json", '{"a": true, "b": null}', True, False),
        ("json", '```json\n{"a": 1}\n```', True, False),
        ("json", 'So: ```json\n{"a": 1}\n```', False, False),
        ("json", '[{"a": 1}]', True, False),
        ("dict", '[{"a": 1}]', False, False),
        ("json", '{"a": NaN}', False, False),
        ("json", "dict(a=1)", False, False),
        ("json", "{'a': 2 * 3}", False, False),
        ("list", "['a', \"b\\d\"]", True, True),
        ("list", "\n ['a']\n", True, False),
        ("list", "[false]", True, False),
        ("tuple", "('a', 'b'), ('c',)", True, True),
        ("tuple", "[1]", False, False),
        ("xml", "<a>春<b/></a>", True, True),
        ("xml", "```xml\n<a/>\n```", True, False),
        ("xml", "<a></b>", False, False),
        ("xml", "<a:b/>", False, False),
        ("yaml", "a: 1\nb: [2]", True, True),
        ("yaml", "just words", False, True),
        (["xml"], "<a/>", True, False),
    ],
)
def test_notation(notation: Any, answer: str, strict: bool, official: bool) -> None:
    demand = rules(Answer_format=[{"criterion": "resolve", "limit": notation}])
    assert both(demand, answer, "format") == [float(strict), float(official)]


@pytest.mark.parametrize(
    ("notation", "answer"),
    [
        ("json", "__import__('pathlib').Path('cello_was_here').touch() or {}"),
        ("xml", '<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>'),
        ("xml", "<a>\ud800</a>"),
        ("yaml", "a: &a [1]\nb: [*a, *a]"),
        ("yaml", "[" * 5000),
        ("yaml", "!!python/object/apply:os.getcwd []"),
        ("json", "[" * (MAX_CHARACTERS - 1)),
        ("json", "{'a':" * 90 + "-" * 50_000 + "1"),
        ("list", "[" + "9" * 90_000 + "]"),
        ("list", "1" + "+1" * 40_000),
        ("dict", "{[]: 1}"),
        ("dict", "{'a': '\0'}"),
        ("list", "[" + "1," * MAX_CHARACTERS + "]"),
    ],
)
@pytest.mark.parametrize("official", [False, True])
def test_hostile_answers_are_refused_in_time(
    notation: Any, answer: str, official: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    assert not parses_as(answer, notation, official=official)
    assert time.process_time() - started < 60  # thousandths; a blow-up never ends
    assert list(tmp_path.iterdir()) == []


def test_phrases() -> None:
    several = [{"criterion": "keywords", "limit": ["描述", "优势"]}, {"criterion": "keywords", "limit": ["advantage"]}]
    one = [{"criterion": "keywords", "limit": "成功"}]
    assert both(rules(Task_prescribed_phrases=several), "描述 of an advantage", "phrases") == [1.0, 0.5]
    assert both(rules(Task_prescribed_phrases=one), "功成", "phrases") == [0.0, 1.0]
    assert score(rules(Task_prescribed_phrases=one), "失败", previous=None, input_text="")["phrases"] == Part(
        0.0, "0 of 1 phrases, missing '成功'"
    )


def test_copying_the_input_costs() -> None:
    demand = rules(Input_depdent_query=[{"criterion": "keywords", "limit": ["春", "夏"]}])
    text = "春天来了，花都开了"
    values = {
        source: score(demand, text, previous=None, input_text=source)["input"].value
        for source in (text, "NULL", "", "全然不同")
    }
    assert values == {text: 0.0, "NULL": 0.5, "": 0.5, "全然不同": 0.5}


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("aaaaaa", "aaaa", (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25),
        ("abcdx", "abcd", (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25),
        ("abcd", "abcdefgh", 2.718281828459045**-1),
        ("abcxabc", "abcyabc", 0.0),
        ("", "abcd", 0.0),
        ("abcd", "", 0.0),
    ],
)
def test_bleu(answer: str, reference: str, expected: float) -> None:
    assert character_bleu(answer, reference) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("answer", [None, "", " \n"])
def test_no_answer_earns_nothing_where_something_is_asked(answer: str | None) -> None:
    strict = score(counts(("word-max", 9)), answer, previous=None, input_text="")
    assert {name: part.value for name, part in strict.items()} == {
        "format": None,
        "input": None,
        "phrases": None,
        "count": 0.0,
    }
    official = score(counts(("word-max", 9)), answer, previous=None, input_text="", official=True)
    published = [0.0] * 4 if answer is None else [None, None, None, 1.0]
    assert [part.value for part in official.values()] == published


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"Count_limit": [{"criterion": "sample-maximum", "limit": 2}]}, "did you mean 'sample-min'"),
        ({"Count_limit": [{"criterion": "word-max", "limit": "many"}]}, "limit .*'many'.* is not known"),
        ({"Count_limit": [{"criterion": "revise", "limit": "funnier"}]}, "'longer' or 'shorter'"),
        ({"Count_limit": [{"limit": 2}]}, "unknown Count_limit criterion of CELLO item ab None"),
        ({}, "Count_limit is missing"),
        ({"Count_limit": "NULL"}, "Count_limit is 'NULL', expected a list"),
        ({"Count_limit": UNUSED, "lang": "en"}, "lang is 'en'"),
        ({"Count_limit": UNUSED, "Answer_format": [{"criterion": "resolve", "limit": "toml"}]}, "'toml' is not known"),
        ({"Count_limit": UNUSED, "Answer_format": [{"criterion": "resolve", "limit": "xml"}] * 2}, "2 resolve limits"),
        ({"Count_limit": UNUSED, "Input_depdent_query": [{"criterion": "keywords", "limit": []}]}, "is not known"),
    ],
)
def test_a_row_that_is_no_item_is_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_rules({"Instruction_id": "ab"} | EMPTY | row)


class Stored(NamedTuple):
    item: dict[str, Any]
    answer: dict[str, Any]
    scores: dict[str, Any]

    def profile(self, official: bool) -> dict[str, float | None]:
        source = self.answer["input_text"]
        text = source if isinstance(source, str) else ""  # a NaN where there is none
        parts = score(
            parse_rules(self.item),
            self.answer["model_answer"],
            previous=self.previous,
            input_text=text,
            official=official,
        )
        return {name: part.value for name, part in parts.items()}

    @property
    def previous(self) -> str | None:
        return self.item["histories"][-1][1] if self.item["histories"] else None


@pytest.fixture(scope="module")
def cello(shared_dir: Path) -> Path:
    folder = shared_dir / "data" / "cello"
    if not folder.is_dir():
        pytest.skip(f"no CELLO files at {folder}")
    return folder


def stored(folder: Path, model: str) -> Iterator[Stored]:
    """Yield the rows of one model: scores and answers stand in the same order, an id may come more than once."""
    scores = [json.loads(line) for line in (folder / "per_item" / f"{model}.jsonl").read_text("utf-8").splitlines()]
    answers, items = [], {}
    for path in sorted((folder / "data").glob("*.json")):
        items.update({row["Instruction_id"]: row for row in json.loads(path.read_text("utf-8"))})
        answers += json.loads(gzip.decompress((folder / "results" / model / f"res_{path.stem}.json.gz").read_bytes()))
    for answer, row in zip(answers, scores, strict=True):
        assert answer["Instruction_id"] == row["Instruction_id"]
        yield Stored(items[answer["Instruction_id"]], answer, row)


@pytest.mark.parametrize("model", MODELS)
def test_every_stored_score_is_reproduced(cello: Path, model: str) -> None:
    rows = list(stored(cello, model))
    assert len(rows) == (523 if model == "llama2-7b-chat" else 525)
    for row in rows:
        found = row.profile(official=True)
        limits, answer = parse_rules(row.item).counts, row.answer["model_answer"]
        found["true"] = count_part(limits, answer, previous=row.previous, official=True).value
        wanted = {name: row.scores[name] for name in ("format", "input", "count")}
        wanted |= {"phrases": row.scores["task_phrases"], "true": row.scores["count_true_previous_answer"]}
        assert found == pytest.approx(wanted, abs=1e-9), row.item["Instruction_id"]


@pytest.mark.parametrize(
    ("model", "differing"),
    [
        ("gpt4", {"format": 14, "phrases": 1, "count": 11}),
        ("chatglm", {"format": 5, "count": 7}),
        ("llama2-7b-chat", {"format": 1, "phrases": 1, "count": 8}),
    ],
)
def test_strict_differs_only_where_a_fault_was_corrected(cello: Path, model: str, differing: dict[str, int]) -> None:
    found: dict[str, int] = {}
    for row in stored(cello, model):
        official, strict = row.profile(official=True), row.profile(official=False)
        for name in [each for each in official if official[each] != strict[each]]:
            found[name] = found.get(name, 0) + 1
    assert found == differing
