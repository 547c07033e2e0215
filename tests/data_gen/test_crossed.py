"""MathIF-like sets: the same problem under 0, 1, 2 and 3 constraints, balanced, proved by witnesses, reproducible."""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from data_gen.__main__ import main
from data_gen.crossed import make_crossed
from data_gen.crossed.design import Design
from data_gen.crossed.kinds import KEYWORDS, KINDS, at_odds
from data_gen.crossed.making import LEVELS
from data_gen.crossed.problems import open_problems
from rewards.constraint import Context, Status
from rewards.errors import RaifError
from rewards.math_answer import MathVerifier
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.view import View
from rewards.response import Response

Rows = list[dict[str, Any]]


def read(folder: Path) -> dict[str, Rows]:
    """Return the rows of a set by level, those of all sources together."""
    found: dict[str, Rows] = {level: [] for level in LEVELS}
    for file in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert {row["source"] for row in rows} == {file.stem.rpartition("_")[0]}
        found[file.stem.rpartition("_")[2]] += rows
    return found


def demands(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(zip(row["constraint_name"], row["constraint_args"], strict=True))


def problems(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def sums(count: int) -> list[dict[str, str]]:
    return [
        {
            "question": f"A shelf holds {n} books and gets {n + 2} more. How many are there?",
            "answer": f"#### {2 * n + 2}",
        }
        for n in range(3, count + 3)
    ]


def check_witnesses(rows: Rows) -> None:
    """Ask every judge about every witness, apart from the code that made them."""
    checks, pairs = suite("mathif"), []
    for row in rows:
        view, response = View(row["witness"]), Response(None, row["witness"])
        pairs.append((row["answer"], row["witness"]))
        for name, given in demands(row):
            assert checks.bind(name, given or {})(view), (row["id"], name)
            for constraint in strict_constraints("mathif", name, given or {}, row["question"]):
                verdict = constraint.check(response, Context(request=row["question"]))
                assert verdict.status is Status.SATISFIED, (row["id"], name, verdict.evidence)
    assert MathVerifier(deadline=600, seconds_per_item=60).judge(pairs) == [True] * len(pairs)


def check_nesting(levels: dict[str, Rows]) -> None:
    """Every problem stands once at every level, and each level only adds to the one before."""
    by_problem = [{row["problem"]: row for row in levels[level]} for level in LEVELS]
    assert all(by_problem[0].keys() == rows.keys() for rows in by_problem)
    assert [len(rows) for rows in by_problem] == [len(levels[level]) for level in LEVELS]
    for number, rows in enumerate(by_problem):
        for problem, row in rows.items():
            longest = by_problem[-1][problem]
            assert demands(row) == demands(longest)[:number]
            assert row["constraint_desc"] == longest["constraint_desc"][:number]
            assert (row["question"], row["answer"]) == (longest["question"], longest["answer"])
    ids = [row["id"] for rows in levels.values() for row in rows]
    assert len(set(ids)) == len(ids)


def spread(rows: Rows, position: int, kinds: int) -> int:
    """Return by how much the most frequent id at a position is ahead of the least frequent one."""
    counts = Counter(row["constraint_name"][position] for row in rows)
    assert len(counts) == kinds
    return max(counts.values()) - min(counts.values())


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return a set of embedded problems; read it only."""
    out = tmp_path_factory.mktemp("crossed") / "set"
    return out, make_crossed("embedded", out, count=90, seed=4)


def test_every_witness_is_accepted_by_every_judge(embedded: tuple[Path, dict[str, Any]]) -> None:
    levels = read(embedded[0])
    assert [len(levels[level]) for level in LEVELS] == [90] * 4
    check_witnesses([row for rows in levels.values() for row in rows])
    check_nesting(levels)


def test_ids_are_balanced_at_every_position_of_every_source(embedded: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = embedded
    triples = read(out)["triple"]
    for source in ("arithmetic", "word-problems"):
        own = [row for row in triples if row["source"] == source]
        assert len(own) == 45
        assert all(spread(own, position, len(KINDS)) <= 2 for position in range(3))
    assert all(spread(triples, position, len(KINDS)) <= 2 for position in range(3))
    assert not any(at_odds(*pair) for row in triples for pair in permutations(row["constraint_name"], 2))
    for number, level in enumerate(LEVELS):
        counts = Counter(name for row in triples for name in row["constraint_name"][:number])
        assert manifest["constraints"][level] == dict(sorted(counts.items()))


def test_the_manifest_says_what_was_made_and_what_trivial_responses_score(
    embedded: tuple[Path, dict[str, Any]],
) -> None:
    out, manifest = embedded
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8")) == manifest
    assert (manifest["seed"], manifest["count"], manifest["problems"]) == (4, 90, "embedded")
    assert manifest["versions"]["parity"] == suite("mathif").version
    assert all(source["examined"] >= source["problems"] == 45 for source in manifest["sources"].values())
    checks, dot = suite("mathif"), View(".")
    for level in LEVELS[1:]:
        verdicts = [[checks.bind(n, a or {})(dot) for n, a in demands(row)] for row in read(out)[level]]
        baselines = manifest["baselines"][level]
        assert baselines["dot"]["parity"]["hacc"] == round(sum(map(all, verdicts)) / 90, 6)
        assert baselines["dot"]["strict"] == {"hacc": 0, "sacc": 0}
        assert baselines["witness"] == {
            "parity": {"hacc": 1, "sacc": 1},
            "strict": {"hacc": 1, "sacc": 1},
            "correct": 1,
        }
        assert baselines["boxed_answer"]["correct"] == 1
    assert manifest["baselines"]["none"]["dot"]["parity"] == {"hacc": None, "sacc": None}


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    embedded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    make_crossed("embedded", tmp_path / "same", count=90, seed=4)
    other = make_crossed("embedded", tmp_path / "other", count=90, seed=5)
    files = sorted(path.name for path in embedded[0].iterdir())
    assert files == sorted(
        [*(f"{s}_{level}.jsonl" for s in ("arithmetic", "word-problems") for level in LEVELS), "manifest.json"]
    )
    for name in files:
        assert (tmp_path / "same" / name).read_bytes() == (embedded[0] / name).read_bytes()
    assert other["files"] != embedded[1]["files"]


def test_without_silent_constraints_saying_nothing_scores_nothing(tmp_path: Path) -> None:
    path = problems(tmp_path / "sums.jsonl", *sums(24))
    manifest = make_crossed(str(path), tmp_path / "out", count=24, drop_silent=True)
    names = {name for row in read(tmp_path / "out")["triple"] for name in row["constraint_name"]}
    assert names == {kind.id for kind in KINDS if not kind.silent}
    for level in LEVELS[1:]:
        assert manifest["baselines"][level]["dot"]["parity"] == {"hacc": 0, "sacc": 0}


def test_what_cannot_be_used_is_counted_by_reason(tmp_path: Path) -> None:
    rows = sums(5)
    bad = [
        rows[0],
        {"question": "Who knows?", "answer": ""},
        {"question": "Who knows this?", "answer": "?"},
        {"question": " ", "answer": "3"},
        {"question": "汤姆有三个苹果，又得到两个。现在有几个？", "answer": "5"},
        {"question": "Where is the answer?"},
        "not json",
    ]
    path = problems(tmp_path / "gsm8k" / "test.jsonl", *rows, *bad)
    with pytest.raises(RaifError, match="source 'gsm8k' has 5 usable problems of 12, 6 are wanted") as raised:
        make_crossed(str(path), tmp_path / "out", count=6)
    assert not (tmp_path / "out").exists()
    for reason in (
        "repeated question (1)", "no answer (1)", "the grader refuses the answer itself (1)", "blank request (1)",
        "not in English (1)", "no column answer (1)", "unreadable row (1)",
    ):  # fmt: skip
        assert reason in str(raised.value)
    manifest = make_crossed(str(path), tmp_path / "out", count=5)
    assert manifest["sources"]["gsm8k"]["problems"] == 5
    assert sum(manifest["sources"]["gsm8k"]["rejected"].values()) == manifest["sources"]["gsm8k"]["examined"] - 5


def test_constraints_that_exclude_each_other_are_counted_and_never_written(tmp_path: Path) -> None:
    by_id = {kind.id: kind for kind in KINDS}
    names = ("combination:repeat_prompt", "punctuation:no_comma", "startend:end_checker")
    source = open_problems(
        str(problems(tmp_path / "a.jsonl", {"question": "Add 3, 4 and 5.", "answer": "12"})), _FIELDS, 0
    )[0]
    (problem,) = source.problems()
    design = Design([by_id[name] for name in names], seed=0)
    assert design.cross(problem) is None
    assert design.refused["combination:repeat_prompt + punctuation:no_comma"] > 0
    assert sum(map(Counter.total, design.used)) == 0


_FIELDS = {"request": "question", "answer": "answer"}


def test_mathif_rows_are_problems_without_their_second_order_on_the_answer(tmp_path: Path) -> None:
    order = 'Let\'s think step by step and output the final answer after "####".'
    rows = [{**row, "question": f"{row['question']} {order}", "answer": row["answer"][5:]} for row in sums(3)]
    for number, level in enumerate(LEVELS[1:]):
        problems(tmp_path / "data" / f"gsm8k_{level}.jsonl", rows[number])
    make_crossed(str(tmp_path / "data"), tmp_path / "out", count=3)
    assert {row["question"] for row in read(tmp_path / "out")["none"]} == {row["question"] for row in sums(3)}


@pytest.mark.parametrize(
    ("place", "count", "message"),
    [
        ("nowhere.jsonl", 3, "no problems at nowhere.jsonl; give a JSONL file"),
        ("embedded", 0, "count 0 must be at least 1"),
    ],
)
def test_what_cannot_be_made_is_said(tmp_path: Path, place: str, count: int, message: str) -> None:
    with pytest.raises(RaifError, match=message):
        make_crossed(place, tmp_path / "out", count=count)


def test_a_folder_is_replaced_only_if_it_holds_such_a_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(RaifError, match="holds something else than a MathIF-like set"):
        make_crossed("embedded", tmp_path / "mine", count=2, overwrite=True)
    make_crossed("embedded", tmp_path / "set", count=2)
    with pytest.raises(RaifError, match="replace it with --overwrite"):
        make_crossed("embedded", tmp_path / "set", count=2)
    path = problems(tmp_path / "sums.jsonl", *sums(2))
    words = ["mathif-like", "--problems", str(path), "--out", str(tmp_path / "set"), "--count", "2", "--overwrite"]
    monkeypatch.setattr(sys, "argv", ["data_gen", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, None)
    assert "2 problems from sums at 4 levels, every witness verified; 0 problems rejected" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "set").iterdir()} == {
        *(f"sums_{level}.jsonl" for level in LEVELS),
        "manifest.json",
    }


def test_a_bad_mapping_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["mathif-like", "--problems", "embedded", "--out", str(tmp_path / "o"), "--fields", "question"]
    monkeypatch.setattr(sys, "argv", ["data_gen", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "--fields 'question' must look like" in capsys.readouterr().err


def test_the_kinds_are_those_of_the_benchmark() -> None:
    assert {kind.id for kind in KINDS} == set(suite("mathif").checks)
    assert not [pair for pair in permutations(KEYWORDS, 2) if pair[0] in pair[1]]
    assert len(KEYWORDS) == len(set(KEYWORDS)) >= 50


def test_a_hundred_problems_of_gsm8k(shared_dir: Path, tmp_path: Path) -> None:
    manifest = make_crossed(str(shared_dir / "data" / "gsm8k" / "test.jsonl"), tmp_path / "out", count=100)
    levels = read(tmp_path / "out")
    check_nesting(levels)
    check_witnesses([row for rows in levels.values() for row in rows])
    assert all(spread(levels["triple"], position, len(KINDS)) <= 2 for position in range(3))
    assert manifest["baselines"]["triple"]["witness"]["parity"]["hacc"] == 1
    assert manifest["sources"]["gsm8k"]["rejected"] == {}
