"""`raif sustain-data`: what becomes an instruction and what does not, held-out families, and training on the folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from data_gen.self_evident import Solved, instructions_from_outputs
from data_gen.shards import read_data, read_folder
from raif import sft
from raif.chat import ThinkFormat
from raif.commands.sustain_data import sustain_data
from raif.data import training_rows
from raif.recipes import parse_arguments
from raif.rollouts import read_jsonl
from raif.sustain.records import CONSTRAINED, FIRST, RETEST
from raif.sustain.runner import load_sustain
from raif.sustain.training_data import DataSettings, make_training_data, parse_families
from raif.train import train
from rewards import Demonstration, Instruction, RaifError, Response
from tests.raif.sustain_folder import THINKING, sustain_folder
from tests.raif.sustain_support import make_tasks, text_of
from tests.support import MakeTrainer, dictate

FLAGS = ["--use_cpu", "--bf16", "false", "--gradient_checkpointing", "false", "--report_to", "none"]


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sustain_folder(tmp_path_factory.mktemp("sustain") / "run", placement="prefix")


@pytest.fixture(scope="module")
def data(evaluation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "cloning"
    make_training_data([evaluation], out, DataSettings())
    return out


def test_every_item_of_dplus_becomes_its_constrained_prompt_with_its_own_output(evaluation: Path, data: Path) -> None:
    _, items, rollouts = load_sustain(evaluation)
    tasks = {task.source.seed_id: task for task in read_folder(data, "train")}
    solved = [item for item in items if item.in_dplus]
    assert set(tasks) == {item.id for item in solved}
    assert 0 < len(solved) < len(items)
    for item in solved:
        task, own = tasks[item.id], [rollout for rollout in rollouts if rollout.instruction_id == item.id]
        asked = next(each for each in own if (each.arm, each.dose, each.place) == (CONSTRAINED, 1, 0))
        drawn = [each.correct for each in own if each.arm in (FIRST, RETEST)]
        assert (task.prompt, task.request) == (asked.prompt, item.task.request)
        assert task.constraints == (item.demands[0].constraint,)
        assert task.unconstrained == sum(map(bool, drawn)) / 4
        assert task.expert is not None
        assert (task.expert.thinking, task.expert.answer) == (THINKING, item.witness)
        assert (task.expert.origin, task.witness) == ("acme/scripted-1b", item.witness)
        assert task.evaluate(Response(THINKING, item.witness)).hard is True
    assert {task.unconstrained for task in tasks.values()} == {0.75, 1.0}
    first = next(each for each in rollouts if each.arm == FIRST and each.instruction_id == solved[0].id)
    (row,) = training_rows([tasks[solved[0].id]], ThinkFormat("think", True), None)
    assert row["expert"] == first.completion  # what is cloned is what was drawn, to the byte


def test_all_items_are_accounted_for_and_the_folder_is_whole(evaluation: Path, data: Path) -> None:
    metrics, items, _ = load_sustain(evaluation)
    manifest = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    (rejected,) = manifest["rejected"].values()
    assert manifest["counts"]["train"] + sum(rejected.values()) == len(items) == metrics["n"]
    assert rejected["unsolved"] == 2
    assert set(manifest["files"]) == {"data/train-00000-of-00001.jsonl"}
    assert sum(manifest["constraints"].values()) == manifest["counts"]["train"]
    assert manifest["without_thinking"] == 0


def test_held_out_families_are_never_trained_on(evaluation: Path, tmp_path: Path) -> None:
    _, items, _ = load_sustain(evaluation)
    solved = [item for item in items if item.in_dplus]
    family = solved[0].demands[0].family
    settings = DataSettings(2, held_out_families=frozenset({family}), bare=True)
    manifest, made = make_training_data([evaluation, evaluation], tmp_path / "data", settings)
    held_out = {item.id for item in solved if family in {demand.family for demand in item.demands[:2]}}
    tasks = read_data(tmp_path / "data")
    by_split = {split: [task for task in tasks if task.split == split] for split in ("train", "test_families")}
    assert {task.source.seed_id for task in by_split["test_families"]} == held_out
    bare = [task for task in by_split["train"] if not task.constraints]
    constrained = [task for task in by_split["train"] if task.constraints]
    assert [task.prompt for task in bare] == [task.request for task in constrained]
    assert {len(task.constraints) for task in constrained} == {2}
    assert not held_out & {task.source.seed_id for task in by_split["train"]}
    assert made.left_out["duplicate"] == len(tasks)  # the second folder is the first one again
    assert manifest["counts"] == {split: len(found) for split, found in by_split.items()}


def test_too_few_constraints_and_other_mistakes_are_named(
    evaluation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RaifError, match=r"no item of .* can be used: \d+ too_few"):
        make_training_data([evaluation], tmp_path / "data", DataSettings(constraints=9))
    with pytest.raises(RaifError, match="at_most_wrods"):
        parse_families("at_most_wrods")
    with pytest.raises(RaifError, match="trian"):
        make_training_data([evaluation], tmp_path / "data", DataSettings(split="trian"))  # type: ignore[arg-type]
    with pytest.raises(RaifError, match="no SUSTAIN evaluation in"):
        make_training_data([tmp_path / "none"], tmp_path / "data", DataSettings())
    with pytest.raises(RaifError, match="holds something already"):
        make_training_data([evaluation], evaluation, DataSettings())


def test_the_command_says_what_it_wrote_and_left_out(evaluation: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(sustain_data)
    result = CliRunner().invoke(app, [str(evaluation), "--out", str(tmp_path / "data"), "--bare"])
    assert result.exit_code == 0, result.output
    assert "wrote 20 train to" in result.output
    assert "left out: 2 unsolved" in result.output


def test_outputs_of_any_source_carry_thinking_and_share_too() -> None:
    task = make_tasks(1)[0]
    row = Solved(task.id, task.request, text_of(task), task.answer, "en", "sums", unconstrained=0.5)
    (plain,) = instructions_from_outputs([row])
    (thought,) = instructions_from_outputs([row._replace(thinking="hm", origin="acme/scripted-1b")])
    assert (plain.expert, plain.unconstrained) == (None, 0.5)
    assert thought.expert == Demonstration(thinking="hm", answer=row.output, origin="acme/scripted-1b")
    assert (thought.id, thought.prompt) == (plain.id, plain.prompt)


def test_sft_learns_from_it(policy: Path, data: Path, tmp_path: Path) -> None:
    flags = ["--model_name_or_path", str(policy), "--instructions", str(data), "--output_dir", str(tmp_path / "sft")]
    config, model = sft.parse_arguments([*flags, *FLAGS, "--max_steps", "2", "--logging_steps", "1"])
    assert sft.fine_tune(config, model) == tmp_path / "sft" / "final"
    assert len([row for row in read_jsonl(tmp_path / "sft" / "metrics.jsonl") if "loss" in row]) == 2


def grpo(policy: Path, data: Path, out: Path, *flags: str, rewards: str = "[{type: invariance}]") -> Any:
    recipe = out.parent / f"{out.name}.yaml"
    recipe.write_text(
        f"rewards: {rewards}\nmax_completion_length: 160\nnum_generations: 2\nper_device_train_batch_size: 2\n"
        "on_truncation: score\ncloning_coefficient: 0.1\n"
    )
    given = ["--config", str(recipe), "--model_name_or_path", str(policy), "--instructions", str(data)]
    return parse_arguments([*given, "--output_dir", str(out), *FLAGS, *flags])


def test_grpo_plans_on_it_with_invariance_and_cloning(policy: Path, data: Path, tmp_path: Path) -> None:
    train(*grpo(policy, data, tmp_path / "plan", "--dry_run", "true"))
    plan = json.loads((tmp_path / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert plan["errors"] == []
    assert {row["origin"] for row in plan["scored"]} == {"expert"}
    assert {row["ceiling"] for row in plan["scored"]} == {0.0}  # what was cloned costs nothing
    assert {row["floor"] for row in plan["scored"]} == {-0.75, -1.0}


def rewritten(data: Path, out: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Write the instructions to a file, each changed."""
    out.write_text("".join(json.dumps(change(json.loads(t.model_dump_json()))) + "\n" for t in read_folder(data)))
    return out


