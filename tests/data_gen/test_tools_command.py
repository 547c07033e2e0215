"""What `python -m data_gen` does with data sets that are there: every command on real data, and every mistake."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_gen.__main__ import main
from data_gen.commands.app import COMMANDS
from data_gen.config import parse_config
from data_gen.export import instruction_from_row
from data_gen.pipeline import make_dataset
from data_gen.quality.difficulty import read_difficulty
from data_gen.shards import read_data
from data_gen.statistics import statistics
from rewards import And, Instruction, Leaf
from rewards.constraint import known_constraints
from rewards.scoring import score_file

RECIPE: dict[str, Any] = {
    "counts": {"train": 16, "test": 6},
    "rows_per_shard": 8,
    "seeds": [{"type": "arithmetic"}, {"type": "writing"}],
    "languages": {"en": 0.5, "zh": 0.5},
    "soft": {"share": 0.5},
}
Tool = Callable[..., tuple[int, str, str]]


def make_data(out: Path) -> Path:
    """Make a complete data set of two splits and three shards."""
    make_dataset(parse_config(RECIPE, "test"), out)
    return out


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    """Return the command line: exit code, what it prints and what it says about it."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["data_gen", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set; read it only."""
    return make_data(tmp_path_factory.mktemp("tools") / "data")


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """Return a copy of the data set that may be changed."""
    return Path(shutil.copytree(data, tmp_path / "data"))


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    return command_line(monkeypatch, capsys)


def settings(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")
    return path


def one_task(path: Path, *demands: Mapping[str, Any]) -> Path:
    tree = And(parts=tuple(Leaf(constraint=dict(demand)) for demand in demands))
    task = Instruction.build(
        request="Name three rivers of Asia.",
        prompt="Name three rivers of Asia. " + " ".join(each.constraint.describe("en") for each in tree.parts),
        language="en",
        split="train",
        tree=tree,
        source={"seed_set": "test", "seed_id": "1"},
    )
    path.write_text(f"{task.model_dump_json()}\n", encoding="utf-8")
    return path


# ---- which command ----------------------------------------------------------------------------------------------


def test_help_lists_every_command_and_the_options_of_making(tool: Tool) -> None:
    code, out, _ = tool("--help")
    assert code == 0
    assert [name for name in ("make", *COMMANDS, "--config", "--out", "--dry-run") if name not in out] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_own_help(tool: Tool, name: str) -> None:
    code, out, _ = tool(name, "--help")
    assert code == 0
    assert f"data_gen {name}" in out.replace("\n", " ")


def test_an_unknown_command_is_named_with_the_nearest(tool: Tool) -> None:
    code, _, err = tool("exprot", "somewhere")
    assert code == 1
    assert err.startswith("error: unknown command 'exprot'; did you mean 'export'?")
    assert err.count("error:") == 1


def test_making_may_be_named(tool: Tool, data: Path, tmp_path: Path) -> None:
    recipe = settings(tmp_path / "recipe.yaml", RECIPE)
    code, _, err = tool("make", "--config", recipe, "--out", tmp_path / "out")
    assert code == 0
    assert "16 train, 6 test instructions, every witness verified" in err
    assert read_data(tmp_path / "out") == read_data(data)


@pytest.mark.parametrize(
    "words",
    [
        ("quality",),
        ("taxonomy",),
        ("export",),
        ("difficulty", "scores.jsonl"),
        ("evolve", "--config", "evolve.yaml", "--out", "out"),
        ("experts", "--source", "experts.yaml", "--out", "out"),
    ],
    ids=lambda words: words[0],
)
def test_an_unfinished_data_set_is_refused(
    tool: Tool, folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "manifest.json").unlink()
    monkeypatch.chdir(folder.parent)
    Path("scores.jsonl").write_text('{"instruction_id": "a", "hard": true}\n', encoding="utf-8")
    settings(Path("experts.yaml"), {"type": "witness"})
    settings(Path("evolve.yaml"), {"server": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}})
    code, _, err = tool(words[0], "data", *words[1:])
    assert code == 1
    assert "error: data holds no complete data set" in err
    assert not Path("out").exists()


# ---- export -----------------------------------------------------------------------------------------------------


