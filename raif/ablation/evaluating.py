"""Evaluate the policy of one run: python -m raif.ablation.evaluating OUT RUN."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from raif.ablation.folder import Paths, recorded_plan
from raif.ablation.plan import Plan, Run
from raif.evaluation.runner import evaluate, spread
from raif.generation import Sampling
from raif.generation.opening import open_generator
from raif.monitoring import quiet_libraries
from raif.recipes import load_recipe
from raif.suites import suite
from rewards.errors import RaifError


def evaluate_run(out: Path, run_id: str) -> dict[str, Any]:
    """Evaluate as the plan of the folder says, and return the metrics.

    The seed of the run is that of the sampling too, and a system prompt that the training has is shown here as well.
    """
    plan = recorded_plan(out)
    run = next(run for run in plan.runs() if run.id == run_id)
    paths, asked = Paths(out, plan, run), plan.evaluate
    chosen = suite(asked.suite, **asked.options)
    items = spread(chosen.load(asked.data or chosen.home or paths.data), asked.limit)
    sampling = Sampling(asked.cap, asked.temperature, asked.top_p, run.seed, asked.batch_size)
    generator = open_generator(asked.backend, paths.evaluated_policy)
    try:
        return evaluate(
            chosen, items, generator, sampling, paths.evaluation,
            samples=asked.samples, arms=asked.arms, system_prompt=system_prompt(plan, run),
        )  # fmt: skip
    finally:
        generator.close()


def system_prompt(plan: Plan, run: Run) -> str | None:
    """Return the system message under which a run trains; before training, what all runs share."""
    settings = {**load_recipe(plan.train), **(run.settings if run.axes else plan.set)}
    return settings.get("system_prompt")


def main() -> None:
    """Run the command; errors of the user end with one message and exit code 1."""
    quiet_libraries()
    out, run_id = sys.argv[1:]
    try:
        evaluate_run(Path(out), run_id)
    except RaifError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
