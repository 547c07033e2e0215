"""Plans of ablations: what they mean, what is refused at load time, what a folder is bound to, and what is emitted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from raif.ablation.emitting import emit_slurm, emit_wandb
from raif.ablation.folder import Paths, claim, recorded_plan
from raif.ablation.methods import method_of
from raif.ablation.plan import Plan, load_plan
from raif.ablation.running import choose
from raif.ablation.training import check_recipes, check_trainings, parsed, recipe_of
from raif.recipes import load_recipe
from raif.resources import recipes
from raif.sft import SFTArguments
from rewards.errors import RaifError

PLAN: dict[str, Any] = {
    "name": "caps",
    "data": "data/smoke",
    "train": "smoke/cpu",
    "set": {"contrast": False, "cloning_coefficient": 0.0},
    "axes": {"max_completion_length": [48, 64]},
    "seeds": [0, 1],
    "evaluate": {"cap": 64},
}

RECIPES = {"sft": {"train": "sft/embedded", "learning_rate": 0.01}, "both": {}}
SUSTAIN = {"suite": "sustain", "data": "arithmetic=20,multi_hop=20", "cap": 64, "options": {"doses": "1"}}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False), encoding="utf-8")
    return path


def loaded(folder: Path, **changes: Any) -> Plan:
    return load_plan(written(folder, **changes))


def test_a_plan_is_the_product_of_its_axes_under_every_seed(tmp_path: Path) -> None:
    methods = {"plain": {}, "cloned": {"cloning_coefficient": 0.3, "cloning_schedule": "cosine"}}
    axes = {"max_completion_length": [48, 64], "method": methods, "contrast": ["off", False]}
    with pytest.raises(RaifError, match="values whose folders would have one name: off, off"):
        loaded(tmp_path, axes=axes, set={})
    axes["contrast"] = [False, "online"]
    plan = loaded(tmp_path, axes=axes, set={"max_steps": 3})
    runs = plan.runs()
    assert len(runs) == 2 * (1 + 2 * 2 * 2)
    assert runs[0].id == "seed-0/before"
    last = runs[-1]
    assert last.id == "seed-1/max_completion_length=64,method=cloned,contrast=online"
    assert last.axes == {"max_completion_length": 64, "method": "cloned", "contrast": "online"}
    assert last.settings == {"max_steps": 3, "max_completion_length": 64, "contrast": "online", **methods["cloned"]}
    assert len(check_trainings(plan)) == 8
    assert [run.id for run in choose(plan, "seed-1/*plain*off")] == [
        f"seed-1/max_completion_length={cap},method=plain,contrast=off" for cap in (48, 64)
    ]
    config = parsed(plan, last.settings)
    assert (config.max_completion_length, config.contrast, config.cloning_schedule) == (64, "online", "cosine")


def test_an_arm_with_a_recipe_of_its_own_is_trained_by_that_within_the_same_budget(tmp_path: Path) -> None:
    changes = {"axes": {"recipe": RECIPES}, "equal": "tokens", "token_budget": 5000}
    plan = loaded(tmp_path, **changes)
    sft, both = (settings for _, settings in plan.cells())
    assert sft == {**RECIPES["sft"], "max_completion_tokens": 5000}  # `set` speaks of GRPO
    assert both == {"contrast": "off", "cloning_coefficient": 0.0, "max_rollout_tokens": 5000}
    assert {name: work.tokens for name, work in check_trainings(plan).items()} == {
        "recipe=sft": 5000, "recipe=both": 10 * 16 * 64,
    }  # fmt: skip
    assert isinstance(parsed(plan, sft), SFTArguments)
    assert parsed(plan, sft).learning_rate == 0.01
    recipe = recipe_of(plan, sft, seed=3)
    assert (recipe["base"], "train" in recipe) == ("sft/embedded", False)
    path = tmp_path / "recipe.yaml"
    for settings, module in ((sft, "raif.sft"), (both, "raif.train")):
        path.write_text(yaml.safe_dump(recipe_of(plan, settings)))
        assert method_of(path).module == module


def test_runs_of_equal_steps_are_as_long_whatever_trains_them(tmp_path: Path) -> None:
    arms = {"sft": {"train": "sft/embedded", "max_steps": 10}, "both": {}}
    assert [work.steps for work in check_trainings(loaded(tmp_path, axes={"recipe": arms})).values()] == [10, 10]
    arms["sft"]["max_steps"] = 12
    with pytest.raises(RaifError, match="recipe=both takes 10 steps and recipe=sft 12, and `equal: steps`"):
        check_trainings(loaded(tmp_path, axes={"recipe": arms}))


def test_a_folder_is_bound_to_the_recipes_of_its_arms(tmp_path: Path) -> None:
    own, out = tmp_path / "own.yaml", tmp_path / "out"
    own.write_text("base: sft/embedded\nlearning_rate: 0.1\n", encoding="utf-8")
    arms = {"axes": {"recipe": {"sft": {"train": str(own)}, "both": {}}}, "equal": "tokens", "token_budget": 5000}
    claim(loaded(tmp_path, **arms), out)
    own.write_text("base: sft/embedded\nlearning_rate: 0.2\n", encoding="utf-8")
    with pytest.raises(RaifError, match=r"own.yaml: learning_rate is 0.2, was 0.1"):
        claim(loaded(tmp_path, **arms), out)


def test_the_data_of_a_seed_may_be_made_of_its_policy_s_own_outputs(tmp_path: Path) -> None:
    changes = {"evaluate": SUSTAIN, "self_evident": {"limit": 9}}
    plan = loaded(tmp_path, **changes)
    paths = Paths(tmp_path, plan, plan.runs()[0])
    assert (paths.training_data, paths.data) == (f"{tmp_path}/seed-0/training_data", f"{tmp_path}/seed-0/data")
    named = loaded(tmp_path, **changes | {"self_evident": {"tasks": "arithmetic=9"}, "data": None, "policy": "a/model"})
    assert named.data is None
    check_recipes(plan)
    for tasks in ("evaluate", "self_evident"):
        asked = {**changes[tasks], **({"data": "arithmetics"} if tasks == "evaluate" else {"tasks": "arithmetics"})}
        wrong = {**changes, tasks: asked} | ({"data": None, "policy": "a/model"} if tasks == "self_evident" else {})
        with pytest.raises(RaifError, match="unknown task set 'arithmetics'; did you mean 'arithmetic'"):
            check_recipes(loaded(tmp_path, **wrong))


def test_a_list_or_mapping_is_a_value_once_it_has_a_name(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"the axis cap_curriculum has the value \[48, 64\], which names no folder"):
        loaded(tmp_path, axes={"cap_curriculum": [[48, 64], None]})
    plan = loaded(tmp_path, axes={"curriculum": {"grows": {"cap_curriculum": [48, 64]}, "fixed": {}}})
    assert [run.id for run in plan.runs()][1:3] == ["seed-0/curriculum=grows", "seed-0/curriculum=fixed"]
    assert parsed(plan, plan.runs()[1].settings).cap_curriculum == [48, 64]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axis": {}}, "unknown key in .*plan.yaml: 'axis'; did you mean 'axes'"),
        ({"evaluate": {"cap": 64, "sample": 2}}, "unknown key of evaluate in .*'sample'; did you mean 'samples'"),
        ({"evaluate": {"cap": 64, "suite": "mathf"}}, "unknown suite 'mathf'; did you mean 'mathif'"),
        ({"evaluate": {}}, "evaluate.cap: Field required"),
        ({"evaluate": {"cap": 64, "profile": "parity"}}, "needs a benchmark with official verdicts"),
        ({"axes": {"max_completion_lenght": [48]}}, "unknown axis 'max_completion_lenght'; did you mean 'max_compl"),
        ({"axes": {"caps": {"a": {"max_lenght": 1}}}}, "unknown setting in the axis caps: 'max_lenght'"),
        ({"axes": {}}, "axes: Dictionary should have at least 1 item"),
        ({"axes": {"beta": []}}, "the axis beta has no values"),
        ({"axes": {"seed": [0, 1]}}, "axis seed is not for a plan to set here; it is said by `seeds`"),
        ({"axes": {"max_steps": [2, 4]}}, "the axis max_steps varies max_steps, and `equal: steps`"),
        ({"axes": {"beta": [0.0], "b": {"x": {"beta": 1.0}}}}, "beta is varied by two axes, beta and b"),
        ({"axes": {"contrast": ["off", "online"]}}, "contrast is in `set` and varied by the axis contrast"),
        ({"set": {"output_dir": "x"}}, "`set`: output_dir is not for a plan to set here; it is said by --out"),
        ({"seeds": [1, 1]}, r"seeds \[1, 1\] hold one twice"),
        ({"seeds": []}, "seeds: Tuple should have at least 1 item"),
        ({"instructions": "runs/data"}, "give either `data`"),
        ({"data": None, "instructions": "runs/data"}, "policy: embedded is built from a data recipe"),
        ({"equal": "tokens"}, "`equal: tokens` and `token_budget`"),
        ({"token_budget": 5}, "`equal: tokens` and `token_budget`"),
        (
            {"axes": {"recipe": {"sft": {"train": "sft/embeded"}}}},
            "unknown recipe 'sft/embeded'; did you mean 'sft/emb",
        ),
        (
            {"axes": {"recipe": {"sft": {"train": "sft/embedded", "rewards": []}}}},
            "setting in the axis .*'rewards'",
        ),
        ({"axes": {"train": ["smoke/cpu"]}}, "axis train is not for a plan to set here; it is said by `train`, or by"),
        (
            {"evaluate": {**SUSTAIN, "options": {"dose": "1"}}},
            "unknown option of suite sustain 'dose'; did",
        ),
        ({"evaluate": {**SUSTAIN, "options": {"doses": "0"}}}, "doses '0' is not valid for suite sustain"),
        ({"evaluate": {**SUSTAIN, "data": None}}, "evaluate.data names the tasks of suite sustain"),
        ({"evaluate": {**SUSTAIN, "arms": ["constrained"]}}, "evaluate.arms is not for suite sustain"),
        ({"evaluate": {**SUSTAIN, "held_out_families": ["no_coma"]}}, "'no_coma'; did you mean 'no_comma'"),
        (
            {"data": "data/sustain", "evaluate": {**SUSTAIN, "held_out_families": ["first_word"]}},
            "held_out_families names first_word, and the trainings read data/sustain, which asks for it; add it",
        ),
        (
            {"evaluate": {"cap": 64, "held_out_families": ["no_comma"]}},
            "held_out_families is for suite sustain",
        ),
        ({"self_evident": {}}, "self_evident reads constraints off outputs by the options of suite sustain"),
        ({"evaluate": SUSTAIN, "self_evident": {"task": "x"}}, "unknown key of self_evident in .*'task'; did you mean"),
        (
            {"evaluate": SUSTAIN, "self_evident": {"tasks": "gsm8k"}},
            "self_evident.tasks and data both say",
        ),
        ({"train": "smoke/gpu"}, "unknown recipe 'smoke/gpu'; did you mean 'smoke/cpu'"),
    ],
)
def test_a_plan_that_cannot_work_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=message):
        loaded(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"max_completion_length": [48, 0]}}, "max_completion_length=0: max_completion_length must be at le"),
        ({"axes": {"on_truncation": ["zero", "nil"]}}, "on_truncation=nil: unknown value of on_truncation: 'nil'"),
        ({"axes": {"learning_rate": ["fast"]}}, "learning_rate=fast: .*fast"),
        ({"equal": "tokens", "token_budget": 8000}, "=48 samples at most 7,680 completion tokens in its 10 steps"),
    ],
)
def test_every_value_of_an_axis_is_checked_before_anything_runs(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    plan = loaded(tmp_path, **changes)
    with pytest.raises(RaifError, match=message):
        check_trainings(plan)


def test_runs_of_equal_tokens_get_the_budget_and_nothing_else(tmp_path: Path) -> None:
    plan = loaded(tmp_path, equal="tokens", token_budget=5000)
    assert all(run.settings["max_rollout_tokens"] == 5000 for run in plan.runs() if run.axes)
    assert parsed(plan, plan.runs()[1].settings).max_rollout_tokens == 5000


def test_a_folder_takes_more_seeds_and_values_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    claim(loaded(tmp_path), out)
    arms = {"axes": {"max_completion_length": [48, 64, 80]}, "seeds": [0, 1, 2]}
    claim(loaded(tmp_path, **arms), out)
    assert recorded_plan(out) == loaded(tmp_path, **arms)
    own = tmp_path / "train.yaml"
    for changes, message in (
        ({}, r"seeds \[2\] are no longer in the plan; the axis max_completion_length no longer has 80"),
        (arms | {"evaluate": {"cap": 48}}, "evaluate.cap is 48, was 64"),
        (arms | {"set": {"contrast": "off"}}, "set.cloning_coefficient is not set, was 0.0"),
        (arms | {"axes": {"beta": [0.0]}}, "the axes are beta, were max_completion_length"),
        (arms | {"train": str(own)}, "training recipe: max_steps is 11, was 10"),
    ):
        own.write_text("base: smoke/cpu\nmax_steps: 11\n", encoding="utf-8")
        with pytest.raises(RaifError, match=f"holds another ablation: .*{message}"):
            claim(loaded(tmp_path, **changes), out)
    named = tmp_path / "named"
    claim(loaded(tmp_path, axes={"arm": {"a": {"beta": 0.1}}}), named)
    claim(loaded(tmp_path, axes={"arm": {"a": {"beta": 0.1}, "b": {}}}), named)
    with pytest.raises(RaifError, match=r"arm: a.beta is 0.2, was 0.1"):
        claim(loaded(tmp_path, axes={"arm": {"a": {"beta": 0.2}, "b": {}}}), named)


def test_the_recipe_of_a_run_stands_by_itself(tmp_path: Path) -> None:
    plan = loaded(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe_of(plan, plan.runs()[1].settings, seed=3, output_dir="runs/x")))
    found = load_recipe(path)
    assert (found["max_completion_length"], found["contrast"], found["seed"]) == (48, "off", 3)
    assert found["num_generations"] == load_recipe("smoke/cpu")["num_generations"]


def test_the_slurm_array_is_a_script_whose_tasks_are_the_runs(tmp_path: Path) -> None:
    path = written(tmp_path, name="two\nlines")
    plan = load_plan(path)
    out = tmp_path / "a folder"
    script = emit_slurm(plan, str(path), out)
    text = script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "#SBATCH --array=0-5\n" in text
    assert "#SBATCH --gpus-per-node" not in text  # smoke/cpu trains on CPUs
    assert [line for line in text.split("\n") if line.startswith("lines")] == []
    for number, run in enumerate(plan.runs()):
        environment = os.environ | {"LAUNCH": "echo", "SLURM_ARRAY_TASK_ID": str(number)}
        done = subprocess.run(["bash", str(script)], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"--ntasks=1 bash -c exec raif ablate {path} --out '{out}' --only {run.id}"
    launcher = tmp_path / "srun"
    launcher.write_text("#!/bin/sh\nexit 75\n", encoding="utf-8")
    requeue = tmp_path / "scontrol"
    requeue.write_text(f"#!/bin/sh\necho $* > {tmp_path}/requeued\n", encoding="utf-8")
    for program in (launcher, requeue):
        program.chmod(0o755)
    slurm = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "7"}
    assert subprocess.run(["bash", str(script)], env=os.environ | slurm, check=False).returncode == 75
    assert (tmp_path / "requeued").read_text(encoding="utf-8") == "requeue 7\n"


def test_the_sweep_is_a_grid_over_the_same_runs(tmp_path: Path) -> None:
    path = written(tmp_path)
    sweep = yaml.safe_load(emit_wandb(load_plan(path), str(path), tmp_path / "out", "seed-1/*").read_text())
    assert sweep["method"] == "grid"
    assert sweep["parameters"]["only"]["values"] == [
        "seed-1/before", "seed-1/max_completion_length=48", "seed-1/max_completion_length=64",
    ]  # fmt: skip
    assert sweep["command"] == [
        "${env}", "raif", "ablate", str(path), "--out", str(tmp_path / "out"), "${args}",
    ]  # fmt: skip


PLANS = [name for name, path in recipes().items() if "axes" in yaml.safe_load(path.read_text())]


@pytest.mark.parametrize("name", PLANS)
def test_shipped_plans_can_be_run(name: str) -> None:
    plan = load_plan(name)
    assert len(plan.seeds) >= 3
    assert len(check_trainings(plan)) >= 4


@pytest.mark.parametrize("name", [name for name in PLANS if "cap" in name])
def test_plans_of_caps_vary_the_cap_alone(name: str) -> None:
    plan = load_plan(name)
    assert list(plan.axes) == ["max_completion_length"]
    assert plan.evaluate.cap >= max(plan.values("max_completion_length"))
    recipe = load_recipe(plan.train)
    assert [entry["type"] for entry in recipe["rewards"]] == ["math_answer"]
    assert (recipe["on_truncation"], recipe["contrast"], recipe["cloning_coefficient"]) == ("zero", "off", 0.0)


@pytest.mark.parametrize("name", [name for name in PLANS if "sustain" in name])
def test_plans_of_post_training_vary_the_recipe_alone(name: str) -> None:
    plan = load_plan(name)
    budget = plan.token_budget
    assert plan.values("recipe") == ["sft", "task-only", "constraints-only", "both", "both-and-invariance"]
    cells = {axes["recipe"]: settings for axes, settings in plan.cells()}
    assert cells.pop("sft") == {"train": plan.axes["recipe"]["sft"]["train"], "max_completion_tokens": budget}
    paid = {name: {entry["type"] for entry in settings["rewards"]} for name, settings in cells.items()}
    answers = {"math_answer", "qa_answer"}
    assert paid == {
        "task-only": answers,
        "constraints-only": {"constraints"},
        "both": {*answers, "constraints"},
        "both-and-invariance": {*answers, "constraints", "invariance"},
    }
    rest = [{**settings, "rewards": None} for settings in cells.values()]
    assert all(settings == {**plan.set, "rewards": None, "max_rollout_tokens": budget} for settings in rest)
    for settings in cells.values():
        config = parsed(plan, settings)
        assert config.truncation_penalty <= min(entry.least for entry in config.reward_entries)
        assert (config.on_truncation, config.contrast, config.cloning_coefficient) == ("penalty", "off", 0.0)
    assert plan.evaluate.cap == config.max_completion_length
    assert len(plan.evaluate.held_out_families) >= 2
