"""Count the completion tokens that a run samples, and end it where they reach a budget.

Runs under different caps are then compared at equal sampling instead of equal steps. The cap makes rollouts shorter, so
a run under a small cap takes more steps and sees more prompts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from raif.rollouts import read_jsonl
from rewards.errors import RaifError

if TYPE_CHECKING:
    from raif.config import RAIFConfig
    from raif.trainer import RAIFTrainer

logger = logging.getLogger("raif")
ROLLOUT_TOKENS = "rollout_tokens"


class TokenBudget(TrainerCallback, ExportableState):
    """Log `rollout_tokens`, the completion tokens that all ranks have sampled, and end a run that spent its budget.

    Direct rollouts count too. A run ends with the generation cycle in which the budget is reached; `max_steps` still
    bounds it. Checkpoints carry the count. None is written at the end: one whose budget is spent could not be taken up
    without another step, and the final policy is saved anyway.

    Args:
        trainer: its latest batch is counted, its metrics take the count.
    """

    def __init__(self, trainer: RAIFTrainer) -> None:
        self.tokens = 0
        self._trainer = trainer
        self._counted = 0  # the step whose batch was counted last

    def state(self) -> dict[str, Any]:
        """Return what checkpoints keep."""
        return {"args": {}, "attributes": {"tokens": self.tokens}}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        saved = state.stateful_callbacks.get(type(self).__name__, self.state())
        self.tokens = int(saved["attributes"]["tokens"])

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        latest = self._trainer.latest
        if latest.batch is not None and latest.step != self._counted:
            self._counted = latest.step
            self.tokens += _over_ranks(sum(map(len, (*latest.batch.rollout_ids, *latest.batch.direct_ids))))
        self._trainer._metrics["train"][ROLLOUT_TOKENS] = [float(self.tokens)]
        is_spent = 0 < args.max_rollout_tokens <= self.tokens
        if is_spent and state.global_step % args.generation_cycle == 0:
            logger.info("%d completion tokens are sampled: ending at step %d", self.tokens, state.global_step)
            control.should_log = control.should_training_stop = True
            control.should_save = False
        return control


def check_budget(config: RAIFConfig) -> None:
    """Refuse a budget that is no number of tokens."""
    budget = config.max_rollout_tokens
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 0:
        raise RaifError(f"max_rollout_tokens must be a whole number of tokens, 0 for no limit; got {budget!r}.")


def length_asked(settings: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Return the settings of a run; one that its budget has ended is as long as it was asked to be.

    Args:
        settings: see `raif.run_folder.run_settings`.
        output: where the run may have finished before.
    """
    training, done = settings["training"], output / "done.json"
    budget = training["max_rollout_tokens"]
    if not budget or not done.is_file() or sampled_tokens(output) < budget:
        return dict(settings)
    steps = json.loads(done.read_text(encoding="utf-8"))["steps"]
    return {**settings, "training": {**training, "max_steps": steps}}


def sampled_tokens(output: Path) -> int:
    """Return the completion tokens that a run has sampled, as its `metrics.jsonl` says; 0 if it says nothing."""
    rows = read_jsonl(output / "metrics.jsonl")
    return int(next((row[ROLLOUT_TOKENS] for row in reversed(rows) if row.get(ROLLOUT_TOKENS) is not None), 0))


def _over_ranks(count: int) -> int:
    state = PartialState()
    if state.num_processes == 1:
        return count
    total = torch.tensor(count, dtype=torch.int64, device=state.device)
    torch.distributed.all_reduce(total)
    return int(total.item())
