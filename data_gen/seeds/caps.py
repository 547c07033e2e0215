"""Balance: at most so many seeds of one topic and of one ability tag, chosen by hash."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable

from data_gen.seeds.seed import Seed


class Candidates:
    """What the choice needs to know of seeds, in sixteen bytes each: a hash for the order, topic, tags, language."""

    def __init__(self, seeds: Iterable[Seed] = ()) -> None:
        self._orders, self._groups = array("Q"), array("L")
        self._numbers: dict[tuple[str, str, tuple[str, ...]], int] = {}
        self._kinds: list[tuple[str, str, tuple[str, ...]]] = []
        for seed in seeds:
            self.add(seed)

    def add(self, seed: Seed) -> None:
        """Remember a seed; its place in the order depends on its content alone, not on the rows around it."""
        content = "\x1f".join((seed.set, seed.id, seed.request)).encode("utf-8", "surrogatepass")
        self._orders.append(int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big"))
        kind = (seed.language, seed.topic, seed.tags)
        if kind not in self._numbers:
            self._numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        self._groups.append(self._numbers[kind])

    def __len__(self) -> int:
        return len(self._orders)

    def language(self, place: int) -> str:
        return self._kinds[self._groups[place]][0]

    def topic(self, place: int) -> str:
        return self._kinds[self._groups[place]][1]

    def tags(self, place: int) -> tuple[str, ...]:
        return self._kinds[self._groups[place]][2]

    def in_order(self) -> list[int]:
        """Return the places in the order of the hashes."""
        return sorted(range(len(self)), key=lambda place: (self._orders[place], place))


def within_caps(candidates: Candidates, per_topic: int | None, per_tag: int | None) -> tuple[list[int], Counter[str]]:
    """Return the places of the candidates that stay, in their order, and how many were dropped by reason.

    Candidates are looked at in the order of their hashes; one is dropped when its topic is full or one of its tags is
    (the complexity-first sampling of InsTag, arXiv 2308.07074, with a hash in place of the complexity).

    Example:
        >>> some = Candidates(Seed("set", str(number), "en", "Hi.", None, {}, topic="Talk") for number in range(5))
        >>> len(within_caps(some, 2, None)[0])
        2
    """
    if per_topic is None and per_tag is None:
        return list(range(len(candidates))), Counter()
    topics, tags, dropped = Counter[str](), Counter[str](), Counter[str]()
    kept = []
    for place in candidates.in_order():
        topic, own = candidates.topic(place), candidates.tags(place)
        if per_topic is not None and topics[topic] >= per_topic:
            dropped["topic cap"] += 1
        elif per_tag is not None and any(tags[tag] >= per_tag for tag in own):
            dropped["tag cap"] += 1
        else:
            topics[topic] += 1
            tags.update(own)
            kept.append(place)
    return sorted(kept), dropped
