"""A penalty for text that repeats itself."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def repeated_share(tokens: Sequence[Hashable], size: int) -> float:
    """Return the share of n-grams that occurred before, 0 to below 1 (arXiv 2502.03373, appendix C.2).

    The same number as `trl.rewards.get_repetition_penalty_reward(size, -1)` negated.

    Example:
        >>> repeated_share([5, 5, 5, 5, 5], 2), repeated_share([1, 2, 3], 2), repeated_share([1], 2)
        (0.75, 0.0, 0.0)
    """
    count = len(tokens) - size + 1
    if count < 1:
        return 0.0
    return 1 - len(set(zip(*(tokens[start:] for start in range(size)), strict=False))) / count
