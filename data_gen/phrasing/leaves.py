"""One constraint in words: a sentence by itself, or a clause inside a longer sentence."""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random
from typing import Literal

from data_gen.phrasing_banks import STOPS, bank
from rewards.constraint import Constraint, constraint_class
from rewards.scope import scope_prefix

#: `own`: only the phrases of the constraint's class, which state the counting rule; `all`: the banks as well.
Wordings = Literal["own", "all"]

_SENTENCE_END = re.compile(r"[.!?:;][\"”)]*\s|[。！？：；]")
_ABOUT_THE_ANSWER = re.compile(
    r"\b(?:answer|reply|response|text)s?\b|回答|回复|答复|答案|作答|全文|正文", re.IGNORECASE
)
_NOT_IMPERATIVE = re.compile(
    r"(?:Your?|The|I|I'd|I'm|There|No|An?|Every|Each|Please|All|Only|It|At|Nothing|Exactly|One|Some|Somewhere|In|From|Of"
    r"|Words|Both|With|If)\b"
    r"|请|回复|全文|文中|正文|回答|无论|凡|每|各|句|行数|段落|字母|要点|整个|括号|字数|总|任何|“"
)
#: What cannot follow "先" and "再": subjects, and words that say themselves what comes first or last.
_NOT_A_STEP = re.compile(
    r"先|别|至多\{|最后|开头|结尾|前面|首|末|第一行|行首|数字|代词|段段|到了|其中|在英语|书写时|围栏|项目|标题|指向|引用块|列表|题目"
    r"|编号|带复选|像\[|字符|单|目标|长度|内容至少|去掉重复|重复的|一段不|元音|双引号|引号|两|位置|虚词|不同的|只看|不含|同一"
    r"|不管|用标点|奇数|用过|表情|词|以标点|以句号|相邻|英语|英文|汉字|中文一律|文字|除|不计|所有|全大写|全小写|篇幅|陈述|连着写"
    r"|标点|语言|逗号|话要|需要|即使|写的时候|\{"
)
#: What is said of several things, and is nonsense where one is asked for.
_OF_SEVERAL = re.compile(
    r"different|distinct|no two|alike|repeat|divided|separate|set apart|between them"
    r"|不同|重复|各不|段与段|段落之间|段间|隔开|空一行"
)
_PREPOSITION = {"en": ", ", "zh": "，"}


_KEPT_CAPITAL = re.compile(r"I(?![a-z])|\S[A-Z]")


def inline(sentence: str, language: str) -> str:
    """Return a sentence without its stop and with a small first letter, to stand inside a longer one.

    Example:
        >>> inline("Write two lines.", "en"), inline("I'd like two lines.", "en"), inline("写两行。", "zh")
        ('write two lines', "I'd like two lines", '写两行')
    """
    said = sentence.removesuffix(STOPS[language])
    return said if language != "en" or _KEPT_CAPITAL.match(said) else said[:1].lower() + said[1:]


class Wording:
    """The wordings of constraints that a prompt may use, drawn one by one."""

    def __init__(self, language: str, wordings: Wordings, rng: Random) -> None:
        self.language, self.wordings, self.rng = language, wordings, rng

    def sentence(self, constraint: Constraint) -> str:
        """Return a sentence with its stop."""
        templates = _templates(constraint.type, self.language, self.wordings)
        if constraint.scope == "answer":
            return self._filled(constraint, self.rng.choice(_fitting(templates, constraint)))
        return self._scoped(constraint, self.clause(constraint))

    def clause(self, constraint: Constraint, step: bool = False) -> str:
        """Return what can stand inside a sentence, without the scope; wordings of several sentences come last."""
        scoped = constraint.scope != "answer"
        templates = _clauses(constraint.type, self.language, self.wordings, scoped, step and not scoped)
        return inline(self._filled(constraint, self.rng.choice(_fitting(templates, constraint))), self.language)

    def scoped_clause(self, constraint: Constraint, step: bool = False) -> str:
        """Return a clause, of a step or not, that says where the constraint applies, if not to the whole answer."""
        clause = self.clause(constraint, step)
        return clause if constraint.scope == "answer" else inline(self._scoped(constraint, clause), self.language)

    def _scoped(self, constraint: Constraint, clause: str) -> str:
        place = scope_prefix(constraint.scope, self.language)
        return f"{place}{_PREPOSITION[self.language]}{clause}{STOPS[self.language]}"

    def _filled(self, constraint: Constraint, template: str) -> str:
        said = template.format_map(constraint.slots(self.language))
        return said if said[-1:] in '.!?。！？"”`' else said + STOPS[self.language]


def _fitting(templates: tuple[str, ...], constraint: Constraint) -> tuple[str, ...]:
    """Return the wordings that fit the number asked for: of one thing, none that speaks of several."""
    if 1 not in (getattr(constraint, "count", 0), getattr(constraint, "limit", 0)):
        return templates
    return tuple(each for each in templates if not _OF_SEVERAL.search(each)) or templates


@lru_cache(maxsize=2048)
def _templates(kind: str, language: str, wordings: Wordings) -> tuple[str, ...]:
    own = tuple(constraint_class(kind).phrases[language])
    return own if wordings == "own" or kind == "judge:question" else bank(kind, language)


@lru_cache(maxsize=4096)
def _clauses(kind: str, language: str, wordings: Wordings, inside_part: bool, step: bool) -> tuple[str, ...]:
    """Return the wordings that read best inside a sentence; of those about a part, none that names the answer."""
    found = _templates(kind, language, wordings)
    if inside_part:
        found = tuple(each for each in found if not _ABOUT_THE_ANSWER.search(each)) or found
    found = tuple(each for each in found if not _SENTENCE_END.search(each[:-1])) or found
    found = tuple(each for each in found if not _NOT_IMPERATIVE.match(each)) or found
    return tuple(each for each in found if not (step and _NOT_A_STEP.match(each))) or found
