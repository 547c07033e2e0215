"""The checks of FollowBench's two answers in paragraphs: an advice in three of them, and a speech with five points.

Each function returns a check, as in `followbench_checks`.
"""

from __future__ import annotations

import re

from rewards.benchmarks.followbench_checks import UNITS, Check, Finding, counted
from rewards.benchmarks.followbench_reading import Reading, number_of, unmarked

_CLOSING = {"en": "Those are suggestions", "zh": "这些是建议"}
_LAST_LEVEL = 5  # the only one that asks for the closing words
_ENDINGS = r"[\s.!。！\"'”’」*_]*\Z"
_PUBLISHED_SUFFIX = re.compile("-ly")
_SUFFIX = re.compile(r"(?<![^\W_])[^\W_]*ly(?![^\W_])", re.IGNORECASE)
_AT_END = {key: re.compile(r"[\"'“‘「*_]{0,4}" + re.escape(said) + _ENDINGS) for key, said in _CLOSING.items()}


def has_paragraphs(number: int) -> Check:
    """Return the check of the number of paragraphs, closing words apart."""
    return lambda reading: counted(len(_blocks(reading)), number, number, "paragraphs besides any closing words")


def paragraph_sentences(most: int) -> Check:
    """Return the check that no paragraph has more sentences than a number."""

    def check(reading: Reading) -> Finding:
        longest = max((len(one) for one in _sentences(reading)), default=0)
        return counted(longest, 0, most, "sentences in the longest paragraph")

    return check


def sentence_length(least: int) -> Check:
    """Return the check that no sentence is shorter than a number of words or Chinese characters."""

    def check(reading: Reading) -> Finding:
        shortest = min((reading.length(each) for one in _sentences(reading) for each in one), default=0)
        return shortest >= least, f"{shortest} {UNITS[reading.language]} in the shortest sentence, {least} asked for"

    return check


def numbered(*, most: int | None = None) -> Check:
    """Return the check that the paragraphs are numbered 1, 2, 3, and have at most so many sentences, if given."""

    def check(reading: Reading) -> Finding:
        numbers = [number_of(block) for block in _blocks(reading)]
        if numbers != list(range(1, len(numbers) + 1)):
            return False, "the paragraphs are not numbered 1, 2, 3"
        return paragraph_sentences(most)(reading) if most else (True, "the paragraphs are numbered")

    return check


def has_closing() -> Check:
    """Return the check of the closing words."""

    def check(reading: Reading) -> Finding:
        said = _CLOSING[reading.language]
        # Strict: the words stand at the very end, quotes and a full stop apart.
        last = reading.paragraphs[-1] if reading.paragraphs else ""
        closes = said in last if reading.official else _AT_END[reading.language].search(reading.answer) is not None
        return closes, f"{'ends' if closes else 'does not end'} with {said!r}"

    return check


def has_points(number: int) -> Check:
    """Return the check of the number of points that open with a marker."""
    return lambda reading: counted(len(reading.points), number, number, "points marked with **")


def point_sentences(most: int) -> Check:
    """Return the check that no point has more sentences than a number."""

    def check(reading: Reading) -> Finding:
        longest = max((len(one) for one in _said(reading)), default=0)
        # Official: the stored scores let a point have one sentence more than the instruction.
        return counted(longest, 0, most + int(reading.official), "sentences in the longest point")

    return check


def point_lengths(least: int, most: int) -> Check:
    """Return the check of the length of every sentence in the points, in words."""

    def check(reading: Reading) -> Finding:
        lengths = [reading.length(each) for one in _said(reading) for each in one]
        wrong = next((length for length in lengths if not least <= length <= most), None)
        if wrong is not None:
            return False, f"a sentence of {wrong} words, {least} to {most} asked for"
        return True, f"sentences of {least} to {most} words"

    return check


def no_suffix_ly() -> Check:
    """Return the check that no word ends in "ly", by spelling alone."""

    def check(reading: Reading) -> Finding:
        # Strict: words that end in ly; the published rule looks for the characters "-ly", which no word ends in.
        match = (_PUBLISHED_SUFFIX if reading.official else _SUFFIX).search(reading.answer)
        return match is None, f"has {match[0]!r}" if match else "no word in -ly"

    return check


def keyword_first() -> Check:
    """Return the check that every point gives its keyword between the markers and then details."""

    def check(reading: Reading) -> Finding:
        bare = next((point.keyword for point in reading.points if not point.said or not point.keyword), None)
        return bare is None, "keywords with details" if bare is None else f"no details about {bare[:40]!r}"

    return check


def _blocks(reading: Reading) -> list[str]:
    """Return the paragraphs without the closing words of the last level."""
    if reading.level < _LAST_LEVEL:
        return reading.paragraphs
    if reading.official:  # wants four paragraphs at this level, the closing words being the last
        return reading.paragraphs[:-1]
    # Strict: three paragraphs, as the instruction says; the closing words may end the third or stand below it.
    return reading.closed(_AT_END[reading.language]).paragraphs


def _sentences(reading: Reading) -> list[list[str]]:
    return [reading.sentences_of(unmarked(block)) for block in _blocks(reading)]


def _said(reading: Reading) -> list[list[str]]:
    return [reading.sentences_of(point.said or unmarked(point.keyword)) for point in reading.points]
