"""The folder in which a judge remembers what it was told, shared by processes that may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rewards import RaifError
from rewards.judge import Judge, JudgeConfig
from rewards.judge.cache import ReadingCache
from rewards.judge.opinions import Reading
from tests.judge_server import FORMAL, LIKELY_YES, Answer, ChatServer, chat, constantly, judge, questions

ROOT = Path(__file__).resolve().parents[2]


def test_the_cache_answers_for_the_judge_and_thresholds_are_applied_afterwards(tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    with ChatServer(constantly(chat("Yes", LIKELY_YES))) as server:
        first = judge(server, cache=folder).ask(questions(3))
        again = judge(server, cache=folder)
        assert again.ask(questions(3)) == first
        assert again.counts["cached"] == len(server.bodies) == 3
        assert judge(server, cache=folder, threshold=0.9).ask(questions(1))[0].yes is False
        assert judge(server, cache=folder, abstain=0.5).ask(questions(1))[0].status == "abstained"
        assert len(server.bodies) == 3
        for other in ({"model": "other"}, {"mode": "text"}, {"seed": 1}, {"extra_body": {"top_k": 1}}):
            judge(server, cache=folder, **other).ask(questions(1))
        assert len(server.bodies) == 7


def test_what_went_wrong_is_not_remembered(tmp_path: Path) -> None:
    replies = [Answer({}, 500), Answer(chat("maybe")), Answer(chat("Yes"))]
    with ChatServer(lambda number, request: replies[number]) as server:
        asked = judge(server, cache=str(tmp_path / "cache"), retries=0)
        assert [asked.ask([FORMAL])[0].status for _ in range(4)] == ["failed", "unparsed", "answered", "answered"]
    assert len(server.bodies) == 3


def test_a_cache_at_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RaifError, match=r"cannot be read .*; name a folder"):
        Judge(JudgeConfig(model="m", base_url="http://127.0.0.1:9/v1", cache=str(tmp_path / "file")))


@pytest.mark.parametrize("when", ["before asking", "while asking"])
def test_a_cache_that_breaks_costs_no_opinion(tmp_path: Path, caplog: pytest.LogCaptureFixture, when: str) -> None:
    folder = tmp_path / "cache"

    def script(number: int, request: Mapping[str, Any]) -> Answer:
        folder.touch()  # a file where the folder should be made
        return Answer(chat("Yes", LIKELY_YES))

    with ChatServer(script) as server:
        asked = judge(server, cache=str(folder))
        if when == "before asking":
            folder.touch()
        assert [opinion.yes for opinion in asked.ask(questions(3))] == [True] * 3
    assert caplog.text.count("goes on without its cache") == 1


WRITER = """
import sys
from itertools import count
from rewards.judge.cache import ReadingCache
from rewards.judge.opinions import Reading
cache = ReadingCache(sys.argv[1])
for number in count():
    cache.put(f"{sys.argv[2]}-{number}", Reading(number / 1e9, None, "x" * 200))
"""


def test_processes_share_a_cache_and_a_killed_one_loses_nothing(tmp_path: Path) -> None:
    reader = ReadingCache(tmp_path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], cwd=ROOT) for name in "ab"]
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not (reader.get("a-300") and reader.get("b-300")):
        time.sleep(0.02)
        reader.refresh()
    for writer in writers:
        writer.kill()
        writer.wait()
    [torn, _] = sorted(tmp_path.glob("*.jsonl"))
    with torn.open("ab") as file:
        file.write(b'{"key": "torn", "proba')
    reader.refresh()
    fresh = ReadingCache(tmp_path)
    for name in "ab":
        written = sum(path.read_bytes().count(f'"{name}-'.encode()) for path in tmp_path.glob("*.jsonl"))
        assert written > 300
        for cache in (reader, fresh):
            assert all(cache.get(f"{name}-{n}") == Reading(n / 1e9, None, "x" * 200) for n in range(written - 1))
    assert fresh.get("torn") is None
    fresh.put("mine", Reading(None, True, "Yes"))
    reader.refresh()
    assert reader.get("mine") == Reading(None, True, "Yes")


def test_a_forked_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    cache = ReadingCache(tmp_path)
    cache.put("parent", Reading(0.1, None))
    child = os.fork()
    if child == 0:
        cache.put("child", Reading(0.2, None))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    cache.refresh()
    assert cache.get("child") == Reading(0.2, None)
    assert [len(path.read_text().splitlines()) for path in tmp_path.iterdir()] == [1, 1]


def test_lines_that_are_no_readings_are_passed_over(tmp_path: Path) -> None:
    good = json.dumps({"key": "good", "probability": 0.5, "yes": None, "said": ""})
    (tmp_path / "x.jsonl").write_text(f'not json\n{{"key": "bad"}}\n[1]\n{good}\n')
    cache = ReadingCache(tmp_path)
    assert (cache.get("good"), cache.get("bad")) == (Reading(0.5, None), None)
