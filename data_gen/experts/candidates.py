"""Candidates: demonstrations that have not been judged yet, from any source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, Protocol

from data_gen.experts.branches import Facts, active
from data_gen.experts.checks import Finding
from data_gen.experts.demonstration_file import DemonstrationFile
from data_gen.experts.sources import FileExperts, ServedExperts, WitnessExperts
from data_gen.experts.thinking import think
from data_gen.experts.wordings import WORDINGS
from data_gen.seeds import Seed
from data_gen.served import ChatReply, ChatRequest, ServedModel
from data_gen.witness import answer_language
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.think_styles import CLOSE, OPEN

Progress = Callable[[int], None]


class Candidate(NamedTuple):
    """A possible demonstration, or why there is none.

    Fields:
        response: parsed; None where the source gave nothing, and then `missing` says why.
        origin: as in `rewards.Demonstration.origin`.
        tokens: of the completion, where the source counts them.
    """

    response: Response | None
    origin: str
    missing: Finding | None = None
    tokens: int = 0


class Supplier(Protocol):
    """A source in use: candidates for a batch of instructions, in order."""

    def supply(self, instructions: Sequence[Instruction], progress: Progress) -> list[list[Candidate]]:
        """Return the candidates of each instruction, and report how many instructions of this call are done."""

    def leftovers(self) -> dict[str, int]:
        """Return what was in the source and belonged to no instruction, by reason; asked at the end."""

    def usage(self) -> dict[str, int]:
        """Return what was spent: requests and tokens."""


def open_source(source: WitnessExperts | FileExperts | ServedExperts) -> Supplier:
    """Open a source; a file is read and checked here.

    Raises:
        RaifError: if the file is missing or a line of it cannot be used.
    """
    if isinstance(source, FileExperts):
        return _FromFile(source)
    return _FromServer(source) if isinstance(source, ServedExperts) else _FromWitnesses(source)


class _FromWitnesses:
    def __init__(self, source: WitnessExperts) -> None:
        self.source = source

    def supply(self, instructions: Sequence[Instruction], progress: Progress) -> list[list[Candidate]]:
        return [self._candidates(instruction) for instruction in instructions]

    def leftovers(self) -> dict[str, int]:
        return {}

    def usage(self) -> dict[str, int]:
        return {}

    def _candidates(self, task: Instruction) -> list[Candidate]:
        if task.expert is not None and self.source.style is None:
            return [Candidate(Response(task.expert.thinking, task.expert.answer), task.expert.origin)]
        if task.witness is None:
            return []
        if task.language not in WORDINGS:
            return [Candidate(None, "witness", Finding("no wordings in its language", task.language))]
        rng = Random(f"{self.source.seed}/experts/{task.id}")
        facts = Facts(Response(None, task.witness), task.context(), task.answer)
        demands = list(active(task.tree, facts))
        language = answer_language(demands, task.language)
        seed = Seed(task.source.seed_set, task.source.seed_id, task.language, task.request, task.answer, {})
        style = self.source.style or "plan"
        thinking = think(seed, demands, language, style, tree=task.tree, rng=rng, answer=task.witness)
        return [Candidate(Response(thinking, task.witness), "witness")]


class _FromFile:
    def __init__(self, source: FileExperts) -> None:
        self.file = DemonstrationFile(source)

    def supply(self, instructions: Sequence[Instruction], progress: Progress) -> list[list[Candidate]]:
        return [[Candidate(found, "file") for found in self.file.find(task)] for task in instructions]

    def leftovers(self) -> dict[str, int]:
        unused = self.file.unused
        return {"no such instruction": unused} if unused else {}

    def usage(self) -> dict[str, int]:
        return {}


class _FromServer:
    def __init__(self, source: ServedExperts) -> None:
        self.source = source
        self.model = ServedModel(source.served)

    def supply(self, instructions: Sequence[Instruction], progress: Progress) -> list[list[Candidate]]:
        samples = self.source.samples
        requests = [ChatRequest(self._messages(task), sample) for task in instructions for sample in range(samples)]
        replies = self.model.ask(requests, lambda done: progress(done // samples))
        candidates = [self._candidate(reply) for reply in replies]
        return [candidates[begin : begin + samples] for begin in range(0, len(candidates), samples)]

    def leftovers(self) -> dict[str, int]:
        return {}

    def usage(self) -> dict[str, int]:
        return self.model.counts | {f"{kind} tokens": number for kind, number in self.model.tokens.items()}

    def _messages(self, task: Instruction) -> tuple[dict[str, str], ...]:
        messages = task.messages
        if not self.source.system:
            return tuple(messages)
        if messages[0]["role"] == "system":
            joined = f"{self.source.system}\n\n{messages[0]['content']}"
            return ({"role": "system", "content": joined}, *messages[1:])
        return ({"role": "system", "content": self.source.system}, *messages)

    def _candidate(self, reply: ChatReply) -> Candidate:
        origin, truncated = self.source.served.model, reply.finish_reason == "length"
        if reply.text is None and not (reply.finish_reason or reply.reasoning):
            spent = reply.error == "budget"
            missing = Finding("budget spent") if spent else Finding("request failed", reply.error)
            return Candidate(None, origin, missing)
        text = reply.text or ""
        if reply.reasoning:
            text = f"{OPEN}{reply.reasoning}{CLOSE}{text}"
        parsed = Response.split(text, style=self.source.think_style, prefilled=False, truncated=truncated)
        return Candidate(parsed, origin, tokens=reply.completion_tokens)
