"""TRL: the coroutine twin of `RolloutReward`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from rewards.reward import Reward
from rewards.reward_functions import RolloutReward


class AsyncRolloutReward:
    """Score in a thread, so that TRL's other coroutine rewards go on meanwhile.

    TRL takes a callable whose `__call__` is a coroutine function for one of these, gathers all of them on the event
    loop of a thread of its own, and waits for the last (`is_async_callable` and `GRPOTrainer._calculate_rewards` of
    huggingface/trl 1.16.0).

    Args:
        reward: made by `make_reward`.

    Example:
        >>> from rewards import Instruction, Leaf, Provenance
        >>> from rewards.adapters import AsyncRolloutReward, make_reward
        >>> task = Instruction.build(
        ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "length:max_words", "limit": 4}),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> reward = make_reward([{"type": "format", "weight": 0.25}, {"type": "constraints"}])
        >>> twin = AsyncRolloutReward(reward)  # GRPOTrainer(reward_funcs=[twin], ...) or [reward]
        >>> rows = dict(prompts=["-"], completions=["3 + 4</think>7."], completion_ids=[[1]])
        >>> asked = dict(instruction=[task.model_dump_json()])  # a column of the training set
        >>> reward(**rows, **asked), asyncio.run(twin(**rows, **asked))
        ([1.25], [1.25])
    """

    __name__ = "reward"

    def __init__(self, reward: RolloutReward) -> None:
        self.reward = reward

    @property
    def last(self) -> list[Reward]:
        """Breakdowns of the latest call."""
        return self.reward.last

    async def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        instruction: Sequence[str],
        **others: Any,
    ) -> list[float | None]:
        """Return one total per completion, None where it cannot be decided."""
        return await asyncio.to_thread(self.reward, prompts, completions, completion_ids, instruction, **others)
