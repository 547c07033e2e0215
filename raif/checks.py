"""What a training recipe must not say, each with the value, what was expected and the next step."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from raif.cloning import GATES, MEANS, SCHEDULES, SOURCES
from raif.contrast import LEVELS, STATISTICS
from raif.sources import MAIN, check_source_caps, parse_mix
from rewards.caps import OnTruncation
from rewards.entries import InvarianceReward, JudgeReward, program_seconds
from rewards.errors import RaifError, unknown_name
from rewards.reward_functions import parse_instruction
from rewards.task_answer import CodeAnswer
from rewards.think_styles import ThinkStyle

if TYPE_CHECKING:
    from raif.config import RAIFConfig

logger = logging.getLogger("raif")
CHOICES: dict[str, Sequence[str]] = {
    "think_style": ("auto", *get_args(ThinkStyle)),
    "on_reward_error": ("unscored", "raise"),
    "on_truncation": get_args(OnTruncation),
    "contrast": ("off", "online", "reference"),
    "contrast_level": LEVELS,
    "contrast_statistic": STATISTICS,
    "contrast_on": ("instructions", "all"),
    "cloning_schedule": SCHEDULES,
    "cloning_gate": GATES,
    "cloning_source": SOURCES,
    "cloning_mean": MEANS,
    # TRL looks at these in the first step or in the trainer only
    "loss_type": ("grpo", "dapo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo"),
    "scale_rewards": ("group", "batch", "none"),
    "importance_sampling_level": ("token", "sequence"),
}
WHOLE: dict[str, int] = {
    "max_completion_length": 1, "num_generations": 2, "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 1, "steps_per_generation": 1, "num_iterations": 1, "num_direct_generations": 1,
    "contrast_warmup_steps": 0, "cloning_max_tokens": 0, "train_limit": 0, "eval_limit": 0, "cpu_threads": 0,
    "sustain_guard_items": 1, "sustain_guard_steps": 1,
}  # fmt: skip
NUMBERS: dict[str, float] = {
    "learning_rate": 0.0, "cloning_coefficient": 0.0, "beta": 0.0, "epsilon": 0.0, "max_grad_norm": 0.0,
    "contrast_margin": -math.inf, "truncation_penalty": -math.inf, "sustain_guard_alarm": 0.0,
}  # fmt: skip
MAPPINGS = ("source_caps", "chat_template_kwargs", "model_init_kwargs", "lr_scheduler_kwargs")
TEXTS = ("instructions", "experts", "system_prompt", "contrast_references", "sustain_guard")


def check_choices(config: RAIFConfig) -> None:
    """Refuse a value that its option does not know."""
    for name, known in CHOICES.items():
        # YAML reads a bare `off` as False
        value = "off" if name == "contrast" and getattr(config, name) is False else getattr(config, name)
        setattr(config, name, value)
        if name == "scale_rewards" and isinstance(value, bool):  # TRL's older way to say group and none
            continue
        if value not in known:
            raise unknown_name(f"value of {name}:", value, known, "Correct it in the recipe or on the command line.")


def check_values(config: RAIFConfig) -> None:
    """Refuse numbers out of range and options that contradict each other."""
    if not config.instructions:
        raise RaifError("instructions is not set; give a folder made by `python -m data_gen` or a data recipe.")
    _check_kinds(config)
    for name, least in WHOLE.items():
        _check_whole(config, name, least)
    for name, lowest in NUMBERS.items():
        _check_number(config, name, lowest)
    if config.sustain_guard_alarm > 1:
        raise RaifError(f"sustain_guard_alarm {config.sustain_guard_alarm:g} is a share and must be at most 1.")
    if config.temperature is not None and not 0 < config.temperature < math.inf:
        raise RaifError(f"temperature must be above 0; got {config.temperature}. 1.0 is usual.")
    if not 0 < config.top_p <= 1:
        raise RaifError(f"top_p must be above 0 and at most 1; got {config.top_p}.")
    if config.max_steps != -1 and config.max_steps < 1:
        raise RaifError(f"max_steps must be at least 1, or -1 for num_train_epochs; got {config.max_steps}.")
    if config.resume_from_checkpoint:
        raise RaifError(
            f"resume_from_checkpoint {config.resume_from_checkpoint!r} is not used: a run goes on from the last whole "
            "checkpoint of its output_dir by itself. Remove it; to begin from a checkpoint, give it as "
            "model_name_or_path."
        )
    _check_contrast(config)
    _check_cloning(config)
    _check_caps(config)
    check_source_caps(config.source_caps, [MAIN, *(source.name for source in parse_mix(config.mix))])


def _check_kinds(config: RAIFConfig) -> None:
    for name in MAPPINGS:
        is_json = str(getattr(config, name)).startswith("{")  # a flag, which transformers parses
        if not isinstance(getattr(config, name), dict | None) and not is_json:
            raise RaifError(f"{name} must be a mapping such as {{name: value}}; got {getattr(config, name)!r}.")
    for name in TEXTS:
        if not isinstance(getattr(config, name), str | None):
            raise RaifError(f"{name} must be one text; got {getattr(config, name)!r}. Put it in quotes in the recipe.")


def _check_whole(config: RAIFConfig, name: str, least: int) -> None:
    value = getattr(config, name)
    if value is None and name == "steps_per_generation":
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise RaifError(f"{name} must be a whole number, at least {least}; got {value!r}.")
    if value < least:
        raise RaifError(f"{name} must be at least {least}; got {value}.")


def _check_number(config: RAIFConfig, name: str, least: float) -> None:
    value = getattr(config, name)
    if value is None or not least <= value < math.inf:
        wanted = "a finite number" if least == -math.inf else f"at least {least:g}"
        raise RaifError(f"{name} must be {wanted}; got {value}.")


def _check_contrast(config: RAIFConfig) -> None:
    if config.contrast == "reference" and not config.contrast_references:
        raise RaifError(
            "contrast: reference compares with stored scores, and contrast_references names none. Make them with "
            "`raif references`, or use contrast: online."
        )
    if config.contrast != "reference" and config.contrast_references:
        raise RaifError(
            f"contrast_references is set, but contrast is {config.contrast!r}: the scores would not be used. "
            "Set contrast: reference or remove it."
        )


def _check_cloning(config: RAIFConfig) -> None:
    if config.cloning_coefficient > 0 and config.temperature != 1.0:
        raise RaifError(
            f"cloning needs temperature 1.0, got {config.temperature}: the loss forward divides logits by it, so the "
            "expert's likelihood would be tempered. Set temperature: 1.0 or cloning_coefficient: 0."
        )
    if config.cloning_source == "stream" and config.cloning_gate == "expert_better":
        raise RaifError(
            "cloning_gate: expert_better compares an expert with the rollouts of its own prompt, and "
            "cloning_source: stream has none. Use cloning_gate: always or cloning_source: prompts."
        )


def _check_caps(config: RAIFConfig) -> None:
    caps = config.cap_curriculum
    if caps is not None and (not caps or any(not isinstance(cap, int) or cap < 1 for cap in caps)):
        raise RaifError(f"cap_curriculum must be a list of positive numbers of tokens, got {caps!r}.")
    if caps and max(caps) != config.max_completion_length:
        raise RaifError(
            f"the largest cap of cap_curriculum is {max(caps)} and max_completion_length is "
            f"{config.max_completion_length}; they must agree, since memory is planned by the latter."
        )
    for source, cap in (config.source_caps or {}).items():
        if not isinstance(cap, int) or not 1 <= cap <= config.max_completion_length:
            raise RaifError(
                f"source_caps: {source}: {cap!r} must be a number of tokens from 1 to max_completion_length "
                f"({config.max_completion_length})."
            )
    lowest = sum(entry.least for entry in config.reward_entries)
    worth = {"zero": 0.0, "penalty": config.truncation_penalty}.get(config.on_truncation)
    if worth is not None and worth > lowest:
        raise RaifError(
            f"on_truncation: {config.on_truncation} makes a truncated rollout ({worth:g}) better than a failed one "
            f"({lowest:g}). Use on_truncation: penalty with truncation_penalty at or below that, or rewards that start "
            "at 0."
        )


def check_batches(config: RAIFConfig) -> None:
    """Refuse batches that would part a prompt's rollouts, and checkpoints that could not be resumed exactly."""
    local = config.per_device_train_batch_size * config.steps_per_generation
    if local % config.num_generations:
        raise RaifError(
            f"per_device_train_batch_size x steps_per_generation = {local} must be a multiple of num_generations = "
            f"{config.num_generations}, so that a prompt's rollouts, direct answers and expert share a rank."
        )
    batches, accumulated = config.steps_per_generation * config.num_iterations, config.gradient_accumulation_steps
    if batches % accumulated and accumulated % batches:
        raise RaifError(
            f"steps_per_generation x num_iterations = {batches} and gradient_accumulation_steps = {accumulated}: one "
            "must be a multiple of the other, else no optimiser step ends a generation cycle."
        )
    _check_saving(config)
    for name in ("auto_find_batch_size", "ignore_data_skip"):
        if getattr(config, name):
            raise RaifError(f"{name}: true would break groups apart or resume in another order. Remove it.")


