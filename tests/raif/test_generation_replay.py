"""Stored responses are joined by id or by prompt; what does not fit is said, with ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raif.evaluation.records import Item
from raif.generation import Completion, Request, Sampling
from raif.generation.opening import open_generator
from raif.generation.replay import Given, read_responses
from raif.generation.run import complete
from raif.generation.store import Kept, Store
from rewards.errors import RaifError

ITEMS = [Item(id=f"i{number}", prompt=f"Prompt {number}\n") for number in range(14)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    return path


def test_ids_are_joined_whatever_their_order(tmp_path: Path) -> None:
    rows = [{"id": item.id, "response": f"{item.id}\u2028said"} for item in ITEMS]
    rows[2] |= {"finish_reason": "length", "tokens": 7, "model": "m"}
    found = read_responses(write(tmp_path / "r.jsonl", rows[::-1]), ITEMS)
    assert list(found.outputs) == [(item.id, 0) for item in ITEMS]
    assert found.outputs["i1", 0] == Given("i1\u2028said")
    assert found.outputs["i2", 0] == Given("i2\u2028said", 7, False)
    assert (found.missing, found.unmatched, found.form, found.remarks()) == ([], [], "id", [])
    samples = [{"id": item.id, "sample": i, "response": str(i)} for i in range(3) for item in ITEMS]
    assert read_responses(write(tmp_path / "s.jsonl", samples), ITEMS).outputs["i5", 2].text == "2"


def test_all_that_does_not_fit_is_one_error(tmp_path: Path) -> None:
    rows = [{"id": item.id, "response": ""} for item in ITEMS]
    path = write(tmp_path / "r.jsonl", [*rows[:2], rows[0], rows[0], {"id": "x", "response": ""}])
    with pytest.raises(RaifError) as caught:
        read_responses(path, ITEMS)
    said = str(caught.value)
    assert "12 missing: i2, i3, i4, i5, i6, i7, i8, i9, i10, i11 and 2 more" in said
    assert "1 given more than once: i0; 1 unknown: x" in said
    two = [*rows, *({**row, "sample": 1} for row in rows[1:])]
    with pytest.raises(RaifError, match=r"1 missing: i0 \(sample 1\)\. "):
        read_responses(write(path, two), ITEMS)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"id": "i0", "response": 3}\n', r":1 field response is 3: Input should be a valid string"),
        ('{"id": "i0", "response": "x"}\n{"id": "i1"\n', r":2 is no JSON"),
        ('{"id": "i0", "response": "x"}\n[]\n', r":2 is no object"),
        ('{"key": 1, "text": ""}\n', r":1 has neither `id` nor `prompt` \(it has: key, text\)"),
        ("\n\n", "holds no responses"),
        (None, "no responses at"),
    ],
)
def test_broken_files_say_where(content: str | None, match: str, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RaifError, match=match):
        read_responses(path, ITEMS)


def test_the_official_form_may_miss_items_and_says_so(tmp_path: Path) -> None:
    rows = [{"prompt": f"Prompt {number}", "response": str(number)} for number in range(1, 14)]
    path = write(tmp_path / "r.jsonl", [{"prompt": "Something else", "response": ""}, *rows[::-1]])
    found = read_responses(path, ITEMS)
    assert list(found.outputs) == [(item.id, 0) for item in ITEMS[1:]]
    assert found.outputs["i13", 0].text == "13"
    assert (found.missing, found.unmatched, found.form) == (["i0"], ["Something else"], "prompt")
    assert found.remarks() == [
        "1 items have no response and are left out: i0",
        "1 responses belong to no item: Something else",
    ]
    assert json.loads(json.dumps(found.record()))["missing"] == ["i0"]
    with pytest.raises(RaifError, match=r"answers 1 prompts more than once: i3"):
        read_responses(write(path, [*rows, {"prompt": "Prompt 3\n", "response": ""}]), ITEMS)
    with pytest.raises(RaifError, match=r"answers no prompt of these items; its first is 'Else'"):
        read_responses(write(path, [{"prompt": "Else", "response": ""}]), ITEMS)
    with pytest.raises(RaifError, match=r"2 items share their prompts: a, i0"):
        read_responses(path, [Item(id="a", prompt="Prompt 0\n"), *ITEMS])


@pytest.mark.parametrize(
    ("name", "data", "answers", "matched", "unmatched", "edited"),
    [
        ("ifbench", "IFBench_test.jsonl", "sample_output.jsonl", 293, 1, ()),
        ("ifeval", "input_data.jsonl", "gpt4_responses_20231107.jsonl", 541, 0, ("2785",)),
    ],
)
def test_published_responses_find_their_prompts(
    name: str, data: str, answers: str, matched: int, unmatched: int, edited: tuple[str, ...], shared_dir: Path
) -> None:
    folder = shared_dir / "data" / name
    lines = (folder / data).read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    items = [Item(id=str(row["key"]), prompt=row["prompt"]) for row in rows]
    found = read_responses(folder / answers, items)
    assert len(found.outputs) == matched
    assert len(found.missing) == len(items) - matched
    assert len(found.unmatched) == unmatched
    assert found.edited == edited


def test_stored_completions_are_a_generator(tmp_path: Path) -> None:
    requests = [Request(f"{item.id}|constrained|0", [{"role": "user", "content": item.prompt}]) for item in ITEMS]
    store = Store(tmp_path / "store")
    with store.writing():
        store.put([Kept(f"{i}", each.key, Completion(f"said {i}", i, True)) for i, each in enumerate(requests)])
    replay = open_generator("replay", "qwen", responses=tmp_path / "store")
    drawn = complete(replay, requests[::-1], Sampling(cap=9), Store(tmp_path / "again"))
    assert [each.text for each in drawn] == [f"said {i}" for i in range(13, -1, -1)]
    assert replay.identity()["model"] == "qwen"
    with pytest.raises(RaifError, match=r"lacks 1 requests: other"):
        complete(replay, [requests[0]._replace(key="other")], Sampling(cap=9))
    with pytest.raises(RaifError, match=r"no completions at"):
        open_generator("replay", "qwen", responses=tmp_path / "none")
