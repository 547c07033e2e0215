"""Pieces of which hostile texts are made: whatever markup, script or broken character a verifier may meet."""

from __future__ import annotations

SIZE = 100_000  # characters of a hostile text
PIECES = (
    *("*", "**", "[", "]", "(", "((x", "{", "<", "<<", ">>", '"', "'", "“", "`", "```", "\n", "\r\n", "\n\n", "\t"),
    *(" ", ".", ". ", "!", "?", ",", "。", "，", "、", "- ", "- a\n", "1. a\n", "# a\n", "|", "| a ", "a|b\n", "***\n"),
    *("$", "\\[", "\\(", "\\begin{a}", "\\boxed{", "</a>", "<a>", "a: ", '{"a":', "a\u0301", "\u0301", "\u202e"),
    *("\u05d0 ", "\x00", "\ud800", "\u200b", "a", "A", "A ", "a.", "a. ", "a-", "a'", "9", "9,", "9.9 ", "1/", "花"),
    *("ก", "हि", "ﷺ", "😀", "👍🏽", "Section 1\n", "第一节\n", "P.S.", "Question 1", "a a ", "and ", "P. P. S"),
    *("a,b\n", "@", "://", "=", "_", "~", "^"),
)


def hostile(piece: str) -> str:
    """Return 100 kB of one piece."""
    return (piece * SIZE)[:SIZE]
