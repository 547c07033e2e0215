"""What data_gen draws and writes for one constraint at a time is accepted by the verifier."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_gen.arguments import DEFAULT_TYPES, ArgumentSampler, Wanted
from data_gen.bounds import contradiction
from data_gen.seeds import ArithmeticSeeds, WritingSeeds
from data_gen.witness import answer_language, solve, write
from rewards import Constraint, Context, Response, Status, parse_constraint
from rewards.language import guess_language

#: A short text whose language cannot be told is unscored, and the composer draws another one then.
UNDECIDED = {"language:response"}


def drawn(number: int, name: str, language: str) -> tuple[Constraint, str] | None:
    """Draw the arguments of a constraint and write a witness for it alone."""
    rng = Random(number)
    seeds = rng.choice((ArithmeticSeeds(), WritingSeeds()))
    seed = seeds.draw(rng, language)
    arguments = ArgumentSampler(rng.choice(("train", "test"))).draw(name, Wanted(seed, language, rng))
    if arguments is None:
        return None
    constraint = parse_constraint(arguments)
    spoken = answer_language([constraint], language)
    return constraint, write(seed.solutions[spoken], spoken, [constraint], rng)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    number=st.integers(0, 10**9),
    name=st.sampled_from(sorted(DEFAULT_TYPES)),
    language=st.sampled_from(["en", "zh"]),
)
def test_a_witness_satisfies_its_constraint(number: int, name: str, language: str) -> None:
    found = drawn(number, name, language)
    if found is not None:
        constraint, text = found
        verdict = constraint.check(Response(None, text), Context())
        undecided = name in UNDECIDED and verdict.status is Status.UNSCORED
        assert undecided or verdict.status is Status.SATISFIED, (constraint, verdict.evidence, text)


@pytest.mark.parametrize("name", sorted(DEFAULT_TYPES))
def test_every_default_type_can_be_drawn(name: str) -> None:
    assert sum(drawn(number, name, "en") is not None for number in range(20)) > 10


def test_a_language_close_to_another_is_guessed_the_same_every_time() -> None:
    text = "A conta de casa da Maria e de Ana, una casa para todos"
    guesses = set()
    for _ in range(12):
        guess_language.cache_clear()
        guesses.add(guess_language(text))
    assert len(guesses) == 1


CONFLICTS = [
    ({"type": "layout:bullets", "count": 5}, {"type": "length:max_lines", "limit": 3}),
    ({"type": "length:min_words", "limit": 60}, {"type": "length:words", "count": 30}),
    ({"type": "length:paragraphs", "count": 4}, {"type": "length:sentences", "count": 3}),
    ({"type": "length:sentences", "count": 3}, {"type": "length:min_paragraphs", "limit": 4}),
    ({"type": "layout:min_bullets", "count": 4}, {"type": "layout:max_bullets", "count": 2}),
]


@pytest.mark.parametrize(("first", "second"), CONFLICTS)
def test_numbers_without_room_for_each_other_are_refused_at_once(
    first: dict[str, object], second: dict[str, object]
) -> None:
    asked = [parse_constraint(first), parse_constraint({"type": "punctuation:no_comma"}), parse_constraint(second)]
    assert contradiction(asked) == (asked[0], asked[2])


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 10**9), language=st.sampled_from(["en", "zh"]))
def test_what_has_a_witness_is_no_contradiction(number: int, language: str) -> None:
    rng = Random(number)
    names = rng.sample([name for name in sorted(DEFAULT_TYPES) if name.startswith(("length:", "layout:"))], 3)
    found = [drawn(number, name, language) for name in names]
    asked = [each[0] for each in found if each is not None]
    for text in (each[1] for each in found if each is not None):
        obeyed = [each for each in asked if each.check(Response(None, text), Context()).status is Status.SATISFIED]
        assert not contradiction(obeyed), (obeyed, text)


#: Constraints that could only be met together once an edit of one left the other's numbers and lines alone.
TOGETHER = [
    ("en", [{"type": "length:words", "count": 40}, {"type": "length:sentences", "count": 3}]),
    ("en", [{"type": "layout:bullets", "count": 4}, {"type": "length:words_range", "low": 24, "high": 30}]),
    ("en", [{"type": "format:json"}, {"type": "length:max_words", "limit": 12}]),
    ("en", [{"type": "format:xml"}, {"type": "keywords:existence", "keywords": ["lemon"]}]),
    ("zh", [{"type": "length:words", "count": 50}, {"type": "length:paragraphs", "count": 3}]),
    ("zh", [{"type": "length:paragraph_sentences", "count": 2}, {"type": "length:min_words", "limit": 60}]),
]


@pytest.mark.parametrize(("language", "asked"), TOGETHER)
def test_edits_keep_what_others_made(language: str, asked: list[dict[str, object]]) -> None:
    solution = WritingSeeds().draw(Random(7), language).solutions[language]
    constraints = [parse_constraint(each) for each in asked]
    for number in range(5):
        attempt = solve(solution, language, constraints, Context(language=language), Random(number))
        assert attempt.refused == (), attempt.text
        response = Response(None, attempt.text)
        assert all(each.check(response, Context()).status is Status.SATISFIED for each in constraints)
        assert "&lt;" not in attempt.text
        assert attempt.text.count("answer") <= 2
