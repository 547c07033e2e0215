"""Rows in, verdicts out: nothing is lost, and nothing depends on the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rewards import RaifError
from rewards.verify import Line, read_lines, verify, write_verdicts

ROWS = [
    {"id": "a", "instruction_id": "punctuation:no_comma", "kwargs": {}, "response": "One, two."},
    {"id": "b", "instruction_id": "punctuation:no_comma", "kwargs": {}, "response": "Intro, yes.\nOne two."},
    {"id": "c", "instruction_id": "keywords:existence", "kwargs": {"keywords": ["art"]}, "response": "Start here."},
    {"id": "d", "instruction_id": "keywords:letter_frequency", "response": "!!", "kwargs":
        {"letter": "!", "let_frequency": 2, "let_relation": "at least"}},
    {"id": 5, "instruction_id": "language:response_language", "kwargs": {"language": "fr"}, "response":
        "Je ne sais pas si la maison est grande, \ud800 mais je crois que oui."},
]  # fmt: skip
BROKEN = [
    b"{not json",
    b'{"id": "x", "instruction_id": "punctuation:no_coma", "kwargs": {}, "response": "a"}',
    b'{"id": "y", "instruction_id": "punctuation:no_comma", "kwargs": {"limit": 3}, "response": "a"}',
    b'{"id": "z", "instruction_id": "punctuation:no_comma", "kwargs": {}}',
    b'{"id": "w", "instruction_id": "keywords:existence", "kwargs": {"keywords": "one"}, "response": "\xff"}',
]


def lines(rows: list[Any]) -> list[Line]:
    return [Line(n, r if isinstance(r, bytes) else json.dumps(r).encode()) for n, r in enumerate(rows, 1)]


def records(rows: list[Any], suite: str = "ifeval", workers: int = 1) -> list[dict[str, Any]]:
    return [one.record for one in verify(suite, lines(rows), workers) if one.record is not None]


def test_a_record_holds_both_protocols_and_our_own_verdict() -> None:
    found = {record["id"]: record for record in records(ROWS)}
    assert list(found["a"]) == ["id", "strict", "loose", "native", "evidence"]
    assert (found["a"]["strict"], found["a"]["loose"], found["a"]["native"]) == (False, False, "violated")
    assert (found["b"]["strict"], found["b"]["loose"]) == (False, True)
    # The official check finds "art" in "Start"; ours looks for the word.
    assert (found["c"]["strict"], found["c"]["native"]) == (True, "violated")
    assert found["d"]["strict"] is None
    assert found["d"]["loose"] is None
    assert "random" in found["d"]["evidence"]
    assert found[5]["strict"] is True


def test_broken_lines_are_kept_apart_with_their_numbers(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "deep" / "out.jsonl"
    rows.write_bytes(b"\n\n".join([*(json.dumps(row).encode() for row in ROWS), *BROKEN]) + b"\n")
    count, rejected = write_verdicts(verify("ifeval", read_lines(rows)), out)
    assert count == len(ROWS) == len(out.read_text().splitlines())
    kept = [json.loads(line) for line in (tmp_path / "deep" / "out.jsonl.rejected.jsonl").read_text().splitlines()]
    assert [one["line"] for one in kept] == [one.line.number for one in rejected] == [11, 13, 15, 17, 19]
    for one, expected in zip(kept, ("not JSON", "no_comma", "limit", "response", "utf-8"), strict=True):
        assert expected in one["problem"]
    write_verdicts(verify("ifeval", lines(ROWS)), out)
    assert not (tmp_path / "deep" / "out.jsonl.rejected.jsonl").exists()


def test_workers_change_nothing() -> None:
    many = ROWS * 60
    assert records(many, workers=2) == records(many)


def test_wrong_calls_are_named(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="did you mean 'ifeval'"):
        verify("ifevl", [])
    with pytest.raises(RaifError, match="workers is 0"):
        verify("ifeval", [], workers=0)
    with pytest.raises(RaifError, match="no rows at"):
        read_lines(tmp_path / "none.jsonl")


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(RaifError, match="holds no rows"):
        read_lines(empty)
    with pytest.raises(RaifError, match="is a folder"):
        write_verdicts(verify("ifeval", lines(ROWS)), tmp_path)
    assert list(tmp_path.iterdir()) == [empty]


def test_null_fields_are_empty_ones() -> None:
    row = {**ROWS[0], "kwargs": None, "prompt": None}
    assert records([row]) == records([ROWS[0]])
    assert [one.problem for one in verify("ifeval", lines([{"id": 1, "response": "a"}]))] == ["instruction_id: missing"]


def test_answers_are_compared_with_the_gold() -> None:
    rows = [
        {"id": n, "instruction_id": "math:answer", "kwargs": {"gold": "1/2"}, "response": response}
        for n, response in enumerate(("So \\boxed{0.5}.", "It is 3.", "\\boxed{\\frac{2}{4}}"))
    ]
    assert [record["correct"] for record in records([*rows, {**rows[0], "kwargs": {}}], "math")] == [True, False, True]


def test_hash_seed_and_locale_change_no_byte(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"\n".join(line.text for line in lines(ROWS * 3)))
    outputs = []
    for seed, locale in (("1", "C"), ("2", "C.UTF-8")):
        out = tmp_path / f"out-{seed}.jsonl"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale}
        command = [sys.executable, "-m", "raif", "verify", "--suite", "ifeval", str(rows), "--out", str(out)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "15 rows verified, 0 rejected" in done.stdout
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
