"""The shape of a tree before any constraint is chosen: And, Chain and Selection over numbered slots.

A shape decides how many demands there are and how they hang together; which demands they are is drawn afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Literal, NamedTuple

Kind = Literal["and", "chain", "selection", "nested"]
SMALLEST: Mapping[Kind, int] = {"and": 1, "chain": 2, "selection": 2, "nested": 3}  # leaves that a kind takes
_ONE_BRANCH = 0.25  # share of selections without an `otherwise`


class Shape(NamedTuple):
    """A node without constraints: `kind` is leaf, and, chain or selection.

    The children of a selection are its branches in order; with `otherwise` the last child is what holds if no
    condition does.
    """

    kind: str
    children: tuple[Shape, ...] = ()
    otherwise: bool = False

    @property
    def size(self) -> int:
        """The number of leaves."""
        return sum(child.size for child in self.children) if self.children else 1

    @property
    def depth(self) -> int:
        """The number of nodes above the deepest leaf."""
        return 1 + max(child.depth for child in self.children) if self.children else 0

    def selections(self) -> Iterator[Shape]:
        """Yield every selection, outermost first."""
        if self.kind == "selection":
            yield self
        for child in self.children:
            yield from child.selections()


LEAF = Shape("leaf")


def draw_shape(kind: Kind, leaves: int, depth: int, width: int, rng: Random) -> Shape:
    """Draw a shape of a kind with a number of leaves, raised where the kind needs more.

    Args:
        kind: the root, or `nested` for a composite inside a composite.
        depth: the most nodes above a leaf, an And that bundles the demands of a branch left out; below 2 nothing can
            be nested.
        width: the most children of a node; a shape that cannot hold its leaves in width and depth grows wider.

    Example:
        >>> draw_shape("and", 3, 2, 4, Random(0)).size
        3
        >>> draw_shape("nested", 5, 3, 4, Random(1)).depth >= 2
        True
    """
    leaves = max(leaves, SMALLEST[kind])
    if kind == "nested" and depth >= 2:
        return _nested(leaves, depth, width, rng)
    flat = "and" if kind == "nested" else kind
    return _flat(flat, leaves, rng)


def _flat(kind: str, leaves: int, rng: Random) -> Shape:
    """Return a node over leaves; a branch of a selection with several leaves holds them in an And."""
    if kind != "selection":
        return Shape(kind, (LEAF,) * leaves)
    return _selection([_group(size) for size in _branches(leaves, rng)], rng)


def _nested(leaves: int, depth: int, width: int, rng: Random) -> Shape:
    root = rng.choice(("and", "and", "chain", "selection"))
    sizes = _sizes(leaves, width, rng)
    children = [_child(size, root, depth - 1, width, rng) for size in sizes]
    if not any(child.children for child in children):  # one child at least is composite: `_sizes` made it two leaves
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        children[largest] = _composite(sizes[largest], root, depth - 1, width, rng)
    return _selection(children, rng) if root == "selection" else Shape(root, tuple(children))


def _child(size: int, parent: str, depth: int, width: int, rng: Random) -> Shape:
    return LEAF if size == 1 else _composite(size, parent, depth, width, rng)


def _composite(size: int, parent: str, depth: int, width: int, rng: Random) -> Shape:
    """Return a composite of another kind than its parent, since an And inside an And is just a longer And."""
    kinds = [kind for kind in ("and", "chain", "selection") if kind != parent]
    if depth >= 2 and size >= 3 and rng.random() < 0.35:
        kind = rng.choice(kinds)
        children = tuple(_child(part, kind, depth - 1, width, rng) for part in _sizes(size, width, rng))
        return _selection(children, rng) if kind == "selection" else Shape(kind, children)
    return _flat(rng.choice(kinds), size, rng)


def _selection(children: Sequence[Shape], rng: Random) -> Shape:
    """Return a selection over two or three branches; more children than that are put together."""
    if len(children) > 3:
        children = [*children[:2], _together(children[2:])]
    alone = len(children) == 1 or rng.random() < _ONE_BRANCH
    if alone and len(children) > 1:
        children = [_together(children)]
    return Shape("selection", tuple(children), otherwise=not alone)


def _together(children: Sequence[Shape]) -> Shape:
    """Return an And of shapes, without an And inside."""
    parts = [part for child in children for part in (child.children if child.kind == "and" else (child,))]
    return Shape("and", tuple(parts))


def _branches(leaves: int, rng: Random) -> list[int]:
    if leaves < 2:
        return [1]
    parts = 3 if leaves >= 4 and rng.random() < 0.25 else 2
    return _partition(leaves, parts, rng)


def _group(size: int) -> Shape:
    return LEAF if size == 1 else Shape("and", (LEAF,) * size)


def _sizes(leaves: int, width: int, rng: Random) -> list[int]:
    """Divide leaves among two or more children of which one gets two leaves or more."""
    most = max(2, min(width, leaves - 1))
    return _partition(leaves, rng.randint(2, most), rng)


def _partition(total: int, parts: int, rng: Random) -> list[int]:
    cuts = [0, *sorted(rng.sample(range(1, total), parts - 1)), total]
    return [after - before for before, after in pairwise(cuts)]
