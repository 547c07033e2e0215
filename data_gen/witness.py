"""Build a response that satisfies a set of constraints, by construction; the verifiers decide whether it does."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from data_gen.seeds import Solution
from rewards.constraint import Constraint
from rewards.constraints.case import EnglishLower, EnglishUpper
from rewards.constraints.language import ResponseLanguage
from rewards.draft import Draft


def answer_language(constraints: Sequence[Constraint], default: str) -> str:
    """Return the language an answer must be written in: a constraint's, else that of the instruction."""
    for constraint in constraints:
        if isinstance(constraint, ResponseLanguage):
            return constraint.language
        if isinstance(constraint, (EnglishUpper, EnglishLower)):
            return "en"
    return default


def write(solution: Solution, language: str, constraints: Sequence[Constraint], rng: Random) -> str:
    """Return an answer shaped by the constraints given; those left out are obeyed only by accident."""
    draft = Draft(language, core=solution.core, optional=solution.optional, extras=rng.randint(0, 2))
    for constraint in constraints:
        draft = constraint.witness(draft)
    return draft.render()
