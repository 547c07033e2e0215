"""What stands around a whole answer (a JSON object, an element, quotation marks) and what it holds.

An edit of the words goes inside; a format that finds its wrapping broken, or text beside it, starts from what was said
and not from the wrapping.
"""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import NamedTuple

_STRING = r'"(?:[^"\\]|\\.)*+"'
_JSON = re.compile(
    rf'(?P<open>\{{"[^"\\]++": |^answer: )(?P<body>{_STRING})(?P<close>(?:, {_STRING}: {_STRING})*+\}}|$)'
)
_ELEMENT = re.compile(
    r"(?P<open><(?P<tag>[a-z]++)>(?:<[a-z]++>)?)(?P<body>[^<]*+)(?P<close>(?:</[a-z]++>[^\n]*)?</(?P=tag)>)"
)
_TRIES = 20


class Shell(NamedTuple):
    """A wrapping: what stands before and after a body, and how the body is written."""

    open: str
    body: str
    close: str
    kind: str

    def around(self, body: str) -> str:
        """Return another body in this wrapping."""
        return self.open + _encoded(body, self.kind) + self.close


def shell(text: str) -> Shell | None:
    """Return the wrapping of a text, or None where there is none.

    Example:
        >>> shell('{"answer": "It is 7."}').around("So 7.")
        '{"answer": "So 7."}'
        >>> shell("<p>a &lt; b</p>").body, shell("It is.")
        ('a < b', None)
    """
    if text[:1] == '"' == text[-1:] and len(text) > 2 and '"' not in text[1:-1]:
        return Shell('"', text[1:-1], '"', "quotes")
    for kind, pattern in (("json", _JSON), ("element", _ELEMENT)):
        found = pattern.fullmatch(text) if text[:1] in "{<a" else None
        if found and (body := _decoded(found["body"], kind)).strip():
            return Shell(found["open"], body, found["close"], kind)
    return None


def unwrapped(text: str) -> str:
    """Return what a text says without JSON objects, elements and YAML keys of one line around it or in it.

    Example:
        >>> unwrapped('Think of it. {"answer": "It is 7.", "more": "Yes."}')
        'Think of it. It is 7.'
        >>> unwrapped("<answer>&lt;answer&gt;It is 7.&lt;/answer&gt;</answer>")
        'It is 7.'
    """
    for _ in range(_TRIES):
        kind, pattern = ("json", _JSON) if '"' in text else ("element", _ELEMENT)
        found = pattern.search(text) or _ELEMENT.search(text)
        if found is None:
            break
        kind = "element" if found.re is _ELEMENT else kind
        body = _decoded(found["body"], kind)
        if body == found[0]:
            break
        text = text[: found.start()] + body + text[found.end() :]
    return text


def _decoded(body: str, kind: str) -> str:
    if kind == "element":
        return unescape(body)
    try:
        return str(json.loads(body, strict=False))
    except ValueError:
        return body.strip('"')


def _encoded(body: str, kind: str) -> str:
    if kind == "quotes":
        return body.replace('"', "'")
    return escape(body, quote=False) if kind == "element" else json.dumps(body, ensure_ascii=False)
