"""Preparation of large seed sources: languages, near duplicates, balance, limits, and what lies on disk."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections import Counter
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.seeds import PreparedSeeds, SeedSource, open_seed_set, opening
from data_gen.seeds.caps import Candidates, within_caps
from data_gen.seeds.duplicates import DuplicateFilter
from data_gen.seeds.prepared import Limits, prepare
from data_gen.seeds.rows import Row
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.spoken import request_language
from data_gen.seeds.store import DiskRows, MemoryRows, dump_seed, load_seed
from data_gen.seeds.tagging import OTHER, default_tagger
from rewards.errors import RaifError
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

WORDS = "river stone garden window letter market bridge winter candle forest basket mirror silver thunder".split()


def rows(*requests: str, **columns: Any) -> list[Row]:
    return [Row(n, f"rows:{n}", {"q": request, **columns}) for n, request in enumerate(requests, 1)]


def source(**settings: Any) -> SeedSource:
    return SeedSource(type="file", path="rows.jsonl", fields={"request": "q"}, **settings)


def ready(some: list[Row], tmp_path: Path, **settings: Any) -> PreparedSeeds:
    return prepare(source(**settings), "rows", some, key="", cache=tmp_path)


def requests_of(seeds: PreparedSeeds) -> list[str]:
    pools = [(code, place) for code in seeds.languages for place in range(seeds.rows.count(code))]
    return [seeds.rows.row(code, place).request for code, place in pools]


def many(count: int) -> list[Row]:
    rng = Random(5)
    return rows(*(f"Tell me something about {' and '.join(rng.sample(WORDS, 6))}." for _ in range(count)))


@pytest.mark.parametrize(
    ("request_text", "language"),
    [
        ("Write a haiku.", "en"),
        ("How do I bake bread without an oven?", "en"),
        ("用Python写一个快速排序", "zh"),
        ("你好", "zh"),
        ("Comment faire du pain sans levure à la maison ?", "fr"),
        ("¿Cómo puedo aprender a tocar la guitarra?", "es"),
        ("東京の天気はどうですか", "ja"),
        ("Как испечь хлеб дома без дрожжей?", "ru"),
        ("2 + 2", "und"),
    ],
)
def test_languages_of_requests(request_text: str, language: str) -> None:
    assert request_language(request_text) == language


def test_other_languages_and_lengths_are_counted(tmp_path: Path) -> None:
    some = rows(
        "How do I bake bread without an oven?",
        "怎么在家做面包？",
        "Comment faire du pain sans levure à la maison ?",
        "12345",
        "Why?",
        "Why is it that " + "very " * 40 + "long requests are dropped?",
    )
    seeds = ready(some, tmp_path, min_chars=5, max_chars=120)
    assert seeds.report["dropped"] == {"language fr": 1, "language undecided": 1, "too long": 1, "too short": 1}
    assert seeds.report["languages"] == {"en": 1, "zh": 1}
    assert seeds.report["read"] == seeds.report["kept"] + sum(seeds.report["dropped"].values())
    only = ready(some, tmp_path, languages=("zh",))
    assert only.languages == ("zh",)
    assert only.report["dropped"]["language en"] == 3


def test_drawing_a_language_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    seeds = ready(rows("How do I bake bread without an oven?"), tmp_path)
    with pytest.raises(RaifError, match="has no rows in 'zh'; it has: en"):
        seeds.draw(Random(0), "zh")


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"holds no rows to draw from: too short \(1\)"):
        ready(rows("How do I bake bread?"), tmp_path, min_chars=100)


LONG = "Please write a friendly letter to all the neighbours in our street about the summer party next Saturday"


def test_near_duplicates_are_removed_and_the_first_stays(tmp_path: Path) -> None:
    some = rows(
        f"{LONG} at six in the evening in the garden behind house number nine.",
        f"{LONG}, at six in the evening in the GARDEN behind house number nine!",
        f"{LONG} at six in the evening in the garden behind house number ten.",
        "What is the best way to keep bread fresh?",
        "请给全楼的邻居写一封信，说说下周六晚上在院子里办聚会的事情，语气要亲切一些。",
        "请给全楼的邻居写一封信，说说下周六晚上在院子里办聚会的事情，语气要亲切一点。",
    )
    seeds = ready(some, tmp_path)
    assert seeds.report["dropped"] == {"near duplicate": 3}
    assert requests_of(seeds) == [some[0].columns["q"], some[3].columns["q"], some[4].columns["q"]]
    assert ready(some, tmp_path, dedup=None).report["kept"] == 6
    assert ready(some, tmp_path, dedup=1.0).report["dropped"] == {"near duplicate": 1}


def test_problems_with_other_content_are_no_duplicates() -> None:
    seen = DuplicateFilter(0.8)
    assert all(seen.is_new(row.columns["q"], "en") for row in many(300))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.text(min_size=1, max_size=60), max_size=12))
def test_deduplication_is_idempotent(texts: list[str]) -> None:
    first = DuplicateFilter(0.7)
    kept = [text for text in texts if first.is_new(text, "en")]
    again = DuplicateFilter(0.7)
    assert [text for text in kept if again.is_new(text, "en")] == kept


def test_absent_datasketch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(RaifError, match=r"needs datasketch; install it: pip install"):
        DuplicateFilter(0.8)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from("xyz"))), max_size=40),
    st.integers(1, 5),
    st.integers(1, 5),
)
@settings(deadline=None, derandomize=True)
def test_caps_hold_and_drop_no_more_than_they_must(
    some: list[tuple[str, set[str]]], per_topic: int, per_tag: int
) -> None:
    seeds = [
        Seed("set", str(n), "en", "?", None, {}, topic=topic, tags=tuple(sorted(own)))
        for n, (topic, own) in enumerate(some)
    ]
    kept, dropped = within_caps(Candidates(seeds), per_topic, per_tag)
    topics = Counter(seeds[place].topic for place in kept)
    tags = Counter(tag for place in kept for tag in seeds[place].tags)
    assert len(kept) + dropped.total() == len(seeds)
    assert all(count <= per_topic for count in topics.values())
    assert all(count <= per_tag for count in tags.values())
    for place in set(range(len(seeds))) - set(kept):
        full = any(tags[tag] == per_tag for tag in seeds[place].tags)
        assert full or topics[seeds[place].topic] == per_topic


def test_the_choice_under_a_cap_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    some = [row._replace(columns={**row.columns, "id": f"r{row.number}", "t": "one"}) for row in many(60)]
    recipe = SeedSource(
        type="file", path="x.jsonl", fields={"request": "q", "id": "id", "topic": "t"}, max_per_topic=7, dedup=None
    )
    kept = [sorted(requests_of(prepare(recipe, "rows", order, key="", cache=tmp_path))) for order in (some, some[::-1])]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 7


@pytest.mark.parametrize(
    ("request_text", "language", "topic", "tag"),
    [
        ("Solve for x: 3x + 5 = 20, and explain the equation.", "en", "Math skills", "math reasoning"),
        ("Write a Python function that sorts a list and debug it.", "en", "Programming & Dev", "coding"),
        ("Translate this idiom into Spanish and French.", "en", "Linguistics & Multiculturalism", "translation"),
        ("帮我写一封邮件给房东，说明租约和合同的问题。", "zh", "Legal Knowledge", "email writing"),
        ("请把这首诗翻译成英语，注意文化和节日的说法。", "zh", "Linguistics & Multiculturalism", "translation"),
        ("Hmm.", "en", OTHER, ""),
    ],
)
def test_topics_and_abilities_are_told_by_their_words(request_text: str, language: str, topic: str, tag: str) -> None:
    found = default_tagger().tag(request_text, language)
    assert found.topic == topic
    assert tag in found.tags or (not tag and not found.tags)


def test_the_table_has_the_topics_of_the_paper() -> None:
    assert len(default_tagger()._topics) == 26


SOLVED = {"en": Solution("Think.", ("A.",), ("B.", "C."))}


@pytest.mark.parametrize(
    "seed",
    [
        Seed("s", "1", "en", "Why \ud800 not?", None, SOLVED),
        Seed("s", "2", "en", "Line\u2028break", MathAnswer(value="1"), SOLVED, "MIT", "Topic", ("a", "b")),
        Seed("s", "3", "zh", "为什么？", QaAnswer(values=("是", "yes")), SOLVED),
        Seed("s", "4", "en", "Write it.", CodeAnswer(tests="assert f() == 1"), SOLVED),
    ],
)
def test_seeds_survive_the_disk(seed: Seed) -> None:
    line = dump_seed(seed)
    assert line.count(b"\n") == 1
    assert load_seed(line) == seed


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(opening, "prepare", partial(prepare, limits=Limits(20, 50)))
    path = tmp_path / "large.jsonl"
    chinese = [f"请介绍一下第{n}号展品的历史和用途。" for n in range(40)]
    lines = [row.columns["q"] for row in many(200)] + chinese
    Random(1).shuffle(lines)
    path.write_text("".join(json.dumps({"q": line}, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def large_source(path: Path, **settings: Any) -> SeedSource:
    return SeedSource(type="file", path=str(path), fields={"request": "q"}, dedup=None, **settings)


def test_many_rows_go_to_disk_and_are_drawn_like_those_in_memory(large: Path, tmp_path: Path) -> None:
    recipe = large_source(large, max_per_topic=30)
    disk = open_seed_set(recipe, cache=tmp_path / "cache")
    memory = prepare(recipe, "large", list(_read(large)), key="", cache=tmp_path / "other", limits=Limits(999, 999))
    assert isinstance(disk, PreparedSeeds)
    assert isinstance(disk.rows, DiskRows)
    assert isinstance(memory.rows, MemoryRows)
    assert disk.report == memory.report
    assert disk.languages == memory.languages == ("en", "zh")
    for language in disk.languages:
        one, other = Random(3), Random(3)
        assert [disk.draw(one, language) for _ in range(60)] == [memory.draw(other, language) for _ in range(60)]
    assert not (tmp_path / "other").exists()


def _read(path: Path) -> list[Row]:
    from data_gen.seeds.rows import read_rows

    return list(read_rows(path))


def test_a_prepared_file_is_used_again_until_something_changes(large: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = open_seed_set(large_source(large), cache=cache)
    (folder,) = cache.iterdir()
    stamp = (folder / "seeds.jsonl").stat().st_mtime_ns
    moved = large.rename(large.with_name("moved.jsonl"))
    moved.rename(large)
    again = open_seed_set(large_source(large, weight=3.0), cache=cache)
    assert [path.name for path in cache.iterdir()] == [folder.name]
    assert (folder / "seeds.jsonl").stat().st_mtime_ns == stamp
    assert again.draw(Random(0), "en") == first.draw(Random(0), "en")
    open_seed_set(large_source(large, min_chars=2), cache=cache)
    with large.open("a", encoding="utf-8") as file:
        file.write('{"q": "And one more request about the old bridge?"}\n')
    open_seed_set(large_source(large), cache=cache)
    assert len(list(cache.iterdir())) == 3


def test_a_failure_leaves_nothing_in_the_cache(large: Path, tmp_path: Path) -> None:
    with large.open("a", encoding="utf-8") as file:
        file.write("{\n")
    with pytest.raises(RaifError, match=r"large\.jsonl:241 is not JSON"):
        open_seed_set(large_source(large), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_rows_on_disk_take_no_memory(large: Path, tmp_path: Path) -> None:
    seeds = open_seed_set(large_source(large), cache=tmp_path / "cache")
    rng = Random(0)
    seeds.draw(rng, "en")
    tracemalloc.start()
    for _ in range(2000):
        seeds.draw(rng, "en")
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 20_000


def test_rows_between_the_limits_are_saved_and_live_in_memory(large: Path, tmp_path: Path) -> None:
    recipe, limits = large_source(large), Limits(20, 1000)
    first = prepare(recipe, "large", _read(large), key="k", cache=tmp_path / "cache", limits=limits)
    again = prepare(recipe, "large", iter(()), key="k", cache=tmp_path / "cache", limits=limits)
    assert isinstance(first.rows, MemoryRows)
    assert isinstance(again.rows, MemoryRows)
    assert first.report == again.report
    one, other = Random(1), Random(1)
    assert [first.draw(one, "en") for _ in range(50)] == [again.draw(other, "en") for _ in range(50)]


def test_rows_of_unknown_origin_are_never_taken_from_the_cache(large: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = prepare(large_source(large), "large", _read(large), key="", cache=cache, limits=Limits(20, 50))
    second = prepare(large_source(large), "large", many(120), key="", cache=cache, limits=Limits(20, 50))
    assert (first.report["read"], second.report["read"]) == (240, 120)
    assert first.draw(Random(0), "zh").language == "zh"
    assert len(list(cache.iterdir())) == 2
    del first, second
    gc.collect()
    assert not list(cache.iterdir())


def test_processes_share_a_prepared_file(large: Path, tmp_path: Path) -> None:
    seeds = open_seed_set(large_source(large), cache=tmp_path / "cache")
    expected = [seeds.draw(Random(number), "en").id for number in range(40)]
    with get_context("fork").Pool(2) as pool:
        drawn = pool.map(partial(_draw, seeds), range(40), chunksize=5)
    assert drawn == expected


def _draw(seeds: PreparedSeeds, number: int) -> str:
    return seeds.draw(Random(number), "en").id


def test_the_same_bytes_under_another_suffix_are_another_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "prepare", partial(prepare, limits=Limits(0, 0)))
    for suffix in ("csv", "tsv"):
        path = tmp_path / f"rows.{suffix}"
        path.write_text('q\n"What is wood, made by trees?"\n', encoding="utf-8")
        seeds = open_seed_set(large_source(path), cache=tmp_path / "cache")
        assert seeds.draw(Random(0), "en").request == "What is wood, made by trees?"
    assert len(list((tmp_path / "cache").iterdir())) == 2
