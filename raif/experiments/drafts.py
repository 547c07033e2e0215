"""Completions written in several goes: the model stops where it would end its thinking and goes on from what is put in.

The thinking ends at the think end mark, as `rewards.think_styles` writes it. The cap counts what the model wrote in all
goes; what is put in does not count. A completion that reaches the cap is truncated and stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from raif.chat import build_messages
from raif.evaluation.records import EvaluatedRollout, Item, Output
from raif.generation import Generator, Request, Sampling
from raif.generation.run import complete
from raif.generation.store import Store
from raif.suites.protocol import Suite
from rewards.errors import RaifError
from rewards.think_styles import CLOSE

Progress = Callable[[int, int], None]  # completions so far, and their tokens
GENERATIONS = "generations"
TAGGED = ("think", "think_answer")


class Draft(NamedTuple):
    """What the assistant's turn says so far.

    `tokens` are the model's own. `closing` is True where the model was about to end its thinking, `ended` where it
    ended its turn; with neither the cap was reached. `hidden` is text that was put in and must not be judged,
    `kept_open` how often the thinking was kept open.
    """

    item: Item
    sample: int
    text: str = ""
    tokens: int = 0
    closing: bool = False
    ended: bool = False
    hidden: str = ""
    kept_open: int = 0

    def put_in(self, text: str) -> Draft:
        """Put text at the end of the thinking, on a line of its own, instead of ending it."""
        gap = "" if not self.text or self.text[-1].isspace() else "\n"
        return self._replace(text=f"{self.text}{gap}{text}", closing=False, kept_open=self.kept_open + 1)

    def close(self) -> Draft:
        """End the thinking."""
        return self._replace(text=self.text + CLOSE, closing=False)

    def put_after(self, text: str) -> Draft:
        """End the thinking and begin what follows with text that is taken out again before judging."""
        hidden = f"\n\n{text}\n\n"
        return self._replace(text=f"{self.text}{CLOSE}{hidden}", closing=False, hidden=hidden)

    @property
    def judged(self) -> str:
        """The completion as it is judged."""
        return self.text.replace(f"{CLOSE}{self.hidden}", CLOSE, 1) if self.hidden else self.text


class Writer:
    """Lets a model write on from drafts; what it wrote once is kept on disk, so that a killed run goes on.

    Raises:
        RaifError: if the model does not think between think marks.
    """

    def __init__(
        self,
        suite: Suite,
        generator: Generator,
        sampling: Sampling,
        store: Store,
        system_prompt: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        if generator.think.style not in TAGGED:
            raise RaifError(
                f"the model marks its thinking in the style {generator.think.style!r}; this experiment cuts it at "
                f"{CLOSE} and needs one of: {', '.join(TAGGED)}."
            )
        self.suite, self.generator, self.sampling, self.store = suite, generator, sampling, store
        self.system_prompt, self.progress = system_prompt, progress
        self._done = self._tokens = 0

    def begin(self, items: Sequence[Item], samples: int) -> list[Draft]:
        """Let the model think about every item until it is about to stop."""
        drafts = [Draft(item, sample, closing=True) for item in items for sample in range(samples)]
        return self.go_on([draft._replace(closing=False) for draft in drafts], "think", stop=True)

    def go_on(self, drafts: Sequence[Draft], name: str, *, stop: bool) -> list[Draft]:
        """Let the model write on, to where it would end its thinking or else to its end; `name` names the go."""
        going = [i for i, draft in enumerate(drafts) if draft.tokens < self.sampling.cap]
        requests = [self._request(drafts[i], name, stop) for i in going]
        completions = complete(self.generator, requests, self.sampling, self.store, self._count)
        self._done, self._tokens = self._done + len(completions), self._tokens + sum(c.tokens for c in completions)
        found = list(drafts)
        for i, done in zip(going, completions, strict=True):
            found[i] = drafts[i]._replace(
                text=drafts[i].text + done.text,
                tokens=drafts[i].tokens + done.tokens,
                closing=done.stopped == CLOSE,
                ended=done.ended and not done.stopped,
            )
        return found

    def finish(
        self, drafts: Sequence[Draft], name: str, prepare: Callable[[Draft], Draft] = Draft.close
    ) -> list[Draft]:
        """Let the model write to its end from where it was about to end its thinking; others stay as they are."""
        closing = [i for i, draft in enumerate(drafts) if draft.closing]
        written = self.go_on([prepare(drafts[i]) for i in closing], name, stop=False)
        found = list(drafts)
        for i, draft in zip(closing, written, strict=True):
            found[i] = draft
        return found

    def judge(self, arms: Mapping[str, Sequence[Draft]]) -> dict[str, list[EvaluatedRollout]]:
        """Judge finished drafts of every arm with the suite, all at once; the rollouts carry the experiment's arm."""
        think = self.generator.think
        outputs = [
            Output(d.item, self.suite.arms[0], d.sample, d.judged, d.tokens, d.ended, think.prefilled, think.style)
            for drafts in arms.values()
            for d in drafts
        ]
        rollouts = iter(self.suite.judge(outputs))
        return {
            arm: [rollout.model_copy(update={"arm": arm}) for rollout in islice(rollouts, len(drafts))]
            for arm, drafts in arms.items()
        }

    def settings(self, items: Sequence[Item], samples: int) -> dict[str, Any]:
        """Return what the completions are bound to."""
        return {
            "suite": self.suite.name,
            "items": len(items),
            "samples": samples,
            "system_prompt": self.system_prompt,
            "sampling": self.sampling._asdict(),
            "generator": self.generator.identity(),
        }

    def _request(self, draft: Draft, name: str, stop: bool) -> Request:
        messages = build_messages(self.suite.messages(draft.item, self.suite.arms[0]), self.system_prompt)
        key, left = f"{draft.item.id}|{name}|{draft.sample}", self.sampling.cap - draft.tokens
        return Request(key, messages, prefix=draft.text, stop=(CLOSE,) if stop else (), cap=left)

    def _count(self, done: int, tokens: int) -> None:
        if self.progress is not None:
            self.progress(self._done + done, self._tokens + tokens)
