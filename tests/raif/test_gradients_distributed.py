"""Two ranks over gloo, launched as a user would: the gradient is still that of the objective's definition."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.raif.gradient_proof import Proof
from tests.raif.gradient_support import EVERYTHING, LOSSES, TOLERANCE, cutting

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2"]
LAUNCH += ["--config_file", str(ROOT / "accelerate_configs/cpu.yaml")]
ROLLOUTS = 8  # of a rank in a generation batch: two prompts
TWICE = {"num_iterations": 2, "max_steps": 2}
CASES: dict[str, dict[str, Any]] = {
    f"{loss}-{accumulation}": EVERYTHING | TWICE | LOSSES[loss] | cutting(ROLLOUTS, accumulation)
    for loss in LOSSES
    for accumulation in (1, 2, 4)
}
CASES["several-steps"] = EVERYTHING | {
    "loss_type": "bnpo",
    "scale_rewards": "batch",
    "steps_per_generation": 4,
    "gradient_accumulation_steps": 2,
    "per_device_train_batch_size": 2,
    "max_steps": 4,
}
CASES["several-batches"] = EVERYTHING | {
    "loss_type": "dapo",
    "cloning_packing": True,
    "cloning_gate": "expert_better",
    "contrast_level": "prompt",
    "steps_per_generation": 1,
    "gradient_accumulation_steps": 2,
    "per_device_train_batch_size": 8,
    "max_steps": 3,
}


@pytest.fixture(scope="module")
def runs(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every case in one pair of processes."""
    out = tmp_path_factory.mktemp("two-ranks")
    cases = out / "cases.json"
    cases.write_text(json.dumps(CASES), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    worker = ["--main_process_port", port, "-m", "tests.raif.gradient_worker", str(policy), str(out), str(cases)]
    done = subprocess.run([*LAUNCH, *worker], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return out


@pytest.mark.parametrize("case", CASES)
def test_gradient_of_two_ranks(policy: Path, runs: Path, case: str) -> None:
    ranks = [torch.load(runs / case / f"observed{rank}.pt", weights_only=False) for rank in range(2)]
    for mine, other in zip(ranks[0].parameters, ranks[1].parameters, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)
    assert ranks[0].generations[0] != ranks[1].generations[0]
    proof = Proof(policy, ranks)
    assert max(proof.errors()) < TOLERANCE
    generations = len(ranks[0].generations)
    by_rule = [Counter(proof.experts_by_rule(number)) for number in range(generations)]
    assert [Counter(proof.experts_of_passes(number)[0]) for number in range(generations)] == by_rule


def test_a_rank_may_have_no_expert(runs: Path) -> None:
    """The cases hold steps in which only one of the ranks has an expert, so that gradients exist on that one alone."""
    ranks = [torch.load(runs / "several-steps" / f"observed{rank}.pt", weights_only=False) for rank in range(2)]
    live = [{batch.step for batch in rank.batches if batch.experts} for rank in ranks]
    assert live[0] != live[1]
