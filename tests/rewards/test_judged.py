"""Soft constraints in a tree: the scorer asks a served judge, and what it does not answer is unscored."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rewards import Instruction, RaifError, Response, ScoredResponse, Scorer, Status, parse_rewards
from tests.judge_server import Answer, ChatServer, chat

Build = Callable[..., Instruction]
POLITE = {"type": "judge:question", "question": "Is the answer polite?", "demand": "Be polite."}
NO_COMMA = {"type": "punctuation:no_comma"}


def reply(number: int, body: Mapping[str, Any]) -> Answer:
    text = str(body["messages"])
    if "broken" in text:
        return Answer(b"oops", status=400)
    return Answer(chat("YES" if "please" in text else "NO"))


def entries(url: str, *questions: str) -> list[Any]:
    judge = {"model": "m", "base_url": url, "mode": "text"}
    return [{"type": "constraints", "gate": "none"}, {"type": "judge", "judge": judge, "questions": list(questions)}]


def batch(task: Instruction, *texts: str) -> list[ScoredResponse]:
    return [ScoredResponse(task, Response(None, text)) for text in texts]


def test_judged_leaves_count_like_others(build: Build) -> None:
    task = build(NO_COMMA, POLITE)
    assert task.constraints[1].describe() == "Be polite."
    texts = ("Seven please", "Seven", "Seven, please", "This is broken", "  ")
    with ChatServer(reply) as server:
        scorer = pickle.loads(pickle.dumps(Scorer(parse_rewards(entries(server.url)))))
        rewards = scorer.score(batch(task, *texts))
        asked = len(server.bodies)
    assert [reward.judgement.soft for reward in rewards] == [1.0, 0.5, 0.5, None, 0.0]
    assert [reward.total for reward in rewards] == [1.0, 0.5, 0.5, None, 0.0]
    assert asked == 4  # nothing is asked about a blank answer
    leaf = rewards[3].judgement.leaves[1].verdict
    assert leaf.status is Status.UNSCORED
    assert "Is the answer polite? HTTP 400" in leaf.evidence
    assert "HTTP 400" in rewards[3].reason


def test_questions_of_the_recipe_are_asked_about_every_answer(build: Build) -> None:
    with ChatServer(reply) as server:
        scorer = Scorer(parse_rewards(entries(server.url, "Does it say please?", "Is it please-ing?")))
        rewards = scorer.score(batch(build(NO_COMMA, answer=None), "Yes please", "This is broken", ""))
    assert [reward.parts["judge"] for reward in rewards] == [1.0, None, 0.0]


def test_without_a_judge_the_leaf_is_unscored(build: Build) -> None:
    scorer = Scorer(parse_rewards([{"type": "constraints", "gate": "none"}]))
    (reward,) = scorer.score(batch(build(POLITE), "Seven please"))
    assert (reward.total, reward.reason) == (None, "judge:question: no judge has answered: Is the answer polite?")


def test_a_key_is_never_shown() -> None:
    with pytest.raises(RaifError) as caught:
        parse_rewards([{"type": "judge", "judge": {"model": "m", "api_key": "sk-secret"}}])
    assert "api_key" in str(caught.value)
    assert "sk-secret" not in str(caught.value)
