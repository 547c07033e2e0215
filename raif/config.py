"""The training recipe: TRL's GRPOConfig plus data, rewards, contrast, cloning and the cap; checked as a whole."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from trl import GRPOConfig, ModelConfig, TrlParser

from data_gen.config import load_yaml
from raif.cloning import GATES, SCHEDULES
from raif.contrast import LEVELS, STATISTICS
from raif.resources import find_recipe
from rewards.caps import LengthCap
from rewards.entries import RewardConfig, parse_rewards
from rewards.errors import RaifError, unknown_name
from rewards.think_styles import ThinkStyle

CONTRASTS = ("off", "online")
TRUNCATIONS = ("zero", "penalty", "mask", "score")


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class RAIFConfig(GRPOConfig):
    """Arguments of a RAIF training run. `max_completion_length` is the cap."""

    instructions: str = _option("", "A data folder, a file of instructions, or a data recipe (.yaml) to make one.")
    rewards: list[dict[str, Any]] | None = _option(None, "Typed reward entries, e.g. [{type: constraints}].")
    system_prompt: str | None = _option(None, "System message of every prompt, e.g. to ask for <think> tags.")
    think_style: str = _option("auto", "Marks of thinking: auto | think | think_answer | answer | channels | none.")
    on_truncation: str = _option("zero", "What a rollout that hits the cap is worth: zero | penalty | mask | score.")
    truncation_penalty: float = _option(-1.0, "Total reward of a truncated rollout under on_truncation: penalty.")
    contrast: str = _option("off", "Sample-wise contrast with thinking-free rollouts: off | online.")
    contrast_level: str = _option("prompt", "What is kept or dropped: prompt | rollout.")
    contrast_statistic: str = _option("max_min", "How scores are compared: max_min | mean | best.")
    contrast_margin: float = _option(0.0, "How much better than direct thinking must be.")
    num_direct_generations: int = _option(1, "Thinking-free rollouts per prompt.")
    cloning_coefficient: float = _option(0.0, "Weight of the expert cloning loss; 0 switches it off.")
    cloning_schedule: str = _option("constant", "How the coefficient changes: constant | linear | cosine.")
    cloning_gate: str = _option("always", "Which prompts are cloned: always | expert_better.")
    record_rollouts: bool = _option(True, "Write every rollout with its verdicts to output_dir/rollouts.")
    train_limit: int = _option(0, "Use only the first N training instructions; 0 for all.")
    cpu_threads: int = _option(0, "CPU threads of each rank; 0 takes OMP_NUM_THREADS, else shares the cores.")

    def __post_init__(self) -> None:
        self.reward_entries: tuple[RewardConfig, ...] = parse_rewards(self.rewards or [])
        self._check_choices()
        self._check_values()
        self.mask_truncated_completions = self.on_truncation == "mask"
        super().__post_init__()
        self._check_batches()

    @property
    def cap(self) -> LengthCap:
        """Return the length cap that the scorer applies."""
        return LengthCap(
            limit=self.max_completion_length,
            on_truncation=self.on_truncation,
            penalty=self.truncation_penalty,
        )

    def _check_choices(self) -> None:
        choices: dict[str, Sequence[str]] = {
            "think_style": ("auto", *get_args(ThinkStyle)),
            "contrast": CONTRASTS,
            "contrast_level": LEVELS,
            "contrast_statistic": STATISTICS,
            "cloning_schedule": SCHEDULES,
            "cloning_gate": GATES,
            "on_truncation": TRUNCATIONS,
        }
        for name, known in choices.items():
            # YAML reads a bare `off` as False
            value = "off" if name == "contrast" and getattr(self, name) is False else getattr(self, name)
            setattr(self, name, value)
            if value not in known:
                raise unknown_name(
                    f"value of {name}:", value, known, "Correct it in the recipe or on the command line."
                )

    def _check_values(self) -> None:
        if not self.instructions:
            raise RaifError("instructions is not set; give a folder made by `python -m data_gen` or a data recipe.")
        if self.cloning_coefficient < 0 or self.num_direct_generations < 1:
            raise RaifError(
                "cloning_coefficient must be >= 0 and num_direct_generations >= 1; got "
                f"{self.cloning_coefficient} and {self.num_direct_generations}."
            )
        if self.cloning_coefficient > 0 and self.temperature != 1.0:
            raise RaifError(
                f"cloning needs temperature 1.0, got {self.temperature}: the loss forward divides logits by it, so the "
                "expert's likelihood would be tempered. Set temperature: 1.0 or cloning_coefficient: 0."
            )
        if self.on_truncation == "zero" and self._lowest_reward() < 0:
            raise RaifError(
                "on_truncation: zero makes a truncated rollout (0) better than a failed one "
                f"({self._lowest_reward():g}). "
                "Use on_truncation: penalty with truncation_penalty at or below that, or rewards that start at 0."
            )

    def _lowest_reward(self) -> float:
        return sum(entry.least for entry in self.reward_entries)

    def _check_batches(self) -> None:
        local = self.per_device_train_batch_size * self.steps_per_generation
        if local % self.num_generations:
            raise RaifError(
                f"per_device_train_batch_size x steps_per_generation = {local} must be a multiple of num_generations = "
                f"{self.num_generations}, so that a prompt's rollouts, direct answers and expert share a rank."
            )
        cycle = max(1, self.steps_per_generation * self.num_iterations // self.gradient_accumulation_steps)
        if self.save_strategy == "steps" and self.save_steps % cycle:
            raise RaifError(
                f"save_steps = {self.save_steps} must be a multiple of {cycle}, the optimiser steps of one generation "
                "cycle; a checkpoint in the middle of one could not be resumed exactly."
            )


def parse_arguments(arguments: Sequence[str] | None = None) -> tuple[RAIFConfig, ModelConfig]:
    """Parse `--config recipe.yaml` and flags: defaults < recipe < flags; unknown keys are errors."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for index, value in enumerate(arguments[:-1]):
        if value == "--config":
            arguments[index + 1] = str(find_recipe(arguments[index + 1]))
            _check_keys(Path(arguments[index + 1]))
    parser = TrlParser(dataclass_types=[RAIFConfig, ModelConfig])
    try:
        config, model = parser.parse_args_and_config(args=arguments, fail_with_unknown_args=True)
    except RaifError:
        raise
    except (ValueError, TypeError) as error:
        raise RaifError(f"the recipe or a flag is not valid: {error}") from error
    return config, model


def _check_keys(path: Path) -> None:
    known = {f.name for cls in (RAIFConfig, ModelConfig) for f in dataclasses.fields(cls)} | {"env"}
    for key in load_yaml(path):
        if key not in known:
            advice = f"Correct {path}; `python -m raif.train --help` lists every key."
            near = unknown_name("recipe key", key, known, advice)
            raise RaifError(_without_list(str(near)))


def _without_list(message: str) -> str:
    """Drop the list of some 150 known keys; the nearest name and the advice stay."""
    head, _, rest = message.partition("Known: ")
    return head + rest.partition(". ")[2]


def resolved(config: RAIFConfig, model: ModelConfig) -> dict[str, Any]:
    """Return every setting of a run, for `config.json`."""
    return {"training": config.to_dict(), "model": dataclasses.asdict(model)}


def dump_yaml(content: dict[str, Any], path: Path) -> None:
    """Write a mapping as YAML in its own order."""
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
