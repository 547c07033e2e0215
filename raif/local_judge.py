"""A judge without a server: a local model asked through transformers' typed decisions.

One forward pass gives the probability of yes among yes and no at the place of the reply; no text is generated. It is
the likelihood judge of RAIF (arXiv 2506.01413) with the judge's own tokenizer and chat template, and in one pass.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

from raif.model_paths import check_model_path
from rewards.entries import JudgeReward, RewardConfig
from rewards.errors import RaifError
from rewards.judge import Consultant, Judge, JudgeConfig
from rewards.judge.client import Arrived
from rewards.judge.opinions import Reply
from rewards.judge.prompts import Prompt
from rewards.judge.replies import decision_request, read_decision


def make_judge(config: JudgeConfig) -> Consultant:
    """Return the judge that a configuration describes: served with a `base_url`, else local."""
    return Judge(config) if config.base_url else LocalJudge(config)


def judge_of(entries: Sequence[RewardConfig]) -> Consultant | None:
    """Return the judge of a recipe's reward entries, if one has a judge."""
    return next((make_judge(entry.judge) for entry in entries if isinstance(entry, JudgeReward)), None)


class LocalJudge(Consultant):
    """A local causal language model as judge.

    The model is loaded at the first question, and again after pickling. A prompt longer than `max_prompt_tokens` or
    than the model's positions is refused. Of the settings, those of a server (timeout, retries, sampling) play no part.

    Args:
        config: `model` is a folder or a hub name; `mode` is auto or decision.
        device: such as `cuda:1`; by default the accelerator of this process's local rank, else the CPU.
    """

    kind = "local"

    def __init__(self, config: JudgeConfig, device: str | None = None) -> None:
        super().__init__(config)
        if config.mode not in ("auto", "decision"):
            raise RaifError(f"judge mode {config.mode!r} needs a server (base_url); a local judge uses mode decision.")
        check_model_path(config.model)
        self.device = device
        self._pipe: Any = None
        self._busy = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config, "device": self.device}

    async def _consult(self, prompts: Sequence[Prompt], arrived: Arrived) -> list[Reply]:
        return await asyncio.to_thread(self._decide_all, prompts, arrived)

    def _decide_all(self, prompts: Sequence[Prompt], arrived: Arrived) -> list[Reply]:
        deadline, replies = self.config.deadline, list[Reply]()
        with self._busy:  # a tokenizer serves one thread at a time
            if self._pipe is None:
                self._pipe = load_pipeline(self.config.model, self.device)
            end = None if deadline is None else time.monotonic() + deadline
            for index, prompt in enumerate(prompts):
                if end is not None and time.monotonic() > end:
                    late = Reply(None, "failed", f"not answered within the deadline of {deadline} s")
                    return [*replies, *[late] * (len(prompts) - index)]
                replies.append(self._decide(prompt))
                arrived(index, replies[-1])
        return replies

    def _decide(self, prompt: Prompt) -> Reply:
        import torch

        pipe = self._pipe
        inputs = pipe.preprocess(decision_request(prompt))
        length, limit = inputs["prompts"][0][0]["input_ids"].shape[-1], self._limit()
        if limit is not None and length > limit:
            return Reply(None, "refused", f"prompt of {length} tokens exceeds the judge's {limit}")
        try:
            return read_decision({"answers": pipe.postprocess(pipe.forward(inputs))})
        except torch.OutOfMemoryError as error:
            return Reply(None, "failed", f"no memory for a prompt of {length} tokens: {error}")

    def _limit(self) -> int | None:
        positions = getattr(self._pipe.model.config.get_text_config(), "max_position_embeddings", None)
        return min((limit for limit in (self.config.max_prompt_tokens, positions) if limit), default=None)


def load_pipeline(model: str, device: str | None = None) -> Any:
    """Load a model for typed decisions.

    Raises:
        RaifError: if it cannot be loaded, has no chat template, or has no single token for yes or for no.
    """
    import torch
    from transformers import pipeline

    if device is None:
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        pipe: Any = pipeline("decision", model=model, device=device)
        pipe(decision_request(Prompt("It rains.", "Does it rain?", "")))
    except (OSError, ValueError, NotImplementedError) as error:
        raise RaifError(
            f"{model} cannot judge: {error}. Give a chat model, or put a decision.json with single-token labels for "
            '"noul" next to it.'
        ) from error
    return pipe
