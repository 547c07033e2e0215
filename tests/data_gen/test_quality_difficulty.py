"""Pass rates of a policy: joined by id from real score lines, labelled, and used to filter a data set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from data_gen.quality.difficulty import (
    Rollouts,
    Thresholds,
    parse_range,
    read_difficulty,
    wilson,
    write_difficulty,
    write_filtered,
)
from data_gen.quality.files import instruction_files, json_rows, read_manifest
from rewards import Instruction, RaifError
from rewards.scoring import score_file
from tests.data_gen.test_quality_samples import samples, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data", samples(24), shards=2)


def flat(folder: Path) -> list[Instruction]:
    """Return the instructions of which a witness satisfies everything."""
    rows = [Instruction.model_validate(row) for path in instruction_files(folder) for row in json_rows(path)]
    return [task for task in rows if task.witness and len(task.constraints) in (1, 2) and not task.judged]


def scored(folder: Path, passed: dict[str, tuple[int, int]]) -> Path:
    """Score completions with the real scorer, so many right ones of so many for each instruction."""
    instructions = folder.parent / "instructions.jsonl"
    instructions.write_bytes(b"".join(path.read_bytes() for path in instruction_files(folder)))
    witnesses = {row["id"]: row["witness"] for row in json_rows(instructions)}
    rows = [
        {"instruction_id": key, "completion": f"plan</think>{witnesses[key] if turn < right else '!'}"}
        for key, (right, count) in passed.items()
        for turn in range(count)
    ]
    rollouts = folder.parent / "rollouts.jsonl"
    rollouts.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    score_file(instructions, rollouts, folder.parent / "scores" / "scores.jsonl")
    return folder.parent / "scores" / "scores.jsonl"


def test_score_lines_become_pass_rates_labels_and_a_filtered_copy(folder: Path, tmp_path: Path) -> None:
    easy, medium, hard = (task.id for task in flat(folder)[:3])
    scores = scored(folder, {easy: (4, 4), medium: (2, 4), hard: (0, 4)})
    summary = write_difficulty(folder, scores)
    assert summary == {
        "easy": 1, "medium": 1, "hard": 1, "unmeasured": 21, "rollouts": {"rows": 12}, "unknown": 0
    }  # fmt: skip
    rates = read_difficulty(folder)
    assert [rates[key].label for key in (easy, medium, hard)] == ["easy", "medium", "hard"]
    assert (rates[medium].n, rates[medium].pass_rate) == (4, 0.5)
    assert rates[medium].low == pytest.approx(0.150, abs=1e-3)
    assert rates[hard].sacc == 0.0
    counts = write_filtered(folder, tmp_path / "kept", parse_range("0.1..0.9"))
    assert counts == {"kept": 22, "unmeasured": 21, "too easy": 1, "too hard": 1}
    before = [line for path in instruction_files(folder) for line in path.read_bytes().split(b"\n") if line]
    after = [line for path in instruction_files(tmp_path / "kept") for line in path.read_bytes().split(b"\n") if line]
    assert after == [line for line in before if json.loads(line)["id"] not in (easy, hard)]
    manifest = read_manifest(tmp_path / "kept")
    assert sum(manifest["counts"].values()) == 22
    assert manifest["filtered_by_pass_rate"] == {"keep": [0.1, 0.9], **counts}
    assert manifest["seed"] == read_manifest(folder)["seed"]


def test_undecided_and_direct_rollouts_are_counted_and_left_out() -> None:
    found = Rollouts()
    for row in (
        {"hard": None},
        {"hard": True, "direct": True},
        {"hard": True, "soft": 1.0},
        {"hard": False, "soft": 0.5},
    ):
        found.add({"instruction_id": "a", **row})
    rate = found.of("a", Thresholds())
    assert (rate.n, rate.pass_rate, rate.sacc) == (2, 0.5, 0.75)
    assert found.counts == {"rows": 4, "undecided": 1, "direct": 1}
    assert found.of("b", Thresholds()).label == "unmeasured"


@pytest.mark.parametrize(("passed", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (7, 20)])
def test_intervals_hold_the_rate_and_stay_within_bounds(passed: int, n: int) -> None:
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n <= high <= 1
    assert high - low > (wilson(10 * passed, 10 * n)[1] - wilson(10 * passed, 10 * n)[0])


def test_bad_input_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="no rollouts at"):
        write_difficulty(folder, tmp_path / "nothing.jsonl")
    unscored = tmp_path / "unscored.jsonl"
    unscored.write_text('{"instruction_id": "a", "completion": "x"}\n', encoding="utf-8")
    with pytest.raises(RaifError, match="raif score"):
        write_difficulty(folder, unscored)
    other = tmp_path / "other.jsonl"
    other.write_text('{"instruction_id": "a", "hard": true}\n', encoding="utf-8")
    with pytest.raises(RaifError, match="none of the rollouts belongs"):
        write_difficulty(folder, other)
    assert not list(folder.glob("difficulty*"))
    with pytest.raises(RaifError, match=r"no difficulty\.jsonl"):
        write_filtered(folder, tmp_path / "kept", (0.1, 0.9))
    with pytest.raises(RaifError, match="is the data set itself"):
        write_filtered(folder, folder, (0.1, 0.9))
    for text in ("0.9..0.1", "half", "0.1-0.9", "0..2"):
        with pytest.raises(RaifError, match="no range of pass rates"):
            parse_range(text)
    with pytest.raises(ValidationError, match="must be below easy"):
        Thresholds(hard=0.8, easy=0.5)


def test_missing_shards_are_an_error(folder: Path) -> None:
    next((folder / "data").glob("train-00001*")).unlink()
    with pytest.raises(RaifError, match=r"train-00001-of-00002\.jsonl is missing, though manifest\.json names it"):
        instruction_files(folder)


def test_an_unfinished_data_set_is_an_error(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(RaifError, match=r"holds no complete data set \(there is no manifest\.json\)"):
        instruction_files(folder)
