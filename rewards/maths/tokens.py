"""Tokens of mathematical text; LaTeX and plain text share one small alphabet. Linear in the length of the text."""

from __future__ import annotations

import re
from typing import NamedTuple

_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)


class UnreadableError(ValueError):
    """The text is no mathematics that this library reads."""


class Token(NamedTuple):
    """A token. Kinds: `N` number, `L` symbol, `F` function, `C` structure, `T` words, `S` and/or, else its own text."""

    kind: str
    value: str


def _table(pairs: str) -> dict[str, str]:
    words = pairs.split()
    return dict(zip(words[::2], words[1::2], strict=True))


FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch arcsinh arccosh "
    "arctanh asin acos atan asinh acosh atanh ln log lg exp sqrt cbrt abs max min gcd lcm floor ceil ceiling det "
    "Re Im arg sgn".split()
)
GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho varrho "
    "sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega "
    "ell hbar aleph nabla partial odot oplus star dagger angle triangle".split()
)
_STRUCTURE = frozenset(
    "frac binom choose over overline bar hat vec dot ddot tilde widehat underline lfloor rfloor lceil rceil langle "
    "rangle circ pm mp infty pi emptyset cup cap setminus prime row".split()
)
_SAME = _table(
    "dfrac frac tfrac frac cfrac frac sfrac frac nicefrac frac dbinom binom tbinom binom varnothing emptyset "
    "bigcup cup bigcap cap degree circ overrightarrow vec"
)
_OPERATORS = _table(
    r"cdot * times * ast * cdotp * bullet * div / le <= leq <= leqslant <= ge >= geq >= geqslant >= lt < gt > ne != "
    r"neq != approx ~ simeq ~ in in equiv = colon : mid | vert | lvert | rvert | Vert | lVert | rVert | | | lbrace \{ "
    r"rbrace \} { \{ } \} lbrack [ rbrack ] % % _ _ & & backslash \ lor or land and vee or wedge and ldots ... "
    r"dots ... cdots ... imath i R reals"
)
_SPELLED = _table(r"** ^ =< <= ; , == =")
_TEXT = frozenset("text textbf textit textrm textsf texttt mbox mathrm operatorname textnormal textup hbox rm".split())
_JOINERS = frozenset(("and", "or", "&", "as well as", "与"))
_UNITS_BARE = frozenset(
    "mm cm km dm kg mg lb lbs oz ft in yd mi hr hrs sec min ml mL kPa Pa Hz kHz MHz GHz eV keV MeV kJ kW mph kph cal "
    "mol rad deg USD usd nm pm am PM AM mT kV mV mA kN dB atm bar psi rpm day men pts pct cents".split()
)
_WORDS = frozenset("the not yes odd all any one two six ten and sum are for non DNE dne".split())
_CONSTANTS = _table("pi pi infinity infty infty infty inf infty oo infty")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?<![\d.])\d+(?:\.(?!\.)\d*)?(?:[eE][-+]?\d+(?![\w.]))?|\.\d+(?:[eE][-+]?\d+(?![\w.]))?)"
    r"|(?P<letters>[^\W\d_]+)|\\begin\s*\{(?P<begin>[A-Za-z]+)\*?\}|\\end\s*\{(?P<end>[A-Za-z]+)\*?\}"
    r"|\\(?P<command>[A-Za-z]+|[{}|%_&])"
    r"|(?P<operator>\*\*|\+/-|<=|>=|=<|(?<=\s)!=|->|==|\.\.\.|[-+*/^_=<>()\[\]{},;:|!%'&~¤€£¥¢])"
    r"|(?P<other>\S))"
)
_THOUSANDS = re.compile(
    r"(?<!\d,)[1-9]\d{0,2}(?:(?:,\d{3})+(?!\d|,\d)|(?:\s\d{3})+(?!\d|\s\d|/|\s*[,;]))(?:\.\d+)?(?![.\d])"
)
_BETWEEN_DIGITS = re.compile(r"[,\s]")
_NUMERAL = re.compile(r"[-+]?[\d.,/ ]*\d[\d.,/ ]*")
_BLACKBOARD = re.compile(r"\s*\{?\s*([A-Z])\s*\}?")
_MODULES = re.compile(r"\b(?:np|numpy|math|sympy|sp)\.(?=[a-z])")


def tokenize(text: str) -> list[Token]:
    """Split a text, cleaned of its layout, into tokens.

    Raises:
        UnreadableError: at a character or command that no answer has.

    Example:
        >>> [token.value for token in tokenize("\\\\frac12 \\\\text{ cm}, 1,000 or 3x")]
        ['frac', '12', 'cm', ',', '1000', 'or', '3', 'x']
    """
    return _Tokenizer(_MODULES.sub("", text) if "." in text else text).run()


