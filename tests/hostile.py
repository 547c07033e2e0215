"""Pieces of which hostile texts are made: whatever markup, script or broken character a verifier may meet."""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import product
from random import Random

SIZE = 100_000  # characters of a hostile text
PIECES = (
    *("*", "**", "[", "]", "(", "((x", "{", "<", "<<", ">>", '"', "'", "“", "`", "```", "\n", "\r\n", "\n\n", "\t"),
    *(" ", ".", ". ", "!", "?", ",", "。", "，", "、", "- ", "- a\n", "1. a\n", "# a\n", "|", "| a ", "a|b\n", "***\n"),
    *("$", "\\[", "\\(", "\\begin{a}", "\\boxed{", "</a>", "<a>", "a: ", '{"a":', "a\u0301", "\u0301", "\u202e"),
    *("\u05d0 ", "\x00", "\ud800", "\u200b", "a", "A", "A ", "a.", "a. ", "a-", "a'", "9", "9,", "9.9 ", "1/", "花"),
    *("ก", "हि", "ﷺ", "😀", "👍🏽", "Section 1\n", "第一节\n", "P.S.", "Question 1", "a a ", "and ", "P. P. S"),
    *("a,b\n", "@", "://", "=", "_", "~", "^", "\\a"),
)
#: What follows what at random: nothing repeats, and what was found for one place says little about the next.
MIXTURES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "initials": (string.ascii_letters, (". ",)),
    "numbers": (tuple(map(str, range(2000))), (". ", ".\n", ", ")),
    "pairs": (tuple(map("".join, product(string.ascii_letters, repeat=2))), (". ", "? ")),
    "han": (tuple(map(chr, range(0x4E00, 0x5A00))), (". ", "。", "")),
    "letters": (tuple(map(chr, range(0xA1, 0x3000))), (". ",)),
    "abbreviations": (
        ("Mr", "U.S", "e.g", "x", "12", "No", "a.m", "The"),
        (". ", "... ", ".) ", '." ', "?! ", ".\xa0"),
    ),
    "words": (tuple(map("".join, product("aeinst", repeat=5))), (". ", " ", ", ")),
    "apostrophes": (tuple(map("'".join, product(string.ascii_letters, repeat=2))), (" ", "' ", ". ", " '")),
    "quotes": ("abC\"'“”’.! \n", ("",)),
    "marks": (f"{string.punctuation}\n a", ("",)),
    "latex": (("\\a", "\\b{", "\\frac", "$", "}", "\\(", "\\]", "{"), ("", " ")),
    "lines": (("- a", "1. B", "# C", "| d |", "", "> e", "```"), ("\n",)),
    "anything": (tuple(map(chr, range(0x20, 0x11000))), ("",)),
}


def hostile(piece: str) -> str:
    """Return 100 kB of one piece."""
    return (piece * SIZE)[:SIZE]


def random_hostile(size: int = SIZE) -> dict[str, str]:
    """Return so many characters of each mixture, the same ones each time."""
    rng, texts = Random(0), {}
    for name, (pieces, joints) in MIXTURES.items():
        shortest = min(map(len, pieces)) + min(map(len, joints)) or 1
        mixed = zip(rng.choices(pieces, k=size // shortest), rng.choices(joints, k=size // shortest), strict=True)
        texts[name] = "".join(map("".join, mixed))[:size]
    return texts
