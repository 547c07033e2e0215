"""`raif ablate`, killed, interrupted and failing: the same command goes on, and nothing is done twice."""

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

import pytest
import yaml
from typer.testing import CliRunner, Result

from raif.cli import app
from raif.commands.ablate import console
from raif.graceful import EXIT_CODE
from raif.rollouts import read_jsonl
from rewards.errors import RaifError

ROOT = Path(__file__).resolve().parents[2]
CAPS = (48, 64)
STEPS = 12  # enough to be stopped among them


def written(folder: Path, policy: Path, data: Path, **changes: Any) -> Path:
    content = {
        "name": "caps",
        "instructions": str(data),
        "policy": str(policy),
        "train": "smoke/cpu",
        "set": {"contrast": "off", "cloning_coefficient": 0.0, "max_steps": STEPS, "save_steps": 100},
        "axes": {"max_completion_length": list(CAPS)},
        "seeds": [0],
        "evaluate": {"cap": 64, "limit": 24},
        **changes,
    }
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def start(plan: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "raif", "ablate", str(plan), "--out", str(out), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ablate(plan: Path, out: Path, *options: str) -> Result:
    """Do what the command does, without the start of a process."""
    return CliRunner().invoke(app, ["ablate", str(plan), "--out", str(out), *options], catch_exceptions=False)


def wait_for(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 600
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def steps(folder: Path) -> int:
    return len(read_jsonl(folder / "train" / "metrics.jsonl"))


def times(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob("seed-*/*/*/*") if path.is_file()}


def test_an_ablation_goes_on_after_a_kill_a_failure_and_a_signal_and_is_collected(
    policy: Path, smoke_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, out = written(tmp_path, policy, smoke_data), tmp_path / "out"
    first, broken = (out / f"seed-0/max_completion_length={cap}" for cap in CAPS)
    process = start(plan, out)
    wait_for(process, lambda: (first / "train" / "config.json").is_file())
    process.kill()  # what it started lives on and holds its locks
    process.communicate()

    broken.mkdir(parents=True)
    (broken / "train").touch()
    with pytest.raises(RaifError, match="2 finished, 1 failed") as failure:
        ablate(plan, out, "--jobs", "2")
    reason = f"training ended with exit code 1; see {broken / 'train.log'}"
    assert f"{broken.relative_to(out)}: {reason}" in str(failure.value)
    assert (first / "train.log").read_text(encoding="utf-8").count("-m raif.train") == 1
    assert (steps(first), (first / "evaluation" / "metrics.json").is_file()) == (STEPS, True)
    collected = (out / "results.json").read_bytes()
    assert json.loads(collected)["missing"] == [str(broken.relative_to(out))]

    # a signal saves what was trained
    (broken / "train").unlink()
    before = times(out)
    only = ("--only", "seed-0/*=64")
    process = start(plan, out, *only)
    wait_for(process, lambda: steps(broken) >= 2)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=400)[0]
    assert process.returncode == EXIT_CODE, said
    stopped = steps(broken)
    assert 2 <= stopped < STEPS
    assert (broken / "train" / f"checkpoint-{stopped}" / "integrity.json").is_file()
    monkeypatch.setattr(console, "width", 200)
    assert f"stopped at step {stopped}" in ablate(plan, out, *only, "--plan").output

    process = start(plan, out, *only)
    said = process.communicate(timeout=600)[0]
    assert process.returncode == 0, said
    assert "1 finished" in said
    assert [row["step"] for row in read_jsonl(broken / "train" / "metrics.jsonl")] == list(range(1, STEPS + 1))
    assert (out / "results.json").read_bytes() == collected  # with --only others may be under way

    done = times(out)
    assert "3 finished" in ablate(plan, out).output
    assert times(out) == done
    assert all(broken in path.parents for path in before if done[path] != before[path])
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [run["id"] for run in results["runs"]] == [f"seed-0/max_completion_length={cap}" for cap in CAPS]
    assert [run["id"] for run in results["before"]] == ["seed-0/before"]
    assert results["missing"] == []
    assert all(run["metrics"]["steps"] == STEPS and run["metrics"]["rollout_tokens"] > 0 for run in results["runs"])
    assert len(results["cells"]) == 3
    assert {row["from"] for row in results["contrasts"]} == {"before", "max_completion_length=48"}
    assert "| 48 | 1 |" in (out / "results.md").read_text(encoding="utf-8")

    # an equal seed, equal prompts in equal order: the cap is all that varies
    orders = {
        cap: [
            row["instruction_id"]
            for row in read_jsonl(out / f"seed-0/max_completion_length={cap}/train/rollouts/rank0.jsonl")
        ]
        for cap in CAPS
    }
    assert orders[48] == orders[64]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "seed-9/*"], "unknown run in --only: 'seed-9/*'"),
        (["--emit", "slrum"], "unknown target of --emit: 'slrum'; did you mean 'slurm'?"),
        (["--plan", "--collect"], "exclude each other"),
    ],
)
def test_a_mistake_is_one_message(
    options: list[str], message: str, policy: Path, smoke_data: Path, tmp_path: Path
) -> None:
    plan = written(tmp_path, policy, smoke_data)
    with pytest.raises(RaifError, match=re.escape(message)):
        ablate(plan, tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()
