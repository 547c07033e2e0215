"""verl: a custom reward function, row by row or in batches.

The contract is that of verl-project/verl@1dda039: `get_custom_reward_fn` in `verl/trainer/ppo/reward.py` loads a
callable by path and name and adds `reward_kwargs`; the managers under `verl/experimental/reward_loop/reward_manager`
call it for every row, `verl/workers/reward_manager/batch.py` for a batch. A returned mapping must have a `score`, the
same keys in every row, and numbers for values, of which verl logs the means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rewards.adapters.factory import make_reward
from rewards.adapters.rows import Adapter, Row, Unscored, plain
from rewards.errors import RaifError, unknown_name
from rewards.reward import Reward
from rewards.reward_functions import RolloutReward

_OF_VERL = ("reward_router_address", "reward_model_tokenizer")  # what verl adds to every call of its own accord
_SETTINGS = ("rewards", "cap", "style", "prefilled", "unscored")


class VerlReward(Adapter):
    """Score as verl's `compute_score`; the method `batched` is its `compute_score_batched`.

    A row's instruction is `extra_info["instruction"]` if there is one, else `ground_truth`: a line of
    `instructions.jsonl` or its content as a mapping. verl hands over no tokens. With a cap or a `length_cap` entry
    either the agent loop puts `completion_tokens` and `truncated` into its extra fields, which verl copies to
    `extra_info`, or `count_tokens` counts: verl has removed the end token from the text, so a completion is truncated
    when the rest of it fills the cap (exact for a tokenizer that encodes a decoded text as it was). A `repetition`
    entry looks at words.

    The mapping has `score`; `unscored`, `truncated`, `well_formed` (0 or 1); `hacc`, `sacc`, `correct`, `outcome` and
    the unweighted `rewards/<entry>`, NaN where nobody can decide, and so are means over such rows. An unscored row
    has the score that `unscored` says.

    Args:
        reward: made by `make_reward`.
        unscored: see `Adapter`; "raise" ends a run of verl.
        count_tokens: the number of tokens of a text, without special ones.

    Example:
        >>> from rewards import Instruction, Leaf, Provenance
        >>> from rewards.adapters import VerlReward, make_reward
        >>> task = Instruction.build(
        ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "length:max_words", "limit": 4}),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> compute_score = VerlReward(make_reward([{"type": "constraints"}]), unscored=0.5)
        >>> row = compute_score(data_source="raif", solution_str="3 + 4</think>7.", ground_truth=task.model_dump_json())
        >>> row["score"], row["hacc"], row["unscored"]
        (1.0, 1.0, 0.0)
    """

    __name__ = "compute_score"

    def __init__(
        self, reward: RolloutReward, *, unscored: Unscored, count_tokens: Callable[[str], int] | None = None
    ) -> None:
        super().__init__(reward, unscored=unscored)
        self._count_tokens = count_tokens

    def __call__(
        self,
        data_source: object,
        solution_str: str,
        ground_truth: object,
        extra_info: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, float]:
        """Return the score and the breakdown of one row."""
        return self.batched([data_source], [solution_str], [ground_truth], [extra_info])[0]

    def batched(
        self,
        data_sources: Sequence[object],
        solution_strs: Sequence[str],
        ground_truths: Sequence[object],
        extra_infos: Sequence[Mapping[str, Any] | None] | None = None,
        **_: Any,
    ) -> list[dict[str, float]]:
        """Return the scores and breakdowns of a batch, in order."""
        extras = [None] * len(solution_strs) if extra_infos is None else extra_infos
        rows = [self._row(*each) for each in zip(solution_strs, ground_truths, extras, strict=True)]
        return [self._numbers(reward) for reward in self.grade(rows)]

    def _row(self, text: str, truth: object, extra: Mapping[str, Any] | None) -> Row:
        known = extra or {}
        tokens, truncated = known.get("completion_tokens"), known.get("truncated")
        if tokens is None and self._count_tokens is not None:
            tokens = self._count_tokens(text)
            cap = self.reward.scorer.cap
            truncated = tokens >= cap.limit if cap and truncated is None else truncated
        return Row(text, known.get("instruction") or truth, tokens=tokens, truncated=truncated)

    def _numbers(self, reward: Reward) -> dict[str, float]:
        known: dict[str, float | None] = {
            "hacc": reward.judgement.hard,
            "sacc": reward.judgement.soft,
            "correct": reward.correct,
            "outcome": reward.outcome,
            **{f"rewards/{label}": value for label, value in reward.parts.items()},
        }
        return {
            "score": self.number(reward),
            "unscored": float(reward.total is None),
            "truncated": float(reward.truncated),
            "well_formed": float(reward.well_formed),
            **{name: math.nan if value is None else float(value) for name, value in known.items()},
        }


def compute_score(
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, float]:
    """Score a row with the settings of `reward_kwargs`: `unscored`, and the arguments of `make_reward`.

    With `reward.custom_reward_function.path: pkg://rewards.adapters.verl` no code is needed. See `VerlReward`.

    Raises:
        RaifError: if a setting is missing or unknown.
    """
    return _shared(settings)(data_source, solution_str, ground_truth, extra_info)


def compute_score_batched(
    data_sources: Sequence[object],
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping[str, Any] | None] | None = None,
    **settings: Any,
) -> list[dict[str, float]]:
    """Score a batch for verl's batch reward manager; settings as for `compute_score`."""
    return _shared(settings).batched(data_sources, solution_strs, ground_truths, extra_infos)


_MADE: dict[str, VerlReward] = {}


def _shared(settings: Mapping[str, Any]) -> VerlReward:
    """Return the reward of these settings, made once per process."""
    own = {name: settings[name] for name in sorted(settings) if name not in _OF_VERL}
    key = repr(own)
    if key not in _MADE:
        _MADE[key] = _make(plain(own))
    return _MADE[key]


def _make(settings: dict[str, Any]) -> VerlReward:
    for name in settings:
        if name not in _SETTINGS:
            raise unknown_name("setting of reward_kwargs", name, _SETTINGS, "See rewards.adapters.verl.")
    if missing := next((name for name in ("rewards", "unscored") if name not in settings), None):
        raise RaifError(f"reward_kwargs lacks {missing}; it takes: {', '.join(_SETTINGS)}. See rewards.adapters.verl.")
    unscored = settings.pop("unscored")
    return VerlReward(make_reward(**settings), unscored=unscored)
