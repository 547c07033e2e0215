"""Constraints that no answer satisfies together, and constraints that say nothing new: a second opinion on witnesses.

Every constraint is read as facts on measurable quantities (`data_gen.quality.meaning`): intervals of counts, places
that hold one value, texts that occur. Two constraints clash when

- the intervals of one quantity have nothing in common (at least 50 words, at most 40),
- a part is larger than what it is part of (at least 9 sentences, at most 5 words; see `PARTS`),
- one place is to hold two values (two first words, two languages, JSON and XML),
- a text that must occur brings more of a quantity than is allowed (an end phrase with a comma, and no commas),
- of the texts of which some must occur, or of the answers there are, too few are left.

There is no list of types that do not go together. Facts are read as a person reads the demand: what a rule counts in
prose is not hidden in code or formulas, an answer has a paragraph, and only letters that have both cases are called
upper or lower case.

What it does not see: clashes that take three constraints or more (exactly 3 sentences, at most 5 words each, at least
50 words); the order and the proximity of words; ratios between counts; divisibility; what a JSON Schema, a table, a
CSV field or a template allows inside; constraints on parts of the answer against each other; soft constraints; and
whether the request itself can be answered under them. An empty list is therefore no proof that an answer exists: the
witness is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod
from typing import NamedTuple

from data_gen.quality import meaning_counts as meaning_counts
from data_gen.quality import meaning_texts as meaning_texts
from data_gen.quality.meaning import ANY, COMPLETE, Bound, Demand, Meaning, meaning_of
from data_gen.quality.measures import brings, holds, is_measured, is_refused, occurs
from rewards.conditions import ResponseCondition
from rewards.constraint import Constraint
from rewards.constraints.matching import keys_of
from rewards.tree import Node, Place, Selection

#: (part, whole): there are never more of the first than of the second.
PARTS = (
    ("sentences", "words"), ("longest sentence", "words"), ("shortest sentence", "longest sentence"),
    ("capital words", "words"), ("different words", "words"), ("pronouns", "words"),
    ("different conjunctions", "words"), ("words", "characters"), ("letters", "characters"), ("emoji", "characters"),
    ("longest line", "characters"), ("paragraphs", "lines"), ("bullets", "lines"), ("headings", "lines"),
    ("numbered items", "lines"), ("quoted lines", "lines"), ("table rows", "lines"),
    ("parts between rules", "lines"), ("heading levels", "headings"), ("bold", "words"),
    ("capital words", "uppercase letters"), ("lines", "characters"),
)  # fmt: skip
_WHOLES: dict[str, tuple[str, ...]] = {
    part: tuple(whole for first, whole in PARTS if first == part) for part, _ in PARTS
}
_SHARE = " share"
_MOST_WORLDS = 64


class Clash(NamedTuple):
    """Two leaves that no answer satisfies together, or of which one says nothing new.

    Fields:
        paths: where they stand in the tree; of a redundancy, the one that says more comes first.
        types: their constraint types.
        reason: the quantity, place or text at issue.
    """

    paths: tuple[str, str]
    types: tuple[str, str]
    reason: str


Gate = tuple[Selection, int]
Taken = dict[int, int]  # selections by identity, with the branch of each that must be taken


class _Item(NamedTuple):
    path: str
    constraint: Constraint
    meaning: Meaning


def contradictions(tree: Node) -> list[Clash]:
    """Return the pairs of leaves of a tree that no answer satisfies together, branch by branch.

    Leaves of different branches of one Selection are never demanded together. The condition of a branch that the
    answer itself decides is demanded with what the branch demands.

    Example:
        >>> from rewards import And, Leaf
        >>> tree = And(parts=tuple(Leaf(constraint=each) for each in (
        ...     {"type": "length:min_words", "limit": 50}, {"type": "length:max_words", "limit": 40})))
        >>> contradictions(tree)[0].reason
        'words: at least 50 and at most 40'
    """
    places = tree.places
    items = [_Item(place.path, place.leaf.constraint, meaning_of(place.leaf.constraint)) for place in places]
    if not any(place.gates for place in places):
        return _clashes(items)
    gated = [(_taken(place.gates), item) for place, item in zip(places, items, strict=True)]
    gated += _conditions(places)
    # What clashes in a branch clashes among all leaves, too: most trees end here.
    if not _clashes([item for _, item in gated]):
        return []
    found: dict[tuple[str, str], Clash] = {}
    for world in _worlds(gated):
        for clash in _clashes(world):
            found.setdefault(clash.paths, clash)
    return list(found.values())


def clashes_among(constraints: Sequence[Constraint]) -> list[Clash]:
    """Return the pairs of constraints that no answer satisfies together; paths are their numbers."""
    return _clashes([_Item(str(number), each, meaning_of(each)) for number, each in enumerate(constraints)])


def _taken(gates: Sequence[Gate]) -> Taken:
    return {id(selection): index for selection, index in gates}


def _conditions(places: Sequence[Place]) -> list[tuple[Taken, _Item]]:
    """Return the conditions that the answer itself decides, as demands of the branches that hang on them."""
    found: dict[tuple[int, int], tuple[Taken, _Item]] = {}
    for place in places:
        for number, (selection, index) in enumerate(place.gates, 1):
            condition = selection.branches[index].when if index < len(selection.branches) else None
            if isinstance(condition, ResponseCondition):
                constraint = condition.constraint
                item = _Item(f"condition of {place.path}", constraint, meaning_of(constraint))
                found.setdefault((id(selection), index), (_taken(place.gates[:number]), item))
    return list(found.values())


def _worlds(gated: Sequence[tuple[Taken, _Item]]) -> Iterator[list[_Item]]:
    """Yield the sets of leaves that may be demanded together; pairs of them, if there are very many sets."""
    branches: dict[int, set[int]] = {}
    for taken, _ in gated:
        for selection, index in taken.items():
            branches.setdefault(selection, set()).add(index)
    if prod(map(len, branches.values())) > _MOST_WORLDS:
        for (first, one), (second, other) in combinations(gated, 2):
            if all(first.get(selection, index) == index for selection, index in second.items()):
                yield [one, other]
        return
    for indices in product(*map(sorted, branches.values())):
        choice = dict(zip(branches, indices, strict=True))
        yield [item for taken, item in gated if all(choice[selection] == taken[selection] for selection in taken)]


# ---- one set of constraints -------------------------------------------------------------------------------------


def _clashes(items: Sequence[_Item]) -> list[Clash]:
    scopes = {item.constraint.scope for item in items}
    if len(scopes) == 1:
        return _Ledger(items).clashes()
    return [
        clash
        for scope in sorted(scopes)
        for clash in _Ledger([i for i in items if i.constraint.scope == scope]).clashes()
    ]


class _Ledger:
    """The highest lower bound and the lowest upper bound of each quantity, with the leaves that they come from."""

    def __init__(self, items: Sequence[_Item]) -> None:
        self.items = items
        self.lows: dict[str, tuple[float, _Item]] = {}
        self.highs: dict[str, tuple[float, _Item]] = {}
        self.found: list[Clash] = []
        #: The upper bounds that a text can break, and the constraints that judge texts by themselves.
        self.limits: list[tuple[str, float, _Item]] = []
        self.refusing: list[_Item] = []

    def clashes(self) -> list[Clash]:
        """Return what clashes."""
        self._collect()
        self._compare_counts()
        self.limits = [(name, high, item) for name, (high, item) in self.highs.items() if is_measured(name)]
        self.refusing = [item for item in self.items if item.meaning.every]
        for item in self.items:
            meaning = item.meaning
            if meaning.demands or meaning.choices or meaning.answers:
                self._compare_texts(item)
        return self.found

    def _add(self, first: _Item, second: _Item, reason: str) -> None:
        """Record a clash, the first of each pair only."""
        paths = (first.path, second.path)
        if not any(each.paths in (paths, paths[::-1]) for each in self.found):
            self.found.append(Clash(paths, (first.constraint.type, second.constraint.type), reason))

    def _collect(self) -> None:
        lows, highs = self.lows, self.highs
        slots: dict[str, tuple[str, _Item]] = {}
        for item in self.items:
            for quantity, low, high in item.meaning.bounds:
                if low and (quantity not in lows or low > lows[quantity][0]):
                    lows[quantity] = (low, item)
                if high != ANY and (quantity not in highs or high < highs[quantity][0]):
                    highs[quantity] = (high, item)
            for place, value in item.meaning.slots:
                kept = slots.setdefault(place, (value, item))
                if kept[0] != value:
                    self._add(kept[1], item, f"{place}: {kept[0]!r} and {value!r}")

    def _compare_counts(self) -> None:
        highs = self.highs
        for quantity, (low, item) in self.lows.items():
            upper = highs.get(quantity)
            if upper is not None and low > upper[0]:
                self._add(item, upper[1], f"{quantity}: at least {low:g} and at most {upper[0]:g}")
            for whole in _WHOLES.get(quantity, ()):
                upper = highs.get(whole)
                if upper is not None and low > upper[0] and upper[1] is not item:
                    self._add(item, upper[1], f"at least {low:g} {quantity}, but at most {upper[0]:g} {whole}")
        shares = [entry for entry in self.lows.items() if entry[0].endswith(_SHARE)]
        for (name, (low, item)), (other, (more, second)) in combinations(shares, 2):
            if low + more > 100 and item is not second:
                self._add(item, second, f"{name} of at least {low:g} and {other} of at least {more:g} percent")

    def _compare_texts(self, item: _Item) -> None:
        meaning = item.meaning
        for demand in meaning.demands:
            refusal = self._refusal(item, demand)
            if refusal is not None:
                self._add(item, refusal[0], refusal[1])
        for choice in meaning.choices:
            refusals = [refusal for each in choice.options if (refusal := self._refusal(item, each)) is not None]
            if len(choice.options) - len(refusals) < choice.least:
                self._add(item, *refusals[0])
        if meaning.answers:
            self._compare_answers(item)

    def _refusal(self, item: _Item, demand: Demand) -> tuple[_Item, str] | None:
        """Return which other leaf a text cannot occur under, and why."""
        for quantity, high, other in self.limits:
            if other is not item and brings(demand, quantity) > high:
                return other, f"{demand.text[:60]!r} must occur, which is more than {high:g} {quantity}"
        for other in self.refusing:
            if other is not item and is_refused(other.constraint, demand):
                return other, f"{demand.text[:60]!r} must occur, which {other.constraint.type} refuses"
        return None

    def _compare_answers(self, item: _Item) -> None:
        """Compare a list of all answers there are with each of the other leaves."""
        answers = item.meaning.answers
        for other in self.items:
            if other is item:
                continue
            if not any(_allows(other.meaning, answer) for answer in answers):
                self._add(item, other, f"no answer is left of {len(answers)}")


def _allows(meaning: Meaning, answer: str) -> bool:
    """Tell whether a complete answer may satisfy a constraint."""
    for quantity, low, high in meaning.bounds:
        found = holds(answer, quantity)
        if found is not None and not low <= found <= high:
            return False
    if meaning.answers and not any(keys_of(each) == keys_of(answer) for each in meaning.answers):
        return False
    return all(occurs(demand, answer) for demand in meaning.demands)


# ---- redundancy -------------------------------------------------------------------------------------------------


def redundancies(tree: Node) -> list[Clash]:
    """Return the leaves that follow from another one which is demanded whenever they are.

    Example:
        >>> from rewards import And, Leaf
        >>> tree = And(parts=tuple(Leaf(constraint={"type": "length:min_words", "limit": n}) for n in (30, 50)))
        >>> redundancies(tree)[0].paths
        ('and.1', 'and.0')
    """
    places = tree.places
    items = [_Item(place.path, place.leaf.constraint, meaning_of(place.leaf.constraint)) for place in places]
    found = []
    for second, item in enumerate(items):
        for first, other in enumerate(items):
            if first != second and _always_with(places[first], places[second]) and _follows(item, other):
                if second < first and _follows(other, item) and _always_with(places[second], places[first]):
                    continue  # both say the same: the later one is the redundant one
                types = (other.constraint.type, item.constraint.type)
                found.append(Clash((other.path, item.path), types, "the second follows from the first"))
                break
    return found


def _always_with(first: Place, second: Place) -> bool:
    """Tell whether the first leaf is demanded whenever the second one is."""
    taken = {id(selection): index for selection, index in second.gates}
    return all(taken.get(id(selection)) == index for selection, index in first.gates)


def _follows(item: _Item, other: _Item) -> bool:
    """Tell whether a constraint follows from another one."""
    if item.constraint.scope != other.constraint.scope:
        return False
    if item.constraint.type == other.constraint.type and item.constraint == other.constraint:
        return True
    meaning = item.meaning
    if item.constraint.type not in COMPLETE or not (meaning.bounds or meaning.slots):
        return False
    if meaning.slots and not set(meaning.slots) <= set(other.meaning.slots):
        return False
    return all(_implies(other.meaning, bound) for bound in item.meaning.bounds)


def _implies(meaning: Meaning, bound: Bound) -> bool:
    """Tell whether a bound follows from the facts of another constraint."""
    quantity, low, high = bound
    known_low, known_high = 0.0, ANY
    for name, least, most in meaning.bounds:
        if name == quantity:
            known_low, known_high = max(known_low, least), min(known_high, most)
        elif (name, quantity) in _PART_OF:
            known_low = max(known_low, least)
        elif (quantity, name) in _PART_OF:
            known_high = min(known_high, most)
    if known_low < low:
        known_low = max([known_low, *(brings(demand, quantity) for demand in meaning.demands)])
    return low <= known_low and known_high <= high


_PART_OF = frozenset(PARTS)
