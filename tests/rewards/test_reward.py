"""What a rollout earns: shaping, gates, truncation and totals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rewards import (
    Instruction,
    Judgement,
    LeafVerdict,
    LengthCap,
    RaifError,
    Response,
    Reward,
    ScoredResponse,
    Scorer,
    Status,
    Verdict,
    parse_rewards,
)
from rewards.caps import soft_overlong
from rewards.shaping import Shaping, shape

Build = Callable[..., Instruction]
YES, NO, BLOCKED, SKIPPED, UNSCORED = (
    Status.SATISFIED,
    Status.VIOLATED,
    Status.BLOCKED,
    Status.SKIPPED,
    Status.UNSCORED,
)
ANSWERS = {"all": "It is 7", "half": "It is certainly just 7", "none": "Well, it is certainly 7"}


def judged(*statuses: Status) -> Judgement:
    return Judgement(tuple(LeafVerdict(f"and.{i}", "t", Verdict(status, "e")) for i, status in enumerate(statuses)))


def score(
    task: Instruction,
    answer: str,
    *entries: dict[str, Any],
    thinking: str | None = "3 + 4",
    cap: LengthCap | None = None,
) -> Reward:
    response = Response(thinking, answer, well_formed=thinking is not None)
    return Scorer(parse_rewards(entries), cap).score([ScoredResponse(task, response)])[0]


@pytest.mark.parametrize(
    ("shaping", "values"),
    [
        ("paper", {"all": 2.0, "half": 0.5, "none": -2.0}),
        ("fraction", {"all": 1.0, "half": 0.5, "none": 0.0}),
        ("all_or_nothing", {"all": 1.0, "half": 0.0, "none": 0.0}),
        ("ordinal", {"all": 1.0, "half": 0.0, "none": -1.0}),
    ],
)
@pytest.mark.parametrize("gate", ["format", "none"])
@pytest.mark.parametrize("share", ["all", "half", "none"])
@pytest.mark.parametrize("well_formed", [True, False])
def test_shaping(
    build: Build, shaping: str, values: dict[str, float], gate: str, share: str, well_formed: bool
) -> None:
    entry = {"type": "constraints", "shaping": shaping, "gate": gate}
    reward = score(build(), ANSWERS[share], entry, thinking="3 + 4" if well_formed else None)
    gated = gate == "format" and not well_formed
    assert reward.parts["constraints"] == reward.total == reward.outcome == values["none" if gated else share]
    assert reward.judgement.soft == {"all": 1.0, "half": 0.5, "none": 0.0}[share]  # the record is not gated
    assert reward.well_formed is well_formed


@pytest.mark.parametrize(
    ("statuses", "hard", "soft"),
    [
        ((YES, YES), True, 1.0),
        ((YES, NO), False, 0.5),
        ((NO, NO), False, 0.0),
        ((YES, BLOCKED), False, 0.5),
        ((YES, SKIPPED), True, 1.0),
        ((NO, SKIPPED), False, 0.0),
        ((YES, UNSCORED), None, None),
        ((NO, UNSCORED), False, None),  # one failure decides
        ((BLOCKED, UNSCORED), False, None),
        ((SKIPPED,), None, None),
    ],
)
def test_judgement(statuses: tuple[Status, ...], hard: bool | None, soft: float | None) -> None:
    assert (judged(*statuses).hard, judged(*statuses).soft) == (hard, soft)


@pytest.mark.parametrize("shaping", ["paper", "fraction", "all_or_nothing", "ordinal"])
def test_what_is_not_scored_is_none_and_never_zero(shaping: Shaping) -> None:
    assert shape(judged(YES, UNSCORED), shaping) is None
    assert (shape(judged(NO, UNSCORED), shaping) is None) == (shaping != "all_or_nothing")


def test_format(build: Build) -> None:
    assert score(build(), "7", {"type": "format"}).total == 1.0
    assert score(build(), "7", {"type": "format"}, thinking=None).total == -1.0
    own = {"type": "format", "good": 0.25, "bad": -3.0, "weight": 2.0}
    assert score(build(), "7", own).total == 0.5
    assert score(build(), "7", own, thinking=None).total == -6.0
    assert score(build(), "7", own).outcome == 0.0


def test_math_answer(build: Build) -> None:
    entry = {"type": "math_answer", "correct": 2.0, "incorrect": -0.5}
    right, wrong = score(build(), "It is 7", entry), score(build(), "It is 8", entry)
    assert (right.total, right.parts["math_answer"], right.correct) == (2.0, 2.0, True)
    assert (wrong.total, wrong.parts["math_answer"], wrong.correct) == (-0.5, -0.5, False)
    free = score(build(answer=None), "It is 8", entry)
    assert (free.total, free.parts["math_answer"], free.correct) == (0.0, 0.0, None)


def test_an_answer_inside_unclosed_thinking_earns_nothing(build: Build) -> None:
    response = Response.split("It is \\boxed{7}")
    entries = parse_rewards([{"type": "constraints"}, {"type": "math_answer"}])
    reward = Scorer(entries).score([ScoredResponse(build(), response)])[0]
    assert (reward.total, reward.correct, reward.judgement.soft) == (0.0, False, 0.0)


def test_totals_are_weighted(build: Build) -> None:
    entries = (
        {"type": "format", "weight": 0.5},
        {"type": "constraints", "shaping": "paper", "weight": 2.0},
        {"type": "math_answer", "weight": 3.0},
    )
    reward = score(build(), ANSWERS["half"], *entries)
    assert reward.parts == {"format": 1.0, "constraints": 0.5, "math_answer": 1.0}
    assert reward.outcome == 2.0 * 0.5 + 3.0
    assert reward.total == reward.outcome + 0.5


def test_an_unscored_leaf_makes_the_total_none(build: Build) -> None:
    task = build({"type": "punctuation:no_comma"}, {"type": "language:response", "language": "en"})
    reward = score(task, "It is 7", {"type": "format"}, {"type": "constraints"}, {"type": "math_answer"})
    assert (reward.total, reward.outcome, reward.parts["constraints"]) == (None, None, None)
    assert (reward.parts["format"], reward.parts["math_answer"]) == (1.0, 1.0)
    assert "language:response" in reward.reason
    assert score(task, "It is 7", {"type": "format"}, {"type": "math_answer"}).total == 2.0


@pytest.mark.parametrize(("on_truncation", "total"), [("zero", 0.0), ("penalty", -1.5), ("mask", 3.0), ("score", 3.0)])
def test_truncation(build: Build, on_truncation: str, total: float) -> None:
    cap = LengthCap.model_validate({"limit": 10, "on_truncation": on_truncation, "penalty": -1.5})
    scorer = Scorer(parse_rewards([{"type": "format"}, {"type": "constraints"}, {"type": "math_answer"}]), cap)
    cut, whole = Response("a", "It is 7", truncated=True), Response("a", "It is 7")
    rewards = scorer.score([ScoredResponse(build(), cut, 10), ScoredResponse(build(), whole, 10)])
    assert [reward.total for reward in rewards] == [total, 3.0]
    assert rewards[0].judgement.soft == 1.0


def test_truncation_decides_even_an_unscored_total(build: Build) -> None:
    task = build({"type": "language:response", "language": "en"})
    scorer = Scorer(parse_rewards([{"type": "constraints"}]), LengthCap(limit=10))
    assert scorer.score([ScoredResponse(task, Response("a", "7a", truncated=True), 10)])[0].total == 0.0
    assert scorer.score([ScoredResponse(task, Response("a", "7a"), 9)])[0].total is None


def test_length_cap(build: Build) -> None:
    cap = LengthCap(limit=100)
    assert [soft_overlong(n, 100, 20) for n in (0, 80, 81, 90, 100, 130)] == [0.0, 0.0, -0.05, -0.5, -1.0, -1.0]
    assert (cap.truncates(99, False), cap.truncates(100, False), cap.truncates(100, True)) == (False, True, False)
    for band in (20, 0.2):
        scorer = Scorer(parse_rewards([{"type": "constraints"}, {"type": "length_cap", "soft_band": band}]), cap)
        reward = scorer.score([ScoredResponse(build(), Response("a", "It is 7"), 90)])[0]
        assert (reward.total, reward.outcome, reward.parts["length_cap"]) == (0.5, 1.0, -0.5)
    with pytest.raises(RaifError, match="length_cap needs a limit"):
        score(build(), "It is 7", {"type": "length_cap"})


def test_order_is_kept(build: Build) -> None:
    batch = [
        ScoredResponse(build(answer=answer), Response("a", text))
        for answer, text in (("7", "7"), (None, "7"), ("8", "7"), ("1/2", "\\boxed{0.5}"), ("9", "9"))
    ]
    scorer = Scorer(parse_rewards([{"type": "math_answer"}]))
    assert [reward.correct for reward in scorer.score(batch)] == [True, None, False, True, True]
    assert scorer.score([]) == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], ["non-empty list"]),
        ({"type": "format"}, ["non-empty list"]),
        ([{"type": "formt"}], ["unknown reward type 'formt'", "did you mean 'format'?"]),
        (["constraint"], ["did you mean 'constraints'?"]),
        ([{"weight": 1.0}], ["unknown reward type None"]),
        ([{"type": "constraints", "shaping": "papr"}], ["shaping", "'paper'"]),
        ([{"type": "constraints", "wieght": 1}], ["wieght", "Extra inputs"]),
        ([{"type": "format", "weight": float("nan")}], ["weight", "finite"]),
        (["format"], ["format"]),
        ([{"type": ["format"]}], ["unknown reward type ['format']"]),
    ],
)
def test_parse_errors(entries: Any, words: list[str]) -> None:
    with pytest.raises(RaifError) as caught:
        parse_rewards(entries)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 5, "on_truncation": "ignore"}, {"limit": 5, "soft": 1}, {}])
def test_cap_errors(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        LengthCap.model_validate(fields)
