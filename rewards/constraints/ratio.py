"""Shares and ratios: stop words, kinds of sentences, overlap with a reference, variety of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import filterfalse
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw, NonBlank, Percent
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.shaping import Shaped, added, chunks, closed, joined, pieces, without_chunks, words_needed
from rewards.filler import SENTENCES, WORDS
from rewards.text import Text
from rewards.wordforms import folded_words, kind
from rewards.wordlists import CONTRACTIONS, STOP_CHARACTERS, STOP_WORDS

_KINDS = {
    "en": {
        "statement": ("This is clear.", "It holds.", "Each step is short."),
        "question": ("Is it clear?", "Does it hold?"),
        "exclamation": ("How clear it is!", "What a result!"),
    },
    "zh": {
        "statement": ("很清楚。", "这没错。", "每一步都很短。"),
        "question": ("清楚吗？", "对不对？"),
        "exclamation": ("真清楚！", "真好！"),
    },
}
_CONTENT = {
    "en": tuple(" ".join(WORDS["en"][i : i + 3]).capitalize() + "." for i in range(0, 27, 3)),
    "zh": tuple("".join(WORDS["zh"][i : i + 3]) + "。" for i in range(0, 18, 3)),
}
OVERLAP_TOLERANCE = 2
_STOPS = frozenset(STOP_WORDS) | frozenset(STOP_CHARACTERS)


def is_stop_word(word: str) -> bool:
    """Tell whether a folded word is a function word of English or Chinese; contractions of them are too.

    Example:
        >>> [word for word in ("the", "don't", "it's", "river", "的") if is_stop_word(word)]
        ['the', "don't", "it's", '的']
    """
    if word in _STOPS or word.endswith("n't"):
        return True
    base, _, ending = word.rpartition("'")
    return base in STOP_WORDS and ending in CONTRACTIONS


def count_stop_words(words: Sequence[str]) -> int:
    """Count the function words among folded words."""
    others = list(filterfalse(_STOPS.__contains__, words))
    return len(words) - len(others) + sum(is_stop_word(word) for word in others if "'" in word)


def _three_words(reference: str) -> str:
    if len(Text(reference).words) < 3:
        raise ValueError("the reference must have at least three words")
    return reference


def trigrams(text: Text) -> set[str]:
    """Return the different runs of three words, case-folded."""
    words = folded_words(text)
    return set(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


_WORDS_OF_SPARE = {"en": 1, "zh": 2}  # a neutral Chinese word counts as two, one a character


@lru_cache(maxsize=64)
def _new_words(reference: str, language: str) -> tuple[str, ...]:
    known = set(folded_words(Text(reference)))
    return tuple(word for word in WORDS[language] if known.isdisjoint(folded_words(Text(word)))) * 2


@lru_cache(maxsize=64)
def _reference_trigrams(reference: str) -> set[str]:
    return trigrams(Text(reference))


def kinds_of(text: Text) -> Counter[str]:
    """Count the statements, questions and exclamations of a text by their closing marks."""
    return Counter(map(kind, text.sentences))


@register
class MaxStopWords(Shaped):
    """At most `percent` percent of the words are stop words (articles, prepositions, pronouns and the like)."""

    type: Literal["ratio:max_stop_words"] = "ratio:max_stop_words"
    percent: Annotated[Percent, Draw.range(20, 60)]

    phrases: ClassVar = {
        "en": (
            "Stop words (such as the, of, is, it, and) may make up at most {percent}% of your words.",
            "No more than {percent} percent of all words may be stop words, that is function words like a, to, was.",
        ),
        "zh": ("虚词（如的、了、在、和、是、这）最多占全部字数的{percent}%。",),
    }
    notes: ClassVar = {"en": "at most {percent}% stop words", "zh": "虚词最多{percent}%"}
    examples: ClassVar = (
        Example({"percent": 50}, passes="The river carries water.", fails="It is the river."),
        Example({"percent": 20}, passes="河水流向大海。", fails="这是我的了。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {**super().slots(language), "percent": f"{self.percent:g}"}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        words = folded_words(text)
        found = count_stop_words(words)
        evidence = f"{found} of {len(words)} words are stop words, at most {self.percent:g}% allowed"
        return verdict_if(100 * found <= self.percent * len(words), evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        more = text
        for turn in range(12):
            more = added(more, _CONTENT[language][turn % len(_CONTENT[language])], language)
            yield more
        yield without_chunks(text, lambda part: any(map(is_stop_word, folded_words(Text(part)))))
        yield _CONTENT[language][0]


@register
class StatementsToQuestions(Shaped):
    """For each question exactly `statements` statements, told apart by their closing marks; at least one question."""

    type: Literal["ratio:statements_to_questions"] = "ratio:statements_to_questions"
    statements: Annotated[Count, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": (
            "Write exactly {statements} sentence{s} ending in a full stop for each sentence ending in a question mark.",
            "Keep the ratio of statements to questions at {statements}:1, judged by full stops and question marks.",
        ),
        "zh": ("以句号结尾的句子与以问号结尾的句子之比恰好为{statements}:1，且至少有一个问句。",),
    }
    notes: ClassVar = {"en": "{statements} statement{s} per question", "zh": "陈述句与问句{statements}:1"}
    examples: ClassVar = (
        Example({"statements": 2}, passes="It is. It was. Will it be?", fails="It is. It was!"),
        Example({"statements": 1}, passes="天晴了。出去吗？", fails="天晴了。出去吧！", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"statements": self.statements, "s": "" if self.statements == 1 else "s"}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = kinds_of(text)
        statements, questions = found["statement"], found["question"]
        fits = questions > 0 and statements == self.statements * questions
        return verdict_if(fits, f"{statements} statements and {questions} questions, {self.statements}:1 wanted")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        whole = joined(pieces(text), language)
        for start in (whole, *pieces(text)[::-1], ""):
            found = kinds_of(Text(start))
            questions = max(1, -(-found["statement"] // self.statements), found["question"])
            yield _with_kinds(start, {"statement": questions * self.statements, "question": questions}, language)


@register
class SentenceBalance(Shaped):
    """As many statements as questions as exclamations, told apart by their closing marks; at least one of each."""

    type: Literal["ratio:sentence_balance"] = "ratio:sentence_balance"

    phrases: ClassVar = {
        "en": (
            "Use equally many sentences that end in a full stop, a question mark and an exclamation mark.",
            "Balance your sentence types: as many statements as questions as exclamations, at least one of each.",
        ),
        "zh": ("以句号、问号和感叹号结尾的句子数量相同，每种至少一句。",),
    }
    notes: ClassVar = {"en": "equally many . ? !", "zh": "陈述、疑问、感叹句数量相同"}
    examples: ClassVar = (
        Example({}, passes="(It is.) Is it? It is!", fails="It is. Is it? It was."),
        Example({}, passes="天晴了。出去吗？“好！”", fails="天晴了。出去吗？好。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        found = kinds_of(text)
        counts = found["statement"], found["question"], found["exclamation"]
        evidence = "{} statements, {} questions and {} exclamations, equally many wanted".format(*counts)
        return verdict_if(counts[0] > 0 and len(set(counts)) == 1, evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        start = joined(pieces(text), language)
        found = kinds_of(Text(start))
        most = max(1, found["statement"], found["question"], found["exclamation"])
        yield _with_kinds(start, dict.fromkeys(_KINDS[language], most), language)


def _with_kinds(start: str, wanted: Mapping[str, int], language: str) -> str:
    """Return the text with sentences after it until there are as many of each kind as wanted."""
    found = kinds_of(Text(start))
    missing = ((options, range(wanted.get(name, 0) - found[name])) for name, options in _KINDS[language].items())
    extra = [options[turn % len(options)] for options, turns in missing for turn in turns]
    return joined([*([closed(start)] if start else []), *extra], language)


@register
class Overlap(Shaped):
    """`percent` percent of the runs of three words, give or take two points, occur in a reference text."""

    type: Literal["ratio:overlap"] = "ratio:overlap"
    reference: Annotated[NonBlank, AfterValidator(_three_words)]
    percent: Percent

    phrases: ClassVar = {
        "en": (
            "Of all different runs of three words in your answer, {percent}% (give or take 2 points) must also occur"
            ' in this text: "{reference}"',
            'Share {percent}% (±2) of your word trigrams with this reference: "{reference}"',
        ),
        "zh": ("回答中不同的连续三字组要有{percent}%（上下不超过2个百分点）也出现在这段文字里：“{reference}”",),
    }
    notes: ClassVar = {"en": "{percent}% of trigrams from the reference", "zh": "{percent}%的三字组来自原文"}
    examples: ClassVar = (
        Example(
            {"reference": "The quick brown fox jumps.", "percent": 50},
            passes="The quick brown cat.",
            fails="The quick brown fox jumps.",
        ),
        Example({"reference": "河水流向海。", "percent": 100}, passes="河水流。", fails="河水入海。", language="zh"),
    )

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        reference = joined(rng.sample(SENTENCES[language], len(SENTENCES[language])), language)
        return {"reference": reference, "percent": float(rng.randint(20, 80))}

    def slots(self, language: str) -> dict[str, Any]:
        return {**super().slots(language), "percent": f"{self.percent:g}"}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        own = trigrams(text)
        if not own:
            return verdict_if(False, "fewer than three words, so no run of three")
        shared = len(own & _reference_trigrams(self.reference))
        evidence = f"{shared} of {len(own)} runs of three words are shared, {self.percent:g}% wanted"
        return verdict_if(abs(100 * shared / len(own) - self.percent) <= OVERLAP_TOLERANCE, evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        known, spare = chunks(self.reference), _new_words(self.reference, language)
        for start in (closed(text), ""):
            for size in range(len(known), 2, -1):
                diluted = self._diluted(joined([start, "".join(known[:size])], language), spare, language)
                if not diluted:
                    break  # fewer words of the reference make the share smaller still
                yield from diluted

    def _diluted(self, start: str, spare: Sequence[str], language: str) -> list[str]:
        """Return the text with as many words after it, which the reference does not hold, as the share asks for."""
        own = trigrams(Text(start))
        shared = 100 * len(own & _reference_trigrams(self.reference))
        fewest = (shared / (self.percent + OVERLAP_TOLERANCE) - len(own)) / _WORDS_OF_SPARE[language]
        most = (shared / max(self.percent - OVERLAP_TOLERANCE, 1) - len(own)) / _WORDS_OF_SPARE[language]
        sizes = range(max(0, int(fewest) - 1), min(len(spare), int(most) + 2))
        return [joined([start.strip(), *spare[:size]], language) for size in sizes]


@register
class MinUniqueShare(Shaped):
    """At least `percent` percent of the words are different ones; upper and lower case are the same word."""

    type: Literal["ratio:min_unique_share"] = "ratio:min_unique_share"
    percent: Annotated[Percent, Draw.range(30, 80)]

    phrases: ClassVar = {
        "en": (
            "At least {percent}% of your words must be distinct (different words over all words).",
            "Vary your words: different words must make up {percent} percent or more of all words.",
        ),
        "zh": ("不同的字至少占全部字数的{percent}%。",),
    }
    notes: ClassVar = {"en": "{percent}% different words", "zh": "不同的字占{percent}%"}
    examples: ClassVar = (
        Example({"percent": 75}, passes="The river, the sea.", fails="The river, the River."),
        Example({"percent": 75}, passes="山高水长。", fails="高高兴兴。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {**super().slots(language), "percent": f"{self.percent:g}"}

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        words = folded_words(text)
        found = len(set(words))
        evidence = f"{found} of {len(words)} words are different, at least {self.percent:g}% wanted"
        return verdict_if(100 * found >= self.percent * len(words), evidence)

    def proposals(self, text: str, language: str) -> Iterator[str]:
        more = text
        for sentence in _CONTENT[language]:
            more = added(more, sentence, language)
            yield more
        yield from (_CONTENT[language][0],)
