"""How the word families compare, find and locate words; every reading of a text that they share is here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice

from rewards.constraint import Verdict, verdict_if
from rewards.sentences import split_sentences
from rewards.text import Text, count_keyword, find_keyword, fold
from rewards.wordforms import sentence_parts

#: Letters of the scripts whose characters are words of their own.
HAN = "\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
#: What may stand before the first or after the last word without being said: markdown, quotes and blanks.
EDGE_MARKUP = " \t\r\n*_`~#>\"'“”‘’「」『』«»"

_IS_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W_]")
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)
_UNSEGMENTED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
MOST_EVIDENCE = 200


def decide(condition: bool, evidence: str) -> Verdict:
    """Return satisfied or violated with evidence of bounded length."""
    return verdict_if(condition, evidence if len(evidence) <= MOST_EVIDENCE else evidence[: MOST_EVIDENCE - 3] + "...")


def folded(text: str) -> str:
    """Return the form in which two spellings of a phrase are equal: that of `fold`, all apostrophes being one.

    Example:
        >>> folded("It’s THIS") == folded("it's this")
        True
    """
    return fold(text).replace("’", "'")


def word_key(word: str) -> str:
    """Return the form in which two words of a text are compared.

    Example:
        >>> word_key("Don’t") == word_key("don't")
        True
    """
    return word.casefold().replace("’", "'")


def word_keys(text: Text) -> list[str]:
    """Return the compared forms of all words."""
    return word_key("\n".join(text.words)).split("\n") if text.words else []


@lru_cache(maxsize=4096)
def keys_of(phrase: str) -> tuple[str, ...]:
    """Return the words of a keyword or phrase in the form in which they are compared."""
    return tuple(map(word_key, Text(phrase).words))


@lru_cache(maxsize=4096)
def is_unsegmented(keyword: str) -> bool:
    """Tell whether a keyword is in a script that does not separate words."""
    return _UNSEGMENTED.search(keyword) is not None


def occurrences(text: Text, keyword: str) -> int:
    """Count a keyword as a whole word; anywhere in scripts that do not separate words.

    Example:
        >>> occurrences(Text("A bar, no barrels."), "bar"), occurrences(Text("ดื่มน้ำเย็น"), "น้ำ")
        (1, 1)
    """
    if is_unsegmented(keyword):
        return text.normalized.count(fold(keyword.strip()))
    return count_keyword(text, keyword)


def first_place(text: Text, keyword: str) -> int:
    """Return where a keyword first occurs in the normalised text, or -1."""
    if is_unsegmented(keyword):
        return text.normalized.find(fold(keyword.strip()))
    found = next(find_keyword(text, keyword), None)
    return found[0] if found else -1


def occurs_in(piece: str, keyword: str) -> bool:
    """Tell whether a keyword occurs in a part of a text."""
    return occurrences(Text(piece), keyword) > 0


def stands_at(words: Sequence[str], keyword: str, position: int) -> bool:
    """Tell whether the keyword begins at a word counted from 1, or ends at one counted from the end with -1.

    Example:
        >>> stands_at(("The", "owl", "sat"), "owl", 2), stands_at(("我", "爱", "花", "园"), "花园", -1)
        (True, True)
    """
    wanted = keys_of(keyword)
    if position > 0:
        part = words[position - 1 : position - 1 + len(wanted)]
    else:
        end = len(words) + position + 1
        part = words[max(0, end - len(wanted)) : end] if end > 0 else ()
    return tuple(map(word_key, part)) == wanted


def said_sentences(text: Text) -> tuple[str, ...]:
    """Return the sentences of the prose; those of the code where the text is nothing but code."""
    return text.sentences or tuple(split_sentences(said_prose(text)))


def said_prose(text: Text) -> str:
    """Return the prose of a text; what its code says where it is nothing but code.

    Example:
        >>> said_prose(Text("A `b` c.")), said_prose(Text("```\\nHello.\\n```"))
        ('A   c.', '\\nHello.\\n')
    """
    if "`" not in text.raw or _LETTER.search(text.prose):
        return text.prose
    return _FENCE.sub("", text.raw).replace("`", " ")


def sentence_at(text: Text, position: int) -> str | None:
    """Return the sentence at a place as `item_at` does, if possible without looking for all others."""
    if position > 0:
        found = next(islice(chain.from_iterable(sentence_parts(text)), position - 1, None), None)
        if found is not None:
            return found
    return item_at(said_sentences(text), position)


def item_at(items: Sequence[str], position: int) -> str | None:
    """Return the item at a place counted from 1, or from the end with -1; None where there is none."""
    if abs(position) > len(items):
        return None
    return items[position - 1 if position > 0 else position]


def is_han(text: str) -> bool:
    """Tell whether a text holds Han characters or kana."""
    return _IS_HAN.search(text) is not None


def same_ends(words: Sequence[str]) -> bool:
    """Tell whether the first word is the last one too; a Chinese word has one to four characters.

    Example:
        >>> same_ends(("Home", "is", "home")), same_ends(tuple("今天很好今天")), same_ends(("Home",))
        (True, True, False)
    """
    if len(words) < 2:
        return False
    if word_key(words[0]) == word_key(words[-1]):
        return True
    longest = min(4, len(words) // 2)
    return any(tuple(words[:n]) == tuple(words[-n:]) and is_han(words[0]) for n in range(2, longest + 1))


def place(unit: str, position: int, language: str) -> str:
    """Name a place in prose.

    Example:
        >>> place("word", 2, "en"), place("sentence", -1, "en"), place("句", -2, "zh"), place("句", -1, "zh")
        ('word 2', 'the last sentence', '倒数第2句', '最后一句')
    """
    if language == "zh" and position == -1:
        return f"最后一{unit}"
    if language == "zh":
        return f"{'第' if position > 0 else '倒数第'}{abs(position)}{unit}"
    if position > 0:
        return f"{unit} {position}"
    return f"the last {unit}" if position == -1 else f"{unit} {-position} from the end"


def quoted(items: Sequence[str], language: str) -> str:
    """List texts as prose does: in quotation marks, with the language's `and` before the last.

    Example:
        >>> quoted(("a", "b", "c"), "en"), quoted(("花", "鸟"), "zh")
        ('"a", "b", and "c"', '“花”和“鸟”')
    """
    marked = [f"“{item}”" if language == "zh" else f'"{item}"' for item in items]
    if len(marked) == 1:
        return marked[0]
    if language == "zh":
        return "、".join(marked[:-1]) + "和" + marked[-1]
    return ", ".join(marked[:-1]) + (", and " if len(marked) > 2 else " and ") + marked[-1]
