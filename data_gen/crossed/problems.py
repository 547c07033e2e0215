"""Problems with known answers: from files, from MathIF's own rows, or embedded; what cannot be used is counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from data_gen.correctness import is_right
from data_gen.seeds import ArithmeticSeeds, Seed, SeedSet, Solution, WordProblemSeeds
from data_gen.seeds.mapping import BadRow, RowMapping
from data_gen.seeds.rows import read_rows
from rewards.errors import RaifError
from rewards.task_answer import MathAnswer

EMBEDDED = "embedded"
_LEVELS = re.compile(r"_(?:none|single|double|triple)\Z")
_MOST_DRAWN = 20_000  # from an embedded set, which repeats itself sooner or later
_SPLITS = frozenset({"train", "test", "dev", "valid", "validation", "data"})
#: MathIF's GSM8K questions end in an order to answer after `####`, which the benchmark's own order contradicts.
_MARKER_ORDER = re.compile(r"\s*Let's think step by step[^.]*after \"####\"\.\s*\Z")


class Problem(NamedTuple):
    """A question with its right answer, and solutions in English that state it."""

    id: str
    question: str
    answer: str
    solutions: tuple[Solution, ...]


class Source:
    """The problems of one source in a seeded order; `examined` and `rejected` count what was looked at so far."""

    def __init__(self, name: str, seeds: Iterator[Seed | BadRow]) -> None:
        self.name, self._seeds = name, seeds
        self.examined, self.rejected = 0, Counter[str]()
        self._known = set[str]()

    def problems(self) -> Iterator[Problem]:
        """Yield the problems whose answer, in a box, is right to the grader; the others are counted by reason."""
        for seed in self._seeds:
            self.examined += 1
            found = _problem(self.name, seed)
            if isinstance(found, Problem) and found.id in self._known:
                found = "repeated question"
            if isinstance(found, str):
                self.rejected[found] += 1
                continue
            self._known.add(found.id)
            yield found


def _problem(source: str, seed: Seed | BadRow) -> Problem | str:
    """Return a problem, or the reason why a row is none."""
    if isinstance(seed, BadRow):
        return seed.reason
    if not isinstance(seed.answer, MathAnswer):
        return "no answer"
    if seed.language != "en":
        return "not in English"
    if not is_right(seed.answer, f"\\boxed{{{seed.answer.value}}}"):
        return "the grader refuses the answer itself"
    question = _MARKER_ORDER.sub("", seed.request)
    digest = hashlib.sha256(question.encode()).hexdigest()[:12]
    solution = seed.solutions["en"]
    whole = Solution("", (*solution.optional, *solution.core), ())
    return Problem(f"{source}-{digest}", question, seed.answer.value, (whole,) if solution.optional else ())


def open_problems(place: str, fields: dict[str, str], seed: int) -> list[Source]:
    """Open the sources of problems: `embedded`, a file, or every file of a folder.

    A file's source is its name without what says the split or the number of constraints: `gsm8k/test.jsonl` and
    `gsm8k_single.jsonl` are both `gsm8k`. Files of one source are read together.

    Args:
        place: what `--problems` says.
        fields: our field -> column, as in `--fields`.
        seed: of the order in which problems are taken.
    """
    if place == EMBEDDED:
        return [_embedded(ArithmeticSeeds(), seed), _embedded(WordProblemSeeds(), seed)]
    path, mapping = Path(place), RowMapping(fields)
    if not path.exists():
        raise RaifError(f"no problems at {place}; give a JSONL file, a folder of such files, or {EMBEDDED!r}.")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise RaifError(f"{place} holds no .jsonl file.")
    grouped: dict[str, list[Path]] = {}
    for file in files:
        grouped.setdefault(source_name(file), []).append(file)
    return [_from_files(name, found, mapping, seed) for name, found in sorted(grouped.items())]


def source_name(path: Path) -> str:
    """Return the name of a file's source.

    Example:
        >>> source_name(Path("gsm8k/test.jsonl")), source_name(Path("mathif/aime_double.jsonl"))
        ('gsm8k', 'aime')
    """
    stem = _LEVELS.sub("", path.stem)
    name = path.absolute().parent.name if stem.lower() in _SPLITS else stem
    return re.sub(r"[^\w-]+|_", "-", name).strip("-").lower() or "problems"


def _from_files(name: str, files: list[Path], mapping: RowMapping, seed: int) -> Source:
    rows = list[Seed | BadRow]()
    for file in files:
        for row in read_rows(file):
            try:
                rows.append(mapping.seed(name, row))
            except BadRow as bad:
                rows.append(bad)
    if not rows:
        raise RaifError(f"{', '.join(map(str, files))} holds no rows.")
    Random(f"{seed} order {name}").shuffle(rows)
    return Source(name, iter(rows))


def _embedded(seeds: SeedSet, seed: int) -> Source:
    name = seeds.name.replace("_", "-")
    rng = Random(f"{seed} order {name}")
    return Source(name, (seeds.draw(rng, "en") for _ in range(_MOST_DRAWN)))
