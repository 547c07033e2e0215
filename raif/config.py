"""RAIFConfig: TRL's GRPOConfig plus data, rewards, contrast, cloning and the cap; checked as a whole."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from trl import GRPOConfig, ModelConfig

from raif.checks import check_batches, check_choices, check_values
from raif.token_budget import check_budget
from rewards.caps import LengthCap
from rewards.entries import RewardConfig, parse_rewards


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class RAIFConfig(GRPOConfig):
    """Arguments of a RAIF training run. `max_completion_length` is the cap."""

    # data
    instructions: str = _option("", "A data folder, a file of instructions, or a data recipe (.yaml) to make one.")
    mix: list[dict[str, Any]] | None = _option(None, "Further sources, e.g. [{name: maths, source: ..., ratio: 1}].")
    experts: str | None = _option(None, "JSON Lines of expert demonstrations, joined to the instructions by id.")
    system_prompt: str | None = _option(None, "System message of every prompt, e.g. to ask for <think> tags.")
    think_style: str = _option("auto", "Marks of thinking: auto | think | think_answer | answer | channels | none.")
    train_limit: int = _option(0, "Use only N rows of the mix, chosen by the seed, in the same ratio; 0 for all.")
    eval_splits: str = _option("test", "Held-out splits that eval_strategy evaluates, separated by commas.")
    eval_limit: int = _option(128, "Held-out instructions that eval_strategy evaluates, per split; 0 for all.")

    # reward
    rewards: list[dict[str, Any]] | None = _option(None, "Typed reward entries, e.g. [{type: constraints}].")
    on_reward_error: str = _option("unscored", "What a reward that raises does: unscored | raise.")

    # cap
    on_truncation: str = _option("zero", "What a rollout that hits the cap is worth: zero | penalty | mask | score.")
    truncation_penalty: float = _option(-1.0, "Total reward of a truncated rollout under on_truncation: penalty.")
    cap_curriculum: list[int] | None = _option(None, "Caps over training in equal stages; the largest is the cap.")
    source_caps: dict[str, int] | None = _option(None, "Smaller caps of single sources of the mix, e.g. {maths: 512}.")

    # sample-wise contrast
    contrast: str = _option("off", "Sample-wise contrast with thinking-free rollouts: off | online | reference.")
    contrast_level: str = _option("prompt", "What is kept or dropped: prompt | rollout.")
    contrast_statistic: str = _option("max_min", "How scores are compared: max_min | mean | best.")
    contrast_margin: float = _option(0.0, "How much better than direct thinking must be.")
    contrast_margin_end: float | None = _option(None, "Margin at the end of training, reached linearly; else constant.")
    contrast_warmup_steps: int = _option(0, "Optimiser steps before contrast begins.")
    contrast_on: str = _option("instructions", "Prompts that are contrasted: instructions (with constraints) | all.")
    contrast_references: str | None = _option(None, "Stored direct scores for contrast: reference.")
    num_direct_generations: int = _option(1, "Thinking-free rollouts per prompt.")

    # expert cloning
    cloning_coefficient: float = _option(0.0, "Weight of the expert cloning loss; 0 switches it off.")
    cloning_schedule: str = _option("constant", "How the coefficient changes: constant | linear | cosine.")
    cloning_gate: str = _option("always", "Which prompts are cloned: always | expert_better.")
    cloning_source: str = _option("prompts", "Whose experts: of the prompts of the batch | an independent stream.")
    cloning_mean: str = _option("token", "What the loss is a mean over: token | sequence.")
    cloning_max_tokens: int = _option(0, "Expert tokens per rollout batch, all ranks together; 0 for no limit.")
    cloning_packing: bool = _option(False, "Pack experts into one row with a forward of their own, without padding.")

    # guard
    sustain_guard: str | None = _option(
        None, "A SUSTAIN folder of the untrained policy, on whose items NET is tracked."
    )
    sustain_guard_items: int = _option(32, "Items of it, three prompts each; below 20 there is no interval.")
    sustain_guard_steps: int = _option(50, "Optimiser steps between two looks; at the start and the end there is one.")
    sustain_guard_alarm: float = _option(0.05, "Alarm when NET's whole interval lies above this share.")

    # running
    max_rollout_tokens: int = _option(0, "End when so many completion tokens were sampled, by all ranks; 0 for never.")
    record_rollouts: bool = _option(True, "Write every rollout with its verdicts to output_dir/rollouts.")
    cpu_threads: int = _option(0, "CPU threads of each rank; 0 takes OMP_NUM_THREADS, else shares the cores.")
    resume_with_changes: bool = _option(False, "Go on in an output folder whose run had other settings.")
    dry_run: bool = _option(False, "Resolve everything, score eight rows and print the plan; train nothing.")

    def __post_init__(self) -> None:
        self.reward_entries: tuple[RewardConfig, ...] = parse_rewards(self.rewards or [])
        check_choices(self)
        check_values(self)
        check_budget(self)
        self.mask_truncated_completions = self.on_truncation == "mask"
        self.logging_nan_inf_filter = False  # it would log a running mean in place of a loss that is not a number
        super().__post_init__()
        check_batches(self)

    @property
    def cap(self) -> LengthCap:
        """Return the length cap that the scorer applies."""
        return LengthCap(
            limit=self.max_completion_length,
            on_truncation=self.on_truncation,
            penalty=self.truncation_penalty,
        )

    @property
    def generation_cycle(self) -> int:
        """Return the optimiser steps that are taken on one batch of rollouts."""
        return max(1, self.steps_per_generation * self.num_iterations // self.gradient_accumulation_steps)


def resolved(config: RAIFConfig, model: ModelConfig) -> dict[str, Any]:
    """Return every setting of a run, for `config.json`."""
    return {"training": config.to_dict(), "model": dataclasses.asdict(model)}


def dump_yaml(content: dict[str, Any], path: Path) -> None:
    """Write a mapping as YAML in its own order."""
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
