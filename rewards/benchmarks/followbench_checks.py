"""The checks of FollowBench's summaries: number and length of sentences, keywords, marks, letters and tenses.

Each function returns a check: what it finds in a reading of an answer, a verdict with its evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from rewards.benchmarks.followbench_reading import Reading
from rewards.benchmarks.followbench_tenses import has_tense
from rewards.text import fold

Finding = tuple[bool, str]
Check = Callable[[Reading], Finding]
Group = tuple[Check, ...]  # what levels 1 to 5 add
UNITS = {"en": "words", "zh": "characters"}


def counted(number: int, least: int, most: int, unit: str) -> Finding:
    """Return whether a number lies between two bounds, both included."""
    wanted = f"{least}" if least == most else f"{least} to {most}" if least else f"at most {most}"
    return least <= number <= most, f"{number} {unit}, {wanted} asked for"


def has_sentences(number: int) -> Check:
    """Return the check of the number of sentences."""
    return lambda reading: counted(len(reading.sentences), number, number, "sentences")


def has_length(*, at_least: int = 0, at_most: int) -> Check:
    """Return the check of the length of the answer, in words or Chinese characters."""

    def check(reading: Reading) -> Finding:
        return counted(reading.length(reading.answer), at_least, at_most, UNITS[reading.language])

    return check


def sentence_lengths(most: int) -> Check:
    """Return the check of the length of every sentence, in words or Chinese characters."""

    def check(reading: Reading) -> Finding:
        longest = max(map(reading.length, reading.sentences), default=0)
        return counted(longest, 0, most, f"{UNITS[reading.language]} in the longest sentence")

    return check


def in_sentences(*keywords: str) -> Check:
    """Return the check that the first sentence says the first keyword, the second the second, and so on."""
    checks = [contains(keyword, sentence=place) for place, keyword in enumerate(keywords, start=1)]

    def check(reading: Reading) -> Finding:
        findings = [each(reading) for each in checks]
        return next((one for one in findings if not one[0]), findings[-1])

    return check


def contains(keyword: str, *, sentence: int | None = None) -> Check:
    """Return the check that the answer, or its sentence of a number, says a keyword."""

    def check(reading: Reading) -> Finding:
        said = reading.says(_part(reading, sentence), keyword)
        return said, _about(keyword, said, sentence)

    return check


def lacks(keyword: str, *, sentence: int | None = None) -> Check:
    """Return the check that the answer, or its sentence of a number, does not say a keyword."""
    said = contains(keyword, sentence=sentence)

    def check(reading: Reading) -> Finding:
        found, evidence = said(reading)
        return not found, evidence

    return check


def lacks_stem(stem: str) -> Check:
    """Return the check that no word has a stem in it."""

    def check(reading: Reading) -> Finding:
        # Strict: a capital letter makes no other word.
        said = stem in (reading.answer if reading.official else fold(reading.answer))
        return not said, _about(stem, said, None)

    return check


def begins_with(keyword: str) -> Check:
    """Return the check of the first word."""

    def check(reading: Reading) -> Finding:
        begins = reading.begins_with(keyword)
        return begins, f"{'begins' if begins else 'does not begin'} with {keyword!r}"

    return check


def marks(number: int) -> Check:
    """Return the check of the number of punctuation marks."""
    return lambda reading: counted(len(reading.marks), number, number, "punctuation marks")


def lowercase() -> Check:
    """Return the check that no letter is a capital."""

    def check(reading: Reading) -> Finding:
        lower = reading.answer == reading.answer.lower()
        return lower, f"{'' if lower else 'not '}in lower case"

    return check


def no_digits() -> Check:
    """Return the check that no Arabic digit is used."""

    def check(reading: Reading) -> Finding:
        digit = next(filter(str.isdecimal, reading.answer), None)
        return digit is None, "no digits" if digit is None else f"has the digit {digit}"

    return check


def tense(name: str, *, sentence: int | None = None) -> Check:
    """Return the check that the answer, or its sentence of a number, has a present tense: perfect or progressive."""

    def check(reading: Reading) -> Finding:
        used = has_tense(_part(reading, sentence), name, reading.language)
        return used, f"{'a' if used else 'no'} present {name}{_place(sentence)}"

    return check


def _part(reading: Reading, sentence: int | None) -> str:
    if sentence is None:
        return reading.answer
    return reading.sentences[sentence - 1] if sentence <= len(reading.sentences) else ""


def _about(keyword: str, said: bool, sentence: int | None) -> str:
    return f"{'says' if said else 'does not say'} {keyword!r}{_place(sentence)}"


def _place(sentence: int | None) -> str:
    return "" if sentence is None else f" in sentence {sentence}"
