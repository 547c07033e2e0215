"""Checks of layout and markup (`format:*`; brackets and case have modules of their own)."""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import lru_cache
from itertools import chain, pairwise

from rewards.parity import punkt
from rewards.parity.ifbench.base import DELETE_PUNCTUATION, EDGE, SUITE
from rewards.parity.view import View

_SPACE = re.compile(r"\s")
_LETTERED = re.compile(r"\W*[aA]\W*[bB]\W*[cC]\W*")
_LABELS = ("My Answer:", "My Conclusion:", "Future Outlook:")
_REACH = 32
_AFTER_QUOTE = string.digits + string.punctuation.replace('"', "")


@SUITE.check("format:options")
def options(view: View, options: str) -> bool:
    lettered, choices = _parse_options(options)
    return view.raw in choices if lettered else view.raw.strip(EDGE).lower() in choices


@lru_cache(maxsize=256)
def _parse_options(options: str) -> tuple[bool, frozenset[str]]:
    """Split at `/`, else at the letters "or" wherever they stand, else at commas."""
    lettered = _LETTERED.match(options) is not None
    separator = "/" if "/" in options else "or" if "or" in options else ","
    choices = [choice.strip() for choice in options.split(separator)]
    return lettered, frozenset(choices if lettered else [choice.strip(EDGE).lower() for choice in choices])


@SUITE.check("format:newline")
def newline(view: View) -> bool:
    """Ask for as many lines as words; a line of blanks counts, an empty one does not."""
    text = view.unpunctuated.strip()
    lines = text.split("\n")
    return len(lines) - lines.count("") == len(text.split())


@SUITE.check("format:emoji")
def emoji(view: View) -> bool:
    """Ask for an emoji at the end of every sentence or at the start of the next."""
    if view.raw.isascii() or not _emoji_in(_bare_end(view.raw)):
        return False
    return all(
        _ends_in_emoji(sentence) or bool(_bare_end(sentence) and _emoji_in(_bare_start(following)))
        for sentence, following in pairwise(chain(punkt.iter_sentences(view.raw), [""]))
    )


def _ends_in_emoji(sentence: str) -> bool:
    return _is_emoji(sentence.rstrip(EDGE)[-1:]) or _emoji_in(_bare_end(sentence))


def _bare_end(sentence: str) -> str:
    """Return the last two characters without ASCII punctuation; nearly always a short end of the text has them."""
    end = sentence[-_REACH:].translate(DELETE_PUNCTUATION).strip()
    return (end if len(end) > 1 else sentence.translate(DELETE_PUNCTUATION).strip())[-2:]


def _bare_start(sentence: str) -> str:
    start = sentence[:_REACH].translate(DELETE_PUNCTUATION).strip()
    return (start or sentence.translate(DELETE_PUNCTUATION).strip())[:1]


def _emoji_in(characters: str) -> bool:
    return any(map(_is_emoji, characters))


@lru_cache(maxsize=4096)
def _is_emoji(character: str) -> bool:
    from emoji import is_emoji  # its table is large, and only this check needs it

    return is_emoji(character)


@SUITE.check("format:line_indent")
def line_indent(view: View) -> bool:
    lines = view.raw.split("\n")
    # The lines with text are never removed, so they must be stairs by themselves.
    if not _stairs([line for line in lines if line.strip()]):
        return False
    return _stairs(_without_visited_blanks(lines))


def _stairs(lines: list[str]) -> bool:
    indents = (len(line) - len(line.lstrip(" ")) for line in lines)
    return all(upper < lower for upper, lower in pairwise(indents))


def _without_visited_blanks(lines: list[str]) -> list[str]:
    """Return what is left when blank lines are removed from a list while it is walked, as upstream does.

    The walk skips the line after each removal, and a removal takes the first equal line that is left.
    """
    visited: Counter[str] = Counter()
    place = 0
    while place < len(lines):
        blank = not lines[place].strip()
        visited[lines[place]] += blank
        place += 1 + blank
    left = []
    for line in lines:
        if visited[line]:
            visited[line] -= 1
        else:
            left.append(line)
    return left


@SUITE.check("format:quote_unquote")
def quote_unquote(view: View) -> bool:
    """Reject two adjacent quotation marks and a quotation mark at the end."""
    if '"' not in view.raw:
        return True
    text = "".join(view.raw.replace("'\"'", "").split())
    return '""' not in text and not text.rstrip(_AFTER_QUOTE).endswith('"')


@SUITE.check("format:list")
def separated_list(view: View, sep: str) -> bool:
    return view.raw.count(sep) >= 2


@SUITE.check("format:thesis")
def thesis(view: View) -> bool:
    """Look at the first italics only; the offsets of `<i>` are used for `<em>` too."""
    opening = _find_either(view.raw, "<i>", "<em>")
    text = view.raw[opening:] if opening >= 0 else ""
    closing = _find_either(text, "</i>", "</em>")
    return closing >= 0 and bool(text[3:closing].strip()) and bool(text[closing + 4 :].strip())


def _find_either(text: str, tag: str, other: str) -> int:
    place = text.find(tag)
    return place if place >= 0 else text.find(other)


@SUITE.check("format:sub-bullets")
def sub_bullets(view: View) -> bool:
    return all("-" in piece for piece in view.raw.split("*")[1:])


@SUITE.check("format:no_bullets_bullets")
def no_bullets_bullets(view: View) -> bool:
    """Ask for two sentences, then for two lines that begin with a star, and for nothing else.

    One blank line may stand between the two parts.
    """
    lines = [line.strip() for line in view.raw.split("\n")]
    first = next((place for place, line in enumerate(lines) if line.startswith("*")), len(lines))
    prose, bullets = lines[:first], lines[first:]
    if len(bullets) < 2 or "" in prose[:-1] or not all(line.startswith("*") for line in bullets):
        return False
    filled = [line for line in prose if line]
    return len(filled) >= 2 or any(punkt.count_sentences(line, 2) == 2 for line in filled)


@SUITE.check("format:output_template")
def output_template(view: View) -> bool:
    return all(label in view.raw for label in _LABELS)


@SUITE.check("format:no_whitespace")
def no_whitespace(view: View) -> bool:
    return not _SPACE.search(view.raw)
