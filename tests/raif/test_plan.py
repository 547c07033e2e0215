"""The plan of a run: its numbers are those of real models, real optimisers and a real run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model
from rich.console import Console
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, PreTrainedModel, Qwen3Config, Trainer
from trl import ModelConfig
from trl.trainer.utils import add_fused_lm_head

from raif import memory
from raif.chat import ChatFormat
from raif.config import RAIFConfig
from raif.memory import Sharding
from raif.plan import Plan, make_plan
from raif.plan_text import render_plan
from raif.policy import peft_config
from raif.rollouts import read_rollouts
from rewards.errors import RaifError
from rewards.instruction import Instruction
from tests.support import MakeTrainer, example_instruction, example_rows

ALONE = Sharding("one process")


def settings(folder: Path, **overrides: Any) -> RAIFConfig:
    """Return the settings of a small run on the CPU."""
    values: dict[str, Any] = {
        "output_dir": str(folder / "run"), "instructions": "unused", "rewards": [{"type": "constraints"}],
        "max_completion_length": 24, "num_generations": 4, "per_device_train_batch_size": 4, "max_steps": 4,
        "save_steps": 2, "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "report_to": [],
        "lr_scheduler_type": "constant",
    }  # fmt: skip
    return RAIFConfig(**(values | overrides))


def plan_of(policy: Path, config: RAIFConfig, rows: list[dict[str, Any]] | None = None, **more: Any) -> Plan:
    """Plan a run on the tiny policy."""
    tokenizer = AutoTokenizer.from_pretrained(policy, padding_side="left")
    think = ChatFormat(tokenizer).probe()
    model = ModelConfig(model_name_or_path=str(policy), **more.pop("model", {}))
    return make_plan(config, model, str(policy), tokenizer, think, rows or example_rows(8), **more)


def tensor_bytes(value: Any) -> int:
    """Count the bytes of all tensors in nested mappings and lists."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return sum(map(tensor_bytes, parts))


def shaped(shape: Any) -> PreTrainedModel:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(shape)


QWEN3 = Qwen3Config(
    vocab_size=2048, hidden_size=256, intermediate_size=768, num_hidden_layers=4, num_attention_heads=8,
    num_key_value_heads=2, head_dim=32, tie_word_embeddings=True,
)  # fmt: skip
MISTRAL = MistralConfig(
    vocab_size=512, hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, sliding_window=12,
)  # fmt: skip


