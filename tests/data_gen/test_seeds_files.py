"""Seeds from JSONL, CSV and parquet files: formats, column mapping, presets, and what is wrong with a file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data_gen.seeds import FileSeeds, PreparedSeeds, Seed, SeedSource, open_seed_set
from data_gen.seeds.mapping import is_true, nested
from data_gen.seeds.rows import read_rows
from rewards.errors import RaifError
from rewards.task_answer import MathAnswer, QaAnswer

ROWS = [
    {"q": "How many legs do three cats have together?", "a": "12", "who": "c1"},
    {"q": "一周有几天？请直接写出数字。", "a": "7", "who": "c2"},
    {"q": 'What, in "cm", is one metre?\nGive a number.', "a": "1,000", "who": "c3"},
]
FIELDS = {"request": "q", "answer": "a", "id": "who"}


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows in the format of the suffix."""
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow.parquet import write_table

        write_table(pyarrow.Table.from_pylist(list(rows)), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def opened(path: Path, **settings: Any) -> PreparedSeeds:
    seeds = open_seed_set(SeedSource(type="file", path=str(path), **settings), cache=path.parent / "cache")
    assert isinstance(seeds, PreparedSeeds)
    return seeds


def all_seeds(seeds: PreparedSeeds) -> list[Seed]:
    return [seeds.rows.row(code, place) for code in seeds.languages for place in range(seeds.rows.count(code))]


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "csv", "tsv", "parquet", "CSV"])
def test_every_format_gives_the_same_seeds(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"rows.{suffix.lower()}", ROWS)
    path = path.rename(tmp_path / f"rows.{suffix}")
    seeds = all_seeds(opened(path, fields=FIELDS))
    assert [(seed.id, seed.language, seed.request) for seed in seeds] == [
        ("c1", "en", ROWS[0]["q"]),
        ("c3", "en", ROWS[2]["q"]),
        ("c2", "zh", ROWS[1]["q"]),
    ]
    assert [seed.answer for seed in seeds] == [MathAnswer(value=number) for number in ("12", "1000", "7")]
    assert seeds[2].solutions["zh"].core == ("所以，答案是\\boxed{7}。",)
    assert all(seed.set == "rows" and seed.topic for seed in seeds)


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_text("", encoding="utf-8")
    with pytest.raises(RaifError, match=r"unknown seed file suffix 'xlsx'.*csv, jsonl, ndjson, parquet, tsv"):
        opened(path, fields=FIELDS)
    with pytest.raises(RaifError, match="no seed file at"):
        list(read_rows(tmp_path / "absent.csv"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "a.jsonl",
            b'{"q": "Why?", "a": "1"}\n{"q"\n',
            r"a\.jsonl:2 is not JSON .*repair or remove the line.*on_bad_row",
        ),
        ("a.jsonl", b"[1]\n", r"a\.jsonl:1 is a list, not an object with fields"),
        ("a.jsonl", b'{"q": "Why?"}\n', r"a\.jsonl:1 has no field 'a'; it has: q\. Map the names"),
        ("a.jsonl", b'{"q": " ", "a": "1"}\n', r"a\.jsonl:1 has a blank 'q'"),
        ("a.jsonl", b'{"q": null, "a": "1"}\n', r"a\.jsonl:1 has a blank 'q'"),
        ("a.jsonl", b'{"q": "Why?", "a": "1"}\n{"q": "\xb9\xfa"}\n', r"a\.jsonl:2 is not UTF-8 .*iconv"),
        ("a.jsonl", "{}".encode("utf-16"), r"a\.jsonl:1 is not UTF-8"),
        ("a.csv", b"q,a\nWhy?,1\nWhy not,2,3\n", r"a\.csv:3 has 3 cells, the header 2; quote cells"),
        ("a.csv", b"q,q\nWhy?,1\n", r"a\.csv:1 names the column 'q' twice"),
        ("a.csv", b'q,a\n"Why"x,1\n', r"a\.csv:2 is not CSV"),
        ("a.csv", b"q,a\nWhy?,1\n\xb9\xfa,2\n", r"a\.csv:\d+ is not UTF-8"),
        ("a.csv", b"q,b\nWhy?,1\n", r"a\.csv:2 has no field 'a'; it has: q, b"),
        ("a.parquet", b"PAR0 nonsense", r"a\.parquet is not parquet"),
        ("a.csv", b"", "holds no rows to draw from: it is empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RaifError, match=words):
        opened(path, fields={"request": "q", "answer": "a"})
    assert not (tmp_path / "cache").exists()


def test_bad_rows_may_be_skipped_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = ['{"q": "What is six times seven?", "a": "42"}', "{", "[]", '{"q": "?"}', '{"q": "", "a": "1"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    seeds = opened(path, fields={"request": "q", "answer": "a"}, on_bad_row="skip")
    assert seeds.report["dropped"] == {"blank request": 1, "no column a": 1, "unreadable row": 2}
    assert (seeds.report["read"], seeds.report["kept"]) == (5, 1)


def test_nested_columns_are_found() -> None:
    columns = {"turns": [{"content": "Hi."}, {"content": "Bye."}], "a.b": 1, "a": {"b": 2, "c": None}}
    assert nested(columns, "turns.1.content") == "Bye."
    assert nested(columns, "a.b") == 1
    assert nested(columns, "a.c") is None
    for path in ("turns.2.content", "turns.-1.content", "turns.x", "a.b.c", "z"):
        assert nested(columns, path) is nested({}, "nothing")
    assert is_true({"flag": "TRUE"}, "flag")
    assert not is_true({"flag": "false"}, "flag")
    assert not is_true({}, "flag")


def test_gsm8k_answers_lose_their_calculations(tmp_path: Path) -> None:
    worked = "She sells 16 - 7 = <<16-7=9>>9 eggs.\nThat brings 9 * 2 = $<<9*2=18>>18.\n#### 1,018"
    path = write(tmp_path / "train.jsonl", [{"question": "How much does she make in dollars?", "answer": worked}])
    (seed,) = all_seeds(opened(path, preset="gsm8k"))
    assert seed.answer == MathAnswer(value="1018")
    assert seed.licence == "MIT"
    solution = seed.solutions["en"]
    assert solution.core == ("So, the answer is \\boxed{1,018}.",)
    assert solution.optional == ("She sells 16 - 7 = 9 eggs.", "That brings 9 * 2 = $18.")
    assert "<<" not in solution.thinking


def test_real_gsm8k_rows_are_read(shared_dir: Path, tmp_path: Path) -> None:
    source = shared_dir / "data" / "gsm8k" / "test.jsonl"
    if not source.is_file():
        pytest.skip("the GSM8K file is not there")
    seeds = open_seed_set(SeedSource(type="file", path=str(source), preset="gsm8k", max_rows=400), tmp_path)
    assert isinstance(seeds, PreparedSeeds)
    assert seeds.report["read"] == 400
    assert seeds.report["kept"] >= 396
    assert all(isinstance(seed.answer, MathAnswer) for seed in all_seeds(seeds))


def test_deepscaler_rows_may_lack_a_solution(tmp_path: Path) -> None:
    rows = [
        {"problem": "Find the value of $x$ if $2x = 6$.", "answer": "3", "solution": "Divide by 2."},
        {"problem": "What is the sum of the first ten integers?", "answer": "55"},
    ]
    first, second = all_seeds(opened(write(tmp_path / "d.jsonl", rows), preset="deepscaler"))
    assert first.solutions["en"].thinking == "Divide by 2."
    assert second.answer == MathAnswer(value="55")


def test_alpaca_joins_instruction_and_input(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Give three tips for sleeping well.", "input": "", "output": "Go to bed early. Avoid coffee."},
        {"instruction": "Summarize this text.", "input": "The bridge is closed for a year.", "output": ""},
    ]
    first, second = all_seeds(opened(write(tmp_path / "alpaca.parquet", rows), preset="alpaca"))
    assert first.request == rows[0]["instruction"]
    assert first.answer is None
    assert first.solutions["en"] == ("", ("Go to bed early.",), ("Avoid coffee.",))
    assert second.request == "Summarize this text.\n\nThe bridge is closed for a year."
    assert second.solutions["en"].core == ("Here is a short answer.",)
    assert "CC-BY-NC" in first.licence


def wildchat(request: str, language: str, **flags: bool) -> dict[str, Any]:
    turns = [{"role": "user", "content": request}, {"role": "assistant", "content": "Sure."}]
    return {
        "conversation_hash": f"hash-{request[:6]}",
        "conversation": turns,
        "language": language,
        "toxic": False,
        "redacted": False,
        **flags,
    }


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_wildchat_takes_the_first_turn_and_drops_flagged_rows(tmp_path: Path, suffix: str) -> None:
    rows = [
        wildchat("Write a limerick about tea, please.", "English"),
        wildchat("帮我写一份周报，内容是本周完成了三个任务。", "Chinese"),
        wildchat("Écris un poème sur le thé.", "French"),
        wildchat("Something awful that we do not want.", "English", toxic=True),
        wildchat("My name is NAME_1 and I live somewhere.", "English", redacted=True),
    ]
    seeds = opened(write(tmp_path / f"chat.{suffix}", rows), preset="wildchat")
    assert [seed.request for seed in all_seeds(seeds)] == [
        rows[0]["conversation"][0]["content"],
        "帮我写一份周报，内容是本周完成了三个任务。",
    ]
    assert [seed.id for seed in all_seeds(seeds)] == ["hash-Write ", "hash-帮我写一份周"]
    assert seeds.report["dropped"] == {"flagged redacted": 1, "flagged toxic": 1, "language fr": 1}


def test_question_answers_may_be_lists(tmp_path: Path) -> None:
    rows = [
        {"q": "Who wrote the play about the Danish prince?", "a": ["William Shakespeare", "Shakespeare"]},
        {"q": "Which planet has the largest rings?", "a": ["Saturn"]},
        {"q": "What is the name of the tallest tree species?", "a": []},
    ]
    path = write(tmp_path / "qa.parquet", rows)
    first, second, third = all_seeds(opened(path, fields={"request": "q", "answer": "a"}, answer_kind="qa"))
    assert first.answer == QaAnswer(values=("William Shakespeare", "Shakespeare"))
    assert second.solutions["en"].core == ("The answer is Saturn.",)
    assert third.answer is None


def test_topic_tags_and_licence_of_a_row_are_kept(tmp_path: Path) -> None:
    row = {"q": "Plan a picnic for ten people.", "t": "Fun", "g": ["party", "food", "party"], "l": "CC0-1.0"}
    fields = {"request": "q", "topic": "t", "tags": "g", "licence": "l"}
    (seed,) = all_seeds(opened(write(tmp_path / "a.jsonl", [row]), fields=fields, licence="MIT"))
    assert (seed.topic, seed.tags, seed.licence) == ("Fun", ("party", "food"), "CC0-1.0")
    table = write(tmp_path / "b.csv", [{**row, "g": "party; food", "l": ""}])
    (seed,) = all_seeds(opened(table, fields=fields, licence="MIT"))
    assert (seed.topic, seed.tags, seed.licence) == ("Fun", ("party", "food"), "MIT")


def test_file_seeds_read_other_formats_and_refuse_other_encodings(tmp_path: Path) -> None:
    seeds = FileSeeds(write(tmp_path / "rows.csv", ROWS), FIELDS)
    assert [seed.id for seed in seeds.seeds] == ["c1", "c2", "c3"]
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes('{"q": "你好"}'.encode("gb18030"))
    with pytest.raises(RaifError, match=r"bad\.jsonl:1 is not UTF-8"):
        FileSeeds(bad, {"request": "q"})
    with pytest.raises(RaifError, match="must map 'request'"):
        FileSeeds(bad, {"answer": "a"})


def test_jsonl_sources_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text('{"question": "Q?", "answer": "1"}\n\n{"question": "R?", "answer": "1"}\n', encoding="utf-8")
    seeds = open_seed_set(SeedSource(type="jsonl", path=str(path)))
    assert isinstance(seeds, FileSeeds)
    assert [seed.id for seed in seeds.seeds] == ["1", "3"]


def test_a_request_that_is_repeated_is_one_task(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"question": asked} for asked in ("What is it?", "Who is it?", " what  is it? ")]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    seeds = FileSeeds(path, {"request": "question"})
    assert [seed.id for seed in seeds.seeds] == ["1", "2", "1"]  # else it could be in training and in a test split


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"type": "file"}, "needs a `path`"),
        ({"type": "jsonl"}, "needs a `path`"),
        ({"type": "hub"}, "needs the `name`"),
        ({"type": "facts", "path": "x.csv"}, "type facts does not take path; it takes: weight"),
        ({"type": "jsonl", "path": "x", "dedup": 0.5}, "type jsonl does not take dedup"),
        ({"type": "file", "path": "x.csv", "preset": "gsm8k", "split": "test"}, "type file does not take split"),
        ({"type": "file", "path": "x.csv"}, "must map `request`"),
        ({"type": "file", "path": "x.csv", "preset": "gsm9k"}, "unknown preset 'gsm9k'; did you mean 'gsm8k'"),
        (
            {"type": "file", "path": "x.csv", "fields": {"requst": "q"}},
            "unknown field 'requst'; did you mean 'request'",
        ),
        ({"type": "file", "path": "x.csv", "preset": "gsm8k", "min_chars": 9, "max_chars": 8}, "exceeds max_chars"),
        ({"type": "file", "path": "x.csv", "preset": "gsm8k", "dedup": 0}, "greater than 0"),
        ({"type": "file", "path": "x.csv", "preset": "gsm8k", "languages": ["fr"]}, "'en' or 'zh'"),
        ({"type": "file", "path": "x.csv", "preset": "gsm8k", "colour": 1}, "Extra inputs"),
    ],
)
def test_wrong_settings_fail_when_loaded(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SeedSource.model_validate(settings)


def test_absent_pyarrow_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "rows.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RaifError, match=r'needs pyarrow; install it: pip install "pyarrow'):
        list(read_rows(path))
