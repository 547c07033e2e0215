"""The regular-expression sentence splitter of IFEval and its training set, equal in behaviour.

Every `.`, `?` or `!` ends a sentence, even inside a word, unless a pattern protects it: a title, a web suffix, a
decimal point, an acronym, a single initial, a company suffix. Titles and suffixes match inside words too.
"""

from __future__ import annotations

import re
from bisect import bisect_right

# The official markup; a response that contains it literally is split and rewritten by it as well.
_DOT, _STOP = "<prd>", "<stop>"

_STARTER = r"(?:Mr|Mrs|Ms|Dr|Prof|Capt|Cpt|Lt|Wherever|(?:He|She|It|They|Their|Our|We|But|However|That|This)\s)"
_COMPANY = r"(?:Inc|Ltd|Jr|Sr|Co)"

# A full stop after which the text can be cut: no rule looks across it.
_CUT = re.compile(r"\.(?= )(?<=[a-z]{2}\.)(?<!Mrs\.)(?<!Inc\.)(?<!Ltd\.)")

# A full stop that may be protected. All patterns begin with the dot itself, so that the search jumps from dot to dot.
_SPECIAL = re.compile(
    r"\.(?!(?<=[a-z]{3}\.) )(?:(?<=Mr\.|St\.|Ms\.|Dr\.|Jr\.|Sr\.|Co\.)|(?<=Mrs\.|Inc\.|Ltd\.)|(?<=\s[A-Za-z]\.)"
    r"|(?=\.|[A-Za-z]\.|com|net|org|io|gov|edu|me))"
)

_TITLE_OR_SITE = re.compile(r"\.(?:(?<=Mr\.|St\.|Ms\.|Dr\.)|(?<=Mrs\.)|(?=com|net|org|io|gov|edu|me))")
_POINT = re.compile(r"\.(?<=[0-9]\.)(?=[0-9])")
_DECIMAL = re.compile(r"[0-9]\.[0-9]")
_DOTS = re.compile(r"\.\.+")
_LONE_LETTER = re.compile(r"\s([A-Za-z])\. ")
_ACRONYM_BEFORE_STARTER = re.compile(rf"(?<=[A-Z]\.[A-Z]\.) (?={_STARTER})")
_ACRONYM = re.compile(r"[A-Za-z]\.[A-Za-z]\.(?:[A-Za-z]\.)?")
_COMPANY_BEFORE_STARTER = re.compile(rf"( {_COMPANY})\. ({_STARTER})")
_COMPANY_OR_LETTER = re.compile(rf" (?:{_COMPANY}|[A-Za-z])\.")


def sentences(text: str) -> list[str]:
    """Split a text into stripped sentences as the official splitter does.

    Example:
        >>> sentences("Dr. Ada paid 3.50 dollars. She left!")
        ['Dr. Ada paid 3.50 dollars.', 'She left!']
        >>> sentences('See notes.txt... "Why?"')
        ['See notes.', 'txt...', '"Why"?']
    """
    text = _protected(f" {text}  ".replace("\n", " "))
    for mark, closing in ((".", "”"), (".", '"'), ("!", '"'), ("?", '"')):
        if closing in text:
            text = text.replace(mark + closing, closing + mark)
    for mark in ".?!":
        text = text.replace(mark, mark + _STOP)
    found = list(map(str.strip, text.replace(_DOT, ".").split(_STOP)))
    return found if found[-1] else found[:-1]


def _protected(text: str) -> str:
    """Replace the full stops that end no sentence, in the pieces that may hold one."""
    if _POINT.search(text):
        text = _DECIMAL.sub(_unstopped, text)
    special = [match.start() for match in _SPECIAL.finditer(text)]
    if not special:
        return text
    cuts = [0, *(match.end() for match in _CUT.finditer(text)), len(text)]
    parts: list[str] = []
    done = 0
    for position in special:
        if position < done:
            continue
        place = bisect_right(cuts, position)
        start, end = cuts[place - 1 : place + 1]
        parts += text[done:start], _protected_piece(text[start:end])
        done = end
    return "".join(parts) + text[done:]


def _protected_piece(piece: str) -> str:
    """Apply the rules to one piece; their order matters."""
    piece = _TITLE_OR_SITE.sub(_DOT, piece)
    if ".." in piece:
        piece = _DOTS.sub(lambda dots: _DOT * len(dots[0]) + _STOP, piece)
    piece = piece.replace("Ph.D.", f"Ph{_DOT}D{_DOT}")
    piece = _LONE_LETTER.sub(lambda letter: f" {letter[1]}{_DOT} ", piece)
    if _ACRONYM.search(piece):
        piece = _ACRONYM_BEFORE_STARTER.sub(f"{_STOP} ", piece)
        piece = _ACRONYM.sub(_unstopped, piece)
    piece = _COMPANY_BEFORE_STARTER.sub(lambda company: f"{company[1]}{_STOP} {company[2]}", piece)
    return _COMPANY_OR_LETTER.sub(_unstopped, piece)


def _unstopped(match: re.Match[str]) -> str:
    return match[0].replace(".", _DOT)
