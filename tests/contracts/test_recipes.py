"""Every shipped recipe loads, says what it is, and every command the README shows exists."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from trl import GRPOTrainer

from data_gen.config import load_yaml, parse_config
from raif import sft
from raif.ablation.plan import load_plan
from raif.recipes import parse_arguments
from raif.resources import find_launch_config, recipes, shipped
from raif.run import load_pipeline

RECIPES = recipes()
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_loads(name: str, tmp_path: Path) -> None:
    path = RECIPES[name]
    content = load_yaml(path)
    if "counts" in content:
        parse_config(content, name)
    elif "axes" in content:
        assert load_plan(name).runs()
    elif "launch" in content or "policy" in content:
        load_pipeline(name)
    elif name.startswith("sft/"):
        sft.parse_arguments(["--config", name, "--output_dir", str(tmp_path), "--use_cpu", "--bf16", "false"])
    else:
        config, _ = parse_arguments(["--config", name, "--output_dir", str(tmp_path), "--use_cpu", "--bf16", "false"])
        assert config.reward_entries


@pytest.mark.parametrize("path", [*RECIPES.values(), *sorted(shipped("accelerate_configs").glob("*.yaml"))], ids=str)
def test_every_yaml_opens_with_what_it_does(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:6]
    assert head[0].startswith("# ")
    if "accelerate_configs" not in str(path):
        assert any(line.startswith("# Command: ") for line in head)


def test_readme_names_only_recipes_and_configs_that_exist() -> None:
    text = README.read_text(encoding="utf-8")
    for name in re.findall(r"recipes/([\w/.-]+)\.yaml", text):
        assert name in RECIPES
    for name in re.findall(r"accelerate_configs/([\w-]+)\.yaml", text):
        assert find_launch_config(name).is_file()


#: Where RAIFTrainer touches TRL. When a release moves one, read that release's method, adapt the wrap of the same
#: name in raif/trainer.py, run tests/raif/test_trainer.py, and widen the range in pyproject.toml.
SEAMS = {
    "_generate_single_turn": ["self", "prompt_ids", "images", "multimodal_fields", "num_generations"],
    "_generate_and_score_completions": ["self", "inputs"],
    "compute_loss": ["self", "model", "inputs", "return_outputs", "num_items_in_batch"],
    "_get_per_token_logps_and_entropies": ["self", "model", "input_ids", "attention_mask", "logits_to_keep"],
    "_get_train_sampler": ["self", "dataset"],
    "_calculate_rewards": ["self", "inputs", "prompts", "completions", "completion_ids_list"],
    "training_step": ["self", "model", "inputs", "num_items_in_batch"],
    "log": ["self", "logs", "start_time"],
    "create_model_card": ["self"],
    "evaluate": ["self", "eval_dataset", "ignore_keys", "metric_key_prefix"],
}


@pytest.mark.parametrize("name", sorted(SEAMS))
def test_trl_seam_is_where_we_expect_it(name: str) -> None:
    found = list(inspect.signature(getattr(GRPOTrainer, name)).parameters)
    assert found[: len(SEAMS[name])] == SEAMS[name]
