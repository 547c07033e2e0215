"""Draw the arguments of a constraint, from values that belong to one split.

Wide value sets (keywords, end phrases, number ranges of eight values or more) are divided between the splits by a
hash, so that no test instruction asks for a value seen in training. Narrow ones (two to seven values) and
constraints without arguments cannot be held out without leaving nothing to learn, and are shared. Types without a
range here draw their own arguments (`Constraint.draw`), the same ones for both splits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from data_gen.seeds import Seed
from data_gen.vocabulary import END_PHRASES, KEYWORDS
from rewards.constraint import constraint_class
from rewards.errors import RaifError
from rewards.text import Text, fold

T = TypeVar("T", str, int)
MIN_SPLIT_SIZE = 8
TEST_SHARE = 5  # one value in five belongs to the test split

#: Inclusive ranges of numeric arguments; a recipe may narrow or widen them under `arguments`.
RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "length:min_words": {"limit": (20, 120)},
    "length:max_words": {"limit": (20, 160)},
    "keywords:existence": {"keywords": (1, 2)},
    "keywords:forbidden": {"keywords": (1, 2)},
    "keywords:min_frequency": {"count": (1, 3)},
    "keywords:max_frequency": {"count": (1, 3)},
    "layout:bullets": {"count": (2, 5)},
    "layout:highlights": {"count": (1, 4)},
    "layout:sections": {"count": (2, 4)},
    "case:min_capital_words": {"count": (1, 6)},
    "case:max_capital_words": {"count": (1, 4)},
}

#: What is drawn from where a recipe names no types: those whose arguments are conditioned on the seed and split.
DEFAULT_TYPES = (
    *("affix:end_phrase", "affix:quotation", "affix:repeat_request", "case:english_lower", "case:english_upper"),
    *("language:response", "punctuation:no_comma", *RANGES),
)


def belongs_to(split: str, key: str) -> bool:
    """Tell whether a value or seed belongs to a split; one in five belongs to `test`, by hash."""
    digest = hashlib.sha256(key.encode()).digest()
    return (digest[0] % TEST_SHARE == 0) == (split == "test")


class ArgumentSampler:
    """Draws constraints for one split.

    Args:
        split: `train` or `test`.
        ranges: overrides of `RANGES`, by constraint type and argument.
    """

    def __init__(self, split: str, ranges: Mapping[str, Mapping[str, tuple[int, int]]] | None = None) -> None:
        self.split = split
        self.ranges = {name: dict(values) for name, values in RANGES.items()}
        for name, values in (ranges or {}).items():
            constraint_class(name)
            self._override(name, values)

    def _override(self, name: str, values: Mapping[str, tuple[int, int]]) -> None:
        for argument, (low, high) in values.items():
            if argument not in self.ranges.get(name, {}):
                known = ", ".join(self.ranges.get(name, {})) or "none"
                raise RaifError(f"arguments: {name!r} has no range for {argument!r}; it has: {known}.")
            if low > high or low < 0:
                raise RaifError(f"arguments: the range {[low, high]} of {name}.{argument} must be 0 <= low <= high.")
            self.ranges[name][argument] = (low, high)

    def draw(self, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
        """Return the arguments of a constraint as a mapping with `type`, or None where the seed offers none."""
        drawer = _DRAWERS.get(name)
        if drawer is None:
            return {"type": name, **constraint_class(name).draw(rng, language)}
        arguments = drawer(self, name, seed, language, rng)
        return None if arguments is None else {"type": name, **arguments}

    def number(self, name: str, argument: str, rng: Random) -> int:
        """Draw a number of this split from the range of an argument."""
        low, high = self.ranges[name][argument]
        return rng.choice(self.own(range(low, high + 1), f"{name}.{argument}"))

    def own(self, values: Sequence[T], key: str) -> list[T]:
        """Return the values that belong to this split (all of them, if there are few)."""
        if len(values) < MIN_SPLIT_SIZE:
            return list(values)
        return [value for value in values if belongs_to(self.split, f"{key}={value}")] or list(values)

    def keywords(self, name: str, pool: Sequence[str], rng: Random) -> list[str]:
        """Draw as many distinct words of this split as the type's `keywords` range says."""
        low, high = self.ranges[name]["keywords"]
        return rng.sample(pool, min(len(pool), rng.randint(low, high)))


def _new_words(sampler: ArgumentSampler, language: str) -> list[str]:
    return sampler.own(KEYWORDS[language], f"keyword.{language}")


def _own_words(sampler: ArgumentSampler, seed: Seed, language: str) -> list[str]:
    """Words that an unconstrained answer would use, so that forbidding them asks for something."""
    solution = seed.solutions.get(language)
    if solution is None:
        return []
    if language == "zh":
        found = [word for word in KEYWORDS["zh"] if any(word in sentence for sentence in solution.optional)]
    else:
        found = [word.lower() for s in solution.optional for word in Text(s).words if len(word) > 2 and word.isalpha()]
    asked = {fold(word) for sentence in solution.core for word in Text(sentence).words}
    return [w for w in dict.fromkeys(found) if fold(w) not in asked and belongs_to(sampler.split, f"own.{w}")]


def _existence(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"keywords": s.keywords(name, _new_words(s, language), rng)}


def _forbidden(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    words = s.keywords(name, _own_words(s, seed, language), rng)
    return {"keywords": words} if words else None


def _min_frequency(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"keyword": rng.choice(_new_words(s, language)), "count": s.number(name, "count", rng)}


def _max_frequency(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    words = _own_words(s, seed, language)
    return {"keyword": rng.choice(words), "count": s.number(name, "count", rng)} if words else None


def _limit(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"limit": s.number(name, "limit", rng)}


def _count(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"count": s.number(name, "count", rng)}


def _sections(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    marker = rng.choice(["Section", "Part"] if language == "en" else ["Section", "部分"])
    return {"count": s.number(name, "count", rng), "marker": marker}


def _end_phrase(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"phrase": rng.choice(s.own(END_PHRASES[language], f"end_phrase.{language}"))}


def _repeat(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"request": seed.request} if language == seed.language else None


def _language(s: ArgumentSampler, name: str, seed: Seed, language: str, rng: Random) -> dict[str, Any] | None:
    return {"language": language}


_DRAWERS: dict[str, Callable[[ArgumentSampler, str, Seed, str, Random], dict[str, Any] | None]] = {
    "length:min_words": _limit,
    "length:max_words": _limit,
    "keywords:existence": _existence,
    "keywords:forbidden": _forbidden,
    "keywords:min_frequency": _min_frequency,
    "keywords:max_frequency": _max_frequency,
    "layout:bullets": _count,
    "layout:highlights": _count,
    "layout:sections": _sections,
    "affix:end_phrase": _end_phrase,
    "affix:repeat_request": _repeat,
    "case:min_capital_words": _count,
    "case:max_capital_words": _count,
    "language:response": _language,
}
