"""FollowBench items with a target: the answer, its lines or the last thing it names must be what the target says.

Each function takes the target, the level and the language of an item and returns the judging of an answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from decimal import Decimal

from rewards.errors import RaifError

Judging = Callable[[str, bool], tuple[bool, str]]

_LONGEST_LIST = 10_000  # characters of a written list that is parsed
_CHOICE = re.compile(r"\(([A-Z])\)")
_ANY_CHOICE = re.compile(r"[(（]([A-Z])[)）]")
_DATE = re.compile(r"\d{2}/\d{2}/\d{4}")
_WHOLE_DATE = re.compile(r"(?<!\d)\d{2}/\d{2}/\d{4}(?!\d)")
_WHOLE_NUMBER = {"en": re.compile(r"\$\d+"), "zh": re.compile(r"(?<!\d)\d+美元")}
_AMOUNT = {
    "en": re.compile(r"\$[ ]?(\d[\d,]*+(?:\.\d+)?)"),
    "zh": re.compile(r"(?<![\d.,])(\d[\d,]*+(?:\.\d+)?)[ ]?美元"),
}


def exact(target: str, _level: int, _language: str) -> Judging:
    """Return the judging that wants the target itself (E2E, text_editing)."""
    _required(target)

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        # Strict: white space around the answer is no part of it.
        same = answer == target if official else answer.strip() == target.strip()
        return same, "equals the target" if same else f"is not {_short(target)}"

    return judge


def lines(target: str, level: int, _language: str) -> Judging:
    """Return the judging that wants events of the target, one per line, as many as the level (WIKIEVENTS)."""
    _required(target)
    known = set(target.split("\n"))
    if level > len(known):
        raise RaifError(f"the target lists {len(known)} events, at least {level} are asked for; use the original file.")

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        # Strict: blank lines and white space around a line are no events.
        given = answer.split("\n") if official else [line for line in map(str.strip, answer.split("\n")) if line]
        wrong = next((line for line in given if line not in known), None)
        if wrong is not None:
            return False, f"no event of the target: {_short(wrong)}"
        # Strict: the instruction asks for as many events as the level; the published rule lets them be missing.
        enough = official or len(set(given)) == level == len(given)
        return enough, f"{len(set(given))} events of the target, {level} asked for"

    return judge


def listed(target: str, _level: int, _language: str) -> Judging:
    """Return the judging that wants one of the names in a written list (CONLL2003)."""
    names = _names(target)

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        # Strict: white space around the answer is no part of it.
        said = answer if official else answer.strip()
        return said in names, f"{_short(said)} is{'' if said in names else ' not'} one of {len(names)} names"

    return judge


def last_choice(target: str, _level: int, _language: str) -> Judging:
    """Return the judging of the last option letter in brackets (BBH_logical)."""
    if not _CHOICE.fullmatch(target):
        raise RaifError(f"the target {target!r} is no option such as '(A)'; use the original item file.")
    # Strict: brackets of full width are brackets too, some Chinese items write their own options in them.
    return _last(_CHOICE, _ANY_CHOICE, target[1:-1])


def last_date(target: str, _level: int, _language: str) -> Judging:
    """Return the judging of the last date, MM/DD/YYYY (BBH_time)."""
    if not _DATE.fullmatch(target):
        raise RaifError(f"the target {target!r} is no date such as '01/31/2000'; use the original item file.")
    # Strict: a date is not cut out of a longer row of digits.
    return _last(_DATE, _WHOLE_DATE, target)


def last_amount(target: str, _level: int, language: str) -> Judging:
    """Return the judging of the last sum of dollars (gsm_8k)."""
    published, whole = _WHOLE_NUMBER[language], _AMOUNT[language]
    if not published.fullmatch(target):
        raise RaifError(f"the target {target!r} is no sum of dollars; use the original item file.")
    amount = _value(whole.findall(target)[0])

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        found = (published if official else whole).findall(answer)
        if not found:
            return False, "no sum of dollars"
        # Strict: cents and thousands belong to the sum, so $14.50 is not $14 and $1,400 is not $1.
        right = found[-1] == target if official else _value(found[-1]) == amount
        return right, f"the last sum is {_short(found[-1])}, {target} is right"

    return judge


def phrase(target: str, _level: int, _language: str) -> Judging:
    """Return the judging that wants the target somewhere in the answer (self_made_space)."""
    _required(target)
    # Strict: the number of a floor is not cut out of a longer number.
    whole = re.compile(r"(?<!\d)" + re.escape(target))

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        said = target in answer if official else whole.search(answer) is not None
        return said, f"{'says' if said else 'does not say'} {_short(target)}"

    return judge


def template(target: str) -> Judging:
    """Return the judging that wants the answer in the frame of the examples.

    `target` is an instruction slot, a line break and the frame with one `{answer}` slot; doubled braces stand for one.

    Example:
        >>> framed = template("{instruction}\\nIt is: {answer}!")
        >>> framed("It is: so!", False)[0], framed("so", False)[0], framed("It is: a\\nb!", True)[0]
        (True, False, False)
    """
    head, slot, rest = target.partition("{instruction}\n")
    before, filled, after = rest.partition("{answer}")
    if head or not slot or not filled or "{answer}" in after:
        raise RaifError(f"the template {target!r} needs one {{instruction}} line and then one {{answer}}.")
    before, after = (part.replace("{{", "{").replace("}}", "}") for part in (before, after))

    def judge(answer: str, official: bool) -> tuple[bool, str]:
        # Strict: white space around the answer is no part of it.
        said = answer if official else answer.strip()
        framed = said.startswith(before) and said.endswith(after) and len(said) >= len(before) + len(after)
        if not framed:
            return False, f"is not {_short(before + '…' + after)}"
        inside = said[len(before) : len(said) - len(after)]
        # Strict: an answer may have several lines, and it must say something.
        right = "\n" not in inside if official else bool(inside.strip())
        return right, "has the frame" if right else "has the frame, but " + ("a line break" if official else "is empty")

    return judge


def _last(published: re.Pattern[str], strict: re.Pattern[str], target: str) -> Judging:
    def judge(answer: str, official: bool) -> tuple[bool, str]:
        found = (published if official else strict).findall(answer)
        if not found:
            return False, f"names nothing like {target}"
        return found[-1] == target, f"the last one is {found[-1]}, {target} is right"

    return judge


def _names(written: str) -> frozenset[str]:
    try:
        if len(written) > _LONGEST_LIST:
            raise ValueError("too long")
        names = ast.literal_eval(written)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise RaifError(f"the target {_short(written)} is no list; use the original item file.") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise RaifError(f"the target {_short(written)} is no list of names; use the original item file.")
    return frozenset(names)


def _value(written: str) -> Decimal:
    return Decimal(written.replace(",", ""))


def _required(target: str) -> None:
    if not target.strip():
        raise RaifError("the target is empty, and the rule compares answers with it; use the original item file.")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
