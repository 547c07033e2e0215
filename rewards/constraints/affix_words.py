"""With which word the answer, its sentences, lines and paragraphs begin and end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from rewards.arguments import ONE_LINE, Draw, Keyword, NonBlank, NonMarkup
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue, spelled
from rewards.constraints.matching import EDGE_MARKUP, decide, folded, said_sentences, same_ends, stands_at
from rewards.constraints.shaping import closed, words_needed
from rewards.filler import sentences
from rewards.sentences import split_sentences
from rewards.text import EDGE, Text
from rewards.wordforms import without_marker

_OPENING = {"en": "{}: ", "zh": "{}，"}
_STOP = {"en": ".", "zh": "。"}
_FINAL_MARKS = re.compile(r"[^\w\s]+\Z")
_INVISIBLE = "*_`~ \t\r\n"
_SAID = re.compile(r"[^\W_]")
_IN_WORD = re.compile(EDGE)
_AFTER_LAST_WORD = re.compile(r"\w([^\w]*)\Z")


def _opened(keyword: str, text: str, language: str) -> str:
    return _OPENING[language].format(spelled([keyword], language)) + text


def _closed_with(text: str, keyword: str, language: str) -> str:
    return glue(_FINAL_MARKS.sub("", text) + {"en": ",", "zh": "，"}[language], keyword, language) + _STOP[language]


def _each_sentence(text: str, change: Callable[[str], str]) -> str:
    for sentence in split_sentences(text):
        text = text.replace(sentence, change(sentence), 1)
    return text


class _Word(Edited):
    """A constraint on one word at an end."""

    word: Keyword


@register
class FirstWord(_Word):
    """The first word of the answer is `word` (any case)."""

    type: Literal["affix:first_word"] = "affix:first_word"

    phrases: ClassVar = {
        "en": ('The first word of your answer must be "{word}".', 'Begin your answer with the word "{word}".'),
        "zh": ("回答的第一个词必须是“{word}”。", "请以“{word}”这个词开头。"),
    }
    notes: ClassVar = {"en": 'first word "{word}"', "zh": "第一个词“{word}”"}
    examples: ClassVar = (
        Example({"word": "indeed"}, passes="**Indeed**, it is 7.", fails="It is, indeed, 7."),
        Example({"word": "首先"}, passes="首先，看题。", fails="看题，首先。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return decide(stands_at(text.words, self.word, 1), f"starts with {' '.join(text.words[:3])[:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return _opened(self.word, text, language)


@register
class LastWord(_Word):
    """The last word of the answer is `word` (any case); marks may follow it."""

    type: Literal["affix:last_word"] = "affix:last_word"

    phrases: ClassVar = {
        "en": ('The last word of your answer must be "{word}".', 'End your answer with the word "{word}".'),
        "zh": ("回答的最后一个词必须是“{word}”（标点不算）。",),
    }
    notes: ClassVar = {"en": 'last word "{word}"', "zh": "最后一个词“{word}”"}
    examples: ClassVar = (
        Example({"word": "seven"}, passes="The answer is *seven*.", fails="Seven is the answer."),
        Example({"word": "苹果"}, passes="汤姆有七个苹果。", fails="苹果有七个。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return decide(stands_at(text.words, self.word, -1), f"ends with {' '.join(text.words[-3:])[:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return _closed_with(text, self.word, language)


class _SentenceWord(_Word):
    """A constraint on the same place of every sentence."""

    def _judge_each(self, text: Text, position: int) -> Verdict:
        found = said_sentences(text)
        bare = dict.fromkeys(map(without_marker, found))
        wrong = next((each for each in bare if not stands_at(Text(each).words, self.word, position)), None)
        if wrong is not None:
            return decide(False, f"not so in {wrong[:80]!r}")
        return decide(bool(found), f"so in each of {len(found)} sentences")


@register
class FirstWordSentences(_SentenceWord):
    """Every sentence starts with `word` (any case)."""

    type: Literal["affix:first_word_sentences"] = "affix:first_word_sentences"

    phrases: ClassVar = {
        "en": (
            'Start every sentence with the word "{word}"; a heading or list item counts as a sentence.',
            'The first word of each sentence must be "{word}".',
        ),
        "zh": ("每句话都必须以“{word}”开头（标题和列表项也算句子）。",),
    }
    notes: ClassVar = {"en": 'every sentence starts with "{word}"', "zh": "每句以“{word}”开头"}
    examples: ClassVar = (
        Example({"word": "then"}, passes="Then it rained. Then it stopped.", fails="Then it rained. It stopped."),
        Example({"word": "我们"}, passes="我们出发了。我们到了。", fails="我们出发了。到了。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return self._judge_each(text, 1)

    def reshape(self, text: str, language: str) -> str:
        changed = _each_sentence(text, lambda sentence: self._start(sentence, language))
        return self.first_accepted([changed, self._start(sentences(language, 1)[0], language)])

    def _start(self, sentence: str, language: str) -> str:
        return sentence if stands_at(Text(sentence).words, self.word, 1) else _opened(self.word, sentence, language)


@register
class LastWordSentences(_SentenceWord):
    """Every sentence ends with `word` (any case), marks aside."""

    type: Literal["affix:last_word_sentences"] = "affix:last_word_sentences"

    phrases: ClassVar = {
        "en": (
            'End every sentence with the word "{word}" and a mark; a heading or list item counts as a sentence.',
            'The last word of each sentence, before the punctuation, must be "{word}".',
        ),
        "zh": ("每句话都必须以“{word}”结尾（标点不算，标题和列表项也算句子）。",),
    }
    notes: ClassVar = {"en": 'every sentence ends with "{word}"', "zh": "每句以“{word}”结尾"}
    examples: ClassVar = (
        Example({"word": "now"}, passes="It rains now. Stop it now!", fails="It rains now. Stop it!"),
        Example({"word": "花园"}, passes="这是花园。我爱花园！", fails="这是花园。我爱花！", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        return self._judge_each(text, -1)

    def reshape(self, text: str, language: str) -> str:
        changed = _each_sentence(text, lambda sentence: self._end(sentence, language))
        return self.first_accepted([changed, spelled(["So" if language == "en" else "看", self.word], language) + "."])

    def _end(self, sentence: str, language: str) -> str:
        is_met = stands_at(Text(sentence).words, self.word, -1)
        return sentence if is_met else _closed_with(sentence, self.word, language)


@register
class SameEnds(Edited):
    """The first word is also the last one, and nothing follows it, not even a mark (markdown aside).

    A Chinese word has one to four characters.
    """

    type: Literal["affix:same_ends"] = "affix:same_ends"

    phrases: ClassVar = {
        "en": (
            "Start and end your answer with the same word, and write nothing after it, not even punctuation.",
            "The last word of your answer must be its first word again, with no mark after it.",
        ),
        "zh": ("回答的开头和结尾用同一个词（一到四个字），结尾的词后面什么都不写，标点也不写。",),
    }
    notes: ClassVar = {"en": "same first and last word", "zh": "首尾同一个词"}
    examples: ClassVar = (
        Example({}, passes="Home is where I am at home", fails="Home is where I am at home."),
        Example({}, passes="今天的事要做在今天", fails="今天的事明天做。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        end = text.raw.rstrip(_INVISIBLE)[-100:]
        tail = _AFTER_LAST_WORD.search(end)
        after = tail[1] if tail else end
        if after.strip(_INVISIBLE):
            return decide(False, f"{after[:20]!r} follows the last word")
        return decide(
            same_ends(text.words), f"starts with {text.words[0][:40]!r} and ends with {text.words[-1][:40]!r}"
        )

    def reshape(self, text: str, language: str) -> str:
        word = Text(text).words[0]
        return glue(closed(text), spelled([word], language), language)


@register
class ParagraphSameEnds(Edited):
    """Every paragraph (a line that says something) has two words or more and ends with the word it starts with.

    A Chinese word has one to four characters; marks after the last word do not matter.
    """

    type: Literal["affix:paragraph_same_ends"] = "affix:paragraph_same_ends"

    phrases: ClassVar = {
        "en": (
            "Each paragraph must end with the word that it starts with; paragraphs are divided by line breaks.",
            "Let every paragraph (every line) start and end with the same word.",
        ),
        "zh": ("每一段（换行分段）的开头和结尾必须是同一个词（一到四个字，标点不算）。",),
    }
    notes: ClassVar = {"en": "paragraphs start and end alike", "zh": "每段首尾同词"}
    examples: ClassVar = (
        Example({}, passes="Home is home.\n\nNow, or never now!", fails="Home is home.\nNow or never."),
        Example({}, passes="今天的事要做在今天。", fails="今天的事明天做。", language="zh"),
    )

    @words_needed
    def judge(self, text: Text, context: Context) -> Verdict:
        spoken = (line for line in text.filled_lines if Text(line).has_words)
        wrong = next((line for line in spoken if not same_ends(Text(line).words)), None)
        return decide(wrong is None, "every line" if wrong is None else f"not so in {wrong[:80]!r}")

    def reshape(self, text: str, language: str) -> str:
        return "\n".join(self._matched(line, language) for line in text.split("\n"))

    def _matched(self, line: str, language: str) -> str:
        words = Text(line).words
        if not words or same_ends(words):
            return line
        return glue(closed(line), words[0], language) + _STOP[language]


@register
class LinePrefix(Edited):
    """Every line that is not blank starts with `prefix`, exactly, and then says something."""

    type: Literal["affix:line_prefix"] = "affix:line_prefix"
    prefix: Annotated[NonBlank, ONE_LINE, Draw(lambda rng, language: rng.choice(_PREFIXES[language]))]

    phrases: ClassVar = {
        "en": (
            'Start every line with "{prefix}", followed by something; blank lines do not count.',
            'Put "{prefix}" in front of each line of your answer.',
        ),
        "zh": ("每一行（空行不算）都以“{prefix}”开头，后面要有内容。",),
    }
    notes: ClassVar = {"en": 'each line starts with "{prefix}"', "zh": "每行以“{prefix}”开头"}
    examples: ClassVar = (
        Example({"prefix": ">>"}, passes=">> One.\n\n>> Two.", fails=">> One.\nTwo."),
        Example({"prefix": "注："}, passes="注：一。\n注：二。", fails="注：一。\n二。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        wrong = next((line for line in text.filled_lines if not self._leads(line)), None)
        return decide(
            wrong is None, f"{len(text.filled_lines)} lines" if wrong is None else f"not so in {wrong[:80]!r}"
        )

    def reshape(self, text: str, language: str) -> str:
        prefix = self.prefix.strip()
        lines = [line if self._leads(line.strip()) else f"{prefix} {line.strip()}" for line in text.split("\n")]
        return "\n".join(line for line in lines if self._leads(line.strip()))

    def _leads(self, line: str) -> bool:
        prefix = self.prefix.strip()
        rest = line[len(prefix) :]
        cut = _IN_WORD.match(prefix[-1]) and _IN_WORD.match(rest)
        return line.startswith(prefix) and not cut and _SAID.search(rest) is not None


_PREFIXES = {"en": (">>", "Note:", "=>", "Fact:", "::"), "zh": (">>", "注：", "要点：", "☆")}


class _WholeLine(Edited):
    """A constraint on a line that stands alone."""

    line: Annotated[NonMarkup, ONE_LINE]

    def _is_line(self, line: str) -> bool:
        return folded(line.strip(EDGE_MARKUP)) == folded(self.line.strip(EDGE_MARKUP))


@register
class FirstLine(_WholeLine):
    """The first line is exactly `line` (any case, markdown and quotes aside), and more lines follow."""

    type: Literal["affix:first_line"] = "affix:first_line"

    phrases: ClassVar = {
        "en": (
            'Make the first line of your answer exactly "{line}" and write on in the next line.',
            'Write "{line}" alone on the first line, then answer below it.',
        ),
        "zh": ("第一行单独写“{line}”，从下一行开始回答。",),
    }
    notes: ClassVar = {"en": 'first line "{line}"', "zh": "第一行“{line}”"}
    examples: ClassVar = (
        Example({"line": "My answer"}, passes="# My answer\nIt is 7.", fails="My answer is 7.\nIndeed."),
        Example({"line": "回答如下"}, passes="回答如下\n是七。", fails="回答如下：是七。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        lines = text.filled_lines
        met = len(lines) > 1 and self._is_line(lines[0])
        return decide(met, f"{len(lines)} lines, the first is {lines[0][:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return f"{self.line}\n{text}"


@register
class LastLine(_WholeLine):
    """The last line is exactly `line` (any case, markdown and quotes aside), and other lines precede it."""

    type: Literal["affix:last_line"] = "affix:last_line"

    phrases: ClassVar = {
        "en": (
            'Make the last line of your answer exactly "{line}", with your answer above it.',
            'After your answer write "{line}" alone on the last line.',
        ),
        "zh": ("最后一行单独写“{line}”，回答写在它上面。",),
    }
    notes: ClassVar = {"en": 'last line "{line}"', "zh": "最后一行“{line}”"}
    examples: ClassVar = (
        Example({"line": "Best wishes"}, passes="It is 7.\n\n*Best wishes*", fails="It is 7. Best wishes"),
        Example({"line": "此致敬礼"}, passes="是七。\n此致敬礼", fails="是七。此致敬礼", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        lines = text.filled_lines
        met = len(lines) > 1 and self._is_line(lines[-1])
        return decide(met, f"{len(lines)} lines, the last is {lines[-1][:60]!r}")

    def reshape(self, text: str, language: str) -> str:
        return f"{text}\n{self.line}"
