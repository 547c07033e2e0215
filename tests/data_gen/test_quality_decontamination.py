"""Items of benchmarks are kept out, by their words and by their constraints; what merely resembles them stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data_gen.quality.decontamination import BenchmarkFile, Decontaminator
from rewards import Instruction, RaifError
from rewards.parity.importers import instruction_from
from rewards.tree import And, Leaf

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_benchmarks = pytest.mark.skipif(not (DATA / "ifeval").is_dir(), reason=f"needs the benchmark files in {DATA}")
ITEM = (
    "A carpenter saws seven boards into nine pieces each and then gives away eleven of the pieces to "
    "her oldest neighbour before lunch on a rainy Monday."
)
WORDS = ITEM.split()
CHINESE = "木匠把七块木板各锯成九段，然后在下雨的星期一午饭前送给邻居十一段。"
OFFICIAL = {
    "key": 1,
    "prompt": "Tell me about hinges in under ninety words with four bullets.",
    "instruction_id_list": ["detectable_format:number_bullet_lists", "length_constraints:number_words"],
    "kwargs": [{"num_bullets": 4}, {"num_words": 90, "relation": "less than"}],
}
BARE = {"key": 2, "prompt": "Hum.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}


def write(path: Path, *rows: Any) -> str:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def index(tmp_path: Path) -> Decontaminator:
    texts = write(tmp_path / "texts.jsonl", {"q": ITEM}, {"q": CHINESE}, {"q": "Why do hinges squeak?"})
    official = write(tmp_path / "official.jsonl", OFFICIAL, BARE)
    return Decontaminator.from_files(
        [
            BenchmarkFile(name="ours", path=texts, fields=("q",)),
            {"name": "rules", "path": official, "suite": "ifeval"},
        ]
    )


@pytest.mark.parametrize(
    ("request_text", "prompt", "reason"),
    [
        (ITEM, ITEM, "request of ours"),
        (ITEM.upper().replace(",", ";"), "", "request of ours"),
        ("why do HINGES squeak", "Why do hinges squeak? Use few words.", "request of ours"),
        (f"Once more: {' '.join(WORDS[3:16])}, and so on.", "", "13 words in a row of ours"),
        ("Say something.", f"Say something. Not this: {' '.join(WORDS[5:18])}", "13 words in a row of ours"),
        (" ".join([*WORDS[:12], "then", *WORDS[13:25]]), "", "wording of ours"),
        (CHINESE[3:], "", "13 words in a row of ours"),
        (" ".join(WORDS[:12]) + " and " + "very long indeed " * 8, "", ""),
        ("Why do old hinges squeak?", "", ""),
        (CHINESE[:12] + "以后大家都回家休息了。", "", ""),
        ("A plain request about something else entirely, with more than eight words.", "", ""),
    ],
)
def test_texts_are_compared_by_the_rule(index: Decontaminator, request_text: str, prompt: str, reason: str) -> None:
    assert index.text_reason(request_text, prompt) == reason


def asking(*constraints: dict[str, Any], request: str = "Tell me about pulleys.") -> Instruction:
    return Instruction.build(
        request=request,
        prompt=request,
        language="en",
        split="train",
        tree=And(parts=tuple(Leaf(constraint=each) for each in constraints)),
        source={"seed_set": "test", "seed_id": "0"},
    )


BULLETS = {"type": "layout:bullets", "count": 4, "marks": "-*"}


def test_the_same_constraints_with_the_same_arguments_are_a_leak(index: Decontaminator) -> None:
    strict = instruction_from("ifeval", OFFICIAL).constraints
    same = asking(*(constraint.model_dump() for constraint in reversed(strict)))
    assert index.reason(same) == "constraints of rules"
    other = [
        {**constraint.model_dump(), "count": 5} if constraint.family == "layout" else constraint.model_dump()
        for constraint in strict
    ]
    assert index.reason(asking(*other)) == ""
    assert index.reason(asking(strict[0].model_dump())) == ""
    assert index.counts == {"types of an item": 2, "constraints of rules": 1}


def test_what_cannot_be_avoided_is_counted_and_kept(index: Decontaminator) -> None:
    assert index.reason(asking({"type": "punctuation:no_comma"})) == ""
    assert index.counts["unavoidable combination of an item"] == 1
    assert index.record["items"] == {"ours": 3, "rules": 2}


def test_the_digest_is_of_contents_and_not_of_places(tmp_path: Path) -> None:
    def digest(folder: str, *rows: Any) -> str:
        (tmp_path / folder).mkdir()
        path = write(tmp_path / folder / "a.jsonl", *rows)
        return Decontaminator.from_files([BenchmarkFile(name="n", path=path)]).digest

    one = digest("one", {"prompt": ITEM})
    assert one == digest("two", {"prompt": ITEM})
    assert one != digest("three", {"prompt": CHINESE})


def test_every_process_finds_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "texts.jsonl", {"prompt": ITEM}, {"prompt": CHINESE})
    code = (
        "import sys; from data_gen.quality.decontamination import *\n"
        "index = Decontaminator.from_files([{'name': 'n', 'path': sys.argv[1]}])\n"
        "print(sorted(index._texts[0].shared), sorted(index._texts[0].long), index.digest)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, path],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"prompt": 3}\n', r"bad\.jsonl:1 has no text 'prompt'; it has: prompt"),
        ("{oops\n", r"bad\.jsonl:1 is not JSON"),
        ("\n[1]\n", r"bad\.jsonl:2 is a list"),
    ],
)
def test_broken_files_name_the_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(RaifError, match=message):
        Decontaminator.from_files([BenchmarkFile(name="bad", path=str(tmp_path / "bad.jsonl"))])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=r"no benchmark file at .*nothing.*'lost'"):
        Decontaminator.from_files([BenchmarkFile(name="lost", path=str(tmp_path / "nothing"))])


SUITES = {"ifeval": "ifeval/input_data.jsonl", "ifbench": "ifbench/IFBench_test.jsonl", "mathif": "mathif"}


@needs_benchmarks
def test_every_item_of_the_benchmarks_is_found() -> None:
    files = [{"name": name, "suite": name, "path": str(DATA / path)} for name, path in SUITES.items()]
    index = Decontaminator.from_files(files)
    assert index.items == {"ifeval": 541, "ifbench": 300, "mathif": 420}
    for benchmark in map(BenchmarkFile.model_validate, files):
        for path in benchmark.files():
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
            for row in rows:
                task = instruction_from(benchmark.suite, row)
                assert index.reason(task), row
                assert index.text_reason(task.request, "Something else.") != ""


@needs_benchmarks
def test_word_problems_of_one_benchmark_are_told_from_those_that_another_one_took() -> None:
    index = Decontaminator.from_files([{"name": "mathif", "suite": "mathif", "path": str(DATA / "mathif")}])
    lines = (DATA / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").split("\n")
    reasons = [index.text_reason(json.loads(line)["question"]) for line in lines if line.strip()]
    assert len(reasons) == 1319
    assert sum(map(bool, reasons)) == 90  # the items that MathIF took from GSM8K
