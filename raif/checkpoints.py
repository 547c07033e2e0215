"""Find the checkpoint a killed run resumes from, and forget what was recorded after it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open

from raif.rollouts import drop_after


def last_complete_checkpoint(output_dir: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end; incomplete ones are removed.

    The trainer writes weights first and `trainer_state.json` last, so a folder without a readable state, or with
    weights that do not open, was cut off by a crash.
    """
    found = sorted(output_dir.glob("checkpoint-*"), key=_step, reverse=True)
    for folder in found:
        if _is_complete(folder):
            return folder
        shutil.rmtree(folder)
    return None


def _step(folder: Path) -> int:
    suffix = folder.name.rpartition("-")[2]
    return int(suffix) if suffix.isdigit() else -1


def _is_complete(folder: Path) -> bool:
    try:
        json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        for weights in folder.glob("*.safetensors"):
            with safe_open(weights, framework="np") as file:
                file.keys()
    except (OSError, ValueError, SafetensorError):
        return False
    return _step(folder) >= 0


def forget_after(output_dir: Path, checkpoint: Path | None, rank: int, is_main: bool) -> None:
    """Drop recorded metrics and rollouts of steps that the resumed run will take again."""
    step = _step(checkpoint) if checkpoint else 0
    drop_after(output_dir / "rollouts" / f"rank{rank}.jsonl", step)
    if is_main:
        drop_after(output_dir / "metrics.jsonl", step)
