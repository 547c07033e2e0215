"""What no answer satisfies is found, what some answer satisfies is let through, whatever the types."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from random import Random
from typing import Any

import pytest

from data_gen.quality.contradictions import PARTS, clashes_among, contradictions, redundancies
from data_gen.quality.meaning import MEANINGS, meaning_of
from data_gen.quality.measures import holds, occurs
from rewards import Constraint, Context, Response, Status, known_constraints, parse_constraint
from rewards.constraints.case import capital_words
from rewards.constraints.counting_emoji import count_emoji
from rewards.constraints.layout_views import bullet_items, headings
from rewards.constraints.length import count_characters
from rewards.constraints.letters import count_letters
from rewards.text import Text
from rewards.tree import And, Chain, Leaf, Selection

KNOWN = known_constraints()
TYPES = sorted(KNOWN)
STARTS = {
    "en": ("It is 7.", "Tom has \\boxed{12} apples, and Ann has 5. He gave away three of them."),
    "zh": ("答案是7。", "汤姆有\\boxed{12}个苹果，安有5个。他送出了三个。"),
}


def of(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": name, **arguments}


def reasons(*given: dict[str, Any]) -> list[str]:
    return [clash.reason for clash in clashes_among([parse_constraint(each) for each in given])]


CLASHING = [
    (of("length:min_words", limit=50), of("length:max_words", limit=40)),
    (of("length:words", count=50), of("length:words_range", low=10, high=49)),
    (of("length:about_words", target=100, tolerance_percent=10), of("length:min_words", limit=111)),
    (of("length:min_sentences", limit=9), of("length:max_words", limit=8)),
    (of("length:min_words", limit=30), of("length:max_characters", limit=29)),
    (of("length:paragraphs", count=4), of("length:max_lines", limit=3)),
    (of("length:composition", paragraphs=2, sentences=2, words=5), of("length:max_words", limit=19)),
    (of("length:min_sentence_words", limit=9), of("length:max_sentence_words", limit=8)),
    (of("layout:bullets", count=4), of("length:lines", count=3)),
    (of("layout:bullets", count=4), of("layout:plain_text")),
    (of("layout:nested_bullets", count=2, nested=2), of("layout:max_bullets", count=5)),
    (of("layout:code_blocks", count=1), of("layout:no_code")),
    (of("layout:heading_levels", count=3), of("layout:max_heading_level", level=2)),
    (of("layout:table_size", rows=2, columns=2), of("layout:min_table_rows", count=3)),
    (of("layout:sections", marker="Part", count=2), of("layout:sections", marker="PART", count=3)),
    (of("keywords:min_frequency", keyword="tea", count=2), of("keywords:forbidden", keywords=["Tea"])),
    (of("keywords:existence", keywords=["green tea"]), of("keywords:forbidden", keywords=["tea"])),
    (of("keywords:frequency", keyword="tea", count=2), of("keywords:max_frequency", keyword="tea", count=1)),
    (of("keywords:existence", keywords=["花园"]), of("keywords:forbidden", keywords=["花"])),
    (of("keywords:any_of", keywords=["cup", "pot"], count=2), of("keywords:forbidden", keywords=["pot"])),
    (of("keywords:existence", keywords=["tea"]), of("letters:forbidden", letter="e")),
    (of("keywords:existence", keywords=["tea"]), of("language:no_latin")),
    (of("keywords:existence", keywords=["envelope"]), of("words:max_word_length", limit=5)),
    (of("keywords:existence", keywords=["tea"]), of("layout:choice", options=["yes", "no"])),
    (of("letters:min_frequency", letter="e", count=20), of("letters:max_letters", limit=19)),
    (of("keywords:existence", keywords=["queue"]), of("letters:max_distinct_vowels", count=1)),
    (of("case:upper"), of("case:lower")),
    (of("case:english_lower"), of("case:min_capital_words", count=1)),
    (of("case:english_upper"), of("language:response", language="zh")),
    (of("case:english_upper"), of("language:script", script="han")),
    (of("case:keyword_upper", keyword="tea"), of("case:lower")),
    (of("language:response", language="en"), of("language:response", language="zh")),
    (of("language:response", language="en"), of("language:no_latin")),
    (of("language:simplified"), of("language:traditional")),
    (of("language:script", script="han"), of("language:min_script_share", script="latin", percent=50.0)),
    (of("language:max_script_share", script="han", percent=60.0), of("language:script", script="han")),
    (of("punctuation:no_comma"), of("punctuation:exact_marks", mark="，", count=3)),
    (of("punctuation:forbidden", marks="!?"), of("affix:final_question")),
    (of("punctuation:no_period"), of("punctuation:ends_with", mark=".")),
    (of("punctuation:no_quotes"), of("affix:quotation")),
    (of("affix:end_phrase", phrase="That is all."), of("affix:end_phrase", phrase="Good night.")),
    (of("affix:end_phrase", phrase="That is all."), of("affix:final_question")),
    (of("affix:end_phrase", phrase="Bye, all."), of("punctuation:no_comma")),
    (of("affix:end_phrase", phrase="晚安，朋友。"), of("punctuation:no_comma")),
    (of("affix:start_phrase", phrase="Dear friend"), of("affix:first_word", word="hello")),
    (of("affix:first_word_sentences", word="tea"), of("sentences:initials", letters="hope")),
    (of("affix:quotation"), of("affix:same_ends")),
    (of("format:json"), of("format:xml")),
    (of("format:json"), of("layout:min_bullets", count=2)),
    (of("format:json_keys", keys=["name"]), of("keywords:forbidden", keywords=["name"])),
    (of("counting:emoji", count=2), of("counting:min_emoji", count=3)),
    (of("copying:exact", text="One two."), of("length:min_words", limit=3)),
    (of("copying:include", text="One, two."), of("length:max_words", limit=1)),
]  # fmt: skip


@pytest.mark.parametrize("pair", CLASHING, ids=lambda pair: f"{pair[0]['type']} {pair[1]['type']}")
def test_contradictions_are_found_in_either_order(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for order in permutations(pair):
        assert len(reasons(*order)) == 1


AGREEING = [
    (of("length:min_words", limit=40), of("length:max_words", limit=40)),
    (of("length:min_words", limit=50), of("length:max_words", limit=40, scope="paragraph(1)")),
    (of("length:min_sentences", limit=9), of("length:max_words", limit=9)),
    (of("keywords:existence", keywords=["tea"]), of("keywords:forbidden", keywords=["green tea"])),
    (of("keywords:existence", keywords=["team"]), of("keywords:forbidden", keywords=["tea"])),
    (of("keywords:any_of", keywords=["cup", "pot"], count=1), of("keywords:forbidden", keywords=["pot"])),
    (of("copying:include", text="tea"), of("keywords:forbidden", keywords=["tea"])),  # "steam" holds it
    (of("affix:end_phrase", phrase="good night."), of("affix:end_phrase", phrase="Good Night.")),
    (of("affix:end_phrase", phrase="Say good night."), of("affix:end_phrase", phrase="good night.")),
    (of("affix:start_phrase", phrase="Dear friend"), of("affix:first_word", word="dear")),
    (of("affix:quotation"), of("affix:final_question")),
    (of("case:upper"), of("affix:end_phrase", phrase="That is all.")),
    (of("format:json"), of("format:json_keys", keys=["name"])),
    (of("language:response", language="zh"), of("keywords:existence", keywords=["NASA"])),
]  # fmt: skip


@pytest.mark.parametrize("pair", AGREEING, ids=lambda pair: f"{pair[0]['type']} {pair[1]['type']}")
def test_what_agrees_is_let_through(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for order in permutations(pair):
        assert reasons(*order) == []


def drawn(name: str, rng: Random, language: str) -> Constraint:
    return parse_constraint(of(name, **KNOWN[name].draw(rng, language)))


def satisfied(constraint: Constraint, text: str, language: str) -> bool:
    return constraint.check(Response(None, text), Context(language=language)).status is Status.SATISFIED


def edited(constraints: tuple[Constraint, ...], language: str, start: str) -> Iterator[str]:
    """Yield texts that the constraints' own edits make, in every order."""
    for order in permutations(constraints):
        text = start
        for constraint in (*order, *order):
            text = constraint.edit(text, language)
        yield text


