"""An instruction taken apart into numbered demands, and put together again around a new prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from data_gen.evolve.keeping import Kept, kept_of
from rewards.conditions import AnswerCondition, Condition, RequestCondition
from rewards.instruction import Instruction, SubInstruction
from rewards.judged import Judged
from rewards.sentences import split_sentences
from rewards.tree import And, Branch, Chain, Leaf, Node, Place, Selection

_RELATIONS = {
    "en": {
        "equals": "the final answer is {}",
        "above": "the final answer is greater than {}",
        "below": "the final answer is less than {}",
        "even": "the final answer is an even number",
        "odd": "the final answer is an odd number",
        "positive": "the final answer is positive",
        "negative": "the final answer is negative",
    },
    "zh": {
        "equals": "最终答案是{}",
        "above": "最终答案大于{}",
        "below": "最终答案小于{}",
        "even": "最终答案是偶数",
        "odd": "最终答案是奇数",
        "positive": "最终答案是正数",
        "negative": "最终答案是负数",
    },
}
_MEETS = {"en": "this holds: {}", "zh": "满足这一条：{}"}
_NONE_OF = {"en": "it is not the case that {}", "zh": "以下情况都不成立：{}"}
_OR = {"en": " or that ", "zh": "；"}
_AND = {"en": "{}, and {}", "zh": "{}，并且{}"}


class Demand(NamedTuple):
    """One leaf as it is given to a model.

    Fields:
        text: the wording so far. question: for a judge, of soft demands.
        soft: no rule decides it.
        kept: what the rule's arguments are in that wording.
        only_if: the conditions under which it counts, outermost first; an empty one has no words.
        after: the numbers of the demands that must be met first; numbers begin at 1.
    """

    text: str
    question: str = ""
    soft: bool = False
    kept: Kept = Kept()
    only_if: tuple[str, ...] = ()
    after: tuple[int, ...] = ()


class Added(NamedTuple):
    """A soft demand that the model has thought of."""

    kind: str
    text: str
    question: str


def demands_of(instruction: Instruction) -> list[Demand]:
    """Return the demands of an instruction, in the order of the leaves of its tree."""
    worded = {each.path: each for each in instruction.sub_instructions}
    return [_demand(place, worded.get(place.path), instruction.language) for place in instruction.tree.places]


def _demand(place: Place, worded: SubInstruction | None, language: str) -> Demand:
    constraint = place.leaf.constraint
    soft = isinstance(constraint, Judged)
    text = worded.text if worded else constraint.describe(language)
    if isinstance(constraint, Judged) and not text:
        text = constraint.question
    return Demand(
        text=text,
        question=constraint.question if isinstance(constraint, Judged) else "",
        soft=soft,
        kept=Kept() if soft else kept_of(constraint, text, language),
        only_if=tuple(_gate(selection, branch, language) for selection, branch in place.gates),
        after=tuple(number + 1 for number in sorted(set(place.needs))),
    )


def _gate(selection: Selection, branch: int, language: str) -> str:
    """Say when a branch is taken: its condition holds, and none of those before it."""
    said = [condition_text(each.when, language) for each in selection.branches]
    if not all(said):
        return ""
    earlier = _NONE_OF[language].format(_OR[language].join(said[:branch]))
    if branch == len(said):
        return earlier
    return _AND[language].format(said[branch], earlier) if branch else said[branch]


def condition_text(condition: Condition, language: str) -> str:
    """Return the words of a condition, without what introduces it; empty where it has none.

    Example:
        >>> condition_text(AnswerCondition(relation="above", value="10"), "en")
        'the final answer is greater than 10'
    """
    said = str(getattr(condition, "text", ""))
    if said:
        return said
    if isinstance(condition, AnswerCondition):
        return _RELATIONS[language][condition.relation].format(condition.value)
    constraint = condition.constraint
    return "" if constraint is None else _MEETS[language].format(constraint.describe(language))


def kept_conditions(instruction: Instruction) -> list[Kept]:
    """Return what the new prompt must still say of the conditions that branches hang on."""
    kept = []
    for condition in instruction.tree.conditions():
        text, constraint = condition_text(condition, instruction.language), getattr(condition, "constraint", None)
        if constraint is not None:
            kept.append(
                kept_of(constraint, text, instruction.language)._replace(subject=frozenset(), bounds=frozenset())
            )
        elif isinstance(condition, AnswerCondition) and condition.value is not None:
            kept.append(Kept(literals=(condition.value,)) if condition.value in text else Kept())
    return kept


def is_about_the_request(instruction: Instruction) -> bool:
    """Tell whether a demand or condition speaks of the words of the request, which then must not change."""
    conditions = any(isinstance(condition, RequestCondition) for condition in instruction.tree.conditions())
    return conditions or any(
        value == instruction.request
        for constraint in instruction.constraints
        for value in constraint.model_dump(exclude={"type", "scope"}).values()
    )


def answer_format(instruction: Instruction) -> str:
    """Return the sentence of the template prompt that says where the final answer goes, if there is one."""
    text = instruction.prompt_text.replace(instruction.request, " ", 1)
    lines = (re.sub(r"^\s*[-*•]\s+", "", line) for line in text.split("\n"))
    return next((each for line in lines for each in split_sentences(line) if "\\boxed" in each), "")


def put_together(
    instruction: Instruction, prompt: str, demands: Sequence[Demand], added: Sequence[Added], generator: str
) -> Instruction:
    """Return the evolved instruction: a new prompt, wordings and soft leaves around the same rules.

    The witness stays, since it satisfies the same rules; the expert's demonstration stays where no soft demand is new.
    """
    old = instruction.tree.places
    tree = _with_added(_reworded(instruction.tree, iter(demands)), added)
    places = tree.places
    texts = [*demands, *(Demand(each.text, each.question, True) for each in added)]
    new_path = {before.path: after.path for before, after in zip(old, places, strict=False)}
    needs = {each.path: tuple(new_path[path] for path in each.needs) for each in instruction.sub_instructions}
    paths = [place.path for place in old] + [""] * len(added)
    words = tuple(
        SubInstruction(path=place.path, text=said.text, question=said.question, needs=needs.get(path, ()))
        for place, said, path in zip(places, texts, paths, strict=True)
    )
    fields: dict[str, Any] = {name: getattr(instruction, name) for name in _KEPT_FIELDS}
    return Instruction.build(
        **fields,
        prompt=prompt,
        tree=tree,
        sub_instructions=words,
        source=instruction.source.model_copy(update={"generator": generator}),
        expert=instruction.expert if tree == instruction.tree else None,
    )


_KEPT_FIELDS = ("request", "language", "split", "difficulty", "answer", "witness")


def _reworded(node: Node, demands: Iterable[Demand]) -> Node:
    """Return a tree whose soft leaves carry the new wordings; `demands` are in document order."""
    supply = iter(demands)

    def visit(node: Node) -> Node:
        if isinstance(node, Leaf):
            demand = next(supply)
            if not demand.soft:
                return node
            constraint = node.constraint.model_copy(update={"question": demand.question, "demand": demand.text})
            return node.model_copy(update={"constraint": constraint})
        if isinstance(node, And):
            return And(parts=tuple(visit(part) for part in node.parts))
        if isinstance(node, Chain):
            return Chain(steps=tuple(visit(step) for step in node.steps))
        branches = tuple(Branch(when=branch.when, then=visit(branch.then)) for branch in node.branches)
        return Selection(branches=branches, otherwise=None if node.otherwise is None else visit(node.otherwise))

    return visit(node)


def _with_added(tree: Node, added: Sequence[Added]) -> Node:
    leaves = tuple(Leaf(constraint=Judged(question=each.question, demand=each.text)) for each in added)
    if not leaves:
        return tree
    return And(parts=(*tree.parts, *leaves)) if isinstance(tree, And) else And(parts=(tree, *leaves))
