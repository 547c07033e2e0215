"""What every word must look like: its initial, letters, length, syllables; and palindromes.

A word is what stands between blanks or marks (`rewards.wordforms`), so that in Chinese it is a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import isqrt
from typing import Annotated, Any, ClassVar, Literal

from rewards.arguments import Count, Draw, Limit
from rewards.constraint import Context, Example, Status, Verdict, register, verdict_if
from rewards.constraints.shaping import Shaped, added, at_least, shown, words_needed
from rewards.syllables import syllables
from rewards.text import Text
from rewards.wordforms import bare_length, opening_words, rewritten, written_words
from rewards.wordlists import ALPHABET_WORDS, PALINDROMES

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_CONSONANTS = str.maketrans(dict.fromkeys("bcdfghjklmnpqrstvwxyz", "c"))
_HAN_WORD = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]+")
MinLength = Annotated[int, Draw.choice(3, 4, 5)]


@lru_cache(maxsize=1024)
def is_prime(number: int) -> bool:
    """Tell whether a number has no divisor but one and itself.

    Example:
        >>> [number for number in range(14) if is_prime(number)]
        [2, 3, 5, 7, 11, 13]
    """
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


def palindromes_of(text: Text, min_length: int) -> list[str]:
    """Return the words that read the same backwards and hold more than one letter.

    Example:
        >>> palindromes_of(Text("Level, LEVEL; radar's noon aaaaa 12321"), 4)
        ['level', 'level', 'noon']
    """
    ends_alike = (
        word
        for word in written_words(text)
        if len(word) >= min_length and (word[0] == word[-1] or not word[-1].isalnum())
    )
    bare = (word if word.isalnum() else "".join(filter(str.isalnum, word)) for word in ends_alike)
    return [word for word in bare if len(word) >= min_length and _is_palindrome(word)]


def _is_palindrome(word: str) -> bool:
    return word == word[::-1] and word.isalpha() and word.count(word[0]) < len(word)


def possible_syllables(word: str) -> frozenset[int]:
    """Return how many syllables a word may have; a Han character has one."""
    return frozenset({len(word)}) if _HAN_WORD.fullmatch(word) else syllables(word)


class EveryWord(Shaped):
    """A demand on every single word."""

    spare: ClassVar[dict[str, str]]

    def fits(self, word: str) -> bool:
        """Tell whether a written word, case-folded, meets the demand."""
        raise NotImplementedError

    def misfits(self, words: list[str]) -> list[str]:
        """Return the words that do not meet the demand."""
        return [word for word in words if not self.fits(word)]

    def wanted(self) -> str:
        """Say what the words should be, for the evidence."""
        raise NotImplementedError

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        words = written_words(text)
        wrong = self.misfits(list(dict.fromkeys(words)))
        evidence = f"not {self.wanted()}: {shown(wrong)}" if wrong else f"{len(words)} words, each {self.wanted()}"
        return verdict_if(not wrong, evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield rewritten(text, lambda word: word if self.fits(word.casefold()) else "")
        yield self.spare[language]


@register
class Alphabetical(Shaped):
    """Each word begins with the letter after the initial of the word before; a follows z."""

    type: Literal["words:alphabetical"] = "words:alphabetical"

    phrases: ClassVar = {
        "en": (
            "Each word must begin with the next letter of the alphabet, and a comes again after z.",
            "Let the initials of your words run through the alphabet, one letter a word, starting anywhere.",
        ),
        "zh": ("用英语回答，每个单词的首字母依次是字母表的下一个字母，z之后回到a。",),
    }
    notes: ClassVar = {"en": "initials run a, b, c", "zh": "首字母依次递进"}
    examples: ClassVar = (
        Example({}, passes='Young zebras "are big.', fails="Young zebras big."),
        Example({}, passes="A bold cat.", fails="他说a bold cat。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        for reading in (opening_words, written_words):
            words = reading(text)
            wrong = _first_out_of_turn(words)
            if wrong is not None:
                shown = f"word {wrong + 1} is {words[wrong][:30]!r}"
                return verdict_if(False, f"{shown}, the alphabet asks for another initial")
        return verdict_if(True, f"the initials of {len(words)} words follow the alphabet")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield " ".join(ALPHABET_WORDS).capitalize() + "."


def _first_out_of_turn(words: Sequence[str]) -> int | None:
    """Return the first place where the initials do not follow the alphabet."""
    start = _place_in_alphabet(words[0][0])
    turns = enumerate(words, start)
    return next((turn - start for turn, word in turns if _place_in_alphabet(word[0]) != turn % 26), None)


@lru_cache(maxsize=1024)
def _place_in_alphabet(letter: str) -> int:
    return _ALPHABET.find(unicodedata.normalize("NFD", letter)[0])


@register
class ConsonantCluster(EveryWord):
    """Every word holds two neighbouring consonants; y is one."""

    type: Literal["words:consonant_cluster"] = "words:consonant_cluster"

    phrases: ClassVar = {
        "en": (
            "Every word must contain two or more consonants in a row, as in this or yard.",
            "Use only words with a consonant cluster (two neighbouring consonants, y included).",
        ),
        "zh": ("用英语回答，每个单词都要有两个相连的辅音字母（y也算）。",),
    }
    notes: ClassVar = {"en": "a consonant cluster in each word", "zh": "每词有相连辅音"}
    examples: ClassVar = (
        Example({}, passes="This sky - bright!", fails="This is bright."),
        Example({}, passes="Thanks, friends.", fails="谢谢 friends。", language="zh"),
    )
    spare: ClassVar = dict.fromkeys(("en", "zh"), "Sharp minds think.")

    def fits(self, word: str) -> bool:
        return "cc" in word.translate(_CONSONANTS)

    def misfits(self, words: list[str]) -> list[str]:
        shapes = "\n".join(words).translate(_CONSONANTS).split("\n")
        return [word for word, shape in zip(words, shapes, strict=True) if "cc" not in shape]

    def wanted(self) -> str:
        return "with two consonants in a row"


@register
class PrimeLengths(EveryWord):
    """The number of letters and digits of every word is a prime."""

    type: Literal["words:prime_lengths"] = "words:prime_lengths"

    phrases: ClassVar = {
        "en": (
            "Use only words whose number of letters is prime (2, 3, 5, 7, 11 ...).",
            "Every word must have a prime length, apostrophes and hyphens not counted.",
        ),
        "zh": ("每个词（以标点或空格隔开）的字数都必须是质数。",),
    }
    notes: ClassVar = {"en": "prime word lengths", "zh": "词长为质数"}
    examples: ClassVar = (
        Example({}, passes="It's the river.", fails="It has a name."),
        Example({}, passes="好的，很清楚。", fails="天气很好。", language="zh"),
    )
    spare: ClassVar = {"en": "It is so.", "zh": "很清楚。"}

    def fits(self, word: str) -> bool:
        return is_prime(bare_length(word))

    def wanted(self) -> str:
        return "of prime length"


@register
class MinWordLength(EveryWord):
    """Every word has at least `limit` letters or digits."""

    type: Literal["words:min_word_length"] = "words:min_word_length"
    limit: Annotated[Limit, Draw.range(2, 5)]

    phrases: ClassVar = {
        "en": (
            "Every word must have at least {limit} letter{s}.",
            "Do not use words with fewer than {limit} letter{s}, nor shorter numbers.",
        ),
        "zh": ("每个词（以标点或空格隔开）至少{limit}个字。",),
    }
    notes: ClassVar = {"en": "words of at least {limit} letter{s}", "zh": "每词至少{limit}个字"}
    examples: ClassVar = (
        Example({"limit": 3}, passes="They don't know.", fails="They do know."),
        Example({"limit": 3}, passes="很清楚，没问题。", fails="好的，没问题。", language="zh"),
    )

    def fits(self, word: str) -> bool:
        return bare_length(word) >= self.limit

    def wanted(self) -> str:
        return f"of at least {self.limit} letters"

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield rewritten(text, lambda word: word if self.fits(word.casefold()) else "")
        yield {"en": "Every careful reader follows these simple steps.", "zh": "细心的读者都能看懂。"}[language]
        yield f"G{'o' * (self.limit - 2)}d." if language == "en" else f"{'很' * (self.limit - 1)}好。"


@register
class MaxWordLength(EveryWord):
    """No word has more than `limit` letters or digits."""

    type: Literal["words:max_word_length"] = "words:max_word_length"
    limit: Annotated[Limit, Draw.range(4, 9)]

    phrases: ClassVar = {
        "en": (
            "No word may have more than {limit} letter{s}.",
            "Use only words of {limit} letter{s} or fewer; hyphens and apostrophes are not counted.",
        ),
        "zh": ("每个词（以标点或空格隔开）最多{limit}个字。",),
    }
    notes: ClassVar = {"en": "words of at most {limit} letter{s}", "zh": "每词最多{limit}个字"}
    examples: ClassVar = (
        Example({"limit": 4}, passes="They don't know.", fails="They never know."),
        Example({"limit": 3}, passes="很清楚，没问题。", fails="没有问题。", language="zh"),
    )

    def fits(self, word: str) -> bool:
        return bare_length(word) <= self.limit

    def wanted(self) -> str:
        return f"of at most {self.limit} letters"

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield rewritten(text, self._shortened)
        yield {"en": "It is so.", "zh": "好的。"}[language]
        yield {"en": "I", "zh": "是"}[language]

    def _shortened(self, word: str) -> str:
        """Return a word that is short enough, a Chinese phrase with blanks in it, or nothing."""
        if self.fits(word.casefold()):
            return word
        starts = range(0, len(word), self.limit)
        return " ".join(word[i : i + self.limit] for i in starts) if _HAN_WORD.match(word) else ""


@register
class Palindromes(Shaped):
    """At least `count` words of `min_length` letters or more that read the same backwards, none twice."""

    type: Literal["words:palindromes"] = "words:palindromes"
    count: Annotated[Count, Draw.range(1, 6)]
    min_length: MinLength = 5
    distinct: bool = True

    phrases: ClassVar = {
        "en": (
            "Use at least {count} {kind}single-word palindrome{s} of {min_length} or more letters, such as level.",
            "Include {count} or more {kind}palindromes, single words of at least {min_length} letters.",
        ),
        "zh": ("至少用{count}个{kind}回文（每个不少于{min_length}个字，前后以标点或空格隔开）。",),
    }
    notes: ClassVar = {"en": "{count} palindrome{s}", "zh": "{count}个回文"}
    examples: ClassVar = (
        Example({"count": 2}, passes="A civic radar.", fails="Level, level, noon."),
        Example({"count": 1}, passes="“上海自来水来自海上”很有名。", fails="上海的自来水来自海上。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        kind = {"en": "different ", "zh": "不同的"}[language] if self.distinct and self.count > 1 else ""
        return {**super().slots(language), "kind": kind}

    def judge(self, text: Text, context: Context) -> Verdict:
        every = palindromes_of(text, self.min_length)
        found = list(dict.fromkeys(every)) if self.distinct else every
        return at_least(len(found), self.count, f"palindromes ({shown(found)})")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        known = set(palindromes_of(Text(text), self.min_length))
        new = [word for word in PALINDROMES[language] if word not in known and len(word) >= self.min_length]
        chosen = new[: self.count - len(known)]
        extra = f"{', '.join(chosen).capitalize()}." if language == "en" else f"{'，'.join(chosen)}。"
        yield added(text, extra, language)


@register
class SyllablesAlternate(Shaped):
    """Words with an odd and with an even number of syllables take turns; unscored where a word is not known."""

    type: Literal["words:syllables_alternate"] = "words:syllables_alternate"

    phrases: ClassVar = {
        "en": (
            "Alternate between words with an odd and words with an even number of syllables.",
            "Words of odd and of even syllable count must take turns throughout; either may come first.",
        ),
        "zh": ("各词（以标点或空格隔开）的音节数（汉字一字一音节）要奇偶交替。",),
    }
    notes: ClassVar = {"en": "odd and even syllables in turn", "zh": "音节数奇偶交替"}
    examples: ClassVar = (
        Example({}, passes="The river runs.", fails="The river flowing."),
        Example({}, passes="好的，很清楚。", fails="好的，明白。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        for reading in (opening_words, written_words):
            words = reading(text)
            wrong = _first_wrong(words)
            if wrong < len(words):
                return verdict_if(False, f"word {wrong + 1} ({words[wrong][:30]!r}) breaks the turns of odd and even")
        unknown = [word for word in dict.fromkeys(words) if not possible_syllables(word)]
        if unknown:
            return Verdict(Status.UNSCORED, f"no rule tells the syllables of {shown(unknown)}")
        return verdict_if(True, f"{len(words)} words with odd and even numbers of syllables in turn")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for start in (0, 1):
            yield rewritten(text, _taking_turns(start))
        yield {"en": "The river runs.", "zh": "好的，很清楚。"}[language]


@lru_cache(maxsize=4096)
def _parities(word: str) -> frozenset[int]:
    """Return 1 where a word may have an odd number of syllables, 0 where an even one; both where nobody knows."""
    return frozenset(number % 2 for number in possible_syllables(word)) or frozenset((0, 1))


def _first_wrong(words: Sequence[str]) -> int:
    """Return the first place where odd and even can no longer have taken turns, whichever came first."""
    first = frozenset((0, 1))
    for place, word in enumerate(words):
        parities = _parities(word)
        if len(parities) == 1:
            first &= {(next(iter(parities)) + place) % 2}
            if not first:
                return place
    return len(words)


def _taking_turns(start: int) -> Callable[[str], str]:
    turn = start

    def change(word: str) -> str:
        nonlocal turn
        if _parities(word) != {turn}:
            return ""
        turn = 1 - turn
        return word

    return change
