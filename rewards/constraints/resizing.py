"""Edits that reach a number and keep the rest: words come and go inside sentences, lines and paragraphs stay apart.

The first edit for a length adds or drops whole sentences, as a writer would. Beside a list, a number of sentences or
another form to keep, that undoes what the others made; the functions here change one number at a time instead. Each
returns "" where it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rewards.clauses import clause, sentence
from rewards.constraints.layout_views import LINE_MARK, fillers, has_word
from rewards.constraints.shaping import chunks, word_count
from rewards.filler import SENTENCES
from rewards.sentences import split_sentences

_STOP = re.compile(r"[.!?。！？…]+[\"'”’」』）)]*\Z")
_NOT_PROSE = re.compile(r"[ \t]*(?:[#|<{}\[]|```)")
_NOTATION = re.compile(r"[\\$`{}*_<>|\[\]]")
_HALF = {"en": "; ", "zh": "；"}
_LONGEST = 30  # words of the neutral sentences that are recognised


class Spot(NamedTuple):
    """Where a sentence stands in a text, without the mark of its line."""

    begin: int
    end: int
    line: int


def spots(text: str) -> list[Spot]:
    """Return where the sentences of the prose stand; headings, tables, code and markup are left as they are.

    Example:
        >>> [tuple(spot) for spot in spots("# A\\n- One. Two.")]
        [(6, 10, 1), (11, 15, 1)]
    """
    found: list[Spot] = []
    begin, fenced = 0, False
    for number, line in enumerate(text.split("\n")):
        fence = "```" in line
        if not fence and not fenced and not _NOT_PROSE.match(line):
            mark = LINE_MARK.match(line)
            place = mark.end() if mark else 0
            for said in split_sentences(line[place:]):
                place = line.index(said, place)
                found.append(Spot(begin + place, begin + place + len(said), number))
                place += len(said)
        fenced ^= fence and line.count("```") % 2 == 1
        begin += len(line) + 1
    return found


def said(text: str, spot: Spot) -> str:
    return text[spot.begin : spot.end]


@lru_cache(maxsize=1)
def _neutral() -> frozenset[str]:
    lengthy = (sentence(one, size, turn) for one in SENTENCES for size in range(1, _LONGEST) for turn in range(4))
    return frozenset([*SENTENCES["en"], *SENTENCES["zh"], *lengthy])


def is_neutral(text: str) -> bool:
    """Tell whether a sentence is one of those that only fill."""
    return text in _neutral()


def replaced(text: str, changes: Sequence[tuple[Spot, str]]) -> str:
    """Return the text with some of its sentences written anew."""
    for spot, new in sorted(changes, reverse=True):
        text = text[: spot.begin] + new + text[spot.end :]
    return text


def with_words(text: str, change: int, language: str) -> str:
    """Return the text with so many words more, or fewer, and with the sentences and lines that it has.

    Example:
        >>> with_words("- One.\\n- It is 7.", 4, "en")
        '- One and this is clear.\\n- It is 7.'
        >>> with_words("This is easy to check. It is 7.", -3, "en")
        'It holds. It is 7.'
    """
    return _more_words(text, change, language) if change > 0 else _fewer_words(text, -change, language)


def _more_words(text: str, missing: int, language: str) -> str:
    found = sorted(spots(text), key=lambda spot: spot.end - spot.begin)
    if not found:
        return ""
    chosen = found[: max(1, min(len(found), missing // 5))]
    sizes = [missing * (n + 1) // len(chosen) - missing * n // len(chosen) for n in range(len(chosen))]
    return replaced(
        text,
        [
            (spot, longer(said(text, spot), size, language, turn))
            for turn, (spot, size) in enumerate(zip(chosen, sizes, strict=True))
        ],
    )


def longer(text: str, missing: int, language: str, turn: int = 0) -> str:
    """Return a sentence with so many words more.

    Example:
        >>> longer("It is 7!", 1, "en"), longer("是七。", 4, "zh")
        ('It is 7 indeed!', '是七，一看就懂。')
    """
    stop = _STOP.search(text)
    place = stop.start() if stop else len(text)
    if language == "zh":
        more = f"，{clause(language, missing, turn)}"
    else:
        more = f" and {clause(language, missing - 1, turn)}" if missing > 1 else " indeed"
    return text[:place] + more + text[place:]


def _fewer_words(text: str, surplus: int, language: str) -> str:
    found = spots(text)
    changes: list[tuple[Spot, str]] = []
    for spot in sorted(found, key=lambda each: _worth(text, each, found[-1])):
        one = said(text, spot)
        size = word_count(one)
        if size < 2 or (_NOTATION.search(one) and not is_neutral(one)):
            continue
        keep = max(1, size - surplus)
        changes.append((spot, _shortened(one, keep, language, spot == found[-1])))
        surplus -= size - keep
        if not surplus:
            return replaced(text, changes)
    return ""


def _worth(text: str, spot: Spot, last: Spot) -> tuple[int, int]:
    """Return how late a sentence is to be shortened: neutral ones come first, long ones too, the answer last."""
    rank = 0 if is_neutral(said(text, spot)) else 2 if spot == last else 1
    return rank, spot.begin - spot.end


def _shortened(text: str, keep: int, language: str, last: bool) -> str:
    stop = _STOP.search(text)
    place = stop.start() if stop else len(text)
    if is_neutral(text):
        return capital(clause(language, keep)) + text[place:]
    parts = chunks(text[:place])
    kept = parts[-keep:] if last else parts[:keep]
    return capital("".join(kept).strip().rstrip(",，、;；:：")) + text[place:]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def with_characters(text: str, fits: Callable[[str], int], language: str) -> Iterator[str]:
    """Yield the text with more or fewer words until `fits`, which tells how many characters are missing, is content."""
    for _ in range(4):
        missing = fits(text)
        if not missing:
            return
        size = abs(missing) if language == "zh" else -(-abs(missing) // 5)
        changed = with_words(text, size if missing > 0 else -size, language)
        if not changed or changed == text:
            return
        text = changed
        yield text


def with_sentences(text: str, change: int, language: str) -> str:
    """Return the text with so many sentences more, or fewer, and with the lines that it has.

    Example:
        >>> with_sentences("- One. Two.\\n- Three.", -1, "en")
        '- One; two.\\n- Three.'
        >>> with_sentences("- One.", 1, "en")
        '- This is easy to check. One.'
    """
    found = spots(text)
    if not found:
        return ""
    if change > 0:
        extra = fillers(language, change, [said(text, spot) for spot in found])
        gap = " " if language == "en" else ""
        place = found[-1].begin
        return text[:place] + "".join(f"{one}{gap}" for one in extra) + text[place:]
    pairs = [(one, two) for one, two in pairwise(found) if one.line == two.line]
    pairs.sort(key=lambda pair: pair[1].end - pair[0].begin)
    if len(pairs) < -change:
        joined = _fewer_lines(text, -change - len(pairs), language)
        return with_sentences(joined, change, language) if joined else ""
    for one, two in sorted(pairs[:-change], reverse=True):
        text = text[: one.begin] + _half_closed(said(text, one), language) + _small(text[two.begin :])
    return text


def _half_closed(text: str, language: str) -> str:
    stop = _STOP.search(text)
    return text[: stop.start() if stop else len(text)] + _HALF[language]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def with_lines(text: str, change: int, language: str) -> str:
    """Return the text with so many lines more, broken between sentences, or fewer, without marks joined.

    Example:
        >>> with_lines("One. Two.\\n- Three. Four.", 1, "en"), with_lines("One.\\nTwo.\\n- Three.", -1, "en")
        ('One. Two.\\n- Three.\\nFour.', 'One. Two.\\n- Three.')
    """
    return _more_lines(text, change, "\n") if change > 0 else _fewer_lines(text, -change, language)


def _more_lines(text: str, missing: int, gap: str) -> str:
    found = spots(text)
    borders = [(one, two) for one, two in pairwise(found) if one.line == two.line]
    if len(borders) < missing:
        return ""
    bounds = [borders[(2 * n + 1) * len(borders) // (2 * missing)] for n in range(missing)]
    for one, two in reversed(bounds):
        text = text[: one.end] + gap + text[two.begin :]
    return text


def _fewer_lines(text: str, surplus: int, language: str) -> str:
    lines = text.split("\n")
    index = 0
    while surplus and index + 1 < len(lines):
        one, two = lines[index], lines[index + 1]
        if not two.strip() and index + 2 < len(lines) and _is_plain(one) and _is_plain(lines[index + 2]):
            del lines[index + 1]  # the blank line between two that are joined next
        elif _is_plain(one) and _is_plain(two):
            lines[index : index + 2] = [f"{one}{' ' if language == 'en' else ''}{two}"]
            surplus -= 1
        elif is_neutral(LINE_MARK.sub("", two).strip()) and _is_plain(two):
            del lines[index + 1]
            surplus -= 1
        else:
            index += 1
    return "" if surplus else "\n".join(lines)


def _is_plain(line: str) -> bool:
    return bool(line.strip()) and has_word(line) and not _NOT_PROSE.match(line) and not LINE_MARK.match(line)


def with_paragraphs(text: str, missing: int) -> Iterator[str]:
    """Yield the text with so many paragraphs more: at line breaks, or between sentences."""
    breaks = [place.start() for place in re.finditer(r"(?<=[^\n])\n(?=[^\n])", text)] if "```" not in text else []
    if len(breaks) >= missing:
        for place in reversed(breaks[-missing:]):
            text = text[:place] + "\n" + text[place:]
        yield text
    elif divided := _more_lines(text, missing, "\n\n"):
        yield divided


def parted(block: str, limit: int) -> Iterator[str]:
    """Yield a paragraph in parts of at most so many words, divided before lines or sentences.

    Example:
        >>> list(parted("- One two. Three four.\\n- Five.", 3))
        ['- One two.', 'Three four.\\n- Five.']
    """
    begin, held = 0, 0
    for spot in spots(block) if word_count(block) > limit else []:
        size = word_count(said(block, spot))
        if held and held + size > limit:
            border = _line_start(block, spot.begin)
            yield block[begin:border].strip()
            begin, held = border, 0
        held += size
    yield block[begin:].strip()


def _line_start(block: str, place: int) -> int:
    """Return where a line begins whose first sentence stands at a place; the place itself for another sentence."""
    begin = block.rfind("\n", 0, place) + 1
    return begin if begin == place or LINE_MARK.fullmatch(block[begin:place]) else place
