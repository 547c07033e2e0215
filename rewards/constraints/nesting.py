"""Brackets and quotation marks: how deep they nest, what they enclose, what follows them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import cycle, islice
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Draw, Tolerated
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_lines import one_word
from rewards.constraints.layout_views import LaidOut, fillers, has_word, quoted
from rewards.filler import WORDS
from rewards.text import EDGE, MATH, Text

_BRACKETS = "()[]{}（）［］｛｝【】"
_BRACKET_OF = dict(zip(_BRACKETS[1::2], _BRACKETS[::2], strict=True))
_QUOTE_OF = {"”": "“", "’": "‘", "』": "『", "」": "「", "»": "«", "›": "‹"}
_DOUBLE = frozenset('"“『«')
_SINGLE = frozenset("'‘「‹")
_DIRECTED = frozenset(_QUOTE_OF.values())

_WORD_RUN = re.compile(r"[^\W_]+")
_BRACKET = re.compile(rf"([{re.escape(_BRACKETS)}])")
_STRAIGHT = "".join(
    character if character in "\"'" else " " if character.isspace() else "w" if character.isalnum() else "."
    for character in map(chr, range(128))
).encode() + bytes(128)
_QUOTE = re.compile(rf"[{re.escape(''.join(_QUOTE_OF))}{re.escape(''.join(_QUOTE_OF.values()))}\"']")
# Brackets around words only, most of all brackets in prose, are counted in one go.
_FLAT = re.compile(r"(?:\(w+\)w*|\[w+\]w*|\{w+\}w*|（w+）w*|【w+】w*)++")
_EMPTY = re.compile(r"\"\"(?:\"\")*|''(?:'')*")
_NOTATION = re.compile(r"\\[A-Za-z]+|\\[{}\[\]()]")
_ARGUMENT = re.compile(r"\\[A-Za-z]+\{")
_BRACES = re.compile(r"[{}]")
_APOSTROPHE = re.compile(rf"['’](?<={EDGE}['’])(?={EDGE})")
_OTHER_MARK = re.compile(r"[^\w\s\"'“”‘’«»‹›「」『』]+")
_BLANKS = re.compile(r"\s+")
_BRACKETED = re.compile(r"(?<!\[)\[++([^\[\]\s]++)\]++")
_WRAPPED = re.compile(r"<<([^<>]++)>>")
_TWO_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{2}")
_QUOTED = re.compile(rf'"(?<!{EDGE}")[^"]*+"|“[^“”]*+”|「[^「」]*+」|『[^『』]*+』|«[^«»]*+»')
_MOST_OPEN = 1000  # quotations that stay open; such a text is no prose
_TAIL = " \t\r\n*_`.,;:!?…。，；：！？)）]"


class _Nest:
    """Open marks and the level of what stands inside the innermost one: 1 for words, one more per closed pair."""

    def __init__(self) -> None:
        self.level = 0
        self.deepest = 0
        self.opened: list[tuple[str, int]] = []
        self.count: Counter[str] = Counter()

    def open(self, mark: str) -> None:
        self.opened.append((mark, self.level))
        self.count[mark] += 1
        self.level = 0

    def close(self, mark: str, deeper: int = 1) -> None:
        """Close the last `mark`; what was opened after it and never closed is stray, and only its words count."""
        while self.count[mark]:
            opening, before = self.opened.pop()
            self.count[opening] -= 1
            if opening == mark:
                self.level += deeper if self.level else 0
                self.deepest = max(self.deepest, self.level - 1)
                self.level = max(self.level, before)
                return
            self.level = max(self.level, before)


def bracket_depth(raw: str) -> int:
    """Return how many properly closed brackets enclose the most enclosed word; LaTeX is notation.

    Example:
        >>> bracket_depth("a (b [c {d}])"), bracket_depth("((((((x)"), bracket_depth("([x)]"), bracket_depth("(())")
        (3, 1, 1, 0)
    """
    if not _BRACKET.search(raw):
        return 0
    if "\\" in raw or "$" in raw:
        raw = MATH.sub(" ", raw)
        raw = _NOTATION.sub(" ", _BRACES.sub(" ", raw) if _ARGUMENT.search(raw) else raw)
    nest = _Nest()
    parts = _BRACKET.split(raw)
    parts[::2] = ["w" if part and has_word(part) else "" for part in parts[::2]]
    for mark in _FLAT.sub("v", "".join(parts)):
        if mark == "w":
            nest.level = nest.level or 1
        elif mark == "v":
            nest.level = max(nest.level, 2)
            nest.deepest = max(nest.deepest, 1)
        elif mark in _BRACKET_OF:
            nest.close(_BRACKET_OF[mark])
        else:
            nest.open(mark)
    return nest.deepest


def _wrapped_in(pairs: tuple[str, ...], depth: int, language: str) -> str:
    """Enclose a word in so many pairs of marks, with a word on each level."""
    words = list(islice(cycle(WORDS[language]), depth))
    blank = "" if language == "zh" else " "
    said = words[0]
    for level in range(depth - 1, -1, -1):
        left, right = tuple(pairs[level % len(pairs)])
        said = f"{left}{said}{right}" if level == depth - 1 else f"{left}{words[level]}{blank}{said}{right}"
    return said


Depth = Annotated[int, Field(ge=1, le=100), Draw.range(2, 6)]


@register
class NestedBrackets(LaidOut):
    """A word inside at least `depth` brackets that are properly closed; formulas and LaTeX commands do not count."""

    type: Literal["nesting:brackets"] = "nesting:brackets"
    depth: Depth

    phrases: ClassVar = {
        "en": (
            "Nest parentheses (and [square brackets]) or braces around words at least {depth} levels deep, all closed.",
            "Somewhere put words inside {depth} or more nested brackets, each properly closed.",
        ),
        "zh": ("括号（圆括号、方括号、花括号）至少嵌套{depth}层，最里层要有文字，并且全部正确闭合。",),
    }
    notes: ClassVar = {"en": "brackets {depth} deep", "zh": "括号嵌套{depth}层"}
    examples: ClassVar = (
        Example({"depth": 3}, passes="Fruit (red [apples {sweet}])", fails="Fruit (red [apples {sweet)"),
        Example({"depth": 2}, passes="水果（苹果【红】）", fails="水果（苹果）【红】", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = bracket_depth(text.raw)
        return verdict_if(found >= self.depth, f"brackets nest {found} deep, at least {self.depth} wanted")

    def lay_out(self, text: str, language: str) -> str:
        pairs = ("（）", "【】") if language == "zh" else ("()", "[]", "{}")
        return f"{text} {_wrapped_in(pairs, self.depth, language)}".strip()


def quote_depth(raw: str) -> int:
    """Return how many quotations, double and single in turn, enclose the most enclosed word.

    Example:
        >>> quote_depth('"He said \\'she wrote "stop" there\\' today"'), quote_depth("“他说‘好’”"), quote_depth("it's")
        (3, 2, 0)
    """
    kinds = [mark for mark in (*_DIRECTED, '"', "'") if mark in raw]
    if len(set(map(_kind, kinds))) < 2:  # no turns to take
        return int(any(map(has_word, _QUOTED.findall(raw))))
    shape = _quote_shape(raw)
    if '""' in shape or "''" in shape:
        shape = _EMPTY.sub("", shape)
    said = f" {shape} "
    nest, begin = _Nest(), 0
    for found in _QUOTE.finditer(said):
        mark, place = found[0], found.start()
        if said.find("w", begin, place) >= 0:
            nest.level = nest.level or 1
        begin = place + 1
        if mark not in "\"'":
            _directed(nest, mark)
            continue
        if len(nest.opened) > _MOST_OPEN:
            break
        before, after = said[place - 1], said[begin]
        _straight(nest, mark, opens=before != "w" and after != " ", closes=before != " " and after != "w")
    return nest.deepest


def _quote_shape(raw: str) -> str:
    """Return the text with `w` for words, a full stop for other marks, and no apostrophes."""
    if raw.isascii():
        shape = raw.encode().translate(_STRAIGHT).decode()
        return shape.replace("w'w", "ww").replace("w'w", "ww")  # twice, since in `w'w'w` two of them share a letter
    return _OTHER_MARK.sub(".", _BLANKS.sub(" ", _WORD_RUN.sub("w", _APOSTROPHE.sub("", raw))))


def _kind(mark: str) -> bool | None:
    return mark in _DOUBLE if mark in _DOUBLE or mark in _SINGLE else None


def _directed(nest: _Nest, mark: str) -> None:
    if mark in _DIRECTED:
        nest.open(mark)
        return
    opening = _QUOTE_OF[mark]
    below = nest.opened[-2][0] if len(nest.opened) > 1 else ""
    # A double quotation right inside a double one is no new level.
    nest.close(opening, deeper=0 if below and _kind(below) == _kind(opening) else 1)


def _straight(nest: _Nest, mark: str, opens: bool, closes: bool) -> None:
    top = nest.opened[-1][0] if nest.opened else ""
    if closes and top == mark:
        nest.close(mark)
    elif opens and _kind(top) != _kind(mark):
        nest.open(mark)
    elif closes:
        nest.close(mark)


@register
class NestedQuotes(LaidOut):
    """A word inside at least `depth` quotations, double and single quotation marks in turn, all closed."""

    type: Literal["nesting:quotes"] = "nesting:quotes"
    depth: Annotated[int, Field(ge=2, le=100), Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            "Include quotes within quotes, at least {depth} levels deep, alternating double and single marks.",
            "Nest quotations {depth} or more levels deep; double and single marks take turns and all are closed.",
        ),
        "zh": ("引号里再套引号，至少{depth}层，双引号与单引号交替使用并全部闭合。",),
    }
    notes: ClassVar = {"en": "quotes {depth} deep", "zh": "引号嵌套{depth}层"}
    examples: ClassVar = (
        Example({"depth": 2}, passes="\"He said 'go' today\"", fails="He said \"go\" and 'stop'."),
        Example({"depth": 2}, passes="“他说‘好’。”", fails="“他说好。”", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = quote_depth(text.raw)
        return verdict_if(found >= self.depth, f"quotations nest {found} deep, at least {self.depth} wanted")

    def lay_out(self, text: str, language: str) -> str:
        pairs = ("“”", "‘’") if language == "zh" else ('""', "''")
        body = re.sub(r"[\"'“”‘’]", "", text)
        return f"{body} {_wrapped_in(pairs, self.depth, language)}".strip()


@register
class BracketedWords(LaidOut):
    """Every word stands in square brackets of its own, and nothing but blanks outside them."""

    type: Literal["nesting:bracketed_words"] = "nesting:bracketed_words"

    phrases: ClassVar = {
        "en": (
            "Enclose every word in square brackets of its own, like [this] [one], punctuation included.",
            "Put each word in [square] [brackets] and nothing outside them.",
        ),
        "zh": ("把每个词（最多四个字）都放在单独的方括号里，例如[这样]，方括号外不要有文字或标点。",),
    }
    notes: ClassVar = {"en": "[every] [word]", "zh": "[每] [词]"}
    examples: ClassVar = (
        Example({}, passes="[Take] [the] [train.]", fails="[Take the train.]"),
        Example({}, passes="[坐][火车][去]", fails="[坐]火车[去]", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        words = _BRACKETED.findall(text.raw)
        outside = _BRACKETED.sub("", text.raw).strip()
        wrong = next((word for word in words if not one_word(word)), "")
        problem = (
            f"outside brackets: {quoted(outside)}" if outside else f"not one word: {quoted(wrong)}" if wrong else ""
        )
        return verdict_if(not problem and bool(words), problem or f"{len(words)} words in brackets")

    def lay_out(self, text: str, language: str) -> str:
        return " ".join(f"[{word}]" for word in Text(text).words or WORDS[language][:3])


def _bigram(said: str) -> bool:
    words = said.split()
    return all(map(one_word, words)) if len(words) == 2 else _TWO_HAN.fullmatch(said) is not None


@register
class WrappedBigrams(LaidOut):
    """Every two words stand together in double angular brackets; of an odd number, the last stands alone."""

    type: Literal["nesting:wrapped_bigrams"] = "nesting:wrapped_bigrams"

    phrases: ClassVar = {
        "en": (
            "Wrap every word bigram in double angular brackets, such as <<I am>> <<at home>>; an odd last word may"
            " stand alone.",
            "Group your words in pairs and write each pair as <<two words>>, with nothing outside.",
        ),
        "zh": (
            "每两个词放在一对双尖括号里，例如<<今天 天气>> <<非常 好>>，括号外不要有别的；最后剩下的一个词可以单独写。",
        ),
    }
    notes: ClassVar = {"en": "<<two words>> each", "zh": "<<两 词>>一组"}
    examples: ClassVar = (
        Example({}, passes="<<Take the>> <<train now>> please", fails="<<Take the train>> <<now please>>"),
        Example({}, passes="<<今天 天气>> <<很好>>", fails="<<今天 天气 很好>>", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        groups = _WRAPPED.findall(text.raw)
        outside = _WRAPPED.sub(" ", text.raw).split()
        pairs = sum(map(_bigram, groups))
        # An odd last word: in brackets of its own, or behind the last pair.
        bare = (
            len(outside) == 1 and pairs == len(groups) and text.stripped.endswith(outside[0]) and one_word(outside[0])
        )
        single = not outside and pairs == len(groups) - 1 and one_word(groups[-1].strip())
        good = pairs > 0 and (bare or single or (not outside and pairs == len(groups)))
        return verdict_if(good, f"{pairs} of {len(groups)} groups are pairs, {len(outside)} pieces outside")

    def lay_out(self, text: str, language: str) -> str:
        words = [*Text(text).words, *WORDS[language]] if len(Text(text).words) < 2 else Text(text).words
        return " ".join(f"<<{' '.join(words[place : place + 2])}>>" for place in range(0, len(words), 2))


@register
class ExplainedQuotes(LaidOut):
    """At least `count` quotations, and words outside quotation marks after each, before the next and before the end."""

    type: Literal["nesting:explained_quotes"] = "nesting:explained_quotes"
    count: Annotated[Tolerated, Draw.range(1, 3)]

    phrases: ClassVar = {
        "en": (
            "{Demand}every phrase in double quotation marks must be followed by an unquoted explanation.",
            "{Demand}after each quotation there must be words of explanation outside the marks.",
        ),
        "zh": ("{Demand}每处双引号引用之后都要有引号外的解释。",),
    }
    notes: ClassVar = {"en": "{noted} explained", "zh": "{noted}并解释"}
    examples: ClassVar = (
        Example({"count": 1}, passes='"Carpe diem" means seize the day.', fails='He said "carpe diem".'),
        Example({"count": 1}, passes="“开卷有益”是说读书有好处。", fails="他说“开卷”“有益”。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, object]:
        slots = super().slots(language)
        if language == "zh":
            demand, noted = f"至少用双引号引用{self.count}处，", f"{self.count}处引用"
        else:
            demand, noted = f"Quote at least {self.count} phrase{slots['s']}; ", f"{self.count} quote{slots['s']}, each"
        free = ("如有引用，", "每处引用") if language == "zh" else ("If you quote anything, ", "every quote")
        demand, noted = (demand, noted) if self.count else free
        return {**slots, "Demand": demand, "noted": noted}

    def judge(self, text: Text, context: Context) -> Verdict:
        raw, found, end = text.raw, 0, -1
        if raw.rstrip(_TAIL)[-1:] in tuple('"”」』»'):
            return verdict_if(False, "the last quotation is followed by nothing")
        for quote in _QUOTED.finditer(raw):
            if end >= 0 and not has_word(raw[end : quote.start()]):
                return verdict_if(False, f"no explanation before the quotation {quoted(quote[0], 30)}")
            found, end = found + has_word(quote[0]), quote.end()
        explained = end < 0 or has_word(raw[end:])
        shown = f"{found} quotations, {'each explained' if explained else 'the last one not'}"
        return verdict_if(found >= self.count and explained, f"{shown}; at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        words = islice(cycle(WORDS[language]), max(1, self.count))
        body = re.sub(r"[\"“”「」『』«»]", "", text) or fillers(language, 1)[0]
        if language == "zh":
            return body + "".join(f"“{word}”是一个词。" for word in words)
        return " ".join([body, *(f'"{word}" is a word.' for word in words)])
