"""Line by line and sentence by sentence: one word a line, stairs, no blanks, emoji at the ends of sentences."""

from __future__ import annotations

import re
from itertools import chain
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Draw
from rewards.constraint import Context, Example, Status, Verdict, register, verdict_if
from rewards.constraints.layout_views import LaidOut, depth, fillers, has_word, pieces, quoted, spread
from rewards.filler import WORDS
from rewards.sentences import split_sentences
from rewards.text import Text
from rewards.wordforms import sentence_parts

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PUNCTUATION = re.compile(r"[^\w\s]+")
# Two words with a mark but no blank between them; figures and times are one word.
_GLUED = re.compile(r"[^\W\d_][,;:!?…—，。、；：！？|]+[^\W_]|[^\W_][,;:!?…—，。、；：！？|]+[^\W\d_]")
_BLANK = re.compile(r"\s")
_LONGEST_HAN_WORD = 4

# Characters with emoji presentation or a customary emoji form; © ® ™ and plain arrows are marks.
_EMOJI = (
    "\u203c\u2049\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe"
    "\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a"
    "\u2640\u2642\u2648-\u2653\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699\u269b\u269c"
    "\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4"
    "\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721"
    "\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f004\U0001f0cf"
    "\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f1e6-\U0001f1ff\U0001f201-\U0001f251"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff\u20e3"
)
_JOINERS = "\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_EMOJI_END = re.compile(rf"[{_EMOJI}][{_JOINERS}]*[\s.!?…。！？．؟۔।\"'”’»」』）)\]*_~]*\Z")
_EMOJI_NEXT = re.compile(rf"[\s\"'”’»」』）)\]*_~]*[{_EMOJI}]")


def one_word(line: str) -> bool:
    """Tell whether a line holds one word besides punctuation; in Chinese one of at most four characters."""
    if line.isascii() and line.isalpha():
        return True
    words = [token for token in line.split() if not _PUNCTUATION.fullmatch(token) or not token.isascii()]
    if len(words) != 1 or not has_word(words[0]) or _GLUED.search(words[0]):
        return False
    return len(_HAN.findall(words[0])) <= _LONGEST_HAN_WORD


def _rule(line: str) -> bool:
    return line.isascii() and _PUNCTUATION.fullmatch(line) is not None


@register
class OneWordPerLine(LaidOut):
    """Every line that is not blank or a mark holds exactly one word (in Chinese one of at most four characters)."""

    type: Literal["layout:one_word_per_line"] = "layout:one_word_per_line"

    phrases: ClassVar = {
        "en": (
            "Write each word on a line of its own.",
            "Put exactly one word on every line; blank lines do not count.",
        ),
        "zh": ("每行只写一个词（最多四个字），空行不算。",),
    }
    notes: ClassVar = {"en": "one word a line", "zh": "一行一词"}
    examples: ClassVar = (
        Example({}, passes="Take\nthe\ntrain!", fails="Take\nthe train!"),
        Example({}, passes="坐\n火车\n去。", fails="坐火车去学校。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        if text.uncountable:
            return Verdict(Status.UNSCORED, text.uncountable)
        wrong = next((line for line in text.filled_lines if not one_word(line) and not _rule(line)), "")
        shown = f"not one word: {quoted(wrong)}" if wrong else f"one word in each of {len(text.filled_lines)} lines"
        return verdict_if(not wrong, shown)

    def lay_out(self, text: str, language: str) -> str:
        return "\n".join(Text(text).words or WORDS[language][:3])


@register
class Staircase(LaidOut):
    """At least `count` lines that are not blank, each indented more than the one before."""

    type: Literal["layout:staircase"] = "layout:staircase"
    count: Annotated[int, Field(ge=2, le=1000), Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Write at least {count} lines and indent each line more than the one before, like stairs.",
            "Make stairs of {count} or more lines: every new line starts further to the right.",
        ),
        "zh": ("至少写{count}行，每一行都比上一行缩进更多，像台阶一样（空行不算）。",),
    }
    notes: ClassVar = {"en": "{count} stair lines", "zh": "{count}行台阶缩进"}
    examples: ClassVar = (
        Example({"count": 3}, passes="Take\n the\n  train.", fails="Take\n the\n train."),
        Example({"count": 2}, passes="坐火车\n  去学校。", fails="坐火车去学校。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        before, lines = -1, 0
        for line in text.lines:
            if not (said := line.strip()):
                continue
            indent = depth(line[: len(line) - len(line.lstrip())])
            if indent <= before or not has_word(said):
                return verdict_if(False, f"not indented more than the line before, or wordless: {quoted(said)}")
            before, lines = indent, lines + 1
        return verdict_if(lines >= self.count, f"{lines} lines, each indented more, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        said = pieces(text)
        lines = spread(said, max(self.count, len(said)), language)
        return "\n".join(" " * indent + line for indent, line in enumerate(lines))


@register
class NoWhitespace(LaidOut):
    """No blank, tab or line break inside the text; those around it do not count."""

    type: Literal["layout:no_whitespace"] = "layout:no_whitespace"

    phrases: ClassVar = {
        "en": ("Write without any whitespace.", "Your answer must not contain spaces, tabs or line breaks."),
        "zh": ("回答中不要有任何空白字符（空格、制表符或换行）。",),
    }
    notes: ClassVar = {"en": "no whitespace", "zh": "无空白"}
    examples: ClassVar = (
        Example({}, passes="TakeTheTrain.", fails="Take the train."),
        Example({}, passes="坐火车去。", fails="坐火车 去。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = _BLANK.search(text.stripped)
        return verdict_if(not found, f"whitespace at character {found.start()}" if found else "no whitespace")

    def lay_out(self, text: str, language: str) -> str:
        return "".join((text if has_word(text) else fillers(language, 1)[0]).split())


@register
class EmojiSentenceEnds(LaidOut):
    """Every sentence ends with an emoji, before or right after its closing mark."""

    type: Literal["layout:emoji_sentence_ends"] = "layout:emoji_sentence_ends"

    phrases: ClassVar = {
        "en": (
            "End every sentence with an emoji, before or right after its closing mark.",
            "Put an emoji at the end of each sentence.",
        ),
        "zh": ("每句话的结尾都要有一个表情符号（紧挨着句末标点之前或之后）。",),
    }
    notes: ClassVar = {"en": "emoji after every sentence", "zh": "每句以表情结尾"}
    examples: ClassVar = (
        Example({}, passes="Take the train 🚂. Read a book! 📚", fails="🚂 Take the train. Read a book 📚."),
        Example({}, passes="坐火车去🚂。带本书。📚", fails="坐火车去。带本书📚。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        if text.uncountable:
            return Verdict(Status.UNSCORED, text.uncountable)
        position = number = 0
        for sentence in chain.from_iterable(sentence_parts(text)):
            number += 1
            position = max(text.prose.find(sentence, position), 0) + len(sentence)
            if not _EMOJI_END.search(sentence[-24:]) and not _EMOJI_NEXT.match(text.prose, position):
                return verdict_if(False, f"no emoji at the end of {quoted(sentence)}")
        return verdict_if(number > 0, f"{number} sentences, each with an emoji at its end")

    def lay_out(self, text: str, language: str) -> str:
        lines = (" 🙂 ".join([*split_sentences(line), ""]).rstrip() for line in text.split("\n"))
        said = "\n".join(line for line in lines if line)
        return said or f"{fillers(language, 1)[0]} 🙂"
