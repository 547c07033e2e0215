"""What `raif score` does: settings from options, one file here or shards on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from raif.scale import Cluster, score_shards
from rewards.errors import RaifError
from rewards.reward_files import read_rewards
from rewards.score_rows import ScoreSettings
from rewards.scoring import Progress, score_file


def score(
    instructions: str | Path,
    rollouts: str | Path,
    out: str | Path,
    settings: ScoreSettings,
    workers: int = 1,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a file of rollouts, or a folder of shards.

    Args:
        instructions: a file of instructions, or a data folder.
        rollouts: JSON lines with `instruction_id` and `completion`, or a folder of such files.
        out: a file, or a folder for shards.
        settings: rewards, cap, style and deadline, see `make_settings`.
        workers: processes; for a folder, shards that are scored at once.
        cluster: where a folder is scored, by default on this machine.
        progress: called with the number of rows done so far; not for a folder.

    Returns:
        Counts and means, see `rewards.score_summary`; empty when Slurm has jobs to do.

    Raises:
        RaifError: see `rewards.scoring.score_file` and `raif.scale.score_shards`; also if there is not one rollout.
    """
    if cluster is not None or Path(rollouts).is_dir():
        summary = score_shards(instructions, rollouts, out, settings, cluster or Cluster(workers=workers))
    else:
        summary = score_file(instructions, rollouts, out, settings, workers, progress)
    if summary and not summary["rows"]:
        raise RaifError(f"{rollouts} holds no rollouts; expected JSON lines with instruction_id and completion.")
    return summary


def make_settings(rewards: str | Path | None = None, cap: int | None = None, **options: Any) -> ScoreSettings:
    """Return settings from options; what is None keeps its default.

    Args:
        rewards: a YAML file, see `read_rewards`.
        cap: maximum completion tokens.
        options: `on_truncation` and `penalty` of the cap, and `style`, `prefilled` and `deadline` of the settings.

    Example:
        >>> make_settings(cap=512, on_truncation="score", style=None).cap
        LengthCap(limit=512, on_truncation='score', penalty=-1.0)
    """
    given = {name: value for name, value in options.items() if value is not None}
    of_cap = {name: given.pop(name) for name in ("on_truncation", "penalty") if name in given}
    if rewards is not None:
        given["rewards"] = read_rewards(rewards)
    if cap is not None:
        given["cap"] = {"limit": cap, **of_cap}
    try:
        return ScoreSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise RaifError(f"{name} is {first['input']!r}: {first['msg']}. See `raif score --help`.") from error
