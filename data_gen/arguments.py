"""Draw the arguments of a constraint, from values that belong to one split.

Wide value sets are divided between the splits by a hash, so that no test instruction asks for a value seen in
training: the words and phrases of the types in `RANGES` and their number ranges of eight values or more, and the
arguments, taken together, of any other type that draws some two dozen different ones. Narrow sets and constraints
without arguments cannot be held out without leaving nothing to learn, and are shared. The upper end of every wide
number range may be held out besides, for the split `test_arguments`, whose constraints all ask for such a number.

Types named in `RANGES` draw with the seed in view: words of its own text, its language, the length of its answer. The
others draw their own arguments (`Constraint.draw`), again and again until the values belong to the split.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple, TypeVar

from data_gen.seeds import Seed
from data_gen.vocabulary import END_PHRASES, KEYWORDS
from rewards.arguments import Draw
from rewards.constraint import Constraint, constraint_class
from rewards.errors import RaifError
from rewards.text import Text, fold

T = TypeVar("T", str, int)
MIN_SPLIT_SIZE = 8
TEST_SHARE = 5  # one value in five belongs to the test splits
HELD_OUT_RANGE = "test_arguments"
_REDRAWS = 60

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
    """Tell whether a value or seed belongs to a split; one in five belongs to the test splits, by hash."""
    return _is_test(key) == (split != "train")


@lru_cache(maxsize=1 << 16)
def _is_test(key: str) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] % TEST_SHARE == 0


class Wanted(NamedTuple):
    """What the arguments are drawn for.

    Fields:
        language: the language of the answer.
        tightness: how often the harder of two draws is taken, from 0 to 1.
        conditioned: how often lengths and keywords follow the seed's own text, from 0 to 1.
    """

    seed: Seed
    language: str
    rng: Random
    tightness: float = 0.0
    conditioned: float = 0.0


class ArgumentSampler:
    """Draws constraints for one split.

    Args:
        split: `train` or one of the test splits.
        ranges: overrides of `RANGES`, by constraint type and argument.
        held_out: the share of every wide number range, at its upper end, that only `test_arguments` draws from.
    """

    def __init__(
        self, split: str, ranges: Mapping[str, Mapping[str, tuple[int, int]]] | None = None, held_out: float = 0.0
    ) -> None:
        self.split, self.held_out = split, held_out
        self.ranges = {name: dict(values) for name, values in RANGES.items()}
        for name, values in (ranges or {}).items():
            constraint_class(name)
            self._override(name, values)

    def _override(self, name: str, values: Mapping[str, tuple[int, int]]) -> None:
        for argument, (low, high) in values.items():
            if argument not in self.ranges.get(name, {}):
                known = ", ".join(self.ranges.get(name, {})) or "none"
                raise RaifError(f"arguments: {name!r} has no range for {argument!r}; it has: {known}.")
            if low > high or low < 1:
                raise RaifError(f"arguments: the range {[low, high]} of {name}.{argument} must be 1 <= low <= high.")
            self.ranges[name][argument] = (low, high)

    def drawable(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Return the types that can belong to this split: those with a wide range, where its upper end is held out."""
        if self.split != HELD_OUT_RANGE:
            return dict(weights)
        found = {name: weight for name, weight in weights.items() if self._wide_ranges(name)}
        if not found:
            raise RaifError(
                f"the split {HELD_OUT_RANGE} needs a type that draws a number from {MIN_SPLIT_SIZE} values or more, "
                "such as length:max_words; name one under `constraints.weights`, or widen its range under `arguments`."
            )
        return found

    def owns(self, constraint: Constraint) -> bool:
        """Tell whether the words and wide numbers of a constraint belong to this split."""
        for argument, (low, high) in self._wide_ranges(constraint.type).items():
            value = getattr(constraint, argument)
            if self.held_out and value > _ceiling(low, high, self.held_out):
                return False
            if constraint.type in self.ranges and not belongs_to(self.split, f"{constraint.type}.{argument}={value}"):
                return False
        return all(
            belongs_to(self.split, f"keyword.{'en' if word.isascii() else 'zh'}={word}")
            for word in getattr(constraint, "keywords", ())
        )

    def _wide_ranges(self, name: str) -> dict[str, tuple[int, int]]:
        """Return the wide number ranges that draws of a type take their numbers from, by argument."""
        if name not in _DRAWERS:
            return _number_ranges(constraint_class(name))
        own = self.ranges.get(name, {}).items()
        return {argument: (low, high) for argument, (low, high) in own if high - low + 1 >= MIN_SPLIT_SIZE}

    def draw(self, name: str, wanted: Wanted) -> dict[str, Any] | None:
        """Return the arguments of a constraint as a mapping with `type`, or None where seed or split offer none."""
        first = self._draw(name, wanted)
        if first is None or wanted.rng.random() >= wanted.tightness:
            return first
        second = self._draw(name, wanted)
        return first if second is None else max(first, second, key=_hardness)

    def _draw(self, name: str, wanted: Wanted) -> dict[str, Any] | None:
        drawer = _DRAWERS.get(name)
        arguments = self._own_draw(name, wanted) if drawer is None else drawer(self, name, wanted)
        return None if arguments is None else {"type": name, **arguments}

    def _own_draw(self, name: str, wanted: Wanted) -> dict[str, Any] | None:
        cls = constraint_class(name)
        if self.split == HELD_OUT_RANGE and not _number_ranges(cls):
            return None
        wide = self.split != HELD_OUT_RANGE and _is_wide(name, wanted.language)
        for _ in range(_REDRAWS):
            drawn = cls.draw(wanted.rng, wanted.language)
            if self._in_range(cls, drawn) and (not wide or self._owns(name, drawn)):
                return drawn
        return None

    def _owns(self, name: str, drawn: Mapping[str, Any]) -> bool:
        return belongs_to(self.split, f"{name}={json.dumps(drawn, sort_keys=True, ensure_ascii=False)}")

    def _in_range(self, cls: type[Constraint], drawn: Mapping[str, Any]) -> bool:
        """Tell whether wide numbers lie below the part held out or, for the split that holds it out, one above."""
        if not self.held_out and self.split != HELD_OUT_RANGE:
            return True
        above = [
            drawn[name] > _ceiling(*bounds, self.held_out)
            for name, bounds in _number_ranges(cls).items()
            if drawn.get(name) is not None
        ]
        return any(above) if self.split == HELD_OUT_RANGE else not any(above)

    def number(self, name: str, argument: str, wanted: Wanted, near: float | None = None) -> int | None:
        """Draw a number of this split from the range of an argument, where it makes sense around a value."""
        low, high = self._part(*self.ranges[name][argument])
        values: list[int] = [*range(low, high + 1)]
        if self.split != HELD_OUT_RANGE:
            values = self.own(values, f"{name}.{argument}")
        if near is not None and wanted.rng.random() < wanted.conditioned:
            values = [value for value in values if 0.6 * near <= value <= 1.6 * near] or values
        return wanted.rng.choice(values) if values else None

    def _part(self, low: int, high: int) -> tuple[int, int]:
        if not self.held_out or high - low + 1 < MIN_SPLIT_SIZE:
            return (low, high) if self.split != HELD_OUT_RANGE else (1, 0)
        ceiling = _ceiling(low, high, self.held_out)
        return (ceiling + 1, high) if self.split == HELD_OUT_RANGE else (low, ceiling)

    def own(self, values: Sequence[T], key: str) -> list[T]:
        """Return the values that belong to this split (all of them, if there are few)."""
        if len(values) < MIN_SPLIT_SIZE:
            return list(values)
        return [value for value in values if belongs_to(self.split, f"{key}={value}")] or list(values)

    def keywords(self, name: str, pool: Sequence[str], rng: Random) -> list[str]:
        """Draw as many distinct words of this split as the type's `keywords` range says."""
        low, high = self.ranges[name]["keywords"]
        return rng.sample(pool, min(len(pool), rng.randint(low, high)))


