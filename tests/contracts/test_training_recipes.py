"""Training recipes: their batches are the stated ones, ablations ablate one thing, nothing is left to defaults."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from typing import Any

import pytest
from trl import ModelConfig

from data_gen.config import load_yaml
from raif.config import RAIFConfig
from raif.recipes import load_recipe, parse_arguments
from raif.resources import find_launch_config, recipes

FOLDERS = ("grpo/", "ablation/", "cap/", "smoke/")
RECIPES = {name: path for name, path in recipes().items() if name.startswith(FOLDERS) and "axes" not in load_yaml(path)}
ON_GPUS = [name for name in RECIPES if not name.startswith("smoke/")]
ABLATIONS = [name for name in RECIPES if name.startswith("ablation/")]
CAPS = {"cap/1k": 1024, "cap/2k": 2048, "cap/4k": 4096, "cap/8k": 8192}
MOST_LINES = 50

#: What shapes an update or a rollout. Defaults of TRL drift between releases, so recipes say all of it.
ALGORITHM = {
    "loss_type", "importance_sampling_level", "scale_rewards", "num_iterations", "epsilon", "epsilon_high", "beta",
    "use_bias_correction_kl", "entropy_coef", "top_entropy_quantile", "num_generations", "temperature", "top_p",
    "top_k", "repetition_penalty", "per_device_train_batch_size", "gradient_accumulation_steps", "max_steps", "optim",
    "learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "adam_beta1", "adam_beta2",
    "adam_epsilon", "weight_decay", "max_grad_norm", "seed", "rewards", "max_completion_length", "on_truncation",
    "contrast", "cloning_coefficient",
}  # fmt: skip
CONTRAST = {"contrast_level", "contrast_statistic", "num_direct_generations"}
CLONING = {"cloning_schedule", "cloning_gate"}
VLLM = {
    "vllm_mode", "vllm_gpu_memory_utilization", "vllm_importance_sampling_correction",
    "vllm_importance_sampling_mode", "vllm_importance_sampling_clip_max",
}  # fmt: skip


@cache
def parsed(name: str) -> tuple[RAIFConfig, ModelConfig]:
    return parse_arguments(["--config", name, "--use_cpu", "--bf16", "false"])


@cache
def values(name: str) -> dict[str, Any]:
    """Return every value of a recipe that a run would get, those that follow from others included."""
    config, model = parsed(name)
    return {**dataclasses.asdict(model), **config.to_dict(), "cap": config.cap, "cycle": config.generation_cycle}


def differing(name: str, other: str) -> set[str]:
    ours, theirs = values(name), values(other)
    return {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}


def header(name: str) -> str:
    """Return the comment that a recipe opens with, as one line."""
    lines = RECIPES[name].read_text(encoding="utf-8").splitlines()
    first_setting = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line.removeprefix("#").strip(" \\") for line in lines[:first_setting])


def stated_ranks(name: str) -> int:
    found = re.search(r"GPUs: (?:none; )?(\d+)", header(name))
    assert found, f"{name} does not say `# GPUs: N`"
    return int(found[1])


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"smoke/demo-train"}))
def test_no_algorithmic_value_is_left_to_a_default(name: str) -> None:
    content = load_recipe(name)
    needed = ALGORITHM | (CONTRAST if values(name)["contrast"] != "off" else set())
    needed |= CLONING if content["cloning_coefficient"] else set()
    needed |= VLLM if content.get("use_vllm") else set()
    assert not needed - content.keys()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_short_and_says_what_its_run_needs(name: str) -> None:
    lines = RECIPES[name].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    text = header(name)
    command = text[text.index("Command: ") :]
    if name != "smoke/demo-train":
        assert f"--config recipes/{name}.yaml" in command
    if launched := re.search(r"--config_file accelerate_configs/([\w-]+)\.yaml", command):
        assert find_launch_config(launched[1]).is_file()
    if name in ON_GPUS:
        ranks = re.search(r"--num_processes (\d+)", command)
        assert int(ranks[1] if ranks else 1) == stated_ranks(name)
        assert "Last run: " in text


def test_no_two_recipes_write_to_the_same_folder() -> None:
    folders = [load_recipe(name)["output_dir"] for name in RECIPES]
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize("name", ON_GPUS)
def test_rollouts_and_optimiser_steps_are_the_stated_ones(name: str) -> None:
    config, _ = parsed(name)
    ranks = stated_ranks(name)
    step = config.per_device_train_batch_size * config.gradient_accumulation_steps * ranks
    batch = config.per_device_train_batch_size * config.steps_per_generation * ranks
    if name.startswith("cap/"):  # two steps on a batch, as MathIF's table 7
        assert (step, batch, config.generation_cycle) == (64 * 8, 128 * 8, 2)
    else:
        assert (step, batch, config.generation_cycle) == (32 * 8, 32 * 8, 1)
        assert config.max_steps == 2000
    assert config.num_generations == 8


@pytest.mark.parametrize(("name", "rollouts"), [("smoke/cpu", 16), ("smoke/two-process", 16), ("smoke/everything", 32)])
def test_smoke_recipes_take_the_rollouts_they_state(name: str, rollouts: int) -> None:
    config, _ = parsed(name)
    step = config.per_device_train_batch_size * config.gradient_accumulation_steps * stated_ranks(name)
    assert step == rollouts
    assert f"{rollouts} rollouts a step: {rollouts // config.num_generations} prompts x" in header(name)


ABLATED = {
    "ablation/maths-only": {"instructions", "mix", "contrast", "cloning_coefficient", "eval_strategy"},
    "ablation/instructions-only": {"mix"},
    "ablation/maths-0.2": {"mix"},
    "ablation/maths-all": {"mix"},
    "ablation/full-method": set(),
    "ablation/plain": {"contrast", "cloning_coefficient"},
    "ablation/contrast-only": {"cloning_coefficient"},
    "ablation/cloning-only": {"contrast"},
}


@pytest.mark.parametrize("name", sorted(set(ABLATIONS) - {"ablation/base"}))
def test_an_ablation_differs_only_in_what_it_ablates(name: str) -> None:
    found = differing(name, "ablation/base") - {"output_dir", "do_eval"}  # do_eval follows from eval_strategy
    assert found == ABLATED[name]


def test_the_eight_trained_rows_of_the_ablation_are_eight_settings() -> None:
    """The rows are those of arXiv 2506.01413, table 4: maths to instructions, contrast, cloning."""
    rows = set()
    for name in ABLATED:
        config, _ = parsed(name)
        maths = config.mix[0]["ratio"] if config.mix else None if config.instructions == "runs/data" else "alone"
        rows.add((maths, config.contrast != "off", config.cloning_coefficient > 0))
    assert rows == {
        ("alone", False, False), (None, True, True), (0.2, True, True), (1.0, True, True), ("all", True, True),
        (1.0, False, False), (1.0, True, False), (1.0, False, True),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "cap"), CAPS.items())
def test_only_the_cap_differs_in_the_cap_study(name: str, cap: int) -> None:
    config, _ = parsed(name)
    assert config.max_completion_length == config.cap.limit == cap
    others = set(CAPS) - {name}
    assert all(differing(name, other) == {"max_completion_length", "output_dir", "cap"} for other in others)
    assert config.on_truncation == "zero"
    assert [entry.type for entry in config.reward_entries] == ["math_answer"]
    assert config.vllm_max_model_length is None  # follows the cap


def test_the_curriculum_ends_where_the_cap_study_does() -> None:
    config, _ = parsed("cap/curriculum")
    assert config.cap_curriculum == sorted(CAPS.values())
    assert differing("cap/curriculum", "cap/8k") == {"cap_curriculum", "output_dir"}


def test_a_truncated_rollout_is_never_better_than_a_failed_one() -> None:
    for name in RECIPES:
        config, _ = parsed(name)
        worst = {"zero": 0.0, "penalty": config.truncation_penalty}[config.on_truncation]
        assert worst <= sum(entry.least for entry in config.reward_entries)


@pytest.mark.parametrize("name", sorted(name for name in ON_GPUS if name not in ("grpo/plain", "grpo/base")))
def test_models_get_a_prompt_and_weights_that_suit_them(name: str) -> None:
    config, model = parsed(name)
    asks_to_think = bool(config.system_prompt and "<think>" in config.system_prompt)
    reasons_by_itself = re.search(r"R1|DeepScaleR|Qwen3", str(model.model_name_or_path))
    assert asks_to_think == (reasons_by_itself is None)
    assert config.think_style == "think"
    # In bf16 without ZeRO's float32 master weights, steps of this size would be rounded away.
    sharded = "accelerate_configs/zero" in header(name)
    assert model.dtype == "bfloat16"
    assert sharded or model.use_peft


def test_the_adapters_of_the_7b_recipe_are_the_same_run_on_fewer_gpus() -> None:
    full, lora, qlora = (f"grpo/qwen2.5-7b-instruct{suffix}" for suffix in ("", "-lora", "-qlora"))
    batches = {"gradient_accumulation_steps", "steps_per_generation", "generation_batch_size", "output_dir"}
    adapters = {"use_peft", "lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "learning_rate"}
    assert differing(lora, full) - batches == adapters
    assert differing(qlora, lora) - batches == {"load_in_4bit", "use_bnb_nested_quant"}
    assert values(lora)["lora_target_modules"] == "all-linear"


def test_the_smoke_run_of_everything_switches_everything_on() -> None:
    """Every option of contrast, cloning, caps, mix and evaluation has another value than its default."""
    chosen, defaults = (
        values("smoke/everything"),
        {field.name: field.default for field in dataclasses.fields(RAIFConfig)},
    )
    names = [
        name
        for name in load_recipe("smoke/everything")
        if name.startswith(("contrast", "cloning", "cap_", "source_", "eval_", "num_direct")) or name == "mix"
    ]
    same = {name for name in names if chosen[name] == defaults[name]}
    assert same <= {"cloning_gate", "eval_splits"}
    assert {"contrast_warmup_steps", "contrast_margin_end", "cloning_packing", "cap_curriculum", "mix"} <= set(names)
