"""The README's commands on benchmarks that need a judge, and the figures it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raif.cli import app
from tests.e2e.test_readme import README, commands_of
from tests.raif.suite_support import serving
from tests.tiny_speaker import save_speaker

SECTION = "Benchmarks that need a judge"
MODEL = "Qwen/Qwen3-4B"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Path]:
    """Serve a judge that answers in every benchmark's form; yield the file of its settings."""
    with serving() as server:
        path = tmp_path / "judge.yaml"
        path.write_text(f"model: judge\nbase_url: {server.url}\nmax_tokens: 2000\n", encoding="utf-8")
        yield path


def run(command: str, *more: object) -> Any:
    result = CliRunner().invoke(app, [*command.removeprefix("raif ").split(), *map(str, more)])
    assert result.exit_code == 0, (command, result.output, result.exception)
    return result


def test_the_judged_evaluations_work_as_shown(settings: Path, shared_dir: Path, tmp_path: Path) -> None:
    policy = save_speaker(tmp_path / "policy")  # prompts are long: it knows as many positions
    single, suite, report, *_, quality = commands_of(SECTION)
    address = re.search(r"base_url: (.*)", settings.read_text(encoding="utf-8"))
    assert address is not None
    data = shared_dir / "data"
    places = {
        "InfoBench.jsonl": data / "infobench" / "InfoBench.jsonl",
        "verdicts.jsonl.gz": data / "infobench" / "replay_gpt4_judged_by_gpt4.jsonl.gz",
        "qwen2.5-72b@http://127.0.0.1:8001/v1": f"judge@{address[1]}",
        "judge.yaml": settings,
        "runs/smoke/final": policy,
        MODEL: policy,
        "--data benchmarks": f"--data {data}",
        "runs/": f"{tmp_path}/",
    }

    def placed(command: str) -> str:
        for shown, real in places.items():
            command = command.replace(shown, str(real))
        return command

    run(placed(single), "--limit", 20)
    assert json.loads((tmp_path / "infobench" / "metrics.json").read_text())["n"] == 20
    for out in ("qwen3-4b", "qwen3-4b-raif"):
        told = run(placed(suite).replace("--cap 16384", "--cap 8").replace("qwen3-4b", out), "--limit", 4)
        assert "complexbench is left out" in told.output
    assert len(json.loads((tmp_path / "suite" / "qwen3-4b" / "table.json").read_text())["rows"]) == 8
    run(placed(report), "--out", tmp_path / "report.html")
    assert "IFEval" in (tmp_path / "report.html").read_text(encoding="utf-8")
    told = run(placed(quality), "--limit", 30)
    assert "agrees with the stored verdicts on" in told.output


@pytest.mark.usefixtures("few_draws")
def test_the_replays_show_the_figures_of_the_readme(shared_dir: Path, tmp_path: Path) -> None:
    *_, fbbench, cello, _ = commands_of(SECTION)
    data = shared_dir / "data"
    verdicts = data / "fbbench" / "replay_judgment_gpt-4o-2024-08-06" / "DeepSeek-V3.jsonl.gz"
    for shown, real in (
        ("fb_bench_dataset_v3.json", data / "fbbench" / "fb_bench_dataset_v3.json"),
        ("DeepSeek-V3.jsonl.gz", verdicts),
        ("cello/data", data / "cello" / "data"),
        ("cello/results", data / "cello" / "results"),
    ):
        fbbench, cello = (command.replace(shown, str(real)) for command in (fbbench, cello))
    run(fbbench, "--json", tmp_path / "fbbench.json")
    run(cello, "--json", tmp_path / "cello.json")
    found = json.loads((tmp_path / "fbbench.json").read_text(encoding="utf-8"))
    for profile in ("parity", "strict"):
        names = ("error_correction", "response_maintenance", "overall")
        shown = ", ".join(f"{100 * found[profile][name]:.2f}" for name in names)
        assert f" {shown} |" in README
    strict = json.loads((tmp_path / "cello.json").read_text(encoding="utf-8"))["strict"]["average"]
    assert f"| {strict:.3f}, ".replace("0.", ".") in README
