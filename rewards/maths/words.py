"""Answers in words: names, choices, yes and no, and words that stand for mathematics."""

from __future__ import annotations

import re

from rewards.maths.tokens import FUNCTIONS, GREEK

_WRAPPER = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|up|normal)?|mbox|mathrm|mathbf|operatorname|hbox|emph)\s*(?=\{)")
_PURE = re.compile(r"[^\W\d_][^\W\d_ .'’-]*(?:[ '’.-]+[^\W\d_]+)*[.)]?")
_PROSE = re.compile(r"[^\W\d_]{2,}[^\d\\^_+*/=<>{}|!]*|[^\W\d_]{4,}!|\([^\W\d_]\)[.:]?")
_SHORT = frozenset("yes no odd one two six ten dne all any red".split())
_CHOICE = re.compile(r"\(?([A-J])\)?[.:)]?")
_LOWER_CHOICE = re.compile("([a-j])")
_LEADING_CHOICE = re.compile(r"(?:\(([A-J])\)|([A-J])[.:)])\s*(.*)", re.DOTALL | re.IGNORECASE)
_FURTHER_CHOICE = re.compile(r"(?<![A-Za-z])\(?[A-J][.:)]", re.IGNORECASE)
_CHOICES = re.compile(r"[A-J](?:[\s,&]*(?:and\s)?[A-J])+")
_ARTICLE = re.compile(r"(?:the|an?|option|choice|answer|opt|选项?)\s+(?=\w)", re.IGNORECASE)
_SPLIT = re.compile(r"[ .'’-]+")
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_PHRASES = {
    "\\infty": "infinity,positive infinity,plus infinity,infinite",
    "-\\infty": "negative infinity,minus infinity",
    "\\mathbb{R}": "all real numbers,all reals,real numbers,set of all real numbers,reals",
    "\\emptyset": "no solution,no solutions,no real solution,no real solutions,none,empty set",
    "\\text{undefined}": "does not exist,dne,undefined,not defined",
    "100": "hundred,one hundred",
    "1000": "one thousand",
    "1/2": "one half,one-half,half",
    "1/3": "one third,one-third",
    "1/4": "one fourth,one-fourth,one quarter",
    "2/3": "two thirds,two-thirds",
    "3/4": "three fourths,three-fourths,three quarters",
}
_MEANING = {phrase: mathematics for mathematics, phrases in _PHRASES.items() for phrase in phrases.split(",")}
_MEANING |= {word: str(value) for value, word in enumerate(_ONES)}
_MEANING |= {word: str(10 * value) for value, word in enumerate(_TENS, 2)}
_MEANING |= {f"{t}-{_ONES[one]}": str(10 * ten + one) for ten, t in enumerate(_TENS, 2) for one in range(1, 10)}


def unwrapped(text: str) -> str:
    """Return a text without the commands and braces of LaTeX text, and without an article.

    Example:
        >>> unwrapped("\\\\textbf{(B)}"), unwrapped("\\\\text{the  ellipse}")
        ('(B)', 'ellipse')
    """
    plain = _WRAPPER.sub("", text).replace("{", "").replace("}", "") if "\\" in text or "{" in text else text
    return _ARTICLE.sub("", " ".join(plain.replace("~", " ").split()).strip("\"“”'`*"), count=1)


def is_words(text: str, plain: str) -> bool:
    """Tell whether an answer is words: not `xy`, not `sin x`, but `Evelyn` and `\\\\text{even}`.

    Example:
        >>> is_words("xy", "xy"), is_words("\\\\text{even}", "even"), is_words("Evelyn", "Evelyn")
        (False, True, True)
    """
    if not _PURE.fullmatch(plain):
        return False
    if text != plain and _WRAPPER.match(text):
        return True
    words = [word for word in _SPLIT.split(plain) if word not in FUNCTIONS and word not in GREEK]
    return any(len(word) > 3 or word.lower() in _SHORT or not word.isascii() for word in words)


def meaning(plain: str) -> str | None:
    """Return the mathematics that words stand for.

    Example:
        >>> meaning("minus twenty-one"), meaning("No solution"), meaning("Evelyn")
        ('-21', '\\\\emptyset', None)
    """
    low = plain.lower().rstrip(".")
    sign, _, rest = low.partition(" ")
    if sign in ("minus", "negative") and rest in _MEANING:
        return f"-{_MEANING[rest]}"
    return _MEANING.get(low)


def equal_words(gold: str, candidate: str) -> bool | None:
    """Compare answers in words or choices; None where the gold answer is mathematics.

    Example:
        >>> equal_words("\\\\text{(B)}", "B. The second"), equal_words("\\\\text{even}", "odd"), equal_words("x", "y")
        (True, False, None)
    """
    left, right = unwrapped(gold), unwrapped(candidate)
    folded = _folded(left)
    if right and folded == _folded(right):
        return True
    choice = _CHOICE.fullmatch(left) or (_LEADING_CHOICE.fullmatch(left) if left[:1] == "(" or gold != left else None)
    if choice:
        picked = _picked(right)
        if picked:
            letter: str = choice[1] or choice[2]
            return picked == letter.upper()
        return None if left.isalpha() and gold == left else False
    if _CHOICES.fullmatch(left) and _CHOICES.fullmatch(right):
        return set(re.findall("[A-J]", left)) == set(re.findall("[A-J]", right))
    if not is_words(gold, left) or meaning(left) is not None:
        return None
    return folded in ("yes", "no", "true", "false") and _folded(right.partition(",")[0]) == folded


def _picked(plain: str) -> str:
    """Return the one choice that an answer names, or nothing."""
    choice = _CHOICE.fullmatch(plain) or _LOWER_CHOICE.fullmatch(plain)
    if choice:
        return choice[1].upper()
    leading = _LEADING_CHOICE.fullmatch(plain)
    further = leading is None or _FURTHER_CHOICE.search(leading[3])
    return "" if leading is None or further else (leading[1] or leading[2]).upper()


def _folded(plain: str) -> str:
    """Return words without case and punctuation; mathematics stays: 4! is not 4, and \\\\Pi is not \\\\pi."""
    if not _PROSE.fullmatch(plain):
        return plain
    return plain.casefold().replace("’", "'").strip(" .,;:!?()") or plain
