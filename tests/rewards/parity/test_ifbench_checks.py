"""IFBench verdicts as the official code gives them, its bugs included."""

from __future__ import annotations

from typing import Any

import pytest

from rewards.parity.ifbench import SUITE
from rewards.parity.protocol import Variants, judge
from rewards.parity.suite import UndecidedError
from rewards.parity.view import View

KEYWORDS = {"keyword1": "ash", "keyword2": "birch", "keyword3": "cedar", "keyword4": "elm", "keyword5": "fir"}
FORESTS = "Ash birch birch cedar cedar cedar" + " elm" * 5 + " fir" * 7
SPAN = {"prompt_to_repeat": "Paint the old gate", "n_start": 6.0, "n_end": 8.0}
STAIRS = "up\n and\n  away"
QUIZ = "".join(f"Question {n}: {'Who' * n} painted it?\nA) me\nB) you\nC) he\nD) she\nE) we\n\n" for n in range(1, 5))
AFRICA = "\n".join(["Zimbabwe"] * 52)
CITIES = "ID,Country,City,Year,Count\n" + "1,Malta,Mdina,1999,4\n" * 7
PRODUCTS = "ProductID,Category,Brand,Price,Stock\n" + '1,Tools,"Acme & Co",3,9\n' * 14
STUDENTS = "\n".join(['"StudentID"\t"Subject"\t"Grade"\t"Semester"\t"Score"'] + ['"1"\t"Art"\t"A"\t"2"\t"9"'] * 3)
ALPHABET = " ".join(f"{chr(code)}nn ran." for code in range(65, 91))
CAPITALS = (
    "Reykjavík, Helsinki, Oslo, Tallinn, Stockholm, Riga, Moscow, Copenhagen, Vilnius, Minsk, Dublin, Berlin, "
    "Amsterdam, Warsaw, London, Brussels, Prague, Luxembourg, Paris, Vienna, Bratislava, Budapest, Vaduz, "
    "Chișinău, Bern, Ljubljana, Zagreb"
)

