"""Whether a constraint gives the right answer away: by a number, in digits or in words, or by a word of the answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import takewhile

from data_gen.self_evident.families import Said, family, render
from rewards.task_answer import CodeAnswer, MathAnswer, TaskAnswer
from rewards.text import fold
from rewards.wordlists import STOP_WORDS

_LAYOUT = re.compile(r"\\(?:[dtc]?frac|boxed|text\w*|math[a-z]+|left|right|displaystyle|,|!|;|:)|\{,\}")
_TOKEN = re.compile(r"[^\W_]+")
_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|\\[,!;: ])(?=\d{3}(?!\d))")
_SHORTEST_PART = 3  # a shorter token is looked up as a whole token only
_STEM = 4  # letters that two forms of a word have in common at least
_ENDING = 3  # letters at most in which the shorter of two forms differs
_IN_WORDS = {
    "0": "zero zeros none nothing 零", "1": "one single once first 一",
    "2": "two twice second double pair both half halves 二 两",
    "3": "three thrice triple third thirds 三", "4": "four quadruple fourth fourths quarter quarters 四",
    "5": "five fifth fifths 五", "6": "six sixth sixths 六", "7": "seven seventh sevenths 七",
    "8": "eight eighth eighths 八", "9": "nine ninth ninths 九", "10": "ten tenth tenths 十",
    "11": "eleven eleventh 十一", "12": "twelve twelfth dozen dozens 十二", "13": "thirteen thirteenth 十三",
    "14": "fourteen fourteenth 十四", "15": "fifteen fifteenth 十五",
    "16": "sixteen sixteenth 十六", "17": "seventeen seventeenth 十七",
    "18": "eighteen eighteenth 十八", "19": "nineteen nineteenth 十九", "pi": "π", "infty": "infinity",
}  # fmt: skip
_NUMBER_OF = {word: number for number, words in _IN_WORDS.items() for word in words.split()}
#: Parts of numbers from twenty: "hundred" is one of an answer of 1200, however it is divided into words.
_LARGE_NUMBER = re.compile(
    r"(?:(?:twen|thir|for|fif|six|seven|eigh|nine)t(?:y|ieth|ies)|(?:hundred|thousand|million|billion)(?:th)?)s?"
    r"|[零一二两三四五六七八九十百千万亿]*[十百千万亿][零一二两三四五六七八九十百千万亿]*"
)


def gold_tokens(answer: TaskAnswer | None) -> frozenset[str]:
    """Return the tokens of the right answer: folded words, and numbers in digits without thousands separators.

    Example:
        >>> sorted(gold_tokens(MathAnswer(value="\\\\frac{3\\\\pi}{1,200}")))
        ['1200', '3', 'pi']
    """
    if answer is None or isinstance(answer, CodeAnswer):
        return frozenset()
    values = (answer.value,) if isinstance(answer, MathAnswer) else answer.values
    return frozenset(token for value in values for token in _tokens(value))


def leaks(said: Said, gold: frozenset[str]) -> bool:
    """Tell whether what a constraint says gives the right answer away.

    Numbers count in digits and in words, words also in other forms (`america` of an answer `American`).

    Example:
        >>> leaks(Said("exact_sentences", {"count": 4}), gold_tokens(MathAnswer(value="4")))
        True
        >>> leaks(Said("contains", {"word": "four"}), gold_tokens(MathAnswer(value="4.0")))
        True
        >>> leaks(Said("contains", {"word": "twenty-five"}), gold_tokens(MathAnswer(value="25")))
        True
    """
    if not gold:
        return False
    values = [str(value) for name, value in said.slots.items() if name not in family(said.family).names]
    tokens = {token for value in values for token in _tokens(value)} | {*re.findall(r"\d+", render(said, "en"))}
    if tokens & gold or (any(map(str.isdigit, gold)) and any(map(_LARGE_NUMBER.fullmatch, tokens))):
        return True
    parts = [_plain(value) for value in values if not value.isdigit()]
    wanted = [each for each in gold if (len(each) >= _SHORTEST_PART or not each.isascii()) and each not in STOP_WORDS]
    if any(each in part for each in wanted for part in parts):
        return True
    return any(_akin(token, each) for token in tokens for each in wanted)


def _akin(one: str, other: str) -> bool:
    """Tell whether two words are forms of one; of those that are not in ASCII, whether one begins with the other."""
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    if not one.isascii():
        return common > 1 and common == min(len(one), len(other))
    return common >= max(_STEM, min(len(one), len(other)) - _ENDING) and one not in STOP_WORDS


def _plain(value: str) -> str:
    """Return a text folded, without accents."""
    return fold("".join(each for each in unicodedata.normalize("NFKD", value) if not unicodedata.combining(each)))


def _tokens(value: str) -> Iterator[str]:
    for token in _TOKEN.findall(_plain(_LAYOUT.sub(" ", _THOUSANDS.sub("", value)))):
        yield _NUMBER_OF.get(token, token)
