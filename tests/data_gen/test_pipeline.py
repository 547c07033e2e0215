"""Shards: the same bytes whoever makes them, in whatever order, and wherever a run is killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_gen.config import DataConfig, parse_config
from data_gen.pipeline import DataSet, make_dataset, recipe_digest
from data_gen.pool import Job, RowMaker
from data_gen.shards import instruction_files, read_data, read_folder
from rewards import RaifError

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE: dict[str, Any] = {
    "seed": 4,
    "counts": {"train": 330, "test": 70},
    "rows_per_shard": 100,
    "seeds": [{"type": "arithmetic"}, {"type": "writing"}],
    "languages": {"en": 0.7, "zh": 0.3},
    "constraints": {"min": 1, "max": 2},
    "warm_start": {"count": 130},
}
NARROW = {"layout:bullets": 1, "punctuation:no_comma": 1}


def recipe(**changes: Any) -> DataConfig:
    return parse_config({**RECIPE, **changes}, "test")


def narrow_recipe(folder: Path) -> DataConfig:
    """Return a recipe whose rows are often the same; its seeds are written to a folder."""
    path = folder / "questions.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": f"It is {n + 1}.\n#### {n + 1}"} for n in range(30)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return recipe(
        counts={"train": 140, "test": 20},
        rows_per_shard=40,
        seeds=[{"type": "jsonl", "path": str(path)}],
        languages={"en": 1},
        constraints={"min": 1, "max": 1, "weights": NARROW},
        phrasing={"wordings": "own"},
        warm_start={"count": 20},
    )


@pytest.fixture
def narrow(tmp_path: Path) -> DataConfig:
    return narrow_recipe(tmp_path)


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def times_of(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*-of-*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder made by one process."""
    out = tmp_path_factory.mktemp("whole")
    make_dataset(recipe(), out)
    return out


def test_shards_hold_consecutive_rows(whole: Path) -> None:
    assert [path.name for path in instruction_files(whole)] == [
        *(f"train-{number:05d}-of-00004.jsonl" for number in range(4)),
        "test-00000-of-00001.jsonl",
    ]
    maker = RowMaker(recipe())
    lines = [line for path in instruction_files(whole, "train") for line in path.read_bytes().splitlines(True)]
    assert len(lines) == 330
    for row in (0, 99, 100, 257, 329):
        assert maker(Job("train", [row])).lines == [lines[row]]


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_do_not_change_a_byte(whole: Path, tmp_path: Path, workers: int) -> None:
    make_dataset(recipe(), tmp_path / "out", workers=workers)
    assert bytes_of(tmp_path / "out") == bytes_of(whole)


def test_two_machines_make_even_and_odd_shards(whole: Path, tmp_path: Path) -> None:
    even, odd = tmp_path / "even", tmp_path / "odd"
    assert make_dataset(recipe(), even, only=[0, 2, 4]) == {}
    assert make_dataset(recipe(), odd, only=[5, 3, 1]) == {}
    with pytest.raises(RaifError, match=r"no complete data set .*manifest\.json.*--out"):
        read_data(even)
    made = times_of(even) | times_of(odd)
    shutil.copytree(odd, even, dirs_exist_ok=True)
    assert make_dataset(recipe(), even, only=[0, 2, 4])["counts"] == {"train": 330, "test": 70}
    assert bytes_of(even) == bytes_of(whole)
    rewritten = {path.stem for path in even.glob("shards/*") if b"drawn before" in path.read_bytes()}
    after = times_of(even)
    assert {name.partition(".")[0] for name in after if after[name] != made[name]} == rewritten
    assert len(rewritten) < 3


def test_two_machines_may_share_a_folder(whole: Path, tmp_path: Path) -> None:
    for numbers in ([1, 3, 5], [0, 2, 4]):
        make_dataset(recipe(), tmp_path / "out", only=numbers)
    assert bytes_of(tmp_path / "out") == bytes_of(whole)


# ---- duplicates -------------------------------------------------------------------------------------------------


