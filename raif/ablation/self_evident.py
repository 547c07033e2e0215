"""Training data of one seed out of the untrained policy's own outputs: python -m raif.ablation.self_evident OUT SEED.

The policy does the tasks without constraints; what its right outputs meet already is asked for in training.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from data_gen.shards import MANIFEST, read_data
from raif.ablation.evaluating import run_guarded, system_prompt
from raif.ablation.folder import Paths, recorded_plan
from raif.ablation.plan import Plan, Run, SelfEvident
from raif.generation import Sampling
from raif.generation.opening import open_generator
from raif.sustain.records import Task
from raif.sustain.runner import sustain
from raif.sustain.settings import parse_settings
from raif.sustain.tasks import load_tasks
from raif.sustain.training_data import DataSettings, make_training_data
from rewards.errors import RaifError
from rewards.instruction import Instruction


def make_self_evident_data(out: Path, seed: int) -> Path:
    """Evaluate the untrained policy of a seed on training tasks and write the data folder of its trainings."""
    plan = recorded_plan(out)
    asked = plan.self_evident
    if asked is None:
        raise RaifError(f"the plan of {out} has no self_evident data.")
    run = Run(f"seed-{seed}", seed, {}, {})
    paths = Paths(out, plan, run)
    _evaluate(plan, run, paths, asked)
    target = Path(paths.training_data)
    if not (target / MANIFEST).is_file():
        shutil.rmtree(target, ignore_errors=True)  # what a kill has left
        settings = DataSettings(held_out_families=frozenset(plan.evaluate.held_out_families))
        make_training_data([paths.seed / "self_evident"], target, settings)
    return target


def training_tasks(paths: Paths, asked: SelfEvident) -> list[Task]:
    """Return the tasks: those that the plan names, or those of the training data, each once and without constraints."""
    if asked.tasks is not None:
        return load_tasks(asked.tasks, asked.limit)
    found: dict[str, Task] = {}
    for row in read_data(Path(paths.data), "train"):
        task = _task(row) if row.answer is not None and row.answer.kind in asked.domains else None
        if task is not None and len(found) < (asked.limit or sys.maxsize):
            found.setdefault(task.request, task)
    if not found:
        raise RaifError(f"no training row of {paths.data} has an answer in {', '.join(asked.domains)}.")
    return list(found.values())


def _evaluate(plan: Plan, run: Run, paths: Paths, asked: SelfEvident) -> None:
    settings = parse_settings({**plan.evaluate.options, "doses": "1"})
    sampling = Sampling(plan.evaluate.cap, asked.temperature, asked.top_p, run.seed, plan.evaluate.batch_size)
    generator = open_generator(plan.evaluate.backend, paths.policy)
    try:
        sustain(
            training_tasks(paths, asked), generator, sampling, paths.seed / "self_evident", settings,
            samples=asked.samples, system_prompt=system_prompt(plan, run),
        )  # fmt: skip
    finally:
        generator.close()


def _task(row: Instruction) -> Task:
    source, kind = row.source.seed_set, row.answer.kind if row.answer else None
    fields = {"domain": kind, "request": row.request, "answer": row.answer, "language": row.language}
    return Task.model_validate({**fields, "id": f"{source}/{row.id}", "source": source, "licence": row.source.licence})


if __name__ == "__main__":
    run_guarded(lambda: make_self_evident_data(Path(sys.argv[1]), int(sys.argv[2])))
