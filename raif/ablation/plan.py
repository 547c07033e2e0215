"""What an ablation varies, what it holds fixed, and the runs that follow."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from trl import ModelConfig

from data_gen.config import load_yaml
from raif.checks import CHOICES
from raif.config import RAIFConfig
from raif.evaluation.records import CONSTRAINED
from raif.model_paths import EMBEDDED
from raif.resources import find_recipe
from rewards.errors import RaifError, unknown_name

BEFORE = "before"
Arms = dict[str, dict[str, Any]]
#: Training settings that a plan says in words of its own, and settings that no run may have.
ELSEWHERE = {
    "seed": "`seeds`", "instructions": "`data` or `instructions`", "model_name_or_path": "`policy`",
    "max_rollout_tokens": "`equal: tokens` with `token_budget`", "output_dir": "--out",
    "dry_run": "--plan", "resume_with_changes": "another --out", "resume_from_checkpoint": "nothing: runs resume",
}  # fmt: skip


class EvaluationSettings(BaseModel):
    """How every policy of an ablation is evaluated: all alike, whatever they were trained under.

    `data` is what the suite loads, by default its home on the hub, or the data of the seed. `arms` are conditions of
    the suite, the main one first. `profile` says whose verdicts `hacc` and `sacc` are; `options` are the suite's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str = "instructions"
    data: str | None = None
    cap: int = Field(ge=1)
    limit: int = Field(default=0, ge=0)
    samples: int = Field(default=1, ge=1)
    temperature: float = Field(default=1.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    batch_size: int = Field(default=64, ge=1)
    backend: Literal["transformers", "vllm"] = "transformers"
    arms: tuple[str, ...] = (CONSTRAINED,)
    profile: Literal["strict", "parity"] = "strict"
    options: dict[str, str] = {}


class Plan(BaseModel):
    """A plan file.

    `data` is a data recipe, made once a seed and shared by its runs; `instructions` names data that all seeds share.
    An axis lists values of the training setting of its name, or maps names of arms to the settings that go together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    data: str | None = None
    instructions: str | None = None
    policy: str = EMBEDDED
    train: str
    set: dict[str, Any] = {}
    axes: dict[str, list[Any] | Arms] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    equal: Literal["steps", "tokens"] = "steps"
    token_budget: int | None = Field(default=None, ge=1)
    evaluate: EvaluationSettings
    launch: str = "cpu"
    num_processes: int = Field(default=1, ge=1)
    before: bool = True

    def values(self, axis: str) -> list[Any]:
        """Return the values of an axis in their order; of one with arms, their names."""
        return list(self.axes[axis])

    def runs(self) -> list[Run]:
        """Return every run, seed by seed, the untrained policy of a seed first."""
        cells = list(self.cells())
        found = []
        for seed in self.seeds:
            found += [Run(f"seed-{seed}/{BEFORE}", seed, {}, {})] if self.before else []
            found += [Run(f"seed-{seed}/{label(axes)}", seed, axes, settings) for axes, settings in cells]
        return found

    def cells(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return the axes' values and the training settings of every cell of the grid."""
        found = []
        for values in product(*(self.values(axis) for axis in self.axes)):
            axes = dict(zip(self.axes, values, strict=True))
            settings = dict(self.set)
            for axis, value in axes.items():
                arms = self.axes[axis]
                settings |= arms[value] if isinstance(arms, dict) else {axis: value}
            if self.token_budget:
                settings["max_rollout_tokens"] = self.token_budget
            found.append((axes, settings))
        return found


class Run(NamedTuple):
    """One training and its evaluation; without axes, the evaluation of the untrained policy.

    `settings` are those that the training recipe does not have. The id is also the folder below that of the ablation.
    """

    id: str
    seed: int
    axes: dict[str, Any]
    settings: dict[str, Any]


def label(axes: Mapping[str, Any]) -> str:
    """Return the folder name of a cell.

    Example:
        >>> label({"max_completion_length": 64, "contrast": "off"})
        'max_completion_length=64,contrast=off'
    """
    return ",".join(f"{axis}={_slug(value)}" for axis, value in axes.items())


def load_plan(name: str | Path) -> Plan:
    """Read a plan and check all that can be checked before anything runs.

    Raises:
        RaifError: for an unknown key, axis or value; the message names what was expected.
    """
    path = find_recipe(name)
    content = _plain_choices(load_yaml(path))
    _check_keys(content, Plan, path, "key")
    if isinstance(content.get("evaluate"), dict):
        _check_keys(content["evaluate"], EvaluationSettings, path, "key of evaluate")
    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][:2]))
        raise RaifError(f"{path}: {place}: {first['msg']}; got {str(first['input'])[:80]!r}.") from error
    try:
        _check(plan)
    except RaifError as error:
        raise RaifError(f"{path}: {error}") from error
    return plan


