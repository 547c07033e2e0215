"""What verl hands over and takes back."""

from __future__ import annotations

import inspect
import math
from collections import UserDict, UserList
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rewards import RaifError, Reward
from rewards.adapters import VerlReward, make_reward, verl
from tests.handed import CAP, ENTRIES, PLAIN, ROWS, reference


def test_verl_gets_numbers_under_the_same_keys() -> None:
    made = VerlReward(make_reward(ENTRIES, cap=CAP), unscored=0.0)
    extras = [{"completion_tokens": count, "truncated": not ended} for _, _, count, ended in ROWS]
    rows = made.batched(
        data_sources=np.array(["raif"] * len(ROWS), dtype=object),
        solution_strs=[text for _, text, _, _ in ROWS],
        ground_truths=[task.model_dump_json() for task, *_ in ROWS],
        extra_infos=np.array(extras, dtype=object),
    )
    assert len({tuple(row) for row in rows}) == 1
    assert {type(value) for row in rows for value in row.values()} == {float}
    for row, wanted in zip(rows, reference(ROWS), strict=True):
        assert row["unscored"] == float(wanted.total is None)
        assert row["score"] == (wanted.total or 0.0)
        assert (row["truncated"], row["well_formed"]) == (wanted.truncated, wanted.well_formed)
        for name, value in known(wanted).items():
            assert math.isnan(row[name]) if value is None else row[name] == value


def known(reward: Reward) -> dict[str, float | None]:
    own = {"hacc": reward.judgement.hard, "sacc": reward.judgement.soft, "correct": reward.correct}
    return {**own, "outcome": reward.outcome, **{f"rewards/{label}": value for label, value in reward.parts.items()}}


def test_verl_counts_tokens_itself_where_it_is_told_how() -> None:
    def count_tokens(text: str) -> int:
        return len(text.split())

    made = VerlReward(make_reward(ENTRIES, cap=CAP), unscored=0.0, count_tokens=count_tokens)
    for words, truncated in ((8, 0.0), (9, 1.0), (10, 1.0)):
        row = made("raif", "hm</think>" + " ".join(["word"] * words), PLAIN.model_dump_json())
        assert row["truncated"] == truncated
        assert row["rewards/length_cap"] == pytest.approx(max(-1, (5 - words) / 4))
    told = made("raif", "hm</think>word", PLAIN.model_dump_json(), {"truncated": True, "completion_tokens": 3})
    assert told["truncated"] == 1.0


def test_verl_needs_no_code_of_ones_own(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "rewards:\n- {type: constraints}\n- {type: format, weight: 0.5}\nmax_steps: 3\n", encoding="utf-8"
    )
    row = {"data_source": "raif", "solution_str": "hm</think>It is 0.5", "ground_truth": PLAIN.model_dump_json()}
    entries = UserList([UserDict({"type": "constraints"}), UserDict({"type": "format", "weight": 0.5})])
    for rewards_setting in (str(recipe), entries):
        settings = {"rewards": rewards_setting, "unscored": -1, "style": "think", "cap": None}
        score = partial(verl.compute_score, **settings)
        assert score(**row, extra_info={"num_turns": 2}, reward_router_address="-")["score"] == 1.5
        columns = {f"{name}s": [value] for name, value in row.items()}
        assert verl.compute_score_batched(**columns, extra_infos=[{}], **settings)[0]["score"] == 1.5
    instruction_elsewhere = {**row, "ground_truth": "0.5", "extra_info": {"instruction": PLAIN.model_dump()}}
    assert verl.compute_score(**instruction_elsewhere, **settings)["score"] == 1.5
    assert not inspect.iscoroutinefunction(verl.compute_score)
    for wrong, problem in (
        ({"rewards": entries}, "lacks unscored"),
        ({"unscored": 0}, "lacks rewards"),
        ({"rewards": entries, "unscored": 0, "stile": "think"}, "did you mean 'style'"),
        ({"rewards": entries, "unscored": 0, "style": "thinks"}, "did you mean 'think'"),
        ({"rewards": entries, "unscored": 0, "cap": {"limit": 0}}, "cap .* limit: .* It takes: limit, on_truncation"),
        ({"rewards": str(tmp_path / "none.yaml"), "unscored": 0}, "no reward entries at"),
    ):
        with pytest.raises(RaifError, match=problem):
            verl.compute_score(**row, **wrong)


@pytest.mark.parametrize(
    ("content", "problem"),
    [("rewards: [", "is not YAML"), ("max_steps: 3", "has no `rewards`"), ("3", "non-empty list")],
)
def test_a_file_without_entries_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "recipe.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(RaifError, match=problem):
        make_reward(tmp_path / "recipe.yaml")


@pytest.mark.parametrize("truth", ["0.5", "{}", None, 3, {"id": "x"}, '{"id": "x"}'])
def test_a_row_without_an_instruction_is_refused(truth: object) -> None:
    with pytest.raises(RaifError, match="the row carries no instruction"):
        VerlReward(make_reward([{"type": "format"}]), unscored=0.0)("raif", "hm</think>7", truth)


def test_a_cap_needs_to_know_of_truncation() -> None:
    capped = VerlReward(make_reward([{"type": "format"}], cap=CAP), unscored=0.0)
    with pytest.raises(RaifError, match="the cap needs token ids, or word of truncation"):
        capped("raif", "hm</think>7", PLAIN.model_dump_json())
    limited = VerlReward(make_reward([{"type": "length_cap", "limit": 9}]), unscored=0.0)
    with pytest.raises(RaifError, match="length_cap entry needs the number of completion tokens"):
        limited("raif", "hm</think>7", PLAIN.model_dump_json())
