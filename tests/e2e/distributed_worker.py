"""What tests/e2e/test_distributed.py lets every rank of a launch do: one update on dictated rollouts, then short runs.

Each part writes its own folder below --out: `update` is an update to compare with that of one process, `full` and
`lora` are runs of two steps that are started again with four. With --native an update and a run follow in `native`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from transformers import AutoTokenizer
from trl import GRPOTrainer, ModelConfig

from raif.chat import ChatFormat
from raif.config import RAIFConfig
from raif.policy import model_init_kwargs
from raif.recipes import parse_arguments
from raif.train import train
from raif.trainer import RAIFTrainer
from rewards import RolloutReward, Scorer
from tests.support import example_rows

THINKING = ("ok</think>It is fine.", "ok</think>It, is fine.", "ok</think>It, is, not very fine.", "It never closes")
DIRECT = ("It is fine.", "It, is fine.", "It, is, not very fine.")
GENERATIONS = 4


def dictate_by_prompt(prompt_ids: list[list[int]], tokenizer: Any) -> list[list[int]]:
    """Return completions that depend on the prompt and its repetition alone, whatever rank asks for them."""
    seen: Counter[str] = Counter()
    texts = []
    for prompt in tokenizer.batch_decode(prompt_ids):
        number = int(prompt.partition("kind ")[2].partition(".")[0])
        choices = DIRECT if prompt.endswith("</think>") else THINKING
        texts.append(choices[(number + seen[prompt]) % len(choices)])
        seen[prompt] += 1
    return [[*row, tokenizer.eos_token_id] for row in ChatFormat(tokenizer).ids(texts)]


def update(policy: Path, out: Path, ranks: int, model: Any = None) -> None:
    """Take two SGD steps with contrast and cloning over the same 8 rollouts a step, and save the weights."""

    def generate(self: GRPOTrainer, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> Any:
        return dictate_by_prompt(prompt_ids, self._tokenizer), None

    original = GRPOTrainer._generate_single_turn
    GRPOTrainer._generate_single_turn = generate
    config = RAIFConfig(
        output_dir=str(out),
        instructions="unused",
        rewards=[{"type": "constraints"}],
        max_completion_length=24,
        num_generations=GENERATIONS,
        per_device_train_batch_size=8 // ranks,
        gradient_accumulation_steps=2,
        max_steps=2,
        learning_rate=0.1,
        optim="sgd",
        max_grad_norm=0.0,
        lr_scheduler_type="constant",
        loss_type="dapo",
        contrast="online",
        contrast_level="rollout",
        cloning_coefficient=0.3,
        shuffle_dataset=False,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        model_init_kwargs=model_init_kwargs(ModelConfig(), model),
    )
    tokenizer = AutoTokenizer.from_pretrained(policy, padding_side="left")
    trainer = RAIFTrainer(
        model=str(policy),
        reward=RolloutReward(Scorer(config.reward_entries, config.cap), [tokenizer.eos_token_id]),
        args=config,
        train_dataset=Dataset.from_list(example_rows(8)),
        processing_class=tokenizer,
    )
    try:
        trainer.train()
    finally:
        GRPOTrainer._generate_single_turn = original
    trainer.save_model(str(out))
    if trainer.accelerator.is_main_process:
        plugin = trainer.accelerator.state.deepspeed_plugin
        found = {
            "strategy": str(trainer.accelerator.distributed_type).rpartition(".")[2],
            "stage": plugin.zero_stage if plugin else 0,
            "parameters": type(next(trainer.model.parameters())).__name__,
        }
        (out / "found.json").write_text(json.dumps(found), encoding="utf-8")


def short_runs(common: list[str], out: Path, *flags: str) -> None:
    """Train for two steps, then start the same run again with four."""
    for steps in ("2", "4"):
        train(*parse_arguments([*common, "--output_dir", str(out), "--max_steps", steps, *flags]))


def native(policy: Path, common: list[str], out: Path, ranks: int) -> None:
    """Shard while loading, with transformers' own FSDP2, which transformers refuses to resume."""
    shards = {"distributed_config": {"fsdp_size": ranks}}
    update(policy, out / "update", ranks, shards)
    sharded = ["--model_init_kwargs", json.dumps(shards), "--save_strategy", "no"]
    train(*parse_arguments([*common, *sharded, "--output_dir", str(out / "full"), "--max_steps", "2"]))


def main() -> None:
    """Do the parts that the command line names."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("policy", "data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--native", action="store_true", help="let what `native` does follow")
    given = parser.parse_args()
    torch.set_num_threads(1)
    ranks = PartialState(cpu=True).num_processes
    update(given.policy, given.out / "update", ranks)
    common = ["--config", "recipes/smoke/cpu.yaml", "--model_name_or_path", str(given.policy), "--disable_tqdm", "true"]
    common += ["--instructions", str(given.data), "--max_completion_length", "96", "--num_generations", "2"]
    common += ["--per_device_train_batch_size", "4", "--save_steps", "2", "--warmup_steps", "0"]
    short_runs(common, given.out / "full")
    short_runs(common, given.out / "lora", "--use_peft", "--lora_target_modules", "all-linear")
    if given.native:
        native(given.policy, common, given.out / "native", ranks)


if __name__ == "__main__":
    main()
