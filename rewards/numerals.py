"""Numbers in a text, written in digits of any script or as Chinese numerals.

`1,000`, `3.14`, `1e5` and `二十三` are one number each; `1/2`, `10:30` and `2024-01-15` are two and three. Digits that
follow a Latin letter (`H2O`) are part of a name. English number words are none. Of Chinese numerals those count that
can be nothing else: `第三`, `百分之五`, `三百`, `二〇二四` and `三个`, but neither `一个` nor `十分`.
"""

from __future__ import annotations

import re

_DIGIT, _UNIT = "零〇一二三四五六七八九两", "十百千万亿"
_MEASURE = "个只条次年月日天元块岁秒米里张位名种步倍瓶支周页行段章节辆杯本句斤"
# Not after a Latin letter or inside a number; the digit comes first, since a search skips to it quickly.
_DIGITS = (
    r"\d(?<![A-Za-z\u00c0-\u024f\d]\d)(?<!\d\.\d)"
    r"(?:\d{0,2}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d*(?:[.．]\d+)*(?:[eE][+-]?\d+)?)"
)
HAN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # with kana
_IN_DIGITS = re.compile(_DIGITS)
NUMBER = re.compile(
    rf"{_DIGITS}|(?:第|百分之)[{_DIGIT}{_UNIT}]+"
    rf"|(?<!\d)(?:[{_DIGIT}][{_UNIT}]|十[{_DIGIT}])[{_DIGIT}{_UNIT}]*+"
    rf"|[{_DIGIT}]{{3,}}+|(?<!\d)[二三四五六七八九两十](?=[{_MEASURE}])"
)


def has_han(text: str) -> bool:
    """Tell whether a text holds Han characters or kana."""
    return not text.isascii() and HAN.search(text) is not None


def find_numbers(text: str) -> list[str]:
    """Return the numbers of a text as they are written.

    Example:
        >>> find_numbers("1,000 of 3.14, 1/2 and H2O")
        ['1,000', '3.14', '1', '2']
        >>> find_numbers("第三天有二十个人，一起吃了１２个梨，十分高兴。")
        ['第三', '二十', '１２']
    """
    return (NUMBER if has_han(text) else _IN_DIGITS).findall(text)


def find_values(text: str) -> list[float]:
    """Return the values of the numbers that are written in digits; with two points or more it is no value but a name.

    Example:
        >>> find_values("1,000 and 3.5 of ７")
        [1000.0, 3.5, 7.0]
    """
    return [_value(number) for number in _IN_DIGITS.findall(text)]


def _value(number: str) -> float:
    try:
        return float(number.replace(",", "").replace("．", ".")[:300])
    except ValueError:
        return float("nan")
