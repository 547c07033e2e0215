"""Prime Intellect's verifiers: a reward function for a `Rubric`, and for the tasks of version 1.

The contracts are those of PrimeIntellect-ai/verifiers@a60a606: a `Rubric` (`verifiers/legacy/rubrics/rubric.py`) calls
a function, which may be a coroutine function, with what its parameters name, and logs an exception as 0.0; a task of
version 1 (`verifiers/v1/task.py`) has `@vf.reward` methods that get a `Trace`, and an exception fails the trace.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rewards.adapters.rows import Adapter, Row, Unscored
from rewards.errors import RaifError
from rewards.reward_functions import RolloutReward


class VerifiersReward(Adapter):
    """Score the last message of a completion; a coroutine function that works in a thread.

    A row's instruction is `info["instruction"]` if there is one, else `answer`: a line of `instructions.jsonl`.
    Truncation and tokens are read from the rollout's `state`. In version 1 the method of a task is::

        @vf.reward
        async def raif(self, trace: vf.Trace) -> float:
            return await REWARD.of_trace(trace, self.data.instruction)

    Args:
        reward: made by `make_reward`; `prefilled=False` fits servers that give the thinking apart, since a reply
            without any is then an answer.
        unscored: see `Adapter`; "raise" fails a trace of version 1, and a `Rubric` makes it 0.0.
        name: under which the reward is logged.

    Example:
        >>> from rewards import Instruction, Leaf, Provenance
        >>> from rewards.adapters import VerifiersReward, make_reward
        >>> task = Instruction.build(
        ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "length:max_words", "limit": 4}),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> reward = VerifiersReward(make_reward([{"type": "constraints"}], prefilled=False), unscored=0.5)
        >>> reply = {"role": "assistant", "reasoning_content": "3 + 4", "content": "7."}  # Rubric(funcs=[reward])
        >>> asyncio.run(reward(completion=[reply], info={"instruction": task.model_dump_json()}))
        1.0
    """

    def __init__(self, reward: RolloutReward, *, unscored: Unscored, name: str = "raif") -> None:
        super().__init__(reward, unscored=unscored)
        self.__name__ = name

    async def __call__(
        self,
        completion: str | Sequence[Any],
        info: Mapping[str, Any] | str | None = None,
        answer: str = "",
        state: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> float:
        """Return the score of a rollout of a `Rubric`."""
        known = _parsed(info) if isinstance(info, str) else info or {}
        return await self._score(_of_state(state or {}, Row(completion, known.get("instruction") or answer)))

    async def of_trace(self, trace: Any, instruction: object) -> float:
        """Return the score of the last reply of a `Trace`."""
        replies = trace.assistant_messages[-1:]
        tokens = trace.num_output_tokens
        return await self._score(Row(replies, instruction, tokens=tokens, truncated=trace.is_truncated))

    async def _score(self, row: Row) -> float:
        return self.number((await asyncio.to_thread(self.grade, [row]))[0])


def _parsed(info: str) -> Mapping[str, Any]:
    try:
        found = json.loads(info)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise RaifError(f"info must be a mapping or its JSON; got {info!r:.99}")
    return found


def _of_state(state: Mapping[str, Any], row: Row) -> Row:
    """Add what the last step of a rollout says about its length."""
    if not state.get("trajectory"):
        return row
    step = state["trajectory"][-1]
    ids = (step.get("tokens") or {}).get("completion_ids") or ()
    usage = getattr(step.get("response"), "usage", None)
    return row._replace(
        token_ids=ids, tokens=getattr(usage, "completion_tokens", None), truncated=step.get("is_truncated")
    )
