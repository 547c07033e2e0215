"""What the adapters share: rollouts as frameworks hand them over, and what becomes of the unscored ones."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from rewards.entries import LengthCapReward
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse
from rewards.reward_functions import RolloutReward, completion_text, parse_instruction

logger = logging.getLogger(__name__)

#: What an unscored rollout is worth: a finite number, or an exception.
Unscored = float | Literal["raise"]


class UnscoredRollout(RaifError):
    """A rollout that nobody can score, where `unscored: raise` was asked for."""


class Row(NamedTuple):
    """One rollout; what a framework does not say is None.

    Fields:
        completion: the text, or the messages of the reply.
        instruction: a line of `instructions.jsonl`, its content as a mapping, or the record itself.
        token_ids: of the completion, end token included.
        tokens: the number of completion tokens, where there are no ids.
        truncated: whether the completion was cut off.
    """

    completion: str | Sequence[Any]
    instruction: object
    token_ids: Sequence[int] = ()
    tokens: int | None = None
    truncated: bool | None = None


class Adapter:
    """Score rows with a reward; subclasses give it the calling convention of a framework.

    Args:
        reward: made by `make_reward`.
        unscored: the score of a rollout that cannot be decided (a checker failed, a text is too short to tell its
            language, a judge did not answer), or "raise". Take a value in the middle of the scale if in doubt: the
            lowest one punishes the policy for what a checker could not do.

    Raises:
        RaifError: if `unscored` is neither a finite number nor "raise".
    """

    def __init__(self, reward: RolloutReward, *, unscored: Unscored) -> None:
        self.reward, self.unscored = reward, _checked(unscored)
        self._warned = False

    def grade(self, rows: Sequence[Row]) -> list[Reward]:
        """Return the breakdown of each row, in order."""
        return self.reward.scorer.score([self._scored(row) for row in rows])

    def number(self, reward: Reward) -> float:
        """Return the total, or what an unscored rollout is worth.

        Raises:
            UnscoredRollout: if the reward is undecided and `unscored` is "raise".
        """
        if reward.total is not None:
            return reward.total
        if self.unscored == "raise":
            raise UnscoredRollout(f"the rollout cannot be scored: {reward.reason}")
        if not self._warned:
            self._warned = True
            logger.warning("some rollouts cannot be scored and get %g; the first: %s", self.unscored, reward.reason)
        return self.unscored

    def _scored(self, row: Row) -> ScoredResponse:
        reward, text = self.reward, completion_text(_messages(row.completion), self.reward.style)
        tokens = len(row.token_ids) or row.tokens
        if tokens is None and any(isinstance(entry, LengthCapReward) for entry in reward.scorer.rewards):
            raise _not_said("length_cap entry", "the number of completion tokens", "drop the entry")
        response = Response.split(
            text, style=reward.style, prefilled=reward.prefilled, truncated=self._is_truncated(row)
        )
        return ScoredResponse(instruction_of(row.instruction), response, tokens or 0, text, row.token_ids)

    def _is_truncated(self, row: Row) -> bool:
        cap = self.reward.scorer.cap
        if row.truncated is not None:
            return bool(row.truncated)
        if cap is None:
            return False
        if not len(row.token_ids):
            raise _not_said("cap", "token ids, or word of truncation", "drop the cap")
        return cap.truncates(len(row.token_ids), row.token_ids[-1] in self.reward.eos_token_ids)


def _checked(unscored: object) -> Unscored:
    if unscored == "raise":
        return "raise"
    if isinstance(unscored, int | float) and not isinstance(unscored, bool) and math.isfinite(unscored):
        return float(unscored)
    raise RaifError(f"unscored must be a finite number or 'raise'; got {unscored!r}.")


def _not_said(setting: str, wanted: str, otherwise: str) -> RaifError:
    return RaifError(
        f"the {setting} needs {wanted}, and the row has none; see the adapter's docstring, or {otherwise}."
    )


def _messages(completion: str | Sequence[Any]) -> str | list[dict[str, Any]]:
    """Return text as it is, and the last message as a mapping with plain text."""
    if isinstance(completion, str):
        return completion
    if not completion:
        return ""
    last = completion[-1]
    names = ("content", "reasoning_content", "thinking")
    found = {name: last.get(name) if hasattr(last, "get") else getattr(last, name, None) for name in names}
    if isinstance(found["content"], Sequence) and not isinstance(found["content"], str):
        found["content"] = "".join(str(plain(part).get("text") or "") for part in found["content"])
    return [found]


def instruction_of(value: object) -> Instruction:
    """Return the instruction of a row.

    Raises:
        RaifError: if the row carries none.
    """
    if isinstance(value, Instruction):
        return value
    problem = f"it is {type(value).__name__}"
    try:
        if isinstance(value, str):
            return parse_instruction(value)
        if isinstance(value, Mapping):
            return parse_instruction(json.dumps(plain(value), sort_keys=True))
    except RaifError as error:
        problem = str(error)
    raise RaifError(f"the row carries no instruction ({problem}); expected a line of instructions.jsonl: {value!r:.99}")


def plain(value: Any) -> Any:
    """Return mappings, sequences and arrays as what JSON knows (OmegaConf's and numpy's are none of these)."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value
