"""What of the vLLM backend can be seen without vLLM: its arguments, how its outputs are read, and its absence."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from raif.generation import Completion, Request, Sampling
from raif.generation.opening import open_generator
from raif.generation.vllm import read_output, sampling_arguments
from rewards.errors import RaifError

SAMPLING = Sampling(cap=64, temperature=0.0, top_p=0.9, seed=1)


def test_each_request_has_its_own_arguments() -> None:
    plain, other = (sampling_arguments(Request(key, []), SAMPLING) for key in ("a", "b"))
    assert plain["seed"] != other["seed"]
    assert (plain["max_tokens"], plain["temperature"], plain["stop"]) == (64, 0.0, [])
    assert sampling_arguments(Request("a", [], cap=7, stop=("x",)), SAMPLING)["max_tokens"] == 7


@pytest.mark.parametrize(
    ("finish", "reason", "expected"),
    [
        ("stop", None, Completion("t", 2, True)),
        ("stop", "</think>", Completion("t", 2, True, "</think>")),
        ("stop", 151643, Completion("t", 2, True)),
        ("length", None, Completion("t", 2, False)),
    ],
)
def test_outputs_are_read(finish: str, reason: str | int | None, expected: Completion) -> None:
    output = SimpleNamespace(text="t", token_ids=[1, 2], finish_reason=finish, stop_reason=reason)
    assert read_output(output) == expected


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is installed")
def test_its_absence_says_what_to_install(policy: Path) -> None:
    with pytest.raises(RaifError, match=r"pip install 'raif\[vllm\]'"):
        open_generator("vllm", str(policy))
