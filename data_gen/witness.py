"""Build a response that satisfies a set of constraints, by construction; the verifiers decide whether it does.

Every constraint first states its needs on one draft (a length, bullets, words to mention), which renders them together;
then the constraints that the verifiers refuse edit the text in turn, and again as long as that changes anything. Two
constraints that undo each other's edits for good have no witness here, whatever their names: nothing else decides what
goes together.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from data_gen.bounds import contradiction
from data_gen.seeds import Solution
from rewards.constraint import Constraint, Context, Status, checked
from rewards.constraints.case import EnglishLower, EnglishUpper
from rewards.constraints.editing import Edited
from rewards.constraints.language import ResponseLanguage
from rewards.constraints.layout_views import LaidOut
from rewards.constraints.shaping import Mended, Shaped, viewed
from rewards.constraints.wrapping import shell
from rewards.draft import Draft
from rewards.response import Response
from rewards.text import Text

#: How many constraints may still be refused after so many rounds; of those with more, few succeed.
HOPELESS = (99, 4, 3, 1)
MAX_CHARACTERS = 20_000  # of a witness; edits that feed on each other grow without end
#: Constraints whose edit changes nothing where they are obeyed already.
CAREFUL = (Edited, Shaped, LaidOut)
#: What makes a wrapping itself.
WRAPPERS = frozenset(
    "format:json format:json_keys format:json_schema format:json_lines format:yaml format:xml format:xml_elements"
    " format:html affix:quotation".split()
)


class Attempt(NamedTuple):
    """What the solver came to: a text, and the constraints that it does not satisfy (none if it is a witness)."""

    text: str
    refused: tuple[Constraint, ...] = ()


class SharedAnswer(Response):
    """A response whose views the edits share with the judges."""

    def view(self, scope: str) -> Text | None:
        return viewed(self.answer) if scope == "answer" else super().view(scope)


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
    if impossible := contradiction(constraints):
        return Attempt("", impossible)
    planned = [each for each in constraints if type(each).witness is not Constraint.witness]  # the others only edit
    text = plan(solution, language, planned, rng).unedited()
    seen: list[tuple[Constraint, ...]] = []
    for number, most in enumerate(HOPELESS):
        text, refused = _round(text, constraints, context, language, number > 0)
        if not refused and number:
            return Attempt(text)
        if len(refused) > most or refused in seen[:-1]:
            break
        seen.append(refused)
    return Attempt(text, _refused(text, constraints, context))


def _round(
    text: str, constraints: Sequence[Constraint], context: Context, language: str, again: bool
) -> tuple[str, tuple[Constraint, ...]]:
    """Judge a text and edit it for what is refused, in turn; return the text and what was refused: none is a witness.

    Most edits leave alone what is obeyed, so that the first round need not judge before them; it proves nothing yet.
    """
    refused: list[Constraint] = []
    for constraint in constraints:
        if not again and isinstance(constraint, CAREFUL):
            edited = _edited(text, constraint, language, again)
            if edited != text:
                refused.append(constraint)
                text = edited
        elif checked(constraint, SharedAnswer(None, text), context).status is not Status.SATISFIED:
            refused.append(constraint)
            text = _edited(text, constraint, language, again)
    return text, tuple(refused)


def _edited(text: str, constraint: Constraint, language: str, again: bool) -> str:
    """Return the text edited for one constraint: inside its wrapping where that suffices."""
    around = shell(text) if constraint.scope == "answer" and constraint.type not in WRAPPERS else None
    if around is not None:
        wrapped = around.around(_proposed(around.body, constraint, language, again))
        if checked(constraint, SharedAnswer(None, wrapped), Context(language=language)).status is Status.SATISFIED:
            return wrapped
    return _proposed(text, constraint, language, again)


def _proposed(text: str, constraint: Constraint, language: str, again: bool) -> str:
    """Return what an edit proposes; one that fails proposes nothing."""
    edit = constraint.mend_scope if again and isinstance(constraint, Mended) else constraint.edit_scope
    try:
        edited = edit(text, language)
    except Exception:
        return text
    return edited if len(edited) <= MAX_CHARACTERS else text


def _refused(text: str, constraints: Sequence[Constraint], context: Context) -> tuple[Constraint, ...]:
    response = SharedAnswer(None, text)
    return tuple(each for each in constraints if checked(each, response, context).status is not Status.SATISFIED)
