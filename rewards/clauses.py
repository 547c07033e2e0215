"""Neutral sentences of any number of words or characters, with which edits reach an exact length."""

from __future__ import annotations

from itertools import cycle

_CLAUSES = {
    "en": (
        ("indeed", "yes"),
        ("it holds", "it works"),
        ("this is clear", "nothing is missing"),
        ("each step is short", "the order is simple"),
        ("this is easy to check", "a second look confirms it"),
        ("nothing else is needed for it", "every reader can follow the steps"),
        ("a careful reader can follow every step", "the reason is the same each time"),
        ("the same idea works in other cases too", "one more example would not change the picture"),
    ),
    "zh": (
        ("是", "对"),
        ("好的", "没错"),
        ("很清楚", "没问题"),
        ("一看就懂", "顺序简单"),
        ("这很好检查", "再看也不变"),
        ("每一步都很短", "谁都可以明白"),
        ("不需要别的东西", "每次都是这道理"),
        ("别的情况也是这样", "再举例子也不改变"),
        ("细心的读者都能看懂", "这里的道理并不复杂"),
        ("别的情况也可以这样做", "多看几遍就会更加明白"),
    ),
}
_STOP = {"en": ".", "zh": "。"}
#: English words of one letter, two letters and so on.
_FILL = ("a", "it", "all", "this", "there", "things")


def clause(language: str, words: int, turn: int = 0) -> str:
    """Return a neutral clause without a final mark that has exactly `words` words (Han characters in Chinese).

    Example:
        >>> clause("en", 5)
        'this is easy to check'
        >>> clause("zh", 12)
        '细心的读者都能看懂，没问题'
    """
    choices = _CLAUSES[language]
    if words <= len(choices):
        options = choices[words - 1]
        return options[turn % len(options)]
    joiner, joint = (" and ", 1) if language == "en" else ("，", 0)
    size = min(len(choices) - 1, words - 3 - joint)
    return f"{clause(language, size, turn)}{joiner}{clause(language, words - size - joint, turn + 1)}"


def sentence(language: str, words: int, turn: int = 0) -> str:
    """Return a neutral sentence with exactly `words` words (Han characters in Chinese).

    Example:
        >>> sentence("en", 3), sentence("zh", 3)
        ('This is clear.', '很清楚。')
    """
    text = clause(language, words, turn)
    return text[0].upper() + text[1:] + _STOP[language]


def sentence_of_characters(language: str, size: int) -> str:
    """Return a neutral sentence with exactly `size` characters that are not blank, the final mark included.

    Example:
        >>> sentence_of_characters("en", 17), sentence_of_characters("zh", 4)
        ('A careful reader it.', '很清楚。')
    """
    if size <= 1:
        return "7"
    return (_english(size - 1) if language == "en" else _chinese(size - 1)) + _STOP[language]


def _english(size: int) -> str:
    words, stream = [], cycle(f"{clause('en', 7)} and {clause('en', 8)} and".split())
    while size > len(_FILL):
        words.append(next(word for word in stream if len(word) < size))
        size -= len(words[-1])
    text = " ".join([*words, _FILL[size - 1]])
    return text[0].upper() + text[1:]


def _chinese(size: int) -> str:
    longest = len(_CLAUSES["zh"])
    if size <= longest:
        return clause("zh", size)
    head = clause("zh", 6 if size > longest + 1 else 5)
    return f"{head}，{_chinese(size - len(head) - 1)}"
