"""The cap on completion length, and what a completion that hits it is worth."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OnTruncation = Literal["zero", "penalty", "mask", "score"]


class LengthCap(BaseModel):
    """A maximum number of completion tokens.

    Fields:
        limit: completion tokens, end token included; generation stops here.
        on_truncation: what a completion that hits the cap without an end token is worth.
            `zero`: no outcome reward, total 0 (MathIF's cap study). `penalty`: total is `penalty`.
            `mask`: judged as it stands for the record and the group baseline, but its tokens leave the loss.
            `score`: judged as it stands.
        penalty: the total of a truncated rollout under `penalty`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(ge=1)
    on_truncation: OnTruncation = "zero"
    penalty: float = Field(default=-1.0, allow_inf_nan=False)

    def truncates(self, tokens: int, ended: bool) -> bool:
        """Tell whether a completion of so many tokens was cut off by the cap."""
        return tokens >= self.limit and not ended


def soft_overlong(tokens: int, limit: int, band: int) -> float:
    """Return 0 up to `band` tokens before the limit, falling linearly to -1 at it (DAPO, arXiv 2503.14476, eq. 13).

    The same numbers as `trl.rewards.get_soft_overlong_punishment(limit, band)`.

    Example:
        >>> soft_overlong(80, 100, 20), soft_overlong(90, 100, 20), soft_overlong(101, 100, 20)
        (0.0, -0.5, -1.0)
    """
    start = limit - band
    return 0.0 if tokens <= start else max(-1.0, (start - tokens) / band) if band else -1.0
