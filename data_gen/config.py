"""The recipe of a data set: a YAML file, every key checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from data_gen.arguments import DEFAULT_TYPES
from rewards.constraint import constraint_class
from rewards.errors import RaifError, unknown_name

Language = Literal["en", "zh"]
Layout = Literal["inline", "list"]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # what is never drawn is left out


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeedSource(_Section):
    """One source of seeds; `path` and `fields` belong to type `jsonl`."""

    type: Literal["arithmetic", "writing", "jsonl"]
    weight: Weight = 1.0
    path: str | None = None
    fields: dict[str, str] = Field(default_factory=lambda: {"request": "question", "answer": "answer"})


class ConstraintMix(_Section):
    """How many constraints an instruction gets, and of which types (all known ones by default), with weights."""

    min: int = Field(default=1, ge=1)
    max: int = Field(default=3, ge=1)
    weights: dict[str, Weight] = Field(default_factory=dict)


class WarmStart(_Section):
    """Supervised demonstrations for a warm start: how many, how careless, how many without thinking."""

    count: int = Field(ge=1)
    careless: float = Field(default=0.0, ge=0, le=1)
    direct: float = Field(default=0.3, ge=0, le=1)


class DataConfig(_Section):
    """Everything that decides the bytes of a data set, together with the generator's version."""

    seed: int = 0
    counts: dict[Literal["train", "test"], NonNegativeInt] = Field(min_length=1)
    seeds: tuple[SeedSource, ...] = Field(min_length=1)
    languages: dict[Language, Weight] = {"en": 1.0}
    constraints: ConstraintMix = ConstraintMix()
    arguments: dict[str, dict[str, tuple[int, int]]] = Field(default_factory=dict)
    layouts: dict[Layout, Weight] = {"inline": 1.0}
    warm_start: WarmStart | None = None

    def constraint_weights(self) -> dict[str, float]:
        """Return the weight of every constraint type that may be drawn."""
        return dict(self.constraints.weights) or dict.fromkeys(DEFAULT_TYPES, 1.0)


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, or say what is wrong with the file."""
    source = Path(path)
    if not source.is_file():
        raise RaifError(f"no recipe at {source}; `raif recipes` lists the shipped ones.")
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise RaifError(f"{source} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise RaifError(f"{source} must hold a mapping of keys to values; it holds {type(content).__name__}.")
    return content


def parse_config(content: dict[str, Any], where: str) -> DataConfig:
    """Validate a data recipe; unknown keys, constraints and ranges are errors that name them."""
    try:
        config = DataConfig.model_validate(content)
    except ValidationError as error:
        raise _explain(error, where) from error
    if config.constraints.min > config.constraints.max:
        raise RaifError(f"{where}: constraints.min {config.constraints.min} exceeds max {config.constraints.max}.")
    for name in (*config.constraints.weights, *config.arguments):
        constraint_class(name)
    return config


def _explain(error: ValidationError, where: str) -> RaifError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = DataConfig.model_fields if len(first["loc"]) == 1 else ()
        return unknown_name(f"key in {where}:", path, known, "Remove it or correct its name.")
    return RaifError(f"{where}: {path}: {first['msg']} (got {first['input']!r}).")