def _ceiling(low: int, high: int, held_out: float) -> int:
    return high - max(1, round((high - low + 1) * held_out))


@lru_cache(maxsize=1024)
def _number_ranges(cls: type[Constraint]) -> dict[str, tuple[int, int]]:
    """Return the wide number ranges that a type draws from, by argument; none where it draws in a way of its own."""
    found: dict[str, tuple[int, int]] = {}
    if getattr(cls.draw, "__func__", None) is not getattr(Constraint.draw, "__func__", None):
        return found
    for name, argument in cls.model_fields.items():
        draws = [kind for kind in argument.metadata if isinstance(kind, Draw)]
        if draws and draws[-1].bounds and draws[-1].bounds[1] - draws[-1].bounds[0] + 1 >= MIN_SPLIT_SIZE:
            found[name] = draws[-1].bounds
    return found


@lru_cache(maxsize=1024)
def _is_wide(name: str, language: str) -> bool:
    """Tell whether a type draws so many different arguments that values can be held out."""
    rng, cls = Random(f"{name}/{language}"), constraint_class(name)
    return len({json.dumps(cls.draw(rng, language), sort_keys=True) for _ in range(64)}) >= 3 * MIN_SPLIT_SIZE


def _hardness(arguments: Mapping[str, Any]) -> float:
    """Return a number that grows with what is asked for; of a maximum, less is more."""
    numbers = [float(value) for value in arguments.values() if isinstance(value, int | float)]
    size = sum(numbers) + sum(len(value) for value in arguments.values() if isinstance(value, tuple | list))
    return -size if "max" in arguments["type"] or "forbidden" in arguments["type"] else size


