"""Finds the demands of a prompt: every wording in every place, and of those that overlap the ones that say most."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from data_gen.recover.forms import Form, Match, forms
from data_gen.recover.places import Start, starts
from rewards.constraint import Constraint

#: Its request is said only as "the request".
_REPEAT = "affix:repeat_request"


class Recovered(NamedTuple):
    """A demand of a prompt.

    Fields:
        constraint: what is demanded.
        begin: where it begins, with the words that say its scope.
        end: where it ends, without the stop.
        wording: the template that it is said with.
    """

    constraint: Constraint
    begin: int
    end: int
    wording: str


class _Candidate(NamedTuple):
    found: Recovered
    weight: int


def recover(prompt_text: str, language: str, request: str | None = None) -> list[Recovered]:
    """Return the demands that a prompt states, in the order of the text; the conditions of branches are none.

    Demands that only a judge can decide are not found. Arguments that no wording says have their defaults; the text
    that `affix:repeat_request` wants repeated is `request`, else the longest stretch of the prompt outside demands.

    Raises:
        RaifError: for a language without wordings.

    Example:
        >>> [each.constraint.describe() for each in recover("Name a river. Do not use more than 9 words.", "en")]
        ['Use at most 9 words.']
    """
    chosen = _cover(list(_candidates(prompt_text, language)))
    if any(each.constraint.type == _REPEAT for each in chosen):
        named = request if request is not None else _rest(prompt_text, chosen)
        chosen = [_with_request(each, named) if each.constraint.type == _REPEAT else each for each in chosen]
    return chosen


def _candidates(text: str, language: str) -> Iterator[_Candidate]:
    known = forms(language)
    begins = starts(text, language)
    places = sorted(begins)
    for form in known:
        if form.anchor in text:
            for place in _places(form, text, begins, places):
                if match := form.match(text, place):
                    yield _candidate(form, match, begins[place])


def _candidate(form: Form, match: Match, start: Start) -> _Candidate:
    constraint = match.constraint
    if start.scope != "answer":
        constraint = constraint.model_copy(update={"scope": start.scope})
    weight = match.end - start.begin if match.plain else form.letters
    return _Candidate(Recovered(constraint, start.begin, match.end, form.wording), weight)


def _places(form: Form, text: str, begins: dict[int, Start], places: Sequence[int]) -> Iterator[int]:
    """Yield where a form may begin."""
    if not form.head:
        yield from places
        return
    place = text.find(form.head)
    while place >= 0:
        if place - 1 in begins and text[place - 1] in form.first:
            yield place - 1
        place = text.find(form.head, place + 1)


def _cover(candidates: list[_Candidate]) -> list[Recovered]:
    """Return the candidates that do not overlap and together weigh most; of equals, the fewer and the earlier."""
    ordered = sorted(candidates, key=lambda each: (each.found.end, each.found.begin, -each.weight, each.found.wording))
    ends = [each.found.end for each in ordered]
    # For the first n candidates: the best weight, how many it takes, and the last of them.
    best: list[tuple[int, int]] = [(0, 0)]
    taken: list[tuple[int, int]] = [(-1, 0)]
    for number, each in enumerate(ordered):
        before = bisect_right(ends, each.found.begin, 0, number)
        weight, count = best[before]
        gained = (weight + each.weight, count - 1)
        better = gained > best[-1]
        best.append(gained if better else best[-1])
        taken.append((number, before) if better else (-1, number))
    chosen: list[Recovered] = []
    place = len(ordered)
    while place:
        number, place = taken[place]
        if number >= 0:
            chosen.append(ordered[number].found)
    return chosen[::-1]


def _rest(text: str, chosen: Sequence[Recovered]) -> str:
    """Return the longest stretch of a text that no demand covers."""
    ends = [0, *(each.end for each in chosen)]
    begins = [*(each.begin for each in chosen), len(text)]
    parts = (part for end, begin in zip(ends, begins, strict=True) for part in text[end:begin].split("\n\n"))
    return max((part.strip() for part in parts), key=len) or text


def _with_request(found: Recovered, request: str) -> Recovered:
    return found._replace(constraint=found.constraint.model_copy(update={"request": request}))
