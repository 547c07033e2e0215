"""What a launcher silently turns into something else: one process instead of several, plain copies instead of shards.

The launcher says what was asked for in environment variables; accelerate's state says what came of it.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from raif import __version__
from rewards.errors import RaifError

RECORD = "launch.json"
_SHARDING = {"ACCELERATE_USE_DEEPSPEED": "DEEPSPEED", "ACCELERATE_USE_FSDP": "FSDP"}


def check_launch(state: Any, environment: Mapping[str, str] = os.environ, gpus: int | None = None) -> None:
    """Refuse a launch that got fewer ranks, or less sharding, than it asked for.

    Args:
        state: accelerate's `PartialState`; made before the trainer.
        environment: what the launcher set.
        gpus: visible GPUs; counted by default.

    Raises:
        RaifError: which says what was asked, what came, and which configuration does it.
    """
    if state.device.type == "cpu" and _is_set(environment, "ACCELERATE_USE_FSDP"):
        raise RaifError(
            "the launch configuration asks for FSDP, and accelerate has none for CPUs: every rank would hold the whole "
            "model. Use accelerate_configs/cpu-zero3.yaml, or cpu.yaml for plain data parallelism."
        )
    if state.num_processes == 1:
        _check_single(state, environment, torch.cuda.device_count() if gpus is None else gpus)


def check_sharding(accelerator: Any, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a trainer whose accelerator does not shard although the launcher asked for it."""
    found = str(accelerator.distributed_type).rpartition(".")[2]
    for name, wanted in _SHARDING.items():
        if _is_set(environment, name) and found != wanted:
            raise RaifError(
                f"the launch configuration asks for {wanted}, and the trainer runs as {found}. Check the versions of "
                "accelerate and deepspeed, and that the recipe's use_cpu agrees with the configuration's."
            )


def check_precision(config: Any, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a launch configuration whose mixed precision would overrule a recipe that says no to it."""
    launched = environment.get("ACCELERATE_MIXED_PRECISION", "no")
    if launched in ("bf16", "fp16") and not getattr(config, launched):
        raise RaifError(
            f"the launch configuration says mixed_precision: {launched} and the recipe {launched}: false; accelerate "
            f"would follow the launcher. Pass --mixed_precision no to it, or set {launched}: true."
        )


def record_launch(folder: Path, state: Any) -> None:
    """Write `launch.json`: ranks, device, versions and commit of this start, for the model card."""
    from raif.versions import commit, versions

    content = {
        "ranks": state.num_processes,
        "device": torch.cuda.get_device_name() if state.device.type == "cuda" else state.device.type,
        "versions": {"raif": __version__, "python": platform.python_version(), **versions()},
        "commit": commit(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _check_single(state: Any, environment: Mapping[str, str], gpus: int) -> None:
    workers = int(environment.get("WORLD_SIZE", 1))
    if workers > 1:
        raise RaifError(
            f"the launcher started {workers} processes, and each of them sees itself alone: without a GPU, ranks find "
            "each other only with use_cpu: true in the recipe."
        )
    # accelerate's simple launcher sets the address of rank 0 when several ranks are asked for, and starts one
    if "LOCAL_RANK" not in environment and {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= {*environment}:
        raise RaifError(
            "the launcher was asked for several processes and started one, as it does for distributed_type: MULTI_CPU "
            "and for --cpu, which leave the rest to MPI. Use accelerate_configs/cpu.yaml (MULTI_GPU with use_cpu: "
            "true) and --num_processes; if one process was meant, unset MASTER_ADDR."
        )
    copies = int(environment.get("SLURM_STEP_NUM_TASKS", 1))
    if copies > 1:
        raise RaifError(
            f"srun started {copies} processes, and each of them would train alone into the same folder. Start one "
            "launcher a node, as accelerate_configs/slurm.sh does, or srun --ntasks 1."
        )
    if state.device.type == "cuda" and gpus > 1:
        raise RaifError(
            f"one process sees {gpus} GPUs, and transformers would split every batch over copies of the model "
            "(DataParallel), which breaks groups apart. Start it with `accelerate launch --config_file "
            "accelerate_configs/ddp.yaml`, or choose one GPU with CUDA_VISIBLE_DEVICES=0."
        )


def _is_set(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() in ("1", "true", "yes")
