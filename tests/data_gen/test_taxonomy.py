"""The taxonomies: every type has its place, paths select types, coverage counts what occurs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from data_gen.soft import soft_bank
from data_gen.taxonomy import (
    coverage,
    dimensions_of,
    parse_scheme,
    render_coverage,
    schemes,
    soft_of,
    type_weights,
    types_of,
)
from data_gen.taxonomy.schemes import DATA
from rewards import RaifError, known_constraints
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.text import han_share

COMPLEXBENCH = {
    "Lexical": ["Word Matching", "Keywords"],
    "Structure": ["JSON", "Markdown", "Bullets", "Length", "Start with", "End with", "Punctuation", "Template"],
    "Semantic": ["Language Style", "Personalization", "Topic", "Sentiment"],
    "Utility": ["Helpfulness", "Target Language", "Supportiveness", "Consistency", "Factuality"],
}
CFBENCH = [
    *("content", "numerical", "style", "format", "linguistic"),
    *("situation", "example", "inverse", "contradictory", "rule"),
]


def scheme(**changes: Any) -> dict[str, Any]:
    group = {"en": "Marks.", "zh": "标点。", "types": ["punctuation:no_comma"]}
    return {"name": "mine", "en": "Mine.", "zh": "我的。", "groups": {"marks": {**group, **changes}}}


@pytest.mark.parametrize("name", ["cfbench", "complexbench", "followbench", "infobench"])
def test_every_constraint_type_has_its_place(name: str) -> None:
    assert set(types_of(name)) == set(known_constraints())


def test_the_published_structure_is_kept() -> None:
    assert list(schemes()["cfbench"].groups) == CFBENCH
    found: dict[str, list[str]] = {}
    for dimension in schemes()["complexbench"].dimensions:
        found.setdefault(dimension.group, []).append(dimension.path.split("/")[2])
    assert found == COMPLEXBENCH
    assert [len(schemes()[name].dimensions) for name in ("ifeval", "mathif", "ifbench")] == [25, 15, 58]
    assert [len(schemes()[name].groups) for name in ("ifeval", "mathif", "ifbench")] == [9, 4, 7]


@pytest.mark.parametrize("name", ["ifeval", "ifbench"])
def test_the_official_families_are_those_of_the_parity_suites(name: str) -> None:
    ours = {each.path.removeprefix(f"{name}/").replace("/", ":") for each in schemes()[name].dimensions}
    assert ours == set(suite(name).checks)


@pytest.mark.parametrize(
    ("path", "official", "arguments"),
    [
        (
            "ifeval/length_constraints/number_words",
            "length_constraints:number_words",
            {"relation": "less than", "num_words": 9},
        ),
        ("ifeval/change_case/english_capital", "change_case:english_capital", {}),
        ("ifeval/startend/end_checker", "startend:end_checker", {"end_phrase": "Bye."}),
        ("ifbench/format/sub-bullets", "format:sub-bullets", {}),
        ("ifbench/words/prime_lengths", "words:prime_lengths", {}),
    ],
)
def test_a_family_maps_to_what_its_checker_means(path: str, official: str, arguments: dict[str, Any]) -> None:
    meant = {each.type for each in strict_constraints(path.partition("/")[0], official, arguments)}
    assert meant <= set(types_of(path))


def test_every_dimension_says_what_it_is_and_holds_something() -> None:
    for one in schemes().values():
        assert han_share(one.description["zh"]) > 0.3
        for dimension in one.dimensions:
            assert dimension.types or dimension.soft, dimension.path
            assert han_share(dimension.zh) > 0.3
            assert dimension.en.endswith(".")
            assert dimension.zh.endswith("。")


def test_every_pattern_of_the_data_is_needed() -> None:
    """A name that its neighbour's pattern says already would only mislead."""
    from data_gen.taxonomy.schemes import expand

    for path in sorted(DATA.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"].values():
            for dimension in group.get("dimensions", {"": group}).values():
                patterns = dimension.get("types", [])
                for pattern in patterns:
                    others = [each for each in patterns if each != pattern]
                    assert not set(expand([pattern], "")) <= set(expand(others, "")), (path.name, pattern)


@pytest.mark.parametrize(
    ("path", "some"),
    [
        ("cfbench/format", "format:json"),
        ("complexbench/Structure/Bullets", "layout:bullets"),
        ("COMPLEXBENCH/structure/end-with/", "affix:end_phrase"),
        ("mathif", "punctuation:no_comma"),
        ("followbench/format", "layout:sections"),
    ],
)
def test_paths_select_types(path: str, some: str) -> None:
    assert some in types_of(path)
    assert list(types_of(path)) == sorted(set(types_of(path)))


def test_a_scheme_is_the_sum_of_its_parts() -> None:
    for name, one in schemes().items():
        assert set(types_of(name)) == {each for group in one.groups for each in types_of(f"{name}/{group}")}
        assert len(dimensions_of(name)) == len(one.dimensions)
    assert "avoid" in soft_of("cfbench/inverse")
    assert types_of("cfbench/situation") == ()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("cfbnch/format", "did you mean 'cfbench'"),
        ("cfbench/formt", "did you mean 'format'"),
        ("complexbench/Structure/Bullet", "did you mean 'Bullets'"),
        ("cfbench/format/basic/deeper", "unknown part of 'cfbench/format/basic' 'deeper'"),
    ],
)
def test_an_unknown_path_is_refused(path: str, message: str) -> None:
    with pytest.raises(RaifError, match=message):
        types_of(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (scheme(types=["punctuation:no_coma"]), "here: mine/marks.*did you mean 'punctuation:no_comma'"),
        (scheme(types=["punctation:*"]), "unknown constraint type"),
        (scheme(soft=["tune"]), "did you mean 'tone'"),
        (scheme(dimensions={"a": {"en": "A.", "zh": "甲。"}}), "either `dimensions` or"),
        (scheme(colour="red"), "Extra inputs"),
        ("text", "here: file"),
    ],
)
def test_a_broken_scheme_is_refused(content: object, message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_scheme(content, "here")


def test_weights_are_shared_by_the_types_of_a_path() -> None:
    weights = type_weights({"mathif/affix": 3.0, "case:english_*": 1.0, "affix:quotation": 0.5})
    assert weights["affix:quotation"] == pytest.approx(1.5)
    assert weights["case:english_lower"] == pytest.approx(0.5)
    assert sum(weights.values()) == pytest.approx(4.5)
    assert set(type_weights({"complexbench": 1.0})) == set(known_constraints())
    for key, weight, message in (("cfbench/situation", 1.0, "only soft demands"), ("mathif", 0.0, "must be above 0")):
        with pytest.raises(RaifError, match=message):
            type_weights({key: weight})


def test_coverage_counts_and_names_what_is_missing() -> None:
    report = coverage({"affix:quotation": 7, "keywords:existence": 2}, {"tone": 5})
    mathif = next(each for each in report.schemes if each.path == "mathif")
    assert (mathif.types_seen, mathif.demands) == (2, 9)
    assert mathif.types == len(types_of("mathif"))
    affix = next(each for each in report.groups if each.path == "mathif/affix")
    assert affix.missing == ("affix:end_phrase", "affix:repeat_request")
    sentiment = next(each for each in report.dimensions if each.path == "complexbench/Semantic/Sentiment")
    assert (sentiment.soft_seen, sentiment.demands, sentiment.missing) == (1, 5, ("sentiment",))
    assert "complexbench/Structure/JSON" in report.uncovered
    assert "mathif/affix/quotation" not in report.uncovered


def test_full_coverage_leaves_nothing() -> None:
    report = coverage(dict.fromkeys(known_constraints(), 1), dict.fromkeys(soft_bank().dimensions, 1))
    assert report.uncovered == ()
    assert not any(each.missing for each in report.dimensions)


def test_the_table_has_a_row_for_every_dimension() -> None:
    report = coverage({"affix:quotation": 7})
    table = render_coverage(report)
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| dimension")]
    assert len(rows) == len(report.dimensions)
    assert "| affix/quotation | 1/1 | 0/0 | 7 |  |" in rows
    assert sum("(uncovered)" in row for row in rows) == len(report.uncovered)


@pytest.mark.parametrize("counts", [({"affix:qotation": 1}, {}), ({}, {"tune": 1})])
def test_unknown_counts_are_refused(counts: tuple[dict[str, int], dict[str, int]]) -> None:
    with pytest.raises(RaifError, match="did you mean"):
        coverage(*counts)
