"""Attention masses: exact on models whose attention is known, the same in chunks, for any causal language model."""

from __future__ import annotations

import subprocess
import sys
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GptOssConfig,
    GptOssForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from raif.attention.measures import Groups, enrichment, measure
from raif.attention.passes import Masses, attention_masses, chunk_size
from rewards.errors import RaifError
from tests.conftest import REPOSITORY
from tests.raif.attention_support import known_model

SIZE: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 128, "bos_token_id": 0, "eos_token_id": 1,
    "pad_token_id": 2,
}  # fmt: skip
LOCAL = {"sliding_window": 12, "layer_types": ["sliding_attention", "full_attention"]}
GLOBAL = {
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZE)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZE)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4)),
    "bloom": lambda: BloomForCausalLM(BloomConfig(vocab_size=64, hidden_size=32, n_layer=2, n_head=4)),
}
WINDOWED = {
    "gemma2": lambda: Gemma2ForCausalLM(Gemma2Config(**SIZE, **LOCAL)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SIZE, **LOCAL)),
    "gpt_oss": lambda: GptOssForCausalLM(GptOssConfig(**SIZE, **LOCAL, num_local_experts=2, num_experts_per_tok=1)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZE, sliding_window=12)),
}
PROMPT, OUTPUT = [(7 * i) % 60 + 3 for i in range(20)], [(11 * i) % 60 + 3 for i in range(30)]
GROUPS = [list(range(2, 16)), [10, 11, 12, 13], [3], []]


def build(name: str) -> Any:
    torch.manual_seed(0)
    model = (GLOBAL | WINDOWED)[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0 if parameter.dim() > 1 else 1.0)  # attention far from uniform
    model.set_attn_implementation("eager")
    return model.eval()


@pytest.mark.parametrize("name", [*GLOBAL, *WINDOWED])
def test_masses_are_those_of_the_whole_pass_in_chunks_of_any_size(name: str) -> None:
    model = build(name)
    with torch.inference_mode():
        whole = model(torch.tensor([[*PROMPT, *OUTPUT[:-1]]]), output_attentions=True).attentions
    rows = [layer[0].mean(0)[len(PROMPT) - 1 :].numpy() for layer in whole]
    expected = np.stack([np.stack([row[:, group].sum(1) for group in GROUPS], axis=1) for row in rows])
    assert expected[..., 0].std() > 0.01  # else every chunking would agree
    for chunk in (1, 7, 13, 100):
        found = attention_masses(model, PROMPT, OUTPUT, GROUPS, chunk)
        assert found.weights.shape == found.visible.shape == (2, len(OUTPUT), len(GROUPS))
        np.testing.assert_allclose(found.weights, expected, atol=1e-5)


@pytest.mark.parametrize("name", [*GLOBAL, *WINDOWED])
def test_what_a_step_can_see_is_the_prompt_or_its_window(name: str) -> None:
    for chunk in (7, 100):
        visible = attention_masses(build(name), PROMPT, OUTPUT, GROUPS, chunk).visible
        ends = np.arange(len(PROMPT) - 1, len(PROMPT) - 1 + len(OUTPUT))
        within = np.stack([[sum(p > end - 12 for p in group) for group in GROUPS] for end in ends])
        everything = np.broadcast_to([len(group) for group in GROUPS], within.shape)
        local = [within] if name in WINDOWED else [everything]
        rest = [within] if name == "mistral" else [everything]
        np.testing.assert_array_equal(visible, np.stack(local + rest))


def test_enrichment_is_exact_on_a_model_whose_attention_is_known() -> None:
    # layer 1: a marked token weighs 3 plain ones in one head and 1 in the other; layer 2: 5 and 1/2
    odds = [[3.0, 1.0], [5.0, 0.5]]
    model = known_model([0, 1, 2], [[{0: one} for one in heads] for heads in odds])
    prompt, output = [0] * 6 + [1] * 4 + [0] * 5, [0] * 23
    turn, constraint = list(range(2, 13)), list(range(6, 10))
    for chunk in (5, 100):
        masses = attention_masses(model, prompt, output, [turn, constraint], chunk)
        length = len(prompt) + np.arange(len(output))
        for layer, heads in enumerate(odds):
            mass = np.mean([4 * odd / (4 * odd + length - 4) for odd in heads], axis=0)
            rest = np.mean([7 / (4 * odd + length - 4) for odd in heads], axis=0)
            np.testing.assert_allclose(masses.weights[layer, :, 1], mass, rtol=1e-5)
            expected = mass / (mass + rest) / (4 / 11)
            np.testing.assert_allclose(enrichment(masses, 1, 0)[layer], expected, rtol=1e-5)


