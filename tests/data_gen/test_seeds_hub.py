"""Data sets through `datasets.load_dataset`, from local folders and the json builder: no network is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data_gen.seeds import PreparedSeeds, SeedSource, open_seed_set
from data_gen.seeds.hub import open_hub
from rewards.errors import RaifError

CARD = "---\nlicense: cc-by-4.0\n---\n"
ROWS = [
    {"question": f"How much is {n} plus {n} times {n + 1}?", "answer": f"Add them.\n#### {n + n * (n + 1)}"}
    for n in range(3, 30)
]


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sums"
    made.mkdir()
    (made / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    (made / "README.md").write_text(CARD, encoding="utf-8")
    return made


def hub(name: str, **settings: Any) -> SeedSource:
    return SeedSource(type="hub", name=name, preset="gsm8k", dedup=None, **settings)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_local_folder_is_loaded(folder: Path, tmp_path: Path, streaming: bool) -> None:
    seeds = open_seed_set(hub(str(folder), streaming=streaming), cache=tmp_path / "cache")
    assert isinstance(seeds, PreparedSeeds)
    assert seeds.report["kept"] == len(ROWS)
    seed = seeds.draw(Random(2), "en")
    number = int(seed.id)
    assert seed.request == ROWS[number - 1]["question"]
    assert seed.licence == "cc-by-4.0"


def test_rows_can_be_limited(folder: Path, tmp_path: Path) -> None:
    seeds = open_seed_set(hub(str(folder), streaming=True, max_rows=5), cache=tmp_path / "cache")
    assert isinstance(seeds, PreparedSeeds)
    assert seeds.report["read"] == 5


def test_the_licence_of_the_card_gives_way_to_a_stated_one(folder: Path, tmp_path: Path) -> None:
    seeds = open_seed_set(hub(str(folder), licence="MIT"), cache=tmp_path / "cache")
    assert seeds.draw(Random(0), "en").licence == "MIT"
    (folder / "README.md").unlink()
    assert open_hub(hub(str(folder))).licence == ""


def test_the_content_is_the_key(folder: Path) -> None:
    first = open_hub(hub(str(folder))).key
    assert first == open_hub(hub(str(folder))).key
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(ROWS[0]) + "\n")
    os.utime(folder / "rows.jsonl", (2_000_000_000, 2_000_000_000))  # the library looks at whole seconds
    assert open_hub(hub(str(folder))).key not in ("", first)
    assert open_hub(hub(str(folder), streaming=True)).key == ""
    pinned = open_hub(hub(str(folder), streaming=True, revision="a" * 40)).key
    assert "a" * 40 in pinned


def test_a_wrong_split_or_name_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"split 'validation'.*could not be loaded: ValueError"):
        open_seed_set(hub(str(folder), split="validation"))
    with pytest.raises(RaifError, match=r"data set '.*absent'.*Check its name, config, split and the connection"):
        open_seed_set(hub(str(tmp_path / "absent")))


def test_a_bad_row_names_its_place(folder: Path) -> None:
    with pytest.raises(RaifError, match=r"sums:1 has no field 'problem'; it has: question, answer"):
        open_seed_set(SeedSource(type="hub", name=str(folder), preset="deepscaler"))


def test_absent_datasets_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(RaifError, match=r'needs datasets; install it: pip install "datasets>=4.0"'):
        open_seed_set(hub("openai/gsm8k"))


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("datasets", "pyarrow", "datasketch", "torch", "pandas", "huggingface_hub")
    code = f"import sys, data_gen.seeds; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
