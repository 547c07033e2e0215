"""Several trainings in one process or in one launch, since a start costs more than a short training.

`-m tests.e2e.trainings FILE.json` does what `-m raif.train` does, once for every list of arguments in the file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch"]  # `accelerate launch`, without the other commands
LAUNCH += ["--config_file", str(ROOT / "accelerate_configs/cpu.yaml"), "--num_processes"]


def variety(completion_ids: list[list[int]]) -> list[float]:
    """A reward that differs between the rollouts of a random policy, so that every step has a gradient."""
    return [len(set(ids)) / len(ids) for ids in completion_ids]


def fails_on_the_last_rank(answer: list[str]) -> list[float]:
    """Raise on the second of two ranks, as a reward does that meets a row it cannot handle."""
    if os.environ["RANK"] == "1":
        raise LookupError("no price list here")
    return [float(len(text) % 7) for text in answer]


def train_all(runs: Sequence[Sequence[str]]) -> None:
    """Run the command for every list of arguments."""
    from raif import train

    before = sys.argv
    try:
        for arguments in runs:
            sys.argv = ["raif.train", *arguments]
            train.main()
    finally:
        sys.argv = before


def launch_of(ranks: int, runs: Sequence[Sequence[str]], file: Path) -> list[str]:
    """Return the command that does all runs on the ranks of one launch; `file` is to hold their arguments."""
    file.write_text(json.dumps([list(arguments) for arguments in runs]), encoding="utf-8")
    return [*LAUNCH, str(ranks), "-m", "tests.e2e.trainings", str(file)]


if __name__ == "__main__":
    train_all(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
