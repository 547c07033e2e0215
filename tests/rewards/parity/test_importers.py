"""Every row of the benchmarks' own files becomes an instruction, in both profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewards import RaifError, Response, Status
from rewards.parity.importers import Profile, instruction_from, read_suite

FILES = {"ifeval": "ifeval/input_data.jsonl", "ifbench": "ifbench/IFBench_test.jsonl", "mathif": "mathif/*.jsonl"}
COUNTS = {"ifeval": (541, 834), "ifbench": (300, 344), "mathif": (420, 840)}
IFTRAIN: dict[str, Any] = {
    "key": "t1",
    "messages": [{"role": "user", "content": "Name a river. Use no dots."}],
    "ground_truth": '["{\\"instruction_id\\": [\\"punctuation:punctuation_dot\\"], \\"kwargs\\": [null]}"]',
}


@pytest.mark.parametrize("profile", ["parity", "strict"])
@pytest.mark.parametrize("suite", FILES)
def test_the_official_files_are_read(suite: str, profile: Profile, shared_dir: Path) -> None:
    paths = sorted((shared_dir / "data").glob(FILES[suite]))
    if not paths:
        pytest.skip(f"no {suite} files")
    found = [instruction for path in paths for instruction in read_suite(suite, path, profile)]
    tasks, leaves = COUNTS[suite]
    assert len(found) == tasks
    total = sum(len(instruction.constraints) for instruction in found)
    assert total == leaves if profile == "parity" else total >= leaves
    assert len({instruction.id for instruction in found}) == tasks
    assert all((instruction.answer is not None) == (suite == "mathif") for instruction in found)
    for instruction in found[:50]:
        assert type(instruction).model_validate_json(instruction.model_dump_json()) == instruction
        assert len(instruction.evaluate(Response(None, "A word.")).leaves) == len(instruction.constraints)


def test_profiles_differ_where_the_official_code_is_wrong() -> None:
    row = {"key": 1, "prompt": "p", "instruction_id_list": ["keywords:existence"], "kwargs": [{"keywords": ["art"]}]}
    answer = Response(None, "Start here.")
    verdicts = [instruction_from("ifeval", row, profile).evaluate(answer).hard for profile in ("parity", "strict")]
    assert verdicts == [True, False]


def test_a_training_row() -> None:
    instruction = instruction_from("iftrain", IFTRAIN)
    assert instruction.split == "train"
    assert instruction.prompt == "Name a river. Use no dots."
    assert instruction.evaluate(Response(None, "The Nile")).hard
    assert not instruction.evaluate(Response(None, "The Nile.")).hard


def test_loose_protocol_and_undecided_checks() -> None:
    row = {"key": 1, "prompt": "p", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    official = instruction_from("ifeval", row, "parity").constraints[0]
    text = Response(None, "Sure, here:\nNo commas.")
    context = instruction_from("ifeval", row).context()
    assert official.check(text, context).status is Status.VIOLATED
    assert official.model_copy(update={"protocol": "loose"}).check(text, context).status is Status.SATISFIED
    drawn = {**row, "instruction_id_list": ["length_constraints:number_words"]}
    undecided = instruction_from("ifeval", drawn, "parity").constraints[0].check(text, context)
    assert undecided.status is Status.UNSCORED
    assert "random" in undecided.evidence


@pytest.mark.parametrize(
    ("suite", "row", "said"),
    [
        ("ifeval", {"key": 1, "prompt": "p", "instruction_id_list": ["a"], "kwargs": []}, "names 1 instructions"),
        ("ifeval", {"prompt": "p"}, "not a row of ifeval"),
        ("ifeval", {"key": 1, "prompt": "p", "instruction_id_list": ["no:comma"], "kwargs": [{}]}, "no:comma"),
        ("iftrain", {**IFTRAIN, "ground_truth": "{"}, "not a row of iftrain"),
        ("ifevil", {}, "did you mean 'ifeval'"),
    ],
)
def test_bad_rows_are_named(suite: str, row: dict[str, Any], said: str) -> None:
    with pytest.raises(RaifError, match=said):
        instruction_from(suite, row)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"key": 1}) + "\n")
    with pytest.raises(RaifError, match=r"rows\.jsonl:1: not a row of ifeval"):
        read_suite("ifeval", path)
    with pytest.raises(RaifError, match="no ifeval file"):
        read_suite("ifeval", tmp_path / "none.jsonl")
