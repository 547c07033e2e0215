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
        soft_band: tokens before the cap over which `length` falls linearly from 0 to -1 (DAPO's overlong band).

    Example:
        >>> cap = LengthCap(limit=100, soft_band=20)
        >>> cap.length_reward(80), cap.length_reward(90), cap.length_reward(100)
        (0.0, -0.5, -1.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(ge=1)
    on_truncation: OnTruncation = "zero"
    penalty: float = Field(default=-1.0, allow_inf_nan=False)
    soft_band: int = Field(default=0, ge=0)

    def truncates(self, tokens: int, ended: bool) -> bool:
        """Tell whether a completion of so many tokens was cut off by the cap."""
        return tokens >= self.limit and not ended

    def length_reward(self, tokens: int) -> float:
        """Return the soft overlong term, 0 outside the band (DAPO, arXiv 2503.14476, eq. 13)."""
        start = self.limit - self.soft_band
        if self.soft_band == 0 or tokens <= start:
            return 0.0
        return max(-1.0, (start - tokens) / self.soft_band)
