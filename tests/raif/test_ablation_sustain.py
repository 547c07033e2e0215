"""Post-training and SUSTAIN: what an ablation collects of it, and two recipes run from a policy to the comparison."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from data_gen.experts import WarmStartRow
from data_gen.shards import read_data
from raif.ablation.collecting import collect
from raif.ablation.folder import Paths, claim
from raif.ablation.plan import Plan, load_plan
from raif.ablation.running import run_plan
from raif.ablation.self_evident import training_tasks
from raif.ablation.writing import markdown
from raif.commands.sustain_compare import compare_sustain
from raif.report import write_report
from raif.rollouts import read_jsonl
from raif.sustain.records import CONSTRAINED
from raif.sustain.tasks import load_tasks
from raif.tiny import TinyRecipe, build_policy
from rewards.errors import RaifError
from tests.raif.sustain_folder import sustain_folder

COUNT = 60
#: Which of the answers under a constraint are wrong, by arm of the plan: every so manieth.
LOST = {"before": 2, "sft": 4, "both": 3}


def written(folder: Path, **changes: Any) -> Plan:
    content = {
        "name": "recipes",
        "instructions": str(folder),
        "policy": "a/model",
        "train": "smoke/sustain",
        "axes": {"recipe": {"sft": {"train": "sft/sustain-embedded"}, "both": {}}},
        "seeds": [0, 1],
        "equal": "tokens",
        "token_budget": 4000,
        "evaluate": {
            "suite": "sustain",
            "data": "arithmetic=60",
            "cap": 200,
            "temperature": 0.0,
            "options": {"doses": "1"},
            "held_out_families": ["at_most_words", "first_word"],
        },
        **changes,
    }
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return load_plan(path)


def losing(every: int, seed: int) -> Callable[[int, str, int], bool]:
    """Return a model that solves all but the last ten tasks, and loses some of them under a constraint."""

    def is_right(number: int, arm: str, sample: int) -> bool:
        return number < COUNT - 10 and not (arm == CONSTRAINED and (number + seed) % every == 0)

    return is_right


def finish(paths: Paths) -> None:
    """Leave what a training and an evaluation leave."""
    recipe = paths.run.axes.get("recipe", "before")
    sustain_folder(paths.evaluation, COUNT, 1, is_right=losing(LOST[recipe], paths.run.seed), doses=(1,))
    if recipe == "before":
        return
    paths.train.mkdir()
    training: dict[str, Any] = {"per_device_train_batch_size": 16, "gradient_accumulation_steps": 1}
    done: dict[str, Any] = {"steps": 20, "ranks": 1}
    rows: list[dict[str, Any]] = [{"step": 20, "loss": 0.5}]
    if recipe == "sft":
        done["completion_tokens"] = 4000
    else:
        training |= {"num_iterations": 1, "num_generations": 4}
        rows = [{"step": 20, "completions/clipped_ratio": 0.5, "rollout_tokens": 4010}]
    (paths.train / "done.json").write_text(json.dumps(done), encoding="utf-8")
    (paths.train / "config.json").write_text(json.dumps({"training": training}), encoding="utf-8")
    (paths.train / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("ablation")
    plan = written(tmp_path_factory.mktemp("plan"))
    claim(plan, out)
    for run in plan.runs():
        finish(Paths(out, plan, run))
    return out, collect(plan, out)


def test_runs_have_the_means_of_their_domains_and_what_they_trained_on(results: tuple[Path, dict[str, Any]]) -> None:
    out, found = results
    sft, both = found["runs"][:2]
    evaluated = json.loads((out / sft["folder"] / "evaluation" / "metrics.json").read_text(encoding="utf-8"))
    for name in ("accuracy", "sustain", "net", "comply", "delta_acc"):
        assert sft["metrics"][name] == evaluated["mean"][name]["value"] == sft["estimates"][name]["value"]
    assert sft["metrics"]["accuracy"] == 50 / 60
    assert sft["metrics"]["sustain"] == pytest.approx(37 / 50)  # 13 numbers below 50 are multiples of 4
    assert (sft["metrics"]["truncated"], sft["metrics"]["unscored"]) == (0, 0)
    assert sft["metrics"]["completion_tokens"] > 5
    trained = [(run["metrics"]["rollout_tokens"], run["metrics"]["prompts"]) for run in (sft, both)]
    assert trained == [(0, 320), (4010, 80)]  # demonstrations, and prompts of four rollouts
    text = markdown(found)
    assert "Equal: 4,000 sampled completion tokens, or shown in fine-tuning, for all runs." in text
    assert "sustain, cap 200, 1 sample(s) an item, temperature 0, tasks arithmetic=60, doses 1. In percent" in text
    head = next(line for line in text.split("\n") if line.startswith("| recipe"))
    assert head.startswith("| recipe | seeds | accuracy | SUSTAIN | NET | COMPLY | change of accuracy | truncated |")


def test_contrasts_with_the_start_pair_the_solved_items(results: tuple[Path, dict[str, Any]]) -> None:
    rows = {(row["from"], row["to"], row["metric"]): row for row in results[1]["contrasts"]}
    assert {metric for _, _, metric in rows} == {"accuracy", "sustain", "net", "comply"}
    row = rows["before", "recipe=sft", "net"]
    # of the 50 solved items, by seed: 25 of the base are lost, and 13 (seed 0) or 12 (seed 1) after fine-tuning
    assert row["estimate"]["value"] == pytest.approx(-((25 - 13) + (25 - 12)) / 100)
    assert row["estimate"]["n"] == 50
    assert row["p"] < 0.01
    assert rows["before", "recipe=sft", "accuracy"]["estimate"]["n"] == 60


def test_all_runs_are_compared_with_the_seeds_of_a_recipe_together(results: tuple[Path, dict[str, Any]]) -> None:
    out, _ = results
    found = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert found["models"] == ["before", "sft", "both"]
    assert found["evaluations"] == [f"{name}@{seed}" for seed in (0, 1) for name in ("before", "sft", "both")]
    maths = found["domains"]["math"]
    assert (maths["n_common"], maths["ranking"]) == (50, ["sft", "both", "before"])
    assert maths["seeds"]["sft"]["net"]["values"] == [13 / 50, 12 / 50]
    assert found["held_out"]["families"] == ["at_most_words", "first_word"]
    assert "comparison" in write_report([out], out / "report.html").read_text(encoding="utf-8")


def test_evaluations_are_compared_from_the_command_line(results: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folders = [f"{name}={results[0]}/seed-0/{folder}/evaluation"
               for name, folder in (("base", "before"), ("tuned", "recipe=sft"))]  # fmt: skip
    app = typer.Typer()
    app.command()(compare_sustain)
    command = [*folders, "--out", str(tmp_path / "out"), "--held-out-families", "first_word"]
    said = CliRunner().invoke(app, command, catch_exceptions=False).output
    assert "by NET on the common set, smallest loss first: tuned, base" in said
    found = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert (found["models"], found["held_out"]["families"]) == (["base", "tuned"], ["first_word"])
    assert list((tmp_path / "out" / "plots").glob("*.svg"))


# ---- end to end ---------------------------------------------------------------------------------------------------

TASKS, EVALUATED = "arithmetic=24", "arithmetic=4"  # the first ones of the former


def knowing(folder: Path) -> Path:
    """Build a policy that knows most of the tasks by heart, with a constraint or without, and nothing else."""
    rows = []
    for number, task in enumerate(load_tasks(TASKS)):
        answer = f"{('So', 'Now', 'Well then')[number % 3]}, the answer is \\boxed{{{task.gold}}}."
        fields = {"thinking": f"it is {task.gold}.", "answer": answer, "hard": True}
        for tail in ("", "\n\nUse at most 20 words.", "\n\nDo not use any commas."):
            rows.append(WarmStartRow(instruction_id=f"{len(rows)}", prompt=f"{task.request}{tail}", **fields))
    sizes = {"hidden_size": 64, "heads": 2, "vocab_size": 800, "batch_size": 24}
    return build_policy(rows * 30, folder, recipe=TinyRecipe(learning_rate=5e-3, drill_share=0.0, **sizes))


def test_tasks_that_are_evaluated_are_not_trained_on(tmp_path: Path) -> None:
    both = {"instructions": None, "self_evident": {"tasks": "arithmetic=70"}}
    plan = written(tmp_path, **both)
    asked = plan.self_evident
    assert asked is not None
    paths = Paths(tmp_path, plan, plan.runs()[0])
    evaluated = {task.request for task in load_tasks("arithmetic=60")}
    found = training_tasks(plan, paths, asked)
    assert len(found) == 10
    assert not evaluated & {task.request for task in found}
    with pytest.raises(RaifError, match="no task of arithmetic=30 can be trained on: all are evaluated"):
        training_tasks(plan, paths, asked.model_copy(update={"tasks": "arithmetic=30"}))


@pytest.mark.slow
def test_two_recipes_run_from_a_policy_to_their_comparison(tmp_path: Path) -> None:
    plan = written(
        tmp_path,
        instructions=None,
        policy=str(knowing(tmp_path / "policy")),
        self_evident={"tasks": TASKS, "samples": 1, "temperature": 0.0},
        axes={"recipe": {"sft": {"train": "sft/sustain-embedded"}, "both": {}}},
        set={"max_steps": 3, "per_device_train_batch_size": 16, "max_completion_length": 48, "save_steps": 10},
        token_budget=500,
        seeds=[0],
        before=False,
        evaluate={"suite": "sustain", "data": EVALUATED, "cap": 48, "temperature": 0.0, "options": {"doses": "1"},
                  "held_out_families": ["at_most_words"]},
    )  # fmt: skip
    out = tmp_path / "out"
    outcomes = run_plan(plan, out)
    said = [outcome.log.read_text(encoding="utf-8")[-2000:] for outcome in outcomes if outcome.log is not None]
    assert [outcome.state for outcome in outcomes] == ["finished", "finished"], said
    made = read_data(out / "seed-0/training_data", "train")
    assert len(made) >= 5
    assert not {row.request for row in made} & {task.request for task in load_tasks(EVALUATED)}
    assert "4 of 24 tasks of arithmetic=24 are evaluated and left out" in (out / "seed-0/prepare.log").read_text()
    assert all(row.expert is not None and row.unconstrained == 1.0 and row.tree.places for row in made)
    assert not any('"length:max_words"' in row.tree.model_dump_json() for row in made)  # at_most_words
    results = collect(plan, out)
    sft, both = (run["metrics"] for run in results["runs"])
    assert (sft["rollout_tokens"], sft["steps"] > 0, both["rollout_tokens"] >= 500) == (0, True, True)
    assert [sft["accuracy"], both["accuracy"]] == [None, None]  # 4 items are too few
    log = read_jsonl(out / "seed-0/recipe=both/train/metrics.jsonl")
    assert {f"rewards/{name}" for name in ("math_answer", "qa_answer", "constraints")} <= {*log[0]}
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8"))["models"] == ["sft", "both"]
