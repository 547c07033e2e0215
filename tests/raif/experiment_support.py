"""Items, a policy that ignores what it is asked, and a suite that judges each distinct text once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from raif.chat import ThinkFormat
from raif.evaluation.records import EvaluatedRollout, Item, Output
from raif.generation import Arrived, Completion, Request, Sampling
from raif.suites.instructions import InstructionSuite
from rewards import And, Instruction, Leaf, MathAnswer, Provenance
from rewards.think_styles import CLOSE, OPEN

WORDS = ("harbour", "lantern", "meadow")
RIGHT, WRONG = "\\boxed{7}", "\\boxed{8}"
SOURCES = ("easy", "middle", "hard", "olympiad")


def make_items(count: int) -> list[Item]:
    """Return items with one to three constraints of three words to mention, from four sources."""
    return [_item(i, 1 + i % 3, SOURCES[i // 3 % 4], None) for i in range(count)]


def crossed_items(problems: int) -> list[Item]:
    """Return every problem with one, two and three constraints."""
    return [_item(10 * i + k, k, SOURCES[i % 4], f"problem {i}") for i in range(problems) for k in (1, 2, 3)]


def _item(number: int, count: int, source: str, problem: str | None) -> Item:
    chosen = [WORDS[(number + i) % 3] for i in range(count)]
    texts = tuple(f"Mention {word}." for word in chosen)
    leaves = tuple(Leaf(constraint={"type": "keywords:existence", "keywords": [word]}) for word in chosen)
    request = f"What is 3 + 4? ({number})"
    task = Instruction.build(
        request=request,
        prompt=" ".join([request, *texts]),
        language="en",
        split="test",
        tree=And(parts=leaves),
        answer=MathAnswer(value="7"),
        source=Provenance(seed_set=source, seed_id=str(number)),
    )
    return Item(
        id=f"{source}/{number}",
        prompt=str(task.prompt),
        question=request,
        constraint_texts=texts,
        labels={"source": source, "count": str(count)},
        instruction=task,
        problem=problem,
    )


def answer(rng: random.Random, follows: float = 0.5, right: float = 0.4) -> str:
    """Return an answer that mentions each word, and is right, with the given probabilities."""
    words = [word for word in WORDS if rng.random() < follows]
    return " ".join([*words, RIGHT if rng.random() < right else WRONG])


class CachedSuite(InstructionSuite):
    """The suite of our own instructions; a text is judged once for an item, whoever wrote it."""

    def __init__(self) -> None:
        super().__init__(("test",))
        self._known: dict[tuple[str, str, bool | None], EvaluatedRollout] = {}

    def judge(self, outputs: Sequence[Output]) -> list[EvaluatedRollout]:
        new = {_key(output): output for output in outputs if _key(output) not in self._known}
        self._known |= zip(new, super().judge(list(new.values())), strict=True)
        return [
            self._known[_key(output)].model_copy(
                update={
                    "sample": output.sample,
                    "arm": output.arm,
                    "completion_tokens": output.tokens,
                    "problem": output.item.problem,
                }
            )
            for output in outputs
        ]


def _key(output: Output) -> tuple[str, str, bool | None]:
    return output.item.id, output.text, output.ended


#: What a policy says next: the request's key, what it sees (the prefix too) and a random number generator of its own.
Speak = Callable[[Request, random.Random], str]


class ScriptedGenerator:
    """A generator whose completions are a function of the request and the seed.

    Thinking is "hm"; its length is drawn by itself. One completion in twenty is cut off, as it closes or answers.
    """

    def __init__(self, seed: int, speak: Speak | None = None, prefilled: bool = True, cut: float = 0.05) -> None:
        self.seed, self.speak, self.cut = seed, speak or (lambda request, rng: answer(rng)), cut
        self.think = ThinkFormat("think", prefilled)
        self.asked: list[Request] = []

    def identity(self) -> dict[str, Any]:
        return {"backend": "scripted", "model": "test", "seed": self.seed}

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        for number, request in enumerate(requests):
            self.asked.append(request)
            arrived(number, self._complete(request, request.cap or sampling.cap))

    def _complete(self, request: Request, cap: int) -> Completion:
        rng = random.Random(f"{self.seed}/{request.key}")
        tokens = max(1, int(rng.lognormvariate(5, 0.8)))
        if tokens >= cap:
            return Completion("hm", cap, ended=False)
        opening = OPEN if not (self.think.prefilled or request.prefix) else ""
        if request.stop:
            return Completion(f"{opening}hm", tokens, ended=True, stopped=request.stop[0])
        thinking = "" if CLOSE in request.prefix else f"{opening}hm{CLOSE}"
        said = self.speak(request, rng)
        cut = rng.random() < self.cut
        return Completion(thinking + ("" if cut else said), tokens, ended=not cut)

    def close(self) -> None:
        pass


def draw_evaluation(
    suite: CachedSuite, items: Sequence[Item], rng: random.Random, samples: int = 1, cut: float = 0.05
) -> list[EvaluatedRollout]:
    """Return rollouts of a policy that looks at nothing: answers, lengths and truncation are independent."""
    outputs, thought = [], []
    for item in items:
        for sample in range(samples):
            length, ended = max(1, int(rng.lognormvariate(6, 0.8))), rng.random() >= cut
            text = f"hm{CLOSE}{answer(rng)}" if ended else "hm"
            outputs.append(Output(item, "constrained", sample, text, length + 20, ended, True))
            thought.append(length)
    rollouts = suite.judge(outputs)
    return [
        rollout.model_copy(update={"labels": output.item.labels, "thinking_tokens": length})
        for rollout, output, length in zip(rollouts, outputs, thought, strict=True)
    ]
