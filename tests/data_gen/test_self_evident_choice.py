"""Which self-evident constraint an item gets, where it stands in the prompt, and the placebo beside it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from data_gen.self_evident import (
    PLACEBO,
    PLACEMENTS,
    TEXT_GROUPS,
    Candidate,
    assign_groups,
    choose,
    doses,
    extract,
    ordered,
    parse,
    place,
    placebo,
    wording_of,
)
from data_gen.self_evident.families import demanded_pattern
from data_gen.self_evident.placement import length_of
from data_gen.self_evident.wordings import wordings
from rewards import MathAnswer, QaAnswer, RaifError

REQUEST = "Mia has 12 pears. She sells 3 and picks 8. How many pears does she have?"
OUTPUT = (
    "Mia starts with 12 pears and sells 3 of them which leaves 9 pears.\n"
    "Then she picks 8 more pears so Mia has 17 pears.\nAnswer: 17"
)
REQUEST_ZH = "小美有12个梨，她卖了3个，又摘了8个。现在她有多少个梨？"
OUTPUT_ZH = "小美原来有12个梨，卖掉3个以后还剩9个。\n后来她又摘了8个，所以现在一共有17个梨。\n答案：17"
CASES = [(REQUEST, OUTPUT, "en"), (REQUEST_ZH, OUTPUT_ZH, "zh")]
SLOT = re.compile(r"\{(\w+)\}")


def found(request: str = REQUEST, output: str = OUTPUT, language: str = "en") -> list[Candidate]:
    return extract(request, output, MathAnswer(value="17"), language)


def test_groups_are_equally_frequent() -> None:
    available = {f"item-{n}": TEXT_GROUPS if n % 3 else TEXT_GROUPS[:2] for n in range(300)}
    assigned = assign_groups(available, seed=7)
    assert set(Counter(assigned.values()).values()) == {60}
    assert all(group in available[item] for item, group in assigned.items())
    assert assign_groups(dict(reversed(available.items())), seed=7) == assigned
    assert assign_groups(available, seed=8) != assigned
    assert assign_groups({"empty": ()}, seed=0) == {}


def test_a_choice_depends_on_item_and_seed_only() -> None:
    candidates = found()
    chosen = choose(candidates, "a", 1)
    assert chosen == choose(candidates[::-1], "a", 1)
    assert len({choose(candidates, str(n), 1).family for n in range(40)}) > 6  # type: ignore[union-attr]
    assert choose(candidates, "a", 1, "keyword").group == "keyword"  # type: ignore[union-attr]
    assert choose([], "a", 1) is None
    with pytest.raises(RaifError, match="did you mean 'keyword'"):
        choose(candidates, "a", 1, "keywords")
    with pytest.raises(RaifError, match="no candidate in group 'identifiers'"):
        choose(candidates, "a", 1, "identifiers")


@pytest.mark.parametrize(("request_text", "output", "language"), CASES)
def test_doses_are_nested_and_say_nothing_twice(request_text: str, output: str, language: str) -> None:
    candidates = found(request_text, output, language)
    for item in "abcdef":
        sets = doses(candidates, item, 3, "length")
        assert list(sets) == [1, 2, 3, 5, 8]
        assert sets[1] == (choose(candidates, item, 3, "length"),)
        for small, large in zip(list(sets.values())[:-1], list(sets.values())[1:], strict=True):
            assert large[: len(small)] == small
        keys = [each.key for each in ordered(candidates, item, 3)]
        assert len(keys) == len(set(keys))
        assert {each.group for each in sets[5]} == set(TEXT_GROUPS)
    assert list(doses(candidates[:2], "a", 3)) == [1]


def test_a_first_word_and_the_same_keyword_are_not_both_asked() -> None:
    keys = Counter(each.key for each in found() if each.family in ("first_word", "contains", "last_line"))
    assert keys["keyword answer"] == 2


def test_wordings_take_turns() -> None:
    candidate = found()[0]
    assert {wording_of(candidate, str(n), 0) for n in range(30)} == {0, 1, 2}


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_placement_keeps_the_request_and_what_is_added(placement: str, language: str) -> None:
    prompt = place(REQUEST, ["First thing.", "Second thing."], language, placement)  # type: ignore[arg-type]
    joined = {"en": "First thing. Second thing.", "zh": "First thing.Second thing."}[language]
    assert prompt.count(REQUEST) == prompt.count(joined) == 1
    assert (prompt.index(joined) < prompt.index(REQUEST)) == (placement == "prefix")
    assert place(REQUEST, [], language, placement) == REQUEST  # type: ignore[arg-type]


def test_placements_differ_and_unknown_ones_are_refused() -> None:
    assert len({place(REQUEST, ["X."], "en", each) for each in PLACEMENTS}) == 4  # type: ignore[arg-type]
    for refused in (
        lambda: extract("A?", "B.", None, "de"),
        lambda: placebo("A.", "de", ""),
        lambda: place("A?", [], "de"),
    ):
        with pytest.raises(RaifError, match="unknown language of constraints 'de'"):
            refused()
    with pytest.raises(RaifError, match="did you mean 'suffix'"):
        place(REQUEST, ["X."], "en", "sufix")  # type: ignore[arg-type]


def test_unknown_languages_are_refused() -> None:
    wanted = "unknown language of constraints 'de'"
    with pytest.raises(RaifError, match=wanted):
        extract(REQUEST, OUTPUT, None, "de")
    with pytest.raises(RaifError, match=wanted):
        placebo("A sentence.", "de", "key")
    with pytest.raises(RaifError, match=wanted):
        place(REQUEST, ["X."], "de")


@pytest.mark.parametrize(("request_text", "output", "language"), CASES)
def test_a_placebo_is_as_long_and_demands_nothing(request_text: str, output: str, language: str) -> None:
    candidates = found(request_text, output, language)
    for item in "abcdefgh":
        for chosen in doses(candidates, item, 0).values():
            text = place("", [each.text(language, wording_of(each, item, 0)) for each in chosen], language).strip()
            neutral = placebo(text, language, item)
            wanted = length_of(text, language)
            assert abs(length_of(neutral, language) - wanted) <= max(3, 0.15 * wanted), (text, neutral)
            assert parse(neutral, language) is None
    fixed = [name for name, family in wordings().items() if not SLOT.search(family.demanded)]
    for sentence in PLACEBO[language]:
        assert not re.search(
            r"[\d\"“”]|\b(?:you|your|please|must|should|do not)\b|你|请|不要|必须", sentence, re.IGNORECASE
        )
        assert not [name for name in fixed if demanded_pattern(name, ()).search(sentence)]


def test_what_a_passage_says_is_not_demanded() -> None:
    passage = "Guide\nThe list of words in the table is bold, and 40 words long."
    request = f"{passage}\n\nQuestion: which river is it?"
    output = "The river is the Nile. It is a long one."
    answer = QaAnswer(values=("Nile",))
    with_it = {each.family for each in extract(request, output, answer, "en", passage=passage)}
    without = {each.family for each in extract(request, output, answer, "en")}
    assert {"no_list", "no_bold", "no_table", "words_between"} <= with_it - without
