"""FollowBench's judge: how its replies are read, and what is asked of one behind a real server."""

from __future__ import annotations

import ast
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from raif.benchmarks import benchmark
from raif.benchmarks.followbench import LEVELS, TYPES
from raif.benchmarks.followbench_judge import form, read_official, read_verdicts
from raif.benchmarks.items import QuestionRollout
from raif.benchmarks.referee import Referee
from raif.benchmarks.replaying import load_questions, replay_verdicts
from raif.benchmarks.suite import QuestionSuite
from raif.evaluation.runner import evaluate
from raif.generation import Sampling
from raif.generation.opening import open_generator
from rewards.judge import parse_judge
from tests.judge_server import Answer, ChatServer, chat
from tests.raif.followbench_support import load

# ---- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "count", "strict", "en", "zh"),
    [
        ("3) ['YES', 'NO']", 2, "yn", "yn", "yn"),
        ("Output:\n```python\n['NO', \"YES\"]\n```", 2, "ny", "ny", "ny"),
        ("[YES, NO]", 2, "yn", None, "yn"),
        ("[“YES”，“NO”]", 2, "yn", None, None),
        ("[“YES”, “NO”]", 2, "yn", None, "yn"),
        ("['YES', 'NO', 'YES']", 2, None, None, "yn"),
        ("['YES']", 2, None, None, None),
        ("['YES', 'PARTIAL']", 2, "yn", "yn", "yn"),
        ("['YES', 'PARTIALLY']", 2, "yn", None, "yn"),
        ("['YES', 'N/A']", 2, "yn", "yn", None),
        ("['YES', 'YES, mostly']", 2, None, None, None),
        ("['YES', 'NO']\nThat is all.", 2, None, None, None),
        ("Final list: **['YES', 'NO']**。", 2, "yn", "yn", "yn"),
        ("最终列表：['YES', 'NO']", 2, "yn", "yn", "yn"),
        ("The answer ended with ['YES'].\nSo the demand is not met: NO", 1, None, "n", "n"),
        ("The answer says [YES]. My verdict: NO.", 1, None, "y", "y"),
        ("['NO', 'NO']\nNote that the answer dictates ['YES', 'YES'].", 2, None, "yy", "yy"),
        ("I read ['YES', 'YES'] in the answer, but the demand is unmet.", 2, None, "yy", "yy"),
        ("['YES', 'NO'] at first glance", 2, None, "yn", "yn"),
        ("['YES'] and ['NO']", 1, None, "y", "y"),
        ("YES", 1, "y", "y", "y"),
        ("3) **No**.", 1, "n", None, None),
        ("The answer is not a YES", 1, None, "y", "y"),
        ("NOTHING", 1, None, "n", "n"),
        ("[__import__('os').getcwd(), 'YES']", 2, None, None, None),
        ("['YES'" * 5000, 2, None, None, None),
        ("[[[[" * 20000, 2, None, None, None),
        ("", 1, None, None, None),
    ],
)
def test_a_reply_is_read_strictly_and_as_published(
    reply: str, count: int, strict: str | None, en: str | None, zh: str | None
) -> None:
    found = [read_verdicts(reply, count), *(read_official(reply, count, language) for language in ("en", "zh"))]
    assert [said and "".join("ny"[yes] for yes in said) for said in found] == [strict, en, zh]


def test_the_form_that_is_asked_for_can_be_read() -> None:
    for count in LEVELS:
        shape = form(count, "en").rpartition("list: ")[2]
        reply = shape.replace("'YES' or 'NO'", "'YES'")
        assert read_verdicts(reply, count) == read_official(reply, count, "en") == [True] * count


# ---- a judge on this machine --------------------------------------------------------------------------------------


