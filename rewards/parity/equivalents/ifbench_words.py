"""IFBench's ids about counts, ratios, words and sentences, as strict constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import ascii_lowercase
from typing import Any

Arguments = Mapping[str, Any]
Found = Mapping[str, Any]
Translation = Callable[[Arguments], Found | list[Found]]


def counted(name: str, argument: str, source: str) -> Translation:
    """Return the translation into a type that takes one number."""
    return lambda kwargs: {"type": name, argument: int(kwargs[source])}


def plain(name: str, **arguments: Any) -> Translation:
    """Return the translation of an id without arguments."""
    return lambda kwargs: {"type": name, **arguments}


def word_range(kwargs: Arguments) -> Found:
    """Translate a range of words."""
    return {"type": "length:words_range", "low": int(kwargs["min_words"]), "high": int(kwargs["max_words"])}


def overlap(kwargs: Arguments) -> Found:
    """Translate the overlap of trigrams, which the prompt leaves to be words."""
    return {"type": "ratio:overlap", "reference": kwargs["reference_text"], "percent": float(kwargs["percentage"])}


def japanese(kwargs: Arguments) -> Found:
    """Translate every N-th word in Japanese."""
    return {"type": "words:script_every_nth", "every": int(kwargs["N"]), "script": "japanese"}


def three_vowels(kwargs: Arguments) -> list[Found]:
    """Translate one paragraph with at most three kinds of vowels."""
    return [{"type": "letters:max_distinct_vowels", "count": 3}, {"type": "length:lines", "count": 1}]


EQUIVALENTS: dict[str, Translation] = {
    "count:word_count_range": word_range,
    "count:unique_word_count": counted("length:min_unique_words", "count", "N"),
    "count:conjunctions": counted("counting:conjunctions", "count", "small_n"),
    "count:person_names": counted("counting:person_names", "count", "N"),
    "count:numbers": counted("counting:numbers", "count", "N"),
    "count:punctuation": plain("counting:marks_all"),
    "count:pronouns": counted("counting:min_pronouns", "count", "N"),
    "count:words_japanese": japanese,
    "ratio:stop_words": lambda kwargs: {"type": "ratio:max_stop_words", "percent": float(kwargs["percentage"])},
    "ratio:sentence_type": plain("ratio:statements_to_questions", statements=2),
    "ratio:sentence_balance": plain("ratio:sentence_balance"),
    "ratio:overlap": overlap,
    "ratio:sentence_words": plain("sentences:equal_length", count=3),
    "words:alphabet": plain("words:alphabetical"),
    "words:vowel": three_vowels,
    "words:consonants": plain("words:consonant_cluster"),
    "words:palindrome": plain("words:palindromes", count=10, min_length=5, distinct=False),
    "words:prime_lengths": plain("words:prime_lengths"),
    "words:start_verb": plain("words:start_verb"),
    "words:repeats": counted("words:max_repeats", "limit", "small_n"),
    "words:odd_even_syllables": plain("words:syllables_alternate"),
    "words:last_first": plain("sentences:chain"),
    "words:no_consecutive": plain("words:no_shared_initial"),
    "sentence:alliteration_increment": plain("sentences:alliteration"),
    "sentence:increment": counted("sentences:increment", "step", "small_n"),
    "custom:multiples": plain("counting:number_sequence", numbers=(14, 21, 28, 35, 42, 49)),
    "custom:sentence_alphabet": plain("sentences:initials", letters=ascii_lowercase),
}
