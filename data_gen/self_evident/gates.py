"""What a constraint read off an output must pass before it may be demanded; each refusal has a reason.

The gates, in order: `soundness` (the rendered sentence, parsed back, is true of the output), `leak` (its arguments say
nothing of the right answer), `demanded` (the request does not ask for it already), `scorer` (it cannot outlaw the form
in which the answer is given), `stability` (it survives edits of blank space).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from data_gen.self_evident.families import (
    WORDING_COUNT,
    Said,
    constraint_of,
    demanded_pattern,
    family,
    parse,
    render,
)
from rewards.constraint import Constraint, Context, Status, checked
from rewards.errors import RaifError
from rewards.response import Response
from rewards.task_answer import CodeAnswer, MathAnswer, TaskAnswer
from rewards.text import fold

GATES = ("soundness", "leak", "demanded", "scorer", "stability")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_TOKEN = re.compile(r"[^\W_]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SHORTEST_PART = 3  # a shorter token is looked up as a whole token only
_TRAILING = re.compile(r"(?<![ \t])[ \t]++$", re.MULTILINE)
_GAP = re.compile(r"\n{3,}")
_CARRIERS = ("a", "A", "中")  # texts of one letter, of which at least one satisfies any demand on letters
_FENCED = "```python\ndef solve(value):\n    return value\n```"
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty",
    "零 一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十",
)
_NUMBER_WORDS = {word: str(number) for words in _COUNTED for number, word in enumerate(words.split())} | {
    "两": "2", "once": "1", "twice": "2", "dozen": "12", "first": "1", "second": "2", "third": "3",
}  # fmt: skip
#: Parts of numbers above twenty: "hundred" is one of an answer of 1200, however it is divided into words.
_LARGE_NUMBER = re.compile(
    r"(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion)s?"
    r"|[零一二两三四五六七八九十百千万亿]*[十百千万亿][零一二两三四五六七八九十百千万亿]*"
)


class Source(NamedTuple):
    """Where a constraint is read from: request, successful output, right answer, language, and what is only shown."""

    request: str
    output: str
    answer: TaskAnswer | None
    language: str
    passage: str = ""

    @property
    def context(self) -> Context:
        """What checkers may know besides the output."""
        return Context(self.request, self.language)


class Judge:
    """Applies the gates to what is read off one output.

    Args:
        source: where the constraints come from.
        demanded: constraints that the request is known to carry, besides what its text says.
    """

    def __init__(self, source: Source, demanded: Sequence[Constraint] = ()) -> None:
        self.source = source
        self.response = Response(None, source.output)
        self.edited = [Response(None, text) for text in _edits(source.output)]
        self.gold = gold_tokens(source.answer)
        self.forms = tuple(_forms(source.answer))
        self.asked = source.request.replace(source.passage, "") if source.passage else source.request
        self.demanded = frozenset(constraint.type for constraint in demanded)
        self.context = source.context

    def refusal(self, said: Said) -> str:
        """Return the name of the gate that refuses a constraint, or "" where none does."""
        try:
            constraint = constraint_of(said)
        except RaifError:  # an argument that no constraint of this type takes
            return "soundness"
        if not self._sound(said, constraint):
            return "soundness"
        if leaks(said, self.gold):
            return "leak"
        if constraint.type in self.demanded or self._asked(said):
            return "demanded"
        if family(said.family).forbids and self._outlaws(constraint):
            return "scorer"
        return "" if all(self._met(constraint, each) for each in self.edited) else "stability"

    def _sound(self, said: Said, constraint: Constraint) -> bool:
        restored = _reads_back(said.family, tuple(said.slots.items()), self.source.language)
        return restored and self._met(constraint, self.response)

    def _met(self, constraint: Constraint, response: Response) -> bool:
        return checked(constraint, response, self.context).status is Status.SATISFIED

    def _asked(self, said: Said) -> bool:
        return demanded_pattern(said.family, tuple(said.slots.items())).search(self.asked) is not None

    def _outlaws(self, constraint: Constraint) -> bool:
        if isinstance(self.source.answer, CodeAnswer):
            return not self._met(constraint, Response(None, _FENCED))
        return any(_outlaws_form(constraint, form) for form in self.forms)


@lru_cache(maxsize=8192)
def _reads_back(name: str, slots: tuple[tuple[str, int | str], ...], language: str) -> bool:
    """Tell whether all wordings of a constraint, parsed back, say what they were rendered from."""
    said = Said(name, dict(slots))
    return all(parse(render(said, language, wording), language) == said for wording in range(WORDING_COUNT))


@lru_cache(maxsize=8192)
def _outlaws_form(constraint: Constraint, form: str) -> bool:
    """Tell whether a constraint is broken by a form of the answer where it holds of the text around it."""
    free = _free_carriers(constraint)
    return not any(_allows(constraint, f"{letter} {form}") for letter in free)


@lru_cache(maxsize=1024)
def _free_carriers(constraint: Constraint) -> tuple[str, ...]:
    return tuple(letter for letter in _CARRIERS if _allows(constraint, letter))


def _allows(constraint: Constraint, text: str) -> bool:
    return checked(constraint, Response(None, text), Context()).status is Status.SATISFIED


def _edits(output: str) -> Iterator[str]:
    """Yield the output with its blank space changed in ways that nobody would notice."""
    lines = output.replace("\r\n", "\n")
    for edited in (output.strip("\n").rstrip(), _TRAILING.sub("", lines), _GAP.sub("\n\n", lines), f"{output}\n"):
        if edited != output:
            yield edited


def _forms(answer: TaskAnswer | None) -> Iterator[str]:
    """Yield the forms in which a right answer may have to be written."""
    if isinstance(answer, MathAnswer):
        yield answer.value
        yield f"\\boxed{{{answer.value}}}"
    elif answer is not None and not isinstance(answer, CodeAnswer):
        yield from answer.values


def gold_tokens(answer: TaskAnswer | None) -> frozenset[str]:
    """Return the tokens of the right answer: folded words, and numbers in digits without thousands commas.

    Example:
        >>> sorted(gold_tokens(MathAnswer(value="\\\\frac{3}{1,200}")))
        ['1200', '3']
    """
    if answer is None or isinstance(answer, CodeAnswer):
        return frozenset()
    values = (answer.value,) if isinstance(answer, MathAnswer) else answer.values
    return frozenset(token for value in values for token in _tokens(value))


def _tokens(value: str) -> Iterator[str]:
    plain = fold(unicodedata.normalize("NFKC", _COMMAND.sub(" ", _THOUSANDS.sub("", value))))
    for token in _TOKEN.findall(plain):
        yield _NUMBER_WORDS.get(token, token)


def leaks(said: Said, gold: frozenset[str]) -> bool:
    """Tell whether an argument of a constraint gives the right answer away.

    Example:
        >>> leaks(Said("exact_sentences", {"count": 4}), gold_tokens(MathAnswer(value="4")))
        True
        >>> leaks(Said("contains", {"word": "four"}), gold_tokens(MathAnswer(value="4.0")))
        True
        >>> leaks(Said("contains", {"word": "hundred"}), gold_tokens(MathAnswer(value="1200")))
        True
    """
    if not gold:
        return False
    values = [str(value) for name, value in said.slots.items() if name not in family(said.family).names]
    tokens = {token for value in values for token in _tokens(value)}
    if tokens & gold or (any(map(str.isdigit, gold)) and any(map(_LARGE_NUMBER.fullmatch, tokens))):
        return True
    parts = [fold(value) for value in values if not value.isdigit()]
    wanted = [token for token in gold if len(token) >= _SHORTEST_PART or not token.isascii()]
    return any(token in part for token in wanted for part in parts)
