"""Two ranks on a CPU, by every strategy that runs there: the same update as one process, saved, loaded and resumed.

What cannot run on a CPU is refused with a message, by the same launchers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from raif.rollouts import read_jsonl
from tests.e2e.distributed_worker import update

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch"]  # `accelerate launch`, without the other commands
WEIGHTS = "model.safetensors"
PROBE = "from accelerate import PartialState; from raif.launch import check_launch; check_launch(PartialState(cpu={}))"
pytestmark = pytest.mark.slow


def launch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `accelerate launch` on the CPU, from the root of the checkout."""
    environment = {**os.environ, "DS_ACCELERATOR": "cpu", "PYTHONPATH": str(ROOT)}
    command = [*LAUNCH, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


def config_file(name: str) -> tuple[str, str]:
    return "--config_file", f"accelerate_configs/{name}.yaml"


@pytest.fixture(scope="module")
def single(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take the update in this process alone."""
    out = tmp_path_factory.mktemp("single")
    update(policy, out, ranks=1)
    return out


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WEIGHTS)


def relative_difference(policy: Path, single: Path, other: Path) -> float:
    """Return by how much another update differs from that of one process, relative to its length."""
    start, alone, found = weights(policy), weights(single), weights(other)
    assert set(found) == set(start)
    assert all(found[name].shape == start[name].shape for name in start)
    step = torch.cat([(alone[name] - start[name]).flatten() for name in sorted(start)])
    difference = torch.cat([(found[name] - alone[name]).flatten() for name in sorted(start)])
    assert step.norm() > 0.01
    return float(difference.norm() / step.norm())


def check_resumed(run: Path) -> None:
    """The second start went on from step 2: every step is recorded once, and the last checkpoint knows all of them."""
    steps = [row for row in read_jsonl(run / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in steps] == [1, 2, 3, 4]
    assert any(row["grad_norm"] > 0 for row in steps[2:])
    assert {"contrast/keep_ratio", "cloning/loss"} <= {key for row in steps for key in row}
    assert json.loads((run / "done.json").read_text())["ranks"] == 2
    states = {step: json.loads((run / f"checkpoint-{step}/trainer_state.json").read_text()) for step in (2, 4)}
    assert [state["global_step"] for state in states.values()] == [2, 4]
    assert states[4]["log_history"][:2] == states[2]["log_history"][:2]


@pytest.mark.parametrize("strategy", ["ddp", "zero2", "zero3"])
def test_two_ranks_take_the_update_of_one_process_and_resume(
    policy: Path, smoke_data: Path, single: Path, tmp_path: Path, strategy: str
) -> None:
    if strategy != "ddp":
        pytest.importorskip("deepspeed")
        missing = [tool for tool in ("c++", "ninja") if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"DeepSpeed compiles its CPU collectives at the first start, and {missing} is not installed")
    name = "cpu" if strategy == "ddp" else f"cpu-{strategy}"
    parts = ["--policy", policy, "--data", smoke_data, "--out", tmp_path, *(["--native"] if strategy == "ddp" else [])]
    done = launch(*config_file(name), "--num_processes", "2", "-m", "tests.e2e.distributed_worker", *parts)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found = json.loads((tmp_path / "update/found.json").read_text())
    assert found["strategy"] == {"ddp": "MULTI_CPU"}.get(strategy, "DEEPSPEED")
    assert found["stage"] == {"ddp": 0, "zero2": 2, "zero3": 3}[strategy]
    assert relative_difference(policy, single, tmp_path / "update") < 1e-5  # measured: 2e-7
    for run in ("full", "lora"):
        check_resumed(tmp_path / run)
    AutoModelForCausalLM.from_pretrained(tmp_path / "full/final")
    assert not torch.equal(*(weights(tmp_path / "full" / part)["lm_head.weight"] for part in ("checkpoint-2", "final")))
    base = AutoModelForCausalLM.from_pretrained(policy)
    adapted = PeftModel.from_pretrained(base, str(tmp_path / "lora/final"))
    adapters = [value for key, value in adapted.state_dict().items() if "lora_B" in key]
    assert adapters
    assert all(value.abs().sum() > 0 for value in adapters)  # B starts at 0: every adapter has learned
    if strategy == "ddp":
        check_weights_sharded_while_loading(policy, single, tmp_path / "native")


def check_weights_sharded_while_loading(policy: Path, single: Path, out: Path) -> None:
    """transformers' own FSDP2, which is what a CPU has, takes the update of one process too."""
    assert json.loads((out / "update/found.json").read_text())["parameters"] == "DTensor"
    assert relative_difference(policy, single, out / "update") < 1e-5
    assert json.loads((out / "full/done.json").read_text()) == {"steps": 2, "ranks": 2}
    AutoModelForCausalLM.from_pretrained(out / "full/final")


@pytest.mark.parametrize(
    ("arguments", "on_cpu", "message"),
    [
        (("--cpu", "--num_processes", "2", "--mixed_precision", "no"), True, "asked for several processes and started"),
        ((*config_file("fsdp2"), "--num_processes", "2"), True, "accelerate has none for CPUs"),
        ((*config_file("cpu"), "--num_processes", "2"), False, "started 2 processes, and each of them sees itself"),
    ],
    ids=["MULTI_CPU", "FSDP on a CPU", "ranks without use_cpu"],
)
def test_a_launch_that_would_silently_be_less_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], on_cpu: bool, message: str
) -> None:
    if not on_cpu and torch.cuda.is_available():
        pytest.skip("with a GPU the ranks find each other over NCCL")
    script = tmp_path / "probe.py"
    script.write_text(PROBE.format(on_cpu) + "\n", encoding="utf-8")
    done = launch(*arguments, script)
    assert done.returncode != 0
    assert message in done.stderr
