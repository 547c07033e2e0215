"""Text forms that ComplexBench's rules compare: mapped punctuation, quotes taken off, the first JSON object."""

from __future__ import annotations

import json
import string

_CHINESE = str.maketrans(",.:;()!?", "，。：；（）！？")
_STRAIGHT = str.maketrans("“”", '""')


def chinese_marks(text: str) -> str:
    """Map the ASCII sentence marks to their Chinese forms, one character for one.

    Example:
        >>> chinese_marks('Well, "so".')
        'Well， "so"。'
    """
    return text.translate(_CHINESE)


def mapped(text: str) -> str:
    """Map the ASCII sentence marks to their Chinese forms and curly double quotes to straight ones.

    Example:
        >>> mapped("他说:“好.”")
        '他说："好。"'
    """
    return chinese_marks(text).translate(_STRAIGHT)


PUNCTUATION = frozenset(mapped(string.punctuation))  # what a punctuation rule looks for, in mapped text


def unquoted(text: str) -> str:
    """Take off the straight double quotes around a text, with the blanks outside them.

    Example:
        >>> unquoted(' "好的。"'), unquoted('"甲"乙')
        ('好的。', '"甲"乙')
    """
    inner = text.strip()
    return inner[1:-1] if len(inner) > 1 and inner[0] == inner[-1] == '"' else text


def first_object(text: str) -> dict[str, object] | None:
    """Read the JSON object that begins at the first opening brace; None where there is none.

    Example:
        >>> first_object('see {"a": "}"} there'), first_object("{a}")
        ({'a': '}'}, None)
    """
    return _object(text, text.find("{"))


def balanced_object(text: str) -> dict[str, object] | None:
    """Read the first block of balanced braces as a JSON object; a brace inside a string counts as a brace.

    Example:
        >>> balanced_object('see {"a": {}} there'), balanced_object('{"a": "}"}')
        ({'a': {}}, None)
    """
    start = text.find("{")
    depth = 0
    for place in range(max(start, 0), len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return _object(text[: place + 1], start)
    return None


def _object(text: str, start: int) -> dict[str, object] | None:
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):  # not JSON, or nested deeper than the reader goes
        return None
    return value if isinstance(value, dict) else None
