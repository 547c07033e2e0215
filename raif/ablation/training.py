"""The training of one run: the recipe it gets, checked before anything starts, and how much work it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from raif.ablation.methods import method_of
from raif.ablation.plan import SUSTAIN, TRAIN, EvaluationSettings, Plan, label
from raif.config import RAIFConfig, dump_yaml
from raif.recipes import BASE
from raif.resources import find_recipe
from rewards.errors import RaifError, unknown_name

if TYPE_CHECKING:
    from raif.sft import SFTArguments

#: A login node has no GPU: what a recipe asks of one is not looked at.
_ANYWHERE = {"use_cpu": True, "bf16": False, "fp16": False, "tf32": None}


class Work(NamedTuple):
    """What a training samples at most, or is shown. `steps` is None where the data decide (epochs)."""

    steps: int | None
    rollouts_per_step: float
    tokens: int | None


def recipe_of(plan: Plan, settings: dict[str, Any], **own: Any) -> dict[str, Any]:
    """Return the recipe of a run, on top of the plan's or its arm's; `own` are its data, policy, seed and folder."""
    name = plan.recipe(settings)
    base = Path(name)
    changes = {key: value for key, value in settings.items() if key != TRAIN}
    return {BASE: str(base.resolve()) if base.is_file() else name, **changes, **own}


def check_trainings(plan: Plan) -> dict[str, Work]:
    """Parse the recipe of every cell as the training will, and return the work of each by its label.

    Raises:
        RaifError: which names the cell whose settings are not valid, or whose training is not as long as others.
    """
    method_of(plan.train).load(plan.train)
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
        if plan.equal == "steps" and one.steps != next(iter(found.values())).steps:
            raise RaifError(
                f"{name} takes {one.steps} steps and {next(iter(found))} {next(iter(found.values())).steps}, and "
                "`equal: steps` says that all runs take as many. Set its max_steps, or use `equal: tokens`."
            )
    return found


def parsed(plan: Plan, settings: dict[str, Any]) -> RAIFConfig | SFTArguments:
    """Return the configuration that a run with these settings would have: a `RAIFConfig`, or `SFTArguments`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        own = {"instructions": "-", "output_dir": folder, "seed": plan.seeds[0], **_ANYWHERE}
        dump_yaml(recipe_of(plan, settings, **own), path)
        config: RAIFConfig | SFTArguments = method_of(path).parse(["--config", str(path)])
        return config


def work(config: RAIFConfig | SFTArguments, ranks: int) -> Work:
    """Return how much a training samples at most; of fine-tuning, on how much it trains."""
    if not isinstance(config, RAIFConfig):
        return Work(config.max_steps if config.max_steps > 0 else None, 0, config.max_completion_tokens or None)
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

    _check_suite(plan.evaluate)
    if plan.self_evident is not None and plan.self_evident.tasks is not None:
        _check_tasks(plan.self_evident.tasks)
    if plan.policy != EMBEDDED:
        check_model_path(plan.policy)
    if plan.instructions is not None and not Path(plan.instructions).exists():
        raise RaifError(f"no data at `instructions: {plan.instructions}`; give a folder or file that exists.")
    if plan.data is not None:
        path = find_recipe(plan.data)
        parse_config(load_yaml(path), str(path))
    if plan.num_processes > 1:
        find_launch_config(plan.launch)


def _check_suite(evaluate: EvaluationSettings) -> None:
    from raif.suites import suite

    if evaluate.suite == SUSTAIN:
        _check_tasks(str(evaluate.data))
        return
    measured = suite(evaluate.suite, **evaluate.options)
    if wrong := [arm for arm in evaluate.arms if arm not in measured.arms]:
        raise RaifError(f"evaluate.arms has {wrong[0]!r}; suite {measured.name} has: {', '.join(measured.arms)}.")


def _check_tasks(spec: str) -> None:
    """Refuse unknown task sets; whether their rows are there is known when they are read."""
    from raif.sustain.tasks import TASK_SETS

    for entry in spec.split(","):
        if (name := entry.partition("=")[0].strip()) not in TASK_SETS:
            raise unknown_name("task set", name, TASK_SETS, "Correct the plan.")
