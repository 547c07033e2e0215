"""What a verifier found in a text, in a few words of English or Chinese."""

from __future__ import annotations

import re

from rewards.constraint import Constraint, Context, Status, checked
from rewards.response import Response

_SLOW = frozenset({"language:response", "language:bilingual", "case:english_upper", "case:english_lower"})
_CUT = re.compile(r"(?:, (?:at (?:least|most)|exactly|about|none|wanted|[\d: to%]+wanted)|; |: (?=')).*", re.DOTALL)
_ONE = re.compile(r"^((?:found )?1 [a-z ]*?[a-z]+)s(?= in | with |$)")
_COUNTED = re.compile(r"(?:found )?(\d+) (?:different |top-level |filled )*([a-z ]+?) ?(?=[,;:(]|$)", re.IGNORECASE)
_MARKS_FOUND = re.compile(r"[a-z ]+ found: (\d+)")
_NUMBER_FIRST = re.compile(r"(?:found )?(\d+)(?=,| times)")
_AT_START = frozenset({"affix:start_phrase", "affix:first_word", "affix:first_line"})
_AT_END = frozenset({"affix:end_phrase", "affix:last_word", "affix:last_line", "affix:final_question"})
_UNITS = {
    "words": "{}个字", "sentences": "{}句", "lines": "{}行", "paragraphs": "{}段", "characters": "{}个字符",
    "letters": "{}个字母或汉字", "bullet points": "{}个要点", "task items": "{}个任务项", "headings": "{}个标题",
    "highlighted spans": "{}处标记", "sections": "{}节", "placeholders": "{}个占位符", "parts between rules": "{}部分",
    "numbers": "{}个数字", "emoji": "{}个表情符号", "links": "{}个链接", "quoted lines": "{}行引用", "rows": "{}行",
    "code blocks": "{}个代码块", "JSON lines": "{}行JSON", "dates": "{}个日期",
    "items": "{}项", "quotations": "{}处引语",
    "words in the longest sentence": "最长的一句有{}个字", "words in the shortest sentence": "最短的一句有{}个字",
    "words in the longest paragraph": "最长的一段有{}个字", "characters in the longest line": "最长的一行有{}个字符",
    "words in capitals": "{}个大写单词", "names": "{}个名字", "pronouns": "{}个代词", "labels": "{}个标签",
    "conjunctions": "{}个连词", "stair lines": "{}行台阶", "responses": "{}个回答", "pieces of code": "{}处代码",
}  # fmt: skip


def evidence(constraint: Constraint, response: Response, context: Context, language: str) -> str | None:
    """Return what the verifier found where it is satisfied and has something concrete to say; else None.

    Example:
        >>> from rewards import parse_constraint
        >>> limit = parse_constraint({"type": "length:max_words", "limit": 5})
        >>> [evidence(limit, Response(None, "It is 7."), Context(), language) for language in ("en", "zh")]
        ['3 words', '3个字']
    """
    if constraint.type in _SLOW or constraint.family == "judge":
        return None
    verdict = checked(constraint, response, context)
    if verdict.status is not Status.SATISFIED:
        return None
    return _english(verdict.evidence) if language == "en" else _chinese(verdict.evidence, constraint, response)


def _english(found: str) -> str | None:
    short = _ONE.sub(r"\1", _CUT.sub("", found))
    return short if 0 < len(short) <= 70 and "\n" not in short else None


def _chinese(found: str, constraint: Constraint, response: Response) -> str | None:
    if constraint.family == "affix":
        return _ends(constraint, response.answer)
    if counted := _COUNTED.match(found):
        unit = _UNITS.get(counted[2])
        return unit.format(counted[1]) if unit else None
    if marks := _MARKS_FOUND.match(found):
        return f"找到{marks[1]}处"
    number = _NUMBER_FIRST.match(found)
    return f"出现{number[1]}次" if number else None


def _ends(constraint: Constraint, answer: str) -> str | None:
    """Quote the end of the answer that a constraint speaks about."""
    text = " ".join(answer.split())
    fixed = next((value for name in ("phrase", "line", "word") if (value := getattr(constraint, name, ""))), "")
    length = len(fixed) or 8
    if constraint.type in _AT_END:
        return f"末尾是“{text[-length:].strip()}”"
    return f"开头是“{text[:length].strip()}”" if constraint.type in _AT_START else None
