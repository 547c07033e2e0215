"""Benchmark files as they lie about: folders, single files, hub snapshots, stored responses beside them, wget logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raif.evaluation.records import Item
from raif.suites import suite
from raif.suites.reading import unique
from rewards.errors import RaifError

ROW: dict[str, Any] = {"key": 1, "prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
LOG = "--2025-05-01 10:11:12--  https://host.example/data.jsonl\nResolving host.example... 10.0.0.1\n"


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(map(json.dumps, rows)) + "\n\n\n", encoding="utf-8")
    return path


def test_a_file_a_folder_and_its_data_folder_read_alike(tmp_path: Path) -> None:
    ifeval = suite("ifeval")
    file = write(tmp_path / "a" / "data" / "input_data.jsonl", ROW, {**ROW, "key": 2})
    write(tmp_path / "a" / "data" / "responses.jsonl", {"prompt": "Say it.", "response": "It."})
    found = ifeval.load(str(file))
    assert [item.id for item in found] == ["1", "2"]
    digest = ifeval.versions["data"]
    assert ifeval.load(str(tmp_path / "a")) == ifeval.load(str(file.parent)) == found
    assert ifeval.versions["data"] == digest
    write(file, ROW)
    ifeval.load(str(file))
    assert ifeval.versions["data"] != digest


def test_parquet_with_fixed_columns(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    kwargs = [{"num_words": 3.0, "relation": "at least", "keyword": None}]
    rows = [{**ROW, "instruction_id_list": ["length_constraints:number_words"], "kwargs": kwargs}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet")
    (item,) = suite("ifeval").load(str(tmp_path))
    assert dict(item.checks[0].arguments) == {"num_words": 3.0, "relation": "at least"}


def test_a_data_set_of_the_hub_is_read_from_its_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "datasets--google--IFEval"
    write(home / "snapshots" / "0123456789abcdef0123456789abcdef01234567" / "ifeval_input_data.jsonl", ROW)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0123456789abcdef0123456789abcdef01234567", encoding="utf-8")
    assert [item.id for item in suite("ifeval").load("google/IFEval")] == ["1"]
    with pytest.raises(RaifError, match=r"could not be fetched from the hub.*hf download --repo-type dataset"):
        suite("ifeval").load("nobody/IFEval")


@pytest.mark.parametrize("name", ["mathif", "ifeval"])
def test_a_download_log_instead_of_data_is_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "gsm8k_single.jsonl").write_text(LOG, encoding="utf-8")
    with pytest.raises(RaifError, match=f"is a log of wget.*hf download.*{suite(name).home}"):
        suite(name).load(str(tmp_path))


def test_what_holds_no_benchmark_is_refused(tmp_path: Path) -> None:
    ifeval = suite("ifeval")
    with pytest.raises(RaifError, match="no benchmark files at"):
        ifeval.load(str(tmp_path / "nowhere"))
    with pytest.raises(RaifError, match=r"holds no \.jsonl"):
        ifeval.load(str(tmp_path))
    file = write(tmp_path / "responses.jsonl", {"prompt": "Say it.", "response": "It."})
    with pytest.raises(RaifError, match="holds no rows with prompt"):
        ifeval.load(str(tmp_path))
    file.write_text("{", encoding="utf-8")
    with pytest.raises(RaifError, match=r"responses\.jsonl:1 is not JSON"):
        ifeval.load(str(file))
    write(file, ROW, {**ROW, "kwargs": []})
    with pytest.raises(RaifError, match=r"responses\.jsonl:3 is no row of ifeval: it names 1 instructions"):
        ifeval.load(str(file))


def test_ids_become_unique_without_taking_one_that_is_there() -> None:
    items = [Item(id=key, prompt="?") for key in ("a", "a", "a#2", "a", "b")]
    assert [item.id for item in unique(items)] == ["a", "a#3", "a#2", "a#4", "b"]
