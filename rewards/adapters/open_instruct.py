"""open-instruct: a verifier.

The contract is `VerifierFunction` in `open_instruct/ground_truth_utils.py` of allenai/open-instruct@e6c3044, whose
`apply_verifiable_reward` looks a verifier up by the data set's name, awaits `async_call` and multiplies `score` with
`weight`. Texts come without special tokens (`compute_rewards` in `vllm_utils.py`), token ids with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from rewards.adapters.rows import Adapter, Row, Unscored
from rewards.metrics import verdict_summary
from rewards.reward_functions import RolloutReward


class VerificationResult(NamedTuple):
    """The fields that open-instruct's result of the same name has."""

    score: float
    cost: float = 0.0
    reasoning: str | None = None


class OpenInstructVerifier(Adapter):
    """Verify predictions; the label is an instruction, as a line of `instructions.jsonl` or a mapping.

    Put one into `RewardConfig.verifier_functions`. To have it found by open-instruct, derive from both, in a module
    that is imported before the verifiers are built::

        class Raif(OpenInstructVerifier, VerifierFunction):
            def __init__(self, verifier_config=None):
                super().__init__(make_reward("recipe.yaml", eos_token_ids=[100257]), unscored=0.5)

    Args:
        reward: made by `make_reward`; give it `eos_token_ids` if it has a cap.
        unscored: see `Adapter`; "raise" ends a run of open-instruct.
        name: the data set name (`dataset` column) of the rows that it verifies.
        weight: what open-instruct multiplies the score with.

    Example:
        >>> from rewards import Instruction, Leaf, Provenance
        >>> from rewards.adapters import OpenInstructVerifier, make_reward
        >>> task = Instruction.build(
        ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "length:max_words", "limit": 4}),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> verifier = OpenInstructVerifier(make_reward([{"type": "constraints"}]), unscored=0.5, name="raif")
        >>> verifier_functions = {verifier.name: verifier}  # a field of open-instruct's RewardConfig
        >>> asyncio.run(verifier.async_call([9, 1], "3 + 4</think>7.", task.model_dump_json())).score
        1.0
    """

    def __init__(self, reward: RolloutReward, *, unscored: Unscored, name: str = "raif", weight: float = 1.0) -> None:
        super().__init__(reward, unscored=unscored)
        self.name, self.weight = name, weight

    def __call__(
        self,
        tokenized_prediction: Sequence[int],
        prediction: str,
        label: object,
        query: str | None = None,
        rollout_state: dict[str, Any] | None = None,
    ) -> VerificationResult:
        """Return the score with the verdicts for a reason."""
        reward = self.grade([Row(prediction, label, tokenized_prediction)])[0]
        return VerificationResult(self.number(reward), reasoning=reward.reason or verdict_summary(reward))

    async def async_call(
        self,
        tokenized_prediction: Sequence[int],
        prediction: str,
        label: object,
        query: str | None = None,
        rollout_state: dict[str, Any] | None = None,
    ) -> VerificationResult:
        """Do the same in a thread."""
        return await asyncio.to_thread(self, tokenized_prediction, prediction, label, query, rollout_state)
