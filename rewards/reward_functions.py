"""Reward callables with TRL's signature. They pickle, import nothing of TRL and answer None for an unscored row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rewards.constraint import Status
from rewards.instruction import Instruction
from rewards.response import CLOSE, Response, ThinkStyle
from rewards.reward import Reward, ScoredResponse, Scorer


@lru_cache(maxsize=16384)
def parse_instruction(text: str) -> Instruction:
    """Parse the `instruction` column of a training row; cached, since every group repeats it."""
    return Instruction.model_validate_json(text)


def completion_text(completion: str | Sequence[Mapping[str, Any]]) -> str:
    """Return the raw text of a completion in TRL's standard or conversational form.

    A tokenizer with a response template parses thinking away into `reasoning_content`; it is put back here.

    Example:
        >>> completion_text([{"role": "assistant", "reasoning_content": "hm", "content": "Yes."}])
        'hm</think>Yes.'
    """
    if isinstance(completion, str):
        return completion
    message = completion[-1]
    thinking = message.get("reasoning_content") or message.get("thinking")
    content = str(message.get("content") or "")
    return f"{thinking}{CLOSE}{content}" if thinking else content


class RolloutReward:
    """Score completions of instructions; usable as a TRL reward function.

    Args:
        scorer: what a rollout earns.
        eos_token_ids: tokens that end a completion; one that fills the cap without them is truncated.
        style: how thinking is marked; `prefilled`: the chat template opens `<think>` itself.
    """

    __name__ = "reward"

    def __init__(
        self, scorer: Scorer, eos_token_ids: Sequence[int] = (), style: ThinkStyle = "think", prefilled: bool = True
    ) -> None:
        self.scorer, self.eos_token_ids = scorer, frozenset(eos_token_ids)
        self.style, self.prefilled = style, prefilled
        self.last: list[Reward] = []  # breakdowns of the latest call, for whoever records rollouts

    def breakdowns(
        self,
        completions: Sequence[str | Sequence[Mapping[str, Any]]],
        completion_ids: Sequence[Sequence[int]],
        instructions: Sequence[str],
        direct: bool = False,
    ) -> list[Reward]:
        """Return the breakdown of each completion; `direct` judges thinking-free completions on the answer alone."""
        batch = [
            ScoredResponse(parse_instruction(task), self._response(completion_text(text), ids, direct), len(ids))
            for text, ids, task in zip(completions, completion_ids, instructions, strict=True)
        ]
        return self.scorer.score(batch)

    def _response(self, text: str, ids: Sequence[int], direct: bool) -> Response:
        ended = bool(ids) and ids[-1] in self.eos_token_ids
        truncated = self.scorer.cap is not None and self.scorer.cap.truncates(len(ids), ended)
        style: ThinkStyle = "none" if direct else self.style
        return Response.split(text, style=style, prefilled=self.prefilled, truncated=truncated)

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[str | Sequence[Mapping[str, Any]]],
        completion_ids: Sequence[Sequence[int]],
        instruction: Sequence[str],
        log_metric: Callable[[str, float], None] | None = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        """Return one total per completion, None where it cannot be decided."""
        rewards = self.last = self.breakdowns(completions, completion_ids, instruction)
        if log_metric is not None:
            for name, value in metrics(rewards).items():
                log_metric(name, value)
        if log_extra is not None:
            log_extra("verdicts", [verdict_summary(reward) for reward in rewards])
        return [reward.total for reward in rewards]


def verdict_summary(reward: Reward) -> str:
    """Return the verdicts of a rollout in one line."""
    return "; ".join(
        f"{leaf.type}: {leaf.verdict.status} ({leaf.verdict.evidence})" for leaf in reward.judgement.leaves
    )


def metrics(rewards: Sequence[Reward]) -> dict[str, float]:
    """Return means of the parts, HAcc, SAcc, the unscored rate and the pass rate of every constraint type."""
    result: dict[str, float] = {}
    columns: dict[str, list[float | None]] = {
        "rewards/format": [r.format for r in rewards],
        "rewards/constraints": [r.constraints for r in rewards],
        "rewards/math_answer": [r.answer for r in rewards],
        "rewards/length": [r.length for r in rewards],
        "hacc": [None if r.judgement.hard is None else float(r.judgement.hard) for r in rewards],
        "sacc": [r.judgement.soft for r in rewards],
        "correct": [None if r.correct is None else float(r.correct) for r in rewards],
        "unscored": [float(r.total is None) for r in rewards],
    }
    for name, values in columns.items():
        decided = [value for value in values if value is not None]
        if decided:
            result[name] = sum(decided) / len(decided)
    for name, outcomes in pass_rates(rewards).items():
        result[f"constraints/{name}"] = sum(outcomes) / len(outcomes)
    return result


def pass_rates(rewards: Sequence[Reward]) -> dict[str, list[bool]]:
    """Return the satisfied/not outcomes of every constraint type; skipped and unscored leaves are left out."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for reward in rewards:
        for leaf in reward.judgement.leaves:
            if leaf.verdict.status not in (Status.SKIPPED, Status.UNSCORED):
                outcomes[leaf.type].append(leaf.verdict.status is Status.SATISFIED)
    return dict(sorted(outcomes.items()))
