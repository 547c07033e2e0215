"""Neutral words and sentences with which witnesses fill what a constraint leaves open."""

from __future__ import annotations

from itertools import cycle, islice

SENTENCES = {
    "en": (
        "This is easy to check.",
        "Each step is short and clear.",
        "Nothing else is needed here.",
        "The same idea works in other cases too.",
        "A careful reader can follow it.",
    ),
    "zh": ("这很容易检查。", "每一步都很短。", "不需要别的东西。", "别的情况也可以这样做。", "细心的读者能看懂。"),
}
#: Words that draws of arguments and witnesses take; lower case, no word inside another.
WORDS = {
    "en": tuple(
        "garden bridge winter market copper lantern pocket silver basket thunder violet meadow cotton marble ladder"
        " window planet pepper canvas tunnel jungle butter candle forest orange rocket summer velvet wagon".split()
    ),
    "zh": tuple("花园 桥梁 冬天 市场 铜器 灯笼 口袋 银色 篮子 雷声 草地 棉布 石头 梯子 窗户 星球 森林 火箭".split()),
}


def sentences(language: str, count: int) -> list[str]:
    """Return `count` neutral sentences, repeating them in turn.

    Example:
        >>> sentences("en", 2)
        ['This is easy to check.', 'Each step is short and clear.']
    """
    return list(islice(cycle(SENTENCES[language]), count))


def words(language: str, count: int) -> list[str]:
    """Return `count` neutral words, repeating them in turn (in Chinese each is two characters long)."""
    return list(islice(cycle(WORDS[language]), count))