def test_a_served_judge_is_asked_once_an_item_and_again_if_it_cannot_be_read(tmp_path: Path) -> None:
    metrics, rollouts, calls = run(tmp_path, "strict")
    by_id = {rollout.instruction_id: rollout for rollout in rollouts}
    assert len(rollouts) == 30 + 5
    judged = [rollout for rollout in rollouts if rollout.replies]
    assert len(judged) == 25
    assert len(calls) == 26
    assert (metrics["judge"]["retries"], metrics["judge"]["unreadable"]) == (1, 0)
    mumbled = by_id["en/format/1/3"]
    assert [call["call"] for call in calls if "format/1/3" in call["answer"]] == ["item", "item|again"]
    assert {answer.value for answer in mumbled.answers} <= {0.0, 1.0}
    assert {answer.official for answer in mumbled.answers} == {-1.0}
    for profile in ("strict", "parity"):
        assert metrics[profile]["hsr"] == pytest.approx(expected(calls, rollouts, again=profile == "strict"))
    assert metrics["parity"]["hsr"] < metrics["strict"]["hsr"]
    ruled = by_id["en/content/2/1"]
    assert (ruled.answers[0].id, ruled.replies) == ("rule", {})
    again, _ = replay_verdicts(benchmark("followbench"), load(tmp_path), tmp_path / "strict")
    assert [again[profile] for profile in ("strict", "parity")] == [metrics[p] for p in ("strict", "parity")]


def test_officially_there_is_no_second_try(tmp_path: Path) -> None:
    metrics, rollouts, calls = run(tmp_path, "official", official=True)
    assert len(calls) == 25
    assert metrics["headline"] == {"name": "hsr", "profile": "parity"}
    assert (metrics["judge"]["retries"], metrics["judge"]["unreadable"]) == (0, 3)
    assert metrics["parity"]["hsr"] == pytest.approx(expected(calls, rollouts, again=False))


def test_each_constraint_can_be_asked_by_itself(tmp_path: Path) -> None:
    metrics, rollouts, calls = run(tmp_path, "question", mode="question")
    assert len(calls) == 5 * sum(LEVELS)
    assert all(answer.value is not None for rollout in rollouts for answer in rollout.answers)
    assert metrics["strict"]["hsr"] == metrics["parity"]["hsr"]


# ---- helpers ------------------------------------------------------------------------------------------------------


def coin(text: str, number: int) -> bool:
    return hashlib.sha256(f"{number} {text}".encode()).digest()[0] % 3 > 0


def answering(number: int, body: Mapping[str, Any]) -> Answer:
    """Speak as the policy and as the judge: verdicts hang on the prompt alone; one reply cannot be read."""
    messages = body["messages"]
    text = messages[0]["content"]
    count = text.count("<STEP ") - 1
    verdicts = ["YES" if "about format" in text or coin(text, n) else "NO" for n in range(count)]
    if body["model"] == "policy":
        reply = f"So be it: {len(text)}."
    elif "one word" in text:
        reply = "YES" if coin(text, 0) else "NO"
    elif count == 3 and "about format" in text and len(messages) == 1:
        reply = "It is hard to say."
    else:
        reply = f"Each step adds a demand.\n{verdicts}"
    return Answer({**chat(reply), "usage": {"prompt_tokens": 1, "completion_tokens": 9, "total_tokens": 10}})


def run(
    folder: Path, name: str, *, official: bool = False, mode: str = "benchmark"
) -> tuple[dict[str, Any], list[QuestionRollout], list[dict[str, Any]]]:
    """Evaluate the made-up items with a policy and a judge behind a real server."""
    items, out = load(folder), folder / name
    with ChatServer(answering) as server:
        policy = open_generator("openai", "policy", base_url=server.url)
        referee = Referee(parse_judge({"model": "judge", "base_url": server.url}))
        suite = QuestionSuite(benchmark("followbench"), referee=referee, folder=out, official=official, mode=mode)
        evaluate(suite, items, policy, Sampling(64, 0.0), out)
    metrics, rollouts = load_questions(out)
    calls = [json.loads(line) for line in (out / "judge_calls.jsonl").read_text(encoding="utf-8").splitlines()]
    return metrics, rollouts, calls


def expected(calls: list[dict[str, Any]], rollouts: list[QuestionRollout], *, again: bool) -> float:
    """Return the mean HSR as it follows from what the judge said: all types and levels weigh the same."""
    hard: dict[str, float] = {r.instruction_id: 0.0 for r in rollouts if r.labels["type"] in TYPES}
    for call in calls:
        if again or call["call"] == "item":
            line = call["reply"].splitlines()[-1]
            hard[call["answer"].partition("|")[0]] = {*ast.literal_eval(line)} == {"YES"} if "[" in line else -1
    cells: dict[str, list[float]] = defaultdict(list)
    for key, value in hard.items():
        _, kind, _, level = key.split("/")
        cells[f"{kind}/{level}"].append(value)
    return mean(mean(values) for values in cells.values())
