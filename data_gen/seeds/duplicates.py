"""Near duplicates among requests: MinHash signatures of shingles in a locality-sensitive index (datasketch).

Shingles are five words of English, or five characters of Chinese. One look-up costs the same however many requests
were seen, so a file takes linear time; the index holds about five kilobytes for each request kept.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rewards.errors import RaifError

INSTALL = 'pip install "datasketch>=2.0"'
SHINGLE = 5
PERMUTATIONS, SEED = 128, 1
_STRICTEST = 0.95  # an index for more would need bands longer than the signature allows
_WORD = re.compile(r"[^\W_]+")


class DuplicateFilter:
    """Remembers requests; the first of several near duplicates is the one that stays.

    Args:
        threshold: estimated Jaccard similarity of shingles from which two requests are duplicates.

    Example:
        >>> seen = DuplicateFilter(0.8)
        >>> [seen.is_new(text, "en") for text in ("Name a big river in Asia.", "name a big river, in Asia!", "Why?")]
        [True, False, True]
    """

    def __init__(self, threshold: float) -> None:
        try:
            from datasketch import MinHash, MinHashLSH
        except ImportError as error:
            raise RaifError(
                f"near-duplicate removal needs datasketch; install it: {INSTALL}, or set `dedup: null`."
            ) from error
        self.threshold = threshold
        self._empty: Any = MinHash(num_perm=PERMUTATIONS, seed=SEED)
        self._index: Any = MinHashLSH(threshold=min(threshold, _STRICTEST), num_perm=PERMUTATIONS)
        self._signatures: list[Any] = []

    def is_new(self, request: str, language: str) -> bool:
        """Tell whether no similar request came before, and remember this one if so."""
        signature = self._empty.copy()
        signature.update_batch(sorted(shingles(request, language)))
        for key in self._index.query(signature):
            if self._signatures[key].jaccard(signature) >= self.threshold:
                return False
        self._index.insert(len(self._signatures), signature, check_duplication=False)
        self._signatures.append(signature)
        return True


def shingles(request: str, language: str) -> set[bytes]:
    """Return the runs of five words (characters of Chinese) of a request; a shorter one is a run of its own.

    Example:
        >>> sorted(shingles("One two three, four FIVE six", "en"))
        [b'one two three four five', b'two three four five six']
    """
    folded = unicodedata.normalize("NFKC", request).casefold()
    units = _WORD.findall(folded)
    joint = " "
    if language == "zh":
        units, joint = list("".join(units)), ""
    last = max(len(units) - SHINGLE, 0)
    return {joint.join(units[begin : begin + SHINGLE]).encode() for begin in range(last + 1)}
