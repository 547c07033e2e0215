"""Completions that somebody else draws: prompts go out as a file, answers come back as one, pass by pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raif.chat import ThinkFormat
from raif.evaluation.runner import write_lines
from raif.generation import Completion, Request, Sampling
from raif.generation.protocol import Arrived
from raif.generation.replay import read_answers
from raif.sustain.judging import UNKNOWN_TOKENS
from rewards.errors import RaifError

PROMPTS = "prompts.jsonl"


class Replies:
    """A generator over a file of `id` and `response`; prompts that it does not answer are written to a file.

    SUSTAIN asks in two passes, since its constraints are read off the first answers. After either pass the same
    command goes on with the answers that were added.

    Args:
        path: JSON lines of `id` and `response`, and perhaps `tokens` and `finish_reason`; it may not exist yet.
        out: the evaluation folder, for the prompts that lack an answer.
    """

    think = ThinkFormat("think", False)  # not looked at: each text tells by its tags

    def __init__(self, path: Path, out: Path) -> None:
        self.path, self.out = path, out
        self._given = read_answers(path)

    def identity(self) -> dict[str, Any]:
        """Return what the folder is bound to: the file grows between the passes."""
        return {"backend": "responses"}

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Hand over the answers, or write what lacks one and say so."""
        missing = [request for request in requests if _id(request) not in self._given]
        if missing:
            write_lines(self.out / PROMPTS, [_row(request) for request in missing])
            where = self.path if self.path.is_file() else f"{self.path}, which does not exist yet"
            raise RaifError(
                f"{len(missing)} of {len(requests)} prompts of this pass have no answer in {where}"
                f"{self._outdated(missing)}. They are in {self.out / PROMPTS}: add a row of `id` and `response` for "
                f"each to {self.path}, and run the same command again."
            )
        (self.out / PROMPTS).unlink(missing_ok=True)
        for number, request in enumerate(requests):
            text, tokens, ended = self._given[_id(request)]
            arrived(number, Completion(text, UNKNOWN_TOKENS if tokens is None else tokens, ended is not False))

    def close(self) -> None:
        """Hold nothing."""

    def _outdated(self, missing: Sequence[Request]) -> str:
        """Say how many of the missing ones are answered under another prompt."""
        names = {key.rpartition("|")[0] for key in self._given}
        number = sum(request.key in names for request in missing)
        return f" ({number} are answered there to another prompt: settings or first answers differ)" if number else ""


def _id(request: Request) -> str:
    """Return the name of a prompt. It tells by its text: a changed first answer changes what is asked later."""
    return f"{request.key}|{hashlib.sha256(json.dumps(request.messages).encode()).hexdigest()[:8]}"


def _row(request: Request) -> dict[str, Any]:
    row: dict[str, Any] = {"id": _id(request), "prompt": request.messages[-1]["content"]}
    return row if len(request.messages) == 1 else {**row, "messages": request.messages}
