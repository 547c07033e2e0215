"""How a task that was solved without the constraint came to be lost: one class for each failure, told by rule.

The classes are ours; the first of `FAILURE_CLASSES` whose rule holds is the one. They are read off the answer part:

- `truncated`: the completion was cut off at the cap, or is blank.
- `no_answer`: no final answer was found; thinking that never closes is none.
- `syntax_error`, `entry_missing`, `runtime_error`, `timeout`, `wrong_output`: how the program ended (`scoring`).
- `answer_lost`: the right answer occurs in the text, but is not the final one. Numbers are compared by value, others as
  text, answers to questions by tokens. It is not told of questions whose answer is yes or no, since those words occur
  anyway.
- `constraint_talk`: two sentences or more speak of the constraint: of constraints as such, of what its group is named
  by ("word", "sentence", "comma"), or of the word that it is about. What the request or the first output say anyway
  does not count.
- `short_circuit`, `overgrown`: shorter than half of the first output, or longer than twice it; in words, of Chinese in
  characters.
- `early_divergence`, `late_divergence`: the first number (of mathematics; where a text has none, and of questions, the
  first sentence) that differs from the first output's lies in the first third of that, or after it. The numbers of
  lists and steps do not count.
- `other`: nothing differs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from data_gen.self_evident.placement import length_of
from raif.sustain.records import Demand, SustainRollout, Task
from rewards.math_answer import equal_answers
from rewards.qa_answer import qa_tokens
from rewards.sentences import split_sentences
from rewards.task_answer import MathAnswer, QaAnswer
from rewards.text import fold

PROGRAM_CLASSES = ("syntax_error", "entry_missing", "runtime_error", "timeout", "wrong_output")
FAILURE_CLASSES = (
    "truncated",
    "no_answer",
    *PROGRAM_CLASSES,
    "answer_lost",
    "constraint_talk",
    "short_circuit",
    "overgrown",
    "early_divergence",
    "late_divergence",
    "other",
)
SHORT, LONG, EARLY, TALK = 0.5, 2.0, 1 / 3, 2

#: What a group of constraints is named by; the first entry speaks of constraints as such. English words also in the
#: plural, Chinese ones as parts of a text.
_NAMES = {
    "": "constraint|instruction|requirement|keyword|约束|限制|指令|要求|关键词",
    "length": "word|sentence|character|length|word count|字数|个字|个词|句话|句子|篇幅",
    "structure": (
        "line|paragraph|list|bullet|heading|bold|table|format|formatting|段落|空行|列表|要点|编号|标题|加粗|表格|格式"
    ),
    "keyword": "word|phrase|单词|词语|一词|字眼",
    "position": "word|phrase|first word|last line|final line|第一个词|开头|结尾|最后一行|末行",
    "character": (
        "comma|exclamation mark|question mark|colon|semicolon|capital|uppercase|lowercase|letter|punctuation|script"
        "|标点|逗号|感叹号|问号|冒号|分号|大写|小写|字母|汉字"
    ),
}
_NUMBER = re.compile(r"(?:(?<![\w.)\]}])-)?(?<![A-Za-z_.\d])\d+(?:,\d{3})*(?:\.\d+)?")
_LISTED = re.compile(
    r"^[ \t]*(?:[-*+•#]+[ \t]*)?(?:step[ ]*|第)?\d+步?(?:[.):][ \t]+|[、：])(?=\S)", re.MULTILINE | re.IGNORECASE
)
_SPACING = re.compile(r"\\(?:left|right)(?![A-Za-z])|\\[,;!: ]|\$")
_POLAR = frozenset({"yes", "no", "是", "是的", "否", "不", "不是"})


def failure_class(task: Task, witness: str, rollout: SustainRollout, demands: Sequence[Demand], extracted: bool) -> str:
    """Return the class of a wrong output, one of `FAILURE_CLASSES`.

    Args:
        task: that was solved without the constraint.
        witness: the answer part of the first output.
        rollout: the output that is wrong.
        demands: the constraints in its prompt; none of a control arm.
        extracted: whether a final answer or a program was found in it (`Scored.extracted`).
    """
    answer = rollout.response.answer
    if rollout.truncated or not rollout.completion.strip():
        return "truncated"
    if not extracted or not answer.strip():
        return "no_answer"
    if rollout.ending in PROGRAM_CLASSES:
        return rollout.ending
    if _holds_gold(task, answer):
        return "answer_lost"
    if _talks(answer, demands, f"{task.request}\n{witness}"):
        return "constraint_talk"
    size, usual = length_of(answer.strip(), task.language), length_of(witness.strip(), task.language)
    if size < SHORT * usual:
        return "short_circuit"
    return "overgrown" if size > LONG * usual else _divergence(task, witness, answer)


# The right answer in the text


def _holds_gold(task: Task, answer: str) -> bool:
    if isinstance(task.answer, MathAnswer):
        return _holds_value(task.answer.value, answer)
    if isinstance(task.answer, QaAnswer) and not all("".join(qa_tokens(each)) in _POLAR for each in task.answer.values):
        said = [token for line in answer.splitlines() for token in qa_tokens(line)]
        return any(_contains(said, qa_tokens(value)) for value in task.answer.values)
    return False


def _holds_value(gold: str, answer: str) -> bool:
    plain = unicodedata.normalize("NFKC", answer).replace("−", "-")
    if any(equal_answers(gold, number) for number in set(_NUMBER.findall(plain))):
        return True
    wanted = r"\s*".join(map(re.escape, "".join(_SPACING.sub("", gold).split())))
    return wanted != "" and re.search(rf"(?<![\w.]){wanted}(?!\w|\.\d)", _SPACING.sub(" ", answer)) is not None


def _contains(said: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether tokens stand one after the other among others."""
    size = len(wanted)
    return size > 0 and any(said[place : place + size] == wanted for place in range(len(said) - size + 1))


# Talk of the constraint


def _talks(answer: str, demands: Sequence[Demand], known: str) -> bool:
    names = [name for group in dict.fromkeys(["", *(each.group for each in demands)]) for name in _names_of(group)]
    words = [str(value) for each in demands for value in each.slots.values() if isinstance(value, str)]
    usual = fold(known)
    fresh = [name for name in dict.fromkeys(map(fold, [*names, *words])) if not _mentions(usual, [name])]
    return sum(_mentions(fold(sentence), fresh) for sentence in split_sentences(answer)) >= TALK


def _names_of(group: str) -> list[str]:
    return _NAMES.get(group, "").split("|")


def _mentions(text: str, names: Iterable[str]) -> bool:
    return any(name in text and _pattern(name).search(text) is not None for name in names if name)


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(name)}s?\b" if name.isascii() else re.escape(name))


# Where an output leaves the first one


def _divergence(task: Task, witness: str, answer: str) -> str:
    first, second = (_numbers(text) for text in (witness, answer))
    if task.domain != "math" or not first or not second:
        first, second = (_statements(text) for text in (witness, answer))
    differs = (place for place, (old, new) in enumerate(zip_longest(first, second)) if old != new)
    place = next(differs, None)
    if place is None:
        return "other"
    return "early_divergence" if place < EARLY * len(first) else "late_divergence"


def _numbers(text: str) -> list[Any]:
    plain = unicodedata.normalize("NFKC", _LISTED.sub("", text)).replace("−", "-")
    return [number.replace(",", "") for number in _NUMBER.findall(plain)]


def _statements(text: str) -> list[Any]:
    tokens = (tuple(qa_tokens(sentence)) for sentence in split_sentences(_LISTED.sub("", text)))
    return [each for each in tokens if each]
