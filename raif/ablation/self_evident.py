"""Training data of one seed out of the untrained policy's own outputs: python -m raif.ablation.self_evident OUT SEED.

The policy does the tasks without constraints; what its right outputs meet already is asked for in training.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
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

logger = logging.getLogger("raif")


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


def training_tasks(plan: Plan, paths: Paths, asked: SelfEvident) -> list[Task]:
    """Return the tasks: those that the plan names, or those of the training data, each once and without constraints.

    Tasks that the runs are evaluated on are left out, whatever their ids.

    Raises:
        RaifError: if none is left.
    """
    evaluated = {_worded(task) for task in load_tasks(str(plan.evaluate.data), plan.evaluate.limit)}
    if asked.tasks is not None:
        source, every = asked.tasks, load_tasks(asked.tasks, asked.limit)
    else:
        source, every = paths.data, list(islice(_tasks_of_data(paths, asked), asked.limit or None))
    found = [task for task in every if _worded(task) not in evaluated]
    if not found:
        why = "all are evaluated" if every else f"none has an answer in {', '.join(asked.domains)}"
        raise RaifError(f"no task of {source} can be trained on: {why}. Name others.")
    if len(found) < len(every):
        logger.warning("%d of %d tasks of %s are evaluated and left out", len(every) - len(found), len(every), source)
    return found


def _tasks_of_data(paths: Paths, asked: SelfEvident) -> Iterator[Task]:
    seen: set[str] = set()
    for row in read_data(Path(paths.data), "train"):
        if row.answer is not None and row.answer.kind in asked.domains and row.request not in seen:
            seen.add(row.request)
            yield _task(row)


def _worded(task: Task) -> str:
    """Return the request of a task by which it is known again."""
    return " ".join(task.request.casefold().split())


def _evaluate(plan: Plan, run: Run, paths: Paths, asked: SelfEvident) -> None:
    settings = parse_settings({**plan.evaluate.options, "doses": "1"})
    sampling = Sampling(plan.evaluate.cap, asked.temperature, asked.top_p, run.seed, plan.evaluate.batch_size)
    generator = open_generator(plan.evaluate.backend, paths.policy)
    try:
        sustain(
            training_tasks(plan, paths, asked), generator, sampling, paths.seed / "self_evident", settings,
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