def closing_brace(text: str, begin: int) -> int:
    """Return the place of the brace that closes the one at `begin`, or the length of the text.

    Example:
        >>> closing_brace("{a{b}\\\\}}c", 0)
        7
    """
    depth = 0
    for match in _BRACES.finditer(text, begin):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return len(text)


class _Tokenizer:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place, self.brackets = text, list[Token](), 0, 0

    def run(self) -> list[Token]:
        while self.place < len(self.text) and (match := _TOKEN.match(self.text, self.place)):
            self.place = match.end()
            kind = match.lastgroup or ""
            getattr(self, f"_{kind}")(match[kind], match.start(kind))
        return self.tokens

    def add(self, kind: str, value: str = "") -> None:
        self.tokens.append(Token(kind, value or kind))

    def _number(self, value: str, start: int) -> None:
        grouped = None if self.brackets else _THOUSANDS.match(self.text, start)
        if grouped:
            self.place = grouped.end()
            value = _BETWEEN_DIGITS.sub("", grouped[0])
        self.add("N", value)

    def _letters(self, run: str, start: int) -> None:
        lower, before = run.lower(), self.tokens[-1].kind if self.tokens else ""
        if lower in ("and", "or"):
            self.add("S", lower)
        elif run in FUNCTIONS or (len(run) > 1 and lower in FUNCTIONS):
            self.add("F", lower)
        elif lower in _CONSTANTS:
            self.add("C", _CONSTANTS[lower])
        elif lower in GREEK:
            self.add("L", run)
        elif lower in ("x", "times") and before == "N" and self.text[self.place :].lstrip()[:1].isdigit():
            self.add("*")
        elif lower == "to" and before == "N":
            self.add(":")
        elif len(run) > 3 and self.text[self.place : self.place + 1].isdigit():
            raise UnreadableError(run)  # no name of anything
        elif self._is_word(run, before):
            self.add("T", run)
        else:
            for letter in run:
                self.add("L", letter)

    @staticmethod
    def _is_word(run: str, before: str) -> bool:
        """Tell words and units from products of symbols; what follows a word is a word."""
        if before == "T" and len(run) > 1:
            return True
        return len(run) > 3 or not run.isascii() or run in _WORDS or (run in _UNITS_BARE and before in "N})T%")

    def _begin(self, name: str, start: int) -> None:
        self.add("begin", name.lower())

    def _end(self, name: str, start: int) -> None:
        self.add("end", name.lower())

    def _command(self, name: str, start: int) -> None:
        known = _SAME.get(name) or (name if _is_command(name) else _SAME.get(name.lower(), name.lower()))
        if known in _TEXT:
            self._words(known)
        elif known in _OPERATORS:
            self._operator(_OPERATORS[known], start)
        elif known in FUNCTIONS:
            self.add("F", known)
        elif known in GREEK:
            self.add("L", known)
        elif known in _STRUCTURE:
            self.add("C", known)
        elif known in ("mathbb", "mathds"):
            self._blackboard()
        else:
            raise UnreadableError(f"\\{name}")

    def _blackboard(self) -> None:
        match = _BLACKBOARD.match(self.text, self.place)
        if not match:
            raise UnreadableError("\\mathbb")
        self.place = match.end()
        self.add(*("C", "reals") if match[1] == "R" else ("L", f"mathbb{match[1]}"))

    def _words(self, command: str) -> None:
        """Read the braces of a text command; a function, a constant or a number may stand in them."""
        begin = self.text.find("{", self.place)
        if begin < 0 or self.text[self.place : begin].strip():
            raise UnreadableError(f"\\{command} without braces")
        end = closing_brace(self.text, begin)
        words = " ".join(self.text[begin + 1 : end].replace("~", " ").replace("\\", "").split())
        self.place = end + 1
        if words.lower() in _JOINERS or words == ",":
            self.add("S", "and" if words == "," else words.lower())
        elif words in FUNCTIONS:
            self.add("F", words)
        elif words in ("i", "e", "d") and command != "text":
            self.add("L", words)
        elif _NUMERAL.fullmatch(words):
            self.tokens += tokenize(words)
        elif words:
            self.add("T", words)

    def _operator(self, value: str, start: int) -> None:
        value = _SPELLED.get(value, value)
        if value in ("(", "[", "\\{"):
            self.brackets += 1
        elif value in (")", "]", "\\}"):
            self.brackets = max(0, self.brackets - 1)
        if value in ("%", "€", "£", "¥", "¢"):
            self.add("T", value)
        elif value in ("and", "or"):
            self.add("S", value)
        elif value in ("+/-", "reals"):
            self.add("C", "pm" if value == "+/-" else value)
        else:
            self.add("L" if value == "i" else value, value)

    def _other(self, value: str, start: int) -> None:
        raise UnreadableError(value)


def _is_command(name: str) -> bool:
    return any(name in known for known in (_TEXT, _OPERATORS, FUNCTIONS, GREEK, _STRUCTURE, ("mathbb", "mathds")))
