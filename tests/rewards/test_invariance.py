"""The reward `invariance`: what it takes away, what it never pays for, and the field that it compares with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from rewards import (
    Instruction,
    LengthCap,
    RaifError,
    Response,
    Reward,
    RolloutReward,
    ScoredResponse,
    Scorer,
    parse_rewards,
)
from rewards.sandbox import require_sandbox
from rewards.schemas import schema
from rewards.task_answer import CodeAnswer, QaAnswer

Build = Callable[..., Instruction]
INVARIANCE: dict[str, Any] = {"type": "invariance"}
RIGHT, WRONG = "It is 7", "It is 8"
LONG = "It is surely, and without any doubt, 7"  # right, and breaks both constraints
PROGRAM = CodeAnswer(tests="assert double(3) == 6", entry_point="double")
DOUBLES, TRIPLES = (f"```python\ndef double(n):\n    return {k} * n\n```" for k in (2, 3))


def measured(task: Instruction, unconstrained: float | None = 0.75, **fields: Any) -> Instruction:
    """Return the instruction of a task on which the policy without the constraint did as said."""
    found = {name: getattr(task, name) for name in Instruction.model_fields if name not in ("id", "schema_version")}
    return Instruction.build(**{**found, "unconstrained": unconstrained, **fields})


def score(task: Instruction, answer: str, *entries: dict[str, Any], thinking: str | None = "3 + 4") -> Reward:
    response = Response(thinking, answer, well_formed=thinking is not None)
    return Scorer(parse_rewards(entries or [INVARIANCE])).score([ScoredResponse(task, response)])[0]


@pytest.mark.parametrize("unconstrained", [0.0, 0.25, 0.5, 1.0])
def test_a_wrong_answer_loses_what_the_task_was_worth_without_the_constraint(
    build: Build, unconstrained: float
) -> None:
    task = measured(build(), unconstrained)
    assert score(task, RIGHT).total == 0.0  # also where s(x) < 1: doing better than before is not punished
    assert score(task, WRONG).total == -unconstrained
    assert score(task, LONG).total == 0.0  # whether the constraint is met is another entry's


def test_the_advantage_of_a_group_is_correctness_weighed_by_the_share_without_the_constraint(build: Build) -> None:
    answers = [RIGHT, RIGHT, RIGHT, WRONG]
    for share in (0.25, 1.0):
        totals = [score(measured(build(), share), answer).total or 0.0 for answer in answers]
        mean = sum(totals) / 4
        assert [total - mean for total in totals] == pytest.approx([share / 4] * 3 + [-3 * share / 4])


def test_questions_count_by_exact_match(build: Build) -> None:
    task = measured(build(), 0.5, answer=QaAnswer(values=("the Nile",)))
    assert (score(task, "Nile").total, score(task, "Amazon").total) == (0.0, -0.5)


def test_tasks_to_which_it_does_not_apply_earn_nothing(build: Build) -> None:
    free = build(answer=None)
    assert score(free, WRONG).total == 0.0
    unmeasured = build()
    assert (score(unmeasured, RIGHT).total, score(unmeasured, WRONG).total) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("gate", "answer", "thinking", "value"),
    [
        ("format", RIGHT, "3 + 4", 0.0),
        ("format", RIGHT, None, -0.75),  # behind a closed gate an answer counts as wrong
        ("constraints", RIGHT, "3 + 4", 0.0),
        ("constraints", LONG, "3 + 4", -0.75),
        ("none", LONG, None, 0.0),
    ],
)
def test_gates(build: Build, gate: str, answer: str, thinking: str | None, value: float) -> None:
    assert score(measured(build()), answer, {**INVARIANCE, "gate": gate}, thinking=thinking).total == value


def test_what_nobody_can_decide_is_undecided(build: Build) -> None:
    program = measured(build(), answer=PROGRAM)
    reward = score(program, DOUBLES)
    assert (reward.total, reward.reason) == (None, "invariance: no verdict")  # nothing runs the program
    asked = build({"type": "judge:question", "question": "Is it polite?"})
    gated = score(measured(asked), RIGHT, {**INVARIANCE, "gate": "constraints"})
    assert gated.total is None


def test_programs_run_where_an_entry_asks_for_it(build: Build) -> None:
    try:
        require_sandbox()
    except RaifError as error:
        pytest.skip(f"programs cannot run here: {error}")
    task = measured(build(), answer=PROGRAM)
    for entries in ([{**INVARIANCE, "seconds": 5}], [INVARIANCE, {"type": "code_answer"}]):
        scorer = Scorer(parse_rewards(entries))
        rewards = scorer.score([ScoredResponse(task, Response("hm", text)) for text in (DOUBLES, TRIPLES)])
        assert [reward.parts["invariance"] for reward in rewards] == [0.0, -0.75]


def test_it_is_an_outcome_with_a_weight_and_its_lowest_value_bounds_truncation(build: Build) -> None:
    reward = score(measured(build()), WRONG, {**INVARIANCE, "weight": 2.0}, {"type": "format"})
    assert (reward.total, reward.outcome, reward.parts) == (-0.5, -1.5, {"invariance": -0.75, "format": 1.0})
    (entry,) = parse_rewards([{**INVARIANCE, "weight": 2.0}])
    assert (entry.lowest, entry.highest, entry.least) == (-1.0, 0.0, -2.0)
    for wrong in ({"seconds": 0}, {"gate": "correct"}, {"symmetric": True}):
        with pytest.raises(RaifError, match="invariance"):
            parse_rewards([{**INVARIANCE, **wrong}])


def test_trl_gets_it_as_any_other_reward(build: Build) -> None:
    tasks = [measured(build(), 0.5), build(answer=None)]
    reward = RolloutReward(
        Scorer(parse_rewards([INVARIANCE]), LengthCap(limit=9, on_truncation="penalty", penalty=-1.0)),
        eos_token_ids=[2],
    )
    logged: dict[str, float] = {}
    totals = reward(
        prompts=["-"] * 4,
        completions=[f"3 + 4</think>{text}" for text in (RIGHT, WRONG, WRONG, WRONG)],
        completion_ids=[[5, 2], [5, 2], [5, 2], [5] * 9],
        instruction=[task.model_dump_json() for task in (tasks[0], tasks[0], tasks[1], tasks[0])],
        log_metric=logged.__setitem__,
    )
    assert totals == [0.0, -0.5, 0.0, -1.0]  # the last one is cut off
    assert logged["rewards/invariance"] == pytest.approx((0 - 0.5 - 0 - 0.5) / 4)


# ---- the field --------------------------------------------------------------------------------------------------


def test_the_field_changes_no_id_and_no_record_that_lacks_it(build: Build) -> None:
    task, other = build(), measured(build())
    assert other.id == task.id == measured(build(), 0.5).id
    assert "unconstrained" not in task.model_dump() | json.loads(task.model_dump_json())
    assert Instruction.model_validate_json(other.model_dump_json()) == other
    assert json.loads(other.model_dump_json())["unconstrained"] == 0.75
    older = Instruction.model_validate_json(task.model_dump_json())
    assert older.unconstrained is None
    assert list(other.model_dump())[-2:] == ["unconstrained", "schema_version"]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "often"])
def test_a_share_lies_between_0_and_1(build: Build, value: Any) -> None:
    with pytest.raises(ValueError, match="unconstrained"):
        measured(build(), value)
    record = {**json.loads(build().model_dump_json()), "unconstrained": value}
    if value == value:  # JSON has no word for NaN
        with pytest.raises(ValidationError):
            Draft202012Validator(schema("instruction")).validate(record)


def test_a_share_needs_an_answer_that_is_right_or_wrong(build: Build) -> None:
    with pytest.raises(ValueError, match="the instruction has no answer"):
        measured(build(answer=None))
    Draft202012Validator(schema("instruction")).validate(json.loads(measured(build()).model_dump_json()))
    Draft202012Validator(schema("rewards")).validate([{**INVARIANCE, "gate": "format", "seconds": 4}])
