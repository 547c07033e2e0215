"""The tree as it is being put into words: nodes with their paths, their conditions, and what was said of each leaf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewards.conditions import Condition
from rewards.constraint import Constraint
from rewards.judgement import ROOT
from rewards.tree import And, Chain, Leaf, Node, Selection

#: Path of a leaf -> its wording.
Said = dict[str, str]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A node to be said.

    Fields:
        kind: leaf, and, chain or selection.
        path: as in `LeafVerdict.path`, for leaves.
        conditions: of a selection, in the order of its branches.
        otherwise: whether the last child is what holds if no condition does.
        said: where the wordings of the whole tree are noted.
    """

    kind: str
    said: Said
    path: str = ""
    leaf: Constraint | None = None
    children: tuple[Spoken, ...] = ()
    conditions: tuple[Condition, ...] = ()
    otherwise: bool = False

    @property
    def constraint(self) -> Constraint:
        assert self.leaf is not None
        return self.leaf

    def note(self, text: str) -> str:
        """Remember how the leaf is said."""
        self.said[self.path] = text
        return text

    def leaves(self) -> Iterator[Spoken]:
        """Yield the leaves in document order."""
        if self.kind == "leaf":
            yield self
        for child in self.children:
            yield from child.leaves()

    @property
    def is_single(self) -> bool:
        """Whether there is one demand alone, which no plural should announce and no list should hold."""
        return sum(1 for _ in self.leaves()) == 1

    @property
    def is_knotted(self) -> bool:
        """Whether a selection stands inside another."""
        inside = self.kind == "selection" and any(child.has_selection for child in self.children)
        return inside or any(child.is_knotted for child in self.children)

    @property
    def has_selection(self) -> bool:
        return self.kind == "selection" or any(child.has_selection for child in self.children)

    @property
    def depth(self) -> int:
        return 1 + max(child.depth for child in self.children) if self.children else 0


def spoken(tree: Node, said: Said) -> Spoken:
    """Return a tree ready to be said; the wordings will be noted in `said`."""
    return _spoken(tree, "", said)


def _spoken(node: Node, path: str, said: Said) -> Spoken:
    if isinstance(node, Leaf):
        return Spoken("leaf", said, path or ROOT, node.constraint)
    if isinstance(node, And):
        parts = (_spoken(part, _below(path, f"and.{i}"), said) for i, part in enumerate(node.parts))
        return Spoken("and", said, children=tuple(parts))
    if isinstance(node, Chain):
        steps = (_spoken(step, _below(path, f"chain.{i}"), said) for i, step in enumerate(node.steps))
        return Spoken("chain", said, children=tuple(steps))
    return _spoken_selection(node, path, said)


def _spoken_selection(node: Selection, path: str, said: Said) -> Spoken:
    children = [_spoken(branch.then, _below(path, f"selection.{i}"), said) for i, branch in enumerate(node.branches)]
    if node.otherwise is not None:
        children.append(_spoken(node.otherwise, _below(path, "selection.otherwise"), said))
    conditions = tuple(branch.when for branch in node.branches)
    return Spoken("selection", said, "", None, tuple(children), conditions, node.otherwise is not None)


def _below(path: str, step: str) -> str:
    return f"{path}/{step}" if path else step
