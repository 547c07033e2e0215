"""The names of ComplexBench's rules, what each looks for and where, and the reading of a rule's text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from rewards.benchmarks import complexbench_findings as find
from rewards.benchmarks.complexbench_findings import Argument, Finding
from rewards.benchmarks.complexbench_text import mapped
from rewards.errors import RaifError, unknown_name

Shape = Literal["text", "words", "marks", "range", "range and words", "keys"]


class SpanRule(NamedTuple):
    """A rule on one span: how its argument reads, what is looked for, and whether it must be absent."""

    shape: Shape
    find: Callable[[str, Argument], Finding]
    negative: bool = False


class ListRule(NamedTuple):
    """A rule on the list of spans: how its argument reads and what is looked for."""

    shape: Shape
    find: Callable[[Sequence[str], Argument], Finding]


SPAN_RULES = {
    # one span, with and without the quotes around it
    "keyword": SpanRule("words", find.all_words),
    "forbidden_word": SpanRule("words", find.any_word, negative=True),
    "startswith": SpanRule("text", find.beginning),
    "endswith": SpanRule("text", find.ending),
    "not endswith": SpanRule("text", find.ending, negative=True),
    "match": SpanRule("text", find.same),
    "length": SpanRule("range", find.characters),
    "length_word": SpanRule("range", find.words),
    "Json": SpanRule("keys", find.object_keys),
    "constraint_punc": SpanRule("marks", find.only_marks),
    # the first span
    "model_keyword": SpanRule("words", find.all_words),
    "model_keyword_num": SpanRule("range and words", find.word_count),
    "model_forbidden_word": SpanRule("words", find.any_word, negative=True),
    "model_startswith": SpanRule("text", find.beginning),
    "model_not_startswith": SpanRule("text", find.beginning, negative=True),
    "model_endswith": SpanRule("text", find.ending),
    "model_not_endswith": SpanRule("text", find.ending, negative=True),
    "model_length": SpanRule("range", find.characters),
    "model_length_word": SpanRule("range", find.words),
    "model_constraint_punc": SpanRule("marks", find.only_marks),
    # every span
    "model_keyword_each": SpanRule("words", find.all_words),
    "model_keyword_num_each": SpanRule("range and words", find.word_count),
    "model_forbidden_word_each": SpanRule("words", find.any_word, negative=True),
    "model_startswith_each": SpanRule("text", find.beginning),
    "model_endswith_each": SpanRule("text", find.ending),
    "model_not_endswith_each": SpanRule("text", find.ending, negative=True),
    "model_length_each": SpanRule("range", find.characters),
    "model_length_word_each": SpanRule("range", find.words),
    "model_constraint_punc_each": SpanRule("marks", find.only_marks),
}
LIST_RULES = {
    "model_number_each": ListRule("range", find.span_count),
    "model_starts_with_list_each": ListRule("words", find.prefixes),
}
KNOWN = (*SPAN_RULES, *LIST_RULES)


class Line(NamedTuple):
    """One line of a rule: a known name and its argument as written."""

    name: str
    argument: Argument

    @property
    def negative(self) -> bool:
        """Whether what the line names must be absent, so that an answer without a span satisfies it."""
        return self.name in SPAN_RULES and SPAN_RULES[self.name].negative

    @property
    def each(self) -> bool:
        """Whether every span is looked at, not the first alone."""
        return self.name.endswith("_each")

    @property
    def model(self) -> bool:
        """Whether the rule is one of the `model_` family."""
        return self.name.startswith("model_")

    @property
    def quotes(self) -> bool:
        """Whether a span is also tried without the quotes around it."""
        return not self.model or "constraint_punc" in self.name

    @property
    def mapped(self) -> Argument:
        """The argument with its marks mapped."""
        return self.argument._replace(texts=tuple(map(mapped, self.argument.texts)))


def read_line(text: str) -> Line:
    """Read one line `name:argument`; RaifError for an unknown name or an unreadable argument."""
    name, _, argument = text.partition(":")
    if name not in KNOWN:
        raise unknown_name("ComplexBench rule", name, KNOWN, f"The rule reads {text!r}.")
    return Line(name, read_argument(name, argument))


def read_argument(name: str, text: str) -> Argument:
    """Read the argument of a known rule: a text, or a list in square brackets, split on commas.

    Example:
        >>> read_argument("model_keyword_num", "[1,2,春,夏]")
        Argument(texts=('春', '夏'), low=1, high=2)
    """
    shape = (SPAN_RULES | LIST_RULES)[name].shape
    if shape == "text":
        if not text:
            raise _unreadable(name, text, "a text after the colon")
        return Argument((text,))
    if len(text) < 2 or text[0] + text[-1] != "[]":
        raise _unreadable(name, text, "a list in square brackets")
    items = [item.strip() for item in text[1:-1].split(",")]
    if shape == "keys":
        return Argument(tuple(key for item in items if (key := item.strip("\"'"))))
    if shape == "marks":
        marks = [item or "," for item in items]  # an empty place among marks is the comma itself
        return Argument(tuple(dict.fromkeys(marks)))
    return _numbers_and_words(name, text, shape, items)


def _numbers_and_words(name: str, text: str, shape: Shape, items: list[str]) -> Argument:
    low = high = 0
    if shape != "words":
        try:
            low, high = int(items[0]), int(items[1])
        except (ValueError, IndexError):
            raise _unreadable(name, text, "two whole numbers at the head of the list") from None
        items = items[2:]
    words = tuple(item for item in items if item)
    if low > high or bool(words) == (shape == "range"):
        wanted = "[low,high] with low <= high" if shape == "range" else "a list with at least one word, low <= high"
        raise _unreadable(name, text, wanted)
    return Argument(words, low, high)


def _unreadable(name: str, text: str, wanted: str) -> RaifError:
    return RaifError(
        f"unreadable argument {text!r} of the ComplexBench rule {name!r}; expected {wanted}. "
        f"Known rules: {', '.join(sorted(KNOWN))}. Correct the rule in the item file."
    )