@pytest.mark.parametrize("size", [2, 3])
def test_what_one_text_satisfies_never_clashes(size: int) -> None:
    rng, witnesses = Random(f"pairs/{size}"), 0
    for _ in range(2000 if size == 2 else 900):
        language = rng.choice(["en", "zh"])
        chosen = tuple(drawn(name, rng, language) for name in rng.sample(TYPES, size))
        for text in edited(chosen, language, rng.choice(STARTS[language])):
            if all(satisfied(constraint, text, language) for constraint in chosen):
                witnesses += 1
                assert clashes_among(chosen) == [], (chosen, text)
                break
    assert witnesses > (600 if size == 2 else 150)


def measured(text: str) -> dict[str, float]:
    """Return the quantities of a text, by the readings that the checkers use."""
    read = Text(text)
    return {
        "words": len(read.words),
        "sentences": len(read.sentences),
        "paragraphs": len(read.paragraphs),
        "lines": len(read.filled_lines),
        "characters": count_characters(read),
        "letters": count_letters(read),
        "emoji": count_emoji(read),
        "capital words": capital_words(read),
        "bullets": len(bullet_items(read.raw)),
        "headings": len(headings(read.raw)),
        "different words": len({word.casefold() for word in read.words}),
    }


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_facts_hold_for_the_texts_that_a_type_makes_itself(name: str) -> None:
    assert name in KNOWN
    for number in range(12):
        language = ("en", "zh")[number % 2]
        constraint = drawn(name, Random(number), language)
        meaning = meaning_of(constraint)
        assert clashes_among([constraint]) == []
        text = constraint.edit(STARTS[language][number // 2 % 2], language)
        found = measured(text)
        for quantity, low, high in meaning.bounds:
            value = found.get(quantity, holds(text, quantity))
            assert value is None or low <= value <= high, (constraint, quantity, value, text)
        for demand in meaning.demands:
            assert occurs(demand, text), (constraint, demand, text)
        assert not meaning.answers or any(occurs_as(answer, text) for answer in meaning.answers)


def occurs_as(answer: str, text: str) -> bool:
    return Text(answer).words == Text(text).words or Text(answer.casefold()).words == Text(text.casefold()).words


def test_parts_are_never_more_than_wholes() -> None:
    rng = Random("parts")
    checked = 0
    for name in TYPES:
        for language in ("en", "zh"):
            found = measured(drawn(name, rng, language).edit(STARTS[language][1], language))
            for part, whole in PARTS:
                if part in found and whole in found:
                    checked += 1
                    assert found[part] <= found[whole], (name, part, whole)
    assert checked > 1000


# ---- trees ------------------------------------------------------------------------------------------------------

SHORT, LONG = of("length:max_words", limit=40), of("length:min_words", limit=50)
WHEN = {"by": "request", "text": "it is short", "holds": True}


def test_branches_are_compared_with_what_is_always_demanded_and_not_with_each_other() -> None:
    either = Selection(branches=({"when": WHEN, "then": Leaf(constraint=SHORT)},), otherwise=Leaf(constraint=LONG))
    assert contradictions(either) == []
    (clash,) = contradictions(And(parts=(Leaf(constraint=LONG), either)))
    assert clash.paths == ("and.0", "and.1/selection.0")
    chained = Chain(steps=(Leaf(constraint=of("length:words", count=45)), either))
    assert {clash.paths for clash in contradictions(chained)} == {
        ("chain.0", "chain.1/selection.0"),
        ("chain.1/selection.otherwise", "chain.0"),
    }


def test_a_branch_that_contradicts_its_own_condition_is_found() -> None:
    when = {"by": "response", "constraint": LONG}
    (clash,) = contradictions(Selection(branches=({"when": when, "then": Leaf(constraint=SHORT)},)))
    assert clash.types == ("length:min_words", "length:max_words")
    assert "condition" in clash.paths[0]


def test_many_branches_are_compared_pair_by_pair() -> None:
    def either(low: int) -> Selection:
        then, other = Leaf(constraint=of("length:min_words", limit=low)), Leaf(constraint=of("punctuation:no_comma"))
        return Selection(branches=({"when": WHEN, "then": then},), otherwise=other)

    tree = And(parts=(*(either(low) for low in range(41, 51)), Leaf(constraint=SHORT)))
    assert len(contradictions(tree)) == 10


def redundant(*given: dict[str, Any]) -> list[tuple[str, str]]:
    return [clash.paths for clash in redundancies(And(parts=tuple(Leaf(constraint=each) for each in given)))]


def test_redundancies_name_the_weaker_leaf_last() -> None:
    forward = ("and.0", "and.1")
    assert redundant(LONG, of("length:min_words", limit=30)) == [forward]
    assert redundant(of("length:min_words", limit=30), LONG) == [forward[::-1]]
    assert redundant(LONG, LONG) == [forward]
    assert redundant(LONG, of("length:min_characters", limit=50)) == [forward]
    assert redundant(of("keywords:forbidden", keywords=["a1", "b1"]), of("keywords:forbidden", keywords=["b1"])) == [
        forward
    ]
    assert redundant(of("affix:end_phrase", phrase="Good night."), of("keywords:existence", keywords=["night"])) == [
        forward
    ]
    assert redundant(of("case:english_lower"), of("case:lower")) == [forward]
    assert redundant(of("format:json_keys", keys=["a"]), of("punctuation:no_comma")) == []
    assert redundant(LONG, SHORT) == []
    assert redundant(LONG, of("length:min_words", limit=30, scope="paragraph(1)")) == []


def test_a_branch_makes_nothing_redundant_outside_of_it() -> None:
    weak, strong = Leaf(constraint=of("length:min_words", limit=30)), Leaf(constraint=LONG)
    branch = Selection(branches=({"when": WHEN, "then": strong},))
    assert redundancies(And(parts=(weak, branch))) == []
    inside = Selection(branches=({"when": WHEN, "then": weak},))
    assert [clash.paths for clash in redundancies(And(parts=(strong, inside)))] == [("and.0", "and.1/selection.0")]
