"""The case of single words and letters, in any script that has one; see `rewards.constraints.case`."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from rewards.arguments import Count, Draw, Keyword
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.case import judge_letters
from rewards.constraints.editing import Edited, glue, mention, outside_notation, put_before
from rewards.constraints.matching import decide, said_sentences
from rewards.filler import SENTENCES, WORDS, words
from rewards.quick_words import quick_words
from rewards.sentences import split_sentences
from rewards.text import Text, keyword_spans

#: Words that a title may leave in lower case, unless they begin a sentence of it.
MINOR_WORDS = frozenset(
    "a an the and but or nor for so yet as at by in of off on per to up via vs if than from into with over onto upon"
    " de la le du van von y e o".split()
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LEAD = re.compile(r"[\W_]*")
_ENGLISH = {"en": SENTENCES["en"][0], "zh": SENTENCES["en"][0]}


def prose_words(text: Text) -> tuple[str, ...]:
    """Return the words of the prose: those of the text without code and formulas."""
    if text.prose == text.raw and "words" in text.__dict__:
        return text.words
    quick = quick_words(text.prose)
    return Text(text.prose).words if quick is None else tuple(quick)


def _cased(text: Text) -> list[str]:
    return [word for word in prose_words(text) if word.upper() != word.lower()]


def _from_first_word(sentence: str) -> str:
    return _LEAD.sub("", sentence, count=1)


def _is_brand(word: str) -> bool:
    """Tell whether a word has capitals and small letters after its first letter, as `iPhone` has."""
    return not (word[1:].islower() or word[1:].isupper() or word[1:] == "")


class _Cased(Edited):
    """A constraint that a text without Latin words gets an English sentence for."""

    def reshape(self, text: str, language: str) -> str:
        return self.first_accepted([self.recase(each) for each in (text, glue(_ENGLISH[language], text, language))])

    def recase(self, text: str) -> str:
        """Return the text in the wanted case."""
        return outside_notation(text, self.change)

    def change(self, part: str) -> str:
        """Return a part without notation in the wanted case."""
        raise NotImplementedError


@register
class Upper(_Cased):
    """All letters that have a case are capitals, in any script."""

    type: Literal["case:upper"] = "case:upper"

    phrases: ClassVar = {
        "en": ("Use capital letters only; no lowercase letter may occur.", "Write every letter as a capital."),
        "zh": ("凡是有大小写的字母，一律大写，并且至少要有一个这样的字母。",),
    }
    notes: ClassVar = {"en": "capitals only", "zh": "字母全大写"}
    examples: ClassVar = (
        Example({}, passes="ДА, ЭТО ТАК.", fails="ДА, это ТАК."),
        Example({}, passes="他在NASA工作。", fails="他在Nasa工作。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return judge_letters(text, "upper")

    def change(self, part: str) -> str:
        return part.upper()


@register
class Lower(_Cased):
    """No letter is a capital, in any script, and some letter has a case."""

    type: Literal["case:lower"] = "case:lower"

    phrases: ClassVar = {
        "en": ("Use lowercase letters only; no capital letter may occur.", "Write every letter in lowercase."),
        "zh": ("凡是有大小写的字母，一律小写，并且至少要有一个这样的字母。",),
    }
    notes: ClassVar = {"en": "lowercase only", "zh": "字母全小写"}
    examples: ClassVar = (
        Example({}, passes="да, это так.", fails="Да, это так."),
        Example({}, passes="他用python编程。", fails="他用Python编程。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return judge_letters(text, "lower")

    def change(self, part: str) -> str:
        return part.lower()


@register
class Title(_Cased):
    """Every word starts with a capital, except short words such as `of` and `the` inside a sentence."""

    type: Literal["case:title"] = "case:title"

    phrases: ClassVar = {
        "en": (
            "Write Everything in Title Case: a capital at the start of every word; only articles and short"
            " conjunctions and prepositions (such as a, and, of) may stay lowercase.",
            "Capitalize the first letter of every major word of your answer.",
        ),
        "zh": ("全文使用英语标题格式：每个单词首字母大写（a、and、of等冠词、短连词和短介词除外）。",),
    }
    notes: ClassVar = {"en": "title case", "zh": "标题格式"}
    examples: ClassVar = (Example({}, passes="The Lord of the Rings", fails="The lord of the Rings"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = prose_words(text)
        small = [word for word in found if word[0].islower() and word not in MINOR_WORDS and not _is_brand(word)]
        if small:
            return decide(False, f"{len(small)} words start in lower case, such as {small[0][:40]!r}")
        starts = (_from_first_word(sentence)[:40] for sentence in said_sentences(text))
        lower = next((start for start in starts if start[:1].islower() and not _is_brand(start.split()[0])), "")
        if lower:
            return decide(False, f"a sentence starts with {lower[:40]!r}")
        return decide(
            any(word[0].isupper() for word in found), "every major word starts with a capital, if there is one"
        )

    def change(self, part: str) -> str:
        return _WORD.sub(lambda match: match[0][:1].upper() + match[0][1:], part)


@register
class SentenceStarts(_Cased):
    """Every sentence starts with a capital letter; one that starts with a digit or a Han character is left out."""

    type: Literal["case:sentence_starts"] = "case:sentence_starts"

    phrases: ClassVar = {
        "en": (
            "Start every sentence with a capital letter; a heading or list item counts as a sentence.",
            "The first letter of each sentence must be a capital.",
        ),
        "zh": ("每个句子的首字母都要大写，并且至少有一个以字母开头的句子。",),
    }
    notes: ClassVar = {"en": "sentences start with capitals", "zh": "句首字母大写"}
    examples: ClassVar = (Example({}, passes='"It rains." Then it stops.', fails="It rains. then it stops."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        starts = [_from_first_word(sentence)[:30] for sentence in said_sentences(text)]
        wrong = next((start for start in starts if start[:1].islower()), None)
        if wrong is not None:
            return decide(False, f"a sentence starts with {wrong!r}")
        found = sum(start[:1].isupper() for start in starts)
        return decide(found > 0, f"{found} of {len(starts)} sentences start with a capital")

    def recase(self, text: str) -> str:
        for sentence in split_sentences(text):
            rest = _from_first_word(sentence)
            text = text.replace(sentence, sentence[: len(sentence) - len(rest)] + rest[:1].upper() + rest[1:], 1)
        return text


@register
class MinInitialCapitals(_Cased):
    """At least `count` different words start with a capital that is followed by a lowercase letter."""

    type: Literal["case:min_initial_capitals"] = "case:min_initial_capitals"
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Use at least {count} different word{s} that start with a capital and go on in lowercase, Like This.",
            "Write {count} or more different words with only their first letter as a capital.",
        ),
        "zh": ("至少使用{count}个首字母大写、其余小写的不同单词。",),
    }
    notes: ClassVar = {"en": "{count} Capitalised word{s}", "zh": "{count}个首字母大写的词"}
    examples: ClassVar = (Example({"count": 2}, passes="Ann met Bob.", fails="Ann met ANN and Ann."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = {word for word in prose_words(text) if word[:1].isupper() and word[1:2].islower()}
        return decide(len(found) >= self.count, f"{len(found)} capitalised words, at least {self.count} wanted")

    def reshape(self, text: str, language: str) -> str:
        names = " ".join(word.capitalize() for word in WORDS["en"][: self.count])
        made = [f"{word.capitalize()}{number}" for number, word in enumerate(words("en", self.count))]
        return self.first_accepted([glue(f"{extra}:", text, "en") for extra in (names, " ".join(made))])


@register
class AlternatingWords(_Cased):
    """Words alternate between all capitals and all lowercase, starting with either; four words at least."""

    type: Literal["case:alternating_words"] = "case:alternating_words"

    phrases: ClassVar = {
        "en": (
            "Write words in CAPITALS and in lowercase in turn, LIKE this EXAMPLE does; use at least four words.",
            "Alternate between words in CAPITALS and words in lowercase.",
        ),
        "zh": ("英语单词轮流使用全大写和全小写（LIKE this ONE），至少四个单词。",),
    }
    notes: ClassVar = {"en": "alternate CAPITALS and lowercase", "zh": "单词大小写交替"}
    examples: ClassVar = (Example({}, passes="THIS is QUITE odd.", fails="THIS IS quite odd."),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _cased(text)
        if len(found) < 4:
            return decide(False, f"{len(found)} words with a case, at least 4 wanted")
        patterns = ((str.isupper, str.islower), (str.islower, str.isupper))
        met = any(all(test(word) for test, word in zip(cycle(tests), found, strict=False)) for tests in patterns)
        return decide(met, f"{len(found)} words, the first are {' '.join(found[:4])[:80]!r}")

    def recase(self, text: str) -> str:
        changes: cycle[Callable[[str], str]] = cycle((str.upper, str.lower))
        found = iter(_cased(Text(text)))
        return outside_notation(text, lambda part: _in_turn(part, found, changes))


def _in_turn(part: str, found: Any, changes: Any) -> str:
    def change(match: re.Match[str]) -> str:
        return str(next(changes)(match[0])) if match[0].upper() != match[0].lower() else match[0]

    return _WORD.sub(change, part)


def _with_case(keyword: str) -> str:
    if keyword.upper() == keyword.lower():
        raise ValueError(f"{keyword!r} has no letter that could be a capital")
    return keyword


@register
class KeywordUpper(Edited):
    """The keyword occurs, and always in capitals."""

    type: Literal["case:keyword_upper"] = "case:keyword_upper"
    keyword: Annotated[Keyword, AfterValidator(_with_case)]

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" at least once and write it in capitals every time.',
            'Mention "{keyword}", always in ALL CAPS.',
        ),
        "zh": ("至少使用一次“{keyword}”这个词，并且每次都全部大写。",),
    }
    notes: ClassVar = {"en": '"{keyword}" in capitals', "zh": "“{keyword}”全大写"}
    examples: ClassVar = (Example({"keyword": "owl"}, passes="An OWL is an OWL.", fails="An OWL is an owl."),)

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        return {"keyword": rng.choice(WORDS["en"])}

    def judge(self, text: Text, context: Context) -> Verdict:
        raw = text.raw.replace("’", "'")
        found = [raw[begin:end] for begin, end in keyword_spans(raw, self.keyword)]
        wrong = next((each for each in found if not each.isupper()), None)
        if wrong is not None:
            return decide(False, f"{wrong[:60]!r} is not in capitals")
        return decide(bool(found), f"{len(found)} times in capitals")

    def reshape(self, text: str, language: str) -> str:
        for begin, end in list(keyword_spans(text, self.keyword)):
            text = text[:begin] + text[begin:end].upper() + text[end:]
        return text if self.accepts(text) else put_before(text, mention([self.keyword.upper()], language), language)


@register
class LastWordsUpper(_Cased):
    """The last word of every sentence is in capitals; every sentence ends with a word that has a case."""

    type: Literal["case:last_words_upper"] = "case:last_words_upper"

    phrases: ClassVar = {
        "en": (
            "Close every sentence with a word (no number) in CAPITALS; a heading or list item counts as a sentence.",
            "End each sentence with a word in ALL CAPS.",
        ),
        "zh": ("每句话都以一个全部大写的英语单词结尾。",),
    }
    notes: ClassVar = {"en": "last words in CAPITALS", "zh": "句末单词大写"}
    examples: ClassVar = (Example({}, passes="It RAINS. We go HOME!", fails="It RAINS. We go home!"),)

    def judge(self, text: Text, context: Context) -> Verdict:
        found = said_sentences(text)
        wrong = next(
            (each for each in dict.fromkeys(found) if not "".join(Text(each[-200:]).words[-1:]).isupper()), None
        )
        if wrong is not None:
            return decide(False, f"not so in {wrong[-80:]!r}")
        return decide(bool(found), f"so in each of {len(found)} sentences")

    def reshape(self, text: str, language: str) -> str:
        for sentence in split_sentences(text):
            last = "".join(Text(sentence).words[-1:])
            begin = sentence.rfind(last)
            end = f"{last.upper()}{sentence[begin + len(last) :]}"
            told = sentence[:begin] + end if last.upper() != last.lower() else f"{sentence.rstrip('.。!！?？')} NOW."
            text = text.replace(sentence, told, 1)
        return text if self.accepts(text) else "It is so NOW."
