"""A data set as parquet: lossless, opened by `datasets` with its splits, described by a card, and uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from data_gen.export import export, instruction_from_row, push_to_hub, row_of
from data_gen.quality.card import size_category
from data_gen.statistics import SAMPLE, Collector, statistics
from rewards import Instruction, RaifError
from tests.data_gen.test_quality_samples import MANIFEST, sample, samples, write_folder

COUNT = 60


@pytest.fixture
def tasks() -> list[Instruction]:
    return samples(COUNT)


@pytest.fixture
def folder(tmp_path: Path, tasks: list[Instruction]) -> Path:
    return write_folder(tmp_path / "rain", tasks, shards=2)


def opened(folder: Path, cache: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder), cache_dir=str(cache))


def test_datasets_opens_the_folder_and_every_row_comes_back(
    folder: Path, tasks: list[Instruction], tmp_path: Path
) -> None:
    found = export(folder)  # into the data set's own folder, beside the JSON Lines
    assert found["rows"] == COUNT
    loaded = opened(folder, tmp_path / "cache")
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 30, "test": 15, "test_arguments": 15}
    by_id = {task.id: task for task in tasks}
    for rows in loaded.values():
        for row in rows:
            task = instruction_from_row(row)
            assert task == by_id[row["id"]]
            assert task.model_dump_json() == by_id[row["id"]].model_dump_json()
    assert loaded["train"].features["messages"].feature["content"].dtype == "string"


@pytest.mark.parametrize("number", range(30))
def test_a_row_loses_nothing(number: int) -> None:
    assert instruction_from_row(row_of(sample(number))).model_dump_json() == sample(number).model_dump_json()


def test_files_are_limited_and_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    found = export(folder, tmp_path / "one", name="x", rows_per_file=12)
    assert [len(names) for names in found["files"].values()] == [3, 2, 2]
    assert found["files"]["train"][2] == "data/train-00002-of-00003.parquet"
    export(folder, tmp_path / "two", name="x", rows_per_file=50)
    export(folder, tmp_path / "two", name="x", rows_per_file=12)  # leaves no file of the first time
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*") if path.is_file()}
        for name in ("one", "two")
    )
    assert one == two
    assert len(one) == 7 + 2


def test_the_card_tells_hub_and_reader_what_there_is(folder: Path, tmp_path: Path) -> None:
    export(folder, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    parsed = yaml.safe_load(header)
    assert parsed["license"] == ["mit", "other"]
    assert parsed["language"] == ["en", "zh"]
    assert parsed["size_categories"] == ["n<1K"]
    files = {each["split"]: each["path"] for each in parsed["configs"][0]["data_files"]}
    assert files["test_arguments"] == "data/test_arguments-*.parquet"
    assert "| train | 30 |" in body
    assert "7 candidates were drawn and turned down" in body
    assert "| ours | MIT | 30 |" in body
    assert "Compared with ours (12 items)." in body
    assert "seed: 3" in body


def test_a_broken_row_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    shard = next((folder / "data").glob("test-*"))
    shard.write_text(shard.read_text(encoding="utf-8") + '{"id": "x"}\n', encoding="utf-8")
    with pytest.raises(RaifError, match=rf"{shard.name}:\d+ is not an instruction"):
        export(folder, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.*"))


def test_a_row_of_something_else_is_refused() -> None:
    with pytest.raises(RaifError, match="no row of an exported data set: KeyError"):
        instruction_from_row({"id": "x"})


def test_uploads_need_an_export_and_a_hub(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="holds no exported data"):
        push_to_hub(folder, "someone/rain")
    export(folder, tmp_path / "out")
    with pytest.raises(
        RaifError, match=r"'someone/rain' was not uploaded to http://127\.0\.0\.1:9 \(.*can be uploaded again"
    ):
        push_to_hub(tmp_path / "out", "someone/rain", endpoint="http://127.0.0.1:9", token="none")
    with pytest.raises(RaifError, match="owner/name"):
        push_to_hub(tmp_path / "out", "not a name", endpoint="http://127.0.0.1:9", token="none")


# ---- statistics -------------------------------------------------------------------------------------------------


def test_statistics_count_what_is_there(folder: Path, tasks: list[Instruction]) -> None:
    found = statistics(folder)
    leaves = [constraint for task in tasks for constraint in task.constraints]
    assert found.rows == COUNT
    assert found.splits == {"train": 30, "test": 15, "test_arguments": 15}
    assert found.languages == {"en": 40, "zh": 20}
    assert found.soft_leaves == sum(each.type == "judge:question" for each in leaves) == 10
    assert found.soft_leaves + found.rule_leaves == len(leaves) == sum(found.types.values())
    assert found.nodes["leaf"] == len(leaves)
    assert found.nodes["selection"] == 20
    assert found.leaves == {1: 10, 2: 20, 3: 10, 5: 20}
    assert found.depths == {0: 10, 1: 20, 2: 20, 3: 10}
    assert found.nested == 0.5
    assert found.conditions == {"answer: above": 10, "request": 10, "response: length:min_words": 10}
    assert found.answers == {"math": 30, "none": 15, "qa": 15}
    assert found.prompts == {"one message": 48, "system message": 12}
    assert found.licences == {"ours": {"MIT": 30}, "theirs": {"not given": 30}}
    assert found.rejected == {split: dict(counts) for split, counts in MANIFEST["rejected"].items()}
    assert 0 < found.type_coverage < 0.1
    assert "case:upper" not in found.missing_types
    limits = found.arguments["length:min_words.limit"]
    assert (limits.low, limits.high, limits.total) == (3, 5, 50)
    assert limits.counts[3] == 10
    assert limits.counts[5] == 40
    assert found.lengths["witness"].total == sum(task.witness is not None for task in tasks)
    assert found.lengths["prompt"].total == COUNT
    assert found.wording.frequent["explain how rain"] > 0
    assert found.wording.frequent["请说明雨"] > 0
    assert 0 < found.wording.distinct[1] < found.wording.distinct[3] < 1


def test_statistics_do_not_depend_on_the_order_of_rows(tmp_path: Path, tasks: list[Instruction]) -> None:
    one = statistics(write_folder(tmp_path / "one", tasks))
    two = statistics(write_folder(tmp_path / "two", tasks[::-1], shards=3))
    assert one.model_dump(exclude={"manifest"}) == two.model_dump(exclude={"manifest"})


def test_memory_does_not_grow_with_the_rows() -> None:
    row = sample(1).model_dump(mode="json")
    collector = Collector()
    for number in range(SAMPLE + 500):
        collector.add({**row, "id": f"{number:016x}", "prompt": f"Word{number} says hello to everyone"})
    found = collector.result({})
    assert found.wording.sample == SAMPLE
    assert found.wording.openings == SAMPLE + 500
    assert found.rejected == {}


def test_what_is_no_instruction_is_named(tmp_path: Path) -> None:
    (tmp_path / "instructions.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(RaifError, match="row 1 is no instruction"):
        statistics(tmp_path)
    (tmp_path / "instructions.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(RaifError, match="holds no instructions"):
        statistics(tmp_path)


def test_size_categories_follow_the_hub() -> None:
    assert [size_category(rows) for rows in (999, 1_000, 25_000, 1_000_000)] == [
        "n<1K", "1K<n<10K", "10K<n<100K", "1M<n<10M"
    ]  # fmt: skip
