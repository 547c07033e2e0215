"""Completions from a real `transformers serve`: both endpoints, a kill -9 of the client, and a server that dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from raif.generation import Request, Sampling
from raif.generation.local import LocalModel
from raif.generation.opening import open_generator
from raif.generation.run import complete
from raif.generation.served import Limits
from raif.generation.store import Store
from rewards.errors import RaifError
from tests import forked
from tests.transformers_server import serving

pytestmark = pytest.mark.slow
SAMPLING = Sampling(cap=12, temperature=0.0)
LIMITS = Limits(concurrency=3, timeout=60.0, retries=1, backoff=0.1)
PAUSE = 0.0  # seconds after each completion of a client that is killed


def requests(count: int) -> list[Request]:
    return [Request(f"k{i}", [{"role": "user", "content": "Say something kind. " * (i % 5 + 1)}]) for i in range(count)]


@pytest.fixture(scope="module")
def served(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(policy, tmp_path_factory.mktemp("server")) as address:
        yield address


def test_both_endpoints_say_what_the_local_model_says(served: str, policy: Path) -> None:
    asked = requests(6)
    expected = complete(LocalModel(str(policy)), asked, SAMPLING)
    chat = open_generator("openai", str(policy), base_url=served, limits=LIMITS)
    # the template opens the thinking; the server sends it apart, also where a cap has cut it off
    assert complete(chat, asked, SAMPLING) == [each._replace(text=f"<think>{each.text}") for each in expected]
    text = open_generator("openai", str(policy), base_url=served, limits=LIMITS, tokenizer=str(policy))
    assert complete(text, asked, SAMPLING) == expected
    changed = [each._replace(prefix="at most", stop=("e", "o"), think=number > 2) for number, each in enumerate(asked)]
    drawn, local = complete(text, changed, SAMPLING), complete(LocalModel(str(policy)), changed, SAMPLING)
    assert [each._replace(tokens=0) for each in drawn] == [each._replace(tokens=0) for each in local]
    assert all(0 < each.tokens <= 12 for each in drawn)
    assert any(each.stopped for each in drawn)


def test_a_killed_client_goes_on_to_the_same_bytes(served: str, policy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    output = tmp_path / "said"
    command = ["tests.e2e.test_generation_server", policy, folder, 30, served]
    client = forked.start("tests.raif.generation_worker", command, output, errors=tmp_path / "errors")
    forked.counted(client, output, 5)
    forked.killed(client)
    held = len((folder / "journal.jsonl").read_text().split("\n")) - 1
    assert 5 <= held < 30
    seen: list[int] = []
    generator = open_generator("openai", str(policy), base_url=served, limits=LIMITS)
    again = complete(generator, requests(30), SAMPLING, Store(folder), lambda done, tokens: seen.append(done))
    assert seen[0] >= held - 1
    fresh = complete(generator, requests(30), SAMPLING, Store(tmp_path / "fresh"))
    assert again == fresh
    assert (folder / "completions.jsonl").read_bytes() == (tmp_path / "fresh/completions.jsonl").read_bytes()


def test_what_came_before_the_server_was_gone_is_kept(served: str, policy: Path, tmp_path: Path) -> None:
    """The address is no part of what completions are bound to: a server may come back at another port."""
    generator = open_generator("openai", str(policy), base_url=served, limits=LIMITS)
    before = complete(generator, requests(4), SAMPLING, Store(tmp_path))
    gone = open_generator("openai", str(policy), base_url="http://127.0.0.1:9/v1", limits=LIMITS)
    with pytest.raises(RaifError, match=r"no connection.*run the same command again, it goes on"):
        complete(gone, requests(8), SAMPLING, Store(tmp_path))
    assert complete(gone, requests(4), SAMPLING, Store(tmp_path)) == before
    assert complete(generator, requests(8), SAMPLING, Store(tmp_path))[:4] == before
