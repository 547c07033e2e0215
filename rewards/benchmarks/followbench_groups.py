"""FollowBench groups whose levels each add a check: five summaries (mixed) and two answers in paragraphs (format).

A table lists, for a group, what levels 1 to 5 add; an answer passes a level when all checks up to it hold. What the
published rules do beyond the instructions is noted where a check knows about it. Where no stored score tells the two
apart, the official profile checks what the instruction says, with its own reading of words and sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from rewards.benchmarks.followbench_blocks import (
    has_closing,
    has_paragraphs,
    has_points,
    keyword_first,
    no_suffix_ly,
    numbered,
    paragraph_sentences,
    point_lengths,
    point_sentences,
    sentence_length,
)
from rewards.benchmarks.followbench_checks import (
    Group,
    begins_with,
    contains,
    has_length,
    has_sentences,
    in_sentences,
    lacks,
    lacks_stem,
    lowercase,
    marks,
    no_digits,
    sentence_lengths,
    tense,
)
from rewards.benchmarks.followbench_reading import Reading

MIXED_GROUPS: Mapping[str, Mapping[str, Group]] = {
    "en": {
        "cnn_dailymail": (
            has_sentences(3),
            sentence_lengths(14),
            in_sentences("Potter", "actor", "films"),
            lacks("lavish", sentence=2),
            tense("perfect", sentence=3),
        ),
        "xsum": (
            has_sentences(1),
            has_length(at_most=19),
            lacks("Newton Stewart"),
            tense("progressive"),
            contains("operation"),
        ),
        "samsum": (has_sentences(1), has_length(at_most=14), contains("stuff"), lacks_stem("procrast"), marks(1)),
        "gigaword": (has_length(at_least=8, at_most=8), marks(0), lowercase(), lacks("bus"), contains("in")),
        "arxiv": (
            has_sentences(1),
            has_length(at_most=20),
            begins_with("We"),
            contains("activations"),
            lacks("transformer"),
        ),
    },
    "zh": {
        "cnn_dailymail": (
            has_sentences(3),
            sentence_lengths(15),
            in_sentences("波特", "演员", "电影"),
            lacks("奢侈", sentence=2),
            tense("perfect", sentence=3),
        ),
        "xsum": (
            has_sentences(1),
            has_length(at_most=20),
            lacks("牛顿斯图尔特"),
            tense("progressive"),
            contains("操作"),
        ),
        "samsum": (has_sentences(1), has_length(at_most=15), contains("琐碎的"), lacks("拖沓的"), marks(1)),
        "gigaword": (has_length(at_least=8, at_most=8), marks(0), no_digits(), lacks("公交车"), lacks("在")),
        "arxiv": (
            has_sentences(1),
            has_length(at_most=20),
            begins_with("我们"),
            contains("激活"),
            lacks("transformer"),
        ),
    },
}

FORMAT_GROUPS: Mapping[str, Mapping[int, Group]] = {
    "en": {
        22: (has_paragraphs(3), paragraph_sentences(2), sentence_length(21), numbered(), has_closing()),
        30: (has_points(5), point_sentences(1), point_lengths(10, 15), no_suffix_ly(), keyword_first()),
    },
    "zh": {  # level 4 says "fewer than three" where level 2 said "no more than three"
        22: (has_paragraphs(3), paragraph_sentences(3), sentence_length(20), numbered(most=2), has_closing()),
    },
}


def follows(group: Group, level: int, language: str, answer: str, official: bool) -> tuple[bool, str]:
    """Return whether an answer passes a level of a group, and the first check that fails.

    Example:
        >>> follows(MIXED_GROUPS["en"]["gigaword"], 3, "en", "a bomb on a bus kills two People", False)
        (False, 'not in lower case')
    """
    reading = Reading(answer, language, official, level)
    for check in group[:level]:
        holds, evidence = check(reading)
        if not holds:
            return False, evidence
    return True, f"all of {level} checks hold"
