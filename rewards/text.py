"""The only definitions of word, sentence, keyword match and language that verifiers use.

Word: a run of letters, digits and combining marks, with inner apostrophes, hyphens and decimal points kept
(`don't`, `well-known`, `3.14` and `1,000` are one word each). Every Han, Hiragana or Katakana character is a word
of its own. LaTeX commands (`\\boxed`, `\\frac`) are notation and not words; what they enclose is counted.

Prose: the text without fenced code, inline code and `$...$` / `\\[...\\]` mathematics, and without LaTeX commands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rewards.characters import CJK, MARK
from rewards.lazy import lazy
from rewards.notation import CODE as CODE
from rewards.notation import MATH as MATH
from rewards.notation import visible, without_commands, without_notation
from rewards.quick_words import quick_words
from rewards.sentences import split_sentences

EDGE = rf"[^\W_{CJK}]"  # a letter or digit of a script that separates words
_EDGE = re.compile(EDGE)
_PART = rf"[^\W_{CJK}](?:[^\W_{CJK}]|[{MARK}])*"
_WORD = re.compile(rf"[{CJK}]|{_PART}(?:(?:['’\-‐‑]|(?<=\d)[.,](?=\d)){_PART})*")
_LONGEST_CHAIN = 4  # parts of a compound; a longer chain of hyphens or apostrophes is a row of words
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_JOINT = re.compile(r"['’\-‐‑]")
_CHAIN = re.compile(r"['’\-‐‑]" + r"[^\W_]++['’\-‐‑]" * (_LONGEST_CHAIN - 1) + r"[^\W_]")
_UNCOUNTABLE_SHARE = 0.2
_UNSEGMENTED = re.compile(r"[\u0e01-\u0e30\u0e40-\u0e46]|[\u0e81-\u0eb0]|[\u1000-\u102a]|[\u1780-\u17b3]")
_SCRIPTS = ((0x1780, "Khmer"), (0x1000, "Burmese"), (0x0E81, "Lao"), (0x0E01, "Thai"))
_HAS_WORD = re.compile(rf"[{CJK}]|[^\W_]")
_STARTS = re.compile(r"[^\w\\<]*+[^\W_]")  # with a word, before any notation
_NOT_BLANK_LINE = re.compile(r"[^\n]*\S[^\n]*")
_BLANK_LINES = re.compile(r"\n(?:[ \t\r\f\v\u00a0\u3000]*\n)+")
_NUMBER = r"(?:\d{1,3}|[ivxlc]{1,6})"
_HEADING = re.compile(
    r"^(?:[ ]{0,3}(?P<level>#{1,6})[ \t]+\S.*"
    rf"|[ \t*_#]*(?:section|part|chapter|paragraph|step)[ \t]+{_NUMBER}[ \t]*(?:[*_]*[:.)–—-].{{0,80}}|[*_]*)"
    r"|[ \t*_#]*第?[ ]?[\d一二三四五六七八九十]{1,3}[ ]?(?:部分|章|节|節|篇).{0,40}"
    r"|[ \t*_#]*(?:部分|章节)[ ]?[\d一二三四五六七八九十]{1,3}.{0,40})$",
    re.MULTILINE | re.IGNORECASE,
)
_ONLY_HEADINGS = re.compile(r"\s*(?:#{1,6}[ \t]+[^\n]*(?:\n|\Z)\s*)+\Z")


class Text:
    """A piece of a response with its derived views, each computed once.

    Example:
        >>> Text("Tom has \\\\boxed{7} apples.").words
        ('Tom', 'has', '7', 'apples')
        >>> Text("汤姆有7个苹果。").words
        ('汤', '姆', '有', '7', '个', '苹', '果')
    """

    def __init__(self, raw: str) -> None:
        self.original = raw
        self.raw = visible(raw)

    @lazy
    def stripped(self) -> str:
        return self.raw.strip()

    @lazy
    def normalized(self) -> str:
        """Return the text in NFC, case-folded, without LaTeX commands: where keywords are looked up."""
        return fold(self._without_commands)

    @lazy
    def _without_commands(self) -> str:
        return without_commands(self.raw)

    @lazy
    def prose(self) -> str:
        return without_notation(self.raw)

    @lazy
    def words(self) -> tuple[str, ...]:
        said = self._without_commands
        quick = quick_words(said)
        if quick is not None:  # which has no long chain
            return tuple(quick)
        found = _WORD.findall(unicodedata.normalize("NFC", said))
        return tuple(_unchained(found) if _CHAIN.search(said) else found)

    @lazy
    def lines(self) -> tuple[str, ...]:
        return tuple(self.raw.split("\n"))

    @lazy
    def has_words(self) -> bool:
        """Tell whether anything but notation and punctuation is said."""
        return _STARTS.match(self.raw) is not None or _HAS_WORD.search(self._without_commands) is not None

    @lazy
    def uncountable(self) -> str:
        """Say why words and sentences cannot be counted by rule, or "" where they can."""
        found = [] if self.raw.isascii() else _UNSEGMENTED.findall(self.raw)
        # One letter does not make the rest of the answer uncountable.
        if not found or len(found) <= _UNCOUNTABLE_SHARE * sum(map(str.isalpha, self.raw)):
            return ""
        script = next(name for start, name in _SCRIPTS if ord(found[0]) >= start)
        return f"{script} script does not separate words or sentences, so no rule can count them"

    @lazy
    def sentences(self) -> tuple[str, ...]:
        """The sentences of the prose (formulas and code left out), see `rewards.sentences`."""
        return tuple(split_sentences(self.prose))

    @lazy
    def filled_lines(self) -> tuple[str, ...]:
        """The lines that are not blank, stripped."""
        return tuple(line for line in map(str.strip, self.lines) if line)

    @lazy
    def paragraphs(self) -> tuple[str, ...]:
        """The blocks between blank lines that say something, stripped; a rule or a lone heading is none."""
        return tuple(self.raw[begin:end].strip() for begin, end in part_spans(self.raw, "paragraph"))


_SAME = (("’", "'"), ("‐", "-"), ("‑", "-"))


def _unchained(words: list[str]) -> Iterator[str]:
    for word in words:
        parts = _JOINT.split(word)
        yield from parts if len(parts) > _LONGEST_CHAIN else [word]


def fold(text: str) -> str:
    """Return the form in which two spellings of a word are equal (NFC, case-folded, plain apostrophes and hyphens).

    Example:
        >>> fold("STRASSE") == fold("Straße")
        True
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFC", text).casefold()
    for variant, plain in _SAME:
        if variant in text:
            text = text.replace(variant, plain)
    return text


