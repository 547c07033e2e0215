"""Draw tokens with random numbers that belong to the request, so that no other request of a batch changes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from raif.generation.prompts import SEED_BITS, request_seed


def noise(seed: int, key: str, count: int) -> np.ndarray:
    """Return the random numbers of one request, one a token, as integers below 2^31; a longer draw begins the same.

    Example:
        >>> noise(0, "a|0", 3).tolist() == noise(0, "a|0", 5).tolist()[:3]
        True
    """
    return np.random.Generator(np.random.Philox(request_seed(seed, key))).integers(
        0, 2**SEED_BITS, count, dtype=np.int32
    )


def noise_table(seed: int, keys: Sequence[str], count: int) -> torch.Tensor:
    """Return the random numbers of several requests, [request, token]."""
    return torch.from_numpy(np.stack([noise(seed, key, count) for key in keys]))


def draw(scores: torch.Tensor, numbers: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Draw one token a row by inverting the cumulative distribution at the row's random number.

    Args:
        scores: logits, [row, token].
        numbers: integers below 2^31, [row].
        top_p: the smallest set of most likely tokens that reaches this probability is drawn from (Holtzman et al.
            2020, nucleus sampling).

    Returns: token ids, [row].

    The sum runs in the order of the vocabulary and not of the probabilities: rounding then moves the bounds between
    tokens by as much as it is large, and never changes their order.
    """
    likely = torch.softmax(scores.float() / temperature, dim=-1)
    if top_p < 1:
        ranked, order = likely.sort(dim=-1, descending=True, stable=True)
        kept = ranked.cumsum(-1) - ranked < top_p
        likely = likely * torch.zeros_like(kept).scatter(-1, order, kept)
    mass = likely.double().cumsum(-1)
    places = (numbers.double()[:, None] + 0.5) / 2**SEED_BITS * mass[:, -1:]
    return torch.searchsorted(mass, places, right=True)[:, 0].clamp(max=scores.size(-1) - 1)


def only(scores: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return scores under which a greedy choice takes the given token of each row."""
    return torch.full_like(scores, -torch.inf).scatter(-1, tokens[:, None], 0.0)