@pytest.mark.parametrize("optim", ["adamw_torch", "sgd", "adagrad", "rmsprop", "adafactor"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_weights_gradients_and_optimiser_states_are_those_of_a_real_step(
    tmp_path: Path, optim: str, dtype: torch.dtype
) -> None:
    config = settings(tmp_path, optim=optim, learning_rate=1e-3)
    built = shaped(QWEN3).to(dtype)
    built(input_ids=torch.ones(1, 4, dtype=torch.long), labels=torch.ones(1, 4, dtype=torch.long)).loss.backward()
    kind, arguments = Trainer.get_optimizer_cls_and_kwargs(config)
    optimizer = kind(built.parameters(), **arguments)
    optimizer.step()
    parts = {part.name: part.bytes for part in memory._stored(built, config, ModelConfig(), ALONE)}
    parameters = list(built.parameters())
    assert parts["weights"] == tensor_bytes(parameters)
    assert parts["gradients"] == tensor_bytes([p.grad for p in parameters])
    assert parts["optimizer"] == pytest.approx(tensor_bytes(optimizer.state_dict()["state"]), rel=0.01)


@pytest.mark.parametrize("shape", [QWEN3, MISTRAL], ids=["full", "sliding window"])
def test_the_cache_is_that_of_a_real_generation(shape: Any) -> None:
    prompt, new, rows = 7, 20, 3
    found = shaped(shape).generate(
        torch.ones(rows, prompt, dtype=torch.long), min_new_tokens=new, max_new_tokens=new, do_sample=False,
        return_dict_in_generate=True, pad_token_id=0,
    )  # fmt: skip
    measured = sum(tensor_bytes([layer.keys, layer.values]) for layer in found.past_key_values.layers)
    assert memory.kv_cache_bytes(shape, rows, prompt + new - 1, 4) == measured  # the last token is never fed back


@pytest.mark.parametrize("checkpointing", [False, True])
def test_activations_are_roughly_those_of_a_real_forward(checkpointing: bool) -> None:
    built, rows, length = shaped(QWEN3).train(), 2, 128
    add_fused_lm_head(built, temperature=1.0)
    owned = {p.untyped_storage().data_ptr() for p in built.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    if checkpointing:
        built.gradient_checkpointing_enable({"use_reentrant": False})
    ids = torch.ones(rows, length, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = built(input_ids=ids, labels=ids, fused_lm_head=True, use_cache=False)
    estimated = memory.activation_bytes(QWEN3, rows * length, 4, checkpointing)
    one_layer = memory.activation_bytes(QWEN3, rows * length, 4, False) // QWEN3.num_hidden_layers
    estimated -= one_layer if checkpointing else 0  # it is computed again in the backward pass only
    assert output.log_probs.shape[0] == rows
    assert 0.5 < estimated / sum(kept.values()) < 2


def test_4_bit_weights_are_those_of_bitsandbytes() -> None:
    bnb = pytest.importorskip("bitsandbytes.functional")
    weight = torch.randn(96, 256)
    for nested in (False, True):
        packed, state = bnb.quantize_4bit(weight, blocksize=64, quant_type="nf4", compress_statistics=nested)
        scales = [state.absmax, *([state.state2.absmax] if nested else [])]
        model = ModelConfig(use_peft=True, load_in_4bit=True, use_bnb_nested_quant=nested)
        assert memory._quantized_bytes(weight, model) == tensor_bytes([packed, *scales])


def test_adapters_are_counted_as_peft_makes_them(policy: Path, tmp_path: Path) -> None:
    options = {"use_peft": True, "lora_r": 4, "dtype": "bfloat16"}
    config, model = settings(tmp_path, beta=0.1), ModelConfig(model_name_or_path=str(policy), **options)
    plan = plan_of(policy, config, model=options)
    real = get_peft_model(
        AutoModelForCausalLM.from_pretrained(policy, dtype=torch.bfloat16), peft_config(model, str(policy))
    )
    assert (plan.policy.trained, plan.policy.parameters) == real.get_nb_trainable_parameters()
    parts = {part.name: part.bytes for part in plan.memory.parts}
    assert parts["weights"] == tensor_bytes(list(real.parameters()))
    assert parts["gradients"] == tensor_bytes([p for p in real.parameters() if p.requires_grad])
    assert "reference model" not in parts  # the policy without its adapters is the reference
    quantized = plan_of(policy, config, model={**options, "load_in_4bit": True})
    assert quantized.memory.parts[0].bytes < parts["weights"]
    assert quantized.policy.dtype == "bfloat16"


ZERO = {"ACCELERATE_USE_DEEPSPEED": "true"}


@pytest.mark.parametrize(
    ("environment", "name", "shares"),
    [
        ({}, "DDP", (1, 1, 1)),
        (ZERO | {"ACCELERATE_DEEPSPEED_ZERO_STAGE": "1"}, "ZeRO-1", (1, 1, 4)),
        (ZERO | {"ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"}, "ZeRO-2", (1, 4, 4)),
        (ZERO | {"ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"}, "ZeRO-3", (4, 4, 4)),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_launcher_divides_what_it_divides(
    policy: Path, tmp_path: Path, environment: dict[str, str], name: str, shares: tuple[int, ...]
) -> None:
    config = settings(tmp_path, optim="adamw_torch")
    sharding = memory.sharding_of(config, 4, environment)
    built = memory.build_on_meta(str(policy), config, ModelConfig(), sharding)
    parts = {part.name: part.bytes for part in memory._stored(built, config, ModelConfig(), sharding)}
    weights = tensor_bytes(list(AutoModelForCausalLM.from_pretrained(policy).parameters()))
    whole = weights, weights, (3 if environment else 2) * weights  # DeepSpeed keeps its own fp32 weights
    assert sharding.name == name
    expected = [round(count / share) for count, share in zip(whole, shares, strict=True)]
    assert [parts["weights"], parts["gradients"], parts["optimizer"]] == expected
    assert ("buckets" in parts) == (name == "DDP")


def test_the_launchers_of_accelerate_and_deepspeed_files_are_told_apart(tmp_path: Path) -> None:
    fsdp, config = {"ACCELERATE_USE_FSDP": "true"}, settings(tmp_path)
    assert memory.sharding_of(config, 2, fsdp).name == "DDP, as accelerate has no FSDP on a CPU"
    config.use_cpu, config.bf16 = False, True
    assert memory.sharding_of(config, 2, fsdp) == Sharding("FSDP", 2, True, True, True, wide=True)
    file = tmp_path / "zero.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}}))
    named = ZERO | {"ACCELERATE_DEEPSPEED_CONFIG_FILE": str(file)}
    assert memory.sharding_of(config, 2, named) == Sharding("ZeRO-2", 2, False, True, True, True, offload=True)


def test_the_schedule_is_that_of_a_real_run(policy: Path, tmp_path: Path, make_trainer: MakeTrainer) -> None:
    options = {
        "max_steps": -1, "num_train_epochs": 2, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
        "num_iterations": 2, "contrast": "online", "contrast_warmup_steps": 1, "num_direct_generations": 3,
        "cloning_coefficient": 0.1, "save_strategy": "steps", "save_steps": 4, "cap_curriculum": [6, 12],
        "max_completion_length": 12, "learning_rate": 1e-3, "save_only_model": True, "cloning_schedule": "linear",
        "lr_scheduler_type": "cosine", "warmup_steps": 2, "contrast_margin": -0.5, "contrast_margin_end": 0.5,
    }  # fmt: skip
    rows = example_rows(5)
    plan = plan_of(policy, settings(tmp_path, **options), rows)
    trainer = make_trainer(rows, **options)
    trainer.train()
    schedule, state = plan.schedule, trainer.state
    rollouts = list(read_rollouts(Path(trainer.args.output_dir) / "rollouts" / "rank0.jsonl"))
    assert schedule.optimizer_steps == state.max_steps == 8
    assert schedule.thinking_total == sum(not rollout.direct for rollout in rollouts)
    assert schedule.direct_total == sum(rollout.direct for rollout in rollouts) > 0
    assert schedule.generation_batches == len({rollout.step for rollout in rollouts})
    assert schedule.generated_tokens >= sum(rollout.completion_tokens for rollout in rollouts)
    assert schedule.checkpoints == len(list(Path(trainer.args.output_dir).glob("checkpoint-*")))
    at = {log["step"]: log for log in state.log_history if "learning_rate" in log}
    for dial, step in zip(plan.dials, (0, 2, 4, 6, 7), strict=True):
        assert dial.learning_rate == pytest.approx(at[step + 1]["learning_rate"])
        assert dial.cloning_coefficient == pytest.approx(at[step + 1]["cloning/coefficient"])
        if "caps/limit" in at[step + 1]:
            assert dial.cap == at[step + 1]["caps/limit"]
        if "contrast/margin" in at[step + 1]:
            assert dial.contrast_margin == pytest.approx(at[step + 1]["contrast/margin"])
    assert plan.dials[0].contrast_margin is None


def test_token_bounds_follow_curriculum_and_source_caps(policy: Path, tmp_path: Path) -> None:
    rows = [{**row, "source": "maths" if i % 2 else "instructions", "cap": i % 2 * 8} for i, row in
            enumerate(example_rows(8, expert=""))]  # fmt: skip
    config = settings(
        tmp_path, cap_curriculum=[6, 24], source_caps={"maths": 8}, mix=[{"name": "maths", "source": "-"}]
    )
    schedule = plan_of(policy, config, rows, ranks=2).schedule
    assert schedule.thinking_total == 4 * 4 * 2
    assert schedule.generated_tokens == 4 * 4 * 2 * (6 + (24 + 8) / 2) / 2
    assert schedule.generated_tokens_per_step == schedule.trained_tokens_per_step == 4 * 2 * (24 + 8) / 2


def test_eight_rows_show_ceiling_and_floor_and_name_what_fails(policy: Path, tmp_path: Path) -> None:
    rows = [{**row, "source": f"part{i % 3}"} for i, row in enumerate(example_rows(20))]
    plan = plan_of(policy, settings(tmp_path, rewards=[{"type": "constraints"}, {"type": "qa_answer"}]), rows)
    assert len(plan.scored) == 8
    assert {row.source for row in plan.scored} == {"part0", "part1", "part2"}
    assert all(row.origin == "expert" and row.ceiling == 1 > row.floor for row in plan.scored)
    assert plan.rewards["qa_answer"].startswith("pays nothing")
    broken = plan_of(policy, settings(tmp_path), example_rows(8, "So.</think>One, two and three more words."))
    assert {leaf.partition(" ")[0] for leaf in broken.scored[0].failed} == {"length:max_words", "punctuation:no_comma"}
    assert any(f"row {broken.scored[0].id}" in text and "no_comma violated" in text for text in broken.warnings)


def with_answer(number: int, **fields: Any) -> dict[str, Any]:
    """Return a row of another task: without expert, with the given fields of an instruction."""
    task = example_instruction(number)
    changed = Instruction.model_validate({**task.model_dump(), **fields})
    return {**example_rows(1, expert="")[0], "id": f"{number}", "instruction": changed.model_dump_json()}


def test_the_best_known_completion_is_a_witness_or_the_ground_truth(policy: Path, tmp_path: Path) -> None:
    truth = {"kind": "math", "value": "7"}
    rows = [with_answer(i, witness="It is 7.", answer=truth) for i in range(4)]
    rows += [with_answer(9, answer={"kind": "qa", "values": ["Rome"]}), with_answer(8)]
    entries = [{"type": "constraints"}, {"type": "math_answer"}, {"type": "qa_answer"}]
    plan = plan_of(policy, settings(tmp_path, rewards=entries), rows)
    assert {row.origin for row in plan.scored} == {"witness", "ground truth", ""}
    assert [row.ceiling for row in plan.scored if row.origin] == [2.0] * 5
    assert [row.ceiling for row in plan.scored if not row.origin] == [None]
    assert set(plan.rewards.values()) == {"scored"}


PROBLEMS = {
    "fill no generation batch": {"gradient_accumulation_steps": 16, "steps_per_generation": 16},
    "source 'maths' gives no training row": {"mix": [{"name": "maths", "source": "-"}]},
    "of the experts exceed their cap": {"max_completion_length": 8},
    "exceed the policy's 4096 positions": {"max_completion_length": 4090},
    "temperature 0.7": {"temperature": 0.7},
    "warm-up takes 3 of 4": {"warmup_steps": 3, "lr_scheduler_type": "cosine"},
    "contrast begins after step 4 of 4": {"contrast": "online", "contrast_warmup_steps": 4},
    "nothing is saved before the end": {"save_steps": 8},
    "only the end is evaluated": {"eval_strategy": "steps", "eval_steps": 8, "per_device_eval_batch_size": 8},
    "hold no instruction": {"eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": 8},
    "times over the data": {"max_steps": 200},
    "5 stages for 4": {"cap_curriculum": [6, 9, 12, 18, 24]},
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_problem_is_named(policy: Path, tmp_path: Path, problem: str) -> None:
    plan, sound = plan_of(policy, settings(tmp_path, **PROBLEMS[problem])), plan_of(policy, settings(tmp_path))
    stops = problem.startswith(("fill", "source"))
    assert any(problem in text for text in (plan.errors if stops else plan.warnings))
    assert not sound.errors + sound.warnings


def test_problems_of_model_and_template_are_named(policy: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(policy, padding_side="left")
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    config, model = settings(tmp_path, cloning_coefficient=0.1), ModelConfig(dtype="bfloat16")
    think = ChatFormat(tokenizer).probe()
    plan = make_plan(config, model, str(policy), tokenizer, think, example_rows(8, expert=""))
    silent, cloning, precision = "speaks of <think>", "no row has an expert", "rounded away"
    assert all(any(text in found for found in plan.warnings) for text in (silent, cloning, precision))
    config.contrast = "online"
    tokenizer.chat_template += "<think>\n\n</think>\n\n"
    closed = make_plan(config, model, str(policy), tokenizer, ChatFormat(tokenizer).probe(), example_rows(8))
    assert any("compares the policy with itself" in found for found in closed.warnings)


def test_a_plan_reads_at_80_columns_and_as_json(policy: Path, tmp_path: Path, capsys: Any) -> None:
    plan = plan_of(policy, settings(tmp_path, contrast="online", cap_curriculum=[12, 24]), recipe="smoke/cpu")
    render_plan(plan, Console(width=80))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for text in ("smoke/cpu", "<think></think>", "46,176", "KV cache", "fused", "Over training", "100%"):
        assert text in shown
    record = json.loads(json.dumps(plan.record()))
    assert record["memory"]["peak"] == plan.memory.peak > sum(p.bytes for p in plan.memory.parts if p.phase == "always")
    assert record["policy"]["parameters"] == AutoModelForCausalLM.from_pretrained(policy).num_parameters()
    assert record["schedule"]["optimizer_steps"] == 4


def test_a_hub_that_cannot_be_reached_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="cannot read the tokenizer or the configuration of nobody/nothing") as raised:
        memory.build_on_meta("nobody/nothing", settings(tmp_path), ModelConfig(), ALONE)
    assert "\n" not in str(raised.value)
    assert "local folder" in str(raised.value)
