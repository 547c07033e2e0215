"""Words that must stand in the text in another form: backwards, or reading the same both ways."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from rewards.arguments import Count, Draw
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, keep_only, mention, put_before
from rewards.constraints.matching import HAN, decide, keys_of, occurrences, said_sentences, word_keys
from rewards.filler import WORDS
from rewards.text import Text, fold

_HAN_RUN = re.compile(f"[{HAN}]+")
_FIRST_LETTER = re.compile(r"[^\W_]")
_LAST_LETTER = re.compile(r"([^\W_])[\W_]*\Z")
_VOWEL = re.compile("[aeiouy]", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[\W_]+")


def _letters_differ(phrase: str) -> str:
    if fold(phrase.strip()) == fold(phrase.strip())[::-1]:
        raise ValueError(f"{phrase!r} reads the same backwards")
    return phrase


def _words_differ(phrase: str) -> str:
    if keys_of(phrase) == keys_of(phrase)[::-1]:
        raise ValueError(f"{phrase!r} has the same words in reverse order")
    return phrase


def _two_words(language: str, drawn: list[str]) -> str:
    return ("" if language == "zh" else " ").join(drawn)


_DRAW = Draw(lambda rng, language: _two_words(language, rng.sample(WORDS[language], 2)))


@register
class ReversedLetters(Edited):
    """The phrase occurs written backwards, letter by letter, and does not occur forwards."""

    type: Literal["keywords:reversed_letters"] = "keywords:reversed_letters"
    phrase: Annotated[str, AfterValidator(_letters_differ), _DRAW]

    phrases: ClassVar = {
        "en": (
            'Write "{phrase}" backwards, letter by letter, somewhere in your answer, and never forwards.',
            'Your answer must contain "{phrase}" with its letters in reverse order, and not as it is here.',
        ),
        "zh": ("把“{phrase}”逐字倒过来写进回答，不要出现原来的写法。",),
    }
    notes: ClassVar = {"en": '"{phrase}" backwards', "zh": "“{phrase}”倒着写"}
    examples: ClassVar = (
        Example({"phrase": "red fox"}, passes="I saw a xof der.", fails="I saw a fox red."),
        Example({"phrase": "花园"}, passes="园花很美。", fails="花园很美。", language="zh"),
    )

    @property
    def _backwards(self) -> str:
        return fold(self.phrase.strip())[::-1]

    def judge(self, text: Text, context: Context) -> Verdict:
        if occurrences(text, self.phrase):
            return decide(False, f"{self.phrase!r} occurs forwards")
        found = occurrences(text, self._backwards)
        return decide(found > 0, f"{self._backwards!r} occurs {found} times")

    def reshape(self, text: str, language: str) -> str:
        text = keep_only(text, self.phrase, 0, language)
        return put_before(text, mention([self._backwards], language), language)


@register
class ReversedWords(Edited):
    """The words of the phrase stand in reverse order, next to each other, and nowhere in the order given."""

    type: Literal["keywords:reversed_words"] = "keywords:reversed_words"
    phrase: Annotated[str, AfterValidator(_words_differ), _DRAW]

    phrases: ClassVar = {
        "en": (
            'Use the words of "{phrase}" in reverse order, next to each other, and never in this order.',
            'Your answer must contain the words of "{phrase}" next to each other in reverse order, not in this order.',
        ),
        "zh": ("把“{phrase}”的词序颠倒过来、连着写进回答（每个汉字算一个词），不要出现原来的顺序。",),
    }
    notes: ClassVar = {"en": 'words of "{phrase}" reversed', "zh": "“{phrase}”词序颠倒"}
    examples: ClassVar = (
        Example({"phrase": "red fox"}, passes="Fox, red the is it.", fails="It is the red fox."),
        Example({"phrase": "花园"}, passes="园花很美。", fails="花园很美。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        said, wanted = f" {' '.join(word_keys(text))} ", keys_of(self.phrase)
        forwards, backwards = (f" {' '.join(order)} " for order in (wanted, wanted[::-1]))
        if forwards in said:
            return decide(False, f"the words stand in the order{forwards}")
        return decide(backwards in said, f"{'found' if backwards in said else 'did not find'} the words{backwards}")

    def reshape(self, text: str, language: str) -> str:
        text = keep_only(text, self.phrase, 0, language)
        gap = "" if language == "zh" else " "
        return put_before(text, mention([gap.join(keys_of(self.phrase)[::-1])], language), language)


def _mirrored(word: str) -> bool:
    """Tell whether something that could be a word reads the same backwards: `xzx` and `2002` are none."""
    spoken = not word.isascii() or _VOWEL.search(word) is not None
    return spoken and word == word[::-1] and len(set(word)) > 1


def _han_palindromes(run: str, letters: int) -> set[str]:
    """Return the palindromes of `letters` characters or one more: every longer one has one of them inside."""
    found: set[str] = set()
    for size in (letters, letters + 1):
        ends = zip(run, run[size - 1 :], strict=False)
        found.update({run[begin : begin + size] for begin, (first, last) in enumerate(ends) if first == last})
    return set(filter(_mirrored, found))


def palindromes(text: Text, letters: int, enough: int) -> list[str]:
    """Return different palindromes of at least so many letters: words, Chinese runs and whole sentences.

    Example:
        >>> palindromes(Text("Level 2002 oooo"), 3, 9), palindromes(Text("上海自来水来自海上"), 3, 9)
        (['level'], ['来水来'])
        >>> palindromes(Text("Was it a cat I saw?"), 3, 9)
        ['wasitacatisaw']
    """
    found = {word for word in set(word_keys(text)) if word == word[::-1] and len(word) >= letters and _mirrored(word)}
    for run in set(_HAN_RUN.findall(text.raw)) if len(found) < enough else ():
        found |= _han_palindromes(run, letters)
    if len(found) < enough:
        found.update(said for sentence in set(said_sentences(text)) if len(said := _letters_of(sentence)) >= letters)
    return sorted(found)


def _letters_of(sentence: str) -> str:
    """Return the letters of a sentence that reads the same backwards, or ""."""
    first, last = _FIRST_LETTER.search(sentence), _LAST_LETTER.search(sentence[-40:])
    if not first or not last or first[0].casefold() != last[1].casefold():
        return ""
    said = _NOT_LETTERS.sub("", sentence).casefold()
    if len(set(keys_of(sentence))) < 2:
        return ""
    return said if _mirrored(said) and not _HAN_RUN.fullmatch(said) else ""


@register
class Palindrome(Edited):
    """At least `count` different palindromes of `letters` or more letters: words, or sentences read without blanks.

    In Chinese any run of characters that reads the same from both ends counts; one letter repeated does not.
    """

    type: Literal["keywords:palindrome"] = "keywords:palindrome"
    count: Annotated[Count, Draw.range(1, 3)] = 1
    letters: Annotated[int, Field(ge=2, le=100, strict=True), Draw.range(3, 5)] = 3

    phrases: ClassVar = {
        "en": (
            "Use at least {wanted} of {letters} or more letters (words that read the same backwards).",
            "Include {wanted} at least, with no fewer than {letters} letters.",
        ),
        "zh": ("至少使用{count}个不同的回文（正着读和倒着读一样），每个不少于{letters}个字。",),
    }
    notes: ClassVar = {"en": "{wanted}", "zh": "{count}个回文"}
    examples: ClassVar = (
        Example({"count": 1, "letters": 5}, passes="The radar works.", fails="At noon I saw it."),
        Example({"count": 1, "letters": 3}, passes="人人为我我为人人。", fails="我为你。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = palindromes(text, self.letters, self.count)
        listed = f": {', '.join(word[:30] for word in found[:4])}" if found else ""
        return decide(len(found) >= self.count, f"{len(found)} palindromes, at least {self.count} wanted{listed}")

    def reshape(self, text: str, language: str) -> str:
        long = [word for word in _PALINDROMES[language] if len(word) >= self.letters]
        made = [_made(number, self.letters) for number in range(self.count)]
        return put_before(text, mention([*long, *made][: self.count], language), language)

    def slots(self, language: str) -> dict[str, Any]:
        wanted = "one palindrome" if self.count == 1 else f"{self.count} different palindromes"
        return {"count": self.count, "letters": self.letters, "wanted": wanted}


_PALINDROMES = {
    "en": ("rotator", "racecar", "reviver", "deified", "level", "radar", "refer", "civic", "noon", "pop"),
    "zh": ("上海自来水来自海上", "雾锁山头山锁雾", "人人为我我为人人", "天连水尾水连天"),
}


def _made(number: int, letters: int) -> str:
    half = "abcdefghij"[number % 10] + "ox" * letters + str(number)
    return half + half[-2::-1]
