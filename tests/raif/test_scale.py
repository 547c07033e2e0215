"""Scoring shards with datatrove's executors gives the bytes that scoring each file gives."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from raif.rollouts import Rollout, append_jsonl
from raif.scale import Cluster, ShardScorer, make_executor, score_shards
from rewards import And, Instruction, Leaf, Provenance, RaifError, Response, ScoredResponse, Scorer
from rewards.score_output import summary_path
from rewards.score_rows import ScoreSettings
from rewards.scoring import score_file

SETTINGS = ScoreSettings()
TASK = Instruction.build(
    request="Say something kind.",
    prompt="Say something kind. Do not use any commas.",
    language="en",
    split="train",
    tree=And(parts=(Leaf(constraint={"type": "punctuation:no_comma"}),)),
    source=Provenance(seed_set="test", seed_id="0"),
)


def needs(package: str) -> pytest.MarkDecorator:
    absent = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(absent, reason=f"{package} is not installed here")


def rollout(number: int) -> Rollout:
    """Return a rollout as training records it, with the verdicts of its time."""
    completion = f"hm</think>Fine{',' * (number % 2)} it is."
    [reward] = Scorer(SETTINGS.entries).score([ScoredResponse(TASK, Response.split(completion))])
    return Rollout.build(
        reward,
        instruction_id=TASK.id,
        step=3,
        group=number // 4,
        sample=number % 4,
        completion=completion,
        completion_tokens=9,
        finish_reason="stop",
    )


@pytest.fixture
def instructions(tmp_path: Path) -> Path:
    append_jsonl(tmp_path / "instructions.jsonl", [TASK])
    return tmp_path / "instructions.jsonl"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    for shard in range(3):
        rows = [rollout(number) for number in range(4 + shard)]
        append_jsonl(tmp_path / "rollouts" / f"{shard}.jsonl", rows)
    (tmp_path / "rollouts" / "3.jsonl").touch()
    return tmp_path / "rollouts"


@pytest.fixture
def expected(instructions: Path, shards: Path, tmp_path: Path) -> dict[str, bytes]:
    """Return the bytes of every shard of scores, each made by itself."""
    for shard in shards.iterdir():
        score_file(instructions, shard, tmp_path / "expected" / shard.name, SETTINGS)
    return {path.name: path.read_bytes() for path in (tmp_path / "expected").glob("?.jsonl")}


def scores(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}


def test_recorded_rollouts_can_be_scored_again(instructions: Path, shards: Path, tmp_path: Path) -> None:
    score_file(instructions, shards / "2.jsonl", tmp_path / "scores.jsonl", SETTINGS)
    recorded = [json.loads(line) for line in (shards / "2.jsonl").read_text().splitlines()]
    found = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    for name in ("instruction_id", "step", "group", "sample", "reward", "hard", "soft", "verdicts", "parts"):
        assert [line[name] for line in found] == [row[name] for row in recorded]


@needs("datatrove")
def test_tasks_on_this_machine(instructions: Path, shards: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "scores"
    summary = score_shards(instructions, shards, out, SETTINGS, Cluster(workers=2))
    assert scores(out) == expected
    assert summary == json.loads((out / "summary.json").read_text())
    assert (summary["rows"], summary["scored"], summary["means"]["hacc"]["n"]) == (15, 15, 15)
    assert summary["means"]["hacc"]["mean"] == pytest.approx(8 / 15)
    (out / "1.jsonl").write_bytes(expected["1.jsonl"][:100])
    summary_path(out / "1.jsonl").unlink()
    before = (out / "0.jsonl").stat().st_mtime_ns
    assert score_shards(instructions, shards, out, SETTINGS, Cluster(tasks=2, workers=1)) == summary
    assert scores(out) == expected
    assert (out / "0.jsonl").stat().st_mtime_ns == before
    append_jsonl(shards / "2.jsonl", [rollout(0)])
    with pytest.raises(RaifError, match="made with other rollouts"):
        score_shards(instructions, shards, out, SETTINGS, Cluster(workers=1))


@pytest.mark.slow
@needs("datatrove")
@needs("ray")
def test_tasks_on_ray(
    instructions: Path, shards: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    out = tmp_path / "scores"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        summary = score_shards(instructions, shards, out, SETTINGS, Cluster("ray", mem_per_cpu_gb=0.2))
        assert scores(out) == expected
        assert summary["rows"] == 15
        append_jsonl(shards / "2.jsonl", [rollout(0)])
        with pytest.raises(RaifError, match=r"1 of 4 tasks did not finish, the first is task 2"):
            score_shards(instructions, shards, out, SETTINGS, Cluster("ray", mem_per_cpu_gb=0.2))
    finally:
        ray.shutdown()


@needs("datatrove")
def test_tasks_as_slurm_jobs(
    instructions: Path, shards: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "scores"
    cluster = Cluster("slurm", partition="cpu", time="00:10:00", cpus_per_task=2, workers=5, sbatch={"account": "me"})
    with pytest.raises(RaifError, match=r"there is no sbatch here; .* run: sbatch .*launch_script.slurm"):
        score_shards(instructions, shards, out, SETTINGS, cluster)
    script = (out / "logs" / "0" / "launch_script.slurm").read_text()
    for option in ("partition=cpu", "time=00:10:00", "cpus-per-task=2", "array=0-3%5", "account=me", "mem-per-cpu=1G"):
        assert f"#SBATCH --{option}\n" in script
    assert f"launch_pickled_pipeline {out / 'logs' / '0' / 'executor.pik'}" in script
    for task in range(4):
        run_as_job(out / "logs" / "0" / "executor.pik", task, tmp_path)
    assert scores(out) == expected
    assert score_shards(instructions, shards, out, SETTINGS, cluster)["rows"] == 15
    append_jsonl(shards / "2.jsonl", [rollout(0)])
    with pytest.raises(RaifError, match="made with other rollouts"):
        score_shards(instructions, shards, out, SETTINGS, cluster)


def run_as_job(pipeline: Path, task: int, folder: Path) -> None:
    """Run one task as a job of the array does, on a node whose `scontrol` knows itself."""
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
        [sys.executable, "-c", code, str(pipeline)], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(importlib.util.find_spec("datatrove") is not None, reason="datatrove is installed")
def test_what_is_missing_is_named(instructions: Path, shards: Path, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"pip install 'raif\[scale\]'"):
        score_shards(instructions, shards, tmp_path / "scores", SETTINGS, Cluster())


@needs("datatrove")
def test_few_tasks_share_many_shards(tmp_path: Path) -> None:
    scorer = ShardScorer("instructions.jsonl", ("a.jsonl", "b.jsonl", "c.jsonl"), "out", "{}")
    assert make_executor(scorer, Cluster(tasks=2), tmp_path).world_size == 2
    assert make_executor(scorer, Cluster(tasks=9), tmp_path).world_size == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"executor": "slrum", "partition": "cpu"}, "did you mean 'slurm'"),
        ({"executor": "slurm"}, "slurm needs a partition"),
        ({"workers": 0}, "must be positive"),
        ({"tasks": 0}, "must be positive"),
    ],
)
def test_clusters_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        Cluster(**fields)


def test_folders_that_cannot_be_scored(instructions: Path, shards: Path, tmp_path: Path) -> None:
    for rollouts, out, message in (
        (tmp_path / "nowhere", tmp_path / "scores", "no folder of rollout shards"),
        (shards / "0.jsonl", tmp_path / "scores", "no folder of rollout shards"),
        (shards, shards, "folder of the rollouts"),
    ):
        with pytest.raises(RaifError, match=message):
            score_shards(instructions, rollouts, out, SETTINGS, Cluster())
    (tmp_path / "empty").mkdir()
    with pytest.raises(RaifError, match="holds no shards"):
        score_shards(instructions, tmp_path / "empty", tmp_path / "scores", SETTINGS, Cluster())