# ---- checks -------------------------------------------------------------------------------------------------------


def _check_keys(content: Mapping[str, Any], model: type[BaseModel], path: Path, kind: str) -> None:
    for key in content:
        if key not in model.model_fields:
            raise unknown_name(f"{kind} in {path}:", key, model.model_fields, "Correct the plan.")


def _check(plan: Plan) -> None:
    from raif.suites import SUITES

    if plan.evaluate.suite not in SUITES:
        raise unknown_name("suite", plan.evaluate.suite, SUITES, "Correct evaluate.suite.")
    if (plan.data is None) == (plan.instructions is None):
        raise RaifError("give either `data` (a data recipe, made for every seed) or `instructions` (data that exist).")
    if plan.evaluate.profile == "parity" and plan.evaluate.suite == "instructions":
        raise RaifError("evaluate.profile: parity needs a benchmark with official verdicts; use strict.")
    if plan.policy == EMBEDDED and plan.data is None:
        raise RaifError("policy: embedded is built from a data recipe; give `data` instead of `instructions`.")
    if (plan.equal == "tokens") != (plan.token_budget is not None):
        raise RaifError("`equal: tokens` and `token_budget` (completion tokens a run samples) go together; give both.")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise RaifError(f"seeds {list(plan.seeds)} hold one twice.")
    for axis in plan.axes:
        _check_axis(plan, axis)
    for key in plan.set:
        check_setting(key, "setting in `set`:")
        if taken := [axis for axis in plan.axes if key in _settings_of(plan, axis)]:
            raise RaifError(f"{key} is in `set` and varied by the axis {taken[0]}; remove it from `set`.")


def _check_axis(plan: Plan, axis: str) -> None:
    values = plan.axes[axis]
    if not values:
        raise RaifError(f"the axis {axis} has no values; list at least one.")
    for key in _settings_of(plan, axis):
        check_setting(key, "axis" if isinstance(values, list) else f"setting in the axis {axis}:")
        if other := [name for name in plan.axes if name != axis and key in _settings_of(plan, name)]:
            raise RaifError(f"{key} is varied by two axes, {axis} and {other[0]}; keep one.")
        if key in ("max_steps", "num_train_epochs") and plan.equal == "steps":
            raise RaifError(f"the axis {axis} varies {key}, and `equal: steps` says that all runs take as many.")
    for value in plan.values(axis):
        if isinstance(value, dict | list):
            raise RaifError(
                f"the axis {axis} has the value {value!r}, which names no folder. Give it a name: "
                f"{{{axis}: {{NAME: {{{axis}: ...}}}}}}."
            )
    labels = [_slug(value) for value in plan.values(axis)]
    if len(set(labels)) < len(labels):
        raise RaifError(f"the axis {axis} has values whose folders would have one name: {', '.join(labels)}.")


def check_setting(key: str, kind: str) -> None:
    """Refuse what is no training setting, or one that a plan says elsewhere."""
    if key in ELSEWHERE:
        raise RaifError(f"{kind} {key} is not for a plan to set here; it is said by {ELSEWHERE[key]}.")
    known = {field.name for cls in (RAIFConfig, ModelConfig) for field in dataclasses.fields(cls)} | {"env"}
    if key not in known:
        text = str(unknown_name(kind, key, known - ELSEWHERE.keys(), "`python -m raif.train --help` lists them."))
        head, _, rest = text.partition("Known: ")  # some 150 names
        raise RaifError(head + rest.partition(". ")[2])


def _settings_of(plan: Plan, axis: str) -> Sequence[str]:
    values = plan.axes[axis]
    return list({key: None for arm in values.values() for key in arm}) if isinstance(values, dict) else [axis]


def _plain_choices(content: dict[str, Any]) -> dict[str, Any]:
    """Say `off` where YAML has read a bare one as False."""

    def plain(key: str, value: Any) -> Any:
        return "off" if value is False and "off" in CHOICES.get(key, ()) else value

    def of_mapping(settings: Any) -> Any:
        return {k: plain(k, v) for k, v in settings.items()} if isinstance(settings, dict) else settings

    found = dict(content)
    found["set"] = of_mapping(content.get("set") or {})
    if isinstance(content.get("axes"), dict):
        found["axes"] = {
            axis: [plain(axis, value) for value in values]
            if isinstance(values, list)
            else {str(name): of_mapping(arm or {}) for name, arm in values.items()}
            if isinstance(values, dict)
            else values
            for axis, values in content["axes"].items()
        }
    return found


def _slug(value: Any) -> str:
    text = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return re.sub(r"[^\w.+-]+", "-", text)
