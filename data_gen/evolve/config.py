"""The settings of an evolution: every key checked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_gen.evolve.kinds import SOFT_KINDS
from data_gen.served import ServedConfig, parse_served
from rewards.errors import RaifError, unknown_name


class EvolveConfig(BaseModel):
    """What is done to each instruction, and what becomes of those that fail.

    Fields:
        server: the model that rewrites, see `ServedConfig`.
        rewrite: whether demands are rewritten one by one before they are merged.
        soft: how many soft demands are added, from and to; drawn for each instruction.
        soft_kinds: which kinds are added, see `SOFT_KINDS`.
        task: `verbatim` keeps the words of the request, `reworded` its numbers and most of its words; `auto` is
            verbatim where the task has a ground truth or a demand that speaks of the words of the request.
        on_failure: an instruction that cannot be evolved keeps its template prompt, or is dropped. With
            `keep_template` a single demand whose rewriting fails also keeps its wording.
        check_by_model: also ask the model whether the new prompt holds each demand.
        re_asks: how often a step is tried again after a reply that cannot be used; the model is told why.
        batch: instructions in work at once; memory is that of one batch.
        max_characters, max_growth: of the new prompt, the latter against the template prompt or, where that is more,
            the request with all demands that it has to say.
        seed: decides how many soft demands of which kinds each instruction gets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: ServedConfig
    rewrite: bool = True
    soft: tuple[int, int] = (0, 2)
    soft_kinds: tuple[str, ...] = tuple(SOFT_KINDS)
    task: Literal["auto", "verbatim", "reworded"] = "auto"
    on_failure: Literal["keep_template", "drop"] = "keep_template"
    check_by_model: bool = False
    re_asks: int = Field(default=1, ge=0, le=5)
    batch: int = Field(default=64, ge=1)
    max_characters: int = Field(default=8000, ge=100)
    max_growth: float = Field(default=3.0, ge=1, allow_inf_nan=False)
    seed: int = 0

    @field_validator("soft_kinds")
    @classmethod
    def _known_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [kind for kind in kinds if kind not in SOFT_KINDS]:
            raise ValueError(str(unknown_name("kind of soft demand", unknown[0], SOFT_KINDS, "Correct or remove it.")))
        return tuple(dict.fromkeys(kinds))

    @model_validator(mode="after")
    def _enough_kinds(self) -> EvolveConfig:
        low, high = self.soft
        if not 0 <= low <= high <= len(self.soft_kinds):
            raise ValueError(
                f"soft {[low, high]} must be 0 <= from <= to <= {len(self.soft_kinds)}, the number of soft_kinds"
            )
        if high and not self.rewrite:
            raise ValueError(
                "soft demands are added while demands are rewritten; set soft to [0, 0] or rewrite to true"
            )
        return self


def parse_evolve(settings: Any, where: str = "evolution") -> EvolveConfig:
    """Parse the settings of an evolution.

    Raises:
        RaifError: naming the setting that is unknown or wrong.

    Example:
        >>> server = {"base_url": "http://127.0.0.1:8000/v1", "model": "qwen"}
        >>> parse_evolve({"server": server, "sofd": [1, 1]})
        Traceback (most recent call last):
        ...
        rewards.errors.RaifError: unknown setting of evolution: 'sofd'; did you mean 'soft'? Known: batch,
        check_by_model, max_characters, max_growth, on_failure, re_asks, rewrite, seed, server, soft, soft_kinds, task.
        Correct or remove it.
    """
    if not isinstance(settings, dict) or "server" not in settings:
        raise RaifError(f"{where} needs a mapping with a `server` (base_url and model); got {type(settings).__name__}.")
    for name in (name for name in settings if name not in EvolveConfig.model_fields):
        raise unknown_name(f"setting of {where}:", name, EvolveConfig.model_fields, "Correct or remove it.")
    try:
        return EvolveConfig.model_validate({**settings, "server": parse_served(settings["server"])})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise RaifError(f"{where} is not set up: {problems}. See data_gen.evolve.EvolveConfig.") from None
