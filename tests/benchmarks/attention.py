"""Measure the memory and the time of reading attention over a long output of a small model.

    python -m tests.benchmarks.attention [--output 4096] [--prompt 256] [--layers 8] [--hidden 512] [--memory 256]

The model is a Qwen3 with random weights in float32. The peak is that of the whole process, libraries and model
included.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from raif.attention.passes import attention_masses, chunk_size

VOCABULARY = 32_000


def build(layers: int, hidden: int, positions: int) -> Qwen3ForCausalLM:
    config = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=hidden // 8,
        max_position_embeddings=positions,
        attn_implementation="eager",
    )
    torch.manual_seed(0)
    return Qwen3ForCausalLM(config).eval()


def peak_mib() -> float:
    """Return the peak of this process's resident memory; Linux counts KiB, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=int, default=4096)
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--memory", type=int, default=256, help="MiB for the attention weights of a layer")
    asked = parser.parse_args()
    model = build(asked.layers, asked.hidden, asked.prompt + asked.output)
    before = peak_mib()
    tokens = torch.randint(0, VOCABULARY, (asked.prompt + asked.output,)).tolist()
    chunk = chunk_size(model, len(tokens), asked.memory * 2**20)
    turn = list(range(4, asked.prompt))
    begin = time.perf_counter()
    masses = attention_masses(model, tokens[: asked.prompt], tokens[asked.prompt :], [turn, turn[-20:]], chunk)
    seconds = time.perf_counter() - begin
    parameters = sum(each.numel() for each in model.parameters())
    sys.stdout.write(
        f"{parameters / 1e6:.0f} M parameters, {masses.weights.shape[1]} output steps in chunks of {chunk}: "
        f"{seconds:.1f} s, peak {peak_mib():.0f} MiB (with the model alone {before:.0f} MiB)\n"
    )


if __name__ == "__main__":
    main()
