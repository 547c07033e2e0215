"""The task record: its tree, its id and its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from rewards import (
    And,
    Constraint,
    Context,
    Demonstration,
    Instruction,
    Leaf,
    RaifError,
    Response,
    Status,
    parse_constraint,
    read_instructions,
)
from rewards.draft import Draft
from rewards.text import Text
from rewards.tree import judge

Build = Callable[..., Instruction]


def leaf(limit: int) -> Leaf:
    return Leaf(constraint=parse_constraint({"type": "length:max_words", "limit": limit}))


def test_paths_follow_the_document() -> None:
    tree = And(parts=(leaf(1), And(parts=(leaf(2), leaf(3))), leaf(4)))
    found = judge(tree.places, Response(None, "one two three"), Context()).leaves
    assert [each.path for each in found] == ["and.0", "and.1/and.0", "and.1/and.1", "and.2"]
    assert [each.verdict.status is Status.SATISFIED for each in found] == [False, False, True, True]
    assert [path for path, _ in tree.constraints()] == [each.path for each in found]


def test_hard_and_soft(build: Build) -> None:
    task = build()
    assert [constraint.type for constraint in task.constraints] == ["punctuation:no_comma", "length:max_words"]
    for answer, hard, soft in (("It is 7", True, 1.0), ("Well, 7", False, 0.5), ("a, b c d e", False, 0.0)):
        judgement = task.evaluate(Response(None, answer))
        assert (judgement.hard, judgement.soft) == (hard, soft)


class Broken(Constraint):
    """A constraint whose checker fails."""

    type: Literal["test:broken"] = "test:broken"
    phrases: ClassVar = {}
    notes: ClassVar = {}

    def judge(self, text: Text, context: Context) -> None:  # type: ignore[override]
        raise RuntimeError("boom")

    def witness(self, draft: Draft) -> Draft:
        return draft


def test_a_checker_that_fails_is_unscored(build: Build) -> None:
    task = build().model_copy(update={"tree": And(parts=(leaf(9), Leaf(constraint=Broken())))})
    judgement = task.evaluate(Response(None, "It is 7"))
    assert [each.verdict.status for each in judgement.leaves] == [Status.SATISFIED, Status.UNSCORED]
    assert "RuntimeError: boom" in judgement.leaves[1].verdict.evidence
    assert (judgement.hard, judgement.soft) == (None, None)


def test_the_id_is_a_hash_of_what_is_asked(build: Build) -> None:
    task = build()
    assert build(witness="It is 7").id == task.id == build().id
    fields = {name: getattr(task, name) for name in Instruction.model_fields if name not in ("id", "schema_version")}
    again = Instruction.build(**{**fields, "expert": Demonstration(thinking="3", answer="7")})
    assert again.id == task.id
    changes = {
        "prompt": "other",
        "request": "other",
        "language": "zh",
        "split": "test",
        "answer": None,
        "tree": leaf(3),
    }
    ids = {Instruction.build(**{**fields, name: value}).id for name, value in changes.items()}
    assert len(ids | {task.id}) == len(changes) + 1
    assert len(task.id) == 16


def test_json_round_trip(build: Build) -> None:
    task = build(
        {"type": "keywords:existence", "keywords": ["花", "a b"]},
        {"type": "layout:sections", "count": 2, "scope": "whole"},
        witness="“引号”\n\u2028行",
    )
    again = Instruction.model_validate_json(task.model_dump_json())
    assert again == task
    assert again.model_dump_json() == task.model_dump_json()
    assert Instruction.build(**again.model_dump(exclude={"id"})).id == task.id


def test_read_instructions(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "instructions.jsonl"
    tasks = [build(witness="a\u2028b\x85c"), build({"type": "punctuation:no_comma"})]
    path.write_text("\n" + "\n\n".join(task.model_dump_json() for task in tasks) + "\n\n", encoding="utf-8")
    assert read_instructions(path) == tasks
    assert read_instructions(str(path)) == tasks


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("{", ["not an instruction"]),
        ("[]", ["not an instruction"]),
        ("{}", ["id", "required"]),
        ('{"id": "x"}', ["request", "required"]),
    ],
)
def test_a_broken_line_is_named(build: Build, tmp_path: Path, broken: str, words: list[str]) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_text(f"{build().model_dump_json()}\n\n{broken}\n", encoding="utf-8")
    with pytest.raises(RaifError) as caught:
        read_instructions(path)
    assert f"{path}:3 " in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_an_unknown_constraint_in_a_file_is_named(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_text(build().model_dump_json().replace("length:max_words", "length:max_word"), encoding="utf-8")
    with pytest.raises(RaifError, match=r"(?s):1 .*did you mean 'length:max_words'"):
        read_instructions(path)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="no instructions at"):
        read_instructions(tmp_path / "none.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n", encoding="utf-8")
    with pytest.raises(RaifError, match="holds no instructions"):
        read_instructions(empty)


def test_a_demonstration_follows_an_opened_thought() -> None:
    completion = Demonstration(thinking="3", answer="7").completion
    assert Response.split(completion) == Response("3", "7")
