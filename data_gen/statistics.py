"""Statistics of a data set, in one pass and flat memory: what it holds, how varied it is, what was turned down."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from data_gen.quality.files import instruction_files, json_rows, read_manifest
from rewards.constraint import known_constraints
from rewards.errors import RaifError

Row = Mapping[str, Any]
SOFT = "judge:question"
SAMPLE = 2000  # prompts whose wordings are compared
OPENINGS = 100_000  # different openings that are told apart; later new ones are counted together
_LENGTHS = (0, 10, 20, 30, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 600, 800, 1200)
_NUMBERS = (0, 1, 2, 3, 4, 5, 6, 11, 21, 31, 51, 76, 101, 151, 201, 301, 501)
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’-][^\W_\u3400-\u9fff]+)*")


class Histogram(BaseModel):
    """Counts in fixed bins: `counts[i]` values lie from `edges[i]` up to, and without, the next edge."""

    model_config = ConfigDict(frozen=True)

    edges: tuple[int, ...]
    counts: tuple[int, ...]
    low: float
    high: float
    mean: float

    @property
    def total(self) -> int:
        return sum(self.counts)


class Wording(BaseModel):
    """How alike the prompts are; shares of one are as varied as can be.

    Fields:
        openings: how many different first three words (four characters in Chinese) the prompts have.
        frequent: the openings that occur most, with the number of prompts.
        largest_share: the share of the most frequent one.
        distinct: share of different runs of n words among all, in a sample of the prompts, by n.
        sample: how many prompts the sample holds.
    """

    model_config = ConfigDict(frozen=True)

    openings: int
    frequent: dict[str, int]
    largest_share: float
    distinct: dict[int, float]
    sample: int


class Statistics(BaseModel):
    """What a data set holds; every mapping counts instructions, or leaves where the comment says so."""

    model_config = ConfigDict(frozen=True)

    rows: int
    splits: dict[str, int]
    languages: dict[str, int]
    split_languages: dict[str, dict[str, int]]
    seed_sets: dict[str, int]
    licences: dict[str, dict[str, int]]  # seed set -> licence -> instructions
    topics: dict[str, int]
    difficulties: dict[str, int]
    answers: dict[str, int]
    prompts: dict[str, int]
    layouts: dict[str, int]
    leaves: dict[int, int]
    depths: dict[int, int]
    nodes: dict[str, int]  # nodes of the trees
    conditions: dict[str, int]  # branches
    types: dict[str, int]  # leaves
    families: dict[str, int]  # leaves
    scopes: dict[str, int]  # leaves
    soft_leaves: int
    rule_leaves: int
    strict_types: int
    missing_types: tuple[str, ...]
    lengths: dict[str, Histogram]
    arguments: dict[str, Histogram]
    wording: Wording
    rejected: dict[str, dict[str, int]]
    manifest: dict[str, Any]

    @property
    def nested(self) -> float:
        """The share of instructions whose tree is two levels deep or more."""
        return sum(count for depth, count in self.depths.items() if depth > 1) / self.rows

    @property
    def type_coverage(self) -> float:
        """The share of all strict constraint types that occur."""
        return 1 - len(self.missing_types) / self.strict_types


def statistics(folder: str | Path) -> Statistics:
    """Read the statistics of a data set off its instructions and its manifest.

    Raises:
        RaifError: if there are no instructions, or a row is none.
    """
    collector = Collector()
    for path in instruction_files(folder):
        for row in json_rows(path):
            collector.add(row, str(path))
    return collector.result(read_manifest(folder))


class _Bins:
    """A histogram in the making."""

    def __init__(self, edges: tuple[int, ...]) -> None:
        self.edges, self.counts = edges, [0] * len(edges)
        self.low, self.high, self.sum = float("inf"), float("-inf"), 0.0

    def add(self, value: float) -> None:
        self.counts[max(0, bisect_right(self.edges, value) - 1)] += 1
        self.low, self.high, self.sum = min(self.low, value), max(self.high, value), self.sum + value

    def result(self) -> Histogram:
        total = sum(self.counts)
        return Histogram(
            edges=self.edges, counts=tuple(self.counts), low=self.low, high=self.high, mean=self.sum / max(1, total)
        )


class Collector:
    """Adds up the statistics of rows while they stream by."""

    def __init__(self) -> None:
        self.rows = 0
        self.counters: dict[str, Counter[Any]] = {}
        self.pairs: dict[str, dict[str, Counter[str]]] = {"split_languages": {}, "licences": {}}
        self.lengths: dict[str, _Bins] = {}
        self.arguments: dict[str, _Bins] = {}
        self.openings: Counter[str] = Counter()
        self.other_openings = 0
        self._sample: list[tuple[int, str]] = []  # the prompts with the smallest ids: those are hashes

    def add(self, row: Row, where: str = "row") -> None:
        """Count one instruction."""
        try:
            self._add(row)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RaifError(f"{where}: row {self.rows} is no instruction ({type(error).__name__} {error}).") from error

    def result(self, manifest: Mapping[str, Any]) -> Statistics:
        """Return the statistics, with what the manifest knows of topics, layouts and rejections."""
        if not self.rows:
            raise RaifError("the data set holds no instructions; make them with `python -m data_gen`.")
        types = self._counts("types")
        known = known_constraints()
        soft = types.get(SOFT, 0)
        fields: dict[str, Any] = {
            **{name: self._counts(name) for name in ("splits", "languages", "seed_sets", "difficulties", "answers")},
            **{name: self._counts(name) for name in ("prompts", "nodes", "conditions", "families", "scopes")},
            **{name: dict(sorted(self.counters.get(name, Counter()).items())) for name in ("leaves", "depths")},
        }
        for name, pairs in self.pairs.items():
            fields[name] = {first: _ordered(second) for first, second in sorted(pairs.items())}
        return Statistics(
            rows=self.rows,
            **fields,
            topics=_ordered(_counted(manifest.get("topics")) + self.counters.get("topics", Counter())),
            layouts=_ordered(_counted(manifest.get("layouts"))),
            types=types,
            soft_leaves=soft,
            rule_leaves=sum(types.values()) - soft,
            strict_types=len(known),
            missing_types=tuple(name for name in known if name not in types),
            lengths={name: bins.result() for name, bins in self.lengths.items()},
            arguments={name: bins.result() for name, bins in sorted(self.arguments.items())},
            wording=self._wording(),
            rejected=_rejections(manifest.get("rejected")),
            manifest=dict(manifest),
        )

    def _add(self, row: Row) -> None:
        self.rows += 1
        source, prompt = row["source"], row["prompt"]
        self._count("splits", row["split"])
        self._count("languages", row["language"])
        self._count("seed_sets", source["seed_set"])
        self._count("difficulties", row.get("difficulty") or "not given")
        self._count("answers", (row.get("answer") or {}).get("kind", "none"))
        self._pair("split_languages", row["split"], row["language"])
        self._pair("licences", source["seed_set"], source.get("licence") or "not given")
        if source.get("topic"):
            self._count("topics", source["topic"])
        text = prompt if isinstance(prompt, str) else "\n\n".join(turn["content"] for turn in prompt)
        self._count("prompts", _prompt_kind(prompt))
        self._add_text(row["id"], text)
        self._length("prompt", text)
        self._length("witness", row.get("witness"))
        self._length("expert thinking", (row.get("expert") or {}).get("thinking"))
        leaves, depth = self._add_tree(row["tree"])
        self._count("leaves", leaves)
        self._count("depths", depth)

    def _add_tree(self, root: Row) -> tuple[int, int]:
        leaves, deepest = 0, 0
        stack = [(root, 0)]
        while stack:
            node, depth = stack.pop()
            deepest = max(deepest, depth)
            self._count("nodes", node["kind"])
            if node["kind"] == "leaf":
                leaves += 1
                self._add_constraint(node["constraint"])
                continue
            for branch in node.get("branches", ()):
                self._count("conditions", _condition(branch["when"]))
            stack += [(child, depth + 1) for child in _children(node)]
        return leaves, deepest

    def _add_constraint(self, constraint: Row) -> None:
        name = constraint["type"]
        self._count("types", name)
        self._count("families", name.partition(":")[0])
        self._count("scopes", constraint.get("scope", "answer"))
        for argument, value in constraint.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.arguments.setdefault(f"{name}.{argument}", _Bins(_NUMBERS)).add(value)

    def _add_text(self, row_id: str, text: str) -> None:
        opening = _opening(text)
        if opening in self.openings or len(self.openings) < OPENINGS:
            self.openings[opening] += 1
        else:
            self.other_openings += 1
        entry = (-_rank(row_id), text)
        if len(self._sample) < SAMPLE:
            heapq.heappush(self._sample, entry)
        elif entry > self._sample[0]:
            heapq.heapreplace(self._sample, entry)

    def _wording(self) -> Wording:
        runs: dict[int, Counter[tuple[str, ...]]] = {n: Counter() for n in (1, 2, 3)}
        for _, text in self._sample:
            words = [word.lower() for word in _WORD.findall(text)]
            for n, found in runs.items():
                found.update(zip(*(words[start:] for start in range(n)), strict=False))
        most = sorted(self.openings.items(), key=lambda item: (-item[1], item[0]))[:15]
        return Wording(
            openings=len(self.openings),
            frequent=dict(most),
            largest_share=most[0][1] / self.rows,
            distinct={n: len(found) / max(1, found.total()) for n, found in runs.items()},
            sample=len(self._sample),
        )

    def _length(self, name: str, text: str | None) -> None:
        if text is not None:
            self.lengths.setdefault(name, _Bins(_LENGTHS)).add(len(_WORD.findall(text)))

    def _count(self, name: str, value: Any) -> None:
        counter = self.counters.get(name)
        if counter is None:
            counter = self.counters[name] = Counter()
        counter[value] += 1

    def _pair(self, name: str, first: str, second: str) -> None:
        self.pairs[name].setdefault(first, Counter())[second] += 1

    def _counts(self, name: str) -> dict[Any, int]:
        return _ordered(self.counters.get(name, Counter()))


def _ordered(counter: Counter[Any]) -> dict[Any, int]:
    """Return counts, the largest first; equal ones by name."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], str(item[0]))))


