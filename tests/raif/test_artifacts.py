"""wandb mirrors: what is logged of each kind of folder, offline and for real, read back from the run's files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from raif.evaluation.artifacts import contents_of, log_artifacts
from raif.evaluation.redaction import HIDDEN, redacted
from rewards.errors import RaifError
from tests.raif.plot_data import EXPERIMENTS, Record, ablation, evaluation, training_log
from tests.raif.test_trackers import wandb_records

SECRET = "a-secret-of-nobody-0123456789"
LOG = """
import sys
from pathlib import Path
from raif.evaluation.artifacts import log_artifacts
for name in sys.argv[1:]:
    print(log_artifacts(Path(name), "raif-test"))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a result folder of each kind, with secrets where a careless setting would put them."""
    root = tmp_path_factory.mktemp("artifacts")
    settings = {
        "api_key": "letters",
        "api_key_env": "SERVER_KEY",
        "base_url": "http://me:letters@host/v1",
        "note": SECRET,
    }
    write(root / "mathif/metrics.json", {**evaluation(), "settings": {"generator": settings, "cap": 64}})
    write_lines(root / "mathif/rollouts.jsonl", [rollout(i) for i in range(30)])
    write(root / "wait/experiment.json", EXPERIMENTS["wait"]())
    write(root / "caps/results.json", ablation({"cap": [32, 64], "contrast": ["off", "on"]}))
    write(root / "demo/evaluation/before/metrics.json", evaluation(0.1))
    write(root / "demo/evaluation/after/metrics.json", evaluation(0.4))
    write_lines(root / "demo/train/metrics.jsonl", training_log())
    return root


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_lines(path: Path, rows: list[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def rollout(i: int) -> Record:
    return {
        "instruction_id": f"gsm8k/{i}", "sample": 0, "arm": "constrained", "completion": "the whole text",
        "hard": i % 2 == 0, "soft": 0.5, "official_hard": None, "correct": True, "finish_reason": "stop",
        "completion_tokens": 40 + i,
        "verdicts": [{"path": "0", "type": "punctuation:no_comma", "status": "satisfied", "evidence": "none found"}],
    }  # fmt: skip


def test_contents_are_the_numbers_of_the_files(folders: Path) -> None:
    found = contents_of(folders / "mathif")
    assert (found.kind, set(found.sheets)) == ("evaluation", {"metrics", "groups", "items"})
    assert found.sheets["metrics"].columns == ["profile", "metric", "value", "low", "high", "n"]
    rows = {(profile, metric): rest for profile, metric, *rest in found.sheets["metrics"].rows}
    assert rows["strict", "hacc"] == [0.25, *evaluation()["strict"]["hacc_ci"], 420]
    assert rows["", "truncated"][0] == 0.08
    assert found.summary["parity/hacc"] == 0.27
    assert ["constraint", "keywords:existence", "strict", "followed", 0.1] in [
        row[:5] for row in found.sheets["groups"].rows
    ]
    items = found.sheets["items"]
    assert len(items.rows) == 30
    assert dict(zip(items.columns, items.rows[1], strict=True))["verdicts"] == "punctuation:no_comma: satisfied"
    assert not any("the whole text" in row for row in items.rows)
    assert {name: len(sheet.rows) for name, sheet in contents_of(folders / "caps").sheets.items()} == {
        "runs": (4 * 3 + 3) * 5, "cells": 4 * 5, "contrasts": 1,
    }  # fmt: skip
    assert {name: len(sheet.rows) for name, sheet in contents_of(folders / "demo").sheets.items()} == {
        "metrics": 2 * 7, "training": 40,
    }  # fmt: skip


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed; pip install 'raif[wandb]'")
def test_offline_runs_hold_tables_plots_and_no_secret(folders: Path) -> None:
    from wandb.proto import wandb_internal_pb2

    place = {name: str(folders / "wandb-files") for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR")}
    offline = {
        **place,
        "WANDB_MODE": "offline",
        "WANDB_CONFIG_DIR": str(folders / "wandb-files"),
        "OTHER_TOKEN": SECRET,
    }
    names = ("mathif", "wait", "caps", "demo")
    done = subprocess.run(
        [sys.executable, "-c", LOG, *(str(folders / name) for name in names)],
        env={**os.environ, **offline}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    runs = {name: Path(line) for name, line in zip(names, done.stdout.split(), strict=True)}
    found: dict[str, Record] = {name: {"history": {}, "config": {}, "artifacts": {}} for name in names}
    for name, run in runs.items():
        (path,) = run.glob("run-*.wandb")
        for content in wandb_records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(content)
            for item in record.history.item:
                found[name]["history"][item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
            found[name]["config"] |= {
                item.key: json.loads(item.value_json) for item in [*record.config.update, *record.run.config.update]
            }
            if record.request.log_artifact.artifact.name:
                found[name]["artifacts"][record.request.log_artifact.artifact.name] = (
                    record.request.log_artifact.artifact
                )
            if record.artifact.name:
                found[name]["artifacts"][record.artifact.name] = record.artifact
    check_history(found)
    check_tables(runs)
    check_artifacts(found)
    assert found["mathif"]["config"]["settings"] == {
        "generator": {
            "api_key": HIDDEN, "api_key_env": "SERVER_KEY", "base_url": f"http://{HIDDEN}@host/v1", "note": HIDDEN,
        },
        "cap": 64,
    }  # fmt: skip
    everything = b"".join(path.read_bytes() for path in (folders / "wandb-files").rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    assert b"letters" not in everything


def check_history(found: dict[str, Record]) -> None:
    """Look for the tables and plots of each kind among what was logged."""
    expected = {
        "mathif": {"metrics", "groups", "items", "plots/comparison-parity", "plots/source-strict", "plots/constraints"},
        "wait": {"rows", "effects", "plots/wait"},
        "caps": {"runs", "cells", "contrasts", "plots/cap-contrast=off", "plots/cap-contrast=on"},
        "demo": {"metrics", "training", "plots/training", "plots/comparison-strict", "plots/constraints"},
    }
    for name, keys in expected.items():
        history = found[name]["history"]
        for key in keys:
            assert history[f"{key}/_type"] == ("image-file" if key.startswith("plots/") else "table-file"), (name, key)


def check_tables(runs: dict[str, Path]) -> None:
    """Compare the tables in a run's files with the result."""
    (table,) = runs["mathif"].glob("files/media/table/metrics_*.table.json")
    content = json.loads(table.read_text(encoding="utf-8"))
    assert content["columns"] == ["profile", "metric", "value", "low", "high", "n"]
    assert content["data"] == contents_of(runs["mathif"].parents[2] / "mathif").sheets["metrics"].rows
    (images,) = (runs["wait"].glob("files/media/images/plots/wait_*.png"),)
    assert [path.read_bytes()[:4] for path in images] == [b"\x89PNG"]


