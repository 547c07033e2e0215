"""`raif evaluate sustain` as a user runs it: three domains, a local model and a served one, SIGKILL, recomputing."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data_gen.shards import read_data
from raif.cli import app
from raif.sustain.runner import load_sustain
from rewards.errors import RaifError
from tests import forked
from tests.e2e.sustain_policy import COUNT, build_sustain_policy, write_tasks
from tests.e2e.test_readme import commands_of
from tests.transformers_server import serving

FILES = ("items.jsonl", "rollouts.jsonl", "metrics.json", "settings.json")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def knowing(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sustain_policy(data, tmp_path_factory.mktemp("knowing"))


def run(*arguments: object) -> str:
    """Run the command in this process; a user error is raised."""
    result = CliRunner().invoke(app, ["evaluate", "sustain", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def killed_when(enough: int, arguments: list[object], out: Path) -> None:
    """Run the command in a process of its own and kill it once so many completions are journalled."""
    process = forked.start("raif", ["evaluate", "sustain", *arguments, "--out", out])
    deadline = time.monotonic() + 600
    while _drawn(out) < enough and time.monotonic() < deadline:
        assert process.is_alive()
        time.sleep(0.02)
    forked.killed(process)
    assert not (out / "metrics.json").exists()


def _drawn(out: Path) -> int:
    """Count what is journalled: a line holds a batch, of which each completion names its request."""
    return sum(path.read_bytes().count(b'"request"') for path in (out / "generations").glob("*.jsonl"))


def same_files(first: Path, second: Path) -> None:
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_three_domains_in_one_command_killed_resumed_and_recomputed(data: str, knowing: Path, tmp_path: Path) -> None:
    asked: list[object] = ["--data", data, "--model", knowing, "--cap", 64, "--doses", "1,2", "--batch-size", 16]
    killed_when(COUNT, asked, tmp_path / "killed")
    run(*asked, "--out", tmp_path / "killed")
    said = run(*asked, "--out", tmp_path / "whole")
    same_files(tmp_path / "killed", tmp_path / "whole")
    metrics, items, rollouts = load_sustain(tmp_path / "whole")
    assert {domain: record["n"] for domain, record in metrics["domains"].items()} == dict.fromkeys(
        ("math", "qa", "code"), COUNT
    )
    assert sum(item.in_dplus for item in items) >= 20
    assert all(item.witness == item.witness.rstrip() or item.demands for item in items)
    arms = Counter(rollout.arm for rollout in rollouts)
    assert arms["first"] == arms["retest"] == 3 * COUNT
    assert all(rollout.prompt.startswith(items[rollout.group].task.request) for rollout in rollouts)
    assert "SUSTAIN, math" in said
    before = {name: (tmp_path / "whole" / name).read_bytes() for name in FILES}
    assert "every verdict and every figure is as it was" in run("--recompute", tmp_path / "whole")
    assert before == {name: (tmp_path / "whole" / name).read_bytes() for name in FILES}


def test_a_served_model_is_measured_like_a_local_one(data: str, knowing: Path, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(knowing, folder) as url:
        asked: list[object] = ["--data", data, "--limit", 6, "--model", knowing, "--cap", 48, "--doses", "1"]
        asked += ["--backend", "openai", "--base-url", url, "--batch-size", 2]
        killed_when(8, asked, tmp_path / "killed")
        run(*asked, "--out", tmp_path / "killed")
        run(*asked, "--out", tmp_path / "whole")
    same_files(tmp_path / "killed", tmp_path / "whole")
    metrics = json.loads((tmp_path / "whole/metrics.json").read_text(encoding="utf-8"))
    assert metrics["n"] == 18
    assert metrics["domains"]["qa"]["sustain"]["value"] is None
    assert "needs 20" in metrics["domains"]["qa"]["sustain"]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "x", "--cap", 8, "--out", "y"], "needs --data"),
        (["--data", "gsm9k", "--model", "x", "--cap", 8, "--out", "y"], "did you mean"),
        (["--data", "arithmetic=3", "--model", "x", "--out", "y"], "needs --cap"),
        (["--data", "arithmetic=3", "--model", "x", "--cap", 8], "needs --out"),
        (["--data", "arithmetic=3", "--out", "y"], "either --model, or --responses"),
        (["--data", "arithmetic=3", "--model", "x", "--cap", 8, "--out", "y", "--doses", "1;2"], "doses '1;2'"),
        (["--recompute", "nowhere"], "no SUSTAIN evaluation in nowhere"),
        (["--recompute", "nowhere", "--tau", 0.5], "leave out --tau"),
    ],
)
def test_what_does_not_go_together_is_one_message(
    arguments: list[object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RaifError, match=message):
        run(*arguments)
    assert not list(tmp_path.iterdir())


def test_the_commands_of_the_readme_work_one_after_another(data: str, knowing: Path, tmp_path: Path) -> None:
    commands = commands_of("What a constraint costs the task")
    tiny, *others = commands
    assert tiny.startswith("raif tiny")
    for command in others:
        command = re.sub(r"--data \S+", f"--data {data}", command).replace("runs/sustain/policy", str(knowing))
        words = command.replace("runs/", f"{tmp_path}/").removeprefix("raif ").split()
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert "Our score follows the idea of SUSTAINSCORE" in (tmp_path / "sustain/evaluation/report.html").read_text()
    out = tmp_path / "training"
    result = CliRunner().invoke(app, ["sustain-data", str(tmp_path / "sustain/evaluation"), "--out", str(out)])
    assert result.exit_code == 0, (result.output, result.exception)
    assert read_data(out, "train")