def test_all_attention_on_the_constraint_gives_the_largest_enrichment_and_a_uniform_model_one() -> None:
    prompt, output = [0] * 6 + [1] * 4 + [0] * 5, [0] * 23
    groups = Groups(list(range(2, 13)), list(range(6, 10)), [2, 3, 4, 5, 10, 11, 12], [[6, 7], [8, 9]], [[2, 3, 4, 5]])
    for odd, enrich, share, alone in ((1e60, 11 / 4, 1.0, None), (1.0, 1.0, 4 / 11, 1.0), (1e-30, 0.0, 0.0, 1.0)):
        model = known_model([0, 1, 2], [[{0: odd}] * 2] * 2)
        found = measure(attention_masses(model, prompt, output, groups.listed(), 9), groups, range(len(output)))
        assert found.enrich == pytest.approx(enrich, abs=1e-5)
        assert found.share == pytest.approx(share, abs=1e-5)
        assert found.per_constraint == pytest.approx((enrich, enrich), abs=1e-5)
        assert found.random_span == (None if alone is None else pytest.approx(alone, abs=1e-5))
        assert np.array(found.grid) == pytest.approx(np.full((2, 10), enrich), abs=1e-5)
    length = 15 + np.arange(23)
    uniform = measure(
        attention_masses(known_model([0, 1, 2], [[{0: 1.0}] * 2] * 2), prompt, output, groups.listed(), 9),
        groups,
        range(23),
    )
    assert uniform.mass == pytest.approx(np.mean(4 / length), rel=1e-5)
    assert uniform.alpha == pytest.approx(np.mean(1 / length), rel=1e-5)


def test_attention_that_depends_on_the_step_shows_in_its_tenth() -> None:
    model = known_model([0, 1, 2], [[{0: 1.0, 2: 1e30}] * 2] * 2)
    prompt = [0] * 6 + [1] * 4 + [0] * 5
    output = [0] * 10 + [2] * 6 + [0] * 4  # output token t is the query of step t + 1
    groups = Groups(list(range(2, 13)), list(range(6, 10)), [], [], [])
    found = measure(attention_masses(model, prompt, output, groups.listed(), 6), groups, range(20))
    row = [1.0] * 5 + [(1 + 11 / 4) / 2, 11 / 4, 11 / 4, (1 + 11 / 4) / 2, 1.0]
    assert np.array(found.grid) == pytest.approx(np.array([row, row]), abs=1e-5)


def test_local_attention_counts_what_can_be_seen_and_is_undefined_beyond() -> None:
    weights = np.array([[[0.2, 0.1], [0.2, 0.0], [0.0, 0.0]]])
    visible = np.array([[[4.0, 2.0], [2.0, 0.0], [0.0, 0.0]]])
    found = enrichment(Masses(weights, visible), 1, 0)
    assert found[0, 0] == 1.0
    assert np.isnan(found[0, 1:]).all()
    # a layer of zero queries sees its window evenly: 1 wherever it is defined
    model = build("mistral")
    for layer in model.model.layers:
        torch.nn.init.zeros_(layer.self_attn.q_proj.weight)
    rows = enrichment(attention_masses(model, PROMPT, OUTPUT, GROUPS, 7), 1, 0)
    assert np.nanmax(abs(rows - 1)) < 1e-5
    assert np.isnan(rows).all(axis=0).sum() == len(OUTPUT) - 6  # the last constraint token leaves the window


def test_chunks_follow_from_the_memory() -> None:
    model = build("qwen3")
    assert chunk_size(model, 1_000, memory=4 * 4 * 4 * 1_000 * 50) == 50
    assert chunk_size(model, 1_000, memory=1) == 1
    assert chunk_size(model, 30) == 30


def test_the_weights_of_one_layer_and_chunk_at_most_are_alive() -> None:
    model = Qwen3ForCausalLM(Qwen3Config(**{**SIZE, "num_hidden_layers": 4, "max_position_embeddings": 512})).eval()
    model.set_attn_implementation("eager")
    seen: list[weakref.ref[torch.Tensor]] = []
    alive = []

    def look(module: Any, args: Any, output: Any) -> None:
        seen.append(weakref.ref(output[1]))
        alive.append(sum(each() is not None for each in seen))

    for layer in model.model.layers:
        layer.self_attn.register_forward_hook(look)
    attention_masses(model, PROMPT, OUTPUT * 10, GROUPS, 50)
    assert len(alive) > 4 * 6
    assert max(alive) <= 2  # a layer's, and that of the layer before, which Python lets go when the call returns


def test_a_model_without_attention_weights_is_refused() -> None:
    model = Qwen3ForCausalLM(Qwen3Config(**SIZE)).eval()
    model.set_attn_implementation("sdpa")
    with pytest.raises(RaifError, match="Qwen3ForCausalLM gives no attention weights"):
        attention_masses(model, PROMPT, OUTPUT, GROUPS, 10)


@pytest.mark.slow
def test_an_output_of_4096_tokens_takes_less_than_two_gigabytes() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.attention", "--layers", "4", "--hidden", "256"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert "4096 output steps" in done.stdout
    assert 100 < float(done.stdout.split("peak ")[1].split(" MiB")[0]) < 2048
