"""The verdicts of one item: the official checks on the official text, and the strict constraints on the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from raif.evaluation.records import Item, OfficialVerdict
from rewards.constraint import Constraint, Context, Status, Verdict, checked
from rewards.errors import RaifError
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.protocol import Variants, judge
from rewards.parity.suite import BoundCheck
from rewards.response import Response


class Verdicts(NamedTuple):
    """What both profiles say, check by check in the item's order.

    `loose` holds the strict profile's verdicts on the loose variants, None where undecided; empty if not asked for.
    """

    official: tuple[OfficialVerdict, ...]
    strict: tuple[Verdict, ...]
    loose: tuple[bool | None, ...] = ()


class ItemChecks:
    """The checks of one item, bound once and asked for every response.

    Args:
        name: the suite of `rewards.parity`.
        item: its checks are judged in both profiles.
        keeps: which argument values the official harness passes on.
        loose: whether the suite has a loose protocol.

    Raises:
        RaifError: if an id or an argument is unknown, or of a wrong kind.
    """

    def __init__(self, name: str, item: Item, keeps: Callable[[Any], bool], loose: bool) -> None:
        self.context, self.with_loose = Context(request=item.prompt), loose
        self.bound = tuple(
            suite(name).bind(check.id, {key: value for key, value in check.arguments.items() if keeps(value)})
            for check in item.checks
        )
        self.strict = tuple(_strict(name, check.id, dict(check.arguments), item.prompt) for check in item.checks)

    def judge(self, official_text: str, response: Response) -> Verdicts:
        """Judge one response: the official checks read `official_text`, the strict ones the response's answer."""
        variants = Variants(official_text)
        official = tuple(self._official(check, variants) for check in self.bound)
        strict = tuple(self._verdict(constraints, response) for constraints in self.strict)
        if not self.with_loose:
            return Verdicts(official, strict)
        others = [Response(None, text) for text in Variants(response.answer).texts if text != response.answer]
        pairs = zip(self.strict, strict, strict=True)
        return Verdicts(official, strict, tuple(self._loose(found, verdict, others) for found, verdict in pairs))

    def _official(self, check: BoundCheck, variants: Variants) -> OfficialVerdict:
        outcome = judge(check, variants)
        loose = outcome.loose if self.with_loose else None
        return OfficialVerdict(id=check.id, strict=outcome.strict, loose=loose, reason=outcome.reason)

    def _verdict(self, constraints: tuple[Constraint, ...] | Verdict, response: Response) -> Verdict:
        """Return the worst verdict of the constraints that one official id translates to."""
        if isinstance(constraints, Verdict):
            return constraints
        verdicts = [checked(constraint, response, self.context) for constraint in constraints]
        statuses = [verdict.status for verdict in verdicts]
        worst = next((s for s in (Status.VIOLATED, Status.UNSCORED) if s in statuses), Status.SATISFIED)
        return Verdict(worst, "; ".join(verdict.evidence for verdict in verdicts))

    def _loose(
        self, constraints: tuple[Constraint, ...] | Verdict, verdict: Verdict, others: Sequence[Response]
    ) -> bool | None:
        statuses = [verdict.status]
        if verdict.status is not Status.SATISFIED:
            statuses += [self._verdict(constraints, other).status for other in others]
        if Status.SATISFIED in statuses:
            return True
        return None if Status.UNSCORED in statuses else False


def _strict(name: str, instruction_id: str, arguments: dict[str, Any], prompt: str) -> tuple[Constraint, ...] | Verdict:
    try:
        return strict_constraints(name, instruction_id, arguments, prompt)
    except RaifError as error:  # an argument that only the official code accepts, or that it would draw
        return Verdict(Status.UNSCORED, str(error))


def followed(verdict: Verdict) -> bool | None:
    """Return a strict verdict as an outcome; None where it is undecided."""
    return None if verdict.status is Status.UNSCORED else verdict.status is Status.SATISFIED


def all_followed(outcomes: Sequence[bool | None]) -> bool | None:
    """Tell whether every check was followed; one failure decides, and without checks there is nothing to tell.

    Example:
        >>> all_followed([True, True]), all_followed([False, None]), all_followed([True, None]), all_followed([])
        (True, False, None, None)
    """
    if False in outcomes:
        return False
    return None if not outcomes or None in outcomes else True


def share_followed(outcomes: Sequence[bool | None]) -> float | None:
    """Return the share of checks that were followed; None where one is undecided or there is none.

    Example:
        >>> share_followed([True, False]), share_followed([True, None])
        (0.5, None)
    """
    if not outcomes or None in outcomes:
        return None
    return sum(bool(outcome) for outcome in outcomes) / len(outcomes)
