"""The definitions of word, keyword and prose."""

from __future__ import annotations

import pytest

from rewards.sentences import split_sentences
from rewards.text import Text, count_keyword, han_share


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one,two,three", ("one", "two", "three")),
        ("end.Next", ("end", "Next")),
        ("3.14 1,000 1.5kg", ("3.14", "1,000", "1.5kg")),
        ("don't re-use rock’n’roll", ("don't", "re-use", "rock’n’roll")),
        ("- -- ’ '", ()),
        ("snake_case", ("snake", "case")),
        ("हिन्दी में", ("हिन्दी", "में")),
        ("cafe\u0301", ("café",)),
        ("人々・カナ", ("人", "々", "カ", "ナ")),
        ("\U00020000\U00020001", ("\U00020000", "\U00020001")),
        ("\\frac{a}{b}\\,c", ("a", "b", "c")),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert Text(text).words == words


@pytest.mark.parametrize(
    ("text", "keyword", "count"),
    [
        ("Straße STRASSE strasse", "straße", 3),
        ("New  York, new\nyork; Newyork", "New York", 2),
        ("हिन्दी हिन्द", "हिन्द", 1),
        ("cafe\u0301 cafe", "café", 1),
        ("C++ and C", "C++", 1),
        ("a.b a-b", "a", 2),
        ("a b", " a ", 1),
    ],
)
def test_keywords(text: str, keyword: str, count: int) -> None:
    assert count_keyword(Text(text), keyword) == count


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("A $x$ B", "A B"),
        ("A \\(x\\) B \\[y\\] C", "A B C"),
        ("A \\[ x \\\\[2pt] y \\] B", "A B"),
        ("A $$x\ny$$ B", "A B"),
        ("A `x` B ```py\nx\n``` C", "A B C"),
        ("A ```unclosed B", "A"),
        ("costs $5 and\n$6", "costs $5 and $6"),
        ("\\textbf{A}", "{A}"),
    ],
)
def test_prose(text: str, prose: str) -> None:
    assert " ".join(Text(text).prose.split()) == prose


def test_sentences_and_shares() -> None:
    assert split_sentences("") == []
    assert split_sentences("He said “go!” Then left...\nEnd") == ["He said “go!”", "Then left...", "End"]
    assert (han_share(""), han_share("ab"), han_share("花ab")) == (0.0, 0.0, 1 / 3)
