"""Which words may follow one another and how often: repetition, initials, lower case, scripts, the first word.

Han characters are words of their own where words are counted. Where the form of a word matters, what stands between
blanks or marks is one word (`rewards.wordforms`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Count, Draw, Tolerated
from rewards.clauses import clause, sentence
from rewards.constraint import Context, Example, Status, Verdict, register, verdict_if
from rewards.constraints.shaping import Shaped, at_most, chunks, closed, words_needed
from rewards.text import Text
from rewards.verbs import begins_with_verb, is_verb
from rewards.wordforms import first_words, folded_words, opening_words, rewritten, written_words

Script = Annotated[
    Literal["japanese", "chinese", "korean", "cyrillic", "greek"],
    Draw.choice("japanese", "chinese", "korean", "cyrillic", "greek"),
]

_HAN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
#: A pattern for the characters of a script, its names in English and Chinese, and a word in it.
_SCRIPTS: dict[str, tuple[re.Pattern[str], str, str, str]] = {
    "japanese": (re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uff66-\uff9d]"), "Japanese", "日语", "言葉"),
    "chinese": (re.compile(r"[\u3400-\u9fff]"), "Chinese", "中文", "词语"),
    "korean": (re.compile(r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"), "Korean", "韩语", "단어"),
    "cyrillic": (re.compile(r"[\u0400-\u052f]"), "Cyrillic letters", "西里尔字母", "слово"),
    "greek": (re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"), "Greek letters", "希腊字母", "λέξη"),
}


def _without_surplus(text: str, limit: int) -> str:
    """Return the text without the chunks whose words have been used `limit` times before, the last ones kept."""
    used: Counter[str] = Counter()
    kept: list[str] = []
    for part in reversed(chunks(text)):
        words = Counter(folded_words(Text(part)))
        if all(used[word] + number <= limit for word, number in words.items()):
            used.update(words)
            kept.append(part)
    return "".join(reversed(kept)).strip()


def _judge_repeats(text: Text, limit: int) -> Verdict:
    word, times = Counter(folded_words(text)).most_common(1)[0]
    return at_most(times, limit, f"times {word[:30]!r}, the most frequent word")


@register
class MaxRepeats(Shaped):
    """No word occurs more than `limit` times; case does not matter."""

    type: Literal["words:max_repeats"] = "words:max_repeats"
    limit: Annotated[Count, Draw.range(1, 5)]

    phrases: ClassVar = {
        "en": (
            "Do not use any word more than {limit} time{s}, ignoring case.",
            "No word may occur more than {limit} time{s} in your answer, not even the or a.",
        ),
        "zh": ("同一个字最多出现{limit}次。",),
    }
    notes: ClassVar = {"en": "each word at most {limit} time{s}", "zh": "每个字最多{limit}次"}
    examples: ClassVar = (
        Example({"limit": 2}, passes="The cat and the dog.", fails="The cat, the dog, THE cow."),
        Example({"limit": 1}, passes="山高水长。", fails="山高山长。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_repeats(text, self.limit)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _without_surplus(text, self.limit)
        yield sentence(language, 5)


@register
class Unique(Shaped):
    """No word occurs twice; case does not matter."""

    type: Literal["words:unique"] = "words:unique"

    phrases: ClassVar = {
        "en": (
            "Use every word only once, ignoring case.",
            "Only use unique words: no word may be repeated, not even the or a.",
        ),
        "zh": ("每个字只用一次，不重复用字。",),
    }
    notes: ClassVar = {"en": "no word twice", "zh": "不重复用字"}
    examples: ClassVar = (
        Example({}, passes="It rains, and we stay.", fails="It rains, but it stops."),
        Example({}, passes="山高水长。", fails="山外有山。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_repeats(text, 1)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _without_surplus(text, 1)
        yield sentence(language, 5)


@register
class MaxLowercase(Shaped):
    """At most `limit` words are in lower case, repeated ones included."""

    type: Literal["words:max_lowercase"] = "words:max_lowercase"
    limit: Annotated[Tolerated, Draw.range(1, 10)]

    phrases: ClassVar = {
        "en": (
            "Use at most {limit} word{s} written in lower case letters only, counting each use.",
            "No more than {limit} word{s} of your answer may be all lowercase.",
        ),
        "zh": ("全小写的英语单词最多{limit}个（重复的也算）。",),
    }
    notes: ClassVar = {"en": "at most {limit} lowercase word{s}", "zh": "最多{limit}个小写单词"}
    examples: ClassVar = (
        Example({"limit": 1}, passes="The River IS deep.", fails="The river is deep."),
        Example({"limit": 1}, passes="他说hello。", fails="他说hello world。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(sum(map(str.islower, text.words)), self.limit, "lowercase words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        surplus = iter(range(sum(map(str.islower, Text(text).words)) - self.limit))
        yield rewritten(text, lambda word: _raised(word) if word.lower() == word and next(surplus, -1) >= 0 else word)
        yield rewritten(text, str.upper)


def _raised(word: str) -> str:
    return word[0].upper() + word[1:] if word[0].islower() else word.upper()


def _judge_neighbours(text: Text, clash: Callable[[str, str], bool], praise: str) -> Verdict:
    for reading in (opening_words, written_words):
        words = reading(text)
        pair = next((pair for pair in pairwise(words) if clash(*pair)), None)
        if pair:
            return verdict_if(False, f"{pair[0][:30]!r} and {pair[1][:30]!r} are neighbours")
    return verdict_if(True, f"{len(words)} words{praise}")


@register
class NoSharedInitial(Shaped):
    """No two neighbouring words begin with the same letter."""

    type: Literal["words:no_shared_initial"] = "words:no_shared_initial"

    phrases: ClassVar = {
        "en": (
            "No two consecutive words may begin with the same letter.",
            "Neighbouring words must start with different letters, across sentences too.",
        ),
        "zh": ("相邻的两个词（以标点或空格隔开）不能以同一个字或字母开头。",),
    }
    notes: ClassVar = {"en": "neighbours differ in their initial", "zh": "相邻词首字不同"}
    examples: ClassVar = (
        Example({}, passes="A cat runs by.", fails="A cat. Can it run?"),
        Example({}, passes="山高，水长。", fails="山高，山大。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_neighbours(text, _alike, ", neighbours begin with different letters")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _thinned(text, lambda before, word: before[:1] != word[:1])
        yield {"en": "This is easy to check.", "zh": "这很好检查。"}[language]


@register
class NoNextLetter(Shaped):
    """No word begins with the letter that follows the initial of the word before in the alphabet."""

    type: Literal["words:no_next_letter"] = "words:no_next_letter"

    phrases: ClassVar = {
        "en": (
            "No two adjacent words may begin with consecutive letters of the alphabet, such as a and then b.",
            "Never let a word start with the letter that comes right after the initial of the word before it.",
        ),
        "zh": ("相邻的两个英语单词的首字母不能是字母表中前后相继的字母（如a后面接b）。",),
    }
    notes: ClassVar = {"en": "no consecutive initials", "zh": "首字母不相继"}
    examples: ClassVar = (
        Example({}, passes="A cat and dogs.", fails="A cat (dog)."),
        Example({}, passes="他说：a cat。", fails="他说：a boy。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return _judge_neighbours(text, _follows, " without consecutive initials")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _thinned(text, lambda before, word: not before or not _follows(before, word))
        yield {"en": "This is clear.", "zh": "这很好检查。"}[language]


def _alike(before: str, word: str) -> bool:
    return before[0] == word[0]


def _follows(before: str, word: str) -> bool:
    letter = word[0]
    return ord(letter) - ord(before[0]) == 1 and letter.isalpha() and not _HAN.match(letter)


def _thinned(text: str, fits: Callable[[str, str], bool]) -> str:
    """Return the text without the words that do not fit the one before them."""
    before = ""

    def change(word: str) -> str:
        nonlocal before
        if not fits(before, word.casefold()):
            return ""
        before = word.casefold()
        return word

    return rewritten(text, change)


@register
class ScriptEveryNth(Shaped):
    """Every `every`-th word is in a script; one of digits alone is as good in any."""

    type: Literal["words:script_every_nth"] = "words:script_every_nth"
    every: Annotated[int, Field(ge=1, le=1000), Draw.range(2, 8)]
    script: Script

    phrases: ClassVar = {
        "en": (
            "Word number {every} and each word at a further multiple of {every} must be in {name}.",
            "Every word whose place is a multiple of {every} must be written in {name}.",
        ),
        "zh": ("每逢第{every}个词（以标点或空格隔开）都必须用{name}。",),
    }
    notes: ClassVar = {"en": "every {every} words one in {name}", "zh": "每{every}个词用一次{name}"}
    examples: ClassVar = (
        Example({"every": 2, "script": "japanese"}, passes="A 言葉 is ことば.", fails="A word is ことば."),
        Example(
            {"every": 2, "script": "korean"}, passes="词语，단어，词语。", fails="词语，word，词语。", language="zh"
        ),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"every": self.every, "name": _SCRIPTS[self.script][1 if language == "en" else 2]}

    def judge(self, text: Text, context: Context) -> Verdict:
        placed = written_words(text)[self.every - 1 :: self.every]
        pattern = _SCRIPTS[self.script][0]
        inside = sum(map(bool, map(pattern.search, placed)))
        numbers = sum(word.isdigit() for word in placed)
        evidence = f"{inside} of {len(placed)} words at these places are in {_SCRIPTS[self.script][1]}"
        return verdict_if(inside > 0 and inside + numbers == len(placed), evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for missing in (0, self.every):
            fill = [clause(language, 2 + turn % 2) for turn in range(missing)]
            more = f"{closed(text)} {'，'.join(fill)}" if language == "zh" else f"{closed(text)} {' '.join(fill)}."
            yield self._marked(closed(more) if missing else text)
        yield " ".join([_SCRIPTS[self.script][3]] * self.every)

    def _marked(self, text: str) -> str:
        place = 0

        def change(word: str) -> str:
            nonlocal place
            place += 1
            return word if place % self.every or _SCRIPTS[self.script][0].search(word) else _SCRIPTS[self.script][3]

        return rewritten(text, change)


@register
class StartVerb(Shaped):
    """The first word is a verb; unscored where short lists and endings cannot tell."""

    type: Literal["words:start_verb"] = "words:start_verb"

    phrases: ClassVar = {
        "en": ("Begin your answer with a verb.", "The first word of your answer must be a verb."),
        "zh": ("回答的第一个词必须是动词。", "请以动词开头。"),
    }
    notes: ClassVar = {"en": "begin with a verb", "zh": "以动词开头"}
    examples: ClassVar = (
        Example({}, passes='"Consider this river."', fails="The river is deep."),
        Example({}, passes="请看这条河。", fails="我看这条河。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        opening = first_words(text, 4)
        first, *rest = opening[:2]
        found = begins_with_verb("".join(opening)) if _HAN.match(first) else is_verb(first, *rest)
        if found is None:
            return Verdict(Status.UNSCORED, f"no rule tells whether {first[:30]!r} is a verb here")
        return verdict_if(found, f"the first word is {first[:30]!r}, {'a verb' if found else 'no verb'}")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield {"en": "Consider this: ", "zh": "请看："}[language] + text.lstrip()
