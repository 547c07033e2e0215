"""`raif evaluate` as a user runs it: exported prompts, stored responses, a local model and a served one, kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raif.cli import app
from rewards.errors import RaifError
from tests.transformers_server import serving

ROOT = Path(__file__).resolve().parents[2]
NO_COMMA: dict[str, Any] = {"name": "punctuation:no_comma", "args": None, "text": "Do not use any commas."}
QUOTED: dict[str, Any] = {"name": "startend:quotation", "args": None, "text": "Put it in double quotation marks."}


def mathif_row(number: int, *constraints: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": "own",
        "id": f"own-{number % 2}",  # the benchmark's own ids repeat, too
        "question": f"What is {number} + 1?",
        "answer": str(number + 1),
        "constraint_desc": [constraint["text"] for constraint in constraints],
        "constraint_name": [constraint["name"] for constraint in constraints],
        "constraint_args": [constraint["args"] for constraint in constraints],
    }


@pytest.fixture
def mathif_folder(tmp_path: Path) -> Path:
    """Two files as the benchmark has them, blank lines included."""
    folder = tmp_path / "mathif"
    folder.mkdir()
    for name, constraints in (("own_single", (NO_COMMA,)), ("own_double", (NO_COMMA, QUOTED))):
        rows = [json.dumps(mathif_row(number, *constraints)) for number in range(12)]
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    return folder


def run(*arguments: object) -> Any:
    """Run the command in this process; a user error is raised."""
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def export(folder: Path, to: Path) -> list[dict[str, str]]:
    run("mathif", "--data", folder, "--export-prompts", to)
    return [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]


def respond(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_exported_prompts_come_back_as_responses(mathif_folder: Path, tmp_path: Path) -> None:
    prompts = export(mathif_folder, tmp_path / "prompts.jsonl")
    assert len({row["id"] for row in prompts}) == len(prompts) == 24
    assert prompts[0]["prompt"].startswith("What is 0 + 1?")
    answers = [
        {"id": row["id"], "response": '"It is \\boxed{1}"' if number < 12 else "It is \\boxed{1}"}
        for number, row in enumerate(reversed(prompts))
    ]
    out = tmp_path / "out.json"
    run("mathif", "--data", mathif_folder, "--responses", respond(tmp_path / "r.jsonl", answers), "--json", out)
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["n"] == 24
    assert {item["id"] for item in record["items"]} == {row["id"] for row in prompts}
    singles = [row["id"] for row in prompts if "double" not in row["id"]]
    quoted = {row["id"] for row in answers[:12]}
    expected = sum(row["id"] in singles or row["id"] in quoted for row in prompts) / 24
    for profile in ("parity", "strict"):
        assert record[profile]["hacc"] == pytest.approx(expected)
        assert record[profile]["sacc"] == pytest.approx((1 + expected) / 2)
        assert record[profile]["hacc_ci"][0] < expected
    assert record["correct"]["value"] == pytest.approx(2 / 24)  # one problem a file has the answer 1
    assert record["versions"]


def test_responses_must_be_complete_and_single(mathif_folder: Path, tmp_path: Path) -> None:
    prompts = export(mathif_folder, tmp_path / "prompts.jsonl")
    rows = [{"id": row["id"], "response": "."} for row in prompts]
    for wrong, named in (
        (rows[:-2], [row["id"] for row in rows[-2:]]),
        ([*rows, rows[3]], [rows[3]["id"]]),
        ([*rows, {"id": "own_single/99", "response": "."}], ["own_single/99"]),
    ):
        with pytest.raises(RaifError) as error:
            run("mathif", "--data", mathif_folder, "--responses", respond(tmp_path / "r.jsonl", wrong))
        assert all(name in str(error.value) for name in named)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("mathiff",), "did you mean 'mathif'"),
        (("ifeval", "--protocol", "gogle", "--responses", "r"), "google"),
        (("mathif",), "--model, or --responses"),
        (("mathif", "--model", "m", "--cap", "9"), "needs --out"),
        (("mathif", "--model", "m", "--out", "o"), "needs --cap"),
        (("mathif", "--model", "m", "--responses", "r"), "exclude each other"),
        (("mathif", "--arm", "bare", "--responses", "r"), "no arm 'bare'"),
        (("instructions", "--model", "m", "--out", "o", "--cap", "9"), "needs --data"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_loaded(
    options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RaifError, match=message):
        run(*options)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "raif", "evaluate", *map(str, arguments)]


def evaluate_twice(arguments: list[object], out: Path) -> None:
    """Kill an evaluation with SIGKILL once it has journalled something, then run it to its end."""
    process = subprocess.Popen(command(*arguments, "--out", out), cwd=ROOT, env=quiet(), stdout=subprocess.DEVNULL)
    journal, deadline = out / "generations", time.monotonic() + 600
    while not any(path.stat().st_size for path in journal.glob("*.jsonl")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "metrics.json").exists()
    subprocess.run(command(*arguments, "--out", out), cwd=ROOT, env=quiet(), check=True, stdout=subprocess.DEVNULL)


def quiet() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def same_files(first: Path, second: Path) -> None:
    for name in ("rollouts.jsonl", "metrics.json", "settings.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_killed_evaluation_goes_on_and_ends_with_the_same_files(
    mathif_folder: Path, policy: Path, tmp_path: Path
) -> None:
    asked: list[object] = ["mathif", "--data", mathif_folder, "--model", policy, "--cap", 48, "--batch-size", 4]
    evaluate_twice(asked, tmp_path / "killed")
    run(*asked, "--out", tmp_path / "whole")
    same_files(tmp_path / "killed", tmp_path / "whole")
    metrics = json.loads((tmp_path / "whole/metrics.json").read_text(encoding="utf-8"))
    assert metrics["truncated"]["value"] > 0
    assert metrics["correct_unconstrained"]["n"] == 24


def test_a_served_model_is_evaluated_like_a_local_one(mathif_folder: Path, policy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(policy, folder) as url:
        asked: list[object] = ["mathif", "--data", mathif_folder, "--backend", "openai", "--base-url", url]
        asked += ["--model", policy, "--cap", 16, "--temperature", 0, "--batch-size", 2]
        evaluate_twice(asked, tmp_path / "killed")
        run(*asked, "--out", tmp_path / "whole")
    same_files(tmp_path / "killed", tmp_path / "whole")
