"""What `raif score` makes of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from raif.rollouts import append_jsonl
from raif.score import make_settings, score
from rewards import LengthCap, RaifError
from rewards.reward_files import read_rewards
from rewards.score_rows import ScoreSettings
from tests.support import example_instruction


@pytest.fixture
def instructions(tmp_path: Path) -> Path:
    append_jsonl(tmp_path / "instructions.jsonl", [example_instruction()])
    return tmp_path / "instructions.jsonl"


def test_a_file_is_scored(instructions: Path, tmp_path: Path) -> None:
    row = {"instruction_id": example_instruction().id, "completion": "hm</think>It is fine."}
    append_jsonl(tmp_path / "rollouts.jsonl", [row, row])
    done: list[int] = []
    paths = instructions, tmp_path / "rollouts.jsonl", tmp_path / "scores.jsonl"
    summary = score(*paths, make_settings(), progress=done.append)
    assert summary["means"]["hacc"] == {"mean": 1.0, "n": 2}
    assert done == [2]


def test_nothing_to_score_is_an_error(instructions: Path, tmp_path: Path) -> None:
    (tmp_path / "rollouts.jsonl").write_text("\n")
    with pytest.raises(RaifError, match="holds no rollouts"):
        score(instructions, tmp_path / "rollouts.jsonl", tmp_path / "scores.jsonl", make_settings())


def test_options_become_settings(tmp_path: Path) -> None:
    (path := tmp_path / "rewards.yaml").write_text("[{type: format}]", encoding="utf-8")
    settings = make_settings(
        path, 9, on_truncation="penalty", penalty=-2.0, style="none", prefilled=False, deadline=3.0
    )
    cap = LengthCap(limit=9, on_truncation="penalty", penalty=-2.0)
    assert settings == ScoreSettings(
        rewards=({"type": "format"},), cap=cap, style="none", prefilled=False, deadline=3.0
    )
    assert make_settings(style=None, deadline=None) == ScoreSettings()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "thunk"}, "style is 'thunk': Input should be 'think'"),
        ({"cap": 0}, "cap.limit is 0: Input should be greater"),
        ({"deadline": 0.0}, "deadline is 0.0: Input should be greater"),
        ({"cap": 3, "on_truncation": "forget"}, "cap.on_truncation is 'forget': Input should be 'zero'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        make_settings(**options)


@pytest.mark.parametrize("text", ["- {type: format}", "rewards: [{type: format}]\nlearning_rate: 1"])
def test_rewards_from_yaml(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rewards.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_rewards(path) == ({"type": "format"},)


@pytest.mark.parametrize("text", ["a: [", "just a word", "rewards: 3", ""])
def test_yaml_that_holds_no_rewards(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rewards.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RaifError, match="YAML"):
        read_rewards(path)
