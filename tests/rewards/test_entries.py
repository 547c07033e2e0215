"""The reward entries one by one, as functions of the facts about a rollout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards import (
    Instruction,
    Judgement,
    LeafVerdict,
    LengthCap,
    QaAnswer,
    RaifError,
    Response,
    ScoredResponse,
    Scorer,
    Status,
    Verdict,
    parse_rewards,
)
from rewards.entries import Facts, RewardConfig
from rewards.judge import Opinion
from rewards.repetition import repeated_share
from rewards.task_answer import CodeAnswer, MathAnswer

Build = Callable[..., Instruction]
MET, UNMET, UNKNOWN = (
    Judgement((LeafVerdict("leaf", "t", Verdict(status)),))
    for status in (Status.SATISFIED, Status.VIOLATED, Status.UNSCORED)
)
GOOD, BAD = Response("a", "It is 7"), Response("a", "It is 7", well_formed=False)
SEVEN = MathAnswer(value="7")
JUDGE = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}


def entry(**fields: Any) -> RewardConfig:
    return parse_rewards([fields])[0]


@pytest.mark.parametrize(
    ("gate", "facts", "value"),
    [
        ("none", Facts(BAD, MET, SEVEN, False), 1.0),
        ("format", Facts(GOOD, MET), 1.0),
        ("format", Facts(BAD, MET), -1.0),
        ("format", Facts(BAD, UNKNOWN), -1.0),
        ("correct", Facts(GOOD, MET, SEVEN, True), 1.0),
        ("correct", Facts(GOOD, MET, SEVEN, False), -1.0),
        ("correct", Facts(GOOD, MET, SEVEN, None), None),
        ("correct", Facts(GOOD, MET), 1.0),  # no ground truth, nothing to be wrong about
    ],
)
def test_gates_of_the_constraints(gate: str, facts: Facts, value: float | None) -> None:
    assert entry(type="constraints", shaping="ordinal", gate=gate).value(facts) == value


@pytest.mark.parametrize("kind", ["math_answer", "qa_answer", "code_answer"])
def test_answers(kind: str) -> None:
    truths = {"math_answer": SEVEN, "qa_answer": QaAnswer(values=("7",)), "code_answer": CodeAnswer(tests="f()")}
    reward = entry(type=kind, correct=2.0, incorrect=-1.0)
    values = [reward.value(Facts(GOOD, MET, truths[kind], correct)) for correct in (True, False, None)]
    assert values == [2.0, -1.0, None]
    other = next(truth for name, truth in truths.items() if name != kind)
    assert reward.value(Facts(GOOD, MET, other, True)) == reward.value(Facts(GOOD, MET)) == 0.0
    gated = entry(type=kind, incorrect=-1.0, gate="constraints")
    values = [gated.value(Facts(GOOD, judgement, truths[kind], True)) for judgement in (MET, UNMET, UNKNOWN)]
    assert values == [1.0, -1.0, None]


def test_f1_lies_between_incorrect_and_correct() -> None:
    reward = entry(type="qa_answer", measure="f1", correct=3.0, incorrect=1.0)
    truth = QaAnswer(values=("Marie Curie",))
    found = [reward.value(Facts(Response("a", text), MET, truth, False)) for text in ("Marie Curie", "Curie", "Bohr")]
    assert found[0] == 3.0
    assert found[1] == pytest.approx(1.0 + 2.0 * 2 / 3)
    assert found[2] == 1.0


def test_repetition() -> None:
    reward = entry(type="repetition", ngram_size=2, max_penalty=-2.0)
    assert reward.value(Facts(GOOD, MET, tokens=[5, 5, 5, 5, 5])) == -1.5
    assert reward.value(Facts(GOOD, MET, tokens=[1, 2, 3])) == reward.value(Facts(GOOD, MET)) == 0.0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 5))
def test_the_repeated_share_is_a_share(tokens: list[int], size: int) -> None:
    assert 0 <= repeated_share(tokens, size) < 1
    assert repeated_share(list(range(30)), size) == 0


def test_length_cap_takes_the_limit_of_the_run_or_its_own() -> None:
    run = Facts(GOOD, MET, token_count=95, cap=LengthCap(limit=100))
    assert entry(type="length_cap", soft_band=10).value(run) == -0.5
    assert entry(type="length_cap", soft_band=0.1).value(run) == -0.5
    assert entry(type="length_cap", soft_band=10, limit=90).value(run) == -1.0


def test_judge_questions() -> None:
    reward = entry(type="judge", questions=["Polite?", "Short?"], judge=JUDGE)
    assert reward.value(Facts(GOOD, MET, opinions={"Polite?": Opinion(True), "Short?": Opinion(False)})) == 0.5
    assert reward.value(Facts(GOOD, MET, opinions={"Polite?": Opinion(True), "Short?": Opinion(None)})) is None
    assert reward.value(Facts(GOOD, MET)) is None
    assert entry(type="judge", judge=JUDGE).value(Facts(GOOD, MET)) == 0.0


def shortness(completions: list[Any], scale: float = 1.0, **_: Any) -> list[float | None]:
    texts = [completion[-1]["content"] for completion in completions]
    return [None if not text else scale / len(text) for text in texts]


async def answers_seven(answer: list[str]) -> list[float]:
    return [float("7" in text) for text in answer]


class Scaled:
    """A reward made with arguments."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, completions: list[Any]) -> list[float | None]:
        return shortness(completions, self.scale)


