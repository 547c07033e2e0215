"""The fast path: answers compared exactly, in this process, in bounded time."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache

from rewards.maths.arithmetic import Atom, Exact, Sum, Surd, as_surd, is_closed
from rewards.maths.compare import any_of
from rewards.maths.exact import Evaluator, equal
from rewards.maths.numbers import UndecidedError, UndefinedError
from rewards.maths.parse import is_readable
from rewards.maths.quick import equal_numbers
from rewards.maths.readings import compare
from rewards.maths.tokens import UnreadableError
from rewards.maths.tree import Node

MAX_CHARACTERS = 2_000  # an answer longer than this is no final answer
_ALGEBRA = re.compile(r"\\(?:i*int|sum|prod|lim|begin\{cases\})(?![A-Za-z])")  # for a computer algebra system


def equal_answers(gold: str, candidate: str) -> bool | None:
    """Compare two answers in LaTeX or plain text; None where exact arithmetic cannot decide.

    Takes microseconds for numbers and some tens of microseconds for most others: powers, factorials and nesting are
    bounded, and nothing is evaluated as code. `rewards.maths.compare` says what counts as equal.

    Example:
        >>> equal_answers("\\\\frac{7}{3}", "2 1/3"), equal_answers("1000", "$1,000"), equal_answers("4", "4%")
        (True, True, False)
        >>> equal_answers("\\\\frac{1}{2^{99}}", "\\\\frac{1}{2^{98}}"), equal_answers("\\\\sqrt{2}", "2^{0.5}")
        (False, True)
        >>> equal_answers("x > 2", "(2, \\\\infty)"), equal_answers("\\\\{1,2\\\\}", "2, 1")
        (True, True)
        >>> equal_answers("(1,2)", "(2,1)"), equal_answers("\\\\sin 2x", "2 \\\\sin x \\\\cos x")
        (False, None)
    """
    verdict = equal_numbers(gold, candidate) if len(candidate) < 60 else None
    return _equal_texts(gold, candidate) if verdict is None else verdict


def needs_algebra(gold: str, candidate: str) -> bool:
    """Tell whether an answer has integrals, sums or limits, which only a computer algebra system reads."""
    return any(map(_ALGEBRA.search, (gold, candidate)))


@lru_cache(maxsize=4096)
def _equal_texts(gold: str, candidate: str) -> bool | None:
    if len(candidate) > MAX_CHARACTERS:
        return gold.strip() == candidate.strip()
    if len(gold) > MAX_CHARACTERS:
        return None
    try:
        return compare(gold, candidate, ExactValues())
    except UnreadableError:
        return None if _ALGEBRA.search(candidate) or not is_readable(gold) else False


class ExactValues:
    """Compare expressions by exact arithmetic (`rewards.maths.compare.Values`)."""

    def equal(self, gold: Node, candidate: Node) -> bool | None:
        return any_of([self.equal_with(gold, candidate, base) for base in log_bases(gold, candidate)])

    def equal_with(self, gold: Node, candidate: Node, log_base: int) -> bool | None:
        try:
            target = exact_value(gold, log_base)
        except (UndecidedError, UndefinedError):
            return None
        try:
            return equal(target, exact_value(candidate, log_base))
        except UndecidedError:
            return None
        except UndefinedError:
            return False

    def proportional(self, gold: Node, candidate: Node, positive: bool) -> bool | None:
        try:
            left, right = (as_surd(exact_value(node, 0)) for node in (gold, candidate))
        except UndecidedError:
            return None
        except UndefinedError:
            return False
        if positive and (len(left.bottom) > 1 or len(right.bottom) > 1):
            return None
        a, b = (side.top if positive else _primitive(side.top) for side in (left, right))
        if a.keys() != b.keys():
            return None if _has_closed(a) or _has_closed(b) else False
        ratios = {a[term] / b[term] for term in a}
        return len(ratios) < 2 and (not positive or all(ratio > 0 for ratio in ratios))

    def estimate(self, node: Node) -> float | None:
        try:
            return approximate(exact_value(node, 0))
        except (UndecidedError, UndefinedError):
            return None


@lru_cache(maxsize=512)
def exact_value(node: Node, log_base: int) -> Exact:
    """Return the exact value of an expression.

    Raises:
        UndecidedError, UndefinedError: see `Evaluator`.
    """
    return Evaluator(log_base).value(node)


def log_bases(*nodes: Node) -> tuple[int, ...]:
    """Return what `log` without a base may mean in these trees: e, which is 0 here, and 10."""
    return (0, 10) if any(map(_has_bare_log, nodes)) else (0,)


@lru_cache(maxsize=512)
def _has_bare_log(node: Node) -> bool:
    return (node.kind == "call" and node.value == "log" and len(node.parts) == 1) or any(map(_has_bare_log, node.parts))


def _has_closed(terms: Sum) -> bool:
    return any(is_closed(atom) for term in terms for atom, _ in term)


def _primitive(terms: Sum) -> Sum:
    """Divide a sum by the powers of symbols that all its terms share, so that x y = 1 is y = 1/x."""
    every: list[dict[Atom, Fraction]] = [dict(term) for term in terms]
    names = {atom for powers in every for atom in powers if isinstance(atom, tuple) and atom[0] == "s"}
    lowest = {name: min(powers.get(name, Fraction(0)) for powers in every) for name in names}
    result: Sum = {}
    for powers, coefficient in zip(every, terms.values(), strict=True):
        shifted = powers | {name: powers.get(name, Fraction(0)) - low for name, low in lowest.items()}
        result[frozenset((atom, power) for atom, power in shifted.items() if power)] = coefficient
    return result


def approximate(value: Exact) -> float | None:
    """Return the approximate value of a real constant; None for anything else."""
    try:
        if not isinstance(value, Surd):
            return float(value)
        top, bottom = _approximate_sum(value.top), _approximate_sum(value.bottom)
        return None if top is None or not bottom else top / bottom
    except OverflowError:
        return None


def _approximate_sum(terms: Sum) -> float | None:
    total = []
    for term, coefficient in terms.items():
        product = float(coefficient)
        for atom, power in term:
            base = _approximate_atom(atom)
            if base is None:
                return None
            product *= base ** float(power)
        total.append(product)
    return math.fsum(total)


def _approximate_atom(atom: Atom) -> float | None:
    if isinstance(atom, tuple) and atom[0] == "l":
        return math.log(atom[1])
    if isinstance(atom, int):
        return float(atom)
    return math.pi if atom == "pi" else math.e if atom == "e" else None