def one_after_another(config: DataConfig) -> Iterator[tuple[str, bytes]]:
    """Yield splits and lines as the simplest program makes them."""
    maker, seen = RowMaker(config), set()
    for split, count in config.counts.items():
        for row in range(count):
            for salt in range(101):
                chunk = maker(Job(split, [row], salt))
                if chunk.ids[0] not in seen:
                    break
            seen.add(chunk.ids[0])
            yield split, chunk.lines[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_duplicates_are_made_again_in_row_order(narrow: DataConfig, tmp_path: Path, workers: int) -> None:
    manifest = make_dataset(narrow, tmp_path / "out", workers=workers)
    expected = list(one_after_another(narrow))
    for split in ("train", "test"):
        found = [
            line for path in instruction_files(tmp_path / "out", split) for line in path.read_bytes().splitlines(True)
        ]
        assert found == [line for name, line in expected if name == split]
    tasks = read_data(tmp_path / "out")
    assert len({task.id for task in tasks}) == 160
    assert manifest["rejected"]["train"]["drawn before"] > 10
    assert sum(manifest["constraints"].values()) == sum(len(task.constraints) for task in tasks) == 160
    assert manifest["languages"] == {"en": 160}


def test_a_lost_shard_comes_back_as_it_was(narrow: DataConfig, tmp_path: Path) -> None:
    make_dataset(narrow, tmp_path / "out")
    before = bytes_of(tmp_path / "out")
    for number in (1, 3):
        name = f"train-{number:05d}-of-00004"
        (tmp_path / "out" / "data" / f"{name}.jsonl").unlink()
        with pytest.raises(RaifError, match=rf"{name}.jsonl is missing"):
            list(read_folder(tmp_path / "out"))
        make_dataset(narrow, tmp_path / "out")
        assert bytes_of(tmp_path / "out") == before


def test_too_few_different_instructions(narrow: DataConfig, tmp_path: Path) -> None:
    source = {"type": "jsonl", "path": narrow.seeds[0].path}
    mix = {"min": 1, "max": 1, "weights": {"punctuation:no_comma": 1}}
    one = recipe(counts={"test": 300}, seeds=[source], languages={"en": 1}, constraints=mix, warm_start=None)
    with pytest.raises(RaifError, match=r"too few different instructions: row \d+ of test .* 100 times"):
        make_dataset(one, tmp_path / "out")


# ---- what killed runs leave --------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"recipe": "x"}', "cut"])
def test_a_torn_note_costs_its_shard_alone(whole: Path, tmp_path: Path, content: bytes | str) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "manifest.json").unlink()
    note = out / "shards" / "train-00001-of-00004.json"
    note.write_bytes(note.read_bytes()[:-40] if isinstance(content, str) else content)
    before = times_of(out)
    make_dataset(recipe(), out)
    assert bytes_of(out) == bytes_of(whole)
    after = times_of(out)
    assert {name for name in after if after[name] != before[name]} == {note.name, "train-00001-of-00004.jsonl"}


def test_a_shard_of_another_size_is_made_again(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "manifest.json").unlink()
    with (out / "data" / "test-00000-of-00001.jsonl").open("ab") as file:
        file.write(b"{}\n")
    make_dataset(recipe(), out)
    assert bytes_of(out) == bytes_of(whole)


