"""The scorer: responses in, reward breakdowns out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from rewards.caps import LengthCap
from rewards.code_answer import CodeVerifier
from rewards.constraint import Status
from rewards.custom import call, make, number
from rewards.entries import CustomReward, JudgeReward, RewardConfig, program_seconds
from rewards.entry import Facts
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.judge import Consultant, Judge, JudgeConfig, Opinion, Question
from rewards.judgement import Judgement
from rewards.math_answer import MathVerifier, shared_verifier
from rewards.qa_answer import qa_correct
from rewards.response import Response
from rewards.reward_errors import ErrorLog, OnError, RewardError
from rewards.sandbox import require_sandbox
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer


class Reward(NamedTuple):
    """The breakdown of one rollout's reward.

    `parts` are the unweighted values of the entries by name. `total` is their weighted sum, None when one of them
    cannot be decided. `outcome` is the weighted sum of the entries that judge what the answer achieved, without
    format, length and repetition: the score on which thinking and direct rollouts are compared. `reason` says why
    something is undecided, and `errors` what raised.
    """

    total: float | None
    outcome: float | None
    parts: Mapping[str, float | None]
    correct: bool | None
    well_formed: bool
    truncated: bool
    judgement: Judgement
    reason: str = ""
    errors: tuple[RewardError, ...] = ()


class ScoredResponse(NamedTuple):
    """What a scorer needs to know of one rollout.

    `completion` and `completion_ids` are only for entries that ask; `cap` is its own, by default the scorer's.
    """

    instruction: Instruction
    response: Response
    completion_tokens: int = 0
    completion: str = ""
    completion_ids: Sequence[int] = ()
    cap: LengthCap | None = None


Opinions = Mapping[str, Opinion]
_CODE_STARTING = 4.0  # seconds of a program beyond its own
_CODE_WORKERS = 4  # several scorers may share a machine


class Scorer:
    """Score responses; deterministic for given inputs, and picklable.

    Args:
        rewards: parsed entries, see `parse_rewards`.
        cap: the length cap, or None when truncation plays no part.
        verifier: compares mathematical answers; by default the one shared by this process.
        judge: answers questions about soft constraints; by default the one that a `judge` entry describes.
        on_error: what an exception in a checker, judge, verifier or function of the user's own does: `unscored` costs
            its row a score, `raise` stops with an error that names row and entry. By default a failing checker gives
            an unscored leaf, and any other exception passes.

    Raises:
        RaifError: if there is more than one `judge` entry, or an entry's function or sandbox cannot be had.
    """

    def __init__(
        self,
        rewards: Sequence[RewardConfig],
        cap: LengthCap | None = None,
        verifier: MathVerifier | None = None,
        judge: Consultant | None = None,
        on_error: OnError | None = None,
    ) -> None:
        self.rewards, self.cap, self._verifier, self.on_error = tuple(rewards), cap, verifier, on_error
        self._judge = judge or _judge_of(self.rewards)
        for entry in self.rewards:  # what cannot work fails here, not at the first rollout
            if isinstance(entry, CustomReward):
                _custom_function(entry)
        if program_seconds(self.rewards) is not None:
            require_sandbox()

    def score(self, batch: Sequence[ScoredResponse]) -> list[Reward]:
        """Score a batch, in order.

        Example:
            >>> from rewards import And, Leaf, Provenance, parse_rewards
            >>> task = Instruction.build(
            ...     request="3 + 4?", prompt="3 + 4? Use at most 4 words.", language="en", split="train",
            ...     tree=And(parts=(Leaf(constraint={"type": "length:max_words", "limit": 4}),)),
            ...     answer={"kind": "math", "value": "7"}, source=Provenance(seed_set="example", seed_id="0"))
            >>> scorer = Scorer(parse_rewards([{"type": "constraints"}, {"type": "math_answer", "weight": 0.5}]))
            >>> scorer.score([ScoredResponse(task, Response("3 + 4", "It is 7."))])[0].total
            1.5
        """
        errors = ErrorLog([item.instruction.id for item in batch], self.on_error)
        opinions = self._opinions(batch, errors)
        correct = self._correctness(batch, errors)
        judgements = [
            item.instruction.evaluate(item.response, said) for item, said in zip(batch, opinions, strict=True)
        ]
        if self.on_error is not None:
            _note_failed_checkers(batch, judgements, opinions, errors)
        custom = self._custom(batch, errors)
        facts = [
            Facts(
                response=item.response,
                judgement=judgements[i],
                truth=item.instruction.answer,
                correct=correct[i],
                tokens=item.completion_ids or item.completion.split() or item.response.answer.split(),
                token_count=item.completion_tokens,
                cap=item.cap or self.cap,
                opinions=opinions[i],
                custom={label: values.get(i) for label, values in custom.items()},
                unconstrained=item.instruction.unconstrained,
            )
            for i, item in enumerate(batch)
        ]
        return [self._reward(i, each, errors) for i, each in enumerate(facts)]

    def _opinions(self, batch: Sequence[ScoredResponse], errors: ErrorLog) -> list[Opinions]:
        """Ask the judge what trees and entries want to know; nothing is asked about a blank answer."""
        general = [q for entry in self.rewards if isinstance(entry, JudgeReward) for q in entry.questions]
        asked: dict[int, list[Question]] = {}
        for i, item in enumerate(batch):
            wanted = dict.fromkeys((*(each.question for each in item.instruction.judged), *general))
            if wanted and item.response.answer.strip():
                asked[i] = [_question(text, item) for text in wanted]
        found: dict[int, dict[str, Opinion]] = {}
        if asked and self._judge is not None:
            found = errors.guarded("judge", list(asked), lambda rows: self._asked([asked[i] for i in rows]))
        silence = dict.fromkeys(general, _SILENCE)
        return [found.get(i, {}) if item.response.answer.strip() else silence for i, item in enumerate(batch)]

    def _asked(self, questions: Sequence[Sequence[Question]]) -> list[dict[str, Opinion]]:
        assert self._judge is not None
        opinions = iter(self._judge.ask([question for some in questions for question in some]))
        return [{question.question: next(opinions) for question in some} for some in questions]

    def _correctness(self, batch: Sequence[ScoredResponse], errors: ErrorLog) -> list[bool | None]:
        """Return whether each response is right; None without a ground truth, an entry that checks it, or a verdict."""
        correct: list[bool | None] = [None] * len(batch)
        math: dict[int, tuple[str, str]] = {}
        code: dict[int, tuple[CodeAnswer, str]] = {}
        for i, item in enumerate(batch):
            truth, answer = item.instruction.answer, item.response.answer
            if isinstance(truth, MathAnswer):
                math[i] = truth.value, answer
            elif isinstance(truth, QaAnswer):
                correct[i] = qa_correct(truth.values, answer)
            elif isinstance(truth, CodeAnswer):
                code[i] = truth, answer
        verifier = self._verifier or shared_verifier()
        found = errors.guarded("math_answer", list(math), lambda rows: verifier.judge([math[i] for i in rows]))
        seconds = program_seconds(self.rewards)
        if seconds is not None and code:
            runner = _code_verifier(seconds, len(code))
            found |= errors.guarded("code_answer", list(code), lambda rows: runner.judge([code[i] for i in rows]))
        return [found.get(i, value) for i, value in enumerate(correct)]

    def _custom(self, batch: Sequence[ScoredResponse], errors: ErrorLog) -> dict[str, dict[int, float | None]]:
        """Return the values of the user's own functions by entry and row, without those of rows that raise."""
        found: dict[str, dict[int, float | None]] = {}
        for entry in self.rewards:
            if isinstance(entry, CustomReward) and batch:
                found[entry.label] = _custom_values(entry, batch, errors)
        return found

    def _reward(self, row: int, facts: Facts, errors: ErrorLog) -> Reward:
        parts = {e.label: errors.one(e.label, row, partial(e.value, facts)) for e in self.rewards}
        outcome = _weighted([(e.weight, parts[e.label]) for e in self.rewards if _is_outcome(e)])
        total = _weighted([(entry.weight, parts[entry.label]) for entry in self.rewards])
        if facts.response.truncated and facts.cap is not None:
            worth = {"zero": 0.0, "penalty": facts.cap.penalty}.get(facts.cap.on_truncation)
            total, outcome = (total, outcome) if worth is None else (worth, worth)
        undecided = [label for label, value in parts.items() if value is None]
        return Reward(
            total=total,
            outcome=outcome,
            parts=parts,
            correct=facts.correct,
            well_formed=facts.response.well_formed,
            truncated=facts.response.truncated,
            judgement=facts.judgement,
            reason=_reason(undecided, facts.judgement, errors.found[row]),
            errors=tuple(errors.found[row]),
        )