def check_artifacts(found: dict[str, Record]) -> None:
    """Look for the files of the artifacts, of the type of the folder."""
    artifacts = {name: found[name]["artifacts"] for name in found}
    (mathif,) = [each for key, each in artifacts["mathif"].items() if key == "mathif-evaluation"]
    assert mathif.type == "evaluation"
    paths = {entry.path for entry in mathif.manifest.contents}
    assert {"tables/items.jsonl", "evaluation.json", "plots/constraints.svg", "plots/constraints.png"} <= paths
    assert {key for each in artifacts.values() for key in each} >= {"wait-experiment", "caps-ablation", "demo-run"}


def test_missing_wandb_says_what_to_install(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(RaifError, match=r"wandb is not installed: `pip install 'raif\[wandb\]'`"):
        log_artifacts(folders / "wait", "raif-test")


def test_redaction_keeps_what_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_KEY", SECRET)
    content = {"completion_tokens": 3, "max_token": 4, "hf_token": "x", "tokenizer": "t", "note": [f"Bearer {SECRET}"]}
    assert redacted(content) == {**content, "hf_token": HIDDEN, "note": [f"Bearer {HIDDEN}"]}
    assert redacted({"API-Key": None, "list": (1, 2.5, True)}) == {"API-Key": None, "list": [1, 2.5, True]}
