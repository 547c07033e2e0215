"""Responses that satisfy everything a MathIF row demands, under both profiles, and answer it rightly.

The solver of `data_gen.witness` builds for the strict constraints; a few official checks read a text differently, for
which there are other forms of its result. All judges decide about each proposal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from data_gen.crossed.statements import solutions
from data_gen.crossed.verdicts import Task, Verdicts, verdicts_on
from data_gen.seeds import Solution
from data_gen.witness import solve
from rewards.constraint import Context

LANGUAGE = "language:response_language"
CAPITAL, LOWERCASE = "change_case:english_capital", "change_case:english_lowercase"
BULLETS, QUOTATION = "detectable_format:number_bullet_lists", "startend:quotation"
CAPITAL_WORDS = "change_case:capital_word_frequency"
_LONE_CAPITAL = re.compile(r"(?<![\\\w{])[A-Z](?![\w}])")


class _Lowest(Random):
    """Draws the lowest whole number: as few sentences that fill a response as its constraints allow."""

    def randint(self, a: int, b: int) -> int:
        return a


class Witness(NamedTuple):
    """A response, and what the judges say about it; where they are not content it is the best one found."""

    text: str
    verdicts: Verdicts


def find_witness(task: Task, given: Sequence[Solution] = ()) -> Witness:
    r"""Return a response that meets all demands and is right, or the best one found.

    Args:
        task: the problem with its answer and demands.
        given: solutions in English that are tried first, where the demands leave the language open.

    Example:
        >>> from data_gen.crossed.verdicts import Demand
        >>> shout = Task("What is 3 + 4?", "7", (Demand("change_case:english_capital"), Demand("startend:quotation")))
        >>> found = find_witness(shout)
        >>> found.text, found.verdicts.perfect
        ('"THE FINAL ANSWER IS \\BOXED{7}."', True)
    """
    best: Witness | None = None
    for text in dict.fromkeys(_proposals(task, given)):
        found = Witness(text, verdicts_on(task, text))
        if found.verdicts.perfect:
            return found
        if best is None or found.verdicts.rank > best.verdicts.rank:
            best = found
    assert best is not None
    return best


def _proposals(task: Task, given: Sequence[Solution]) -> Iterator[str]:
    ids = {demand.id for demand in task.demands}
    language = next((str(each.arguments["language"]) for each in task.demands if each.id == LANGUAGE), "en")
    for solution in [*(given if language == "en" else ()), *solutions(task.answer, language)]:
        for rng in (_Lowest(0), Random(0), Random(1)):
            if {QUOTATION, BULLETS} <= ids:  # the official check sees no bullet right behind a quotation mark
                rest = task._replace(demands=tuple(each for each in task.demands if each.id != QUOTATION))
                yield from (f'"\n{form}"' for form in _forms(_solved(rest, solution, rng), ids))
            yield from _forms(_solved(task, solution, rng), ids)


def _solved(task: Task, solution: Solution, rng: Random) -> str:
    constraints = [one for each in task.constraints for one in each]
    attempt = solve(solution, "en", constraints, Context(request=task.question), rng)
    return attempt.text or " ".join(solution.core)


def _forms(text: str, ids: set[str]) -> list[str]:
    """Return a text as it is and as official checks read it: LaTeX has a case, and "A" is a word in capitals."""
    forms = [text]
    if CAPITAL in ids:
        forms.append(text.upper())
    if LOWERCASE in ids:
        forms.append(text.lower())
    if CAPITAL_WORDS in ids:
        forms.append(_LONE_CAPITAL.sub(lambda match: match[0].lower(), text))
    return forms
