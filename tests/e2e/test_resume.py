"""A run that is stopped or killed and started again is the run that was left alone, number for number.

A launch has the ranks it was asked for, and each of them takes part.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from raif.graceful import EXIT_CODE
from raif.rollouts import read_jsonl, read_rollouts
from tests.e2e.trainings import LAUNCH, ROOT, launch_of, train_all, variety

CLOCKS = re.compile(r"time/|throughput/|.*(_time|_runtime|seconds|_per_second)$")
STEPS = 10
REWARDS = f"[{{type: constraints}}, {{type: repetition}}, {{type: {variety.__module__}.variety}}]"
SETTINGS = {
    "contrast": "online",
    "num_iterations": 2,  # two optimiser steps are one generation cycle
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "train_limit": 8,  # an epoch is a few steps
    "cap_curriculum": "48 64",
    "max_completion_length": 64,
    "on_truncation": "score",
    "eval_strategy": "steps",
    "eval_steps": 4,
    "eval_limit": 4,
    "per_device_eval_batch_size": 4,
    "num_generations_eval": 1,
    "max_steps": STEPS,
}


def flags(policy: Path, data: Path, out: Path, **changes: Any) -> list[str]:
    recipe = out.parent / "recipe.yaml"
    recipe.write_text(f"base: {ROOT / 'recipes/smoke/cpu.yaml'}\nrewards: {REWARDS}\n", encoding="utf-8")
    settings = {"config": recipe, "model_name_or_path": policy, "instructions": data, "output_dir": out}
    settings |= SETTINGS | changes
    return [part for name, value in settings.items() for part in (f"--{name}", *str(value).split())]


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end, which no dead rank may delay; return exit code and output."""
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def start(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def at_step(out: Path, step: int, process: subprocess.Popen[str], act: Callable[[], None]) -> tuple[int, str]:
    """Do something to a run once it has logged a step, and wait for its end."""
    deadline = time.monotonic() + 600
    while not any(row["step"] >= step for row in read_jsonl(out / "metrics.jsonl")):
        assert process.poll() is None, finish(process)[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    act()
    return finish(process)


def rank(process: subprocess.Popen[str], number: int) -> psutil.Process:
    """Return the process of a rank below its launcher."""
    children = psutil.Process(process.pid).children()
    return next(child for child in children if child.environ().get("RANK") == str(number))


def logged(out: Path) -> list[dict[str, Any]]:
    """Return the metrics without clocks."""
    return [
        {name: value for name, value in row.items() if not CLOCKS.match(name)}
        for row in read_jsonl(out / "metrics.jsonl")
    ]


@pytest.mark.parametrize(("ranks", "source"), [(1, "prompts"), (2, "stream")])
def test_stopped_and_killed_runs_end_like_the_one_left_alone(
    policy: Path, smoke_data: Path, tmp_path: Path, ranks: int, source: str
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    launch = [*LAUNCH, str(ranks), "-m", "raif.train"]

    # a signal: the checkpoint at the end of the cycle is the only one
    first = flags(policy, smoke_data, broken, cloning_source=source, save_steps=100)
    process = start([*([sys.executable, "-m", "raif.train"] if ranks == 1 else launch), *first])
    code, output = at_step(broken, 3, process, process.terminate)
    assert code == (EXIT_CODE if ranks == 1 else 1), output[-3000:]  # the launcher has a code of its own
    assert "the same command goes on" in output
    stopped_at = [row["step"] for row in logged(broken)][-1]
    assert stopped_at % 2 == 0
    assert [path.name for path in broken.glob("checkpoint-*")] == [f"checkpoint-{stopped_at}"]
    assert not (broken / "done.json").exists()

    # a rank killed in a later epoch, and a last checkpoint that was cut off
    again = flags(policy, smoke_data, broken, cloning_source=source, save_steps=2)
    process = start([*launch, *again])
    code, output = at_step(broken, 7, process, lambda: rank(process, ranks - 1).send_signal(signal.SIGKILL))
    assert code != 0
    assert f"training on {ranks} rank" in output
    assert not (broken / "done.json").exists()
    (broken / "checkpoint-99").mkdir()

    # to the end, and a run that nothing happens to; the two share a start
    alone = flags(policy, smoke_data, whole, cloning_source=source, save_steps=2)
    if ranks == 1:
        train_all([again, alone])
    else:
        code, output = finish(start(launch_of(ranks, [again, alone], tmp_path / "runs.json")))
        assert code == 0, output[-3000:]
    assert (broken / "broken-checkpoint-99").is_dir()
    for out in (broken, whole):
        assert json.loads((out / "done.json").read_text()) == {"steps": STEPS, "ranks": ranks}
    assert [row["step"] for row in logged(broken) if "loss" in row] == list(range(1, STEPS + 1))
    assert all(row["loss"] != 0 and row["grad_norm"] > 0 for row in logged(whole) if "loss" in row)
    assert logged(broken) == logged(whole)
    for number in range(ranks):
        name = f"rollouts/rank{number}.jsonl"
        assert list(read_rollouts(broken / name)) == list(read_rollouts(whole / name))
    weights = [load_file(out / "final/model.safetensors") for out in (whole, broken)]
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    check_every_rank_took_part(whole, ranks)


def check_every_rank_took_part(out: Path, ranks: int) -> None:
    """Every rank has its share of the rollouts, scored, and scoring is a small part of the time."""
    per_rank = [list(read_rollouts(out / "rollouts" / f"rank{number}.jsonl")) for number in range(ranks)]
    size = int(SETTINGS["per_device_train_batch_size"]) * int(SETTINGS["gradient_accumulation_steps"])
    assert [sum(not r.direct for r in rollouts) for rollouts in per_rank] == [size * STEPS // 2] * ranks
    assert all(r.verdicts and all(leaf.evidence for leaf in r.verdicts) for r in per_rank[-1])
    generated = [row for row in read_jsonl(out / "metrics.jsonl") if "reward_seconds" in row]
    assert len(generated) == STEPS // 2
    assert all(0 < row["reward_seconds"] < 0.5 * row["step_time"] for row in generated)  # measured: some hundredths
    AutoModelForCausalLM.from_pretrained(out / "final")


def test_a_folder_is_bound_to_its_recipe(
    policy: Path,
    smoke_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def run(**changes: Any) -> None:
        small = {"max_steps": 2, "save_steps": 2, "eval_strategy": "no", "cloning_source": "prompts"}
        train_all([flags(policy, smoke_data, tmp_path / "run", **small | changes)])

    def steps() -> list[int]:
        return [row["step"] for row in read_jsonl(tmp_path / "run/metrics.jsonl") if "loss" in row]

    caplog.set_level("INFO", "raif")
    run()
    assert "this run, finished" not in caplog.text
    run(logging_steps=2)
    assert "this run, finished" in caplog.text
    assert steps() == [1, 2]
    for changes, message in (
        ({"learning_rate": 0.1, "beta": 0.04}, "learning_rate is 0.1, was 0.0005"),
        ({"learning_rate": 0.1, "beta": 0.04}, "beta is 0.04, was 0.0"),
        ({"train_limit": 12}, "the training rows have changed (digest "),
    ):
        with pytest.raises(SystemExit) as stop:
            run(max_steps=4, **changes)
        assert stop.value.code == 1
        error = capsys.readouterr().err
        assert message in error
        assert "--resume_with_changes" in error
    run(max_steps=4)  # the same run, longer
    assert steps() == [1, 2, 3, 4]
    run(max_steps=6, learning_rate=0.001, resume_with_changes="true")
    assert steps() == [1, 2, 3, 4, 5, 6]
    assert json.loads((tmp_path / "run/config.1.json").read_text())["training"]["learning_rate"] == 0.0005
