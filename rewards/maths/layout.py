"""Mathematical text without its layout: Unicode becomes LaTeX, and what only serves the eye goes.

Everything here takes time linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata

DOLLAR = "¤"  # stands for a dollar sign that means money
_SCRIPTS = {"^": ("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni"), "_": ("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙ", "0123456789+-()n")}
_SCRIPT_RUNS = [(mark, re.compile(f"[{high}]+"), str.maketrans(high, low)) for mark, (high, low) in _SCRIPTS.items()]
_VULGAR = re.compile(r"(\d?)\s*([¼½¾⅐-⅞])")
_SAME_AS = {
    "-": "−–—﹣",
    r" \cdot ": "×⋅·∙∗•",
    " ": "\u00a0\u2002\u2003\u2004\u2005\u3000",
    r"\,": "\u2009\u202f\u2006\u2008\u200a",
    "": "\u200b\u200c\u200d\u2060\u2061\u2062\ufeff\u00ad",
    "'": "′’",
    "/": "÷∕⁄",
    ",": "、；",
    r"^\circ ": "°º˚",
    r"\circ ": "∘",
    r" \le ": "≤≦⩽",
    r" \ge ": "≥≧⩾",
    r" \ne ": "≠",
    r" \approx ": "≈",
    r" \emptyset ": "∅⌀",
    r"\sqrt ": "√",
    r"\sqrt[3] ": "∛",
    r" \infty ": "∞",
    r" \in ": "∈",
    r" \cup ": "∪",
    r" \cap ": "∩",
    r" \setminus ": "∖",
    r" \pm ": "±",
    r" \mp ": "∓",
    r" \mathbb{R} ": "ℝ",
    r" \lfloor ": "⌊",
    r" \rfloor ": "⌋",
    r" \lceil ": "⌈",
    r" \rceil ": "⌉",
    r" \langle ": "⟨",
    r" \rangle ": "⟩",
    r" \phi ": "ϕ",
    r" \epsilon ": "ϵ",
    r" \theta ": "ϑ",
    " and ": "∧和",
    " or ": "∨或",
    "...": "…",
    "e": "ℯ",
}
_TRANSLATION = str.maketrans({mark: latex for latex, marks in _SAME_AS.items() for mark in marks})
_LAYOUT = re.compile(
    r"\\(?:left|right)\s*\.|\\(?:left|right|middle|[Bb]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits"
    r"|bf|rm|it|boldsymbol|bm|mathbf|mathit|mathsf|mathcal|boxed|fbox|ensuremath|nonumber|hline|BOXED|FBOX|LEFT|RIGHT)"
    r"(?![A-Za-z])|\\!"
)
_SPACE = re.compile(r"\\(?:q?quad|thinspace|enspace|space|newline)(?![A-Za-z])|\\[,;:> \n]|~|\\hspace\{[^{}]*\}")
_GROUPED = re.compile(r"(?<=\d)(?:\s*\{\s*,\s*\}\s*|\\[,;: ]|~|,\\!\s*|\\thinspace\s*)(?=\d{3}(?!\d))")
_DELIMITERS = re.compile(r"\\[()\[\]]")
_MONEY = re.compile(r"\$(?=\s*[-+]?\.?\d)")
_OUTWARD = re.compile(r"([\[\]])([^\[\](){}]+[,;][^\[\](){}]+)([\[\]])\Z")
_ESCAPED_TWICE = re.compile(r"\\\\(?=[A-Za-z]{2,})")


def clean(text: str) -> str:
    """Return a text without layout: spacing commands, math delimiters, emphasis, and the punctuation at its end.

    Example:
        >>> clean("$\\\\left(1,\\\\, 2\\\\right)$."), clean("１\\u2009０００"), clean("$12.50")
        ('(1,  2)', '1,000', '¤12.50')
    """
    if not text.isascii():
        text = _without_unicode(text)
    if "\\" in text:
        text = _without_commands(text)
    if ("{" in text and "," in text) or "~" in text:
        text = _GROUPED.sub(",", text).replace("~", " ")
    if "$" in text:
        money = len(_MONEY.findall(text)) == text.count("$")
        text = text.replace("$", DOLLAR if money else "")
    text = text.strip(' \t\r\n*`"“”。,;:?')
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1].rstrip(" *")
    return _OUTWARD.sub(_inward, text) if text[:1] == "]" or text[-1:] == "[" else text


def _without_commands(text: str) -> str:
    if "\\\\" in text:
        if "\\begin" not in text.lower():
            text = _ESCAPED_TWICE.sub(r"\\", text)
        text = text.replace("\\\\", " \\row ")
    text = _GROUPED.sub(",", text.replace("\\$", DOLLAR))
    text = _SPACE.sub(" ", _LAYOUT.sub("", text))
    return _DELIMITERS.sub("", text) if "\\(" in text or "\\[" in text else text


def _inward(match: re.Match[str]) -> str:
    """Rewrite an interval whose open ends are written with brackets that point outwards."""
    return ("(" if match[1] == "]" else "[") + match[2] + (")" if match[3] == "[" else "]")


def _without_unicode(text: str) -> str:
    for mark, runs, plain in _SCRIPT_RUNS:
        text = runs.sub(lambda run, mark=mark, plain=plain: f"{mark}{{{run[0].translate(plain)}}}", text)  # type: ignore[misc]
    text = _VULGAR.sub(_vulgar, text).translate(_TRANSLATION)
    return text if text.isascii() else "".join(map(_plain, unicodedata.normalize("NFKC", text))).replace("\u2044", "/")


def _vulgar(match: re.Match[str]) -> str:
    fraction = unicodedata.normalize("NFKC", match[2]).replace("\u2044", "/")
    return f"{match[1]} {fraction}" if match[1] else f"({fraction})"


def _plain(character: str) -> str:
    """Return the LaTeX name of a Greek letter and the ASCII digit of any other; other characters stay."""
    if character.isascii():
        return character
    if "\u0391" <= character <= "\u03c9":
        *_, kind, _letter, name = ("", *unicodedata.name(character, "- - -").split()[-3:])
        name = "lambda" if name == "LAMDA" else name.lower()
        return f" \\{name if kind == 'SMALL' else name.title()} "
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