def test_an_exported_folder_is_opened_by_datasets(tool: Tool, folder: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    code, _, err = tool("export", folder, "--name", "Small talk")
    assert code == 0
    assert f"{folder}: 22 instructions in parquet files (1 of train, 1 of test), and README.md" in err
    rows = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    made = [instruction_from_row(row) for split in ("train", "test") for row in rows[split]]
    assert made == read_data(folder)
    assert "# Small talk" in (folder / "README.md").read_text(encoding="utf-8")


def test_an_export_elsewhere_in_several_files(tool: Tool, data: Path, tmp_path: Path) -> None:
    assert tool("export", data, "--out", tmp_path / "out", "--rows-per-file", "10")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out" / "data").iterdir()) == [
        "test-00000-of-00001.parquet",
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    (tmp_path / "file").touch()
    assert tool("export", data, "--out", tmp_path / "file")[0] == 2


def test_a_folder_that_was_not_exported_is_not_uploaded(tool: Tool, data: Path) -> None:
    code, _, err = tool("push", data, "someone/small-talk")
    assert code == 1
    assert "holds no exported data" in err


# ---- pass rates -------------------------------------------------------------------------------------------------


def test_pass_rates_are_written_and_filter_the_data(tool: Tool, folder: Path, tmp_path: Path) -> None:
    tasks = [task for task in read_data(folder) if task.witness and not task.judged][:3]
    rollouts, scores = tmp_path / "rollouts.jsonl", tmp_path / "scores" / "scores.jsonl"
    rows = [
        {"instruction_id": task.id, "completion": f"plan</think>{task.witness if turn < right else '!'}"}
        for right, task in zip((0, 2, 4), tasks, strict=True)
        for turn in range(4)
    ]
    rollouts.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    score_file(folder, rollouts, scores)
    code, _, err = tool("difficulty", folder, scores.parent)
    assert code == 0
    assert "difficulty.jsonl: 1 easy, 1 medium, 1 hard, 19 unmeasured of 12 rollouts" in err
    assert [read_difficulty(folder)[task.id].pass_rate for task in tasks] == [0.0, 0.5, 1.0]
    code, _, err = tool("filter", folder, "--keep", "0.1..0.9", "--out", tmp_path / "kept")
    assert code == 0
    assert "20 instructions kept, 19 of them unmeasured; dropped: 1 too easy, 1 too hard" in err
    dropped = {tasks[0].id, tasks[2].id}
    assert read_data(tmp_path / "kept") == [task for task in read_data(folder) if task.id not in dropped]
    code, _, err = tool("quality", tmp_path / "kept")
    assert (code, "20 instructions" in err) == (0, True)


def test_thresholds_move_labels(tool: Tool, folder: Path, tmp_path: Path) -> None:
    (one, *_) = read_data(folder)
    lines = [{"instruction_id": one.id, "hard": turn < 2} for turn in range(4)]
    lines += [{"instruction_id": one.id, "hard": None}, {"instruction_id": "elsewhere", "hard": True}]
    scores = tmp_path / "scores.jsonl"
    scores.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    code, _, err = tool("difficulty", folder, scores, "--hard", "0.5", "--easy", "0.6")
    assert code == 0
    assert "1 hard, 21 unmeasured of 6 rollouts; 1 undecided left out; instructions that are not in the data: 1" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("difficulty", "DATA", "nothing.jsonl"), "no rollouts at nothing.jsonl"),
        (("difficulty", "DATA", "x", "--hard", "0.8"), "--hard 0.8 must be below --easy 0.75"),
        (("filter", "DATA", "--keep", "0.1..0.9", "--out", "out"), "no difficulty.jsonl in"),
        (("filter", "DATA", "--keep", "most", "--out", "out"), "'most' is no range of pass rates"),
        (("filter", "DATA", "--keep", "0..1", "--out", "DATA"), "is the data set itself"),
    ],
)
def test_pass_rates_that_cannot_be(
    tool: Tool, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = tool(*(str(data) if word == "DATA" else word for word in words))
    assert code == 1
    assert message in err
    assert err.count("error:") == 1
    assert list(tmp_path.iterdir()) == []


# ---- taxonomy ---------------------------------------------------------------------------------------------------


def test_the_taxonomies_of_all_types_and_of_a_data_set(tool: Tool, data: Path) -> None:
    code, out, err = tool("taxonomy")
    assert code == 0
    assert f"### cfbench: {len(known_constraints())} of {len(known_constraints())} types" in out
    assert out.count("###") == 8
    assert "the constraint types: " in err
    code, out, _ = tool("taxonomy", data, "--scheme", "cfbench")
    found = statistics(data)
    rules = len(found.types) - 1
    assert code == 0
    assert found.soft_leaves > 0
    assert out.count("###") == 1
    assert f"### cfbench: {rules} of {len(known_constraints())} types" in out
    assert f"{found.rule_leaves + found.soft_leaves} demands" in out
    code, _, err = tool("taxonomy", data, "--scheme", "cfbnch")
    assert (code, "unknown taxonomy 'cfbnch'; did you mean 'cfbench'?" in err) == (1, True)


def test_soft_demands_of_other_origin_are_told(tool: Tool, tmp_path: Path) -> None:
    soft = {"type": "judge:question", "question": "Is it about water?", "demand": "Write about water."}
    code, _, err = tool("taxonomy", one_task(tmp_path / "one.jsonl", soft))
    assert code == 0
    assert "1 soft demands of other origin belong to no dimension" in err


# ---- quality ----------------------------------------------------------------------------------------------------


def test_a_good_data_set_is_clean(tool: Tool, data: Path, shared_dir: Path) -> None:
    code, out, err = tool("quality", data)
    assert code == 0
    assert "compared with no benchmark; clean" in err
    assert "not checked" in out
    mathif = shared_dir / "data" / "mathif"
    if not mathif.is_dir():
        pytest.skip(f"no MathIF at {mathif}")
    code, _, err = tool("quality", data, "--benchmarks", f"mathif={mathif}")
    assert "compared with 420 items of benchmarks" in err


def test_leaks_are_found_by_benchmark(tool: Tool, data: Path, tmp_path: Path) -> None:
    first, second = read_data(data)[:2]
    for name, task in (("ours", first), ("theirs", second)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"task": task.request}) + "\n", encoding="utf-8")
    named = [f"{name}={tmp_path / name}.jsonl" for name in ("ours", "theirs")]
    report = tmp_path / "report.json"
    code, out, err = tool("quality", data, "--benchmarks", *named, "--fields", "task", "--out", report)
    assert code == 1
    assert f"leak in {first.id}: " in err
    assert "2 from a benchmark" in err
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["rows"] == 22
    assert found["splits"] == {"train": 16, "test": 6}
    assert {row["id"] for row in found["leaks"]["first"]} == {first.id, second.id}
    assert [reason.rpartition(" ")[2] in out for reason in found["leaks"]["reasons"]] == [True, True]
    repeated = ["--benchmarks", named[0], "--benchmarks", named[1], "--fields", "task"]
    assert tool("quality", data, *repeated)[:2] == (1, out)


