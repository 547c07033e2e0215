"""What the README shows works as shown."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from data_gen.shards import read_data
from raif.cli import app
from raif.evaluation import runner
from raif.generation import Arrived, Completion, Request, Sampling
from raif.suites import SUITES, suite
from raif.suites.instructions import items_of
from tests.raif.experiment_support import ScriptedGenerator

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def raif(*arguments: str) -> str:
    """Run the `raif` command and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "raif", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_python_example_says_what_its_comments_say() -> None:
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    scope: dict[str, object] = {}
    exec(code, scope)
    constraint, response = scope["constraint"], scope["response"]
    assert constraint.describe() == "Use at most 5 words."  # type: ignore[attr-defined]
    verdict = constraint.check(response, scope["Context"]())  # type: ignore[attr-defined, operator]
    assert (verdict.status, verdict.evidence) == ("satisfied", "5 words, at most 5 allowed")


def test_the_tree_is_judged_as_shown() -> None:
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1]
    scope: dict[str, Any] = {}
    exec(code, scope)
    judgement = scope["judgement"]
    shown = re.search(r"^# (\[\(.*\)\])$", code, re.MULTILINE)
    assert shown is not None
    assert repr([(leaf.path, leaf.verdict.status.value) for leaf in judgement.leaves]) == shown[1]
    assert (judgement.hard, round(judgement.soft, 3), judgement.score("structural")) == (False, 0.333, 0.5)


def test_other_trainers_get_the_numbers_shown() -> None:
    tree, adapters = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1:3]
    scope: dict[str, Any] = {}
    exec(tree, scope)
    shown = re.findall(r"^(\w.*?)  # (\[?1\.\d+\]?)$", adapters, re.MULTILINE)
    assert len(shown) == 5
    exec(adapters, scope)
    assert [eval(expression, scope) for expression, _ in shown] == [eval(value) for _, value in shown]


def test_every_raif_command_in_the_readme_exists() -> None:
    listed = raif("--help")
    shown = re.findall(r"`(?:OMP_NUM_THREADS=1 )?raif (\w+)[^`]*`|^raif (\w+)", README, re.MULTILINE)
    names = {inline or line for inline, line in shown}
    assert {"run", "constraints", "evaluate"} <= names
    for name in names:
        assert name in listed


def test_listing_commands() -> None:
    assert "length:max_words" in raif("constraints")
    family = json.loads(raif("constraints", "--family", "arithmetic", "--json"))
    assert {row["type"].partition(":")[0] for row in family} == {"arithmetic"}
    assert all(row["description"]["zh"] and row["passes"] for row in family)
    assert "smoke/cpu" in raif("recipes")


