"""From two texts to a verdict: as words, as mathematics, and where both differ under another reading of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rewards.maths.compare import Comparison, Values
from rewards.maths.layout import clean
from rewards.maths.parse import parse
from rewards.maths.tokens import UnreadableError
from rewards.maths.tree import Node, negative, number, renamed, variables
from rewards.maths.words import equal_words, is_words, meaning, unwrapped

_BETWEEN = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_DECIMAL_COMMA = re.compile(r"([-+]?)(\d+),(\d+)")
_LETTER_UNIT = re.compile(
    r"(?P<number>[\d})])(?P<space>\s*)(?<![A-Za-z\\])"
    r"(?P<unit>(?:[mgshLlNJWVKCAtc]|cm|mm|km)(?:\^\{?\d\}?)?(?:/[mgshL](?:\^\{?\d\}?)?)?)\Z"
)
_BARE_LETTER = re.compile(r"\\(?:text|mathrm|rm)\s*\{\s*([A-Za-z])\s*\}")


def compare(gold: str, candidate: str, values: Values) -> bool | None:
    """Compare two answers; None where the values cannot be decided or the gold answer cannot be read.

    Raises:
        UnreadableError: if the candidate is no answer that this library reads.
    """
    left, right = clean(gold), clean(candidate)
    if not right:
        return False
    if left == right or _BETWEEN.sub("", left) == _BETWEEN.sub("", right):
        return True
    verdict = equal_words(left, right)
    if verdict is not None:
        return verdict
    left, right = _as_mathematics(left), _as_mathematics(right)
    try:
        target = parse(left)
    except UnreadableError:
        return None
    return _compare_trees(target, parse(right), left, right, Comparison(values))


def _as_mathematics(text: str) -> str:
    """Return the mathematics that an answer in words stands for, else the text."""
    plain = unwrapped(text)
    if is_words(text, plain):
        return meaning(plain) or text
    letter = _BARE_LETTER.fullmatch(text)
    return letter[1] if letter else text


def _compare_trees(target: Node, found: Node, gold: str, candidate: str, comparison: Comparison) -> bool | None:
    verdict = comparison.same(target, found)
    if verdict:
        return True
    for other_target, other_found in _other_readings(target, found, gold, candidate):
        again = comparison.same(other_target, other_found)
        if again:
            return True
        verdict = None if again is None else verdict
    return verdict


def _other_readings(target: Node, found: Node, gold: str, candidate: str) -> Iterator[tuple[Node, Node]]:
    """Yield the trees with a comma as a decimal point, a letter as a unit, and symbols of the other case."""
    known, used = variables(target), variables(found)
    if found.kind == "list" and target.kind != "list" and (value := _with_decimal_comma(candidate)):
        yield target, value
    if target.kind == "list" and gold.startswith("0,") and (value := _with_decimal_comma(gold)):
        yield value, found
    if used - known and (unit := _with_unit(candidate)):
        yield target, unit
    if known - used and (unit := _with_unit(gold, spaced=True)):
        yield unit, found
    low = {name.lower() for name in known}
    if known != used and len(low) == len(known) == len(used) and low == {name.lower() for name in used}:
        yield tuple(renamed(tree, {name: name.lower() for name in variables(tree)}) for tree in (target, found))  # type: ignore[misc]


def _with_decimal_comma(text: str) -> Node | None:
    match = _DECIMAL_COMMA.fullmatch(text)
    if not match:
        return None
    value = number(f"{match[2]}.{match[3]}")
    return negative(value) if match[1] == "-" else value


def _with_unit(text: str, spaced: bool = False) -> Node | None:
    """Parse a text whose last letter is a unit."""
    match = _LETTER_UNIT.search(text)
    if not match or (spaced and not match["space"]):
        return None
    unit = match["unit"].replace("{", "").replace("}", "")
    try:
        node = parse(f"{text[: match.end('number')]} \\text{{{unit}}}")
    except UnreadableError:
        return None
    return None if variables(node) else node
