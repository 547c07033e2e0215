"""What the line of one rollout says, whatever the line of the rollout was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rewards import LengthCap, RaifError
from rewards.instruction_index import InstructionIndex
from rewards.score_rows import RowScorer, ScoreSettings, parse_row
from rewards.score_summary import Tally, combined
from rewards.scoring import read_chunks
from tests.rewards.rollout_data import TASKS, make_data, rollout, write


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with instructions; read it only."""
    return make_data(tmp_path_factory.mktemp("data"), 0)


@pytest.fixture(scope="module")
def scorer(data: Path) -> RowScorer:
    return RowScorer(data / "instructions.jsonl", ScoreSettings())


def lines(scorer: RowScorer, path: Path) -> list[dict[str, Any]]:
    """Score a file in this process."""
    return [json.loads(line) for chunk in read_chunks(path) for line in scorer(chunk).lines.splitlines()]


def test_blank_lines_count_and_give_no_line(tmp_path: Path, scorer: RowScorer) -> None:
    path = tmp_path / "rollouts.jsonl"
    rows = [json.dumps(rollout(number)).encode() for number in range(3)]
    path.write_bytes(b"\n" + rows[0] + b"\r\n  \r\n" + rows[1] + b"\n\n" + rows[2])
    assert [line["line"] for line in lines(scorer, path)] == [2, 4, 6]


