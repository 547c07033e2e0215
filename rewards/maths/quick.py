"""The quickest comparison: two plain numbers or fractions, as most right answers are."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"([-+]?)(?:(?:(\d+)|([1-9]\d{0,2}(?:,\d{3})+))(?:\.(\d*))?"
    r"|(?:\\[dt]?frac\{(?=\d+\}\{\d+\}\Z)|(?=\d+/\d+\Z))(\d+)(?:\}\{|/)(\d+)\}?)",
    re.ASCII,
)
_MAX_DIGITS = 60


def equal_numbers(gold: str, candidate: str) -> bool | None:
    """Compare two plain numbers or fractions; None where one of the texts is more than that.

    Example:
        >>> equal_numbers("1000", "1,000.00"), equal_numbers("-3/6", "-\\\\frac{1}{2}"), equal_numbers("7", "-7")
        (True, True, False)
        >>> equal_numbers("7", "x") is None
        True
    """
    left, right = _NUMBER.fullmatch(gold), _NUMBER.fullmatch(candidate)
    if left is None or right is None:
        return None
    verdict = _parts(left) == _parts(right) if left[5] is None and right[5] is None else _equal_fractions(left, right)
    if verdict or not left[4] or len((left[2] or left[3] or "") + left[4]) < 3:
        return verdict
    could_round = right[5] is not None or len(right[4] or "") > len(left[4])  # `compare` knows the rule
    return None if could_round else False


def _parts(match: re.Match[str]) -> tuple[str, str, str]:
    sign, plain, grouped, places = match.group(1, 2, 3, 4)
    whole, places = (plain or (grouped or "").replace(",", "")).lstrip("0"), (places or "").rstrip("0")
    return sign if sign == "-" and (whole or places) else "", whole, places


def _equal_fractions(left: re.Match[str], right: re.Match[str]) -> bool | None:
    (a, b), (c, d) = map(_ratio, (left, right))
    return a * d == b * c if b and d else None


def _ratio(match: re.Match[str]) -> tuple[int, int]:
    if match[5]:
        top, bottom = match[5], match[6]
    else:
        _, whole, places = _parts(match)
        top, bottom = whole + places or "0", "1" + "0" * len(places)
    if max(len(top), len(bottom)) > _MAX_DIGITS:
        return 0, 0
    return -int(top) if match[1] == "-" else int(top), int(bottom)
