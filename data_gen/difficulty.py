"""The difficulty dial: how many demands, how deeply nested, how tight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["easy", "medium", "hard"]


class Dial(BaseModel):
    """What a level of difficulty means.

    Fields:
        min, max: the number of leaves.
        depth: the most nodes above a leaf, an And that only bundles the demands of a branch left out.
        tightness: how often the harder of two draws of arguments is taken.
        composite: the factor on the shares of chain, selection and nested trees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: int = Field(ge=1)
    max: int = Field(ge=1)
    depth: int = Field(default=3, ge=1)
    tightness: float = Field(default=0.0, ge=0, le=1)
    composite: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Dial:
        if self.min > self.max:
            raise ValueError(f"min {self.min} exceeds max {self.max}")
        return self


LEVELS: Mapping[Level, Dial] = {
    "easy": Dial(min=1, max=2, depth=1, tightness=0.0, composite=0.3),
    "medium": Dial(min=2, max=4, depth=2, tightness=0.3, composite=1.0),
    "hard": Dial(min=4, max=7, depth=3, tightness=0.8, composite=2.0),
}
