"""The mathematics in a sentence: the formula, number or word that it states."""

from __future__ import annotations

import re
from collections.abc import Callable

from rewards.maths.tokens import FUNCTIONS
from rewards.maths.units import dimension

FORMULA = re.compile(
    r"\$\$([^$]+)\$\$|(?<!\\)\$((?:\\\$|[^$\n])+)\$|\\\(((?:(?!\\[()]).)+)\\\)|\\\[((?:(?!\\[\[\]]).)+)\\\]", re.DOTALL
)
MATHEMATICAL = re.compile(
    r"[-+−–±]?\s*(?:[\d\\$({\[√π∞.|€£¥]|[A-Za-z](?![A-Za-z'’])"
    r"|(?:sqrt|pi|infinity|sin|cos|tan|ln|log|exp)(?![A-Za-z]))"
)
JOINER = re.compile(
    r"(?:\s|[,，、;；$*&{}]|\\(?:\(|\)|\[|\]|qquad|quad|text|[,; ])|(?:and|or|和|或者?|及)(?![A-Za-z])|[A-Za-z]\s*=)*+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[。！？?\n]|(?<!\.)[.](?=\s|$|[*\"”)])|[;；，]\s")
_CLAUSE = re.compile(r",?\s+(?:because|since|which|where|as|so|but|when|if|with|for|after|in)\s")
_COPULA = re.compile(r"\b(?:is|are|be|equals?|was)\s+")
_NUMBER = re.compile(
    r"(?:(?<![\w.)])[-+−]\s?)?(?:\\?\$\s?)?(?<![A-Za-z\d.])(?<!\d,)"
    r"(?:(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/\d+(?:\.\d+)?)?)|(?<![\w.])[-+−]?\.\d+"
)
_PIECE = re.compile(r"\\?[^\W\d_²³¹⁰-⁹₀-₉½¼¾]+|\S")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\w+\*?\}")
_TRAILING = re.compile(r"(?:\b(?:and|or|per)|\\[,;:! ]|[\s,:*_])+\Z")
_IDLE = frozenset(
    "correct right wrong incorrect as below above clear obvious given found obtained that this it in therefore so here "
    "there follows straightforward unique derived simple easy what we to not also still now reasonable consistent "
    "always".split()
)
_KEPT = FUNCTIONS | {"pi", "infinity", "and", "or", "percent", "per", "square", "cubic"}
_MAX_FORMULA = 300  # characters


def stated(text: str) -> str | None:
    """Return the mathematics, or else the few words or the only number, that the first sentence of a text states.

    Example:
        >>> stated("$\\\\frac12$ of it."), stated("2 1/3 cups, as we saw."), stated("that Tom has 5 apples")
        ('\\\\frac12', '2 1/3', '5')
        >>> stated("Monday."), stated("correct.")
        ('Monday', None)
    """
    formula = FORMULA.match(text)
    if formula and not is_prose(formula):
        return joined(text, formula)
    end = _SENTENCE.search(text)
    sentence = (text[: end.start()] if end else text).strip("*_ \t")
    for start in (0, *(match.end() for match in reversed(list(_COPULA.finditer(sentence)))))[:3]:
        if MATHEMATICAL.match(sentence, start):
            rest = sentence[start:]
            formula = FORMULA.match(rest)
            return joined(rest, formula) if formula and not is_prose(formula) else _prefix(rest)
    formulas = [match for match in FORMULA.finditer(sentence) if not is_prose(match)]
    if formulas:
        return inside(formulas[-1])
    words = sentence.split()
    if 0 < len(words) < 5 and not any(map(str.isdigit, sentence)):
        return None if words[0].lower().strip(",") in _IDLE else sentence.rstrip(".,:;! ")
    numbers = {found.group() for found in _NUMBER.finditer(sentence)}
    return _bare(numbers.pop()) if len(numbers) == 1 else None