def keyword_spans(text: str, keyword: str) -> Iterator[tuple[int, int]]:
    """Yield where a keyword begins and ends, whatever its case, in text that keeps its own; see `count_keyword`.

    Example:
        >>> list(keyword_spans("A Fox, a foxtrot.", "fox"))
        [(2, 5)]
    """
    pattern, bounded_left, bounded_right = _keyword_pattern(keyword)
    match = pattern.search(text)
    while match:
        begin, end = match.span()
        joined = (bounded_left and begin and _is_edge(text[begin - 1])) or (bounded_right and _goes_on(text, end))
        if not joined:
            yield begin, end
        match = pattern.search(text, begin + 1 if joined else end)


@lru_cache(maxsize=4096)
def _keyword_pattern(keyword: str) -> tuple[re.Pattern[str], bool, bool]:
    """Return a pattern, and whether a boundary belongs on either side: one only has a meaning next to a script that
    separates words. Boundaries are no part of the pattern, since their wide classes take 10 ms to compile.
    """
    folded = fold(keyword.strip())
    said = re.escape(folded).replace(r"\ ", r"\s+")
    return re.compile(said, re.IGNORECASE), _is_edge(folded[0]), _is_edge(folded[-1]) or folded[-1] in MARK


def count_keyword(text: Text, keyword: str) -> int:
    """Count whole-word, case-insensitive occurrences of a keyword or phrase.

    Chinese and Japanese keywords match anywhere, since those scripts do not separate words. Whitespace inside a
    phrase matches any whitespace.

    Example:
        >>> count_keyword(Text("Bar none: barrels, a bar and \\\\bar{x}."), "bar")
        2
        >>> count_keyword(Text("花园里有花。"), "花")
        2
    """
    return sum(1 for _ in find_keyword(text, keyword))


