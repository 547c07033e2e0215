"""A tree in running text: demands one after the other, chains and branches joined by the grammar of the language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from data_gen.phrasing.leaves import Wording, inline
from data_gen.phrasing.tree import Spoken
from data_gen.phrasing_banks import STOPS
from rewards.conditions import Condition

_COMMA = re.compile(r"[,，]")
_SPACE = {"en": " ", "zh": ""}
#: Openings of a further demand.
_FURTHER = {
    "en": ("Also, ", "In addition, ", "Besides that, ", "And one more thing: ", "On top of that, "),
    "zh": ("另外，", "此外，", "还有，", "同时，", "除此之外，"),
}
_TWO_STEPS = {
    "en": (
        "First, {0}. Then {1}.",
        "Begin with this: {0}. After that, {1}.",
        "Start here: {0}. Once that is in place, {1}.",
        "Do two things, in this order: {0}, and then {1}.",
    ),
    "zh": (
        "先{0}，然后{1}。",
        "第一步，{0}；第二步，{1}。",
        "第一，{0}；做到之后，第二，{1}。",
        "首先{0}，做到之后再{1}。",
        "请依次做到两点：先{0}，再{1}。",
    ),
}
_STEPS = {
    "en": (
        ("First, {}.", "Then {}.", "Next, {}.", "Finally, {}."),
        ("Step one: {}.", "After that, {}.", "Then {}.", "Last of all, {}."),
        ("To begin with, {}.", "With that done, {}.", "After that, {}.", "In the end, {}."),
    ),
    "zh": (
        ("首先，{}；", "然后，{}；", "接着，{}；", "最后，{}。"),
        ("先{}，", "再{}，", "接下来{}，", "最后{}。"),
        ("第一步，{}；", "做到之后，{}；", "接着，{}；", "最后一步，{}。"),
    ),
}
_BRANCHES = {
    "en": (
        ("If {c}, {t}", "; otherwise, {o}."),
        ("If {c}, {t}", ". Otherwise, {o}."),
        ("When {c}, {t}", "; in any other case, {o}."),
        ("In case {c}, {t}", ". Otherwise, {o}."),
        ("Should it turn out that {c}, {t}", "; otherwise, {o}."),
    ),
    "zh": (
        ("如果{c}，{t}", "；否则，{o}。"),
        ("倘若{c}，{t}", "；不然的话，{o}。"),
        ("若{c}，则{t}", "；否则{o}。"),
        ("当{c}时，{t}", "；其他情况下，{o}。"),
    ),
}
_ONLY = {
    "en": ("If {c}, {t}.", "Only if {c}, {t}.", "In case {c}, {t}.", "Should it turn out that {c}, {t}."),
    "zh": ("如果{c}，{t}。", "只有当{c}时，才需要{t}。", "倘若{c}，{t}。", "若{c}，则{t}。"),
}
_ELSE_IF = {"en": ("; if instead {c}, {t}", "; or else, if {c}, {t}"), "zh": ("；如果{c}，{t}", "；或者，若{c}，则{t}")}
_DEEP_IF = {"en": ("if {c}, {t}", ", and if not, {o}"), "zh": ("如果{c}，{t}", "，否则{o}")}


_BAN = re.compile(r"不|别|避免|禁|无|一[个处次].{0,8}[都也]不|[^，]{1,12}[都也]不")
_CLOSE = re.compile(r"[先再后来]\{")  # "先不要…" says "for now, do not"
T = TypeVar("T", str, tuple[str, ...])


class Prose:
    """Writes trees as running text in one language."""

    def __init__(self, wording: Wording, rng: Random) -> None:
        self.wording, self.rng, self.language = wording, rng, wording.language

    def paragraph(self, node: Spoken) -> str:
        """Return a node as whole sentences."""
        if node.kind != "and":
            return self.sentence(node)
        openings = list(_FURTHER[self.language]) if self.wording.wordings == "all" else []
        self.rng.shuffle(openings)
        first, *others = [self.sentence(part) for part in node.children]
        further = [
            self._further(text, openings) if part.kind == "leaf" else text
            for part, text in zip(node.children[1:], others, strict=True)
        ]
        return _SPACE[self.language].join([first, *further])

    def _further(self, text: str, openings: list[str]) -> str:
        """Return a further sentence, now and then with an opening that has not been used yet."""
        if not openings or not text.endswith(STOPS[self.language]) or self.rng.random() < 0.6:
            return text
        return openings.pop() + inline(text, self.language) + STOPS[self.language]

    def sentence(self, node: Spoken) -> str:
        """Return a node as one or more sentences."""
        if node.kind == "leaf":
            return node.note(self.wording.sentence(node.constraint))
        if node.kind == "and":
            return self.paragraph(node)
        return self._chain(node.children) if node.kind == "chain" else self._selection(node)

    def clause(self, node: Spoken, step: bool = False) -> str:
        """Return a node as something that can stand inside a sentence, as a step or not, without a stop."""
        if node.kind == "leaf":
            return node.note(self.wording.scoped_clause(node.constraint, step))
        first, others = node.kind == "chain" or (step and node.kind == "and"), node.kind == "chain"
        clauses = [self.clause(child, others if number else first) for number, child in enumerate(node.children)]
        if node.kind == "and":
            return _listed(clauses, self.language)
        if node.kind == "chain":
            return _in_order(clauses, self.language)
        return self._deep_selection(node.conditions, clauses, node.otherwise)

    def _chain(self, steps: Sequence[Spoken]) -> str:
        clauses = [self.clause(step, step=True) for step in steps]
        bans = any(map(_BAN.match, clauses))
        if len(clauses) == 2:
            return self.rng.choice(_joints(_TWO_STEPS[self.language], bans)).format(*clauses)
        first, *middle, last = self.rng.choice(_joints(_STEPS[self.language], bans))
        between = [middle[number % len(middle)] for number in range(len(clauses) - 2)]
        patterns = [first, *between, last]
        said = [pattern.format(clause) for pattern, clause in zip(patterns, clauses, strict=True)]
        return _SPACE[self.language].join(said)

    def _selection(self, node: Spoken) -> str:
        clauses = [self.clause(child) for child in node.children]
        conditions = node.conditions
        if not node.otherwise and len(conditions) == 1:
            return self.rng.choice(_ONLY[self.language]).format(c=conditions[0].text, t=clauses[0])
        opening, ending = self.rng.choice(_BRANCHES[self.language])
        said = opening.format(c=conditions[0].text, t=clauses[0])
        for condition, clause in zip(conditions[1:], clauses[1:], strict=False):
            said += self.rng.choice(_ELSE_IF[self.language]).format(c=condition.text, t=clause)
        return said + (ending.format(o=clauses[-1]) if node.otherwise else STOPS[self.language])

    def _deep_selection(self, conditions: Sequence[Condition], clauses: Sequence[str], otherwise: bool) -> str:
        opening, ending = _DEEP_IF[self.language]
        said = opening.format(c=conditions[0].text, t=clauses[0])
        further = _ELSE_IF[self.language][0].replace("；", "，").replace(";", ",")
        for condition, clause in zip(conditions[1:], clauses[1:], strict=False):
            said += further.format(c=condition.text, t=clause)
        return said + (ending.format(o=clauses[-1]) if otherwise else "")


def _joints(patterns: Sequence[T], bans: bool) -> Sequence[T]:
    """Return the patterns of a chain; of one with bans, those after whose words a pause keeps them from being put off.

    Example:
        >>> _joints(("先{0}，再{1}。", "第一步，{0}；第二步，{1}。"), True)
        ['第一步，{0}；第二步，{1}。']
    """
    return [each for each in patterns if not _CLOSE.search("".join(each))] if bans else patterns


def _listed(clauses: Sequence[str], language: str) -> str:
    """Join clauses that all count.

    Example:
        >>> _listed(["use no commas", "write two lines"], "en")
        'use no commas and write two lines'
    """
    if len(clauses) < 2:
        return clauses[0]
    if len(clauses) > 3 or (len(clauses) > 2 and any(_COMMA.search(clause) for clause in clauses)):
        return _numbered(clauses, language)
    if language == "zh":
        return "，".join(clauses[:-1]) + "，并且" + clauses[-1]
    joint = ", and " if len(clauses) > 2 or _COMMA.search(clauses[0]) else " and "
    return f"{', '.join(clauses[:-1])}{joint}{clauses[-1]}"


def _numbered(clauses: Sequence[str], language: str) -> str:
    """Join clauses that are too many, or too long, for commas alone.

    Example:
        >>> _numbered(["use no commas", "write two lines", "stop"], "en")
        'do all of this: (1) use no commas, (2) write two lines, and (3) stop'
    """
    return {"en": "do all of this: ", "zh": "同时做到："}[language] + _items(clauses, language)


def _items(clauses: Sequence[str], language: str) -> str:
    if language == "zh":
        return "，".join(f"（{number}）{clause}" for number, clause in enumerate(clauses, 1))
    items = [f"({number}) {clause}" for number, clause in enumerate(clauses, 1)]
    return f"{', '.join(items[:-1])}, and {items[-1]}"


def _in_order(clauses: Sequence[str], language: str) -> str:
    """Join clauses of which each waits for the one before."""
    if len(clauses) > 3:
        return {"en": "do the following in order: ", "zh": "依次做到："}[language] + _items(clauses, language)
    return "先" + "，再".join(clauses) if language == "zh" else "first " + ", then ".join(clauses)
