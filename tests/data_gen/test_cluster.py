"""datatrove's executors make the bytes that one process makes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data_gen.cluster import Cluster, ShardMaker, executor_of, make_on_cluster
from data_gen.config import DataConfig, parse_config
from data_gen.pipeline import make_dataset
from rewards import RaifError

RECIPE: dict[str, Any] = {
    "seed": 2,
    "counts": {"train": 130, "test": 20},
    "rows_per_shard": 40,
    "seeds": [{"type": "jsonl", "path": "questions.jsonl"}, {"type": "arithmetic"}],
    "constraints": {"min": 1, "max": 2},
    "warm_start": {"count": 30},
}


def needs(package: str) -> pytest.MarkDecorator:
    absent = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(absent, reason=f"{package} is not installed here")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataConfig:
    """Return a recipe with a relative path, which has to mean the same file in every task."""
    lines = [f'{{"question": "What is {n} + 1?", "answer": "#### {n + 1}"}}\n' for n in range(60)]
    (tmp_path / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return parse_config(RECIPE, "test")


@pytest.fixture
def expected(config: DataConfig, tmp_path: Path) -> dict[str, bytes]:
    make_dataset(config, tmp_path / "expected")
    return made(tmp_path / "expected")


def made(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a data folder without the logs."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in files if path.parts[0] != "logs"}


@needs("datatrove")
def test_tasks_on_this_machine(config: DataConfig, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = make_on_cluster(config, out, Cluster(tasks=2, workers=2))
    assert made(out) == expected
    assert manifest["counts"] == {"train": 130, "test": 20}
    assert make_on_cluster(config, out, Cluster()) == manifest
    assert [path.name for path in (out / "logs").iterdir()] == ["0"]


@needs("datatrove")
def test_what_a_killed_run_left_is_kept(config: DataConfig, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert make_on_cluster(config, out, Cluster(workers=1), only=[1, 2]) == {}
    before = (out / "data" / "train-00001-of-00004.jsonl").stat().st_mtime_ns
    (out / "shards" / "train-00002-of-00004.json").write_text("half a no")
    make_on_cluster(config, out, Cluster(workers=1, cpus_per_task=2))
    assert made(out) == expected
    assert (out / "data" / "train-00001-of-00004.jsonl").stat().st_mtime_ns == before


@needs("datatrove")
def test_folders_of_another_recipe_are_refused_before_any_task(config: DataConfig, tmp_path: Path) -> None:
    make_dataset(config, tmp_path / "out", only=[0])
    other = config.model_copy(update={"seed": 3})
    with pytest.raises(RaifError, match=r"another recipe.*--overwrite"):
        make_on_cluster(other, tmp_path / "out", Cluster(workers=1))
    assert not (tmp_path / "out" / "logs").exists()
    assert make_on_cluster(other, tmp_path / "out", Cluster(workers=1), overwrite=True)["seed"] == 3


@pytest.mark.slow
@needs("datatrove")
@needs("ray")
def test_tasks_on_a_ray_cluster(
    config: DataConfig, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster of its own on this machine: a head with a port, which the driver joins as from another machine."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    import ray
    from ray.cluster_utils import Cluster as RayCluster

    out = tmp_path / "out"
    cluster = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        assert len(ray.nodes()) == 2
        make_on_cluster(config, out, Cluster("ray", tasks=3, mem_per_cpu_gb=0.2))
        assert made(out) == expected
        for path in (out / "manifest.json", out / "data" / "train-00002-of-00004.jsonl"):
            path.unlink()
        make_on_cluster(config, out, Cluster("ray", mem_per_cpu_gb=0.2))
        assert made(out) == expected
    finally:
        ray.shutdown()
        cluster.shutdown()


@needs("datatrove")
def test_tasks_as_slurm_jobs(
    config: DataConfig, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out, cluster = tmp_path / "out", Cluster("slurm", tasks=2, partition="cpu", time="00:10:00")
    with pytest.raises(RaifError, match=r"there is no sbatch here; .* run: sbatch .*launch_script.slurm"):
        make_on_cluster(config, out, cluster)
    script = (out / "logs" / "0" / "launch_script.slurm").read_text()
    for option in ("partition=cpu", "time=00:10:00", "array=0-1", "job-name=raif-data"):
        assert f"#SBATCH --{option}\n" in script
    for task in range(2):
        run_as_job(out / "logs" / "0" / "executor.pik", task, tmp_path)
    assert not (out / "manifest.json").exists()
    assert make_on_cluster(config, out, cluster)["counts"] == {"train": 130, "test": 20}
    assert made(out) == expected


def run_as_job(pipeline: Path, task: int, folder: Path) -> None:
    """Run one task as a job of the array does, elsewhere, on a node whose `scontrol` knows itself."""
    scontrol = folder / "scontrol"
    scontrol.write_text("#!/bin/sh\necho node0\n")
    scontrol.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:/bin:/usr/bin",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SLURM_ARRAY_TASK_ID": str(task),
        "SLURM_NODELIST": "node0",
    }
    code = "from datatrove.tools.launch_pickled_pipeline import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(pipeline)], env=environment, cwd="/", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_tasks_share_the_shards_by_rank(config: DataConfig, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    step = ShardMaker(config.model_dump_json(exclude_unset=True), str(out), (0, 1, 3, 5), str(tmp_path))
    step(rank=1, world_size=2)
    assert {path.name for path in out.glob("shards/*")} == {"train-00001-of-00004.json", "warm_start.json"}
    step(rank=0, world_size=2)
    ShardMaker(config.model_dump_json(exclude_unset=True), str(out), (2, 4), str(tmp_path))()
    make_dataset(config, out)
    assert made(out) == expected


@needs("datatrove")
def test_no_more_tasks_than_shards(tmp_path: Path) -> None:
    step = ShardMaker("{}", "out", (0, 1, 2), ".")
    for tasks, expected in ((2, 2), (9, 3), (None, 3)):
        assert executor_of(step, 3, Cluster(tasks=tasks), tmp_path, "test").world_size == expected


@pytest.mark.skipif(importlib.util.find_spec("datatrove") is not None, reason="datatrove is installed")
def test_what_is_missing_is_named(config: DataConfig, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"pip install 'raif\[scale\]'"):
        make_on_cluster(config, tmp_path / "out", Cluster())