def commands_of(section: str) -> list[str]:
    """Return the commands of the first shell block of a section."""
    block = re.search(rf"## {section}\n\n```bash\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return [line.split("#")[0].strip() for line in block[1].splitlines() if line.startswith("raif ")]


def run_here(command: str, policy: Path, smoke_data: Path, out: Path) -> None:
    """Run a command in this process, on a random policy and small data, with its results below `out`."""
    places = {"runs/smoke/final": policy, "runs/smoke/data": smoke_data, "runs/": f"{out}/"}
    for shown, real in places.items():
        command = command.replace(shown, str(real))
    result = CliRunner().invoke(app, command.removeprefix("raif ").split())
    assert result.exit_code == 0, (command, result.output, result.exception)


class Thinker(ScriptedGenerator):
    """Thinks for a while and ends it, which a random policy never does."""

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        def longer(number: int, done: Completion) -> None:
            arrived(number, done._replace(text="hm " * (number % 7) + done.text))

        super().generate(requests, sampling, longer)


def test_evaluations_experiments_and_their_report_work_one_after_another(
    policy: Path, smoke_data: Path, tmp_path: Path
) -> None:
    experiments = commands_of("Experiments with their controls")
    (evaluate,) = (line for line in commands_of("Evaluate") if "runs/smoke" in line)
    for command in (evaluate, *(line for line in experiments if "--model" in line)):
        run_here(command, policy, smoke_data, tmp_path)
    assert json.loads((tmp_path / "evaluation/metrics.json").read_text())["n"] > 20
    shutil.rmtree(tmp_path / "evaluation")
    items = items_of(read_data(smoke_data, "test"))
    runner.evaluate(suite("instructions"), items, Thinker(0), Sampling(2000), tmp_path / "evaluation")
    for command in (*(line for line in experiments if "--model" not in line), *commands_of("Look")):
        run_here(command, policy, smoke_data, tmp_path)
    assert len(json.loads((tmp_path / "wait/experiment.json").read_text())["rows"]) >= 9
    assert "<title>" in (tmp_path / "report.html").read_text()


def test_the_ablation_shown_is_a_plan_that_can_run(tmp_path: Path) -> None:
    (command,) = commands_of("What a rollout cap does")
    run_here(f"{command} --plan", tmp_path, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_comparison_of_recipes_shown_is_a_plan_that_can_run(tmp_path: Path) -> None:
    block = re.search(r"```bash\n(raif ablate recipes/ablation/sustain[^`]*)```", README)
    assert block is not None
    run_here(f"{block[1].strip()} --plan", tmp_path, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_published_responses_are_replayed_as_shown(shared_dir: Path, tmp_path: Path) -> None:
    export, judge = (line for line in commands_of("Evaluate") if "ifeval" in line)
    data = shared_dir / "data/ifeval"
    for command in (export, judge):
        command = command.replace("input_data.jsonl", str(data / "input_data.jsonl"))
        command = command.replace("responses.jsonl", str(data / "gpt4_responses_20231107.jsonl"))
        run_here(re.sub(r"(prompts.jsonl|results.json)$", rf"{tmp_path}/\1", command), tmp_path, tmp_path, tmp_path)
    assert len((tmp_path / "prompts.jsonl").read_text(encoding="utf-8").splitlines()) == 541
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    names = ("prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose")
    for profile in ("parity", "strict"):
        shown = ", ".join(f"{100 * found[profile][name]:.2f}" for name in names)
        assert f" {shown} |" in README


def test_the_other_evaluations_shown_have_valid_options() -> None:
    for command in commands_of("Evaluate"):
        words = command.removeprefix("raif ").split()
        evaluate = get_command(app).commands["evaluate"]  # type: ignore[attr-defined]
        assert words[1] in SUITES
        evaluate.commands[words[1]].make_context(words[1], words[2:])


@pytest.mark.parametrize("path", re.findall(r"\]\((tests/[\w/.]+)\)", README))
def test_pictures_are_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_data_commands_work_one_after_another(tmp_path: Path) -> None:
    block = re.search(r"## Make instructions\n\n```bash\n(.*?)```", README, re.DOTALL)
    assert block is not None
    commands = [line.replace("runs/", f"{tmp_path}/") for line in block[1].splitlines()]
    assert len(commands) == 5
    for number, command in enumerate(commands):
        words = command.removeprefix("python -m ").split() + ["--limit", "6"] * (number == 0)
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
    assert json.loads((tmp_path / "quality.json").read_text())
    assert "<svg" in (tmp_path / "data-card.html").read_text()
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "data").glob("**/*.parquet")) == [
        *("test", "test_arguments", "test_families", "train")
    ]


TRAIN = re.search(r"## Train\n\n```bash\n(.*?)```", README, re.DOTALL)


def train_commands(word: str) -> list[list[str]]:
    """Return the commands of the training section that speak of `word`, as words."""
    assert TRAIN is not None
    return [line.split("#")[0].split() for line in TRAIN[1].splitlines() if word in line and not line.startswith("#")]


def test_the_training_commands_name_recipes_flags_and_launchers_that_exist() -> None:
    from accelerate.commands.launch import launch_command_parser

    from raif import sft
    from raif.recipes import parse_arguments

    commands = train_commands("--config recipes/")
    assert len(commands) >= 7
    for words in commands:
        own = [*words[words.index("--config") :], "--use_cpu", "--bf16", "false"]
        parse = sft.parse_arguments if "raif.sft" in words else parse_arguments
        if words[0] != "raif":
            assert parse(own)[0].output_dir.startswith("runs/")
        if words[0] == "accelerate":
            known = launch_command_parser().parse_args(words[2:])
            assert (known.training_script, Path(known.config_file).suffix) == ("raif.train", ".yaml")
            assert (ROOT / known.config_file).is_file()
        if words[0] == "sbatch":
            script = next(word for word in words if word.endswith(".sh"))
            printed = subprocess.run(
                ["bash", script, *words[words.index(script) + 1 :]], cwd=ROOT, env={**os.environ, "LAUNCH": "echo"},
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            assert "raif.train" in printed.stdout, printed.stderr


def test_the_plan_of_the_readme_is_printed(policy: Path, smoke_data: Path, tmp_path: Path) -> None:
    (command,) = train_commands("--dry_run")
    here = ["--model_name_or_path", policy, "--instructions", smoke_data, "--output_dir", tmp_path]
    done = subprocess.run(
        [sys.executable, *command[1:], *map(str, here)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Memory of each rank" in done.stdout
    assert json.loads((tmp_path / "plan.json").read_text())["schedule"]["optimizer_steps"] == 10
