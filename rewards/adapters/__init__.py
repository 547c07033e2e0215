"""The same scoring in the shapes of other frameworks, of which nothing is imported.

- TRL: what `make_reward` returns is a reward function; `AsyncRolloutReward` is its coroutine twin.
- verl: `VerlReward`, or `rewards.adapters.verl.compute_score` with settings instead of code.
- open-instruct: `OpenInstructVerifier`.  Prime Intellect's verifiers: `VerifiersReward`.

All of them pickle, may be called from many threads at once, and score a row exactly as `Scorer` does. Where a framework
takes nothing but numbers, `unscored` must say what a rollout is worth that nobody can decide.
"""

from __future__ import annotations

from rewards.adapters.factory import make_reward
from rewards.adapters.open_instruct import OpenInstructVerifier
from rewards.adapters.rows import UnscoredRollout
from rewards.adapters.trl_async import AsyncRolloutReward
from rewards.adapters.verifiers import VerifiersReward
from rewards.adapters.verl import VerlReward

__all__ = [
    "AsyncRolloutReward",
    "OpenInstructVerifier",
    "UnscoredRollout",
    "VerifiersReward",
    "VerlReward",
    "make_reward",
]
