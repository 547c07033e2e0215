"""Evaluate the policy of one run: python -m raif.ablation.evaluating OUT RUN."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from raif.ablation.folder import Paths, recorded_plan
from raif.ablation.methods import method_of
from raif.ablation.plan import SUSTAIN, EvaluationSettings, Plan, Run
from raif.evaluation.runner import evaluate, spread
from raif.generation import Generator, Sampling
from raif.generation.opening import open_generator
from raif.monitoring import quiet_libraries
from raif.suites import suite
from rewards.errors import RaifError


def evaluate_run(out: Path, run_id: str) -> dict[str, Any]:
    """Evaluate as the plan of the folder says, and return the metrics.

    The seed of the run is that of the sampling too, and a system prompt that the training has is shown here as well.
    """
    plan = recorded_plan(out)
    run = next(run for run in plan.runs() if run.id == run_id)
    paths, asked = Paths(out, plan, run), plan.evaluate
    sampling = Sampling(asked.cap, asked.temperature, asked.top_p, run.seed, asked.batch_size)
    generator = open_generator(asked.backend, paths.evaluated_policy)
    shown = system_prompt(plan, run)
    try:
        if asked.suite == SUSTAIN:
            return _sustain(asked, generator, sampling, paths.evaluation, shown)
        chosen = suite(asked.suite, **asked.options)
        items = spread(chosen.load(asked.data or chosen.home or paths.data), asked.limit)
        return evaluate(
            chosen, items, generator, sampling, paths.evaluation,
            samples=asked.samples, arms=asked.arms, system_prompt=shown,
        )  # fmt: skip
    finally:
        generator.close()


def _sustain(
    asked: EvaluationSettings, generator: Generator, sampling: Sampling, out: Path, shown: str | None
) -> dict[str, Any]:
    from raif.sustain.runner import sustain
    from raif.sustain.settings import parse_settings
    from raif.sustain.tasks import load_tasks

    tasks, settings = load_tasks(str(asked.data), asked.limit), parse_settings(dict(asked.options))
    return sustain(tasks, generator, sampling, out, settings, samples=asked.samples, system_prompt=shown)


def system_prompt(plan: Plan, run: Run) -> str | None:
    """Return the system message under which a run trains; before training, what the plan's recipe has."""
    settings = run.settings if run.axes else plan.set
    recipe = plan.recipe(settings)
    return {**method_of(recipe).load(recipe), **settings}.get("system_prompt")


def run_guarded(action: Callable[[], object]) -> None:
    """Run a command of this package; errors of the user end with one message and exit code 1."""
    quiet_libraries()
    try:
        action()
    except RaifError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    run_guarded(lambda: evaluate_run(Path(sys.argv[1]), sys.argv[2]))
