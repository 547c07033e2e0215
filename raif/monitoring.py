"""Training callbacks: metrics as JSON Lines, and alarms that say what to change."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback
from transformers.utils import logging as transformers_logging

from raif.rollouts import append_jsonl

logger = logging.getLogger("raif")
WINDOW = 20  # logged steps an alarm looks back on


class MetricsFile(TrainerCallback):
    """Append every training log to `metrics.jsonl`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if logs and state.is_world_process_zero and "train_runtime" not in logs:
            append_jsonl(self.path, [{"step": state.global_step, **logs}])


class ProgressLine(ProgressCallback):
    """One progress bar with the figures that matter, instead of a dump of every metric at every step."""

    FIGURES: ClassVar = {
        "reward": "reward",
        "hacc": "HAcc",
        "contrast/keep_ratio": "kept",
        "cloning/loss": "cloning",
        "loss": "loss",
        "reward_seconds": "scoring s",
    }

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if logs and state.is_world_process_zero and self.training_bar is not None:
            shown = {label: f"{logs[key]:.2f}" for key, label in self.FIGURES.items() if logs.get(key) is not None}
            if shown:
                self.training_bar.set_postfix(shown)


def use_progress_line(trainer: Trainer) -> None:
    """Replace the trainer's own progress output, unless it is switched off."""
    trainer.remove_callback(PrinterCallback if trainer.args.disable_tqdm else ProgressCallback)
    if not trainer.args.disable_tqdm:
        trainer.add_callback(ProgressLine)


def quiet_libraries() -> None:
    """Silence what a user cannot act on: weight-loading bars and the libraries' own deprecation notices."""
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


class Alarms(TrainerCallback):
    """Warn once when a window of steps shows a run that cannot learn."""

    RULES = (
        ("completions/clipped_ratio", 0.5, "the cap truncates {:.0%} of rollouts; raise max_completion_length"),
        (
            "frac_reward_zero_std",
            0.8,
            "{:.0%} of groups carry no signal; the data is too easy or too hard for this policy",
        ),
        ("unscored", 0.01, "{:.1%} of rollouts could not be scored; see `verdicts` in the rollouts for the reasons"),
    )

    def __init__(self) -> None:
        self.windows: dict[str, deque[float]] = {name: deque(maxlen=WINDOW) for name, _, _ in self.RULES}
        self.raised: set[str] = set()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if not logs or not state.is_world_process_zero:
            return
        for name, threshold, message in self.RULES:
            window = self.windows[name]
            if isinstance(logs.get(name), float):
                window.append(logs[name])
            mean = sum(window) / len(window) if len(window) == WINDOW else 0.0
            if mean > threshold and name not in self.raised:
                self.raised.add(name)
                logger.warning("over the last %d logs %s", WINDOW, message.format(mean))