_SILENCE = Opinion(False, None, "there is no answer to judge")


def _question(text: str, item: ScoredResponse) -> Question:
    task = item.instruction
    return Question(question=text, request=task.request, answer=item.response.answer, language=task.language)


def _judge_of(entries: Sequence[RewardConfig]) -> Judge | None:
    found = [entry for entry in entries if isinstance(entry, JudgeReward)]
    if len(found) > 1:
        raise RaifError("there are two judge entries; one judge answers all questions, so put them into one entry.")
    return _shared_judge(found[0].judge) if found else None


@lru_cache(maxsize=8)
def _shared_judge(config: JudgeConfig) -> Judge:
    return Judge(config)


def _code_verifier(seconds: float, programs: int) -> CodeVerifier:
    """Return a verifier in which even programs that all take their full time come to an end."""
    workers = min(os.cpu_count() or 1, programs, _CODE_WORKERS)
    return CodeVerifier(workers, seconds, deadline=(seconds + _CODE_STARTING) * -(-programs // workers))


_FUNCTIONS: dict[str, Any] = {}


def _custom_function(entry: CustomReward) -> Any:
    """Return the entry's function, made once per process."""
    key = entry.model_dump_json(include={"type", "arguments"})
    if key not in _FUNCTIONS:
        _FUNCTIONS[key] = make(entry.type, entry.arguments)
    return _FUNCTIONS[key]


def _columns(batch: Sequence[ScoredResponse]) -> dict[str, list[Any]]:
    return {
        "prompts": [item.instruction.messages for item in batch],
        "completions": [[{"role": "assistant", "content": item.completion or item.response.answer}] for item in batch],
        "completion_ids": [list(item.completion_ids) for item in batch],
        "instruction": [item.instruction for item in batch],
        "response": [item.response for item in batch],
        "answer": [item.response.answer for item in batch],
        "solution": [getattr(item.instruction.answer, "value", None) for item in batch],
    }


def _custom_values(entry: CustomReward, batch: Sequence[ScoredResponse], errors: ErrorLog) -> dict[int, float | None]:
    """Call a function on the batch, one by one where it raises, and read what it says of each row."""
    label, function = entry.label, _custom_function(entry)
    rows = range(len(batch))
    said = errors.guarded(label, rows, lambda some: call(label, function, _columns([batch[i] for i in some])))
    return {row: errors.one(label, row, partial(number, label, value)) for row, value in said.items()}


def _note_failed_checkers(
    batch: Sequence[ScoredResponse], judgements: Sequence[Judgement], opinions: Sequence[Opinions], errors: ErrorLog
) -> None:
    """Check unscored leaves once more, since their verdicts do not keep the exception of a checker that failed."""
    for row, (item, judgement) in enumerate(zip(batch, judgements, strict=True)):
        if all(leaf.verdict.status is not Status.UNSCORED for leaf in judgement.leaves):
            continue
        tree, context = item.instruction.tree, item.instruction.context(opinions[row])
        conditions = (getattr(condition, "constraint", None) for condition in tree.conditions())
        constraints = (*(constraint for _, constraint in tree.constraints()), *filter(None, conditions))
        for constraint in dict.fromkeys(constraints):
            errors.one(constraint.type, row, partial(constraint.check, item.response, context))


def _is_outcome(entry: RewardConfig) -> bool:
    return entry.outcome if isinstance(entry, CustomReward) else entry.is_outcome


def _weighted(values: Sequence[tuple[float, float | None]]) -> float | None:
    total = 0.0
    for weight, value in values:
        if value is None:
            return None
        total += weight * value
    return total


def _reason(undecided: Sequence[str], judgement: Judgement, errors: Sequence[RewardError]) -> str:
    """Say why entries or leaves are undecided: what raised, then the others in document order."""
    raised = {error.entry for error in errors}
    leaves: dict[str, str] = defaultdict(str)
    for leaf in judgement.leaves:
        if leaf.verdict.status is Status.UNSCORED and leaf.type not in raised:
            leaves.setdefault(leaf.type, f"{leaf.type}: {leaf.verdict.evidence}")
    others = [f"{label}: no verdict" for label in undecided if label != "constraints" and label not in raised]
    return "; ".join([*map(str, errors), *leaves.values(), *others])
