"""What an ablation varies, what it holds fixed, and the runs that follow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_gen.config import load_yaml
from raif.ablation.methods import method_of
from raif.checks import CHOICES
from raif.evaluation.records import CONSTRAINED
from raif.model_paths import EMBEDDED
from raif.resources import find_recipe
from rewards.errors import RaifError, unknown_name

BEFORE = "before"
TRAIN = "train"  # the recipe of an arm that has one of its own
SUSTAIN = "sustain"
Arms = dict[str, dict[str, Any]]
#: Training settings that a plan says in words of its own, and settings that no run may have.
ELSEWHERE = {
    "seed": "`seeds`", "instructions": "`data` or `instructions`", "model_name_or_path": "`policy`",
    "max_rollout_tokens": "`equal: tokens` with `token_budget`", "output_dir": "--out",
    "dry_run": "--plan", "resume_with_changes": "another --out", "resume_from_checkpoint": "nothing: runs resume",
    "max_completion_tokens": "`equal: tokens` with `token_budget`", TRAIN: "`train`, or by an arm that has a name",
}  # fmt: skip


class EvaluationSettings(BaseModel):
    """How every policy of an ablation is evaluated: all alike, whatever they were trained under.

    `data` is what the suite loads, by default its home on the hub, or the data of the seed. `arms` are conditions of
    the suite, the main one first. `profile` says whose verdicts `hacc` and `sacc` are; `options` are the suite's own.
    `held_out_families` are constraints that no training of the plan asks for, which suite sustain shows apart; what the
    policy saw before, such as a warm start, may have had them.
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
    held_out_families: tuple[str, ...] = ()


class SelfEvident(BaseModel):
    """How the training data of a seed come from its untrained policy.

    The policy does training tasks without constraints (`tasks` as suite sustain names them, by default those of the
    plan's data in these `domains`, `limit` of them), under the cap of the evaluation. Each right output becomes a
    training row: the task with one constraint that the output meets already, the output as its expert, and the share
    of right answers of 1 + `samples`. Constraints of `evaluate.held_out_families` are not trained on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: str | None = None
    domains: tuple[Literal["math", "qa", "code"], ...] = ("math", "qa", "code")
    limit: int = Field(default=0, ge=0)
    samples: int = Field(default=1, ge=1)
    temperature: float = Field(default=1.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)


class Plan(BaseModel):
    """A plan file.

    `data` is a data recipe, made once a seed and shared by its runs; `instructions` names data that all seeds share.
    With `self_evident` the runs of a seed train on what its untrained policy makes of the tasks.
    An axis lists values of the training setting of its name, or maps names of arms to the settings that go together.
    An arm whose settings name a recipe (`train`) is trained by that, without what `set` says; one without rewards
    is supervised fine-tuning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    data: str | None = None
    instructions: str | None = None
    self_evident: SelfEvident | None = None
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
        """Return the axes' values and the training settings of every cell of the grid, `train` among them if own."""
        found = []
        for values in product(*(self.values(axis) for axis in self.axes)):
            axes = dict(zip(self.axes, values, strict=True))
            settings: dict[str, Any] = {}
            for axis, value in axes.items():
                arms = self.axes[axis]
                settings |= arms[value] if isinstance(arms, dict) else {axis: value}
            if TRAIN not in settings:
                settings = {**self.set, **settings}
            if self.token_budget:
                settings[method_of(self.recipe(settings)).budget] = self.token_budget
            found.append((axes, settings))
        return found

    def recipe(self, settings: Mapping[str, Any]) -> str:
        """Return the training recipe of a cell with these settings."""
        return str(settings.get(TRAIN, self.train))


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
    return ",".join(f"{axis}={slug(value)}" for axis, value in axes.items())


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
    if isinstance(content.get("self_evident"), dict):
        _check_keys(content["self_evident"], SelfEvident, path, "key of self_evident")
    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][:2]))
        raise RaifError(f"{path}: {place}: {first['msg']}; got {str(first['input'])[:80]!r}.") from error
    from raif.ablation.plan_checks import check_plan

    try:
        check_plan(plan)
    except RaifError as error:
        raise RaifError(f"{path}: {error}") from error
    return plan


# ---- checks -------------------------------------------------------------------------------------------------------


def _check_keys(content: Mapping[str, Any], model: type[BaseModel], path: Path, kind: str) -> None:
    for key in content:
        if key not in model.model_fields:
            raise unknown_name(f"{kind} in {path}:", key, model.model_fields, "Correct the plan.")


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


def slug(value: Any) -> str:
    """Return a value as a part of a folder's name."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return re.sub(r"[^\w.+-]+", "-", text)
