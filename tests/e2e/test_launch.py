"""Trainings on the two ranks of one `accelerate launch`: what a guard sees, and a reward that fails on one rank."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from raif.rollouts import read_jsonl, read_rollouts
from tests.e2e.trainings import ROOT, fails_on_the_last_rank, launch_of
from tests.raif.test_sustain_guard import arguments, data, folder, guard_flags, run

__all__ = ["data", "folder"]  # fixtures: a SUSTAIN evaluation, and data made of it
STEPS = 2
FAILING = """
base: {root}/recipes/smoke/cpu.yaml
rewards: [{{type: constraints}}, {{type: {module}.fails_on_the_last_rank}}]
on_reward_error: {on_error}
on_truncation: score
model_name_or_path: {policy}
instructions: {data}
output_dir: {out}
max_steps: {steps}
save_steps: 2
max_completion_length: 48
per_device_train_batch_size: 8
"""


def failing(policy: Path, data: Path, out: Path) -> list[str]:
    """Return the arguments of a training whose reward raises on a rank; the folder is named by what is to be done."""
    parts = {"root": ROOT, "module": fails_on_the_last_rank.__module__, "steps": STEPS}
    recipe = out.with_suffix(".yaml")
    recipe.write_text(FAILING.format(policy=policy, data=data, out=out, on_error=out.name, **parts), encoding="utf-8")
    return ["--config", str(recipe)]


def test_two_ranks_of_a_launch(policy: Path, smoke_data: Path, data: Path, folder: Path, tmp_path: Path) -> None:
    pair, unscored, gives_up = (tmp_path / name for name in ("pair", "unscored", "raise"))
    guarded = guard_flags(folder, "--max_steps", "1")
    alone = run(policy, data, tmp_path / "alone", *guarded)
    runs = [arguments(policy, data, pair, *guarded)]
    runs += [failing(policy, smoke_data, out) for out in (unscored, gives_up)]
    launch = launch_of(2, runs, tmp_path / "runs.json")
    done = subprocess.run(launch, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0  # of the last one
    assert gives_up.is_dir(), done.stderr[-4000:]
    check_the_guard_sees_what_it_sees_of_one_process(alone, pair)
    check_a_reward_that_raises_on_one_rank_hangs_none(unscored)
    check_a_reward_that_raises_ends_the_run(gives_up, done.stderr)


def check_the_guard_sees_what_it_sees_of_one_process(alone: Path, pair: Path) -> None:
    first, second = (read_jsonl(out / "sustain_guard.jsonl") for out in (alone, pair))
    assert [row["step"] for row in second] == [0, 1]
    assert first[0] == second[0]
    assert 0 < first[0]["comply"]["value"] < 1  # that is, what is compared says something


def named(out: Path) -> str:
    """Return the name of the first error in the record of errors."""
    [first, *_] = read_jsonl(out / "reward_errors.jsonl")
    assert (first["entry"], first["exception"]) == ("fails_on_the_last_rank", "LookupError: no price list here")
    return f"instruction {first['instruction_id']}: {first['entry']}: {first['exception']}"


def check_a_reward_that_raises_on_one_rank_hangs_none(out: Path) -> None:
    assert named(out)
    assert json.loads((out / "done.json").read_text()) == {"steps": STEPS, "ranks": 2}
    assert [row["step"] for row in read_jsonl(out / "metrics.jsonl")] == [1, 2]
    assert {row["reward_errors"] for row in read_jsonl(out / "metrics.jsonl")} == {0.5}  # the share over both ranks
    ranks = [list(read_rollouts(out / f"rollouts/rank{rank}.jsonl")) for rank in (0, 1)]
    assert [{r.reward is None for r in rollouts if not r.direct} for rollouts in ranks] == [{False}, {True}]


def check_a_reward_that_raises_ends_the_run(out: Path, error: str) -> None:
    assert f"error: {named(out)}. Completion and traceback are in {out}/reward_errors.jsonl" in error
    assert not (out / "done.json").exists()
