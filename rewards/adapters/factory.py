"""One way to make the reward that all adapters share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from rewards.caps import LengthCap
from rewards.entries import parse_rewards
from rewards.errors import RaifError, unknown_name
from rewards.reward import Scorer
from rewards.reward_files import read_rewards
from rewards.reward_functions import RolloutReward
from rewards.think_styles import ThinkStyle


def make_reward(
    rewards: Sequence[Any] | str | Path,
    *,
    cap: LengthCap | Mapping[str, Any] | None = None,
    style: ThinkStyle = "think",
    prefilled: bool = True,
    eos_token_ids: Sequence[int] = (),
) -> RolloutReward:
    """Make a reward; it is a TRL reward function itself.

    Args:
        rewards: the entries, or the path of a YAML file with such a list, alone or under `rewards:` as in a training
            recipe, of which nothing else is read.
        cap: the length cap, as an object or its fields; None when truncation plays no part.
        style: how completions mark thinking, see `rewards.think_styles`.
        prefilled: whether the chat template opens `<think>` itself.
        eos_token_ids: tokens that end a completion, for frameworks that hand over token ids.

    Raises:
        RaifError: if a file, an entry, the cap or the style is not valid.

    Example:
        >>> make_reward([{"type": "constraints"}], cap={"limit": 512}, style="think_answer").scorer.cap.on_truncation
        'zero'
    """
    if style not in get_args(ThinkStyle):
        raise unknown_name("think style", style, get_args(ThinkStyle), "See rewards.think_styles.")
    entries = read_rewards(rewards) if isinstance(rewards, str | Path) else rewards
    return RolloutReward(Scorer(parse_rewards(entries), _cap(cap)), eos_token_ids, style, prefilled)


def _cap(cap: LengthCap | Mapping[str, Any] | None) -> LengthCap | None:
    if cap is None or isinstance(cap, LengthCap):
        return cap
    try:
        return LengthCap.model_validate(cap)
    except ValidationError as error:
        fields = ", ".join(LengthCap.model_fields)
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "cap"
        raise RaifError(f"cap {cap!r} is not valid: {where}: {problem['msg']}. It takes: {fields}.") from error
