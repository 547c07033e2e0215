"""Alarms: a run that cannot learn says so once, with the value and the recipe key to change."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from raif.alarm_rules import RULES, Alarm, Window
from raif.latest import LatestRollouts
from raif.rollouts import append_jsonl, read_jsonl

if TYPE_CHECKING:
    from raif.config import RAIFConfig

logger = logging.getLogger("raif")


class Alarms(TrainerCallback):
    """Look at every logged step with every rule of `raif.alarm_rules`; the first finding of each is an alarm.

    An alarm is a warning and a line of `output_dir/alarms.jsonl`: step, name, value, advice and details. A resumed run
    goes on with the logged steps of its checkpoint and repeats no alarm that stands in the file.

    Args:
        latest: the rollouts that the trainer fills in; without, alarms come with metrics only.
    """

    def __init__(self, latest: LatestRollouts | None = None) -> None:
        self.window = Window(latest)
        self.raised: set[str] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        if state.global_step == 0:
            alarms_file(args).unlink(missing_ok=True)  # of a run that is started anew
        self.raised = {row["name"] for row in read_jsonl(alarms_file(args))}
        for logs in state.log_history:
            self.window.see(logs)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        self.window.see(logs)
        self.window.see_rollouts()
        for name, rule in RULES.items():
            if name not in self.raised and (alarm := rule(self.window, args)) is not None:
                self.raised.add(name)
                note_alarm(args, state.global_step, name, alarm)


def note_alarm(config: RAIFConfig, step: int, name: str, alarm: Alarm) -> None:
    """Warn, and add the alarm to the record of the run."""
    logger.warning("alarm %s at step %d: %s", name, step, alarm.advice)
    append_jsonl(alarms_file(config), [{"step": step, "name": name, **alarm._asdict()}])


def alarms_file(config: RAIFConfig) -> Path:
    """Return where the alarms of a run are recorded."""
    return Path(str(config.output_dir)) / "alarms.jsonl"
