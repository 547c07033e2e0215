"""The training of one run: the recipe it gets, checked before anything starts, and how much work it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from raif.ablation.plan import Plan, label
from raif.config import RAIFConfig, dump_yaml
from raif.recipes import BASE, load_recipe, parse_arguments
from raif.resources import find_recipe
from rewards.errors import RaifError

#: A login node has no GPU: what a recipe asks of one is not looked at.
_ANYWHERE = {"use_cpu": True, "bf16": False, "fp16": False, "tf32": None}


class Work(NamedTuple):
    """What a training samples at most. `steps` is None where the data decide (epochs)."""

    steps: int | None
    rollouts_per_step: float
    tokens: int | None


def recipe_of(plan: Plan, settings: dict[str, Any], **own: Any) -> dict[str, Any]:
    """Return the recipe of a run, on top of the plan's; `own` are its data, policy, seed and folder."""
    base = Path(plan.train)
    return {BASE: str(base.resolve()) if base.is_file() else plan.train, **settings, **own}


def check_trainings(plan: Plan) -> dict[str, Work]:
    """Parse the recipe of every cell as the training will, and return the work of each by its label.

    Raises:
        RaifError: which names the cell whose settings are not valid.
    """
    load_recipe(plan.train)
    found = {}
    for axes, settings in plan.cells():
        try:
            found[label(axes)] = work(parsed(plan, settings), plan.num_processes)
        except RaifError as error:
            raise RaifError(f"{label(axes)}: {error}") from error
    for name, one in found.items():
        if plan.token_budget and one.tokens is not None and one.tokens < plan.token_budget:
            raise RaifError(
                f"{name} samples at most {one.tokens:,} completion tokens in its {one.steps:,} steps, fewer than the "
                f"token_budget of {plan.token_budget:,}. Raise max_steps in `set`."
            )
    return found


def parsed(plan: Plan, settings: dict[str, Any]) -> RAIFConfig:
    """Return the configuration that a run with these settings would have."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        own = {"instructions": "-", "output_dir": folder, "seed": plan.seeds[0], **_ANYWHERE}
        dump_yaml(recipe_of(plan, settings, **own), path)
        return parse_arguments(["--config", str(path)])[0]


def work(config: RAIFConfig, ranks: int) -> Work:
    """Return how much a training samples at most."""
    batch = config.per_device_train_batch_size * config.gradient_accumulation_steps * ranks
    rollouts = batch / config.num_iterations
    if config.contrast == "online":
        rollouts += rollouts / config.num_generations * config.num_direct_generations
    if config.max_steps < 1:
        return Work(None, rollouts, None)
    return Work(config.max_steps, rollouts, round(config.max_steps * rollouts * config.max_completion_length))


def check_recipes(plan: Plan) -> None:
    """Read what a plan names: data recipe, data, policy, launch configuration, and the suite that is to measure."""
    from data_gen.config import load_yaml, parse_config
    from raif.model_paths import EMBEDDED, check_model_path
    from raif.resources import find_launch_config
    from raif.suites import suite

    measured = suite(plan.evaluate.suite, **plan.evaluate.options)
    if wrong := [arm for arm in plan.evaluate.arms if arm not in measured.arms]:
        raise RaifError(f"evaluate.arms has {wrong[0]!r}; suite {measured.name} has: {', '.join(measured.arms)}.")
    if plan.policy != EMBEDDED:
        check_model_path(plan.policy)
    if plan.instructions is not None and not Path(plan.instructions).exists():
        raise RaifError(f"no data at `instructions: {plan.instructions}`; give a folder or file that exists.")
    if plan.data is not None:
        path = find_recipe(plan.data)
        parse_config(load_yaml(path), str(path))
    if plan.num_processes > 1:
        find_launch_config(plan.launch)
