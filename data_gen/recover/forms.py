"""Wordings as patterns: what a text of a wording looks like, and the constraint that it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import islice, product
from string import Formatter
from typing import Any, NamedTuple

from data_gen.phrasing_banks import STOPS, bank
from data_gen.recover.places import ENDS
from data_gen.recover.slots import Slot, slots_of
from rewards.constraint import Constraint, constraint_class, known_constraints
from rewards.errors import RaifError

#: Arguments without a default that no wording says.
_NOT_SAID = {"affix:repeat_request": {"request": "the request"}}
#: In how many places a demand may end at most, if its arguments hold whole sentences.
_MOST_ENDS = 40


class Match(NamedTuple):
    """What a wording says, where it ends, and whether nothing in its slots looks like a part of something else."""

    constraint: Constraint
    end: int
    plain: bool


class Form:
    """One wording of one type in one language.

    Args:
        kind: the constraint type.
        wording: the template.
        slots: how its slots are read.
    """

    def __init__(self, kind: str, wording: str, language: str, slots: Mapping[str, Slot]) -> None:
        self.kind, self.wording, self.language, self.slots = kind, wording, language, slots
        self.stop = STOPS[language]
        self.pieces, self.appended = _pieces(wording, self.stop)
        texts = [text for text, _ in self.pieces]
        #: What the wording begins with, without its first letter, which may be small or a capital.
        self.head = texts[0][1:]
        self.first = frozenset((texts[0][:1], texts[0][:1].lower()))
        #: Stands in every text of the wording.
        self.anchor = max([self.head, *texts[1:]], key=len)
        self.letters = sum(map(len, texts))

    @cached_property
    def strict(self) -> re.Pattern[str]:
        """The pattern for slots of the usual shape."""
        return re.compile(self._pattern(loose=False) + ENDS[self.language].pattern)

    @cached_property
    def loose(self) -> re.Pattern[str] | None:
        """The pattern for slots that hold anything, without what follows, or None where no slot may."""
        return re.compile(self._pattern(loose=True)) if self._loose_slots else None

    @cached_property
    def _flexible(self) -> re.Pattern[str]:
        return re.compile(self._pattern(loose=True) + ENDS[self.language].pattern)

    @cached_property
    def guarded(self) -> bool:
        """Whether what fits the loose pattern is whole."""
        return all(slot.guarded for slot in self._loose_slots)

    @property
    def _loose_slots(self) -> list[Slot]:
        return [self.slots[name] for _, name in self.pieces if name and self.slots[name].loose]

    def match(self, text: str, begin: int) -> Match | None:
        """Return what the wording says if it begins at a place of a text."""
        found = self.strict.match(text, begin)
        if found and (constraint := self._read(found)):
            return Match(constraint, found.end(), True)
        if self.loose is None:
            return None
        for found in self._longer(self.loose, text, begin):
            if constraint := self._read(found):
                return Match(constraint, found.end(), self.guarded)
        return None

    def _longer(self, pattern: re.Pattern[str], text: str, begin: int) -> Iterator[re.Match[str]]:
        """Yield what fits a pattern, first what looks most like a whole demand; arguments may be cut off."""
        shortest = self._flexible.match(text, begin)
        if shortest is None:
            return
        name = self.pieces[-1][1]
        if name is None or not self.slots[name].loose:
            yield shortest
        stops = ENDS[self.language].finditer(text, begin + self.letters)
        ends = [end.start() for end in islice(stops, _MOST_ENDS)]
        if not self.guarded:
            # In a list, a comma hardly ever ends the demand.
            ends.sort(key=lambda end: text[end : end + 1] in (",", " ", "，"))
        yield from filter(None, (pattern.fullmatch(text, begin, end) for end in ends))

    def _read(self, found: re.Match[str]) -> Constraint | None:
        said = {name: text or "" for name, text in found.groupdict().items()}
        for readings in product(*(self.slots[name].read(text) for name, text in said.items())):
            arguments = _merged(readings)
            constraint = None if arguments is None else self._built(arguments)
            if constraint and self._says(constraint, found[0]):
                return constraint
        return None

    def _built(self, arguments: dict[str, Any]) -> Constraint | None:
        cls = constraint_class(self.kind)
        try:
            return cls.model_validate({**_NOT_SAID.get(self.kind, {}), **arguments})
        except (ValueError, TypeError, RaifError):
            return None

    def _says(self, constraint: Constraint, text: str) -> bool:
        """Tell whether the wording with the arguments of a constraint is the text, but for the stop and a capital."""
        said = self.wording.format_map(constraint.slots(self.language)).removesuffix(self.stop)
        text = text.removesuffix(self.stop)
        return said == text or (said[1:] == text[1:] and said[:1].lower() == text[:1])

    def _pattern(self, loose: bool) -> str:
        seen: set[str] = set()
        parts = []
        for number, (text, name) in enumerate(self.pieces):
            shown = re.escape(text)
            first = number == 0
            parts.append(f"(?i:{shown[:1]}){shown[1:]}" if first and text[:1].isalpha() else shown)
            if name is not None:
                parts.append(self._group(name, seen, loose, first and not text))
        if self.appended:
            parts[-1] = f"(?:{re.escape(self.stop)}{parts[-1]})?"
        return "".join(parts)

    def _group(self, name: str, seen: set[str], loose: bool, opening: bool) -> str:
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        slot = self.slots[name]
        shape = slot.loose if loose and slot.loose else slot.shape
        return f"(?P<{name}>(?i:{shape}))" if opening else f"(?P<{name}>{shape})"


def _pieces(wording: str, stop: str) -> tuple[list[tuple[str, str | None]], bool]:
    """Divide a wording into literal texts, each with the slot that follows; the last stop is left out.

    Also tell whether that stop has a slot behind it, which holds further sentences or nothing.
    """
    parts = [(text, name) for text, name, _, _ in Formatter().parse(wording)]
    text, name = parts[-1]
    parts[-1] = (text.removesuffix(stop), name)
    return [part for part in parts if part != ("", None)], name is not None and text.endswith(stop)


def _merged(readings: tuple[Mapping[str, Any], ...]) -> dict[str, Any] | None:
    """Return the arguments of all slots, or None where two slots disagree."""
    merged: dict[str, Any] = {}
    for reading in readings:
        for name, value in reading.items():
            if merged.setdefault(name, value) != value:
                return None
    return merged


@lru_cache(maxsize=8)
def forms(language: str) -> tuple[Form, ...]:
    """Return the forms of all wordings of all types, in a fixed order."""
    found: list[Form] = []
    for kind, cls in known_constraints().items():
        wordings = bank(kind, language)
        names = {name for wording in wordings for _, name, _, _ in Formatter().parse(wording) if name is not None}
        slots = slots_of(cls, language, names)
        found += (Form(kind, wording, language, slots) for wording in wordings)
    return tuple(found)
