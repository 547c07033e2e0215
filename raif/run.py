"""The whole loop from a pipeline recipe: data -> policy -> evaluate -> train -> evaluate -> summary -> report.

Every stage is also a command of its own and skips what is already there, so a killed run goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from data_gen.config import load_yaml
from data_gen.shards import WARM_START, read_data
from raif.model_paths import EMBEDDED
from raif.resources import find_recipe, launch_arguments
from rewards.errors import RaifError
from rewards.instruction import Instruction


class EvaluationPlan(BaseModel):
    """How the policy is evaluated before and after training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(default=0, ge=0)
    temperature: float = Field(default=1.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    batch_size: int = Field(default=64, ge=1)


class Pipeline(BaseModel):
    """A pipeline recipe: the recipes of its stages and how training is launched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    policy: str = EMBEDDED
    train: str
    launch: str = "cpu"
    num_processes: int = Field(default=1, ge=1)
    evaluate: EvaluationPlan = EvaluationPlan()


def load_pipeline(name: str) -> Pipeline:
    """Read a pipeline recipe; unknown keys are errors."""
    path = find_recipe(name)
    try:
        return Pipeline.model_validate(load_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(Pipeline.model_fields)
        raise RaifError(f"{path}: {key}: {first['msg']}. A pipeline recipe takes: {known}.") from error


def select_instructions(data: Path, split: str, limit: int = 0) -> list[Instruction]:
    """Return the instructions of a split from a folder or file."""
    chosen = read_data(data, split, limit)
    if not chosen:
        raise RaifError(f"{data} holds no instruction of split {split!r}; splits are train and test.")
    return chosen


def run_pipeline(recipe: str, out: Path, seed: int, console: Console) -> dict[str, Any]:
    """Run every stage of a pipeline recipe and return the summary."""
    from raif.recipes import load_recipe

    plan = load_pipeline(recipe)
    started = time.monotonic()
    _claim(out, {**plan.model_dump(), "training": load_recipe(plan.train), "seed": seed})
    _stage(console, "1/6 data", lambda: _make_data(plan, out, seed))
    policy = _stage(console, "2/6 policy", lambda: _make_policy(plan, out, seed))
    _stage(console, "3/6 evaluate before", lambda: _evaluate(plan, out, "before", policy, seed, console))
    _stage(console, "4/6 train", lambda: _train(plan, out, policy, seed))
    _stage(console, "5/6 evaluate after", lambda: _evaluate(plan, out, "after", str(_final(out)), seed, console))
    seconds = _add_seconds(out, time.monotonic() - started)
    summary: dict[str, Any] = _stage(console, "6/6 report", lambda: _summarize(out, recipe, seed, seconds))
    print_summary(summary, console)
    console.print(f"summary {out / 'summary.json'}   report {out / 'report.html'}")
    return summary


def _claim(out: Path, settings: dict[str, Any]) -> None:
    """Bind a run folder to its settings; going on with others would mix two runs."""
    path = out / "pipeline.json"
    if path.is_file():
        existing = json.loads(path.read_text(encoding="utf-8"))
        differ = sorted(key for key in {*existing, *settings} if existing.get(key) != settings.get(key))
        if differ:
            names = ", ".join(differ)
            raise RaifError(f"{out} holds a run with other settings ({names} differ); choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _stage(console: Console, name: str, action: Callable[[], Any]) -> Any:
    console.rule(f"[bold]{name}", align="left")
    began = time.monotonic()
    result = action()
    console.print(f"{name}: {time.monotonic() - began:.0f} s", style="dim")
    return result


def _make_data(plan: Pipeline, out: Path, seed: int) -> None:
    from data_gen.__main__ import make
    from data_gen.config import parse_config

    path = find_recipe(plan.data)
    make(parse_config({**load_yaml(path), "seed": seed}, str(path)), out / "data")


def _make_policy(plan: Pipeline, out: Path, seed: int) -> str:
    if plan.policy != EMBEDDED:
        return plan.policy
    from raif.tiny import ensure_policy

    return str(ensure_policy(out / "data" / WARM_START, out / "policy", seed))


def _train(plan: Pipeline, out: Path, policy: str, seed: int) -> None:
    """Launch training as its own process, exactly as a user would."""
    folder = out / "train"
    command = [sys.executable, *launch_arguments(plan.launch, plan.num_processes)]
    command += ["-m", "raif.train", "--config", str(find_recipe(plan.train)), "--model_name_or_path", policy]
    command += ["--instructions", str(out / "data"), "--output_dir", str(folder), "--seed", str(seed)]
    if (folder / "done.json").is_file():
        return
    code = subprocess.run(command, env=os.environ | {"TOKENIZERS_PARALLELISM": "false"}, check=False).returncode
    if code or not (folder / "done.json").is_file():
        raise RaifError(f"training ended with exit code {code}; its message is above. The same command resumes it.")


def _final(out: Path) -> Path:
    return out / "train" / "final"


def _evaluate(plan: Pipeline, out: Path, name: str, model: str, seed: int, console: Console) -> None:
    from raif.evaluation.runner import evaluate_model
    from raif.generation import Sampling
    from raif.generation.progress import generation_progress
    from raif.monitoring import quiet_libraries
    from raif.recipes import load_recipe
    from raif.suites import suite
    from raif.suites.instructions import items_of

    quiet_libraries()
    items = items_of(select_instructions(out / "data", "test", plan.evaluate.limit))
    settings, recipe, folder = plan.evaluate, load_recipe(plan.train), out / "evaluation" / name
    cap, system_prompt = int(recipe["max_completion_length"]), recipe.get("system_prompt")
    sampling = Sampling(cap, settings.temperature, settings.top_p, seed, settings.batch_size)
    with generation_progress(console, name, len(items)) as progress:
        evaluate_model(
            model, suite("instructions"), items, sampling, folder, system_prompt=system_prompt, progress=progress
        )


def _add_seconds(out: Path, seconds: float) -> float:
    """Add to the time the run has taken over all its starts."""
    path = out / "seconds.json"
    total = seconds + (json.loads(path.read_text(encoding="utf-8")) if path.is_file() else 0.0)
    path.write_text(json.dumps(round(total, 1)), encoding="utf-8")
    return round(total, 1)


def _summarize(out: Path, recipe: str, seed: int, seconds: float) -> dict[str, Any]:
    from raif.report import write_report
    from raif.summary import summarize_run

    summary = summarize_run(out, recipe, seed, seconds)
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    write_report(out)
    return summary


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """Print the before/after table."""
    table = Table(title=f"{summary['n_eval']} held-out instructions, seed {summary['seed']}")
    for name in ("metric", "floor", "before", "after", "gain [95 %]", "ceiling"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for row in summary["table"]:
        table.add_row(*(str(row[key]) for key in ("metric", "floor", "before", "after", "gain", "ceiling")))
    console.print(table)