def too_few(answer: list[str]) -> list[float]:
    return []


def infinite(answer: list[str]) -> list[float]:
    return [float("inf")] * len(answer)


def words(answer: list[str]) -> list[str]:
    return answer


def custom(function: str, **fields: Any) -> list[Any]:
    return [{"type": f"tests.rewards.test_entries.{function}", **fields}]


def scored(task: Instruction, entries: list[Any], *texts: str) -> list[float | None]:
    batch = [ScoredResponse(task, Response(None, text), completion=text) for text in texts]
    return [reward.total for reward in Scorer(parse_rewards(entries)).score(batch)]


def test_own_functions(build: Build) -> None:
    assert scored(build(), custom("shortness"), "ab", "", "abcd") == [0.5, None, 0.25]
    assert scored(build(), custom("answers_seven", weight=2.0), "7", "8") == [2.0, 0.0]
    assert scored(build(), custom("Scaled", arguments={"scale": 4.0}), "ab") == [2.0]
    assert scored(build(), custom("shortness", gate="correct", minimum=-1.0), "7", "8") == [1.0, -1.0]
    named = [*custom("shortness"), *custom("Scaled", name="again", arguments={"scale": 1.0})]
    rewards = Scorer(parse_rewards(named)).score([ScoredResponse(build(), Response(None, "ab"))])
    assert rewards[0].parts == {"shortness": 0.5, "again": 0.5}
    hidden = Scorer(parse_rewards(custom("shortness", outcome=False)))
    assert hidden.score([ScoredResponse(build(), Response(None, "ab"))])[0].outcome == 0.0


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (custom("nothing_here"), "cannot be loaded"),
        ([{"type": "no_such_package.reward"}], "cannot be loaded: No module named 'no_such_package'"),
        (custom("SEVEN"), "not a function that can be called"),
        (custom("Scaled"), "cannot be made with arguments None"),
        (custom("Scaled", arguments={"size": 1}), "cannot be made with arguments {'size': 1}"),
        (custom("shortness") * 2, "two reward entries are called 'shortness'"),
        ([{"type": "constraints", "gate": "constraints"}], "gate"),
        (
            [{"type": "judge", "judge": JUDGE}, {"type": "judge", "name": "b", "judge": JUDGE}],
            "two judge",
        ),
    ],
)
def test_entries_that_cannot_be_made_are_refused_at_load(entries: list[Any], message: str) -> None:
    with pytest.raises(RaifError) as caught:
        Scorer(parse_rewards(entries))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("too_few", "must return a list of 1 numbers"), ("infinite", "returned inf"), ("words", "expected a number")],
)
def test_what_own_functions_return_is_checked(build: Build, name: str, message: str) -> None:
    with pytest.raises(RaifError, match=message):
        scored(build(), custom(name), "seven")


def test_bounds_hold() -> None:
    shapings = ("paper", "fraction", "all_or_nothing", "ordinal")
    entries = [entry(type="constraints", shaping=shaping, weight=2.0) for shaping in shapings]
    entries += [entry(type="format"), entry(type="math_answer", incorrect=-0.5), entry(type="length_cap", weight=0.5)]
    assert [each.least for each in entries] == [-4.0, 0.0, 0.0, -2.0, -1.0, -0.5, -0.5]
    for each in entries[:4]:
        for judgement in (MET, UNMET):
            assert each.lowest <= (each.value(Facts(GOOD, judgement)) or 0.0) <= each.highest
    assert entry(type="format", weight=-1.0).least == -1.0
