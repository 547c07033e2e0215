"""Chains and forks in words: what comes first, which branch applies and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from data_gen.experts.branches import Facts, Fork, decide
from data_gen.experts.evidence import evidence
from data_gen.experts.grouping import mention
from data_gen.experts.wordings import WORDINGS
from rewards.conditions import AnswerCondition, Condition, RequestCondition, ResponseCondition
from rewards.response import Response
from rewards.task_answer import MathAnswer, QaAnswer
from rewards.tree import And, Chain, Leaf, Node

_RELATIONS = {
    "en": {"equals": "equals {}", "above": "is above {}", "below": "is below {}", "even": "is even", "odd": "is odd",
           "positive": "is positive", "negative": "is negative"},
    "zh": {"equals": "等于{}", "above": "大于{}", "below": "小于{}", "even": "是偶数", "odd": "是奇数",
           "positive": "是正数", "negative": "是负数"},
}  # fmt: skip
_MY_SIDE = tuple(
    (re.compile(pattern), mine)
    for pattern, mine in (
        (r"\b[Mm]y (request|question|task|message)\b", r"the \1"),
        (r"\b[Yy]our\b", "my"),
        (r"\b[Yy]ou are\b", "I am"),
        (r"\b[Yy]ou\b", "I"),
        (r"我的(要求|问题|任务|话)", r"这里的\1"),
        (r"[你您]的", "我的"),
        (r"[你您]", "我"),
    )
)


class Teller:
    """Puts the structure of a tree into words of one language.

    Args:
        facts: what decides the branches.
        language: of the words.
        rng: draws the wordings.
    """

    def __init__(self, facts: Facts, language: str, rng: Random) -> None:
        self.facts, self.language, self.rng = facts, language, rng
        self.say = WORDINGS[language]

    def demand(self, node: Node | None) -> str:
        """Return what a part of a tree asks for, as one clause."""
        if node is None:
            return "nothing more" if self.language == "en" else "没有别的要求"
        if isinstance(node, Leaf):
            return mention(node.constraint, self.language)
        if isinstance(node, And):
            return self._together([self.demand(part) for part in node.parts])
        if isinstance(node, Chain):
            return self._sequence([self.demand(step) for step in node.steps])
        fork = decide(node, self.facts)
        if fork.branch is None:
            return self._cases(fork)
        return f"{self._because(fork)}{self.demand(fork.taken)}"

    def chain(self, chain: Chain) -> str:
        """Tell a chain: its steps in order, and that they depend on each other."""
        steps = self._sequence([self.demand(step) for step in chain.steps])
        return self.rng.choice(self.say.chain).format(steps=steps)

    def fork(self, fork: Fork) -> str:
        """Tell a fork: what it turns on, how that turns out, and what is to be done."""
        say, rng = self.say, self.rng
        opening = rng.choice(say.fork).format(condition=self._condition(fork.decisive))
        if fork.branch is None:
            closing = rng.choice(say.fork_open).format(demand=self._cases(fork))
        else:
            reason = self._reason(fork)
            reason = reason[:1].upper() + reason[1:]
            closing = self._closing(fork, reason)
        return f"{opening}{say.space}{closing}"

    def _cases(self, fork: Fork) -> str:
        """Return what every branch would ask for."""
        cases = [*(branch.then for branch in fork.selection.branches), fork.selection.otherwise]
        return self._together([self.demand(case) for case in cases if case is not None])

    def _closing(self, fork: Fork, reason: str) -> str:
        say, rng = self.say, self.rng
        if fork.taken is None or fork.branch is None:
            return rng.choice(say.branch_none).format(reason=reason)
        bank = say.fork_met if _is_met(fork) else say.fork_unmet
        demand = self.demand(fork.taken)
        return rng.choice(bank).format(reason=reason, branch=self._branch(fork), demand=demand)

    def _branch(self, fork: Fork) -> str:
        if not _is_met(fork) or fork.branch is None:
            return self.say.branch_else
        return self.say.branch_other.format(number=fork.branch + 1) if fork.branch else self.say.branch_first

    def _together(self, clauses: Sequence[str]) -> str:
        between, last = self.say.listed
        return last.join([between.join(clauses[:-1]), clauses[-1]]) if len(clauses) > 1 else clauses[0]

    def _sequence(self, clauses: Sequence[str]) -> str:
        first, further, last = self.say.step_words
        words = [first, *[further] * (len(clauses) - 2), last if len(clauses) > 2 else further]
        return self.say.comma.join(f"{word}{clause}" for word, clause in zip(words, clauses, strict=False))

    def _condition(self, condition: Condition) -> str:
        """Return a condition as a clause without `if`."""
        chinese = self.language == "zh"
        text = getattr(condition, "text", "").strip().rstrip(".。?？")
        if isinstance(condition, AnswerCondition):
            relation = _RELATIONS[self.language][condition.relation].format(condition.value)
            return f"{'结果' if chinese else 'the result '}{relation}"
        if text:
            return _from_my_side(text)
        wanted = mention(condition.constraint, self.language) if condition.constraint else ""
        where = "题目" if isinstance(condition, RequestCondition) else "回答"
        place = "the request" if isinstance(condition, RequestCondition) else "the answer"
        return f"{where}是这样的：{wanted}" if chinese else f"{place} meets this: {wanted}"

    def _because(self, fork: Fork) -> str:
        """Say in a clause why a branch inside another part is taken."""
        chinese, condition = self.language == "zh", fork.decisive
        if isinstance(condition, AnswerCondition):
            return f"因为结果是{self._value()}，" if chinese else f"since the result is {self._value()}, "
        said = self._condition(condition)
        if _is_met(fork):
            return f"因为{said}，" if chinese else f"since {said}, "
        return f"因为“{said}”不成立，" if chinese else f"since it is not so that {said}, "

    def _reason(self, fork: Fork) -> str:
        """Say how the deciding condition turns out, with what was found."""
        chinese, condition, met = self.language == "zh", fork.decisive, _is_met(fork)
        if isinstance(condition, AnswerCondition):
            value = self._value()
            if chinese:
                return f"结果是{value}，条件{'' if met else '不'}成立"
            return f"it {'does' if met else 'does not'}: the result is {value}"
        found = self._found(condition)
        if isinstance(condition, ResponseCondition):
            if chinese:
                return f"我{'' if met else '不'}打算这样写{found}"
            return f"I {'will' if met else 'will not'} write it that way{found}"
        if chinese:
            return f"看了一下，{'确实如此' if met else '并非如此'}{found}"
        return f"that is {'' if met else 'not '}the case{found}"

    def _found(self, condition: RequestCondition | ResponseCondition) -> str:
        if condition.constraint is None:
            return ""
        on_request = isinstance(condition, RequestCondition)
        text = Response(None, self.facts.context.request) if on_request else self.facts.response
        said = evidence(condition.constraint, text, self.facts.context, self.language)
        return (f"（{said}）" if self.language == "zh" else f" ({said})") if said else ""

    def _value(self) -> str:
        answer = self.facts.answer
        if isinstance(answer, MathAnswer):
            return answer.value
        return answer.values[0] if isinstance(answer, QaAnswer) else ""


def _from_my_side(text: str) -> str:
    """Turn what the prompt says to its reader into what the reader says."""
    for pattern, mine in _MY_SIDE:
        text = pattern.sub(mine, text)
    return text if text[:2].isupper() or text.startswith("I ") else f"{text[:1].lower()}{text[1:]}"


def _is_met(fork: Fork) -> bool:
    return fork.branch is not None and fork.branch < len(fork.selection.branches)