def test_invariance_needs_data_that_say_what_it_compares_with(
    policy: Path, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def without(row: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key != "unconstrained"}

    blank = rewritten(data, tmp_path / "blank.jsonl", without)
    with pytest.raises(RaifError, match=r"no training row says .*`unconstrained`.*raif sustain-data"):
        train(*grpo(policy, blank, tmp_path / "blank", "--dry_run", "true"))
    seen: list[str] = []

    def second(row: dict[str, Any]) -> dict[str, Any]:
        seen.append(row["id"])
        return row if len(seen) % 2 else without(row)

    half = rewritten(data, tmp_path / "half.jsonl", second)
    train(*grpo(policy, half, tmp_path / "half", "--dry_run", "true"))
    assert "invariance pays nothing for 5 rows" in caplog.text
    tests = {"kind": "code", "tests": "assert True"}
    programs = rewritten(data, tmp_path / "programs.jsonl", lambda row: {**row, "answer": tests})
    with pytest.raises(RaifError, match=r"nothing runs the programs of 10 rows.*`seconds`"):
        train(*grpo(policy, programs, tmp_path / "programs", "--dry_run", "true"))


def test_groups_are_pushed_by_correctness_times_the_share_without_the_constraint(
    data: Path, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = next(task for task in read_folder(data) if task.unconstrained == 0.75)
    answers = [task.witness, task.witness, task.witness, "The garden then holds 1"]
    dictate(monkeypatch, [f"ok</think>{answer}" for answer in answers])
    rows = training_rows([task], ThinkFormat("think", True), None)
    options = {"rewards": [{"type": "invariance"}], "scale_rewards": "none", "max_completion_length": 200}
    trainer = make_trainer(rows, on_truncation="score", **options)
    trainer.train()
    rollouts = read_jsonl(Path(trainer.args.output_dir) / "rollouts" / "rank0.jsonl")
    assert [row["reward"] for row in rollouts] == [0.0, 0.0, 0.0, -0.75]
    assert [row["advantage"] for row in rollouts] == pytest.approx([0.75 / 4] * 3 + [-0.75 * 3 / 4])


def test_instructions_of_two_folders_meet_only_once(evaluation: Path, tmp_path: Path) -> None:
    other = sustain_folder(tmp_path / "other", count=6, seed=3)
    _, items, _ = load_sustain(other)
    demands = [item.demands[0] for item in items if item.in_dplus]
    family = demands[0].family
    settings = DataSettings(held_out_families=frozenset({family}))
    _, made = make_training_data([evaluation, other], tmp_path / "data", settings)
    held_out = {task.request for task in made.tasks if task.split == "test_families"}
    assert held_out
    assert not held_out & {task.request for task in made.tasks if task.split == "train"}
    assert all(isinstance(task, Instruction) for task in made.tasks)
