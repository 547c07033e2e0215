"""Topics and ability tags of requests that carry none, by the words in `tagging.yaml`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

MAX_CHARACTERS = 2_000  # what a request asks for stands at its beginning
OTHER = "Other"
RULES = Path(__file__).parent / "tagging.yaml"
_WORD = re.compile(r"[a-z][a-z'+-]*")


class Tagging(NamedTuple):
    """What a request is about, and what it asks for."""

    topic: str
    tags: tuple[str, ...]


class Tagger:
    """Counts the words of a table; the topic with the most hits wins, every ability hit is a tag.

    Args:
        rules: `topics` and `abilities`: name -> language -> words or phrases.

    Example:
        >>> default_tagger().tag("Write an email to my landlord about the lease.", "en")
        Tagging(topic='Legal Knowledge', tags=('email writing',))
    """

    def __init__(self, rules: Mapping[str, Mapping[str, Mapping[str, list[str]]]]) -> None:
        self._topics, self._abilities = list(rules["topics"]), list(rules["abilities"])
        self._places: dict[str, dict[str, list[str]]] = {"en": {}, "zh": {}}
        for table in (rules["topics"], rules["abilities"]):
            for name, languages in table.items():
                for language, entries in languages.items():
                    for entry in entries:
                        self._places[language].setdefault(entry, []).append(name)
        self._lengths: dict[str, set[int]] = {}  # of the entries that begin with a word
        for entry in self._places["en"]:
            first, *rest = entry.split()
            self._lengths.setdefault(first, set()).add(1 + len(rest))

    def tag(self, request: str, language: str) -> Tagging:
        """Return the topic (`Other` where no word is known) and the ability tags, in the table's order."""
        text = request[:MAX_CHARACTERS]
        hits = self._chinese(text) if language == "zh" else self._english(text)
        topic = max(self._topics, key=lambda name: hits[name])
        return Tagging(topic if hits[topic] else OTHER, tuple(name for name in self._abilities if hits[name]))

    def _english(self, text: str) -> Counter[str]:
        words, hits, find = _WORD.findall(text.lower()), Counter[str](), self._places["en"].get
        for place, word in enumerate(words):
            for length in self._lengths.get(word, ()):
                for name in find(" ".join(words[place : place + length]), ()):
                    hits[name] += 1
        return hits

    def _chinese(self, text: str) -> Counter[str]:
        hits = Counter[str]()
        for entry, names in self._places["zh"].items():
            times = text.count(entry)
            for name in names:
                hits[name] += times
        return hits


@lru_cache(maxsize=1)
def default_tagger() -> Tagger:
    """Return the tagger of `tagging.yaml`."""
    return Tagger(yaml.safe_load(RULES.read_text(encoding="utf-8")))
