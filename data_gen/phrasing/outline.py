"""A tree as a list: one item a demand, steps and branches with items below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from data_gen.phrasing.prose import Prose
from data_gen.phrasing.tree import Spoken

_IN_ORDER = {
    "en": ("Work through these in order:", "One after the other:", "In this sequence:", "Step by step:"),
    "zh": ("按顺序完成：", "依次做到：", "分步进行：", "请按以下次序："),
}
_IF = {
    "en": ("If {}:", "When {}:", "In case {}:", "Should it turn out that {}:"),
    "zh": ("如果{}：", "当{}时：", "若{}：", "倘若{}："),
}
_ELSE_IF = {"en": ("Else, if {}:", "If instead {}:"), "zh": ("否则，如果{}：", "或者，若{}：")}
_OTHERWISE = {
    "en": ("Otherwise:", "In any other case:", "In all other cases:"),
    "zh": ("否则：", "不然：", "其他情况下："),
}
_ALL = {"en": ("All of these:", "Together:"), "zh": ("同时满足：", "以下各点都要做到：")}
_STEP_BELOW = "   "


class Outline:
    """Writes trees as lists; what fits in one sentence stays one item.

    Args:
        mark: what opens an item (`-`, `*`), or `1.` for numbers.
    """

    def __init__(self, prose: Prose, mark: str, rng: Random) -> None:
        self.prose, self.mark, self.rng, self.language = prose, mark, rng, prose.language

    def lines(self, node: Spoken) -> list[str]:
        """Return the lines of a node's list."""
        if node.kind == "chain":
            return [self._say(_IN_ORDER), *self._items(node.children, "1.", "")]
        if node.kind == "selection" and not self._is_short(node):
            return self._branches(node, "", "")
        return self._items(node.children if node.kind == "and" else (node,), self.mark, "")

    def _items(self, parts: Sequence[Spoken], mark: str, indent: str) -> list[str]:
        lines: list[str] = []
        for number, part in enumerate(parts, 1):
            opening = f"{number}." if mark == "1." else mark
            lines += self._item(part, f"{indent}{opening} ", indent + _STEP_BELOW)
        return lines

    def _item(self, node: Spoken, opening: str, below: str) -> list[str]:
        if node.kind == "leaf" or self._is_short(node):
            return [opening + self.prose.sentence(node)]
        if node.kind == "chain":
            return [opening + self._say(_IN_ORDER), *self._items(node.children, "1.", below)]
        if node.kind == "and":
            return [opening + self._say(_ALL), *self._items(node.children, self._sub_mark, below)]
        return self._branches(node, opening, below)

    def _is_short(self, node: Spoken) -> bool:
        """Tell whether a node reads well in one sentence; a longer one sometimes does as well."""
        leaves = sum(1 for _ in node.leaves())
        return node.depth == 1 and (leaves <= 2 or (leaves == 3 and self.rng.random() < 0.3))

    def _branches(self, node: Spoken, opening: str, below: str) -> list[str]:
        lines: list[str] = []
        indent = " " * (len(opening) - len(opening.lstrip()))
        blank = indent + " " * (len(opening) - len(indent))
        for number, (condition, child) in enumerate(zip(node.conditions, node.children, strict=False)):
            head = (_ELSE_IF if number else _IF)[self.language]
            lines.append((blank if number else opening) + self.rng.choice(head).format(condition.text))
            lines += self._items(self._parts(child), self._sub_mark, below)
        if node.otherwise:
            lines.append(blank + self._say(_OTHERWISE))
            lines += self._items(self._parts(node.children[-1]), self._sub_mark, below)
        return lines

    @staticmethod
    def _parts(node: Spoken) -> Sequence[Spoken]:
        return node.children if node.kind == "and" else (node,)

    @property
    def _sub_mark(self) -> str:
        return "-" if self.mark == "1." else self.mark

    def _say(self, options: Mapping[str, tuple[str, ...]]) -> str:
        return self.rng.choice(options[self.language])
