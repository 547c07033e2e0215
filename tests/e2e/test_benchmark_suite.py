"""All nine benchmarks against a real local server that is policy and judge, killed in the middle and begun again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests import forked
from tests.tiny_speaker import save_speaker
from tests.transformers_server import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with serving(save_speaker(folder / "speaker"), folder) as url:
        yield f"{folder / 'speaker'}@{url}"


def start(address: str, out: Path, *arguments: object) -> ForkServerProcess:
    model, _, url = address.partition("@")
    asked = ["--backend", "openai", "--base-url", url, "--model", model, "--judge", address, "--out", out, *arguments]
    command = ["evaluate", "suite", "--cap", 16, "--batch-size", 2, *asked]
    return forked.start("raif", command, out.with_suffix(".said"), {"COLUMNS": "200"})


def run(address: str, out: Path, *arguments: object) -> tuple[int, str]:
    code = forked.ended(start(address, out, *arguments))
    return code, out.with_suffix(".said").read_text(encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    """Return every file but the plots and the locks."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".png", ".svg", ".pdf"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name != "lock"}


def test_all_benchmarks_run_on_one_server_and_a_kill_changes_nothing(
    shared_dir: Path, address: str, tmp_path: Path
) -> None:
    data = shared_dir / "data"
    places = {name: data / name for name in ("mathif", "cello", "cfbench", "fbbench", "followbench", "infobench")}
    places |= {"ifeval": data / "ifeval" / "input_data.jsonl", "ifbench": data / "ifbench" / "IFBench_test.jsonl"}
    places["complexbench"] = data / "complexbench" / "replay" / "synthetic_items.json"  # the official file is not here
    asked = ["--data", ",".join(f"{name}={place}" for name, place in places.items()), "--limit", 5]
    asked += ["--judge-mode", "question"]
    code, said = run(address, tmp_path / "whole", *asked)
    assert code == 0, said
    table = json.loads((tmp_path / "whole" / "table.json").read_text(encoding="utf-8"))
    by_name = {row["name"]: row for row in table["rows"]}
    assert len(by_name) == 9
    for name in ("cfbench", "complexbench", "infobench"):  # this judge says YES to everything
        assert by_name[name]["value"] == 1.0
        assert by_name[name]["unreadable"] == 0
    assert by_name["ifeval"]["value"] < 1  # these are decided by rules
    assert "the same model: a judge favours its own answers" in said

    killed = tmp_path / "killed"
    process = start(address, killed, *asked)
    journal, deadline = killed / "infobench" / "judgements" / "journal.jsonl", time.monotonic() + 600
    while not (journal.is_file() and journal.stat().st_size) and time.monotonic() < deadline:
        assert process.is_alive()
        time.sleep(0.005)
    forked.killed(process)
    assert not (killed / "table.json").exists()
    code, said = run(address, killed, *asked)
    assert code == 0, said
    assert files(killed) == files(tmp_path / "whole")


def test_a_judge_that_cannot_repeat_criteria_fails_there_and_the_rest_is_finished(
    shared_dir: Path, address: str, tmp_path: Path
) -> None:
    data, out = shared_dir / "data", tmp_path / "out"
    places = f"cfbench={data / 'cfbench'},infobench={data / 'infobench'},cello={data / 'cello'}"
    code, said = run(address, out, "--data", places, "--limit", 8)
    assert code == 1, said
    assert said.count("cannot be read: none of its") == 2  # as it fails, and under the table
    table = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in table["rows"]] == ["cello", "infobench"]
    assert list(table["failed"]) == ["cfbench"]
    assert (out / "cfbench" / "generations" / "completions.jsonl").is_file()
