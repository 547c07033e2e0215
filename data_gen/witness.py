"""Build a response that satisfies a set of constraints, by construction; the verifiers decide whether it does.

Every constraint first states its needs on one draft (a length, bullets, words to mention), which renders them together;
then the constraints that the verifiers refuse edit the text in turn, and again as long as that changes anything. Two
constraints that undo each other's edits for good have no witness here, whatever their names: nothing else decides what
goes together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from data_gen.seeds import Solution
from rewards.constraint import Constraint, Context, Status, checked
from rewards.constraints.case import EnglishLower, EnglishUpper
from rewards.constraints.language import ResponseLanguage
from rewards.constraints.shaping import Mended
from rewards.draft import Draft
from rewards.response import Response

ROUNDS = 5
MAX_CHARACTERS = 20_000  # of a witness; edits that feed on each other grow without end


class Attempt(NamedTuple):
    """What the solver came to: a text, and the constraints that it does not satisfy (none if it is a witness)."""

    text: str
    refused: tuple[Constraint, ...] = ()


def answer_language(constraints: Sequence[Constraint], default: str) -> str:
    """Return the language an answer must be written in: a constraint's, else that of the instruction."""
    for constraint in constraints:
        if constraint.scope != "answer":
            continue
        if isinstance(constraint, ResponseLanguage):
            return constraint.language
        if isinstance(constraint, (EnglishUpper, EnglishLower)):
            return "en"
    return default


def plan(solution: Solution, language: str, constraints: Sequence[Constraint], rng: Random) -> Draft:
    """Return a draft that knows what every constraint needs, and the edits that would make sure of it."""
    draft = Draft(language, core=solution.core, optional=solution.optional, extras=rng.randint(0, 2))
    for constraint in constraints:
        draft = constraint.witness(draft)
    return draft


def write(solution: Solution, language: str, constraints: Sequence[Constraint], rng: Random) -> str:
    """Return an answer shaped by the constraints given; those left out are obeyed only by accident."""
    return plan(solution, language, constraints, rng).render()


def solve(
    solution: Solution, language: str, constraints: Sequence[Constraint], context: Context, rng: Random
) -> Attempt:
    """Return a response that satisfies every constraint, or the best that repeated edits came to.

    Example:
        >>> from rewards import parse_constraint
        >>> short = parse_constraint({"type": "length:max_words", "limit": 8})
        >>> solve(Solution("", ("It is 7.",), ()), "en", [short], Context(), Random(0)).refused
        ()
    """
    text = replace(plan(solution, language, constraints, rng), edits=()).render()
    before: list[tuple[Constraint, ...]] = []
    for number in range(ROUNDS):
        refused = _refused(text, constraints, context)
        if not refused or refused in before[:-1]:
            return Attempt(text, refused)
        before.append(refused)
        for constraint in refused:
            text = _edited(text, constraint, language, number > 0)
    return Attempt(text, _refused(text, constraints, context))


def _edited(text: str, constraint: Constraint, language: str, again: bool) -> str:
    """Return the text edited for one constraint; an edit is a proposal, and one that fails proposes nothing."""
    edit = constraint.mend_scope if again and isinstance(constraint, Mended) else constraint.edit_scope
    try:
        edited = edit(text, language)
    except Exception:
        return text
    return edited if len(edited) <= MAX_CHARACTERS else text


def _refused(text: str, constraints: Sequence[Constraint], context: Context) -> tuple[Constraint, ...]:
    response = Response(None, text)
    return tuple(each for each in constraints if checked(each, response, context).status is not Status.SATISFIED)
