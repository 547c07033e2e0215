"""Read attention off any causal language model of transformers: one teacher-forced pass, in chunks, layer by layer.

The weights of a layer are reduced to a few sums as soon as the layer has run, and are never kept; what lives at once is
one layer's weights of one chunk. Under the causal mask the rows are the same as those of generation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch

from rewards.errors import RaifError

MEMORY = 256 * 2**20  # bytes that the weights of a layer may take
_COPIES = 4  # of the weights while eager attention computes them: scores, with mask, softmax, and the values' product
_FLOAT = 4


class Masses(NamedTuple):
    """What each output step gives to groups of positions, by layer.

    Fields:
        weights: sums of attention weights, mean over heads; [layers, steps, groups].
        visible: how many positions of a group a step can see at all; [layers, steps, groups]. Only under local
            attention are they fewer than the group has.
    """

    weights: np.ndarray
    visible: np.ndarray


def chunk_size(model: Any, context: int, memory: int = MEMORY) -> int:
    """Return how many positions may be run at once so that a layer's weights stay within `memory` bytes.

    Args:
        context: tokens of prompt and output.
    """
    heads = model.config.get_text_config().num_attention_heads
    most = max(heads) if isinstance(heads, (list, tuple)) else int(heads)
    return max(1, min(context, memory // (_COPIES * _FLOAT * most * context)))


@torch.inference_mode()
def attention_masses(
    model: Any, prompt: Sequence[int], output: Sequence[int], groups: Sequence[Sequence[int]], chunk: int
) -> Masses:
    """Return the attention of every output step to groups of prompt positions.

    Step t is the one that generates output token t: its query is the token before, for the first one the prompt's last.

    Args:
        model: a causal language model with eager attention, in evaluation mode and float32.
        prompt: token ids.
        output: token ids, at least one.
        groups: positions in the prompt.
        chunk: positions that are run at once.

    Raises:
        RaifError: if the model gives no attention weights, or keeps no cache.
    """
    tokens = torch.tensor([[*prompt, *output[:-1]]], device=model.device)
    first, total = len(prompt) - 1, tokens.shape[1]
    indicator = torch.zeros(len(prompt), len(groups), device=model.device)
    for number, positions in enumerate(groups):
        indicator[list(positions), number] = 1.0
    reader, cache = _Reader(indicator), None
    with _hooked(model, reader):
        for begin, end in [*_bounds(0, first, chunk), *_bounds(first, total, chunk)]:
            reader.begin(end, measured=begin >= first)
            done = model.base_model(tokens[:, begin:end], past_key_values=cache, use_cache=True, return_dict=True)
            cache = getattr(done, "past_key_values", None)
            if cache is None and end < total:
                raise RaifError(f"{type(model).__name__} keeps no cache of keys and values; its attention is not read.")
    if not reader.weights:
        raise RaifError(
            f"{type(model).__name__} gives no attention weights; the analysis needs a model with eager attention."
        )
    return Masses(_joined(reader.weights), _joined(reader.visible))


class _Reader:
    """Sums up the weights of each layer as it runs."""

    def __init__(self, indicator: torch.Tensor) -> None:
        self.indicator = indicator
        self.end, self.measured = 0, False
        self.weights: dict[str, list[np.ndarray]] = {}
        self.visible: dict[str, list[np.ndarray]] = {}

    def begin(self, end: int, measured: bool) -> None:
        self.end, self.measured = end, measured

    def read(self, name: str, kwargs: dict[str, Any], output: Any) -> None:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if not self.measured or not isinstance(weights, torch.Tensor) or weights.dim() != 4:
            return
        keys = weights.shape[-1]
        skipped = self.end - keys  # a cache of local attention holds the last keys only
        inside = max(0, min(keys, len(self.indicator) - skipped))
        indicator = self.indicator[skipped : skipped + inside].to(weights.device)
        sums = weights[0, :, :, :inside].float().mean(0) @ indicator
        self.weights.setdefault(name, []).append(sums.cpu().numpy())
        seen = _visible(kwargs.get("attention_mask"), weights.shape[-2], inside)
        counts = indicator.sum(0).expand_as(sums) if seen is None else seen.to(weights.device) @ indicator
        self.visible.setdefault(name, []).append(counts.cpu().numpy())


@contextmanager
def _hooked(model: Any, reader: _Reader) -> Iterator[None]:
    """Let the reader see what every attention module returns."""
    modules = {name: module for name, module in model.named_modules() if type(module).__name__.endswith("Attention")}
    inner = {name for name in modules if not any(other.startswith(f"{name}.") for other in modules)}
    handles = []
    for name in modules:
        if name in inner:

            def hook(module: Any, args: Any, kwargs: Any, output: Any, name: str = name) -> None:
                reader.read(name, kwargs, output)

            handles.append(modules[name].register_forward_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _visible(mask: Any, queries: int, keys: int) -> torch.Tensor | None:
    """Return 1 where a query may see a key, 0 where not; None without a mask: every prompt position is before."""
    if not isinstance(mask, torch.Tensor) or mask.dim() != 4:
        return None
    part = mask[0, 0, -queries:, :keys]
    return (part if part.dtype == torch.bool else part > torch.finfo(part.dtype).min / 2).float()


def _bounds(begin: int, end: int, size: int) -> list[tuple[int, int]]:
    return [(start, min(end, start + size)) for start in range(begin, end, size)]


def _joined(chunks: dict[str, list[np.ndarray]]) -> np.ndarray:
    return np.stack([np.concatenate(parts) for parts in chunks.values()])