def _check_saving(config: RAIFConfig) -> None:
    """Refuse checkpoints in the middle of a generation cycle: the rollouts that they leave off at are not saved."""
    cycle = config.generation_cycle
    names = {"steps": ("save_steps", "max_steps"), "best": ("eval_steps",)}
    for name in names.get(str(getattr(config.save_strategy, "value", config.save_strategy)), ()):
        steps = getattr(config, name) or 0
        if 0 < steps < 1:
            raise RaifError(f"{name} = {steps} is a share of the run, which may end inside a cycle; give steps.")
        if steps > 0 and steps % cycle:
            raise RaifError(
                f"{name} = {steps:g} must be a multiple of {cycle}, the optimiser steps of one generation cycle; a "
                "checkpoint in the middle of one could not be resumed exactly."
            )


def check_packing(config: RAIFConfig, ranks: int) -> None:
    """Refuse a second forward where checkpointing is reentrant: several ranks would fail in the first backward."""
    reentrant = config.gradient_checkpointing and (config.gradient_checkpointing_kwargs or {}).get("use_reentrant")
    if config.cloning_packing and config.cloning_coefficient > 0 and reentrant and ranks > 1:
        raise RaifError(
            "cloning_packing takes a forward of its own, which reentrant checkpointing (forced by PEFT with ZeRO-3) "
            "cannot do. Set cloning_packing: false or gradient_checkpointing: false."
        )


