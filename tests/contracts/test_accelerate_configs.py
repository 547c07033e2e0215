"""accelerate's own parser reads every launch configuration and the commands that the Slurm script prints."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser
from accelerate.utils import DistributedType

from raif.launch import check_launch, check_precision, check_sharding
from raif.resources import shipped
from rewards.errors import RaifError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = shipped("accelerate_configs")
SLURM = FOLDER / "slurm.sh"
STRATEGIES = {
    "cpu": ("MULTI_GPU", None),
    "cpu-zero2": ("DEEPSPEED", 2),
    "cpu-zero3": ("DEEPSPEED", 3),
    "ddp": ("MULTI_GPU", None),
    "fsdp2": ("FSDP", None),
    "multi-node": ("DEEPSPEED", 3),
    "zero2": ("DEEPSPEED", 2),
    "zero3": ("DEEPSPEED", 3),
}


def test_every_configuration_is_listed_here() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(STRATEGIES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_accelerate_reads_the_configuration(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    config = load_config_from_file(str(path))  # refuses unknown keys
    strategy, stage = STRATEGIES[name]
    assert config.distributed_type == DistributedType[strategy]
    assert config.deepspeed_config.get("zero_stage") == stage
    assert config.use_cpu is name.startswith("cpu")
    assert config.mixed_precision == ("no" if config.use_cpu else "bf16")
    if stage == 3:
        assert config.deepspeed_config["zero3_save_16bit_model"]  # else final/ would hold no weights
    if strategy == "FSDP":
        assert (config.fsdp_config["fsdp_version"], config.fsdp_config["fsdp_state_dict_type"]) == (
            2,
            "FULL_STATE_DICT",
        )
    head = path.read_text(encoding="utf-8").partition("compute_environment")[0]
    assert [word for word in ("When", "Command", "Needs", "Traps") if f"# {word}" not in head] == []


def printed(*arguments: str, **variables: str) -> list[list[str]]:
    """Return the commands that the Slurm script would start."""
    done = subprocess.run(
        ["bash", str(SLURM), *arguments],
        env={**os.environ, "LAUNCH": "echo", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(shlex.split(line) for line in done.stdout.splitlines())


def test_slurm_script_is_bash() -> None:
    subprocess.run(["bash", "-n", str(SLURM)], check=True)
    head = SLURM.read_text(encoding="utf-8")
    assert "#SBATCH --signal=USR1@300" in head
    assert "#SBATCH --requeue" in head


def test_slurm_script_starts_a_launcher_a_node() -> None:
    training = ("--config", "smoke/cpu", "--output_dir", "runs/one")
    commands = printed(*training, SLURM_NNODES="2", SLURM_GPUS_ON_NODE="4")
    assert len(commands) == 2
    for rank, command in enumerate(commands):
        assert command[:2] == ["accelerate", "launch"]
        found = launch_command_parser().parse_args(command[2:])
        assert (found.num_machines, found.num_processes, found.machine_rank) == (2, 8, rank)
        assert (found.main_process_ip, found.main_process_port) == ("node1", 29500)
        assert Path(found.config_file) == FOLDER / "multi-node.yaml"
        assert (found.module, found.training_script) == (True, "raif.train")
        assert tuple(found.training_script_args) == training


def test_slurm_script_can_give_a_node_to_generation() -> None:
    *trainers, server = printed("--output_dir", "x", SLURM_NNODES="3", SERVE="some/model", CONFIG="ddp")
    assert server == ["trl", "vllm-serve", "--model", "some/model", "--tensor_parallel_size", "8"]
    assert len(trainers) == 2
    for command in trainers:
        found = launch_command_parser().parse_args(command[2:])
        assert (found.num_machines, found.num_processes) == (2, 16)
        assert Path(found.config_file) == FOLDER / "ddp.yaml"
        assert found.training_script_args[-4:] == ["--vllm_mode", "server", "--vllm_server_host", "node3"]


def test_slurm_script_wants_an_output_folder() -> None:
    done = subprocess.run(["bash", str(SLURM), "--config", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "give --output_dir FOLDER" in done.stderr


LAUNCHER = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", sys.argv[1]]).returncode and 1)
"""
RANK = """
import pathlib, signal, sys, time
def save(*_):
    pathlib.Path("saved").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
pathlib.Path("ready").touch()
time.sleep(600)
"""


@pytest.mark.skipif(shutil.which("pkill") is None, reason="pkill is not installed")
def test_the_warning_of_slurm_reaches_the_ranks_and_not_their_launcher(tmp_path: Path) -> None:
    command = ["bash", str(SLURM), "node", sys.executable, "-c", LAUNCHER, RANK]
    node = subprocess.Popen(command, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    node.send_signal(signal.SIGUSR1)
    assert node.wait(timeout=120) == 75
    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize("code", [0, 3])
def test_without_a_warning_the_launchers_exit_code_counts(code: int) -> None:
    command = ["bash", str(SLURM), "node", sys.executable, "-c", f"raise SystemExit({code})"]
    assert subprocess.run(command, check=False).returncode == code


def state(processes: int = 1, device: str = "cpu") -> SimpleNamespace:
    return SimpleNamespace(num_processes=processes, device=torch.device(device), distributed_type=DistributedType.NO)


@pytest.mark.parametrize(
    ("found", "environment", "gpus", "message"),
    [
        (state(2), {"ACCELERATE_USE_FSDP": "true"}, 0, "accelerate has none for CPUs"),
        (state(), {"WORLD_SIZE": "2", "LOCAL_RANK": "0"}, 0, "started 2 processes, and each of them sees itself alone"),
        (state(), {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_ADDR": "127.0.0.1"}, 0, "several processes and started"),
        (state(), {"SLURM_STEP_NUM_TASKS": "4"}, 0, "srun started 4 processes"),
        (state(device="cuda"), {}, 8, "one process sees 8 GPUs"),
    ],
)
def test_a_launch_that_got_less_than_it_asked_for_is_refused(
    found: SimpleNamespace, environment: dict[str, str], gpus: int, message: str
) -> None:
    with pytest.raises(RaifError, match=message):
        check_launch(found, environment, gpus)


@pytest.mark.parametrize(
    ("found", "environment", "gpus"),
    [
        (state(), {}, 0),
        (state(device="cuda"), {}, 1),
        (state(), {"WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "ACCELERATE_MIXED_PRECISION": "no"}, 0),
        (state(16, "cuda"), {"WORLD_SIZE": "16", "SLURM_STEP_NUM_TASKS": "2", "ACCELERATE_USE_FSDP": "true"}, 8),
    ],
)
def test_a_launch_that_got_what_it_asked_for_passes(
    found: SimpleNamespace, environment: dict[str, str], gpus: int
) -> None:
    check_launch(found, environment, gpus)


def test_sharding_that_was_asked_for_must_be_there() -> None:
    environment = {"ACCELERATE_USE_DEEPSPEED": "true"}
    check_sharding(SimpleNamespace(distributed_type=DistributedType.DEEPSPEED), environment)
    with pytest.raises(RaifError, match="asks for DEEPSPEED, and the trainer runs as MULTI_CPU"):
        check_sharding(SimpleNamespace(distributed_type=DistributedType.MULTI_CPU), environment)


def test_the_launcher_does_not_overrule_the_precision_of_the_recipe() -> None:
    environment = {"ACCELERATE_MIXED_PRECISION": "bf16"}
    check_precision(SimpleNamespace(bf16=True, fp16=False), environment)
    with pytest.raises(RaifError, match="mixed_precision: bf16 and the recipe bf16: false"):
        check_precision(SimpleNamespace(bf16=False, fp16=False), environment)
