"""IFBench: the 58 out-of-domain instructions of Allen AI."""

from rewards.parity.ifbench import (
    brackets,
    counting,
    custom,
    formats,
    ratios,
    repeats,
    sentences,
    tokens,
    words,
)
from rewards.parity.ifbench.base import SUITE

__all__ = ["SUITE", "brackets", "counting", "custom", "formats", "ratios", "repeats", "sentences", "tokens", "words"]
