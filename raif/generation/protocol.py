"""What a generator is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from raif.chat import Messages, ThinkFormat


class Sampling(NamedTuple):
    """How completions are drawn; `temperature` 0 is greedy. `cap` counts completion tokens, end token included."""

    cap: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    batch_size: int = 64


class Request(NamedTuple):
    """One completion to draw.

    `prefix` is what the assistant's turn already says (after what the chat template itself opens); the completion goes
    on from there and does not repeat it. Generation also ends before any of the `stop` texts. `cap` takes the place of
    the sampling's own. With `think` False the prompt closes the thinking, empty, and asks for a direct answer.
    """

    key: str  # unique within a run; says what is drawn, for example "gsm8k/double/7|constrained|0"
    messages: Messages
    prefix: str = ""
    stop: tuple[str, ...] = ()
    cap: int | None = None
    think: bool = True


class Completion(NamedTuple):
    """One sampled completion with its tokens; `ended` is False when the cap cut it off.

    `stopped` is the stop text before which it ended; a completion that ended by itself has none.
    """

    text: str
    tokens: int
    ended: bool
    stopped: str = ""


Arrived = Callable[[int, Completion], None]


class Generator(Protocol):
    """Draws completions. What it draws depends on the request, the sampling and the seed, not on the other requests."""

    think: ThinkFormat

    def identity(self) -> dict[str, Any]:
        """Return what tells this generator from another: backend, model, revision or digest, template, versions."""
        ...

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Complete the requests in any order; `arrived` is called with the number of each, and what came."""
        ...

    def close(self) -> None:
        """Give back what the generator holds."""
        ...
