"""A family rendered as a sentence, the sentence parsed back, and the constraint that both stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from data_gen.self_evident.wordings import Wordings, wordings
from rewards.constraint import Constraint, parse_constraint
from rewards.errors import unknown_name
from rewards.text import fold

Slots = Mapping[str, int | str]
WORDING_COUNT = 3
_SLOT = re.compile(r"\{(\w+)\}")
_NUMBERS = frozenset({"low", "high", "count", "limit", "times"})
_LANGUAGES = ("en", "zh")
_MARKS = " .,:;!?，。：；！？=-"


class Said(NamedTuple):
    """What a sentence says: a family and its arguments."""

    family: str
    slots: Slots


def family(name: str) -> Wordings:
    """Return a family, or raise with the nearest known name."""
    known = wordings()
    if name not in known:
        raise unknown_name("self-evident family", name, known, "See `wordings.yaml`.")
    return known[name]


def column_of(language: str) -> int:
    """Return the place of a language among the wordings, or raise with those that there are."""
    if language not in _LANGUAGES:
        raise unknown_name("language of constraints", language, _LANGUAGES, "Wordings are bilingual.")
    return _LANGUAGES.index(language)


def constraint_of(said: Said) -> Constraint:
    """Return the constraint that a family and its arguments stand for.

    Raises:
        RaifError: if the arguments are not legal, for instance a phrase of nothing but marks.

    Example:
        >>> constraint_of(Said("at_most_words", {"limit": 60})).type
        'length:max_words'
    """
    return _built(said.family, tuple(said.slots.items()))


@lru_cache(maxsize=8192)
def _built(name: str, slots: tuple[tuple[str, int | str], ...]) -> Constraint:
    return parse_constraint(_filled(family(name).constraint, dict(slots)))


def _filled(value: Any, slots: Slots) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(each, slots) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, slots) for each in value]
    match = _SLOT.fullmatch(value) if isinstance(value, str) else None
    return slots[match[1]] if match else value


def render(said: Said, language: str, wording: int = 0) -> str:
    """Say a constraint in one of its three wordings.

    Example:
        >>> render(Said("exact_sentences", {"count": 1}), "en")
        'Write exactly 1 sentence, formulas and code aside; a line of its own counts as one.'
    """
    found = family(said.family)
    column = column_of(language)
    shown = {
        name: found.names[name][str(value)][column] if name in found.names else value
        for name, value in said.slots.items()
    }
    number = next((value for name, value in said.slots.items() if name in _NUMBERS), 0)
    return found.phrases[language][wording % WORDING_COUNT].format(**shown, s="" if number == 1 else "s")


def parse(sentence: str, language: str) -> Said | None:
    """Read a rendered sentence back, or return None where it is none.

    Example:
        >>> parse("Use at most 60 words.", "en")
        Said(family='at_most_words', slots={'limit': 60})
    """
    column_of(language)
    for name, pattern in _patterns(language):
        if match := pattern.fullmatch(sentence):
            return Said(name, {slot: _read(name, slot, value, language) for slot, value in match.groupdict().items()})
    return None


@lru_cache(maxsize=2)
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (name, re.compile("".join(_pieces(template)), re.DOTALL))
        for name, found in wordings().items()
        for template in found.phrases[language]
    )


def _pieces(template: str) -> Iterator[str]:
    end = 0
    for slot in _SLOT.finditer(template):
        yield re.escape(template[end : slot.start()])
        name, end = slot[1], slot.end()
        yield "s?" if name == "s" else rf"(?P<{name}>\d+)" if name in _NUMBERS else rf"(?P<{name}>.+)"
    yield re.escape(template[end:])


def _read(name: str, slot: str, value: str, language: str) -> int | str:
    if slot in _NUMBERS:
        return int(value)
    names = family(name).names.get(slot, {})
    column = column_of(language)
    return next((key for key, shown in names.items() if shown[column] == value), value)


def implied_key(said: Said) -> str:
    """Return what a constraint is about; of two with the same key one may say what the other implies.

    Example:
        >>> implied_key(Said("contains", {"word": "answer"})), implied_key(Said("last_line", {"phrase": "Answer:"}))
        ('keyword answer', 'keyword answer')
    """
    about = {name: fold(str(value)).strip(_MARKS) for name, value in said.slots.items()}
    return family(said.family).key.format(**about)


@lru_cache(maxsize=4096)
def demanded_pattern(said_family: str, slots: tuple[tuple[str, int | str], ...]) -> re.Pattern[str]:
    """Return what finds a request that demands something of the same family already."""
    text = family(said_family).demanded
    for name, value in slots:
        text = text.replace(f"{{{name}}}", re.escape(str(value)))
    return re.compile(text, re.IGNORECASE)
