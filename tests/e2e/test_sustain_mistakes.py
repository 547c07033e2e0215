"""What people get wrong with SUSTAIN: one message that says what to do next, and nothing is lost, mixed or silent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer
from typer.testing import CliRunner

from raif.attention.records import AttentionSettings, Evaluation
from raif.attention.runner import analyze, select
from raif.chat import ChatFormat
from raif.cli import app
from raif.recipes import parse_arguments
from raif.sustain.guard import open_guard
from raif.sustain.runner import load_sustain
from raif.sustain.tasks import load_tasks
from rewards.errors import RaifError
from tests.e2e.sustain_policy import ANSWERS, write_tasks
from tests.raif.sustain_folder import sustain_folder
from tests.raif.test_sustain_guard import arguments

Rows = list[dict[str, Any]]
ASKED = ("--doses", "1,2", "--limit", "4")


@pytest.fixture(autouse=True)
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raif.commands.sustain.plot_and_log", lambda *_: None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sustain_folder(tmp_path_factory.mktemp("sustain") / "run", count=24, samples=1, doses=(1,))


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_tasks(tmp_path / "tasks").partition(",")[0]


def command(*arguments: object) -> str:
    """Run `raif` in this process; a user error is raised."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def refused(message: str, *arguments: object) -> None:
    with pytest.raises(RaifError, match=message):
        command(*arguments)


def lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# ---- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--responses", "r", "--cap", 9, "--temperature", 1), "nothing is drawn; leave out --cap, --temperature"),
        (("--responses", "r", "--backend", "openai"), "leave out --backend"),
        (("--model", ""), "give either --model, or --responses"),
        (("--responses", "r", "--doses", "1,a"), "doses '1,a' is no list of numbers"),
        (("--responses", "r", "--doses", ""), "doses '' is no list of numbers"),
    ],
)
def test_options_that_would_be_ignored(options: tuple[object, ...], message: str, data: str, tmp_path: Path) -> None:
    refused(message, "evaluate", "sustain", "--data", data, "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_a_misspelt_suite_and_a_file_without_its_set(data: str) -> None:
    refused("unknown suite 'sustian'; did you mean 'sustain'", "evaluate", "sustian")
    path = data.partition("=")[2]
    with pytest.raises(RaifError, match="comes without the task set that it holds; write SET="):
        load_tasks(path)


def test_recomputing_takes_no_other_option(finished: Path) -> None:
    asked = ("evaluate", "sustain", "--recompute", finished)
    refused("leave out --cap, --samples, --limit", *asked, "--cap", 5, "--samples", 3, "--limit", 3)


# ---- data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("gsm8k", '{"question": "half \\ud800", "answer": "#### 7"}', ":1 makes no task .request: .*repair or remove"),
        ("gsm8k", '{"question": ["a"], "answer": "#### 7"}', "has a list where the text of 'question' should be"),
        (
            "humaneval",
            '{"prompt": "def f():", "test": "def check(:", "entry_point": "f"}',
            "has tests that are no Python",
        ),
        ("gsm8k", "", "there are no rows; give another file"),
    ],
)
def test_rows_that_make_no_task(name: str, row: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(row, encoding="utf-8")
    with pytest.raises(RaifError, match=message):
        load_tasks(f"{name}={path}")


def test_bounds_of_an_embedded_set_are_two_numbers() -> None:
    with pytest.raises(RaifError, match="hops: write bounds as LOW-HIGH"):
        load_tasks("multi_hop=3:hops=9")


# ---- damaged folders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("metrics.json", lambda text: text.replace('"suffix"', '"sufix"'), "is damaged .placement: Input should be"),
        ("metrics.json", lambda text: text.replace('"options"', '"optoins"'), "is damaged .no field 'options'"),
        ("rollouts.jsonl", lambda text: text.partition("\n")[2], "speak of different items"),
        ("rollouts.jsonl", lambda text: text.partition("\n")[0] + "\n" + text, "different items|twice"),
        (
            "rollouts.jsonl",
            lambda text: "".join(line for n, line in enumerate(text.splitlines(True)) if n != 1),
            "rollouts.jsonl lacks .*retest.0.0.0; remove .*metrics.json and evaluate again",
        ),
    ],
)
def test_what_is_damaged_is_not_judged_again(
    name: str, change: Callable[[str], str], message: str, finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert change(text) != text
    (folder / name).write_text(change(text), encoding="utf-8")
    before = contents(folder)
    refused(message, "evaluate", "sustain", "--recompute", folder)
    assert contents(folder) == before


def test_the_order_of_rollouts_says_nothing(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    write(folder / "rollouts.jsonl", lines(folder / "rollouts.jsonl")[::-1])
    assert "every verdict and every figure is as it was" in command("evaluate", "sustain", "--recompute", folder)


def test_nothing_to_train_on_says_how_to_get_something(finished: Path, tmp_path: Path) -> None:
    asked = ("sustain-data", finished, "--out", tmp_path / "data", "--constraints", 99)
    refused("too_few.*; lower --constraints", *asked)
    assert not (tmp_path / "data").exists()


def test_a_full_disk_leaves_no_half_of_a_data_set(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("raif.sustain.training_data.write_file", full)
        with pytest.raises(OSError, match="No space"):
            command("sustain-data", finished, "--out", tmp_path / "data")
    assert "wrote" in command("sustain-data", finished, "--out", tmp_path / "data")


# ---- responses that somebody else draws -----------------------------------------------------------------------------


def answer(path: Path, prompts: Path, text: str = ANSWERS["math"]) -> None:
    """Answer what is asked, and keep what was answered before."""
    before = lines(path) if path.is_file() else []
    write(path, before + [{"id": row["id"], "response": text} for row in lines(prompts)])


def answered(data: str, given: Path, out: Path, *options: object) -> str:
    """Exchange prompts and answers until the evaluation is finished; return what it said last."""
    asked = ("evaluate", "sustain", "--data", data, "--responses", given, "--out", out, *ASKED, *options)
    for _ in range(2):
        refused("prompts of this pass have no answer", *asked)
        answer(given, out / "prompts.jsonl")
    return command(*asked)


def test_answers_belong_to_the_prompts_that_they_were_given_to(data: str, tmp_path: Path) -> None:
    given, out = tmp_path / "r.jsonl", tmp_path / "out"
    refused("which does not exist yet", "evaluate", "sustain", "--data", data, "--responses", given, "--out", out)
    shutil.rmtree(out)
    answered(data, given, out)
    assert not (out / "prompts.jsonl").exists()
    assert load_sustain(out)[0]["settings"]["sampling"] == {}
    asked = ("evaluate", "sustain", "--data", data, "--responses", given, *ASKED)
    elsewhere = (*asked, "--placement", "prefix", "--out", tmp_path / "prefix")
    refused("are answered there to another prompt: settings or first answers differ", *elsewhere)


def test_mended_and_empty_answers_count(data: str, tmp_path: Path) -> None:
    given, out = tmp_path / "r.jsonl", tmp_path / "out"
    answered(data, given, out)
    asked = ("evaluate", "sustain", "--data", data, "--responses", given, "--out", out, *ASKED)
    mended = [{**row, "response": " "} if "|constrained|" in row["id"] else row for row in lines(given)]
    write(given, mended)
    said = command(*asked)
    empty = sum(row["response"] == " " for row in mended)
    assert f"{empty} of {len(mended)} completions are empty; look at" in said
    assert all(row.completion == " " for row in load_sustain(out)[2] if row.arm == "constrained")


def test_cut_off_first_outputs_are_told(data: str, tmp_path: Path) -> None:
    given, out = tmp_path / "r.jsonl", tmp_path / "out"
    asked = ("evaluate", "sustain", "--data", data, "--responses", given, "--out", out, *ASKED)
    for _ in range(2):
        refused("have no answer", *asked)
        answer(given, out / "prompts.jsonl", "It goes on and")
        write(given, [{**row, "finish_reason": "length"} for row in lines(given)])
    said = command(*asked)
    assert "items without a score: 4 truncated" in said
    assert "4 of 4 first outputs were cut off, which counts as wrong; a larger --cap helps" in said


# ---- attention ------------------------------------------------------------------------------------------------------


def test_attention_names_a_device_that_is_not_there(finished: Path, policy: Path, tmp_path: Path) -> None:
    evaluation = Evaluation(*load_sustain(finished))
    for device in ("cuda:7", "gpu"):
        with pytest.raises(RaifError, match=rf"--device {device} cannot be used .*; give cpu"):
            analyze(evaluation, str(policy), tmp_path / "out", AttentionSettings(), device=device)
    assert not (tmp_path / "out").exists()


def test_rows_of_attention_are_those_of_the_rollouts(finished: Path, policy: Path, tmp_path: Path) -> None:
    evaluation, out = Evaluation(*load_sustain(finished)), tmp_path / "out"
    settings = AttentionSettings(limit=2)
    assert select(evaluation, settings)
    analyze(evaluation, str(policy), out, settings, device="cpu")
    rows = (out / "attention.jsonl").read_bytes().splitlines(keepends=True)
    for wrong in ([*rows, *rows], rows[1:]):
        (out / "attention.jsonl").write_bytes(b"".join(wrong))
        with pytest.raises(RaifError, match="does not hold the rollouts of this analysis in their order; remove it"):
            analyze(evaluation, str(policy), out, settings, device="cpu")
    (out / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(RaifError, match=r"settings\.json is damaged; remove it and .*attention\.jsonl"):
        analyze(evaluation, str(policy), out, settings, device="cpu")


# ---- the guard of a training --------------------------------------------------------------------------------------


def test_a_guard_of_another_model_or_a_longer_cap_is_told(
    finished: Path, policy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics["settings"]["generator"]["chat_template"] = "0" * 16
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    flags = ("--sustain_guard", str(folder), "--sustain_guard_items", "20")
    config, _ = parse_arguments(arguments(policy, folder, tmp_path / "out", *flags))
    open_guard(config, ChatFormat(AutoTokenizer.from_pretrained(policy)))
    assert "acme/scripted-1b with another chat template, so its items are those of another model" in caplog.text
    assert "was drawn with --cap 200, the training stops at 96 tokens: more outputs are cut off" in caplog.text