def test_partial_files_of_killed_runs_go(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "out")
    (tmp_path / "out" / "manifest.json").unlink()
    (tmp_path / "out" / "data" / "train-00002-of-00004.jsonl.partial").write_text("half a li")
    make_dataset(recipe(), tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(whole)


# ---- other recipes ----------------------------------------------------------------------------------------------


def test_shards_of_another_recipe_are_never_mixed(tmp_path: Path) -> None:
    out, other = tmp_path / "out", recipe(seed=5)
    make_dataset(recipe(), out, only=[1])
    before = bytes_of(out)
    with pytest.raises(RaifError, match=r"another recipe.*--overwrite"):
        make_dataset(other, out)
    assert bytes_of(out) == before
    make_dataset(other, out, overwrite=True)
    make_dataset(other, tmp_path / "fresh")
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")


def test_overwriting_removes_what_the_new_set_lacks(whole: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", recipe(counts={"train": 20}, warm_start=None)
    shutil.copytree(whole, out)
    (out / "mine.txt").write_text("kept")
    make_dataset(other, out, overwrite=True)
    names = {"instruction.schema.json", "manifest.json", "mine.txt", "data/train-00000-of-00001.jsonl"}
    assert set(bytes_of(out)) == {*names, "shards/train-00000-of-00001.json"}


def test_overwriting_goes_on_after_a_kill(tmp_path: Path) -> None:
    make_dataset(recipe(seed=5), tmp_path)
    make_dataset(recipe(), tmp_path, overwrite=True, only=[0])
    before = times_of(tmp_path)
    make_dataset(recipe(), tmp_path, overwrite=True)
    assert before.items() <= times_of(tmp_path).items()


def test_a_manifest_cannot_have_files_elsewhere_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    names = {"../precious": "-", str(tmp_path / "precious"): "-", "gone.jsonl": "-"}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "gone.jsonl").touch()
    (tmp_path / "out" / "manifest.json").write_text(json.dumps({"files": names}), encoding="utf-8")
    make_dataset(recipe(counts={"train": 2}, warm_start=None), tmp_path / "out", overwrite=True)
    assert (tmp_path / "precious").exists()
    assert not (tmp_path / "out" / "gone.jsonl").exists()


def test_the_folder_of_a_seed_file_does_not_count(narrow: DataConfig, tmp_path: Path) -> None:
    def moved(folder: str, content: str) -> str:
        path = tmp_path / folder / "questions.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        source = narrow.seeds[0].model_copy(update={"path": str(path)})
        return recipe_digest(narrow.model_copy(update={"seeds": (source,)}))

    same = (tmp_path / "questions.jsonl").read_text(encoding="utf-8")
    assert recipe_digest(narrow) == moved("a", same) == moved("b", same)
    assert recipe_digest(narrow) != moved("b", same.replace("What", "how"))
    assert recipe_digest(narrow) != recipe_digest(narrow.model_copy(update={"rows_per_shard": 7}))


# ---- limits -----------------------------------------------------------------------------------------------------


def test_one_writer_at_a_time(whole: Path, tmp_path: Path) -> None:
    data = DataSet(recipe(), tmp_path)
    path = tmp_path / data.shards[0].file
    path.parent.mkdir()
    code = (
        "import sys, fcntl; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, f"{path}.partial"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(RaifError, match="is being written by another process"):
            make_dataset(recipe(), tmp_path)
        other.communicate(b"\n")
    make_dataset(recipe(), tmp_path)
    assert bytes_of(tmp_path) == bytes_of(whole)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(RaifError, match="out is a file; name a folder"):
        make_dataset(recipe(), tmp_path / "out")


def test_a_manifest_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(RaifError, match=r"manifest\.json is no manifest of a data set"):
        make_dataset(recipe(), tmp_path)


def test_workers_tell_mistakes(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="workers is 0; it must be at least 1"):
        make_dataset(recipe(), tmp_path, workers=0)
    seeds = tmp_path / "one.jsonl"
    seeds.write_text('{"question": "What is 1 + 1?", "answer": "2"}\n', encoding="utf-8")
    one = recipe(seeds=[{"type": "jsonl", "path": str(seeds)}], languages={"en": 1})
    with pytest.raises(RaifError, match=r"too few en rows for a (train|test) split"):
        make_dataset(one, tmp_path / "out", workers=2)


MEASURED = """
import json, resource, sys
from data_gen.config import parse_config
from data_gen.pipeline import make_dataset
make_dataset(parse_config(json.loads(sys.argv[1]), "test"), sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(rows: int, out: Path) -> float:
    """Return the megabytes that a process needs to make so many rows."""
    content = json.dumps({**RECIPE, "counts": {"train": rows}, "rows_per_shard": 1000, "warm_start": None})
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", MEASURED, content, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    assert peak(5_000, tmp_path / "many") - peak(1_000, tmp_path / "few") < 6
