"""Where a sentence ends: the corrected rule, for every script that marks it.

A sentence ends at `。！？．` anywhere; at `. ! ? …`, the Arabic `؟ ۔` and the Devanagari danda when a blank or the end
of the text follows, closing quotes and brackets included; and at a line break. It does not end at the full stop of an
abbreviation, an initial or a list number, at an ellipsis or a quoted question that goes on in lower case, nor inside
a number or a web address. A piece without any letter or digit is not a sentence.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st jr sr gen col capt lt sgt rev hon pres gov sen rep messrs mme mlle fr vs etc e.g i.e eg ie cf"
    " al approx dept est fig figs eq eqs sec ch vol vols pp ed eds inc ltd co corp bros univ assn ave blvd rd mt ft"
    " jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun a.m p.m u.s u.k u.n e.u"
    " ph.d m.d b.a m.a b.sc m.sc d.c resp viz ca ibid op z.b d.h bzw usw ggf nr str".split()
)
_FINAL_TOO = frozenset(
    "etc a.m p.m u.s u.k u.n e.u ph.d m.d b.a m.a b.sc m.sc d.c inc ltd co corp jr sr al usw".split()
)
_ASCII_STARTS = ".!?…؟۔।॥‽"
_WIDE = "。！？．｡"
_SPEECH = r"[\u3400-\u9fff]{0,6}?(?:说|道|问|喊|叫|答)"  # “好！”他说 is one sentence
_CLOSE = r"\"'”’»」』）)】》〉\]*_"


def _not_after(words: frozenset[str]) -> str:
    """Return look-behinds that refuse a full stop after words of four letters or more."""
    endings = sorted({word[-4:] for word in words if len(word) > 3 and word[-4:].isalpha()})
    return "".join(f"(?<!{ending}[.])" for ending in endings)


# A line break, a wide mark and, by far the most frequent, a mark after a whole word and before a capital end a sentence
# for certain: nothing is captured. Any other mark at the end of a chunk is looked at closely.
_END = re.compile(
    rf"[{_ASCII_STARTS}{_WIDE}\n](?:(?<=\n)"
    rf"|(?<=[{_WIDE}])[{_WIDE}.!?…]*+(?![”’」』]{_SPEECH})[{_CLOSE}]*+"
    rf"|(?:(?<=[a-z]{{4}}[.]){_not_after(_ABBREVIATIONS)}|(?<=[a-z][!?]))(?=[ ]{{1,2}}[A-Z]|[A-Z][a-z])"
    r"|(?<=[\u3400-\u9fff][.!?])(?=[\u3400-\u9fff])"
    rf"|(?P<mark>[{_ASCII_STARTS}]*+)(?P<close>[{_CLOSE}]*+)(?=\s|\Z))"
)
_WORDLIKE = re.compile(r"[^\W_]")
_NEXT = re.compile(r"[ \t]*[\"'“‘«(\[*_]*([^\W_])?")
_LIST_NUMBER = re.compile(r"[ \t>*#-]*\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})\Z")
_LAST_TOKEN = re.compile(r"[^\s(\[\"'“‘«]{1,12}\Z")
_INITIAL = re.compile(r"(?:\A|[\s(.])[A-ZÀ-ÞА-Я]\Z")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of prose, stripped, in order.

    Example:
        >>> split_sentences("Dr. Lee paid $3.50 (e.g. in cash). Is it new? 是的。好！")
        ['Dr. Lee paid $3.50 (e.g. in cash).', 'Is it new?', '是的。', '好！']
        >>> split_sentences('1. "Really?" she asked... and left.')
        ['1. "Really?" she asked... and left.']
    """
    pieces, begin = [], 0
    for match in _END.finditer(text):
        if match.lastindex and not _ends(text, begin, match):
            continue
        pieces.append(text[begin : match.end()])
        begin = match.end()
    pieces.append(text[begin:])
    return [stripped for piece in pieces if _WORDLIKE.search(stripped := piece.strip())]


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    start, end = match.span()
    if end - start == 1 and text[start] == "." and text[end : end + 1] == " " and text[end + 1 : end + 2].isalnum():
        return _full_stop_ends(text, begin, start, text[end + 1].islower())
    mark, close = text[match.start() : match.end("mark")], match["close"]
    following = text[match.end() : match.end() + 12]
    if not following.strip() or following.lstrip(" \t\r").startswith("\n"):
        return mark != "." or not _LIST_NUMBER.match(text, begin, match.start())
    found = _NEXT.match(following)
    letter = found[1] if found else None
    lower = letter is not None and letter.islower()
    if mark == "." and not close:
        return _full_stop_ends(text, begin, match.start(), lower)
    goes_on = lower and (close or mark == "…" or mark.endswith(".."))
    return not goes_on


def _full_stop_ends(text: str, begin: int, stop: int, lower: bool) -> bool:
    return _ends_after(text[max(begin, stop - 12) : stop], stop - begin < 12, lower)


@lru_cache(maxsize=4096)
def _ends_after(window: str, opens: bool, lower: bool) -> bool:
    """Decide by the last twelve characters of the sentence; `opens` when they are all of it."""
    if opens and _LIST_NUMBER.match(window.lstrip()):
        return False
    token = _LAST_TOKEN.search(window)
    word = token[0].lower() if token else ""
    if word in _ABBREVIATIONS or (word.endswith(".") and word[:-1] in _ABBREVIATIONS):
        return word in _FINAL_TOO and not lower
    return not _INITIAL.search(window) or word == "i"
