"""What must hold for every constraint type there is, with arguments that the types draw themselves."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards import Constraint, Context, Response, Status, known_constraints, parse_constraint
from rewards.draft import Draft
from rewards.text import Text
from tests.hostile import MIXTURES, PIECES, hostile, random_hostile
from tests.rewards.growth import grows_linearly

KINDS = known_constraints()
TYPES = sorted(KINDS)
#: Arguments drawn per type and language: a thousand per type. RAIF_DRAWS=20 is quicker.
DRAWS = int(os.environ.get("RAIF_DRAWS", "500"))
STARTS = {
    "en": ("It is 7.", "Tom has \\boxed{12} apples, and Ann has 5. He gave away three of them."),
    "zh": ("答案是7。", "汤姆有\\boxed{12}个苹果，安有5个。他送出了三个。"),
}
FRAGMENTS = (*PIECES, "word ", "two words. ", "中文。", "42 ", "Is it? ", "Yes! ", "\n\n", "- item\n", "\\frac{1}{2} ")
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
#: Types whose edits rearrange a text, and so meet whatever markup is in it already.
LAID_OUT = [name for name in TYPES if name.startswith(("format:", "layout:", "nesting:"))]
relaxed = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def drawn(name: str, number: int, language: str) -> Constraint:
    return parse_constraint({"type": name, **KINDS[name].draw(Random(number), language)})


def status(constraint: Constraint, text: str) -> Status:
    return constraint.check(Response(None, text), Context()).status


def test_there_are_many_types() -> None:
    assert len(TYPES) >= 90


@pytest.mark.parametrize("name", TYPES)
def test_examples_tell_pass_from_fail(name: str) -> None:
    examples = KINDS[name].examples
    assert examples
    for example in examples:
        constraint = parse_constraint({"type": name, **example.arguments})
        assert status(constraint, example.passes) is Status.SATISFIED
        assert status(constraint, example.fails) is Status.VIOLATED


@pytest.mark.parametrize("name", TYPES)
def test_describes_itself_in_both_languages(name: str) -> None:
    for number in range(5):
        constraint = drawn(name, number, "en")
        for language in ("en", "zh"):
            assert constraint.note(language)
            for wording in range(len(constraint.phrases[language])):
                demand = constraint.describe(language, wording)
                assert demand
                assert demand == demand.strip()
        assert constraint.__doc__


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", TYPES)
def test_its_witness_satisfies_it(name: str, language: str) -> None:
    done = set()
    for number in range(DRAWS):
        arguments, start = KINDS[name].draw(Random(number), language), STARTS[language][number % 2]
        if (again := f"{arguments} {start}") in done:
            continue
        done.add(again)
        constraint = parse_constraint({"type": name, **arguments})
        text = constraint.witness(Draft(language, core=(start,))).render()
        verdict = constraint.check(Response(None, text), Context(language=language))
        assert verdict.status is Status.SATISFIED, (constraint, verdict.evidence, text)


@pytest.mark.parametrize("name", LAID_OUT)
@pytest.mark.parametrize(
    ("language", "start"),
    [
        ("en", 'We met. "No!" he said (really); it\'s **over** - [see](a.b) `x` | $5 {or} *so*.\n\n- a\n```\nopen'),
        ("zh", "我们见面了。“不！”他说（真的）；**结束**了[见](a.b)`x`|$5{或}*如此*。\n\n- 甲\n```\n未完"),
        ("en", ""),
    ],
)
def test_an_edit_of_a_messy_text_satisfies_too_and_is_done_once(name: str, language: str, start: str) -> None:
    for number in range(12):
        constraint = drawn(name, number, language)
        text = constraint.edit(start, language)
        verdict = constraint.check(Response(None, text), Context(language=language))
        assert verdict.status is Status.SATISFIED, (constraint, text, verdict.evidence)
        assert constraint.edit(text, language) == text


@pytest.mark.parametrize("name", TYPES)
def test_round_trip(name: str) -> None:
    for number in range(25):
        constraint = drawn(name, number, "zh" if number % 2 else "en")
        assert parse_constraint(constraint.model_dump()) == constraint
        assert type(constraint).model_validate_json(constraint.model_dump_json()) == constraint


@relaxed
@given(text=TEXTS, number=st.integers(0, 10**6))
def test_any_text_gets_the_same_verdict_with_evidence(text: str, number: int) -> None:
    shared = Response(None, text)
    for name in TYPES:
        constraint = drawn(name, number, "en")
        before = constraint.model_dump_json()
        verdict = constraint.check(shared, Context())
        assert verdict == constraint.check(Response("thinking", text), Context())
        assert verdict.evidence
        assert len(verdict.evidence) < 1_000
        assert constraint.model_dump_json() == before


@pytest.mark.parametrize("name", TYPES)
def test_silence_earns_nothing(name: str) -> None:
    for number in range(10):
        for text in ("", " \n", "...", "***", "\\alpha", "“”"):
            assert status(drawn(name, number, "en"), text) is Status.VIOLATED


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_no_text_takes_long(piece: str) -> None:
    """50 kB of anything. `tests/benchmarks/hostile.py` prints the milliseconds."""
    constraints = [drawn(name, 1, "en") for name in TYPES]

    def check_all(text: str) -> None:
        response = Response(None, text)
        for constraint in constraints:
            constraint.check(response, Context())

    assert grows_linearly(check_all, lambda size: hostile(piece)[:size])


@pytest.mark.parametrize("text", random_hostile(4_000).values(), ids=MIXTURES)
def test_a_random_mixture_gets_a_verdict_with_evidence(text: str) -> None:
    response = Response(None, text)
    for name in TYPES:
        assert drawn(name, 1, "en").check(response, Context()).evidence


BOUNDS = [
    (name, argument, name.partition(":")[2].startswith("min_"))
    for name in TYPES
    if name.partition(":")[2].startswith(("min_", "max_"))
    for argument in ("limit", "count", "percent")
    if argument in KINDS[name].model_fields
]


@relaxed
@given(text=TEXTS, number=st.integers(0, 10**6), step=st.integers(1, 5))
def test_a_tighter_bound_never_satisfies_more(text: str, number: int, step: int) -> None:
    response = Response(None, text)
    for name, argument, larger_is_harder in BOUNDS:
        arguments: dict[str, Any] = KINDS[name].draw(Random(number), "en")
        low, high = arguments[argument], arguments[argument] + step
        eased, tightened = (
            parse_constraint({"type": name, **arguments, argument: bound}).check(response, Context()).status
            for bound in ((low, high) if larger_is_harder else (high, low))
        )
        assert (eased, tightened) != (Status.VIOLATED, Status.SATISFIED), name


@pytest.mark.parametrize("name", TYPES)
def test_unknown_arguments_and_scopes_are_refused(name: str) -> None:
    arguments = KINDS[name].draw(Random(0), "en")
    for extra in ({"colour": 1}, {"scope": "line(0)"}, {"scope": "chapter(1)"}):
        with pytest.raises(ValueError, match=r"colour|scope"):
            parse_constraint({"type": name, **arguments, **extra})


def test_a_scope_names_its_part() -> None:
    text = "# One\nred sky\n\nblue sea\n\n# Two\ngreen hill"
    for scope, word in (("line(2)", "red"), ("paragraph(2)", "blue"), ("section(-1)", "green"), ("answer", "hill")):
        constraint = parse_constraint({"type": "keywords:existence", "keywords": [word], "scope": scope})
        assert status(constraint, text) is Status.SATISFIED
        assert status(constraint, text.replace(word, "dull")) is Status.VIOLATED
    missing = parse_constraint({"type": "keywords:existence", "keywords": ["red"], "scope": "section(3)"})
    assert status(missing, text) is Status.VIOLATED
    assert Text(text).has_words
