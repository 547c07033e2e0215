"""What of a plan can be refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from raif.ablation.methods import Method, method_of
from raif.ablation.plan import ELSEWHERE, SUSTAIN, TRAIN, EvaluationSettings, Plan, slug
from raif.model_paths import EMBEDDED
from rewards.errors import RaifError, unknown_name

_LENGTH = ("max_steps", "num_train_epochs")


def check_plan(plan: Plan) -> None:
    """Refuse a plan that cannot work, with one message that says what to change.

    Raises:
        RaifError: for an unknown suite, option, recipe or setting, and for what contradicts itself.
    """
    _check_evaluation(plan.evaluate)
    _check_data(plan)
    if plan.policy == EMBEDDED and plan.data is None:
        raise RaifError("policy: embedded is built from a data recipe; give `data` instead of `instructions`.")
    if (plan.equal == "tokens") != (plan.token_budget is not None):
        raise RaifError("`equal: tokens` and `token_budget` (completion tokens a run samples) go together; give both.")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise RaifError(f"seeds {list(plan.seeds)} hold one twice.")
    method = method_of(plan.train)
    for axis in plan.axes:
        _check_axis(plan, axis, method)
    for key in plan.set:
        _check_setting(key, "setting in `set`:", method)
        if taken := [axis for axis in plan.axes if key in _settings_of(plan, axis, own=False)]:
            raise RaifError(f"{key} is in `set` and varied by the axis {taken[0]}; remove it from `set`.")


def _check_data(plan: Plan) -> None:
    own = plan.self_evident
    if own is not None and plan.evaluate.suite != SUSTAIN:
        raise RaifError("self_evident reads constraints off outputs by the options of suite sustain; evaluate that.")
    if own is not None and own.tasks is not None:
        if given := [name for name in ("data", "instructions") if getattr(plan, name) is not None]:
            raise RaifError(f"self_evident.tasks and {given[0]} both say what is trained on; remove one.")
        return
    if (plan.data is None) == (plan.instructions is None):
        raise RaifError("give either `data` (a data recipe, made for every seed) or `instructions` (data that exist).")
    if own is None and plan.data is not None:
        _check_held_out(plan.data, plan.evaluate.held_out_families)


def _check_held_out(recipe: str, families: Iterable[str]) -> None:
    """Refuse families that are called held out, and that the data of all trainings ask for."""
    from data_gen.config import load_yaml, parse_config
    from data_gen.self_evident.families import family
    from raif.resources import find_recipe

    read_off = parse_config(load_yaml(find_recipe(recipe)), recipe).self_evident
    for name in families:
        if read_off is not None and not read_off.holds_out(family(name).group, name):
            raise RaifError(
                f"evaluate.held_out_families names {name}, and the trainings read {recipe}, which asks for it; add it "
                "to `held_out` of the section self_evident of that recipe, or give the plan a `self_evident`."
            )


def _check_evaluation(evaluate: EvaluationSettings) -> None:
    from raif.suites import SUITES

    if evaluate.suite == SUSTAIN:
        _check_sustain(evaluate)
    elif evaluate.suite not in SUITES:
        raise unknown_name("suite", evaluate.suite, (*SUITES, SUSTAIN), "Correct evaluate.suite.")
    elif evaluate.profile == "parity" and evaluate.suite == "instructions":
        raise RaifError("evaluate.profile: parity needs a benchmark with official verdicts; use strict.")
    elif evaluate.held_out_families:
        raise RaifError("evaluate.held_out_families is for suite sustain; remove it.")


def _check_sustain(evaluate: EvaluationSettings) -> None:
    from data_gen.self_evident.families import family
    from raif.sustain.settings import parse_settings

    parse_settings(dict(evaluate.options))
    for name in evaluate.held_out_families:
        family(name)  # an unknown one is an error
    if evaluate.data is None:
        raise RaifError("evaluate.data names the tasks of suite sustain, for example `arithmetic=150,multi_hop=150`.")
    if given := [name for name in ("arms", "profile") if name in evaluate.model_fields_set]:
        raise RaifError(f"evaluate.{given[0]} is not for suite sustain, which runs and judges all its arms; remove it.")


def _check_axis(plan: Plan, axis: str, method: Method) -> None:
    values = plan.axes[axis]
    if not values:
        raise RaifError(f"the axis {axis} has no values; list at least one.")
    if isinstance(values, dict):
        for arm in values.values():
            own = method_of(arm[TRAIN]) if TRAIN in arm else method
            _check_settings(arm, f"setting in the axis {axis}:", own)
    else:
        _check_settings([axis], "axis", method)
    for key in _settings_of(plan, axis):
        if other := [name for name in plan.axes if name != axis and key in _settings_of(plan, name)]:
            raise RaifError(f"{key} is varied by two axes, {axis} and {other[0]}; keep one.")
    varied = [key for key in _settings_of(plan, axis, own=False) if key in _LENGTH]
    if varied and plan.equal == "steps":
        raise RaifError(f"the axis {axis} varies {varied[0]}, and `equal: steps` says that all runs take as many.")
    _check_names(plan, axis)


def _check_names(plan: Plan, axis: str) -> None:
    for value in plan.values(axis):
        if isinstance(value, dict | list):
            raise RaifError(
                f"the axis {axis} has the value {value!r}, which names no folder. Give it a name: "
                f"{{{axis}: {{NAME: {{{axis}: ...}}}}}}."
            )
    labels = [slug(value) for value in plan.values(axis)]
    if len(set(labels)) < len(labels):
        raise RaifError(f"the axis {axis} has values whose folders would have one name: {', '.join(labels)}.")


def _check_settings(keys: Iterable[str], kind: str, method: Method) -> None:
    for key in keys:
        if key != TRAIN or kind == "axis":
            _check_setting(key, kind, method)


def _check_setting(key: str, kind: str, method: Method) -> None:
    """Refuse what is no training setting, or one that a plan says elsewhere."""
    if key in ELSEWHERE:
        raise RaifError(f"{kind} {key} is not for a plan to set here; it is said by {ELSEWHERE[key]}.")
    if key not in method.settings:
        known = method.settings - ELSEWHERE.keys()
        text = str(unknown_name(kind, key, known, f"`python -m {method.module} --help` lists them."))
        head, _, rest = text.partition("Known: ")  # some 150 names
        raise RaifError(head + rest.partition(". ")[2])


def _settings_of(plan: Plan, axis: str, own: bool = True) -> list[str]:
    """Return the settings that an axis varies; `own` says whether those of arms with a recipe of their own count."""
    values = plan.axes[axis]
    if not isinstance(values, dict):
        return [axis]
    arms: list[Mapping[str, Any]] = [arm for arm in values.values() if own or TRAIN not in arm]
    return list({key: None for arm in arms for key in arm})
