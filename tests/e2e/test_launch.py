"""Training as a user launches it: one rank, two ranks, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from raif.rollouts import read_jsonl, read_rollouts

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
LAUNCH += ["--config_file", str(ROOT / "accelerate_configs/cpu.yaml")]


def command(policy: Path, data: Path, out: Path, steps: int = 4) -> list[str]:
    """Return the arguments of a short training run."""
    options = {
        "config": "recipes/smoke/cpu.yaml",
        "model_name_or_path": policy,
        "instructions": data,
        "output_dir": out,
        "max_steps": steps,
        "save_steps": 2,
        "max_completion_length": 48,
        "per_device_train_batch_size": 8,
    }
    return ["-m", "raif.train", *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run to the end; a failure shows its output."""
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def steps_of(out: Path) -> list[int]:
    return [row["step"] for row in read_jsonl(out / "metrics.jsonl")]


@pytest.mark.parametrize("ranks", [1, 2])
def test_accelerate_launch_runs_the_ranks_it_is_asked_for(
    policy: Path, smoke_data: Path, tmp_path: Path, ranks: int
) -> None:
    done = run([*LAUNCH, "--num_processes", str(ranks), *command(policy, smoke_data, tmp_path, steps=2)])
    assert f"training on {ranks} rank" in done.stderr + done.stdout
    assert json.loads((tmp_path / "done.json").read_text()) == {"steps": 2, "ranks": ranks}
    per_rank = [list(read_rollouts(tmp_path / "rollouts" / f"rank{rank}.jsonl")) for rank in range(ranks)]
    assert [sum(not r.direct for r in rollouts) for rollouts in per_rank] == [16] * ranks
    assert all(r.verdicts and all(leaf.evidence for leaf in r.verdicts) for r in per_rank[-1])
    last = read_jsonl(tmp_path / "metrics.jsonl")[-1]
    assert 0 < last["reward_seconds"] < 0.5 * last["step_time"]  # measured: a few hundredths
    AutoModelForCausalLM.from_pretrained(tmp_path / "final")


def test_a_killed_run_resumes_to_the_same_weights(policy: Path, smoke_data: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run([sys.executable, *command(policy, smoke_data, whole, steps=6)])
    again = [sys.executable, *command(policy, smoke_data, killed, steps=6)]
    process = subprocess.Popen(again, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(steps_of(killed)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "done.json").exists()
    (killed / "checkpoint-99").mkdir()  # what a kill in the middle of saving leaves behind
    run(again)
    assert steps_of(killed) == steps_of(whole) == [1, 2, 3, 4, 5, 6]
    assert json.loads((killed / "done.json").read_text())["steps"] == 6
    rollouts = [
        [(r.step, r.completion) for r in read_rollouts(out / "rollouts/rank0.jsonl")] for out in (whole, killed)
    ]
    assert rollouts[0] == rollouts[1]
    assert (whole / "final/model.safetensors").read_bytes() == (killed / "final/model.safetensors").read_bytes()
