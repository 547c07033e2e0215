"""Finished SUSTAIN folders of a scripted model, made by the runner itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from raif.chat import ThinkFormat
from raif.generation import Completion, Request, Sampling
from raif.sustain.records import FIRST, Domain, Task
from raif.sustain.runner import sustain
from raif.sustain.settings import SustainSettings
from tests.raif.sustain_support import make_tasks, text_of

THINKING = "I add them."


class Scripted:
    """A generator whose thinking is always the same and whose answer is a function of task, arm and sample."""

    think = ThinkFormat("think", True)

    def __init__(self, tasks: Sequence[Task], is_right: Callable[[int, str, int], bool]) -> None:
        self.tasks, self.is_right = {task.id: task for task in tasks}, is_right

    def identity(self) -> dict[str, Any]:
        return {"backend": "scripted", "model": "acme/scripted-1b"}

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Any) -> None:
        for number, request in enumerate(requests):
            key, arm, _, _, sample = request.key.split("|")
            right = self.is_right(int(key.rpartition("/")[2]), arm, int(sample))
            text = f"{THINKING}</think>{text_of(self.tasks[key], right)}"
            arrived(number, Completion(text, len(text.split()), True))

    def close(self) -> None:
        """Hold nothing."""


def mostly_right(number: int, arm: str, sample: int) -> bool:
    """Solve five of six tasks at first; of the answers after that, all but the first one of every third task."""
    return number % 6 != 5 if arm == FIRST else sample > 0 or number % 3 != 0


def sustain_folder(
    out: Path,
    count: int = 12,
    samples: int = 3,
    domain: Domain = "math",
    is_right: Callable[[int, str, int], bool] = mostly_right,
    **settings: Any,
) -> Path:
    """Evaluate a scripted model and return the folder."""
    tasks = make_tasks(count, domain)
    chosen = SustainSettings(**{"doses": (1, 2), **settings})
    sustain(tasks, Scripted(tasks, is_right), Sampling(cap=200, temperature=0.0), out, chosen, samples=samples)
    return out
