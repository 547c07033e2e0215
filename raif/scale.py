"""Scoring beyond one machine: shards of rollouts as tasks of datatrove's executors (local, Ray, Slurm).

    pip install 'raif[scale]'      # and ray, for executor ray

One task takes one shard (`*.jsonl`) of a folder and writes the shard of scores of the same name, by the very function
that scores a file on one machine. Shards that are finished are left as they are, and one that was killed is continued:
run the same command again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_gen.cluster import Cluster, executor_of, new_log_folder, run_tasks
from rewards.errors import RaifError
from rewards.score_output import summary_path, write_json
from rewards.score_rows import ScoreSettings
from rewards.score_summary import combined
from rewards.scoring import score_file

SUMMARY = "summary.json"


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
    elif not run_tasks(make_executor(scorer, cluster, new_log_folder(folder)), cluster):
        return {}
    summary = combined([(path.name, json.loads(summary_path(path).read_text("utf-8"))) for path in outputs])
    write_json(folder / SUMMARY, summary)
    return summary


def _find_shards(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise RaifError(f"no folder of rollout shards at {folder}; a single file is scored without an executor.")
    shards = sorted(path.resolve() for path in folder.glob("*.jsonl"))
    if not shards:
        raise RaifError(f"{folder} holds no shards; expected files *.jsonl.")
    return shards


def make_executor(scorer: ShardScorer, cluster: Cluster, logs: Path) -> Any:
    """Return the datatrove executor that runs a scorer; nothing runs yet."""
    return executor_of(scorer, len(scorer.shards), cluster, logs, "raif-score")
