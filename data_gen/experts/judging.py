"""Judge candidates by the rules that score rollouts, and take the best of each instruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from data_gen.experts.candidates import Candidate
from data_gen.experts.checks import ExpertChecks, Finding
from data_gen.experts.outcomes import CandidateScores, ExpertOutcome, reasons_of
from rewards.constraint import Status
from rewards.entries import parse_rewards
from rewards.instruction import Instruction
from rewards.judge import Consultant
from rewards.judgement import FAILED
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse, Scorer
from rewards.task_answer import CodeAnswer

_RULES = [{"type": "constraints"}]
_RULES_WITH_CODE = [*_RULES, {"type": "code_answer"}]
_NOTHING = Response(None, "")


class ExpertJudge:
    """Scores candidates with `rewards.Scorer`: constraints, mathematical and other answers, programs in a sandbox.

    Args:
        checks: what else is asked of a demonstration.
        judge: answers the questions of soft demands; without one they stay unscored.
    """

    def __init__(self, checks: ExpertChecks, judge: Consultant | None = None) -> None:
        self.checks, self._judge = checks, judge
        self._scorers: dict[bool, Scorer] = {}

    def choose(
        self, instructions: Sequence[Instruction], candidates: Sequence[Sequence[Candidate]]
    ) -> list[ExpertOutcome]:
        """Return the outcome of each instruction of a batch, in order.

        Raises:
            RaifError: if programs are to be run and there is no sandbox.
        """
        pairs = [(task, each) for task, found in zip(instructions, candidates, strict=True) for each in found]
        rewards = iter(self._score(pairs))
        return [
            self._outcome(task, found, [next(rewards) for _ in found])
            for task, found in zip(instructions, candidates, strict=True)
        ]

    def _score(self, pairs: Sequence[tuple[Instruction, Candidate]]) -> list[Reward]:
        batch = [ScoredResponse(task, each.response or _NOTHING, each.tokens) for task, each in pairs]
        has_code = any(isinstance(task.answer, CodeAnswer) for task, _ in pairs)
        if has_code not in self._scorers:
            rules = parse_rewards(_RULES_WITH_CODE if has_code else _RULES)
            self._scorers[has_code] = Scorer(rules, judge=self._judge)
        return self._scorers[has_code].score(batch) if batch else []

    def _outcome(self, task: Instruction, found: Sequence[Candidate], rewards: Sequence[Reward]) -> ExpertOutcome:
        if not found:
            return ExpertOutcome(instruction_id=task.id, reasons=("no demonstration",))
        scored = [
            self._scores(task, number, each, reward)
            for number, (each, reward) in enumerate(zip(found, rewards, strict=True))
        ]
        best = min(scored, key=lambda scores: scores.rank)
        taken = found[best.sample]
        response = taken.response or _NOTHING
        return ExpertOutcome(
            instruction_id=task.id,
            thinking=response.thinking,
            answer=response.answer if taken.response else None,
            origin=taken.origin,
            chosen=best.sample,
            scores=tuple(scored),
            reasons=best.reasons,
        )

    def _scores(self, task: Instruction, number: int, candidate: Candidate, reward: Reward) -> CandidateScores:
        response = candidate.response
        if response is None:
            reasons, seen = reasons_of([candidate.missing or Finding("no demonstration")])
            return CandidateScores(sample=number, reasons=reasons, seen=seen)
        counted = {leaf.path for leaf in reward.judgement.leaves if leaf.verdict.status is not Status.SKIPPED}
        active = [constraint for path, constraint in task.tree.constraints() if path in counted]
        findings = self.checks.review(task, response, active, candidate.origin)
        if response.answer.strip() and not response.truncated:  # else the verdicts only say that there is no answer
            findings += self._verdicts(task, reward)
        reasons, seen = reasons_of(findings)
        satisfied = sum(status is Status.SATISFIED for status in reward.judgement.counted)
        return CandidateScores(
            sample=number,
            hard=reward.judgement.hard,
            soft=reward.judgement.soft,
            share=round(satisfied / len(counted), 6) if counted else 1.0,
            correct=reward.correct,
            words=len(f"{response.thinking or ''} {response.answer}".split()),
            tokens=candidate.tokens,
            reasons=reasons,
            seen=seen,
        )

    def _verdicts(self, task: Instruction, reward: Reward) -> Iterator[Finding]:
        """Yield what the verifiers have against a candidate."""
        for leaf in reward.judgement.leaves:
            verdict = leaf.verdict
            if verdict.status in FAILED:
                yield Finding("constraint violated", f"{leaf.type}: {verdict.evidence}")
            elif verdict.status is Status.UNSCORED and not (
                self.checks.allow_unjudged and leaf.type == "judge:question"
            ):
                yield Finding("constraint unscored", f"{leaf.type}: {verdict.evidence}")
        if task.answer is not None and reward.correct is not True:
            yield Finding("wrong answer" if reward.correct is False else "answer undecided")