def find_keyword(text: Text, keyword: str) -> Iterator[tuple[int, int]]:
    """Yield where a keyword begins and ends in `Text.normalized`, in order and without overlap."""
    said = text.normalized
    head, rest, bounded_left, bounded_right = _keyword_parts(keyword)
    place = said.find(head)
    while place >= 0:
        end = place + len(head)
        match = rest.match(said, end) if rest else None
        end = match.end() if match else end
        joined = (bounded_left and place and _is_edge(said[place - 1])) or (bounded_right and _goes_on(said, end))
        if joined or (rest and not match):
            place = said.find(head, place + 1)
        else:
            yield place, end
            place = said.find(head, end)


@lru_cache(maxsize=4096)
def _keyword_parts(keyword: str) -> tuple[str, re.Pattern[str] | None, bool, bool]:
    """Return the first token, a pattern for the others, and whether a word boundary belongs on either side."""
    head, *others = fold(keyword).split()
    rest = re.compile("".join(rf"\s+{re.escape(other)}" for other in others)) if others else None
    last = (others or [head])[-1][-1]
    return head, rest, _is_edge(head[0]), _is_edge(last) or last in MARK


@lru_cache(maxsize=65536)
def _is_edge(character: str) -> bool:
    return _EDGE.match(character) is not None


def _goes_on(said: str, end: int) -> bool:
    """Tell whether the word at a place goes on: "can't" does not say "can", but "river's" says "river"."""
    after = said[end : end + 1]
    if not after:
        return False
    if after != "'":
        return _is_edge(after) or after in MARK
    letters = said[end + 1 : end + 3]
    possessive = letters[:1] in ("s", "S") and not (len(letters) == 2 and _is_edge(letters[1]))
    return bool(letters) and _is_edge(letters[0]) and not possessive


def part_spans(text: str, unit: str) -> list[tuple[int, int]]:
    """Return where the lines, paragraphs or sections of a text begin and end (see `rewards.scope`).

    Example:
        >>> part_spans("a\\n\\nb c", "paragraph")
        [(0, 1), (3, 6)]
    """
    if unit == "line":
        return [match.span() for match in _NOT_BLANK_LINE.finditer(text)]
    # What looks like a heading or a blank line inside fenced code divides nothing.
    masked = CODE.sub(lambda code: re.sub(r"[\n#]", " ", code[0]), text) if "```" in text else text
    return _sections(masked) if unit == "section" else _paragraphs(masked)


def _sections(text: str) -> list[tuple[int, int]]:
    """Return what stands under the headings of the highest level that occurs twice: a lone title opens no section."""
    headings = list(_HEADING.finditer(text))
    levels = [len(heading["level"] or "#") for heading in headings]
    level = min((one for one in levels if levels.count(one) > 1), default=min(levels, default=1))
    tops = [heading for heading, one in zip(headings, levels, strict=True) if one == level]
    ends = [*(top.start() for top in tops[1:]), len(text)]
    return [(top.end(), end) for top, end in zip(tops, ends, strict=False)]


def _paragraphs(text: str) -> list[tuple[int, int]]:
    gaps = [match.span() for match in _BLANK_LINES.finditer(text)]
    bounds = [0, *(edge for gap in gaps for edge in gap), len(text)]
    spans = zip(bounds[::2], bounds[1::2], strict=True)
    return [(a, b) for a, b in spans if _HAS_WORD.search(text, a, b) and not _ONLY_HEADINGS.match(text, a, b)]


def han_share(text: str) -> float:
    """Return the share of letters that are Han characters (0.0 when there are no letters)."""
    letters = sum(character.isalpha() for character in text)
    return len(_HAN.findall(text)) / letters if letters else 0.0
