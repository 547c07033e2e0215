"""Scoring beyond one machine: shards of rollouts as tasks of datatrove's executors (local, Ray, Slurm).

    pip install 'raif[scale]'      # and ray, for executor ray

One task takes one shard (`*.jsonl`) of a folder and writes the shard of scores of the same name, by the very function
that scores a file on one machine. Shards that are finished are left as they are, and one that was killed is continued:
run the same command again.
"""

from __future__ import annotations

import importlib
import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

from rewards.errors import RaifError, unknown_name
from rewards.score_output import summary_path, write_json
from rewards.score_rows import ScoreSettings
from rewards.score_summary import combined
from rewards.scoring import score_file

Executor = Literal["local", "ray", "slurm"]
SUMMARY, LOGS = "summary.json", "logs"


@dataclass(frozen=True)
class Cluster:
    """Where tasks run.

    Fields:
        executor: `local` runs them in processes of this machine, `ray` on the cluster that `RAY_ADDRESS` names (else on
            this machine), `slurm` as an array of jobs.
        tasks: how many tasks share the shards; by default one for each shard.
        workers: how many tasks run at once; -1 for all that the machines have room for.
        cpus_per_task: processes that score a shard, and what is reserved for it.
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
class ShardScorer:
    """The one step of the pipeline: task `rank` scores the shards `rank`, `rank + world_size`, ..."""

    instructions: str
    shards: tuple[str, ...]
    out: str
    settings: str
    workers: int = 1

    def __call__(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        settings = ScoreSettings.model_validate_json(self.settings)
        for shard in self.shards[rank::world_size]:
            score_file(self.instructions, shard, Path(self.out) / Path(shard).name, settings, self.workers)


def score_shards(
    instructions: str | Path, rollouts: str | Path, out: str | Path, settings: ScoreSettings, cluster: Cluster
) -> dict[str, Any]:
    """Score a folder of shards into another folder.

    Returns:
        The summary of all shards, as written to `<out>/summary.json`. With Slurm, whose jobs go on when this returns,
        it is empty until all shards are finished: run the same command again then.

    Raises:
        RaifError: if there are no shards, the two folders are the same, the extra `scale` is not installed, the
            settings are not valid, or shards could not be scored.
    """
    shards, folder = _find_shards(Path(rollouts)), Path(out).resolve()
    if folder == Path(rollouts).resolve():
        raise RaifError(f"{out} is the folder of the rollouts; name another one for the scores.")
    _ = settings.entries
    scorer = ShardScorer(
        instructions=str(Path(instructions).resolve()),
        shards=tuple(map(str, shards)),
        out=str(folder),
        settings=settings.model_dump_json(),
        workers=cluster.cpus_per_task,
    )
    outputs = [folder / shard.name for shard in shards]
    if cluster.executor == "slurm" and all(summary_path(path).is_file() for path in outputs):
        scorer()  # nothing is left to do but to see that they were made from these very inputs
    else:
        executor = make_executor(scorer, cluster, _new_folder(folder / LOGS))
        _run(executor, cluster)
        if cluster.executor == "slurm":
            return {}
        if tasks := executor.get_incomplete_ranks(skip_completed=True):
            raise RaifError(
                f"{len(tasks)} of {executor.tasks} tasks did not finish, the first is task {tasks[0]}; see "
                f"{executor.logging_dir.resolve_paths('logs')}. The same command goes on with them."
            )
    summary = combined([(path.name, json.loads(summary_path(path).read_text("utf-8"))) for path in outputs])
    write_json(folder / SUMMARY, summary)
    return summary


def _new_folder(parent: Path) -> Path:
    """Make the first folder 0, 1, ... that is not there yet, so that a run is not taken for an earlier one."""
    for number in count():
        with suppress(FileExistsError):
            (folder := parent / str(number)).mkdir(parents=True)
            return folder
    raise AssertionError


def _find_shards(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise RaifError(f"no folder of rollout shards at {folder}; a single file is scored without an executor.")
    shards = sorted(path.resolve() for path in folder.glob("*.jsonl"))
    if not shards:
        raise RaifError(f"{folder} holds no shards; expected files *.jsonl.")
    return shards


def make_executor(scorer: ShardScorer, cluster: Cluster, logs: Path) -> Any:
    """Return the datatrove executor that runs a scorer; nothing runs yet.

    Whether a shard is done is decided by its own files, which know what they were made from; datatrove's list of
    completed tasks does not, and counts for one run only.
    """
    module = _import(f"datatrove.executor.{cluster.executor}", "'raif[scale]'")
    common: dict[str, Any] = {
        "pipeline": [scorer],
        "tasks": min(cluster.tasks or len(scorer.shards), len(scorer.shards)),
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
        job_name="raif-score",
    )


def _run(executor: Any, cluster: Cluster) -> None:
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


def _import(module: str, requirement: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RaifError(f"{module} cannot be imported ({error}); run: pip install {requirement}") from error
