"""How the word families make a finished text obey: what is there is kept, what is missing is added."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence

from rewards.constraint import Constraint, Context, Status
from rewards.constraints.shaping import closed, needs_own_line, viewed
from rewards.draft import Draft
from rewards.filler import SENTENCES, WORDS
from rewards.text import CODE, MATH, Text, count_keyword, fold, keyword_spans

_MENTION = {"en": "Think of {}.", "zh": "请想到{}。"}
_AND = {"en": " and ", "zh": "和"}
_NOTATION = re.compile(rf"{CODE.pattern}|{MATH.pattern}|\\[A-Za-z]+\*?", re.DOTALL)
_MARKED_START = re.compile(r"(?:#{1,6}|[-*+>•]|\d+[.)])[ \t]")


class Edited(Constraint):
    """A constraint whose edit leaves a text that satisfies it alone and keeps the blanks around the others."""

    def edit(self, text: str, language: str) -> str:
        core = text.strip()
        if self.accepts(core):
            return text
        begin = text.find(core) if core else len(text)
        said = core if viewed(core).has_words else SENTENCES[language][0]
        return text[:begin] + self.reshape(said, language) + text[begin + len(core) :]

    def accepts(self, text: str) -> bool:
        """Tell whether a text satisfies this constraint, whatever its scope."""
        view = viewed(text)
        return view.has_words and self.judge(view, Context()).status is Status.SATISFIED

    def first_accepted(self, proposals: Sequence[str]) -> str:
        """Return the first proposal that satisfies this constraint, or the last one."""
        return next((proposal for proposal in proposals if self.accepts(proposal)), proposals[-1])

    @abstractmethod
    def reshape(self, text: str, language: str) -> str:
        """Return a text without outer blanks, changed so that it satisfies this constraint."""

    def planned(self, draft: Draft, plan: Callable[[Draft], Draft]) -> Draft:
        """Record a need in the draft where the scope is the answer; else leave it to the edit."""
        return plan(draft) if self.scope == "answer" else draft.with_edit(self.edit_scope)


def put_before(text: str, sentence: str, language: str) -> str:
    """Put a sentence before a text, or after it where the text begins with a markdown marker.

    Example:
        >>> put_before("It is 7", "Think of it.", "en"), put_before("- a", "Think of it.", "en")
        ('Think of it. It is 7', '- a. Think of it.')
    """
    if text.startswith(("|", "```", "<")):
        return f"{sentence}\n{text}"
    return put_after(text, sentence, language) if _MARKED_START.match(text) else glue(sentence, text, language)


def put_after(text: str, sentence: str, language: str) -> str:
    """Put a sentence after a text, which is closed by a mark first."""
    return f"{text.rstrip()}\n{sentence}" if needs_own_line(text) else glue(closed(text), sentence, language)


def glue(first: str, second: str, language: str) -> str:
    """Join two texts, with a blank unless one of the characters that meet is a full-width mark."""
    meets = first[-1:] + second[:1]
    tight = language == "zh" and any(ord(character) > 0x2E7F for character in meets)
    return first + second if tight or not first or not second else f"{first} {second}"


def mention(words: Sequence[str], language: str) -> str:
    """Return a sentence that holds these words in order, and hardly any other.

    Example:
        >>> mention(["garden", "bridge"], "en"), mention(["花园"], "zh")
        ('Think of garden and bridge.', '请想到花园。')
    """
    return _MENTION[language].format(_AND[language].join(words))


def keep_only(text: str, keyword: str, keep: int, language: str) -> str:
    """Replace the occurrences of a keyword after the first `keep` ones by a neutral word.

    Example:
        >>> keep_only("A fox, a Fox and a fox.", "fox", 1, "en")
        'A fox, a garden and a garden.'
    """
    other = spare_word([keyword], language)
    for begin, end in reversed(list(keyword_spans(text, keyword))[keep:]):
        text = text[:begin] + other + text[end:]
    return text


def spare_word(avoid: Sequence[str], language: str) -> str:
    """Return a neutral word that shares nothing with the given ones."""
    taken = [fold(word) for word in avoid]
    free = (word for word in WORDS[language] if not any(word in other or other in word for other in taken))
    return next(free, WORDS[language][0])


def set_frequency(text: str, keyword: str, count: int, language: str) -> str:
    """Return the text with exactly so many occurrences of a keyword, as far as replacing and adding can do it."""
    text = keep_only(text, keyword, count, language)
    missing = count - count_keyword(Text(text), keyword)
    return put_before(text, mention([keyword] * missing, language), language) if missing > 0 else text


def lead(count: int, language: str, avoid: str = "") -> list[str]:
    """Return neutral words to count to a place with; in Chinese each is one character."""
    pool = WORDS[language] if language == "en" else tuple("".join(WORDS[language]))
    said = fold(avoid)
    units = [unit for unit in pool if unit not in said] or pool if said else pool
    return [units[index % len(units)] for index in range(count)]


def spelled(words: Sequence[str], language: str) -> str:
    """Join words as the language writes them, with a capital at the start."""
    text = ("" if language == "zh" else " ").join(words)
    return text[:1].upper() + text[1:]


def outside_notation(text: str, change: Callable[[str], str]) -> str:
    """Change a text except for its code, formulas and LaTeX commands.

    Example:
        >>> outside_notation("so \\\\boxed{x} or $y$ is `z`", str.upper)
        'SO \\\\boxed{X} OR $y$ IS `z`'
    """
    result, begin = [], 0
    for match in _NOTATION.finditer(text):
        result += [change(text[begin : match.start()]), match[0]]
        begin = match.end()
    return "".join([*result, change(text[begin:])])
