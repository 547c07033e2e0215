"""Complete requests with a generator: ask only for what the store lacks, keep what comes, return it in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Protocol, runtime_checkable

from raif.generation.prompts import cap_of
from raif.generation.protocol import Completion, Generator, Request, Sampling
from raif.generation.store import Kept, Store, completion_key
from rewards.errors import RaifError

Progress = Callable[[int, int], None]
_NAMED = 10
_COOLEST, _HOTTEST = 0.001, 100.0  # beyond these the probabilities of a draw are no numbers, or all alike


@runtime_checkable
class Batched(Protocol):
    """A generator that draws fixed batches: rounding makes a completion depend on its batch in the last digit.

    A batch is therefore kept whole or not at all, so that a resumed run draws the very batches that are left.
    """

    def batches(self, requests: Sequence[Request], sampling: Sampling) -> list[list[int]]:
        """Return the numbers of the requests of each batch, in the order in which they are drawn."""
        ...


def complete(
    generator: Generator,
    requests: Sequence[Request],
    sampling: Sampling,
    store: Store | None = None,
    progress: Progress | None = None,
) -> list[Completion]:
    """Return one completion a request, in their order.

    Args:
        store: what it holds is not drawn again, and what is drawn is kept there at once.
        progress: called with the number of completions so far and the number of their tokens.

    Raises:
        RaifError: if two requests share a key, or the generator fails.
    """
    _check(requests, sampling)
    run = _Run(generator, requests, sampling, store, progress)
    run.draw()
    return run.in_order()


class _Run:
    def __init__(
        self,
        generator: Generator,
        requests: Sequence[Request],
        sampling: Sampling,
        store: Store | None,
        progress: Progress | None,
    ) -> None:
        self.generator, self.requests, self.sampling, self.store = generator, requests, sampling, store
        self.progress = progress or _silent
        self.done: dict[int, Completion] = {}
        self.tokens = 0
        if store is not None:
            identity = generator.identity()
            self.keys = [completion_key(identity, request, sampling) for request in requests]

    def draw(self) -> None:
        """Ask the generator for what is missing."""
        with self.store.writing() if self.store else nullcontext():
            if self.store:
                found = ((index, self.store.get(key)) for index, key in enumerate(self.keys))
                self.done = {index: completion for index, completion in found if completion is not None}
            self._report(list(self.done.values()))
            missing = [index for index in range(len(self.requests)) if index not in self.done]
            if missing:
                asked = [self.requests[index] for index in missing]
                self.generator.generate(asked, self.sampling, self._keeper(missing, asked))

    def _keeper(self, missing: list[int], asked: list[Request]) -> Callable[[int, Completion], None]:
        """Return what is called with each arrival; it keeps the members of a batch together."""
        batches = self.generator.batches(asked, self.sampling) if isinstance(self.generator, Batched) else []
        members = {number: batch for batch in batches for number in batch}
        waiting: dict[int, Completion] = {}

        def arrived(number: int, completion: Completion) -> None:
            waiting[number] = completion
            batch = members.get(number, [number])
            if all(each in waiting for each in batch):
                self._keep({missing[each]: waiting.pop(each) for each in batch})

        return arrived

    def _keep(self, together: dict[int, Completion]) -> None:
        if self.store:
            self.store.put([Kept(self.keys[i], self.requests[i].key, done) for i, done in together.items()])
        self.done |= together
        self._report(list(together.values()))

    def _report(self, completions: list[Completion]) -> None:
        self.tokens += sum(completion.tokens for completion in completions)
        self.progress(len(self.done), self.tokens)

    def in_order(self) -> list[Completion]:
        """Return the completions, or say which are missing."""
        lost = [request.key for index, request in enumerate(self.requests) if index not in self.done]
        if lost:
            names = ", ".join(lost[:_NAMED])
            raise RaifError(f"the generator returned nothing for {len(lost)} requests: {names}; run it again.")
        return [self.done[index] for index in range(len(self.requests))]


def check_sampling(sampling: Sampling) -> None:
    """Refuse settings that nothing can be drawn with.

    Raises:
        RaifError: which names the setting, its value and what is allowed.
    """
    if sampling.temperature != 0 and not _COOLEST <= sampling.temperature <= _HOTTEST:
        raise RaifError(
            f"temperature {sampling.temperature:g} draws nothing sensible; give 0 (greedy), or {_COOLEST:g} to "
            f"{_HOTTEST:g}."
        )
    if not 0 < sampling.top_p <= 1:
        raise RaifError(f"top_p {sampling.top_p:g} must be above 0 and at most 1; greedy is temperature 0.")
    for name in ("cap", "batch_size"):
        if getattr(sampling, name) < 1:
            raise RaifError(f"{name} {getattr(sampling, name)} must be at least 1.")


def _check(requests: Sequence[Request], sampling: Sampling) -> None:
    repeated = [key for key, count in Counter(request.key for request in requests).items() if count > 1]
    if repeated:
        names = ", ".join(repeated[:_NAMED])
        raise RaifError(f"{len(repeated)} request keys occur twice: {names}; completions are joined by key.")
    check_sampling(sampling._replace(cap=1))  # caps of single requests may differ
    empty = [request.key for request in requests if cap_of(request, sampling) < 1]
    if empty:
        raise RaifError(f"{len(empty)} requests have no room to draw a token (first: {empty[0]}); raise the cap.")


def _silent(done: int, tokens: int) -> None:
    """Ignore progress."""
