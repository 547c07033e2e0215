"""Train a policy.

accelerate launch --config_file accelerate_configs/cpu.yaml -m raif.train --config recipes/smoke/cpu.yaml

One process needs no launcher: python -m raif.train --config recipes/smoke/cpu.yaml. Starting the same command again
resumes from the last whole checkpoint of `output_dir`; `--dry_run true` prints the plan and trains nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from accelerate import PartialState
from datasets import Dataset
from rich.console import Console
from trl import ModelConfig

from raif.card import record_recipe, write_card
from raif.chat import ChatFormat, ThinkFormat
from raif.checkpoints import CheckpointIntegrity
from raif.checks import check_data
from raif.config import RAIFConfig
from raif.data import TrainingData, check_cap, context_length, load_data, prompt_limit, resolve_sources
from raif.direct import Scores
from raif.hub import claim_repository, is_private, push
from raif.launch import check_launch, check_precision, check_sharding, record_launch
from raif.local_judge import judge_of
from raif.monitoring import add_monitoring, check_trackers
from raif.plan import make_plan
from raif.plan_text import render_plan
from raif.policy import check_model_options, keep_gradients_of_4bit, model_init_kwargs, peft_config, quantization_config
from raif.recipes import parse_arguments, recipe_named
from raif.references import read_references
from raif.run_folder import decided_by_main, finish_run, open_run, run_settings, write_json
from raif.starting import announce, open_chat, resolve_policy, run_to_end, run_training
from raif.token_budget import TokenBudget, length_asked
from raif.trainer import RAIFTrainer
from rewards.errors import RaifError
from rewards.reward import Scorer
from rewards.reward_errors import ErrorFile
from rewards.reward_functions import RolloutReward, parse_instruction

if TYPE_CHECKING:
    from raif.sustain.guard import Guarded

logger = logging.getLogger("raif")
_DIRECT_MARKS = 16  # tokens by which a thinking-free prompt may be longer: an empty think block


class Ready(NamedTuple):
    """Everything that is resolved before a policy is loaded."""

    policy: str
    tokenizer: Any
    think: ThinkFormat
    data: TrainingData
    guard: Guarded | None = None


def train(config: RAIFConfig, model: ModelConfig, arguments: Sequence[str] = ()) -> Path | None:
    """Train as the recipe says; return the folder of the final model, None if a signal stopped the run before.

    `arguments` are the flags that were parsed, for the record.
    """
    output = Path(config.output_dir)
    state = PartialState(cpu=config.use_cpu)
    announce(state, config.cpu_threads)
    check_launch(state)
    check_precision(config)
    check_trackers(config.report_to)
    ready = get_ready(config, model, state)
    references = read_references(config, [row["id"] for row in ready.data.rows])
    if config.dry_run:
        print_plan(config, model, ready, state, recipe_named(arguments))
        return None
    repository = claim_repository(config, state.is_main_process)
    settings = run_settings(config, model, ready.data.rows, state.num_processes)
    if decided_by_main(lambda: open_run(output, length_asked(settings, output), config.resume_with_changes)):
        logger.info("%s holds this run, finished; a larger max_steps would go on with it", output)
        return output / "final"
    if state.is_main_process:
        record_recipe(arguments, output)
        write_json(output / "data_report.json", ready.data.report)
        record_launch(output, state)
    trainer = build_trainer(config, model, ready, references)
    if not run_to_end(trainer, output, state):
        return None
    if state.is_main_process:
        finish_run(output, trainer.state.global_step, state.num_processes)
        write_card(output, (repository or "").rpartition("/")[2])
        if repository:
            address = push(output, repository, is_private(config), token=config.hub_token)
            logger.info("the final policy is at %s", address)
    state.wait_for_everyone()
    return output / "final"


def get_ready(config: RAIFConfig, model: ModelConfig, state: PartialState) -> Ready:
    """Make what the recipe wants made, find the policy, and read the data."""
    output = Path(config.output_dir)
    check_model_options(model)
    with state.main_process_first():
        sources = resolve_sources(config, output)
        data = Path(sources[0].source)
        folder = data if data.is_dir() else data.parent
        policy = resolve_policy(str(model.model_name_or_path), folder, output, config.seed)
    chat, think = open_chat(
        policy, model.model_revision, config.trust_remote_code, config.chat_template_kwargs, config.think_style
    )
    positions = _positions(config, policy)
    loaded = load_data(config, sources, chat, think, positions)
    for line in loaded.lines():
        logger.info("%s", line)
    check_cap(loaded.rows, chat, config.max_completion_length)
    check_data(config, loaded.rows, think.style)
    guard = _open_guard(config, chat, positions, loaded.rows)
    if config.use_vllm and config.vllm_max_model_length is None:  # else vLLM keeps room for the policy's whole context
        asked = [chat.thinking_prompt(row["prompt"]) for row in (*loaded.rows, *loaded.held_out)]
        longest = max([*chat.lengths(asked), guard.longest if guard else 0])
        config.vllm_max_model_length = longest + _DIRECT_MARKS + config.max_completion_length
    opened = "opened by the chat template" if think.prefilled else "opened by the model"
    logger.info("thinking is marked in style %s, %s", think.style, opened)
    return Ready(policy, chat.tokenizer, think, loaded, guard)


def _open_guard(
    config: RAIFConfig, chat: ChatFormat, positions: int, rows: Sequence[Mapping[str, Any]]
) -> Guarded | None:
    if not config.sustain_guard:
        return None
    from raif.sustain.guard import open_guard

    trained = {parse_instruction(row["instruction"]).request for row in rows}
    return open_guard(config, chat, prompt_limit(positions, config.cap.limit), trained)


def _positions(config: RAIFConfig, policy: str) -> int:
    """Return how many tokens of prompt and completion together the policy, and vLLM if used, can take."""
    limits = [context_length(policy, config.trust_remote_code)]
    limits += [config.vllm_max_model_length or 0] if config.use_vllm else []
    return min((limit for limit in limits if limit), default=0)


def print_plan(config: RAIFConfig, model: ModelConfig, ready: Ready, state: PartialState, recipe: str = "") -> None:
    """Print what a run would do and write it to `plan.json`; a plan that cannot work is an error."""
    judge = judge_of(config.reward_entries)
    if judge is not None:
        judge.probe()
    plan = make_plan(
        config, model, ready.policy, ready.tokenizer, ready.think, ready.data.rows, state.num_processes,
        judge=judge, held_out=len(ready.data.held_out), recipe=recipe,
    )  # fmt: skip
    if state.is_main_process:
        render_plan(plan, Console())
        write_json(Path(config.output_dir) / "plan.json", plan.record())
    if plan.errors:
        raise RaifError("; ".join(plan.errors))


def build_reward(config: RAIFConfig, think: ThinkFormat) -> RolloutReward:
    """Return what scores rollouts; a judge is probed now, not after the first generation."""
    judge = judge_of(config.reward_entries)
    if judge is not None:
        judge.probe()
    scorer = Scorer(config.reward_entries, config.cap, judge=judge, on_error=config.on_reward_error)  # type: ignore[arg-type]
    errors = ErrorFile(Path(config.output_dir) / "reward_errors.jsonl")
    return RolloutReward(scorer, style=think.style, prefilled=think.prefilled, errors=errors)


def build_trainer(
    config: RAIFConfig, model: ModelConfig, ready: Ready, references: Scores | None = None
) -> RAIFTrainer:
    """Assemble the trainer: policy, reward, data and callbacks."""
    if config.use_vllm and find_spec("vllm") is None:
        raise RaifError("use_vllm needs vllm, which is not installed: `pip install 'raif[vllm]'`, or use_vllm: false.")
    reward = build_reward(config, ready.think)
    config.model_init_kwargs = model_init_kwargs(model, config.model_init_kwargs)  # type: ignore[arg-type]
    trainer = RAIFTrainer(
        model=ready.policy,
        reward=reward,
        args=config,
        references=references,
        train_dataset=Dataset.from_list(ready.data.rows),
        eval_dataset=Dataset.from_list(ready.data.held_out) if ready.data.held_out else None,
        processing_class=ready.tokenizer,
        quantization_config=quantization_config(model),
        peft_config=peft_config(model, ready.policy, config.trust_remote_code),
        callbacks=[CheckpointIntegrity()],
    )
    check_sharding(trainer.accelerator)
    keep_gradients_of_4bit(trainer.model)
    reward.eos_token_ids = frozenset(trainer.eos_token_ids)
    trainer.add_callback(TokenBudget(trainer))
    add_monitoring(trainer)
    if ready.guard is not None:
        from raif.sustain.guard import SustainGuard

        trainer.add_callback(SustainGuard(trainer, ready.guard, ready.think))
    return trainer


def main() -> None:
    """Run the command; see `raif.starting.run_training` for its exit codes."""

    def start() -> bool:
        config, model = parse_arguments()
        return train(config, model, sys.argv[1:]) is None and not config.dry_run

    run_training(start)


if __name__ == "__main__":
    main()
