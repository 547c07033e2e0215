"""wandb (offline), tensorboard and trackio get the metrics: a short run writes to all, and they are read back."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
METRICS = (
    "hacc",
    "contrast/keep_ratio",
    "cloning/coefficient",
    "depth/1",
    "nodes/and",
    "time/generation",
    "tokens_per_second",
)
INSTALLED = [name for name in ("wandb", "tensorboard", "trackio") if find_spec(name)]


@pytest.fixture(scope="module")
def run(policy: Path, smoke_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two steps with every tracker that is installed, and return the folder of the run."""
    if not INSTALLED:
        pytest.skip("neither wandb nor tensorboard nor trackio is installed")
    folder = tmp_path_factory.mktemp("trackers")
    recipe = {
        "base": str(ROOT / "recipes/smoke/cpu.yaml"), "model_name_or_path": str(policy), "report_to": INSTALLED,
        "instructions": str(smoke_data), "output_dir": str(folder / "run"), "project": "raif-test", "max_steps": 2,
        "per_device_train_batch_size": 8, "save_strategy": "no", "log_completions": True, "num_completions_to_print": 0,
    }  # fmt: skip
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    offline = {"WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_SILENT": "true", "TRACKIO_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "raif.train", "--config", str(folder / "recipe.yaml")],
        cwd=ROOT, env={**os.environ, **offline}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "so we dropped this attribute" not in done.stderr  # tensorboard, of a metric without a value
    return folder


def check(found: dict[str, Any], folder: Path) -> None:
    """Compare what a tracker holds of the last step with `metrics.jsonl`."""
    lines = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    written = json.loads(lines[-1])
    constraints = [name for name in written if name.startswith("constraints/")]
    assert constraints
    for name in (*METRICS, *constraints):
        assert found[f"train/{name}"] == pytest.approx(written[name], rel=1e-5), name


def test_metrics_file_has_what_is_tracked(run: Path) -> None:
    lines = (run / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [row["step"] for row in rows] == [1, 2]
    assert not [name for row in rows for name in (*METRICS, "time/reward", "time/loss", "time/rest") if name not in row]
    assert sum(rows[0][f"time/{part}"] for part in ("generation", "reward", "loss", "rest")) == pytest.approx(1)


@pytest.mark.skipif("wandb" not in INSTALLED, reason="wandb is not installed; pip install 'raif[wandb]'")
def test_wandb_offline(run: Path) -> None:
    from wandb.proto import wandb_internal_pb2

    (path,) = run.glob("wandb/offline-run-*/run-*.wandb")
    found: dict[str, Any] = {}
    for content in wandb_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        found |= {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
    check(found, run)
    assert found["completions/_type"] == "table-file"
    tables = [
        json.loads(path.read_text("utf-8")) for path in run.glob("wandb/offline-run-*/files/media/table/completions_*")
    ]
    assert len(tables) == 2  # one a step
    for table in tables:
        assert {"id", "prompt", "completion", "reward", "verdicts", "kept", "direct"} <= set(table["columns"])
        assert len(table["data"]) == 8


def wandb_records(content: bytes) -> Iterator[bytes]:
    """Yield the records of an offline run: LevelDB's log format after a header of 7 bytes, in blocks of 32 KiB."""
    position, parts = 7, b""
    while position + 7 <= len(content):
        if (rest := 32768 - position % 32768) < 7:
            position += rest
            continue
        _, length, kind = struct.unpack_from("<IHB", content, position)
        parts += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


@pytest.mark.skipif(
    "tensorboard" not in INSTALLED, reason="tensorboard is not installed; pip install 'raif[tensorboard]'"
)
def test_tensorboard(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (path,) = (run / "run").rglob("events.out.tfevents.*")
    events = EventAccumulator(str(path)).Reload()
    found = {name: events.Scalars(name)[-1].value for name in events.Tags()["scalars"]}
    check(found, run)
    assert [event.step for event in events.Scalars("train/hacc")] == [1, 2]


@pytest.mark.skipif("trackio" not in INSTALLED, reason="trackio is not installed; pip install 'raif[trackio]'")
def test_trackio(run: Path) -> None:
    (path,) = run.glob("raif-test*.db")
    with sqlite3.connect(path) as database:
        rows = [json.loads(row) for (row,) in database.execute("select metrics from metrics order by id")]
    found: dict[str, Any] = {}
    for row in rows:
        found |= row
    check(found, run)
    assert found["completions"]["_type"] == "trackio.table"
