"""What ComplexBench's rules look for in one span of an answer; each says whether it is there and what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewards.benchmarks.complexbench_text import PUNCTUATION, balanced_object, first_object

Finding = tuple[bool, str]  # whether it is there, and the evidence
_SHOWN = 20  # characters of a span that an evidence quotes


class Argument(NamedTuple):
    """What a rule names: its texts (words, marks, keys, or the one text) and its bounds, both inclusive."""

    texts: tuple[str, ...] = ()
    low: int = 0
    high: int = 0


def within(count: int, argument: Argument, what: str) -> Finding:
    """Compare a count with the bounds.

    Example:
        >>> within(243, Argument(low=300, high=10000), "characters")
        (False, 'found 243 characters, wanted 300 to 10000')
    """
    evidence = f"found {count} {what}, wanted {argument.low} to {argument.high}"
    return argument.low <= count <= argument.high, evidence


def all_words(span: str, argument: Argument) -> Finding:
    """Look for every word."""
    missing = [word for word in argument.texts if word not in span]
    return not missing, f"missing {_listed(missing)}" if missing else f"found {_listed(argument.texts)}"


def any_word(span: str, argument: Argument) -> Finding:
    """Look for at least one of the words."""
    found = [word for word in argument.texts if word in span]
    return bool(found), f"found {_listed(found)}" if found else f"found none of {_listed(argument.texts)}"


def word_count(span: str, argument: Argument) -> Finding:
    """Count how many of the words appear."""
    return within(sum(word in span for word in argument.texts), argument, f"of {len(argument.texts)} words")


def beginning(span: str, argument: Argument) -> Finding:
    """Look for the text at the beginning."""
    return span.startswith(argument.texts[0]), f"begins {span[:_SHOWN]!r}, the rule names {argument.texts[0]!r}"


def ending(span: str, argument: Argument) -> Finding:
    """Look for the text at the end, a full stop or question mark after it allowed."""
    ends = tuple(argument.texts[0] + mark for mark in ("", "。", "？"))
    return span.endswith(ends), f"ends {span[-_SHOWN:]!r}, the rule names {argument.texts[0]!r}"


def same(span: str, argument: Argument) -> Finding:
    """Compare the whole span with the text, a full stop after it allowed."""
    text = argument.texts[0]
    return span in (text, text + "。"), f"found {span[:_SHOWN]!r}, wanted {text!r}"


def characters(span: str, argument: Argument) -> Finding:
    """Count characters."""
    return within(len(span), argument, "characters")


def words(span: str, argument: Argument) -> Finding:
    """Count words between blanks."""
    return within(len(span.split()), argument, "words")


def only_marks(span: str, argument: Argument) -> Finding:
    """Look whether all punctuation is among the marks."""
    others = sorted(PUNCTUATION.intersection(span).difference(argument.texts))
    return not others, f"found {_listed(others)}" if others else f"no mark but {_listed(argument.texts)}"


def object_keys(span: str, argument: Argument) -> Finding:
    """Read the first JSON object and compare its keys; no keys named means any object."""
    return _keys(first_object(span), argument)


def balanced_object_keys(span: str, argument: Argument) -> Finding:
    """Read the first block of balanced braces and compare its keys; no keys named means any object."""
    return _keys(balanced_object(span), argument)


def span_count(spans: Sequence[str], argument: Argument) -> Finding:
    """Count the spans."""
    return within(len(spans), argument, "spans")


def prefixes(spans: Sequence[str], argument: Argument) -> Finding:
    """Pair spans and texts in order: as many of one as of the other, and every span begins with its text."""
    right = sum(span.startswith(text) for span, text in zip(spans, argument.texts, strict=False))
    evidence = f"{right} of {len(spans)} spans begin with their text, wanted {len(argument.texts)}"
    return right == len(argument.texts) == len(spans), evidence


def _keys(found: dict[str, object] | None, argument: Argument) -> Finding:
    if found is None:
        return False, "no JSON object"
    right = not argument.texts or found.keys() == set(argument.texts)
    return right, f"keys {_listed(list(found))}, wanted {_listed(argument.texts) if argument.texts else 'any'}"


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(repr(text[:_SHOWN]) for text in texts[:5])
    return f"{shown} and {len(texts) - 5} more" if len(texts) > 5 else shown or "nothing"
