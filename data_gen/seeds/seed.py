"""The seed of an instruction: what is asked for before any constraint is added, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple, Protocol

from rewards.task_answer import TaskAnswer


class Solution(NamedTuple):
    """How a seed is answered in one language: reasoning, sentences that must stay, sentences that may be added."""

    thinking: str
    core: tuple[str, ...]
    optional: tuple[str, ...]


class Seed(NamedTuple):
    """One seed task. `id` is the same for the translations of one task, so that splits never share a task."""

    set: str
    id: str
    language: str
    request: str
    answer: TaskAnswer | None
    solutions: Mapping[str, Solution]
    licence: str = ""
    topic: str = ""
    tags: tuple[str, ...] = ()


class SeedSet(Protocol):
    """A source of seeds: draws one task of a split, given a random generator."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    def draw(self, rng: Random, language: str) -> Seed:
        """Return a random seed in a language."""
