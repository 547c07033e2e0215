"""What in a text is notation and not said: LaTeX commands, formulas, code, comments, characters that nobody sees.

A backslash does not hide a word: only commands that LaTeX knows are notation. Backticks and dollar signs do not hide
sentences: what reads as prose inside them is prose.
"""

from __future__ import annotations

import re

_COMMANDS = frozenset(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho
    sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    frac dfrac tfrac cfrac sqrt root sum prod int iint iiint oint lim limsup liminf inf sup max min arg argmax argmin
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp det dim ker deg gcd lcm mod bmod pmod Pr
    times cdot div pm mp ast star circ bullet oplus otimes wedge vee cap cup setminus bigcap bigcup bigoplus bigotimes
    leq le geq ge neq ne equiv approx sim simeq cong propto ll gg in notin ni subset subseteq supset supseteq emptyset
    varnothing forall exists nexists neg land lor implies iff to gets mapsto rightarrow leftarrow Rightarrow Leftarrow
    leftrightarrow Leftrightarrow longrightarrow Longrightarrow uparrow downarrow nearrow searrow hookrightarrow
    infty partial nabla hbar ell Re Im aleph angle triangle square perp parallel mid nmid prime dagger ddagger degree
    dots ldots cdots vdots ddots quad qquad hspace vspace space enspace thinspace newline linebreak noindent smallskip
    medskip bigskip left right big Big bigg Bigg bigl bigr Bigl Bigr langle rangle lfloor rfloor lceil rceil lvert rvert
    lVert rVert vert Vert hat widehat bar overline underline tilde widetilde vec dot ddot breve check acute grave
    overrightarrow overleftarrow overbrace underbrace overset underset stackrel boxed fbox mbox text textbf textit
    textrm texttt textsf textsc emph underline mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak mathscr
    boldsymbol bm
    operatorname displaystyle textstyle scriptstyle limits nolimits binom dbinom tbinom choose pmatrix bmatrix begin end
    item itemize enumerate section subsection subsubsection chapter paragraph title author date label ref eqref cite
    caption includegraphics usepackage documentclass newcommand renewcommand tag nonumber hline cline multicolumn
    cancel xcancel bcancel phantom color textcolor colorbox href url footnote not therefore because qed blacksquare
    BOXED FRAC SQRT TEXT TIMES CDOT LEFT RIGHT PI THETA ALPHA BETA SUM INT LN LOG SIN COS TAN LEQ GEQ NEQ
    """.split()
)
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|[,;:! ])")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]|\r(?=\n)")
# Display mathematics ends at the next `\[` too, and `\\[2pt]` opens none: so that no text takes quadratic time.
MATH = re.compile(
    r"\$\$.+?\$\$|\$[^$\n]+\$|\\(?<!\\\\)\[(?:\\\\|(?!\\[\[\]]).)++\\\]|\\(?<!\\\\)\((?:\\\\|(?!\\[()]).)++\\\)",
    re.DOTALL,
)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_MARKS = re.compile(r"[`$]|\\[A-Za-z]+\{?|[{}]|\\[()\[\]]")
_FENCE = re.compile(r"\A```[^\n]*\n?|```\Z")
_SYMBOLS = re.compile(r"[=(){}\[\];<>_/\\|&%#@^~+*\d]")
_PLAIN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MIN_WORDS, _MAX_SYMBOLS = 5, 0.03
_MIN_LENGTH = 2 * _MIN_WORDS + 1  # with the marks around them


def visible(text: str) -> str:
    """Return a text without zero-width spaces, soft hyphens, byte-order marks, and carriage returns at line ends.

    Example:
        >>> visible("c\\u200bat\\r\\n")
        'cat\\n'
    """
    found = "\r" in text if text.isascii() else any(map(text.__contains__, "\r\u200b\u2060\ufeff\u00ad"))
    return _INVISIBLE.sub("", text) if found else text


def without_commands(text: str) -> str:
    """Return a text without LaTeX commands and HTML comments; what commands enclose stays.

    Example:
        >>> without_commands(r"Tom has \\boxed{7} \\apples.")
        'Tom has  {7} \\\\apples.'
    """
    if "<" in text:
        text = _COMMENT.sub(" ", text)
    return _COMMAND.sub(_known, text) if "\\" in text else text


def _known(match: re.Match[str]) -> str:
    name = match[1]
    return " " if name is None or name in _COMMANDS or name.lower() in _COMMANDS else match[0]


def without_notation(text: str) -> str:
    """Return the prose of a text: no code, no formulas, no commands, no comments.

    Example:
        >>> without_notation("Use `x = 1`, not $y$. `Do not hide a whole sentence here.`").split()
        ['Use', ',', 'not', '.', 'Do', 'not', 'hide', 'a', 'whole', 'sentence', 'here.']
    """
    if "`" in text:
        text = CODE.sub(_prose_inside, text)
    if "$" in text or "\\" in text:
        text = MATH.sub(_prose_inside, text)
    return without_commands(text)


def _prose_inside(match: re.Match[str]) -> str:
    """Return what reads as prose inside code or formula marks, or a blank."""
    if len(match[0]) < _MIN_LENGTH and match[0].isascii():
        return " "
    marks = _FENCE if match[0].startswith("```") else _MARKS
    inside = marks.sub(" ", match[0])
    if len(_SYMBOLS.findall(inside)) > _MAX_SYMBOLS * len(inside):
        return " "
    words = len(_PLAIN.findall(inside)) + len(_HAN.findall(inside))
    return f" {inside.strip()} " if words >= _MIN_WORDS else " "
