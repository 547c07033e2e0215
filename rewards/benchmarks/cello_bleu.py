"""BLEU-4 on characters, as CELLO measures how much of its input an answer copies."""

from __future__ import annotations

import math
from collections import Counter

_ORDERS = (1, 2, 3, 4)


def character_bleu(answer: str, reference: str) -> float:
    """Return BLEU-4 of the characters of one answer against one reference, in [0, 1], without smoothing.

    The geometric mean of the clipped n-gram precisions times the brevity penalty exp(1 - |reference| / |answer|)
    (Papineni et al. 2002); 0 as soon as one n-gram order has no match.

    Example:
        >>> round(character_bleu("abcdef", "abcdefgh"), 4), character_bleu("abc", "abc")
        (0.7165, 0.0)
    """
    matches = [_matches(answer, reference, order) for order in _ORDERS]
    if not all(matches):
        return 0.0
    precisions = [found / (len(answer) - order + 1) for found, order in zip(matches, _ORDERS, strict=True)]
    penalty = min(1.0, math.exp(1 - len(reference) / len(answer)))
    return penalty * math.exp(math.fsum(map(math.log, precisions)) / len(_ORDERS))


def _matches(answer: str, reference: str, order: int) -> int:
    return (_ngrams(answer, order) & _ngrams(reference, order)).total()


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))