def test_contradictions_and_redundancies_are_told(tool: Tool, tmp_path: Path) -> None:
    bounds = ({"type": "length:min_words", "limit": 50}, {"type": "length:max_words", "limit": 40})
    wrong = one_task(tmp_path / "wrong.jsonl", *bounds)
    code, out, err = tool("quality", wrong)
    assert code == 1
    assert "length:min_words with length:max_words" in out
    assert "and.0, and.1: words: at least 50 and at most 40" in err
    assert "1 that contradict themselves" in err
    same = one_task(tmp_path / "same.jsonl", bounds[0], {"type": "length:min_words", "limit": 30})
    report = tmp_path / "report.json"
    assert tool("quality", same, "--out", report)[0] == 0
    assert json.loads(report.read_text(encoding="utf-8"))["redundancies"]["rows"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--benchmarks", "mathif"), "benchmark 'mathif' must be NAME=PATH"),
        (("--benchmarks", "mathif=/no/such"), "no benchmark file at /no/such"),
    ],
)
def test_benchmarks_that_cannot_be(tool: Tool, data: Path, words: tuple[str, ...], message: str) -> None:
    code, _, err = tool("quality", data, *words)
    assert (code, err.count("error:")) == (1, 1)
    assert message in err


def test_a_file_of_nothing_or_of_something_else(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n", encoding="utf-8")
    assert "holds no instructions" in tool("quality", path)[2]
    path.write_bytes(b"\n\xff\n")
    assert f"{path}:2 is not UTF-8" in tool("quality", path)[2]
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    assert f"{path}:1 is not an instruction" in tool("quality", path)[2]