def _counted(value: object) -> Counter[Any]:
    """Return the counts of a mapping in a manifest; anything else counts nothing."""
    return (
        Counter({key: n for key, n in value.items() if isinstance(n, int)}) if isinstance(value, Mapping) else Counter()
    )


def _rejections(value: object) -> dict[str, dict[str, int]]:
    """Return the counts of a manifest by split and reason; those without splits are of `all`."""
    if not isinstance(value, Mapping):
        return {}
    by_split = value if all(isinstance(each, Mapping) for each in value.values()) else {"all": value}
    return {str(split): _ordered(_counted(reasons)) for split, reasons in by_split.items()}


def _children(node: Row) -> Iterator[Row]:
    yield from node.get("parts", ())
    yield from node.get("steps", ())
    yield from (branch["then"] for branch in node.get("branches", ()))
    if node.get("otherwise") is not None:
        yield node["otherwise"]


def _condition(when: Row) -> str:
    """Name the kind of a condition: who decides, and by what."""
    detail = when.get("relation") or (when.get("constraint") or {}).get("type", "")
    return f"{when['by']}: {detail}" if detail else str(when["by"])


def _opening(text: str) -> str:
    """Return the first three words of a prompt, or its first four characters in Chinese."""
    words = _WORD.findall(text[:120])
    if words and "\u3400" <= words[0] <= "\u9fff":
        return "".join(words[:4])
    return " ".join(words[:3]).lower()


def _prompt_kind(prompt: str | Iterable[Row]) -> str:
    if isinstance(prompt, str):
        return "one message"
    roles = [turn["role"] for turn in prompt]
    if roles[0] == "system":
        return "system message" if len(roles) == 2 else "system message, several turns"
    return "one message" if len(roles) == 1 else "several turns"


def _rank(row_id: str) -> int:
    """Return where an id stands in a fixed shuffle; ids are hashes, so that their order is one."""
    try:
        return int(row_id, 16)
    except ValueError:
        return sum(first * 31 + second for first, second in pairwise(row_id.encode()))
