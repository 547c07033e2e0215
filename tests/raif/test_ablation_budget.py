"""A budget of sampled tokens ends a run at the right step, counts what a resumed run had sampled, and is recorded."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from raif.recipes import parse_arguments
from raif.rollouts import read_jsonl, read_rollouts
from raif.token_budget import sampled_tokens
from raif.train import train
from rewards.errors import RaifError

BUDGET = 1000


def run(policy: Path, data: Path, out: Path, **changes: Any) -> Path:
    """Train in this process, two optimiser steps a generation batch of eight rollouts and two direct answers."""
    settings = {
        "config": "smoke/cpu", "model_name_or_path": policy, "instructions": data, "output_dir": out,
        "max_completion_length": 48, "contrast_on": "all", "cloning_coefficient": 0.0, "num_iterations": 2,
        "per_device_train_batch_size": 8, "save_steps": 2, "max_steps": 40, "disable_tqdm": True,
        "max_rollout_tokens": BUDGET, **changes,
    }  # fmt: skip
    flags = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    final = train(*parse_arguments(flags))
    assert final is not None
    return final


def by_step(out: Path) -> Counter[int]:
    """Return the sampled tokens of every generation batch, direct answers included."""
    found: Counter[int] = Counter()
    for rollout in read_rollouts(out / "rollouts" / "rank0.jsonl"):
        found[rollout.step] += rollout.completion_tokens
    return found


def test_a_run_ends_with_the_cycle_in_which_its_budget_is_reached_and_a_resumed_one_there_too(
    policy: Path, smoke_data: Path, tmp_path: Path
) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    run(policy, smoke_data, whole)
    tokens = by_step(whole)
    done = json.loads((whole / "done.json").read_text(encoding="utf-8"))
    last = max(tokens)
    assert done["steps"] == last + 1 < 40  # the second step on the last batch
    assert sum(tokens.values()) >= BUDGET > sum(tokens.values()) - tokens[last]
    logged = {row["step"]: row["rollout_tokens"] for row in read_jsonl(whole / "metrics.jsonl")}
    assert logged[1] == logged[2] == tokens[1]
    assert logged[last + 1] == sampled_tokens(whole) == sum(tokens.values())
    assert not (whole / f"checkpoint-{last + 1}").exists()

    before = (whole / "metrics.jsonl").stat().st_mtime_ns
    assert run(policy, smoke_data, whole).is_dir()  # finished: nothing is trained
    assert (whole / "metrics.jsonl").stat().st_mtime_ns == before
    assert json.loads((whole / "done.json").read_text(encoding="utf-8")) == done

    run(policy, smoke_data, resumed, max_steps=2)
    assert sampled_tokens(resumed) == tokens[1] < BUDGET
    run(policy, smoke_data, resumed)
    assert by_step(resumed) == tokens
    assert sampled_tokens(resumed) == sum(tokens.values())


@pytest.mark.parametrize("value", [-1, True])
def test_a_budget_that_is_no_number_of_tokens_is_refused(value: Any) -> None:
    from raif.config import RAIFConfig

    with pytest.raises(RaifError, match="max_rollout_tokens must be a whole number"):
        RAIFConfig(
            output_dir="-",
            instructions="-",
            rewards=[{"type": "constraints"}],
            use_cpu=True,
            bf16=False,
            max_rollout_tokens=value,
        )