def joined(text: str, formula: re.Match[str]) -> str:
    """Return a formula and those that follow it with nothing but commas, "and" or "or" between them."""
    found, end = [inside(formula)], formula.end()
    while (follower := FORMULA.search(text, end)) and JOINER.fullmatch(text, end, follower.start()):
        found.append(inside(follower))
        end = follower.end()
    percent = re.match(r"\s?\\?%", text[end : end + 3])
    return ", ".join(found) + ("%" if percent and len(found) == 1 else "")


def inside(formula: re.Match[str]) -> str:
    """Return a formula without its delimiters."""
    content: str = next(filter(None, formula.groups()))
    return content.strip()


def is_prose(formula: re.Match[str]) -> bool:
    """Tell whether dollar signs enclose a sentence about money: `$5 and the other costs $3`."""
    odd = formula[0][-2].isspace() + formula.string[formula.end() : formula.end() + 1].isdigit()
    return odd > 0 and count_words(formula[0]) > 2 - odd


def count_words(text: str) -> int:
    """Count the words of a text that are no mathematics."""
    pieces = _PIECE.findall(_ENVIRONMENT.sub("", text) if "\\" in text else text)
    return sum(len(word) > 1 and word[0] != "\\" and word.lower() not in _KEPT for word in pieces)


def _prefix(clause: str) -> str:
    """Return a clause up to its first word that is no mathematics and no known unit."""
    end, depth = _CLAUSE.search(clause), 0
    clause = clause[: end.start()] if end else clause
    stop = len(clause)
    for piece in _PIECE.finditer(clause):
        word = piece[0]
        if len(word) == 1 and not word.isalpha():
            depth += (word in "({[") - (word in ")}]")
            prose = depth < 0 or word == '"'
        else:
            prose = depth <= 0 and word[0] != "\\" and _begins_prose(clause, piece)
        if prose:
            stop = piece.start()
            break
    found = _TRAILING.sub("", clause[:stop])
    number = found.rstrip("!") if "/" not in found else found  # "the answer is 4!" is no factorial
    return _bare(number) if _NUMBER.fullmatch(number) else found


def _begins_prose(clause: str, piece: re.Match[str]) -> bool:
    word, before = piece[0], clause[: piece.start()]
    if word in ("a", "I"):
        return bool(before) and re.match(r"\s+[a-z]{2}", clause[piece.end() : piece.end() + 9]) is not None
    if len(word) == 1:
        return ord(word) > 0x2E7F and dimension(word) is None
    if word.lower() in _KEPT or dimension(word):
        return False
    glued = 0 < len(word) < 4 and before[-1:] not in ("", " ", "\t", "$") and word not in ("st", "nd", "rd", "th")
    return not glued


def _bare(number: str) -> str:
    return number.replace("\\$", "").replace("$", "").strip()


def whole(text: str) -> str | None:
    """Return a text that is nothing but a formula, a word or a choice.

    Example:
        >>> whole("$x = 3$."), whole("**Monday**"), whole("It is 4.") is None
        ('x = 3', 'Monday', True)
    """
    plain = text.strip().strip("*").strip()
    if not plain or len(plain) > _MAX_FORMULA or "\n" in plain:
        return None
    formula = FORMULA.match(plain)
    if formula and not is_prose(formula):
        return joined(plain, formula) if not plain[formula.end() :].strip(" .") else None
    if plain.rstrip(".").isalpha() or (MATHEMATICAL.match(plain) and not count_words(plain)):
        return plain.rstrip(".")
    return None


def last_number(text: str, is_denied: Callable[[str], bool]) -> str | None:
    """Return the last number that is not denied by what stands before it, or the formula that it is part of.

    Example:
        >>> last_number("We have $x = 3/4$ apples.", lambda before: False)
        'x = 3/4'
    """
    numbers = [
        match for match in _NUMBER.finditer(text) if not is_denied(text[max(0, match.start() - 30) : match.start()])
    ]
    if not numbers:
        return None
    last = numbers[-1]
    for formula in FORMULA.finditer(text):
        if formula.start() <= last.start() < formula.end() and formula.end() - formula.start() <= _MAX_FORMULA:
            return _bare(last[0]) if is_prose(formula) else inside(formula)
    return _bare(last[0])
