"""Runs that are killed, by a signal that nothing can catch, and started again end in the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data_gen.config import DataConfig, parse_config
from data_gen.pipeline import make_dataset
from tests.data_gen.test_pipeline import RECIPE, REPOSITORY, bytes_of, narrow_recipe

CHANGES = ("os.rename", "os.remove", "os.mkdir")  # as `sys.addaudithook` names them


def killed_at(number: int, config: DataConfig, out: Path) -> bool:
    """Make a data set in a process that kills itself at its `number`-th change of a file; tell whether it got there."""
    child = os.fork()
    if not child:
        left = number

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            is_change = event in CHANGES or (event == "open" and str(arguments[1]).startswith("a"))
            if is_change and str(out) in str(arguments):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        make_dataset(config, out)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.slow
def test_a_kill_at_any_change_of_a_file_leaves_no_trace(tmp_path: Path) -> None:
    config = narrow_recipe(tmp_path).model_copy(
        update={"counts": {"train": 60, "test": 2}, "warm_start": None, "rows_per_shard": 30}
    )
    make_dataset(config, tmp_path / "whole")
    expected = bytes_of(tmp_path / "whole")
    assert b"drawn before" in expected["shards/train-00001-of-00002.json"]
    number = 1
    while killed_at(number, config, tmp_path / "out"):
        make_dataset(config, tmp_path / "out")
        assert bytes_of(tmp_path / "out") == expected, number
        shutil.rmtree(tmp_path / "out")
        number += 1
    assert number > 20
    assert bytes_of(tmp_path / "out") == expected


def test_kills_at_every_change_one_after_another(tmp_path: Path) -> None:
    """A run that is killed again and again, each time a little later, goes on from what is there."""
    narrow = narrow_recipe(tmp_path)
    make_dataset(narrow, tmp_path / "whole")
    kills = [number for number in range(1, 60, 4) if killed_at(number, narrow, tmp_path / "out")]
    assert len(kills) >= 3
    make_dataset(narrow, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def written(folder: Path) -> int:
    files = [*folder.glob("data/*"), *folder.glob("warm_start*")]
    return sum(path.stat().st_size for path in files if path.exists())


@pytest.mark.slow
def test_kill_9_at_random_points(tmp_path: Path) -> None:
    content = {**RECIPE, "counts": {"train": 1500, "test": 200}, "warm_start": {"count": 500}, "rows_per_shard": 200}
    make_dataset(parse_config(content, "test"), tmp_path / "whole", workers=2)
    total = written(tmp_path / "whole")
    path, out, rng = tmp_path / "recipe.yaml", tmp_path / "out", Random(1)
    path.write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-m", "data_gen", "--config", str(path), "--out", str(out), "--workers", "2"]
    kills = 0
    for share in sorted(rng.uniform(0, 0.9) for _ in range(3)):
        run = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        while run.poll() is None and written(out) <= share * total:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        run.kill()
        kills += run.wait() == -signal.SIGKILL
    assert kills == 3
    assert not (out / "manifest.json").is_file()
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    assert bytes_of(out) == bytes_of(tmp_path / "whole")
