"""The embedded policy: a small Qwen3-type model and a byte-level BPE tokenizer, built in-process from our own corpus.

It is warm-started on demonstrations of which some are careless: the model learns to read every demand, to think it
through and to forget some of them, which is what reinforcement learning then repairs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import SFTConfig, SFTTrainer

from data_gen.experts import WarmStartRow
from data_gen.vocabulary import END_PHRASES, KEYWORDS
from raif.chat import ChatFormat
from raif.monitoring import quiet_libraries, use_progress_line
from rewards.errors import RaifError
from rewards.instruction import prompt_messages, prompt_text
from rewards.response import CLOSE, OPEN

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "<|im_start|>assistant\n<think>"
    "{%- if enable_thinking is defined and enable_thinking is false -%}</think>{%- endif -%}"
    "{%- endif -%}"
)


class TinyRecipe(NamedTuple):
    """Size and warm start (one pass over the demonstrations) of the embedded policy."""

    vocab_size: int = 1400
    hidden_size: int = 96
    layers: int = 2
    heads: int = 4
    batch_size: int = 12
    learning_rate: float = 3e-3
    drill_share: float = 0.2  # rows that only repeat quoted words, which is how copying is learned


def build_policy(
    warm_start: Sequence[WarmStartRow], out: str | Path, seed: int = 0, recipe: TinyRecipe | None = None
) -> Path:
    """Build, warm-start and save the embedded policy.

    Args:
        warm_start: demonstrations from `data_gen` (`warm_start.jsonl`).
        out: folder to write; loads with `AutoModelForCausalLM` and `AutoTokenizer`.
        seed: of the initial weights, the drills and the batch order.
    """
    recipe = recipe or TinyRecipe()
    rows = [*_drills(Random(f"{seed}/drills"), round(len(warm_start) * recipe.drill_share)), *warm_start]
    tokenizer = build_tokenizer(rows, recipe.vocab_size)
    model = build_model(tokenizer, seed, recipe)
    _train(model, tokenizer, rows, Path(out), seed, recipe)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return Path(out)


def ensure_policy(warm_start: str | Path, out: str | Path, seed: int = 0) -> Path:
    """Build the embedded policy unless the folder already holds it."""
    if not (Path(out) / "tokenizer_config.json").is_file():
        build_policy(read_warm_start(warm_start), out, seed)
    return Path(out)


def read_warm_start(path: str | Path) -> list[WarmStartRow]:
    """Read `warm_start.jsonl`."""
    source = Path(path)
    if not source.is_file():
        raise RaifError(
            f"no demonstrations at {source}; add a `warm_start` section to the data recipe and make it again."
        )
    lines = source.read_text(encoding="utf-8").split("\n")
    return [WarmStartRow.model_validate(json.loads(line)) for line in lines if line.strip()]


def build_tokenizer(rows: Sequence[WarmStartRow], vocab_size: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer on the demonstrations; digits are tokens of their own."""
    bpe = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(
        (text for row in rows for text in (prompt_text(row.prompt), row.thinking or "", row.answer)), trainer
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token=PAD, eos_token=END, additional_special_tokens=[START], padding_side="left"
    )
    tokenizer.add_tokens([OPEN, CLOSE])  # not special: they must survive decoding
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int, recipe: TinyRecipe) -> Qwen3ForCausalLM:
    """Return a randomly initialised model of the recipe's size."""
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=3 * recipe.hidden_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        head_dim=recipe.hidden_size // recipe.heads,
        max_position_embeddings=4096,  # prompts of benchmarks are long in a vocabulary of 1,400
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def _drills(rng: Random, count: int) -> list[WarmStartRow]:
    """Return rows that ask to repeat quoted words: the whole vocabulary, so that no word is new to the tokenizer."""
    items = {code: [*KEYWORDS[code], *END_PHRASES[code]] for code in KEYWORDS}
    rows = []
    for index in range(count):
        words = " ".join(f'"{word}"' for word in rng.sample(items[rng.choice(["en", "en", "zh"])], rng.randint(1, 5)))
        row = WarmStartRow(
            instruction_id=f"drill-{index}", prompt=f"Repeat {words}", thinking=words, answer=words, hard=None
        )
        rows.append(row)
    return rows


def tokenize_row(chat: ChatFormat, row: WarmStartRow) -> dict[str, list[int]]:
    """Return `input_ids` and `labels` of a demonstration; only its completion is learned."""
    messages = prompt_messages(row.prompt)
    direct = row.thinking is None
    prompt_text = chat.direct_prompt(messages) if direct else chat.thinking_prompt(messages)
    completion_text = row.answer if direct else f"{row.thinking}{CLOSE}{row.answer}"
    prompt, completion = chat.ids([prompt_text, completion_text])
    completion = [*completion, chat.tokenizer.eos_token_id]
    return {"input_ids": prompt + completion, "labels": [-100] * len(prompt) + completion}


def _train(
    model: Qwen3ForCausalLM, tokenizer: Any, rows: Sequence[WarmStartRow], out: Path, seed: int, recipe: TinyRecipe
) -> None:
    quiet_libraries()
    chat = ChatFormat(tokenizer)
    config = SFTConfig(
        output_dir=str(out),
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=30,
        adam_beta2=0.98,
        weight_decay=0.01,
        train_sampling_strategy="group_by_length",
        max_length=None,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        seed=seed,
        logging_steps=50,
        save_strategy="no",
        report_to=[],
    )
    dataset = Dataset.from_list([tokenize_row(chat, row) for row in rows])
    trainer = SFTTrainer(model=model, args=config, train_dataset=dataset, processing_class=tokenizer)
    use_progress_line(trainer)
    trainer.train()
