"""The folder of an ablation: what it is bound to, where things lie, and how far each run is.

OUT/ablation.json                                  what the folder is bound to
OUT/seed-0/data, policy                            shared by the runs of a seed
OUT/seed-0/self_evident, training_data             where the plan wants it: the policy's outputs, and data of them
OUT/seed-0/before/evaluation                       of the untrained policy
OUT/seed-0/max_completion_length=64/recipe.yaml    the training, as it was started
OUT/seed-0/max_completion_length=64/train, evaluation, train.log, evaluation.log
OUT/results.json, results.md, results.csv; comparison.json where the suite is sustain
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from data_gen.config import load_yaml
from data_gen.shards import WARM_START
from raif.ablation.methods import method_of
from raif.ablation.plan import TRAIN, Plan, Run
from raif.evaluation.runner import METRICS
from raif.model_paths import EMBEDDED
from raif.resources import find_recipe
from raif.rollouts import read_jsonl
from raif.run_folder import DONE, write_json
from rewards.errors import RaifError

RECORD = "ablation.json"
GROWING = ("seeds", "axes")


class Paths(NamedTuple):
    """Where the things of one run lie."""

    out: Path
    plan: Plan
    run: Run

    @property
    def seed(self) -> Path:
        return self.out / f"seed-{self.run.seed}"

    @property
    def folder(self) -> Path:
        return self.out / self.run.id

    @property
    def data(self) -> str:
        """Return the data of the seed, or those that the plan names."""
        return self.plan.instructions or str(self.seed / "data")

    @property
    def training_data(self) -> str:
        """Return what the runs train on: that data, or what the untrained policy of the seed makes of their tasks."""
        return str(self.seed / "training_data") if self.plan.self_evident is not None else self.data

    @property
    def warm_start(self) -> Path:
        return self.seed / "data" / WARM_START

    @property
    def policy(self) -> str:
        return str(self.seed / "policy") if self.plan.policy == EMBEDDED else self.plan.policy

    @property
    def train(self) -> Path:
        return self.folder / "train"

    @property
    def evaluation(self) -> Path:
        return self.folder / "evaluation"

    @property
    def evaluated_policy(self) -> str:
        return str(self.train / "final") if self.run.axes else self.policy

    @property
    def is_trained(self) -> bool:
        return not self.run.axes or (self.train / DONE).is_file()

    @property
    def is_evaluated(self) -> bool:
        return (self.evaluation / METRICS).is_file()

    @property
    def is_finished(self) -> bool:
        return self.is_trained and self.is_evaluated


def state(paths: Paths) -> str:
    """Say how far a run is: finished, trained, training to a step, or nothing yet."""
    if paths.is_finished:
        return "finished"
    if paths.is_trained and paths.run.axes:
        return "trained"
    steps = [row["step"] for row in read_jsonl(paths.train / "metrics.jsonl") if "step" in row]
    return f"stopped at step {max(steps)}" if steps else "to do"


def claim(plan: Plan, out: Path) -> None:
    """Bind a folder to a plan. Seeds and values of axes may be added later; anything else makes another ablation.

    Raises:
        RaifError: which names what differs.
    """
    content, path = record(plan), out / RECORD
    if path.is_file():
        before = _read(path)
        if found := _differences(before, content):
            raise RaifError(
                f"{out} holds another ablation: {'; '.join(found)}. Choose another --out; in this one only seeds and "
                "values of axes may be added."
            )
    write_json(path, content)


def record(plan: Plan) -> dict[str, Any]:
    """Return what a folder is bound to: the plan with the recipes it names."""
    content = {
        "plan": plan.model_dump(exclude={*GROWING}),
        "seeds": list(plan.seeds),
        "axes": plan.axes,
        "training recipe": method_of(plan.train).load(plan.train),
        "recipes of arms": {name: method_of(name).load(name) for name in _recipes_of_arms(plan)},
        "data recipe": load_yaml(find_recipe(plan.data)) if plan.data else {},
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def _recipes_of_arms(plan: Plan) -> list[str]:
    arms = [arm for values in plan.axes.values() if isinstance(values, dict) for arm in values.values()]
    return list(dict.fromkeys(arm[TRAIN] for arm in arms if TRAIN in arm))


def recorded_plan(out: Path) -> Plan:
    """Return the plan that a folder is bound to."""
    path = out / RECORD
    if not path.is_file():
        raise RaifError(f"{out} holds no ablation; `raif ablate PLAN --out {out}` starts one.")
    content = _read(path)
    return Plan.model_validate({**content["plan"], "seeds": content["seeds"], "axes": content["axes"]})


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {"plan", "seeds", "axes", "training recipe", "data recipe"} <= content.keys():
            return content
    except (ValueError, AttributeError):
        pass
    raise RaifError(f"{path} is damaged; remove it and run the same command again: finished runs are kept.")


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = []
    for section in ("plan", "training recipe", "data recipe"):
        prefix = "" if section == "plan" else f"{section}: "
        found += [f"{prefix}{text}" for text in _changed(before[section], now[section])]
    for name, recipe in before.get("recipes of arms", {}).items():
        found += [f"{name}: {text}" for text in _changed(recipe, now["recipes of arms"].get(name, recipe))]
    if missing := [seed for seed in before["seeds"] if seed not in now["seeds"]]:
        found.append(f"seeds {missing} are no longer in the plan")
    if list(before["axes"]) != list(now["axes"]):
        return [*found, f"the axes are {', '.join(now['axes'])}, were {', '.join(before['axes'])}"]
    for axis, values in before["axes"].items():
        if gone := [value for value in values if value not in now["axes"][axis]]:
            found.append(f"the axis {axis} no longer has {', '.join(map(str, gone))}")
        elif isinstance(values, dict):
            arms = {name: now["axes"][axis][name] for name in values}
            found += [f"{axis}: {text}" for text in _changed(values, arms)]
    return found


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += [f"{key}.{text}" for text in _changed(old, new)]
        elif old != new or (key in before) != (key in now):
            was = f"was {json.dumps(old)[:80]}" if key in before else "was not set"
            found.append(f"{key} is {json.dumps(new)[:80] if key in now else 'not set'}, {was}")
    return found
