"""Scoring stored rollouts: no row is lost, doubled, misplaced or spoilt by another, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from rewards import LengthCap, RaifError, Response, ScoredResponse, Scorer, scoring
from rewards.score_output import ScoreFile, make_stamp, stamp_path, summary_path
from rewards.score_rows import RowScorer, ScoreSettings
from rewards.scoring import CHUNK_ROWS, read_chunks, score_chunks, score_file
from rewards.worker_pool import WorkerPool
from tests.rewards.rollout_data import TASKS, make_data, read, rollout, write

C = CHUNK_ROWS
ROWS = 2 * C + 22  # two chunks and a part of one
MAIN = """
import sys
from rewards.score_rows import ScoreSettings
from rewards.scoring import score_file
instructions, rollouts, out, settings, workers = sys.argv[1:]
score_file(instructions, rollouts, out, ScoreSettings.model_validate_json(settings), int(workers))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with instructions and rollouts, and with a module of reward functions; read it only."""
    return make_data(tmp_path_factory.mktemp("data"), ROWS)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return scores that were made without interruption; read them only."""
    out = tmp_path_factory.mktemp("whole") / "scores.jsonl"
    score_file(data / "instructions.jsonl", data / "rollouts.jsonl", out)
    return out


@pytest.fixture
def importable(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(data)


def score(data: Path, rows: Iterable[dict[str, Any] | str], out: Path, workers: int = 1, **settings: Any) -> list[Any]:
    rollouts = write(out.with_name("rollouts.jsonl"), rows)
    score_file(data / "instructions.jsonl", rollouts, out, ScoreSettings(**settings), workers)
    return read(out)


@pytest.fixture(scope="module")
def scorer(data: Path) -> RowScorer:
    return RowScorer(data / "instructions.jsonl", ScoreSettings())


# Every row, and all of them


def test_every_line_has_the_score_of_its_row(data: Path, whole: Path) -> None:
    found = read(whole)
    assert [line["line"] for line in found] == list(range(1, ROWS + 1))
    assert [line["id"] for line in found] == [f"r{number}" for number in range(ROWS)]
    own = Scorer(ScoreSettings().entries)
    batch = [
        ScoredResponse(TASKS[number % len(TASKS)], Response.split(rollout(number)["completion"]))
        for number in range(ROWS)
    ]
    rewards = own.score(batch)
    assert [line["reward"] for line in found] == [reward.total for reward in rewards]
    assert [line["soft"] for line in found] == [reward.judgement.soft for reward in rewards]
    assert {line["reward"] for line in found} == {0.0, 0.5, 1.0}
    first = dict(found[0])
    assert [(each["path"], each["status"]) for each in first.pop("verdicts")] == [
        ("and.0", "satisfied"),
        ("and.1", "satisfied"),
    ]
    assert first == {
        "line": 1,
        "id": "r0",
        "instruction_id": TASKS[0].id,
        "reward": 1.0,
        "outcome": 1.0,
        "parts": {"constraints": 1.0},
        "hard": True,
        "soft": 1.0,
        "correct": None,
        "well_formed": True,
        "truncated": False,
        "reason": "",
        "problem": "",
        "schema_version": 1,
    }


def test_the_summary_is_that_of_the_lines(whole: Path) -> None:
    summary, found = json.loads(summary_path(whole).read_text()), read(whole)
    assert {name: summary[name] for name in ("rows", "scored", "unscored", "problems")} == {
        "rows": ROWS, "scored": ROWS, "unscored": 0, "problems": 0,
    }  # fmt: skip
    for column, name in (("hard", "hacc"), ("soft", "sacc"), ("reward", "reward")):
        expected = sum(line[column] for line in found) / ROWS
        assert summary["means"][name] == {"mean": pytest.approx(expected), "n": ROWS}
    assert summary["means"]["rewards/constraints"] == summary["means"]["reward"]
    assert summary["means"]["constraints/punctuation:no_comma"]["n"] == ROWS
    assert "correct" not in summary["means"]


# Rows that do harm


@pytest.mark.usefixtures("importable")
def test_a_poisoned_row_costs_itself(data: Path, tmp_path: Path) -> None:
    marker = tmp_path / "child"
    harms = {
        20: ("stuck", "took longer than 3 s"),
        21: (f"child {marker}", "took longer than 3 s"),
        70: ("die", "the worker died (SIGKILL)"),
        71: ("exit", "the worker died (exit code 3)"),
        90: ("raise", "scoring failed: KeyError('no such thing')"),
    }
    rows = [rollout(n, completion=f"x</think>{harms[n][0]}") if n in harms else rollout(n) for n in range(100)]
    rewards = [{"type": "constraints"}, {"type": "poisonous_rewards.poison"}]
    found = score(data, rows, tmp_path / "scores.jsonl", workers=2, rewards=rewards, deadline=3.0)
    assert [line["line"] for line in found] == list(range(1, 101))
    for number, line in enumerate(found):
        if number in harms:
            assert (line["reward"], line["reason"], line["problem"]) == (None, harms[number][1], "")
            assert line["id"] == f"r{number}"
        else:
            assert line["parts"]["poison"] == 1.0
            assert line["reason"] == ""
    summary = json.loads(summary_path(tmp_path / "scores.jsonl").read_text())
    assert (summary["scored"], summary["unscored"]) == (95, 5)
    assert summary["first_unscored"] == "line 21: took longer than 3 s"
    assert not alive(int(marker.read_text()))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_pool_that_cannot_start_says_why(data: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.jsonl")
    with pytest.raises(RaifError, match=r"no instructions at .*nowhere.jsonl"):
        list(score_chunks(missing, read_chunks(data / "rollouts.jsonl"), ScoreSettings(), 1))
    with WorkerPool(os._exit, 4, 1) as pool, pytest.raises(RaifError, match=r"did not start: .* \(exit code 4\)"):
        pool.receive()


# Any number of processes, interruptions, other inputs


def test_bytes_do_not_depend_on_the_number_of_processes(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    done: list[int] = []
    score_file(data / "instructions.jsonl", data / "rollouts.jsonl", out, workers=3, progress=done.append)
    assert out.read_bytes() == whole.read_bytes()
    assert summary_path(out).read_bytes() == summary_path(whole).read_bytes()
    assert done == [C, 2 * C, ROWS]


def test_long_rows_make_small_chunks(tmp_path: Path) -> None:
    path = write(tmp_path / "rollouts.jsonl", [rollout(n, completion="x" * 600_000) for n in range(5)])
    assert [len(chunk) for chunk in read_chunks(path)] == [2, 2, 1]


def test_a_file_that_ends_anywhere_is_completed(data: Path, whole: Path, tmp_path: Path, scorer: RowScorer) -> None:
    content, out = whole.read_bytes(), tmp_path / "scores.jsonl"
    ends = [number + 1 for number, byte in enumerate(content) if byte == ord("\n")]
    stamp = json.loads(stamp_path(whole).read_text())
    stamp_path(out).write_text(json.dumps(stamp))
    last = ends[C - 1]
    cuts = (1, 17, ends[0], ends[C - 2] + 3, last - 1, last, last + 1, ends[C + 36], ends[2 * C - 1], len(content))
    for cut in cuts:
        out.write_bytes(content[:cut])
        with ScoreFile(out, stamp) as file:
            tally, rest = file.skip_scored(read_chunks(data / "rollouts.jsonl"))
            assert tally.counts["rows"] == sum(end <= cut for end in ends) // C * C or cut == len(content)
            for chunk in rest:
                scored = scorer(chunk)
                file.append([scored])
                tally.merge(scored.tally)
            file.finish(tally.summary())
        assert out.read_bytes() == content
        assert summary_path(out).read_bytes() == summary_path(whole).read_bytes()


@pytest.mark.usefixtures("importable")
def test_a_killed_run_is_continued(data: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rollouts.jsonl", (rollout(number) for number in range(11 * C)))
    settings = ScoreSettings(rewards=({"type": "constraints"}, {"type": "poisonous_rewards.slow", "maximum": 99.0}))
    whole, out = tmp_path / "whole.jsonl", tmp_path / "scores.jsonl"
    score_file(data / "instructions.jsonl", rows, whole, settings, 2)
    seen = [0]
    for workers in ("2", "1"):
        process = start(data, rows, out, settings, workers)
        until(lambda: out.exists() and out.stat().st_size > seen[-1] + 20_000)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.append(out.stat().st_size)
        until(lambda: not left_over(data))
    assert seen[1] < seen[2] < whole.stat().st_size
    assert not summary_path(out).exists()
    summary = score_file(data / "instructions.jsonl", rows, out, settings, 2)
    assert out.read_bytes() == whole.read_bytes()
    assert summary == json.loads(summary_path(whole).read_text()) == json.loads(summary_path(out).read_text())


@pytest.mark.usefixtures("importable")
def test_all_chunks_that_may_wait_wait_for_a_slow_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "CHUNK_ROWS", 1)
    monkeypatch.setattr(scoring, "OPEN_CHUNKS", 2)
    rows = [rollout(n, completion=f"x</think>{'nap' if n in (0, 11) else 'fine'}") for n in range(30)]
    rewards = [{"type": "poisonous_rewards.poison"}]
    found = score(data, rows, tmp_path / "scores.jsonl", workers=2, rewards=rewards)
    assert [line["id"] for line in found] == [f"r{number}" for number in range(30)]
    assert {line["reward"] for line in found} == {1.0}


@pytest.mark.usefixtures("importable")
def test_a_worker_that_hangs_does_not_outlive_its_caller_for_long(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEGUN", str(begun := tmp_path / "begun"))
    rows = write(tmp_path / "rollouts.jsonl", [rollout(0)])
    settings = ScoreSettings(rewards=({"type": "poisonous_rewards.hang"},), deadline=2.0)
    process = start(data, rows, tmp_path / "scores.jsonl", settings, "1")
    assert process.wait(300) == -signal.SIGKILL
    worker = int(begun.read_text())
    assert alive(worker)
    until(lambda: not alive(worker))


def start(data: Path, rows: Path, out: Path, settings: ScoreSettings, workers: str) -> subprocess.Popen[bytes]:
    arguments = [str(data / "instructions.jsonl"), str(rows), str(out), settings.model_dump_json(), workers]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", MAIN, *arguments], env=environment)


def until(condition: Any, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def left_over(data: Path) -> list[str]:
    """Return the workers that were started with a folder of modules in their path."""
    commands = {path.name: command(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    return [name for name, text in commands.items() if b"rewards.worker_pool" in text and str(data).encode() in text]


def command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_a_finished_file_is_left_as_it_is(data: Path, whole: Path) -> None:
    before = whole.stat().st_mtime_ns, summary_path(whole).stat().st_mtime_ns
    summary = score_file(data / "instructions.jsonl", data / "rollouts.jsonl", whole, workers=2)
    assert summary == json.loads(summary_path(whole).read_text())
    assert (whole.stat().st_mtime_ns, summary_path(whole).stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("changed", "settings"),
    [
        ("instructions", {}),
        ("rollouts", {}),
        ("rewards", {"rewards": ({"type": "constraints", "shaping": "paper"},)}),
        ("cap", {"cap": LengthCap(limit=3)}),
        ("style, prefilled", {"style": "none", "prefilled": False}),
        ("deadline", {"deadline": 5.0}),
    ],
)
def test_scores_of_other_inputs_are_not_continued(
    changed: str, settings: dict[str, Any], data: Path, whole: Path, tmp_path: Path
) -> None:
    inputs = {name: data / f"{name}.jsonl" for name in ("instructions", "rollouts")}
    if changed in inputs:
        first = inputs[changed].read_text(encoding="utf-8").splitlines()[:1]
        inputs[changed] = write(tmp_path / f"{changed}.jsonl", first)
    before = whole.read_bytes()
    with pytest.raises(RaifError, match=f"was made with other {changed}, and"):
        score_file(**inputs, out=whole, settings=ScoreSettings(**settings))
    assert whole.read_bytes() == before


def test_a_deleted_file_is_made_again(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    stamp_path(out).write_text("{}")
    summary_path(out).write_text("{}")
    score_file(data / "instructions.jsonl", data / "rollouts.jsonl", out)
    assert out.read_bytes() == whole.read_bytes()
    assert summary_path(out).read_bytes() == summary_path(whole).read_bytes()


def test_what_is_no_score_file_is_not_touched(data: Path, whole: Path, tmp_path: Path) -> None:
    inputs = data / "instructions.jsonl", data / "rollouts.jsonl"
    out = write(tmp_path / "mine.jsonl", ["my own data"])
    with pytest.raises(RaifError, match="was not made by this command"):
        score_file(*inputs, out)
    assert out.read_text() == "my own data\n"
    for path in inputs:
        with pytest.raises(RaifError, match="file itself"):
            score_file(*inputs, path)
    with pytest.raises(RaifError, match="is a folder"):
        score_file(*inputs, tmp_path)


def test_an_edited_file_is_noticed(data: Path, whole: Path, tmp_path: Path) -> None:
    rows, stamp = (
        data / "rollouts.jsonl",
        make_stamp(data / "instructions.jsonl", data / "rollouts.jsonl", ScoreSettings()),
    )
    kept = whole.read_bytes().splitlines(keepends=True)
    for edited in (kept[:3] + kept[4:], [*kept, kept[-1]]):
        out = tmp_path / "scores.jsonl"
        out.write_bytes(b"".join(edited))
        stamp_path(out).write_text(json.dumps(stamp))
        with ScoreFile(out, stamp) as file, pytest.raises(RaifError, match="edited"):
            file.skip_scored(read_chunks(rows))


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with ScoreFile(tmp_path / "scores.jsonl", {}), pytest.raises(RaifError, match="is being written"):
        ScoreFile(tmp_path / "scores.jsonl", {})


@pytest.mark.parametrize(
    ("settings", "workers", "message"),
    [
        ({}, 0, "workers is 0"),
        ({"rewards": [{"type": "constrains"}]}, 1, "did you mean 'constraints'"),
        ({"rewards": []}, 1, "non-empty list"),
        ({"rewards": [{"type": "length_cap"}]}, 1, "length_cap needs a limit"),
        ({"rewards": [{"type": "nowhere.to_be_found"}]}, 1, "cannot be loaded"),
    ],
)
def test_wrong_settings_fail_before_anything_is_written(
    settings: dict[str, Any], workers: int, message: str, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.jsonl"
    with pytest.raises(RaifError, match=message):
        score_file(data / "instructions.jsonl", data / "rollouts.jsonl", out, ScoreSettings(**settings), workers)
    assert not out.exists()


def test_missing_and_empty_inputs(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="no rollouts at"):
        score_file(data / "instructions.jsonl", tmp_path / "nowhere.jsonl", tmp_path / "scores.jsonl")
    empty = write(tmp_path / "empty.jsonl", ["", " "])
    for _ in range(2):
        summary = score_file(data / "instructions.jsonl", empty, tmp_path / "scores.jsonl")
        assert (summary["rows"], summary["means"]) == (0, {})
