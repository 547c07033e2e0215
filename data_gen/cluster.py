"""Work beyond one machine: tasks that share shards, run by datatrove's executors (local, Ray, Slurm).

    pip install 'raif[scale]'      # and ray, for executor ray

Whether a shard is done is decided by its own files, which know what they were made from; datatrove's list of completed
tasks does not, and counts for one run only. So the same command goes on where an earlier one stopped.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

from data_gen.config import DataConfig
from data_gen.pipeline import DataSet, check
from data_gen.pool import Makers
from rewards.errors import RaifError, unknown_name

Executor = Literal["local", "ray", "slurm"]
LOGS = "logs"


@dataclass(frozen=True)
class Cluster:
    """Where tasks run.

    Fields:
        executor: `local` runs them in processes of this machine, `ray` on the cluster that `RAY_ADDRESS` names (else on
            this machine), `slurm` as an array of jobs.
        tasks: how many tasks share the shards; by default one for each shard.
        workers: how many tasks run at once; -1 for all that the machines have room for.
        cpus_per_task: processes that work on a shard, and what is reserved for it.
        mem_per_cpu_gb: memory reserved for each of them.
        partition, time, qos, sbatch: of Slurm; `sbatch` holds further options by name, such as `account`.
        env_command: what a Slurm job runs first, for example to activate an environment with `raif[scale]`.
    """

    executor: Executor = "local"
    tasks: int | None = None
    workers: int = -1
    cpus_per_task: int = 1
    mem_per_cpu_gb: float = 1
    partition: str = ""
    time: str = "04:00:00"
    qos: str = "normal"
    env_command: str = ""
    sbatch: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.executor not in get_args(Executor):
            raise unknown_name("executor", self.executor, get_args(Executor), "Set --executor.")
        if self.executor == "slurm" and not self.partition:
            raise RaifError("slurm needs a partition; `sinfo` lists those of the cluster.")
        if (
            self.workers == 0
            or self.workers < -1
            or self.cpus_per_task < 1
            or (self.tasks is not None and self.tasks < 1)
        ):
            raise RaifError(f"tasks, workers and cpus_per_task must be positive (workers may be -1); got {self}.")


@dataclass(frozen=True)
class ShardMaker:
    """The one step of the synthesis: task `rank` makes every `world_size`-th of the chosen shards, from `rank` on.

    Fields:
        config: the recipe as JSON, without what it leaves to defaults.
        out: the data folder, on a file system that all machines see.
        chosen: the numbers of the shards.
        start: the folder that relative paths of the recipe start from.
        workers: processes of a task.
    """

    config: str
    out: str
    chosen: tuple[int, ...]
    start: str
    workers: int = 1

    def __call__(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        with chdir(self.start):
            config = DataConfig.model_validate_json(self.config)
            held = DataSet(config, self.out)
            with Makers(config, self.workers) as makers:
                held.make([held.shards[number] for number in self.chosen[rank::world_size]], makers)


def make_on_cluster(
    config: DataConfig,
    out: str | Path,
    cluster: Cluster,
    overwrite: bool = False,
    only: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Make a data folder by tasks; arguments and errors are those of `data_gen.pipeline.make_dataset`.

    Returns:
        The manifest; empty as long as shards are missing. Slurm's jobs go on when this returns: run the same command
        again when they have ended, which finishes the folder.
    """
    data = DataSet(config, Path(out).resolve())
    data.claim(overwrite)
    if (manifest := data.manifest) is not None:
        return manifest
    chosen = tuple(range(len(data.shards)) if only is None else only)
    with Makers(config) as makers:
        if {data.shards[number] for number in chosen} & set(data.missing):
            check(data.missing, makers)
            step = ShardMaker(
                config.model_dump_json(exclude_unset=True), str(data.folder), chosen, os.getcwd(), cluster.cpus_per_task
            )
            logs = new_log_folder(data.folder)
            if not run_tasks(executor_of(step, len(chosen), cluster, logs, "raif-data"), cluster):
                return {}
        return {} if data.missing else data.finish(makers)


def new_log_folder(parent: Path) -> Path:
    """Make the first of logs/0, logs/1, ... that is not there yet, so that a run is not taken for an earlier one."""
    for number in count():
        with suppress(FileExistsError):
            (folder := parent / LOGS / str(number)).mkdir(parents=True)
            return folder
    raise AssertionError


def executor_of(step: Callable[..., None], shards: int, cluster: Cluster, logs: Path, name: str) -> Any:
    """Return the datatrove executor that runs a step; nothing runs yet.

    Args:
        step: called with (data, rank, world size) in every task; has to pickle.
        shards: how many there are, which is how many tasks make sense.
        cluster: where the tasks run.
        logs: a new folder.
        name: of Slurm's jobs.
    """
    module = _import(f"datatrove.executor.{cluster.executor}", "'raif[scale]'")
    common: dict[str, Any] = {
        "pipeline": [step],
        "tasks": min(cluster.tasks or shards, shards),
        "workers": cluster.workers,
        "logging_dir": str(logs),
    }
    if cluster.executor == "local":
        room = max(1, (os.cpu_count() or 1) // cluster.cpus_per_task)
        return module.LocalPipelineExecutor(**common | {"workers": room if cluster.workers == -1 else cluster.workers})
    common |= {"cpus_per_task": cluster.cpus_per_task, "mem_per_cpu_gb": cluster.mem_per_cpu_gb}
    if cluster.executor == "ray":
        return module.RayPipelineExecutor(**common)
    common["mem_per_cpu_gb"] = math.ceil(cluster.mem_per_cpu_gb)  # Slurm takes whole numbers
    return module.SlurmPipelineExecutor(
        **common,
        time=cluster.time,
        partition=cluster.partition,
        qos=cluster.qos,
        env_command=cluster.env_command or None,
        sbatch_args=dict(cluster.sbatch),
        job_name=name,
    )


def run_tasks(executor: Any, cluster: Cluster) -> bool:
    """Run an executor and tell whether its tasks are finished; those of Slurm are not when this returns.

    Raises:
        RaifError: if tasks failed, or there is no Ray or Slurm.
    """
    if cluster.executor == "ray":
        ray = _import("ray", "ray")
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
    try:
        executor.run()
    except FileNotFoundError as error:
        if error.filename != "sbatch":
            raise
        script = executor.logging_dir.resolve_paths("launch_script.slurm")
        raise RaifError(f"there is no sbatch here; on a node of the cluster, run: sbatch {script}") from error
    if cluster.executor == "slurm":
        return False
    if tasks := executor.get_incomplete_ranks(skip_completed=True):
        raise RaifError(
            f"{len(tasks)} of {executor.tasks} tasks did not finish, the first is task {tasks[0]}; see "
            f"{executor.logging_dir.resolve_paths('logs')}. The same command goes on with them."
        )
    return True


def _import(module: str, requirement: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RaifError(f"{module} cannot be imported ({error}); run: pip install {requirement}") from error
