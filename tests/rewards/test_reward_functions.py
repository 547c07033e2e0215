"""The reward callable as TRL calls it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from rewards import Instruction, LengthCap, RolloutReward, Scorer, parse_rewards

Build = Callable[..., Instruction]
EOS = 2


def reward_function(cap: LengthCap | None = None, **options: Any) -> RolloutReward:
    entries = parse_rewards([{"type": "format", "weight": 0.25}, {"type": "constraints"}, {"type": "math_answer"}])
    return RolloutReward(Scorer(entries, cap), eos_token_ids=[EOS], **options)


def call(function: RolloutReward, task: Instruction, *completions: Any, ids: Any = None, **extra: Any) -> list[Any]:
    rows = [task.model_dump_json()] * len(completions)
    return function(
        prompts=["p"] * len(completions),
        completions=list(completions),
        completion_ids=ids or [[5, EOS]] * len(completions),
        instruction=rows,
        **extra,
    )


def test_totals_for_plain_and_conversational_completions(build: Build) -> None:
    texts = ["3 + 4</think>It is 7", "3 + 4</think>Well, it is certainly 8", "It is 7"]
    wanted = [2.25, 0.25, -0.25]
    assert call(reward_function(), build(), *texts) == wanted
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    assert call(reward_function(), build(), *chats) == wanted
    parsed = [{"role": "assistant", "reasoning_content": "3 + 4", "content": "It is 7"}]
    assert call(reward_function(), build(), parsed) == [2.25]
    assert call(reward_function(), build(), [{"role": "assistant", "thinking": "3", "content": None}]) == [-0.25]


def test_a_template_that_does_not_open_the_thinking(build: Build) -> None:
    function = reward_function(prefilled=False)
    assert call(function, build(), "<think>3 + 4</think>It is 7", "3 + 4</think>It is 7") == [2.25, 0.75]


def test_metrics_and_extras_are_logged(build: Build) -> None:
    metrics: dict[str, float] = {}
    extras: dict[str, list[Any]] = {}
    function = reward_function()
    call(
        function,
        build(),
        "3 + 4</think>It is 7",
        "3 + 4</think>Well, it is 8",
        log_metric=metrics.__setitem__,
        log_extra=extras.__setitem__,
        trainer_state=object(),
    )
    assert metrics["hacc"] == 0.5
    assert metrics["sacc"] == 0.75
    assert metrics["correct"] == 0.5
    assert metrics["unscored"] == 0.0
    assert metrics["rewards/format"] == 1.0
    assert metrics["constraints/punctuation:no_comma"] == 0.5
    assert metrics["constraints/length:max_words"] == 1.0
    assert "punctuation:no_comma: violated (commas found: 1, the first is ',')" in extras["verdicts"][1]
    assert [reward.correct for reward in function.last] == [True, False]


def test_an_unscored_row_is_none(build: Build) -> None:
    metrics: dict[str, float] = {}
    task = build({"type": "language:response", "language": "en"})
    texts = ("3</think>It is 7", "3</think>The answer to the question is 7.")
    assert call(reward_function(), task, *texts, log_metric=metrics.__setitem__) == [None, 2.25]
    assert (metrics["unscored"], metrics["constraints/language:response"], metrics["hacc"]) == (0.5, 1.0, 1.0)


def test_it_pickles_and_scores_the_same(build: Build) -> None:
    function = reward_function(LengthCap(limit=4, on_truncation="penalty"))
    texts = ("3 + 4</think>It is 7", "no")
    before = call(function, build(), *texts)
    copy = pickle.loads(pickle.dumps(function))
    assert copy.__name__ == "reward"
    assert call(copy, build(), *texts) == before


def test_direct_completions_are_judged_on_the_answer_alone(build: Build) -> None:
    row = build().model_dump_json()
    thinking, direct = (
        reward_function().breakdowns(["It is 7"], [[5, EOS]], [row], direct=direct)[0] for direct in (False, True)
    )
    assert (thinking.outcome, thinking.well_formed) == (0.0, False)
    assert (direct.outcome, direct.well_formed) == (2.0, True)
    relapse = reward_function().breakdowns(["<think>3</think>It is 7"], [[5, EOS]], [row], direct=True)[0]
    assert relapse.well_formed is False


def test_truncated_rows_get_what_the_cap_says(build: Build) -> None:
    text = "3 + 4</think>It is 7"
    ids = [[5, 5, 5], [5, 5, EOS], [5, EOS], [5, 5]]
    function = reward_function(LengthCap(limit=3, on_truncation="penalty", penalty=-7.0))
    assert call(function, build(), *[text] * 4, ids=ids) == [-7.0, 2.25, 2.25, 2.25]
    assert call(reward_function(), build(), *[text] * 4, ids=ids) == [2.25] * 4
