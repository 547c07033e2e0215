"""Typed facts about invented things: chains of them with distractors, and the solver that follows a question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from data_gen.seeds.table import read_table

#: Syllables that open and close an invented name, in English and Chinese.
_OPENINGS = (
    ("Bel", "贝尔"), ("Cor", "科尔"), ("Dan", "丹"), ("Fen", "芬"), ("Gal", "加尔"), ("Hol", "霍尔"),
    ("Jas", "贾斯"), ("Kel", "凯尔"), ("Lam", "兰姆"), ("Mor", "莫尔"), ("Nim", "尼姆"), ("Oro", "奥罗"),
    ("Pel", "佩尔"), ("Quin", "昆"), ("Rav", "拉夫"), ("Sol", "索尔"), ("Tam", "塔姆"), ("Ulm", "乌尔姆"),
    ("Ver", "维尔"), ("Wes", "韦斯"), ("Yar", "亚尔"), ("Zen", "泽恩"), ("Bri", "布里"), ("Cla", "克拉"),
    ("Dro", "德罗"), ("Fli", "弗利"), ("Gru", "格鲁"), ("Kra", "克雷"), ("Ple", "普莱"), ("Sta", "斯塔"),
    ("Tre", "特雷"),
)  # fmt: skip
_CLOSINGS = (
    ("ba", "巴"), ("bin", "宾"), ("da", "达"), ("den", "登"), ("fo", "福"), ("gan", "甘"), ("hi", "希"),
    ("ka", "卡"), ("kin", "金"), ("la", "拉"), ("lon", "隆"), ("ma", "马"), ("min", "明"), ("na", "纳"),
    ("nor", "诺"), ("pa", "帕"), ("pin", "平"), ("ra", "腊"), ("rin", "林"), ("sa", "萨"), ("sen", "森"),
    ("ta", "塔"), ("tin", "廷"), ("va", "瓦"), ("vin", "文"), ("wa", "华"), ("xi", "西"), ("zo", "佐"),
    ("bo", "博"), ("du", "杜"), ("gi", "吉"), ("ro", "罗"), ("lu", "鲁"), ("mo", "莫"), ("ne", "内"),
    ("po", "波"), ("te", "特"),
)  # fmt: skip
STEMS = len(_OPENINGS) * len(_CLOSINGS)
_STRIDE = 223  # coprime with the number of stems, so that neighbours differ in both syllables


class Thing(NamedTuple):
    """Something that facts speak about: its kind, and the number of the stem of its name."""

    kind: str
    stem: int

    def name(self, language: str) -> str:
        column = ("en", "zh").index(language)
        place = self.stem * _STRIDE % STEMS
        stem = _OPENINGS[place // len(_CLOSINGS)][column] + _CLOSINGS[place % len(_CLOSINGS)][column]
        return str(kinds()[self.kind][language]["name"].format(stem=stem))


class Fact(NamedTuple):
    """What is said of `a`: in a passage it has this relation to nothing but `b`."""

    a: Thing
    relation: str
    b: Thing


class Puzzle(NamedTuple):
    """A question about a passage: from `start` along `relations`; `chain` holds the facts that this takes."""

    start: Thing
    relations: tuple[str, ...]
    chain: tuple[Fact, ...]
    distractors: tuple[Fact, ...]


def solve(start: Thing, relations: Sequence[str], facts: Collection[Fact]) -> Thing | None:
    """Follow the relations through the facts, or return None where a step cannot be told for sure.

    Example:
        >>> book, person = Thing("book", 0), Thing("person", 1)
        >>> solve(book, ["author"], [Fact(book, "author", person)]) == person
        True
    """
    place = start
    for relation in relations:
        found = {fact.b for fact in facts if (fact.a, fact.relation) == (place, relation)}
        if len(found) != 1:
            return None
        place = found.pop()
    return place


def draw_puzzle(hops: int, distractors: int, names: int, rng: Random) -> Puzzle:
    """Draw a question with its chain, and as many other chains along the same relations; no thing is in two of them.

    Args:
        hops: the number of facts that answer it.
        distractors: the number of other chains.
        names: how many names each kind has.
    """
    paths = _paths(hops)
    path = paths[rng.randrange(len(paths))]
    kinds_on_path = (relation_table()[path[0]]["from"], *(relation_table()[name]["to"] for name in path))
    chains = _draw_chains(kinds_on_path, path, distractors + 1, names, rng)
    return Puzzle(chains[0][0].a, path, tuple(chains[0]), tuple(fact for chain in chains[1:] for fact in chain))


def _draw_chains(on_path: Sequence[str], path: Sequence[str], count: int, names: int, rng: Random) -> list[list[Fact]]:
    used: set[int] = set()
    chains = []
    for _ in range(count):
        things = [Thing(kind, _free_stem(kind, names, used, rng)) for kind in on_path]
        chains.append([Fact(a, name, b) for a, name, b in zip(things, path, things[1:], strict=False)])
    return chains


def _free_stem(kind: str, names: int, used: set[int], rng: Random) -> int:
    """Draw a stem that nothing else in the passage has; few names of two kinds have no stem in common."""
    first = list(kinds()).index(kind) * (STEMS // len(kinds()))
    while True:
        stem = (first + rng.randrange(names)) % STEMS
        if stem not in used:
            used.add(stem)
            return stem


@lru_cache(maxsize=1)
def kinds() -> dict[str, dict[str, Any]]:
    """Return how the kinds of things are named and asked for."""
    return {entry["kind"]: entry for entry in read_table("hops") if "kind" in entry}


@lru_cache(maxsize=1)
def relation_table() -> dict[str, dict[str, Any]]:
    """Return the relations by name."""
    return {entry["relation"]: entry for entry in read_table("hops") if "relation" in entry}


@lru_cache(maxsize=8)
def _paths(hops: int) -> tuple[tuple[str, ...], ...]:
    """Return the relations that can follow each other, a kind at most once on the way but for teachers of people."""
    return tuple(path for kind in kinds() for path in _paths_from(kind, hops))


def _paths_from(kind: str, hops: int) -> Iterator[tuple[str, ...]]:
    if hops == 0:
        yield ()
        return
    for name, entry in relation_table().items():
        if entry["from"] == kind:
            for rest in _paths_from(entry["to"], hops - 1):
                if name not in rest:
                    yield (name, *rest)
