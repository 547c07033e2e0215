"""Evolve instructions with a served model, in two steps: reword each demand for the task, then merge all into a prompt.

A batch of instructions goes through a step together, so that requests run side by side; results come in the order of
the instructions. Every reply is checked; one that cannot be used is asked for again with the reason, and what still
fails is counted by its reason and keeps its template, or is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from data_gen.evolve.checks import MergeCheck, check_added, check_rewritten
from data_gen.evolve.config import EvolveConfig
from data_gen.evolve.demands import (
    Added,
    Demand,
    answer_format,
    demands_of,
    is_about_the_request,
    kept_conditions,
    put_together,
)
from data_gen.evolve.prompts import Messages, again, check_messages, merge_messages, rewrite_messages
from data_gen.evolve.recovery import Recover, contradiction
from data_gen.evolve.replies import Merging, Problem, Rewriting, read_reply
from data_gen.served import ChatReply, ChatRequest, ServedModel
from rewards.constraint import Status
from rewards.instruction import Instruction
from rewards.judge.replies import read_word
from rewards.response import Response

Evolved = tuple[Instruction | None, str]
LANGUAGES = ("en", "zh")


@dataclass
class Tally:
    """What an evolution has counted besides its results.

    Fields:
        kept_wordings: demands that kept their own wording, by reason.
        unadded: soft demands that were asked for and not taken, by reason.
        asked_again: replies that could not be used and were asked for again, by reason.
        checks: what the model said when it was asked whether a prompt holds a demand: yes, no or unread.
        replies, completion_tokens: used so far, remembered ones included.
        unanswered: requests that got no usable answer: the budget, the server or the tokens ran out.
    """

    kept_wordings: Counter[str] = field(default_factory=Counter)
    unadded: Counter[str] = field(default_factory=Counter)
    asked_again: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    completion_tokens: int = 0
    unanswered: int = 0


@dataclass
class _Work:
    """One instruction on its way; `reason` says why it has failed."""

    instruction: Instruction
    demands: list[Demand] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    added: list[Added] = field(default_factory=list)
    prompt: str = ""
    reason: str = ""
    result: Instruction | None = None


_Read = Callable[[_Work, str, bool], Problem | None]


def run_evolution(
    instructions: Iterable[Instruction],
    config: EvolveConfig,
    model: ServedModel,
    tally: Tally | None = None,
    recover: Recover | None = None,
) -> Iterator[Evolved]:
    """Yield for each instruction, in order, the evolved one and "", or what `on_failure` says and the reason.

    Args:
        tally: filled with what is counted besides the results.
        recover: a parser of prompts; one that finds a demand with other arguments in a new prompt refuses it.

    Raises:
        RaifError: if the server cannot be asked at all.
    """
    run = _Evolution(config, model, tally if tally is not None else Tally(), recover)
    supply = iter(instructions)
    while batch := list(islice(supply, config.batch)):
        yield from run.evolve(batch)


class _Evolution:
    def __init__(self, config: EvolveConfig, model: ServedModel, tally: Tally, recover: Recover | None) -> None:
        self.config, self.model, self.tally, self.recover = config, model, tally, recover

    def evolve(self, instructions: Sequence[Instruction]) -> list[Evolved]:
        works = [self._begin(instruction) for instruction in instructions]
        if self.config.rewrite:
            self._step(works, "rewrite", self._rewrite_messages, self._read_rewriting)
        self._step(works, "merge", self._merge_messages, self._read_merging)
        if self.config.check_by_model:
            self._check(works)
        for work in works:
            self._finish(work)
        return [self._end(work) for work in works]

    def _begin(self, instruction: Instruction) -> _Work:
        work = _Work(instruction)
        if instruction.language not in LANGUAGES:
            work.reason = f"language {instruction.language}"
            return work
        work.demands = demands_of(instruction)
        if any(not condition for demand in work.demands for condition in demand.only_if):
            work.reason = "a condition has no words"
        rng = Random(f"evolve/{self.config.seed}/{instruction.id}")
        work.kinds = rng.sample(self.config.soft_kinds, rng.randint(*self.config.soft))
        return work

    def _step(self, works: Sequence[_Work], name: str, messages_of: Callable[[_Work], Messages], read: _Read) -> None:
        """Ask for every instruction that has not failed, and again where the reply cannot be used."""
        pending = [(work, messages_of(work)) for work in works if not work.reason]
        for attempt in range(self.config.re_asks + 1):
            replies = self._ask([messages for _, messages in pending])
            failed: list[tuple[_Work, Messages]] = []
            for (work, messages), reply in zip(pending, replies, strict=True):
                if reply.text is None:
                    work.reason = f"{name}: {_short(reply.error)}"
                    continue
                last = attempt == self.config.re_asks
                problem = read(work, reply.text, last)
                if problem is not None and last:
                    work.reason = f"{name}: {problem.reason}"
                elif problem is not None:
                    self.tally.asked_again[f"{name}: {problem.reason}"] += 1
                    failed.append((work, again(messages, reply.text, problem.detail, work.instruction.language)))
            pending = failed
            if not pending:
                return

    def _ask(self, conversations: Sequence[Messages]) -> list[ChatReply]:
        replies = self.model.ask([ChatRequest(messages) for messages in conversations])
        self.tally.replies += len(replies)
        self.tally.unanswered += sum(reply.text is None for reply in replies)
        self.tally.completion_tokens += sum(reply.completion_tokens for reply in replies)
        return replies

    def _rewrite_messages(self, work: _Work) -> Messages:
        return rewrite_messages(work.instruction.request, work.demands, work.kinds, work.instruction.language)

    def _read_rewriting(self, work: _Work, text: str, last: bool) -> Problem | None:
        reply = read_reply(text, Rewriting)
        if isinstance(reply, Problem):
            return reply
        by_id = {each.id: each for each in reply.demands}
        numbers = range(1, len(work.demands) + 1)
        if sorted(each.id for each in reply.demands) != list(numbers):
            return Problem("another number of demands", f"demands must hold the ids 1 to {len(work.demands)} once each")
        language, demands, problems = work.instruction.language, list(work.demands), []
        for number in numbers:
            before, after = demands[number - 1], by_id[number]
            problem = check_rewritten(before, after, language)
            if problem is None:
                question = after.question if before.soft else ""
                demands[number - 1] = before._replace(text=after.text, question=question)
            else:
                problems.append(Problem(problem.reason, f"demand {number}: {problem.detail}"))
        added, unadded = self._read_added(work, reply, [each.text for each in demands])
        if (problems or unadded) and (not last or (problems and self.config.on_failure == "drop")):
            found = [*problems, *unadded]
            return Problem(found[0].reason, "; ".join(each.detail for each in found))
        self.tally.kept_wordings.update(each.reason for each in problems)
        self.tally.unadded.update(each.reason for each in unadded)
        work.demands, work.added = demands, added
        return None

    def _read_added(self, work: _Work, reply: Rewriting, others: list[str]) -> tuple[list[Added], list[Problem]]:
        added: list[Added] = []
        problems: list[Problem] = []
        for each in reply.added:
            left = [kind for kind in work.kinds if all(kind != one.kind for one in added)]
            problem = check_added(each, left, [*others, *(one.text for one in added)], work.instruction.language)
            if problem is None:
                added.append(Added(each.kind, each.text, each.question))
            else:
                problems.append(Problem(problem.reason, f"added {each.kind}: {problem.detail}"))
        missing = len(work.kinds) - len(added) - len(problems)
        problems += [Problem("added demand is missing", "a kind under added is missing")] * max(0, missing)
        return added, problems

    def _merge_messages(self, work: _Work) -> Messages:
        instruction = work.instruction
        demands = [*work.demands, *(Demand(each.text, each.question, True) for each in work.added)]
        return merge_messages(
            instruction.request, demands, self._also_keep(work), self._is_verbatim(instruction), instruction.language
        )

    def _read_merging(self, work: _Work, text: str, last: bool) -> Problem | None:
        reply = read_reply(text, Merging)
        if isinstance(reply, Problem):
            return reply
        instruction = work.instruction
        parts = [instruction.request, *(each.text for each in work.demands), *(each.text for each in work.added)]
        size = max(len(instruction.prompt_text), sum(map(len, parts)))
        check = MergeCheck(
            request=instruction.request,
            template=instruction.prompt_text,
            demands=work.demands,
            added=work.added,
            conditions=kept_conditions(instruction),
            also_keep=self._also_keep(work),
            verbatim=self._is_verbatim(instruction),
            limit=min(self.config.max_characters, self.config.max_growth * size + 200),
            language=instruction.language,
        )
        problem = check.problem(reply.prompt)
        if problem is None and self.recover is not None:
            problem = contradiction(instruction, reply.prompt, self.recover)
        if problem is None:
            work.prompt = reply.prompt
        return problem

    def _also_keep(self, work: _Work) -> list[str]:
        found = answer_format(work.instruction)
        return [found] if found else []

    def _is_verbatim(self, instruction: Instruction) -> bool:
        if self.config.task != "auto":
            return self.config.task == "verbatim"
        return instruction.answer is not None or is_about_the_request(instruction)

    def _check(self, works: Sequence[_Work]) -> None:
        """Ask the model of every merged prompt whether it holds each demand; a clear no is a failure."""
        asked = [
            (work, check_messages(work.prompt, demand, work.instruction.language))
            for work in works
            if not work.reason
            for demand in (*work.demands, *(Demand(each.text, each.question, True) for each in work.added))
        ]
        for (work, _), reply in zip(asked, self._ask([messages for _, messages in asked]), strict=True):
            said = read_word(reply.text) if reply.text is not None else None
            self.tally.checks["unread" if said is None else "yes" if said else "no"] += 1
            if said is False:
                work.reason = work.reason or "check: the model misses a demand"

    def _finish(self, work: _Work) -> None:
        if work.reason:
            return
        steps = [*(["rewrite"] if self.config.rewrite else []), *([f"add {len(work.added)}"] if work.added else [])]
        before = f"{work.instruction.source.generator}; " if work.instruction.source.generator else ""
        generator = f"{before}evolved by {self.config.server.model}: {', '.join([*steps, 'merge'])}"
        result = put_together(work.instruction, work.prompt, work.demands, work.added, generator)
        if _loses_its_witness(work.instruction, result):
            work.reason = "the witness is lost"
        else:
            work.result = result

    def _end(self, work: _Work) -> Evolved:
        if work.result is None and self.config.on_failure == "keep_template":
            return work.instruction, work.reason
        return work.result, work.reason


def _short(error: str) -> str:
    return error.partition(":")[0][:60]


def _loses_its_witness(before: Instruction, after: Instruction) -> bool:
    """Tell whether a rule says less of the witness than it did; soft demands are no rules, nor what waits for one."""
    if before.witness is None:
        return False
    response = Response(None, before.witness)
    old, new = before.evaluate(response).leaves, after.evaluate(response).leaves
    return any(
        one.verdict.status is Status.SATISFIED and two.verdict.status is not Status.SATISFIED
        for one, two in zip(old, new, strict=False)
    )
