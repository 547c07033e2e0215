"""What a tree asks of one response: demands that always hold, chains, and forks with the branch that is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rewards.conditions import AnswerCondition, Condition, ResponseCondition
from rewards.constraint import Constraint, Context
from rewards.response import Response
from rewards.task_answer import TaskAnswer
from rewards.tree import And, Chain, Leaf, Node, Selection


class Facts(NamedTuple):
    """What decides the branches of a tree."""

    response: Response
    context: Context
    answer: TaskAnswer | None


class Fork(NamedTuple):
    """A selection with the branch that is taken.

    Fields:
        branch: its number from 0; the number of branches where `otherwise` is taken, None where that cannot be told.
        decisive: the condition that settled it: the one that holds, else the last that does not.
        taken: what is demanded; None where nothing is, or where that cannot be told.
    """

    selection: Selection
    branch: int | None
    decisive: Condition
    taken: Node | None


class Outline(NamedTuple):
    """A tree read from above.

    Fields:
        always: demands that hold in any case and depend on nothing.
        chains, forks: the outermost ones, in document order.
        active: every demand that counts, in document order.
    """

    always: list[Constraint]
    chains: list[Chain]
    forks: list[Fork]
    active: list[Constraint]

    @property
    def waits_for_result(self) -> bool:
        """Whether a branch can only be chosen when the result of the task is known."""
        return any(
            isinstance(branch.when, AnswerCondition) for fork in self.forks for branch in fork.selection.branches
        )


def outline(tree: Node, facts: Facts) -> Outline:
    """Read a tree, deciding its branches by the facts."""
    found = Outline([], [], [], list(active(tree, facts)))
    _read(tree, facts, found)
    return found


def _read(node: Node, facts: Facts, found: Outline) -> None:
    if isinstance(node, Leaf):
        found.always.append(node.constraint)
    elif isinstance(node, And):
        for part in node.parts:
            _read(part, facts, found)
    elif isinstance(node, Chain):
        found.chains.append(node)
    else:
        found.forks.append(decide(node, facts))


def active(node: Node, facts: Facts) -> Iterator[Constraint]:
    """Yield the demands that count, in document order; of a fork that cannot be decided, none."""
    if isinstance(node, Leaf):
        yield node.constraint
    elif isinstance(node, Selection):
        taken = decide(node, facts).taken
        if taken is not None:
            yield from active(taken, facts)
    else:
        for part in node.parts if isinstance(node, And) else node.steps:
            yield from active(part, facts)


def decide(selection: Selection, facts: Facts) -> Fork:
    """Return the branch that is taken: the first whose condition holds, else `otherwise`."""
    for index, branch in enumerate(selection.branches):
        holds = _holds(branch.when, facts)
        if holds is None:
            return Fork(selection, None, branch.when, None)
        if holds:
            return Fork(selection, index, branch.when, branch.then)
    return Fork(selection, len(selection.branches), selection.branches[-1].when, selection.otherwise)


def _holds(condition: Condition, facts: Facts) -> bool | None:
    """Tell whether a condition holds; one on the response cannot be decided while there is none."""
    if isinstance(condition, ResponseCondition) and not facts.response.answer:
        return None
    return condition.decide(*facts).holds


def named_needs(tree: Node) -> Iterator[tuple[Constraint, Constraint]]:
    """Yield (later, earlier) for what leaves name as their needs."""
    places = tree.places
    if not any(place.leaf.needs for place in places):
        return
    named = {place.leaf.name: place.leaf.constraint for place in places if place.leaf.name}
    for place in places:
        for name in place.leaf.needs:
            yield place.leaf.constraint, named[name]