@lru_cache(maxsize=16)
def _new_words(split: str, language: str) -> tuple[str, ...]:
    return tuple(word for word in KEYWORDS[language] if belongs_to(split, f"keyword.{language}={word}"))


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
    return [
        w for w in dict.fromkeys(found) if fold(w) not in asked and belongs_to(sampler.split, f"keyword.{language}={w}")
    ]


def _answer_words(wanted: Wanted) -> float | None:
    """Return how many words a full answer of the seed has."""
    solution = wanted.seed.solutions.get(wanted.language)
    return solution and len(Text(" ".join([*solution.core, *solution.optional])).words)


def _existence(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    own = _own_words(s, wanted.seed, wanted.language) if wanted.rng.random() < wanted.conditioned else []
    return {"keywords": s.keywords(name, own or _new_words(s.split, wanted.language), wanted.rng)}


def _forbidden(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    words = s.keywords(name, _own_words(s, wanted.seed, wanted.language), wanted.rng)
    return {"keywords": words} if words else None


def _min_frequency(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    own = _own_words(s, wanted.seed, wanted.language) if wanted.rng.random() < wanted.conditioned else []
    keyword = wanted.rng.choice(own or _new_words(s.split, wanted.language))
    return _numbered({"keyword": keyword}, "count", s.number(name, "count", wanted))


def _max_frequency(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    words = _own_words(s, wanted.seed, wanted.language)
    if not words:
        return None
    return _numbered({"keyword": wanted.rng.choice(words)}, "count", s.number(name, "count", wanted))


def _limit(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    near = _answer_words(wanted) if wanted.conditioned else None
    return _numbered({}, "limit", s.number(name, "limit", wanted, near))


def _count(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    return _numbered({}, "count", s.number(name, "count", wanted))


def _sections(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    marker = wanted.rng.choice(["Section", "Part"] if wanted.language == "en" else ["Section", "部分"])
    return _numbered({"marker": marker}, "count", s.number(name, "count", wanted))


def _end_phrase(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    return {"phrase": wanted.rng.choice(s.own(END_PHRASES[wanted.language], f"end_phrase.{wanted.language}"))}


def _repeat(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    return {"request": wanted.seed.request} if wanted.language == wanted.seed.language else None


def _language(s: ArgumentSampler, name: str, wanted: Wanted) -> dict[str, Any] | None:
    return {"language": wanted.language}


def _numbered(arguments: dict[str, Any], name: str, number: int | None) -> dict[str, Any] | None:
    return None if number is None else {**arguments, name: number}


_DRAWERS: dict[str, Callable[[ArgumentSampler, str, Wanted], dict[str, Any] | None]] = {
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
