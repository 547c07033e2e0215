"""The types that are only read off outputs: what must hold for every type, and that nothing draws or writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rewards import (
    Constraint,
    Context,
    Instruction,
    Leaf,
    MathAnswer,
    Provenance,
    RaifError,
    Response,
    Status,
    known_constraints,
    parse_constraint,
)
from rewards.constraint import read_off_constraints
from rewards.draft import Draft
from rewards.schemas import schema
from tests.hostile import PIECES, hostile
from tests.rewards.growth import grows_linearly

TYPES = read_off_constraints()
PROGRAMS = [name for name in TYPES if name.startswith("code:")]
FRAGMENTS = (
    *PIECES,
    "```python\n",
    "```\n",
    "def f(a):\n",
    "    return f(a)\n",
    "import os\n",
    "# a\n",
    "x = 1\n",
    "- a\n",
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))


def shown(name: str) -> Constraint:
    return parse_constraint({"type": name, **TYPES[name].examples[0].arguments})


def status(constraint: Constraint, text: str, request: str = "") -> Status:
    return constraint.check(Response(None, text), Context(request)).status


def test_they_are_registered_apart() -> None:
    assert len(PROGRAMS) == 19
    assert TYPES.keys() - set(PROGRAMS) == {f"layout:{n}" for n in ("headings", "no_bold", "no_list", "no_table")}
    assert not TYPES.keys() & known_constraints().keys()
    with pytest.raises(RaifError, match="did you mean 'code:uses_while'"):
        parse_constraint({"type": "code:use_while"})


@pytest.mark.parametrize("name", TYPES)
def test_examples_tell_pass_from_fail(name: str) -> None:
    assert TYPES[name].examples
    for example in TYPES[name].examples:
        constraint = parse_constraint({"type": name, **example.arguments})
        assert status(constraint, example.passes) is Status.SATISFIED
        assert status(constraint, example.fails) is Status.VIOLATED


@pytest.mark.parametrize("name", TYPES)
def test_each_describes_itself_and_survives_json(name: str) -> None:
    constraint = shown(name)
    assert constraint.__doc__
    for language in ("en", "zh"):
        sentences = {constraint.describe(language, wording) for wording in range(3)}
        assert len(sentences) == len(constraint.phrases[language]) == 3
        assert not [sentence for sentence in sentences if "{" in sentence or sentence != sentence.strip()]
        assert "{" not in constraint.note(language)
    assert type(constraint).model_validate_json(constraint.model_dump_json()) == constraint
    assert parse_constraint(constraint.model_dump()) == constraint


@pytest.mark.parametrize("name", TYPES)
def test_nothing_writes_them_into_a_text(name: str) -> None:
    with pytest.raises(RaifError, match=f"nothing writes '{name}' into a text"):
        shown(name).witness(Draft("en", core=("It is 7.",)))
    with pytest.raises(RaifError, match="read off outputs"):
        shown(name).edit("It is 7.", "en")


@pytest.mark.parametrize("name", TYPES)
def test_unknown_arguments_are_refused(name: str) -> None:
    for extra in ({"colour": 1}, {"scope": "chapter(1)"}):
        with pytest.raises(RaifError, match=r"colour|scope"):
            parse_constraint({**shown(name).model_dump(), **extra})


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", "x" * 81])
def test_names_are_identifiers(name: str) -> None:
    with pytest.raises(RaifError, match="name"):
        parse_constraint({"type": "code:function_name", "name": name})


@pytest.mark.parametrize("name", TYPES)
def test_silence_earns_nothing(name: str) -> None:
    for text in ("", " \n", "...", "***"):
        assert status(shown(name), text) is Status.VIOLATED


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_earns_nothing(name: str) -> None:
    for text in ("I cannot help.", "```python\ndef f(:\n```", "```\n" + "x" * 60_000 + "\n```"):
        verdict = shown(name).check(Response(None, text), Context())
        assert (verdict.status, verdict.evidence) == (Status.VIOLATED, "there is no Python program that parses")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=TEXTS)
def test_any_text_gets_the_same_verdict_with_evidence(text: str) -> None:
    for name in TYPES:
        verdict = shown(name).check(Response(None, text), Context())
        assert verdict.status in (Status.SATISFIED, Status.VIOLATED)
        assert verdict == shown(name).check(Response("thinking", text), Context())
        assert verdict.evidence
        assert len(verdict.evidence) < 1_000


@pytest.mark.parametrize("piece", [*PIECES, "def f(): f()\n", "x = 1  # one\n"], ids=repr)
def test_no_text_takes_long(piece: str) -> None:
    def check_all(text: str) -> None:
        response = Response(None, text)
        for name in TYPES:
            shown(name).check(response, Context())

    assert grows_linearly(check_all, lambda size: hostile(piece)[:size])


def test_evidence_of_a_long_program_is_short() -> None:
    program = "\n".join(f"import module{n}\ndef function{n}():\n    variable{n} = 1" for n in range(300))
    for name in PROGRAMS:
        assert len(shown(name).check(Response(None, f"```python\n{program}\n```"), Context()).evidence) < 300


def test_a_higher_limit_of_lines_never_satisfies_less() -> None:
    text = "```python\n" + "x = 1\n" * 7 + "```"
    verdicts = [status(parse_constraint({"type": "code:max_lines", "limit": n}), text) for n in range(1, 12)]
    assert verdicts == [Status.VIOLATED] * 6 + [Status.SATISFIED] * 5


def test_instructions_hold_them_and_their_schema_knows_them() -> None:
    validator = Draft202012Validator(schema("instruction"))
    for name in TYPES:
        example = TYPES[name].examples[0]
        task = Instruction.build(
            request="Solve it.",
            prompt="Solve it. As demanded.",
            language="en",
            split="train",
            tree=Leaf(constraint=shown(name)),
            answer=MathAnswer(value="7"),
            source=Provenance(seed_set="test", seed_id=name),
        )
        again = Instruction.model_validate_json(task.model_dump_json())
        assert again == task
        validator.validate(json.loads(task.model_dump_json()))
        assert again.evaluate(Response(None, example.passes)).hard is True
        assert again.evaluate(Response(None, example.fails)).hard is False


def test_what_the_request_gives_does_not_count() -> None:
    request = "import math\n\ndef area(r):\n    '''Return the area.'''\n    # in metres\n"
    answer = f"```python\n{request}    return math.pi * r * r\n```"
    for name in ("code:no_imports", "code:no_comments", "code:max_lines"):
        constraint = parse_constraint({"type": name, **({"limit": 1} if name == "code:max_lines" else {})})
        assert status(constraint, answer, request) is Status.SATISFIED
        assert status(constraint, answer) is Status.VIOLATED
    docstring = shown("code:docstring")
    assert (status(docstring, answer, request), status(docstring, answer)) == (Status.VIOLATED, Status.SATISFIED)
