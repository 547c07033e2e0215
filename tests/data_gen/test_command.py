"""The command: folders that already hold data, seed files, and one message for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_gen.__main__ import main
from data_gen.config import parse_config
from data_gen.pipeline import make_dataset
from data_gen.seeds import FileSeeds
from data_gen.shards import read_data
from rewards import MathVerifier, RaifError, Response

REPOSITORY = Path(__file__).resolve().parents[2]
SMOKE = REPOSITORY / "recipes" / "data" / "smoke.yaml"
RECIPE: dict[str, Any] = {"counts": {"train": 6, "test": 2}, "seeds": [{"type": "arithmetic"}]}


def recipe(folder: Path, **changes: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **changes}, sort_keys=False), encoding="utf-8")
    return path


def command(monkeypatch: pytest.MonkeyPatch, *options: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["data_gen", *map(str, options)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def bytes_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    config = parse_config(RECIPE, "test")
    first = make_dataset(config, tmp_path / "out")
    before = bytes_of(tmp_path / "out")
    assert make_dataset(config, tmp_path / "out") == first
    assert bytes_of(tmp_path / "out") == before


def test_another_recipe_needs_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_dataset(parse_config({**RECIPE, "warm_start": {"count": 3}}, "test"), out)
    before = bytes_of(out)
    other = parse_config({**RECIPE, "seed": 1}, "test")
    with pytest.raises(RaifError, match=r"another recipe.*--overwrite"):
        make_dataset(other, out)
    assert bytes_of(out) == before
    manifest = make_dataset(other, out, overwrite=True)
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8")) == manifest
    assert manifest["seed"] == 1


def test_an_unfinished_folder_is_made_again(tmp_path: Path) -> None:
    config = parse_config(RECIPE, "test")
    manifest = make_dataset(config, tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "data" / "train-00000-of-00001.jsonl").write_text("half a li", encoding="utf-8")
    assert make_dataset(config, tmp_path) == manifest
    assert len(read_data(tmp_path)) == 8


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    config = parse_config({**RECIPE, "warm_start": {"count": 2}}, "test")
    make_dataset(config, tmp_path, progress=lambda stage, done: seen.append((stage, done)))
    assert seen[-1] == ("warm_start", 2)
    assert ("train", 6) in seen
    assert ("test", 2) in seen


def seed_file(folder: Path, *lines: str) -> Path:
    path = folder / "seeds.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


GOOD = [json.dumps({"question": f"What is {n} + 1?", "answer": f"It is {n + 1}.\n#### {n + 1}"}) for n in range(40)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{broken", "is not JSON"),
        ('["a"]', "is a list, not an object"),
        ('{"q": "a", "answer": "1"}', "has no field 'question'; it has: q, answer"),
        ('{"question": "  ", "answer": "1"}', "has a blank 'question'"),
    ],
)
def test_a_broken_seed_line_is_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    seeds = seed_file(tmp_path, GOOD[0], "", line, GOOD[1])
    out = tmp_path / "out"
    assert command(monkeypatch, "--config", recipe(tmp_path), "--seeds", seeds, "--out", out) == 1
    message = capsys.readouterr().err
    assert f"{seeds}:3 {words}" in message
    assert "Nothing was written" in message
    assert not out.exists()


def test_seed_files_keep_pairs_and_drop_thousands(tmp_path: Path) -> None:
    answers = ["1,234", "(1,2)", "$1,234.5", "1,2", "-12", "#### 2,000"]
    lines = [json.dumps({"question": "Q?", "answer": answer}) for answer in answers]
    seeds = FileSeeds(seed_file(tmp_path, *lines), {"request": "question", "answer": "answer"}).seeds
    values = [seed.answer.value for seed in seeds if seed.answer]
    assert values == ["1234", "(1,2)", "$1234.5", "1,2", "-12", "2000"]


def test_a_seed_file_in_another_language_is_refused(tmp_path: Path) -> None:
    path = seed_file(tmp_path, json.dumps({"question": "Q?", "language": "fr"}))
    with pytest.raises(RaifError, match=r"seeds\.jsonl:1 has language 'fr'; known: en, zh"):
        FileSeeds(path, {"request": "question", "language": "language"})


def test_an_edited_seed_file_makes_another_data_set(tmp_path: Path) -> None:
    path = seed_file(tmp_path, *GOOD)
    config = parse_config({**RECIPE, "seeds": [{"type": "jsonl", "path": str(path)}]}, "test")
    make_dataset(config, tmp_path / "out")
    make_dataset(config, tmp_path / "out")
    seed_file(tmp_path, *GOOD[1:])
    with pytest.raises(RaifError, match="another recipe"):
        make_dataset(config, tmp_path / "out")


def test_too_few_seeds_for_a_split_is_an_error(tmp_path: Path) -> None:
    path = seed_file(tmp_path, GOOD[0])
    with pytest.raises(RaifError, match=r"'seeds' has too few en rows for a (train|test) split"):
        make_dataset(
            parse_config({**RECIPE, "seeds": [{"type": "jsonl", "path": str(path)}]}, "test"), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


def test_gsm8k_through_the_command(shared_dir: Path, tmp_path: Path) -> None:
    seeds = shared_dir / "data" / "gsm8k" / "test.jsonl"
    if not seeds.is_file():
        pytest.skip(f"no GSM8K at {seeds}")
    options = ["--config", str(SMOKE), "--seeds", str(seeds), "--out", str(tmp_path), "--train", "60", "--test", "20"]
    done = subprocess.run(
        [sys.executable, "-m", "data_gen", *options],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "every witness verified" in done.stderr
    tasks = read_data(tmp_path)
    assert len(tasks) == 80
    assert all(task.evaluate(Response(None, task.witness or "")).hard for task in tasks)
    verdicts = MathVerifier(deadline=600).judge(
        [(task.answer.value, task.witness or "") for task in tasks if task.answer]
    )
    assert verdicts == [True] * 80
    assert not any("<<" in (task.witness or "") for task in tasks)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sede": 1}, ["'sede'", "did you mean 'seed'?"]),
        ({"constraints": {"mni": 1}}, ["constraints.mni"]),
        ({"constraints": {"weights": {"layout:bulets": 1}}}, ["did you mean 'layout:bullets'?"]),
        ({"constraints": {"weights": {"layout:bullets": 0}}}, ["layout:bullets", "greater than 0"]),
        ({"constraints": {"min": 3, "max": 2}}, ["constraints", "min 3 exceeds max 2"]),
        ({"arguments": {"layout:bulets": {"count": [1, 2]}}}, ["did you mean 'layout:bullets'?"]),
        ({"arguments": {"layout:bullets": {"count": [5, 2]}}}, ["[5, 2]", "layout:bullets.count", "low <= high"]),
        ({"arguments": {"layout:bullets": {"cuont": [1, 2]}}}, ["'cuont'", "count"]),
        ({"arguments": {"layout:bullets": {"count": [1]}}}, ["arguments.layout:bullets.count"]),
        ({"counts": {"train": -1}}, ["counts.train"]),
        ({"counts": {}}, ["counts"]),
        ({"counts": 5}, ["counts", "5"]),
        ({"counts": {"dev": 1}}, ["counts.dev"]),
        ({"seeds": []}, ["seeds"]),
        ({"seeds": [{"type": "arithmetics"}]}, ["seeds.0.type", "arithmetics"]),
        ({"seeds": [{"type": "jsonl"}]}, ["path"]),
        ({"seeds": [{"type": "jsonl", "path": "[/no/such].jsonl"}]}, ["no seed file at [/no/such].jsonl"]),
        ({"languages": {"fr": 1}}, ["languages"]),
        ({"layouts": {"table": 1}}, ["layouts"]),
        ({"warm_start": {"count": 2, "careless": 2}}, ["warm_start.careless"]),
    ],
)
def test_a_mistake_in_a_recipe_is_one_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    words: list[str],
) -> None:
    out = tmp_path / "out"
    assert command(monkeypatch, "--config", recipe(tmp_path, **changes), "--out", out) == 1
    message = capsys.readouterr().err
    assert [word for word in words if word not in message] == []
    assert message.count("error:") == 1
    assert "Traceback" not in message
    assert not out.exists()


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [1\n", ""])
def test_a_recipe_that_is_no_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "[bold].yaml"
    path.write_text(content, encoding="utf-8")
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "out") == 1
    assert str(path) in capsys.readouterr().err


def test_options_override_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    options = ("--config", recipe(tmp_path), "--out", out, "--train", "3", "--test", "0", "--seed", "9")
    assert command(monkeypatch, *options) == 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["seed"], manifest["counts"]) == (9, {"train": 3})
    assert command(monkeypatch, "--config", recipe(tmp_path), "--out", out) == 1
    assert command(monkeypatch, "--config", recipe(tmp_path), "--out", out, "--overwrite") == 0


@pytest.mark.parametrize("fields", ["request", "=question", "request=", "requst=question"])
def test_a_wrong_field_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fields: str
) -> None:
    seeds = seed_file(tmp_path, *GOOD)
    options = ("--config", recipe(tmp_path), "--out", tmp_path / "out", "--seeds", seeds, "--fields", fields)
    assert command(monkeypatch, *options) == 1
    assert "request" in capsys.readouterr().err


# ---- shards, processes and executors ----------------------------------------------------------------------------


def files_of(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (content, _) in bytes_of(folder).items()}


def test_workers_and_shards_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recipe(tmp_path, counts={"train": 70, "test": 10}, rows_per_shard=30, warm_start={"count": 9})
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "whole", "--workers", 1) == 0
    out = tmp_path / "out"
    assert command(monkeypatch, "--config", path, "--out", out, "--shards", "odd", "--workers", 2) == 0
    assert "2 of 5 shards are complete" in capsys.readouterr().err
    assert sorted(file.name for file in out.glob("data/*")) == [
        "test-00000-of-00001.jsonl",
        "train-00001-of-00003.jsonl",
    ]
    assert command(monkeypatch, "--config", path, "--out", out, "--shards", "0,2,4") == 0
    assert "70 train, 10 test instructions" in capsys.readouterr().err
    assert files_of(out) == files_of(tmp_path / "whole")


def test_a_limit_makes_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recipe(tmp_path, counts={"train": 40, "test": 3}, warm_start={"count": 9})
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "all") == 0
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "few", "--limit", 5) == 0
    assert read_data(tmp_path / "few", "train") == read_data(tmp_path / "all", "train", limit=5)
    assert read_data(tmp_path / "few", "test") == read_data(tmp_path / "all", "test")
    demonstrations = [(tmp_path / name / "warm_start.jsonl").read_bytes() for name in ("few", "all")]
    assert demonstrations[0].count(b"\n") == 5
    assert demonstrations[1].startswith(demonstrations[0])
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "all", "--limit", 5) == 1


def test_a_dry_run_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recipe(tmp_path, counts={"train": 1_000_000, "test": 500}, warm_start={"count": 9})
    before = set(tmp_path.iterdir())
    assert command(monkeypatch, "--config", path, "--out", tmp_path / "out", "--dry-run", "--workers", 3) == 0
    said = capsys.readouterr().err
    for words in (
        "102 shards, 102 of them yet to be made",
        "train: 1,000,000 rows in shards 0-99, the first is data/train-00000-of-00100.jsonl",
        "test: 500 rows in shard 100",
        "warm_start: 9 rows in shard 101",
        "rows/s in each of 3 processes",
        "nothing was written",
    ):
        assert words in said
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--executor", "slrum"], "did you mean 'slurm'"),
        (["--executor", "slurm"], "slurm needs a partition"),
        (["--executor", "local", "--tasks", "0"], "must be positive"),
        (["--tasks", "3"], "--tasks 3 needs an --executor"),
        (["--workers", "0"], "workers is 0"),
        (["--limit", "0"], "--limit 0 must be at least 1"),
        (["--shards", "evne"], "shards 'evne' must be even, odd, or numbers"),
        (["--shards", "0,2"], "2 does not lie in 0-1; the recipe makes 2 shards"),
        (["--shards", "1-0"], "1-0 does not lie in 0-1"),
    ],
)
def test_options_that_cannot_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    assert command(monkeypatch, "--config", recipe(tmp_path), "--out", tmp_path / "out", *options) == 1
    message = capsys.readouterr().err
    assert words in message
    assert message.count("error:") == 1
    assert not (tmp_path / "out").exists()


def test_later_stages_may_write_one_file(tmp_path: Path) -> None:
    make_dataset(parse_config(RECIPE, "test"), tmp_path / "out")
    tasks = read_data(tmp_path / "out")
    lines = "".join(f"{task.model_dump_json()}\n" for task in tasks)
    (tmp_path / "instructions.jsonl").write_text(lines, encoding="utf-8")
    for source in (tmp_path, tmp_path / "instructions.jsonl"):
        assert read_data(source) == tasks
        assert read_data(source, "test") == tasks[6:]
        assert read_data(source, limit=3) == tasks[:3]
