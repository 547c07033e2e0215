"""The store: what is kept survives, what is torn does not count, one process writes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from raif.chat import ThinkFormat
from raif.generation import Arrived, Completion, Request, Sampling
from raif.generation.progress import generation_progress
from raif.generation.run import complete
from raif.generation.store import Kept, Store, completion_key, read_completions
from rewards.errors import RaifError

SAMPLING = Sampling(cap=8)
REQUESTS = [Request(f"item {number}", [{"role": "user", "content": f"Say {number}."}]) for number in range(9)]


class Echo:
    """Answers with the last word asked, in an order of its own, and counts what it was asked."""

    think = ThinkFormat("think", False)

    def __init__(self, order: Callable[[int], Any] = int, fail_after: int = 99) -> None:
        self.order, self.fail_after = order, fail_after
        self.asked: list[str] = []

    def identity(self) -> dict[str, Any]:
        return {"backend": "echo", "versions": {"echo": str(id(self))}}

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        for count, number in enumerate(sorted(range(len(requests)), key=self.order)):
            if count == self.fail_after:
                raise RaifError("the echo is gone")
            self.asked.append(requests[number].key)
            arrived(number, Completion(requests[number].messages[-1]["content"].split()[-1], 2, True))

    def close(self) -> None:
        pass


def test_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    store, failing = Store(tmp_path / "a"), Echo(fail_after=4)
    with pytest.raises(RaifError, match="the echo is gone"):
        complete(failing, REQUESTS, SAMPLING, store)
    seen: list[tuple[int, int]] = []
    rest = Echo(order=lambda number: -number)
    found = complete(rest, REQUESTS, SAMPLING, Store(tmp_path / "a"), lambda done, tokens: seen.append((done, tokens)))
    assert [each.text for each in found] == [f"{number}." for number in range(9)]
    assert rest.asked == [request.key for request in REQUESTS[:3:-1]]
    assert seen == [(number, 2 * number) for number in range(4, 10)]
    complete(Echo(order=lambda number: number % 4), REQUESTS, SAMPLING, Store(tmp_path / "b"))
    assert (tmp_path / "a/completions.jsonl").read_bytes() == (tmp_path / "b/completions.jsonl").read_bytes()
    again = Echo()
    assert complete(again, REQUESTS[::-1], SAMPLING, Store(tmp_path / "a")) == found[::-1]
    assert again.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"key": "other"},
        {"messages": [{"role": "user", "content": "Say 1."}]},
        {"prefix": "I"},
        {"stop": ("x",)},
        {"cap": 7},
        {"think": False},
    ],
)
def test_every_part_of_a_request_is_in_its_digest(change: dict[str, Any]) -> None:
    identity = {"backend": "b", "model": "m"}
    assert completion_key(identity, REQUESTS[0]._replace(**change), SAMPLING) != completion_key(
        identity, REQUESTS[0], SAMPLING
    )


def test_settings_are_in_the_digest_and_circumstances_are_not() -> None:
    identity = {"backend": "b", "model": "m", "versions": {"x": "1"}, "base_url": "http://a/v1", "device": "cpu"}
    key = completion_key(identity, REQUESTS[0], SAMPLING)
    for change in ({"cap": 9}, {"temperature": 0.5}, {"top_p": 0.9}, {"seed": 1}):
        assert completion_key(identity, REQUESTS[0], SAMPLING._replace(**change)) != key
    assert completion_key(identity, REQUESTS[0], SAMPLING._replace(batch_size=1)) == key
    assert completion_key(identity, REQUESTS[0]._replace(cap=8), SAMPLING) == key
    assert completion_key({**identity, "model": "n"}, REQUESTS[0], SAMPLING) != key
    elsewhere = {**identity, "versions": {}, "base_url": "http://b/v1", "device": "cuda"}
    assert completion_key(elsewhere, REQUESTS[0], SAMPLING) == key


def test_torn_lines_do_not_count_and_broken_ones_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [Kept(f"{i}", f"r{i}", Completion("\ud800 텍스트\u2028", 1, False)) for i in range(3)]
    with store.writing():
        store.put(rows[:2])
        whole = (tmp_path / "journal.jsonl").read_bytes()
        assert Store(tmp_path).get("1") == rows[1].completion  # another process reads meanwhile
    (tmp_path / "completions.jsonl").unlink()
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        (tmp_path / "journal.jsonl").write_bytes(whole[:cut])
        assert Store(tmp_path).get("0") is None
    again = Store(tmp_path)
    with again.writing():
        again.put(rows)
    assert [kept.completion for kept in read_completions(tmp_path / "completions.jsonl")] == [
        r.completion for r in rows
    ]
    (tmp_path / "journal.jsonl").write_text('{"key": "0"}\n')
    with pytest.raises(RaifError, match=r"journal.jsonl:1 is no completion; remove the line"):
        Store(tmp_path)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path).writing(), pytest.raises(RaifError, match="another process writes to"):
        complete(Echo(), REQUESTS, SAMPLING, Store(tmp_path))
    assert len(complete(Echo(), REQUESTS, SAMPLING, Store(tmp_path))) == 9


class Pairs(Echo):
    """Draws batches of two, and is stopped within one."""

    def batches(self, requests: Sequence[Request], sampling: Sampling) -> list[list[int]]:
        return [list(range(start, min(start + 2, len(requests)))) for start in range(0, len(requests), 2)]


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="the echo is gone"):
        complete(Pairs(fail_after=5), REQUESTS, SAMPLING, Store(tmp_path))
    rest = Pairs()
    assert len(complete(rest, REQUESTS, SAMPLING, Store(tmp_path))) == 9
    assert rest.asked == [request.key for request in REQUESTS[4:]]


def test_a_generator_that_forgets_is_found_out() -> None:
    class Forgetful(Echo):
        def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
            super().generate(requests[:-2], sampling, arrived)

    with pytest.raises(RaifError, match=r"returned nothing for 2 requests: item 7, item 8"):
        complete(Forgetful(), REQUESTS, SAMPLING)


def test_the_bar_shows_tokens_a_second_and_the_time_left() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120)
    with generation_progress(console, "mathif", 9) as progress:
        complete(Echo(), REQUESTS, SAMPLING, progress=progress)
    assert "mathif" in text.getvalue()
    assert "9/9" in text.getvalue()
    assert "tokens/s" in text.getvalue()


def test_the_finished_file_can_be_read_by_anything(tmp_path: Path) -> None:
    complete(Echo(), REQUESTS, SAMPLING, Store(tmp_path))
    rows = [json.loads(line) for line in (tmp_path / "completions.jsonl").read_text().split("\n") if line]
    assert [row["request"] for row in rows] == [request.key for request in REQUESTS]
    assert set(rows[0]) == {"key", "request", "text", "tokens", "ended", "stopped"}