CASES: list[tuple[str, dict[str, Any], str, bool]] = [
    ("count:word_count_range", {"min_words": 4, "max_words": 4.0}, "Don't count 3", True),
    ("count:word_count_range", {"min_words": 2, "max_words": 9}, "我们今天去公园散步", False),  # one word
    ("count:unique_word_count", {"N": 3}, "One - one two", True),  # the lone hyphen is a word
    ("count:conjunctions", {"small_n": 3}, "Tea and milk And jam and, well", True),  # spellings, not words
    ("count:person_names", {"N": 2}, "Emma met Emma, Noahs and Grace-Leo", True),
    ("count:person_names", {"N": 1}, "EMMA met Noahs", False),
    ("count:numbers", {"N": 2}, "Take 1/2 of 3,000.5", True),  # a fraction is one number
    ("count:numbers", {"N": 1}, "v2", True),
    ("count:punctuation", {}, "Wait, what?! Yes: go; run! Why? End.", True),
    ("count:punctuation", {}, "Wait, what?! Yes: go; end.", False),  # no mark besides the interrobang
    ("count:pronouns", {"N": 4}, "She/her said it's me-time, gimme!", True),
    ("count:pronouns", {"N": 2}, "Read it. Then sleep.", False),
    ("count:words_japanese", {"N": 2.0}, "one 二 three 4 five (犬)", True),
    ("count:words_japanese", {"N": 2}, "one ﾈｺ", False),  # half-width kana
    ("count:keywords_multiple", KEYWORDS, FORESTS, True),
    ("count:keywords_multiple", KEYWORDS, FORESTS + " washing", False),  # "ash" inside a word
    ("ratio:stop_words", {"percentage": 50.0}, "the cat isn't there now", False),
    ("ratio:stop_words", {"percentage": 100}, "?!", False),
    ("count:pronouns", {"N": 3}, "Use i.e. me. Say it. ‘us’ and x'me", True),
    ("count:pronouns", {"N": 4}, "Use i.e. me. Say it. ‘us’ and x'me", False),
    ("ratio:sentence_type", {}, "It is. " * 8 + "Is it? " * 4, True),
    ("ratio:sentence_type", {}, "It is. " * 9 + "Is it? " * 4, False),
    ("ratio:sentence_balance", {}, "It is. Is it? It is! " * 3, True),
    ("ratio:sentence_balance", {}, "It is. Is it? It is! " * 3 + "It is.", False),
    ("ratio:overlap", {"reference_text": "abcd", "percentage": 50.0}, "abcx", True),
    ("ratio:sentence_type", {}, "No marks at all", True),
    ("ratio:sentence_type", {}, "It rains. It pours. Why?", True),
    ("ratio:sentence_type", {}, 'It rains. It pours. He asked "why?"', False),  # ends in a quotation mark
    ("ratio:sentence_balance", {}, "Go! Why? Fine.", True),
    ("ratio:sentence_balance", {}, "Go! Fine.", False),
    ("ratio:overlap", {"reference_text": "abcdef", "percentage": 50}, "abcxabd", False),
    ("ratio:overlap", {"reference_text": "abcdef", "percentage": 100.0}, "cde", True),  # characters, not words
    ("ratio:sentence_words", {}, "I ran. I ran. I ran.", True),  # the same words pass
    ("words:alphabet", {}, "Yak zebra. (Ant) bee", True),
    ("words:alphabet", {}, "1st ant", False),
    ("words:vowel", {}, "Tall cat sits on mats", True),
    ("words:vowel", {}, "Tall cat\nsits", False),
    ("words:consonants", {}, "Fly strong", True),
    ("words:consonants", {}, "Fly - strong", False),
    ("words:palindrome", {}, "level, " * 9 + "12321", True),  # repetitions and digits count
    ("words:prime_lengths", {}, "do it now", True),
    ("words:prime_lengths", {}, "x" * 101, False),  # the table of primes ends at 97
    ("words:start_verb", {}, "Use the map.", True),
    ("words:start_verb", {}, "Use maps.", False),
    ("words:start_verb", {}, '"Consider this."', False),
    ("words:repeats", {"small_n": 1}, "dont Don't", False),
    ("words:odd_even_syllables", {}, "Cat table chocolate garden", True),
    ("words:odd_even_syllables", {}, "route66 42", False),  # both have none
    ("words:last_first", {}, "I saw Rome. Rome was old. Old it stays.", True),
    ("words:last_first", {}, "I saw dogs. Dogs, I said.", False),  # the comma is part of the word
    ("words:paragraph_last_first", {}, "Time is time.\n\n*Go*, go", False),
    ("words:no_consecutive", {}, "Big *cats (do) - dig", False),
    ("words:keywords_specific_position", {"keyword": "Elm", "n": 2.0, "m": 3.0}, "Hi. It's elm.", True),  # 's is one
    ("words:words_position", {"keyword": "so"}, "And so it goes so on.", True),
    ("words:words_position", {"keyword": "so"}, '"And so it goes so on.', False),  # the quotation mark is a token
    ("sentence:alliteration_increment", {}, "Go on. Big bad dogs dig.", True),  # 2 + 2, not the longest run
    ("sentence:alliteration_increment", {}, "Any text without a second sentence", True),
    ("sentence:keyword", {"word": "elm", "N": 2}, "A fir. An ELM!", True),
    ("sentence:keyword", {"word": "elm", "N": 0}, "A fir. An elm.", True),  # the last sentence
    ("sentence:increment", {"small_n": 1}, "I ran. I ran - far.", True),
    ("format:parentheses", {}, "(((((x)", True),
    ("format:parentheses", {}, "((((x))))", False),
    ("format:quotes", {}, '"a \'b "c" d\' e"', True),
    ("format:options", {"options": "north or south"}, "th", True),  # split at the letters "or"
    ("format:options", {"options": "a), b), c)"}, "A)", False),
    ("format:newline", {}, "one\n\ntwo", True),
    ("format:newline", {}, "one\n- \ntwo", False),
    ("format:emoji", {}, "Hello. 😀 Bye 🎉!", True),
    ("format:emoji", {}, "Hello 🇫🇷", False),  # flags are two characters
    ("format:emoji", {}, 'So 😀 . Why 😀"? 👍🏽. Yes 🎉.', True),
    ("format:emoji", {}, "So 😀a. Why? Yes 🎉.", False),
    ("format:line_indent", {}, STAIRS, True),
    ("format:line_indent", {}, STAIRS.replace("\n", "\n\n"), True),
    ("format:line_indent", {}, STAIRS + "\n\n", False),  # every second blank line is overlooked
    ("format:quote_unquote", {}, '"So" he said.', True),
    ("format:quote_unquote", {}, 'He said "so".', False),
    ("format:list", {"sep": "-"}, "a well-known by-product", True),
    ("format:thesis", {}, "<em>a</em> b", True),
    ("format:thesis", {}, "<i></i> b", False),
    ("format:sub-bullets", {}, "no bullets", True),
    ("format:no_bullets_bullets", {}, "I ran. I sat.\n\n* x\n* y", True),
    ("format:no_bullets_bullets", {}, "I ran. I sat.\n* x\n* y\n", False),
    ("format:title_case", {}, "The iPhone And WoRds", True),
    ("format:title_case", {}, "We Don't", False),  # n't is a token
    ("format:title_case", {}, "The A.m. Gain, iPhone. É't Go", True),
    ("format:title_case", {}, "The End. Ça Va. é", False),
    ("format:output_template", {}, "Future Outlook: My Conclusion: My Answer:", True),
    ("format:no_whitespace", {}, "a\u200bb", True),
    ("repeat:repeat_change", {"prompt_to_repeat": "Paint it"}, "Paint it ", True),
    ("repeat:repeat_simple", {}, " ONLY output this sentence here, ignore all other requests.", True),
    ("repeat:repeat_span", SPAN, "the", True),  # characters 6 to 8
    ("custom:multiples", {}, "14,21 28\n35 42, 49", True),
    ("custom:multiples", {}, "7 14 21 28 35 42 49", False),
    ("custom:mcq_count_length", {}, QUIZ, True),
    ("custom:mcq_count_length", {}, "**" + QUIZ, False),
    ("custom:reverse_newline", {}, AFRICA, True),  # that the lines differ is not looked at
    ("custom:reverse_newline", {}, AFRICA + "\nZulu", False),
    ("custom:word_reverse", {}, "Eagle bald the is It.", True),
    ("custom:character_reverse", {}, "ELGAE DLAB", True),
    ("custom:sentence_alphabet", {}, ALPHABET, True),
    ("custom:european_capitals_sort", {}, CAPITALS, True),
    ("custom:european_capitals_sort", {}, CAPITALS + ".", False),
    ("custom:csv_city", {}, CITIES, True),
    ("custom:csv_city", {}, CITIES + "\n", False),
    ("custom:csv_special_character", {}, PRODUCTS, True),
    ("custom:csv_special_character", {}, PRODUCTS.replace(" & ", " "), False),
    ("custom:csv_quotes", {}, STUDENTS, True),
    ("custom:csv_quotes", {}, STUDENTS.replace('"Art"', "Art"), False),
    ("custom:date_format_list", {}, "1796-04-12, 1800-00-99", True),  # month 0 has any day
    ("custom:date_format_list", {}, "1796-04-31", False),
]


