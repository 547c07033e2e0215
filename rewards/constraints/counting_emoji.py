"""How many emoji the answer has. A flag, a keycap and a family joined by invisible joiners are one emoji each.

A symbol that is text unless told otherwise (`©`, `☀`) is an emoji only with the emoji selector after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Annotated, ClassVar, Literal

from rewards.arguments import Count, Draw, Tolerated
from rewards.clauses import sentence
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.shaping import Shaped, at_least, at_most, exactly
from rewards.text import Text

_PICTURE = "\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201-\U0001f251\U0001f300-\U0001f6ff"
_PICTURE += "\U0001f7e0-\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
_PICTURE += "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
_PICTURE += "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c"
_PICTURE += "\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55"
_SYMBOL = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
_SYMBOL += "\u3030\u303d\u3297\u3299\U0001f170-\U0001f17f"
_ONE = rf"(?:[{_PICTURE}][\ufe0f\U0001f3fb-\U0001f3ff]?|[{_SYMBOL}](?:\ufe0f|[\U0001f3fb-\U0001f3ff]))"
EMOJI = re.compile(
    rf"[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}"
    rf"|{_ONE}[\U000e0020-\U000e007f]*+(?:\u200d(?:{_ONE}|[{_SYMBOL}]))*+"
)
_SHOWN = "🌱🌟📘🔍💡🎯🧭🔑📌🌈"


def count_emoji(text: Text) -> int:
    """Count emoji.

    Example:
        >>> count_emoji(Text("👨‍👩‍👧 🇫🇷 1️⃣ 👍🏽 ❤️ © ✓"))
        5
    """
    return 0 if text.raw.isascii() else len(EMOJI.findall(text.raw))


def _extended(text: str, missing: int) -> str:
    return f"{text} {''.join(islice(cycle(_SHOWN), missing))}" if missing > 0 else text


def _reduced(text: str, surplus: int, language: str) -> str:
    kept = EMOJI.sub("", text, count=max(0, surplus)) if surplus > 0 else text
    return kept if Text(kept).has_words else sentence(language, 3)


@register
class MinEmoji(Shaped):
    """At least `count` emoji."""

    type: Literal["counting:min_emoji"] = "counting:min_emoji"
    count: Annotated[Count, Draw.range(1, 6)]

    phrases: ClassVar = {
        "en": ("Use at least {count} emoji.", "Put {count} or more emoji into your answer; a flag is one."),
        "zh": ("至少使用{count}个表情符号（emoji）。",),
    }
    notes: ClassVar = {"en": "at least {count} emoji", "zh": "至少{count}个表情符号"}
    examples: ClassVar = (
        Example({"count": 2}, passes="Good 👍🏽 day 🇫🇷", fails="Good 👨‍👩‍👧 day © :)"),
        Example({"count": 1}, passes="你好😀", fails="你好★", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_least(count_emoji(text), self.count, "emoji")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _extended(text, self.count - count_emoji(Text(text)))


@register
class MaxEmoji(Shaped):
    """At most `count` emoji."""

    type: Literal["counting:max_emoji"] = "counting:max_emoji"
    count: Annotated[Tolerated, Draw.range(1, 4)]

    phrases: ClassVar = {
        "en": ("Use at most {count} emoji.", "Your answer may hold no more than {count} emoji."),
        "zh": ("最多使用{count}个表情符号（emoji）。",),
    }
    notes: ClassVar = {"en": "at most {count} emoji", "zh": "最多{count}个表情符号"}
    examples: ClassVar = (
        Example({"count": 1}, passes="Good 👨‍👩‍👧 day © :)", fails="Good 👍 day 👍"),
        Example({"count": 0}, passes="你好★", fails="你好😀", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return at_most(count_emoji(text), self.count, "emoji")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        yield _reduced(text, count_emoji(Text(text)) - self.count, language)


@register
class Emoji(Shaped):
    """Exactly `count` emoji."""

    type: Literal["counting:emoji"] = "counting:emoji"
    count: Annotated[Count, Draw.range(1, 6)]

    phrases: ClassVar = {
        "en": ("Use exactly {count} emoji.", "Put {count} emoji into your answer, no more and no fewer."),
        "zh": ("恰好使用{count}个表情符号（emoji）。",),
    }
    notes: ClassVar = {"en": "exactly {count} emoji", "zh": "恰好{count}个表情符号"}
    examples: ClassVar = (
        Example({"count": 1}, passes="Good 👨‍👩‍👧 day", fails="Good day :)"),
        Example({"count": 2}, passes="你好😀❤️", fails="你好😀", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return exactly(count_emoji(text), self.count, "emoji")

    def proposals(self, text: str, language: str) -> Iterator[str]:
        found = count_emoji(Text(text))
        yield _extended(_reduced(text, found - self.count, language), self.count - found)
