"""Text that asks for nothing, of a given length: what an inserted text does by being there and long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

PASSAGE = (
    "The river runs past the old mill and on to the harbour. Small boats lie there in the evening light. "
    "A path follows the water through fields of barley. Birds sit on the fence and look over the valley. "
    "Behind the hill stands a house with a green door. The road to the town is long and lined with trees."
).split()
_PAD = " ."  # a full stop is one token nearly everywhere

Lengths = Callable[[Sequence[str]], list[int]]


def lengths_of(generator: Any) -> tuple[Lengths, str]:
    """Return how texts are measured, and the unit: tokens where the generator has a tokenizer, else words."""
    found = getattr(generator, "lengths", None)
    return (found, "tokens") if found is not None else (_words, "words")


def neutral_like(text: str, lengths: Lengths) -> str:
    """Return a neutral text as long as `text`: whole words of a fixed passage, filled up with full stops.

    Example:
        >>> neutral_like("Answer in at most five words.", lambda texts: [len(text.split()) for text in texts])
        'The river runs past the old'
    """
    target = lengths([text])[0]
    size = len(text.split()) + target
    longest = list(islice(cycle(PASSAGE), max(1, size)))
    count = bisect_right(range(1, len(longest) + 1), target, key=lambda n: lengths([" ".join(longest[:n])])[0])
    made = " ".join(longest[:count]) or _PAD.strip()
    while lengths([made])[0] < lengths([made + _PAD])[0] <= target:
        made += _PAD
    return made


def _words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]
