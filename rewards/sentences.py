"""Where a sentence ends: the corrected rule, for every script that marks it.

A sentence ends at `。！？．` anywhere; at `. ! ? …`, the Arabic `؟ ۔` and the Devanagari danda when a blank or the end
of the text follows, closing quotes and brackets included; and at a line break. It does not end at the full stop of an
abbreviation, an initial or a list number, at an ellipsis or a quoted question that goes on in lower case, nor inside
a number or a web address. A piece without any letter or digit is not a sentence.
"""

from __future__ import annotations

import re

from rewards.memo import Memo

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


def _not_after(size: int) -> str:
    """Return a look-behind that refuses a full stop after an abbreviation, by its last letters."""
    endings = sorted({word[-size:] for word in _ABBREVIATIONS if len(word) >= size and word[-size:].isalpha()})
    return f"(?<!{'|'.join(f'{ending}[.]' for ending in endings)})"


# What captures nothing is certain. An end: a line break, a wide mark, a mark after a whole word, a closing mark before
# a capital. None: the stop of an initial, of a number that opens a line, and whatever stands at the end of a line, for
# the line break is an end itself. Any other mark before white space is looked at closely. What a run of marks is not,
# no part of it is.
_END = re.compile(
    rf"[{_ASCII_STARTS}{_WIDE}\n](?:(?<=\n)\n*+|(?!\n)(?:(?:"
    rf"(?<=[a-z]{{3}}[.]){_not_after(3)}(?<![ivx]{{3}}[.])|(?<=[ ][a-z]{{2}}[.]){_not_after(2)}(?<![ivx]{{2}}[.])"
    rf"|(?<=[0-9]{{4}}[.])|(?<=[^A-Za-z\dÀ-ÞА-Я\u212a{_ASCII_STARTS}][.])|(?<=[^.…{_WIDE}]))(?=\s)"
    rf"|(?<=[{_WIDE}])[{_WIDE}.!?…]*+(?![”’」』]{_SPEECH})[{_CLOSE}]*+"
    rf"|(?:(?<=[a-z]{{4}}[.]){_not_after(4)}|(?<=[a-z][!?]))(?=[ ]{{1,2}}[A-Z]|[A-Z][a-z])"
    rf"|(?:[{_ASCII_STARTS}]++[{_CLOSE}]*+|[{_CLOSE}]++)(?=[ ]{{1,2}}[A-Z])"
    r"|(?<=[\u3400-\u9fff][.!?])(?=[\u3400-\u9fff])"
    r"|(?!(?:(?<=[\s(][A-HJ-ZÀ-ÞА-Я][.])|(?<=\n[0-9][.])|(?<=\n[0-9][0-9][.]))[ ]\S)"
    rf"(?P<mark>[{_ASCII_STARTS}]*+)(?P<close>[{_CLOSE}]*+)(?=[^\S\n])"
    rf"|(?P<run>(?<=[{_WIDE}])[{_WIDE}.!?…]++|[{_ASCII_STARTS}]++)))"
)
_WORDLIKE = re.compile(r"[^\W_]")
# Nothing more in the line (or very far from here), or the next letter.
_AFTER = re.compile(r"([ \t\r]*+\n|\s*+\Z)|[ \t]*+[\"'“‘«(\[*_]*+([^\W_])?")
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
        if not match.lastindex or _ends(text, begin, match):
            end = match.end()
            pieces.append(text[begin:end])
            begin = end
    pieces.append(text[begin:])
    return [one for one in map(str.strip, pieces) if one[:1].isalnum() or _WORDLIKE.search(one)]


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    start, end = match.span()
    if end - start == 1 and text[start] == "." and text[end + 1 : end + 2].isalnum() and text[end] == " ":
        known = _known(text, begin, start)
        return not text[end + 1].islower() if known is None else known
    if match.lastgroup == "run":
        return False
    mark, close = text[start : match.end("mark")], match["close"]
    after = _AFTER.match(text, end, end + 12)
    if after is None or after.lastindex == 1:
        return mark != "." or not _LIST_NUMBER.match(text, begin, start)
    lower = (after[2] or "").islower()
    if mark == "." and not close:
        known = _known(text, begin, start)
        return not lower if known is None else known
    goes_on = lower and (close or mark == "…" or mark.endswith(".."))
    return not goes_on


def _known(text: str, begin: int, stop: int) -> bool | None:
    """Return whether a full stop ends a sentence by the word before it; None if a lower-case word after it decides."""
    return _OPENING[text[begin:stop]] if stop - begin < 12 else _INSIDE[text[stop - 12 : stop].rsplit(None, 1)[-1]]


def _ends_opening(sentence: str) -> bool | None:
    return False if _LIST_NUMBER.match(sentence.lstrip()) else _ends_inside(sentence)


def _ends_inside(window: str) -> bool | None:
    token = _LAST_TOKEN.search(window)
    word = token[0].lower() if token else ""
    if word in _ABBREVIATIONS or (word.endswith(".") and word[:-1] in _ABBREVIATIONS):
        return None if word in _FINAL_TOO else False
    return not _INITIAL.search(window) or word == "i"


_OPENING, _INSIDE = Memo(_ends_opening), Memo(_ends_inside)
