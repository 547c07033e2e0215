"""Programming tasks: every reference passes its tests in the sandbox, and every near miss fails them."""

from __future__ import annotations

import ast
import re
from random import Random

import pytest

from data_gen.seeds import ProgramSeeds, Seed, SeedSource, open_seed_set
from data_gen.seeds.programs import _by_id, _cases, near_misses, references
from data_gen.seeds.programs_steps import tables
from data_gen.self_evident.extract import extract
from rewards import CodeAnswer, RaifError
from rewards.code_answer import CodeVerifier, extract_code


def drawn(count: int, **options: object) -> list[Seed]:
    seeds, rng = ProgramSeeds(**options), Random("programs")  # type: ignore[arg-type]
    return list({seed.id: seed for seed in (seeds.draw(rng, "en") for _ in range(count))}.values())


def passes(seed: Seed, program: str) -> bool:
    """Run the tests of a seed on a program in this process; both are our own."""
    assert isinstance(seed.answer, CodeAnswer)
    space: dict[str, object] = {}
    exec(extract_code(program) or "", space)
    exec(seed.answer.tests, space)
    try:
        space["check"](space[seed.answer.entry_point])  # type: ignore[operator]
    except AssertionError:
        return False
    return True


def test_references_pass_and_near_misses_fail() -> None:
    seeds = drawn(250)
    steps = {step.partition(".")[0] for seed in seeds for step in seed.id.split("-")[1:]}
    assert steps == {entry["step"] for entry in tables()["step"]} | {entry["end"] for entry in tables()["end"]}
    for seed in seeds:
        assert len(references(seed.id)) >= 6
        assert all(passes(seed, program) for program in references(seed.id)), seed.id
        assert near_misses(seed.id)
        assert not any(passes(seed, program) for program in near_misses(seed.id)), seed.id


def test_the_sandbox_says_the_same() -> None:
    verifier = CodeVerifier(workers=2, seconds=60, deadline=600)
    for seed in drawn(3):
        assert isinstance(seed.answer, CodeAnswer)
        right, wrong = references(seed.id)[0], near_misses(seed.id)[0]
        written = seed.solutions["en"].core[0]
        assert verifier.judge([(seed.answer, right), (seed.answer, written), (seed.answer, wrong)]) == [
            True,
            True,
            False,
        ]


def test_a_body_completes_the_prompt_as_in_humaneval() -> None:
    seed = drawn(1)[0]
    assert isinstance(seed.answer, CodeAnswer)
    code = extract_code(references(seed.id)[0])
    assert code is not None
    body = code.partition(":\n")[2]
    assert CodeVerifier(seconds=60, deadline=600).judge([(seed.answer, body)]) == [True]
    assert seed.request.endswith(seed.answer.prelude.rstrip())
    ast.parse(seed.answer.prelude)


def test_tests_are_found_for_every_kind_of_task() -> None:
    kinds = {re.sub(r"\.\w+", "", task_id): task_id for task_id in _by_id()}
    assert len(kinds) > 150
    for task_id in kinds.values():
        assert len(_cases(task_id)) >= 12


def test_references_differ_in_what_can_be_read_off_them() -> None:
    seed = drawn(1, operations=(2, 2))[0]
    families = [
        {each.family for each in extract(seed.request, program, seed.answer, "en")} for program in references(seed.id)
    ]
    seen = set.union(*families)
    assert {"code_uses_for", "code_uses_while", "code_comprehension", "code_helper_function"} <= seen


def test_one_task_has_one_id_in_both_languages() -> None:
    seeds = ProgramSeeds()
    pairs = [(seeds.draw(Random(number), "en"), seeds.draw(Random(number), "zh")) for number in range(40)]
    for english, chinese in pairs:
        assert english.id == chinese.id
        assert english.request != chinese.request
        assert isinstance(english.answer, CodeAnswer)
        assert isinstance(chinese.answer, CodeAnswer)
        assert english.answer.tests == chinese.answer.tests
        assert english.tags[1] == f"operations={_by_id()[english.id].operations}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operations": [0, 1]}, "operations are 0 to 1; they must lie, in order, in 1 to 3"),
        ({"inputs": ["number"]}, "did you mean 'numbers'"),
        ({"inputs": []}, "inputs is empty; name some of: numbers"),
        ({"examples": 9}, "examples is 9"),
        ({"hops": [2, 2]}, "does not take hops"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises((RaifError, ValueError), match=re.escape(message)):
        open_seed_set(SeedSource(type="programs", **options))  # type: ignore[arg-type]
