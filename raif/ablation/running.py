"""Run what is missing of an ablation: data and policy of a seed, training, evaluation; each in a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, NamedTuple

from data_gen.shards import MANIFEST
from raif.ablation.folder import Paths, claim
from raif.ablation.methods import method_of
from raif.ablation.plan import Plan, Run
from raif.ablation.processes import Failed, Processes, Stopped
from raif.ablation.training import recipe_of
from raif.config import dump_yaml
from raif.model_paths import EMBEDDED
from raif.resources import find_recipe, launch_arguments
from raif.run_folder import write_json
from rewards.errors import RaifError, unknown_name

TIMES = "seconds.json"
Say = Callable[[str], None]


class Outcome(NamedTuple):
    """How a run came out: finished, failed, stopped by a signal, or busy in another process."""

    run: Run
    state: str
    reason: str = ""
    log: Path | None = None


def choose(plan: Plan, only: str | None = None) -> list[Run]:
    """Return the runs of a plan, or those whose id a glob matches.

    Raises:
        RaifError: if it matches none.
    """
    runs = plan.runs()
    chosen = [run for run in runs if only is None or run.id == only or fnmatchcase(run.id, only)]
    if not chosen:
        raise unknown_name("run in --only:", only, [run.id for run in runs], "Give one of these or a glob.")
    return chosen


def run_plan(
    plan: Plan,
    out: Path,
    jobs: int = 1,
    only: str | None = None,
    say: Say = lambda text: None,
    done: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """Do what is missing of a plan's runs; what is finished is skipped, what was interrupted goes on.

    Runs that another process works on are left for the end and then waited for.

    Args:
        jobs: runs at the same time.
        only: a glob of run ids.
        say: is told what begins and what goes wrong.
        done: is called after every run.
    """
    runs = choose(plan, only)
    claim(plan, out)
    out = out.resolve()
    processes = Processes()
    threads = max(1, (os.cpu_count() or 1) // jobs)
    worker = Worker(plan, out, processes, threads, say)
    with processes.hearing_signals(), ThreadPoolExecutor(jobs) as pool:
        list(
            pool.map(worker.prepare, {run.seed: run for run in runs if not Paths(out, plan, run).is_finished}.values())
        )
        outcomes = {}
        for outcome in pool.map(worker, runs):
            outcomes[outcome.run.id] = outcome
            if outcome.state != "busy":
                done()
        busy = [outcome.run for outcome in outcomes.values() if outcome.state == "busy"]
        for outcome in pool.map(lambda run: worker(run, wait=True), busy):
            outcomes[outcome.run.id] = outcome
            done()
    return list(outcomes.values())


class Worker:
    """Does one run after the other; called from several threads."""

    def __init__(self, plan: Plan, out: Path, processes: Processes, threads: int, say: Say) -> None:
        self.plan, self.out, self.processes, self.threads, self.say = plan, out, processes, threads, say

    def __call__(self, run: Run, wait: bool = False) -> Outcome:
        paths = Paths(self.out, self.plan, run)
        if paths.is_finished:
            return Outcome(run, "finished")
        busy = (lambda: self.say(f"{run.id}: another process works on it; waiting")) if wait else None
        try:
            with self.processes.locked(paths.folder / "run.lock", busy) as lock:
                self._do(paths, lock)
        except BlockingIOError:
            return Outcome(run, "busy")
        except Stopped:
            return Outcome(run, "stopped")
        except Failed as failure:
            self.say(f"{run.id}: {failure}; see {failure.log}")
            return Outcome(run, "failed", str(failure), failure.log)
        except (OSError, RaifError) as error:
            self.say(f"{run.id}: {error}")
            return Outcome(run, "failed", str(error))
        return Outcome(run, "finished")

    def prepare(self, run: Run) -> None:
        """Make what the runs of a seed share, so that seeds are prepared side by side; faults are told by the runs."""
        with suppress(Failed, Stopped, OSError, RaifError):
            self._prepare(Paths(self.out, self.plan, run))

    def _do(self, paths: Paths, lock: IO[Any]) -> None:
        self._prepare(paths)
        if not paths.is_trained:
            self._timed("training", self._train, paths, lock)
        if not paths.is_evaluated:
            self._timed("evaluation", self._evaluate, paths, lock)

    def _timed(self, name: str, action: Callable[[Paths, IO[Any]], None], paths: Paths, lock: IO[Any]) -> None:
        """Do a part of a run, and add its time to that of earlier starts."""
        self.say(f"{paths.run.id}: {name}")
        began = time.monotonic()
        try:
            action(paths, lock)
        finally:
            took = seconds(paths)
            took[name] = round(took.get(name, 0.0) + time.monotonic() - began, 1)
            write_json(paths.folder / TIMES, took)

    def _prepare(self, paths: Paths) -> None:
        """Make data and policy of the seed; the first of its runs does it, the others wait."""
        if self.plan.data is None and self.plan.self_evident is None:
            return
        with self.processes.locked(paths.seed / "prepare.lock", lambda: None) as lock:
            log = paths.seed / "prepare.log"
            if self.plan.data is not None and not (Path(paths.data) / MANIFEST).is_file():
                self.say(f"seed-{paths.run.seed}: data")
                make = ["-m", "data_gen", "--config", str(find_recipe(self.plan.data)), "--out", paths.data]
                self._start("making the data", [*make, "--seed", str(paths.run.seed)], log, lock)
            if self.plan.policy == EMBEDDED and not (Path(paths.policy) / "tokenizer_config.json").is_file():
                self.say(f"seed-{paths.run.seed}: policy")
                build = ["-m", "raif", "tiny", "--warm-start", str(paths.warm_start), "--out", paths.policy]
                self._start("building the policy", [*build, "--seed", str(paths.run.seed)], log, lock)
            if self.plan.self_evident is not None and not (Path(paths.training_data) / MANIFEST).is_file():
                self.say(f"seed-{paths.run.seed}: training data of the policy's own outputs")
                make = ["-m", "raif.ablation.self_evident", str(self.out), str(paths.run.seed)]
                self._start("making the training data", make, log, lock)

    def _train(self, paths: Paths, lock: IO[Any]) -> None:
        recipe = paths.folder / "recipe.yaml"
        own = {
            "model_name_or_path": paths.policy,
            "instructions": paths.training_data,
            "output_dir": str(paths.train),
            "seed": paths.run.seed,
            "disable_tqdm": True,
        }
        dump_yaml(recipe_of(self.plan, paths.run.settings, **own), recipe)
        ranks = self.plan.num_processes
        command = [*launch_arguments(self.plan.launch, ranks), "-m", method_of(recipe).module, "--config", str(recipe)]
        self._start("training", command, paths.folder / "train.log", lock, launched=ranks > 1)
        if not paths.is_trained:
            raise Failed("training ended without done.json", paths.folder / "train.log")

    def _evaluate(self, paths: Paths, lock: IO[Any]) -> None:
        command = ["-m", "raif.ablation.evaluating", str(self.out), paths.run.id]
        self._start("evaluation", command, paths.folder / "evaluation.log", lock)

    def _start(self, what: str, arguments: Sequence[str], log: Path, lock: IO[Any], launched: bool = False) -> None:
        self.processes.run(what, [sys.executable, *arguments], log, lock, self.threads, launched)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Say how many runs came out how, and name those that failed with their logs."""
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("finished", "failed", "stopped")}
    lines = [", ".join(f"{count} {state}" for state, count in counts.items() if count)]
    for outcome in outcomes:
        if outcome.state == "failed":
            lines.append(f"{outcome.run.id}: {outcome.reason}" + (f"; see {outcome.log}" if outcome.log else ""))
    return "\n".join(lines)


def seconds(paths: Paths) -> dict[str, float]:
    """Return what the parts of a run took so far, over all starts."""
    path = paths.folder / TIMES
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def command_line(plan: str, out: Path, run: Run) -> str:
    """Return the command that does one run and nothing else."""
    return f"raif ablate {shlex.quote(plan)} --out {shlex.quote(str(out))} --only {shlex.quote(run.id)}"