def check_data(config: RAIFConfig, rows: Sequence[Mapping[str, Any]], style: str) -> None:
    """Refuse data that make no step, and mechanics that are switched on and could never act on them.

    Args:
        rows: the training rows.
        style: how the policy marks its thinking; `none` if it cannot think.
    """
    needed = config.generation_batch_size // config.num_generations
    if len(rows) < needed:
        raise RaifError(
            f"{len(rows)} training rows fill no generation batch of {needed} prompts; add data or lower "
            "per_device_train_batch_size or gradient_accumulation_steps."
        )
    if config.cloning_coefficient > 0 and not any(row["expert"] for row in rows):
        raise RaifError(
            "cloning_coefficient is set, and no training row has an expert. Let the data recipe make them (expert:), "
            "name a file (experts:), or set cloning_coefficient: 0."
        )
    _check_judge(config, rows)
    _check_invariance(config, rows)
    if config.contrast != "off" and style == "none":
        raise RaifError(
            "the chat template leaves direct answers only: there is nothing to contrast. Set contrast: off."
        )
    has_constraints = (bool(parse_instruction(row["instruction"]).constraints) for row in rows)
    if config.contrast != "off" and config.contrast_on == "instructions" and not any(has_constraints):
        raise RaifError("contrast_on: instructions, and no row has constraints. Set contrast_on: all or contrast: off.")


def _check_judge(config: RAIFConfig, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse questions that nobody answers: their rows would be unscored in every step."""
    if any(isinstance(entry, JudgeReward) for entry in config.reward_entries):
        return
    judged = [row for row in rows if parse_instruction(row["instruction"]).judged]
    if judged:
        sources = ", ".join(dict.fromkeys(row["source"] for row in judged))
        raise RaifError(
            f"{len(judged)} of {len(rows)} training rows ({sources}) ask questions of a judge, and rewards have none. "
            "Add {type: judge, judge: {model: NAME, base_url: http://127.0.0.1:8000/v1}}, or take such rows out."
        )


def _check_invariance(config: RAIFConfig, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse the reward `invariance` where no row says what the policy does without the constraint."""
    if not any(isinstance(entry, InvarianceReward) for entry in config.reward_entries):
        return
    known = programs = unknown = 0
    for task in (parse_instruction(row["instruction"]) for row in rows):
        known += task.unconstrained is not None
        programs += task.unconstrained is not None and isinstance(task.answer, CodeAnswer)
        unknown += task.unconstrained is None and task.answer is not None
    if not known:
        raise RaifError(
            "rewards ask for invariance, and no training row says how the policy does without the constraint "
            "(`unconstrained`). Make such data with `raif sustain-data`, or remove the entry."
        )
    if programs and program_seconds(config.reward_entries) is None:
        raise RaifError(
            f"rewards ask for invariance, and nothing runs the programs of {programs} rows. Set `seconds` in the "
            "entry, or add {type: code_answer}."
        )
    if unknown:
        logger.warning("invariance pays nothing for %d rows that have an answer and no `unconstrained`", unknown)