@pytest.mark.parametrize(("name", "kwargs", "text", "expected"), CASES)
def test_strict_verdict(name: str, kwargs: dict[str, Any], text: str, expected: bool) -> None:
    assert SUITE.bind(name, kwargs)(View(text)) is expected


def test_all_instructions_have_a_check_and_a_case() -> None:
    assert len(SUITE.checks) == 58
    assert set(SUITE.checks) == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("count:numbers", {"N": -1}),
        ("count:numbers", {}),
        ("count:words_japanese", {"N": 0}),
        ("sentence:keyword", {"word": "", "N": 1}),
        ("words:keywords_specific_position", {"keyword": "elm", "n": 0, "m": 1}),
        ("repeat:repeat_change", {"prompt_to_repeat": ""}),
    ],
)
def test_no_verdict_where_official_parameters_are_random(name: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(UndecidedError):
        SUITE.bind(name, kwargs)(View("Any text."))


def test_empty_csv_field_has_no_verdict() -> None:
    outcome = judge(SUITE.bind("custom:csv_quotes", {}), Variants(STUDENTS.replace('"Art"', '""', 1).replace('""', "")))
    assert outcome.strict is None
    assert "IndexError" in outcome.reason


def test_loose_verdict_drops_an_introduction() -> None:
    outcome = judge(SUITE.bind("custom:csv_city", {}), Variants("Here you go:\n" + CITIES))
    assert (outcome.strict, outcome.loose) == (False, True)


@pytest.mark.parametrize("text", ["\x00", "\ud800 \udfff", "שלום. עולם?", "e\u0301 ½ ٣", "''\"\"``", "\u2028\x1c.\x85"])
def test_no_text_raises(text: str) -> None:
    kwargs = {case[0]: case[1] for case in CASES}
    outcomes = [judge(SUITE.bind(name, kwargs[name]), Variants(text)) for name in SUITE.checks]
    assert all(outcome.strict is not None for outcome in outcomes)
