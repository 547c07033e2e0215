"""What a constraint read off an output must pass before it may be demanded; each refusal has a reason.

The gates, in order: `soundness` (the rendered sentence, parsed back, is true of the output), `leak` (its arguments say
nothing of the right answer), `demanded` (the request does not ask for it already), `scorer` (it cannot outlaw the form
in which the answer is given), `stability` (it survives edits of blank space).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from data_gen.self_evident.families import (
    WORDING_COUNT,
    Said,
    constraint_of,
    demanded_pattern,
    family,
    parse,
    render,
)
from data_gen.self_evident.leaks import gold_tokens, leaks
from rewards.constraint import Constraint, Context, Status, checked
from rewards.errors import RaifError
from rewards.response import Response
from rewards.task_answer import CodeAnswer, MathAnswer, TaskAnswer

GATES = ("soundness", "leak", "demanded", "scorer", "stability")
_TRAILING = re.compile(r"(?<![ \t])[ \t]++$", re.MULTILINE)
_GAP = re.compile(r"\n{3,}")
_CARRIERS = ("a", "A", "中")  # texts of one letter, of which at least one satisfies any demand on letters
_FENCED = "```python\ndef solve(value):\n    return value\n```"


class Source(NamedTuple):
    """Where a constraint is read from: request, successful output, right answer, language, and what is only shown."""

    request: str
    output: str
    answer: TaskAnswer | None
    language: str
    passage: str = ""

    @property
    def context(self) -> Context:
        """What checkers may know besides the output."""
        return Context(self.request, self.language)


class Judge:
    """Applies the gates to what is read off one output.

    Args:
        source: where the constraints come from.
        demanded: constraints that the request is known to carry, besides what its text says.
    """

    def __init__(self, source: Source, demanded: Sequence[Constraint] = ()) -> None:
        self.source = source
        self.response = Response(None, source.output)
        self.edited = [Response(None, text) for text in _edits(source.output)]
        self.gold = gold_tokens(source.answer)
        self.forms = tuple(_forms(source.answer))
        self.asked = source.request.replace(source.passage, "") if source.passage else source.request
        self.demanded = frozenset(constraint.type for constraint in demanded)
        self.context = source.context

    def refusal(self, said: Said) -> str:
        """Return the name of the gate that refuses a constraint, or "" where none does."""
        try:
            constraint = constraint_of(said)
        except RaifError:  # an argument that no constraint of this type takes
            return "soundness"
        if not self._sound(said, constraint):
            return "soundness"
        if leaks(said, self.gold):
            return "leak"
        if constraint.type in self.demanded or self._asked(said):
            return "demanded"
        if family(said.family).forbids and self._outlaws(constraint):
            return "scorer"
        return "" if all(self._met(constraint, each) for each in self.edited) else "stability"

    def _sound(self, said: Said, constraint: Constraint) -> bool:
        restored = _reads_back(said.family, tuple(said.slots.items()), self.source.language)
        return restored and self._met(constraint, self.response)

    def _met(self, constraint: Constraint, response: Response) -> bool:
        return checked(constraint, response, self.context).status is Status.SATISFIED

    def _asked(self, said: Said) -> bool:
        return demanded_pattern(said.family, tuple(said.slots.items())).search(self.asked) is not None

    def _outlaws(self, constraint: Constraint) -> bool:
        if isinstance(self.source.answer, CodeAnswer):
            return not self._met(constraint, Response(None, _FENCED))
        return any(_outlaws_form(constraint, form) for form in self.forms)


@lru_cache(maxsize=8192)
def _reads_back(name: str, slots: tuple[tuple[str, int | str], ...], language: str) -> bool:
    """Tell whether all wordings of a constraint, parsed back, say what they were rendered from."""
    said = Said(name, dict(slots))
    return all(parse(render(said, language, wording), language) == said for wording in range(WORDING_COUNT))


@lru_cache(maxsize=8192)
def _outlaws_form(constraint: Constraint, form: str) -> bool:
    """Tell whether a constraint is broken by a form of the answer where it holds of the text around it."""
    free = _free_carriers(constraint)
    return not any(_allows(constraint, f"{letter} {form}") for letter in free)


@lru_cache(maxsize=1024)
def _free_carriers(constraint: Constraint) -> tuple[str, ...]:
    return tuple(letter for letter in _CARRIERS if _allows(constraint, letter))


def _allows(constraint: Constraint, text: str) -> bool:
    return checked(constraint, Response(None, text), Context()).status is Status.SATISFIED


def _edits(output: str) -> Iterator[str]:
    """Yield the output with its blank space changed in ways that nobody would notice."""
    lines = output.replace("\r\n", "\n")
    for edited in (output.strip("\n").rstrip(), _TRAILING.sub("", lines), _GAP.sub("\n\n", lines), f"{output}\n"):
        if edited != output:
            yield edited


def _forms(answer: TaskAnswer | None) -> Iterator[str]:
    """Yield the forms in which a right answer may have to be written."""
    if isinstance(answer, MathAnswer):
        yield answer.value
        yield f"\\boxed{{{answer.value}}}"
    elif answer is not None and not isinstance(answer, CodeAnswer):
        yield from answer.values
