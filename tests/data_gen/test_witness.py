"""What data_gen draws and writes for one constraint at a time is accepted by the verifier."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_gen.arguments import DEFAULT_TYPES, ArgumentSampler, Wanted
from data_gen.seeds import ArithmeticSeeds, WritingSeeds
from data_gen.witness import answer_language, write
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
