"""How sentences follow one another: growing, equally long, an acrostic, alliterating, chained.

What stands before the first word of a sentence (quotes, bullets, list numbers, markup) is no part of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from operator import lt
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rewards.arguments import Count, Draw
from rewards.clauses import sentence
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.shaping import Shaped, closed, exactly, joined, pieces, words_needed
from rewards.text import Text
from rewards.wordforms import each_sentence_words, longest_run, sentence_words, without_marker, words_of_each
from rewards.wordlists import ALPHABET_WORDS

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_MOST = 12  # lengths that the evidence lists
_MANY, _LONG = 1000, 10_000  # sentences of which a part decides, and characters that may hold so many
_LETTER = re.compile(r"[^\W\d_\u3041-\u30ff\u3400-\u9fff]")
_QUOTES = " \t\r\n\"'“”‘’「」『』*_`"
_SAME_LENGTH = {
    "en": ("Cats like milk.", "Dogs find food.", "Kids ride vans.", "Owls hunt mice.", "Pink pens glow."),
    "zh": ("猫爱吃鱼。", "狗会看门。", "牛在耕田。", "鸟能飞高。", "花开得美。"),
}
_ALLITERATIVE = "bold big brown bears bring back bright blue berries before breakfast".split()


def _letters(text: str) -> str:
    if not text.isalpha():
        raise ValueError(f"{text!r} must consist of letters (or Han characters) alone")
    return text


Acrostic = Annotated[
    str,
    AfterValidator(_letters),
    Field(min_length=2, max_length=40),
    Draw(lambda rng, language: rng.choice(("春夏秋冬", "山高水长", "天道酬勤") if language == "zh" else _ENGLISH)),
]
_ENGLISH = ("spring", "river", "hope", "light", "smile", "dream", _ALPHABET)


def _list_of(lengths: Sequence[int]) -> str:
    return f"{', '.join(map(str, lengths[:_MOST]))}{', ...' if len(lengths) > _MOST else ''}"


def _lengths(text: Text) -> Iterator[int]:
    return map(len, _each_words(text))


def _each_words(text: Text) -> Iterator[tuple[str, ...]]:
    """Yield the words of each sentence; of very many sentences the others are looked at after the first ones."""
    many = len(text.raw) > _LONG and len(text.sentences) > _MANY
    first = tuple(words_of_each(text.sentences[:_MANY])) if many else ()
    yield from first
    yield from islice(each_sentence_words(text), len(first), None)


def _longest_run(text: Text) -> int:
    """Return how many neighbouring words of a sentence at most start with the same letter."""
    if len(text.sentences) <= _MANY:
        return max(map(longest_run, sentence_words(text)), default=0)
    longest = max(map(longest_run, words_of_each(text.sentences[:_MANY])), default=0)
    # Words have a mark or blank between them, so that short sentences have no longer run.
    others = {one for one in text.sentences[_MANY:] if len(one) > 2 * longest and _LETTER.search(one)}
    return max([longest, *map(longest_run, words_of_each([*others]))])


def _up_to_wrong(numbers: Iterable[int], fits: Callable[[int, int], bool]) -> tuple[list[int], bool]:
    """Tell whether all neighbours fit, with the numbers up to the first that does not, or as many as are shown."""
    taken: list[int] = []
    right = True
    for number in numbers:
        right = right and (not taken or fits(taken[-1], number))
        taken.append(number)
        if not right and len(taken) > _MOST:
            break
    return taken, right


@register
class Increment(Shaped):
    """Two sentences or more, each with exactly `step` more words than the one before."""

    type: Literal["sentences:increment"] = "sentences:increment"
    step: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Write two or more sentences, each with exactly {step} more word{s} than the one before.",
            "From the second sentence on, every sentence must be exactly {step} word{s} longer than the previous one.",
        ),
        "zh": ("至少写两句话，每句都恰好比上一句多{step}个字（标点不算）。",),
    }
    notes: ClassVar = {"en": "each sentence {step} word{s} longer", "zh": "每句多{step}个字"}
    examples: ClassVar = (
        Example({"step": 1}, passes="It rains. It rains hard.", fails="It rains. It rains hard today."),
        Example({"step": 2}, passes="下雨了。我们回家吧。", fails="下雨了。回家吧。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        lengths, steps = _up_to_wrong(_lengths(text), lambda before, after: after - before == self.step)
        if len(lengths) < 2:
            return verdict_if(False, "a single sentence, which grows on none")
        return verdict_if(steps, f"sentences of {_list_of(lengths)} words, {self.step} more each time wanted")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for start in range(len(pieces(text))):
            yield grown_from(pieces(text)[start:], self.step, language)
        yield joined([sentence(language, 3), sentence(language, 3 + self.step, 1)], language)


def grown_from(kept: list[str], step: int, language: str) -> str:
    """Return the sentences with the first lengths made such that each adds `step` words to the one before it."""
    lengths = [len(words) for words in sentence_words(Text("\n".join(kept)))]
    last = kept[-1]
    number = lengths[-1] if lengths else 0
    before = sentence(language, number - step) if number > step else ""
    after = sentence(language, number + step)
    return joined([before, last] if before else [last, after], language)


@register
class Growing(Shaped):
    """Two sentences or more, each with at least `step` more words than the one before."""

    type: Literal["sentences:growing"] = "sentences:growing"
    step: Annotated[Count, Draw.range(1, 3)]

    phrases: ClassVar = {
        "en": (
            "Write two or more sentences, each with at least {step} more word{s} than the one before.",
            "From the second sentence on, every sentence must be longer than the previous one by {step} or more words.",
        ),
        "zh": ("至少写两句话，每句都比上一句至少多{step}个字（标点不算）。",),
    }
    notes: ClassVar = {"en": "each sentence longer by {step}", "zh": "每句至少多{step}个字"}
    examples: ClassVar = (
        Example({"step": 1}, passes="It rains. It rains hard today.", fails="It rains. We stay."),
        Example({"step": 1}, passes="下雨了。我们回家吧。", fails="下雨了。回家吧。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        lengths, steps = _up_to_wrong(_lengths(text), lambda before, after: after - before >= self.step)
        if len(lengths) < 2:
            return verdict_if(False, "a single sentence, which is longer than none")
        grows = f"sentences of {_list_of(lengths)} words, at least {self.step} more each time wanted"
        return verdict_if(steps, grows)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for start in range(len(pieces(text))):
            yield grown_from(pieces(text)[start:], self.step, language)
        yield joined([sentence(language, 3), sentence(language, 3 + self.step, 1)], language)


@register
class EqualLength(Shaped):
    """Exactly `count` sentences of equally many characters, no word used twice."""

    type: Literal["sentences:equal_length"] = "sentences:equal_length"
    count: Annotated[int, Field(ge=2, le=5), Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {count} sentence{s} with the same number of characters (marks and spaces included), and use"
            " no word twice.",
            "Answer in {count} sentence{s}, all equally long counted in characters, all words different.",
        ),
        "zh": ("恰好写{count}句话，每句字符数相同（含标点），并且不重复用字。",),
    }
    notes: ClassVar = {"en": "{count} equally long sentences", "zh": "{count}句等长，不重复用字"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Cats nap. Dogs run.", fails="Cats nap. Cats run."),
        Example({"count": 2}, passes="猫爱吃鱼。狗会看门。", fails="猫爱吃鱼。狗爱吃肉。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        if len(text.sentences) != self.count:
            return exactly(len(text.sentences), self.count, "sentences")
        found = [unicodedata.normalize("NFC", without_marker(s).strip(_QUOTES)) for s in text.sentences]
        lengths = [len(one) for one in found]
        word, times = Counter(word.casefold() for one in sentence_words(text) for word in one).most_common(1)[0]
        evidence = f"sentences of {_list_of(lengths)} characters; {word[:30]!r} is used {times} times"
        return verdict_if(len(set(lengths)) == 1 and times == 1, evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield joined(_SAME_LENGTH[language][: self.count], language)


@register
class Initials(Shaped):
    """As many sentences as `letters`, the first letters of which are the given ones in order."""

    type: Literal["sentences:initials"] = "sentences:initials"
    letters: Acrostic

    phrases: ClassVar = {
        "en": (
            'The first letters of your sentences must spell "{letters}", one sentence for each letter and no other.',
            'Write an acrostic: as many sentences as "{letters}" has letters, each beginning with the next letter.',
        ),
        "zh": ("每句话的第一个字（字母）依次连成“{letters}”，不多不少。",),
    }
    notes: ClassVar = {"en": 'sentences spell "{letters}"', "zh": "句首连成“{letters}”"}
    examples: ClassVar = (
        Example({"letters": "go"}, passes='"Give it back." Off we go.', fails="Give it back. We go off."),
        Example({"letters": "山水"}, passes="山很高。水很长。", fails="山很高，水很长。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = "".join(words[0][0] for words in islice(_each_words(text), _MANY))
        same = found.casefold() == self.letters.casefold()
        number = len(found) if len(found) < _MANY else len(text.sentences)
        return verdict_if(same, f"{number} sentences spell {found[:60]!r}, wanted {self.letters!r}")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        kept = {piece: words[0][0].casefold() for piece in pieces(text) if (words := Text(piece).words)}
        for last in (*reversed(kept), ""):
            if last and kept[last] == self.letters[-1].casefold():
                yield joined([*map(self._line, self.letters[:-1]), last], "en")
        yield joined([*map(self._line, self.letters)], "en")

    @staticmethod
    def _line(letter: str) -> str:
        """Return a short sentence that begins with a letter."""
        known = letter.casefold() in _ALPHABET
        if known:
            return f"{ALPHABET_WORDS[_ALPHABET.index(letter.casefold())].capitalize()} comes next."
        return f"{letter}在这里。" if not letter.isascii() else closed(letter)


@register
class Alliteration(Shaped):
    """Two sentences or more, each with a longer run of words that begin with one letter than the sentence before."""

    type: Literal["sentences:alliteration"] = "sentences:alliteration"

    phrases: ClassVar = {
        "en": (
            "Each sentence must have a longer run of words with the same first letter than the one before.",
            "Write two or more sentences in which the longest alliteration grows from one sentence to the next.",
        ),
        "zh": ("至少写两句英语，每句中首字母相同的连续单词都要比上一句更多。",),
    }
    notes: ClassVar = {"en": "longer alliteration each sentence", "zh": "头韵逐句变长"}
    examples: ClassVar = (
        Example({}, passes="We go. Big bears run. Six silly seals sing.", fails="Big bears run. Tiny toads stay."),
        Example({}, passes="We go. Big bears run.", fails="今天天气很好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        runs, grows = _up_to_wrong(map(longest_run, _each_words(text)), lt)
        if len(runs) < 2:
            return verdict_if(False, "a single sentence, which goes beyond none")
        return verdict_if(grows, f"the longest runs are of {_list_of(runs)} words")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for start, kept in enumerate(pieces(text)):
            run = longest_run(Text(kept).words)
            if 0 < run < len(_ALLITERATIVE) and start < 2:
                yield f"{kept} {' '.join(_ALLITERATIVE[: run + 1]).capitalize()}."
        yield "It works. Big bears know it."


@register
class MinAlliteration(Shaped):
    """At least `count` neighbouring words in one sentence begin with the same letter."""

    type: Literal["sentences:min_alliteration"] = "sentences:min_alliteration"
    count: Annotated[int, Field(ge=2, le=11), Draw.range(3, 6)]

    phrases: ClassVar = {
        "en": (
            "Use an alliteration: {count} or more neighbouring words of a sentence that begin with the same letter.",
            "Somewhere, at least {count} words in a row must have the same first letter.",
        ),
        "zh": ("用一次头韵：某句中至少有{count}个连续的英语单词首字母相同。",),
    }
    notes: ClassVar = {"en": "{count} words in a row with one initial", "zh": "{count}个连续单词首字母相同"}
    examples: ClassVar = (
        Example({"count": 3}, passes="Big brown bears sleep.", fails="Big bears. Brown birds."),
        Example({"count": 3}, passes="他说：big brown bears。", fails="大熊大大的。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        longest = _longest_run(text)
        return verdict_if(longest >= self.count, f"{longest} words in a row with one initial, {self.count} wanted")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield f"{closed(text)} {' '.join(_ALLITERATIVE[: self.count]).capitalize()}."


@register
class Chain(Shaped):
    """Two sentences or more, each beginning with the last word of the one before."""

    type: Literal["sentences:chain"] = "sentences:chain"

    phrases: ClassVar = {
        "en": (
            "The last word of each sentence must be the first word of the next; write at least two sentences.",
            "Chain your sentences: begin each one with the word that ends the sentence before.",
        ),
        "zh": ("用顶真：每句话的最后一个字就是下一句的第一个字，至少写两句。",),
    }
    notes: ClassVar = {"en": "last word begins the next sentence", "zh": "句尾字开下句"}
    examples: ClassVar = (
        Example({}, passes='I see "Tom." Tom, he sees me.', fails="I see Tom. Tom's here."),
        Example({}, passes="前面有山。山上有树。", fails="前面有山。树在山上。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        number = 1
        for before, after in pairwise(_each_words(text)):
            number += 1
            if before[-1].casefold() != after[0].casefold():
                return verdict_if(False, f"{before[-1][:30]!r} ends a sentence, the next begins with {after[0][:30]!r}")
        if number < 2:
            return verdict_if(False, "a single sentence, which follows none")
        return verdict_if(True, f"{number} sentences, each begins with the word before it")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        for piece in reversed(pieces(text)):
            for word in Text(piece).words[-1:]:
                after = f"{word.capitalize()} is the last word." if language == "en" else f"{word}在这里。"
                yield joined([piece, after], language)
        yield {"en": "We follow the steps. Steps lead on.", "zh": "前面有山。山上有树。"}[language]
