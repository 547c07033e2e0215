"""Evaluate a policy on instructions of our own: sample, judge, summarise."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from raif.chat import ThinkFormat, build_messages
from raif.evaluation.metrics import floor_and_ceiling, summarize
from raif.generation import Completion, Sampling
from raif.generation.local import LocalModel
from raif.rollouts import Rollout, append_jsonl, read_rollouts
from rewards.caps import LengthCap
from rewards.entries import parse_rewards
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.reward import ScoredResponse, Scorer

ROLLOUTS, METRICS = "rollouts.jsonl", "metrics.json"
_OUTCOME = parse_rewards([{"type": "constraints", "shaping": "fraction"}, {"type": "math_answer"}])


def evaluate(
    model: str,
    instructions: Sequence[Instruction],
    sampling: Sampling,
    out: str | Path,
    system_prompt: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Sample one completion per instruction, judge it, and write `rollouts.jsonl` and `metrics.json`.

    An output folder that already holds the metrics of this very evaluation is left as it is.
    """
    folder = Path(out)
    stamp = {"model": model, "sampling": sampling._asdict(), "system_prompt": system_prompt, "ids": _ids(instructions)}
    existing = _existing(folder, stamp)
    if existing is not None:
        return existing
    policy = LocalModel(model)
    prompts = [policy.chat.thinking_prompt(build_messages(task.messages, system_prompt)) for task in instructions]
    completions = policy.generate(prompts, sampling, progress)
    rollouts = judge(instructions, completions, sampling.cap, policy.chat.probe())
    metrics = {**summarize(rollouts), **floor_and_ceiling(instructions), **stamp}
    (folder / ROLLOUTS).unlink(missing_ok=True)
    append_jsonl(folder / ROLLOUTS, rollouts)
    (folder / METRICS).write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def judge(
    instructions: Sequence[Instruction], completions: Sequence[Completion], cap: int, think: ThinkFormat
) -> list[Rollout]:
    """Judge completions as they stand; a truncated one with unclosed thinking has no answer and satisfies nothing."""
    batch = [
        ScoredResponse(
            task,
            Response.split(done.text, style=think.style, prefilled=think.prefilled, truncated=not done.ended),
            done.tokens,
            done.text,
        )
        for task, done in zip(instructions, completions, strict=True)
    ]
    rewards = Scorer(_OUTCOME, LengthCap(limit=cap, on_truncation="score")).score(batch)
    return [
        Rollout.build(
            reward,
            instruction_id=item.instruction.id,
            group=index,
            sample=0,
            completion=done.text,
            completion_tokens=done.tokens,
            finish_reason="stop" if done.ended else "length",
        )
        for index, (item, done, reward) in enumerate(zip(batch, completions, rewards, strict=True))
    ]


def load_evaluation(folder: Path) -> tuple[dict[str, Any], list[Rollout]]:
    """Return the metrics and rollouts that `evaluate` wrote."""
    if not (folder / METRICS).is_file():
        raise RaifError(f"no evaluation in {folder}; run `raif evaluate instructions --out {folder}` first.")
    return json.loads((folder / METRICS).read_text(encoding="utf-8")), list(read_rollouts(folder / ROLLOUTS))


def _ids(instructions: Sequence[Instruction]) -> str:
    ids = [task.id for task in instructions]
    repeated = sorted({key for key in ids if ids.count(key) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        raise RaifError(f"{len(repeated)} instruction ids occur twice (first: {repeated[0]}); results join by id.")
    return f"{len(ids)}:{ids[0]}..{ids[-1]}"


def _existing(folder: Path, stamp: dict[str, Any]) -> dict[str, Any] | None:
    if not (folder / METRICS).is_file():
        return None
    metrics: dict[str, Any] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return metrics if all(metrics.get(key) == value for key, value in stamp.items()) else None
