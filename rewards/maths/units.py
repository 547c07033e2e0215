"""Units behind a value: which ones are known, and how they convert."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

Dimension = tuple[tuple[str, int], ...]

_TABLE = {
    "length": """nm 1/1000000000 um 1/1000000 mm,millimeter,millimetre,毫米 1/1000 cm,centimeter,centimetre,厘米 1/100
        dm 1/10 m,meter,metre,米 1 km,kilometer,kilometre,公里,千米 1000 in,inch,inche 127/5000 ft,foot,feet 381/1250
        yd,yard 1143/1250 mi,mile 201168/125""",
    "mass": """mg,milligram 1/1000000 g,gram,克 1/1000 kg,kilogram,公斤,千克 1 lb,lbs 45359237/100000000
        oz,ounce 45359237/1600000000""",
    "time": """ms,millisecond 1/1000 s,sec,second,秒 1 min,minute,分钟 60 h,hr,hour,小时 3600 day,天 86400
        week,周 604800""",
    "money": "$,dollar,usd,buck 1 cent,¢ 1/100",
    "euro": "€,euro,eur 1",
    "pound": "£,gbp 1",
    "yuan": "¥,yuan,rmb,元,块 1",
    "volume": "l,liter,litre,升 1 ml,milliliter,millilitre,毫升 1/1000",
    "angle": "°,degree,deg,度 1",
    "radian": "rad,radian 1",
}
_UNITS = {
    name: (quantity, Fraction(size))
    for quantity, row in _TABLE.items()
    for names, size in zip(row.split()[::2], row.split()[1::2], strict=True)
    for name in names.split(",")
}
_POWERS = {"square": 2, "sq": 2, "cubic": 3}
_OTHER_NAMES = {
    "mph": "mile / hour",
    "kph": "km / hour",
    "percent": "%",
    "per cent": "%",
    "percentage": "%",
    "pct": "%",
}


@lru_cache(maxsize=1024)
def dimension(unit: str) -> tuple[Dimension, Fraction] | None:
    """Return the dimension of a unit and its size in base units; None for words that are no known unit.

    Example:
        >>> dimension("km / h"), dimension("square cm") == dimension("cm^2")
        (((('length', 1), ('time', -1)), Fraction(5, 18)), True)
        >>> dimension("apples") is None
        True
    """
    sign, power, size, found = 1, 1, Fraction(1), dict[str, int]()
    for word in _OTHER_NAMES.get(unit, unit).replace("/", " / ").replace(".", "").split():
        name, _, exponent = word.partition("^")
        if name in ("/", "per", "a", "an", "each", "*"):
            sign = 1 if name == "*" else -1
        elif name.lower() in _POWERS:
            power = _POWERS[name.lower()]
        else:
            known = _known(name)
            if known is None or not re.fullmatch(r"-?\d?", exponent) or exponent == "-":
                return None
            times = sign * power * int(exponent or 1)
            found[known[0]] = found.get(known[0], 0) + times
            size, power = size * known[1] ** times, 1
    return (tuple(sorted(found.items())), size) if found else None


def _known(name: str) -> tuple[str, Fraction] | None:
    low = name.lower()
    return _UNITS.get(name) or _UNITS.get(low) or _UNITS.get(low.removesuffix("s"))


def is_percent(unit: str) -> bool:
    """Tell whether a unit means hundredths."""
    return _OTHER_NAMES.get(unit, unit) == "%"


def conversion(gold: str, candidate: str) -> Fraction | None:
    """Return how many gold units one candidate unit is: 1 where either is unknown, None where they do not convert.

    Example:
        >>> conversion("cm", "m"), conversion("cm", "kg"), conversion("cm", "apples")
        (Fraction(100, 1), None, Fraction(1, 1))
    """
    left, right = dimension(gold), dimension(candidate)
    if left is None or right is None:
        return Fraction(1)
    return right[1] / left[1] if left[0] == right[0] else None
