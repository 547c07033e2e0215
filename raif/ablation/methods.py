"""How a recipe trains: on rewards (`raif.train`), or on demonstrations (`raif.sft`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trl import ModelConfig

from data_gen.config import load_yaml
from raif.recipes import BASE, load_recipe, parse_recipe
from raif.resources import find_recipe


class Method(NamedTuple):
    """A command that trains, and the setting under which it ends after so many completion tokens."""

    module: str
    budget: str

    @property
    def arguments(self) -> type:
        """Return the dataclass of its settings."""
        if self is RL:
            from raif.config import RAIFConfig

            return RAIFConfig
        from raif.sft import SFTArguments

        return SFTArguments

    @property
    def settings(self) -> set[str]:
        """Return the names of its settings."""
        return {field.name for cls in (self.arguments, ModelConfig) for field in dataclasses.fields(cls)} | {"env"}

    def load(self, recipe: str | Path) -> dict[str, Any]:
        """Read a recipe with what it builds on; unknown keys are errors."""
        return load_recipe(recipe, self.arguments)

    def parse(self, arguments: Sequence[str]) -> Any:
        """Return the configuration of a command line."""
        return parse_recipe(self.arguments, arguments)[0]


RL = Method("raif.train", "max_rollout_tokens")
SFT = Method("raif.sft", "max_completion_tokens")


def method_of(recipe: str | Path) -> Method:
    """Return how a recipe trains: one that has rewards, itself or by what it builds on, is reinforcement learning.

    Example:
        >>> method_of("smoke/cpu").module, method_of("sft/embedded").module
        ('raif.train', 'raif.sft')
    """
    seen: list[Path] = []
    path = find_recipe(recipe)
    while path not in seen:
        seen.append(path)
        content = load_yaml(path)
        if "rewards" in content:
            return RL
        if not content.get(BASE):
            break
        beside = path.parent / str(content[BASE])
        path = beside if beside.is_file() else find_recipe(content[BASE])
    return SFT