BAD = {
    "no JSON": ('{"instruction_id": "a", ', "Invalid JSON"),
    "no object": ("[1, 2]", "line: Input should be"),
    "no completion": (json.dumps({"instruction_id": TASKS[0].id, "id": "x"}), "completion: Field required"),
    "no instruction": (json.dumps({"completion": "a"}), "instruction_id: Field required"),
    "unknown instruction": (json.dumps(rollout(0, instruction_id="nowhere")), "no instruction has the id 'nowhere'"),
    "completion is no text": (json.dumps(rollout(0, completion=3)), "completion: Input should be a valid string"),
    "unknown finish": (json.dumps(rollout(0, finish_reason="tired")), "finish_reason: Input should be 'stop' or"),
    "negative length": (json.dumps(rollout(0, completion_tokens=-1)), "completion_tokens: Input should be greater"),
    "half a surrogate pair": (json.dumps(rollout(0, completion="\ud83d")), "Invalid JSON"),
    "nested deeply": ("[" * 100_000, "recursion"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_is_no_rollout_says_why_and_the_next_is_scored(
    name: str, tmp_path: Path, scorer: RowScorer
) -> None:
    text, problem = BAD[name]
    bad, good = lines(scorer, write(tmp_path / "rollouts.jsonl", [text, rollout(0)]))
    assert problem in bad["problem"]
    assert bad["reward"] is bad["hard"] is bad["well_formed"] is None
    assert bad["parts"] == {}
    assert bad["verdicts"] == []
    assert set(bad) | {"id"} == set(good)
    assert (good["reward"], good["problem"]) == (1.0, "")


def test_a_bad_line_keeps_what_names_it(tmp_path: Path, scorer: RowScorer) -> None:
    row = {"id": 7, "instruction_id": TASKS[0].id, "group": 2, "sample": [1]}
    [line] = lines(scorer, write(tmp_path / "rollouts.jsonl", [row]))
    assert (line["id"], line["instruction_id"], line["group"]) == (7, TASKS[0].id, 2)
    assert "sample" not in line


def test_bytes_that_are_no_text_are_a_problem_of_their_line(tmp_path: Path, scorer: RowScorer) -> None:
    path = tmp_path / "rollouts.jsonl"
    path.write_bytes(b'{"instruction_id": "\xff\xfe"}\n' + json.dumps(rollout(0)).encode())
    assert [bool(line["problem"]) for line in lines(scorer, path)] == [True, False]


@pytest.mark.parametrize(
    ("fields", "limit", "truncated"),
    [
        ({"finish_reason": "length"}, None, True),
        ({"finish_reason": "length", "completion_tokens": 3}, 10, True),
        ({"finish_reason": "stop", "completion_tokens": 10}, 10, False),
        ({"finish_reason": "stop", "completion_tokens": 11}, 10, True),
        ({"completion_tokens": 10}, 10, True),
        ({"completion_tokens": 9}, 10, False),
        ({"completion_ids": [5] * 10}, 10, True),
        ({"completion_ids": [5] * 9}, 10, False),
        ({"finish_reason": "stop"}, 10, False),
        ({}, None, False),
    ],
)
def test_what_counts_as_cut_off(
    fields: dict[str, Any], limit: int | None, truncated: bool, data: Path, tmp_path: Path
) -> None:
    cap = None if limit is None else LengthCap(limit=limit, on_truncation="penalty", penalty=-3.0)
    under_cap = RowScorer(data / "instructions.jsonl", ScoreSettings(cap=cap))
    [line] = lines(under_cap, write(tmp_path / "rollouts.jsonl", [rollout(0, **fields)]))
    assert line["truncated"] is truncated
    assert line["reward"] == (-3.0 if truncated and cap else 1.0)


def test_a_cap_that_cannot_be_applied_is_a_problem_of_the_row(data: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "rollouts.jsonl", [rollout(0), rollout(0, finish_reason="stop")])
    capped = RowScorer(data / "instructions.jsonl", ScoreSettings(cap=LengthCap(limit=9)))
    assert ["both missing" in line["problem"] for line in lines(capped, path)] == [True, False]
    banded = RowScorer(data / "instructions.jsonl", ScoreSettings(rewards=({"type": "length_cap", "limit": 9},)))
    assert all("length_cap needs it" in line["problem"] for line in lines(banded, path))


def test_direct_rows_and_styles(data: Path, tmp_path: Path, scorer: RowScorer) -> None:
    path = write(
        tmp_path / "rollouts.jsonl", [rollout(0, completion="It is fine.", direct=each) for each in (False, True)]
    )
    assert [(line["well_formed"], line["reward"]) for line in lines(scorer, path)] == [(False, 0.0), (True, 1.0)]
    tagged = RowScorer(data / "instructions.jsonl", ScoreSettings(style="think_answer", prefilled=False))
    path = write(path, [rollout(0, completion="<think>hm</think><answer>It is fine.</answer>")])
    assert [line["reward"] for line in lines(tagged, path)] == [1.0]


def test_an_id_that_has_no_bytes_is_repeated(tmp_path: Path, scorer: RowScorer) -> None:
    [line] = lines(scorer, write(tmp_path / "rollouts.jsonl", [rollout(0, id="\ud83d")]))
    assert (line["id"], line["reward"]) == ("\ud83d", None)


# Instructions


def test_the_index_parses_only_what_is_asked_for(tmp_path: Path) -> None:
    broken = '{"id": "broken", "prompt": 3}'
    loose = json.dumps({"prompt": "id elsewhere", "id": "late"})
    path = write(tmp_path / "instructions.jsonl", [TASKS[0].model_dump_json(), "", broken, loose])
    index = InstructionIndex(path, cached=1)
    assert len(index) == 3
    assert index[TASKS[0].id] == TASKS[0]
    assert index[TASKS[0].id] is index[TASKS[0].id]
    with pytest.raises(RaifError, match="its instruction is not valid: request: Field required"):
        _ = index["broken"]
    with pytest.raises(KeyError):
        _ = index["nowhere"]
    index.close()


def test_an_id_names_one_instruction(tmp_path: Path) -> None:
    same, other = TASKS[0].model_dump_json(), TASKS[1].model_copy(update={"id": TASKS[0].id}).model_dump_json()
    assert len(InstructionIndex(write(tmp_path / "same.jsonl", [same, same]))) == 1
    with pytest.raises(RaifError, match=r"two.jsonl:2: another instruction has the id"):
        InstructionIndex(write(tmp_path / "two.jsonl", [same, other]))
    with pytest.raises(RaifError, match=r"none.jsonl:1 is not an instruction: it has no id"):
        InstructionIndex(write(tmp_path / "none.jsonl", ["{}"]))


# Sums


def tallies(rows: Sequence[float], size: int) -> Iterator[Tally]:
    for begin in range(0, len(rows), size):
        tally = Tally()
        for place, value in enumerate(rows[begin : begin + size], begin):
            tally.add({
                "line": place, "reward": value, "outcome": value, "hard": None, "soft": None, "correct": None,
                "well_formed": True, "truncated": False, "parts": {}, "verdicts": [], "problem": "", "reason": "",
            })  # fmt: skip
        yield tally


def test_a_chunk_in_parts_has_the_sums_of_the_whole() -> None:
    values = [0.1 * number for number in range(64)]
    [chunk] = tallies(values, 64)
    parts = Tally()
    for tally in tallies(values, 1):
        parts.merge(tally)
    assert parts.summary() == chunk.summary()


def test_summaries_are_combined_by_their_counts() -> None:
    one, many = (next(tallies(values, 9)).summary() for values in ([1.0], [0.0, 0.0, 1.0]))
    both = combined([("a.jsonl", one), ("b.jsonl", many)])
    assert both["rows"] == 4
    assert both["means"]["reward"] == {"mean": pytest.approx(0.5), "n": 4}


def test_a_row_needs_only_two_fields() -> None:
    row = parse_row(b'{"instruction_id": "a", "completion": "b", "verdicts": "of old", "reward": 1}')
    assert row.model_fields_set == {"instruction_id", "completion"}
