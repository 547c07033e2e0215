"""What a SUSTAIN evaluation is asked, beyond model, tasks and sampling."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from data_gen.self_evident import DOSES, Placement
from rewards.errors import RaifError, unknown_name

QaScore = Literal["em", "f1"]


class SustainSettings(BaseModel):
    """The settings of an evaluation.

    Fields:
        placement: where constraints and placebos stand in the prompt.
        doses: how many constraints a prompt has at once; 1, the main score, is always among them.
        constraints: how many single constraints of an item are tried, each alone (J).
        seed: decides, with the id of a task, which constraints and wordings it gets.
        qa_score: exact match or token F1, for questions.
        tau: the score from which a task counts as solved; 1 but for graded scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    placement: Placement = "suffix"
    doses: tuple[int, ...] = DOSES
    constraints: int = Field(default=1, ge=1, le=8)
    seed: int = 0
    qa_score: QaScore = "em"
    tau: float = Field(default=1.0, gt=0, le=1)

    @field_validator("doses")
    @classmethod
    def _in_order(cls, doses: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= dose <= 16 for dose in doses):
            raise ValueError(f"doses are from 1 to 16 constraints; got {list(doses)}")
        return tuple(sorted({1, *doses}))

    @property
    def kept(self) -> int:
        """How many demands of an item can be asked for."""
        return max(*self.doses, self.constraints)


def parse_settings(options: dict[str, Any]) -> SustainSettings:
    """Make settings of options given as text, such as `{"doses": "1,2,5"}`.

    Raises:
        RaifError: which names the option and its value.

    Example:
        >>> parse_settings({"doses": "5,1", "placement": "prefix"}).doses
        (1, 5)
    """
    for name in options:
        if name not in SustainSettings.model_fields:
            raise unknown_name("option of suite sustain", name, SustainSettings.model_fields, "Correct it.")
    given = dict(options)
    if isinstance(doses := given.get("doses"), str):
        given["doses"] = [part.strip() for part in doses.split(",")]
        if not all(part.isdecimal() for part in given["doses"]):
            raise RaifError(f"doses {doses!r} is no list of numbers; write them with commas, such as 1,2,5.")
    try:
        return SustainSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        message = first["msg"].removeprefix("Value error, ")
        raise RaifError(f"{name} {options[name]!r} is not valid for suite sustain: {message}.") from error
