"""The only definitions of word, sentence, keyword match and language that verifiers use.

Word: a run of letters, digits and combining marks, with inner apostrophes, hyphens and decimal points kept
(`don't`, `well-known`, `3.14` and `1,000` are one word each). Every Han, Hiragana or Katakana character is a word
of its own. LaTeX commands (`\\boxed`, `\\frac`) are notation and not words; what they enclose is counted.

Prose: the text without fenced code, inline code and `$...$` / `\\[...\\]` mathematics, and without LaTeX commands.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property, lru_cache

_CJK = (
    r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"  # kana without their punctuation
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# `\w` leaves combining marks out, but words of many scripts contain them.
_MARK = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
EDGE = rf"[^\W_{_CJK}]"  # a letter or digit of a script that separates words
_PART = rf"[^\W_{_CJK}](?:[^\W_{_CJK}]|[{_MARK}])*"
_COMMAND = re.compile(r"\\[A-Za-z]+\*?|\\[,;:! ]")
# Display mathematics ends at the next `\[` too, and `\\[2pt]` opens none: so that no text takes quadratic time.
MATH = re.compile(
    r"\$\$.+?\$\$|\$[^$\n]+\$|(?<!\\)\\\[(?:\\\\|(?!\\[\[\]]).)++\\\]|(?<!\\)\\\((?:\\\\|(?!\\[()]).)++\\\)", re.DOTALL
)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_WORD = re.compile(rf"[{_CJK}]|{_PART}(?:(?:['’-]|(?<=\d)[.,](?=\d)){_PART})*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_SENTENCE = re.compile(r"[^.!?。！？\n]*(?:\.(?=\d)[^.!?。！？\n]*)*(?:[.!?。！？]+[\"'”’」）)]*|\n|\Z)")


class Text:
    """A piece of a response with its derived views, each computed once.

    Example:
        >>> Text("Tom has \\\\boxed{7} apples.").words
        ('Tom', 'has', '7', 'apples')
        >>> Text("汤姆有7个苹果。").words
        ('汤', '姆', '有', '7', '个', '苹', '果')
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def stripped(self) -> str:
        return self.raw.strip()

    @cached_property
    def normalized(self) -> str:
        """Return the text in NFC, case-folded, without LaTeX commands: where keywords are looked up."""
        return fold(_COMMAND.sub(" ", self.raw))

    @cached_property
    def prose(self) -> str:
        without_code = CODE.sub(" ", self.raw)
        return _COMMAND.sub(" ", MATH.sub(" ", without_code))

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(_WORD.findall(unicodedata.normalize("NFC", _COMMAND.sub(" ", self.raw))))

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.raw.split("\n"))


def fold(text: str) -> str:
    """Return the form in which two spellings of a word are equal (NFC, case-folded).

    Example:
        >>> fold("STRASSE") == fold("Straße")
        True
    """
    return unicodedata.normalize("NFC", text).casefold()


@lru_cache(maxsize=4096)
def _keyword_pattern(keyword: str) -> re.Pattern[str]:
    folded = re.escape(fold(keyword.strip()))
    # A boundary is only meaningful next to a character of a script that separates words.
    left = rf"(?<!{EDGE})" if re.match(EDGE, fold(keyword.strip())) else ""
    right = rf"(?!{EDGE}|[{_MARK}])" if re.search(rf"(?:{EDGE}|[{_MARK}])\Z", fold(keyword.strip())) else ""
    return re.compile(left + folded.replace(r"\ ", r"\s+") + right)


def count_keyword(text: Text, keyword: str) -> int:
    """Count whole-word, case-insensitive occurrences of a keyword or phrase.

    Chinese and Japanese keywords match anywhere, since those scripts do not separate words. Whitespace inside a
    phrase matches any whitespace.

    Example:
        >>> count_keyword(Text("Bar none: barrels, a bar and \\\\bar{x}."), "bar")
        2
        >>> count_keyword(Text("花园里有花。"), "花")
        2
    """
    return len(_keyword_pattern(keyword).findall(text.normalized))


def sentences(text: str) -> list[str]:
    """Split prose into sentences at . ! ? and their full-width forms; a line break also ends one.

    Example:
        >>> sentences("It costs 3.50 now. Is it new? 是的。好！")
        ['It costs 3.50 now.', 'Is it new?', '是的。', '好！']
    """
    return [piece for match in _SENTENCE.findall(text) if (piece := match.strip())]


def han_share(text: str) -> float:
    """Return the share of letters that are Han characters (0.0 when there are no letters)."""
    letters = sum(character.isalpha() for character in text)
    return len(_HAN.findall(text)) / letters if letters else 0.0
